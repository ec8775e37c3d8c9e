// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reading the maps that an earlier process left, and repairing what it had not finished. Not
 * here: comparing them with a configuration (plane_plan.c).
 *
 * Until the first configuration and the overrides are there, backends keep the states that
 * their words have; only slots that do not agree with the words are written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/maglev.h"
#include "daemon/plane_state.h"

static struct span span_of(__u32 base, __u32 count)
{
	return (struct span){count ? base : 0, count};
}

static const struct vip_record *record_of(const struct vip_entry *e)
{
	return &e->copy[VIP_WORD_SELECT(e->word)];
}

static enum scheduler scheduler_of(__u8 steer_by)
{
	return steer_by == STEER_GIVEN ? SCHEDULER_WRR : steer_by == STEER_OPEN ? SCHEDULER_WLC : SCHEDULER_MH;
}

static int unclean(struct err *err, const char *vip, const char *what)
{
	return err_set(err, EUCLEAN,
		       "the pinned maps contradict themselves (VIP %s: %s): detach and remove them, then start again",
		       vip, what);
}

static int vip_adopt(struct plane *p, __u32 id, __u32 backends, struct err *err)
{
	const struct vip_record *r = record_of(&p->vips[id]);
	struct plane_vip *v;

	if (!r->name[0] || r->name[sizeof(r->name) - 1] || plane_vip_find(p, r->name))
		return unclean(err, "?", "no name, or that of another");
	if (!r->slots_count || arena_claim(&p->arena, span_of(r->slots_base, r->slots_count)) ||
	    arena_claim(&p->arena, span_of(r->prev_base, r->prev_count)))
		return unclean(err, r->name, "its slots are another's");
	v = plane_vip_new(r->name, backends, r->slots_count);
	if (!v)
		return err_set(err, ENOMEM, "no memory for VIP %s", r->name);
	v->id = id;
	v->region = span_of(r->slots_base, r->slots_count);
	v->previous = span_of(r->prev_base, r->prev_count);
	v->scheduler = scheduler_of(r->steer_by);
	v->hash_source = r->flags & VIP_HASH_SOURCE;
	v->dead_reset = r->flags & VIP_DEAD_RESET;
	if (r->steer_by == STEER_HOME && !v->hash_source && !(r->flags & VIP_NOTES))
		v->passive = PASSIVE_OFF;
	v->idle_ms =
		r->flags & VIP_NO_CELLS ? 0 : (__u32)((__u64)r->idle_ticks * dataplane_info(p->dp)->tick_us / 1000);
	v->build = (__u32)(p->vips[id].word >> 32);
	v->backend_count = 0;
	v->swapped = p->epoch; /* a reader may be in the other copy still */
	v->dirty = true;
	if (plane_vip_insert(p, v)) {
		plane_vip_free(v);
		return err_set(err, ENOMEM, "no memory for VIP %s", r->name);
	}
	ids_claim(&p->vip_ids, id);
	return 0;
}

static bool vip_in_service(const struct plane *p, __u32 id)
{
	return id < p->vips_max && VIP_WORD_STATE(p->vips[id].word);
}

static int vips_adopt(struct plane *p, struct err *err)
{
	__u32 *backends = calloc(p->vips_max, sizeof(*backends));
	int ret = 0;

	if (!backends)
		return err_set(err, ENOMEM, "no memory to adopt the maps");
	for (__u32 i = 0; i < p->backends_max; i++) {
		__u64 word = p->backends[i].word;

		if (BACKEND_WORD_STATE(word) != BACKEND_UNUSED && vip_in_service(p, BACKEND_WORD_VIP(word)))
			backends[BACKEND_WORD_VIP(word)]++;
	}
	for (__u32 i = 0; i < p->vips_max && !ret; i++)
		if (vip_in_service(p, i))
			ret = vip_adopt(p, i, backends[i], err);
	free(backends);
	return ret;
}

/* An id that no VIP uses, though it was used once: cells may name it. */
static void backend_orphan(struct plane *p, __u32 id)
{
	__u64 word = p->backends[id].word;

	__atomic_store_n(&p->backends[id].word,
			 BACKEND_WORD(BACKEND_WORD_SELECT(word), BACKEND_UNUSED, 0, ID_NONE, word >> 48),
			 __ATOMIC_RELEASE);
	ids_claim(&p->backend_ids, id);
	ids_retire(&p->backend_ids, id);
}

/* The next hop as the record has it, until the loop says more. */
static void backend_path(struct plane_backend *b, const struct backend_record *r)
{
	struct nexthop *hop = &b->path->hop;

	if (!(r->flags & BACKEND_RESOLVED) || b->path->ever)
		return;
	*hop = (struct nexthop){
		.resolved = true, .routed = r->flags & BACKEND_ROUTED, .ifindex = r->ifindex, .mtu = r->mtu};
	memcpy(hop->dmac, r->dmac, sizeof(hop->dmac));
	memcpy(hop->smac, r->smac, sizeof(hop->smac));
	memcpy(hop->src.byte, r->src, sizeof(hop->src.byte));
	b->path->ever = b->path->resolved = true;
}

/* A way that was lost is lost still, until the loop says otherwise. */
static void backend_lost(const struct plane *p, struct plane_backend *b)
{
	b->lost = b->path->ever && plane_backend_was_lost(p, b);
	if (!b->lost)
		return;
	b->path->resolved = false;
	b->path->lost = mono_now();
}

static int backend_adopt(struct plane *p, struct plane_vip *v, __u32 id)
{
	__u64 word = p->backends[id].word;
	const struct backend_record *r = &p->backends[id].copy[BACKEND_WORD_SELECT(word)];
	struct plane_backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	memcpy(b->at.addr.byte, r->addr, sizeof(r->addr));
	b->at.port = r->port;
	b->key = maglev_key(&b->at);
	b->weight = b->configured = BACKEND_WORD_WEIGHT(word);
	b->tier = (__u8)((r->flags >> BACKEND_TIER_SHIFT) + TIER_DEFAULT);
	b->id = id;
	b->vip = v;
	b->word_state = (__u8)BACKEND_WORD_STATE(word);
	b->swapped = p->epoch;
	v->forward = r->forward;
	v->backend[v->backend_count++] = b;
	p->backend_by_id[id] = b;
	ids_claim(&p->backend_ids, id);
	if (plane_path_join(p, b))
		return -ENOMEM;
	backend_path(b, r);
	backend_lost(p, b);
	plane_limits_remember(p, b);
	plane_backend_remember(p, b);
	return 0;
}

static int by_endpoint(const void *a, const void *b)
{
	const struct plane_backend *const *x = a, *const *y = b;

	return endpoint_compare(&(*x)->at, &(*y)->at);
}

static int backends_adopt(struct plane *p, struct err *err)
{
	for (__u32 i = 0; i < p->backends_max; i++) {
		__u64 word = p->backends[i].word;

		if (!word)
			continue;
		if (BACKEND_WORD_STATE(word) == BACKEND_UNUSED || !vip_in_service(p, BACKEND_WORD_VIP(word)))
			backend_orphan(p, i);
		else if (backend_adopt(p, p->vip_by_id[BACKEND_WORD_VIP(word)], i))
			return err_set(err, ENOMEM, "no memory to adopt the backends");
	}
	return 0;
}

static int table_adopt(struct plane *p, struct plane_vip *v, struct err *err)
{
	int ret;

	qsort(v->backend, v->backend_count, sizeof(struct plane_backend *), by_endpoint);
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];

		if (i && !endpoint_compare(&b->at, &v->backend[i - 1]->at))
			return unclean(err, v->name, "two backends of one address");
		b->index = i;
		v->weights[i] = b->weight;
		v->tiers[i] = b->tier;
		v->usable[i] = b->word_state == BACKEND_UP && b->weight;
	}
	ret = plane_table_build(v);
	if (ret == -ERANGE)
		return unclean(err, v->name, "more backends than slots");
	if (ret)
		return err_set(err, -ret, "VIP %s: its table cannot be built", v->name);
	plane_slots_repair(p, v);
	return 0;
}

static int key_adopt(struct plane *p, const struct vip_key *key, __u32 vip, bool *ret_orphans)
{
	struct plane_vip *v = vip < p->vips_max ? p->vip_by_id[vip] : NULL;
	struct endpoint e = {.port = key->port, .proto = key->proto};

	if (!v || v->key_count == STARLING_KEYS_PER_VIP) {
		*ret_orphans = true;
		return dataplane_key_delete(p->dp, key);
	}
	memcpy(e.addr.byte, key->addr, sizeof(key->addr));
	v->key[v->key_count++] = e;
	return plane_address_use(p, &e.addr, vip);
}

static int keys_adopt(struct plane *p, struct err *err)
{
	__u32 count, i;
	const struct key_entry *e = dataplane_keys(p->dp, &count);
	bool orphans = false;
	int ret = 0;

	/* Address-only keys are set again as their addresses are met, and deleted if they are not. */
	for (i = 0; i < count && !ret; i++)
		if (e[i].word > KEY_GONE && e[i].key.proto)
			ret = key_adopt(p, &e[i].key, e[i].word - KEY_VIP(0), &orphans);
	for (i = 0; i < count && !ret; i++) {
		if (e[i].word > KEY_GONE && !e[i].key.proto && !plane_address_used(p, e[i].key.addr)) {
			orphans = true;
			ret = dataplane_key_delete(p->dp, &e[i].key);
		}
	}
	if (ret)
		return err_set(err, -ret, "the keys of the VIPs cannot be adopted: %s", strerror(-ret));
	if (orphans)
		plane_grace(p);
	for (__u32 bit = 0; bit < FILTER_BITS; bit++)
		if (!p->filter_count[bit])
			__atomic_fetch_and(&p->filter->bits[bit / 64], ~(1ULL << bit % 64), __ATOMIC_RELAXED);
	return 0;
}

int plane_adopt(struct plane *p, struct err *err)
{
	int ret = vips_adopt(p, err);

	if (!ret)
		ret = backends_adopt(p, err);
	for (size_t i = 0; i < p->vip_count && !ret; i++)
		ret = table_adopt(p, p->vip[i], err);
	if (!ret)
		ret = keys_adopt(p, err);
	p->held = p->dirty = p->vip_count > 0;
	p->newly_pinned = true;
	p->overflows = dataplane_overflows(p->dp);
	p->adopted = true;
	if (p->vip_count)
		p->restarted = mono_now();
	p->marked = mono_now(); /* the first round leaves marks as they are, to see them all */
	return ret;
}
