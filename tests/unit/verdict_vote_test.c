// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Votes, certificates and proofs as bytes, with real signatures. Not here: when votes are cast (verdict_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/verdict_rule.h"
#include "signer.h"

#define TARGET 77
#define NODES  8

struct desk {
	struct signer signer[NODES];
	struct roster roster;
	struct roster_epoch epoch;
	struct verdict_rule rule;
	struct verdict_seats seats;
};

static int desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof(d));
	for (__u32 i = 0; i < NODES; i++)
		signer_real(&d.signer[i], i + 1);
	d.roster = signers_roster(d.signer, NODES);
	assert_int_equal(roster_digest(&d.roster, &d.epoch), 0);
	d.rule = (struct verdict_rule){.mode = VERDICT_MODE_VOTE, .liars = 1};
	verdict_seats_draw(&d.roster, &d.rule, TARGET, &d.seats);
	*state = &d;
	return 0;
}

static int desk_teardown(void **state)
{
	roster_free(&((struct desk *)*state)->roster);
	return 0;
}

static struct signer *signer_of(struct desk *d, __u64 id)
{
	for (size_t i = 0; i < NODES; i++)
		if (d->signer[i].id == id)
			return &d->signer[i];
	return NULL;
}

static struct verdict_vote vote_by(struct desk *d, __u64 id, enum verdict_state state, __u64 counter)
{
	struct verdict_vote v = {
		.target = TARGET,
		.voter = id,
		.epoch = d->epoch,
		.number = {3, 12345, counter},
		.date_ms = 1790000000000ULL,
		.state = state,
		.evidence = VERDICT_TIMEOUT,
	};

	assert_int_equal(verdict_vote_sign(&v, &signer_of(d, id)->signing), 0);
	return v;
}

static struct verdict_certificate certificate_of(struct desk *d, size_t votes, enum verdict_state state)
{
	struct verdict_certificate c = {.target = TARGET, .epoch = d->epoch, .state = state, .rule = d->rule};

	for (; c.votes < votes; c.votes++)
		c.vote[c.votes] = vote_by(d, d->seats.seat[c.votes].id, state, 5);
	return c;
}

static int verified(struct desk *d, const struct verdict_certificate *c)
{
	struct err err = {0};
	int rc = verdict_certificate_verify(c, &d->roster, NULL, &d->signer[0].signing, &err);

	assert_true(!rc == !err.text[0] && err.code == -rc);
	return rc;
}

static void a_vote_is_the_same_after_its_bytes(void **state)
{
	struct desk *d = *state;
	struct verdict_vote v = vote_by(d, d->seats.seat[0].id, VERDICT_DOWN, 9), again;
	__u8 bytes[VERDICT_VOTE_BYTES];
	int len = verdict_vote_encode(&v, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(verdict_vote_decode(bytes, (size_t)len, &again), 0);
	assert_memory_equal(again.epoch.byte, d->epoch.byte, 8);
	again.epoch = d->epoch;
	assert_true(verdict_vote_same(&v, &again));
	assert_true(verdict_vote_verify(&again, &signer_of(d, v.voter)->key, &d->signer[0].signing));
	for (size_t i = 0; i < (size_t)len; i++)
		assert_int_equal(verdict_vote_decode(bytes, i, &again), -EBADMSG);
}

/* Whatever is changed of it, another epoch too, its signature is none any more. */
static void a_vote_that_was_touched_is_not_its_voters(void **state)
{
	struct desk *d = *state;
	const struct verdict_vote v = vote_by(d, d->seats.seat[0].id, VERDICT_UP, 9);
	struct verdict_vote other[9];

	for (size_t i = 0; i < 9; i++)
		other[i] = v;
	other[0].target++;
	other[1].voter++;
	other[2].epoch.byte[31] ^= 1;
	other[3].number.incarnation++;
	other[4].number.boot++;
	other[5].number.counter++;
	other[6].about = 1;
	other[7].state = VERDICT_DOWN;
	other[8].evidence = VERDICT_GOOD;
	assert_true(verdict_vote_verify(&v, &signer_of(d, v.voter)->key, &d->signer[0].signing));
	for (size_t i = 0; i < 9; i++) {
		assert_false(verdict_vote_same(&v, &other[i]));
		assert_false(verdict_vote_verify(&other[i], &signer_of(d, v.voter)->key, &d->signer[0].signing));
	}
}

static void votes_that_make_no_sense_are_refused(void **state)
{
	struct desk *d = *state;
	struct verdict_vote bad[6], again;
	__u8 bytes[VERDICT_VOTE_BYTES];

	for (size_t i = 0; i < 6; i++)
		bad[i] = vote_by(d, d->seats.seat[0].id, VERDICT_UP, 9);
	bad[0].state = VERDICT_NONE;
	bad[1].state = VERDICT_STATE_COUNT;
	bad[2].evidence = VERDICT_EVIDENCE_COUNT;
	bad[3].number.counter = 0;
	bad[4].number.incarnation = 0;
	bad[5].voter = 0;
	for (size_t i = 0; i < 6; i++) {
		int len = verdict_vote_encode(&bad[i], bytes, sizeof(bytes));

		assert_true(len > 0);
		assert_int_equal(verdict_vote_decode(bytes, (size_t)len, &again), -EBADMSG);
	}
}

static void a_certificate_is_verified_from_its_bytes_and_the_roster(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 3, VERDICT_DOWN), again;
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	int len = verdict_certificate_encode(&c, bytes, sizeof(bytes));

	assert_in_range(len, 1, PAGE_VALUE_BYTES);
	assert_int_equal(verdict_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, &again, NULL), 0);
	assert_int_equal(again.state, VERDICT_DOWN);
	assert_int_equal(again.target, TARGET);
	assert_int_equal(again.votes, 3);
	assert_true(verdict_vote_same(&again.vote[2], &c.vote[2]));
}

/* Of one bit that is not as it was, nothing is believed, or the same was said. */
static void a_certificate_with_any_bit_turned_says_nothing_else(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 3, VERDICT_UP), again;
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	int len = verdict_certificate_encode(&c, bytes, sizeof(bytes));

	for (size_t bit = 0; bit < 8 * (size_t)len; bit += 3) {
		bytes[bit / 8] ^= (__u8)(1 << bit % 8);
		if (!verdict_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, &again, NULL))
			assert_true(again.state == VERDICT_UP && again.target == TARGET);
		bytes[bit / 8] ^= (__u8)(1 << bit % 8);
	}
}

static void what_is_no_certificate_is_refused_with_its_reason(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 3, VERDICT_DOWN);
	struct verdict_seats seats = d->seats;
	size_t i;

	c.votes = 2;
	assert_int_equal(verified(d, &c), -ENODATA);
	c.vote[2] = c.vote[1];
	c.votes = 3;
	assert_int_equal(verified(d, &c), -EEXIST);
	c.vote[2] = vote_by(d, seats.seat[2].id, VERDICT_UP, 5);
	assert_int_equal(verified(d, &c), -EINVAL);
	c.vote[2] = vote_by(d, seats.seat[2].id, VERDICT_DOWN, 5);
	c.vote[2].number.counter++;
	assert_int_equal(verified(d, &c), -EACCES);
	for (i = 0; i < NODES - 1 && verdict_seat_of(&seats, d->signer[i].id) >= 0; i++)
		;
	c.vote[2] = vote_by(d, d->signer[i].id, VERDICT_DOWN, 5);
	assert_int_equal(verified(d, &c), -ENOENT);
	c = certificate_of(d, 3, VERDICT_DOWN);
	c.epoch.byte[0] ^= 1;
	assert_int_equal(verified(d, &c), -ESTALE);
	assert_int_equal(verdict_verify("?", 1, &d->roster, &d->signer[0].signing, NULL, NULL), -EBADMSG);
}

/* The rule of whoever verifies, not what the certificate likes to be counted by. */
static void a_certificate_does_not_choose_its_rule(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 1, VERDICT_DOWN);

	c.rule.mode = VERDICT_MODE_ANY;
	assert_int_equal(verified(d, &c), 0);
	assert_int_equal(verdict_certificate_verify(&c, &d->roster, &d->rule, &d->signer[0].signing, NULL), -ENODATA);
}

static void a_certificate_is_cut_to_what_it_needs(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 4, VERDICT_DOWN);

	verdict_certificate_cut(&c, &d->seats);
	assert_int_equal(c.votes, 3);
	assert_int_equal(verified(d, &c), 0);
	verdict_certificate_cut(&c, &d->seats);
	assert_int_equal(c.votes, 3);
	c = certificate_of(d, 4, VERDICT_DOWN);
	c.rule.mode = VERDICT_MODE_ANY;
	verdict_certificate_cut(&c, &d->seats);
	assert_int_equal(c.votes, 1);
}

/* A vote about another one, by a seat or by anybody else of the roster. */
static struct verdict_vote witness_vote(struct desk *d, __u64 id, enum verdict_state state)
{
	struct verdict_vote v = vote_by(d, id, state, 6);

	v.about = 1;
	assert_int_equal(verdict_vote_sign(&v, &signer_of(d, id)->signing), 0);
	return v;
}

static __u64 without_seat(const struct desk *d)
{
	for (size_t i = 0; i < NODES; i++)
		if (verdict_seat_of(&d->seats, d->signer[i].id) < 0)
			return d->signer[i].id;
	return 0;
}

static void who_is_asked_nothing_as_a_witness_is_refused(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 3, VERDICT_DOWN);

	c.vote[c.votes++] = witness_vote(d, without_seat(d), VERDICT_DOWN);
	assert_int_equal(verified(d, &c), -ENOENT);
	c.vote[3] = witness_vote(d, d->seats.seat[0].id, VERDICT_DOWN);
	assert_int_equal(verified(d, &c), -ENOENT);
	c.rule.mode = VERDICT_MODE_PROOF;
	assert_int_equal(verified(d, &c), -ENODATA); /* but not asked by these votes */
	c = certificate_of(d, 3, VERDICT_UP);
	c.rule.mode = VERDICT_MODE_PROOF;
	assert_int_equal(verified(d, &c), 0);
	c.vote[c.votes++] = witness_vote(d, without_seat(d), VERDICT_UP);
	assert_int_equal(verified(d, &c), -ENOENT);
}

/* And by nobody who does not observe the target. */
static void what_is_cut_is_counted_by_no_witness(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = certificate_of(d, 3, VERDICT_DOWN);

	c.vote[c.votes++] = witness_vote(d, without_seat(d), VERDICT_DOWN);
	c.vote[c.votes++] = c.vote[0];
	c.vote[0] = witness_vote(d, d->seats.seat[0].id, VERDICT_DOWN);
	c.vote[c.votes++] = vote_by(d, without_seat(d), VERDICT_DOWN, 5);
	verdict_certificate_cut(&c, &d->seats);
	assert_int_equal(c.votes, 3);
	assert_int_equal(verified(d, &c), 0);
}

static void a_proof_convicts_who_said_two_things(void **state)
{
	struct desk *d = *state;
	__u64 id = d->seats.seat[1].id, voter;
	struct verdict_vote both[2] = {vote_by(d, id, VERDICT_UP, 4), vote_by(d, id, VERDICT_DOWN, 4)}, again[2];
	__u8 bytes[VERDICT_PROOF_BYTES];
	struct roster other = {0};
	int len = verdict_proof_encode(both, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, again, &voter), 0);
	assert_int_equal(voter, id);
	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &other, &d->signer[0].signing, again, &voter),
			 -ENOENT);
	bytes[len - 1] ^= 1;
	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, again, &voter),
			 -EACCES);
}

static void votes_of_two_numbers_prove_nothing(void **state)
{
	struct desk *d = *state;
	__u64 id = d->seats.seat[1].id, voter;
	struct verdict_vote both[2] = {vote_by(d, id, VERDICT_UP, 4), vote_by(d, id, VERDICT_DOWN, 5)}, again[2];
	__u8 bytes[VERDICT_PROOF_BYTES];
	int len = verdict_proof_encode(both, bytes, sizeof(bytes));

	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, again, &voter),
			 -EBADMSG);
	both[1] = both[0];
	len = verdict_proof_encode(both, bytes, sizeof(bytes));
	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, again, &voter),
			 -EBADMSG);
	both[1] = vote_by(d, d->seats.seat[2].id, VERDICT_DOWN, 4);
	len = verdict_proof_encode(both, bytes, sizeof(bytes));
	assert_int_equal(verdict_proof_verify(bytes, (size_t)len, &d->roster, &d->signer[0].signing, again, &voter),
			 -EBADMSG);
}

static void the_longest_fit_their_room(void **state)
{
	struct desk *d = *state;
	struct verdict_certificate c = {.target = ~0ULL, .epoch = d->epoch, .state = VERDICT_DOWN, .votes = 5};
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];

	c.rule = (struct verdict_rule){VERDICT_MODE_STAKE, 2, "a-site-with-a-name-of-31-letter"};
	for (size_t i = 0; i < VERDICT_VOTES; i++) {
		c.vote[i] = vote_by(d, d->seats.seat[0].id, VERDICT_DOWN, 1ULL << 40);
		c.vote[i].number.incarnation = 1u << 20;
	}
	/* Five votes, a quorum with f = 2, are one entry of a page. */
	assert_in_range(verdict_certificate_encode(&c, bytes, sizeof(bytes)), 1, PAGE_VALUE_BYTES);
	c.votes = VERDICT_VOTES;
	assert_in_range(verdict_certificate_encode(&c, bytes, sizeof(bytes)), 1, VERDICT_CERTIFICATE_BYTES);
	c.votes = VERDICT_VOTES + 1;
	assert_int_equal(verdict_certificate_encode(&c, bytes, sizeof(bytes)), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vote_is_the_same_after_its_bytes),
		cmocka_unit_test(a_vote_that_was_touched_is_not_its_voters),
		cmocka_unit_test(votes_that_make_no_sense_are_refused),
		cmocka_unit_test(a_certificate_is_verified_from_its_bytes_and_the_roster),
		cmocka_unit_test(a_certificate_with_any_bit_turned_says_nothing_else),
		cmocka_unit_test(what_is_no_certificate_is_refused_with_its_reason),
		cmocka_unit_test(a_certificate_does_not_choose_its_rule),
		cmocka_unit_test(a_certificate_is_cut_to_what_it_needs),
		cmocka_unit_test(who_is_asked_nothing_as_a_witness_is_refused),
		cmocka_unit_test(what_is_cut_is_counted_by_no_witness),
		cmocka_unit_test(a_proof_convicts_who_said_two_things),
		cmocka_unit_test(votes_of_two_numbers_prove_nothing),
		cmocka_unit_test(the_longest_fit_their_room),
	};

	return cmocka_run_group_tests_name("verdict_vote", tests, desk_setup, desk_teardown);
}
