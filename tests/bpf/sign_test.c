// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signs that a backend fails its clients, as the XDP program counts them: SYNs that come again and resets, by cells and
 * by notes. Not here: what is made of them (tests/unit/outlier_test.c), all packets there are (fuzz_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "steer_world.h"
#include "starling/cell.h"

/* VIP 1 chooses so, and has these flags. */
static void world_signs(struct harness *h, __u32 steer_by, __u8 flags)
{
	world_make(h, FORWARD_IPIP, true);
	for (int i = 0; i < 2; i++) {
		h->vips[1].copy[i].steer_by = (__u8)steer_by;
		h->vips[1].copy[i].flags = flags;
	}
}

/* Return: the backend that it went to. @number: of the SYN. */
static int tell_from(struct harness *h, const struct packet_spec *s, __u8 number)
{
	struct harness_result r;
	struct packet p;

	packet_build(s, &p);
	p.byte[p.l4 + 7] = number;
	packet_fix_sums(&p);
	assert_int_equal(harness_verdict(h, &p, &r), VERDICT_TX);
	return backend_of(&r);
}

static int tell(struct harness *h, bool v4, __u16 sport, __u8 flags)
{
	struct packet_spec s = to_vip(v4, sport, flags);

	return tell_from(h, &s, 1);
}

static struct backend_signs all_signs(const struct harness *h)
{
	struct backend_signs sum = {0};

	for (int i = 1; i <= BACKENDS; i++) {
		sum.repeats += h->signs[i].repeats;
		sum.resets += h->signs[i].resets;
		sum.sources |= h->signs[i].sources;
	}
	return sum;
}

/* The notes are those of a time that long ago. */
static void notes_age(struct harness *h, __u32 ticks)
{
	int fd = bpf_object__find_map_fd_by_name(h->object, MAP_NOTES);
	__u64 *note = calloc(NOTES, sizeof(*note));
	__u32 zero = 0;

	assert_non_null(note);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, note), 0);
	for (__u32 i = 0; i < NOTES; i++)
		note[i] = (note[i] & ~0xffffull) | ((note[i] - ticks) & 0xffff);
	assert_int_equal(bpf_map_update_elem(fd, &zero, note, BPF_ANY), 0);
	free(note);
}

static void cells_tell_of_a_syn_that_comes_again(void **state)
{
	static const __u32 by[] = {STEER_GIVEN, STEER_OPEN};
	struct harness *h = *state;

	for (__u32 i = 0; i < 4; i++) {
		int to;

		world_signs(h, by[i / 2], 0);
		to = tell(h, i & 1, 1000, TCP_SYN);
		assert_int_equal(all_signs(h).repeats, 0);
		assert_int_equal(tell(h, i & 1, 1000, TCP_SYN), to);
		assert_int_equal(tell(h, i & 1, 1000, TCP_SYN), to);
		assert_int_equal(h->signs[to].repeats, 2);
		assert_int_equal(all_signs(h).repeats, 2);
		assert_int_equal(__builtin_popcountll(h->signs[to].sources), 1);
		tell(h, i & 1, 1001, TCP_SYN); /* another connection */
		tell(h, i & 1, 1000, TCP_ACK); /* and this one is open */
		tell(h, i & 1, 1000, TCP_SYN);
		assert_int_equal(all_signs(h).repeats, 2);
		assert_int_equal(all_signs(h).resets, 0);
	}
}

static void a_later_life_of_a_cell_is_no_repetition(void **state)
{
	struct harness *h = *state;

	world_signs(h, STEER_OPEN, 0);
	tell(h, true, 1000, TCP_SYN);
	harness_age(h, h->config.half_ticks + 1u);
	tell(h, true, 1000, TCP_SYN);
	assert_int_equal(all_signs(h).repeats, 0);
	tell(h, true, 1000, TCP_ACK);
	tell(h, true, 1000, TCP_FIN | TCP_ACK);
	tell(h, true, 1000, TCP_SYN);
	assert_int_equal(all_signs(h).repeats, 0);
}

static void cells_tell_of_resets_once_a_connection(void **state)
{
	struct harness *h = *state;

	for (int v4 = 0; v4 < 2; v4++) {
		int to;

		world_signs(h, STEER_OPEN, 0);
		tell(h, v4, 1000, TCP_RST); /* of nothing */
		assert_int_equal(all_signs(h).resets, 0);
		to = tell(h, v4, 1000, TCP_SYN);
		tell(h, v4, 1000, TCP_ACK);
		tell(h, v4, 1000, TCP_RST);
		tell(h, v4, 1000, TCP_RST | TCP_ACK);
		assert_int_equal(h->signs[to].resets, 1);
		tell(h, v4, 1001, TCP_SYN);
		tell(h, v4, 1001, TCP_RST); /* given up before it was open */
		tell(h, v4, 1002, TCP_SYN);
		tell(h, v4, 1002, TCP_ACK);
		tell(h, v4, 1002, TCP_FIN | TCP_ACK);
		tell(h, v4, 1002, TCP_RST); /* what comes after the end */
		assert_int_equal(all_signs(h).resets, 2);
		assert_int_equal(all_signs(h).repeats, 0);
	}
}

/* mh has no cells, and of a source there is one cell for all its connections. */
static void notes_tell_where_cells_do_not(void **state)
{
	static const struct {
		__u32 by;
		__u8 flags;
	} vip[] = {{STEER_HOME, 0}, {STEER_HOME, VIP_HASH_SOURCE}, {STEER_OPEN, VIP_HASH_SOURCE}};
	struct harness *h = *state;

	for (__u32 i = 0; i < 6; i++) {
		__u16 sport = (__u16)(2000 + 10 * i); /* whose notes are not there yet */
		struct packet_spec s = to_vip(i & 1, sport, TCP_SYN);
		int to;

		world_signs(h, vip[i / 2].by, vip[i / 2].flags | VIP_NOTES);
		to = tell_from(h, &s, 1);
		tell(h, i & 1, (__u16)(sport + 1), TCP_SYN); /* another connection */
		tell_from(h, &s, 2);			     /* and another one of the same port */
		assert_int_equal(all_signs(h).repeats, 0);
		assert_int_equal(tell_from(h, &s, 2), to);
		assert_int_equal(h->signs[to].repeats, 1);
		notes_age(h, h->config.half_ticks + 1u);
		tell_from(h, &s, 2);
		assert_int_equal(all_signs(h).repeats, 1);
		assert_int_equal(all_signs(h).resets, 0);
		tell(h, i & 1, sport, TCP_RST);
		tell(h, i & 1, sport, TCP_RST | TCP_ACK);
		assert_int_equal(h->signs[to].resets, 1);
		assert_int_equal(all_signs(h).repeats, 1);
	}
}

static void without_notes_nothing_is_told_where_cells_do_not(void **state)
{
	struct harness *h = *state;

	for (int i = 0; i < 2; i++) {
		world_signs(h, i ? STEER_OPEN : STEER_HOME, i ? VIP_HASH_SOURCE : 0);
		for (int k = 0; k < 2; k++) {
			tell(h, true, 3000, TCP_SYN);
			tell(h, true, 3000, TCP_RST);
		}
		assert_int_equal(all_signs(h).repeats + all_signs(h).resets, 0);
	}
}

/* IPv6: all that is in one /64 is one client. */
static void each_client_has_a_bit(void **state)
{
	struct harness *h = *state;

	for (int v4 = 0; v4 < 2; v4++) {
		struct packet_spec s = to_vip(v4, 1000, TCP_SYN);

		world_signs(h, STEER_OPEN, 0);
		for (int i = 0; i < 40; i++) {
			s.src.byte[v4 ? 15 : 7] = (__u8)i;
			tell_from(h, &s, 1);
			tell_from(h, &s, 1);
		}
		assert_int_equal(all_signs(h).repeats, 40);
		assert_in_range(__builtin_popcountll(all_signs(h).sources), 20, 40);
		if (v4)
			continue;
		world_signs(h, STEER_OPEN, 0);
		for (int i = 0; i < 40; i++) {
			s.src.byte[15] = (__u8)i;
			tell_from(h, &s, 1);
			tell_from(h, &s, 1);
		}
		assert_int_equal(__builtin_popcountll(all_signs(h).sources), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_tell_of_a_syn_that_comes_again),
		cmocka_unit_test(a_later_life_of_a_cell_is_no_repetition),
		cmocka_unit_test(cells_tell_of_resets_once_a_connection),
		cmocka_unit_test(notes_tell_where_cells_do_not),
		cmocka_unit_test(without_notes_nothing_is_told_where_cells_do_not),
		cmocka_unit_test(each_client_has_a_bit),
	};

	return cmocka_run_group_tests_name("sign", tests, world_open, world_close);
}
