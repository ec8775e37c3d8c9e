// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Probing: the next member of a shuffled list each period, helpers, the dead, seeds; and answering. Not here: what
 * follows from silence (opinion_suspect.c).
 */
#include "core/opinion_private.h"

#define DIRECT_PART 2  /* of a period: helpers are asked after one half */
#define NACK_PART   60 /* percent of that half: a helper says then that it has heard nothing */
#define DRAWS	    12 /* tries to find helpers */

static void jitter_first(struct opinion *o)
{
	if (o->probe_at.ns)
		return;
	o->probe_at.ns = o->now.ns + (__u64)opinion_draw(o, o->config.period_ms * 1000) * 1000;
	o->retry_at.ns = o->now.ns + (__u64)opinion_draw(o, o->config.period_ms * 1000) * 1000;
	o->number = opinion_draw(o, UINT32_MAX);
}

/* --- a probe of one's own --- */

static void order_shuffle(struct opinion *o)
{
	size_t i, k;
	__u16 other;

	for (i = o->count; i > 1; i--) {
		k = opinion_draw(o, (__u32)i);
		other = o->order[i - 1];
		o->order[i - 1] = o->order[k];
		o->order[k] = other;
	}
	o->ordered = 0;
}

static bool is_probed(const struct member *m)
{
	return (m->state == MEMBER_ALIVE || m->state == MEMBER_SUSPECT) && m->at.port;
}

static __u16 subject_next(struct opinion *o)
{
	size_t i;
	__u16 who;

	for (i = 0; o->lives && i < 2 * o->count; i++) {
		if (o->ordered >= o->count)
			order_shuffle(o);
		who = o->order[o->ordered++];
		if (who != o->self && is_probed(&o->member[who]) && opinion_watches(o, who))
			return who;
	}
	return NOBODY;
}

static void probe_send(struct opinion *o, __u16 to, __u32 number)
{
	struct intent *out = opinion_out(o, MESSAGE_PROBE, to, &o->member[to].at);

	if (!out)
		return;
	out->number = number;
	out->subject = o->id[to];
}

static void probe_begin(struct opinion *o)
{
	o->probe = (struct probe){.subject = subject_next(o), .number = ++o->number};
	o->probe.helped = mono_after(o->now, opinion_period_ms(o) / DIRECT_PART);
	if (o->probe.subject == NOBODY)
		return;
	o->counts[OPINION_PROBES]++;
	probe_send(o, o->probe.subject, o->probe.number);
}

static bool helps(const struct opinion *o, __u16 who)
{
	const struct member *m = &o->member[who];

	return m->state == MEMBER_ALIVE && !m->unfit && m->at.port && who != o->probe.subject;
}

/* Some of these, by chance, are asked to look. */
static void helpers_of(struct opinion *o, const __u16 *of, size_t count, __u16 asked[OPINION_HELPERS])
{
	struct probe *p = &o->probe;
	struct intent *out;
	size_t i, k;
	__u16 who;

	for (i = 0; i < DRAWS && count && p->helpers < OPINION_HELPERS; i++) {
		who = of[opinion_draw(o, (__u32)count)];
		for (k = 0; k < p->helpers && asked[k] != who; k++)
			;
		if (k < p->helpers || !helps(o, who))
			continue;
		out = opinion_out(o, MESSAGE_PROBE_FOR, who, &o->member[who].at);
		if (!out)
			return;
		out->number = p->number;
		out->subject = o->id[p->subject];
		asked[p->helpers++] = who;
	}
}

static void helpers_ask(struct opinion *o)
{
	__u16 asked[OPINION_HELPERS] = {0};
	const __u16 *of;
	size_t count;

	o->probe.asked = true;
	of = opinion_near(o, &count);
	helpers_of(o, of, count, asked);
	of = opinion_fars(o, &count); /* where a site is small, its bridges' friends elsewhere */
	helpers_of(o, of, count, asked);
}

static void probe_conclude(struct opinion *o)
{
	struct probe *p = &o->probe;

	if (p->subject == NOBODY)
		return;
	if (p->answered) {
		opinion_ail(o, -1);
		return;
	}
	o->counts[OPINION_FAILED]++;
	opinion_ail(o, p->helpers ? p->helpers - p->nacks : 1);
	opinion_accuse(o, p->subject, o->self, MEMBER_SUSPECT);
}

/* It cannot be known whether the answer came in time. */
void opinion_probe_late(struct opinion *o)
{
	o->probe.subject = NOBODY;
}

/* --- the dead, and seeds --- */

/* A dead member: one that others hold alive, else any. */
static __u16 dead_pick(struct opinion *o, bool *ret_hinted)
{
	size_t start = opinion_draw(o, (__u32)o->count), i, who;
	__u16 found = NOBODY;

	*ret_hinted = false;
	for (i = 0; i < o->count; i++) {
		struct member *m;

		who = (start + i) % o->count;
		m = &o->member[who];
		if (m->state != MEMBER_DEAD || !m->at.port || who == o->self || !opinion_watches(o, (__u16)who))
			continue;
		if (m->hinted) {
			m->hinted = false;
			*ret_hinted = true;
			return (__u16)who;
		}
		if (found == NOBODY)
			found = (__u16)who;
	}
	return found;
}

static void retry(struct opinion *o)
{
	const struct endpoint *seed;
	bool soon;
	__u16 who = dead_pick(o, &soon);

	if (who != NOBODY)
		probe_send(o, who, ++o->number);
	if (o->seeds) {
		seed = &o->seed[opinion_draw(o, (__u32)o->seeds)];
		opinion_out(o, MESSAGE_PROBE, NOBODY, seed);
	}
	soon |= o->found || !o->lives;
	o->found = false;
	o->retry_at = opinion_jitter(o, soon ? o->config.period_ms : OPINION_RETRY_MS);
}

static void seed_answered(struct opinion *o, const struct endpoint *from)
{
	size_t i;

	for (i = o->seeds; i--;)
		if (addr_equal(&o->seed[i].addr, &from->addr) && o->seed[i].port == from->port)
			o->seed[i] = o->seed[--o->seeds];
}

/* --- a probe for somebody else --- */

static void relay_begin(struct opinion *o, __u16 asker, const struct endpoint *from, const struct message *m)
{
	__u16 subject = opinion_find(o, m->subject);
	struct relay *r;
	size_t i;

	if (subject == NOBODY || subject == o->self || !o->member[subject].at.port)
		return;
	for (i = 0; i < RELAYS && o->relay[i].asker != NOBODY; i++)
		;
	if (i == RELAYS)
		return;
	r = &o->relay[i];
	*r = (struct relay){
		.at = *from, .number = ++o->number, .theirs = m->number, .subject = subject, .asker = asker};
	r->nack = mono_after(o->now, o->config.period_ms / DIRECT_PART * NACK_PART / 100);
	r->end = mono_after(o->now, o->config.period_ms * (OPINION_HEALTH_MAX + 1));
	if (r->nack.ns < o->relay_due.ns)
		o->relay_due = r->nack;
	probe_send(o, subject, r->number);
}

static void relay_answer(struct opinion *o, const struct relay *r, enum message_kind kind)
{
	struct intent *out = opinion_out(o, kind, r->asker, &r->at);

	if (!out)
		return;
	out->number = r->theirs;
	out->subject = o->id[r->subject];
}

static void relays_step(struct opinion *o)
{
	size_t i;

	if (!mono_past(o->relay_due, o->now))
		return;
	o->relay_due.ns = NEVER;
	for (i = 0; i < RELAYS; i++) {
		struct relay *r = &o->relay[i];
		struct mono next;

		if (r->asker == NOBODY)
			continue;
		if (mono_past(r->nack, o->now) && !r->nacked) {
			r->nacked = true;
			if (!o->config.plain)
				relay_answer(o, r, MESSAGE_NACK);
		}
		if (mono_past(r->end, o->now)) {
			r->asker = NOBODY;
			continue;
		}
		next = r->nacked ? r->end : r->nack;
		if (next.ns < o->relay_due.ns)
			o->relay_due = next;
	}
}

/* --- by a helper --- */

__u64 opinion_relay(struct opinion *o, __u64 to, struct endpoint *ret_at)
{
	__u16 subject = opinion_find(o, to), who;
	size_t nears, i;
	const __u16 *near = opinion_near(o, &nears);

	if (subject == NOBODY || !o->member[subject].helped)
		return 0;
	for (i = 0; i < DRAWS && nears; i++) {
		who = near[opinion_draw(o, (__u32)nears)];
		if (who == subject || o->member[who].helped || o->member[who].state != MEMBER_ALIVE ||
		    !o->member[who].at.port)
			continue;
		*ret_at = o->member[who].at;
		return o->id[who];
	}
	return 0;
}

/* --- messages --- */

/* Four moments: RFC 5905 section 8. Of a slow exchange they say little, so it does not replace a quicker one's. */
static void clock_compare(struct opinion *o, __u16 who, const struct message *m)
{
	struct member *peer = &o->member[who];
	__u64 here_us = opinion_wall_us(o, o->now);
	__s64 out_us, back_us, round_us;

	if (!here_us || !m->asked_us || !m->heard_us || !m->sent_us)
		return;
	out_us = (__s64)(m->heard_us - m->asked_us);
	back_us = (__s64)(m->sent_us - here_us);
	round_us = out_us - back_us;
	if (round_us < 0 || round_us > 1000000LL * 60)
		return;
	if (peer->round_us && round_us > 2 * (__s64)peer->round_us) {
		peer->round_us += peer->round_us / 8 + 1; /* the path may have become longer */
		return;
	}
	peer->round_us = round_us ? (__u32)round_us : 1;
	peer->offset_us = (out_us + back_us) / 2;
}

static void probe_answer(struct opinion *o, __u16 sender, const struct endpoint *from, const struct message *m)
{
	struct intent *out;

	if (m->subject && m->subject != o->config.id)
		return;
	out = opinion_out(o, MESSAGE_ACK, sender, from);
	if (!out)
		return;
	out->number = m->number;
	out->subject = o->config.id;
	out->asked_us = m->sent_us;
	out->heard_us = opinion_wall_us(o, o->now);
	out->remind = m->updates && m->update[0].id == o->id[sender] && m->update[0].life < o->member[sender].life;
}

static void ack_take(struct opinion *o, __u16 sender, const struct endpoint *from, const struct message *m)
{
	struct probe *p = &o->probe;
	size_t i;

	seed_answered(o, from);
	if (m->subject == o->id[sender])
		clock_compare(o, sender, m);
	if (p->subject != NOBODY && p->number == m->number && o->id[p->subject] == m->subject) {
		o->member[p->subject].helped = sender != p->subject && (!p->answered || o->member[p->subject].helped);
		p->answered = true;
		return;
	}
	for (i = 0; i < RELAYS; i++) {
		struct relay *r = &o->relay[i];

		if (r->asker == NOBODY || r->number != m->number || r->subject != sender)
			continue;
		relay_answer(o, r, MESSAGE_ACK);
		r->asker = NOBODY;
	}
}

void opinion_probed(struct opinion *o, __u16 sender, const struct endpoint *from, const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_PROBE:
		probe_answer(o, sender, from, m);
		break;
	case MESSAGE_PROBE_FOR:
		relay_begin(o, sender, from, m);
		break;
	case MESSAGE_ACK:
		ack_take(o, sender, from, m);
		break;
	case MESSAGE_NACK:
		if (o->probe.number == m->number && o->probe.nacks < o->probe.helpers)
			o->probe.nacks++;
		break;
	default:
		break;
	}
}

void opinion_probe_step(struct opinion *o)
{
	jitter_first(o);
	relays_step(o);
	if (o->leaving)
		return;
	if (o->probe.subject != NOBODY && !o->probe.answered && !o->probe.asked && mono_past(o->probe.helped, o->now))
		helpers_ask(o);
	if (mono_past(o->probe_at, o->now)) {
		probe_conclude(o);
		o->probe_at = opinion_jitter(o, opinion_period_ms(o));
		probe_begin(o);
	}
	if (mono_past(o->retry_at, o->now))
		retry(o);
}

struct mono opinion_probe_due(const struct opinion *o)
{
	struct mono due = o->relay_due;

	if (o->leaving)
		return due;
	if (o->probe_at.ns < due.ns)
		due = o->probe_at;
	if (o->retry_at.ns < due.ns)
		due = o->retry_at;
	if (o->probe.subject != NOBODY && !o->probe.answered && !o->probe.asked && o->probe.helped.ns < due.ns)
		due = o->probe.helped;
	return due;
}
