// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What steer does with single packets: forwarding, ICMP, odd headers, its size.
 * Not here: fragments (fragment_test.c), where flows go over time (plane_test.c), all packets there are (fuzz_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "steer_world.h"
#include "starling/cell.h"

#define VERIFIER_BUDGET 250000 /* instructions; the kernel's limit is a million */

static void every_outer_byte_is_written(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;

	for (i = 0; i < 8; i++) {
		bool inner4 = i & 1, outer4 = i & 2, gue = i & 4;
		size_t ip = outer4 ? 20 : 40, grow = ip + (gue ? 12 : 0);
		struct packet_spec s = to_vip(inner4, 1000, TCP_SYN);
		const __u8 *o = r.byte + 14;

		world_make(h, gue ? FORWARD_GUE : FORWARD_IPIP, outer4);
		s.tos = 0x2d;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(r.len, p.len + grow);
		assert_memory_equal(o + grow, p.byte + 14, p.len - 14);
		assert_int_equal(outer4 ? o[1] : (o[0] << 4 | o[1] >> 4) & 0xff, 0x2d);
		assert_int_equal(outer4 ? o[8] : o[7], 64);
		assert_int_equal(outer4 ? o[9] : o[6], gue ? 17 : inner4 ? 4 : 41);
		assert_int_equal(outer4 ? (o[2] << 8 | o[3]) : (o[4] << 8 | o[5]) + 40, p.len - 14 + grow);
		if (outer4)
			assert_int_equal(packet_fold(packet_sum(0, o, 20)), 0);
		if (!gue)
			continue;
		assert_int_equal(o[ip] >> 6, 3);
		assert_int_equal(o[ip + 2] << 8 | o[ip + 3], 6080);
		assert_int_equal(o[ip + 4] << 8 | o[ip + 5], p.len - 14 + 12);
		assert_int_equal(o[ip + 6] | o[ip + 7] | o[ip + 8] | o[ip + 10] | o[ip + 11], 0);
		assert_int_equal(o[ip + 9], inner4 ? 4 : 41);
	}
}

static void gue_over_ipv6_has_a_right_checksum_where_wanted(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i, bytes;

	for (bytes = 0; bytes < 9000; bytes = bytes < 1200 ? bytes + 257 : bytes * 2 + 1) {
		struct packet_spec s = to_vip(bytes & 1, 1000, TCP_ACK);
		const __u8 *o = r.byte + 14;

		world_make(h, FORWARD_GUE, false);
		for (i = 0; i < 2 * BACKENDS; i++) {
			struct backend_record *be = &h->backends[1 + i / 2].copy[i & 1];

			be->flags |= BACKEND_GUE_CSUM;
			be->mtu = 9216;
		}
		s.payload_bytes = bytes;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_not_equal(o[46] | o[47], 0);
		assert_int_equal(
			packet_fold(packet_sum(packet_sum(17 + (__u32)(r.len - 54), o + 8, 32), o + 40, r.len - 54)),
			0);
	}
}

static void a_jumbo_frame_in_gue_over_ipv6_has_a_right_checksum(void **state)
{
	struct packet_spec s = to_vip(true, 1000, TCP_ACK);
	struct harness *h = *state;
	struct harness_result r;
	const __u8 *o = r.byte + 14;
	struct packet p;
	__u32 i;

	world_make(h, FORWARD_GUE, false);
	for (i = 1; i <= BACKENDS; i++) {
		h->backends[i].copy[0].flags |= BACKEND_GUE_CSUM, h->backends[i].copy[1].flags |= BACKEND_GUE_CSUM;
		h->backends[i].copy[0].mtu = h->backends[i].copy[1].mtu = 9000;
	}
	for (s.payload_bytes = 1900; s.payload_bytes < 8900; s.payload_bytes += 999) {
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(r.len, p.len + 52);
		assert_int_equal(
			packet_fold(packet_sum(packet_sum(17 + (__u32)(r.len - 54), o + 8, 32), o + 40, r.len - 54)),
			0);
	}
}

static void direct_routing_changes_the_hop_and_nothing_else(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	int v4;

	for (v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 1000, TCP_SYN);

		world_make(h, FORWARD_DR, true);
		s.vlans = 2;
		s.vlan[0] = 7;
		s.vlan[1] = 8;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(r.len, p.len);
		assert_memory_equal(r.byte + 12, p.byte + 12, 10);
		assert_int_equal(r.byte[22 + (v4 ? 8 : 7)], 63);
		assert_true(packet_sums_hold(r.byte, r.len));
		s.ttl = 1;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_TTL);
	}
}

static void another_device_gets_no_tags(void **state)
{
	struct packet_spec s = to_vip(true, 1000, TCP_SYN);
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i, forward;

	s.vlans = 1;
	s.vlan[0] = 7;
	for (forward = FORWARD_DR; forward <= FORWARD_GUE; forward++) {
		world_make(h, forward, true);
		for (i = 1; i <= BACKENDS; i++)
			h->backends[i].copy[0].ifindex = h->backends[i].copy[1].ifindex = 9;
		assert_int_equal(harness_devmap_add(h, 9), 0);
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_REDIRECT);
		assert_int_equal(r.action, XDP_REDIRECT);
		assert_int_equal(r.byte[12] << 8 | r.byte[13], 0x0800);
		for (i = 1; i <= BACKENDS; i++)
			h->backends[i].copy[0].ifindex = h->backends[i].copy[1].ifindex = 10;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_REDIRECT);
	}
}

static void echo_is_answered(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	int v4;

	world_make(h, FORWARD_IPIP, true);
	for (v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 77, 0);

		s.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		s.icmp_type = v4 ? 8 : 128;
		s.payload_bytes = 56;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX_ECHO);
		assert_int_equal(r.len, p.len);
		assert_true(packet_sums_hold(r.byte, r.len));
		assert_memory_equal(r.byte, p.byte + 6, 6);
		assert_memory_equal(r.byte + (v4 ? 26 : 22), p.byte + (v4 ? 30 : 38), v4 ? 4 : 16);
		assert_int_equal(r.byte[p.l4], v4 ? 0 : 129);
		s.dst = packet_addr(v4 ? "203.0.113.99" : "2001:db8:113::99");
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_PASS_OTHER);
		assert_memory_equal(r.byte, p.byte, p.len);
	}
}

static void errors_reach_the_owner_of_the_flow(void **state)
{
	struct harness *h = *state;
	struct harness_result r, e;
	struct packet p, back, error;
	__u16 port;
	int v4;

	world_make(h, FORWARD_IPIP, true);
	for (v4 = 0; v4 < 2; v4++)
		for (port = 2000; port < 2050; port++) {
			struct packet_spec s = to_vip(v4, port, TCP_ACK), b = s;

			assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
			b.src = s.dst;
			b.dst = s.src;
			b.sport = 80;
			b.dport = port;
			packet_build(&b, &back);
			s.src = packet_addr(v4 ? "192.0.2.77" : "2001:db8:2::77");
			s.icmp_type = v4 ? 3 : 2;
			s.icmp_code = v4 ? 4 : 0;
			s.icmp_word = 1400;
			packet_icmp_error(&s, &back, v4 ? 28 : 48, &error);
			assert_int_equal(harness_verdict(h, &error, &e), VERDICT_TX);
			assert_int_equal(backend_of(&e), backend_of(&r));
			packet_icmp_error(&s, &back, v4 ? 24 : 44, &error);
			assert_int_equal(harness_verdict(h, &error, &e), VERDICT_DROP_ICMP);
		}
}

static void what_is_too_big_is_told_so(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;

	for (i = 0; i < 4; i++) {
		bool v4 = i & 1;
		struct packet_spec s = to_vip(v4, 1000, TCP_ACK);
		const __u8 *o = r.byte + 18, *icmp = o + (v4 ? 20 : 40);

		world_make(h, FORWARD_IPIP, i & 2);
		s.payload_bytes = 1500;
		s.vlans = 1;
		s.vlan[0] = 3;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX_TOO_BIG);
		assert_int_equal(r.len, 18 + (v4 ? 576 : 1280));
		assert_true(packet_sums_hold(r.byte, r.len));
		assert_memory_equal(r.byte, p.byte + 6, 6);
		assert_memory_equal(o + (v4 ? 12 : 8), s.dst.byte + (v4 ? 12 : 0), v4 ? 4 : 16);
		assert_memory_equal(o + (v4 ? 16 : 24), s.src.byte + (v4 ? 12 : 0), v4 ? 4 : 16);
		assert_int_equal(icmp[0], v4 ? 3 : 2);
		assert_int_equal(icmp[6] << 8 | icmp[7], 1500 - (i & 2 ? 20 : 40));
		assert_memory_equal(icmp + 8, p.byte + 18, v4 ? 548 : 1232);
		s.no_df = true;
		if (v4)
			assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_TOO_BIG);
	}
}

static void what_was_sent_to_many_is_left_to_the_host(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;

	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 4; i++) {
		struct packet_spec s = to_vip(i & 1, 1000, TCP_SYN);

		if (i & 2) {
			s.proto = i & 1 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
			s.icmp_type = i & 1 ? 8 : 128;
		}
		packet_build(&s, &p);
		memset(p.byte, 0xff, 6);
		assert_int_equal(harness_verdict(h, &p, &r), VERDICT_PASS_OTHER);
		assert_memory_equal(r.byte, p.byte, p.len);
	}
}

static void an_ipv6_packet_is_never_for_an_ipv4_vip(void **state)
{
	struct packet_spec s = to_vip(false, 1000, TCP_SYN);
	struct addr vip = packet_addr("203.0.113.10");
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;

	world_make(h, FORWARD_IPIP, true);
	packet_build(&s, &p);
	memcpy(p.byte + p.l3 + 24, vip.byte, 16);
	packet_fix_sums(&p);
	assert_int_equal(harness_verdict(h, &p, &r), VERDICT_PASS_OTHER);
	assert_memory_equal(r.byte, p.byte, p.len);
}

static void extension_headers_are_walked_up_to_a_bound(void **state)
{
	struct packet_spec s = to_vip(false, 1000, TCP_SYN);
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;

	world_make(h, FORWARD_IPIP, true);
	for (s.exts = 0; s.exts < 8; s.exts++) {
		if (s.exts)
			s.ext[s.exts - 1] = s.exts & 1 ? 60 : 51;
		assert_int_equal(verdict_of(h, &s, &p, &r),
				 s.exts > STARLING_IPV6_EXTENSIONS ? VERDICT_DROP_EXTENSIONS : VERDICT_TX);
	}
}

static void cut_packets_are_dropped_for_a_vip_and_passed_else(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	size_t whole;
	int i, v;

	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 4; i++) {
		struct packet_spec s = to_vip(i & 1, 1000, TCP_SYN);

		if (i & 2)
			s.dst = packet_addr(i & 1 ? "203.0.113.99" : "2001:db8:113::99");
		packet_build(&s, &p);
		whole = p.len;
		for (p.len = 14; p.len < whole; p.len++) {
			v = harness_verdict(h, &p, &r);
			assert_int_equal(v, i & 2 || p.len < (i & 1 ? 34 : 54) ? VERDICT_PASS_OTHER
									       : VERDICT_DROP_TRUNCATED);
			if (v == VERDICT_PASS_OTHER)
				assert_memory_equal(r.byte, p.byte, p.len);
		}
	}
}

static void counters_count_packets_bytes_and_connections(void **state)
{
	struct harness *h = *state;
	struct vip_count before = harness_vip_count(h, 1), after;
	struct packet_spec s = to_vip(true, 1000, TCP_SYN);
	struct backend_count b = {0}, sum = {0};
	struct harness_result r;
	struct packet p;
	int i, id;

	world_make(h, FORWARD_IPIP, true);
	for (id = 1; id <= BACKENDS; id++)
		b.packets += harness_backend_count(h, (__u32)id).packets;
	for (i = 0; i < 10; i++) {
		s.tcp_flags = i ? TCP_ACK : TCP_SYN;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	}
	after = harness_vip_count(h, 1);
	for (id = 1; id <= BACKENDS; id++)
		sum.packets += harness_backend_count(h, (__u32)id).packets;
	assert_int_equal(after.packets - before.packets, 10);
	assert_int_equal(after.bytes - before.bytes, 10 * (p.len - 14));
	assert_int_equal(after.connections - before.connections, 1);
	assert_int_equal(sum.packets - b.packets, 10);
}

static void what_passes_a_vip_out_of_service_is_not_counted_for_it(void **state)
{
	struct packet_spec s = to_vip(true, 1000, TCP_SYN);
	struct harness *h = *state;
	struct vip_count before, after;
	struct vip_record vip;
	struct harness_result r;
	struct packet p;

	world_make(h, FORWARD_IPIP, true);
	vip = h->vips[1].copy[VIP_WORD_SELECT(h->vips[1].word)];
	harness_vip_set(h, 1, &vip, 0);
	before = harness_vip_count(h, 1);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_PASS_VIP_OTHER);
	after = harness_vip_count(h, 1);
	assert_int_equal(after.packets, before.packets);
	assert_int_equal(after.bytes, before.bytes);
}

static __u32 program_bytes(const struct harness *h)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(h->steer_fd, &info, &size), 0);
	return info.xlated_prog_len;
}

static void the_verifier_finds_it_small(void **state)
{
	const struct harness *h = *state;

	print_message("verifier: %u instructions, program %u bytes\n", h->verifier_insns, program_bytes(h));
	assert_true(h->verifier_insns < VERIFIER_BUDGET);
}

static void features_that_are_off_are_not_in_the_program(void **state)
{
	struct steer_config off = harness_config(1, 6, 12), on = off;
	struct harness_options o = {.config = &off}, all = {.config = &on};
	struct harness *small, *large;

	off.icmp = off.fragments = 0;
	on.trace.sample = 1;
	assert_int_equal(harness_open(&o, &small), 0);
	assert_int_equal(harness_open(&all, &large), 0);
	assert_true(program_bytes(small) < program_bytes(*state));
	assert_true(program_bytes(*state) < program_bytes(large));
	harness_close(large);
	harness_close(small);
}

static int event_keep(void *ctx, void *data, size_t size)
{
	assert_int_equal(size, sizeof(struct trace_event));
	memcpy(ctx, data, size);
	return 0;
}

static int event_count(void *ctx, void *data, size_t size)
{
	(void)data;
	(void)size;
	(*(int *)ctx)++;
	return 0;
}

/* How many of four packets are traced: one of the client 198.51.100.10 and one of another, whole and cut off. */
static int traced_of_four(struct harness *h)
{
	struct packet_spec s = to_vip(true, 1234, TCP_SYN);
	struct ring_buffer *ring;
	struct harness_result r;
	struct packet p;
	int told = 0, i;

	ring = ring_buffer__new(h->events_fd, event_count, &told, NULL);
	assert_non_null(ring);
	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 4; i++) {
		s.src = packet_addr(i % 2 ? "198.51.100.77" : "198.51.100.10");
		packet_build(&s, &p);
		if (i >= 2)
			p.len = p.l4 + 4;
		assert_int_equal(harness_verdict(h, &p, &r), i < 2 ? VERDICT_TX : VERDICT_DROP_TRUNCATED);
	}
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return told;
}

static void a_trace_of_a_client_or_of_drops_tells_of_nothing_else(void **state)
{
	static const struct {
		__u8 of_client, drops;
		int told;
	} cases[] = {{1, 0, 2}, {0, 1, 2}, {1, 1, 1}, {0, 0, 4}};
	struct addr client = packet_addr("198.51.100.10");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct steer_config traced = harness_config(1, 6, 12);
		struct harness_options o = {.config = &traced, .flow_sets_log2 = 12};
		struct harness *h;

		traced.trace.sample = 1;
		traced.trace.of_client = cases[i].of_client;
		traced.trace.drops = cases[i].drops;
		memcpy(traced.trace.client, client.byte, sizeof(traced.trace.client));
		assert_int_equal(harness_open(&o, &h), 0);
		assert_int_equal(traced_of_four(h), cases[i].told);
		harness_close(h);
	}
}

static void a_trace_tells_of_its_own_packet_only(void **state)
{
	struct steer_config traced = harness_config(1, 6, 12);
	struct harness_options o = {.config = &traced, .flow_sets_log2 = 12};
	struct packet_spec s = to_vip(true, 1234, TCP_SYN);
	struct trace_event e;
	struct ring_buffer *ring;
	struct harness_result r;
	struct harness *h;
	struct packet p;
	__u32 i, way;

	(void)state;
	traced.trace.sample = 1;
	assert_int_equal(harness_open(&o, &h), 0);
	ring = ring_buffer__new(h->events_fd, event_keep, &e, NULL);
	assert_non_null(ring);
	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 101; i++)
		harness_slot_set(h, i, slot_make(SLOT_SPLIT, 1 + i % 4, ID_NONE, 1 + (i + 1) % 4));
	/* The flow takes the place of one that was closing: that is not its own state. */
	for (i = 0; i < h->sets_max; i++)
		for (way = 0; way < FLOW_WAYS; way++)
			h->flows[i].cell[way] = cell_make(0xffffff, 1, CELL_CLOSING, 0, harness_tick(h) - 200);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(ntohs(e.sport), 1234);
	assert_int_equal(e.cell_state, CELL_FREE);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(e.cell_state, CELL_HALF);
	s.tcp_flags = TCP_ACK;
	for (i = 0; i < 3; i++) {
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(ring_buffer__consume(ring), 1);
		assert_int_equal(e.cell_state, i ? CELL_OPEN : CELL_HALF);
	}
	s.proto = IPPROTO_ICMP;
	s.icmp_type = 8;
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX_ECHO);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(e.proto, IPPROTO_ICMP);
	assert_int_equal(e.sport | e.dport, 0);
	p.byte[12] = 0x08; /* ARP */
	p.byte[13] = 0x06;
	assert_int_equal(harness_verdict(h, &p, &r), VERDICT_PASS_OTHER);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(e.saddr[15] | e.daddr[15] | e.proto | e.sport, 0);
	ring_buffer__free(ring);
	harness_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outer_byte_is_written),
		cmocka_unit_test(gue_over_ipv6_has_a_right_checksum_where_wanted),
		cmocka_unit_test(a_jumbo_frame_in_gue_over_ipv6_has_a_right_checksum),
		cmocka_unit_test(direct_routing_changes_the_hop_and_nothing_else),
		cmocka_unit_test(another_device_gets_no_tags),
		cmocka_unit_test(echo_is_answered),
		cmocka_unit_test(errors_reach_the_owner_of_the_flow),
		cmocka_unit_test(what_is_too_big_is_told_so),
		cmocka_unit_test(what_was_sent_to_many_is_left_to_the_host),
		cmocka_unit_test(an_ipv6_packet_is_never_for_an_ipv4_vip),
		cmocka_unit_test(extension_headers_are_walked_up_to_a_bound),
		cmocka_unit_test(cut_packets_are_dropped_for_a_vip_and_passed_else),
		cmocka_unit_test(counters_count_packets_bytes_and_connections),
		cmocka_unit_test(what_passes_a_vip_out_of_service_is_not_counted_for_it),
		cmocka_unit_test(the_verifier_finds_it_small),
		cmocka_unit_test(a_trace_tells_of_its_own_packet_only),
		cmocka_unit_test(a_trace_of_a_client_or_of_drops_tells_of_nothing_else),
		cmocka_unit_test(features_that_are_off_are_not_in_the_program),
	};

	return cmocka_run_group_tests_name("steer", tests, world_open, world_close);
}
