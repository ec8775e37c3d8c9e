// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VIPs and backends in memory, and a VIP's table T. Not here: anything in the maps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/homes.h"
#include "core/maglev.h"
#include "core/mix.h"
#include "daemon/plane_state.h"

struct plane_vip *plane_vip_new(const char *name, __u32 backends, __u32 slots)
{
	struct plane_vip *v = calloc(1, sizeof(*v));
	size_t n = backends ? backends : 1;

	if (!v)
		return NULL;
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->id = ID_NONE;
	v->region.count = slots;
	v->state_told = "in service";
	v->backend_count = backends;
	v->backend = calloc(n, sizeof(struct plane_backend *));
	v->table = calloc(slots, sizeof(*v->table));
	v->keys = calloc(n, sizeof(*v->keys));
	v->weights = calloc(n, sizeof(*v->weights));
	v->usable = calloc(n, sizeof(*v->usable));
	v->part = calloc(n, sizeof(*v->part));
	v->tiers = calloc(n, sizeof(*v->tiers));
	v->tables = 1;
	if (!v->backend || !v->table || !v->keys || !v->weights || !v->usable || !v->part || !v->tiers) {
		v->backend_count = 0;
		plane_vip_free(v);
		return NULL;
	}
	return v;
}

void plane_backend_free(struct plane_backend *b)
{
	if (b)
		free(b->why);
	free(b);
}

void plane_vip_free(struct plane_vip *v)
{
	if (!v)
		return;
	for (__u32 i = 0; i < v->backend_count; i++)
		if (v->backend[i] && (!v->backend[i]->vip || v->backend[i]->vip == v))
			plane_backend_free(v->backend[i]);
	free(v->backend);
	free(v->table);
	free(v->keys);
	free(v->weights);
	free(v->usable);
	free(v->part);
	free(v->tiers);
	free(v->since);
	free(v);
}

/* Index of the first VIP whose name is not before @name. */
static size_t vip_place(const struct plane *p, const char *name)
{
	size_t low = 0, high = p->vip_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(p->vip[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct plane_vip *plane_vip_find(const struct plane *p, const char *name)
{
	size_t at = vip_place(p, name);

	return at < p->vip_count && !strcmp(p->vip[at]->name, name) ? p->vip[at] : NULL;
}

int plane_vip_insert(struct plane *p, struct plane_vip *v)
{
	size_t at = vip_place(p, v->name);
	struct plane_vip **more = realloc(p->vip, (p->vip_count + 1) * sizeof(struct plane_vip *));

	if (!more)
		return -ENOMEM;
	p->vip = more;
	memmove(more + at + 1, more + at, (p->vip_count - at) * sizeof(struct plane_vip *));
	more[at] = v;
	p->vip_count++;
	p->vip_by_id[v->id] = v;
	return 0;
}

void plane_vip_remove(struct plane *p, struct plane_vip *v)
{
	size_t at = vip_place(p, v->name);

	memmove(p->vip + at, p->vip + at + 1, (p->vip_count - at - 1) * sizeof(struct plane_vip *));
	p->vip_count--;
	p->vip_by_id[v->id] = NULL;
}

struct plane_backend *plane_backend_find(const struct plane_vip *v, const struct endpoint *at)
{
	size_t low = 0, high = v->backend_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = endpoint_compare(&v->backend[middle]->at, at);

		if (!order)
			return v->backend[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

enum steer_by plane_steer_by(enum scheduler s)
{
	switch (s) {
	case SCHEDULER_MH:
		return STEER_HOME;
	case SCHEDULER_RR:
	case SCHEDULER_WRR:
		return STEER_GIVEN;
	case SCHEDULER_LC:
	case SCHEDULER_WLC:
		return STEER_OPEN;
	}
	return STEER_HOME;
}

__u32 plane_weight(enum scheduler s, __u32 configured)
{
	if (s == SCHEDULER_RR || s == SCHEDULER_LC)
		return configured ? 1 : 0;
	return configured;
}

enum transition_keep plane_keep(const struct plane_vip *v)
{
	if (!v->idle_ms)
		return TRANSITION_NOTHING;
	return v->scheduler == SCHEDULER_MH ? TRANSITION_BY_CELLS : TRANSITION_STATEFUL;
}

int plane_table_build(struct plane_vip *v)
{
	struct maglev_backend *b = calloc(v->backend_count + 1, sizeof(*b));
	__u32 tables = tiers_tables(v->tiers, v->backend_count);
	__u16 *table = realloc(v->table, (size_t)tables * v->region.count * sizeof(*table));
	__u64 digest = mix64(MAGLEV_VERSION);
	int ret;

	v->table = table ? table : v->table;
	if (!b || !table) {
		free(b);
		return -ENOMEM;
	}
	v->tables = tables;
	for (__u32 i = 0; i < v->backend_count; i++) {
		v->keys[i] = v->backend[i]->key;
		b[i] = (struct maglev_backend){v->keys[i], v->weights[i], (__u16)i};
	}
	ret = tiers_build(b, v->tiers, v->backend_count, v->table, v->region.count);
	free(b);
	if (ret)
		return ret;
	/* By keys, not by ids or indexes: equal on every node. */
	for (size_t s = 0; s < (size_t)tables * v->region.count; s++)
		digest = (digest ^ (v->table[s] == MAGLEV_EMPTY ? 0 : v->keys[v->table[s]])) * 0x100000001b3ULL;
	v->digest = mix64(digest);
	return 0;
}

const __u16 *plane_table(const struct plane_vip *v)
{
	return v->table + (size_t)tiers_table(v->tiers, v->usable, v->backend_count) * v->region.count;
}
