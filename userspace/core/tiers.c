// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See tiers.h.
 */
#include "core/tiers.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert(STARLING_TIER_SORRY < 32, "a bit each");

static __u32 tiers_set(const __u8 *tier, __u32 count)
{
	__u32 set = 0;

	for (__u32 i = 0; i < count; i++)
		set |= 1u << tier[i];
	return set;
}

__u32 tiers_tables(const __u8 *tier, __u32 count)
{
	__u32 tiers = (__u32)__builtin_popcount(tiers_set(tier, count));

	return tiers > 1 ? 1 + tiers : 1;
}

__u32 tiers_of_table(const __u8 *tier, __u32 count, __u32 table)
{
	__u32 set = tiers_set(tier, count);

	if (!table)
		return TIER_ALL;
	while (--table)
		set &= set - 1;
	return (__u32)__builtin_ctz(set);
}

__u32 tiers_table(const __u8 *tier, const bool *usable, __u32 count)
{
	__u32 all = tiers_set(tier, count), serving = 0;

	for (__u32 i = 0; i < count; i++)
		serving |= usable[i] ? 1u << tier[i] : 0;
	if (__builtin_popcount(serving) != 1 || all == serving)
		return 0;
	return 1 + (__u32)__builtin_popcount(all & (serving - 1));
}

int tiers_build(const struct maglev_backend *backend, const __u8 *tier, __u32 count, __u16 *table, __u32 slots)
{
	__u32 tables = tiers_tables(tier, count);
	struct maglev_backend *of_tier = calloc((size_t)count + 1, sizeof(*of_tier));
	int rc = of_tier ? 0 : -ENOMEM;

	for (__u32 t = 0; t < tables && !rc; t++) {
		__u32 only = tiers_of_table(tier, count, t), kept = 0;

		for (__u32 i = 0; i < count; i++)
			if (only == TIER_ALL || tier[i] == only)
				of_tier[kept++] = backend[i];
		rc = maglev_build(of_tier, kept, table + (size_t)t * slots, slots);
	}
	free(of_tier);
	return rc;
}
