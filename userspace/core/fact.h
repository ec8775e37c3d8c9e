/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What nodes tell each other in pages: kinds of pages, and their entries as structures. Not here:
 * pages (page.h), when what is sent (page_author.h, load_out.h).
 *
 * Entries are little-endian with a type and a length. A type that is not known is passed over, and a
 * value that is longer than known is read as far as it is known, so that a later version may add
 * either. A known one that is shorter, or out of bounds, makes the page one that says nothing. A kind
 * that is not known is kept and passed on like any other: that is the store's affair.
 */
#ifndef STARLING_CORE_FACT_H
#define STARLING_CORE_FACT_H

#include "base/addr.h"
#include "core/page.h"
#include "core/page_store.h"

/* KIND(ID, number and flags, "what its pages say"). Numbers are never used again. */
#define STARLING_PAGE_KINDS(KIND)                                                                                      \
	KIND(NODE, 0x0001 | PAGE_KIND_OF_BOOT, "where a node is, what it runs, whether it takes part")                 \
	KIND(ADMISSION, 0x0003, "whom it vouches for, whom the flock has forgotten")                                   \
	KIND(DIGESTS, 0x0002 | PAGE_KIND_OF_BOOT, "digests of its tables and homes")                                   \
	KIND(REGISTER, 0x0004 | PAGE_KIND_OF_BOOT, "its store, and the register's value as it knows it")               \
	KIND(VOTES, 0x0005 | PAGE_KIND_OF_BOOT, "its votes on backends: verdict_page.h")                               \
	KIND(ASIDES, 0x0006 | PAGE_KIND_OF_BOOT, "backends that it has put aside by itself")                           \
	KIND(READMITS, 0x0008, "backends that its operators have let in again")                                        \
	KIND(AGENTS, 0x0009 | PAGE_KIND_OF_BOOT, "what backends' agents say to it: agent_rule.h")                      \
	KIND(AUDIT, 0x000a, "the end of its audit log, kept over its restarts: audit_tail.h")                          \
	KIND(LOADS, 0x0001 | PAGE_KIND_PASSING, "open connections by backend, and its own load")

enum page_kind {
#define PAGE_KIND_ENUM(id, number, help) PAGE_KIND_##id = (number),
	STARLING_PAGE_KINDS(PAGE_KIND_ENUM)
#undef PAGE_KIND_ENUM
};

/* Entries of PAGE_KIND_NODE. Texts are printable ASCII, up to STARLING_NAME_BYTES - 1. */
enum fact_node_entry {
	FACT_NODE_SITE = 1,
	FACT_NODE_REGION = 2,
	FACT_NODE_VERSION = 3,
	FACT_NODE_FLAGS = 4, /* __le32 */
	FACT_NODE_RING = 5,  /* struct fact_ring_wire */
	FACT_NODE_NAME = 6,  /* as it calls itself */
	FACT_NODE_LEVEL = 7, /* struct fact_level_wire */
};

/* Of PAGE_KIND_ADMISSION. */
enum fact_admission_entry {
	FACT_ADMISSION_VOUCH = 1,  /* struct fact_vouch_wire, a byte with the length of the name, name, site */
	FACT_ADMISSION_FORGET = 2, /* struct fact_forget_wire, name */
	FACT_ADMISSION_LISTED = 3, /* as VOUCH: by its configuration */
};

/* Of PAGE_KIND_READMITS. */
enum fact_readmit_entry {
	FACT_READMIT_BACKEND = 1, /* struct fact_readmit_wire */
};

/* Of PAGE_KIND_DIGESTS, in this order: the whole, then VIPs by name, through all its pages. */
enum fact_digest_entry {
	FACT_DIGEST_ALL = 1, /* struct fact_digest_wire */
	FACT_DIGEST_VIP = 2, /* the same, then its name: no NUL */
};

/* Of PAGE_KIND_ASIDES. */
enum fact_aside_entry {
	FACT_ASIDE = 1, /* a line of aside.h */
};

/* Of PAGE_KIND_LOADS. */
enum fact_load_entry {
	FACT_LOAD_BACKEND = 1, /* struct fact_load_wire */
	FACT_LOAD_NODE = 2,    /* struct fact_node_load_wire */
};

struct fact_digest_wire {
	__le64 config;
	__le64 effective;
};
struct fact_load_wire {
	__le64 key;
	__le32 open;
};
struct fact_readmit_wire {
	__le64 key;
	__le64 date_ms;
};
struct fact_node_load_wire {
	__le64 open;
	__le64 packets_per_second;
	__le64 bytes_per_second;
	__le32 cpu_permille;
};
struct fact_vouch_wire {
	__u8 key[ROSTER_KEY_BYTES];
	__le32 roles;
	__le32 stake;
};
struct fact_forget_wire {
	__le64 id;
	__le64 date_ms;
};
struct fact_ring_wire {
	__le64 number;
	__le64 author;
	__le64 seed;
};
struct fact_level_wire {
	__le32 level;
	__le32 table;
};
#define FACT_LOAD_BYTES	     12
#define FACT_NODE_LOAD_BYTES 28 /* the structures are padded behind these */
_Static_assert(sizeof(struct fact_digest_wire) == 16 && sizeof(struct fact_ring_wire) == 24 &&
		       sizeof(struct fact_vouch_wire) == 40 && sizeof(struct fact_forget_wire) == 16 &&
		       sizeof(struct fact_level_wire) == 8 && sizeof(struct fact_readmit_wire) == 16,
	       "on the wire");
_Static_assert(offsetof(struct fact_load_wire, open) + 4 == FACT_LOAD_BYTES, "on the wire");
_Static_assert(offsetof(struct fact_node_load_wire, cpu_permille) + 4 == FACT_NODE_LOAD_BYTES, "on the wire");

#define FACT_LOADS_PER_PAGE (PAGE_ENTRIES_BYTES / (sizeof(struct page_entry_header) + FACT_LOAD_BYTES))

#define FACT_READMITS_PER_PAGE                                                                                         \
	(PAGE_ENTRIES_BYTES / (sizeof(struct page_entry_header) + sizeof(struct fact_readmit_wire)))

#define FACT_LOADS_ALL_MS 10000 /* every load is told again, changed or not */

#define FACT_NODE_DRAINING 0x01 /* it takes no new connections, if it can help it */
#define FACT_NODE_WITNESS  0x02 /* it has no data plane */
#define FACT_NODE_HOOKS	   0x04 /* files that begin backends again may run there */

/* A node that counts no longer. */
struct fact_forgotten {
	__u64 id;
	__u64 date_ms; /* Unix time; for people */
	char name[STARLING_NAME_BYTES];
};

struct fact_node {
	char name[STARLING_NAME_BYTES]; /* "" if not said; so with the next three */
	char site[STARLING_NAME_BYTES];
	char region[STARLING_NAME_BYTES];
	char version[STARLING_NAME_BYTES];
	__u32 flags;	    /* FACT_NODE_*; others are of later versions */
	__u32 level, table; /* of configurations, the highest that it understands (intent.h); 1 if not said */
	struct fact_ring {
		bool told;
		__u64 number, author; /* of the flock's keys that it has */
		__u64 seed;	      /* fingerprint of the flow hash's */
	} ring;
};

struct fact_digest {
	__u64 config;		       /* of tables: what the operator wants */
	__u64 effective;	       /* of homes with their usable flags: what packets meet */
	char vip[STARLING_NAME_BYTES]; /* "": of all VIPs */
};

struct fact_load {
	__u64 key; /* fact_backend_key() */
	__u32 open;
};

/* An operator has let a backend in that was held. */
struct fact_readmit {
	__u64 key;     /* fact_backend_key() */
	__u64 date_ms; /* Unix time; later than its outage began */
};

struct fact_node_load {
	__u64 open; /* connections */
	__u64 packets_per_second;
	__u64 bytes_per_second;
	__u32 cpu_permille; /* of one CPU */
};

/* What nodes whose numbers for it differ call a backend: a hash of the VIP's name and its endpoint. */
__u64 fact_backend_key(const char *vip, const struct endpoint *backend);

/* Append entries. Return: 0, or -ENOSPC with nothing appended. */
int fact_node_encode(const struct fact_node *node, struct page_draft *draft);
int fact_digest_encode(const struct fact_digest *digest, struct page_draft *draft);
int fact_vouch_encode(const struct roster_node *node, enum fact_admission_entry how, struct page_draft *draft);
int fact_forget_encode(const struct fact_forgotten *f, struct page_draft *draft);
int fact_readmit_encode(const struct fact_readmit *readmit, struct page_draft *draft);
int fact_load_encode(const struct fact_load *load, struct page_draft *draft);
int fact_node_load_encode(const struct fact_node_load *load, struct page_draft *draft);

/**
 * fact_node_decode() - a page of PAGE_KIND_NODE
 * @ret:	untouched on failure
 *
 * Return: 0, or -EBADMSG.
 */
int fact_node_decode(const struct page *page, struct fact_node *ret);

/**
 * fact_digest_next() - the next digest of a page of PAGE_KIND_DIGESTS
 * @at:		0 at first; moved on
 * @ret:	untouched unless one was found
 *
 * Return: 1, 0 at the end, or -EBADMSG.
 */
int fact_digest_next(const struct page *page, size_t *at, struct fact_digest *ret);

/**
 * fact_admission_next() - the next entry of a page of PAGE_KIND_ADMISSION
 * @ret_vouch:	set if it is a vouch or listed; its id is, too
 * @ret_forget:	set if somebody is forgotten
 *
 * Return: an enum fact_admission_entry, 0 at the end, or -EBADMSG.
 */
int fact_admission_next(const struct page *page, size_t *at, struct roster_node *ret_vouch,
			struct fact_forgotten *ret_forget);

/* The same of a page of PAGE_KIND_READMITS. */
int fact_readmit_next(const struct page *page, size_t *at, struct fact_readmit *ret);

/* The same of the loads of a page of PAGE_KIND_LOADS. */
int fact_load_next(const struct page *page, size_t *at, struct fact_load *ret);

/* What such a page says of the node itself. Return: 1, 0 if nothing, or -EBADMSG. */
int fact_node_load_decode(const struct page *page, struct fact_node_load *ret);

/* How a peer's VIP differs from the own one. */
enum fact_difference {
	FACT_NOT_HERE,	/* only the peer has it */
	FACT_NOT_THERE, /* only this node has it */
	FACT_CONFIG,	/* tables differ, and so do homes */
	FACT_EFFECTIVE, /* homes differ, tables do not: another backend is usable */
};

/**
 * fact_digests_differ() - what two nodes do not agree on
 * @self, @peer: origins, by their pages in @store
 * @fn:		called for each VIP, in order of names; may be NULL
 * @ret_all:	the digests of all VIPs, own first; zero where a node has told none
 *
 * Return: number of VIPs; 0 while one of the two has told nothing.
 */
typedef void fact_differ_fn(void *arg, const char *vip, enum fact_difference difference);
size_t fact_digests_differ(const struct page_store *store, __u64 self, __u64 peer, fact_differ_fn *fn, void *arg,
			   struct fact_digest ret_all[2]);

#endif
