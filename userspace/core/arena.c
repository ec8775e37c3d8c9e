/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Free spans of the slot arena, and ids. Not here: grace periods, sweeps.
 */
#include "arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int arena_init(struct arena *a, __u32 size)
{
	*a = (struct arena){.room = 16, .size = size};
	a->free = calloc(a->room, sizeof(*a->free));
	if (!a->free)
		return -ENOMEM;
	if (size)
		a->free[a->spans++] = (struct span){0, size};
	return 0;
}

void arena_free(struct arena *a)
{
	free(a->free);
	*a = (struct arena){0};
}

int arena_copy(struct arena *to, const struct arena *from)
{
	*to = *from;
	to->free = malloc(from->room * sizeof(*to->free));
	if (!to->free)
		return -ENOMEM;
	memcpy(to->free, from->free, from->spans * sizeof(*to->free));
	return 0;
}

__u32 arena_unused(const struct arena *a)
{
	__u32 sum = 0;

	for (size_t i = 0; i < a->spans; i++)
		sum += a->free[i].count;
	return sum;
}

/* Replace @drop spans at @at by the @put spans of @with. */
static int spans_splice(struct arena *a, size_t at, size_t drop, const struct span *with, size_t put)
{
	size_t spans = a->spans - drop + put;

	if (spans > a->room) {
		struct span *more = realloc(a->free, 2 * spans * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->free = more;
		a->room = 2 * spans;
	}
	memmove(a->free + at + put, a->free + at + drop, (a->spans - at - drop) * sizeof(*a->free));
	for (size_t i = 0; i < put; i++)
		a->free[at + i] = with[i];
	a->spans = spans;
	return 0;
}

/* Cut @s out of free span @at, which contains it. */
static int span_cut(struct arena *a, size_t at, struct span s)
{
	struct span whole = a->free[at], rest[2];
	size_t put = 0;

	if (s.base > whole.base)
		rest[put++] = (struct span){whole.base, s.base - whole.base};
	if (s.base + s.count < whole.base + whole.count)
		rest[put++] = (struct span){s.base + s.count, whole.base + whole.count - s.base - s.count};
	return spans_splice(a, at, 1, rest, put);
}

int arena_take(struct arena *a, __u32 count, struct span *ret)
{
	size_t best = a->spans;
	struct span s;
	int err;

	for (size_t i = 0; i < a->spans; i++)
		if (a->free[i].count >= count && (best == a->spans || a->free[i].count < a->free[best].count))
			best = i;
	if (best == a->spans)
		return -ENOSPC;
	s = (struct span){a->free[best].base, count};
	err = span_cut(a, best, s);
	if (err)
		return err;
	*ret = s;
	return 0;
}

int arena_claim(struct arena *a, struct span s)
{
	if (!s.count)
		return 0;
	for (size_t i = 0; i < a->spans; i++)
		if (s.base >= a->free[i].base && (__u64)s.base + s.count <= (__u64)a->free[i].base + a->free[i].count)
			return span_cut(a, i, s);
	return -EEXIST;
}

int arena_give(struct arena *a, struct span s)
{
	size_t at = 0, drop = 0, from;

	if (!s.count)
		return 0;
	while (at < a->spans && a->free[at].base < s.base)
		at++;
	from = at;
	if (at > 0 && a->free[at - 1].base + a->free[at - 1].count == s.base) {
		from--;
		drop++;
		s = (struct span){a->free[from].base, a->free[from].count + s.count};
	}
	if (at < a->spans && s.base + s.count == a->free[at].base) {
		drop++;
		s.count += a->free[at].count;
	}
	return spans_splice(a, from, drop, &s, 1);
}

int ids_init(struct ids *ids, __u32 size)
{
	*ids = (struct ids){.size = size, .unused = size};
	ids->state = calloc(size ? size : 1, 1);
	return ids->state ? 0 : -ENOMEM;
}

void ids_free(struct ids *ids)
{
	free(ids->state);
	*ids = (struct ids){0};
}

int ids_take(struct ids *ids, __u32 *ret)
{
	if (!ids->unused)
		return -ENOSPC;
	while (ids->state[ids->next] != ID_FREE)
		ids->next = (ids->next + 1) % ids->size;
	ids->state[ids->next] = ID_USED;
	ids->unused--;
	*ret = ids->next;
	ids->next = (ids->next + 1) % ids->size;
	return 0;
}

int ids_claim(struct ids *ids, __u32 id)
{
	if (id >= ids->size || ids->state[id] != ID_FREE)
		return -EEXIST;
	ids->state[id] = ID_USED;
	ids->unused--;
	return 0;
}

void ids_retire(struct ids *ids, __u32 id)
{
	if (ids->state[id] == ID_USED)
		ids->state[id] = ID_RETIRED;
}

void ids_release(struct ids *ids, __u32 id)
{
	if (ids->state[id] == ID_FREE)
		return;
	ids->state[id] = ID_FREE;
	ids->unused++;
}

__u32 ids_retired(const struct ids *ids, __u32 from)
{
	while (from < ids->size && ids->state[from] != ID_RETIRED)
		from++;
	return from;
}
