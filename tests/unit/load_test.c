// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads that go out and come in. Not here: entries as bytes (fact_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/load_in.h"
#include "core/load_out.h"
#include "core/mix.h"

#define PAGES 16

static struct mono at(__u64 ms)
{
	return (struct mono){(ms + 1000000) * 1000000};
}

static struct page page_of(const struct page_draft *draft, __u64 origin, struct page_version version)
{
	return (struct page){.origin = origin,
			     .kind = PAGE_KIND_LOADS,
			     .version = version,
			     .len = draft->len,
			     .entries = draft->entries};
}

/* Set one backend of @count to a load, the others to 0. */
static void set(struct load_out *o, size_t count, size_t which, __u32 open)
{
	struct fact_load *load = calloc(count, sizeof(*load));
	size_t i;

	for (i = 0; i < count; i++)
		load[i] = (struct fact_load){i + 1, i == which ? open : 0};
	assert_int_equal(load_out_set(o, load, count), 0);
	free(load);
}

/* Entries that go out now, in all; adds the bytes, with what messages cost, to each receiver. */
static size_t drain(struct load_out *o, __u64 ms, size_t receivers, size_t *bytes)
{
	static struct page_draft draft[PAGES];
	int got = load_out_take(o, at(ms), receivers, draft, PAGES), i;
	size_t entries = 0;

	assert_in_range(got, 0, PAGES - 1);
	for (i = 0; i < got; i++) {
		entries += draft[i].len / (sizeof(struct page_entry_header) + FACT_LOAD_BYTES);
		*bytes += draft[i].len + LOAD_MESSAGE_BYTES;
	}
	return entries;
}

static void only_what_has_changed_enough_goes_out(void **state)
{
	static const struct {
		__u32 from, to;
		bool due;
	} cases[] = {{0, 1, true},	   {1, 0, true},	{20, 21, false},      {20, 22, true},
		     {100, 105, false},	   {100, 106, true},	{100, 94, true},      {10000, 10007, false},
		     {10000, 10008, true}, {10000, 9992, true}, {10000, 9993, false}, {7, 7, false},
		     {0xffffffff, 0, true}};
	size_t i, bytes = 0;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct load_out o = {0};

		set(&o, 1, 0, cases[i].from);
		assert_int_equal(drain(&o, 0, 1, &bytes), 1);
		assert_int_equal(drain(&o, 100, 1, &bytes), 0);
		set(&o, 1, 0, cases[i].to);
		if (drain(&o, 200, 1, &bytes) != cases[i].due)
			fail_msg("%u -> %u", cases[i].from, cases[i].to);
		load_out_free(&o);
	}
}

static void all_is_told_again_after_ten_seconds(void **state)
{
	struct load_out o = {0};
	size_t bytes = 0;

	(void)state;
	set(&o, 100, 5, 50);
	assert_int_equal(drain(&o, 0, 1, &bytes), 100);
	assert_int_equal(drain(&o, 9999, 1, &bytes), 0);
	assert_int_equal(load_out_late_ms(&o, at(9999)), 0);
	assert_int_equal(load_out_late_ms(&o, at(12000)), 2000);
	assert_int_equal(drain(&o, 12000, 1, &bytes), 100);
	assert_int_equal(load_out_late_ms(&o, at(12000)), 0);
	/* nobody to be told */
	assert_int_equal(drain(&o, 30000, 0, &bytes), 0);
	load_out_free(&o);
}

/* The rest follows, second by second, and the small changes are not lost. */
static void over_the_budget_the_largest_changes_go_first(void **state)
{
	enum { BACKENDS = 2000, RECEIVERS = 31 };
	struct fact_load *load = calloc(BACKENDS, sizeof(*load)), got;
	struct page_draft draft = {0};
	struct load_out o = {0};
	size_t i, bytes = 0, told = 0, at_entry = 0;
	__u32 last = ~0u;
	struct page page;
	__u64 ms;

	(void)state;
	for (i = 0; i < BACKENDS; i++)
		load[i] = (struct fact_load){i + 1, (__u32)(mix64(i) % 1000 + 1)};
	assert_int_equal(load_out_set(&o, load, BACKENDS), 0);
	assert_int_equal(load_out_take(&o, at(0), RECEIVERS, &draft, 1), 1);
	page = page_of(&draft, 1, (struct page_version){1, 1, 1});
	while (fact_load_next(&page, &at_entry, &got) > 0) {
		assert_true(got.open <= last);
		last = got.open;
	}
	assert_in_range(last, 900, 1000);
	bytes = draft.len + LOAD_MESSAGE_BYTES;
	told = FACT_LOADS_PER_PAGE;
	for (ms = 0; told < BACKENDS && ms < 60000; ms += 100) {
		told += drain(&o, ms, RECEIVERS, &bytes);
		assert_true((double)(bytes * RECEIVERS) <= LOAD_BYTES_PER_SECOND * (1 + (double)ms / 1000));
	}
	for (i = 0; i < BACKENDS; i++) /* also the smallest, though the first ones are due again by now */
		assert_true(o.entry[i].at.ns && o.entry[i].told == o.entry[i].open);
	/* 2,000 entries of 16 bytes for 31, less what a second allows at once */
	assert_in_range(ms, 14000, 19000);
	free(load);
	load_out_free(&o);
}

static void backends_that_come_and_go_leave_the_others_told(void **state)
{
	struct fact_load load[] = {{3, 1}, {5, 1}, {9, 1}}, next[] = {{1, 1}, {5, 1}, {9, 1}, {10, 1}};
	struct load_out o = {0};
	size_t bytes = 0;

	(void)state;
	assert_int_equal(load_out_set(&o, load, 3), 0);
	assert_int_equal(drain(&o, 0, 1, &bytes), 3);
	assert_int_equal(load_out_set(&o, next, 4), 0);
	assert_int_equal(drain(&o, 1, 1, &bytes), 2);
	assert_int_equal(load_out_set(&o, NULL, 0), 0);
	assert_int_equal(drain(&o, 20000, 1, &bytes), 0);
	load_out_free(&o);
}

/* --- others' --- */

static int hear(struct load_in *l, __u64 origin, struct page_version version, __u64 key, __u32 open, __u64 ms)
{
	struct fact_load load = {key, open};
	struct page_draft draft = {0};
	struct page page;

	fact_load_encode(&load, &draft);
	page = page_of(&draft, origin, version);
	return load_in_page(l, &page, at(ms));
}

static void loads_of_the_others_are_added_up(void **state)
{
	static const __u64 keys[] = {10, 20, 30}, fewer[] = {5, 20};
	struct load_in *l = load_in_new();

	(void)state;
	assert_int_equal(load_in_keys(l, keys, 3), 0);
	assert_int_equal(hear(l, 1, (struct page_version){1, 1, 1}, 20, 100, 0), 0);
	assert_int_equal(hear(l, 2, (struct page_version){1, 1, 1}, 20, 50, 0), 0);
	assert_int_equal(hear(l, 2, (struct page_version){1, 1, 2}, 30, 7, 0), 0);
	assert_int_equal(hear(l, 2, (struct page_version){1, 1, 3}, 99, 1000, 0), 0); /* nobody's here */
	assert_int_equal(load_in_open(l, 0), 0);
	assert_int_equal(load_in_open(l, 1), 150);
	assert_int_equal(load_in_open(l, 2), 7);
	/* a later word replaces the earlier, in whatever order they come */
	hear(l, 1, (struct page_version){1, 1, 9}, 20, 10, 0);
	hear(l, 1, (struct page_version){1, 1, 8}, 20, 99, 0);
	assert_int_equal(load_in_open(l, 1), 60);
	assert_int_equal(load_in_keys(l, fewer, 2), 0);
	assert_int_equal(load_in_open(l, 0), 0);
	assert_int_equal(load_in_open(l, 1), 60);
	load_in_free(l);
}

static void a_node_that_dies_or_starts_anew_weighs_no_more(void **state)
{
	static const __u64 keys[] = {10, 20};
	struct load_in *l = load_in_new();

	(void)state;
	load_in_keys(l, keys, 2);
	hear(l, 1, (struct page_version){1, 7, 5}, 10, 100, 0);
	hear(l, 2, (struct page_version){1, 8, 5}, 10, 30, 0);
	load_in_silence(l, 1);
	assert_int_equal(load_in_open(l, 0), 30);
	/* who kept the page cannot say it again for him */
	assert_int_equal(hear(l, 1, (struct page_version){1, 7, 5}, 10, 100, 0), 0);
	assert_int_equal(load_in_open(l, 0), 30);
	assert_int_equal(hear(l, 1, (struct page_version){1, 7, 6}, 10, 90, 0), 0);
	assert_int_equal(load_in_open(l, 0), 120);
	/* a later boot: counters begin anew, and what the earlier one had is gone */
	assert_int_equal(hear(l, 1, (struct page_version){2, 3, 1}, 20, 5, 0), 0);
	assert_int_equal(load_in_open(l, 0), 30);
	assert_int_equal(load_in_open(l, 1), 5);
	assert_int_equal(hear(l, 1, (struct page_version){1, 7, 7}, 10, 100, 0), -ESTALE);
	load_in_forget(l, 1);
	assert_int_equal(load_in_open(l, 1), 0);
	load_in_forget(l, 77);
	load_in_free(l);
}

static void what_is_not_told_again_grows_old(void **state)
{
	static const __u64 keys[] = {10, 20};
	struct load_in *l = load_in_new();

	(void)state;
	load_in_keys(l, keys, 2);
	hear(l, 1, (struct page_version){1, 7, 1}, 10, 100, 0);
	hear(l, 1, (struct page_version){1, 7, 2}, 20, 100, 30000);
	load_in_age(l, at(LOAD_OLD_MS - 1));
	assert_int_equal(load_in_open(l, 0), 100);
	load_in_age(l, at(LOAD_OLD_MS));
	assert_int_equal(load_in_open(l, 0), 0);
	assert_int_equal(load_in_open(l, 1), 100);
	hear(l, 1, (struct page_version){1, 7, 1}, 10, 100, LOAD_OLD_MS);
	assert_int_equal(load_in_open(l, 0), 0);
	hear(l, 1, (struct page_version){1, 7, 3}, 10, 0xffffffff, LOAD_OLD_MS);
	hear(l, 2, (struct page_version){1, 7, 3}, 10, 0xffffffff, LOAD_OLD_MS);
	assert_true(load_in_open(l, 0) == 2 * 0xffffffffULL);
	load_in_free(l);
}

static void a_page_that_is_wrong_counts_for_nothing(void **state)
{
	static const __u64 keys[] = {10};
	struct fact_node_load node = {5, 6, 7, 8}, got;
	struct fact_load load = {10, 100};
	struct load_in *l = load_in_new();
	struct page_draft draft = {0};
	struct page page;
	struct mono when;

	(void)state;
	load_in_keys(l, keys, 1);
	fact_load_encode(&load, &draft);
	fact_node_load_encode(&node, &draft);
	page_entry_add(&draft, FACT_LOAD_BACKEND, "short", 5);
	page = page_of(&draft, 1, (struct page_version){1, 1, 1});
	assert_int_equal(load_in_page(l, &page, at(0)), -EBADMSG);
	assert_int_equal(load_in_open(l, 0), 0);
	assert_int_equal(load_in_node(l, 1, &got, &when), -ENOENT);
	draft.len -= 9;
	page = page_of(&draft, 1, (struct page_version){1, 1, 1});
	assert_int_equal(load_in_page(l, &page, at(3)), 0);
	assert_int_equal(load_in_open(l, 0), 100);
	assert_int_equal(load_in_node(l, 1, &got, &when), 0);
	assert_true(got.open == 5 && got.cpu_permille == 8 && when.ns == at(3).ns);
	load_in_free(l);
}

/* Three balancers with changing loads: with no message lost, each knows of the others to 5 % or 8 connections. */
static void what_is_known_elsewhere_is_never_far_off(void **state)
{
	enum { BACKENDS = 50, TURNS = 600 };
	__u64 keys[BACKENDS], random = 1;
	struct load_in *l = load_in_new();
	struct load_out out[3] = {{0}};
	struct fact_load load[3][BACKENDS];
	struct page_draft draft = {0};
	__u64 counter = 0, sum, told;
	size_t i, k, turn;

	(void)state;
	for (i = 0; i < BACKENDS; i++)
		keys[i] = i + 1;
	load_in_keys(l, keys, BACKENDS);
	for (k = 0; k < 3; k++)
		for (i = 0; i < BACKENDS; i++)
			load[k][i] = (struct fact_load){keys[i], 100};
	for (turn = 0; turn < TURNS; turn++) {
		for (k = 0; k < 3; k++) {
			for (i = 0; i < BACKENDS; i++) {
				random = mix64(random);
				load[k][i].open += (__u32)(random % 7) - (load[k][i].open >= 6 ? 3 : 0);
			}
			load_out_set(&out[k], load[k], BACKENDS);
			while (load_out_take(&out[k], at(turn * 200), 2, &draft, 1) > 0) {
				struct page page = page_of(&draft, k + 1, (struct page_version){1, 1, ++counter});

				assert_int_equal(load_in_page(l, &page, at(turn * 200)), 0);
			}
		}
		for (i = 0; i < BACKENDS; i++) {
			sum = (__u64)load[0][i].open + load[1][i].open + load[2][i].open;
			told = load_in_open(l, i);
			assert_in_range(told > sum ? told - sum : sum - told, 0, 3 * LOAD_CHANGE_CONNECTIONS);
		}
	}
	for (k = 0; k < 3; k++)
		load_out_free(&out[k]);
	load_in_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_has_changed_enough_goes_out),
		cmocka_unit_test(all_is_told_again_after_ten_seconds),
		cmocka_unit_test(over_the_budget_the_largest_changes_go_first),
		cmocka_unit_test(backends_that_come_and_go_leave_the_others_told),
		cmocka_unit_test(loads_of_the_others_are_added_up),
		cmocka_unit_test(a_node_that_dies_or_starts_anew_weighs_no_more),
		cmocka_unit_test(what_is_not_told_again_grows_old),
		cmocka_unit_test(a_page_that_is_wrong_counts_for_nothing),
		cmocka_unit_test(what_is_known_elsewhere_is_never_far_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
