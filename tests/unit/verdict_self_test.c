// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node without a roster, and the only one of a roster when it becomes another one. Not here: one that hears others
 * (verdict_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "signer.h"
#include "verdict_target.h"

#define MANY 6

struct desk {
	struct signer signer;
	struct roster roster;
	struct verdict *verdict;
	struct mono now;
};

static int desk_setup(void **state)
{
	static struct desk d;
	struct verdict_config config = {.seed = 1, .signing = &d.signer.signing};

	memset(&d, 0, sizeof(d));
	d.now.ns = 1;
	signer_real(&d.signer, 1);
	d.roster = signers_roster(&d.signer, 1);
	config.self = (struct verdict_self){d.signer.id, 1, 99};
	d.verdict = verdict_new(&config);
	assert_non_null(d.verdict);
	assert_int_equal(verdict_roster(d.verdict, d.now, &d.roster), 0);
	assert_int_equal(verdict_targets(d.verdict, d.now, &target, 1), 0);
	*state = &d;
	return 0;
}

static int desk_teardown(void **state)
{
	struct desk *d = *state;

	verdict_free(d->verdict);
	roster_free(&d->roster);
	return 0;
}

/* What it votes next, within 20 s, of a target that answers @evidence. Return: whether it does. */
static bool votes(struct desk *d, enum verdict_evidence evidence, struct verdict_vote *ret)
{
	struct verdict_action a;

	for (__u64 end_ns = d->now.ns + 20000 * MS; d->now.ns < end_ns; d->now.ns += 10 * MS) {
		verdict_step(d->verdict, d->now);
		while (verdict_take(d->verdict, &a)) {
			if (a.act == VERDICT_PROBE)
				verdict_probed(d->verdict, d->now, a.target, a.number, evidence);
			if (a.act == VERDICT_VOTE)
				return !verdict_vote_decode(a.bytes, a.len, ret);
		}
	}
	return false;
}

static void holds(struct desk *d, enum verdict_state state, enum verdict_source source)
{
	struct verdict_view view;

	assert_int_equal(verdict_view(d->verdict, TARGET, &view), 0);
	assert_int_equal(view.state, state);
	assert_int_equal(view.source, source);
}

/* Others may have a vote of an earlier life, with a number that none of the present one reaches. */
static void a_later_life_votes_anew(void **state)
{
	struct desk *d = *state;
	struct verdict_self later = {.id = d->signer.id, .incarnation = 8, .boot = 99};
	struct verdict_vote vote = {0};

	assert_true(votes(d, VERDICT_GOOD, &vote));
	assert_int_equal(vote.number.incarnation, 1);
	verdict_self(d->verdict, d->now, &later);
	assert_true(votes(d, VERDICT_GOOD, &vote));
	assert_int_equal(vote.state, VERDICT_UP);
	assert_int_equal(vote.number.incarnation, 8);
	verdict_self(d->verdict, d->now, &later);
	assert_false(votes(d, VERDICT_GOOD, &vote));
}

/* Nothing that it found before keeps a target down that it may not probe any more. */
static void what_may_not_be_probed_is_not_judged(void **state)
{
	struct desk *d = *state;
	struct verdict_target blind = target;
	struct verdict_vote vote = {0};

	assert_true(votes(d, VERDICT_REFUSED, &vote));
	assert_int_equal(vote.state, VERDICT_DOWN);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	blind.blind = true;
	assert_int_equal(verdict_targets(d->verdict, d->now, &blind, 1), 0);
	assert_true(votes(d, VERDICT_REFUSED, &vote));
	assert_int_equal(vote.state, VERDICT_ABSTAIN);
	holds(d, VERDICT_NONE, VERDICT_BY_NOTHING);
	assert_false(votes(d, VERDICT_GOOD, &vote));
	assert_int_equal(verdict_targets(d->verdict, d->now, &target, 1), 0);
	assert_true(votes(d, VERDICT_GOOD, &vote));
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
}

/* MANY targets of a node alone, all of one pace: what was told of them. */
static size_t told_down(const struct verdict *v)
{
	struct verdict_view view;
	size_t down = 0;

	for (__u64 i = 0; i < MANY; i++) {
		assert_int_equal(verdict_view(v, TARGET + i, &view), 0);
		down += view.told.state == VERDICT_DOWN;
	}
	return down;
}

static void the_death_of_many_is_one_change(void **state)
{
	struct verdict_config config = {.seed = 1};
	struct verdict *v = verdict_new(&config);
	struct verdict_target many[MANY];
	struct verdict_action action;
	struct mono at = {1};
	bool dead = false;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		many[i] = target;
		many[i].id += i;
	}
	assert_non_null(v);
	assert_int_equal(verdict_targets(v, at, many, MANY), 0);
	for (; at.ns < 60000 * MS && told_down(v) < MANY; at.ns += 5 * MS) {
		dead |= at.ns > 20000 * MS;
		verdict_step(v, at);
		while (verdict_take(v, &action))
			if (action.act == VERDICT_PROBE)
				verdict_probed(v, at, action.target, action.number,
					       dead ? VERDICT_TIMEOUT : VERDICT_GOOD);
		assert_true(told_down(v) == 0 || told_down(v) == MANY);
	}
	assert_int_equal(told_down(v), MANY);
	verdict_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_death_of_many_is_one_change),
#define ON_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)
		ON_DESK(a_later_life_votes_anew),
		ON_DESK(what_may_not_be_probed_is_not_judged),
#undef ON_DESK
	};

	return cmocka_run_group_tests_name("verdict_self", tests, NULL, NULL);
}
