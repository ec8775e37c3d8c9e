// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Applying a configuration. Not here: finding what differs (plane_plan.c), devices (plane_ifaces.c).
 *
 *	1. plan: everything that can fail for want of room or memory; devices are attached
 *	2. VIPs and keys that go: deleted, then one grace period for all of them
 *	3. VIPs that come or change, one by one, urgent jobs between them
 *	4. a grace period; backends that went give back their ids; devices are detached
 *
 * What fails in step 3 in spite of step 1 (the kernel refuses a key) is undone by applying the
 * former configuration; if there is none, since the tables were adopted, what could be done stays:
 * wanting nothing would end the traffic.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plane_plan.h"

static void retire(struct plane *p, struct span s)
{
	struct span *more;

	if (!s.count)
		return;
	if (p->retired_count == p->retired_room) {
		more = realloc(p->retired, (2 * p->retired_room + 16) * sizeof(*more));
		if (!more)
			return; /* lost until a restart adopts the maps */
		p->retired = more;
		p->retired_room = 2 * p->retired_room + 16;
	}
	p->retired[p->retired_count++] = s;
}

void plane_region_retire(struct plane *p, struct span s)
{
	retire(p, s);
}

static void backend_bury(struct plane *p, struct plane_plan *plan, struct plane_backend *b)
{
	b->leaving = true;
	plane_backend_word(p, b, BACKEND_DOWN);
	plane_backend_note(p, b);
	plane_path_leave(p, b);
	plan->dead[plan->dead_count++] = b;
}

/* After a grace period: nobody reads their words any more. */
static void dead_withdraw(struct plane *p, struct plane_plan *plan)
{
	for (size_t i = 0; i < plan->dead_count; i++) {
		plane_backend_withdraw(p, plan->dead[i]);
		plane_backend_free(plan->dead[i]);
	}
	plan->dead_count = 0;
}

static void keys_drop(struct plane *p, struct plane_vip *v, const struct vip_config *want)
{
	for (size_t i = 0; i < v->key_count; i++)
		if (!want || !plane_has_key(want->key, want->key_count, &v->key[i]))
			plane_key_drop(p, v->id, &v->key[i]);
}

static void vip_drop(struct plane *p, struct plane_plan *plan, struct plane_vip *v)
{
	keys_drop(p, v, NULL);
	plane_vip_withdraw(p, v);
	for (__u32 i = 0; i < v->backend_count; i++)
		backend_bury(p, plan, v->backend[i]);
	v->backend_count = 0;
	plane_vip_remove(p, v);
	retire(p, v->region);
	retire(p, v->previous);
	plane_event(p, "vip", v->name, "in service", NULL, "");
}

/* The dropped keys' filter bits; keeps the rest of the VIP's keys. */
static void keys_forget(struct plane *p, struct plane_vip *v, const struct vip_config *want)
{
	struct endpoint dropped[STARLING_KEYS_PER_VIP];
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < v->key_count; i++) {
		if (!want || !plane_has_key(want->key, want->key_count, &v->key[i]))
			dropped[count++] = v->key[i];
		else
			v->key[kept++] = v->key[i];
	}
	v->key_count = kept;
	for (size_t i = 0; i < count; i++)
		plane_key_forget(p, &dropped[i]);
}

static int keys_add(struct plane *p, struct plane_vip *v, const struct vip_config *want, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES];

	for (size_t i = 0; i < want->key_count; i++) {
		int ret;

		if (plane_has_key(v->key, v->key_count, &want->key[i]))
			continue;
		ret = plane_key_add(p, &want->key[i], v->id);
		v->key[v->key_count++] = want->key[i];
		if (ret)
			return err_set(err, -ret, "VIP %s: the kernel does not take the key %s: %s", v->name,
				       endpoint_format(&want->key[i], text), strerror(-ret));
	}
	return 0;
}

static int backend_id_take(struct plane *p, __u32 *ret)
{
	if (!ids_take(&p->backend_ids, ret))
		return 0;
	plane_sweep_all(p);
	return ids_take(&p->backend_ids, ret);
}

/* New backends from @from on cannot be had: without them, and with indexes that no longer fit T, the VIP is undone. */
static int backends_cut(struct plane_vip *v, __u32 from, int ret)
{
	__u32 kept = from;

	for (__u32 i = from; i < v->backend_count; i++) {
		if (v->backend[i]->vip)
			v->backend[kept++] = v->backend[i];
		else
			plane_backend_free(v->backend[i]);
	}
	v->backend_count = kept;
	for (__u32 i = 0; i < kept; i++) {
		v->backend[i]->index = i;
		v->usable[i] = v->backend[i]->word_state == BACKEND_UP;
	}
	return ret;
}

/* Ids, words and ways for the backends that are new. */
static int backends_create(struct plane *p, struct plane_vip *v, struct err *err)
{
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];

		b->index = i;
		if (b->vip)
			continue;
		if (backend_id_take(p, &b->id))
			return backends_cut(v, i, err_set(err, ENOSPC, "VIP %s: no backend id is free", v->name));
		b->vip = v;
		b->weight = v->weights[i];
		b->tier = v->tiers[i];
		b->override = plane_override_state(plane_override_of(p, b));
		if (plane_path_join(p, b))
			b->path = NULL; /* down for want of memory; shown as unresolved */
		plane_backend_create(p, b);
	}
	return 0;
}

static int vip_add(struct plane *p, struct plane_step *s, struct err *err)
{
	struct plane_vip *v = s->next;
	int ret;

	if (ids_take(&p->vip_ids, &v->id))
		return err_set(err, ENOSPC, "VIP %s: no id is free", v->name);
	if (arena_take(&p->arena, v->region.count, &v->region) || plane_vip_insert(p, v)) {
		ids_release(&p->vip_ids, v->id);
		return err_set(err, ENOSPC, "VIP %s: no room for %u slots", v->name, v->region.count);
	}
	s->next = NULL;
	s->vip = v;
	if (p->vips[v->id].copy[0].slots_count || p->vips[v->id].copy[1].slots_count) {
		dataplane_count_vip_reset(p->dp, v->id);
		p->vips[v->id].moved = 0;
	}
	plane_vip_describe(v, s->want); /* backends are made as it says */
	ret = backends_create(p, v, err);
	if (ret)
		return ret;
	for (__u32 i = 0; i < v->backend_count; i++)
		v->backend[i]->first = true;
	v->build = 1;
	p->vips[v->id].generation = p->generation;
	plane_slots_fill(p, v, false);
	plane_vip_publish(p, v);
	plane_event(p, "vip", v->name, NULL, "in service", "");
	plane_vip_settle(p, v);
	return keys_add(p, v, s->want, err);
}

#define SWAP(a, b)                                                                                                     \
	do {                                                                                                           \
		__typeof__(a) swap_ = (a);                                                                             \
		(a) = (b);                                                                                             \
		(b) = swap_;                                                                                           \
	} while (0)

/* Backends and T of @next become the VIP's; whoever is in the VIP only is buried. @next keeps the former arrays. */
static void vip_swap(struct plane *p, struct plane_plan *plan, struct plane_vip *v, struct plane_vip *next)
{
	for (__u32 i = 0; i < v->backend_count; i++) {
		const struct plane_backend *b = v->backend[i];

		if (!plane_backend_find(next, &b->at))
			backend_bury(p, plan, v->backend[i]);
	}
	SWAP(v->backend, next->backend);
	SWAP(v->backend_count, next->backend_count);
	SWAP(v->table, next->table);
	SWAP(v->tables, next->tables);
	SWAP(v->tiers, next->tiers);
	SWAP(v->keys, next->keys);
	SWAP(v->weights, next->weights);
	SWAP(v->usable, next->usable);
	SWAP(v->part, next->part);
	next->backend_count = 0; /* its pointers are the VIP's or the dead's */
	v->digest = next->digest;
	v->build++;
	v->stale = true;
}

/* @ret_retired: two regions to be retired once the VIP's record no longer names them. */
static int vip_resize(struct plane *p, struct plane_vip *v, __u32 slots, struct span *ret_retired, struct err *err)
{
	struct span region;

	if (arena_take(&p->arena, slots, &region))
		return err_set(err, ENOSPC, "VIP %s: no room for %u slots", v->name, slots);
	/* Forced while a former table is still in use: that one's flows are placed by the present one from now on. */
	ret_retired[0] = v->previous;
	v->previous = v->region;
	v->region = region;
	plane_slots_fill(p, v, true);
	if (!v->resizing) {
		ret_retired[1] = v->previous;
		v->previous = (struct span){0};
	}
	return 0;
}

static void forwards_publish(struct plane *p, struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		plane_backend_publish(p, v->backend[i]);
}

static bool vip_deferred(const struct plane_vip *v, const struct vip_config *want)
{
	__u32 slots = vip_slots(want);

	return want->slots ? slots != v->region.count : slots > v->region.count;
}

static int vip_change(struct plane *p, struct plane_plan *plan, struct plane_step *s, struct err *err)
{
	struct plane_vip *v = s->vip;
	bool was_stateful = plane_keep(v) == TRANSITION_STATEFUL;
	__u32 slots = s->next ? s->next->region.count : v->region.count;
	struct span retired[2] = {{0}};
	int ret;

	if (s->next)
		vip_swap(p, plan, v, s->next);
	ret = backends_create(p, v, err);
	if (ret)
		return ret;
	plane_vip_describe(v, s->want);
	p->vips[v->id].generation = p->generation;
	forwards_publish(p, v);
	if (was_stateful && plane_keep(v) == TRANSITION_BY_CELLS)
		plane_slots_pin(p, v); /* flows are with either home: their cells say with which */
	if (slots != v->region.count)
		ret = vip_resize(p, v, slots, retired, err);
	if (ret)
		return ret;
	if (v->region.count == slots && !v->stale)
		v->stale = was_stateful != (plane_keep(v) == TRANSITION_STATEFUL);
	plane_vip_publish(p, v);
	retire(p, retired[0]);
	retire(p, retired[1]);
	plane_growth(p, v, vip_deferred(v, s->want));
	plane_vip_settle(p, v);
	plane_event(p, "vip", v->name, "in service", "in service", "changed by the configuration");
	return keys_add(p, v, s->want, err);
}

static void plan_drop(struct plane *p, struct plane_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct plane_step *s = &plan->step[i];

		if (!s->vip)
			continue;
		if (s->op == PLANE_DELETE)
			vip_drop(p, plan, s->vip);
		else if (s->op == PLANE_CHANGE)
			keys_drop(p, s->vip, s->want);
	}
	if (!plan->drops_keys)
		return;
	plane_grace(p);
	dead_withdraw(p, plan);
	for (size_t i = 0; i < plan->count; i++) {
		struct plane_step *s = &plan->step[i];

		if (s->vip && (s->op == PLANE_DELETE || s->op == PLANE_CHANGE))
			keys_forget(p, s->vip, s->want);
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->step[i].op != PLANE_DELETE || !plan->step[i].vip)
			continue;
		ids_release(&p->vip_ids, plan->step[i].vip->id);
		plane_vip_free(plan->step[i].vip);
		plan->step[i].vip = NULL;
	}
}

static int plan_run(struct plane *p, struct plane_plan *plan, struct err *err)
{
	int ret = 0;

	plan_drop(p, plan);
	for (size_t i = 0; i < plan->count && !ret; i++) {
		struct plane_step *s = &plan->step[i];
		__u64 moved = s->vip ? p->vips[s->vip->id].moved : 0;

		if (!s->vip && s->op != PLANE_ADD)
			continue; /* deleted above */
		switch (s->op) {
		case PLANE_KEEP:
			plane_vip_describe(s->vip, s->want);
			p->dirty |= s->vip->dirty;
			break;
		case PLANE_ADD:
			ret = vip_add(p, s, err);
			break;
		case PLANE_CHANGE:
			ret = vip_change(p, plan, s, err);
			plan->change.slots_moved += p->vips[s->vip->id].moved - moved;
			break;
		case PLANE_DELETE:
			break;
		}
		if (ret || s->op == PLANE_DELETE || !s->vip)
			continue;
		s->vip->deferred = vip_deferred(s->vip, s->want);
		plane_growth(p, s->vip, s->vip->deferred);
		memcpy(s->vip->key, s->want->key, sizeof(s->vip->key)); /* the same keys, in the operator's order */
		if (s->op != PLANE_KEEP)
			plane_breathe(p);
	}
	if (plan->dead_count || p->retired_count) {
		plane_grace(p);
		dead_withdraw(p, plan);
	}
	return ret;
}

/* What a half-done apply left is taken back by wanting what was before. */
static void plan_undo(struct plane *p)
{
	struct plane_plan plan = {0};
	struct err err = {0};

	if (plane_plan_make(p, p->config, &plan, &err) || plan_run(p, &plan, &err))
		plane_event(p, "config", "undo", "failed", "incomplete", err.text);
	plane_plan_free(&plan);
}

int plane_apply(struct plane *p, struct config *wanted, bool dry_run, struct plane_change *ret, struct err *err)
{
	struct plane_plan plan = {0};
	bool adopted = p->held;
	struct plane_ifaces had;
	int code;

	if (p->applying)
		return err_set(err, EBUSY, "another configuration is being applied");
	plane_ifaces_remember(p, &had);
	code = plane_keys_check(p, wanted, err);
	if (!code)
		code = plane_plan_make(p, wanted, &plan, err);
	if (!code)
		code = plane_ifaces_attach(p, wanted, dry_run, &plan.change, err);
	if (code && !dry_run)
		plane_ifaces_restore(p, &had, &plan.change);
	if (code || dry_run)
		goto out;
	p->held = false;
	p->applying = true;
	p->coming = wanted;
	code = plan_run(p, &plan, err);
	p->coming = NULL;
	p->applying = false;
	if (code) {
		p->applying = true;
		if (!adopted)
			plan_undo(p);
		p->applying = false;
		plane_ifaces_restore(p, &had, &plan.change);
		goto out;
	}
	plane_ifaces_detach(p, wanted, &plan.change);
	config_free(p->config);
	p->config = wanted;
	plane_overrides_prune(p);
	plane_settle(p);
out:
	if (!code && ret)
		*ret = plan.change;
	plane_plan_free(&plan);
	return code;
}
