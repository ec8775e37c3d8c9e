/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * where_to() over the mapped tables: what XDP would decide, computed in user space. Not here:
 * rows for a show (plane_lookup.c, plane_flows.c).
 */
#ifndef STARLING_DAEMON_PLANE_VIEW_H
#define STARLING_DAEMON_PLANE_VIEW_H

#include "daemon/plane_show.h"
#include "starling/cell.h"

struct view {
	const struct plane *p;
	const volatile struct steer_config *cfg;
};

static inline __u64 view_slot(const struct view *v, __u32 index)
{
	return index < v->p->slots_max ? __atomic_load_n(&v->p->slots[index], __ATOMIC_RELAXED) : 0;
}

static inline __u64 view_backend(const struct view *v, __u32 id)
{
	return id < v->p->backends_max ? __atomic_load_n(&v->p->backends[id].word, __ATOMIC_RELAXED) : 0;
}

static inline __u32 view_score(const struct view *v, __u32 id, __u32 by)
{
	const struct backend_load *l;

	if (id >= v->p->backends_max)
		return 0;
	l = &v->p->loads[id];
	return by == STEER_GIVEN ? l->given : l->open + l->half + l->peers;
}

static inline __u32 view_limit(const struct view *v, __u32 id)
{
	return id < v->p->backends_max ? __atomic_load_n(&v->p->limits[id].most, __ATOMIC_RELAXED) : 0;
}

static inline __u32 view_untended(const struct view *v, __u32 vip)
{
	return vip < v->p->vips_max ? tick_since(dataplane_tick(v->p->dp),
						 __atomic_load_n(&v->p->vips[vip].tended, __ATOMIC_RELAXED))
				    : TICK_MASK;
}

static inline __u64 *view_set(const struct view *v, __u32 set)
{
	return set < v->p->sets_max ? v->p->flows[set].cell : NULL;
}

static inline const volatile struct steer_config *view_config(const struct view *v)
{
	return v->cfg;
}

#include "starling/where.h"

#endif
