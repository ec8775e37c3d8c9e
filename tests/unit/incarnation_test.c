// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Incarnations over restarts and lost stores, twins, and hybrid logical clocks. Not here: pages.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/hlc.h"
#include "core/incarnation.h"
#include "core/mix.h"

static struct mono at(__u64 ms)
{
	return (struct mono){(ms + 1000000) * 1000000};
}

static struct endpoint endpoint(const char *text)
{
	struct endpoint e = {0};

	assert_int_equal(endpoint_parse(text, &e), 0);
	return e;
}

static void a_start_is_later_than_what_is_stored(void **state)
{
	struct incarnation i;

	(void)state;
	incarnation_begin(&i, 0, 77);
	assert_int_equal(i.number, 1);
	assert_false(incarnation_step(&i, at(0), false));
	incarnation_begin(&i, 41, 78);
	assert_int_equal(i.number, 42);
	assert_false(incarnation_step(&i, at(0), false));
	/* its own pages, given back by a peer, are no reason for another */
	incarnation_heard(&i, &(struct page_version){42, 78, 5});
	incarnation_heard(&i, &(struct page_version){41, 77, 5});
	assert_false(incarnation_step(&i, at(0), false));
	assert_int_equal(i.number, 42);
}

static void a_lost_store_costs_a_new_incarnation(void **state)
{
	struct incarnation i;

	(void)state;
	incarnation_begin(&i, 0, 77);
	incarnation_heard(&i, &(struct page_version){9, 5, 100});
	incarnation_heard(&i, &(struct page_version){7, 4, 100});
	assert_true(incarnation_step(&i, at(0), false));
	assert_int_equal(i.number, 10);
	assert_false(incarnation_step(&i, at(0), false));
	/* another boot with the same number is outranked, too */
	incarnation_begin(&i, 9, 78);
	incarnation_heard(&i, &(struct page_version){10, 77, 1});
	assert_true(incarnation_step(&i, at(0), false));
	assert_int_equal(i.number, 11);
}

static void clones_do_not_race(void **state)
{
	struct incarnation a, b;
	__u32 before = 0;
	__u64 ms;

	(void)state;
	incarnation_begin(&a, 3, 1);
	incarnation_begin(&b, 3, 2);
	for (ms = 0; ms < 10000; ms += 10) {
		incarnation_heard(&a, &(struct page_version){b.number, b.boot, 1});
		incarnation_heard(&b, &(struct page_version){a.number, a.boot, 1});
		incarnation_step(&a, at(ms), ms >= 5000);
		incarnation_step(&b, at(ms), ms >= 5000);
		if (ms == 4990)
			before = a.number + b.number;
	}
	/* one or two more a second for each of them, until the conflict is known, and none from then on */
	assert_in_range(before, 4 + 4 + 5, 4 + 4 + 2 * 2 * 5);
	assert_int_equal(a.number + b.number, before);
}

static void the_last_number_is_not_passed(void **state)
{
	struct incarnation i;

	(void)state;
	incarnation_begin(&i, 0xffffffff, 1);
	assert_int_equal(i.number, 0xffffffff);
	incarnation_begin(&i, 0, 1);
	incarnation_heard(&i, &(struct page_version){0xffffffff, 2, 1});
	assert_false(incarnation_step(&i, at(0), false));
	assert_int_equal(i.number, 1);
}

static void a_restart_is_no_conflict_not_even_at_another_address(void **state)
{
	struct endpoint here = endpoint("10.0.0.1:700"), there = endpoint("10.0.0.2:700");
	struct twin_watch w = {0};
	__u64 ms, boot;

	(void)state;
	for (boot = 1; boot < 6; boot++)
		for (ms = 0; ms < 3000; ms += 100) {
			twin_heard(&w, boot, boot % 2 ? &here : &there, at(boot * 3000 + ms));
			/* what the earlier one sent last is late */
			if (ms == 1500 && boot > 1)
				twin_heard(&w, boot - 1, boot % 2 ? &there : &here, at(boot * 3000 + ms));
			assert_false(twin_conflict(&w, at(boot * 3000 + ms)));
		}
}

static void two_boots_that_go_on_are_a_conflict_until_one_ends(void **state)
{
	struct endpoint here = endpoint("10.0.0.1:700"), there = endpoint("10.0.0.2:700");
	struct twin_watch w = {0};
	__u64 ms;

	(void)state;
	for (ms = 0; ms < 5000; ms += 200)
		twin_heard(&w, 8, &here, at(ms));
	for (; ms < 10000; ms += 200) {
		twin_heard(&w, 8, &here, at(ms));
		twin_heard(&w, 3, &there, at(ms));
		assert_int_equal(twin_conflict(&w, at(ms)), ms >= 5000 + TWIN_OVERLAP_MS);
	}
	/* one goes on alone */
	for (; ms < 9800 + TWIN_SILENT_MS + 1000; ms += 200) {
		twin_heard(&w, 3, &there, at(ms));
		assert_int_equal(twin_conflict(&w, at(ms)), ms < 9800 + TWIN_SILENT_MS);
	}
}

static void three_of_one_key_are_noticed_as_two_are(void **state)
{
	struct endpoint from[3] = {endpoint("10.0.0.1:700"), endpoint("10.0.0.2:700"), endpoint("10.0.0.2:701")};
	struct twin_watch w = {0};
	__u64 ms;
	int i;

	(void)state;
	for (ms = 0; ms < 3000; ms += 200)
		for (i = 0; i < 3; i++)
			twin_heard(&w, (__u64)i + 1, &from[i], at(ms));
	assert_true(twin_conflict(&w, at(ms)));
}

static void dates_follow_causes_whatever_the_wall_clocks_say(void **state)
{
	struct hlc node[4] = {{0}};
	__u64 offset[4] = {0, 499, 120, 3}, last[4] = {0}, wall = 1000000, random = 1;
	int i, from, to;

	(void)state;
	for (i = 0; i < 20000; i++) {
		__u64 sent, next;

		random = mix64(random);
		from = (int)(random % 4);
		to = (int)(random / 4 % 4);
		wall += random / 16 % 3 == 0;
		sent = hlc_now(&node[from], wall + offset[from]);
		assert_true(sent > last[from]);
		last[from] = sent;
		assert_int_equal(hlc_heard(&node[to], wall + offset[to], sent), 0);
		next = hlc_now(&node[to], wall + offset[to]);
		assert_true(next > sent && next > last[to]);
		last[to] = next;
		/* bounded by the fastest clock (theorem 3 of the paper) */
		assert_in_range(hlc_ms(next), wall, wall + 499 + 1);
	}
}

static void a_date_from_beyond_the_bound_moves_nothing(void **state)
{
	struct hlc h = {0};
	__u64 before = hlc_now(&h, 1000);

	(void)state;
	assert_int_equal(hlc_heard(&h, 1000, (1000 + HLC_SKEW_MS + 1) << 16), -ERANGE);
	assert_int_equal(hlc_heard(&h, 1000, ~0ULL), -ERANGE);
	assert_true(h.last == before);
	assert_int_equal(hlc_heard(&h, 1000, (1000 + HLC_SKEW_MS) << 16), 0);
	assert_true(hlc_now(&h, 1000) > (1000 + HLC_SKEW_MS) << 16);
	assert_int_equal(hlc_ahead_ms(&h, 1000), HLC_SKEW_MS);
	/* an old date is believed, and changes no order */
	assert_int_equal(hlc_heard(&h, 1000, 5), 0);
	assert_int_equal(hlc_ahead_ms(&h, 1000), HLC_SKEW_MS);
}

static void a_wall_clock_set_back_does_not_take_dates_back(void **state)
{
	struct hlc h = {0};
	__u64 first = hlc_now(&h, 50000), second = hlc_now(&h, 40000);
	int i;

	(void)state;
	assert_true(second > first);
	assert_int_equal(hlc_ahead_ms(&h, 40000), 10000);
	assert_true(hlc_now(&h, 50001) == 50001ULL << 16);
	assert_int_equal(hlc_ahead_ms(&h, 50001), 0);
	for (i = 0; i < 70000; i++)
		assert_true(hlc_now(&h, 50001) > (50001ULL << 16));
	assert_int_equal(hlc_ahead_ms(&h, 50001), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_is_later_than_what_is_stored),
		cmocka_unit_test(a_lost_store_costs_a_new_incarnation),
		cmocka_unit_test(clones_do_not_race),
		cmocka_unit_test(the_last_number_is_not_passed),
		cmocka_unit_test(a_restart_is_no_conflict_not_even_at_another_address),
		cmocka_unit_test(two_boots_that_go_on_are_a_conflict_until_one_ends),
		cmocka_unit_test(three_of_one_key_are_noticed_as_two_are),
		cmocka_unit_test(dates_follow_causes_whatever_the_wall_clocks_say),
		cmocka_unit_test(a_date_from_beyond_the_bound_moves_nothing),
		cmocka_unit_test(a_wall_clock_set_back_does_not_take_dates_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
