// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What this node finds by its own probes, and what it says of that. Not here: what others say (verdict_take.c).
 */
#include "core/verdict_private.h"

#define MS 1000000ull /* in ns */

bool verdict_vote_send(struct verdict *v, struct target *t, struct verdict_vote *vote)
{
	struct verdict_action *action;
	int len;

	vote->target = t->is.id;
	vote->voter = v->config.self.id;
	vote->epoch = v->epoch;
	vote->number = (struct page_version){v->config.self.incarnation, v->config.self.boot, ++v->counter};
	vote->date_ms = v->date_ms;
	if (verdict_vote_sign(vote, v->config.signing))
		return false;
	action = verdict_act(v, VERDICT_VOTE);
	if (!action)
		return false;
	len = verdict_vote_encode(vote, action->bytes, sizeof(action->bytes));
	action->target = t->is.id;
	action->state = vote->state;
	action->len = len > 0 ? (size_t)len : 0;
	return true;
}

static enum verdict_state wanted(const struct verdict *v, const struct target *t)
{
	if (t->self >= 0 && t->is.blind && t->standing[t->self].state != VERDICT_NONE)
		return VERDICT_ABSTAIN;
	if (t->self < 0 || !t->watched)
		return VERDICT_NONE;
	return t->watch.state == VERDICT_DOWN && v->doubts ? VERDICT_ABSTAIN : t->watch.state;
}

static void vote_cast(struct verdict *v, struct mono now, struct target *t, enum verdict_state state)
{
	struct verdict_vote vote = {.state = state, .evidence = t->watch.evidence};

	if (!verdict_vote_send(v, t, &vote))
		return; /* with the next result again */
	verdict_stands(t, now, (size_t)t->self, &vote);
	t->voted = now;
	if (t->is.rule.mode == VERDICT_MODE_PROOF)
		t->hash[t->self] = verdict_vote_hash(&vote, v->config.signing);
	verdict_settle(v, now, t);
}

/* Others may have a later one of an earlier life, and then this one is nothing to them. */
static bool of_this_life(const struct verdict *v, const struct verdict_vote *vote)
{
	return vote->number.incarnation == v->config.self.incarnation && vote->number.boot == v->config.self.boot;
}

void verdict_cast(struct verdict *v, struct mono now, struct target *t)
{
	enum verdict_state state = wanted(v, t);

	if (state != VERDICT_NONE && (t->standing[t->self].state != state || !of_this_life(v, &t->standing[t->self])))
		vote_cast(v, now, t, state);
}

/* --- doubt of oneself --- */

static bool contradicted(const struct verdict *v, const struct target *t)
{
	size_t up = 0;

	if (t->self < 0 || !t->watched || !verdict_watch_fails(&t->watch))
		return false;
	for (size_t i = 0; i < t->seats.count; i++)
		up += (int)i != t->self && verdict_counting(v, t, i) == VERDICT_UP;
	return up > t->seats.liars;
}

void verdict_doubt_all(struct verdict *v)
{
	size_t part = v->doubts ? VERDICT_DOUBT_END : VERDICT_DOUBT_PART;
	bool doubts = v->unfit || (v->observed >= VERDICT_DOUBT_TARGETS && part * v->contradicted > v->observed);

	if (doubts == v->doubts)
		return;
	v->doubts = doubts;
	v->recast = 0;
}

/* Each is signed, and a loop is not to wait. */
void verdict_recast(struct verdict *v, struct mono now)
{
	if (!v->recast && v->doubts)
		verdict_hurry_failing(v, now);
	for (size_t i = 0; i < VERDICT_TURN && v->recast < v->targets; i++)
		verdict_cast(v, now, v->target[v->recast++]);
}

void verdict_doubt(struct verdict *v, struct target *t)
{
	bool is = contradicted(v, t);

	if (is == t->contradicted)
		return;
	t->contradicted = is;
	v->contradicted = is ? v->contradicted + 1 : v->contradicted - 1;
	verdict_doubt_all(v);
}

void verdict_unfit(struct verdict *v, bool unfit)
{
	v->unfit = unfit;
	verdict_doubt_all(v);
}

/* --- probes --- */

static void vote_renew(struct verdict *v, struct mono now, struct target *t)
{
	__u64 wait_ns = VERDICT_RENEW * t->is.pace.interval_ms * MS;

	if (t->is.rule.mode != VERDICT_MODE_PROOF || t->self < 0)
		return;
	if (t->standing[t->self].state == VERDICT_DOWN && !verdict_witnessed(v, t, (size_t)t->self) &&
	    now.ns >= t->voted.ns + wait_ns)
		vote_cast(v, now, t, VERDICT_DOWN);
}

void verdict_watch_due(struct verdict *v, struct mono now, struct target *t)
{
	__u32 number = verdict_watch_probe(&t->watch, &t->is.pace, now, verdict_draw(v));
	struct verdict_action *action = verdict_act(v, VERDICT_PROBE);

	if (action) {
		action->target = t->is.id;
		action->number = number;
	}
	verdict_time(v, t);
	vote_renew(v, now, t);
}

void verdict_probed(struct verdict *v, struct mono now, __u64 target, __u32 number, enum verdict_evidence evidence)
{
	struct target *t = verdict_target(v, target);
	bool changed;

	if (!t || !t->watched)
		return;
	changed = verdict_watch_result(&t->watch, &t->is.pace, now, number, evidence);
	verdict_time(v, t);
	if (t->watch.state != VERDICT_NONE)
		verdict_witness_says(v, t);
	verdict_doubt(v, t);
	verdict_cast(v, now, t);
	if (changed)
		verdict_settle(v, now, t);
}

void verdict_heard_down(struct verdict *v, struct mono now, struct target *t)
{
	if (!t->watched)
		return;
	verdict_watch_hurry(&t->watch, &t->is.pace, now);
	verdict_time(v, t);
}

void verdict_hurry_failing(struct verdict *v, struct mono now)
{
	for (size_t i = 0; i < v->targets; i++)
		if (v->target[i]->watch.failing)
			verdict_heard_down(v, now, v->target[i]);
}

void verdict_hint(struct verdict *v, struct mono now, __u64 target)
{
	struct target *t = verdict_target(v, target);

	if (t)
		verdict_heard_down(v, now, t);
}
