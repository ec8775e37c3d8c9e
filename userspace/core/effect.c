// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two tables side by side. Not here: making them (maglev, homes).
 */
#include "core/effect.h"

#include <errno.h>
#include <stdlib.h>

/* Home 0 of the slot of @before in which the middle of @slot of @slots lies. */
static __u16 home_before(const struct homes *before, __u32 slot, __u32 slots)
{
	__u64 middle = (2 * (__u64)slot + 1) * before->slots / (2 * (__u64)slots);

	return before->slots ? homes_find(before, (__u32)middle).home0 : HOMES_NONE;
}

int effect_find(const struct homes *before, const struct homes *after, const __u16 *was, bool *ret_emptied,
		struct effect *ret)
{
	struct effect e = {.slots = after->slots};
	__u32 *had = calloc((size_t)before->backends + after->backends + 1, sizeof(*had));
	__u32 *get, homeless = 0;

	if (!had)
		return -ENOMEM;
	get = had + before->backends;
	for (__u32 s = 0; s < after->slots; s++) {
		__u16 from = home_before(before, s, after->slots), to = homes_find(after, s).home0;

		if (to != HOMES_NONE)
			get[to]++;
		if (from == HOMES_NONE) {
			homeless++;
			continue;
		}
		had[from]++;
		e.moved += to == HOMES_NONE || was[to] != from;
	}
	e.least = after->slots - homeless;
	for (__u32 i = 0; i < after->backends; i++) {
		__u32 held = was[i] == HOMES_NONE ? 0 : had[was[i]];

		e.least -= held < get[i] ? held : get[i]; /* these can stay */
		ret_emptied[i] = !get[i] && (was[i] == HOMES_NONE || held);
		e.emptied += ret_emptied[i];
	}
	free(had);
	*ret = e;
	return 0;
}
