// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Single rules of the cells, each by a few packets through the balancer of the model.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cells.h"

#define LOG2 8

static const struct cells_scenario wlc = {
	.name = "wlc",
	.by = STEER_OPEN,
	.backends = 10,
	.sets_log2 = LOG2,
	.idle_ms = 60000,
};
static const struct cells_scenario mh = {
	.name = "mh",
	.by = STEER_HOME,
	.backends = 10,
	.sets_log2 = LOG2,
	.idle_ms = 10000,
};

static __u32 open_all(const struct world *w)
{
	__u32 id, open = 0;

	for (id = 0; id < CELLS_BACKENDS; id++)
		open += world_open(w, id);
	return open;
}

/* A hash of this set and tag; n makes no difference to either. */
static __u64 hash_at(__u32 set, __u32 tag)
{
	return hash_of_cell(set, tag, LOG2);
}

static void a_flow_whose_tag_would_be_zero_is_not_lost_among_free_cells(void **state)
{
	struct world *w = world_new(&wlc);

	(void)state;
	world_packet(w, hash_at(8, 77), PACKET_SYN, 1000);
	world_packet(w, hash_at(8, 0), PACKET_SYN, 1000);
	world_packet(w, hash_at(8, 0), PACKET_OTHER, 1100);
	assert_int_equal(open_all(w), 1);
	world_second(w, 8000); /* the first one, in the cell before, has expired */
	world_packet(w, hash_at(8, 0), PACKET_FIN, 8100);
	assert_int_equal(open_all(w), 0);
	world_free(w);
}

static void eight_flows_of_one_set_have_a_cell_and_the_ninth_has_none(void **state)
{
	struct world *w = world_new(&wlc);
	struct cells_outcome o = {0};

	(void)state;
	for (__u32 i = 1; i <= 9; i++) {
		world_packet(w, hash_at(8, i * 99), PACKET_SYN, 1000);
		world_packet(w, hash_at(8, i * 99), PACKET_OTHER, 1010);
	}
	assert_int_equal(open_all(w), 8);
	world_report(w, &o);
	assert_int_equal(o.overflows, 2);
	for (__u32 i = 1; i <= 8; i++)
		world_packet(w, hash_at(8, i * 99), PACKET_FIN, 1020);
	assert_int_equal(open_all(w), 0);
	world_free(w);
}

static void a_syn_repeated_after_an_overflow_stays_where_it_went(void **state)
{
	(void)state;
	for (__u32 trial = 0; trial < 200; trial++) {
		struct world *w = world_new(&wlc);
		__u32 first;

		/* Load that would send the next flow elsewhere. */
		for (__u32 i = 1; i <= 8; i++) {
			world_packet(w, hash_at(8, trial * 1000 + i * 99), PACKET_SYN, 1000);
			world_packet(w, hash_at(8, trial * 1000 + i * 99), PACKET_OTHER, 1010);
		}
		for (__u32 i = 0; i < 100; i++)
			world_packet(w, hash_at(20 + 2 * i, trial), PACKET_SYN, 1000);
		first = world_packet(w, hash_at(8, trial * 77777 + 5), PACKET_SYN, 1100);
		world_packet(w, hash_at(8, trial * 1000 + 99), PACKET_RST, 1200);
		world_second(w, 4000);
		assert_int_equal(world_packet(w, hash_at(8, trial * 77777 + 5), PACKET_SYN, 4100), first);
		world_free(w);
	}
}

static void forged_packets_evict_no_handshake(void **state)
{
	struct world *w = world_new(&wlc);

	(void)state;
	for (__u32 i = 1; i <= 8; i++)
		world_packet(w, hash_at(8, i), PACKET_SYN, 1000);
	for (__u32 i = 100; i < 200; i++) {
		world_packet(w, hash_at(8, i), PACKET_OTHER, 5500);
		world_packet(w, hash_at(8, i), PACKET_UDP, 5500);
		world_packet(w, hash_at(8, i), PACKET_RST, 5500);
	}
	for (__u32 i = 1; i <= 8; i++)
		world_packet(w, hash_at(8, i), PACKET_OTHER, 5600);
	assert_int_equal(open_all(w), 8);
	world_free(w);
}

static void mh_has_cells_only_while_a_slot_changes(void **state)
{
	struct world *w = world_new(&mh);
	__u64 old[200];
	__u32 first[200], moved = 0, now;

	(void)state;
	for (__u32 i = 0; i < 200; i++) {
		old[i] = hash_at(i, i * 313 + 1);
		first[i] = world_packet(w, old[i], PACKET_SYN, 1000);
		world_packet(w, old[i], PACKET_OTHER, 1100);
	}
	assert_int_equal(open_all(w), 0);
	world_state(w, first[0], BACKEND_DRAINING);
	for (now = 2000; now < 60000; now += 1000) {
		for (__u32 i = 0; i < 200; i++)
			assert_int_equal(world_packet(w, old[i], PACKET_OTHER, now), first[i]);
		assert_true(world_packet(w, hash_at(now / 1000, 5), PACKET_SYN, now) != first[0]);
		world_second(w, now);
	}
	for (__u32 i = 0; i < 200; i++)
		moved += first[i] == first[0];
	assert_int_equal(open_all(w), moved);
	assert_int_not_equal(world_unsettled(w), 0);
	for (__u32 i = 0; i < 200; i++)
		world_packet(w, old[i], PACKET_FIN, now);
	for (; now < 130000; now += 1000)
		world_second(w, now);
	assert_int_equal(world_unsettled(w), 0);
	assert_int_equal(open_all(w), 0);
	world_free(w);
}

static void a_split_does_not_end_while_its_flows_find_no_room(void **state)
{
	struct world *w = world_new(&mh);
	__u32 before = 0, now, home;
	__u64 one;

	(void)state;
	/* Ten flows of one slot in one set of places for eight. */
	one = hash_at(8, 1);
	home = world_packet(w, one, PACKET_SYN, 1000);
	world_state(w, home, BACKEND_DRAINING);
	for (now = 2000; now < 60000; now += 1000) {
		for (__u32 i = 1; i <= 10; i++)
			assert_int_equal(world_packet(w, hash_at(8, i), PACKET_OTHER, now), home);
		world_second(w, now);
	}
	before = world_unsettled(w);
	/* Three of them end; the rest have cells, and the clocks can run. */
	for (; now < 120000; now += 1000) {
		for (__u32 i = 4; i <= 10; i++)
			assert_int_equal(world_packet(w, hash_at(8, i), PACKET_OTHER, now), home);
		world_second(w, now);
	}
	assert_true(before > 90);
	assert_true(world_unsettled(w) <= 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_whose_tag_would_be_zero_is_not_lost_among_free_cells),
		cmocka_unit_test(eight_flows_of_one_set_have_a_cell_and_the_ninth_has_none),
		cmocka_unit_test(a_syn_repeated_after_an_overflow_stays_where_it_went),
		cmocka_unit_test(forged_packets_evict_no_handshake),
		cmocka_unit_test(mh_has_cells_only_while_a_slot_changes),
		cmocka_unit_test(a_split_does_not_end_while_its_flows_find_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
