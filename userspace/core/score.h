/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scores of the schedulers that count: keeps `given` of a VIP's backends comparable.
 * Not here: the comparison itself (where.h) and `open`, which the cells keep.
 */
#ifndef STARLING_CORE_SCORE_H
#define STARLING_CORE_SCORE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define SCORE_BEHIND 64		/* connections that a backend may be owed: more would be a herd when it can take them */
#define SCORE_HIGH   (1u << 31) /* given is brought down from here, long before 32 bits wrap */

struct score {
	__u32 given;  /* as read */
	__u32 weight; /* of the word; 0: no part in scheduling */
	bool usable;
};

/**
 * score_catch_up() - what to add to each backend's given so that none is owed too much
 * @s:		@count backends of one VIP; borrowed
 * @count:	any
 * @ret_add:	@count signed differences, 0 for most; to be applied by atomic adds
 *
 * A usable backend's given is at least weight * (sum of given / sum of weights) - SCORE_BEHIND
 * afterwards. If any given is over SCORE_HIGH, all come down by the same multiple of their weight.
 *
 * Return: number of differences that are not 0.
 */
size_t score_catch_up(const struct score *s, size_t count, __s64 *ret_add);

/**
 * score_start() - given for all backends of a VIP after weights or usability changed
 *
 * Everybody starts level, so that shares are exact from the change on and nobody who was away
 * is flooded: the value is the same for all, and 0.
 */
static inline __u32 score_start(void)
{
	return 0;
}

#endif
