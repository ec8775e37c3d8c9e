/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk that finds a slot's homes. Not here: the table it walks (maglev).
 */
#include "homes.h"

#include "maglev.h"
#include "mix.h"

/* Where step @step of the walk from @slot stands. */
static __u32 walk(__u32 slots, __u32 slot, __u32 step)
{
	return step ? mix_below(mix64((__u64)slot << 32 | step), slots) : slot;
}

/*
 * Weighted rendezvous (Schindelhauer, Schomaker: SPAA 2005, the logarithmic method): the usable
 * backend, other than @not, of the smallest -log(hash) / weight.
 */
static __u16 rendezvous(const struct homes *h, __u32 slot, __u32 not )
{
	__u64 best_log = 0, best_weight = 0;
	__u32 best = HOMES_NONE;

	for (__u32 i = 0; i < h->backends; i++) {
		__u64 log;

		if (!h->usable[i] || i == not )
			continue;
		log = mix_minus_log2((__u32)(mix64(h->key[i] ^ mix64(slot)) >> 32) | 1);
		if (best != HOMES_NONE && log * best_weight >= best_log * h->weight[i])
			continue;
		best = i;
		best_log = log;
		best_weight = h->weight[i];
	}
	return (__u16)best;
}

static bool entry_counts(const struct homes *h, __u32 entry, __u16 id)
{
	return !h->part || h->part[id] >= HOMES_ALL ||
	       mix_below(mix64(h->key[id] ^ mix64((__u64)entry + 1)), HOMES_ALL) < h->part[id];
}

struct homes_pair homes_find(const struct homes *h, __u32 slot)
{
	struct homes_pair pair = {HOMES_NONE, HOMES_NONE};

	if (!h->usable_count)
		return pair;
	for (__u32 step = 0; step < HOMES_STEPS; step++) {
		__u32 entry = walk(h->slots, slot, step);
		__u16 id = h->table[entry];

		if (id >= h->backends || !h->usable[id] || id == pair.home0 || !entry_counts(h, entry, id))
			continue;
		if (pair.home0 != HOMES_NONE) {
			pair.home1 = id;
			return pair;
		}
		pair.home0 = id;
		if (h->usable_count == 1)
			return pair;
	}
	if (pair.home0 == HOMES_NONE)
		pair.home0 = rendezvous(h, slot, HOMES_NONE);
	if (h->usable_count > 1)
		pair.home1 = rendezvous(h, slot, pair.home0);
	return pair;
}
