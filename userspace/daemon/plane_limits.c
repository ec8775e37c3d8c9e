// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How many connections backends may have, by their line and by their agent: what the program is told of it, and who is
 * full. Not here: the decision (where_full() of starling/where.h), homes (plane_slots.c), who serves instead
 * (core/verdict_serve.h).
 *
 * The program goes by the count of the moment: of a slot's two homes it takes one that has room, so a backend gets new
 * connections again with the first that ends. What follows once a second is slower, or slots would change with every
 * connection: full is who had as many as it may, until it has had a tenth fewer for PLANE_FULL_MS, or any fewer for
 * PLANE_TOPPED_MS: half-open ones are this balancer's alone, and others that never counted as many do not take it for
 * full. Such a one is no slot's second home while there are others, and does not hold its tier up.
 */
#include "daemon/plane_state.h"

#define FULL_PART 10 /* one of so many connections has to end first */

__u32 plane_backend_limit(const struct plane_backend *b)
{
	if (vip_uncounted(b->vip->scheduler, b->vip->hash_source))
		return 0;
	return !b->maxconn || (b->most && b->most < b->maxconn) ? b->most : b->maxconn;
}

__u64 plane_backend_counted(const struct plane *p, const struct plane_backend *b)
{
	const struct backend_load *load = &p->loads[b->id];

	/* As the program adds it up: `half` may lack for a moment what `open` has borrowed of it. */
	return __atomic_load_n(&load->open, __ATOMIC_RELAXED) + __atomic_load_n(&load->half, __ATOMIC_RELAXED) +
	       __atomic_load_n(&load->peers, __ATOMIC_RELAXED);
}

bool plane_vip_has_limits(const struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (plane_backend_limit(v->backend[i]))
			return true;
	return false;
}

/* An earlier version, which kept no limits, may have given the id to another since. */
void plane_limits_remember(const struct plane *p, struct plane_backend *b)
{
	const struct vip_entry *e = &p->vips[b->vip->id];

	if (!(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS))
		return;
	b->most = p->limits[b->id].most;
	b->maxconn = p->limits[b->id].agent;
}

void plane_limits_publish(struct plane *p, struct plane_vip *v)
{
	const struct vip_entry *e = &p->vips[v->id];
	bool heeded = e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS;

	for (__u32 i = 0; i < v->backend_count; i++) {
		const struct plane_backend *b = v->backend[i];

		__atomic_store_n(&p->limits[b->id].agent, b->maxconn, __ATOMIC_RELAXED);
		__atomic_store_n(&p->limits[b->id].most, plane_backend_limit(b), __ATOMIC_RELAXED);
	}
	if (plane_vip_has_limits(v))
		__atomic_store_n(&p->vips[v->id].tended, dataplane_tick(p->dp), __ATOMIC_RELAXED);
	if (heeded != plane_vip_has_limits(v))
		plane_vip_publish(p, v);
}

/* Return: whether it is, which it also stays for a time. */
static bool backend_full(const struct plane *p, struct plane_backend *b, struct mono now)
{
	__u64 most = plane_backend_limit(b), count = plane_backend_counted(p, b);

	if (!most)
		return false;
	if (count >= most)
		b->topped_at = now;
	else if (b->full && mono_ms(b->topped_at, now) >= PLANE_TOPPED_MS)
		return false;
	if (count >= most || (b->full && count > most - (most + FULL_PART - 1) / FULL_PART)) {
		b->full_at = now;
		return true;
	}
	return b->full && mono_ms(b->full_at, now) < PLANE_FULL_MS;
}

/* Where the program keeps to limits its counts are cared for: plane_tick() goes on to sweep. */
static void limits_tended(struct plane *p)
{
	__u32 tick = dataplane_tick(p->dp);

	for (size_t i = 0; i < p->vip_count; i++)
		if (plane_vip_has_limits(p->vip[i]))
			__atomic_store_n(&p->vips[p->vip[i]->id].tended, tick, __ATOMIC_RELAXED);
}

void plane_limits_tick(struct plane *p, struct mono now)
{
	limits_tended(p);
	for (size_t i = 0; i < p->vip_count && !p->held; i++) {
		struct plane_vip *v = p->vip[i];

		for (__u32 k = 0; k < v->backend_count; k++) {
			bool full = backend_full(p, v->backend[k], now);

			if (full == v->backend[k]->full)
				continue;
			v->backend[k]->full = full;
			v->room_stale = v->dirty = p->dirty = true;
		}
		if (v->room_stale && mono_ms(v->room_at, now) >= v->room_wait_ms)
			v->stale = v->dirty = p->dirty = true;
	}
}

bool plane_vip_full(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	bool any = false;

	snprintf(words, PLANE_BOUND_BYTES,
		 "has no backend that takes more connections (maxconn), or had none a moment ago");
	for (__u32 i = 0; i < v->backend_count; i++) {
		if (v->backend[i]->word_state != BACKEND_UP)
			continue;
		if (!v->backend[i]->full)
			return false;
		any = true;
	}
	return any;
}
