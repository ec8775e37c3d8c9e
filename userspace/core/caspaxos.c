// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The voter, and what is known to be decided. Not here: who proposes (caspaxos_propose.c).
 */
#include "core/caspaxos_private.h"

#define ROUNDS_AHEAD (1ull << 32) /* of what was heard: somebody lies */

size_t caspaxos_quorum(const struct caspaxos_value *value)
{
	return value->voters / 2 + 1;
}

int caspaxos_place(const struct caspaxos_value *value, __u64 node, __u64 store)
{
	for (__u32 i = 0; i < value->voters; i++)
		if (value->voter[i].node == node && (!store || value->voter[i].store == store))
			return (int)i;
	return -1;
}

bool caspaxos_value_check(const struct caspaxos_value *value)
{
	__u32 i, k;

	if (!value->id || !value->version || !value->voters || value->voters > CASPAXOS_VOTERS ||
	    value->len > CASPAXOS_BYTES)
		return false;
	for (i = 0; i < value->voters; i++) {
		if (!value->voter[i].node || !value->voter[i].store)
			return false;
		for (k = 0; k < i; k++)
			if (value->voter[k].node == value->voter[i].node)
				return false;
	}
	return true;
}

void caspaxos_heard(struct caspaxos *c, struct ballot ballot)
{
	if (ballot.round > c->round)
		c->round = ballot.round;
}

/* --- what is kept --- */

/* @former: what it was, if the disk does not take what it is. */
int caspaxos_save(struct caspaxos *c, const struct caspaxos_state *former)
{
	int rc = c->config.hooks.save(c->config.hooks.arg, &c->state);

	c->broken = rc != 0;
	if (rc)
		c->state = *former;
	return rc;
}

bool caspaxos_named(const struct caspaxos *c)
{
	return c->state.store && caspaxos_place(&c->state.decided, c->config.id, c->state.store) >= 0;
}

bool caspaxos_votes(const struct caspaxos *c)
{
	return caspaxos_named(c) && c->state.sure != CASPAXOS_UNSURE && !c->broken;
}

bool caspaxos_recovering(const struct caspaxos *c)
{
	return caspaxos_named(c) && c->state.sure == CASPAXOS_UNSURE;
}

bool caspaxos_broken(const struct caspaxos *c)
{
	return c->broken;
}

__u64 caspaxos_store(const struct caspaxos *c)
{
	return c->state.store;
}

const struct caspaxos_value *caspaxos_value(const struct caspaxos *c)
{
	return &c->state.decided;
}

/* --- learning --- */

void caspaxos_decided(struct caspaxos *c, struct mono now, const struct caspaxos_value *value)
{
	struct caspaxos_state former = c->state;

	if (value->version <= c->state.decided.version || (c->state.decided.id && value->id != c->state.decided.id))
		return;
	c->state.decided = *value;
	if (c->state.accepted.version <= value->version) {
		c->state.ballot = (struct ballot){0};
		memset(&c->state.accepted, 0, sizeof(c->state.accepted));
	}
	if (c->state.sure == CASPAXOS_PARTLY)
		c->state.sure = CASPAXOS_UNSURE;
	/* It is true whether the disk takes it or not; a voter whose disk does not is none. */
	former.decided = c->state.decided;
	former.ballot = c->state.ballot;
	former.accepted = c->state.accepted;
	former.sure = c->state.sure;
	caspaxos_save(c, &former);
	c->told = 0;
	c->ask = now;
	c->config.hooks.decided(c->config.hooks.arg, &c->state.decided);
	caspaxos_moved(c, now);
}

void caspaxos_learn(struct caspaxos *c, struct mono now, const struct caspaxos_value *value)
{
	if (caspaxos_value_check(value))
		caspaxos_decided(c, now, value);
}

int caspaxos_begin(struct caspaxos *c, const struct caspaxos_value *value)
{
	struct caspaxos_state former = c->state;
	struct caspaxos_value begun = *value;
	int rc;

	/* What it voted in the other register it forgets: there, and here if it was here before, it is no voter. */
	if (former.decided.id && former.decided.id != value->id)
		c->state.store = caspaxos_draw(c) | 1;
	for (__u32 i = 0; i < begun.voters && i < CASPAXOS_VOTERS; i++)
		if (begun.voter[i].node == c->config.id && !begun.voter[i].store)
			begun.voter[i].store = c->state.store;
	c->state.decided = begun;
	c->state.ballot = (struct ballot){0};
	memset(&c->state.accepted, 0, sizeof(c->state.accepted));
	c->state.sure = CASPAXOS_SURE;
	rc = caspaxos_value_check(&begun) ? caspaxos_save(c, &former) : -EINVAL;
	if (rc) {
		c->state = former;
		return rc;
	}
	c->proposer.lead = (struct ballot){0};
	c->config.hooks.decided(c->config.hooks.arg, &c->state.decided);
	return 0;
}

/* --- voting --- */

static void answer(struct caspaxos *c, struct mono now, __u64 to, const struct caspaxos_message *m,
		   enum caspaxos_kind kind, struct ballot ballot)
{
	struct caspaxos_message out = {.kind = kind, .version = m->version, .ballot = ballot};

	if (kind == CASPAXOS_DECIDED) {
		out.value = c->state.decided;
		out.version = out.value.version;
	}
	if (kind == CASPAXOS_OUTBID)
		caspaxos_lives(c, &c->state.decided, out.lives);
	if (kind == CASPAXOS_PROMISE) {
		out.accepted = c->state.ballot;
		out.value = c->state.accepted;
	}
	caspaxos_send(c, now, to, &out);
}

/* Whether the ballot rests on votes of a life that a voter has ended. */
static bool is_outlived(const struct caspaxos *c, const struct caspaxos_message *m)
{
	const struct caspaxos_value *v = &c->state.decided;

	for (__u32 i = 0; i < v->voters; i++)
		if (m->lives[i] < caspaxos_life(c, v->voter[i].store))
			return true;
	return false;
}

/* What PREPARE and ACCEPT have in common. Return: whether the ballot may go on. */
static bool may_vote(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	if (m->version <= c->state.decided.version) {
		answer(c, now, from, m, CASPAXOS_DECIDED, m->ballot);
		return false;
	}
	if (m->version > c->state.decided.version + 1) {
		caspaxos_tell(c, now, from); /* it does not know what the ballot rests on */
		return false;
	}
	if (!caspaxos_named(c) || c->state.sure == CASPAXOS_UNSURE)
		return false;
	if (ballot_compare(m->ballot, c->state.promised) < 0 || is_outlived(c, m)) {
		answer(c, now, from, m, CASPAXOS_OUTBID, c->state.promised);
		return false;
	}
	caspaxos_lives_note(c, &c->state.decided, m->lives);
	return c->state.sure != CASPAXOS_UNSURE; /* the proposer may know a later life of this voter */
}

static void prepare(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	struct caspaxos_state former;

	if (m->value.version + 1 == m->version)
		caspaxos_learn(c, now, &m->value);
	if (!may_vote(c, now, from, m))
		return;
	former = c->state;
	c->state.promised = m->ballot;
	if (ballot_compare(m->ballot, former.promised) && caspaxos_save(c, &former))
		return;
	answer(c, now, from, m, CASPAXOS_PROMISE, m->ballot);
}

static void accept(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	struct caspaxos_state former;

	if (m->value.version != m->version || m->value.id != c->state.decided.id || !caspaxos_value_check(&m->value) ||
	    !may_vote(c, now, from, m))
		return;
	former = c->state;
	c->state.promised = c->state.ballot = m->ballot;
	c->state.accepted = m->value;
	if (ballot_compare(m->ballot, former.ballot) && caspaxos_save(c, &former))
		return;
	answer(c, now, from, m, CASPAXOS_ACCEPTED, m->ballot);
}

/* A ballot has one value for a version, so who accepted by it needs no more than that. */
static void decided(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	const struct caspaxos_value accepted = c->state.accepted;

	if (m->value.version)
		caspaxos_learn(c, now, &m->value);
	else if (m->ballot.round && m->version == accepted.version && !ballot_compare(m->ballot, c->state.ballot))
		caspaxos_learn(c, now, &accepted);
	else if (m->version > c->state.decided.version)
		caspaxos_ask(c, now, from);
}

/* --- messages, time --- */

void caspaxos_send(struct caspaxos *c, struct mono now, __u64 to, struct caspaxos_message *m)
{
	m->id = c->state.decided.id;
	m->store = c->state.store;
	m->life = c->state.life;
	if (to == c->config.id)
		caspaxos_receive(c, now, to, m);
	else
		c->config.hooks.send(c->config.hooks.arg, to, m);
}

static bool is_wild(const struct caspaxos *c, struct ballot ballot)
{
	return ballot.round > c->round && ballot.round - c->round > ROUNDS_AHEAD;
}

void caspaxos_receive(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	if (!m->id || (c->state.decided.id && m->id != c->state.decided.id) || is_wild(c, m->ballot) ||
	    is_wild(c, m->accepted))
		return;
	caspaxos_heard(c, m->ballot);
	if (from != c->config.id && (caspaxos_place(&c->state.decided, from, m->store) >= 0 ||
				     caspaxos_place(&c->state.accepted, from, m->store) >= 0))
		caspaxos_note(c, m->store, m->life);
	switch ((enum caspaxos_kind)m->kind) {
	case CASPAXOS_PREPARE:
		prepare(c, now, from, m);
		break;
	case CASPAXOS_ACCEPT:
		accept(c, now, from, m);
		break;
	case CASPAXOS_ASK:
		caspaxos_asked(c, now, from, m);
		break;
	case CASPAXOS_DECIDED:
		decided(c, now, from, m);
		break;
	case CASPAXOS_TOLD:
		caspaxos_told(c, now, from, m);
		caspaxos_answered(c, now, from, m);
		break;
	case CASPAXOS_PROMISE:
	case CASPAXOS_ACCEPTED:
	case CASPAXOS_OUTBID:
		caspaxos_answered(c, now, from, m);
		break;
	}
}

void caspaxos_step(struct caspaxos *c, struct mono now)
{
	caspaxos_recover_step(c, now);
	caspaxos_propose_step(c, now);
}

struct mono caspaxos_due(const struct caspaxos *c)
{
	const struct proposer *p = &c->proposer;
	struct mono due = {UINT64_MAX};

	if (caspaxos_recovering(c))
		due = c->ask;
	if (p->change.done && p->next.ns < due.ns)
		due = p->next;
	if (p->change.done && p->end.ns < due.ns)
		due = p->end;
	return due;
}

struct caspaxos *caspaxos_new(const struct caspaxos_config *config, const struct caspaxos_state *state, bool sure)
{
	struct caspaxos *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->config = *config;
	c->state = *state;
	c->random = mix64(config->seed);
	c->me = caspaxos_draw(c) | 1;
	if (!sure || state->sure == CASPAXOS_UNSURE)
		caspaxos_life_begin(c, 0);
	c->round = state->promised.round > state->ballot.round ? state->promised.round : state->ballot.round;
	return c;
}

void caspaxos_free(struct caspaxos *c)
{
	free(c);
}
