/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Priority tiers of a VIP's backends: the lowest tier that has somebody usable serves, the others stand by. Which table
 * that takes. Not here: who is usable (verdict_serve.h), tables (maglev.h), homes (homes.h).
 *
 * Where there are several tiers each has a table T of its own, beside the one over all backends, which is for the panic
 * in which backends of all tiers serve. By one table for all, the walk would still find homes in proportion to weight,
 * but by chance: of 1,021 slots and three backends beside three backups, one had 348 instead of 341. And whoever added
 * these backups would move 342 slots of those that serve; now none (tests/unit/tiers_test.c).
 */
#ifndef STARLING_CORE_TIERS_H
#define STARLING_CORE_TIERS_H

#include <linux/types.h>
#include <stdbool.h>

#include "core/maglev.h"
#include "starling/limits.h"

#define TIER_DEFAULT 1
#define TIER_ALL     0 /* not one of them */

/* How many tables there are: 1, or with several tiers 1 + their number. @tier: @count of them, 1..STARLING_TIER_SORRY.
 */
__u32 tiers_tables(const __u8 *tier, __u32 count);

/* The tier of a table; TIER_ALL for table 0. @table: below tiers_tables(). */
__u32 tiers_of_table(const __u8 *tier, __u32 count, __u32 table);

/* The table in which homes are found: 0 where the usable ones are of several tiers, or there are none. */
__u32 tiers_table(const __u8 *tier, const bool *usable, __u32 count);

/**
 * tiers_build() - fill all tables
 * @backend:	@count of them, ids are indexes of @tier
 * @tier:	@count of them
 * @table:	tiers_tables() tables of @slots entries, one after the other
 *
 * Return: as maglev_build().
 */
int tiers_build(const struct maglev_backend *backend, const __u8 *tier, __u32 count, __u16 *table, __u32 slots);

#endif
