// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `flow lookup`: what XDP would do with a packet now, by the same function over the same maps,
 * and why. Writes nothing. Not here: flows that have a cell, as a list (plane_flows.c).
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "core/table.h"
#include "daemon/plane_view.h"

const char *const plane_cell_name[] = {"free", "probation", "half", "open", "closing", "reset"};

__u64 plane_flow_hash(const struct plane *p, const struct plane_vip *v, const struct endpoint *src,
		      const struct endpoint *dst)
{
	struct flow_tuple t = {.sport = src->port, .dport = dst->port, .proto = dst->proto};

	memcpy(t.saddr, src->addr.byte, sizeof(t.saddr));
	memcpy(t.daddr, dst->addr.byte, sizeof(t.daddr));
	if (v->hash_source) {
		memset(t.daddr, 0, sizeof(t.daddr));
		t.sport = 0;
		t.dport = (__be16)v->id;
		t.proto = 0;
	}
	return flow_hash(&t, dataplane_config(p->dp)->seed);
}

void plane_where(const struct plane *p, const struct plane_vip *v, __u64 hash, enum packet_kind kind, struct where *ret)
{
	const struct view view = {p, dataplane_config(p->dp)};
	const struct vip_entry *e = &p->vips[v->id];
	struct flow f = {.hash = hash, .vip = v->id, .kind = kind, .now = dataplane_tick(p->dp)};

	*ret = (struct where){.backend = ID_NONE};
	where_to(&view, &e->copy[VIP_WORD_SELECT(e->word)], &f, ret);
}

bool plane_where_cell(const struct where *w)
{
	/* Otherwise cell_old is what the packet would take or mark, or nothing. */
	return !w->made && !w->overflow && cell_state(w->cell_old) != CELL_FREE;
}

const struct plane_vip *plane_vip_of_key(const struct plane *p, const struct endpoint *key)
{
	for (size_t i = 0; i < p->vip_count; i++)
		if (plane_has_key(p->vip[i]->key, p->vip[i]->key_count, key))
			return p->vip[i];
	return NULL;
}

static const char *unsent_word(const struct where *w)
{
	return w->dead ? "reset" : w->full ? "full" : "no-backend";
}

static void lookup_backend(const struct plane *p, const struct plane_vip *v, const struct where *w, struct table *t,
			   size_t row)
{
	char text[ENDPOINT_TEXT_BYTES], device[IF_NAMESIZE];
	const struct plane_backend *b;

	table_set_text(t, row, FIELD_LOOKUP_forward, plane_forward_name[v->forward]);
	if (w->backend == ID_NONE) {
		table_set_text(t, row, FIELD_LOOKUP_verdict, unsent_word(w));
		return;
	}
	table_set_text(t, row, FIELD_LOOKUP_backend, plane_backend_text(p, w->backend, text));
	b = p->backend_by_id[w->backend];
	if (!b || !b->path || !b->path->ever)
		table_set_text(t, row, FIELD_LOOKUP_verdict, "unresolved");
	else if (if_indextoname(b->path->hop.ifindex, device))
		table_set_text(t, row, FIELD_LOOKUP_device, device);
}

static void lookup_cell(const struct plane *p, const struct where *w, struct table *t, size_t row)
{
	__u32 ticks;

	if (!plane_where_cell(w))
		return;
	ticks = cell_age(w->cell_old, dataplane_tick(p->dp));
	table_set_text(t, row, FIELD_LOOKUP_cell, plane_cell_name[cell_state(w->cell_old)]);
	table_set_f64(t, row, FIELD_LOOKUP_age, (double)ticks * dataplane_info(p->dp)->tick_us / 1e6);
	table_set_u64(t, row, FIELD_LOOKUP_set, w->set);
}

static void lookup_slot(const struct plane *p, const struct plane_vip *v, __u64 hash, struct table *t, size_t row)
{
	__u32 s = hash_slot(hash, v->region.count);
	__u64 slot = p->slots[v->region.base + s];
	char text[ENDPOINT_TEXT_BYTES];

	table_set_u64(t, row, FIELD_LOOKUP_slot, s);
	if (slot_state(slot) <= SLOT_PINNED)
		table_set_text(t, row, FIELD_LOOKUP_slot_state, plane_slot_text(slot));
	if (plane_backend_text(p, slot_home0(slot), text))
		table_add_list(t, row, FIELD_LOOKUP_homes, text);
	if (plane_backend_text(p, slot_home1(slot), text))
		table_add_list(t, row, FIELD_LOOKUP_homes, text);
	if (slot_state(slot) == SLOT_SPLIT)
		table_set_text(t, row, FIELD_LOOKUP_previous,
			       slot_prev(slot) == SLOT_PREV_TABLE ? "of the former table"
								  : plane_backend_text(p, slot_prev(slot), text));
	table_set_u64(t, row, FIELD_LOOKUP_build, v->build);
}

int plane_lookup(struct plane *p, const struct endpoint *src, const struct endpoint *dst, struct table *t,
		 struct err *err)
{
	const struct plane_vip *v = plane_vip_of_key(p, dst);
	char text[ENDPOINT_TEXT_BYTES];
	struct where old, fresh;
	size_t row;
	__u64 hash;

	if (!v)
		return err_set(err, ENOENT, "%s is no VIP's: packets to it are left to the host",
			       endpoint_format(dst, text));
	hash = plane_flow_hash(p, v, src, dst);
	plane_where(p, v, hash, dst->proto == IPPROTO_UDP ? PACKET_UDP : PACKET_OTHER, &old);
	plane_where(p, v, hash, dst->proto == IPPROTO_UDP ? PACKET_UDP : PACKET_SYN, &fresh);
	row = table_row(t);
	table_set_text(t, row, FIELD_LOOKUP_vip, v->name);
	lookup_backend(p, v, &old, t, row);
	lookup_cell(p, &old, t, row);
	lookup_slot(p, v, hash, t, row);
	table_set_text(t, row, FIELD_LOOKUP_new_backend, plane_backend_text(p, fresh.backend, text));
	if (fresh.backend == ID_NONE)
		table_set_text(t, row, FIELD_LOOKUP_new_verdict, unsent_word(&fresh));
	return table_error(t);
}
