/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Others' loads: how many connections each backend has open through the rest of the site, so that
 * least-connections counts over the flock. Pure. Not here: own counts, which are fresher than any
 * message and are added by the data plane.
 *
 * A count that was not told again for LOAD_OLD_MS, six rounds of telling all, is not counted any more;
 * nor is one of a node that is held dead, or of its earlier boot. So who vanishes with all his
 * connections weighs on no backend for long, and a lost message is made good by the next round.
 * Only backends of the own configuration have room here: nobody can fill it with others.
 */
#ifndef STARLING_CORE_LOAD_IN_H
#define STARLING_CORE_LOAD_IN_H

#include "base/clock.h"
#include "core/fact.h"

#define LOAD_OLD_MS (6 * FACT_LOADS_ALL_MS)

struct load_in;

struct load_in *load_in_new(void); /* NULL without memory */
void load_in_free(struct load_in *l);

/**
 * load_in_keys() - the backends that are there
 * @key:	fact_backend_key() each, sorted, none twice; borrowed
 *
 * What was heard of those that stay is kept. Return: 0, or -ENOMEM with nothing changed.
 */
int load_in_keys(struct load_in *l, const __u64 *key, size_t count);

/**
 * load_in_page() - a page of PAGE_KIND_LOADS, verified
 *
 * Return: 0, -EBADMSG, -ESTALE (of an earlier boot than one that was heard), -ENOMEM.
 */
int load_in_page(struct load_in *l, const struct page *page, struct mono now);

/* A node is held dead, or has left: it counts again with its next page. */
void load_in_silence(struct load_in *l, __u64 origin);

/* A node is in the roster no more: nothing is kept of it, not even which of its pages are old. */
void load_in_forget(struct load_in *l, __u64 origin);

/* Drop what is too old: about once a second. */
void load_in_age(struct load_in *l, struct mono now);

/* Connections that others have open at the backend of a key's place in load_in_keys(). */
__u64 load_in_open(const struct load_in *l, size_t at);

/* What a node said of itself. Return: 0, or -ENOENT. */
int load_in_node(const struct load_in *l, __u64 origin, struct fact_node_load *ret, struct mono *ret_at);

#endif
