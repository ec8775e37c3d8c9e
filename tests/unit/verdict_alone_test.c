// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node without a roster, which goes by its own probes. Not here: one that hears votes (verdict_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/verdict.h"

#define MANY   6
#define TARGET 77
#define MS     1000000ull

static const struct verdict_target target = {
	.id = TARGET,
	.pace = {.interval_ms = 2000, .timeout_ms = 500, .rise = 2, .fall = 3},
	.rule = {.mode = VERDICT_MODE_VOTE, .liars = 1},
};

/* MANY targets of a node alone, all of one pace: what was told of them. */
static size_t told_down(const struct verdict *v)
{
	struct verdict_view view;
	size_t down = 0;

	for (__u64 i = 0; i < MANY; i++) {
		assert_int_equal(verdict_view(v, TARGET + i, &view), 0);
		down += view.told.state == VERDICT_DOWN;
	}
	return down;
}

static void the_death_of_many_is_one_change(void **state)
{
	struct verdict_config config = {.seed = 1};
	struct verdict *v = verdict_new(&config);
	struct verdict_target many[MANY];
	struct verdict_action action;
	struct mono at = {1};
	bool dead = false;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		many[i] = target;
		many[i].id += i;
	}
	assert_non_null(v);
	assert_int_equal(verdict_targets(v, at, many, MANY), 0);
	for (; at.ns < 60000 * MS && told_down(v) < MANY; at.ns += 5 * MS) {
		dead |= at.ns > 20000 * MS;
		verdict_step(v, at);
		while (verdict_take(v, &action))
			if (action.act == VERDICT_PROBE)
				verdict_probed(v, at, action.target, action.number,
					       dead ? VERDICT_TIMEOUT : VERDICT_GOOD);
		assert_true(told_down(v) == 0 || told_down(v) == MANY);
	}
	assert_int_equal(told_down(v), MANY);
	verdict_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_death_of_many_is_one_change),
	};

	return cmocka_run_group_tests_name("verdict_alone", tests, NULL, NULL);
}
