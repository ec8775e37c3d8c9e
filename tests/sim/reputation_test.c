// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Observers whose votes are judged for hours: who lies is drawn less, and nobody else is. Not here: what evidence comes
 * to (tests/unit/reputation_test.c), longer runs (tools/sim/sim_verdict.c).
 */
#include "verdict_measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct verdict_repute repute(enum verdict_mode mode, size_t liars, enum verdict_lie lie, size_t hours)
{
	struct verdict_world_options o = verdict_flock(8, liars, lie);

	o.targets = 16;
	o.rule.mode = mode;
	return verdict_measure_repute(&o, hours);
}

static void who_lies_is_drawn_less_and_nobody_else_is(void **state)
{
	static const enum verdict_lie lie[] = {VERDICT_LIE_DOWN, VERDICT_LIE_EQUIVOCATE};

	(void)state;
	for (size_t i = 0; i < sizeof(lie) / sizeof(*lie); i++) {
		struct verdict_repute r = repute(VERDICT_MODE_REPUTATION, 1, lie[i], 2);

		assert_int_equal(r.liar[1], ROSTER_REPUTATION_FLOOR);
		assert_true(r.honest[1] > 900 && r.before > 5 && 2 * r.after < r.before);
		assert_int_equal(r.ejected, 0);
	}
}

static void a_tenth_of_all_packets_lost_is_no_lie(void **state)
{
	struct verdict_repute r = repute(VERDICT_MODE_HYBRID, 0, 0, 3);

	(void)state;
	assert_true(r.honest[2] > 900 && r.apart <= REPUTATION_APART);
	assert_int_equal(r.ejected, 0);
}

/* Who is silent proves nothing of himself. */
static void silence_is_no_evidence(void **state)
{
	struct verdict_repute r = repute(VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_SILENT, 1);

	(void)state;
	assert_int_equal(r.liar[0], ROSTER_REPUTATION_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_lies_is_drawn_less_and_nobody_else_is),
		cmocka_unit_test(a_tenth_of_all_packets_lost_is_no_lie),
		cmocka_unit_test(silence_is_no_evidence),
	};

	return cmocka_run_group_tests_name("reputation", tests, NULL, NULL);
}
