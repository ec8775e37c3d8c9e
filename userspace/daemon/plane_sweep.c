// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Once a second: a sweep over all cells, and what time does to slots, overrides, next hops and
 * scores. Not here: the sweep itself (core/sweep), the slot's states (core/transition).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/score.h"
#include "daemon/plane_state.h"

static __u16 seconds_of(struct mono t)
{
	return (__u16)(t.ns / 1000000000u);
}

/* Not before a warm slot has left: it would have to become warm again. */
static bool clock_over(const struct plane_vip *v, __u32 s, __u16 now)
{
	__u32 idle_ms = v->warm && v->idle_ms < STARLING_MARK_MS ? STARLING_MARK_MS : v->idle_ms;

	return v->since && (__u16)(now - v->since[s]) > (idle_ms + 999) / 1000;
}

/* Which slots the round is to tell about. */
static void round_marks(struct plane *p, __u16 now)
{
	size_t bytes = (p->slots_max / 64 + 1) * sizeof(__u64);

	memset(p->promote, 0, bytes);
	memset(p->exceptions, 0, bytes);
	memset(p->pinned, 0, bytes);
	for (size_t i = 0; i < p->vip_count; i++) {
		const struct plane_vip *v = p->vip[i];

		if (!v->split && !v->pinned)
			continue;
		for (__u32 s = 0; s < v->region.count; s++) {
			__u64 slot = p->slots[v->region.base + s];

			if (slot_state(slot) == SLOT_SPLIT && clock_over(v, s, now))
				sweep_bit_set(p->promote, v->region.base + s);
			else if (slot_state(slot) == SLOT_PINNED)
				sweep_bit_set(p->pinned, v->region.base + s);
		}
	}
}

static void round_run(struct plane *p, bool breathe)
{
	struct mono now = mono_now();
	struct sweep s = {
		.flows = p->flows,
		.vips = p->vips,
		.vip_count = p->vips_max,
		.backends = p->backends,
		.backend_count = p->backends_max,
		.loads = p->loads,
		.slots = p->slots,
		.slots_count = p->slots_max,
		.cfg = dataplane_config(p->dp),
		.age_marks = mono_ms(p->marked, now) >= STARLING_MARK_MS,
		.promote = p->promote,
	};
	struct sweep_sum *sum = p->swept.sum;

	memset(sum, 0, p->backends_max * sizeof(*sum));
	p->swept = (struct sweep_result){.sum = sum, .exceptions = p->exceptions};
	if (s.age_marks)
		p->marked = now;
	for (__u32 first = 0; first < p->sets_max; first += PLANE_CHUNK_SETS) {
		s.now = dataplane_tick(p->dp);
		sweep_range(&s, first, PLANE_CHUNK_SETS, &p->swept);
		if (breathe)
			plane_breathe(p);
	}
	sweep_correct(&s, &p->swept, p->drift);
	memcpy(p->cells, p->swept.cells, sizeof(p->cells));
}

/* What the round has shown about a VIP's slots: time is up, or no exception is left. */
static void vip_conclude(struct plane *p, struct plane_vip *v, bool overflowed)
{
	enum transition_keep keep = plane_keep(v);
	__u32 resizing = 0;

	for (__u32 i = v->region.base; i < v->region.base + v->region.count; i++) {
		__u64 slot = p->slots[i], next = slot;

		if (slot_state(slot) == SLOT_SPLIT && sweep_bit(p->promote, i) && !overflowed)
			next = transition_idle(slot, keep);
		else if (slot_state(slot) == SLOT_PINNED && sweep_bit(p->pinned, i) && !sweep_bit(p->exceptions, i))
			next = transition_plain(slot);
		if (slot_state(next) == SLOT_SPLIT && slot_prev(next) == SLOT_PREV_TABLE)
			resizing++;
		if (next == slot)
			continue;
		v->split -= slot_state(slot) == SLOT_SPLIT;
		v->pinned -= slot_state(slot) == SLOT_PINNED;
		v->pinned += slot_state(next) == SLOT_PINNED;
		p->newly_pinned |= slot_state(next) == SLOT_PINNED;
		plane_slot_store(p, i, next);
	}
	v->resizing = resizing > 0;
}

/* The region before a resize has no flows left that depend on it. */
static void vip_resized(struct plane *p, struct plane_vip *v)
{
	struct span previous = v->previous;

	v->previous = (struct span){0};
	plane_vip_publish(p, v);
	plane_region_retire(p, previous); /* only now: publishing may take a grace period, which frees the retired */
}

static void round_conclude(struct plane *p, bool overflowed)
{
	for (size_t i = 0; i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		if (v->split || v->pinned) {
			if (overflowed) {
				plane_dead_forget(p, v);
				plane_split_restart(p, v, false);
			}
			vip_conclude(p, v, overflowed);
		}
		if (!v->split && v->since) {
			free(v->since);
			v->since = NULL;
		}
		if (v->previous.count && !v->resizing)
			vip_resized(p, v);
	}
}

/* Ids whose cells two whole rounds have had the time to free. */
static void ids_conclude(struct plane *p)
{
	for (__u32 id = ids_retired(&p->backend_ids, 0); id < p->backends_max;
	     id = ids_retired(&p->backend_ids, id + 1)) {
		if (p->retired_rounds[id]++) {
			p->retired_rounds[id] = 0;
			ids_release(&p->backend_ids, id);
		}
	}
}

static void plane_round(struct plane *p, bool breathe)
{
	bool applying = p->applying;
	__u64 overflows;

	if (p->newly_pinned && !plane_grace(p))
		p->newly_pinned = false;
	p->applying = true; /* nobody changes slots during the round */
	round_marks(p, seconds_of(mono_now()));
	round_run(p, breathe);
	overflows = dataplane_overflows(p->dp);
	round_conclude(p, overflows != p->overflows || (p->adopted && p->swept.marks));
	p->overflows = overflows;
	p->adopted = false;
	ids_conclude(p);
	p->applying = applying;
}

int plane_sweep_all(struct plane *p)
{
	int ret = plane_grace(p);

	for (int round = 0; round < 2 && !ret; round++)
		plane_round(p, false);
	return ret;
}

/* A VIP that no packet has ever come for has no flows to keep. */
static bool vip_unused(struct plane *p, const struct plane_vip *v)
{
	struct vip_count count;

	return (v->split || v->pinned) && !dataplane_count_vips(p->dp, v->id, 1, &count) && !count.packets;
}

static void unused_plain(struct plane *p)
{
	bool any = false;

	for (size_t i = 0; i < p->vip_count && !any; i++)
		any = vip_unused(p, p->vip[i]);
	/* Packets that met the slots before their last change are counted after this. */
	if (!any || plane_grace(p))
		return;
	for (size_t i = 0; i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		if (!vip_unused(p, v))
			continue;
		for (__u32 s = v->region.base; s < v->region.base + v->region.count; s++)
			plane_slot_store(p, s, transition_plain(transition_idle(p->slots[s], plane_keep(v))));
		v->split = v->pinned = 0;
		v->resizing = false;
	}
}

static void vip_catch_up(struct plane *p, const struct plane_vip *v)
{
	struct score *score = calloc(v->backend_count + 1, sizeof(*score));
	__s64 *add = calloc(v->backend_count + 1, sizeof(*add));

	for (__u32 i = 0; score && i < v->backend_count; i++)
		score[i] = (struct score){__atomic_load_n(&p->loads[v->backend[i]->id].given, __ATOMIC_RELAXED),
					  plane_backend_weight(v->backend[i]), v->usable[i]};
	if (score && add && score_catch_up(score, v->backend_count, add))
		for (__u32 i = 0; i < v->backend_count; i++)
			if (add[i])
				__atomic_fetch_add(&p->loads[v->backend[i]->id].given, (__u32)add[i], __ATOMIC_RELAXED);
	free(score);
	free(add);
}

/* A table whose growth had to wait for an earlier change. */
static void deferred_apply(struct plane *p)
{
	struct config *again;
	struct err err = {0};
	bool due = false;

	for (size_t i = 0; i < p->vip_count; i++)
		due |= p->vip[i]->deferred && plane_resizes(p, p->vip[i]);
	if (!due)
		return;
	again = config_copy(p->config);
	if (again && plane_apply(p, again, false, NULL, &err))
		config_free(again);
	/* What had no room is tried again when its slots have left for the homes that it has now. */
	for (size_t i = 0; i < p->vip_count; i++)
		if (p->vip[i]->growing && plane_warm_over(p->vip[i]->growing_since))
			plane_growth(p, p->vip[i], false);
}

void plane_tick(struct plane *p)
{
	struct mono now = mono_now();

	plane_overrides_tick(p);
	plane_paths_tick(p, now);
	plane_outlets_tick(p);
	dataplane_tunnel_keep(p->dp);
	deferred_apply(p);
	plane_serve_tick(p);
	plane_recover_tick(p, now);
	plane_fill_tick(p, now);
	plane_limits_tick(p, now);
	plane_settle(p);
	plane_warm_tick(p);
	unused_plain(p);
	plane_round(p, true);
	for (size_t i = 0; i < p->vip_count; i++)
		if (plane_steer_by(p->vip[i]->scheduler) == STEER_GIVEN)
			vip_catch_up(p, p->vip[i]);
	if (p->retired_count)
		plane_grace(p);
	plane_rates_sample(p, now);
	plane_passive_tick(p, now);
	plane_settle(p);
	if (p->hooks.ticked)
		p->hooks.ticked(p->hooks.arg, p);
}
