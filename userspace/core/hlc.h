/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hybrid logical clock: Kulkarni, Demirbas, Madappa, Avva, Leone: "Logical Physical Clocks", OPODIS
 * 2014, figure 5. Dates are close to wall clocks and never contradict cause and effect; they order
 * events for people, and are the dates of deadlines. Pure: the wall clock comes in. Not here: whatever
 * must be right (membership, votes, versions, replay): those use counters and monotonic time.
 *
 * A date from more than HLC_SKEW_MS ahead of the own wall clock is not believed, or one node with a
 * wrong clock would move everybody's: its sender is shown as skewed, and the rest of what it says is
 * heard. The own clock may have been wrong, too: then its dates stay ahead until the wall clock comes
 * up to them, since a clock that goes back orders nothing.
 */
#ifndef STARLING_CORE_HLC_H
#define STARLING_CORE_HLC_H

#include <linux/types.h>
#include <stdbool.h>

#define HLC_SKEW_MS 500

/* A date is 48 bits of Unix milliseconds (until the year 10889) and 16 bits that count within one: numbers to compare.
 */
struct hlc {
	__u64 last; /* 0 at first */
};

static inline __u64 hlc_ms(__u64 date)
{
	return date >> 16;
}

/* The date of an event here, or of a message that is sent: later than all before. */
__u64 hlc_now(struct hlc *h, __u64 wall_ms);

/**
 * hlc_heard() - a message with a date came
 *
 * What happens here from now on is later.
 * Return: 0, or -ERANGE: not believed, nothing has changed.
 */
int hlc_heard(struct hlc *h, __u64 wall_ms, __u64 date);

/* How far the own dates are ahead of the wall clock; over HLC_SKEW_MS nobody believes them. */
__u64 hlc_ahead_ms(const struct hlc *h, __u64 wall_ms);

#endif
