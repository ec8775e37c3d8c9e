// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One node that hears votes, certificates and proofs, of whatever content, with real signatures. Not here: whole flocks
 * (tests/sim/verdict_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "signer.h"
#include "verdict_target.h"

#define NODES 8
#define OTHER 78

/* A node that does not observe TARGET, and those who do. */
struct desk {
	struct signer signer[NODES + 1]; /* the last one is in no roster */
	struct roster roster;
	struct roster_epoch epoch;
	struct verdict_seats seats;
	size_t self, idle; /* not observing: this node, and another one */
	struct verdict *verdict;
	__u64 now_ms;
};

static struct signer *signer_of(struct desk *d, __u64 id)
{
	for (size_t i = 0; i < NODES; i++)
		if (d->signer[i].id == id)
			return &d->signer[i];
	return NULL;
}

static struct signer *seat(struct desk *d, size_t i)
{
	return signer_of(d, d->seats.seat[i].id);
}

static struct mono now(const struct desk *d)
{
	return (struct mono){d->now_ms * MS + 1};
}

static struct verdict *verdict_of(struct desk *d, size_t node)
{
	struct verdict_config config = {
		.self = {d->signer[node].id, 1, 99}, .seed = 1, .signing = &d->signer[node].signing};
	struct verdict *v = verdict_new(&config);

	assert_non_null(v);
	assert_int_equal(verdict_roster(v, now(d), &d->roster), 0);
	assert_int_equal(verdict_targets(v, now(d), &target, 1), 0);
	return v;
}

static int desk_setup(void **state)
{
	static struct desk d;
	size_t found = 0;

	memset(&d, 0, sizeof(d));
	for (__u32 i = 0; i <= NODES; i++)
		signer_real(&d.signer[i], i + 1);
	d.roster = signers_roster(d.signer, NODES);
	assert_int_equal(roster_digest(&d.roster, &d.epoch), 0);
	verdict_seats_draw(&d.roster, &target.rule, TARGET, &d.seats);
	for (size_t i = 0; i < NODES; i++)
		if (verdict_seat_of(&d.seats, d.signer[i].id) < 0)
			*(found++ ? &d.idle : &d.self) = i;
	d.verdict = verdict_of(&d, d.self);
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

static struct verdict_vote vote_by(const struct desk *d, const struct signer *by, enum verdict_state state,
				   __u64 counter)
{
	struct verdict_vote v = {
		.target = TARGET,
		.voter = by->id,
		.epoch = d->epoch,
		.number = {1, 5, counter},
		.state = state,
		.evidence = state == VERDICT_UP ? VERDICT_GOOD : VERDICT_TIMEOUT,
	};

	assert_int_equal(verdict_vote_sign(&v, &by->signing), 0);
	return v;
}

static enum verdict_outcome hears(struct desk *d, const struct verdict_vote *vote)
{
	__u8 bytes[VERDICT_VOTE_BYTES];
	int len = verdict_vote_encode(vote, bytes, sizeof(bytes));

	assert_true(len > 0);
	return verdict_vote(d->verdict, now(d), bytes, (size_t)len);
}

static enum verdict_outcome hears_seat(struct desk *d, size_t i, enum verdict_state state, __u64 counter)
{
	struct verdict_vote vote = vote_by(d, seat(d, i), state, counter);

	return hears(d, &vote);
}

static void holds(struct desk *d, enum verdict_state state, enum verdict_source source)
{
	struct verdict_view view;

	assert_int_equal(verdict_view(d->verdict, TARGET, &view), 0);
	assert_int_equal(view.state, state);
	assert_int_equal(view.source, source);
}

/* Let time pass; the target answers @evidence. Return: probes that were sent. */
static size_t pass(struct desk *d, __u64 ms, enum verdict_evidence evidence)
{
	struct verdict_action a;
	size_t probes = 0;

	for (__u64 end = d->now_ms + ms; d->now_ms < end; d->now_ms += 10) {
		verdict_step(d->verdict, now(d));
		while (verdict_take(d->verdict, &a)) {
			if (a.act != VERDICT_PROBE)
				continue;
			probes++;
			verdict_probed(d->verdict, now(d), a.target, a.number, evidence);
		}
	}
	return probes;
}

static bool next_act(struct desk *d, enum verdict_act act, struct verdict_action *ret)
{
	verdict_step(d->verdict, now(d));
	while (verdict_take(d->verdict, ret))
		if (ret->act == act)
			return true;
	return false;
}

static void what_is_heard_is_taken_or_refused_with_its_reason(void **state)
{
	struct desk *d = *state;
	struct verdict_vote vote = vote_by(d, seat(d, 0), VERDICT_UP, 5), bad = vote;

	assert_int_equal(verdict_vote(d->verdict, now(d), "votes", 5), VERDICT_OUTCOME_MALFORMED);
	assert_int_equal(verdict_vote(d->verdict, now(d), NULL, 0), VERDICT_OUTCOME_MALFORMED);
	bad.target = OTHER;
	assert_int_equal(hears(d, &bad), VERDICT_OUTCOME_TARGET);
	bad = vote;
	bad.epoch.byte[0] ^= 1;
	assert_int_equal(hears(d, &bad), VERDICT_OUTCOME_EPOCH);
	bad = vote_by(d, &d->signer[NODES], VERDICT_UP, 5);
	assert_int_equal(hears(d, &bad), VERDICT_OUTCOME_STRANGER);
	bad = vote_by(d, &d->signer[d->idle], VERDICT_UP, 5);
	assert_int_equal(hears(d, &bad), VERDICT_OUTCOME_STRANGER);
	bad = vote;
	bad.state = VERDICT_DOWN;
	assert_int_equal(hears(d, &bad), VERDICT_OUTCOME_FORGED);
	assert_int_equal(hears(d, &vote), VERDICT_OUTCOME_NEW);
	assert_int_equal(hears(d, &vote), VERDICT_OUTCOME_KNOWN);
	assert_int_equal(hears_seat(d, 0, VERDICT_DOWN, 4), VERDICT_OUTCOME_OLDER);
	assert_int_equal(hears_seat(d, 0, VERDICT_DOWN, 6), VERDICT_OUTCOME_NEW);
	for (size_t i = 0; i < VERDICT_OUTCOMES; i++)
		assert_true(*verdict_outcome_label(i));
	assert_int_equal(verdict_count(d->verdict, VERDICT_OUTCOME_STRANGER), 2);
	assert_int_equal(verdict_count(d->verdict, VERDICT_OUTCOME_MALFORMED), 2);
	assert_int_equal(verdict_count(d->verdict, VERDICT_OUTCOME_FORGED), 1);
	assert_int_equal(verdict_count(d->verdict, VERDICT_OUTCOME_NEW), 2);
}

static void a_quorum_decides_and_holds_until_the_opposite_one(void **state)
{
	struct desk *d = *state;
	struct verdict_action a;

	hears_seat(d, 0, VERDICT_DOWN, 1);
	hears_seat(d, 1, VERDICT_DOWN, 1);
	holds(d, VERDICT_NONE, VERDICT_BY_NOTHING);
	hears_seat(d, 2, VERDICT_DOWN, 1);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	assert_false(next_act(d, VERDICT_CHANGE, &a));
	d->now_ms += VERDICT_SETTLE_MS;
	assert_true(next_act(d, VERDICT_CHANGE, &a));
	assert_true(a.target == TARGET && a.state == VERDICT_DOWN && a.source == VERDICT_BY_CERTIFIED);
	hears_seat(d, 0, VERDICT_UP, 2);
	hears_seat(d, 1, VERDICT_UP, 2);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	hears_seat(d, 3, VERDICT_UP, 2);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
}

static void what_is_undone_in_time_is_no_change(void **state)
{
	struct desk *d = *state;
	struct verdict_action a;

	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_UP, 1);
	d->now_ms += VERDICT_SETTLE_MS;
	assert_true(next_act(d, VERDICT_CHANGE, &a));
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 2);
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_UP, 3);
	d->now_ms += VERDICT_MANY_MS;
	assert_false(next_act(d, VERDICT_CHANGE, &a));
}

static void two_votes_of_one_number_convict(void **state)
{
	struct desk *d = *state;
	struct verdict_action a;
	struct verdict_view view;
	struct verdict *other;

	hears_seat(d, 0, VERDICT_DOWN, 1);
	hears_seat(d, 1, VERDICT_DOWN, 1);
	assert_int_equal(hears_seat(d, 0, VERDICT_UP, 1), VERDICT_OUTCOME_EQUIVOCATION);
	assert_int_equal(hears_seat(d, 0, VERDICT_DOWN, 2), VERDICT_OUTCOME_CAUGHT);
	hears_seat(d, 2, VERDICT_DOWN, 1);
	holds(d, VERDICT_NONE, VERDICT_BY_NOTHING);
	assert_true(next_act(d, VERDICT_PROOF, &a));
	assert_int_equal(a.voter, seat(d, 0)->id);
	other = verdict_of(d, d->idle);
	assert_int_equal(verdict_proof(other, now(d), a.bytes, a.len), VERDICT_OUTCOME_EQUIVOCATION);
	assert_int_equal(verdict_proof(other, now(d), a.bytes, a.len), VERDICT_OUTCOME_KNOWN);
	assert_int_equal(verdict_proof(other, now(d), a.bytes, a.len - 1), VERDICT_OUTCOME_MALFORMED);
	assert_int_equal(verdict_view(other, TARGET, &view), 0);
	assert_true(view.vote[0].caught && !view.vote[1].caught);
	verdict_free(other);
}

static int exported(struct desk *d, struct verdict *v, __u8 bytes[VERDICT_CERTIFICATE_BYTES])
{
	int len = verdict_export(v, TARGET, bytes);

	assert_true(len > 0);
	assert_int_equal(verdict_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, NULL, NULL), 0);
	return len;
}

static void who_is_handed_a_certificate_holds_it(void **state)
{
	struct desk *d = *state;
	__u8 down[VERDICT_CERTIFICATE_BYTES], up[VERDICT_CERTIFICATE_BYTES];
	struct verdict *other = verdict_of(d, d->idle);
	int down_len, up_len;

	assert_int_equal(verdict_export(d->verdict, TARGET, down), -ENODATA);
	assert_int_equal(verdict_export(d->verdict, OTHER, down), -ENOENT);
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 1);
	down_len = exported(d, d->verdict, down);
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, 3 - i, VERDICT_UP, 2);
	up_len = exported(d, d->verdict, up);
	assert_int_equal(verdict_certificate(other, now(d), down, (size_t)down_len), VERDICT_OUTCOME_NEW);
	assert_int_equal(verdict_certificate(other, now(d), down, (size_t)down_len), VERDICT_OUTCOME_KNOWN);
	assert_int_equal(verdict_certificate(other, now(d), up, (size_t)up_len), VERDICT_OUTCOME_NEW);
	assert_int_equal(verdict_certificate(other, now(d), down, (size_t)down_len), VERDICT_OUTCOME_OLDER);
	down[down_len - 1] ^= 1;
	assert_int_equal(verdict_certificate(other, now(d), down, (size_t)down_len), VERDICT_OUTCOME_FORGED);
	assert_int_equal(verdict_certificate(other, now(d), down, 10), VERDICT_OUTCOME_MALFORMED);
	verdict_free(other);
}

/* Votes that no longer stand: whoever has heard later ones does not believe them. */
static void former_votes_make_no_certificate_again(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = {
		.target = TARGET, .epoch = d->epoch, .state = VERDICT_DOWN, .rule = target.rule, .votes = 3};
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	int len;

	for (size_t i = 0; i < 3; i++) {
		hears_seat(d, i, VERDICT_UP, 5);
		c.vote[i] = vote_by(d, seat(d, i), VERDICT_DOWN, 2);
	}
	len = verdict_certificate_encode(&c, bytes, sizeof(bytes));
	assert_int_equal(verdict_certificate(d->verdict, now(d), bytes, (size_t)len), VERDICT_OUTCOME_OLDER);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
}

static void with_too_few_living_observers_it_probes_by_itself(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_UP, 1);
	assert_int_equal(pass(d, 10000, VERDICT_REFUSED), 0);
	verdict_live(d->verdict, now(d), seat(d, 0)->id, false);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
	hears_seat(d, 3, VERDICT_UP, 1);
	verdict_live(d->verdict, now(d), seat(d, 1)->id, false);
	holds(d, VERDICT_UP, VERDICT_BY_LOCAL);
	assert_true(pass(d, 2000, VERDICT_REFUSED));
	pass(d, 2300, VERDICT_REFUSED);
	holds(d, VERDICT_DOWN, VERDICT_BY_LOCAL);
	verdict_live(d->verdict, now(d), seat(d, 1)->id, true);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
	pass(d, 100, VERDICT_REFUSED);
	assert_int_equal(pass(d, 10000, VERDICT_REFUSED), 0);
}

/* Two run what knows no votes: after a while they do not count as observers. */
static void observers_that_never_vote_are_not_waited_for(void **state)
{
	struct desk *d = *state;
	__u64 grace_ms = (__u64)(target.pace.fall + VERDICT_GRACE) * target.pace.interval_ms;

	hears_seat(d, 0, VERDICT_UP, 1);
	hears_seat(d, 1, VERDICT_UP, 1);
	assert_int_equal(pass(d, grace_ms - 100, VERDICT_GOOD), 0);
	assert_true(pass(d, 2 * target.pace.interval_ms, VERDICT_GOOD));
	holds(d, VERDICT_UP, VERDICT_BY_LOCAL);
	hears_seat(d, 2, VERDICT_UP, 1);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
}

static void another_roster_makes_former_votes_void(void **state)
{
	struct desk *d = *state;
	struct roster more;

	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 1);
	more = signers_roster(d->signer, NODES + 1);
	assert_int_equal(verdict_roster(d->verdict, now(d), &more), 0);
	holds(d, VERDICT_DOWN, VERDICT_BY_FORMER);
	assert_int_equal(hears_seat(d, 3, VERDICT_DOWN, 2), VERDICT_OUTCOME_EPOCH);
	assert_int_equal(roster_digest(&more, &d->epoch), 0);
	verdict_seats_draw(&more, &target.rule, TARGET, &d->seats);
	for (size_t i = 0; i < d->seats.count; i++) {
		const struct signer *by = d->seats.seat[i].id == d->signer[NODES].id ? &d->signer[NODES] : seat(d, i);
		struct verdict_vote vote = vote_by(d, by, VERDICT_UP, 3);

		if (by->id != d->signer[d->self].id)
			assert_int_equal(hears(d, &vote), VERDICT_OUTCOME_NEW);
	}
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
	roster_free(&more);
}

static void targets_that_stay_are_as_they_were(void **state)
{
	struct desk *d = *state;
	struct verdict_target both[2] = {target, target};
	struct verdict_view view;

	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 1);
	both[1].id = OTHER;
	assert_int_equal(verdict_targets(d->verdict, now(d), both, 2), 0);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	assert_int_equal(verdict_view(d->verdict, OTHER, &view), 0);
	assert_int_equal(verdict_targets(d->verdict, now(d), &both[1], 1), 0);
	assert_int_equal(verdict_view(d->verdict, TARGET, &view), -ENOENT);
	assert_int_equal(hears_seat(d, 3, VERDICT_DOWN, 1), VERDICT_OUTCOME_TARGET);
	assert_int_equal(verdict_targets(d->verdict, now(d), NULL, 0), 0);
	assert_int_equal(verdict_due(d->verdict).ns, UINT64_MAX);
	assert_int_equal(verdict_targets(d->verdict, now(d), &target, 1), 0);
	holds(d, VERDICT_NONE, VERDICT_BY_NOTHING);
}

/* An edited check does not bring back what is down. */
static void another_pace_or_rule_brings_nothing_back(void **state)
{
	struct desk *d = *state;
	struct verdict_target changed = target;
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];

	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 1);
	changed.pace.fall++;
	assert_int_equal(verdict_targets(d->verdict, now(d), &changed, 1), 0);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	changed.rule.liars = 2;
	assert_int_equal(verdict_targets(d->verdict, now(d), &changed, 1), 0);
	holds(d, VERDICT_DOWN, VERDICT_BY_FORMER);
	exported(d, d->verdict, bytes);
	verdict_seats_draw(&d->roster, &changed.rule, TARGET, &d->seats);
	for (size_t i = 0; i < d->seats.count; i++)
		if (d->seats.seat[i].id != d->signer[d->self].id)
			assert_int_not_equal(hears_seat(d, i, VERDICT_DOWN, 2), VERDICT_OUTCOME_STRANGER);
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
}

/* An observer that alone finds it down, for its own flows. */
static void who_alone_finds_it_down_says_so_after_a_while(void **state)
{
	struct desk *d = *state;
	struct verdict_view view;
	size_t self = 0, changes = 0;
	struct verdict_action a;

	verdict_free(d->verdict);
	while (d->signer[self].id != d->seats.seat[3].id)
		self++;
	d->verdict = verdict_of(d, self);
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_UP, 1);
	pass(d, 5000, VERDICT_REFUSED);
	holds(d, VERDICT_UP, VERDICT_BY_CERTIFIED);
	assert_int_equal(verdict_view(d->verdict, TARGET, &view), 0);
	assert_true(view.watch.state == VERDICT_DOWN && !view.own_down);
	for (; d->now_ms < 9000; d->now_ms += 10)
		while (next_act(d, VERDICT_CHANGE, &a))
			changes += a.own_down;
	assert_int_equal(changes, 1);
	pass(d, 10000, VERDICT_GOOD);
	assert_int_equal(verdict_view(d->verdict, TARGET, &view), 0);
	assert_false(view.own_down);
}

static enum verdict_outcome says_about(struct desk *d, const struct signer *by, __u64 about, __u64 counter)
{
	struct verdict_vote vote = {.target = TARGET,
				    .voter = by->id,
				    .epoch = d->epoch,
				    .number = {1, 6, counter},
				    .about = about,
				    .state = VERDICT_DOWN,
				    .evidence = VERDICT_TIMEOUT};

	assert_int_equal(verdict_vote_sign(&vote, &by->signing), 0);
	return hears(d, &vote);
}

/* In mode proof; before them somebody has said much about votes that nobody cast. */
static void votes_count_once_their_witnesses_have_spoken(void **state)
{
	struct desk *d = *state;
	struct verdict_target proof = target;
	__u64 witness[VERDICT_WITNESSES], counter = 1;
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];

	assert_int_equal(says_about(d, &d->signer[d->idle], 1000, counter++), VERDICT_OUTCOME_STRANGER);
	proof.rule.mode = VERDICT_MODE_PROOF;
	assert_int_equal(verdict_targets(d->verdict, now(d), &proof, 1), 0);
	assert_int_equal(says_about(d, seat(d, 0), 1000, counter++), VERDICT_OUTCOME_STRANGER);
	for (__u64 about = 1000; about < 1100; about++)
		says_about(d, &d->signer[d->idle], about, counter++);
	for (size_t i = 0; i < 3; i++)
		hears_seat(d, i, VERDICT_DOWN, 1);
	holds(d, VERDICT_NONE, VERDICT_BY_NOTHING);
	for (size_t i = 0; i < 3; i++) {
		struct verdict_vote vote = vote_by(d, seat(d, i), VERDICT_DOWN, 1);
		__u64 hash = verdict_vote_hash(&vote, &d->signer[0].signing);

		assert_int_equal(verdict_witnesses_draw(&d->roster, &proof.rule, &d->seats, hash, witness), 2);
		for (size_t k = 0; k < 2; k++)
			if (witness[k] != d->signer[d->self].id)
				assert_int_equal(says_about(d, signer_of(d, witness[k]), hash, counter++),
						 VERDICT_OUTCOME_NEW);
	}
	pass(d, 5000, VERDICT_REFUSED); /* this node may be drawn, too */
	holds(d, VERDICT_DOWN, VERDICT_BY_CERTIFIED);
	exported(d, d->verdict, bytes);
}

/* Become one of those who observe. */
static struct signer *observe(struct desk *d)
{
	size_t self = 0;

	verdict_free(d->verdict);
	while (d->signer[self].id != d->seats.seat[0].id)
		self++;
	d->verdict = verdict_of(d, self);
	return &d->signer[self];
}

/* An observer's own part: it votes on what it finds, and again only when that has changed. */
static void an_observer_votes_on_change_alone(void **state)
{
	struct desk *d = *state;
	const struct signer *self = observe(d);
	struct verdict_action a;
	struct verdict_vote vote;

	verdict_date(d->verdict, 1790000000000ULL);
	while (!next_act(d, VERDICT_PROBE, &a))
		d->now_ms += 10;
	verdict_probed(d->verdict, now(d), a.target, a.number, VERDICT_GOOD);
	assert_true(next_act(d, VERDICT_VOTE, &a));
	assert_int_equal(verdict_vote_decode(a.bytes, a.len, &vote), 0);
	vote.epoch = d->epoch;
	assert_true(vote.state == VERDICT_UP && vote.voter == self->id && vote.number.counter == 1 &&
		    vote.date_ms == 1790000000000ULL);
	assert_true(verdict_vote_verify(&vote, &self->key, &d->signer[0].signing));
	for (size_t votes = 0; d->now_ms < 40000; d->now_ms += 10) {
		verdict_step(d->verdict, now(d));
		while (verdict_take(d->verdict, &a)) {
			votes += a.act == VERDICT_VOTE;
			if (a.act == VERDICT_PROBE)
				verdict_probed(d->verdict, now(d), a.target, a.number,
					       d->now_ms < 20000 ? VERDICT_GOOD : VERDICT_REFUSED);
		}
		assert_true(!votes || d->now_ms > 20000);
		assert_true(votes <= 1);
		assert_true(votes == 1 || d->now_ms < 25000);
	}
}

/* The state that this observer votes next, of a target that answers @evidence. */
static enum verdict_state next_vote(struct desk *d, enum verdict_evidence evidence)
{
	struct verdict_action a;

	for (__u64 end = d->now_ms + 20000; d->now_ms < end; d->now_ms += 10) {
		verdict_step(d->verdict, now(d));
		while (verdict_take(d->verdict, &a)) {
			if (a.act == VERDICT_PROBE)
				verdict_probed(d->verdict, now(d), a.target, a.number, evidence);
			if (a.act == VERDICT_VOTE)
				return a.state;
		}
	}
	return VERDICT_NONE;
}

static void who_has_lost_his_network_calls_nobody_down(void **state)
{
	struct desk *d = *state;

	observe(d);
	assert_int_equal(next_vote(d, VERDICT_GOOD), VERDICT_UP);
	verdict_unfit(d->verdict, true);
	assert_int_equal(next_vote(d, VERDICT_TIMEOUT), VERDICT_ABSTAIN);
	verdict_unfit(d->verdict, false);
	assert_int_equal(next_vote(d, VERDICT_TIMEOUT), VERDICT_DOWN);
}

static void a_hint_has_it_probed_at_once(void **state)
{
	struct desk *d = *state;

	observe(d);
	while (!pass(d, 10, VERDICT_GOOD))
		;
	pass(d, 5000, VERDICT_GOOD);
	while (!pass(d, 10, VERDICT_GOOD))
		;
	assert_int_equal(pass(d, 50, VERDICT_GOOD), 0);
	verdict_hint(d->verdict, now(d), OTHER); /* which is no target */
	assert_int_equal(pass(d, 50, VERDICT_GOOD), 0);
	verdict_hint(d->verdict, now(d), TARGET);
	assert_int_equal(pass(d, 50, VERDICT_GOOD), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ON_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)
		ON_DESK(what_is_heard_is_taken_or_refused_with_its_reason),
		ON_DESK(a_quorum_decides_and_holds_until_the_opposite_one),
		ON_DESK(what_is_undone_in_time_is_no_change),
		ON_DESK(two_votes_of_one_number_convict),
		ON_DESK(who_is_handed_a_certificate_holds_it),
		ON_DESK(former_votes_make_no_certificate_again),
		ON_DESK(with_too_few_living_observers_it_probes_by_itself),
		ON_DESK(observers_that_never_vote_are_not_waited_for),
		ON_DESK(another_roster_makes_former_votes_void),
		ON_DESK(targets_that_stay_are_as_they_were),
		ON_DESK(another_pace_or_rule_brings_nothing_back),
		ON_DESK(who_alone_finds_it_down_says_so_after_a_while),
		ON_DESK(votes_count_once_their_witnesses_have_spoken),
		ON_DESK(an_observer_votes_on_change_alone),
		ON_DESK(who_has_lost_his_network_calls_nobody_down),
		ON_DESK(a_hint_has_it_probed_at_once),
#undef ON_DESK
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
