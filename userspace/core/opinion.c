// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Members, this node among them, and what is held of each. Not here: what changes it (opinion_update.c,
 * opinion_suspect.c), when who is probed (opinion_probe.c), who is told (opinion_gossip.c).
 */
#include "core/opinion.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "core/opinion_private.h"

static const char *const count_labels[] = {
#define COUNT_LABEL(id, label, help) [OPINION_##id] = (label),
	STARLING_OPINION_COUNTS(COUNT_LABEL)
#undef COUNT_LABEL
};

const char *opinion_count_label(enum opinion_count which)
{
	return count_labels[which];
}

const char *member_state_word(enum member_state state)
{
	switch (state) {
#define STATE_WORD(id, number, word)                                                                                   \
	case MEMBER_##id:                                                                                              \
		return word;
		STARLING_MEMBER_STATES(STATE_WORD)
#undef STATE_WORD
	}
	return "unknown";
}

/* --- inside --- */

static int id_order(const void *key, const void *id)
{
	__u64 a = *(const __u64 *)key, b = *(const __u64 *)id;

	return a < b ? -1 : a > b;
}

__u16 opinion_find(const struct opinion *o, __u64 id)
{
	size_t at;

	return array_find(o->id, o->count, sizeof(id), &id, id_order, &at) ? (__u16)at : NOBODY;
}

struct mono opinion_jitter(struct opinion *o, __u64 ms)
{
	__u32 tenth_us = (__u32)(ms * 100);

	return (struct mono){o->now.ns + ms * 900000 + (__u64)opinion_draw(o, 2 * tenth_us + 1) * 1000};
}

__u32 opinion_period_ms(const struct opinion *o)
{
	return o->config.period_ms * (o->health + 1);
}

void opinion_ail(struct opinion *o, int by)
{
	int health = (int)o->health + by;

	if (o->config.plain)
		return;
	o->health = (__u32)(health < 0 ? 0 : health > OPINION_HEALTH_MAX ? OPINION_HEALTH_MAX : health);
}

static bool is_live(enum member_state state)
{
	return state == MEMBER_ALIVE || state == MEMBER_SUSPECT;
}

static void list_add(__u16 *list, size_t *count, __u16 who, __u16 *ret_place)
{
	*ret_place = (__u16)*count;
	list[(*count)++] = who;
}

/* Returns who has come to the freed place. */
static __u16 list_remove(__u16 *list, size_t *count, __u16 place)
{
	list[place] = list[--*count];
	return list[place];
}

static void member_lists(struct opinion *o, __u16 who, enum member_state from, enum member_state to)
{
	struct member *m = &o->member[who];

	if (!is_live(from) && is_live(to))
		list_add(o->live, &o->lives, who, &m->place);
	else if (is_live(from) && !is_live(to))
		o->member[list_remove(o->live, &o->lives, m->place)].place = m->place;
	if (to == MEMBER_SUSPECT)
		list_add(o->suspect, &o->suspects, who, &m->suspected_place);
	else if (from == MEMBER_SUSPECT)
		o->member[list_remove(o->suspect, &o->suspects, m->suspected_place)].suspected_place =
			m->suspected_place;
	if (is_live(from) == is_live(to))
		return;
	opinion_sites_live(o, who, is_live(to));
	opinion_timeouts(o);
}

void opinion_is(struct opinion *o, __u16 who, enum member_state state)
{
	struct member *m = &o->member[who];
	enum member_state from = m->state;

	if (from == state)
		return;
	m->state = (__u8)state;
	m->since = o->now;
	m->hinted = false;
	if (who == o->self)
		return;
	member_lists(o, who, from, state);
	if (state != MEMBER_SUSPECT)
		opinion_pending(o);
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

static void due_find(struct opinion *o)
{
	o->due.ns = NEVER;
	if (o->self == NOBODY)
		return;
	o->due = earlier(opinion_probe_due(o), opinion_suspect_due(o));
	o->due = earlier(o->due, opinion_gossip_due(o));
}

/* --- making, the roster --- */

struct opinion *opinion_new(const struct opinion_config *config)
{
	struct opinion *o = calloc(1, sizeof(*o));
	size_t i;

	if (!o)
		return NULL;
	o->config = *config;
	o->random = mix64(config->seed ^ mix64(config->id));
	o->life = (__u64)config->incarnation << 32;
	o->self = NOBODY;
	o->probe.subject = NOBODY;
	o->pending.ns = NEVER;
	o->relay_due.ns = NEVER;
	o->due.ns = NEVER;
	for (i = 0; i < RELAYS; i++)
		o->relay[i].asker = NOBODY;
	memset(o->queue, 0xff, sizeof(o->queue));
	memset(o->queue_end, 0xff, sizeof(o->queue_end));
	opinion_timeouts(o);
	return o;
}

/* What a roster's size decides. */
struct rows {
	__u64 *id;
	struct member *member;
	struct rumour *rumour;
	__u16 *order, *live, *suspect, *near, *far;
	struct site *site;
};

static void rows_free(struct rows *r)
{
	free(r->id);
	free(r->member);
	free(r->rumour);
	free(r->order);
	free(r->live);
	free(r->suspect);
	free(r->near);
	free(r->far);
	free(r->site);
}

static struct rows rows_of(const struct opinion *o)
{
	return (struct rows){o->id, o->member, o->rumour, o->order, o->live, o->suspect, o->near, o->far, o->site};
}

void opinion_free(struct opinion *o)
{
	struct rows rows;

	if (!o)
		return;
	rows = rows_of(o);
	rows_free(&rows);
	free(o);
}

static int rows_new(struct rows *r, const struct roster *roster)
{
	size_t count = roster->count + 1, i;

	r->id = calloc(count, sizeof(*r->id));
	r->member = calloc(count, sizeof(*r->member));
	r->rumour = calloc(count * RUMOURS, sizeof(*r->rumour));
	r->order = calloc(count, sizeof(*r->order));
	r->live = calloc(count, sizeof(*r->live));
	r->suspect = calloc(count, sizeof(*r->suspect));
	r->near = calloc(count, sizeof(*r->near));
	r->far = calloc(count, sizeof(*r->far));
	r->site = calloc(count, sizeof(*r->site));
	if (!r->id || !r->member || !r->rumour || !r->order || !r->live || !r->suspect || !r->near || !r->far ||
	    !r->site) {
		rows_free(r);
		return -ENOMEM;
	}
	for (i = 0; i < roster->count; i++)
		r->id[i] = roster->node[i].id;
	qsort(r->id, roster->count, sizeof(*r->id), id_order);
	return 0;
}

/* Those who stay keep what is held of them, but for accusations: what is true of them will be said again. */
static void members_move(struct opinion *o, const struct rows *old, size_t old_count)
{
	size_t i, at;

	for (i = 0; i < o->count; i++) {
		struct member *m = &o->member[i];

		*m = (struct member){.state = MEMBER_DEAD, .published = MEMBER_DEAD};
		if (array_find(old->id, old_count, sizeof(*old->id), &o->id[i], id_order, &at))
			*m = old->member[at];
		m->id = o->id[i];
		m->accusers = 0;
		m->caught = false;
		if (m->state == MEMBER_SUSPECT)
			m->state = MEMBER_ALIVE;
		if (o->id[i] == o->config.id) {
			o->self = (__u16)i;
			m->state = m->published = o->leaving ? MEMBER_LEFT : MEMBER_ALIVE;
			m->life = o->life;
			m->unfit = m->changed = false;
		} else if (is_live(m->state)) {
			list_add(o->live, &o->lives, (__u16)i, &m->place);
		}
		o->unfits += m->unfit;
		o->changes += m->changed;
		o->order[i] = (__u16)i;
	}
}

int opinion_roster(struct opinion *o, const struct roster *roster)
{
	struct rows old = rows_of(o), rows = {0};
	size_t old_count = o->count, i;

	if (rows_new(&rows, roster))
		return -ENOMEM;
	o->id = rows.id;
	o->member = rows.member;
	o->rumour = rows.rumour;
	o->order = rows.order;
	o->live = rows.live;
	o->suspect = rows.suspect;
	o->near = rows.near;
	o->far = rows.far;
	o->site = rows.site;
	o->count = roster->count;
	o->ordered = o->count;
	o->lives = o->suspects = o->unfits = o->rumours = o->changes = 0;
	o->self = NOBODY;
	o->probe.subject = NOBODY;
	o->outs = 0;
	o->change_at = 0;
	for (i = 0; i < RELAYS; i++)
		o->relay[i].asker = NOBODY;
	memset(o->queue, 0xff, sizeof(o->queue));
	memset(o->queue_end, 0xff, sizeof(o->queue_end));
	members_move(o, &old, old_count);
	rows_free(&old);
	opinion_sites(o, roster);
	opinion_timeouts(o);
	if (o->self != NOBODY)
		rumour_queue(o, o->self, RUMOUR_SELF);
	due_find(o);
	return 0;
}

/* --- this node --- */

void opinion_incarnation(struct opinion *o, __u32 incarnation)
{
	if (o->life >> 32 >= incarnation)
		return;
	o->life = (__u64)incarnation << 32;
	if (o->self == NOBODY)
		return;
	o->member[o->self].life = o->life;
	rumour_queue(o, o->self, RUMOUR_SELF);
}

void opinion_leave(struct opinion *o)
{
	if (o->leaving || o->self == NOBODY)
		return;
	o->leaving = true;
	o->probe.subject = NOBODY;
	opinion_is(o, o->self, MEMBER_LEFT);
	rumour_queue(o, o->self, RUMOUR_SELF);
	due_find(o);
}

bool opinion_gone(const struct opinion *o)
{
	return o->leaving && (!o->lives || !o->rumour[o->self * RUMOURS + RUMOUR_SELF].queued);
}

void opinion_clock(struct opinion *o, struct mono now, __u64 wall_us)
{
	o->wall_at = now;
	o->wall_us = wall_us;
}

__u64 opinion_wall_us(const struct opinion *o, struct mono now)
{
	__s64 passed_us = ((__s64)now.ns - (__s64)o->wall_at.ns) / 1000;

	return o->wall_us ? o->wall_us + (__u64)passed_us : 0;
}

int opinion_known(struct opinion *o, __u64 id, const struct endpoint *at)
{
	__u16 who = opinion_find(o, id);

	if (who == NOBODY)
		return -ENOENT;
	if (!o->member[who].life)
		o->member[who].at = *at;
	return 0;
}

int opinion_seed(struct opinion *o, const struct endpoint *at)
{
	for (size_t i = 0; i < o->seeds; i++)
		if (!endpoint_compare(&o->seed[i], at))
			return 0;
	if (o->seeds == OPINION_SEEDS)
		return -ENOSPC;
	o->seed[o->seeds++] = *at;
	return 0;
}

/* --- events --- */

/*
 * The time of an event. If it comes long after something was due, this process stood still: answers may lie in its
 * socket, so nothing is concluded from their absence. It stood still until now, not until its timers are run: of the
 * messages that it finds in its socket only the first one is late.
 */
static void event_begin(struct opinion *o, struct mono now)
{
	__u64 since_ns = o->due.ns > o->now.ns ? o->due.ns : o->now.ns,
	      late_ns = now.ns > since_ns ? now.ns - since_ns : 0;

	if (now.ns > o->now.ns)
		o->now = now;
	if (o->config.plain || o->self == NOBODY || late_ns < (__u64)o->config.period_ms * 500000 || !o->probe_at.ns)
		return;
	o->counts[OPINION_LATE]++;
	opinion_ail(o, 1);
	opinion_probe_late(o);
	opinion_suspect_late(o, late_ns);
}

bool opinion_receive(struct opinion *o, struct mono now, const struct endpoint *from, __u64 sender,
		     const struct message *m)
{
	__u16 who = opinion_find(o, sender);
	size_t i;

	if (who == NOBODY || who == o->self || o->self == NOBODY) {
		o->counts[OPINION_STRANGER]++;
		return false;
	}
	event_begin(o, now);
	opinion_sites_heard(o, who);
	for (i = 0; i < m->updates && i < MESSAGE_UPDATES_MAX; i++)
		opinion_update(o, who, from, &m->update[i]);
	opinion_probed(o, who, from, m);
	opinion_behind(o, who, m->live);
	due_find(o);
	return true;
}

void opinion_step(struct opinion *o, struct mono now)
{
	event_begin(o, now);
	if (o->self != NOBODY) {
		opinion_probe_step(o);
		opinion_suspect_step(o);
		opinion_gossip_step(o);
	}
	due_find(o);
}

struct mono opinion_due(const struct opinion *o)
{
	return o->due;
}

/* --- looking --- */

static enum member_state state_shown(const struct member *m)
{
	return m->unfit && is_live(m->state) ? MEMBER_UNFIT : m->state;
}

int opinion_state(const struct opinion *o, __u64 id, struct opinion_view *ret)
{
	__u16 who = opinion_find(o, id);
	const struct member *m;
	size_t i;

	if (who == NOBODY)
		return -ENOENT;
	m = &o->member[who];
	*ret = (struct opinion_view){
		.state = state_shown(m),
		.since = m->since,
		.life = m->life,
		.at = who == o->self ? o->config.at : m->at,
		.accusers = m->accusers,
		.clean = mono_after(m->caught_at[0], m->unfit ? OPINION_CLEAN_MS : 0),
		.offset_us = m->offset_us,
		.round_us = m->round_us,
		.bridge = o->sites > 1 && m->bridge,
	};
	for (i = 0; i < m->accusers; i++)
		ret->accuser[i] = o->id[m->accuser[i].who];
	return 0;
}

bool opinion_fit(const struct opinion *o, __u64 id)
{
	__u16 who = opinion_find(o, id);

	return who != NOBODY && state_shown(&o->member[who]) == MEMBER_ALIVE;
}

size_t opinion_live(const struct opinion *o)
{
	return o->lives + (o->self != NOBODY);
}

__u32 opinion_health(const struct opinion *o)
{
	return o->health;
}

__u64 opinion_life(const struct opinion *o)
{
	return o->life;
}

__u64 opinion_digest(const struct opinion *o)
{
	__u64 digest = 0;
	size_t i;

	for (i = 0; i < o->count; i++)
		digest ^= mix64(o->id[i] ^ mix64(o->member[i].state));
	return digest;
}

__u64 opinion_count(const struct opinion *o, enum opinion_count which)
{
	return o->counts[which];
}
