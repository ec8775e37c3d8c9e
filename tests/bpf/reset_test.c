// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The reset that a client gets whose backend is down: which packets, and its bytes (RFC 9293 section 3.10.7.1). Not
 * here: when slots say that a previous home is down (plane_dead_test.c).
 */
#include "steer_world.h"

#include <linux/bpf.h>
#include <string.h>

#include "starling/cell.h"

#define DEAD 4 /* backend, previous home of all slots */
#define SEQ  0xfffffff0u
#define ACK  0x12345678u

static __u32 be32(const __u8 *at)
{
	return (__u32)at[0] << 24 | (__u32)at[1] << 16 | (__u32)at[2] << 8 | at[3];
}

static void put32(__u8 *at, __u32 v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (__u8)(v >> (24 - 8 * i));
}

static void flags_set(struct harness *h, __u8 flags, __u8 steer_by)
{
	struct vip_record r = h->vips[1].copy[VIP_WORD_SELECT(h->vips[1].word)];

	r.flags = flags;
	r.steer_by = steer_by;
	harness_grace();
	harness_vip_set(h, 1, &r, 1);
}

static void dead_world(struct harness *h, bool v4)
{
	world_make(h, FORWARD_DR, v4);
	flags_set(h, VIP_DEAD_RESET, STEER_HOME);
	for (__u32 i = 0; i < 101; i++)
		harness_slot_set(h, i, slot_make(SLOT_SPLIT, 1, 2, DEAD));
	harness_backend_state(h, DEAD, BACKEND_DOWN);
}

/* A packet with these numbers, and what became of it. */
static int numbered(struct harness *h, const struct packet_spec *s, struct packet *p, struct harness_result *r)
{
	packet_build(s, p);
	put32(p->byte + p->l4 + 4, SEQ);
	put32(p->byte + p->l4 + 8, ACK);
	packet_fix_sums(p);
	return harness_verdict(h, p, r);
}

static void is_reset(const struct packet *p, const struct harness_result *r, bool v4, __u32 seq, __u32 ack, __u8 flags)
{
	size_t head = v4 ? 20 : 40, at = v4 ? 12 : 8, bytes = v4 ? 4 : 16;
	const __u8 *ip = r->byte + p->l3, *tcp = ip + head, *was = p->byte + p->l3;

	assert_int_equal(r->action, XDP_TX);
	assert_int_equal(r->len, p->l3 + head + 20);
	assert_memory_equal(r->byte, p->byte + 6, 6);
	assert_memory_equal(r->byte + 6, p->byte, 6);
	assert_memory_equal(r->byte + 12, p->byte + 12, p->l3 - 12); /* tags and type */
	assert_memory_equal(ip + at, was + at + bytes, bytes);
	assert_memory_equal(ip + at + bytes, was + at, bytes);
	assert_int_equal(ip[0], v4 ? 0x45 : 0x60);
	assert_int_equal(v4 ? ip[3] : ip[5], v4 ? 40 : 20);
	assert_int_equal(v4 ? ip[8] : ip[7], 64);
	assert_memory_equal(tcp, p->byte + p->l4 + 2, 2);
	assert_memory_equal(tcp + 2, p->byte + p->l4, 2);
	assert_int_equal(be32(tcp + 4), seq);
	assert_int_equal(be32(tcp + 8), ack);
	assert_int_equal(tcp[12], 0x50);
	assert_int_equal(tcp[13], flags);
	assert_true(packet_sums_hold(r->byte, r->len));
}

static void a_packet_with_an_ack_gets_a_reset_with_that_number(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;

	for (int v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 40000, TCP_ACK);

		dead_world(h, v4);
		for (s.payload_bytes = 0; s.payload_bytes <= 1400; s.payload_bytes += 701) {
			assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
			is_reset(&p, &r, v4, ACK, 0, TCP_RST);
		}
		s.tcp_flags = TCP_FIN | TCP_ACK;
		assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
		is_reset(&p, &r, v4, ACK, 0, TCP_RST);
		s.tcp_flags = TCP_SYN | TCP_ACK;
		assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
		is_reset(&p, &r, v4, ACK, 0, TCP_RST);
	}
}

static void one_without_an_ack_is_acknowledged_with_all_that_it_has(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;

	for (int v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 40000, 0);

		dead_world(h, v4);
		s.payload_bytes = 100;
		assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
		is_reset(&p, &r, v4, 0, SEQ + 100, TCP_RST | TCP_ACK);
		s.tcp_flags = TCP_FIN;
		assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
		is_reset(&p, &r, v4, 0, SEQ + 101, TCP_RST | TCP_ACK);
	}
}

static void tags_options_and_extensions_are_no_part_of_it(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;

	for (int v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 40000, TCP_FIN);

		dead_world(h, v4);
		s.vlans = 2;
		s.vlan[0] = 7;
		s.vlan[1] = 8;
		s.payload_bytes = 33;
		if (v4)
			s.ip_options_bytes = 40;
		else
			s.exts = 2;
		s.ext[0] = 0;
		s.ext[1] = 60;
		assert_int_equal(numbered(h, &s, &p, &r), VERDICT_TX_RESET);
		is_reset(&p, &r, v4, 0, SEQ + 34, TCP_RST | TCP_ACK);
	}
}

static void what_must_not_be_answered_is_not(void **state)
{
	struct harness *h = *state;
	struct packet_spec s = to_vip(true, 40000, TCP_RST | TCP_ACK), about;
	struct harness_result r;
	struct packet p, quoted;

	dead_world(h, true);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX); /* a reset goes where it would go anyhow */
	assert_int_equal(backend_of(&r), 1);
	s.tcp_flags = TCP_ACK;
	s.more = true;
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_DEAD);
	s.more = false;
	s.src = packet_addr("127.0.0.1");
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_DEAD);
	s = packet_udp("198.51.100.10", 40000, "203.0.113.10", 53);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
	about = packet_tcp("203.0.113.10", 80, "198.51.100.10", 40001, TCP_ACK);
	packet_build(&about, &quoted);
	s = to_vip(true, 0, 0);
	s.icmp_type = 3;
	s.icmp_code = 4;
	packet_icmp_error(&s, &quoted, 28, &p);
	assert_int_equal(harness_verdict(h, &p, &r), VERDICT_DROP_DEAD);
	flags_set(h, VIP_DEAD_RESET | VIP_HASH_SOURCE,
		  STEER_HOME); /* a client's packets are of one flow, by kind alike */
	s = to_vip(true, 40002, TCP_RST);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_DEAD);
}

static void a_syn_begins_a_new_life_which_is_not_reset(void **state)
{
	struct harness *h = *state;
	struct packet_spec syn = to_vip(true, 40000, TCP_SYN), ack = to_vip(true, 40000, TCP_ACK);
	struct harness_result r;
	struct packet p;

	dead_world(h, true);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX_RESET);
	assert_int_equal(verdict_of(h, &syn, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
	harness_backend_state(h, 1, BACKEND_DOWN); /* its cell says where it is */
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX_RESET);
	assert_int_equal(verdict_of(h, &syn, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 2);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 2);
}

static void where_every_flow_has_a_cell_it_decides(void **state)
{
	struct harness *h = *state;
	struct packet_spec syn = to_vip(true, 40000, TCP_SYN), ack = to_vip(true, 40000, TCP_ACK);
	struct harness_result r;
	struct packet p;
	int first;

	world_make(h, FORWARD_DR, true);
	flags_set(h, VIP_DEAD_RESET, STEER_OPEN);
	assert_int_equal(verdict_of(h, &syn, &p, &r), VERDICT_TX);
	first = backend_of(&r);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	harness_backend_state(h, (__u32)first, BACKEND_DRAINING);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	harness_backend_state(h, (__u32)first, BACKEND_DOWN);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX_RESET);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX_RESET);
	ack.sport = 40001; /* of a flow that nothing is known of */
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	ack.sport = 40000;
	assert_int_equal(verdict_of(h, &syn, &p, &r), VERDICT_TX);
	assert_int_not_equal(backend_of(&r), first);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_TX);
	flags_set(h, 0, STEER_OPEN);
	harness_backend_state(h, (__u32)backend_of(&r), BACKEND_DOWN);
	assert_int_equal(verdict_of(h, &ack, &p, &r), VERDICT_DROP_NO_BACKEND); /* both homes are down */
}

static void who_may_be_alive_is_not_reset(void **state)
{
	struct harness *h = *state;
	struct packet_spec s = to_vip(true, 40000, TCP_ACK);
	struct harness_result r;
	struct packet p;

	dead_world(h, true);
	for (__u32 i = 0; i < h->sets_max; i++) /* a SYN may have found no room */
		h->flows[i].cell[0] |= (__u64)CELL_MARK_OLD << 35;
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
	dead_world(h, true);
	for (__u32 i = 0; i < 101; i++) /* the table was another: who knows which home it was */
		harness_slot_set(h, i, slot_make(SLOT_SPLIT, 1, 2, SLOT_PREV_TABLE));
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	dead_world(h, true);
	harness_backend_state(h, DEAD, BACKEND_UNUSED);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
	dead_world(h, true);
	harness_backend_state(h, DEAD, BACKEND_DRAINING);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), DEAD);
	dead_world(h, true);
	flags_set(h, 0, STEER_HOME);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(backend_of(&r), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_with_an_ack_gets_a_reset_with_that_number),
		cmocka_unit_test(one_without_an_ack_is_acknowledged_with_all_that_it_has),
		cmocka_unit_test(tags_options_and_extensions_are_no_part_of_it),
		cmocka_unit_test(what_must_not_be_answered_is_not),
		cmocka_unit_test(a_syn_begins_a_new_life_which_is_not_reset),
		cmocka_unit_test(where_every_flow_has_a_cell_it_decides),
		cmocka_unit_test(who_may_be_alive_is_not_reset),
	};

	return cmocka_run_group_tests_name("reset", tests, world_open, world_close);
}
