// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What votes were worth, once there is a verdict. Not here: what follows from that (reputation.h).
 */
#include "core/verdict_private.h"

/* In which an honest observer sees what others have seen. */
static __u64 fair_ms(const struct target *t)
{
	__u32 results = t->is.pace.fall > t->is.pace.rise ? t->is.pace.fall : t->is.pace.rise;

	return (__u64)(results + VERDICT_GRACE) * t->is.pace.interval_ms;
}

void verdict_stands(struct target *t, struct mono now, size_t seat, const struct verdict_vote *vote)
{
	if (vote->state != t->standing[seat].state) {
		t->stood[seat] = now;
		t->turns[seat] += t->proven && (vote->state == VERDICT_UP || vote->state == VERDICT_DOWN) &&
				  vote->state != t->held.state;
	}
	t->standing[seat] = *vote;
}

void verdict_judge_again(struct target *t)
{
	memset(t->turns, 0, sizeof(t->turns));
	t->judge.ns = 0;
	t->judge_all = false;
}

void verdict_judge_change(struct verdict *v, struct mono now, struct target *t)
{
	verdict_judge_again(t);
	t->judge = mono_after(now, fair_ms(t));
	t->judge_all = true;
	verdict_time(v, t);
}

static bool is_against(const struct target *t, const struct peer *peer, size_t seat)
{
	enum verdict_state state = t->standing[seat].state;

	return peer->caught || ((state == VERDICT_UP || state == VERDICT_DOWN) && state != t->held.state);
}

/* The peer of a seat that is to be judged; NULL: it is not. */
static struct peer *judged(const struct verdict *v, const struct target *t, size_t seat)
{
	struct peer *peer = verdict_peer(v, t->seats.seat[seat].id);

	return peer && peer->live ? peer : NULL;
}

static bool any_against(const struct verdict *v, const struct target *t)
{
	for (size_t i = 0; i < t->seats.count; i++) {
		const struct peer *peer = judged(v, t, i);

		if (peer && is_against(t, peer, i))
			return true;
	}
	return false;
}

void verdict_judge_plan(struct verdict *v, struct mono now, struct target *t, bool proven)
{
	t->proven = proven;
	if (!proven)
		verdict_judge_again(t);
	if (t->judge.ns || !proven || !any_against(v, t))
		return;
	t->judge = mono_after(now, fair_ms(t));
	verdict_time(v, t);
}

/* Return: whether it was against. */
static bool seat_judge(const struct verdict *v, const struct target *t, struct mono now, size_t seat)
{
	struct peer *peer = judged(v, t, seat);
	bool against;

	if (!peer)
		return false;
	against = t->turns[seat] >= VERDICT_JUDGE_TURNS ||
		  (is_against(t, peer, seat) && (peer->caught || mono_ms(t->stood[seat], now) >= fair_ms(t)));
	peer->against += against;
	peer->with += !against && t->judge_all && t->standing[seat].state == t->held.state;
	return against;
}

void verdict_judge(struct verdict *v, struct mono now, struct target *t)
{
	bool due = t->judge.ns && t->judge.ns <= now.ns, against = false;

	if (!due)
		return;
	for (size_t i = 0; i < t->seats.count; i++)
		against |= seat_judge(v, t, now, i);
	verdict_judge_again(t);
	if (against)
		t->judge = mono_after(now, VERDICT_JUDGE_MS);
}

size_t verdict_judged(struct verdict *v, struct reputation_seen *ret, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < v->peers && count < room; i++) {
		struct peer *peer = &v->peer[i];

		if (!peer->with && !peer->against)
			continue;
		ret[count++] = (struct reputation_seen){peer->id, peer->with, peer->against};
		peer->with = peer->against = 0;
	}
	return count;
}
