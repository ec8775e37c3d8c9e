// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_serve.h.
 */
#include "core/verdict_serve.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static const char *const why_help[] = {
#define WHY_HELP(id, word, help) [VERDICT_WHY_##id] = (help),
	STARLING_VERDICT_WHYS(WHY_HELP)
#undef WHY_HELP
};

const char *verdict_why_help(enum verdict_why why)
{
	return why_help[why];
}

static bool is_weak(enum verdict_why why)
{
	return why == VERDICT_WHY_LOCAL || why == VERDICT_WHY_PASSIVE;
}

static struct verdict_serve_out serve_one(const struct verdict_serve_in *in)
{
	switch (in->hand) {
	case VERDICT_HAND_NONE:
		break;
	case VERDICT_HAND_DRAIN:
		return (struct verdict_serve_out){VERDICT_DRAIN, VERDICT_WHY_HAND};
	case VERDICT_HAND_OUT:
	case VERDICT_HAND_DISABLE:
		return (struct verdict_serve_out){VERDICT_OUT, VERDICT_WHY_HAND};
	}
	if (in->state == VERDICT_DOWN)
		return (struct verdict_serve_out){VERDICT_OUT, in->source == VERDICT_BY_LOCAL ? VERDICT_WHY_LOCAL
											      : VERDICT_WHY_CERTIFIED};
	if (in->passive)
		return (struct verdict_serve_out){VERDICT_DRAIN, VERDICT_WHY_PASSIVE};
	if (in->own_down)
		return (struct verdict_serve_out){VERDICT_AVOID, VERDICT_WHY_AVOID};
	return (struct verdict_serve_out){VERDICT_SERVE,
					  in->state == VERDICT_UP ? VERDICT_WHY_UP : VERDICT_WHY_UNKNOWN};
}

/* --- bounds --- */

static size_t why_count(const struct verdict_serve_out *out, size_t count, bool (*is)(enum verdict_why))
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += is(out[i].why);
	return sum;
}

static void keep(struct verdict_serve_out *out, size_t count, bool (*is)(enum verdict_why), enum verdict_why why)
{
	for (size_t i = 0; i < count; i++)
		if (is(out[i].why))
			out[i] = (struct verdict_serve_out){VERDICT_SERVE, why};
}

static int since_order(const void *a, const void *b, void *arg)
{
	const struct verdict_serve_in *in = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (in[x].since.ns != in[y].since.ns)
		return in[x].since.ns < in[y].since.ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Of one whose clients' connections fail, own probes may say something as well. */
static struct verdict_serve_out kept_one(const struct verdict_serve_in *in, enum verdict_why why)
{
	if (why == VERDICT_WHY_PASSIVE && in->own_down)
		return (struct verdict_serve_out){VERDICT_AVOID, VERDICT_WHY_AVOID};
	return (struct verdict_serve_out){VERDICT_SERVE, VERDICT_WHY_LIMIT};
}

/* Of local and passive ejections the first ones stay, one at least. */
static int limit(const struct verdict_serve_policy *policy, const struct verdict_serve_in *in, size_t count,
		 struct verdict_serve_out *out)
{
	size_t weak = why_count(out, count, is_weak), most = count * policy->eject_percent / 100, i, *order;

	if (policy->eject_percent && !most)
		most = 1;
	if (weak <= most)
		return 0;
	order = calloc(weak, sizeof(*order));
	if (!order)
		return -ENOMEM;
	weak = 0;
	for (i = 0; i < count; i++)
		if (is_weak(out[i].why))
			order[weak++] = i;
	qsort_r(order, weak, sizeof(*order), since_order, (void *)(uintptr_t)in);
	for (i = most; i < weak; i++)
		out[order[i]] = kept_one(&in[order[i]], out[order[i]].why);
	free(order);
	return 0;
}

static bool is_avoided(enum verdict_why why)
{
	return why == VERDICT_WHY_AVOID;
}

static size_t serving(const struct verdict_serve_in *in, const struct verdict_serve_out *out, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += in[i].weight && (out[i].service == VERDICT_SERVE || out[i].service == VERDICT_AVOID);
	return sum;
}

static size_t at_hand(const struct verdict_serve_in *in, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += in[i].weight && in[i].hand == VERDICT_HAND_NONE;
	return sum;
}

/* The others are those that can take what they do not get: not if they are full. */
static bool too_many_avoided(const struct verdict_serve_in *in, const struct verdict_serve_out *out, size_t count)
{
	size_t avoided = why_count(out, count, is_avoided), others = 0;

	for (size_t i = 0; i < count; i++)
		others += in[i].weight && out[i].service == VERDICT_SERVE && !in[i].full;
	return avoided > count / VERDICT_AVOID_PART || (avoided && !others);
}

/* Whether it is by the operator's will, or their agents' wish to drain, that nothing is left. */
static bool meant(const struct verdict_serve_in *in, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (in[i].weight && (in[i].hand == VERDICT_HAND_NONE || in[i].hand == VERDICT_HAND_OUT))
			return false;
	return true;
}

/* Return: of the panic that there is; what it changes is changed. */
static enum verdict_panic panic(const struct verdict_serve_policy *policy, const struct verdict_serve_in *in,
				size_t count, struct verdict_serve_out *out, bool *ret_held)
{
	bool few = 100 * serving(in, out, count) < policy->panic_percent * at_hand(in, count);
	enum verdict_panic is = VERDICT_PANIC_NONE;

	if ((few || policy->panics) && why_count(out, count, is_weak)) {
		keep(out, count, is_weak, VERDICT_WHY_PANIC);
		is = VERDICT_PANIC_KEPT;
		*ret_held = !few;
	}
	if (serving(in, out, count))
		return is;
	if (policy->sorry)
		return VERDICT_PANIC_SORRY;
	if (meant(in, count))
		return VERDICT_PANIC_NONE;
	for (size_t i = 0; i < count; i++)
		if (in[i].hand != VERDICT_HAND_DISABLE)
			out[i] = (struct verdict_serve_out){VERDICT_SERVE, VERDICT_WHY_PANIC};
	return VERDICT_PANIC_ALL;
}

/* Whether it takes new connections, and only as a bound keeps it. */
static bool is_kept(const struct verdict_serve_out *out)
{
	return out->why == VERDICT_WHY_LIMIT || out->why == VERDICT_WHY_PANIC;
}

static __u32 lowest_of(const struct verdict_serve_in *in, const struct verdict_serve_out *out, size_t count, bool kept,
		       bool full)
{
	__u32 lowest = 0;

	for (size_t i = 0; i < count; i++)
		if (in[i].weight && out[i].service == VERDICT_SERVE && is_kept(&out[i]) == kept &&
		    (full || !in[i].full) && (!lowest || in[i].tier < lowest))
			lowest = in[i].tier;
	return lowest;
}

/* Return: the lowest tier that takes new connections, else of full ones, else of kept ones; 0: none. */
static __u32 lowest_tier(const struct verdict_serve_in *in, const struct verdict_serve_out *out, size_t count)
{
	__u32 lowest = lowest_of(in, out, count, false, false);

	if (!lowest)
		lowest = lowest_of(in, out, count, false, true);
	return lowest ? lowest : lowest_of(in, out, count, true, true);
}

/* Whether there are any that serve in a tier, and all of them are full. */
static bool tier_full(const struct verdict_serve_in *in, const struct verdict_serve_out *out, size_t count, __u32 tier)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!in[i].weight || out[i].service != VERDICT_SERVE || in[i].tier != tier)
			continue;
		if (!in[i].full)
			return false;
		any = true;
	}
	return any;
}

/* Those of tiers below @tier that are full keep what they have, and another serves. Return: whether there are any. */
static bool full_stand_by(const struct verdict_serve_in *in, struct verdict_serve_out *out, size_t count, __u32 tier)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!in[i].weight || !in[i].full || in[i].tier >= tier || out[i].service != VERDICT_SERVE ||
		    is_kept(&out[i]))
			continue;
		out[i] = (struct verdict_serve_out){VERDICT_STANDBY, VERDICT_WHY_FULL};
		any = true;
	}
	return any;
}

/* Those of a lower tier that are kept say by their reason still why they are not out. */
static void stand_by(const struct verdict_serve_in *in, struct verdict_serve_out *out, size_t count, __u32 tier)
{
	for (size_t i = 0; tier && i < count; i++) {
		if (out[i].service != VERDICT_SERVE)
			continue;
		if (in[i].tier > tier)
			out[i] = (struct verdict_serve_out){VERDICT_STANDBY, VERDICT_WHY_STANDBY};
		else if (in[i].tier < tier && is_kept(&out[i]))
			out[i].service = VERDICT_STANDBY;
	}
}

int verdict_serve(const struct verdict_serve_policy *policy, const struct verdict_serve_in *in, size_t count,
		  struct verdict_serve_out *ret, struct verdict_serve_vip *ret_vip)
{
	struct verdict_serve_vip vip = {0};
	__u32 tier = 0;
	bool sorry;
	int rc;

	for (size_t i = 0; i < count; i++)
		ret[i] = serve_one(&in[i]);
	rc = limit(policy, in, count, ret);
	if (rc)
		return rc;
	vip.suspects_itself = too_many_avoided(in, ret, count);
	if (vip.suspects_itself)
		keep(ret, count, is_avoided, VERDICT_WHY_SUSPECT);
	vip.panic = panic(policy, in, count, ret, &vip.held);
	if (vip.panic != VERDICT_PANIC_ALL)
		tier = lowest_tier(in, ret, count);
	sorry = policy->sorry && tier_full(in, ret, count, tier);
	vip.full = full_stand_by(in, ret, count, sorry ? UINT32_MAX : tier);
	stand_by(in, ret, count, tier);
	if (sorry)
		vip.panic = VERDICT_PANIC_SORRY;
	else
		vip.tier = tier;
	for (size_t i = 0; i < count; i++)
		vip.limited += ret[i].service == VERDICT_SERVE && ret[i].why == VERDICT_WHY_LIMIT;
	vip.serving = serving(in, ret, count);
	*ret_vip = vip;
	return 0;
}
