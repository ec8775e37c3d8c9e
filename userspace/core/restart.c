// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See restart.h.
 */
#include "core/restart.h"

#include "core/mix.h"

void restart_found(struct restart *r, struct mono now, bool down, bool up)
{
	if (up && !r->up.ns)
		r->up = now;
	r->down = down;
	if (!r->runs_now && r->runs && r->up.ns && mono_ms(r->up, now) >= RESTART_RESET_MS)
		*r = (struct restart){.down = down};
	if (!up)
		r->up.ns = 0;
	if (!down)
		r->first = 0;
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

bool restart_first(const struct restart *r, const struct restart *other)
{
	return r->runs == other->runs ? r->next.ns < other->next.ns : r->runs < other->runs;
}

void restart_ended(struct restart *r, struct mono now, bool others, __u64 random)
{
	__u64 wait_ms = others ? RESTART_MOST_MS : RESTART_FIRST_MS;

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

/* By rendezvous. */
static bool comes_before(__u64 backend, __u64 node, __u64 other)
{
	__u64 a = mix64(backend ^ mix64(node)), b = mix64(backend ^ mix64(other));

	return a == b ? node > other : a > b;
}

__u64 restart_runner(__u64 backend, const __u64 *node, size_t count)
{
	__u64 ret = 0;

	for (size_t i = 0; i < count; i++)
		if (!ret || comes_before(backend, node[i], ret))
			ret = node[i];
	return ret;
}

bool restart_turn(struct restart *r, struct mono now, __u64 first, __u64 self, __u64 backend, const __u64 *node,
		  size_t count)
{
	size_t rank = 0;
	bool one = false;

	if (r->first != first)
		r->since = now;
	r->first = first;
	for (size_t i = 0; i < count; i++) {
		one |= node[i] == self;
		rank += node[i] != self && (node[i] == first || comes_before(backend, node[i], self));
	}
	return one && (first == self || mono_ms(r->since, now) >= rank * RESTART_TURN_MS);
}
