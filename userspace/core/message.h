/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What nodes say to each other, as structures: one of these is one datagram. Not here: their bytes and seals, what
 * pages say (fact.h), when what is said (opinion.h, flock.h).
 */
#ifndef STARLING_CORE_MESSAGE_H
#define STARLING_CORE_MESSAGE_H

#include "base/addr.h"
#include "core/page_store.h"

#define MESSAGE_UPDATES_MAX 32 /* opinions in one message; more are not read */
#define MESSAGE_PAGES_MAX   16
#define MESSAGE_LIST_MAX    27 /* of struct page_summary: what fits a datagram of 1,200 bytes */
#define MESSAGE_SUMS_MAX    64 /* of the PAGE_BUCKETS sums: a quarter */

/* KIND(ID, number on the wire, "what it is for"). Numbers are never used again. */
#define STARLING_MESSAGES(KIND)                                                                                        \
	KIND(PROBE, 1, "asks its receiver for an ACK")                                                                 \
	KIND(PROBE_FOR, 2, "asks a helper to probe the subject, and to say ACK or NACK")                               \
	KIND(ACK, 3, "the subject has answered")                                                                       \
	KIND(NACK, 4, "the helper is well, the subject has not answered yet")                                          \
	KIND(GOSSIP, 5, "nothing but what rides on every message")                                                     \
	KIND(SUMS, 6, "sums over some buckets of the sender's pages")                                                  \
	KIND(LIST, 7, "the sender's pages in some buckets")                                                            \
	KIND(RELAY, 8, "pages for the subject, whom the sender does not reach")                                        \
	KIND(REGISTER, 9, "of the register: struct caspaxos_message")                                                  \
	KIND(CHECK, 10, "asks whether its receiver could run a configuration")                                         \
	KIND(CHECKED, 11, "it could, or why not")                                                                      \
	KIND(RUN, 12, "its receiver's turn has come to run a proposal; it answers CHECKED")

enum message_kind {
#define MESSAGE_ENUM(id, number, help) MESSAGE_##id = (number),
	STARLING_MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
};

/* STATE(ID, number on the wire, "word"): what is held of a member. */
#define STARLING_MEMBER_STATES(STATE)                                                                                  \
	STATE(ALIVE, 1, "alive")                                                                                       \
	STATE(SUSPECT, 2, "suspect")                                                                                   \
	STATE(UNFIT, 3, "unfit")                                                                                       \
	STATE(DEAD, 4, "dead")                                                                                         \
	STATE(LEFT, 5, "left")

enum member_state {
#define MEMBER_ENUM(id, number, word) MEMBER_##id = (number),
	STARLING_MEMBER_STATES(MEMBER_ENUM)
#undef MEMBER_ENUM
};

/*
 * One opinion on one member. Its life orders what is said of it: the incarnation (incarnation.h) in the upper half, in
 * the lower one how often it has refuted within that incarnation.
 */
struct member_update {
	__u64 id;
	__u64 life;
	__u64 accuser;	    /* of SUSPECT, UNFIT and DEAD: whose opinion it is; else 0 */
	struct endpoint at; /* of ALIVE: where it is heard; else all zero */
	__u32 state;	    /* enum member_state */
};

struct message {
	__u32 kind;   /* enum message_kind; others are of later versions */
	__u32 number; /* of the probe, and of the answer to it */
	__u64 subject;

	/* Of PROBE and ACK. */
	__u64 digest;		 /* page_store_digest() of the sender; 0: not said */
	__u64 sent_us, heard_us; /* wall clock when this left, and when what it answers came; 0: not said */
	__u64 asked_us;		 /* sent_us of the probe that this answers */
	__u64 date;		 /* struct hlc; 0: not said */
	__u32 live;		 /* members that the sender holds alive, itself among them; 0: not said */

	/* Rides on every kind. */
	size_t updates, pages;
	struct member_update update[MESSAGE_UPDATES_MAX];
	struct page_bytes page[MESSAGE_PAGES_MAX]; /* borrowed */

	struct page_bytes body; /* of REGISTER, CHECK, CHECKED and RUN; borrowed */

	/* Of SUMS: from @sums_first on. Of LIST: all of the pages that are in the buckets of @mask. */
	__u32 sums_first, sums, list;
	__u64 sum[MESSAGE_SUMS_MAX];
	struct page_mask mask;
	struct page_summary summary[MESSAGE_LIST_MAX];
	bool ask; /* of LIST: answer with yours */
};

#endif
