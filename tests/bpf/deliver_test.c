// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * deliver takes off exactly what steer puts on, and nothing else: packets go through both programs.
 * Not here: the outer headers as such (steer_test.c), the kernel's own tunnels (tests/vm).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "harness.h"
#include "starling/deliver.h"

struct world {
	struct harness *h;
	struct bpf_object *deliver;
	int deliver_fd;
};

/* Balancers: where harness_backend_record() has tunnels come from. */
static int source_accept(struct world *w, const char *addr, __u32 bits)
{
	struct deliver_key key = {.bits = DELIVER_ROLE_BITS + bits, .role = DELIVER_SOURCE};
	struct addr a = packet_addr(addr);
	__u8 any = 1;

	memcpy(key.addr, a.byte, sizeof(key.addr));
	return bpf_map_update_elem(bpf_object__find_map_fd_by_name(w->deliver, MAP_ACCEPT), &key, &any, BPF_ANY);
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *dir = getenv("O");
	char path[256];

	snprintf(path, sizeof(path), "%s/bpf/deliver.bpf.o", dir ? dir : "build");
	if (!w || harness_open(NULL, &w->h))
		return -1;
	w->deliver = bpf_object__open_file(path, NULL);
	if (!w->deliver || bpf_object__load(w->deliver))
		return -1;
	w->deliver_fd = bpf_program__fd(bpf_object__find_program_by_name(w->deliver, "deliver"));
	if (source_accept(w, "192.0.2.0", 96 + 28) || source_accept(w, "2001:db8:2::10", 124))
		return -1;
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	bpf_object__close(w->deliver);
	harness_close(w->h);
	free(w);
	return 0;
}

/* One VIP on both versions with one backend. */
static void world_make(struct world *w, __u32 forward, const char *backend)
{
	struct addr a = packet_addr(backend), v4 = packet_addr("203.0.113.10"), v6 = packet_addr("2001:db8:113::10");
	struct backend_record be = harness_backend_record(&a, forward, 1);

	harness_reset(w->h);
	harness_vip_make(w->h, 1, 1, 1, 0, 13, STEER_HOME, forward);
	harness_backend_set(w->h, 1, &be, BACKEND_UP, 1, 1);
	assert_int_equal(harness_key_add(w->h, &v4, 80, IPPROTO_TCP, 1), 0);
	assert_int_equal(harness_key_add(w->h, &v6, 80, IPPROTO_TCP, 1), 0);
}

static void packet_make(struct packet *p, bool v4, __u32 vlans, __u8 tos)
{
	struct packet_spec s = v4 ? packet_tcp("198.51.100.10", 4711, "203.0.113.10", 80, TCP_SYN)
				  : packet_tcp("2001:db8:100::10", 4711, "2001:db8:113::10", 80, TCP_SYN);

	s.vlans = vlans;
	s.vlan[0] = 10;
	s.vlan[1] = 20;
	s.tos = tos;
	s.payload_bytes = 100;
	packet_build(&s, p);
}

static void there_and_back(struct world *w, const struct packet *p, __u32 forward)
{
	struct harness_result out, in;

	assert_int_equal(harness_run(w->h, p, &out), 0);
	assert_int_equal(out.action, XDP_TX);
	assert_true(out.len > p->len);
	assert_true(forward == FORWARD_GUE || packet_sums_hold(out.byte, out.len));
	assert_int_equal(harness_run_fd(w->deliver_fd, w->h->poison_bytes, out.byte, out.len, &in), 0);
	assert_int_equal(in.action, XDP_PASS);
	assert_int_equal(in.len, p->len);
	assert_memory_equal(in.byte, out.byte, 12);
	assert_memory_equal(in.byte + 12, p->byte + 12, p->len - 12);
}

static void every_tunnel_comes_off_as_it_went_on(void **state)
{
	const char *backend[] = {"10.0.0.1", "2001:db8:2::101"};
	struct world *w = *state;
	struct packet p;
	__u32 i;

	for (i = 0; i < 24; i++) {
		__u32 forward = i & 1 ? FORWARD_IPIP : FORWARD_GUE;

		world_make(w, forward, backend[i >> 1 & 1]);
		packet_make(&p, i >> 2 & 1, i / 8, 0xb9);
		there_and_back(w, &p, forward);
	}
}

static void congestion_met_in_the_tunnel_is_handed_on(void **state)
{
	struct world *w = *state;
	struct harness_result out, in;
	struct packet p;
	int v4, ecn;

	for (v4 = 0; v4 < 2; v4++)
		for (ecn = 0; ecn < 4; ecn++) {
			size_t at;

			world_make(w, FORWARD_IPIP, "2001:db8:2::101");
			packet_make(&p, v4, 0, 0xb8 | ecn);
			assert_int_equal(harness_run(w->h, &p, &out), 0);
			out.byte[15] |= 0x30; /* the outer header's ECN: CE */
			assert_int_equal(harness_run_fd(w->deliver_fd, 0, out.byte, out.len, &in), 0);
			assert_int_equal(in.action, ecn ? XDP_PASS : XDP_DROP);
			if (!ecn)
				continue;
			at = v4 ? 15 : 14;
			assert_int_equal(v4 ? in.byte[15] : (in.byte[at] << 4 | in.byte[at + 1] >> 4) & 0xff, 0xbb);
			assert_true(packet_sums_hold(in.byte, in.len));
		}
}

static void tunnels_of_strangers_pass_untouched(void **state)
{
	const char *backend[] = {"10.0.0.1", "2001:db8:2::101"}, *strangers[] = {"192.0.2.16", "2001:db8:2::20"};
	struct world *w = *state;
	struct harness_result out, in;
	struct packet p;
	__u32 i;

	for (i = 0; i < 4; i++) {
		struct addr to = packet_addr(backend[i & 1]), from = packet_addr(strangers[i & 1]);
		__u32 forward = i & 2 ? FORWARD_IPIP : FORWARD_GUE;
		struct backend_record be = harness_backend_record(&to, forward, 1);

		world_make(w, forward, backend[i & 1]);
		packet_make(&p, true, 0, 0);
		there_and_back(w, &p, forward);
		memcpy(be.src, from.byte, sizeof(be.src));
		harness_backend_set(w->h, 1, &be, BACKEND_UP, 1, 1);
		assert_int_equal(harness_run(w->h, &p, &out), 0);
		assert_int_equal(harness_run_fd(w->deliver_fd, w->h->poison_bytes, out.byte, out.len, &in), 0);
		assert_int_equal(in.action, XDP_PASS);
		assert_int_equal(in.len, out.len);
		assert_memory_equal(in.byte, out.byte, out.len);
	}
}

static void what_is_no_tunnel_passes_untouched(void **state)
{
	struct world *w = *state;
	struct harness_result in;
	struct packet p;

	packet_make(&p, true, 1, 0);
	assert_int_equal(harness_run_fd(w->deliver_fd, w->h->poison_bytes, p.byte, p.len, &in), 0);
	assert_int_equal(in.action, XDP_PASS);
	assert_int_equal(in.len, p.len);
	assert_memory_equal(in.byte, p.byte, p.len);
}

static void cut_or_lying_tunnels_pass_untouched(void **state)
{
	struct world *w = *state;
	struct harness_result out, in;
	struct packet p;
	size_t len;
	__u32 i;

	for (i = 0; i < 8; i++) {
		world_make(w, i & 1 ? FORWARD_IPIP : FORWARD_GUE, i & 2 ? "10.0.0.1" : "2001:db8:2::101");
		packet_make(&p, i >> 2, 0, 0);
		assert_int_equal(harness_run(w->h, &p, &out), 0);
		for (len = 14; len < out.len; len++) {
			assert_int_equal(harness_run_fd(w->deliver_fd, 0, out.byte, len, &in), 0);
			assert_int_equal(in.action, XDP_PASS);
			assert_int_equal(in.len, len);
			assert_memory_equal(in.byte, out.byte, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel_comes_off_as_it_went_on),
		cmocka_unit_test(congestion_met_in_the_tunnel_is_handed_on),
		cmocka_unit_test(tunnels_of_strangers_pass_untouched),
		cmocka_unit_test(what_is_no_tunnel_passes_untouched),
		cmocka_unit_test(cut_or_lying_tunnels_pass_untouched),
	};

	return cmocka_run_group_tests_name("deliver", tests, world_open, world_close);
}
