// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Parts of a weight. Slow start: who takes new connections again does so with a part of its weight at first; and what
 * its agent asks for. T stays as configured, so that digests do; homes pass over a part of the backend's entries
 * (core/homes.h), and the weights of words, which scores see, are as much less. Not here: how large a part is
 * (core/fill.h), whether it serves (plane_serve.c).
 *
 * With mh the slots that a step gives it follow five seconds later, like those of any planned change (plane_warm.c).
 */
#include "core/fill.h"
#include "core/homes.h"
#include "daemon/plane_state.h"

/* Whoever has nothing left drains; of parts rr and lc heed none, and who adopts them does not know them from wrr. */
__u32 plane_backend_less(const struct plane_backend *b)
{
	bool heeded = b->vip->scheduler != SCHEDULER_RR && b->vip->scheduler != SCHEDULER_LC;

	return heeded || b->less >= 100 ? b->less : 0;
}

/* In percent. */
static __u16 agent_part(const struct plane_backend *b)
{
	__u32 less = plane_backend_less(b);

	return less < 100 ? (__u16)(100 - less) : 100;
}

__u16 plane_backend_part(const struct plane_backend *b)
{
	return fill_part(b->vip->slow_exponential, b->filling) * agent_part(b) / 100;
}

__u32 plane_backend_weight(const struct plane_backend *b)
{
	return b->vip->fill_scale ? fill_weight(b->weight, b->vip->fill_scale, plane_backend_part(b)) : b->weight;
}

/* Whoever is first found to serve with a VIP that is new has nobody to leave connections to. */
static void backend_begin(struct plane_backend *b, bool was_usable)
{
	if (plane_backend_wanted(b) != BACKEND_UP) {
		b->filling = 0;
		b->first &= b->serve.service == VERDICT_SERVE;
		return;
	}
	if (!was_usable && !b->first) {
		b->filling = FILL_STEPS;
		b->filled = mono_now();
	}
	b->first = false;
}

/* With nobody of whole weight beside them, those that fill would share all connections anyway. */
static bool vip_fills(const struct plane_vip *v)
{
	for (__u32 i = 0; v->slow_start_ms && v->serve.panic == VERDICT_PANIC_NONE && i < v->backend_count; i++)
		if (plane_backend_wanted(v->backend[i]) == BACKEND_UP && !v->backend[i]->filling)
			return true;
	return false;
}

/* Of few connections it has the fewest, and takes all of the slots that name it: twice as many as it is home 0 of. */
static __u16 part_named(enum steer_by by, const struct plane_backend *b)
{
	__u16 part = fill_part(b->vip->slow_exponential, b->filling);

	return (by == STEER_OPEN && part < HOMES_ALL ? part / 2 : part) * agent_part(b) / 100;
}

void plane_fill_parts(struct plane_vip *v)
{
	enum steer_by by = plane_steer_by(v->scheduler);
	bool any = false;
	__u32 most = 0;

	for (__u32 i = 0; i < v->backend_count; i++) {
		const struct plane_backend *b = v->backend[i];
		__u16 part = part_named(by, b);

		any |= b->filling || agent_part(b) < 100;
		most = b->weight > most ? b->weight : most;
		v->stale |= v->part[i] != part;
		v->part[i] = part;
	}
	v->fills = any;
	v->fill_scale = any && by != STEER_HOME ? fill_scale(most) : 0;
}

void plane_fill_settle(struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		backend_begin(v->backend[i], v->usable[i]);
	if (!vip_fills(v))
		for (__u32 i = 0; i < v->backend_count; i++)
			v->backend[i]->filling = 0;
	plane_fill_parts(v);
}

static bool backend_step(struct plane_backend *b, struct mono now)
{
	__u64 ms;
	__u32 steps = fill_steps(mono_ms(b->filled, now), b->vip->slow_start_ms, &ms);

	if (!b->filling || !steps)
		return false;
	b->filling -= (__u8)(steps < b->filling ? steps : b->filling);
	b->filled = mono_after(b->filled, ms);
	return true;
}

void plane_fill_tick(struct plane *p, struct mono now)
{
	for (size_t i = 0; i < p->vip_count && !p->held; i++) {
		struct plane_vip *v = p->vip[i];

		for (__u32 b = 0; v->fills && v->slow_start_ms && b < v->backend_count; b++)
			if (backend_step(v->backend[b], now))
				v->dirty = p->dirty = true;
	}
}
