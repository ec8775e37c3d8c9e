// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A voter whose file may be an older one comes back: another life, noted by so many others that every quorum it may
 * have been in has one of them, and what they know. Not here: voting (caspaxos.c).
 *
 * A life is a count, and a random number for two starts on one file: who is told of another life of its own that is as
 * late or later begins a later one. A life that comes back exactly is noted for this start, so what is told with it is
 * told after this start. Who tells has the life on the disk first.
 *
 * If it was told of an accepted value, it may have voted on later ones than that, whose voters were not asked: when
 * that version is decided it asks them.
 */
#include "core/caspaxos_private.h"

#define LIFE_COUNT     32		/* its place: above the random number */
#define LIFE_COUNT_MAX (UINT32_MAX / 2) /* nobody starts so often: somebody lies */

__u64 caspaxos_life(const struct caspaxos *c, __u64 store)
{
	if (store == c->state.store)
		return c->state.life;
	for (size_t i = 0; i < CASPAXOS_NOTED; i++)
		if (c->state.noted[i].store == store)
			return c->state.noted[i].life;
	return 0;
}

static bool is_in(const struct caspaxos_value *v, __u64 store)
{
	for (__u32 i = 0; i < v->voters; i++)
		if (v->voter[i].store == store)
			return true;
	return false;
}

/* A voter of the version to come, or of the one after it. */
static bool votes_now(const struct caspaxos *c, __u64 store)
{
	return is_in(&c->state.decided, store) || is_in(&c->state.accepted, store);
}

/* Its place, a free one, or that of one that votes no more; CASPAXOS_NOTED: none. */
static size_t note_place(const struct caspaxos *c, __u64 store)
{
	size_t i, found = CASPAXOS_NOTED;

	for (i = 0; i < CASPAXOS_NOTED; i++) {
		if (c->state.noted[i].store == store)
			return i;
		if (found == CASPAXOS_NOTED && !c->state.noted[i].store)
			found = i;
	}
	for (i = 0; i < CASPAXOS_NOTED && found == CASPAXOS_NOTED; i++)
		if (!votes_now(c, c->state.noted[i].store))
			found = i;
	return found;
}

void caspaxos_note(struct caspaxos *c, __u64 store, __u64 life)
{
	size_t i;

	if (!store || life <= caspaxos_life(c, store) || life >> LIFE_COUNT > LIFE_COUNT_MAX)
		return;
	if (store == c->state.store) {
		caspaxos_life_begin(c, life); /* there was a later one: the file is an older one */
		return;
	}
	if (!votes_now(c, store))
		return; /* it will say it again when it does */
	i = note_place(c, store);
	if (i == CASPAXOS_NOTED)
		return;
	c->state.noted[i] = (struct caspaxos_life){store, life};
	c->noted = true;
}

void caspaxos_lives(const struct caspaxos *c, const struct caspaxos_value *value, __u64 ret[CASPAXOS_VOTERS])
{
	for (__u32 i = 0; i < CASPAXOS_VOTERS; i++)
		ret[i] = i < value->voters ? caspaxos_life(c, value->voter[i].store) : 0;
}

void caspaxos_lives_note(struct caspaxos *c, const struct caspaxos_value *value, const __u64 lives[CASPAXOS_VOTERS])
{
	for (__u32 i = 0; i < value->voters && i < CASPAXOS_VOTERS; i++)
		caspaxos_note(c, value->voter[i].store, lives[i]);
}

void caspaxos_life_begin(struct caspaxos *c, __u64 above)
{
	__u64 count = (above > c->state.life ? above : c->state.life) >> LIFE_COUNT;

	c->state.life = (count + 1) << LIFE_COUNT | caspaxos_draw(c) >> LIFE_COUNT;
	c->state.sure = CASPAXOS_UNSURE;
	c->told = 0;
	c->ask.ns = 0;
}

/* --- telling --- */

void caspaxos_tell(struct caspaxos *c, struct mono now, __u64 to)
{
	struct caspaxos_state former = c->state;
	struct caspaxos_message out = {
		.kind = CASPAXOS_TOLD,
		.version = c->state.decided.version,
		.ballot = c->state.promised,
		.accepted = c->state.ballot,
		.value = c->state.accepted,
		.decided = c->state.decided,
	};

	if (c->noted && c->state.store && caspaxos_save(c, &former))
		return;
	c->noted = false;
	caspaxos_lives(c, &c->state.decided, out.lives);
	caspaxos_send(c, now, to, &out);
}

void caspaxos_asked(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	if (m->value.version)
		caspaxos_learn(c, now, &m->value);
	caspaxos_note(c, m->store, m->life); /* it may be a voter by what was learnt just now */
	caspaxos_tell(c, now, from);
}

/* --- asking --- */

/* n - q + 1 others meet every quorum that this voter was in, even if it is taken out of it. */
static bool is_enough(const struct caspaxos *c)
{
	const struct caspaxos_value *v = &c->state.decided;
	size_t needed = v->voters - caspaxos_quorum(v) + 1;

	return v->voters == 1 /* nobody else knows better */ || (size_t)__builtin_popcount(c->told) >= needed;
}

static void recovery_end(struct caspaxos *c)
{
	struct caspaxos_state former = c->state;

	if (!is_enough(c))
		return;
	c->state.sure = c->state.ballot.round ? CASPAXOS_PARTLY : CASPAXOS_SURE;
	caspaxos_save(c, &former);
}

/* What the teller has noted of this voter. */
static __u64 life_told(const struct caspaxos *c, const struct caspaxos_message *m)
{
	int place = caspaxos_value_check(&m->decided) ? caspaxos_place(&m->decided, c->config.id, c->state.store) : -1;

	return place < 0 ? 0 : m->lives[place];
}

void caspaxos_told(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m)
{
	__u64 life = life_told(c, m);
	int place;

	caspaxos_learn(c, now, &m->decided);
	if (!caspaxos_recovering(c) || m->decided.version != c->state.decided.version || !m->store)
		return;
	place = caspaxos_place(&c->state.decided, from, m->store);
	if (place < 0 || from == c->config.id)
		return;
	if (life > c->state.life && life >> LIFE_COUNT <= LIFE_COUNT_MAX)
		caspaxos_life_begin(c, life);
	if (life != c->state.life)
		return;
	if (ballot_compare(m->ballot, c->state.promised) > 0)
		c->state.promised = m->ballot;
	if (m->value.version == c->state.decided.version + 1 && caspaxos_value_check(&m->value) &&
	    ballot_compare(m->accepted, c->state.ballot) > 0) {
		c->state.ballot = m->accepted;
		c->state.accepted = m->value;
	}
	caspaxos_lives_note(c, &c->state.decided, m->lives);
	c->told |= 1u << place;
	recovery_end(c);
}

void caspaxos_ask(struct caspaxos *c, struct mono now, __u64 to)
{
	struct caspaxos_message m = {
		.kind = CASPAXOS_ASK, .version = c->state.decided.version, .value = c->state.decided};

	caspaxos_send(c, now, to, &m);
}

void caspaxos_recover_step(struct caspaxos *c, struct mono now)
{
	const struct caspaxos_value v = c->state.decided;

	if (!caspaxos_recovering(c) || now.ns < c->ask.ns)
		return;
	c->ask.ns = now.ns + CASPAXOS_REPEAT_MS * 1000000ull;
	recovery_end(c); /* who is the only one needs to ask nobody */
	for (__u32 i = 0; i < v.voters && caspaxos_recovering(c); i++)
		if (v.voter[i].node != c->config.id && !(c->told >> i & 1))
			caspaxos_ask(c, now, v.voter[i].node);
}
