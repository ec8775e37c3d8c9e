// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What votes are worth to one node that hears them, with real signatures. Not here: what follows from that
 * (reputation_test.c), whole flocks for hours (tests/sim/reputation_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "signer.h"
#include "verdict_target.h"

#define NODES	5
#define FAIR_MS ((target.pace.fall + VERDICT_GRACE) * (__u64)target.pace.interval_ms)
#define HOUR_MS 3600000

/* A node that does not observe TARGET, and those who do; another one joins later. */
struct desk {
	struct signer signer[NODES + 1];
	struct roster roster;
	struct roster_epoch epoch;
	struct verdict_seats seats;
	struct verdict *verdict;
	__u64 now_ms, counter;
};

static struct mono now(const struct desk *d)
{
	return (struct mono){d->now_ms * MS + 1};
}

static void roster_is(struct desk *d, size_t nodes)
{
	roster_free(&d->roster);
	d->roster = signers_roster(d->signer, nodes);
	assert_int_equal(roster_digest(&d->roster, &d->epoch), 0);
	verdict_seats_draw(&d->roster, &target.rule, TARGET, &d->seats);
}

static struct verdict *verdict_of(struct desk *d)
{
	struct verdict_config config = {.seed = 1, .signing = &d->signer[0].signing};
	struct verdict *v;

	for (size_t i = 0; i < NODES; i++)
		if (verdict_seat_of(&d->seats, d->signer[i].id) < 0)
			config.self = (struct verdict_self){d->signer[i].id, 1, 99};
	v = verdict_new(&config);
	assert_non_null(v);
	assert_int_equal(verdict_roster(v, now(d), &d->roster), 0);
	assert_int_equal(verdict_targets(v, now(d), &target, 1), 0);
	return v;
}

static int desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof(d));
	for (__u32 i = 0; i <= NODES; i++)
		signer_real(&d.signer[i], i + 1);
	roster_is(&d, NODES);
	assert_int_equal(d.seats.count, 4);
	d.verdict = verdict_of(&d);
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

static enum verdict_outcome says_as(struct desk *d, size_t seat, enum verdict_state state, __u64 counter)
{
	struct verdict_vote vote = {.target = TARGET,
				    .voter = d->seats.seat[seat].id,
				    .epoch = d->epoch,
				    .number = {1, 5, counter},
				    .state = state};
	__u8 bytes[VERDICT_VOTE_BYTES];
	size_t i = 0;
	int len;

	while (d->signer[i].id != vote.voter)
		i++;
	assert_int_equal(verdict_vote_sign(&vote, &d->signer[i].signing), 0);
	len = verdict_vote_encode(&vote, bytes, sizeof(bytes));
	assert_true(len > 0);
	return verdict_vote(d->verdict, now(d), bytes, (size_t)len);
}

static void says(struct desk *d, size_t seat, enum verdict_state state)
{
	assert_int_equal(says_as(d, seat, state, ++d->counter), VERDICT_OUTCOME_NEW);
}

/* Own probes, where there are any, find it down. */
static void pass(struct desk *d, __u64 ms)
{
	struct verdict_action a;

	for (__u64 end = d->now_ms + ms; d->now_ms < end; d->now_ms += 100) {
		verdict_step(d->verdict, now(d));
		while (verdict_take(d->verdict, &a))
			if (a.act == VERDICT_PROBE)
				verdict_probed(d->verdict, now(d), a.target, a.number, VERDICT_REFUSED);
	}
}

/* Since it was asked last, of all seats. */
static void judged(struct desk *d, __u32 with, __u32 against)
{
	struct reputation_seen seen[NODES + 1];
	size_t count = verdict_judged(d->verdict, seen, NODES + 1);
	__u32 is_with = 0, is_against = 0;

	for (size_t i = 0; i < count; i++) {
		is_with += seen[i].with;
		is_against += seen[i].against;
	}
	assert_int_equal(is_with, with);
	assert_int_equal(is_against, against);
}

static void live(struct desk *d, size_t seat, bool is)
{
	verdict_live(d->verdict, now(d), d->seats.seat[seat].id, is);
}

static void who_stays_against_what_votes_prove_is_judged_again_and_again(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < 4; i++)
		says(d, i, i ? VERDICT_UP : VERDICT_DOWN);
	pass(d, FAIR_MS - 200);
	judged(d, 0, 0);
	pass(d, 400);
	judged(d, 0, 1);
	pass(d, HOUR_MS);
	judged(d, 0, HOUR_MS / VERDICT_JUDGE_MS);
}

/* Two of four die, then the backend does: those who are left say so, and too few are left for a verdict. */
static void by_a_verdict_that_votes_prove_no_more_nobody_is_judged(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < 4; i++)
		says(d, i, VERDICT_UP);
	live(d, 0, false);
	live(d, 1, false);
	for (size_t i = 2; i < 4; i++)
		says(d, i, VERDICT_DOWN);
	pass(d, HOUR_MS);
	for (size_t i = 0; i < 4; i++)
		says(d, 2 + i % 2, i % 2 ? VERDICT_DOWN : VERDICT_UP);
	pass(d, HOUR_MS);
	judged(d, 0, 0);
	live(d, 0, true);
	says(d, 0, VERDICT_UP);
	says(d, 1, VERDICT_UP);
	says(d, 2, VERDICT_UP);
	pass(d, FAIR_MS - 200); /* what stood before is not against what is proven now */
	judged(d, 0, 0);
	pass(d, 400);
	judged(d, 0, 1);
}

/* Nothing else is ever due for a target that is not probed from here. */
static void who_does_not_observe_judges_at_a_verdict(void **state)
{
	struct desk *d = *state;
	struct verdict_target any = target;

	any.rule.mode = VERDICT_MODE_ANY;
	assert_int_equal(verdict_targets(d->verdict, now(d), &any, 1), 0);
	for (size_t i = 0; i < 4; i++)
		says(d, i, VERDICT_UP);
	pass(d, 1000);
	says(d, 0, VERDICT_DOWN);
	pass(d, FAIR_MS + 200);
	judged(d, 1, 3);
}

static void who_is_caught_stays_so_in_another_roster(void **state)
{
	struct desk *d = *state;
	struct verdict_action a = {0};
	struct verdict_view view;
	__u64 caught = d->seats.seat[0].id;
	int seat;

	says(d, 0, VERDICT_UP);
	assert_int_equal(says_as(d, 0, VERDICT_DOWN, d->counter), VERDICT_OUTCOME_EQUIVOCATION);
	verdict_step(d->verdict, now(d));
	while (a.act != VERDICT_PROOF)
		assert_true(verdict_take(d->verdict, &a));
	judged(d, 0, REPUTATION_PROOF);
	roster_is(d, NODES + 1);
	assert_int_equal(verdict_roster(d->verdict, now(d), &d->roster), 0);
	seat = verdict_seat_of(&d->seats, caught);
	assert_true(seat >= 0);
	assert_int_equal(verdict_view(d->verdict, TARGET, &view), 0);
	assert_true(view.vote[seat].caught);
	assert_int_equal(verdict_proof(d->verdict, now(d), a.bytes, a.len), VERDICT_OUTCOME_KNOWN);
	verdict_free(d->verdict);
	d->verdict = verdict_of(d); /* one that begins anew */
	assert_int_equal(verdict_proof(d->verdict, now(d), a.bytes, a.len), VERDICT_OUTCOME_EQUIVOCATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ON_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)
		ON_DESK(who_stays_against_what_votes_prove_is_judged_again_and_again),
		ON_DESK(by_a_verdict_that_votes_prove_no_more_nobody_is_judged),
		ON_DESK(who_does_not_observe_judges_at_a_verdict),
		ON_DESK(who_is_caught_stays_so_in_another_roster),
#undef ON_DESK
	};

	return cmocka_run_group_tests_name("verdict_judge", tests, NULL, NULL);
}
