// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Penalties and their decay. Not here: who has them.
 */
#include "core/damp.h"

#define HALVINGS 16 /* of DAMP_MOST: nothing is left */

__u32 damp_decayed(__u32 penalty, __u64 elapsed_ms, __u32 half_ms)
{
	__u64 halvings = elapsed_ms / half_ms, rest = elapsed_ms % half_ms;

	if (halvings >= HALVINGS)
		return 0;
	penalty >>= halvings;
	return penalty - (__u32)(penalty * rest / (2 * (__u64)half_ms));
}

__u64 damp_wait_ms(__u32 penalty, __u32 half_ms)
{
	__u64 wait = 0;

	for (; penalty / 2 >= DAMP_REUSE; penalty /= 2)
		wait += half_ms;
	if (penalty <= DAMP_REUSE)
		return wait;
	return wait + (2 * (__u64)half_ms * (penalty - DAMP_REUSE) + penalty - 1) / penalty;
}

void damp_fall(struct damp *d, struct mono now, __u32 half_ms)
{
	d->penalty = damp_decayed(d->penalty, mono_ms(d->at, now), half_ms) + DAMP_FALL;
	if (d->penalty > DAMP_MOST)
		d->penalty = DAMP_MOST;
	d->at = now;
	if (d->penalty > DAMP_HOLD || d->until.ns > now.ns)
		d->until = mono_after(now, damp_wait_ms(d->penalty, half_ms));
}
