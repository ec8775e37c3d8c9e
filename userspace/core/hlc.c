// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hybrid logical clock. Not here: wall clocks.
 */
#include "core/hlc.h"

#include <errno.h>

/* A count that is full carries into the milliseconds: 65,536 events in one are no reason to stop. */
__u64 hlc_now(struct hlc *h, __u64 wall_ms)
{
	__u64 wall = wall_ms << 16;

	h->last = wall > h->last ? wall : h->last + 1;
	return h->last;
}

int hlc_heard(struct hlc *h, __u64 wall_ms, __u64 date)
{
	if (hlc_ms(date) > wall_ms + HLC_SKEW_MS)
		return -ERANGE;
	if (date > h->last)
		h->last = date;
	hlc_now(h, wall_ms);
	return 0;
}

__u64 hlc_ahead_ms(const struct hlc *h, __u64 wall_ms)
{
	return hlc_ms(h->last) > wall_ms ? hlc_ms(h->last) - wall_ms : 0;
}
