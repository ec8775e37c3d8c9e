// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Penalties of those that flap. Not here: what becomes of a backend (bpf/plane_serve_test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/damp.h"

#define HALF_MS 10000

static void a_penalty_halves_in_a_half_life(void **state)
{
	__u32 last = DAMP_MOST;

	(void)state;
	assert_int_equal(damp_decayed(4000, 0, HALF_MS), 4000);
	assert_int_equal(damp_decayed(4000, HALF_MS / 2, HALF_MS), 3000);
	assert_int_equal(damp_decayed(4000, HALF_MS, HALF_MS), 2000);
	assert_int_equal(damp_decayed(4000, 3 * HALF_MS, HALF_MS), 500);
	for (__u64 ms = 0; ms < 20 * HALF_MS; ms += 37) {
		assert_true(damp_decayed(DAMP_MOST, ms, HALF_MS) <= last);
		last = damp_decayed(DAMP_MOST, ms, HALF_MS);
	}
	assert_int_equal(last, 0);
	assert_int_equal(damp_decayed(DAMP_MOST, UINT64_MAX, 1), 0);
}

static void the_wait_ends_when_the_penalty_is_small_enough(void **state)
{
	(void)state;
	assert_int_equal(damp_wait_ms(DAMP_REUSE, HALF_MS), 0);
	assert_int_equal(damp_wait_ms(DAMP_MOST, HALF_MS), 3 * HALF_MS);
	for (__u32 penalty = DAMP_REUSE + 1; penalty <= DAMP_MOST; penalty += 13) {
		__u64 wait = damp_wait_ms(penalty, HALF_MS);

		assert_true(damp_decayed(penalty, wait, HALF_MS) <= DAMP_REUSE);
		assert_true(damp_decayed(penalty, wait - 20, HALF_MS) > DAMP_REUSE - 1);
	}
}

static void the_third_fall_in_a_row_holds_and_more_hold_longer_up_to_a_bound(void **state)
{
	struct mono now = {1000000000000};
	struct damp d = {0};
	__u64 before = 0, wait;

	(void)state;
	for (int fall = 1; fall <= 20; fall++) {
		now = mono_after(now, HALF_MS / 20);
		damp_fall(&d, now, HALF_MS);
		wait = d.until.ns ? mono_ms(now, d.until) : 0;
		assert_int_equal(wait > 0, fall >= 3);
		assert_true(wait >= before && wait <= 3 * HALF_MS);
		before = wait;
	}
	assert_int_equal(before, 3 * HALF_MS);
}

static void three_falls_within_half_of_a_half_life_hold(void **state)
{
	(void)state;
	for (__u64 between = 1; between < HALF_MS / 2; between += 7) {
		struct mono now = {1000000000000};
		struct damp d = {0};

		damp_fall(&d, now, HALF_MS);
		damp_fall(&d, mono_after(now, between), HALF_MS);
		assert_int_equal(d.until.ns, 0);
		damp_fall(&d, mono_after(now, HALF_MS / 2 - 1), HALF_MS);
		assert_true(d.until.ns);
	}
}

static void who_falls_seldom_is_never_held(void **state)
{
	struct mono now = {1000000000000};
	struct damp d = {0};

	(void)state;
	for (int fall = 0; fall < 100; fall++) {
		now = mono_after(now, HALF_MS);
		damp_fall(&d, now, HALF_MS);
		assert_int_equal(d.until.ns, 0);
	}
}

static void a_fall_while_it_is_held_holds_on(void **state)
{
	struct mono now = {1000000000000};
	struct damp d = {0};

	(void)state;
	for (int fall = 0; fall < 3; fall++)
		damp_fall(&d, now, HALF_MS);
	now = mono_after(now, HALF_MS);
	assert_true(d.until.ns > now.ns);
	damp_fall(&d, now, HALF_MS); /* 1500 are left, and it makes 2500: no more than the bound */
	assert_int_equal(d.penalty, 2500);
	assert_int_equal(mono_ms(now, d.until), damp_wait_ms(2500, HALF_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_penalty_halves_in_a_half_life),
		cmocka_unit_test(the_wait_ends_when_the_penalty_is_small_enough),
		cmocka_unit_test(the_third_fall_in_a_row_holds_and_more_hold_longer_up_to_a_bound),
		cmocka_unit_test(three_falls_within_half_of_a_half_life_hold),
		cmocka_unit_test(who_falls_seldom_is_never_held),
		cmocka_unit_test(a_fall_while_it_is_held_holds_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
