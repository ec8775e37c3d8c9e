// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is told what: updates ride on every message, and on rounds of gossip while there are some; messages are written
 * when they are taken. Not here: pages (flock.c).
 */
#include "core/opinion_private.h"

#define DRAWS	   12	/* tries to find peers for a round */
#define WIDE	   3	/* times as many peers in the first round after a silence */
#define SILENCE_MS 1000 /* without a rumour: where messages are lost there always are some */

/* --- the queue --- */

static __u16 rumour_number(__u16 who, size_t which)
{
	return (__u16)(who * RUMOURS + which);
}
_Static_assert(STARLING_ROSTER_NODES *RUMOURS < NOBODY, "numbers of rumours");

static void queue_remove(struct opinion *o, __u16 number)
{
	struct rumour *r = &o->rumour[number];

	if (r->prev == NOBODY)
		o->queue[r->sent] = r->next;
	else
		o->rumour[r->prev].next = r->next;
	if (r->next == NOBODY)
		o->queue_end[r->sent] = r->prev;
	else
		o->rumour[r->next].prev = r->prev;
	r->queued = false;
	o->rumours--;
}

static void queue_append(struct opinion *o, __u16 number, __u8 sent)
{
	struct rumour *r = &o->rumour[number];

	*r = (struct rumour){.next = NOBODY, .prev = o->queue_end[sent], .sent = sent, .queued = true};
	if (r->prev == NOBODY)
		o->queue[sent] = number;
	else
		o->rumour[r->prev].next = number;
	o->queue_end[sent] = number;
	o->rumours++;
}

void rumour_drop(struct opinion *o, __u16 who, size_t which)
{
	if (o->rumour[rumour_number(who, which)].queued)
		queue_remove(o, rumour_number(who, which));
}

/* Rounds run as if their timer never stopped, so that what several say at once does not come as one burst. */
static void round_arm(struct opinion *o)
{
	if (o->gossip_at.ns <= o->now.ns)
		o->gossip_at.ns = o->now.ns + (__u64)opinion_draw(o, o->config.gossip_ms * 1000) * 1000;
}

/*
 * The first of some news goes to more peers at once. No rumour is told more often for that, but the time until all know
 * of a suspicion, from which each of them counts, becomes shorter: most of it are the rounds in which few know.
 */
static void silence_end(struct opinion *o)
{
	if (!o->config.plain && !o->rumours && mono_past(mono_after(o->heard, SILENCE_MS), o->now))
		o->wide = true;
	o->heard = o->now;
}

void rumour_queue(struct opinion *o, __u16 who, size_t which)
{
	silence_end(o);
	if (!o->rumours && !o->wanted)
		round_arm(o);
	rumour_drop(o, who, which);
	queue_append(o, rumour_number(who, which), 0);
}

void opinion_gossip(struct opinion *o, bool wanted)
{
	if (wanted && !o->wanted && !o->rumours)
		round_arm(o);
	o->wanted = wanted;
	if (wanted && o->lives && o->gossip_at.ns < o->due.ns)
		o->due = o->gossip_at;
}

/* --- what goes out --- */

struct intent *opinion_out(struct opinion *o, enum message_kind kind, __u16 to, const struct endpoint *at)
{
	struct intent *out;

	if (o->outs == OUT_MAX) {
		o->counts[OPINION_OVER]++;
		return NULL;
	}
	out = &o->out[(o->out_first + o->outs++) % OUT_MAX];
	*out = (struct intent){.at = *at, .to = to, .kind = (__u8)kind};
	return out;
}

static void credit_fill(struct credit *c, __u32 bytes_per_second, struct mono now)
{
	__s64 most = bytes_per_second;
	__u64 passed_us = now.ns > c->filled.ns ? (now.ns - c->filled.ns) / 1000 : 0;

	if (!c->filled.ns || passed_us > 1000000)
		c->bytes = most;
	else
		c->bytes += (__s64)(passed_us * (__u64)most / 1000000);
	if (c->bytes > most)
		c->bytes = most;
	c->filled = now;
}

static bool spend(struct opinion *o, struct mono now, __u16 to, size_t bytes)
{
	bool far = to != NOBODY && opinion_is_far(o, to);

	credit_fill(&o->credit, o->config.bytes_per_second, now);
	credit_fill(&o->far_credit, o->config.far_bytes_per_second, now);
	if (o->credit.bytes < (__s64)bytes || (far && o->far_credit.bytes < (__s64)bytes)) {
		o->counts[OPINION_OVER]++;
		return false;
	}
	o->credit.bytes -= (__s64)bytes;
	o->far_credit.bytes -= far ? (__s64)bytes : 0;
	return true;
}

bool opinion_spend(struct opinion *o, struct mono now, __u64 to, size_t bytes)
{
	return spend(o, now, opinion_find(o, to), bytes);
}

void opinion_sync(struct opinion *o, __u16 to)
{
	struct intent *out;

	if (o->lives < 2 || !mono_past(o->sync_at, o->now))
		return;
	out = opinion_out(o, MESSAGE_GOSSIP, to, &o->member[to].at);
	if (!out)
		return;
	out->last = (__u16)o->count;
	out->start = (__u16)opinion_draw(o, out->last); /* if the budget ends it early, the next one tells of others */
	o->sync_at = opinion_jitter(o, o->config.period_ms);
}

void opinion_behind(struct opinion *o, __u16 who, __u32 live)
{
	if (live && live <= o->lives && !o->rumours && !o->suspects && !o->config.plain)
		opinion_sync(o, who);
}

void opinion_gossip_step(struct opinion *o)
{
	__u16 told[DRAWS], who;
	size_t count = 0, fanout = o->config.fanout * (o->wide ? WIDE : 1), nears, fars, i, k;
	const __u16 *near, *far;

	if ((!o->rumours && !o->wanted) || !o->lives || !mono_past(o->gossip_at, o->now))
		return;
	o->gossip_at = opinion_jitter(o, o->config.gossip_ms);
	o->wide = false;
	far = opinion_fars(o, &fars);
	if (fars) {
		who = far[opinion_draw(o, (__u32)fars)];
		if (o->member[who].at.port)
			opinion_out(o, MESSAGE_GOSSIP, who, &o->member[who].at);
	}
	near = opinion_near(o, &nears);
	for (i = 0; i < DRAWS && nears && count < fanout; i++) {
		who = near[opinion_draw(o, (__u32)nears)];
		for (k = 0; k < count && told[k] != who; k++)
			;
		if (k < count || !o->member[who].at.port)
			continue;
		told[count++] = who;
		opinion_out(o, MESSAGE_GOSSIP, who, &o->member[who].at);
	}
}

struct mono opinion_gossip_due(const struct opinion *o)
{
	return (o->rumours || o->wanted) && o->lives ? o->gossip_at : (struct mono){NEVER};
}

/* --- writing --- */

/* A message's room, in updates. */
static size_t room_of(const struct opinion *o)
{
	size_t room = (o->config.message_bytes - OPINION_HEADER_BYTES) / OPINION_UPDATE_BYTES;

	return room < MESSAGE_UPDATES_MAX ? room : MESSAGE_UPDATES_MAX;
}

static struct member_update alive_of(const struct opinion *o, __u16 who)
{
	const struct member *m = &o->member[who];

	return (struct member_update){
		.id = m->id,
		.life = m->life,
		.at = who == o->self ? o->config.at : m->at,
		.state = m->state == MEMBER_LEFT ? MEMBER_LEFT : MEMBER_ALIVE,
	};
}

static struct member_update accusation_of(const struct opinion *o, __u16 who, size_t which)
{
	const struct member *m = &o->member[who];
	const struct accuser *a = &m->accuser[which];

	return (struct member_update){.id = m->id, .life = m->life, .accuser = o->id[a->who], .state = a->state};
}

/* What the receiver should know of itself. Lifeguard section IV-C: so a suspect hears of it soonest. */
static bool buddy_add(const struct opinion *o, const struct intent *i, struct message *ret)
{
	const struct member *m;
	struct member_update u;

	if (i->to == NOBODY)
		return false;
	m = &o->member[i->to];
	if (!m->life || (m->state == MEMBER_ALIVE && !i->remind) || (m->state == MEMBER_SUSPECT && o->config.plain))
		return false;
	if (m->accusers)
		u = accusation_of(o, i->to, 0);
	else
		u = alive_of(o, i->to);
	if (m->state == MEMBER_DEAD) {
		u.state = MEMBER_DEAD;
		u.accuser = o->config.id;
		u.at = (struct endpoint){0};
	}
	ret->update[ret->updates++] = u;
	return true;
}

static void rumours_add(struct opinion *o, const struct intent *to, bool buddy, size_t room, struct message *ret)
{
	size_t limit = page_spread_limit(o->config.lambda, o->lives + 1), count = 0, i;
	__u16 picked[MESSAGE_UPDATES_MAX], number, next, who;

	if (limit > RUMOUR_SENT / 2)
		limit = RUMOUR_SENT / 2;
	for (i = 0; i < RUMOUR_SENT && o->rumours && ret->updates < room; i++)
		for (number = o->queue[i]; number != NOBODY && ret->updates < room; number = next) {
			size_t which = number % RUMOURS;

			next = o->rumour[number].next;
			who = number / RUMOURS;
			if (who == to->to && (buddy || which == RUMOUR_SELF))
				continue;
			ret->update[ret->updates++] =
				which == RUMOUR_SELF ? alive_of(o, who) : accusation_of(o, who, which);
			queue_remove(o, number);
			picked[count++] = number;
		}
	/* By chance a rumour sent k times by each does not reach one in e^k: of a refutation that would cost a life. */
	for (i = 0; i < count; i++)
		if (o->rumour[picked[i]].sent + 1U < (picked[i] % RUMOURS == RUMOUR_SELF ? limit + limit / 2 : limit))
			queue_append(o, picked[i], (__u8)(o->rumour[picked[i]].sent + 1));
}

/* A part of what is known of all. */
static void list_add_members(const struct opinion *o, struct intent *i, size_t room, struct message *ret)
{
	const struct member *m;
	__u16 who;

	for (; i->first < i->last && i->first < o->count && ret->updates < room; i->first++) {
		who = (__u16)((i->start + i->first) % o->count);
		m = &o->member[who];
		if (m->life && m->state != MEMBER_DEAD && who != i->to)
			ret->update[ret->updates++] = alive_of(o, who);
	}
}

static void write_message(struct opinion *o, struct mono now, struct intent *i, struct message *ret)
{
	size_t room = room_of(o);
	bool buddy;

	*ret = (struct message){.kind = i->kind, .number = i->number, .subject = i->subject};
	if (i->kind == MESSAGE_PROBE || i->kind == MESSAGE_ACK) {
		ret->sent_us = opinion_wall_us(o, now);
		ret->asked_us = i->asked_us;
		ret->heard_us = i->heard_us;
		ret->live = (__u32)o->lives + 1;
		if (!o->config.plain || i->to == NOBODY || o->member[i->to].state != MEMBER_ALIVE)
			ret->update[ret->updates++] = alive_of(o, o->self);
	}
	buddy = buddy_add(o, i, ret);
	if (i->first < i->last)
		list_add_members(o, i, room, ret);
	else
		rumours_add(o, i, buddy, room, ret);
}

static size_t message_bytes(const struct message *m)
{
	return OPINION_HEADER_BYTES + m->updates * OPINION_UPDATE_BYTES;
}

static void out_drop(struct opinion *o)
{
	o->out_first = (o->out_first + 1) % OUT_MAX;
	o->outs--;
}

/* What is sent already: credit may become less than nothing. */
static void charge(struct opinion *o, __u16 to, size_t bytes)
{
	o->credit.bytes -= (__s64)bytes;
	if (to != NOBODY && opinion_is_far(o, to))
		o->far_credit.bytes -= (__s64)bytes;
}

bool opinion_take(struct opinion *o, struct mono now, struct envelope *ret)
{
	struct intent *i;
	bool list, gossip;

	for (; o->outs; out_drop(o)) {
		i = &o->out[o->out_first];
		list = i->first < i->last;
		gossip = i->kind == MESSAGE_GOSSIP;
		if (gossip && ((!list && !o->rumours && !o->wanted) || !spend(o, now, i->to, 0)))
			continue;
		ret->to = i->to == NOBODY ? 0 : o->id[i->to];
		ret->at = i->at;
		write_message(o, now, i, &ret->message);
		if (gossip && !ret->message.updates && (list || !o->wanted))
			continue;
		if (gossip)
			charge(o, i->to, message_bytes(&ret->message));
		/* A list goes on with the next message. */
		if (!list || i->first >= i->last || i->first >= o->count)
			out_drop(o);
		return true;
	}
	return false;
}
