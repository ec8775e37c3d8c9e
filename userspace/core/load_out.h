/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Own loads, to be told to the members of the site: what of them goes out now. Pure. Not here: counting
 * (the plane), signing (page_author.h), others' loads (load_in.h).
 *
 * An entry is due when it has changed by more than 5 %, or by 8 connections, since it was last told,
 * and in any case after ten seconds. What is due goes out under a budget of bytes a second over all
 * receivers: the largest changes first, then what was told longest ago. With many members and many
 * backends not all of it may go out in ten seconds; load_out_late_ms() says how late the latest is.
 */
#ifndef STARLING_CORE_LOAD_OUT_H
#define STARLING_CORE_LOAD_OUT_H

#include "base/clock.h"
#include "core/fact.h"

#define LOAD_CHANGE_PERCENT	5
#define LOAD_CHANGE_CONNECTIONS 8
#define LOAD_BYTES_PER_SECOND	(64 << 10) /* all receivers together */
#define LOAD_MESSAGE_BYTES	120	   /* a page's header and signature, and the seal of its message */

struct load_told {
	__u64 key;
	__u32 open;	/* now */
	__u32 told;	/* last */
	struct mono at; /* when; 0: never */
};

struct load_out {
	struct load_told *entry; /* owned; sorted by key */
	size_t count;
	__u64 credit_bytes; /* that might be sent at @filled, to all receivers together */
	struct mono filled; /* 0: never */
};

void load_out_free(struct load_out *o); /* empties it */

/**
 * load_out_set() - the loads of now
 * @load:	sorted by key, no key twice; borrowed
 *
 * Backends that are no longer there are forgotten.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int load_out_set(struct load_out *o, const struct fact_load *load, size_t count);

/**
 * load_out_take() - the entries of some pages
 * @now:	the same or later than before
 * @receivers:	how many they are sent to; 0: nobody needs them
 * @draft:	written: the first ones of @room
 *
 * The rest is not due, or over the budget, or has no room. What it gives counts as told.
 * Return: number of pages, or -ENOMEM.
 */
int load_out_take(struct load_out *o, struct mono now, size_t receivers, struct page_draft *draft, size_t room);

/* Open connections of all, now. */
__u64 load_out_open(const struct load_out *o);

/* Milliseconds that the latest entry is overdue; 0: none is. */
__u64 load_out_late_ms(const struct load_out *o, struct mono now);

#endif
