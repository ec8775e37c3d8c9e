// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an update changes. Not here: what follows from accusations (opinion_suspect.c).
 *
 * Of two updates on one member that of the later life is right. Within one life it goes from alive to accused to dead
 * or left, and never back. A member's own word on its life counts whatever was heard of it.
 */
#include "core/opinion_private.h"

/* A later life than anybody could have reached since it was heard last: somebody lies, or time ends. */
static bool life_is_wild(const struct member *m, __u64 life)
{
	return m->life && life >> 32 > (m->life >> 32) + OPINION_LIFE_AHEAD;
}

/* This node is told of itself. */
static void self_update(struct opinion *o, const struct member_update *u)
{
	struct member *self = &o->member[o->self];

	if (u->life < o->life || (u->life == o->life && u->state == MEMBER_ALIVE) || u->state == MEMBER_UNFIT)
		return;
	if (life_is_wild(self, u->life)) {
		o->counts[OPINION_MALFORMED]++;
		return;
	}
	if (u->state == MEMBER_LEFT && o->leaving && u->life == o->life)
		return;
	/* Accused; or a former life of this node, whose store was lost, is remembered. */
	o->life = u->life + 1;
	self->life = o->life;
	o->counts[OPINION_REFUTED]++;
	if (u->state == MEMBER_SUSPECT || u->state == MEMBER_DEAD)
		opinion_ail(o, 1);
	rumour_queue(o, o->self, RUMOUR_SELF);
}

static void is_alive(struct opinion *o, __u16 who, __u64 life)
{
	struct member *m = &o->member[who];

	m->life = life;
	opinion_forgive(o, who);
	opinion_is(o, who, MEMBER_ALIVE);
}

/*
 * The teller holds alive whom this node holds dead or gone: one of them is to be told, after a look if it may be alive.
 * Whoever is near the one in question finds out alone; a teller of another site may have missed what was said of it.
 */
static void contradict(struct opinion *o, __u16 sender, __u16 who)
{
	struct member *m = &o->member[who];

	if (!m->hinted && opinion_is_far(o, sender))
		opinion_repeat(o, who);
	m->hinted = m->state == MEMBER_DEAD;
}

static void alive_update(struct opinion *o, __u16 sender, __u16 who, const struct endpoint *from,
			 const struct member_update *u)
{
	struct member *m = &o->member[who];
	bool was_dead = m->state == MEMBER_DEAD || m->state == MEMBER_LEFT, own = sender == who;

	if (own)
		m->at = u->at.port ? u->at : *from;
	if (life_is_wild(m, u->life) && !own) {
		o->counts[OPINION_MALFORMED]++;
		return;
	}
	if (u->life <= m->life && !(own && life_is_wild(&(struct member){.life = u->life}, m->life))) {
		if (u->life == m->life && was_dead && !own)
			contradict(o, sender, who);
		return;
	}
	if (!own && u->at.port)
		m->at = u->at;
	is_alive(o, who, u->life);
	rumour_queue(o, who, RUMOUR_SELF);
	/* They have not spoken for long: each may know what the other does not. */
	if (own && was_dead) {
		o->found = true;
		opinion_sync(o, who);
	}
}

static void accusing_update(struct opinion *o, __u16 who, const struct member_update *u)
{
	struct member *m = &o->member[who];
	__u16 accuser = opinion_find(o, u->accuser);

	if (accuser == NOBODY) {
		o->counts[OPINION_STRANGER]++;
		return;
	}
	if (accuser == who || accuser == o->self || life_is_wild(m, u->life)) {
		o->counts[OPINION_MALFORMED] += accuser != o->self;
		return;
	}
	/* One that is gone accuses because it hears nobody any more. */
	if (!o->config.plain && (o->member[accuser].state == MEMBER_DEAD || o->member[accuser].state == MEMBER_LEFT))
		return;
	/* Of one that was never heard there is nothing to be accused of. */
	if (!m->life || u->life < m->life)
		return;
	if (u->life > m->life)
		is_alive(o, who, u->life);
	opinion_accuse(o, who, accuser, u->state);
}

static void left_update(struct opinion *o, __u16 who, const struct member_update *u)
{
	struct member *m = &o->member[who];

	if (life_is_wild(m, u->life)) {
		o->counts[OPINION_MALFORMED]++;
		return;
	}
	if (u->life < m->life || (u->life == m->life && m->state == MEMBER_LEFT))
		return;
	m->life = u->life;
	opinion_forgive(o, who);
	opinion_is(o, who, MEMBER_LEFT);
	rumour_queue(o, who, RUMOUR_SELF);
}

void opinion_update(struct opinion *o, __u16 sender, const struct endpoint *from, const struct member_update *u)
{
	__u16 who = opinion_find(o, u->id);

	if (who == NOBODY) {
		o->counts[OPINION_STRANGER]++;
		return;
	}
	if (!u->life) {
		o->counts[OPINION_MALFORMED]++;
		return;
	}
	if (who == o->self) {
		self_update(o, u);
		return;
	}
	switch (u->state) {
	case MEMBER_ALIVE:
		alive_update(o, sender, who, from, u);
		break;
	case MEMBER_SUSPECT:
	case MEMBER_DEAD:
		accusing_update(o, who, u);
		break;
	case MEMBER_LEFT:
		left_update(o, who, u);
		break;
	default:
		/* UNFIT is each one's own conclusion; others are of later versions. */
		break;
	}
}
