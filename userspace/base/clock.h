/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two clocks that cannot be mixed: monotonic time, a struct, for intervals; wall time, in Unix
 * milliseconds, for people and files. Not here: text (rfc3339), timers (io/loop), ticks of the data plane.
 */
#ifndef STARLING_BASE_CLOCK_H
#define STARLING_BASE_CLOCK_H

#include <linux/types.h>

struct mono {
	__u64 ns; /* since some moment in the past */
};

struct mono mono_now(void);
__u64 mono_ms(struct mono from, struct mono to); /* 0 if @to is before @from */
double mono_seconds(struct mono from, struct mono to);

static inline struct mono mono_after(struct mono from, __u64 ms)
{
	return (struct mono){from.ns + ms * 1000000};
}

__u64 wall_ms(void); /* Unix time */

#endif
