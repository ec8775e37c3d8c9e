// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What follows from votes: certificates, whether own probes are needed, what is told. Not here: how votes come
 * (verdict_take.c), what a certificate is to somebody else (verdict_certificate.c).
 */
#include "core/verdict_private.h"

#define MS 1000000ull /* in ns */

/* What a seat's vote counts as; NONE: it does not. */
enum verdict_state verdict_counting(const struct verdict *v, const struct target *t, size_t seat)
{
	const struct verdict_vote *vote = &t->standing[seat];
	const struct peer *peer;

	if (vote->state == VERDICT_NONE)
		return VERDICT_NONE;
	peer = verdict_peer(v, vote->voter);
	if (!peer || peer->caught)
		return VERDICT_NONE;
	if (t->is.rule.mode == VERDICT_MODE_PROOF && vote->state == VERDICT_DOWN && !verdict_witnessed(v, t, seat))
		return VERDICT_NONE;
	return vote->state;
}

/* Whether an observer lives and judges; one that has never voted may run what knows no votes. */
bool verdict_able(const struct verdict *v, const struct target *t, size_t seat)
{
	const struct peer *peer = verdict_peer(v, t->seats.seat[seat].id);
	enum verdict_state state = t->standing[seat].state;

	return peer && peer->live && !peer->caught && state != VERDICT_ABSTAIN &&
	       (state != VERDICT_NONE || t->grace.ns);
}

/* Fewer of them than a verdict takes. */
static bool too_few(const struct verdict *v, const struct target *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->seats.count; i++)
		count += verdict_able(v, t, i);
	return count < t->seats.quorum;
}

void verdict_hold(struct target *t, enum verdict_state state, const struct roster_epoch *epoch,
		  const struct verdict_vote *vote, size_t votes)
{
	struct held *h = &t->held;

	free(h->vote);
	h->vote = votes ? calloc(votes, sizeof(*vote)) : NULL;
	h->votes = h->vote ? votes : 0;
	if (h->vote)
		memcpy(h->vote, vote, votes * sizeof(*vote));
	h->state = state;
	h->former = false;
	h->epoch = *epoch;
	h->rule = t->is.rule;
	t->unproven.ns = 0;
}

static void certificate_make(const struct verdict *v, struct target *t, enum verdict_state state,
			     const enum verdict_state *counting)
{
	struct verdict_vote vote[VERDICT_VOTES];
	size_t i, k, votes = 0;

	for (i = 0; i < t->seats.count; i++) {
		if (counting[i] != state)
			continue;
		vote[votes++] = t->standing[i];
		if (t->is.rule.mode != VERDICT_MODE_PROOF || state != VERDICT_DOWN)
			continue;
		for (k = 0; t->seen && k < VERDICT_SEEN && votes < VERDICT_VOTES; k++)
			if (t->seen[k].about == t->hash[i] && t->seen[k].state == VERDICT_DOWN)
				vote[votes++] = t->seen[k];
	}
	verdict_hold(t, state, &v->epoch, vote, votes);
}

/* Return: what votes that stand prove. */
static enum verdict_state decide(struct verdict *v, struct mono now, struct target *t)
{
	enum verdict_state counting[VERDICT_SEATS] = {0}, state;
	size_t i, down = 0;
	bool undecided;

	for (i = 0; i < t->seats.count; i++) {
		counting[i] = verdict_counting(v, t, i);
		down += counting[i] == VERDICT_DOWN;
	}
	state = verdict_decide(&t->seats, t->is.rule.mode, counting);
	if (state != VERDICT_NONE && (t->held.state != state || t->held.former)) {
		bool dies = state == VERDICT_DOWN && t->held.state != state;

		if (t->held.state != VERDICT_NONE && t->held.state != state)
			verdict_judge_change(v, now, t);
		certificate_make(v, t, state, counting);
		if (dies)
			verdict_hurry_failing(v, now);
	}
	undecided = down > t->seats.liars && t->held.state != VERDICT_DOWN;
	v->undecided += undecided;
	v->undecided -= t->undecided;
	t->undecided = undecided;
	return state;
}

struct mono verdict_show_due(const struct target *t)
{
	if (!t->unproven.ns || t->shown)
		return (struct mono){UINT64_MAX};
	return mono_after(t->unproven, VERDICT_SHOW_MS);
}

/* Another certificate than the one that was shown, or none. Without memory for it some will hold what they held. */
static void show_set(struct verdict *v, struct target *t, bool shown)
{
	struct verdict_action *action = verdict_act(v, VERDICT_SHOW);

	t->shown = shown;
	if (action)
		action->target = t->is.id;
}

/* @proven: by votes that stand. */
static void show(struct verdict *v, struct mono now, struct target *t, enum verdict_state proven)
{
	const struct held *h = &t->held;
	bool needed = t->self >= 0 && h->votes && !h->former && h->state != proven;

	if (t->shown && (!needed || !t->unproven.ns))
		show_set(v, t, false);
	if (!needed) {
		t->unproven.ns = 0;
	} else if (!t->unproven.ns) {
		t->unproven = now;
		verdict_time(v, t);
	} else if (verdict_show_due(t).ns <= now.ns) {
		show_set(v, t, true);
	}
}

/* An observer finds out by itself; but what was down before this began has to rise. */
static enum verdict_state watch_from(const struct target *t)
{
	if (t->self < 0 && t->held.state != VERDICT_NONE)
		return t->held.state;
	return t->is.down && !t->since.ns ? VERDICT_DOWN : VERDICT_NONE;
}

static void watch_set(struct verdict *v, struct mono now, struct target *t, bool watched)
{
	if (watched == t->watched)
		return;
	t->watched = watched;
	t->watch = (struct verdict_watch){0};
	if (watched)
		verdict_watch_begin(&t->watch, &t->is.pace, now, watch_from(t), verdict_draw(v));
	verdict_time(v, t);
}

/* Two intervals after own probes have said down, which took them `fall` of them. */
struct mono verdict_own_down_due(const struct target *t)
{
	if (!t->watched || t->watch.state != VERDICT_DOWN || t->state == VERDICT_DOWN)
		return (struct mono){UINT64_MAX};
	return mono_after(t->watch.since, VERDICT_OWN * (__u64)t->is.pace.interval_ms);
}

static bool told_all(const struct target *t)
{
	return t->state == t->told_state && t->source == t->told_source && t->own_down == t->told_own_down;
}

static void hold(struct verdict *v, struct mono now, struct target *t, enum verdict_state state,
		 enum verdict_source source)
{
	bool changed;

	if (!t->since.ns || state != t->state || source != t->source)
		t->since = now;
	t->state = state;
	t->source = source;
	t->own_down = verdict_own_down_due(t).ns <= now.ns;
	changed = !told_all(t);
	if (changed == t->changed)
		return;
	t->changed = changed;
	if (!changed) {
		v->changed--;
		return;
	}
	if (!v->changed++)
		v->changed_since = now;
	v->changed_last = now;
}

/* Its hurried probes fail: it may be the next one. */
void verdict_fails(struct verdict *v, struct target *t)
{
	bool fails = t->watched && t->watch.hurried && t->watch.failing && t->held.state != VERDICT_DOWN;

	v->failing += fails;
	v->failing -= t->fails;
	t->fails = fails;
}

void verdict_settle(struct verdict *v, struct mono now, struct target *t)
{
	bool few = too_few(v, t);
	enum verdict_state proven = decide(v, now, t);

	show(v, now, t, proven);
	verdict_judge_plan(v, now, t, !few && proven != VERDICT_NONE);
	watch_set(v, now, t, !t->is.blind && (t->self >= 0 || few || t->asked_count));
	verdict_fails(v, t);
	if (few && t->watch.state == VERDICT_DOWN && t->state != VERDICT_DOWN)
		verdict_hurry_failing(v, now);
	if (few && t->watch.state != VERDICT_NONE)
		hold(v, now, t, t->watch.state, VERDICT_BY_LOCAL);
	else if (t->held.state == VERDICT_NONE || (few && t->is.blind))
		hold(v, now, t, VERDICT_NONE, VERDICT_BY_NOTHING);
	else
		hold(v, now, t, t->held.state, t->held.former ? VERDICT_BY_FORMER : VERDICT_BY_CERTIFIED);
}

/* --- telling --- */

/* Whether there is more than one change, or was one just now: then the next ones are waited for. */
static bool tells_several(const struct verdict *v)
{
	return v->changed > 1 || (v->told.ns && v->changed_since.ns < v->told.ns + VERDICT_MANY_MS * MS);
}

struct mono verdict_tell_due(const struct verdict *v)
{
	__u64 wait_ms = v->failing     ? VERDICT_MANY_MS
			: v->undecided ? VERDICT_FILTER_MS
				       : VERDICT_SETTLE_MS,
	      due_ns = v->changed_since.ns + wait_ms * MS, most_ns = v->changed_since.ns + VERDICT_MANY_MS * MS,
	      quiet_ns = v->changed_last.ns + VERDICT_FILTER_MS * MS;

	if (!v->changed)
		return (struct mono){UINT64_MAX};
	if (tells_several(v) && quiet_ns > due_ns)
		due_ns = quiet_ns < most_ns ? quiet_ns : most_ns;
	return (struct mono){due_ns};
}

void verdict_tell(struct verdict *v, struct mono now)
{
	if (verdict_tell_due(v).ns > now.ns)
		return;
	v->event++;
	for (size_t i = 0; i < v->targets; i++) {
		struct target *t = v->target[i];
		struct verdict_action *action = t->changed ? verdict_act(v, VERDICT_CHANGE) : NULL;

		if (!action)
			continue; /* without memory: with the next ones */
		action->target = t->is.id;
		action->state = t->told_state = t->state;
		action->source = t->told_source = t->source;
		action->own_down = t->told_own_down = t->own_down;
		action->event = v->event;
		t->changed = false;
		v->changed--;
	}
	v->changed_since = v->told = now;
}
