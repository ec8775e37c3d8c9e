// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether it is the targets that fail or one's own way: blind observers, racks, many deaths at once. Not here: deaths
 * one by one, liars, partitions (verdict_test.c).
 */
#include "verdict_measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void a_blind_observer_changes_nothing_for_others(void **state)
{
	const struct verdict_fault fault[] = {{10000, VERDICT_FAULT_BLIND, 3, 1, 100}};
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_world *w;

	(void)state;
	o.targets = 10;
	w = verdict_world_new(&o);
	verdict_world_run(w, 60000, fault, COUNT(fault));
	assert_true(verdict_doubts(verdict_world_node(w, 3)));
	for (size_t i = 0; i < o.targets; i++) {
		struct verdict_view view;

		assert_int_equal(verdict_view(verdict_world_node(w, 0), verdict_world_target(i), &view), 0);
		assert_int_equal(view.down, 0);
		assert_int_equal(view.state, VERDICT_UP);
	}
	verdict_world_free(w);
	assert_int_equal(verdict_measure_uplink(&o, 100).ejected, 0);
}

/* Also where its peers would not have to hear it for a verdict, and one more lost vote would make them check alone. */
static void who_reaches_little_is_no_harm(void **state)
{
	struct verdict_world_options o = verdict_flock(32, 0, 0);
	struct verdict_uplink u;

	(void)state;
	o.targets = 100;
	u = verdict_measure_uplink(&o, 100);
	assert_int_equal(u.ejected, 0);
	assert_true(u.doubts_s >= 0 && u.called < 10);
	u = verdict_measure_uplink(&o, 80);
	assert_int_equal(u.ejected, 0);
	assert_true(u.doubts_s >= 0 && u.called < 10);
}

/* The world is not blind to that, either. */
static void by_the_word_of_one_who_reaches_little_is_harm(void **state)
{
	struct verdict_world_options o = verdict_flock(4, 0, 0);

	(void)state;
	o.targets = 20;
	o.rule.mode = VERDICT_MODE_ANY;
	assert_true(verdict_measure_uplink(&o, 50).ejected > 0);
}

/* Of four targets three seem to fail now and then, where a fifth of all probes do. */
static void a_lost_probe_is_no_doubt(void **state)
{
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_world *w;
	size_t doubts = 0;

	(void)state;
	o.targets = 4;
	w = verdict_world_new(&o);
	for (__u64 ms = 10000; ms < 600000; ms += 100) {
		verdict_world_run(w, ms, NULL, 0);
		for (size_t i = 0; i < o.nodes; i++)
			doubts += verdict_doubts(verdict_world_node(w, i));
	}
	verdict_world_free(w);
	assert_in_range(doubts, 0, 4 * 5900 / 1000);
}

/* Most of what its observers reach is gone; some of them lie that it is well. In time, and in one change of homes. */
static void a_rack_that_dies_goes_out_all_the_same(size_t nodes, size_t liars, enum verdict_lie lie)
{
	struct verdict_world_options o = verdict_flock(nodes, liars, lie);
	struct verdict_many m;

	o.targets = 50;
	o.loss = 0;
	m = verdict_measure_many(&o, VERDICT_FAULT_MUTE, 40);
	assert_int_equal(m.alive, 0);
	assert_int_equal(m.ejected, 0);
	assert_int_equal(m.moments, 1);
	assert_true(m.all_s <= verdict_bound_s(&o.pace, VERDICT_FAULT_MUTE));
}

static void a_rack_that_dies_goes_out(void **state)
{
	(void)state;
	a_rack_that_dies_goes_out_all_the_same(4, 0, 0);
	a_rack_that_dies_goes_out_all_the_same(4, 1, VERDICT_LIE_UP);
	a_rack_that_dies_goes_out_all_the_same(4, 1, VERDICT_LIE_SILENT);
	a_rack_that_dies_goes_out_all_the_same(7, 2, VERDICT_LIE_UP);
}

/* Their observers notice at any time of an interval; but whoever knows of one death looks after the others. */
static void many_die(size_t nodes, __u32 loss, enum verdict_fault_what death, size_t dying, size_t moments)
{
	struct verdict_world_options o = verdict_flock(nodes, 0, 0);
	struct verdict_many m;

	o.targets = 250;
	o.loss = loss;
	m = verdict_measure_many(&o, death, dying);
	assert_int_equal(m.alive, 0);
	assert_int_equal(m.ejected, 0);
	assert_in_range(m.moments, 1, moments);
	assert_true(m.all_s <= verdict_bound_s(&o.pace, death));
}

static void many_deaths_are_few_changes(void **state)
{
	(void)state;
	many_die(4, 0, VERDICT_FAULT_MUTE, 100, 1);
	many_die(4, 0, VERDICT_FAULT_REFUSE, 100, 2);
	many_die(4, 10, VERDICT_FAULT_MUTE, 100, 3);
	many_die(4, 10, VERDICT_FAULT_MUTE, 200, 3);
	many_die(32, 0, VERDICT_FAULT_MUTE, 200, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blind_observer_changes_nothing_for_others),
		cmocka_unit_test(who_reaches_little_is_no_harm),
		cmocka_unit_test(by_the_word_of_one_who_reaches_little_is_harm),
		cmocka_unit_test(a_lost_probe_is_no_doubt),
		cmocka_unit_test(a_rack_that_dies_goes_out),
		cmocka_unit_test(many_deaths_are_few_changes),
	};

	return cmocka_run_group_tests_name("many", tests, NULL, NULL);
}
