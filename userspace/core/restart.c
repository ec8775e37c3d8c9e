// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See restart.h.
 */
#include "core/restart.h"

#include "core/mix.h"

void restart_found(struct restart *r, struct mono now, bool down)
{
	if (r->down && !down)
		r->up = now;
	r->down = down;
	if (!r->runs_now && r->runs && r->up.ns && mono_ms(r->up, now) >= RESTART_RESET_MS)
		*r = (struct restart){.down = down};
	if (down)
		r->up.ns = 0;
}

bool restart_due(const struct restart *r, struct mono now)
{
	return r->down && !r->runs_now && now.ns >= r->next.ns;
}

void restart_begun(struct restart *r)
{
	r->runs_now = true;
	r->runs++;
}

void restart_ended(struct restart *r, struct mono now, __u64 random)
{
	__u64 wait_ms = RESTART_FIRST_MS;

	for (__u32 i = 1; i < r->runs && wait_ms < RESTART_MOST_MS; i++)
		wait_ms *= 2;
	if (wait_ms > RESTART_MOST_MS)
		wait_ms = RESTART_MOST_MS;
	r->runs_now = false;
	r->next = mono_after(now, wait_ms - random % (wait_ms / RESTART_JITTER));
}

bool restart_idle(const struct restart *r)
{
	return !r->down && !r->runs && !r->runs_now;
}

__u64 restart_runner(__u64 backend, const __u64 *node, size_t count)
{
	__u64 best = 0, ret = 0;

	for (size_t i = 0; i < count; i++) {
		__u64 draw = mix64(backend ^ mix64(node[i]));

		if (ret && (draw < best || (draw == best && node[i] < ret)))
			continue;
		best = draw;
		ret = node[i];
	}
	return ret;
}
