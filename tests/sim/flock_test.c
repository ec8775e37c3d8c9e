// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a flock does about crashes, stalls, cuts and liars, few seeds of each. Virtual time, so every bound is exact and
 * every run the same. Not here: medians over many seeds (tools/sim).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flock_world.h"

#define NODES_MAX 128
#define WARM_MS	  5000
#define COUNT(a)  (sizeof(a) / sizeof(*(a)))

/* Who pronounced whom dead, and when. */
struct log {
	__u64 dead_ms[NODES_MAX][NODES_MAX]; /* by viewer and subject; 0: not */
	size_t deaths, unfit;
};

static void on_change(void *arg, __u64 now_ms, size_t who, size_t subject, enum member_state to)
{
	struct log *log = arg;

	log->unfit += to == MEMBER_UNFIT;
	if (to != MEMBER_DEAD)
		return;
	log->deaths++;
	log->dead_ms[who][subject] = now_ms;
}

static void nobody_died(const struct log *log, __u64 seed)
{
	size_t i, k;

	for (i = 0; i < NODES_MAX; i++)
		for (k = 0; k < NODES_MAX; k++)
			if (log->dead_ms[i][k])
				fail_msg("seed %llu: for %zu died %zu at %llu ms", seed, i, k, log->dead_ms[i][k]);
}

static struct sim *sim_of(size_t nodes, __u64 seed, struct log *log)
{
	struct sim_options o = {SIM_OPTIONS, .nodes = nodes, .seed = seed, .change = on_change, .arg = log};
	struct sim *w = sim_new(&o);

	memset(log, 0, sizeof(*log));
	sim_run(w, WARM_MS, NULL, 0);
	if (sim_agreeing(w) != nodes || log->deaths)
		fail_msg("%zu nodes, seed %llu: %zu agree after the start", nodes, seed, sim_agreeing(w));
	return w;
}

static const size_t sizes[] = {1, 2, 3, 5, 32};

static void who_crashes_is_known_gone_by_all(void **state)
{
	static const struct sim_fault crash[] = {{.at_ms = WARM_MS, .what = SIM_CRASH}};
	struct log log;
	size_t s, i;
	__u64 seed;

	(void)state;
	for (s = 1; s < COUNT(sizes); s++)
		for (seed = 1; seed <= 10; seed++) {
			struct sim *w = sim_of(sizes[s], seed, &log);

			sim_run(w, WARM_MS + 3000, crash, COUNT(crash));
			for (i = 1; i < sizes[s]; i++)
				if (sim_state(w, i, 0) != MEMBER_DEAD || !log.dead_ms[i][0])
					fail_msg("%zu nodes, seed %llu: %zu does not know", sizes[s], seed, i);
			assert_int_equal(log.deaths, sizes[s] - 1);
			sim_free(w);
		}
}

static void who_comes_back_is_alive_for_all_within_2_s(void **state)
{
	static const struct sim_fault faults[] = {{.at_ms = WARM_MS, .what = SIM_CRASH},
						  {.at_ms = WARM_MS + 20000, .what = SIM_START}};
	struct log log;
	size_t s;

	(void)state;
	for (s = 1; s < COUNT(sizes); s++) {
		struct sim *w = sim_of(sizes[s], 1, &log);

		sim_run(w, WARM_MS + 22000, faults, COUNT(faults));
		assert_int_equal(sim_agreeing(w), sizes[s]);
		sim_free(w);
	}
}

static void all_restarted_at_once_are_members_again_within_5_s(void **state)
{
	static const struct sim_fault faults[] = {{.at_ms = WARM_MS, .node = SIM_ALL, .what = SIM_CRASH},
						  {.at_ms = WARM_MS + 1000, .node = SIM_ALL, .what = SIM_START}};
	struct log log;
	size_t s;

	(void)state;
	for (s = 0; s < COUNT(sizes); s++) {
		struct sim *w = sim_of(sizes[s], 2, &log);

		sim_run(w, WARM_MS + 6000, faults, COUNT(faults));
		assert_int_equal(sim_agreeing(w), sizes[s]);
		sim_free(w);
	}
}

/* A new flock, through one address. Half of it comes late: it is told of all, though nobody has news any more. */
static void strangers_with_one_address_find_all_within_5_s(void **state)
{
	static const struct sim_fault late[] = {{.at_ms = 1, .node = 32, .count = 32, .what = SIM_CRASH},
						{.at_ms = 20000, .node = 32, .count = 32, .what = SIM_START}};
	struct sim_options o = {SIM_OPTIONS, .nodes = 64, .strangers = true, .change = on_change};
	struct log log;

	(void)state;
	for (o.seed = 1; o.seed <= 5; o.seed++) {
		struct sim *w;

		memset(&log, 0, sizeof(log));
		o.arg = &log;
		w = sim_new(&o);
		sim_run(w, 25000, late, COUNT(late));
		assert_int_equal(sim_agreeing(w), 64);
		sim_free(w);
	}
}

static void halves_become_one_within_5_s_of_the_heal(void **state)
{
	static const struct sim_fault faults[] = {
		{.at_ms = WARM_MS, .node = 0, .count = 16, .what = SIM_PART, .value = 1},
		{.at_ms = WARM_MS + 60000, .node = SIM_ALL, .what = SIM_PART, .value = 0}};
	struct log log;
	__u64 seed;

	(void)state;
	for (seed = 1; seed <= 3; seed++) {
		struct sim *w = sim_of(32, seed, &log);
		size_t i;

		sim_run(w, WARM_MS + 30000, faults, COUNT(faults));
		for (i = 0; i < 32; i++)
			sim_publish(w, i, 1, "written in a half");
		sim_run(w, WARM_MS + 60000, faults, COUNT(faults));
		assert_int_not_equal(sim_pages_digest(w, 0), sim_pages_digest(w, 31));
		sim_run(w, WARM_MS + 65000, faults, COUNT(faults));
		assert_int_equal(sim_agreeing(w), 32);
		sim_free(w);
	}
}

static void loss_of_a_tenth_takes_nobody_out(void **state)
{
	struct sim_options o = {SIM_OPTIONS, .nodes = 32, .loss = 10, .twice = 5, .change = on_change};
	struct log log;
	__u64 seed, ms;

	(void)state;
	for (seed = 1; seed <= 3; seed++) {
		struct sim *w;

		memset(&log, 0, sizeof(log));
		o.seed = seed;
		o.arg = &log;
		w = sim_new(&o);
		sim_run(w, 60000, NULL, 0);
		assert_int_equal(log.deaths, 0);
		for (ms = 60000; ms < 65000 && sim_agreeing(w) < 32; ms += 100) /* some are suspected at any time */
			sim_run(w, ms, NULL, 0);
		assert_int_equal(sim_agreeing(w), 32);
		sim_free(w);
	}
}

static void who_stands_still_for_a_second_is_spared(void **state)
{
	static const struct sim_fault stall[] = {{.at_ms = WARM_MS, .what = SIM_STALL, .value = 1000},
						 {.at_ms = WARM_MS + 10000, .what = SIM_STALL, .value = 1000}};
	struct log log;
	__u64 seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		struct sim *w = sim_of(32, seed, &log);

		sim_run(w, WARM_MS + 20000, stall, COUNT(stall));
		nobody_died(&log, seed);
		assert_int_equal(sim_agreeing(w), 32);
		sim_free(w);
	}
}

static void who_hears_nothing_goes_and_nobody_else(void **state)
{
	static const struct sim_fault deaf[] = {{.at_ms = WARM_MS, .what = SIM_DEAF, .value = 1}};
	struct log log;
	size_t i, k;

	(void)state;
	struct sim *w = sim_of(32, 4, &log);

	sim_run(w, WARM_MS + 30000, deaf, COUNT(deaf));
	for (i = 1; i < 32; i++)
		for (k = 1; k < 32; k++)
			assert_int_equal(log.dead_ms[i][k], 0);
	for (i = 1; i < 32; i++)
		assert_int_not_equal(sim_state(w, i, 0), MEMBER_ALIVE);
	sim_free(w);
}

static void one_liar_takes_nobody_out(void **state)
{
	static const struct sim_fault lies[] = {{.at_ms = WARM_MS, .what = SIM_ACCUSE, .value = 20000}};
	struct log log;
	size_t i, k;

	(void)state;
	struct sim *w = sim_of(32, 5, &log);

	sim_run(w, WARM_MS + 20000, lies, COUNT(lies));
	for (i = 1; i < 32; i++)
		for (k = 1; k < 32; k++)
			assert_int_equal(log.dead_ms[i][k], 0);
	sim_run(w, WARM_MS + 25000, NULL, 0);
	assert_int_equal(sim_agreeing(w), 32);
	sim_free(w);
}

/* Whatever lies a member with the keys tells of others' lives, and whatever it signs in their names. */
static void one_forger_takes_nobody_out(void **state)
{
	static const struct sim_fault lies[] = {{.at_ms = WARM_MS, .what = SIM_FORGE, .value = 20000}};
	struct log log;
	__u64 forged = 0;

	(void)state;
	struct sim *w = sim_of(32, 8, &log);

	sim_run(w, WARM_MS + 25000, lies, COUNT(lies));
	assert_int_equal(log.deaths, 0);
	for (size_t i = 0; i < 32; i++)
		forged += flock_count(sim_flock(w, i), PAGE_FORGED);
	assert_true(forged > 1000);
	assert_int_equal(sim_agreeing(w), 32);
	sim_free(w);
}

/* Each datagram takes 100 us to hear; a member sends 2,000 a second to one. */
static void one_that_floods_takes_nobody_out(void **state)
{
	static const struct sim_fault flood[] = {{.at_ms = WARM_MS, .node = 1, .what = SIM_FLOOD, .value = 20000}};
	struct sim_options o = {SIM_OPTIONS, .nodes = 32, .seed = 9, .cost_us = 100, .change = on_change};
	struct log log = {0};
	struct sim *w;

	(void)state;
	o.arg = &log;
	w = sim_new(&o);
	sim_run(w, WARM_MS + 25000, flood, COUNT(flood));
	assert_int_equal(log.deaths, 0);
	assert_int_equal(sim_agreeing(w), 32);
	sim_free(w);
}

/* Clocks that are hours off, and jump: nothing is decided by them, and everybody knows. */
static void clocks_decide_nothing(void **state)
{
	static const struct sim_fault jumps[] = {
		{.at_ms = WARM_MS, .count = 8, .what = SIM_CLOCK, .value = 7200000},
		{.at_ms = WARM_MS, .node = 8, .count = 8, .what = SIM_CLOCK, .value = (__u32)-7200000},
		{.at_ms = WARM_MS + 5000, .node = SIM_ALL, .what = SIM_CLOCK, .value = 1000},
		{.at_ms = WARM_MS + 10000, .count = 8, .what = SIM_CLOCK, .value = (__u32)-7200000}};
	struct log log;
	__s64 off_us;

	(void)state;
	struct sim *w = sim_of(32, 10, &log);

	sim_run(w, WARM_MS + 60000, jumps, COUNT(jumps));
	assert_int_equal(log.deaths, 0);
	assert_int_equal(sim_agreeing(w), 32);
	off_us = sim_offset_us(w, 31, 8) + 7200000000;
	assert_true(off_us > -5000 && off_us < 5000);
	off_us = sim_offset_us(w, 31, 0);
	assert_true(off_us > -5000 && off_us < 5000);
	sim_free(w);
}

/* What a lost, torn or restored disk costs is a new incarnation. */
static void whatever_becomes_of_a_disk_its_node_is_a_member_again(void **state)
{
	static const struct sim_fault starts[] = {
		{.at_ms = WARM_MS, .count = 12, .what = SIM_CRASH},
		{.at_ms = WARM_MS + 500, .count = 12, .what = SIM_START},
		{.at_ms = WARM_MS + 5000, .count = 12, .what = SIM_CRASH},
		{.at_ms = WARM_MS + 5500, .count = 4, .what = SIM_START, .value = SIM_KEPT},
		{.at_ms = WARM_MS + 5500, .node = 4, .count = 4, .what = SIM_START, .value = SIM_LOST},
		{.at_ms = WARM_MS + 5500, .node = 8, .count = 4, .what = SIM_START, .value = SIM_OLD}};
	struct log log;
	__u64 seed;

	(void)state;
	for (seed = 1; seed <= 5; seed++) {
		struct sim *w = sim_of(32, seed, &log);

		sim_run(w, WARM_MS + 10500, starts, COUNT(starts));
		assert_int_equal(sim_agreeing(w), 32);
		sim_free(w);
	}
}

static void who_leaves_is_not_held_dead(void **state)
{
	static const struct sim_fault leave[] = {{.at_ms = WARM_MS, .what = SIM_LEAVE},
						 {.at_ms = WARM_MS + 3000, .what = SIM_CRASH}};
	struct log log;
	size_t i;

	(void)state;
	struct sim *w = sim_of(5, 6, &log);

	sim_run(w, WARM_MS + 20000, leave, COUNT(leave));
	for (i = 1; i < 5; i++)
		assert_int_equal(sim_state(w, i, 0), MEMBER_LEFT);
	assert_int_equal(log.deaths, 0);
	sim_free(w);
}

/* The cost of a flock at rest is each node's own, however many there are. */
static void messages_do_not_grow_with_the_flock(void **state)
{
	static const size_t some[] = {5, 32, 64};
	struct log log;
	size_t s;

	(void)state;
	for (s = 0; s < COUNT(some); s++) {
		struct sim *w = sim_of(some[s], 7, &log);
		struct sim_traffic t;

		sim_run(w, 20000, NULL, 0);
		sim_traffic(w);
		sim_run(w, 40000, NULL, 0);
		t = sim_traffic(w);
		print_message("%zu nodes at rest: %.1f messages, %.0f bytes a node and second\n", some[s],
			      (double)t.messages / 20 / (double)some[s], (double)t.bytes / 20 / (double)some[s]);
		assert_true(t.messages < 20 * some[s] * 12);
		sim_free(w);
	}
}

/* A node that has had nothing to say, and then has, has not stood still. */
static void who_publishes_is_not_late(void **state)
{
	struct log log;
	struct sim *w;

	(void)state;
	w = sim_of(3, 1, &log);
	for (__u64 ms = 10000; ms < 610000; ms += 1030) {
		char text[16];

		snprintf(text, sizeof(text), "%llu", ms);
		sim_publish(w, (size_t)(ms / 1030 % 3), 0, text);
		sim_run(w, ms, NULL, 0);
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(opinion_count(flock_opinion(sim_flock(w, i)), OPINION_LATE), 0);
	sim_free(w);
}

/* --- sites --- */

#define SITES 4

static struct sim *hierarchy_of(size_t nodes, __u64 seed, struct log *log)
{
	struct sim_options o = {SIM_OPTIONS,  .nodes = nodes,	   .sites = SITES,
				.seed = seed, .change = on_change, .arg = log};
	struct sim *w;

	o.opinion.hierarchy = true;
	memset(log, 0, sizeof(*log));
	w = sim_new(&o);
	sim_run(w, 2 * WARM_MS, NULL, 0);
	if (sim_agreeing(w) != nodes || log->deaths)
		fail_msg("%zu nodes, seed %llu: %zu agree after the start, %zu died", nodes, seed, sim_agreeing(w),
			 log->deaths);
	return w;
}

/* Each of a site in turn, so its bridges as well; single nodes that are a site, too. */
static void who_crashes_in_a_site_is_known_gone_in_all(void **state)
{
	static const size_t flocks[] = {4, 8, 12, 32};
	struct log log;

	(void)state;
	for (size_t f = 0; f < COUNT(flocks); f++)
		for (size_t victim = 0; victim < flocks[f] / SITES; victim++) {
			const struct sim_fault crash = {.at_ms = 2 * WARM_MS, .node = victim, .what = SIM_CRASH};
			struct sim *w = hierarchy_of(flocks[f], victim + 1, &log);

			sim_run(w, 2 * WARM_MS + 5000, &crash, 1);
			for (size_t i = 0; i < flocks[f]; i++)
				if (i != victim && !log.dead_ms[i][victim])
					fail_msg("%zu nodes: %zu does not know of %zu", flocks[f], i, victim);
			assert_int_equal(log.deaths, flocks[f] - 1);
			sim_free(w);
		}
}

static void between_sites_only_bridges_talk(void **state)
{
	struct sim_traffic t;
	struct log log;
	struct sim *w;

	(void)state;
	w = hierarchy_of(64, 1, &log);
	sim_run(w, 20000, NULL, 0);
	sim_traffic(w);
	sim_run(w, 30000, NULL, 0);
	t = sim_traffic(w);
	/* A bridge of 16 + 6 near ones sends 6 in 21 of its probes to other sites; 8 of 64 nodes are one. */
	assert_in_range(t.far_messages, 1, t.messages / 20);
	assert_in_range(t.messages / 10 / 64, 9, 11);
	sim_free(w);
}

static void a_site_that_was_cut_off_is_one_state_with_the_others(void **state)
{
	const struct sim_fault faults[] = {{.at_ms = 2 * WARM_MS, .count = 8, .what = SIM_PART, .value = 1},
					   {.at_ms = 70000, .node = SIM_ALL, .what = SIM_PART, .value = 0}};
	struct log log;

	(void)state;
	for (__u64 seed = 1; seed <= 5; seed++) {
		struct sim *w = hierarchy_of(32, seed, &log);

		sim_run(w, 60000, faults, 1);
		for (size_t i = 0; i < 32; i++)
			for (size_t k = 0; k < 32; k++)
				if (i / 8 != k / 8 && (i < 8 || k < 8))
					assert_int_equal(sim_state(w, i, k), MEMBER_DEAD);
		sim_publish(w, 3, 5, "in the site");
		sim_publish(w, 30, 5, "elsewhere");
		sim_run(w, 75000, faults + 1, 1);
		if (sim_agreeing(w) != 32)
			fail_msg("seed %llu: %zu agree 5 s after the heal", seed, sim_agreeing(w));
		sim_free(w);
	}
}

static void a_whole_site_that_is_gone_is_known_gone(void **state)
{
	const struct sim_fault crash = {.at_ms = 2 * WARM_MS, .count = 8, .what = SIM_CRASH};
	struct log log;
	struct sim *w;

	(void)state;
	w = hierarchy_of(32, 1, &log);
	sim_run(w, 2 * WARM_MS + 30000, &crash, 1);
	for (size_t i = 8; i < 32; i++)
		for (size_t k = 0; k < 8; k++)
			if (sim_state(w, i, k) != MEMBER_DEAD)
				fail_msg("%zu holds %zu alive", i, k);
	assert_int_equal(log.deaths, 24 * 8);
	sim_free(w);
}

/* Far more of them than bridges. */
static void a_large_site_that_is_gone_is_known_gone_soon(void **state)
{
	const struct sim_fault crash = {.at_ms = 2 * WARM_MS, .count = 32, .what = SIM_CRASH};
	struct log log;
	struct sim *w;

	(void)state;
	w = hierarchy_of(128, 1, &log);
	sim_run(w, 2 * WARM_MS + 20000, &crash, 1);
	for (size_t i = 32; i < 128; i++)
		for (size_t k = 0; k < 32; k++)
			if (sim_state(w, i, k) != MEMBER_DEAD)
				fail_msg("%zu holds %zu alive", i, k);
	assert_int_equal(log.deaths, 96 * 32);
	sim_free(w);
}

/* Its own site tells of it while nobody else can hear. */
static void who_goes_while_its_site_is_cut_off_is_known_gone_after_the_heal(void **state)
{
	static const enum sim_what ways[] = {SIM_CRASH, SIM_LEAVE};

	(void)state;
	for (size_t victim = 0; victim < 8; victim++)
		for (size_t way = 0; way < COUNT(ways); way++) {
			const struct sim_fault faults[] = {
				{.at_ms = 2 * WARM_MS, .count = 8, .what = SIM_PART, .value = 1},
				{.at_ms = 2 * WARM_MS, .node = victim, .what = ways[way]},
				{.at_ms = 2 * WARM_MS + 5000, .node = SIM_ALL, .what = SIM_PART, .value = 0},
			};
			struct log log;
			struct sim *w = hierarchy_of(32, victim + 1, &log);

			sim_run(w, 2 * WARM_MS + 25000, faults, COUNT(faults));
			for (size_t i = 8; i < 32; i++)
				if (sim_state(w, i, victim) != MEMBER_DEAD && sim_state(w, i, victim) != MEMBER_LEFT)
					fail_msg("%zu holds %zu alive", i, victim);
			sim_free(w);
		}
}

/* Sites of two: of the probes of one that loses a fifth of what it sends and hears, helpers elsewhere save most. */
static void the_bridges_of_small_sites_help_each_other(void **state)
{
	const struct sim_fault loss = {.at_ms = 2 * WARM_MS, .count = 1, .what = SIM_LOSS, .value = 20};
	__u64 probes = 0, failed = 0;
	struct log log;

	(void)state;
	for (__u64 seed = 1; seed <= 5; seed++) {
		struct sim *w = hierarchy_of(8, seed, &log);

		sim_run(w, 2 * WARM_MS + 60000, &loss, 1);
		for (size_t i = 2; i < 8; i++) {
			probes += opinion_count(flock_opinion(sim_flock(w, i)), OPINION_PROBES);
			failed += opinion_count(flock_opinion(sim_flock(w, i)), OPINION_FAILED);
		}
		sim_free(w);
	}
	assert_in_range(failed, 1, probes / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_crashes_is_known_gone_by_all),
		cmocka_unit_test(who_comes_back_is_alive_for_all_within_2_s),
		cmocka_unit_test(all_restarted_at_once_are_members_again_within_5_s),
		cmocka_unit_test(strangers_with_one_address_find_all_within_5_s),
		cmocka_unit_test(halves_become_one_within_5_s_of_the_heal),
		cmocka_unit_test(loss_of_a_tenth_takes_nobody_out),
		cmocka_unit_test(who_stands_still_for_a_second_is_spared),
		cmocka_unit_test(who_hears_nothing_goes_and_nobody_else),
		cmocka_unit_test(one_liar_takes_nobody_out),
		cmocka_unit_test(one_forger_takes_nobody_out),
		cmocka_unit_test(one_that_floods_takes_nobody_out),
		cmocka_unit_test(clocks_decide_nothing),
		cmocka_unit_test(whatever_becomes_of_a_disk_its_node_is_a_member_again),
		cmocka_unit_test(who_leaves_is_not_held_dead),
		cmocka_unit_test(messages_do_not_grow_with_the_flock),
		cmocka_unit_test(who_publishes_is_not_late),
		cmocka_unit_test(who_crashes_in_a_site_is_known_gone_in_all),
		cmocka_unit_test(between_sites_only_bridges_talk),
		cmocka_unit_test(a_site_that_was_cut_off_is_one_state_with_the_others),
		cmocka_unit_test(a_whole_site_that_is_gone_is_known_gone),
		cmocka_unit_test(a_large_site_that_is_gone_is_known_gone_soon),
		cmocka_unit_test(who_goes_while_its_site_is_cut_off_is_known_gone_after_the_heal),
		cmocka_unit_test(the_bridges_of_small_sites_help_each_other),
	};

	return cmocka_run_group_tests_name("flock", tests, NULL, NULL);
}
