/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page: the unit of signing, relaying, storing and repair. Not here: what the entries say
 * (fact.h), which pages are kept (page_store.h).
 *
 * A page has one origin and one kind, and many entries. It is numbered, and signed once, by its
 * origin. It travels and is kept as the bytes that were signed: nobody re-encodes it, so a node
 * passes on what it does not understand, and proves what it heard. One signature for up to 60
 * facts: signing each would cost a core where 32 nodes tell of 1,000 backends.
 *
 *	header 40 | entry: type, length, value | entry ... | signature 64
 *
 * The signature is over all that is before it. All of it is at most 1,100 bytes, so that a page,
 * its message and their seal fit the 1,200 bytes of a datagram.
 *
 * Versions are ordered by incarnation, then boot, then counter. A boot is 64 random bits, so its
 * own order means nothing: it only makes everybody choose the same one of two nodes that claim one
 * incarnation. The counter is one for all pages of a boot.
 */
#ifndef STARLING_CORE_PAGE_H
#define STARLING_CORE_PAGE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/signing.h"

#define PAGE_MAGIC 0x31475053u /* "SPG1": header layout and purpose of the signature */

/* Flags of a kind's number: what a node that does not know the kind has to do with its pages. */
#define PAGE_KIND_OF_BOOT 0x4000 /* void once a page of a later boot of its origin is known */
#define PAGE_KIND_PASSING 0x8000 /* news, not state: neither kept nor passed on */

struct page_header {
	__le32 magic;
	__le16 kind;
	__le16 index; /* pages of one kind: 0, 1, ... */
	__le64 origin;
	__le64 boot;
	__le64 counter;
	__le32 incarnation;
	__le16 len; /* of all entries, bytes */
	__le16 pad; /* zero */
};

struct page_entry_header {
	__le16 type;
	__le16 len; /* of the value, bytes */
};

#define PAGE_BYTES	   1100
#define PAGE_ENTRIES_BYTES (PAGE_BYTES - sizeof(struct page_header) - SIGNATURE_BYTES)
#define PAGE_VALUE_BYTES   (PAGE_ENTRIES_BYTES - sizeof(struct page_entry_header))

_Static_assert(sizeof(struct page_header) == 40, "on the wire");
_Static_assert(offsetof(struct page_header, origin) == 8 && offsetof(struct page_header, boot) == 16 &&
		       offsetof(struct page_header, counter) == 24 && offsetof(struct page_header, incarnation) == 32 &&
		       offsetof(struct page_header, len) == 36 && offsetof(struct page_header, pad) == 38,
	       "on the wire");
_Static_assert(sizeof(struct page_entry_header) == 4, "on the wire");

struct page_version {
	__u32 incarnation; /* 1.. */
	__u64 boot;	   /* not 0 */
	__u64 counter;	   /* 1.. */
};

/* A page decoded, or to be encoded. */
struct page {
	__u64 origin; /* roster_id(), not 0 */
	__u16 kind;
	__u16 index;
	struct page_version version;
	size_t len;	     /* of the entries */
	const __u8 *entries; /* borrowed */
};

/* Entries being written. */
struct page_draft {
	size_t len;
	__u8 entries[PAGE_ENTRIES_BYTES];
};

struct page_entry {
	__u16 type;
	__u16 len;
	const __u8 *value; /* borrowed; unaligned */
};

/* Less than, equal to or greater than 0, as @a is older than, the same as or newer than @b. */
int page_version_compare(const struct page_version *a, const struct page_version *b);

/* The same of their boots alone. */
int page_boot_compare(const struct page_version *a, const struct page_version *b);

/**
 * page_encode() - the bytes of a page, signed
 * @page:	its origin is the signer
 * @bytes:	written; whole pages end before PAGE_BYTES
 *
 * Return: number of bytes, -EMSGSIZE (more entries than fit), or what signing failed with.
 */
int page_encode(const struct page *page, const struct signing *signing, __u8 bytes[PAGE_BYTES]);

/**
 * page_decode() - look into bytes that somebody sent
 * @bytes:	of any kind; borrowed by @ret->entries
 * @ret:	untouched on failure
 *
 * The entries fill their room exactly, and every number that has to be there is. The signature is
 * not looked at: see page_verify().
 * Return: 0, or -EBADMSG.
 */
int page_decode(const void *bytes, size_t len, struct page *ret);

/* Whether bytes that page_decode() took were signed with a key. */
bool page_verify(const void *bytes, size_t len, const struct roster_key *key, const struct signing *signing);

/**
 * page_entry_add() - an entry more
 * @value:	copied
 * @len:	0 to PAGE_VALUE_BYTES
 *
 * Return: 0, or -ENOSPC: it belongs into the next page.
 */
int page_entry_add(struct page_draft *draft, __u16 type, const void *value, size_t len);

/**
 * page_entry_next() - walk over a page's entries
 * @at:		0 at first; moved on
 * @ret:	the entry; untouched at the end
 *
 * Return: whether there was one.
 */
bool page_entry_next(const struct page *page, size_t *at, struct page_entry *ret);

/**
 * page_record_next() - walk over its entries of one type and a fixed size
 * @at:		0 at first; moved on
 * @ret:	@len bytes; what a later version has behind them is passed over
 *
 * Return: 1; 0 at the end; -EBADMSG: it is shorter.
 */
int page_record_next(const struct page *page, size_t *at, __u16 type, void *ret, size_t len);

#endif
