/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who owns what in the maps: regions of the slot arena, and ids of VIPs and backends.
 * Not here: when something retired may be reused (the plane knows grace periods and sweeps).
 */
#ifndef STARLING_CORE_ARENA_H
#define STARLING_CORE_ARENA_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct span {
	__u32 base, count; /* slots; count 0: none */
};

/* Free spans of the slot arena, sorted by base, never touching one another. */
struct arena {
	struct span *free; /* owned */
	size_t spans, room;
	__u32 size; /* slots of the whole arena */
};

int arena_init(struct arena *a, __u32 size); /* all free; -ENOMEM */
void arena_free(struct arena *a);
int arena_copy(struct arena *to, const struct arena *from); /* @to uninitialised; -ENOMEM */
__u32 arena_unused(const struct arena *a);		    /* free slots, over all spans */

/**
 * arena_take() - a region of @count slots, from the smallest span that has room
 *
 * Return: 0; -ENOSPC if no span is large enough; -ENOMEM.
 */
int arena_take(struct arena *a, __u32 count, struct span *ret);

/**
 * arena_claim() - this very region: what an adopted VIP record names
 *
 * Return: 0; -EEXIST if part of it is not free or lies outside; -ENOMEM.
 */
int arena_claim(struct arena *a, struct span s);

/* The region is free again. A region with count 0 is ignored. -ENOMEM leaves it lost until restart. */
int arena_give(struct arena *a, struct span s);

enum id_state {
	ID_FREE,
	ID_USED,
	ID_RETIRED, /* nothing gives it to packets, but a cell or a reader may still name it */
};

/* Ids 0 .. size-1, handed out in turn, so that one is reused as late as possible. */
struct ids {
	__u8 *state; /* owned; enum id_state of each */
	__u32 size, next, unused;
};

int ids_init(struct ids *ids, __u32 size); /* -ENOMEM */
void ids_free(struct ids *ids);
int ids_take(struct ids *ids, __u32 *ret);	      /* -ENOSPC */
int ids_claim(struct ids *ids, __u32 id);	      /* that very id: -EEXIST if it is not free */
void ids_retire(struct ids *ids, __u32 id);	      /* used -> retired */
void ids_release(struct ids *ids, __u32 id);	      /* retired or used -> free */
__u32 ids_retired(const struct ids *ids, __u32 from); /* next retired id from @from on, or ids->size */

#endif
