// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Verdicts from results: rise, fall, bursts, rounds, and how often a lossy path ejects a healthy
 * target. Not here: probes (prober_test), answers (check_answer_test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/check.h"
#include "core/mix.h"

static const struct check_config rules = {.interval_ms = 1000, .timeout_ms = 500, .rise = 2, .fall = 3};

/* A target, its clock and its chance. */
struct bench {
	struct check check;
	struct mono now;
	__u64 random;
	unsigned int probes;
};

static __u64 chance(struct bench *b)
{
	return b->random = mix64(b->random);
}

static void begin(struct bench *b, enum check_verdict verdict, __u64 seed)
{
	*b = (struct bench){.now = {1000000000}, .random = seed};
	check_start(&b->check, &rules, verdict, b->now, chance(b));
}

/* The next probe, when it is due. */
static __u32 probe(struct bench *b)
{
	assert_true(b->check.due.ns >= b->now.ns);
	b->now = b->check.due;
	b->probes++;
	return check_probe(&b->check, &rules, b->now, chance(b));
}

/* The next probe and its result at once. */
static bool step(struct bench *b, enum check_outcome outcome)
{
	__u32 round = probe(b);

	return check_result(&b->check, &rules, round, outcome, b->now);
}

static void nothing_known_is_up_with_the_first_success(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CHECK_UNKNOWN, 1);
	assert_true(step(&b, OUTCOME_GOOD));
	assert_int_equal(b.check.verdict, CHECK_UP);
	assert_false(step(&b, OUTCOME_GOOD));
}

static void fall_failures_and_three_repeats_take_it_out(void **state)
{
	static const enum check_verdict from[] = {CHECK_UNKNOWN, CHECK_UP};
	struct mono last;
	struct bench b;
	int i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		begin(&b, from[k], 2);
		for (i = 0; i < 5; i++)
			assert_false(step(&b, OUTCOME_BAD));
		last = b.now;
		assert_true(step(&b, OUTCOME_BAD));
		assert_int_equal(b.check.verdict, CHECK_DOWN);
		assert_int_equal(b.probes, 3 + CHECK_REPEATS);
		assert_int_equal(mono_ms(last, b.now), 100);
	}
}

static void successes_in_between_begin_the_count_anew(void **state)
{
	struct bench b;
	int i;

	(void)state;
	begin(&b, CHECK_UP, 3);
	for (i = 0; i < 100; i++)
		assert_false(step(&b, i % 3 == 2 ? OUTCOME_GOOD : OUTCOME_BAD));
	assert_int_equal(b.check.verdict, CHECK_UP);
}

static void one_success_of_a_burst_ends_the_doubt(void **state)
{
	struct bench b;
	int repeat, i;

	(void)state;
	for (repeat = 0; repeat < CHECK_REPEATS; repeat++) {
		begin(&b, CHECK_UP, 4);
		for (i = 0; i < 3 + repeat; i++)
			assert_false(step(&b, OUTCOME_BAD));
		assert_false(step(&b, OUTCOME_GOOD));
		assert_int_equal(b.check.verdict, CHECK_UP);
		for (i = 0; i < 2; i++)
			assert_false(step(&b, OUTCOME_BAD));
		assert_true(b.check.due.ns - b.now.ns > 800000000);
	}
}

static void repeats_do_not_wait_for_each_other(void **state)
{
	__u32 round[CHECK_REPEATS];
	struct bench b;
	struct mono first;
	int i;

	(void)state;
	begin(&b, CHECK_UP, 5);
	for (i = 0; i < 3; i++)
		step(&b, OUTCOME_BAD);
	first = b.now;
	for (i = 0; i < CHECK_REPEATS; i++)
		round[i] = probe(&b);
	assert_int_equal(mono_ms(first, b.now), 300);
	for (i = 0; i < CHECK_REPEATS; i++)
		assert_int_equal(check_result(&b.check, &rules, round[i], OUTCOME_BAD, b.now), i == 2);
}

static void results_of_an_ended_round_are_not_counted(void **state)
{
	__u32 late, repeat;
	struct bench b;
	int i;

	(void)state;
	begin(&b, CHECK_UP, 6);
	late = probe(&b);
	for (i = 0; i < 3; i++)
		step(&b, OUTCOME_BAD);
	assert_false(check_result(&b.check, &rules, late, OUTCOME_GOOD, b.now)); /* the burst goes on */
	repeat = probe(&b);
	assert_false(check_result(&b.check, &rules, repeat, OUTCOME_GOOD, b.now));
	for (i = 0; i < 2; i++)
		step(&b, OUTCOME_BAD);
	assert_false(check_result(&b.check, &rules, repeat, OUTCOME_BAD, b.now));
	assert_int_equal(b.check.row, 2);
}

static void what_proves_nothing_changes_nothing(void **state)
{
	struct bench b;
	int i;

	(void)state;
	begin(&b, CHECK_UP, 7);
	for (i = 0; i < 20; i++)
		assert_false(step(&b, OUTCOME_NOTHING));
	step(&b, OUTCOME_BAD);
	step(&b, OUTCOME_NOTHING);
	step(&b, OUTCOME_BAD);
	assert_int_equal(b.check.row, 2);
	step(&b, OUTCOME_BAD);
	step(&b, OUTCOME_NOTHING); /* a burst without a proof */
	assert_int_equal(b.check.verdict, CHECK_UP);
	assert_false(step(&b, OUTCOME_BAD)); /* another one begins */
	for (i = 0; i < CHECK_REPEATS; i++)
		assert_int_equal(step(&b, OUTCOME_BAD), i == CHECK_REPEATS - 1);
}

static void rise_successes_in_a_row_bring_it_back(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CHECK_DOWN, 8);
	assert_false(step(&b, OUTCOME_GOOD));
	assert_false(step(&b, OUTCOME_BAD));
	assert_false(step(&b, OUTCOME_GOOD));
	assert_true(step(&b, OUTCOME_GOOD));
	assert_int_equal(b.check.verdict, CHECK_UP);
}

static void intervals_differ_and_are_never_too_long(void **state)
{
	__u64 least = UINT64_MAX, most = 0, ns;
	struct bench b;
	int i;

	(void)state;
	begin(&b, CHECK_UP, 9);
	assert_true(b.check.due.ns - b.now.ns <= 1000000000);
	for (i = 0; i < 1000; i++) {
		step(&b, OUTCOME_GOOD);
		ns = b.check.due.ns - b.now.ns;
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	assert_true(least >= 900000000 && least < 910000000);
	assert_true(most <= 1000000000 && most > 990000000);
}

/* 10 % of loss each way: 19 % of probes fail. Without repeats 0.19^3 of all runs of three would eject. */
static void a_lossy_path_ejects_hardly_anybody(void **state)
{
	unsigned int ejected = 0, i;
	struct bench b;

	(void)state;
	begin(&b, CHECK_UP, 10);
	for (i = 0; i < 1000000; i++) {
		enum check_outcome outcome = mix_below(chance(&b), 100) < 19 ? OUTCOME_BAD : OUTCOME_GOOD;

		ejected += step(&b, outcome) && b.check.verdict == CHECK_DOWN;
	}
	/* 0.19^6 of a million, less what a burst takes of the row: some 37; 5,500 without it */
	print_message("# %u false ejections in %u probes\n", ejected, i);
	assert_true(ejected > 0 && ejected < 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_is_up_with_the_first_success),
		cmocka_unit_test(fall_failures_and_three_repeats_take_it_out),
		cmocka_unit_test(successes_in_between_begin_the_count_anew),
		cmocka_unit_test(one_success_of_a_burst_ends_the_doubt),
		cmocka_unit_test(repeats_do_not_wait_for_each_other),
		cmocka_unit_test(results_of_an_ended_round_are_not_counted),
		cmocka_unit_test(what_proves_nothing_changes_nothing),
		cmocka_unit_test(rise_successes_in_a_row_bring_it_back),
		cmocka_unit_test(intervals_differ_and_are_never_too_long),
		cmocka_unit_test(a_lossy_path_ejects_hardly_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
