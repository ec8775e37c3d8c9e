// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * When slots may leave their homes for a planned change, and when a VIP may have another number of
 * slots. Not here: which slots are concerned, and the stores (plane_slots.c).
 */
#include "daemon/plane_state.h"

bool plane_warms(struct plane *p, const struct plane_vip *v)
{
	struct vip_count count;

	return plane_keep(v) == TRANSITION_BY_CELLS && !dataplane_count_vips(p->dp, v->id, 1, &count) && count.packets;
}

bool plane_warm_over(__u16 since)
{
	return (__u16)((__u16)(mono_now().ns / 1000000000u) - since) > STARLING_MARK_MS / 1000;
}

bool plane_resizes(struct plane *p, const struct plane_vip *v)
{
	if (v->previous.count)
		return false;
	if (v->growing)
		return plane_warm_over(v->growing_since);
	return !v->split && !plane_warms(p, v);
}

void plane_growth(struct plane *p, struct plane_vip *v, bool wanted)
{
	if (v->growing == wanted || (wanted && (v->split || v->previous.count || !plane_warms(p, v))))
		return;
	v->growing = wanted;
	v->growing_since = (__u16)(mono_now().ns / 1000000000u);
	v->stale = v->dirty = p->dirty = true;
}

void plane_warm_tick(struct plane *p)
{
	bool applying = p->applying;

	if (p->held)
		return;
	p->applying = true; /* urgent jobs may show and override meanwhile */
	for (size_t i = 0; i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		if (v->deferred)
			plane_growth(p, v, true);
		if (!v->dirty && (!v->warm || v->growing || !plane_warm_over(v->warm_since)))
			continue;
		plane_vip_settle(p, v);
		plane_breathe(p);
	}
	p->applying = applying;
}
