// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The difference between a configuration and what runs. Not here: doing anything about it.
 */
#include "daemon/plane_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/maglev.h"

bool plane_has_key(const struct endpoint *key, size_t count, const struct endpoint *e)
{
	for (size_t i = 0; i < count; i++)
		if (!endpoint_compare(&key[i], e))
			return true;
	return false;
}

static bool keys_differ(const struct plane_vip *v, const struct vip_config *want, bool *ret_drops)
{
	bool drops = false, adds = false;

	for (size_t i = 0; i < v->key_count; i++)
		drops |= !plane_has_key(want->key, want->key_count, &v->key[i]);
	for (size_t i = 0; i < want->key_count; i++)
		adds |= !plane_has_key(v->key, v->key_count, &want->key[i]);
	*ret_drops |= drops;
	return drops || adds;
}

static bool forms_differ(const struct plane *p, const struct plane_vip *v, const struct vip_config *want)
{
	return plane_steer_by(v->scheduler) != plane_steer_by(want->scheduler) || v->hash_source != want->hash_source ||
	       v->dead_reset != (want->dead == DEAD_RESET) ||
	       plane_ticks(p, v->idle_ms) != plane_ticks(p, want->idle_ms) ||
	       (v->backend_count && v->forward != want->forward) ||
	       plane_notes(v->passive, v->scheduler, v->hash_source) !=
		       plane_notes(want->passive, want->scheduler, want->hash_source); /* as its record has it */
}

static size_t weighted(const struct vip_config *want)
{
	size_t n = 0;

	for (size_t i = 0; i < want->backend_count; i++)
		n += want->backend[i].weight > 0;
	return n;
}

/* A table grows by itself but never shrinks, and not while an earlier change still has flows to keep. */
static __u32 slots_wanted(struct plane *p, const struct plane_vip *v, const struct vip_config *want)
{
	__u32 slots = vip_slots(want);

	if (!v)
		return slots;
	if (!want->slots && slots < v->region.count)
		return v->region.count;
	if (slots != v->region.count && !plane_resizes(p, v) && weighted(want) <= v->region.count)
		return v->region.count;
	return slots;
}

/* Counts backends that differ; true if T does. */
static bool backends_differ(const struct plane_vip *v, const struct vip_config *want, struct plane_change *change)
{
	size_t i = 0, j = 0;
	bool differ = false;

	while (i < v->backend_count || j < want->backend_count) {
		const struct plane_backend *b = i < v->backend_count ? v->backend[i] : NULL;
		const struct backend_config *w = j < want->backend_count ? &want->backend[j] : NULL;
		int order = !b ? 1 : !w ? -1 : endpoint_compare(&b->at, &w->at);

		change->backends_deleted += order < 0;
		change->backends_added += order > 0;
		if (!order && (b->weight != plane_weight(want->scheduler, w->weight) || b->tier != w->tier)) {
			change->backends_changed++;
			differ = true;
		} else if (!order && b->most != w->maxconn)
			change->backends_changed++;
		differ |= order != 0;
		i += order <= 0;
		j += order >= 0;
	}
	return differ;
}

static struct plane_backend *backend_make(const struct backend_config *w)
{
	struct plane_backend *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->at = w->at;
	b->key = maglev_key(&w->at);
	b->id = ID_NONE;
	return b;
}

/* Backends and T as they are to be. */
static int next_make(struct plane_step *s, __u32 slots, struct err *err)
{
	const struct vip_config *want = s->want;
	struct plane_vip *next;
	int ret;

	s->next = next = plane_vip_new(want->name, (__u32)want->backend_count, slots);
	if (!next)
		return err_set(err, ENOMEM, "VIP %s: no memory for a table of %u slots", want->name, slots);
	for (__u32 i = 0; i < next->backend_count; i++) {
		const struct backend_config *w = &want->backend[i];

		next->backend[i] = s->vip ? plane_backend_find(s->vip, &w->at) : NULL;
		if (next->backend[i])
			next->usable[i] = s->vip->usable[next->backend[i]->index];
		else
			next->backend[i] = backend_make(w);
		if (!next->backend[i])
			return err_set(err, ENOMEM, "VIP %s: no memory for its backends", want->name);
		next->weights[i] = plane_weight(want->scheduler, w->weight);
		next->tiers[i] = (__u8)w->tier;
	}
	ret = plane_table_build(next);
	if (ret == -ERANGE)
		return err_set(err, EINVAL, "VIP %s: %zu backends of weight over 0, but %u slots", want->name,
			       weighted(want), slots);
	return ret ? err_set(err, -ret, "VIP %s: its table cannot be built: %s", want->name, strerror(-ret)) : 0;
}

static int step_make(struct plane *p, struct plane_plan *plan, struct plane_step *s, struct err *err)
{
	struct plane_change *c = &plan->change;
	bool drops = false, differ;
	__u32 slots;

	if (!s->want) {
		s->op = PLANE_DELETE;
		if (!s->vip)
			return -EINVAL; /* cannot be: a name is in one of the two */
		c->vips_deleted++;
		c->backends_deleted += s->vip->backend_count;
		plan->drops_keys = true;
		return 0;
	}
	slots = slots_wanted(p, s->vip, s->want);
	if (!s->vip) {
		s->op = PLANE_ADD;
		c->vips_added++;
		c->backends_added += s->want->backend_count;
		return next_make(s, slots, err);
	}
	differ = keys_differ(s->vip, s->want, &drops);
	differ |= forms_differ(p, s->vip, s->want);
	plan->drops_keys |= drops;
	if (backends_differ(s->vip, s->want, c) || slots != s->vip->region.count) {
		s->op = PLANE_CHANGE;
		c->vips_changed++;
		return next_make(s, slots, err);
	}
	s->op = differ ? PLANE_CHANGE : PLANE_KEEP;
	c->vips_changed += differ;
	c->vips_unchanged += !differ;
	return 0;
}

static int steps_make(struct plane *p, const struct config *want, struct plane_plan *plan, struct err *err)
{
	size_t i = 0, j = 0;
	int ret;

	plan->step = calloc(p->vip_count + want->vip_count + 1, sizeof(*plan->step));
	if (!plan->step)
		return err_set(err, ENOMEM, "no memory to compare configurations");
	while (i < p->vip_count || j < want->vip_count) {
		struct plane_vip *v = i < p->vip_count ? p->vip[i] : NULL;
		const struct vip_config *w = j < want->vip_count ? &want->vip[j] : NULL;
		int order = !v ? 1 : !w ? -1 : strcmp(v->name, w->name);
		struct plane_step *s = &plan->step[plan->count++];

		s->vip = order <= 0 ? v : NULL;
		s->want = order >= 0 ? w : NULL;
		i += order <= 0;
		j += order >= 0;
		ret = step_make(p, plan, s, err);
		if (ret)
			return ret;
	}
	return 0;
}

/* Regions in the order in which they will be given back and taken. */
static int regions_check(struct plane *p, const struct plane_plan *plan, struct err *err)
{
	struct arena trial;
	int ret = arena_copy(&trial, &p->arena);

	if (ret)
		return err_set(err, -ret, "no memory to compare configurations");
	for (size_t i = 0; i < p->retired_count; i++)
		arena_give(&trial, p->retired[i]);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->step[i].op != PLANE_DELETE)
			continue;
		arena_give(&trial, plan->step[i].vip->region);
		arena_give(&trial, plan->step[i].vip->previous);
	}
	for (size_t i = 0; i < plan->count && !ret; i++) {
		const struct plane_step *s = &plan->step[i];
		struct span taken;

		if (!s->next || (s->vip && s->next->region.count == s->vip->region.count))
			continue;
		ret = arena_take(&trial, s->next->region.count, &taken);
		if (ret)
			err_set(err, ENOSPC,
				"VIP %s: no room for %u slots (%u of %u are free): fewer slots, or start with --slots",
				s->want->name, s->next->region.count, arena_unused(&trial), trial.size);
	}
	arena_free(&trial);
	return ret;
}

/* Backends of changed VIPs keep their ids until all is done; those of deleted VIPs do not. */
static int ids_check(const struct plane *p, const struct config *want, const struct plane_plan *plan, struct err *err)
{
	size_t used = 0, keys = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].vip && plan->step[i].op != PLANE_DELETE)
			used += plan->step[i].vip->backend_count;
	for (size_t i = 0; i < want->vip_count; i++)
		keys += 2 * want->vip[i].key_count;
	if (want->vip_count > p->vips_max)
		return err_set(err, ENOSPC, "%zu VIPs, but room for %u: start with --vips", want->vip_count,
			       p->vips_max);
	if (used + plan->change.backends_added > p->backends_max)
		return err_set(err, ENOSPC, "%zu backends at once, but room for %u: start with --backends",
			       used + plan->change.backends_added, p->backends_max);
	if (keys > (size_t)p->vips_max * STARLING_KEYS_PER_VIP)
		return err_set(err, ENOSPC, "addresses and ports take up to %zu keys, but there is room for %zu", keys,
			       (size_t)p->vips_max * STARLING_KEYS_PER_VIP);
	return 0;
}

int plane_plan_make(struct plane *p, const struct config *want, struct plane_plan *ret, struct err *err)
{
	int code = steps_make(p, want, ret, err);

	if (!code)
		code = ids_check(p, want, ret, err);
	if (!code)
		code = regions_check(p, ret, err);
	if (code)
		return code;
	ret->dead = calloc(ret->change.backends_deleted + 1, sizeof(struct plane_backend *));
	return ret->dead ? 0 : err_set(err, ENOMEM, "no memory to compare configurations");
}

void plane_plan_free(struct plane_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		plane_vip_free(plan->step[i].next);
	free(plan->step);
	free(plan->dead);
	*plan = (struct plane_plan){0};
}

#define FLOCK_MS 1000 /* until a flock has its votes together */

/* When the last of backends that are well again is found up, after the first: by then it has begun its last probe. */
static __u64 return_ms(const struct check_config *check)
{
	return check ? (__u64)check->interval_ms * (check->rise + 1) + check->timeout_ms + FLOCK_MS : 0;
}

/* Of the sorry backend, which is not checked, though it may have been. */
static void found_nothing(struct plane_backend *b)
{
	b->found = (struct plane_found){.state = VERDICT_UP};
	b->agent = OVERRIDE_NONE;
	b->awaits = false;
	b->less = b->maxconn = 0;
	b->damp = (struct damp){0};
}

void plane_vip_describe(struct plane_vip *v, const struct vip_config *want)
{
	v->scheduler = want->scheduler;
	v->forward = want->forward;
	v->hash_source = want->hash_source;
	v->idle_ms = want->idle_ms;
	v->drain_timeout_ms = want->drain_timeout_ms;
	v->dirty |= v->slow_start_ms != want->slow_start_ms || v->slow_exponential != want->slow_start_exponential;
	v->slow_start_ms = want->slow_start_ms;
	v->slow_exponential = want->slow_start_exponential;
	plane_recover_describe(v, want);
	v->stale |= v->dead_reset && want->dead != DEAD_RESET;
	v->dead_reset = want->dead == DEAD_RESET;
	v->passive = want->passive; /* the next tick heeds it */
	v->dirty |= v->policy.panic_percent != want->panic_percent || v->policy.eject_percent != want->eject_percent;
	v->policy = (struct verdict_serve_policy){.panic_percent = want->panic_percent,
						  .eject_percent = want->eject_percent};
	v->hold_ms = return_ms(want->check);
	v->slots_wanted = vip_slots(want);
	for (__u32 i = 0; i < v->backend_count && i < want->backend_count; i++) {
		if (want->backend[i].tier == STARLING_TIER_SORRY)
			found_nothing(v->backend[i]);
		v->backend[i]->configured = want->backend[i].weight;
		v->dirty |= v->backend[i]->most != want->backend[i].maxconn;
		v->backend[i]->most = want->backend[i].maxconn;
		v->dirty |= v->backend[i]->tier != want->backend[i].tier;
		v->backend[i]->tier = (__u8)want->backend[i].tier;
		v->backend[i]->weight = plane_weight(want->scheduler, want->backend[i].weight);
	}
}
