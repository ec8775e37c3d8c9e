// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Seats, quorums and weights. Not here: certificates (verdict_certificate.c).
 */
#include "core/verdict_rule.h"

#include <string.h>

#include "core/mix.h"

#define WEIGHT_MAX   (65535 * (ROSTER_REPUTATION_FULL / ROSTER_REPUTATION_STEP)) /* of a stake and a reputation */
#define WITNESS_DRAW 0x7769746e657373ULL /* "witness": another draw than that of seats */

static bool observes(const struct roster_node *node, const struct verdict_rule *rule)
{
	return node->roles & ROLE_OBSERVER && (!*rule->site || !strcmp(node->site, rule->site));
}

struct drawn {
	__u64 log; /* of the lot */
	__u32 weight;
	const struct roster_node *node;
};

/* Of equal weights the logarithm has no say. */
static struct drawn drawn_lot(const struct roster_node *node, __u64 lot, __u32 weight, bool weighed)
{
	__u32 x = (__u32)(mix64(lot ^ mix64(node->id)) >> 32) | 1;

	return (struct drawn){weighed ? mix_minus_log2(x) : ~x, weight, node};
}

static bool sooner(const struct drawn *a, const struct drawn *b)
{
	__u64 x = a->log * b->weight, y = b->log * a->weight;

	return x != y ? x < y : a->node->id > b->node->id;
}

/* Keep the first @room of the draw: the smallest -log(lot) / weight. */
static void drawn_put(struct drawn *drawn, size_t *count, size_t room, struct drawn one)
{
	size_t at = *count;

	while (at && sooner(&one, &drawn[at - 1]))
		at--;
	if (at == room)
		return;
	*count += *count < room;
	memmove(&drawn[at + 1], &drawn[at], (*count - at - 1) * sizeof(*drawn));
	drawn[at] = one;
}

static __u64 weight_sum(const __u32 *weight, size_t count, __u32 bound)
{
	__u64 sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += weight[i] < bound ? weight[i] : bound;
	return sum;
}

/* Whether the @liars heaviest of weights cut to a bound have under a third. */
static bool bound_holds(const __u32 *weight, size_t count, size_t liars, __u32 bound)
{
	__u32 left[VERDICT_SEATS];
	__u64 heaviest = 0;
	size_t i, k;

	memcpy(left, weight, count * sizeof(*left));
	for (i = 0; i < liars; i++) {
		size_t max = 0;

		for (k = 1; k < count; k++)
			if (left[k] > left[max])
				max = k;
		heaviest += left[max] < bound ? left[max] : bound;
		left[max] = 0;
	}
	return 3 * heaviest < weight_sum(weight, count, bound);
}

/*
 * The largest bound: sum - 3 heaviest rises with it while others are cut as well, then only falls, so there is one
 * crossing. A bound of 1 holds, as all weigh the same and there are 3f + 1.
 */
static __u32 weight_bound(const __u32 *weight, size_t count, size_t liars)
{
	__u32 low = 1, high = WEIGHT_MAX;

	while (low < high) {
		__u32 mid = (low + high + 1) / 2;

		if (bound_holds(weight, count, liars, mid))
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

static void seats_weigh(struct verdict_seats *s, const struct drawn *drawn)
{
	__u32 weight[VERDICT_SEATS], bound;
	size_t i;

	for (i = 0; i < s->count; i++)
		weight[i] = drawn[i].weight;
	bound = s->liars ? weight_bound(weight, s->count, s->liars) : WEIGHT_MAX;
	for (i = 0; i < s->count; i++) {
		s->seat[i].id = drawn[i].node->id;
		s->seat[i].key = drawn[i].node->key;
		s->seat[i].weight = weight[i] < bound ? weight[i] : bound;
	}
}

/* Whether @rule heeds weights, which are then others than 1. */
static bool weighs(const struct verdict_rule *rule)
{
	return rule->mode == VERDICT_MODE_STAKE || rule->mode == VERDICT_MODE_REPUTATION ||
	       rule->mode == VERDICT_MODE_HYBRID;
}

static __u32 weight_of(const struct roster_node *node, const struct verdict_rule *rule)
{
	__u32 stake = rule->mode != VERDICT_MODE_REPUTATION && node->stake ? node->stake : 1,
	      steps = rule->mode == VERDICT_MODE_STAKE ? 1 : roster_reputation(node) / ROSTER_REPUTATION_STEP;

	return weighs(rule) ? stake * steps : 1;
}

void verdict_seats_draw(const struct roster *roster, const struct verdict_rule *rule, __u64 target,
			struct verdict_seats *ret)
{
	struct drawn drawn[VERDICT_SEATS + 1];
	size_t i, count = 0, nodes = 0;

	*ret = (struct verdict_seats){0};
	for (i = 0; i < roster->count; i++) {
		const struct roster_node *node = &roster->node[i];

		if (!observes(node, rule))
			continue;
		nodes++;
		drawn_put(drawn, &count, VERDICT_SEATS, drawn_lot(node, target, weight_of(node, rule), weighs(rule)));
	}
	ret->liars = nodes < 4 ? 0 : nodes >= 7 && rule->liars == 2 ? 2 : 1;
	ret->count = nodes < 4 ? nodes : 3 * ret->liars + 1;
	ret->quorum = ret->count / 2 + 1;
	if (ret->liars && rule->mode != VERDICT_MODE_ANY && rule->mode != VERDICT_MODE_MAJORITY)
		ret->quorum = 2 * ret->liars + 1;
	seats_weigh(ret, drawn);
}

int verdict_seat_of(const struct verdict_seats *s, __u64 id)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->seat[i].id == id)
			return (int)i;
	return -1;
}

size_t verdict_witnesses_draw(const struct roster *roster, const struct verdict_rule *rule,
			      const struct verdict_seats *seats, __u64 hash, __u64 ret[VERDICT_WITNESSES])
{
	struct drawn drawn[VERDICT_WITNESSES + 1];
	size_t i, count = 0;

	for (i = 0; i < roster->count; i++) {
		const struct roster_node *node = &roster->node[i];

		if (observes(node, rule) && verdict_seat_of(seats, node->id) < 0)
			drawn_put(drawn, &count, VERDICT_WITNESSES, drawn_lot(node, hash ^ WITNESS_DRAW, 1, false));
	}
	for (i = 0; i < count; i++)
		ret[i] = drawn[i].node->id;
	return count;
}

struct tally {
	size_t heads;
	__u64 weight;
};

static struct tally tally(const struct verdict_seats *s, const enum verdict_state *state, enum verdict_state of)
{
	struct tally t = {0};

	for (size_t i = 0; i < s->count; i++) {
		if (state[i] != of)
			continue;
		t.heads++;
		t.weight += s->seat[i].weight;
	}
	return t;
}

static bool tally_makes(const struct verdict_seats *s, struct tally t)
{
	__u64 all = 0;

	for (size_t i = 0; i < s->count; i++)
		all += s->seat[i].weight;
	return t.heads >= s->quorum && (s->liars ? 3 * t.weight > 2 * all : 2 * t.weight > all);
}

enum verdict_state verdict_decide(const struct verdict_seats *s, enum verdict_mode mode,
				  const enum verdict_state state[VERDICT_SEATS])
{
	struct tally up = tally(s, state, VERDICT_UP), down = tally(s, state, VERDICT_DOWN);

	switch (mode) {
	case VERDICT_MODE_ANY:
		if (down.heads)
			return VERDICT_DOWN;
		return up.heads >= s->quorum ? VERDICT_UP : VERDICT_NONE;
	case VERDICT_MODE_MAJORITY:
		if (down.heads >= s->quorum)
			return VERDICT_DOWN;
		return up.heads >= s->quorum ? VERDICT_UP : VERDICT_NONE;
	case VERDICT_MODE_VOTE:
	case VERDICT_MODE_STAKE:
	case VERDICT_MODE_PROOF:
	case VERDICT_MODE_REPUTATION:
	case VERDICT_MODE_HYBRID:
		break;
	case VERDICT_MODE_COUNT:
		return VERDICT_NONE;
	}
	if (tally_makes(s, down))
		return VERDICT_DOWN;
	return tally_makes(s, up) ? VERDICT_UP : VERDICT_NONE;
}
