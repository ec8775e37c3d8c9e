// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What others say: votes, certificates and proofs, of any bytes. Not here: what follows from those that count
 * (verdict_hold.c).
 */
#include "core/verdict_private.h"

static bool is_epoch(const struct verdict *v, const struct roster_epoch *epoch)
{
	return !memcmp(epoch->byte, v->epoch.byte, sizeof(epoch->byte));
}

/* --- who says two things at once --- */

static void peer_catch(struct verdict *v, struct mono now, struct peer *peer, const struct verdict_vote vote[2])
{
	struct verdict_action *action;
	int len;

	peer->caught = true;
	peer->against += REPUTATION_PROOF;
	for (size_t i = 0; i < v->targets; i++) {
		if (verdict_seat_of(&v->target[i]->seats, peer->id) < 0)
			continue;
		verdict_settle(v, now, v->target[i]);
		verdict_doubt(v, v->target[i]);
	}
	action = verdict_act(v, VERDICT_PROOF);
	if (!action)
		return;
	len = verdict_proof_encode(vote, action->bytes, sizeof(action->bytes));
	action->voter = peer->id;
	action->len = len > 0 ? (size_t)len : 0;
}

static enum verdict_outcome refused(int rc)
{
	switch (rc) {
	case -ESTALE:
		return VERDICT_OUTCOME_EPOCH;
	case -ENOENT:
		return VERDICT_OUTCOME_STRANGER;
	case -EACCES:
		return VERDICT_OUTCOME_FORGED;
	case -ENODATA:
		return VERDICT_OUTCOME_FEW;
	case -ENOMEM:
		return VERDICT_OUTCOME_MEMORY;
	default:
		return VERDICT_OUTCOME_MALFORMED;
	}
}

static enum verdict_outcome proof_take(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	struct verdict_vote vote[2];
	struct peer *peer;
	__u64 voter;
	int rc = verdict_proof_verify(bytes, len, &v->roster, v->config.signing, vote, &voter);

	if (rc)
		return refused(rc);
	peer = verdict_peer(v, voter);
	if (!peer || peer->caught)
		return VERDICT_OUTCOME_KNOWN;
	peer_catch(v, now, peer, vote);
	return VERDICT_OUTCOME_EQUIVOCATION;
}

/* --- votes --- */

static enum verdict_outcome vote_beside(struct verdict *v, struct mono now, struct peer *peer,
					const struct verdict_vote *standing, const struct verdict_vote *vote)
{
	struct verdict_vote both[2] = {*standing, *vote};

	if (verdict_vote_same(standing, vote))
		return VERDICT_OUTCOME_KNOWN;
	if (!verdict_vote_verify(vote, &peer->key, v->config.signing))
		return VERDICT_OUTCOME_FORGED;
	peer_catch(v, now, peer, both);
	return VERDICT_OUTCOME_EQUIVOCATION;
}

static void vote_stand(struct verdict *v, struct mono now, struct target *t, size_t seat,
		       const struct verdict_vote *vote)
{
	verdict_stands(t, now, seat, vote);
	if (t->is.rule.mode == VERDICT_MODE_PROOF) {
		t->hash[seat] = verdict_vote_hash(vote, v->config.signing);
		if (vote->state == VERDICT_DOWN && t->self < 0)
			verdict_witness(v, now, t, t->hash[seat]);
	}
	verdict_settle(v, now, t);
	if (vote->state != VERDICT_UP)
		verdict_heard_down(v, now, t);
	verdict_doubt(v, t);
}

static enum verdict_outcome vote_observer(struct verdict *v, struct mono now, struct target *t, struct peer *peer,
					  const struct verdict_vote *vote)
{
	int seat = verdict_seat_of(&t->seats, vote->voter);
	int order;

	if (seat < 0)
		return VERDICT_OUTCOME_STRANGER;
	order = t->standing[seat].state == VERDICT_NONE
			? 1
			: page_version_compare(&vote->number, &t->standing[seat].number);
	if (order < 0)
		return VERDICT_OUTCOME_OLDER;
	if (!order)
		return vote_beside(v, now, peer, &t->standing[seat], vote);
	if (!verdict_vote_verify(vote, &peer->key, v->config.signing))
		return VERDICT_OUTCOME_FORGED;
	if (vote->voter == v->config.self.id)
		return VERDICT_OUTCOME_OLDER; /* this node has begun anew, or somebody has its key */
	vote_stand(v, now, t, (size_t)seat, vote);
	return VERDICT_OUTCOME_NEW;
}

/* It may come before the vote that it is about. */
static enum verdict_outcome vote_witness(struct verdict *v, struct mono now, struct target *t, const struct peer *peer,
					 const struct verdict_vote *vote)
{
	if (t->is.rule.mode != VERDICT_MODE_PROOF || verdict_seat_of(&t->seats, vote->voter) >= 0)
		return VERDICT_OUTCOME_STRANGER;
	if (verdict_seen(t, vote->about, vote->voter))
		return VERDICT_OUTCOME_KNOWN;
	if (!verdict_vote_verify(vote, &peer->key, v->config.signing))
		return VERDICT_OUTCOME_FORGED;
	verdict_seen_put(v, t, vote);
	verdict_settle(v, now, t);
	verdict_doubt(v, t);
	return VERDICT_OUTCOME_NEW;
}

static enum verdict_outcome vote_take(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	struct verdict_vote vote;
	struct target *t;
	struct peer *peer;

	if (verdict_vote_decode(bytes, len, &vote))
		return VERDICT_OUTCOME_MALFORMED;
	t = verdict_target(v, vote.target);
	if (!t)
		return VERDICT_OUTCOME_TARGET;
	if (memcmp(vote.epoch.byte, v->epoch.byte, sizeof(__u64)) != 0)
		return VERDICT_OUTCOME_EPOCH;
	vote.epoch = v->epoch;
	peer = verdict_peer(v, vote.voter);
	if (!peer)
		return VERDICT_OUTCOME_STRANGER;
	if (peer->caught)
		return VERDICT_OUTCOME_CAUGHT;
	return vote.about ? vote_witness(v, now, t, peer, &vote) : vote_observer(v, now, t, peer, &vote);
}

/* --- certificates --- */

static const struct verdict_vote *vote_of(const struct verdict_vote *vote, size_t votes, __u64 voter)
{
	for (size_t i = 0; i < votes; i++)
		if (vote[i].voter == voter && !vote[i].about)
			return &vote[i];
	return NULL;
}

static size_t votes_standing(const struct target *t, const struct verdict_vote *vote, size_t votes)
{
	size_t i, count = 0;

	for (i = 0; i < t->seats.count; i++) {
		const struct verdict_vote *in = vote_of(vote, votes, t->seats.seat[i].id);

		count += in && verdict_vote_same(in, &t->standing[i]);
	}
	return count;
}

/* Whether it is to hold instead of the opposite one that does. */
static bool certificate_later(const struct target *t, const struct verdict_certificate *c)
{
	const struct held *h = &t->held;
	size_t stand = votes_standing(t, h->vote, h->votes), stand_too = votes_standing(t, c->vote, c->votes);
	int later = 0;

	for (size_t i = 0; i < t->seats.count; i++) {
		const struct verdict_vote *a = vote_of(h->vote, h->votes, t->seats.seat[i].id),
					  *b = vote_of(c->vote, c->votes, t->seats.seat[i].id);
		int order = a && b ? page_version_compare(&b->number, &a->number) : 0;

		later += (order > 0) - (order < 0);
	}
	if (later)
		return later > 0;
	return stand_too != stand ? stand_too > stand : c->state == VERDICT_DOWN;
}

/* Its votes are verified: those that are later than what stands count from now on. */
static void certificate_votes(struct verdict *v, struct mono now, struct target *t, const struct verdict_certificate *c)
{
	for (size_t i = 0; i < c->votes; i++) {
		struct peer *peer = verdict_peer(v, c->vote[i].voter);

		if (peer && peer->caught)
			continue;
		if (peer && c->vote[i].about)
			vote_witness(v, now, t, peer, &c->vote[i]);
		else if (peer)
			vote_observer(v, now, t, peer, &c->vote[i]);
	}
}

static bool is_held(const struct target *t, const struct verdict_certificate *c)
{
	return !t->held.former && t->held.state == c->state;
}

static enum verdict_outcome certificate_take(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	struct verdict_certificate c;
	struct target *t;
	int rc;

	if (verdict_certificate_decode(bytes, len, &c))
		return VERDICT_OUTCOME_MALFORMED;
	t = verdict_target(v, c.target);
	if (!t)
		return VERDICT_OUTCOME_TARGET;
	if (!is_epoch(v, &c.epoch))
		return VERDICT_OUTCOME_EPOCH;
	if (is_held(t, &c))
		return VERDICT_OUTCOME_KNOWN;
	rc = verdict_certificate_verify(&c, &v->roster, &t->is.rule, v->config.signing, NULL);
	if (rc)
		return refused(rc);
	certificate_votes(v, now, t, &c);
	if (is_held(t, &c))
		return VERDICT_OUTCOME_NEW;
	if (!t->held.former && t->held.state != VERDICT_NONE && !certificate_later(t, &c))
		return VERDICT_OUTCOME_OLDER;
	verdict_hold(t, c.state, &c.epoch, c.vote, c.votes);
	verdict_settle(v, now, t);
	return VERDICT_OUTCOME_NEW;
}

static enum verdict_outcome counted(struct verdict *v, enum verdict_outcome outcome)
{
	v->count[outcome]++;
	return outcome;
}

enum verdict_outcome verdict_vote(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	return counted(v, vote_take(v, now, bytes, len));
}

enum verdict_outcome verdict_certificate(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	return counted(v, certificate_take(v, now, bytes, len));
}

enum verdict_outcome verdict_proof(struct verdict *v, struct mono now, const void *bytes, size_t len)
{
	return counted(v, proof_take(v, now, bytes, len));
}
