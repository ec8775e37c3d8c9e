// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which backends are outliers, second by second. Not here: counting (bpf/sign_test), what follows
 * (bpf/plane_serve_test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/outlier.h"

#define MOST 8
#define ALL  (~0ull) /* more clients than can be told apart */

struct world {
	struct outlier o[MOST], *at[MOST];
	struct outlier_count each[MOST]; /* a second */
	size_t count;
	bool ejects;
	struct mono now;
	__u32 changes;
};

static void world_of(struct world *w, size_t count, __u64 connections)
{
	memset(w, 0, sizeof(*w));
	w->count = count;
	w->now.ns = 1000000000;
	for (size_t i = 0; i < count; i++) {
		w->at[i] = &w->o[i];
		w->each[i] = (struct outlier_count){.connections = connections, .sources = ALL};
	}
}

static void pass(struct world *w, __u32 seconds)
{
	while (seconds--) {
		w->now = mono_after(w->now, 1000);
		for (size_t i = 0; i < w->count; i++)
			outlier_add(&w->o[i], &w->each[i], 1, w->now);
		w->changes += (__u32)outlier_step(w->at, w->count, w->ejects, w->now);
	}
}

/* Bit by backend. */
static unsigned int suspects(const struct world *w)
{
	unsigned int set = 0;

	for (size_t i = 0; i < w->count; i++)
		set |= (unsigned int)w->o[i].suspect << i;
	return set;
}

static unsigned int ejected(const struct world *w)
{
	unsigned int set = 0;

	for (size_t i = 0; i < w->count; i++)
		set |= (unsigned int)w->o[i].ejected << i;
	return set;
}

/* Per second, of each backend: connections, SYNs that come again, resets. */
static void who_sticks_out_of_its_peers_is_a_suspect(void **state)
{
	static const struct {
		const char *what;
		size_t count;
		struct outlier_count each[MOST];
		unsigned int suspects;
	} row[] = {
		{"nobody", 3, {{50, 0, 0, ALL}, {50, 1, 1, ALL}, {50, 0, 1, ALL}}, 0},
		{"a black hole", 3, {{50, 0, 0, ALL}, {50, 0, 0, ALL}, {20, 50, 0, ALL}}, 4},
		{"loses a third", 3, {{50, 1, 0, ALL}, {50, 25, 0, ALL}, {50, 0, 0, ALL}}, 2},
		{"loses a twentieth", 3, {{50, 1, 0, ALL}, {50, 4, 0, ALL}, {50, 0, 0, ALL}}, 0},
		{"resets", 3, {{50, 0, 20, ALL}, {50, 0, 1, ALL}, {50, 0, 2, ALL}}, 1},
		{"resets, as all do", 3, {{50, 0, 20, ALL}, {50, 0, 22, ALL}, {50, 0, 25, ALL}}, 0},
		{"resets of old connections", 3, {{50, 0, 500, ALL}, {50, 0, 0, ALL}, {50, 0, 0, ALL}}, 1},
		{"the clients' uplink loses 30 %", 3, {{50, 21, 0, ALL}, {50, 25, 0, ALL}, {50, 18, 0, ALL}}, 0},
		{"all are black holes", 3, {{50, 90, 0, ALL}, {40, 80, 0, ALL}, {45, 99, 0, ALL}}, 0},
		{"one of two", 2, {{50, 0, 0, ALL}, {50, 50, 0, ALL}}, 2},
		{"one alone", 1, {{50, 50, 0, ALL}}, 0},
		{"two of three", 3, {{50, 50, 0, ALL}, {50, 50, 0, ALL}, {50, 0, 0, ALL}}, 0},
		{"two of six",
		 6,
		 {{50, 50, 0, ALL}, {50, 50, 0, ALL}, {50, 0, 0, 0}, {50, 0, 0, 0}, {50, 0, 0, 0}, {50, 0, 0, 0}},
		 3},
		{"three of six",
		 6,
		 {{50, 50, 0, ALL}, {50, 50, 0, ALL}, {50, 50, 0, ALL}, {50, 0, 0, 0}, {50, 0, 0, 0}, {50, 0, 0, 0}},
		 0},
		{"few samples", 3, {{1, 0, 0, ALL}, {1, 0, 0, ALL}, {1, 0, 1, ALL}}, 0},
		{"few samples of the others", 3, {{1, 0, 0, ALL}, {1, 0, 0, ALL}, {50, 50, 0, ALL}}, 0},
		{"nothing at all", 3, {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}, 0},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		world_of(&w, row[i].count, 0);
		memcpy(w.each, row[i].each, sizeof(w.each));
		pass(&w, 60);
		if (suspects(&w) != row[i].suspects)
			fail_msg("%s: %x are suspects", row[i].what, suspects(&w));
		assert_int_equal(ejected(&w), 0);
	}
}

static void suspicion_begins_and_ends_once(void **state)
{
	struct world w;

	(void)state;
	world_of(&w, 3, 50);
	pass(&w, 60);
	w.each[1].repeats = 60;
	pass(&w, OUTLIER_RISE - 1);
	assert_int_equal(suspects(&w), 0);
	pass(&w, 3);
	assert_int_equal(suspects(&w), 2);
	assert_int_equal(w.o[1].signal, OUTLIER_REPEATS);
	assert_true(w.o[1].was > 0.2 && w.o[1].was_peers == 0);
	for (int i = 0; i < 30; i++) { /* just about as bad as it takes */
		w.each[1].repeats = i & 1 ? 12 : 5;
		pass(&w, 1);
	}
	w.each[1].repeats = 0;
	pass(&w, 40);
	assert_int_equal(suspects(&w), 0);
	assert_int_equal(w.changes, 2);
}

static void who_has_no_connections_is_no_suspect_for_long(void **state)
{
	struct world w;

	(void)state;
	world_of(&w, 3, 50);
	w.each[1].repeats = 60;
	pass(&w, 10);
	assert_int_equal(suspects(&w), 2);
	w.each[1] = (struct outlier_count){0};
	pass(&w, 60);
	assert_int_equal(suspects(&w), 0);
}

static void ejections_double_and_are_forgotten(void **state)
{
	static const __u32 takes[] = {30, 60, 120, 240, 300, 300};
	struct world w;
	__u32 seconds;

	(void)state;
	world_of(&w, 3, 50);
	w.ejects = true;
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		w.each[1] = (struct outlier_count){50, 50, 0, ALL};
		for (seconds = 0; !ejected(&w); seconds++)
			pass(&w, 1);
		assert_in_range(seconds, OUTLIER_RISE, 6);
		w.each[1] = (struct outlier_count){0};
		for (seconds = 0; ejected(&w); seconds++)
			pass(&w, 1);
		assert_int_equal(seconds, takes[i]);
		assert_int_equal(suspects(&w), 0);
	}
	w.each[1] = (struct outlier_count){50, 0, 0, 0};
	pass(&w, 300 + 240 + 120 + 60 + 30);
	w.each[1] = (struct outlier_count){50, 50, 0, ALL};
	while (!ejected(&w))
		pass(&w, 1);
	for (seconds = 0; ejected(&w); seconds++)
		pass(&w, 1);
	assert_in_range(seconds, 30, 60);
}

static void without_ejection_whoever_was_is_back(void **state)
{
	struct world w;

	(void)state;
	world_of(&w, 3, 50);
	w.ejects = true;
	w.each[1].repeats = 60;
	pass(&w, 10);
	assert_int_equal(ejected(&w), 2);
	w.ejects = false;
	pass(&w, 1);
	assert_int_equal(ejected(&w), 0);
}

/* A forger repeats its SYNs at one backend, or resets its connections, from so many addresses. */
static void a_forger_with_few_addresses_ejects_nobody(void **state)
{
	static const struct {
		int addresses;
		__u64 connections, signs;
		unsigned int suspects, ejected;
	} row[] = {
		{1, 100, 1000, 2, 0},	{4, 100, 1000, 2, 0},	{9, 100, 1000, 2, 0}, {40, 100, 1000, 2, 2},
		{40, 1000, 9000, 2, 0}, {64, 1000, 9000, 2, 2}, {1, 10, 1000, 2, 0},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
		size_t at = i / 2;

		world_of(&w, 3, row[at].connections);
		w.ejects = true;
		for (size_t k = 0; k < w.count; k++)
			w.each[k].sources = 0;
		w.each[1].sources = row[at].addresses == 64 ? ALL : (1ull << row[at].addresses) - 1;
		if (i & 1)
			w.each[1].resets = row[at].signs;
		else
			w.each[1].repeats = row[at].signs;
		pass(&w, 20);
		if (suspects(&w) != row[at].suspects || ejected(&w) != row[at].ejected)
			fail_msg("%d addresses, %llu of %llu: %x suspects, %x ejected", row[at].addresses,
				 row[at].signs, row[at].connections, suspects(&w), ejected(&w));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_sticks_out_of_its_peers_is_a_suspect),
		cmocka_unit_test(suspicion_begins_and_ends_once),
		cmocka_unit_test(who_has_no_connections_is_no_suspect_for_long),
		cmocka_unit_test(ejections_double_and_are_forgotten),
		cmocka_unit_test(without_ejection_whoever_was_is_back),
		cmocka_unit_test(a_forger_with_few_addresses_ejects_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
