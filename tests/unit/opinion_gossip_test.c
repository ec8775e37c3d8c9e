// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * To how many news goes at once. Not here: what rides on messages (opinion_probe_test.c), how soon all know (the
 * simulator).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "opinion_desk.h"

#define FANOUT	 3
#define ROUND_MS 110 /* from news to the end of its first round, whose timer has a tenth of jitter */

static size_t rounds_sent(const struct desk *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->sents; i++)
		count += d->sent[i].message.kind == MESSAGE_GOSSIP;
	return count;
}

/* Each is told nine times in a flock of 128; some of these ride on probes and answers. */
static void after_a_silence_the_first_round_goes_to_three_times_as_many(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 128);
	desk_run(&d, 5000);
	desk_forget(&d);
	desk_accuse(&d, 1, 2, MEMBER_SUSPECT);
	desk_run(&d, ROUND_MS);
	assert_in_range(rounds_sent(&d), 2 * FANOUT, 3 * FANOUT);
	desk_forget(&d);
	desk_accuse(&d, 3, 4, MEMBER_SUSPECT);
	desk_run(&d, ROUND_MS);
	assert_in_range(rounds_sent(&d), 1, 2 * FANOUT); /* two rounds, where the timer was about to fire */
	desk_run(&d, 2000);
	desk_forget(&d);
	desk_accuse(&d, 5, 6, MEMBER_SUSPECT);
	desk_run(&d, ROUND_MS);
	assert_in_range(rounds_sent(&d), 2 * FANOUT, 3 * FANOUT);
	desk_close(&d);
}

static void plain_swim_makes_no_difference(void **state)
{
	struct opinion_config config = {OPINION_CONFIG, .plain = true};
	struct desk d;

	(void)state;
	desk_open_alone(&d, 128, &config);
	for (size_t i = 1; i < 128; i++)
		desk_live(&d, i);
	desk_run(&d, 5000);
	desk_forget(&d);
	desk_accuse(&d, 1, 2, MEMBER_SUSPECT);
	desk_run(&d, ROUND_MS);
	assert_in_range(rounds_sent(&d), 1, 2 * FANOUT);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_silence_the_first_round_goes_to_three_times_as_many),
		cmocka_unit_test(plain_swim_makes_no_difference),
	};

	return cmocka_run_group_tests_name("opinion_gossip", tests, NULL, NULL);
}
