// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The two clocks. Not here: timers.
 */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

struct mono mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){.ns = (__u64)ts.tv_sec * NS_PER_S + (__u64)ts.tv_nsec};
}

__u64 mono_ms(struct mono from, struct mono to)
{
	return to.ns > from.ns ? (to.ns - from.ns) / NS_PER_MS : 0;
}

double mono_seconds(struct mono from, struct mono to)
{
	return to.ns > from.ns ? (double)(to.ns - from.ns) / (double)NS_PER_S : 0;
}

__u64 wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (__u64)ts.tv_sec * 1000 + (__u64)ts.tv_nsec / NS_PER_MS;
}
