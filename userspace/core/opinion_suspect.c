// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From accusations to changes that are published. Not here: who accuses (opinion_probe.c, opinion_update.c).
 *
 * Lifeguard section IV-B: with C confirmations of the K that are expected a suspicion lasts
 * max(min, max - (max - min) * log(C + 1) / log(K + 1)). In a flock of less than six K members that could confirm are
 * not there, or would take too long to come round to it: none are expected.
 */
#include <math.h>

#include "core/opinion_private.h"

#define SMALL_FLOCK   6 /* below it no confirmation is expected */
#define CONFIRMATIONS (OPINION_ACCUSERS - 1)

size_t opinion_high(struct opinion *o, const struct member *subject)
{
	size_t others = opinion_watchers(o, subject); /* but the subject: this node stands for it */

	return others < 1 ? 1 : others < OPINION_HIGH ? others : OPINION_HIGH;
}

void opinion_timeouts(struct opinion *o)
{
	double n = (double)o->lives + 1, decades = log10(n), shortest, longest, share;
	size_t expected = o->lives + 1 < SMALL_FLOCK ? 0 : CONFIRMATIONS, i;

	shortest = o->config.alpha * (decades > 1 ? decades : 1) * o->config.period_ms * 1e6;
	longest = o->config.plain ? shortest : shortest * o->config.beta;
	for (i = 0; i <= OPINION_ACCUSERS; i++) {
		share = i > expected ? 1 : i < 2 ? 0 : log((double)i) / log((double)expected + 1);
		o->timeout_ns[i] = (__u64)(longest - (longest - shortest) * share);
	}
}

static size_t accusers_who_say(const struct member *m, enum member_state state)
{
	size_t count = 0, i;

	for (i = 0; i < m->accusers; i++)
		count += m->accuser[i].state == state;
	return count;
}

static struct mono suspicion_end(struct opinion *o, const struct member *m)
{
	/* In a large flock a small site's members have few who could confirm, as in a small flock. */
	bool few = m->accusers && opinion_watchers(o, m) + 1 < SMALL_FLOCK;
	__u64 timeout_ns = o->timeout_ns[few ? OPINION_ACCUSERS : m->accusers],
	      short_ns = 2000000ULL * o->config.period_ms;

	/* Others have given it all the time there is; it only may not have heard of it. */
	if (m->accusers > 1 && accusers_who_say(m, MEMBER_DEAD) >= opinion_high(o, m) && timeout_ns > short_ns)
		timeout_ns = short_ns;
	return (struct mono){m->suspected.ns + timeout_ns};
}

/* --- accusing --- */

/* Whether an accuser is heard on a subject more. */
static bool brake_allows(struct opinion *o, __u16 accuser)
{
	struct member *m = &o->member[accuser];

	if (mono_past(mono_after(m->braked, 1000), o->now) || !m->braked.ns) {
		m->braked = o->now;
		m->subjects = 0;
	}
	if (m->subjects >= OPINION_BRAKE_SUBJECTS) {
		o->counts[OPINION_BRAKED]++;
		return false;
	}
	m->subjects++;
	return true;
}

/* Much changes at once: rather this node is wrong than so many others gone. */
static void freeze_count(struct opinion *o)
{
	if (mono_past(mono_after(o->window, o->config.period_ms), o->now)) {
		o->window = o->now;
		o->window_changes = 0;
	}
	if (++o->window_changes * 2 <= o->count)
		return;
	o->counts[OPINION_FROZEN] += mono_past(o->frozen, o->now);
	o->frozen = mono_after(o->now, o->config.period_ms);
}

static size_t accused_lately(const struct opinion *o, const struct member *m)
{
	size_t count = 0, i;

	for (i = 0; i < m->accusers; i++)
		count += !mono_past(mono_after(m->accuser[i].at, OPINION_ACCUSED_MS), o->now);
	return count;
}

/* Enough accusers at once: once for each suspicion. */
static void catch_count(struct opinion *o, struct member *m)
{
	if (m->caught || accused_lately(o, m) < opinion_high(o, m))
		return;
	m->caught = true;
	memmove(m->caught_at + 1, m->caught_at, sizeof(m->caught_at) - sizeof(m->caught_at[0]));
	m->caught_at[0] = o->now;
	if (m->unfit || !m->caught_at[OPINION_CAUGHT - 1].ns ||
	    mono_past(mono_after(m->caught_at[OPINION_CAUGHT - 1], OPINION_CAUGHT_MS), o->now))
		return;
	m->unfit = true;
	o->unfits++;
	opinion_pending(o);
}

static struct accuser *accuser_of(struct member *m, __u16 who)
{
	size_t i;

	for (i = 0; i < m->accusers; i++)
		if (m->accuser[i].who == who)
			return &m->accuser[i];
	return NULL;
}

static void is_dead(struct opinion *o, __u16 who)
{
	struct member *m = &o->member[who];
	struct accuser *own = accuser_of(m, o->self);
	size_t i;

	for (i = 0; i < m->accusers; i++)
		if (m->accuser[i].state != MEMBER_DEAD)
			rumour_drop(o, who, i);
	rumour_drop(o, who, RUMOUR_SELF);
	if (!own) {
		own = &m->accuser[m->accusers < OPINION_ACCUSERS ? m->accusers++ : OPINION_ACCUSERS - 1];
		*own = (struct accuser){.at = o->now, .who = o->self};
	}
	own->state = MEMBER_DEAD;
	opinion_is(o, who, MEMBER_DEAD);
	rumour_queue(o, who, (size_t)(own - m->accuser));
}

void opinion_accuse(struct opinion *o, __u16 who, __u16 accuser, enum member_state state)
{
	struct member *m = &o->member[who];
	struct accuser *a = accuser_of(m, accuser);

	if (m->state != MEMBER_ALIVE && m->state != MEMBER_SUSPECT)
		return;
	if (m->state == MEMBER_ALIVE) {
		if (!o->config.plain && !brake_allows(o, accuser))
			return;
		m->suspected = o->now;
		opinion_is(o, who, MEMBER_SUSPECT);
		freeze_count(o);
	}
	if (!a) {
		if (m->accusers == OPINION_ACCUSERS)
			return;
		a = &m->accuser[m->accusers++];
		*a = (struct accuser){.who = accuser};
	} else if (a->state == MEMBER_DEAD || a->state == (__u8)state) {
		/* Known; the own probes are news each time. */
		if (accuser == o->self)
			a->at = o->now;
		return;
	}
	a->at = o->now;
	a->state = (__u8)state;
	rumour_queue(o, who, (size_t)(a - m->accuser));
	if (state == MEMBER_DEAD && o->config.plain)
		is_dead(o, who);
	else
		catch_count(o, m);
}

void opinion_forgive(struct opinion *o, __u16 who)
{
	struct member *m = &o->member[who];
	size_t i;

	for (i = 0; i < m->accusers; i++)
		rumour_drop(o, who, i);
	m->accusers = 0;
	m->caught = false;
}

void opinion_repeat(struct opinion *o, __u16 who)
{
	struct member *m = &o->member[who];
	struct accuser *own = m->state == MEMBER_DEAD ? accuser_of(m, o->self) : NULL;

	if (own)
		rumour_queue(o, who, (size_t)(own - m->accuser));
	else if (m->state == MEMBER_LEFT)
		rumour_queue(o, who, RUMOUR_SELF);
}

/* --- time --- */

void opinion_suspect_late(struct opinion *o, __u64 ns)
{
	size_t i;

	for (i = 0; i < o->suspects; i++)
		o->member[o->suspect[i]].suspected.ns += ns;
}

static void unfits_clean(struct opinion *o)
{
	size_t i;

	for (i = 0; o->unfits && i < o->count; i++) {
		struct member *m = &o->member[i];

		if (!m->unfit || !mono_past(mono_after(m->caught_at[0], OPINION_CLEAN_MS), o->now))
			continue;
		m->unfit = false;
		o->unfits--;
		opinion_pending(o);
	}
}

static void suspicions_end(struct opinion *o)
{
	size_t i;

	if (!mono_past(o->frozen, o->now))
		return;
	for (i = o->suspects; i--;)
		if (mono_past(suspicion_end(o, &o->member[o->suspect[i]]), o->now))
			is_dead(o, o->suspect[i]);
}

/*
 * Somebody is accused, but by fewer than H: it is open what becomes of it. Only who may be dead before the change that
 * waits has to be published is waited for: on a lossy network somebody is always accused anew, and refutes.
 */
static bool is_open(struct opinion *o)
{
	struct mono last = mono_after(o->pending, OPINION_FILTER_MS);
	size_t i, accusers;

	for (i = 0; i < o->suspects; i++) {
		const struct member *m = &o->member[o->suspect[i]];

		accusers = accused_lately(o, m);
		if (accusers && accusers < opinion_high(o, m) &&
		    m->suspected.ns + o->timeout_ns[OPINION_ACCUSERS] <= last.ns)
			return true;
	}
	return false;
}

struct mono opinion_suspect_due(struct opinion *o)
{
	struct mono due = o->pending, end;
	size_t i;

	if (o->pending.ns != NEVER && !o->config.plain && is_open(o))
		due = mono_after(o->pending, OPINION_FILTER_MS);
	for (i = 0; i < o->suspects; i++) {
		end = suspicion_end(o, &o->member[o->suspect[i]]);
		if (end.ns < o->frozen.ns)
			end = o->frozen;
		if (end.ns < due.ns)
			due = end;
	}
	return due;
}

/* --- publishing --- */

static enum member_state decided(const struct member *m)
{
	if (m->state == MEMBER_SUSPECT && m->published != MEMBER_UNFIT && !m->unfit)
		return m->published;
	if (m->state == MEMBER_ALIVE || m->state == MEMBER_SUSPECT)
		return m->unfit ? MEMBER_UNFIT : MEMBER_ALIVE;
	return m->state;
}

void opinion_pending(struct opinion *o)
{
	if (o->pending.ns == NEVER)
		o->pending = o->now;
}

static void publish(struct opinion *o)
{
	size_t i, count = 0;

	if (o->pending.ns == NEVER)
		return;
	for (i = 0; i < o->count; i++)
		count += i != o->self && decided(&o->member[i]) != o->member[i].published && !o->member[i].changed;
	if (!count) {
		o->pending.ns = NEVER;
		return;
	}
	if (!o->config.plain && is_open(o) && !mono_past(mono_after(o->pending, OPINION_FILTER_MS), o->now))
		return;
	o->event++;
	for (i = 0; i < o->count; i++) {
		struct member *m = &o->member[i];

		if (i == o->self || decided(m) == m->published || m->changed)
			continue;
		m->changed = true;
		m->event = o->event;
		o->changes++;
	}
	o->pending.ns = NEVER;
}

void opinion_suspect_step(struct opinion *o)
{
	suspicions_end(o);
	unfits_clean(o);
	publish(o);
}

bool opinion_changed(struct opinion *o, struct opinion_change *ret)
{
	struct member *m;
	enum member_state to;

	for (; o->changes; o->change_at = (o->change_at + 1) % o->count) {
		m = &o->member[o->change_at];
		if (!m->changed)
			continue;
		m->changed = false;
		o->changes--;
		to = decided(m);
		if (to == m->published)
			continue;
		*ret = (struct opinion_change){
			.id = m->id, .from = m->published, .to = to, .since = m->since, .event = m->event};
		m->published = (__u8)to;
		return true;
	}
	return false;
}
