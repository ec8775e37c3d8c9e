/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slow start: which part of its weight a backend has that takes new connections again. It fills in FILL_STEPS steps of
 * equal length, so that homes change a few times, however long that takes. Not here: who fills, and since when (the
 * daemon's plane_fill.c); what a part does to homes (homes.h).
 *
 *	steps left		10   9   8   7   6   5   4   3   2   1	   0
 *	linear		       100 190 280 370 460 550 640 730 820 910	1000
 *	exponential	       100 126 158 200 251 316 398 501 631 794	1000
 */
#ifndef STARLING_CORE_FILL_H
#define STARLING_CORE_FILL_H

#include <linux/types.h>
#include <stdbool.h>

#define FILL_STEPS 10
#define FILL_SCALE 10 /* by which weights of words are multiplied, so that a tenth of the least is 1 */

/* Part of its weight, of 1000, with @left steps to go: 0 .. FILL_STEPS. */
__u16 fill_part(bool exponential, __u32 left);

/**
 * fill_scale() - what weights of one VIP are multiplied by while one of its backends fills
 * @most:	the largest of them
 *
 * Scores compare weights only with each other (starling/where.h).
 * Return: FILL_SCALE, or 1 where that would not fit 16 bits.
 */
__u32 fill_scale(__u32 most);

/* The weight that scores see: @weight times @scale, a part of it; at least 1, but of 0 it is 0. */
__u32 fill_weight(__u32 weight, __u32 scale, __u16 part);

/**
 * fill_steps() - steps that are done
 * @elapsed_ms:	since the last one
 * @whole_ms:	that all FILL_STEPS take, over 0
 * @ret_ms:	what these steps took, to be left out next time
 *
 * Return: as many as @elapsed_ms has room for, FILL_STEPS at most.
 */
__u32 fill_steps(__u64 elapsed_ms, __u32 whole_ms, __u64 *ret_ms);

#endif
