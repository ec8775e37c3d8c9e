/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of page stores: for page_store*.c alone.
 */
#ifndef STARLING_CORE_PAGE_STORE_PRIVATE_H
#define STARLING_CORE_PAGE_STORE_PRIVATE_H

#include <sys/queue.h>

#include "core/page_store.h"

#define PAGE_SENT_MAX 64 /* more than any page_spread_limit() */
#define PAGE_PEERS    4	 /* that are remembered of a page: in a large flock it seldom meets the same one twice */

/* A page that is kept. */
struct kept {
	__u64 origin;
	__u16 kind;
	__u16 index;
	struct page_version version;
	__u64 hash;	   /* of all its bytes */
	__u32 bucket;	   /* of (origin, kind, index) */
	unsigned int sent; /* times it was spread */
	bool fresh;	   /* in the queue of those sent so often */
	unsigned int peers;
	__u64 peer[PAGE_PEERS]; /* that have it, or were sent it; the first ones */
	TAILQ_ENTRY(kept) queue;
	size_t len;
	__u8 bytes[];
};
TAILQ_HEAD(kept_queue, kept);

struct origin {
	__u64 id;
	struct roster_key key;
	struct page_version latest; /* its boot is; zero: no page was seen */
	struct kept **page;	    /* owned, and so are they; sorted by (kind, index) */
	size_t count;
	__u8 *proof[2]; /* owned; NULL: none */
	size_t proof_len[2];
};

struct page_store {
	const struct signing *signing;
	struct origin *origin; /* sorted by id */
	size_t origins;
	size_t share; /* pages of one origin */
	size_t pages, bytes, fresh;
	__u64 digest;
	__u64 bucket[PAGE_BUCKETS];
	__u64 outcome[PAGE_OUTCOMES];
	struct kept_queue queue[PAGE_SENT_MAX]; /* fresh pages by times sent; newest first */
};

/* NULL if it is not in the roster. */
struct origin *page_store_origin(const struct page_store *s, __u64 id);

bool page_kept_met(const struct kept *kept, __u64 peer); /* it is one of these */
void page_kept_meets(struct kept *kept, __u64 peer);
/* It is not spread any more; @queue: where it is. */
void page_kept_rest(struct page_store *s, struct kept_queue *queue, struct kept *kept);

__u32 page_bucket(__u64 origin, __u16 kind, __u16 index);

static inline bool page_mask_has(const struct page_mask *mask, __u32 bucket)
{
	return mask->bit[bucket / 8] >> bucket % 8 & 1;
}

#endif
