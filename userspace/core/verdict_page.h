/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Votes in pages: which own vote stands in which page, and what a page of somebody else says. Pure. Not here: signing
 * pages and passing them on (page_author.h, page_store.h), when a vote is cast (verdict.h).
 *
 * A vote keeps its place as long as there is one on its target, so that a change writes one page anew. Proofs of
 * equivocation travel in pages of the same kind by whoever has them: they prove themselves. So do certificates that
 * others cannot know from votes.
 */
#ifndef STARLING_CORE_VERDICT_PAGE_H
#define STARLING_CORE_VERDICT_PAGE_H

#include "core/verdict.h"
#include "starling/limits.h"

#define VERDICT_PAGE_VOTES   (PAGE_ENTRIES_BYTES / (sizeof(struct page_entry_header) + VERDICT_VOTE_BYTES))
#define VERDICT_PAGES	     (STARLING_PAGES_PER_ORIGIN / 2) /* of one node: others of its pages have the rest */
#define VERDICT_PROOFS	     16				     /* that one node passes on */
#define VERDICT_CERTIFICATES 256 /* likewise; each fits a page, and two with a quorum of three do */

/* Entries of PAGE_KIND_VOTES. */
enum verdict_page_entry {
	VERDICT_ENTRY_VOTE = 1,
	VERDICT_ENTRY_PROOF = 2,
	VERDICT_ENTRY_CERTIFICATE = 3,
};

struct verdict_pages;

struct verdict_pages *verdict_pages_new(void); /* NULL without memory */
void verdict_pages_free(struct verdict_pages *p);

/**
 * verdict_pages_put() - an own vote, in place of the one before it on the same target
 * @bytes:	of a VERDICT_VOTE action; copied
 *
 * Of a witness's votes on one target eight are kept.
 * Return: 0, -EBADMSG, -ENOSPC (VERDICT_PAGES are full), -ENOMEM.
 */
int verdict_pages_put(struct verdict_pages *p, const void *bytes, size_t len);

/* A proof, of VERDICT_PROOF. Those beyond VERDICT_PROOFS are not passed on. Return: 0, -EBADMSG, -ENOSPC. */
int verdict_pages_proof(struct verdict_pages *p, const void *bytes, size_t len);

/**
 * verdict_pages_certificate() - verdict_shown() of a target, in place of the one before
 * @len:	0: none is shown any more
 *
 * Return: 0, -EMSGSIZE, -ENOSPC (there are VERDICT_CERTIFICATES), -ENOMEM; on failure none is shown.
 */
int verdict_pages_certificate(struct verdict_pages *p, __u64 target, const void *bytes, size_t len);

/* A target is not checked any more. */
void verdict_pages_drop(struct verdict_pages *p, __u64 target);

/* All is to be said anew: by another life of this node, or to others. */
void verdict_pages_again(struct verdict_pages *p);

/* No vote and no certificate is left: this node votes as another one, or by another roster. Proofs stay. */
void verdict_pages_clear(struct verdict_pages *p);

/**
 * verdict_pages_next() - a page that says something else than when it was last asked for
 * @ret:	its entries; may be none
 *
 * Return: whether there was one.
 */
bool verdict_pages_next(struct verdict_pages *p, __u16 *ret_index, struct page_draft *ret);

/**
 * verdict_page_hear() - what a page of PAGE_KIND_VOTES says, verified as a page
 *
 * Return: how many of its entries were new.
 */
size_t verdict_page_hear(struct verdict *v, struct mono now, const struct page *page);

#endif
