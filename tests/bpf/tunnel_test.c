// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What becomes of a probe's packet is what steer makes of a client's: the same packet goes through both programs. Not
 * here: the outer headers as such (steer_test.c), probes that are answered (tests/net/tunnel.sh).
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "harness.h"
#include "starling/tunnel.h"

/* bpftool writes it; its own warnings are not ours. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "tunnel.skel.h"
#pragma GCC diagnostic pop

#define ID 1 /* of the backend */

struct world {
	struct harness *h;
	struct tunnel_bpf *tunnel;
};

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w || harness_open(NULL, &w->h))
		return -1;
	w->tunnel = tunnel_bpf__open();
	if (!w->tunnel)
		return -1;
	w->tunnel->rodata->backends_mask = w->h->backends_max - 1;
	if (bpf_map__reuse_fd(w->tunnel->maps.backends, bpf_object__find_map_fd_by_name(w->h->object, "backends")) ||
	    tunnel_bpf__load(w->tunnel))
		return -1;
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	tunnel_bpf__destroy(w->tunnel);
	harness_close(w->h);
	free(w);
	return 0;
}

static void world_make(struct world *w, __u32 forward, const char *backend, __u8 flags)
{
	struct addr a = packet_addr(backend), v4 = packet_addr("203.0.113.10"), v6 = packet_addr("2001:db8:113::10");
	struct backend_record be = harness_backend_record(&a, forward, 1);

	be.flags |= flags;
	harness_reset(w->h);
	harness_vip_make(w->h, 1, ID, 1, 0, 13, STEER_HOME, forward);
	harness_backend_set(w->h, ID, &be, BACKEND_UP, 1, 1);
	for (__u8 i = 0; i < 2; i++) {
		assert_int_equal(harness_key_add(w->h, &v4, 80, i ? IPPROTO_TCP : IPPROTO_UDP, 1), 0);
		assert_int_equal(harness_key_add(w->h, &v6, 80, i ? IPPROTO_TCP : IPPROTO_UDP, 1), 0);
	}
}

static void packet_make(struct packet *p, bool v4, bool tcp, __u8 ttl)
{
	const char *src = v4 ? "198.51.100.10" : "2001:db8:100::10", *dst = v4 ? "203.0.113.10" : "2001:db8:113::10";
	struct packet_spec s = tcp ? packet_tcp(src, 4711, dst, 80, TCP_SYN) : packet_udp(src, 4711, dst, 80);

	s.ttl = ttl;
	s.tos = 0xb8;
	s.payload_bytes = 101;
	packet_build(&s, p);
}

/* As if it left a device with a mark. Return: what the program returned. */
static __u32 leave(struct world *w, const struct packet *p, __u32 mark, struct harness_result *ret)
{
	struct __sk_buff ctx = {.mark = mark}, ctx_out;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p->byte, .data_size_in = (__u32)p->len,
		    .data_size_out = sizeof(ret->byte), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &ctx_out,
		    .ctx_size_out = sizeof(ctx_out), .repeat = 1);

	*ret = (struct harness_result){0};
	o.data_out = ret->byte;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(w->tunnel->progs.tunnel), &o), 0);
	ret->len = o.data_size_out;
	return o.retval;
}

/* The flow's bits of the outer header, which each program takes from a hash of its own, and the sum over them. */
static void entropy_clear(struct harness_result *r, __u32 forward, bool outer_v4)
{
	size_t udp = 14 + (outer_v4 ? 20 : 40);

	if (!outer_v4) {
		r->byte[15] &= 0xf0; /* its upper half is of the traffic class */
		memset(r->byte + 16, 0, 2);
	}
	if (forward != FORWARD_GUE)
		return;
	assert_true(r->byte[udp] >= 0xc0);
	memset(r->byte + udp, 0, 2);
	memset(r->byte + udp + 6, 0, 2);
}

/* @i: six bits: versions outside and inside, transport, checksum. */
static void probe_and_client(struct world *w, __u32 forward, __u32 i)
{
	bool outer_v4 = i & 1, v4 = i & 2, tcp = i & 4;
	struct harness_result probe, client;
	struct packet p;

	world_make(w, forward, outer_v4 ? "10.0.0.1" : "2001:db8:2::101", i & 8 ? BACKEND_GUE_CSUM : 0);
	packet_make(&p, v4, tcp, TUNNEL_HOPS_FIRST);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | ID, &probe), TC_ACT_OK);
	assert_true(packet_sums_hold(probe.byte, probe.len));
	packet_make(&p, v4, tcp, forward == FORWARD_DR ? TUNNEL_HOPS + 1 : TUNNEL_HOPS);
	assert_int_equal(harness_run(w->h, &p, &client), 0);
	assert_int_equal(client.action, XDP_TX);
	if (forward != FORWARD_DR) {
		entropy_clear(&probe, forward, outer_v4);
		entropy_clear(&client, forward, outer_v4);
	}
	assert_int_equal(probe.len, client.len);
	assert_memory_equal(probe.byte, client.byte, client.len);
}

static void a_probe_leaves_as_a_clients_packet_does(void **state)
{
	for (__u32 i = 0; i < 16; i++) {
		probe_and_client(*state, FORWARD_DR, i);
		probe_and_client(*state, FORWARD_IPIP, i);
		probe_and_client(*state, FORWARD_GUE, i);
	}
}

static void what_bears_no_mark_of_ours_is_not_touched(void **state)
{
	static const __u32 mark[] = {0, ID, TUNNEL_MARK - 1, TUNNEL_MARK + 0x10000 + ID, 1u << 31 | ID};
	struct harness_result out;
	struct packet p;

	world_make(*state, FORWARD_IPIP, "10.0.0.1", 0);
	packet_make(&p, true, true, 64);
	for (size_t i = 0; i < sizeof(mark) / sizeof(mark[0]); i++) {
		assert_int_equal((int)leave(*state, &p, mark[i], &out), TC_ACT_UNSPEC);
		assert_int_equal(out.len, p.len);
		assert_memory_equal(out.byte, p.byte, p.len);
	}
}

/* Elsewhere some balancer would have it answered by some backend. */
static void what_cannot_be_carried_does_not_leave(void **state)
{
	struct addr a = packet_addr("10.0.0.1");
	struct backend_record be = harness_backend_record(&a, FORWARD_IPIP, 1);
	struct world *w = *state;
	struct harness_result out;
	struct packet p;

	world_make(w, FORWARD_IPIP, "10.0.0.1", 0);
	packet_make(&p, true, true, TUNNEL_HOPS_FIRST);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | (ID + 1), &out), TC_ACT_SHOT); /* nobody's id */
	be.mtu = (__u16)(p.len - 14 + 19);
	harness_backend_set(w->h, ID, &be, BACKEND_UP, 1, 1);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | ID, &out), TC_ACT_SHOT);
	be.mtu++;
	harness_backend_set(w->h, ID, &be, BACKEND_UP, 1, 1);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | ID, &out), TC_ACT_OK);
	be.flags &= (__u8)~BACKEND_RESOLVED;
	harness_backend_set(w->h, ID, &be, BACKEND_UP, 1, 1);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | ID, &out), TC_ACT_SHOT);
}

static void one_that_is_down_is_probed_all_the_same(void **state)
{
	struct world *w = *state;
	struct harness_result out;
	struct packet p;

	world_make(w, FORWARD_DR, "10.0.0.1", 0);
	packet_make(&p, true, true, TUNNEL_HOPS_FIRST);
	harness_backend_state(w->h, ID, BACKEND_DOWN);
	assert_int_equal((int)leave(w, &p, TUNNEL_MARK | ID, &out), TC_ACT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_leaves_as_a_clients_packet_does),
		cmocka_unit_test(what_bears_no_mark_of_ours_is_not_touched),
		cmocka_unit_test(what_cannot_be_carried_does_not_leave),
		cmocka_unit_test(one_that_is_down_is_probed_all_the_same),
	};

	return cmocka_run_group_tests_name("tunnel", tests, world_open, world_close);
}
