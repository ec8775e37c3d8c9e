/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flap damping: who goes down again and again waits longer each time before it is let back in. The penalty of RFC 2439,
 * section 4: each fall adds to it, it decays by half in a time that the operator names, and above one bound whoever has
 * it is held until it is under another. Pure: falls and time come in, a moment comes out. Not here: what a fall is, and
 * what it means to be held (the daemon's plane_recover.c).
 *
 * Balancers that are told of the same falls hold for the same time. The third fall within half of a half-life holds for
 * some one and a half of them, and no number of falls for more than three. Whoever falls once a half-life never is
 * held.
 */
#ifndef STARLING_CORE_DAMP_H
#define STARLING_CORE_DAMP_H

#include "base/clock.h"

#define DAMP_FALL  1000 /* what one adds */
#define DAMP_HOLD  2500 /* over this it is held: two falls at once do not, three soon after each other do */
#define DAMP_REUSE 1000 /* until it is this */
#define DAMP_MOST  8000 /* and it never is more: three half-lives */

struct damp {
	__u32 penalty;	   /* as it was at @at */
	struct mono at;	   /* of the last fall */
	struct mono until; /* held so long; 0 ns: not held */
};

/* What is left of a penalty; between two halvings it falls evenly. @half_ms: over 0. */
__u32 damp_decayed(__u32 penalty, __u64 elapsed_ms, __u32 half_ms);

/* How long until it is DAMP_REUSE. */
__u64 damp_wait_ms(__u32 penalty, __u32 half_ms);

/* It has gone down. */
void damp_fall(struct damp *d, struct mono now, __u32 half_ms);

#endif
