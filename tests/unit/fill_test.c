// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Parts of a weight while it fills. Not here: homes (homes_test), packets (bpf/plane_fill_test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/fill.h"

static void parts_grow_from_a_tenth_to_all(void **state)
{
	(void)state;
	for (int exponential = 0; exponential <= 1; exponential++) {
		assert_int_equal(fill_part(exponential, FILL_STEPS), 100);
		assert_int_equal(fill_part(exponential, 0), 1000);
		assert_int_equal(fill_part(exponential, FILL_STEPS + 1), 100);
		for (__u32 left = FILL_STEPS; left; left--)
			assert_true(fill_part(exponential, left) < fill_part(exponential, left - 1));
	}
	for (__u32 left = FILL_STEPS; left; left--) {
		__u32 factor = fill_part(true, left - 1) * 1000 / fill_part(true, left); /* 10^0.1 */

		assert_int_equal(fill_part(false, left - 1) - fill_part(false, left), 90);
		assert_true(factor >= 1250 && factor <= 1270);
	}
}

static void scores_see_at_least_1(void **state)
{
	(void)state;
	assert_int_equal(fill_weight(1, fill_scale(1), 100), 1);
	assert_int_equal(fill_weight(1, fill_scale(1), 1000), 10);
	assert_int_equal(fill_scale(6553), FILL_SCALE);
	assert_int_equal(fill_scale(6554), 1);
	assert_int_equal(fill_weight(65535, fill_scale(65535), 1000), 65535);
	assert_int_equal(fill_weight(1, fill_scale(65535), 100), 1);
	assert_int_equal(fill_weight(0, FILL_SCALE, 1000), 0);
}

static void steps_come_when_their_time_is_over(void **state)
{
	__u64 ms;

	(void)state;
	assert_int_equal(fill_steps(499, 5000, &ms), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(fill_steps(1200, 5000, &ms), 2);
	assert_int_equal(ms, 1000);
	assert_int_equal(fill_steps(1000000, 5000, &ms), FILL_STEPS);
	assert_int_equal(ms, 5000);
	assert_int_equal(fill_steps(1, 1, &ms), FILL_STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_grow_from_a_tenth_to_all),
		cmocka_unit_test(scores_see_at_least_1),
		cmocka_unit_test(steps_come_when_their_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
