/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pages that a node holds: the newest of each (origin, kind, index), of every origin in the
 * roster. Pure: bytes come in, bytes go out. Not here: what pages say (fact.h), sockets, whom to
 * gossip with (opinion).
 *
 * Two nodes that have heard the same pages hold the same pages, in whatever order they came. So
 * what is kept depends on the set alone:
 *  - the newest version wins; of two pages with one version, which only a liar or a cloned node
 *    makes, the one whose bytes compare greater, and both are kept aside as proof;
 *  - PAGE_KIND_OF_BOOT pages of an earlier boot than the origin's latest are dropped;
 *  - an origin that exceeds its share of memory keeps the pages with the smallest (kind, index).
 *
 * Pages travel in two ways.
 *
 * Spreading: a page that is new here rides on gossip that goes out anyhow, lambda * log10(n + 1)
 * times (SWIM section 4.1; memberlist's transmit-limited queue), those sent least often first. A time
 * that falls on a peer which has sent it, or was sent it, counts, but nothing is sent: of three nodes
 * most would otherwise be sent what they have. Where one round reaches all, only its origin spreads a page. What is
 * lost there repair brings.
 *
 * Repair: what loss, partitions and absence left behind. Probes and their answers carry a digest of
 * all that their sender holds, the exclusive or of its pages' hashes: 8 bytes, so that nobody has to
 * find out whom he differs from. Who hears one that is not his own begins, once in PAGE_REPAIR_MS at
 * most: the two compare 256 sums over a part of the pages each, then list the pages of the parts that
 * differ, 40 bytes a page, each way; and each sends what the other lacks. Under a budget, pages of the
 * origins most of whose pages are missing go first (van Renesse et al., "Efficient Reconciliation and
 * Flow Control for Anti-Entropy Protocols", LADIS 2008: scuttle-depth), so that nobody is left behind
 * because others talk much.
 */
#ifndef STARLING_CORE_PAGE_STORE_H
#define STARLING_CORE_PAGE_STORE_H

#include "core/page.h"

#define PAGE_BUCKETS 256

#define PAGE_REPAIR_MS 200 /* from one repair that a node begins to its next */

/* What became of a page: OUTCOME(ID, "label of a metric", "what it means"). */
#define STARLING_PAGE_OUTCOMES(OUTCOME)                                                                                \
	OUTCOME(NEW, "new", "kept, and passed on")                                                                     \
	OUTCOME(KNOWN, "known", "is here already")                                                                     \
	OUTCOME(OLDER, "older", "a newer version is here")                                                             \
	OUTCOME(VOID, "void", "of a boot that its origin has left behind")                                             \
	OUTCOME(PASSING, "passing", "news, to be read and forgotten")                                                  \
	OUTCOME(EQUIVOCATION, "equivocation", "another page has the same number: kept as proof")                       \
	OUTCOME(MALFORMED, "malformed", "no page")                                                                     \
	OUTCOME(STRANGER, "stranger", "its origin is not in the roster")                                               \
	OUTCOME(FORGED, "forged", "its signature is not its origin's")                                                 \
	OUTCOME(FULL, "full", "more pages than its origin's share of memory")                                          \
	OUTCOME(MEMORY, "memory", "no memory for it")

enum page_outcome {
#define PAGE_OUTCOME_ENUM(id, label, help) PAGE_##id,
	STARLING_PAGE_OUTCOMES(PAGE_OUTCOME_ENUM)
#undef PAGE_OUTCOME_ENUM
		PAGE_OUTCOMES
};

/* A line of a list of pages, on the wire. */
struct page_summary {
	__le64 origin;
	__le64 boot;
	__le64 counter;
	__le64 hash;
	__le32 incarnation;
	__le16 kind;
	__le16 index;
};
_Static_assert(sizeof(struct page_summary) == 40, "on the wire");

/* Some of the buckets. */
struct page_mask {
	__u8 bit[PAGE_BUCKETS / 8]; /* bucket i: bit i % 8 of byte i / 8 */
};

struct page_bytes {
	const __u8 *bytes; /* borrowed until the store changes */
	size_t len;
};

struct page_store_status {
	size_t pages, bytes;
	size_t origins;
	size_t share; /* pages that an origin may have */
	size_t fresh; /* pages still being spread */
	__u64 outcome[PAGE_OUTCOMES];
};

struct page_store;

/* @signing is borrowed. Return: NULL without memory. */
struct page_store *page_store_new(const struct signing *signing);
void page_store_free(struct page_store *s);

/**
 * page_store_roster() - whose pages are kept
 *
 * Pages of nodes that are no longer there go; so do pages over the share that a larger roster leaves.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int page_store_roster(struct page_store *s, const struct roster *roster);

/**
 * page_store_put() - take a page, a peer's or an own one
 * @bytes:	any bytes, from anybody; copied
 * @ret:	the page, borrowing @bytes; set if the outcome is PAGE_NEW, PAGE_PASSING or PAGE_EQUIVOCATION, which
 *		are signed; may be NULL
 *
 * Costs a verification only if the page could change something.
 */
enum page_outcome page_store_put(struct page_store *s, const void *bytes, size_t len, struct page *ret);
const char *page_outcome_label(enum page_outcome outcome);

/* A page that is here, and was new, need not be passed on: somebody else sends it to everybody. */
void page_store_rest(struct page_store *s, const struct page *page);

/* A peer has sent these bytes, which page_store_put() took or knew: they need not be sent to it. */
void page_store_met(struct page_store *s, const void *bytes, size_t len, __u64 peer);

/**
 * page_store_next() - walk over the pages of one origin, in order of (kind, index)
 * @at:		0 at first
 * @ret:	borrowed until the store changes
 *
 * Return: whether there was one.
 */
bool page_store_next(const struct page_store *s, __u64 origin, size_t *at, struct page *ret);

/* All of a page that page_decode() or the store has given: they are one behind the other. */
static inline struct page_bytes page_whole(const struct page *page)
{
	return (struct page_bytes){page->entries - sizeof(struct page_header),
				   sizeof(struct page_header) + page->len + SIGNATURE_BYTES};
}

/* The latest boot of an origin that any page shows. Return: 0, or -ENOENT. */
int page_store_latest(const struct page_store *s, __u64 origin, struct page_version *ret);

/* Two pages with one number, signed by @origin, that nobody else can have made. Return: whether there are. */
bool page_store_proof(const struct page_store *s, __u64 origin, struct page_bytes ret[2]);

void page_store_status(const struct page_store *s, struct page_store_status *ret);

/* --- spreading --- */

/* Times that each page is sent in a flock of @nodes: lambda * log10(n + 1), rounded up. */
unsigned int page_spread_limit(unsigned int lambda, size_t nodes);

/**
 * page_store_spread() - pages for one message to one peer
 * @to:		its id: it gets none of its own
 * @limit:	page_spread_limit()
 * @budget:	bytes
 * @ret:	at most @room
 *
 * They count as sent, and so do those that it has been sent, or has sent. Return: how many.
 */
size_t page_store_spread(struct page_store *s, __u64 to, unsigned int limit, size_t budget, struct page_bytes *ret,
			 size_t room);

/* --- repair --- */

__u64 page_store_digest(const struct page_store *s); /* 0: no pages */
void page_store_buckets(const struct page_store *s, __u64 ret[PAGE_BUCKETS]);

/* The buckets in which a store differs from one with these sums. Return: how many. */
size_t page_store_differ(const struct page_store *s, const __u64 theirs[PAGE_BUCKETS], struct page_mask *ret);

/**
 * page_store_list() - the pages in some buckets
 * @mask:	which; on return those that @ret has whole
 * @ret:	at most @room
 *
 * Return: how many.
 */
size_t page_store_pages(const struct page_store *s); /* how many are kept */
size_t page_store_list(const struct page_store *s, struct page_mask *mask, struct page_summary *ret, size_t room);

/**
 * page_store_delta() - what a peer lacks
 * @mask:	buckets that are listed whole
 * @theirs:	page_store_list() of the peer; any order, any content
 * @count:	of @theirs
 * @budget:	bytes
 * @ret:	most-behind origins first; at most @room
 * @ret_count:	how many
 *
 * Return: number of pages that the peer lacks, those that are not in @ret too; or -ENOMEM.
 */
int page_store_delta(const struct page_store *s, const struct page_mask *mask, const struct page_summary *theirs,
		     size_t count, size_t budget, struct page_bytes *ret, size_t room, size_t *ret_count);

#endif
