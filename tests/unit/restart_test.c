// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * When a program that begins a backend again is run, and by whom. Not here: the program (prober_test, net/health.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/mix.h"
#include "core/restart.h"

static struct mono at_s(__u64 seconds)
{
	return mono_after((struct mono){1}, seconds * 1000);
}

/* One run that takes no time. */
static void run(struct restart *r, struct mono now, __u64 random)
{
	assert_true(restart_due(r, now));
	restart_begun(r);
	assert_false(restart_due(r, now));
	restart_ended(r, now, false, random);
}

static void it_runs_at_once_and_again_while_it_is_down(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), false, true);
	assert_true(restart_idle(&r));
	assert_false(restart_due(&r, at_s(1)));
	restart_found(&r, at_s(2), true, false);
	run(&r, at_s(2), 0);
	assert_false(restart_due(&r, at_s(11)));
	run(&r, at_s(12), 0);
	assert_false(restart_due(&r, at_s(31)));
	run(&r, at_s(32), 0);
	restart_found(&r, at_s(40), false, true);
	assert_false(restart_due(&r, at_s(72)));
	assert_false(restart_idle(&r));
}

static void a_run_that_is_not_over_is_waited_for(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), true, false);
	restart_begun(&r);
	restart_found(&r, at_s(2), false, true);
	restart_found(&r, at_s(2 + RESTART_RESET_MS / 1000), false, true);
	restart_found(&r, at_s(3 + RESTART_RESET_MS / 1000), true, false);
	assert_false(restart_due(&r, at_s(4 + RESTART_RESET_MS / 1000)));
	restart_ended(&r, at_s(5 + RESTART_RESET_MS / 1000), false, 0);
	assert_false(restart_due(&r, at_s(14 + RESTART_RESET_MS / 1000)));
	assert_true(restart_due(&r, at_s(15 + RESTART_RESET_MS / 1000)));
}

static void waits_double_up_to_a_bound(void **state)
{
	static const __u64 wait_s[] = {10, 20, 40, 80, 160, 320, 600, 600};
	struct restart r = {0};
	__u64 now_s = 1;

	(void)state;
	restart_found(&r, at_s(now_s), true, false);
	for (size_t i = 0; i < sizeof(wait_s) / sizeof(wait_s[0]); i++) {
		run(&r, at_s(now_s), 0);
		assert_false(restart_due(&r, at_s(now_s + wait_s[i] - 1)));
		now_s += wait_s[i];
	}
	r.runs = UINT32_MAX - 1;
	run(&r, at_s(now_s), 0);
	assert_true(restart_due(&r, at_s(now_s + RESTART_MOST_MS / 1000)));
}

static void chance_makes_a_wait_shorter_by_a_quarter_at_most(void **state)
{
	__u64 least = UINT64_MAX, most = 0;

	(void)state;
	for (__u64 i = 0; i < 1000; i++) {
		struct restart r = {0};

		restart_found(&r, at_s(1), true, false);
		run(&r, at_s(1), mix64(i));
		least = mono_ms(at_s(1), r.next) < least ? mono_ms(at_s(1), r.next) : least;
		most = mono_ms(at_s(1), r.next) > most ? mono_ms(at_s(1), r.next) : most;
	}
	assert_in_range(least, RESTART_FIRST_MS * 3 / 4 + 1, RESTART_FIRST_MS * 8 / 10);
	assert_in_range(most, RESTART_FIRST_MS * 9 / 10, RESTART_FIRST_MS);
}

static void who_falls_again_soon_goes_on_waiting(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), true, false);
	run(&r, at_s(1), 0);
	restart_found(&r, at_s(3), false, true);
	restart_found(&r, at_s(5), true, false);
	assert_false(restart_due(&r, at_s(10)));
	run(&r, at_s(11), 0);
	assert_false(restart_due(&r, at_s(30)));
	assert_true(restart_due(&r, at_s(31)));
}

static void who_stays_up_begins_anew(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), true, false);
	run(&r, at_s(1), 0);
	run(&r, at_s(11), 0);
	restart_found(&r, at_s(12), false, true);
	restart_found(&r, at_s(11 + RESTART_RESET_MS / 1000), false, true);
	assert_false(restart_idle(&r));
	restart_found(&r, at_s(12 + RESTART_RESET_MS / 1000), false, true);
	assert_true(restart_idle(&r));
	/* also if it was not looked at until it is down again */
	restart_found(&r, at_s(1000), true, false);
	run(&r, at_s(1000), 0);
	restart_found(&r, at_s(1002), false, true);
	restart_found(&r, at_s(1002 + RESTART_RESET_MS / 1000), true, false);
	assert_int_equal(r.runs, 0);
	assert_true(restart_due(&r, at_s(1002 + RESTART_RESET_MS / 1000)));
}

static void all_nodes_find_the_same_runner(void **state)
{
	const __u64 node[] = {11, 7, 1ull << 63, 42}, other[] = {42, 1ull << 63, 11, 7}, without[] = {11, 7, 42};
	unsigned int turns[4] = {0}, moved = 0;

	(void)state;
	assert_int_equal(restart_runner(5, node, 0), 0);
	assert_int_equal(restart_runner(5, node, 1), 11);
	for (__u64 backend = 0; backend < 4000; backend++) {
		__u64 runner = restart_runner(backend, node, 4), left = restart_runner(backend, without, 3);

		assert_int_equal(restart_runner(backend, other, 4), runner);
		for (size_t i = 0; i < 4; i++)
			turns[i] += node[i] == runner;
		moved += runner != left && runner != 1ull << 63;
	}
	for (size_t i = 0; i < 4; i++)
		assert_in_range(turns[i], 850, 1150);
	assert_int_equal(moved, 0); /* who stays keeps what it has */
}

static void what_is_not_known_to_be_up_is_not_well(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), true, false);
	run(&r, at_s(1), 0);
	restart_found(&r, at_s(2), false, false);
	restart_found(&r, at_s(2 + RESTART_RESET_MS / 1000), false, false);
	assert_int_equal(r.runs, 1);
	restart_found(&r, at_s(1000), false, true);
	restart_found(&r, at_s(1001), false, false);
	restart_found(&r, at_s(1002), false, true);
	restart_found(&r, at_s(1001 + RESTART_RESET_MS / 1000), false, true);
	assert_int_equal(r.runs, 1);
	restart_found(&r, at_s(1002 + RESTART_RESET_MS / 1000), false, true);
	assert_true(restart_idle(&r));
}

static bool turn(struct restart *r, __u64 now_s, __u64 first, __u64 self)
{
	static const __u64 node[] = {11, 7, 42};

	restart_found(r, at_s(now_s), true, false);
	return restart_turn(r, at_s(now_s), first, self, 5, node, 3);
}

static void if_the_first_does_not_help_the_next_has_its_turn(void **state)
{
	const __u64 turn_s = RESTART_TURN_MS / 1000, node[] = {11, 7, 42}, first = restart_runner(5, node, 3);
	const __u64 other = first == 7 ? 11 : 7;
	unsigned int second = 0, third = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct restart r = {0};

		assert_int_equal(turn(&r, 10, first, node[i]), node[i] == first);
		assert_int_equal(turn(&r, 9 + turn_s, first, node[i]), node[i] == first);
		second += turn(&r, 10 + turn_s, first, node[i]);
		third += turn(&r, 10 + 2 * turn_s, first, node[i]);
		/* another one has its own time, and so has one that falls again */
		assert_int_equal(turn(&r, 20 + 2 * turn_s, other, node[i]), node[i] == other);
		assert_int_equal(turn(&r, 19 + 3 * turn_s, other, node[i]), node[i] == other);
		restart_found(&r, at_s(20 + 3 * turn_s), false, true);
		assert_int_equal(turn(&r, 21 + 3 * turn_s, other, node[i]), node[i] == other);
	}
	assert_int_equal(second, 2);
	assert_int_equal(third, 3);
}

static void who_may_not_run_it_has_no_turn(void **state)
{
	struct restart r = {0};

	(void)state;
	assert_false(turn(&r, 10, 7, 8));
	assert_false(turn(&r, 10000, 7, 8));
	r = (struct restart){0};
	assert_false(restart_turn(&r, at_s(1), 0, 8, 5, NULL, 0));
}

static void who_could_not_begin_it_leaves_it_to_others(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_found(&r, at_s(1), true, false);
	restart_begun(&r);
	restart_ended(&r, at_s(1), true, 0);
	assert_false(restart_due(&r, at_s(RESTART_MOST_MS / 1000)));
	assert_true(restart_due(&r, at_s(1 + RESTART_MOST_MS / 1000)));
}

/* As many that stay down as never all fit in, a few at a time, of 30 s each. */
static void of_many_each_has_its_turn(void **state)
{
	struct restart r[100] = {0};
	struct mono ends[100] = {0};
	__u32 least = UINT32_MAX, most = 0;

	(void)state;
	for (__u64 s = 1; s < 7200; s++) {
		size_t running = 0;

		for (size_t i = 0; i < 100; i++) {
			restart_found(&r[i], at_s(s), true, false);
			if (r[i].runs_now && ends[i].ns <= at_s(s).ns)
				restart_ended(&r[i], at_s(s), false, mix64(s * 100 + i));
			running += r[i].runs_now;
		}
		for (; running < 4; running++) {
			size_t next = 100;

			for (size_t i = 0; i < 100; i++)
				if (restart_due(&r[i], at_s(s)) && (next == 100 || restart_first(&r[i], &r[next])))
					next = i;
			if (next == 100)
				break;
			restart_begun(&r[next]);
			ends[next] = at_s(s + 30);
		}
	}
	for (size_t i = 0; i < 100; i++) {
		least = r[i].runs < least ? r[i].runs : least;
		most = r[i].runs > most ? r[i].runs : most;
	}
	assert_true(least >= 8);
	assert_true(most - least <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_runs_at_once_and_again_while_it_is_down),
		cmocka_unit_test(a_run_that_is_not_over_is_waited_for),
		cmocka_unit_test(waits_double_up_to_a_bound),
		cmocka_unit_test(chance_makes_a_wait_shorter_by_a_quarter_at_most),
		cmocka_unit_test(who_falls_again_soon_goes_on_waiting),
		cmocka_unit_test(who_stays_up_begins_anew),
		cmocka_unit_test(all_nodes_find_the_same_runner),
		cmocka_unit_test(what_is_not_known_to_be_up_is_not_well),
		cmocka_unit_test(if_the_first_does_not_help_the_next_has_its_turn),
		cmocka_unit_test(who_may_not_run_it_has_no_turn),
		cmocka_unit_test(of_many_each_has_its_turn),
		cmocka_unit_test(who_could_not_begin_it_leaves_it_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
