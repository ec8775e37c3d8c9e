// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The balancer of the model: the maps as arrays, XDP's decision, and a controller of one VIP.
 * Not here: traffic and truth (cells_traffic.c).
 */
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "unlimited.h"

#define WORLD_VIP   7 /* any id but 0 */
#define WORLD_SLOTS 65536

struct view {
	__u64 *slots;
	struct backend_entry *backends;
	struct backend_load *loads;
	struct flow_set *flows;
	struct steer_config cfg;
};

struct world {
	struct view v;
	struct vip_entry vips[WORLD_VIP + 1];
	struct vip_record *vip;
	enum backend_state wanted[CELLS_BACKENDS];
	__u32 weight[CELLS_BACKENDS];
	__u32 backends;
	__u16 clock[WORLD_SLOTS]; /* seconds a slot has been split */
	__u8 fresh[WORLD_SLOTS];  /* pinned since the sweep under way began */
	__u64 promote[WORLD_SLOTS / 64], exceptions[WORLD_SLOTS / 64];
	struct sweep_drift drift[CELLS_BACKENDS];
	__u64 delays, delays_seen, overflows, wrong_sums, seconds;
	enum transition_keep keep;
};

static inline __u64 view_slot(const struct view *v, __u32 index)
{
	return index < WORLD_SLOTS ? v->slots[index] : 0;
}

static inline __u64 view_backend(const struct view *v, __u32 id)
{
	return id < CELLS_BACKENDS ? v->backends[id].word : 0;
}

static inline __u32 view_score(const struct view *v, __u32 id, __u32 by)
{
	const struct backend_load *l = &v->loads[id];

	return by == STEER_GIVEN ? l->given : l->open + l->half + l->peers;
}

static inline __u64 *view_set(const struct view *v, __u32 set)
{
	return v->flows[set].cell;
}

static inline const volatile struct steer_config *view_config(const struct view *v)
{
	return &v->cfg;
}

static inline int view_swap(const struct view *v, __u32 set, __u32 way, __u64 old, __u64 new)
{
	if (v->flows[set].cell[way] != old)
		return 0;
	v->flows[set].cell[way] = new;
	return 1;
}

static inline void view_touch(const struct view *v, __u32 set, __u32 way, __u16 seen)
{
	memcpy(&v->flows[set].cell[way], &seen, sizeof(seen));
}

static inline void view_account(const struct view *v, __u32 id, __u64 delta)
{
	__u64 load;

	memcpy(&load, &v->loads[id].open, sizeof(load));
	load += delta;
	memcpy(&v->loads[id].open, &load, sizeof(load));
}

static inline void view_given(const struct view *v, __u32 id)
{
	v->loads[id].given++;
}

#include "starling/settle.h"

/* The two best of a weighted rendezvous over the backends that take new flows. */
static void world_homes(const struct world *w, __u32 slot, __u32 *ret_home0, __u32 *ret_home1)
{
	double best[2] = {-1, -1};
	__u32 id;

	*ret_home0 = *ret_home1 = ID_NONE;
	for (id = 0; id < w->backends; id++) {
		double score = (double)(hash_mix(((__u64)slot + 1) * 1000003 + id * 7919ULL) >> 40) / (1 << 24);

		if (w->wanted[id] != BACKEND_UP)
			continue;
		score = 1.0 / (1.0 - score) * w->weight[id];
		if (score > best[0]) {
			best[1] = best[0];
			*ret_home1 = *ret_home0;
			best[0] = score;
			*ret_home0 = id;
		} else if (score > best[1]) {
			best[1] = score;
			*ret_home1 = id;
		}
	}
}

static bool world_usable(const struct world *w, __u32 id)
{
	__u32 state = BACKEND_WORD_STATE(view_backend(&w->v, id));

	return state == BACKEND_UP || state == BACKEND_DRAINING;
}

static void world_rehome(struct world *w)
{
	__u32 i, home0, home1;

	for (i = 0; i < w->vip->slots_count; i++) {
		__u64 *slot = &w->v.slots[w->vip->slots_base + i], new;
		__u32 at = transition_at(*slot, world_usable(w, slot_home0(*slot)), world_usable(w, slot_home1(*slot)));

		world_homes(w, i, &home0, &home1);
		new = transition_home(*slot, at, home0, home1, w->keep);
		if (slot_state(new) == SLOT_SPLIT &&
		    (slot_state(*slot) != SLOT_SPLIT || slot_prev(*slot) != slot_prev(new)))
			w->clock[w->vip->slots_base + i] = 0;
		if (slot_state(new) == SLOT_PINNED && slot_state(*slot) != SLOT_PINNED)
			w->fresh[w->vip->slots_base + i] = 1;
		*slot = new;
	}
}

static void world_word(struct world *w, __u32 id)
{
	w->v.backends[id].word = BACKEND_WORD(0, w->wanted[id], w->weight[id], WORLD_VIP, 1);
}

/* As the daemon does: slots first, and they keep a previous home that is down. */
static bool world_marks_dead(const struct world *w)
{
	return w->vip->flags & VIP_DEAD_RESET && w->keep == TRANSITION_BY_CELLS;
}

/* After an overflow there may be flows without a cell that live. */
static void world_forget(struct world *w)
{
	for (__u32 i = w->vip->slots_base; i < w->vip->slots_base + w->vip->slots_count; i++) {
		__u64 *slot = &w->v.slots[i];
		__u32 prev = slot_prev(*slot);

		if (slot_state(*slot) != SLOT_SPLIT || prev == SLOT_PREV_TABLE || world_usable(w, prev))
			continue;
		*slot = transition_down(*slot, prev);
		w->fresh[i] = 1;
	}
}

void world_state(struct world *w, __u32 backend, enum backend_state state)
{
	__u32 i;

	w->wanted[backend] = state;
	if (backend >= w->backends)
		w->backends = backend + 1;
	if (state == BACKEND_DOWN && !world_marks_dead(w)) {
		world_word(w, backend);
		for (i = 0; i < w->vip->slots_count; i++) {
			__u64 *slot = &w->v.slots[w->vip->slots_base + i];

			if (transition_down(*slot, backend) != *slot)
				w->fresh[w->vip->slots_base + i] = 1;
			*slot = transition_down(*slot, backend);
		}
	}
	world_rehome(w);
	world_word(w, backend);
}

void world_warm(struct world *w)
{
	__u32 i;

	for (i = w->vip->slots_base; i < w->vip->slots_base + w->vip->slots_count; i++) {
		__u64 *slot = &w->v.slots[i];
		__u32 at = transition_at(*slot, world_usable(w, slot_home0(*slot)), world_usable(w, slot_home1(*slot)));

		*slot = transition_warm(*slot, at, w->keep);
		w->clock[i] = slot_state(*slot) == SLOT_SPLIT ? 0 : w->clock[i];
	}
}

void world_resize(struct world *w, __u32 slots)
{
	__u32 i, home0, home1;

	w->vip->prev_base = w->vip->slots_base;
	w->vip->prev_count = w->vip->slots_count;
	w->vip->slots_base += w->vip->slots_count;
	w->vip->slots_count = slots;
	for (i = 0; i < slots; i++) {
		world_homes(w, i, &home0, &home1);
		w->v.slots[w->vip->slots_base + i] = transition_resized(home0, home1, w->keep);
		w->clock[w->vip->slots_base + i] = 0;
	}
}

struct world *world_new(const struct cells_scenario *sc)
{
	static const __u32 weights[] = {5, 3, 2};
	struct world *w = calloc(1, sizeof(*w));
	__u32 id;

	if (!w)
		abort();
	w->v.slots = calloc(WORLD_SLOTS, sizeof(__u64));
	w->v.backends = calloc(CELLS_BACKENDS, sizeof(struct backend_entry));
	w->v.loads = calloc(CELLS_BACKENDS, sizeof(struct backend_load));
	w->v.flows = calloc(1u << sc->sets_log2, sizeof(struct flow_set));
	if (!w->v.slots || !w->v.backends || !w->v.loads || !w->v.flows)
		abort();
	w->v.cfg = (struct steer_config){
		.flow_sets_log2 = sc->sets_log2,
		.half_ticks = STARLING_HALF_MS / CELLS_TICK_MS + 1,
		.half_evict_ticks = STARLING_HALF_EVICT_MS / CELLS_TICK_MS + 1,
		.closing_ticks = STARLING_CLOSING_MS / CELLS_TICK_MS + 1,
		.closing_evict_ticks = STARLING_CLOSING_EVICT_MS / CELLS_TICK_MS + 1,
		.reset_ticks = STARLING_RESET_MS / CELLS_TICK_MS + 1,
		.probation_ticks = STARLING_PROBATION_MS / CELLS_TICK_MS + 1,
	};
	w->vips[WORLD_VIP].word = VIP_WORD(0, 1, 1);
	w->vip = &w->vips[WORLD_VIP].copy[0];
	w->vip->steer_by = (__u8)sc->by;
	w->vip->flags = sc->reset ? VIP_DEAD_RESET : 0;
	w->vip->idle_ticks = (__u16)(sc->idle_ms / CELLS_TICK_MS + 1);
	w->vip->slots_count = sc->backends * 100 <= 1021 ? 1021 : 16381;
	w->keep = sc->by == STEER_HOME ? TRANSITION_BY_CELLS : TRANSITION_STATEFUL;
	w->backends = sc->backends;
	for (id = 0; id < CELLS_BACKENDS; id++) {
		w->weight[id] = sc->weighted ? weights[id % 3] : 1;
		w->wanted[id] = id < sc->backends ? BACKEND_UP : BACKEND_UNUSED;
		world_word(w, id);
	}
	world_rehome(w);
	return w;
}

void world_free(struct world *w)
{
	free(w->v.slots);
	free(w->v.backends);
	free(w->v.loads);
	free(w->v.flows);
	free(w);
}

__u32 world_packet(struct world *w, __u64 hash, enum packet_kind kind, __u64 now_ms)
{
	struct flow f = {.hash = hash, .vip = WORLD_VIP, .kind = kind, .now = (__u16)(now_ms / CELLS_TICK_MS)};
	struct where where;

	settle(&w->v, w->vip, &f, &where);
	w->overflows += where.overflow;
	w->delays += where.delay;
	return where.backend;
}

/* Split slots whose time is up are promoted in this sweep and pinned after it, if nothing was lost meanwhile. */
static void world_clocks(struct world *w)
{
	__u32 i, idle_s = (__u32)w->vip->idle_ticks * CELLS_TICK_MS / 1000 + 2;
	bool lost = w->delays != w->delays_seen, table = false;

	w->delays_seen = w->delays;
	if (lost && world_marks_dead(w))
		world_forget(w);
	for (i = w->vip->slots_base; i < w->vip->slots_base + w->vip->slots_count; i++) {
		__u64 *slot = &w->v.slots[i];

		if (slot_state(*slot) == SLOT_PINNED && !w->fresh[i] && !sweep_bit(w->exceptions, i))
			*slot = transition_plain(*slot);
		w->fresh[i] = 0;
		if (slot_state(*slot) == SLOT_SPLIT) {
			w->clock[i] = lost ? 0 : w->clock[i] + 1;
			if (sweep_bit(w->promote, i) && !lost) {
				*slot = transition_idle(*slot, w->keep);
				w->fresh[i] = 1;
			}
			w->promote[i / 64] &= ~(1ULL << (i % 64));
			if (slot_state(*slot) == SLOT_SPLIT && w->clock[i] >= idle_s)
				sweep_bit_set(w->promote, i);
		}
		table |= slot_state(*slot) == SLOT_SPLIT && slot_prev(*slot) == SLOT_PREV_TABLE;
	}
	if (!table)
		w->vip->prev_count = 0;
}

void world_second(struct world *w, __u64 now_ms)
{
	struct sweep_sum sum[CELLS_BACKENDS] = {0};
	struct sweep_result res = {.sum = sum, .exceptions = w->exceptions};
	struct sweep s = {
		.flows = w->v.flows,
		.vips = w->vips,
		.vip_count = WORLD_VIP + 1,
		.backends = w->v.backends,
		.backend_count = CELLS_BACKENDS,
		.loads = w->v.loads,
		.slots = w->v.slots,
		.slots_count = WORLD_SLOTS,
		.cfg = &w->v.cfg,
		.now = (__u16)(now_ms / CELLS_TICK_MS),
		.age_marks = ++w->seconds % (STARLING_MARK_MS / 1000) == 0,
		.promote = w->promote,
	};
	__u32 id;

	memset(w->exceptions, 0, sizeof(w->exceptions));
	sweep_range(&s, 0, 1u << w->v.cfg.flow_sets_log2, &res);
	for (id = 0; id < CELLS_BACKENDS; id++)
		w->wrong_sums += sum[id].open != w->v.loads[id].open || sum[id].half != w->v.loads[id].half;
	world_clocks(w);
}

__u32 world_open(const struct world *w, __u32 backend)
{
	return w->v.loads[backend].open;
}

__u32 world_given(const struct world *w, __u32 backend)
{
	return w->v.loads[backend].given;
}

__u32 world_weight(const struct world *w, __u32 backend)
{
	return w->wanted[backend] == BACKEND_UP ? w->weight[backend] : 0;
}

__u32 world_half(const struct world *w)
{
	__u32 id, half = 0;

	for (id = 0; id < CELLS_BACKENDS; id++)
		half += w->v.loads[id].half;
	return half;
}

__u32 world_unsettled(const struct world *w)
{
	__u32 i, unsettled = 0;

	for (i = w->vip->slots_base; i < w->vip->slots_base + w->vip->slots_count; i++)
		unsettled += slot_state(w->v.slots[i]) != SLOT_PLAIN;
	return unsettled;
}

void world_report(const struct world *w, struct cells_outcome *o)
{
	__u32 id;

	o->overflows = w->overflows;
	o->wrong_sums = w->wrong_sums;
	o->unsettled = world_unsettled(w);
	o->active_end = world_half(w);
	for (id = 0; id < CELLS_BACKENDS; id++)
		o->active_end += w->v.loads[id].open;
}
