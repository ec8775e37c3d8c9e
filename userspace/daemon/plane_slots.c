// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Words and slots of a VIP become what is wanted of its backends. Not here: what is wanted
 * (plane_states.c), time (plane_sweep.c).
 *
 * The design has a returning backend's slots written before its word. Here its word comes
 * first, which is as safe and needs no grace period: while it was down no slot named it, since
 * slots are always rewritten in the same job that took it down; so until the slots are stored
 * the word changes nothing for anybody. And two that return together never leave a slot whose
 * homes are both still down.
 */
#include <stdlib.h>
#include <string.h>

#include "core/homes.h"
#include "core/mix.h"
#include "core/score.h"
#include "daemon/plane_state.h"

/*
 * dead reset, with mh: which flows without a cell are a dead backend's its slots say, by a previous home that is down.
 * They are stored, and a grace period passes, before the backend's word says down: no SYN gets to the new home without
 * a cell (where_resets()).
 */
static bool vip_marks_dead(const struct plane_vip *v)
{
	return v->dead_reset && plane_keep(v) == TRANSITION_BY_CELLS;
}

#define ROOM_PART 10 /* a pass for room alone waits for so many times as long as the last one took */

/* A usable backend that is not full. */
struct roomy {
	__u32 sum; /* of the weights so far */
	__u16 index;
};

struct pass {
	struct plane *p;
	struct plane_vip *v;
	struct homes homes;
	struct roomy *room; /* owned; NULL: nobody is full, or there is no memory */
	__u32 room_count;
	enum transition_keep keep;
	__u32 split, pinned, resizing, warm;
	bool gentle;	  /* plane_warms() */
	__u16 warm_since; /* the longest time that a slot has been warm and waits still */
	__u64 moved, effective;
	__u16 now; /* seconds */
};

void plane_slot_store(struct plane *p, __u32 index, __u64 slot)
{
	__atomic_store_n(&p->slots[index], slot, __ATOMIC_RELEASE);
}

static bool serves(const struct plane *p, __u32 id)
{
	return id < p->backends_max && p->serving[id];
}

static __u16 seconds_now(void)
{
	return (__u16)(mono_now().ns / 1000000000u);
}

/* Who is full is no second home while others have room. Without memory it is. */
static void pass_room(struct pass *pass)
{
	const struct plane_vip *v = pass->v;
	bool any = false;
	__u32 sum = 0;

	for (__u32 i = 0; i < v->backend_count; i++)
		any |= v->backend[i]->full;
	pass->room = any ? calloc(v->backend_count, sizeof(*pass->room)) : NULL;
	for (__u32 i = 0; pass->room && i < v->backend_count; i++) {
		__u32 part = v->weights[i] * v->part[i] / HOMES_ALL;

		if (!v->usable[i] || v->backend[i]->full)
			continue;
		sum += part ? part : 1;
		pass->room[pass->room_count++] = (struct roomy){sum, (__u16)i};
	}
}

static void pass_init(struct pass *pass, struct plane *p, struct plane_vip *v)
{
	*pass = (struct pass){
		.p = p,
		.v = v,
		.homes = {.table = plane_table(v),
			  .key = v->keys,
			  .weight = v->weights,
			  .usable = v->usable,
			  .part = v->part,
			  .slots = v->region.count,
			  .backends = v->backend_count},
		.keep = plane_keep(v),
		.effective = mix64(v->digest),
		.now = seconds_now(),
		.gentle = plane_warms(p, v),
	};
	pass->warm_since = pass->now;
	for (__u32 i = 0; i < v->backend_count; i++) {
		pass->homes.usable_count += v->usable[i];
		v->backend[i]->held = 0;
	}
	pass_room(pass);
	if (!v->since) /* without memory for clocks a split slot stays split until there is some */
		v->since = calloc(v->region.count, sizeof(*v->since));
}

static void pass_end(struct pass *pass)
{
	struct plane_vip *v = pass->v;

	free(pass->room);
	v->split = pass->split;
	v->pinned = pass->pinned;
	v->resizing = pass->resizing > 0;
	v->warm = pass->warm;
	v->warm_since = pass->warm_since;
	v->effective = pass->effective;
	__atomic_fetch_add(&pass->p->vips[v->id].moved, pass->moved, __ATOMIC_RELAXED);
	if (!v->split) {
		free(v->since);
		v->since = NULL;
	}
}

/* By a number below all of their weights together. */
static __u32 room_find(const struct pass *pass, __u32 drawn)
{
	__u32 low = 0, high = pass->room_count - 1;

	while (low < high) {
		__u32 middle = (low + high) / 2;

		if (pass->room[middle].sum > drawn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * One that has room, other than home 0, drawn by the slot's number: a walk would look long for few of them. Nothing of
 * the digest, as others may see other counts. With cells for all flows no flow is moved by it.
 */
static __u16 home1_with_room(const struct pass *pass, __u32 s, const struct homes_pair *pair)
{
	__u32 at;

	if (!pass->room_count || pair->home1 == HOMES_NONE || !pass->v->backend[pair->home1]->full)
		return pair->home1;
	at = room_find(pass, mix_below(mix64(s), pass->room[pass->room_count - 1].sum));
	if (pass->room[at].index == pair->home0)
		at = (at + 1) % pass->room_count;
	return pass->room[at].index == pair->home0 ? pair->home1 : pass->room[at].index;
}

/* The ids of a slot's homes by T, noted in the pass. */
static void homes_of(struct pass *pass, __u32 s, __u32 *ret0, __u32 *ret1)
{
	struct homes_pair pair = homes_find(&pass->homes, s);
	struct plane_backend **b = pass->v->backend;

	*ret0 = *ret1 = ID_NONE;
	if (pair.home0 != HOMES_NONE) {
		*ret0 = b[pair.home0]->id;
		pass->effective = (pass->effective ^ pass->v->keys[pair.home0]) * 0x100000001b3ULL;
	}
	if (pair.home1 != HOMES_NONE) {
		*ret1 = b[home1_with_room(pass, s, &pair)]->id;
		pass->effective = (pass->effective ^ pass->v->keys[pair.home1]) * 0x100000001b3ULL;
	}
}

static void slot_count(struct pass *pass, __u64 slot)
{
	__u32 id = slot_home0(slot);

	if (id < pass->p->backends_max && pass->p->backend_by_id[id])
		pass->p->backend_by_id[id]->held++;
	pass->split += slot_state(slot) == SLOT_SPLIT;
	pass->pinned += slot_state(slot) == SLOT_PINNED;
	pass->resizing += slot_state(slot) == SLOT_SPLIT && slot_prev(slot) == SLOT_PREV_TABLE;
}

static bool slot_warm(__u64 slot)
{
	return slot_state(slot) == SLOT_SPLIT && slot_prev(slot) == slot_home0(slot);
}

/*
 * Must a slot stay with @from for some seconds, so that SYNs repeated across its leaving have cells? @slot: as stored,
 * or pinned after its previous home went down. One that is split between two homes gives every SYN a cell already.
 */
static bool slot_waits(struct pass *pass, __u32 s, __u64 slot, __u32 from, __u32 home0)
{
	struct plane_vip *v = pass->v;
	__u16 since;

	if (!pass->gentle || !v->since || from == ID_NONE || (home0 == from && !v->growing))
		return false;
	if (pass->p->backend_by_id[from] && (plane_backend_fails(pass->p->backend_by_id[from]) ||
					     plane_backend_wanted(pass->p->backend_by_id[from]) == BACKEND_DOWN))
		return false;
	if (slot_state(slot) != SLOT_PLAIN && slot_state(slot) != SLOT_PINNED && !slot_warm(slot))
		return false;
	since = slot_warm(slot) ? v->since[s] : pass->now;
	if (!v->growing && plane_warm_over(since))
		return false;
	if (!pass->warm++ || (__s16)(since - pass->warm_since) < 0)
		pass->warm_since = since;
	return true;
}

/* The slot with its homes by T, or, while it has to wait, warm where it is. */
static __u64 slot_next(struct pass *pass, __u32 s, __u64 slot)
{
	__u32 from = transition_at(slot, serves(pass->p, slot_home0(slot)), serves(pass->p, slot_home1(slot)));
	__u32 home0, home1;

	homes_of(pass, s, &home0, &home1);
	if (!slot_waits(pass, s, slot, from, home0))
		return transition_home(slot, from, home0, home1, pass->keep);
	home1 = slot_home1(slot);
	if (home1 == from || !serves(pass->p, home1))
		home1 = ID_NONE;
	return transition_warm(transition_home(slot, from, from, home1, pass->keep), from, pass->keep);
}

static bool marks_dead(const struct pass *pass, __u32 id)
{
	const struct plane_backend *b = id < pass->p->backends_max ? pass->p->backend_by_id[id] : NULL;

	return vip_marks_dead(pass->v) && b && b->vip == pass->v && !b->leaving;
}

static void slot_settle(struct pass *pass, __u32 s)
{
	__u32 at = pass->v->region.base + s, prev;
	__u64 old = pass->p->slots[at], slot = old;

	prev = slot_prev(slot);
	if (slot_state(slot) == SLOT_SPLIT && prev != SLOT_PREV_TABLE && !serves(pass->p, prev) &&
	    !marks_dead(pass, prev))
		slot = transition_down(slot, prev);
	slot = slot_next(pass, s, slot);
	slot_count(pass, slot);
	if (slot == old)
		return;
	if (pass->v->since && slot_state(slot) == SLOT_SPLIT &&
	    (slot_state(old) != SLOT_SPLIT || slot_prev(old) != slot_prev(slot) || slot_warm(old) != slot_warm(slot)))
		pass->v->since[s] = pass->now;
	pass->moved +=
		slot_home0(old) != slot_home0(slot) && slot_home0(old) != ID_NONE && slot_state(old) != SLOT_EMPTY;
	pass->p->newly_pinned |= slot_state(slot) == SLOT_PINNED;
	plane_slot_store(pass->p, at, slot);
}

/* The region before a resize: whoever is gone is nobody's previous home any more. */
static void previous_settle(struct plane *p, const struct plane_vip *v)
{
	for (__u32 i = v->previous.base; i < v->previous.base + v->previous.count; i++) {
		__u64 old = p->slots[i], slot = old;
		__u32 home0 = slot_home0(slot), home1 = slot_home1(slot);

		if (slot_state(slot) == SLOT_SPLIT && !serves(p, slot_prev(slot)))
			slot = transition_down(slot, slot_prev(slot));
		slot = slot_make(slot_state(slot), serves(p, home0) ? home0 : ID_NONE,
				 serves(p, home1) ? home1 : ID_NONE, slot_prev(slot));
		if (slot != old)
			plane_slot_store(p, i, slot);
	}
}

static void serving_set(struct plane *p, const struct plane_vip *v, bool set)
{
	for (__u32 i = 0; i < v->backend_count; i++) {
		const struct plane_backend *b = v->backend[i];

		p->serving[b->id] = set && (b->word_state == BACKEND_UP || b->word_state == BACKEND_DRAINING);
	}
}

/* Whether the homes differ from what the slots say; lowers to DOWN whoever must be, or, @late, leaves that for later.
 */
static bool backends_lower(struct plane *p, struct plane_vip *v, bool late)
{
	bool changed = false;

	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];
		enum backend_state wanted = plane_backend_wanted(b);

		if (wanted == BACKEND_DOWN && b->word_state != BACKEND_DOWN) {
			if (!late)
				plane_backend_word(p, b, BACKEND_DOWN);
			changed = true;
		}
		changed |= v->usable[i] != (wanted == BACKEND_UP);
		v->usable[i] = wanted == BACKEND_UP;
	}
	return changed;
}

/* Everybody starts level: before a word goes up or a weight counts. */
static void given_start(struct plane *p, const struct plane_vip *v)
{
	if (plane_steer_by(v->scheduler) != STEER_GIVEN)
		return;
	for (__u32 i = 0; i < v->backend_count; i++)
		__atomic_store_n(&p->loads[v->backend[i]->id].given, score_start(), __ATOMIC_RELAXED);
}

/* Warm slots give new flows to their homes still. */
static bool word_waits(const struct plane_vip *v, const struct plane_backend *b)
{
	return v->warm && b->word_state == BACKEND_UP && !plane_backend_fails(b);
}

static void backends_words(struct plane *p, struct plane_vip *v, enum backend_state state)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (plane_backend_wanted(v->backend[i]) == state &&
		    !(state == BACKEND_DRAINING && word_waits(v, v->backend[i])))
			plane_backend_word(p, v->backend[i], state);
}

/* rr, wrr: weights of words are of equal use for scheduling and T, but a word of another weight must not come alone. */
static bool weights_differ(const struct plane *p, const struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (BACKEND_WORD_WEIGHT(p->backends[v->backend[i]->id].word) != plane_backend_weight(v->backend[i]))
			return true;
	return false;
}

/* Is there one that slots have named until now, and that is to be down? */
static bool falls(const struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (v->backend[i]->word_state == BACKEND_UP && plane_backend_wanted(v->backend[i]) == BACKEND_DOWN)
			return true;
	return false;
}

/* All but the words that say down. Return: whether a grace period has to pass before these. */
static bool settle_slots(struct plane *p, struct plane_vip *v)
{
	bool late = vip_marks_dead(v), changed, stale;
	struct pass pass;

	plane_limits_publish(p, v);
	v->dirty = plane_vip_serve(v); /* it is tried again */
	plane_fill_settle(v);
	changed = backends_lower(p, v, late);
	stale = v->stale;
	v->stale = false;
	if (changed || weights_differ(p, v))
		given_start(p, v);
	serving_set(p, v, true);
	backends_words(p, v, BACKEND_UP);
	if (changed || stale) {
		struct mono began = mono_now();

		pass_init(&pass, p, v);
		for (__u32 s = 0; s < v->region.count; s++)
			slot_settle(&pass, s);
		pass_end(&pass);
		previous_settle(p, v);
		v->room_stale = false;
		v->room_wait_ms = ROOM_PART * mono_ms(began, mono_now());
		v->room_at = mono_now();
	}
	serving_set(p, v, false);
	v->stale = v->warm > 0;
	backends_words(p, v, BACKEND_DRAINING);
	return late && falls(v);
}

/* @early: no grace period has passed though one had to: SYNs may have got to new homes without a cell. */
static void settle_words(struct plane *p, struct plane_vip *v, bool early)
{
	v->falls = false;
	backends_words(p, v, BACKEND_DOWN);
	if (early)
		plane_dead_forget(p, v);
	for (__u32 i = 0; i < v->backend_count; i++)
		plane_backend_note(p, v->backend[i]);
	plane_vip_note(p, v);
}

void plane_vip_settle(struct plane *p, struct plane_vip *v)
{
	settle_words(p, v, settle_slots(p, v) && plane_grace(p));
}

/* One grace period does for all VIPs: it takes some milliseconds, and a host that is lost may serve hundreds. */
void plane_settle(struct plane *p)
{
	bool falls = false, early;

	if (!p->dirty || p->applying || p->held)
		return;
	p->dirty = false;
	for (size_t i = 0; i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		if (!v->dirty)
			continue;
		v->falls = settle_slots(p, v);
		falls |= v->falls;
		if (!v->falls)
			settle_words(p, v, false);
	}
	early = falls && plane_grace(p);
	for (size_t i = 0; falls && i < p->vip_count; i++)
		if (p->vip[i]->falls)
			settle_words(p, p->vip[i], early);
}

void plane_slots_fill(struct plane *p, struct plane_vip *v, bool resized)
{
	struct pass pass;

	plane_vip_serve(v);
	plane_fill_settle(v);
	backends_lower(p, v, false);
	given_start(p, v);
	backends_words(p, v, BACKEND_UP); /* no slot of the new region is in use yet */
	free(v->since);
	v->since = NULL;
	pass_init(&pass, p, v);
	for (__u32 s = 0; s < v->region.count; s++) {
		__u32 home0, home1;
		__u64 slot;

		homes_of(&pass, s, &home0, &home1);
		slot = resized ? transition_resized(home0, home1, pass.keep)
			       : transition_home(0, ID_NONE, home0, home1, pass.keep);
		if (v->since)
			v->since[s] = pass.now;
		slot_count(&pass, slot);
		plane_slot_store(p, v->region.base + s, slot);
	}
	pass_end(&pass);
	v->stale = false;
}

void plane_slots_repair(struct plane *p, struct plane_vip *v)
{
	struct pass pass;

	plane_fill_parts(v);
	serving_set(p, v, true);
	pass_init(&pass, p, v);
	for (__u32 s = 0; s < v->region.count; s++)
		slot_settle(&pass, s);
	pass_end(&pass);
	previous_settle(p, v);
	serving_set(p, v, false);
	v->stale = v->warm > 0;
	plane_split_restart(p, v, true);
}

void plane_slots_pin(struct plane *p, struct plane_vip *v)
{
	for (__u32 i = v->region.base; i < v->region.base + v->region.count; i++) {
		__u64 slot = p->slots[i];

		if (slot_state(slot) == SLOT_PLAIN)
			plane_slot_store(p, i, slot_make(SLOT_PINNED, slot_home0(slot), slot_home1(slot), ID_NONE));
	}
	p->newly_pinned = true;
}

void plane_dead_forget(struct plane *p, struct plane_vip *v)
{
	for (__u32 i = v->region.base; vip_marks_dead(v) && i < v->region.base + v->region.count; i++) {
		__u64 slot = p->slots[i], next = slot;
		__u32 prev = slot_prev(slot);

		if (slot_state(slot) == SLOT_SPLIT && prev < p->backends_max && p->backend_by_id[prev] &&
		    p->backend_by_id[prev]->word_state == BACKEND_DOWN)
			next = transition_down(slot, prev);
		if (next == slot)
			continue;
		v->split--;
		v->pinned++;
		p->newly_pinned = true;
		plane_slot_store(p, i, next);
	}
}

void plane_split_restart(struct plane *p, struct plane_vip *v, bool warm)
{
	__u16 now = seconds_now();

	for (__u32 s = 0; v->since && s < v->region.count; s++) {
		__u64 slot = p->slots[v->region.base + s];

		if (slot_state(slot) == SLOT_SPLIT && (warm || !slot_warm(slot)))
			v->since[s] = now;
	}
	if (warm)
		v->warm_since = now;
}
