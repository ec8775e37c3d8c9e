/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two homes of a slot: the first two distinct usable backends met on a walk through the
 * VIP's Maglev table. Not here: the table (maglev), what a change does to a slot (transition).
 */
#ifndef STARLING_CORE_HOMES_H
#define STARLING_CORE_HOMES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define HOMES_STEPS 64	   /* of the walk; after them weighted rendezvous over the usable ones */
#define HOMES_NONE  0xffff /* no such home */
#define HOMES_ALL   1000   /* entries of a backend count, of 1000 */

/* A VIP's backends as the walk sees them. Entries of the table index the arrays. */
struct homes {
	const __u16 *table;  /* @slots entries: index of a backend, or MAGLEV_EMPTY; borrowed */
	const __u64 *key;    /* @backends keys; borrowed */
	const __u32 *weight; /* @backends weights; borrowed */
	const bool *usable;  /* @backends; one of weight 0 must not be usable; borrowed */
	const __u16 *part;   /* @backends: how many of 1000 entries of each count; borrowed. NULL: all of everybody's */
	__u32 slots;
	__u32 backends;
	__u32 usable_count; /* entries of @usable that are true */
};

struct homes_pair {
	__u16 home0, home1; /* index of a backend, or HOMES_NONE */
};

/**
 * homes_find() - the homes of one slot
 * @h:		table and backends; borrowed
 * @slot:	below @h->slots
 *
 * The walk visits the slot itself, then slots chosen by a hash of the slot's number and the
 * step: the same for every table of that size, whatever is usable. So a backend that stops
 * being usable changes the homes of no slot that did not name it, and its return restores them.
 * Entries of a backend that do not count are passed over: its weight is as much less, and every entry that counts for
 * a part counts for a larger one, so that only slots of those move whose part changes.
 *
 * Return: the pair; home1 is HOMES_NONE with one usable backend, both with none.
 */
struct homes_pair homes_find(const struct homes *h, __u32 slot);

#endif
