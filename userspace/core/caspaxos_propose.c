// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who wants a change: ballots of one's own. Not here: voters (caspaxos.c).
 */
#include "core/caspaxos_private.h"

static void finish(struct caspaxos *c, enum caspaxos_outcome outcome, int why)
{
	struct caspaxos_change change = c->proposer.change;

	c->proposer.change = (struct caspaxos_change){0};
	c->proposer.phase = PHASE_IDLE;
	change.done(change.arg, outcome, why, &c->state.decided);
}

/* To the voters that have not answered: this node last, as its answer may end the phase. */
static void ask_voters(struct caspaxos *c, struct mono now)
{
	struct proposer *p = &c->proposer;
	const struct caspaxos_value base = p->base;
	struct caspaxos_message m = {
		.kind = p->phase == PHASE_PREPARE ? CASPAXOS_PREPARE : CASPAXOS_ACCEPT,
		.version = base.version + 1,
		.ballot = p->ballot,
		.value = p->phase == PHASE_PREPARE ? base : p->value,
	};
	bool here = false;

	memcpy(m.lives, p->lives, sizeof(m.lives));
	p->next.ns = now.ns + CASPAXOS_REPEAT_MS * 1000000ull;
	for (__u32 i = 0; i < base.voters; i++) {
		if (p->answered >> i & 1)
			continue;
		if (base.voter[i].node == c->config.id)
			here = true;
		else
			caspaxos_send(c, now, base.voter[i].node, &m);
	}
	if (here)
		caspaxos_send(c, now, c->config.id, &m);
}

static void phase_begin(struct caspaxos *c, struct mono now, enum phase phase)
{
	struct proposer *p = &c->proposer;

	p->phase = phase;
	p->answered = 0;
	if (phase == PHASE_ACCEPT) {
		p->lead = (struct ballot){0}; /* its one value for this version */
		p->offered |= p->own;
	}
	ask_voters(c, now);
}

/* What the change makes of the base. Return: 0, or why not. */
static int value_make(struct caspaxos *c)
{
	struct proposer *p = &c->proposer;
	struct caspaxos_value next = p->base;
	int rc = p->change.next(p->change.arg, &p->base, &next);

	if (rc)
		return rc;
	next.id = p->base.id;
	next.version = p->base.version + 1;
	memmove(next.done + 1, p->base.done, sizeof(next.done) - sizeof(next.done[0]));
	next.done[0] = p->number;
	if (!caspaxos_value_check(&next))
		return -EINVAL;
	p->value = next;
	p->own = true;
	return 0;
}

static void begin(struct caspaxos *c, struct mono now)
{
	struct proposer *p = &c->proposer;

	p->base = c->state.decided;
	p->best = (struct ballot){0};
	p->own = false;
	if (p->lead.round) {
		p->ballot = p->lead;
		if (!value_make(c)) {
			phase_begin(c, now, PHASE_ACCEPT);
			return;
		}
		/* Nothing to change: a quorum has to say so now; the promises of the lead may still be coming. */
	}
	p->lead = (struct ballot){0};
	p->ballot = (struct ballot){++c->round, c->me};
	caspaxos_lives(c, &p->base, p->lives);
	phase_begin(c, now, PHASE_PREPARE);
}

int caspaxos_propose(struct caspaxos *c, struct mono now, const struct caspaxos_change *change, __u32 wait_ms)
{
	struct proposer *p = &c->proposer;

	if (p->change.done)
		return -EBUSY;
	if (!c->state.decided.version)
		return -ENOENT;
	p->change = *change;
	p->number = caspaxos_draw(c) | 1;
	p->offered = false;
	p->outbids = 0;
	p->end.ns = now.ns + wait_ms * 1000000ull;
	begin(c, now);
	return 0;
}

/* --- answers --- */

static void promised(struct caspaxos *c, struct mono now, const struct caspaxos_message *m)
{
	struct proposer *p = &c->proposer;
	int rc;

	if (m->accepted.round && m->value.version == m->version && ballot_compare(m->accepted, p->best) > 0 &&
	    caspaxos_value_check(&m->value)) {
		p->best = m->accepted;
		p->best_value = m->value;
	}
	if ((size_t)__builtin_popcount(p->answered) < caspaxos_quorum(&p->base))
		return;
	if (p->best.round) {
		p->value = p->best_value;
		p->own = p->value.done[0] == p->number;
		phase_begin(c, now, PHASE_ACCEPT);
		return;
	}
	rc = value_make(c);
	if (!rc) {
		phase_begin(c, now, PHASE_ACCEPT);
		return;
	}
	p->lead = p->ballot;
	finish(c, CASPAXOS_REFUSED, rc);
}

/* Both who decided it, who were asked to accept it by this ballot, and who decide next. */
static void decided_tell(struct caspaxos *c, struct mono now, struct ballot ballot, const struct caspaxos_value *base,
			 const struct caspaxos_value *value)
{
	struct caspaxos_message m = {.kind = CASPAXOS_DECIDED, .version = value->version, .ballot = ballot};
	__u32 i;

	for (i = 0; i < base->voters; i++)
		if (base->voter[i].node != c->config.id)
			caspaxos_send(c, now, base->voter[i].node, &m);
	m.value = *value;
	for (i = 0; i < value->voters; i++)
		if (value->voter[i].node != c->config.id && caspaxos_place(base, value->voter[i].node, 0) < 0)
			caspaxos_send(c, now, value->voter[i].node, &m);
}

static bool same_voters(const struct caspaxos_value *a, const struct caspaxos_value *b)
{
	return a->voters == b->voters && !memcmp(a->voter, b->voter, a->voters * sizeof(a->voter[0]));
}

static void accepted(struct caspaxos *c, struct mono now)
{
	struct proposer *p = &c->proposer;
	const struct caspaxos_value base = p->base, value = p->value;

	if ((size_t)__builtin_popcount(p->answered) < caspaxos_quorum(&base))
		return;
	if (same_voters(&base, &value))
		p->lead = p->ballot;
	decided_tell(c, now, p->ballot, &base, &value);
	caspaxos_decided(c, now, &value);
}

static void outbid(struct caspaxos *c, struct mono now, const struct caspaxos_message *m)
{
	struct proposer *p = &c->proposer;
	__u32 times = p->outbids < CASPAXOS_BACKOFF_MAX ? p->outbids++ : CASPAXOS_BACKOFF_MAX;
	bool outlived = false;

	for (__u32 i = 0; i < p->base.voters; i++)
		outlived |= m->lives[i] > p->lives[i];
	caspaxos_lives_note(c, &p->base, m->lives);
	if (ballot_compare(m->ballot, p->ballot) <= 0 && !outlived)
		return;
	p->lead = (struct ballot){0};
	p->phase = PHASE_BACKOFF;
	p->next.ns = now.ns + 1000000ull * mix_below(caspaxos_draw(c), CASPAXOS_BACKOFF_MS << times);
}

void caspaxos_answered(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	struct proposer *p = &c->proposer;
	int place = m->store ? caspaxos_place(&p->base, from, m->store) : -1;

	if ((p->phase != PHASE_PREPARE && p->phase != PHASE_ACCEPT) || place < 0)
		return;
	if (m->kind == CASPAXOS_TOLD) {
		/* It has not heard of what this rests on. */
		if (m->version < p->base.version && from != c->config.id) {
			struct caspaxos_message base = {
				.kind = CASPAXOS_DECIDED, .version = p->base.version, .value = p->base};

			caspaxos_send(c, now, from, &base);
			ask_voters(c, now);
		}
		return;
	}
	if (m->version != p->base.version + 1)
		return;
	if (m->kind == CASPAXOS_OUTBID) {
		outbid(c, now, m);
		return;
	}
	if (ballot_compare(m->ballot, p->ballot) || (m->kind == CASPAXOS_PROMISE) != (p->phase == PHASE_PREPARE) ||
	    p->answered >> place & 1)
		return;
	p->answered |= 1u << place;
	if (p->phase == PHASE_PREPARE)
		promised(c, now, m);
	else
		accepted(c, now);
}

/* --- another value, time --- */

void caspaxos_moved(struct caspaxos *c, struct mono now)
{
	struct proposer *p = &c->proposer;
	const struct caspaxos_value *v = &c->state.decided;
	bool own = p->phase == PHASE_ACCEPT && v->version == p->base.version + 1 && p->lead.round;
	size_t i;

	if (!own)
		p->lead = (struct ballot){0};
	if (!p->change.done || p->phase == PHASE_IDLE)
		return;
	for (i = 0; i < CASPAXOS_DONES && v->done[i] != p->number; i++)
		;
	if (i < CASPAXOS_DONES) {
		finish(c, CASPAXOS_DONE, 0);
	} else if (p->offered && v->version - p->base.version > CASPAXOS_DONES) {
		finish(c, CASPAXOS_UNKNOWN, 0); /* it may be one of those that are no longer named */
	} else {
		begin(c, now);
	}
}

void caspaxos_propose_step(struct caspaxos *c, struct mono now)
{
	struct proposer *p = &c->proposer;

	if (!p->change.done)
		return;
	if (now.ns >= p->end.ns) {
		p->lead = (struct ballot){0};
		finish(c, p->offered ? CASPAXOS_UNKNOWN : CASPAXOS_FAILED, 0);
		return;
	}
	if (now.ns < p->next.ns)
		return;
	if (p->phase == PHASE_BACKOFF)
		begin(c, now);
	else
		ask_voters(c, now);
}
