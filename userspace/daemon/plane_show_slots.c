// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A VIP's table as rows: slot by slot, and as shares of backends. Not here: finding homes.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/table.h"
#include "daemon/plane_show.h"

static void slot_row(const struct plane *p, const struct plane_vip *v, __u32 s, struct table *t)
{
	__u64 slot = p->slots[v->region.base + s];
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);

	table_set_u64(t, row, FIELD_SLOT_slot, s);
	table_set_text(t, row, FIELD_SLOT_state, plane_slot_text(slot));
	table_set_text(t, row, FIELD_SLOT_home0, plane_backend_text(p, slot_home0(slot), text));
	table_set_text(t, row, FIELD_SLOT_home1, plane_backend_text(p, slot_home1(slot), text));
	if (slot_state(slot) != SLOT_SPLIT)
		return;
	table_set_text(t, row, FIELD_SLOT_previous,
		       slot_prev(slot) == SLOT_PREV_TABLE ? "former table"
							  : plane_backend_text(p, slot_prev(slot), text));
}

int plane_show_slots(struct plane *p, const char *vip, struct table *t, struct err *err)
{
	size_t first, count;
	int ret = plane_vips_named(p, vip, &first, &count, err);

	if (ret)
		return ret;
	for (size_t i = first; i < first + count; i++) {
		for (__u32 s = 0; s < p->vip[i]->region.count; s++) {
			slot_row(p, p->vip[i], s, t);
			plane_row_end(p, t);
		}
	}
	return table_error(t);
}

struct share {
	__u64 slots, split, pinned;
};

static int vip_shares(struct plane *p, const struct plane_vip *v, struct table *t)
{
	__u32 tier = tiers_of_table(v->tiers, v->backend_count, tiers_table(v->tiers, v->usable, v->backend_count));
	struct share *share = calloc(v->backend_count + 1, sizeof(*share));
	char text[ENDPOINT_TEXT_BYTES];
	double weights = 0;

	if (!share)
		return -ENOMEM;
	for (__u32 i = 0; i < v->backend_count; i++)
		weights += tier == TIER_ALL || v->tiers[i] == tier ? v->weights[i] : 0;
	for (__u32 s = 0; s < v->region.count; s++) {
		__u64 slot = p->slots[v->region.base + s];
		__u32 id = slot_home0(slot);
		const struct plane_backend *b = id < p->backends_max ? p->backend_by_id[id] : NULL;

		if (!b || b->vip != v)
			continue;
		share[b->index].slots++;
		share[b->index].split += slot_state(slot) == SLOT_SPLIT;
		share[b->index].pinned += slot_state(slot) == SLOT_PINNED;
	}
	for (__u32 i = 0; i < v->backend_count; i++) {
		size_t row = table_row(t);

		table_set_text(t, row, FIELD_SHARE_vip, v->name);
		table_set_text(t, row, FIELD_SHARE_backend, endpoint_format(&v->backend[i]->at, text));
		table_set_u64(t, row, FIELD_SHARE_slots, share[i].slots);
		table_set_f64(t, row, FIELD_SHARE_share, (double)share[i].slots / v->region.count);
		table_set_f64(t, row, FIELD_SHARE_wanted,
			      weights > 0 && (tier == TIER_ALL || v->tiers[i] == tier) ? v->weights[i] / weights : 0);
		table_set_u64(t, row, FIELD_SHARE_split, share[i].split);
		table_set_u64(t, row, FIELD_SHARE_pinned, share[i].pinned);
	}
	free(share);
	return 0;
}

int plane_show_shares(struct plane *p, const char *vip, struct table *t, struct err *err)
{
	size_t first, count;
	int ret = plane_vips_named(p, vip, &first, &count, err);

	for (size_t i = first; !ret && i < first + count; i++)
		ret = vip_shares(p, p->vip[i], t);
	return ret ? ret : table_error(t);
}
