// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Flows that have a cell, as rows. Not here: a flow without one (plane_lookup.c).
 *
 * A cell keeps no addresses. Asked for a client, every port that it could use is hashed and its
 * cell looked up: 65,535 look-ups a key of a VIP, and the answer has the port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/table.h"
#include "daemon/plane_view.h"

static void flow_row(const struct plane *p, const struct plane_vip *v, __u32 set, __u32 way, __u64 cell, __u32 slot,
		     const struct endpoint *client, struct table *t)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_FLOW_vip, v->name);
	table_set_text(t, row, FIELD_FLOW_backend, plane_backend_text(p, cell_backend(cell), text));
	if (client && client->port)
		table_set_text(t, row, FIELD_FLOW_client, endpoint_format(client, text));
	else if (client)
		table_set_text(t, row, FIELD_FLOW_client, addr_format(&client->addr, text));
	table_set_text(t, row, FIELD_FLOW_state,
		       cell_state(cell) <= CELL_RESET ? plane_cell_name[cell_state(cell)] : "?");
	table_set_text(t, row, FIELD_FLOW_proto, cell_flags(cell) & CELL_UDP ? "udp" : "tcp");
	table_set_f64(t, row, FIELD_FLOW_age,
		      (double)cell_age(cell, dataplane_tick(p->dp)) * dataplane_info(p->dp)->tick_us / 1e6);
	table_set_u64(t, row, FIELD_FLOW_slot, slot);
	table_set_u64(t, row, FIELD_FLOW_set, set);
	table_set_u64(t, row, FIELD_FLOW_way, way);
	table_set_textf(t, row, FIELD_FLOW_tag, "%06x", cell_tag(cell));
}

#define FLOWS_CHUNK 4096 /* sets or ports between urgent jobs */

static bool backend_wanted(const struct plane_backend *b, const struct plane_flow_filter *f)
{
	return !f->backend ||
	       (addr_equal(&b->at.addr, &f->backend->addr) && (!f->backend->port || f->backend->port == b->at.port));
}

/* Every cell of the table. */
static void flows_all(struct plane *p, const struct plane_flow_filter *f, const struct plane_vip *only, size_t limit,
		      struct table *t)
{
	const struct steer_config *cfg = dataplane_config(p->dp);

	for (__u32 set = 0; set < p->sets_max && table_rows(t) < limit; set++) {
		if (p->showing && set % FLOWS_CHUNK == 0)
			plane_breathe(p);
		for (__u32 way = 0; way < FLOW_WAYS && table_rows(t) < limit; way++) {
			__u64 cell = __atomic_load_n(&p->flows[set].cell[way], __ATOMIC_RELAXED);
			const struct plane_backend *b;
			__u64 hash;

			if (cell_expired(cell, dataplane_tick(p->dp), cfg) || cell_backend(cell) >= p->backends_max)
				continue;
			b = p->backend_by_id[cell_backend(cell)];
			if (!b || (only && b->vip != only) || !backend_wanted(b, f))
				continue;
			/* A cell in the neighbour of its flow's set says so. */
			hash = hash_of_cell(set ^ !!(cell_flags(cell) & CELL_AWAY), cell_tag(cell),
					    cfg->flow_sets_log2);
			flow_row(p, b->vip, set, way, cell, hash_slot(hash, b->vip->region.count), NULL, t);
		}
	}
}

static void flow_of_client(struct plane *p, const struct plane_flow_filter *f, const struct plane_vip *v,
			   const struct endpoint *src, const struct endpoint *dst, struct table *t)
{
	__u64 hash = plane_flow_hash(p, v, src, dst);
	const struct plane_backend *b;
	struct where w;

	plane_where(p, v, hash, dst->proto == IPPROTO_UDP ? PACKET_UDP : PACKET_OTHER, &w);
	if (!plane_where_cell(&w) || cell_backend(w.cell_old) >= p->backends_max)
		return;
	b = p->backend_by_id[cell_backend(w.cell_old)];
	if (b && b->vip == v && backend_wanted(b, f))
		flow_row(p, v, w.set, w.way, w.cell_old, hash_slot(hash, v->region.count), src, t);
}

static void flows_of_client(struct plane *p, const struct plane_flow_filter *f, const struct plane_vip *v, size_t limit,
			    struct table *t)
{
	struct endpoint src = {.addr = *f->client};

	if (v->hash_source) {
		flow_of_client(p, f, v, &src, &v->key[0], t);
		return;
	}
	for (size_t k = 0; k < v->key_count; k++) {
		if (addr_is_v4(&v->key[k].addr) != addr_is_v4(f->client))
			continue;
		for (__u32 port = 1; port <= 0xffff && table_rows(t) < limit; port++) {
			src.port = htons((__u16)port);
			flow_of_client(p, f, v, &src, &v->key[k], t);
			if (p->showing && port % FLOWS_CHUNK == 0)
				plane_breathe(p);
		}
	}
}

int plane_show_flows(struct plane *p, const struct plane_flow_filter *f, struct table *t, struct err *err)
{
	size_t limit = (f->limit ? f->limit : PLANE_FLOWS_LIMIT), first, count;
	int ret = plane_vips_named(p, f->vip, &first, &count, err);

	if (ret)
		return ret;
	limit += table_rows(t);
	if (!f->client)
		flows_all(p, f, f->vip ? p->vip[first] : NULL, limit, t);
	for (size_t i = first; f->client && i < first + count && table_rows(t) < limit; i++)
		flows_of_client(p, f, p->vip[i], limit, t);
	return table_error(t);
}
