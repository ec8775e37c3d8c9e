/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Of a view of the maps (starling/where.h) where no backend has a limit. Not here: the rest of it, which each has.
 */
#ifndef TESTS_SIM_UNLIMITED_H
#define TESTS_SIM_UNLIMITED_H

#include <linux/types.h>

struct view;

static inline __u32 view_limit(const struct view *v, __u32 id)
{
	(void)v;
	(void)id;
	return 0;
}

static inline __u32 view_untended(const struct view *v, __u32 vip)
{
	(void)v;
	(void)vip;
	return 0;
}

#endif
