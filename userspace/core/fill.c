// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Parts of a weight, in steps. Not here: time, homes.
 */
#include "core/fill.h"

static const __u16 linear[FILL_STEPS + 1] = {1000, 910, 820, 730, 640, 550, 460, 370, 280, 190, 100};
static const __u16 exponential_part[FILL_STEPS + 1] = {1000, 794, 631, 501, 398, 316, 251, 200, 158, 126, 100};

__u16 fill_part(bool exponential, __u32 left)
{
	if (left > FILL_STEPS)
		left = FILL_STEPS;
	return exponential ? exponential_part[left] : linear[left];
}

__u32 fill_scale(__u32 most)
{
	return most * FILL_SCALE <= 0xffff ? FILL_SCALE : 1;
}

__u32 fill_weight(__u32 weight, __u32 scale, __u16 part)
{
	__u32 now = (__u32)((__u64)weight * scale * part / 1000);

	return weight && !now ? 1 : now;
}

__u32 fill_steps(__u64 elapsed_ms, __u32 whole_ms, __u64 *ret_ms)
{
	__u64 steps = elapsed_ms * FILL_STEPS / whole_ms;

	if (steps > FILL_STEPS)
		steps = FILL_STEPS;
	*ret_ms = steps * whole_ms / FILL_STEPS;
	return (__u32)steps;
}
