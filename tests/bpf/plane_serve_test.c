// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is found of backends, and what a VIP makes of it, as packets meet it. Not here: the rule itself
 * (unit/verdict_serve_test.c), how it is found (net/health.sh).
 */
#include "plane_checked.h"

static void half_that_fail_leave_the_other_half(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	static __u32 home[FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	find(w, "lululu");
	words_are(w, "-U-U-U");
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_not_equal(world_ack(w, 1, i), NOBODY);
	assert_string_equal(shown(w, 0), "down");
	find(w, "??????");
	words_are(w, "-U-U-U"); /* what was known stays */
	for (__u32 i = 0; i < BACKENDS; i++)
		found[i] = (struct plane_verdict){.state = VERDICT_UP, .since.ns = 1};
	plane_checks(w->p);
	plane_settle(w->p);
	world_warmed(w); /* whoever took over is not left at once */
	words_are(w, "UUUUUU");
	assert_null(strstr(told, "panic"));
	world_free(w);
}

static void when_none_is_left_all_serve_that_are_not_disabled(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);

	(void)state;
	world_override(w, 1, 0, OVERRIDE_DISABLE);
	world_override(w, 1, 1, OVERRIDE_DRAIN);
	find(w, "uuclcl");
	words_are(w, "-UUUUU");
	assert_string_equal(shown(w, 1), "draining");
	assert_string_equal(shown(w, 2), "down");
	assert_non_null(strstr(told, "v1: in service -> panic: has no backend that is up by its checks"));
	find(w, "uuclcu");
	words_are(w, "-d---U");
	assert_non_null(strstr(told, "v1: panic -> in service: \n"));
	world_free(w);
}

static void what_is_drained_by_hand_is_not_undone(void **state)
{
	struct world *w = checked_world(SCHEDULER_WRR, 0, 100);

	(void)state;
	for (__u32 i = 0; i < BACKENDS; i++)
		world_override(w, 1, i, OVERRIDE_DRAIN);
	words_are(w, "dddddd");
	find(w, "lcluuu");
	words_are(w, "dddddd");
	world_free(w);
}

static void panic_50_keeps_all_where_more_than_half_fail(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 50, 100);
	char words[PLANE_BOUND_BYTES];

	(void)state;
	find(w, "luuuuu");
	words_are(w, "-UUUUU");
	find(w, "llluuu"); /* half are left */
	words_are(w, "---UUU");
	find(w, "lllluu");
	words_are(w, "UUUUUU");
	assert_string_equal(shown(w, 0), "down");
	assert_non_null(plane_backend_kept(vip(w)->backend[0]));
	assert_null(plane_backend_kept(vip(w)->backend[4]));
	assert_true(plane_vip_panics(vip(w), words));
	assert_string_equal(words, "keeps 4 of 6 backends in service that fail by checks of this balancer alone: "
				   "else less than 50 % would be left (panic)");
	assert_non_null(strstr(told, "v1: in service -> panic: keeps 4 of 6"));
	find(w, "llllll");
	words_are(w, "UUUUUU");
	find(w, "lluuuu"); /* others may follow those that are up again */
	words_are(w, "UUUUUU");
	assert_true(plane_vip_panics(vip(w), words));
	find(w, "uuuuuu");
	words_are(w, "UUUUUU");
	assert_false(plane_vip_panics(vip(w), words));
	find(w, "lluuuu");
	words_are(w, "--UUUU");
	world_free(w);
}

/* As if the time were over in which it goes on although it need not. */
static void panic_ends(struct world *w)
{
	vip(w)->panicked.ns -= vip(w)->hold_ms * 1000000;
	plane_tick(w->p);
}

static void a_panic_ends_for_those_that_do_not_come_back(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 50, 100);

	(void)state;
	find(w, "llllll");
	words_are(w, "UUUUUU");
	panic_ends(w);
	words_are(w, "UUUUUU");
	find(w, "uuuull");
	words_are(w, "UUUUUU");
	plane_tick(w->p);
	words_are(w, "UUUUUU");
	panic_ends(w);
	words_are(w, "UUUU--");
	assert_non_null(strstr(told, "v1: panic -> in service: \n"));
	world_free(w);
}

static void certified_ones_go_out_whatever_is_left(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 50, 10);

	(void)state;
	find(w, "cccccu");
	words_are(w, "-----U");
	find(w, "cccclu");
	words_are(w, "----UU"); /* one of two would be left, and it is one of six */
	find(w, "ccccua");
	words_are(w, "----Ud");
	world_free(w);
}

static void no_more_than_eject_are_out_by_own_checks(void **state)
{
	struct world *w = checked_world(SCHEDULER_WRR, 0, 34);
	char words[PLANE_BOUND_BYTES];

	(void)state;
	find(w, "uuullu");
	words_are(w, "UUU--U");
	find(w, "lluuuu");
	words_are(w, "--UUUU");
	find(w, "llcllu");
	words_are(w, "---UUU");
	assert_string_equal(shown(w, 3), "down");
	assert_true(plane_vip_limits(vip(w), words));
	assert_string_equal(words, "keeps 2 of 6 backends in service that fail by checks of this balancer alone: no "
				   "more than 34 % may be out (eject)");
	world_free(w);
}

/* Slots whose home 0 is another's than before. */
static __u32 moved(const struct world *w, const struct plane_vip *v, const __u64 *before, __u32 but)
{
	__u32 count = 0;

	for (__u32 s = 0; s < v->region.count; s++)
		if (slot_home0(before[s]) != but)
			count += slot_home0(w->dp.h->slots[v->region.base + s]) != slot_home0(before[s]);
	return count;
}

static void avoids_one_and_takes_it_back(enum scheduler s)
{
	struct world *w = checked_world(s, 0, 100);
	static __u32 home[2 * FLOWS];
	struct plane_vip *v = vip(w);
	__u64 *before = malloc(v->region.count * sizeof(*before));
	__u32 avoided = id_of(w, 1, 2);

	assert_non_null(before);
	flows_open(w, 1, 0, FLOWS, home);
	memcpy(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	find(w, "uuauuu");
	words_are(w, "UUdUUU"); /* at once: who waits sends it what it loses */
	assert_string_equal(shown(w, 2), "avoided");
	assert_non_null(strstr(told, "v1 10.1.0.3:80: up -> avoided: tcp timeout\n"));
	assert_int_equal(moved(w, v, before, avoided), 0);
	flows_stay(w, 1, 0, FLOWS, home);
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	for (__u32 i = FLOWS; i < 2 * FLOWS; i++)
		assert_int_not_equal(home[i], avoided);
	find(w, "uuuuuu");
	words_are(w, "UUUUUU");
	assert_string_equal(shown(w, 2), "up");
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	for (__u32 s0 = 0; s0 < v->region.count; s0++)
		assert_int_equal(slot_home0(w->dp.h->slots[v->region.base + s0]), slot_home0(before[s0]));
	free(before);
	world_free(w);
}

static void mh_drains_what_is_avoided_at_once_and_gives_it_its_slots_back(void **state)
{
	(void)state;
	avoids_one_and_takes_it_back(SCHEDULER_MH);
}

static void wlc_drains_what_is_avoided_at_once_and_gives_it_its_slots_back(void **state)
{
	(void)state;
	avoids_one_and_takes_it_back(SCHEDULER_WLC);
}

static void what_observers_have_not_judged_yet_is_avoided_too(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);

	(void)state;
	find(w, "nuuuuu");
	words_are(w, "dUUUUU");
	find(w, "?uuuuu");
	words_are(w, "dUUUUU");
	find(w, "yuuuuu");
	words_are(w, "UUUUUU");
	find(w, "cuuuuu");
	words_are(w, "-UUUUU");
	find(w, "?uuuuu");
	words_are(w, "-UUUUU");
	world_free(w);
}

static void over_a_third_none_is_avoided(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	char words[PLANE_BOUND_BYTES];

	(void)state;
	find(w, "aauuuu");
	words_are(w, "ddUUUU");
	find(w, "aaauuu");
	words_are(w, "UUUUUU");
	assert_string_equal(shown(w, 0), "up");
	assert_non_null(plane_backend_kept(vip(w)->backend[0]));
	assert_true(plane_vip_suspects(vip(w), words));
	assert_non_null(strstr(told, "v1: in service -> suspects itself: avoids none of 3 backends of 6"));
	find(w, "ccccca"); /* the last one that is left */
	words_are(w, "-----U");
	world_free(w);
}

/* As of the operator: it is not put aside any more, members and weights change, the bounds do. */
static void whatever_a_bound_counts_is_counted_anew(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 50, 100);

	(void)state;
	find(w, "lluuuu");
	words_are(w, "--UUUU");
	world_override(w, 1, 5, OVERRIDE_DRAIN);
	words_are(w, "--UUUd"); /* 3 of 5 */
	world_override(w, 1, 4, OVERRIDE_DISABLE);
	words_are(w, "--UU-d"); /* 2 of 4 */
	weight_set(w, 1, 3, 0);
	world_apply(w);
	words_are(w, "UUUd-d"); /* 1 of 3 would be left */
	world_override(w, 1, 5, OVERRIDE_NONE);
	panic_ends(w);
	words_are(w, "--Ud-U");
	weight_set(w, 1, 2, 0);
	world_apply(w);
	words_are(w, "UUdd-U");
	vip_wanted(w, 1)->panic_percent = 30;
	assert_int_equal(world_apply(w).vips_unchanged, 1);
	panic_ends(w);
	words_are(w, "--dd-U");
	vip_wanted(w, 1)->eject_percent = 1;
	world_apply(w);
	words_are(w, "-Udd-U");
	world_free(w);
}

static void a_restart_knows_what_was_found(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 50, 100);
	__u64 since;

	(void)state;
	find(w, "cccclu");
	words_are(w, "----UU");
	find(w, "ccccua");
	words_are(w, "----Ud");
	since = BACKEND_SHOWN_MS(w->dp.h->backends[id_of(w, 1, 0)].shown);
	world_restart(w);
	hooks_set(w);
	memset(found, 0, sizeof(found)); /* nothing is found out yet */
	world_apply(w);
	plane_checks(w->p);
	plane_settle(w->p);
	words_are(w, "----Ud");
	assert_string_equal(shown(w, 5), "avoided");
	find(w, "lcccuu");
	assert_string_equal(shown(w, 0), "down");
	assert_true(BACKEND_SHOWN_MS(w->dp.h->backends[id_of(w, 1, 0)].shown) == since); /* by another's word */
	find(w, "uuuuuu");
	words_are(w, "UUUUUU");
	world_free(w);
}

static void who_is_not_checked_any_more_is_up(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);

	(void)state;
	find(w, "lcauuu");
	words_are(w, "--dUUU");
	assert_int_equal(vip_check_set(vip_wanted(w, 1), NULL), 0);
	world_apply(w);
	plane_checks(w->p);
	plane_settle(w->p);
	words_are(w, "UUUUUU");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_that_fail_leave_the_other_half),
		cmocka_unit_test(when_none_is_left_all_serve_that_are_not_disabled),
		cmocka_unit_test(what_is_drained_by_hand_is_not_undone),
		cmocka_unit_test(panic_50_keeps_all_where_more_than_half_fail),
		cmocka_unit_test(a_panic_ends_for_those_that_do_not_come_back),
		cmocka_unit_test(certified_ones_go_out_whatever_is_left),
		cmocka_unit_test(no_more_than_eject_are_out_by_own_checks),
		cmocka_unit_test(mh_drains_what_is_avoided_at_once_and_gives_it_its_slots_back),
		cmocka_unit_test(wlc_drains_what_is_avoided_at_once_and_gives_it_its_slots_back),
		cmocka_unit_test(what_observers_have_not_judged_yet_is_avoided_too),
		cmocka_unit_test(over_a_third_none_is_avoided),
		cmocka_unit_test(whatever_a_bound_counts_is_counted_anew),
		cmocka_unit_test(a_restart_knows_what_was_found),
		cmocka_unit_test(who_is_not_checked_any_more_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
