// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Mode proof: others who were drawn by a vote say what they see, and without them it does not count. Not here: the draw
 * (verdict_rule.c).
 *
 * What a witness says may come before the vote that it is about. So it is kept by the number it names, and there is
 * room for what belongs to no vote yet; but nobody has much of it, so that no liar keeps out the others.
 */
#include "core/verdict_private.h"

#define LOOSE 3 /* of one voter, that belong to no standing vote */

static const struct verdict_vote *seen_find(const struct target *t, __u64 about, __u64 voter)
{
	for (size_t i = 0; t->seen && i < VERDICT_SEEN; i++)
		if (t->seen[i].about == about && t->seen[i].voter == voter)
			return &t->seen[i];
	return NULL;
}

bool verdict_seen(const struct target *t, __u64 about, __u64 voter)
{
	return seen_find(t, about, voter);
}

bool verdict_witnessed(const struct verdict *v, const struct target *t, size_t seat)
{
	__u64 hash = t->hash[seat], witness[VERDICT_WITNESSES];
	size_t i, count = verdict_witnesses_draw(&v->roster, &t->is.rule, &t->seats, hash, witness);

	for (i = 0; i < count; i++) {
		const struct verdict_vote *seen = seen_find(t, hash, witness[i]);

		if (!seen || seen->state != VERDICT_DOWN)
			return false;
	}
	return true;
}

static bool is_loose(const struct target *t, const struct verdict_vote *seen)
{
	for (size_t i = 0; i < t->seats.count; i++)
		if (t->standing[i].state != VERDICT_NONE && t->hash[i] == seen->about)
			return false;
	return true;
}

/* A free place, or one of what belongs to no vote: the voter's own, if it has enough of them. */
static struct verdict_vote *seen_place(const struct target *t, __u64 voter)
{
	struct verdict_vote *free_one = NULL, *loose = NULL, *own = NULL;
	size_t owns = 0;

	for (size_t i = 0; i < VERDICT_SEEN; i++) {
		struct verdict_vote *seen = &t->seen[i];

		if (!seen->about) {
			free_one = seen;
		} else if (is_loose(t, seen)) {
			loose = seen;
			own = seen->voter == voter ? seen : own;
			owns += seen->voter == voter;
		}
	}
	if (owns >= LOOSE)
		return own;
	return free_one ? free_one : loose;
}

void verdict_seen_put(struct verdict *v, struct target *t, const struct verdict_vote *vote)
{
	struct verdict_vote *place;

	if (!t->seen)
		t->seen = calloc(VERDICT_SEEN, sizeof(*t->seen));
	place = t->seen ? seen_place(t, vote->voter) : NULL;
	if (place)
		*place = *vote;
	else
		v->count[VERDICT_OUTCOME_MEMORY]++;
}

void verdict_witness_says(struct verdict *v, struct target *t)
{
	while (t->asked_count) {
		struct verdict_vote vote = {
			.state = t->watch.state, .evidence = t->watch.evidence, .about = t->asked[--t->asked_count]};

		if (verdict_vote_send(v, t, &vote))
			verdict_seen_put(v, t, &vote);
	}
}

void verdict_witness(struct verdict *v, struct mono now, struct target *t, __u64 hash)
{
	__u64 witness[VERDICT_WITNESSES];
	size_t i, count = verdict_witnesses_draw(&v->roster, &t->is.rule, &t->seats, hash, witness);
	bool drawn = false;

	for (i = 0; i < count; i++)
		drawn |= witness[i] == v->config.self.id;
	for (i = 0; i < t->asked_count; i++)
		drawn &= t->asked[i] != hash;
	if (!drawn || t->is.blind || t->asked_count == VERDICT_SEATS)
		return;
	t->asked[t->asked_count++] = hash;
	if (t->watched)
		return; /* it is asked about already, or known */
	t->watched = true;
	verdict_watch_begin(&t->watch, &t->is.pace, now, VERDICT_NONE, 0);
	verdict_watch_hurry(&t->watch, &t->is.pace, now);
	verdict_time(v, t);
}
