// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Slow start, as packets meet it, under a clock that only the test moves. Not here: parts (unit/fill_test.c), homes
 * (unit/homes_test.c), real servers (net/health.sh).
 */
#include "core/fill.h"
#include "plane_change.h"

#define WHOLE_MS STARLING_SLOW_START_MAX_MS /* so long that no step comes by itself */
#define STEP_MS	 (WHOLE_MS / FILL_STEPS)
#define SLOTS	 4093 /* at most */
#define NEW	 2000 /* flows that are opened to see who gets them */

static __u32 next_flow;

static struct world *slow_world(enum scheduler s, __u32 backends)
{
	struct harness_options o = {.flow_sets_log2 = 16};
	struct world *w = world_new(&o);

	world_vip(w, 1, s, backends)->slow_start_ms = WHOLE_MS;
	world_apply(w);
	next_flow = FLOWS;
	return w;
}

static struct plane_vip *vip(struct world *w)
{
	return plane_vip_find(w->p, "v1");
}

static const char *shown(struct world *w, __u32 n)
{
	return plane_backend_shown(vip(w)->backend[n]);
}

/* @steps are due; then planned changes come to pass. */
static void step(struct world *w, __u32 steps)
{
	struct plane_vip *v = vip(w);
	struct mono last = {0};

	for (__u32 i = 0; i < v->backend_count; i++)
		if (v->backend[i]->filling)
			last = v->backend[i]->filled;
	plane_fill_tick(w->p, mono_after(last, (__u64)steps * STEP_MS));
	plane_settle(w->p);
	world_warmed(w);
}

/* Part of new connections, which stay open, that backend @n gets. */
static double share(struct world *w, __u32 n)
{
	__u32 id = id_of(w, 1, n), got = 0;

	for (__u32 i = 0; i < NEW; i++, next_flow++) {
		__u32 home = world_syn(w, 1, next_flow);

		assert_int_not_equal(home, NOBODY);
		assert_int_equal(world_ack(w, 1, next_flow), home);
		got += home == id;
	}
	return (double)got / NEW;
}

static double share_of_part(__u32 part, __u32 others)
{
	return part / (1000.0 * others + part);
}

static void homes_copy(struct world *w, __u32 *ret)
{
	struct plane_vip *v = vip(w);

	assert_true(v->region.count <= SLOTS);
	for (__u32 s = 0; s < v->region.count; s++)
		ret[s] = slot_home0(w->dp.h->slots[v->region.base + s]);
}

/* Slots that have moved since homes_copy() are now @n's. */
static void moved_to(struct world *w, __u32 n, const __u32 *before)
{
	struct plane_vip *v = vip(w);

	for (__u32 s = 0; s < v->region.count; s++) {
		__u32 home = slot_home0(w->dp.h->slots[v->region.base + s]);

		assert_true(home == before[s] || home == id_of(w, 1, n));
	}
}

static void away_and_back(struct world *w, __u32 n)
{
	world_override(w, 1, n, OVERRIDE_DISABLE);
	assert_string_equal(shown(w, n), "disabled");
	world_override(w, 1, n, OVERRIDE_NONE);
	world_warmed(w);
}

static void fills(enum scheduler s, bool exponential, double slack)
{
	static __u32 before[SLOTS], home[FLOWS];
	struct world *w = slow_world(s, 4);

	vip_wanted(w, 1)->slow_start_exponential = exponential;
	world_apply(w);
	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, 0, OVERRIDE_DISABLE);
	for (__u32 i = 0; i < FLOWS; i++)
		home[i] = world_ack(w, 1, i); /* its own have others now */
	away_and_back(w, 0);
	for (__u32 left = FILL_STEPS; left; left--) {
		double wanted = share_of_part(fill_part(exponential, left), 3), got = share(w, 0);

		assert_string_equal(shown(w, 0), "filling");
		print_message("%u %f %f\n", left, wanted, got);
		assert_true(got < wanted * slack + 0.01);
		assert_true(got > wanted / slack - 0.01);
		homes_copy(w, before);
		step(w, 1);
		moved_to(w, 0, before);
		flows_stay(w, 1, 0, FLOWS, home);
	}
	assert_string_equal(shown(w, 0), "up");
	assert_int_equal(BACKEND_WORD_WEIGHT(w->dp.h->backends[id_of(w, 1, 0)].word), plane_weight(s, 10));
	world_free(w);
}

static void mh_gives_it_its_slots_step_by_step(void **state)
{
	(void)state;
	fills(SCHEDULER_MH, false, 1.4);
	fills(SCHEDULER_MH, true, 1.4);
}

static void wrr_counts_a_part_of_its_weight(void **state)
{
	(void)state;
	fills(SCHEDULER_WRR, false, 1.3);
	fills(SCHEDULER_RR, true, 1.3);
}

/* Though it has the fewest connections all the time. */
static void wlc_does_not_flood_it(void **state)
{
	(void)state;
	fills(SCHEDULER_WLC, false, 1.4);
	fills(SCHEDULER_LC, true, 1.4);
}

static void of_two_whom_all_slots_name_scores_hold_one_back(void **state)
{
	struct world *w = slow_world(SCHEDULER_WRR, 2);
	double got;

	(void)state;
	away_and_back(w, 1);
	got = share(w, 1);
	assert_true(got > 0.05 && got < 0.12); /* 1 of 11 */
	world_free(w);
}

static void a_new_vip_has_all_at_once_a_new_backend_fills(void **state)
{
	struct world *w = slow_world(SCHEDULER_MH, 3);

	(void)state;
	for (__u32 i = 0; i < 3; i++)
		assert_string_equal(shown(w, i), "up");
	backend_add(w, 1, 3);
	world_apply(w);
	world_warmed(w);
	assert_string_equal(shown(w, 3), "filling");
	assert_true(share(w, 3) < 0.1);
	for (__u32 i = 0; i < 3; i++)
		assert_string_equal(shown(w, i), "up");
	step(w, FILL_STEPS);
	assert_string_equal(shown(w, 3), "up");
	world_free(w);
}

static void with_nobody_else_of_whole_weight_it_has_all(void **state)
{
	struct world *w = slow_world(SCHEDULER_MH, 3);

	(void)state;
	away_and_back(w, 0);
	away_and_back(w, 1);
	assert_string_equal(shown(w, 0), "filling");
	assert_string_equal(shown(w, 1), "filling");
	world_override(w, 1, 2, OVERRIDE_DISABLE);
	assert_string_equal(shown(w, 0), "up");
	assert_string_equal(shown(w, 1), "up");
	world_override(w, 1, 2, OVERRIDE_NONE);
	assert_string_equal(shown(w, 2), "filling");
	assert_string_equal(shown(w, 0), "up");
	world_override(w, 1, 2, OVERRIDE_DISABLE); /* away again: it begins anew */
	world_override(w, 1, 2, OVERRIDE_NONE);
	assert_int_equal(vip(w)->backend[2]->filling, FILL_STEPS);
	world_free(w);
}

static void without_slow_start_any_more_it_has_all(void **state)
{
	struct world *w = slow_world(SCHEDULER_WRR, 4);

	(void)state;
	away_and_back(w, 0);
	assert_string_equal(shown(w, 0), "filling");
	vip_wanted(w, 1)->slow_start_ms = 0;
	world_apply(w);
	assert_string_equal(shown(w, 0), "up");
	assert_int_equal(BACKEND_WORD_WEIGHT(w->dp.h->backends[id_of(w, 1, 1)].word), 10);
	away_and_back(w, 0);
	assert_string_equal(shown(w, 0), "up");
	world_free(w);
}

static void a_restart_goes_on_where_it_was(enum scheduler s, bool exponential)
{
	static __u32 before[SLOTS];
	struct world *w = slow_world(s, 4);

	vip_wanted(w, 1)->slow_start_exponential = exponential;
	world_apply(w);
	away_and_back(w, 0);
	step(w, 3);
	assert_int_equal(vip(w)->backend[0]->filling, FILL_STEPS - 3);
	homes_copy(w, before);
	world_restart(w);
	assert_string_equal(shown(w, 0), "filling");
	moved_to(w, NOBODY, before);
	world_apply(w);
	world_warmed(w);
	moved_to(w, NOBODY, before);
	assert_int_equal(vip(w)->backend[0]->filling, FILL_STEPS - 3);
	assert_int_equal(vip(w)->slow_exponential, exponential);
	for (__u32 i = 0; i < 4; i++)
		assert_int_equal(vip(w)->backend[i]->weight, 10);
	step(w, 6);
	assert_string_equal(shown(w, 0), "filling");
	step(w, 1);
	assert_string_equal(shown(w, 0), "up");
	world_free(w);
}

static void over_a_restart_mh_moves_no_slot(void **state)
{
	(void)state;
	a_restart_goes_on_where_it_was(SCHEDULER_MH, false);
	a_restart_goes_on_where_it_was(SCHEDULER_MH, true);
}

static void nor_does_wlc(void **state)
{
	(void)state;
	a_restart_goes_on_where_it_was(SCHEDULER_WLC, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mh_gives_it_its_slots_step_by_step),
		cmocka_unit_test(wrr_counts_a_part_of_its_weight),
		cmocka_unit_test(wlc_does_not_flood_it),
		cmocka_unit_test(of_two_whom_all_slots_name_scores_hold_one_back),
		cmocka_unit_test(a_new_vip_has_all_at_once_a_new_backend_fills),
		cmocka_unit_test(with_nobody_else_of_whole_weight_it_has_all),
		cmocka_unit_test(without_slow_start_any_more_it_has_all),
		cmocka_unit_test(over_a_restart_mh_moves_no_slot),
		cmocka_unit_test(nor_does_wlc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
