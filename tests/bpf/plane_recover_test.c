// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How backends come back that were found down, and what their agents ask for, as packets meet it. Not here: what a VIP
 * makes of those that fail (plane_serve_test.c), several balancers (net/verdict.sh).
 */
#include "daemon/plane_facts.h"
#include "plane_checked.h"

static void restart(struct world *w)
{
	world_restart(w);
	hooks_set(w);
	world_apply(w);
	plane_checks(w->p);
	plane_settle(w->p);
}

/* Whoever was out waits for an operator. */
static struct world *hybrid_world(void)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);

	vip_wanted(w, 1)->recovery = RECOVERY_HYBRID;
	world_apply(w);
	return w;
}

static void readmit(struct world *w, __u32 n, int wanted)
{
	struct endpoint at = world_backend(1, n);
	struct fact_readmit *all;
	struct err err;
	size_t count;

	for (int dry = 1; dry >= 0; dry--) {
		assert_int_equal(plane_readmit(w->p, "v1", &at, dry, &all, &count, &err), wanted);
		if (wanted)
			continue;
		assert_int_equal(count, 1);
		free(all);
	}
}

static void with_recovery_hybrid_who_was_out_waits_for_readmit(void **state)
{
	struct world *w = hybrid_world();

	(void)state;
	find(w, "luuuuu");
	readmit(w, 0, -ENOENT); /* its checks say down */
	find(w, "uuuuuu");
	words_are(w, "-UUUUU");
	assert_string_equal(shown(w, 0), "held");
	assert_non_null(strstr(told, "down -> held: up again by its checks: it waits for backend readmit"));
	restart(w);
	words_are(w, "-UUUUU");
	assert_string_equal(shown(w, 0), "held");
	find(w, "lllluu");
	find(w, "uuuulu"); /* three more are held, and of the others one fails */
	words_are(w, "-----U");
	assert_string_equal(shown(w, 4), "down");
	find(w, "uuuull");
	words_are(w, "UUUU--"); /* with nobody else they serve, and not who is dead */
	assert_string_equal(shown(w, 0), "held");
	find(w, "uuuuul");
	words_are(w, "UUUUU-"); /* still: 4 was out, and is held as well */
	find(w, "llllll");
	words_are(w, "UUUUUU"); /* all are dead */
	find(w, "uuuuul");
	words_are(w, "UUUUU-");
	readmit(w, 0, 0);
	readmit(w, 0, -ENOENT);
	words_are(w, "U-----");
	assert_string_equal(shown(w, 0), "up");
	vip_wanted(w, 1)->recovery = RECOVERY_AUTO;
	world_apply(w);
	words_are(w, "UUUUU-");
	world_free(w);
}

static void a_sorry_backend_serves_before_those_that_wait(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct endpoint at = world_backend(1, BACKENDS);
	char words[PLANE_BOUND_BYTES];

	(void)state;
	vip_wanted(w, 1)->recovery = RECOVERY_HYBRID;
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), &at), 0);
	world_apply(w);
	find(w, "cccccc");
	find(w, "uccccc");
	words_are(w, "------");
	assert_true(plane_vip_panics(vip(w), words));
	assert_string_equal(words, "is served by its sorry backend: no other one is usable");
	readmit(w, 0, 0);
	words_are(w, "U-----");
	world_free(w);
}

/* Others' operators do it, and it is heard some time later. */
static void hear_readmitted(struct world *w, __u32 n, __u64 date_ms)
{
	struct endpoint at = world_backend(1, n);
	struct fact_readmit all[2] = {{1, date_ms}, {fact_backend_key("v1", &at), date_ms}};

	plane_readmitted(w->p, all, 2);
}

static void a_readmission_that_is_heard_of_ends_the_outage_that_began_before_it(void **state)
{
	struct world *w = hybrid_world();
	__u64 out_ms, former_ms = wall_ms();

	(void)state;
	find(w, "cuuuuu");
	out_ms = vip(w)->backend[0]->out_ms;
	hear_readmitted(w, 0, former_ms - 1);
	find(w, "uuuuuu");
	words_are(w, "-UUUUU"); /* that was of an earlier one */
	hear_readmitted(w, 0, out_ms + 1);
	words_are(w, "UUUUUU");
	find(w, "cuuuuu");
	hear_readmitted(w, 0, out_ms + 1); /* again */
	find(w, "uuuuuu");
	words_are(w, "-UUUUU");
	readmit(w, 0, 0);
	find(w, "ccuuuu");
	hear_readmitted(w, 0, vip(w)->backend[0]->out_ms + 1); /* before its own checks say up */
	words_are(w, "--UUUU");
	find(w, "uuuuuu");
	words_are(w, "U-UUUU");
	assert_string_equal(shown(w, 1), "held");
	world_free(w);
}

static void with_recovery_manual_nobody_goes_and_nobody_comes_without_an_operator(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);

	(void)state;
	find(w, "cuuuuu");
	words_are(w, "-UUUUU");
	vip_wanted(w, 1)->recovery = RECOVERY_MANUAL;
	world_apply(w);
	find(w, "ccluau");
	words_are(w, "-UUUUU"); /* who was out stays so, the others serve */
	assert_string_equal(shown(w, 0), "down");
	assert_string_equal(shown(w, 1), "failing");
	assert_string_equal(shown(w, 4), "failing");
	assert_non_null(
		strstr(told, "up -> failing: it fails by its checks, and serves: backend disable takes it out"));
	restart(w);
	words_are(w, "-UUUUU");
	find(w, "uuluuu");
	words_are(w, "-UUUUU");
	assert_string_equal(shown(w, 0), "held");
	assert_string_equal(shown(w, 1), "up");
	assert_string_equal(shown(w, 2), "failing");
	world_override(w, 1, 2, OVERRIDE_DISABLE);
	words_are(w, "-U-UUU");
	world_override(w, 1, 2, OVERRIDE_NONE);
	words_are(w, "-UUUUU");
	readmit(w, 0, 0);
	words_are(w, "UUUUUU");
	vip_wanted(w, 1)->recovery = RECOVERY_AUTO;
	world_apply(w);
	words_are(w, "UU-UUU");
	world_free(w);
}

static void who_flaps_waits_and_a_restart_knows_it(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct mono until;

	(void)state;
	vip_wanted(w, 1)->damp_ms = 3600000;
	world_apply(w);
	for (int fall = 0; fall < 2; fall++) {
		find(w, "cuuuuu");
		find(w, "uuuuuu");
		words_are(w, "UUUUUU");
	}
	find(w, "cuuuuu");
	find(w, "uuuuuu");
	words_are(w, "-UUUUU");
	assert_string_equal(shown(w, 0), "held");
	assert_non_null(strstr(told, "down -> held: up again by its checks, but it flaps: it waits"));
	until = vip(w)->backend[0]->damp.until;
	restart(w);
	words_are(w, "-UUUUU");
	assert_true(mono_ms(until, vip(w)->backend[0]->damp.until) < 600000); /* rounded up */
	plane_recover_tick(w->p, mono_after(until, 600000));
	plane_settle(w->p);
	words_are(w, "UUUUUU");
	find(w, "cuuuuu");
	find(w, "uuuuuu");
	words_are(w, "-UUUUU"); /* the penalty is no less */
	readmit(w, 0, 0);
	words_are(w, "UUUUUU");
	find(w, "cuuuuu");
	find(w, "uuuuuu");
	words_are(w, "UUUUUU"); /* and now it is */
	world_free(w);
}

/* Until it is held. */
static struct world *flapping_world(__u32 damp_ms)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);

	vip_wanted(w, 1)->damp_ms = damp_ms;
	world_apply(w);
	for (int fall = 0; fall < 3; fall++) {
		find(w, "cuuuuu");
		find(w, "uuuuuu");
	}
	words_are(w, "-UUUUU");
	return w;
}

static void a_restart_holds_nobody_for_longer(void **state)
{
	struct world *w = flapping_world(20000);
	struct damp *damp = &vip(w)->backend[0]->damp;
	struct mono until;

	(void)state;
	find(w, "cuuuuu");
	damp->at.ns -= 10000000000; /* it has been down for ten seconds */
	damp->until.ns -= 10000000000;
	until = damp->until;
	find(w, "uuuuuu");
	for (int again = 0; again < 3; again++) {
		restart(w);
		words_are(w, "-UUUUU");
		assert_true(vip(w)->backend[0]->damp.until.ns < mono_after(until, 5000).ns); /* rounded up, once */
	}
	world_free(w);
}

static void who_waits_for_readmit_does_so_over_a_restart_while_it_is_disabled(void **state)
{
	struct world *w = hybrid_world();

	(void)state;
	find(w, "cuuuuu");
	find(w, "uuuuuu");
	world_override(w, 1, 0, OVERRIDE_DISABLE);
	world_override(w, 1, 1, OVERRIDE_DISABLE);
	assert_string_equal(shown(w, 0), "disabled");
	restart(w);
	words_are(w, "-UUUUU"); /* nobody is disabled now */
	assert_string_equal(shown(w, 0), "held");
	readmit(w, 0, 0);
	world_override(w, 1, 0, OVERRIDE_DISABLE);
	restart(w);
	words_are(w, "UUUUUU");
	world_free(w);
}

static void who_is_not_checked_any_more_does_not_wait(void **state)
{
	struct world *w = flapping_world(3600000);

	(void)state;
	assert_int_equal(vip_check_set(vip_wanted(w, 1), NULL), 0);
	world_apply(w);
	plane_checks(w->p);
	plane_settle(w->p);
	words_are(w, "UUUUUU");
	world_free(w);
}

static void less_is(struct world *w, __u32 less)
{
	find(w, "uuuuuu");
	found[0].less = less;
	plane_checks(w->p);
	plane_settle(w->p);
	world_warmed(w);
}

static void what_rr_does_not_heed_moves_no_slot_over_a_restart(void **state)
{
	struct world *w = checked_world(SCHEDULER_RR, 0, 100);
	void *before, *after;
	size_t size;

	(void)state;
	less_is(w, 50);
	maps_copy(w, &before, &size);
	world_restart(w);
	maps_copy(w, &after, &size);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
	world_free(w);
}

static void an_agent_halves_a_share_and_a_restart_knows_it(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	__u32 whole, half;

	(void)state;
	less_is(w, 0);
	whole = vip(w)->backend[0]->held;
	less_is(w, 50);
	half = vip(w)->backend[0]->held;
	assert_true(10 * half > 4 * whole && 10 * half < 7 * whole); /* of 5.5 parts, not of 6 */
	world_restart(w);
	hooks_set(w);
	memset(found, 0, sizeof(found)); /* nothing is said yet */
	world_apply(w);
	plane_checks(w->p);
	plane_settle(w->p);
	assert_int_equal(vip(w)->backend[0]->less, 50);
	assert_int_equal(vip(w)->backend[0]->held, half);
	find(w, "uuuuuu");
	found[0].less = 100;
	plane_checks(w->p);
	plane_settle(w->p);
	assert_string_equal(shown(w, 0), "draining");
	less_is(w, 0);
	words_are(w, "UUUUUU");
	assert_int_equal(vip(w)->backend[0]->held, whole);
	world_free(w);
}

static void rr_heeds_no_percentage_of_an_agent(void **state)
{
	struct world *w = checked_world(SCHEDULER_RR, 0, 100);
	__u32 whole;

	(void)state;
	less_is(w, 0);
	whole = vip(w)->backend[0]->held;
	less_is(w, 50);
	assert_int_equal(vip(w)->backend[0]->held, whole);
	assert_int_equal(plane_backend_weight(vip(w)->backend[0]), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_recovery_hybrid_who_was_out_waits_for_readmit),
		cmocka_unit_test(a_sorry_backend_serves_before_those_that_wait),
		cmocka_unit_test(a_readmission_that_is_heard_of_ends_the_outage_that_began_before_it),
		cmocka_unit_test(with_recovery_manual_nobody_goes_and_nobody_comes_without_an_operator),
		cmocka_unit_test(who_flaps_waits_and_a_restart_knows_it),
		cmocka_unit_test(a_restart_holds_nobody_for_longer),
		cmocka_unit_test(who_waits_for_readmit_does_so_over_a_restart_while_it_is_disabled),
		cmocka_unit_test(who_is_not_checked_any_more_does_not_wait),
		cmocka_unit_test(what_rr_does_not_heed_moves_no_slot_over_a_restart),
		cmocka_unit_test(an_agent_halves_a_share_and_a_restart_knows_it),
		cmocka_unit_test(rr_heeds_no_percentage_of_an_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
