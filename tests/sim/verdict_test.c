// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What verdicts stand: loss, liars, crashes, partitions, another roster. Not here: blind observers and many deaths at
 * once (verdict_many_test.c), 10^6 probes of each (tools/sim/sim_verdict.c), single functions (tests/unit).
 */
#include "verdict_measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"

#define PROBES	 30000
#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ROUND_MS (2 * VERDICT_REPAIR_MS + VERDICT_GOSSIP_MS) /* until who was away has all that others keep */

/* --- liars and loss --- */

static void nothing_is_called_down_that_is_well(size_t nodes, size_t liars, enum verdict_lie lie)
{
	struct verdict_world_options o = verdict_flock(nodes, liars, lie);
	struct verdict_false f;

	o.targets = 100;
	f = verdict_measure_false(&o, PROBES);
	if (f.ejected)
		fail_msg("%zu of %zu lie, %s: %zu called down", liars, nodes, verdict_lie_text(lie), f.ejected);
}

static void no_liar_has_a_healthy_backend_called_down(void **state)
{
	(void)state;
	for (size_t lie = 0; lie < VERDICT_LIES; lie++) {
		nothing_is_called_down_that_is_well(4, 1, lie);
		nothing_is_called_down_that_is_well(7, 2, lie);
	}
}

static void loss_has_none_called_down_by_two_or_three(void **state)
{
	(void)state;
	nothing_is_called_down_that_is_well(2, 0, 0);
	nothing_is_called_down_that_is_well(3, 0, 0);
}

/* The world is not blind: what is to be seen is seen. So is a flock that goes by the word of one. */
static void lone_checkers_and_too_many_liars_are_seen_to_err(void **state)
{
	struct verdict_world_options o = verdict_flock(1, 0, 0);

	(void)state;
	o.targets = 100;
	o.pace.plain = true;
	assert_true(verdict_measure_false(&o, PROBES).ejected > PROBES / 500);
	o = verdict_flock(4, 2, VERDICT_LIE_DOWN);
	o.targets = 100;
	o.pace.plain = true;
	assert_true(verdict_measure_false(&o, PROBES).ejected > PROBES / 1000);
	o = verdict_flock(4, 1, VERDICT_LIE_DOWN);
	o.targets = 100;
	o.rule.mode = VERDICT_MODE_ANY;
	assert_true(verdict_measure_false(&o, PROBES).ejected > 0);
}

/* Nothing is certified then, but each finds out by itself, and avoids it. */
static void too_many_who_call_the_dead_well_are_seen(void **state)
{
	struct verdict_world_options o = verdict_flock(4, 2, VERDICT_LIE_UP);
	static struct verdict_times t;

	(void)state;
	memset(&t, 0, sizeof(t));
	o.targets = 30;
	o.loss = 0;
	verdict_measure_times(&o, VERDICT_FAULT_MUTE, &t);
	assert_int_equal(t.missed, 10);
	assert_int_equal(t.avoided, 10);
}

static void death_is_told_in_time(size_t nodes, size_t liars, enum verdict_lie lie, enum verdict_fault_what death)
{
	struct verdict_world_options o = verdict_flock(nodes, liars, lie);
	static struct verdict_times t;

	memset(&t, 0, sizeof(t));
	o.targets = 60;
	o.loss = 0;
	verdict_measure_times(&o, death, &t);
	if (t.missed || verdict_quantile(t.all_s, t.count, 1) > verdict_bound_s(&o.pace, death))
		fail_msg("%zu of %zu lie, %s: all know after %.2f s, %zu never", liars, nodes, verdict_lie_text(lie),
			 verdict_quantile(t.all_s, t.count, 1), t.missed);
	assert_true(verdict_quantile(t.vote_s, t.count, 1) <= verdict_bound_s(&o.pace, VERDICT_FAULT_REFUSE));
}

static void all_know_of_a_death_in_time(void **state)
{
	(void)state;
	for (size_t lie = 0; lie < VERDICT_LIES; lie++) {
		death_is_told_in_time(4, 1, lie, VERDICT_FAULT_MUTE);
		death_is_told_in_time(4, 1, lie, VERDICT_FAULT_REFUSE);
		death_is_told_in_time(7, 2, lie, VERDICT_FAULT_MUTE);
		death_is_told_in_time(7, 2, lie, VERDICT_FAULT_REFUSE);
	}
	for (size_t nodes = 1; nodes < 4; nodes++) {
		death_is_told_in_time(nodes, 0, 0, VERDICT_FAULT_MUTE);
		death_is_told_in_time(nodes, 0, 0, VERDICT_FAULT_REFUSE);
	}
}

static void who_says_two_things_is_caught_by_all(void **state)
{
	struct verdict_world_options o = verdict_flock(4, 1, VERDICT_LIE_EQUIVOCATE);
	struct verdict_world *w = verdict_world_new(&o);
	struct verdict_view view;
	size_t caught;

	(void)state;
	verdict_world_run(w, 10000, NULL, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(verdict_view(verdict_world_node(w, i), verdict_world_target(0), &view), 0);
		caught = 0;
		for (size_t k = 0; k < view.seats.count; k++)
			caught += view.vote[k].caught;
		assert_int_equal(caught, 1);
		assert_int_equal(view.up, 3);
	}
	verdict_world_free(w);
}

/* A backend that is well meets at most one probe more an interval, whatever a peer says. */
static void who_cries_each_second_has_no_backend_flooded(void **state)
{
	struct verdict_world_options o = verdict_flock(4, 1, VERDICT_LIE_FLAP);
	struct verdict_world *w;
	__u64 probes;

	(void)state;
	o.loss = 0;
	w = verdict_world_new(&o);
	verdict_world_run(w, 200000, NULL, 0);
	probes = verdict_world_probes(w, 0);
	verdict_world_free(w);
	assert_in_range(probes, 300, 2 * 3 * 110);
}

static void probes_at_a_backend_do_not_grow_with_the_flock(void **state)
{
	static const size_t nodes[] = {4, 32, 128};
	__u64 probes[COUNT(nodes)];

	(void)state;
	for (size_t i = 0; i < COUNT(nodes); i++) {
		struct verdict_world_options o = verdict_flock(nodes[i], 0, 0);
		struct verdict_world *w = verdict_world_new(&o);

		verdict_world_run(w, 200000, NULL, 0);
		probes[i] = verdict_world_probes(w, 0);
		verdict_world_free(w);
	}
	assert_in_range(probes[1], probes[0] * 9 / 10, probes[0] * 11 / 10);
	assert_in_range(probes[2], probes[0] * 9 / 10, probes[0] * 11 / 10);
}

/* --- crashes and partitions --- */

static void all_hold(struct verdict_world *w, size_t first, size_t count, size_t target, enum verdict_state state,
		     enum verdict_source source)
{
	for (size_t i = first; i < first + count; i++) {
		enum verdict_source by;

		assert_int_equal(verdict_world_state(w, i, target, &by), state);
		assert_int_equal(by, source);
	}
}

static void halves_go_by_their_own_probes_and_agree_after_the_heal(void **state)
{
	const struct verdict_fault fault[] = {
		{10000, VERDICT_FAULT_PART, 0, 2, 1},
		{20000, VERDICT_FAULT_MUTE, 0, 1, 0},
		{40000, VERDICT_FAULT_PART, 0, 2, 0},
	};
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_world *w;

	(void)state;
	o.targets = 4;
	o.loss = 0;
	w = verdict_world_new(&o);
	verdict_world_run(w, 9000, fault, COUNT(fault));
	all_hold(w, 0, 4, 0, VERDICT_UP, VERDICT_BY_CERTIFIED);
	verdict_world_run(w, 30000, fault, COUNT(fault));
	all_hold(w, 0, 4, 0, VERDICT_DOWN, VERDICT_BY_LOCAL);
	all_hold(w, 0, 4, 1, VERDICT_UP, VERDICT_BY_LOCAL);
	verdict_world_run(w, 40000 + ROUND_MS, fault, COUNT(fault));
	all_hold(w, 0, 4, 0, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	all_hold(w, 0, 4, 1, VERDICT_UP, VERDICT_BY_CERTIFIED);
	verdict_world_free(w);
}

static void the_last_of_four_goes_by_its_own_probes(void **state)
{
	const struct verdict_fault fault[] = {
		{10000, VERDICT_FAULT_CRASH, 1, 3, 0},
		{20000, VERDICT_FAULT_REFUSE, 0, 1, 0},
		{30000, VERDICT_FAULT_HEAL, 0, 1, 0},
	};
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_world *w = verdict_world_new(&o);

	(void)state;
	verdict_world_run(w, 29000, fault, COUNT(fault));
	all_hold(w, 0, 1, 0, VERDICT_DOWN, VERDICT_BY_LOCAL);
	verdict_world_run(w, 40000, fault, COUNT(fault));
	all_hold(w, 0, 1, 0, VERDICT_UP, VERDICT_BY_LOCAL);
	verdict_world_free(w);
}

static void a_crashed_observer_is_not_missed(void **state)
{
	const struct verdict_fault fault[] = {
		{10000, VERDICT_FAULT_CRASH, 3, 1, 0},
		{10100, VERDICT_FAULT_MUTE, 0, 1, 0},
	};
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_world *w;

	(void)state;
	o.loss = 0;
	w = verdict_world_new(&o);
	verdict_world_run(w, 10100 + 7300, fault, COUNT(fault));
	all_hold(w, 0, 3, 0, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	verdict_world_free(w);
}

/* Two say up and two say down, so nothing new comes about; the newcomers cannot know from votes what stands. */
static void newcomers_hold_what_the_others_do_after_a_round_of_gossip(void **state)
{
	const struct verdict_fault fault[] = {
		{10000, VERDICT_FAULT_MUTE, 0, 1, 0},  {25000, VERDICT_FAULT_BLIND, 2, 2, 100},
		{25000, VERDICT_FAULT_HEAL, 0, 1, 0},  {40000, VERDICT_FAULT_CRASH, 1, 1, 0},
		{41000, VERDICT_FAULT_START, 1, 1, 0}, {50000, VERDICT_FAULT_CRASH, 0, 1, 0},
		{51000, VERDICT_FAULT_START, 0, 1, 0},
	};
	struct verdict_world_options o = verdict_flock(4, 0, 0);
	struct verdict_view view;
	struct verdict_world *w;

	(void)state;
	o.loss = 0;
	w = verdict_world_new(&o);
	for (__u64 ms = 41000; ms <= 51000; ms += 10000) {
		verdict_world_run(w, ms + ROUND_MS, fault, COUNT(fault));
		all_hold(w, 0, 4, 0, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
		assert_int_equal(verdict_view(verdict_world_node(w, 2), verdict_world_target(0), &view), 0);
		assert_in_range(view.down, 1, 2);
	}
	verdict_world_free(w);
}

/* --- doubt --- */

struct changes {
	size_t down, times; /* of all targets, of node 0; moments at which it changed something */
	__u64 last_ms;
};

static void on_change(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		      enum verdict_source source, __u64 since_ms)
{
	struct changes *c = arg;

	(void)target;
	(void)source;
	(void)since_ms;
	if (node || state != VERDICT_DOWN)
		return;
	c->down++;
	c->times += now_ms != c->last_ms;
	c->last_ms = now_ms;
}

/* --- rosters, modes --- */

static void another_roster_moves_nothing(void **state)
{
	const struct verdict_fault fault[] = {
		{10000, VERDICT_FAULT_MUTE, 0, 3, 0},
		{25000, VERDICT_FAULT_ROSTER, 0, 1, 7},
		{45000, VERDICT_FAULT_ROSTER, 0, 1, 8},
	};
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = 8, .seed = 1};
	struct changes c = {0};
	struct verdict_world *w;
	size_t down;

	(void)state;
	o.targets = 20;
	o.changed = on_change;
	o.arg = &c;
	w = verdict_world_new(&o);
	verdict_world_run(w, 24000, fault, COUNT(fault));
	down = c.down;
	assert_int_equal(down, 3);
	verdict_world_run(w, 25000, fault, COUNT(fault));
	all_hold(w, 0, 7, 0, VERDICT_DOWN, VERDICT_BY_FORMER);
	for (__u64 ms = 25100; ms < 60000; ms += 100) {
		verdict_world_run(w, ms, fault, COUNT(fault));
		for (size_t i = 0; i < o.targets; i++)
			assert_int_equal(verdict_world_state(w, 0, i, NULL), i < 3 ? VERDICT_DOWN : VERDICT_UP);
	}
	for (size_t i = 0; i < o.targets; i++)
		all_hold(w, 0, 8, i, i < 3 ? VERDICT_DOWN : VERDICT_UP, VERDICT_BY_CERTIFIED);
	verdict_world_free(w);
}

static void every_mode_tells_the_dead_from_the_living(void **state)
{
	static const __u32 stake[8] = {1, 50, 3, 1, 1, 9, 1, 2};
	const struct verdict_fault fault[] = {{10000, VERDICT_FAULT_MUTE, 0, 2, 0},
					      {30000, VERDICT_FAULT_HEAL, 0, 1, 0}};
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];

	(void)state;
	for (size_t mode = 0; mode < VERDICT_MODE_COUNT; mode++) {
		struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = 8, .seed = 1, .stake = stake};
		struct verdict_world *w;
		struct signing signing;
		int len;

		o.targets = 20;
		o.rule.mode = mode;
		w = verdict_world_new(&o);
		verdict_world_run(w, 9000, fault, COUNT(fault));
		all_hold(w, 0, 8, 0, VERDICT_UP, VERDICT_BY_CERTIFIED);
		verdict_world_run(w, 25000, fault, COUNT(fault));
		all_hold(w, 0, 8, 0, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
		all_hold(w, 0, 8, 2, VERDICT_UP, VERDICT_BY_CERTIFIED);
		signing = verdict_world_signing(w);
		len = verdict_export(verdict_world_node(w, 5), verdict_world_target(0), bytes);
		assert_true(len > 0);
		assert_int_equal(verdict_verify(bytes, (size_t)len, verdict_world_roster(w), &signing, NULL, NULL), 0);
		verdict_world_run(w, 45000, fault, COUNT(fault));
		all_hold(w, 0, 8, 0, VERDICT_UP, VERDICT_BY_CERTIFIED);
		all_hold(w, 0, 8, 1, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
		verdict_world_free(w);
	}
}

#define STORMS	    40 /* seeds */
#define STORM_END   60000
#define STORM_QUIET 30000
#define STORM_MAX   64

static int fault_order(const void *a, const void *b)
{
	__u64 x = ((const struct verdict_fault *)a)->at_ms, y = ((const struct verdict_fault *)b)->at_ms;

	return x < y ? -1 : x > y;
}

/* Nodes that part, crash and go blind, backends that die and come back, another roster; each for some seconds. */
static size_t storm(__u64 seed, size_t nodes, size_t honest, size_t targets, struct verdict_fault *ret)
{
	__u64 random = mix64(seed);
	size_t count = 0;

	while (count + 2 < STORM_MAX) {
		__u64 at_ms = mix_below(mix64(random++), STORM_END), for_ms = mix_below(mix64(random++), 15000),
		      end_ms = at_ms + for_ms < STORM_END ? at_ms + for_ms : STORM_END;
		size_t node = mix_below(mix64(random++), (__u32)honest),
		       target = mix_below(mix64(random++), (__u32)targets);
		static const enum verdict_fault_what what[] = {VERDICT_FAULT_PART, VERDICT_FAULT_BLIND,
							       VERDICT_FAULT_MUTE, VERDICT_FAULT_REFUSE,
							       VERDICT_FAULT_ROSTER};
		enum verdict_fault_what is = what[mix_below(mix64(random++), COUNT(what))];

		switch (is) {
		case VERDICT_FAULT_PART:
		case VERDICT_FAULT_BLIND:
			ret[count++] = (struct verdict_fault){at_ms, is, node, 1, is == VERDICT_FAULT_BLIND ? 100 : 1};
			ret[count++] = (struct verdict_fault){end_ms, is, node, 1, 0};
			break;
		case VERDICT_FAULT_MUTE:
		case VERDICT_FAULT_REFUSE:
			ret[count++] = (struct verdict_fault){at_ms, is, target, 1, 0};
			ret[count++] = (struct verdict_fault){end_ms, VERDICT_FAULT_HEAL, target, 1, 0};
			break;
		default:
			ret[count++] = (struct verdict_fault){at_ms, VERDICT_FAULT_ROSTER, 0, 1, (__u32)nodes - 1};
			ret[count++] = (struct verdict_fault){end_ms, VERDICT_FAULT_ROSTER, 0, 1, (__u32)nodes};
			break;
		}
	}
	ret[count++] = (struct verdict_fault){STORM_END, VERDICT_FAULT_MUTE, 0, 1, 0};
	qsort(ret, count, sizeof(*ret), fault_order);
	return count;
}

static void after_a_storm_all_hold_what_is_so(__u64 seed)
{
	struct verdict_fault fault[STORM_MAX];
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = 4 + seed % 5, .seed = seed, .loss = seed % 7};
	struct verdict_world *w;
	size_t count;

	o.liars = seed % 2;
	o.lie = seed / 2 % VERDICT_LIES;
	o.targets = 6;
	count = storm(seed, o.nodes, o.nodes - o.liars, o.targets, fault);
	w = verdict_world_new(&o);
	verdict_world_run(w, STORM_END + STORM_QUIET, fault, count);
	for (size_t i = 0; i < o.targets; i++) {
		enum verdict_state is = i ? VERDICT_UP : VERDICT_DOWN;

		if (verdict_world_agreeing(w, i, is) != o.nodes - o.liars)
			fail_msg("seed %llu: of %zu nodes %zu hold target %zu %s", seed, o.nodes - o.liars,
				 verdict_world_agreeing(w, i, is), i, verdict_state_word(is));
	}
	verdict_world_free(w);
}

static void after_storms_all_hold_what_is_so(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= STORMS; seed++)
		after_a_storm_all_hold_what_is_so(seed);
}

static void every_run_of_a_seed_is_the_same(void **state)
{
	__u64 messages[2], probes[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct verdict_world_options o = verdict_flock(4, 1, VERDICT_LIE_REPLAY);
		struct verdict_world *w;

		o.targets = 20;
		w = verdict_world_new(&o);
		verdict_world_run(w, 60000, NULL, 0);
		messages[i] = verdict_world_messages(w);
		probes[i] = verdict_world_probes(w, 7);
		verdict_world_free(w);
	}
	assert_int_equal(messages[0], messages[1]);
	assert_int_equal(probes[0], probes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_liar_has_a_healthy_backend_called_down),
		cmocka_unit_test(loss_has_none_called_down_by_two_or_three),
		cmocka_unit_test(lone_checkers_and_too_many_liars_are_seen_to_err),
		cmocka_unit_test(all_know_of_a_death_in_time),
		cmocka_unit_test(too_many_who_call_the_dead_well_are_seen),
		cmocka_unit_test(who_says_two_things_is_caught_by_all),
		cmocka_unit_test(who_cries_each_second_has_no_backend_flooded),
		cmocka_unit_test(probes_at_a_backend_do_not_grow_with_the_flock),
		cmocka_unit_test(halves_go_by_their_own_probes_and_agree_after_the_heal),
		cmocka_unit_test(the_last_of_four_goes_by_its_own_probes),
		cmocka_unit_test(a_crashed_observer_is_not_missed),
		cmocka_unit_test(newcomers_hold_what_the_others_do_after_a_round_of_gossip),
		cmocka_unit_test(another_roster_moves_nothing),
		cmocka_unit_test(every_mode_tells_the_dead_from_the_living),
		cmocka_unit_test(after_storms_all_hold_what_is_so),
		cmocka_unit_test(every_run_of_a_seed_is_the_same),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
