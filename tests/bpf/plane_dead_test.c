// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * dead reset: the connections of a backend that goes down are reset, whoever lives is not. Not here: the reset's bytes
 * (reset_test.c), many connections and time (sim/cells_test.c).
 */
#include "plane_change.h"

#define BACKENDS 5
#define DEAD	 2

static struct world *dead_world(enum scheduler s, __u32 sets_log2)
{
	struct harness_options o = {.flow_sets_log2 = sets_log2};
	struct world *w = world_new(&o);

	world_vip(w, 1, s, BACKENDS)->dead = DEAD_RESET;
	world_apply(w);
	return w;
}

static void others_stay_and_the_dead_are_reset(struct world *w, __u32 vip, const __u32 *home, __u32 flows, __u32 dead)
{
	__u32 resets = 0;

	for (__u32 i = 0; i < flows; i++) {
		__u32 to = world_ack(w, vip, i);

		assert_int_equal(to, home[i] == dead ? RESET : home[i]);
		resets += to == RESET;
	}
	assert_true(resets > flows / BACKENDS / 2);
}

static void a_dead_backends_connections_are_reset_until_they_begin_anew(enum scheduler s)
{
	struct world *w = dead_world(s, 16);
	__u32 dead = id_of(w, 1, DEAD);
	static __u32 home[2 * FLOWS];

	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	others_stay_and_the_dead_are_reset(w, 1, home, FLOWS, dead);
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	others_stay_and_the_dead_are_reset(w, 1, home, FLOWS, dead);
	flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	for (__u32 i = 0; i < FLOWS; i++) {
		if (home[i] != dead)
			continue;
		home[i] = world_syn(w, 1, i);
		assert_int_not_equal(home[i], dead);
		assert_int_not_equal(home[i], NOBODY);
	}
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_restart(w);
	world_apply(w);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE); /* tests keep no file of them */
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_NONE);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_warmed(w);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_free(w);
}

static void with_mh_a_dead_backends_connections_are_reset(void **state)
{
	(void)state;
	a_dead_backends_connections_are_reset_until_they_begin_anew(SCHEDULER_MH);
}

static void with_wlc_a_dead_backends_connections_are_reset(void **state)
{
	(void)state;
	a_dead_backends_connections_are_reset_until_they_begin_anew(SCHEDULER_WLC);
}

/* No SYN meets the new home without a cell: slots are stored first, and a grace period passes before the word. */
static void with_mh_a_grace_period_is_between_slots_and_word(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 16);
	__u32 graces = w->dp.graces;

	(void)state;
	world_override(w, 1, DEAD, OVERRIDE_DRAIN); /* no slot names it any more */
	assert_int_equal(w->dp.graces, graces);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	assert_int_equal(w->dp.graces, graces);
	world_override(w, 1, DEAD + 1, OVERRIDE_DISABLE);
	assert_int_equal(w->dp.graces, graces + 1);
	vip_wanted(w, 1)->dead = DEAD_REHOME;
	world_apply(w);
	graces = w->dp.graces;
	world_override(w, 1, DEAD + 2, OVERRIDE_DISABLE);
	assert_int_equal(w->dp.graces, graces);
	world_free(w);
}

/* A host that is lost may serve hundreds of VIPs. */
static void one_grace_period_does_for_all_vips(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 16);
	static __u32 home[3][FLOWS];
	__u32 graces;

	(void)state;
	world_vip(w, 2, SCHEDULER_MH, BACKENDS)->dead = DEAD_RESET;
	world_apply(w);
	for (__u32 v = 1; v <= 2; v++)
		flows_open(w, v, 0, FLOWS, home[v]);
	graces = w->dp.graces;
	w->p->applying = true; /* nothing is settled yet */
	for (__u32 v = 1; v <= 2; v++)
		world_override(w, v, DEAD, OVERRIDE_DISABLE);
	assert_int_equal(world_ack(w, 1, 0), home[1][0]);
	w->p->applying = false;
	plane_settle(w->p);
	assert_int_equal(w->dp.graces, graces + 1);
	for (__u32 v = 1; v <= 2; v++)
		others_stay_and_the_dead_are_reset(w, v, home[v], FLOWS, id_of(w, v, DEAD));
	world_free(w);
}

/* Who began since the slots were stored may have no cell, and is not to be taken for one of the dead. */
static void without_a_grace_period_nobody_is_reset(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 16);
	static __u32 home[FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	w->dp.grace_fails = true;
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	w->dp.grace_fails = false;
	for (__u32 i = 0; i < FLOWS; i++) {
		__u32 to = world_ack(w, 1, i);

		assert_int_not_equal(to, RESET);
		assert_int_not_equal(to, NOBODY);
	}
	world_free(w);
}

/* Room for 1,024 flows: of 3,000 that begin most get no cell. None that lives is reset, now or later. */
static void who_found_no_room_is_not_reset(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 8);
	__u32 dead = id_of(w, 1, DEAD), resets = 0;
	static __u32 home[2 * FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	for (__u32 i = 0; i < FLOWS; i++)
		resets += home[i] == dead && world_ack(w, 1, i) == RESET;
	for (int round = 0; round < 3; round++) { /* marks age, slots forget */
		w->p->marked.ns -= (__u64)STARLING_MARK_MS * 1000000;
		plane_tick(w->p);
		flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	}
	print_message("%u were reset before it was noticed\n", resets);
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] != dead)
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

/* The daemon dies between such a SYN and its next look at the counters, which it does not know when it begins anew. */
static void who_found_no_room_before_a_restart_is_not_reset(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 8);
	static __u32 home[2 * FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	for (__u32 i = FLOWS; i < 2 * FLOWS; i++)
		home[i] = world_syn(w, 1, i);
	world_restart(w);
	for (int round = 0; round < 3; round++) { /* marks age */
		plane_tick(w->p);
		w->p->marked.ns -= (__u64)STARLING_MARK_MS * 1000000;
	}
	flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	world_free(w);
}

static void with_rehome_they_are_not_reset(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 16);
	static __u32 home[FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, DEAD, OVERRIDE_DISABLE);
	assert_true(vip_wanted(w, 1)->dead == DEAD_RESET);
	vip_wanted(w, 1)->dead = DEAD_REHOME;
	world_apply(w);
	for (__u32 i = 0; i < FLOWS; i++) {
		__u32 to = world_ack(w, 1, i);

		assert_int_not_equal(to, RESET);
		assert_int_not_equal(to, NOBODY);
	}
	world_free(w);
}

static void of_all_that_are_down_connections_are_reset(void **state)
{
	struct world *w = dead_world(SCHEDULER_MH, 16);
	static __u32 home[FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	for (__u32 i = 0; i < BACKENDS; i++)
		world_override(w, 1, i, OVERRIDE_DISABLE);
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_equal(world_ack(w, 1, i), RESET);
	assert_int_equal(world_syn(w, 1, FLOWS), NOBODY);
	world_override(w, 1, 0, OVERRIDE_NONE);
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_equal(world_ack(w, 1, i), home[i] == id_of(w, 1, 0) ? home[i] : RESET);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_mh_a_dead_backends_connections_are_reset),
		cmocka_unit_test(with_wlc_a_dead_backends_connections_are_reset),
		cmocka_unit_test(with_mh_a_grace_period_is_between_slots_and_word),
		cmocka_unit_test(one_grace_period_does_for_all_vips),
		cmocka_unit_test(without_a_grace_period_nobody_is_reset),
		cmocka_unit_test(who_found_no_room_is_not_reset),
		cmocka_unit_test(who_found_no_room_before_a_restart_is_not_reset),
		cmocka_unit_test(with_rehome_they_are_not_reset),
		cmocka_unit_test(of_all_that_are_down_connections_are_reset),
	};

	return cmocka_run_group_tests_name("plane_dead", tests, NULL, NULL);
}
