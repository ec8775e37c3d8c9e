/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weighted Maglev tables (Eisenbud et al., NSDI 2016, section 3.4): the table T of a VIP over
 * its configured backends. Not here: which of them are usable (homes).
 */
#ifndef STARLING_CORE_MAGLEV_H
#define STARLING_CORE_MAGLEV_H

#include <linux/types.h>
#include <stddef.h>

#include "base/addr.h"

#define MAGLEV_VERSION 1      /* of permutation, order and weights: part of every digest */
#define MAGLEV_EMPTY   0xffff /* an entry of a table without backends */

struct maglev_backend {
	__u64 key;    /* maglev_key() of its address and port: the only thing that places it */
	__u32 weight; /* 0: gets no slot */
	__u16 id;     /* what the table shall contain for it; anything but MAGLEV_EMPTY */
};

/* Key of a backend: SplitMix of address and port; the same on every node. */
__u64 maglev_key(const struct endpoint *at);

/**
 * maglev_build() - fill a table in proportion to weight
 * @backend:	@count of them in any order, keys distinct; borrowed
 * @count:	0 fills the table with MAGLEV_EMPTY
 * @table:	@slots entries, written with ids of backends
 * @slots:	number of entries, at least 1; meant to be a prime
 *
 * A pure function of the set of (key, weight): neither order nor ids change which backend
 * holds which slot. Every backend of weight over 0 holds at least one slot.
 *
 * Return: 0; -ERANGE if more backends of weight over 0 than slots; -EEXIST if two keys are
 * equal; -ENOMEM.
 */
int maglev_build(const struct maglev_backend *backend, size_t count, __u16 *table, __u32 slots);

#endif
