// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One node's probes of one target: when it is down, and how long that takes. Not here: votes (verdict_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"
#include "core/verdict_watch.h"

#define MS	   1000000ull
#define FLIGHT_MAX 64

static const struct verdict_pace pace = {.interval_ms = 2000, .timeout_ms = 500, .rise = 2, .fall = 3};

/* A target in virtual time: @evidence comes @after_ms after the probe, until told otherwise. */
struct bench {
	struct verdict_watch watch;
	struct verdict_pace pace;
	__u64 now_ms, random;
	enum verdict_evidence evidence;
	__u32 after_ms, loss;
	__u64 probes;
	struct flight {
		__u64 at_ms;
		__u32 number;
		enum verdict_evidence evidence;
	} flight[FLIGHT_MAX];
	size_t flights;
};

static struct mono at(__u64 ms)
{
	return (struct mono){ms * MS + 1};
}

static void bench_begin(struct bench *b, const struct verdict_pace *p)
{
	memset(b, 0, sizeof(*b));
	b->pace = *p;
	b->random = 1;
	verdict_watch_begin(&b->watch, p, at(0), VERDICT_NONE, 0);
}

static void bench_answers(struct bench *b, enum verdict_evidence evidence)
{
	b->evidence = evidence;
	b->after_ms = evidence == VERDICT_TIMEOUT ? b->pace.timeout_ms : 1;
}

static void probe(struct bench *b)
{
	bool lost = mix_below(mix64(b->random++), 100) < b->loss;
	struct flight f = {.number = verdict_watch_probe(&b->watch, &b->pace, at(b->now_ms), mix64(b->random++))};

	f.evidence = lost ? VERDICT_TIMEOUT : b->evidence;
	f.at_ms = b->now_ms + (lost ? b->pace.timeout_ms : b->after_ms);
	assert_true(b->flights < FLIGHT_MAX);
	b->flight[b->flights++] = f;
	b->probes++;
}

/* Return: whether the state changed in this millisecond. */
static bool tick(struct bench *b)
{
	bool changed = false;
	size_t i = 0;

	if (b->watch.due.ns <= at(b->now_ms).ns)
		probe(b);
	while (i < b->flights) {
		struct flight f = b->flight[i];

		if (f.at_ms > b->now_ms) {
			i++;
			continue;
		}
		b->flight[i] = b->flight[--b->flights];
		changed |= verdict_watch_result(&b->watch, &b->pace, at(b->now_ms), f.number, f.evidence);
	}
	b->now_ms++;
	return changed;
}

/* Return: milliseconds until it is @state, or @most. */
static __u64 until(struct bench *b, enum verdict_state state, __u64 most)
{
	__u64 began = b->now_ms;

	while (b->watch.state != state && b->now_ms - began < most)
		tick(b);
	return b->now_ms - began;
}

static void pass(struct bench *b, __u64 ms)
{
	for (__u64 end = b->now_ms + ms; b->now_ms < end;)
		tick(b);
}

static void the_first_answer_makes_it_up(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, &pace);
	bench_answers(&b, VERDICT_GOOD);
	assert_in_range(until(&b, VERDICT_UP, 10000), 0, 5);
}

/* Whenever in the interval it dies, after up to fall intervals and two timeouts. */
static void a_black_hole_is_down_in_time(void **state)
{
	__u64 slowest = 0;

	(void)state;
	for (__u64 phase = 0; phase < 2000; phase += 20) {
		struct bench b;
		__u64 took;

		bench_begin(&b, &pace);
		bench_answers(&b, VERDICT_GOOD);
		pass(&b, 10000 + phase);
		bench_answers(&b, VERDICT_TIMEOUT);
		took = until(&b, VERDICT_DOWN, 20000);
		slowest = took > slowest ? took : slowest;
	}
	assert_in_range(slowest, 6000, 3 * 2000 + 2 * 500);
}

static void who_refuses_is_down_within_two_intervals(void **state)
{
	(void)state;
	for (__u64 phase = 0; phase < 2000; phase += 20) {
		struct bench b;

		bench_begin(&b, &pace);
		bench_answers(&b, VERDICT_GOOD);
		pass(&b, 10000 + phase);
		bench_answers(&b, VERDICT_REFUSED);
		assert_in_range(until(&b, VERDICT_DOWN, 20000), 0, 2 * 2000);
	}
}

static void whom_a_peer_calls_down_is_down_within_two_timeouts(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, &pace);
	bench_answers(&b, VERDICT_GOOD);
	pass(&b, 10000);
	bench_answers(&b, VERDICT_TIMEOUT);
	verdict_watch_hurry(&b.watch, &b.pace, at(b.now_ms));
	assert_in_range(until(&b, VERDICT_DOWN, 20000), 0, 5 * 166 + 500 + 10);
}

/* It takes fall + 3 failures in a row; with one success among them it begins anew. */
static void one_answer_in_time_saves_it(void **state)
{
	(void)state;
	for (__u32 saved = 0; saved < 6; saved++) {
		struct verdict_watch w;
		__u32 i;

		verdict_watch_begin(&w, &pace, at(0), VERDICT_UP, 0);
		for (i = 0; i < 6; i++) {
			__u32 number = verdict_watch_probe(&w, &pace, at(1000 * i), 0);

			assert_false(verdict_watch_result(&w, &pace, at(1000 * i + 500), number,
							  i == saved ? VERDICT_GOOD : VERDICT_TIMEOUT));
		}
		assert_int_equal(w.state, VERDICT_UP);
		assert_int_equal(w.run, 5 - saved);
	}
}

static void failures_before_a_success_count_no_more(void **state)
{
	struct verdict_watch w;
	__u32 first, second;

	(void)state;
	verdict_watch_begin(&w, &pace, at(0), VERDICT_UP, 0);
	first = verdict_watch_probe(&w, &pace, at(0), 0);
	second = verdict_watch_probe(&w, &pace, at(100), 0);
	verdict_watch_result(&w, &pace, at(101), second, VERDICT_GOOD);
	verdict_watch_result(&w, &pace, at(500), first, VERDICT_TIMEOUT);
	assert_int_equal(w.run, 0);
	assert_false(w.failing);
}

static void results_of_no_probe_are_nothing(void **state)
{
	struct verdict_watch w;

	(void)state;
	verdict_watch_begin(&w, &pace, at(0), VERDICT_UP, 0);
	for (__u32 i = 0; i < 20; i++)
		assert_false(verdict_watch_result(&w, &pace, at(i), 1000 + i, VERDICT_TIMEOUT));
	assert_int_equal(w.run, 0);
}

static void it_comes_up_after_rise_successes(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, &pace);
	bench_answers(&b, VERDICT_TIMEOUT);
	until(&b, VERDICT_DOWN, 60000);
	assert_int_equal(b.watch.state, VERDICT_DOWN);
	bench_answers(&b, VERDICT_GOOD);
	assert_in_range(until(&b, VERDICT_UP, 60000), 1700, 2 * 2000 + 10);
}

/* 10^6 probes of a healthy target with a fifth of them lost: lone 5,500 times, with the burst 40. */
static void the_burst_tells_loss_from_death(void **state)
{
	struct verdict_pace lone = pace;
	size_t down[2] = {0};

	(void)state;
	lone.plain = true;
	for (size_t i = 0; i < 2; i++) {
		struct verdict_watch w;
		__u64 random = 1;

		verdict_watch_begin(&w, i ? &lone : &pace, at(0), VERDICT_UP, 0);
		for (__u64 n = 0; n < 1000000; n++) {
			__u32 number = verdict_watch_probe(&w, i ? &lone : &pace, at(n), 0);
			bool fails = mix_below(mix64(random++), 100) < 19;

			down[i] += verdict_watch_result(&w, i ? &lone : &pace, at(n), number,
							fails ? VERDICT_TIMEOUT : VERDICT_GOOD) &&
				   w.state == VERDICT_DOWN;
		}
	}
	assert_in_range(down[0], 15, 70);
	assert_in_range(down[1], 5000, 6000);
}

static void nobody_can_hurry_more_than_once_an_interval(void **state)
{
	struct bench b;
	__u64 before;

	(void)state;
	bench_begin(&b, &pace);
	bench_answers(&b, VERDICT_GOOD);
	pass(&b, 10000);
	before = b.probes;
	for (size_t i = 0; i < 20000; i++) {
		verdict_watch_hurry(&b.watch, &b.pace, at(b.now_ms));
		tick(&b);
	}
	assert_in_range(b.probes - before, 10, 2 * 11);
}

static void steps_are_short_and_not_too_short(void **state)
{
	static const struct {
		__u32 interval_ms, timeout_ms, step_ms;
	} row[] = {{2000, 500, 166}, {1000, 900, 100}, {100, 100, 50}, {60000, 3000, 1000}};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct verdict_pace p = {row[i].interval_ms, row[i].timeout_ms, 2, 3, false};

		assert_int_equal(verdict_watch_step_ms(&p), row[i].step_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_makes_it_up),
		cmocka_unit_test(a_black_hole_is_down_in_time),
		cmocka_unit_test(who_refuses_is_down_within_two_intervals),
		cmocka_unit_test(whom_a_peer_calls_down_is_down_within_two_timeouts),
		cmocka_unit_test(one_answer_in_time_saves_it),
		cmocka_unit_test(failures_before_a_success_count_no_more),
		cmocka_unit_test(results_of_no_probe_are_nothing),
		cmocka_unit_test(it_comes_up_after_rise_successes),
		cmocka_unit_test(the_burst_tells_loss_from_death),
		cmocka_unit_test(nobody_can_hurry_more_than_once_an_interval),
		cmocka_unit_test(steps_are_short_and_not_too_short),
	};

	return cmocka_run_group_tests_name("verdict_watch", tests, NULL, NULL);
}
