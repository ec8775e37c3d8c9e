/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing one's own pages: numbering them, and only those that say something new. Not here: what they
 * say (fact.h), which pages are kept (page_store.h).
 */
#ifndef STARLING_CORE_PAGE_AUTHOR_H
#define STARLING_CORE_PAGE_AUTHOR_H

#include "core/page_store.h"

struct page_author {
	const struct signing *signing; /* borrowed */
	struct page_store *store;      /* borrowed */
	__u64 id;		       /* of the own key */
	struct page_version last;      /* used; its counter begins at 0 with each boot */
};

/**
 * page_author_sign() - the bytes of a page with the next number
 * @draft:	its entries
 *
 * Return: number of bytes, or what page_encode() failed with.
 */
int page_author_sign(struct page_author *a, __u16 kind, __u16 index, const struct page_draft *draft,
		     __u8 bytes[PAGE_BYTES]);

/**
 * page_author_publish() - say something, unless it has been said under this incarnation
 *
 * Return: 1 if there is a new page in the store, 0 if nothing has changed, -ENOENT (this node is not in
 * the roster), -ENOSPC (over its share), -ESTALE (a later incarnation of this node is known, or the roster has
 * another key for it), -ENOMEM, or what signing failed with.
 */
int page_author_publish(struct page_author *a, __u16 kind, __u16 index, const struct page_draft *draft);

/**
 * page_author_trim() - of one kind there are only so many pages
 * @count:	pages from this index on become empty
 *
 * Return: 0, or as page_author_publish().
 */
int page_author_trim(struct page_author *a, __u16 kind, size_t count);

#endif
