// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a configuration would do to traffic, before it is applied: a row for each VIP that it touches, and whether one
 * of them would be left without anybody. Not here: slots (core/effect.h), what differs (plane_plan.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/effect.h"
#include "core/table.h"
#include "daemon/plane_plan.h"

/* But for its tier, would it take new connections? Of one that is new nothing is known against it. */
static bool backend_able(const struct plane *p, const struct plane_vip *v, const struct backend_config *want)
{
	const struct plane_backend *b = v ? plane_backend_find(v, &want->at) : NULL;

	return want->weight &&
	       (!b || (plane_override_state(plane_override_of(p, b)) == OVERRIDE_NONE && plane_backend_able(b)));
}

/* Which ones would: of the lowest tier that has one. @ret: of each whether it would. Return: how many. */
static __u32 serving_find(const struct plane *p, const struct plane_vip *v, const struct vip_config *want, bool *ret,
			  __u32 *ret_tier)
{
	__u32 count = 0, tier = STARLING_TIER_SORRY + 1;

	for (size_t i = 0; i < want->backend_count; i++)
		if (want->backend[i].tier < tier && backend_able(p, v, &want->backend[i]))
			tier = want->backend[i].tier;
	for (size_t i = 0; i < want->backend_count; i++) {
		bool would = want->backend[i].tier == tier && backend_able(p, v, &want->backend[i]);

		count += would;
		if (ret)
			ret[i] = would;
	}
	*ret_tier = tier;
	return count;
}

/* The sorry backend is none of them. */
static __u32 serving(const struct plane *p, const struct plane_vip *v, const struct vip_config *want)
{
	__u32 tier, count = serving_find(p, v, want, NULL, &tier);

	return tier == STARLING_TIER_SORRY ? 0 : count;
}

/* Whether it has somebody, or is meant to, and would not. */
static bool unserves(const struct plane *p, const struct plane_vip *v, const struct vip_config *want)
{
	bool had_usable = false, had_weight = false, weight = false;

	for (__u32 i = 0; i < v->backend_count; i++) {
		had_usable |= v->usable[i] && v->tiers[i] != STARLING_TIER_SORRY;
		had_weight |= v->backend[i]->configured > 0 && v->tiers[i] != STARLING_TIER_SORRY;
	}
	for (size_t i = 0; i < want->backend_count; i++)
		weight |= want->backend[i].weight > 0 && want->backend[i].tier != STARLING_TIER_SORRY;
	return (had_usable && !serving(p, v, want)) || (had_weight && !weight);
}

static __u64 flows_open(const struct plane *p, const struct plane_backend *b)
{
	return __atomic_load_n(&p->loads[b->id].open, __ATOMIC_RELAXED);
}

/* Open flows of the VIP's backends: all, or those that are not in @want. */
static __u64 flows_of(const struct plane *p, const struct plane_vip *v, const struct vip_config *want)
{
	__u64 flows = 0;

	for (__u32 i = 0; i < v->backend_count; i++)
		if (!want || !vip_backend(want, &v->backend[i]->at))
			flows += flows_open(p, v->backend[i]);
	return flows;
}

/* --- rows --- */

static bool backends_go(const struct plane_vip *v, const struct vip_config *want)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (!vip_backend(want, &v->backend[i]->at))
			return true;
	return false;
}

static bool keys_go(const struct plane_vip *v, const struct vip_config *want)
{
	for (size_t i = 0; i < v->key_count; i++)
		if (!plane_has_key(want->key, want->key_count, &v->key[i]))
			return true;
	return false;
}

/* Open flows that end; mh has no count of them. */
static void flows_set(const struct plane *p, const struct plane_step *s, struct table *t, size_t row)
{
	const struct plane_vip *v = s->vip;

	if (!v || v->scheduler == SCHEDULER_MH)
		return;
	if (!s->want) {
		table_set_u64(t, row, FIELD_CHANGE_flows_vip, flows_of(p, v, NULL));
		return;
	}
	if (keys_go(v, s->want))
		table_set_u64(t, row, FIELD_CHANGE_flows_address, flows_of(p, v, NULL));
	if (backends_go(v, s->want))
		table_set_u64(t, row, FIELD_CHANGE_flows_backend, flows_of(p, v, s->want));
}

static struct homes vip_homes(const struct plane_vip *v)
{
	struct homes h = {.table = plane_table(v),
			  .key = v->keys,
			  .weight = v->weights,
			  .usable = v->usable,
			  .slots = v->region.count,
			  .backends = v->backend_count};

	for (__u32 i = 0; i < v->backend_count; i++)
		h.usable_count += v->usable[i];
	return h;
}

static void emptied_set(const struct plane_vip *next, const bool *emptied, struct table *t, size_t row)
{
	char text[ENDPOINT_TEXT_BYTES];

	for (__u32 i = 0; i < next->backend_count; i++)
		if (emptied[i])
			table_add_list(t, row, FIELD_CHANGE_emptied_backends,
				       endpoint_format(&next->backend[i]->at, text));
}

/* Of a VIP whose backends or table change. */
static int slots_set(const struct plane *p, const struct plane_step *s, struct table *t, size_t row)
{
	const struct vip_config *want = s->want; /* it has one, as it has @next */
	struct plane_vip *next = s->next;
	__u16 *was = calloc(next->backend_count + 1, sizeof(*was));
	bool *emptied = calloc(next->backend_count + 1, sizeof(*emptied));
	struct homes before = {0}, after;
	struct effect e;
	__u32 tier;
	int rc = was && emptied ? 0 : -ENOMEM;

	for (__u32 i = 0; !rc && i < next->backend_count; i++) {
		const struct plane_backend *b = next->backend[i];

		was[i] = b->vip ? (__u16)b->index : HOMES_NONE;
	}
	serving_find(p, s->vip, want, next->usable, &tier);
	if (s->vip)
		before = vip_homes(s->vip);
	after = vip_homes(next);
	if (!rc)
		rc = effect_find(&before, &after, was, emptied, &e);
	if (!rc && s->vip) {
		table_set_u64(t, row, FIELD_CHANGE_moved, e.moved);
		table_set_u64(t, row, FIELD_CHANGE_slots, e.slots);
		table_set_u64(t, row, FIELD_CHANGE_least, e.least);
	}
	if (!rc && e.emptied) {
		table_set_u64(t, row, FIELD_CHANGE_emptied, e.emptied);
		emptied_set(next, emptied, t, row);
	}
	free(was);
	free(emptied);
	return rc;
}

static int effect_row(const struct plane *p, const struct plane_step *s, struct table *t)
{
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_CHANGE_change, "=");
	table_set_text(t, row, FIELD_CHANGE_object, "effect");
	table_set_text(t, row, FIELD_CHANGE_name, s->vip ? s->vip->name : s->want->name);
	flows_set(p, s, t, row);
	if (!s->want)
		return 0;
	table_set_u64(t, row, FIELD_CHANGE_usable, serving(p, s->vip, s->want));
	if (s->vip && unserves(p, s->vip, s->want))
		table_set_text(t, row, FIELD_CHANGE_needs, "--force");
	return s->next ? slots_set(p, s, t, row) : 0;
}

int plane_show_effects(struct plane *p, const struct config *wanted, struct table *t, struct err *err)
{
	struct plane_plan plan = {0};
	int rc = plane_plan_make(p, wanted, &plan, err);

	for (size_t i = 0; !rc && i < plan.count; i++) {
		if (plan.step[i].op == PLANE_KEEP)
			continue;
		rc = effect_row(p, &plan.step[i], t);
		plane_breathe(p);
	}
	plane_plan_free(&plan);
	return rc ? rc : table_error(t);
}

/* --- is it meant? --- */

int plane_unserved_check(struct plane *p, const struct config *wanted, struct err *err)
{
	char names[96] = "";
	size_t count = 0, len = 0;
	__u64 flows = 0;

	p->coming = wanted; /* and what is put aside with it */
	for (size_t i = 0; i < wanted->vip_count; i++) {
		const struct vip_config *want = &wanted->vip[i];
		const struct plane_vip *v = plane_vip_find(p, want->name);

		if (!v || !unserves(p, v, want))
			continue;
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", count ? ", " : "",
						want->name);
		flows += flows_of(p, v, want);
		count++;
	}
	p->coming = NULL;
	if (!count)
		return 0;
	return err_set(err, EPERM,
		       "it would leave no backend that takes connections to %zu VIP%s (%s%s), and end %llu open flows: "
		       "with --force it is done",
		       count, count == 1 ? "" : "s", names, len < sizeof(names) ? "" : "...",
		       (unsigned long long)flows);
}
