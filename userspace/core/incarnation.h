/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which life of a node is the later one, and whether two are lived at once. Pure. Not here: the
 * file that keeps the number, random bits, messages.
 *
 * A boot is 64 random bits, drawn at every start: equal boots are one process, so counters under
 * one boot never begin anew, whatever became of a disk. What orders boots is the incarnation: one
 * more than the larger of what the own store has and what any peer shows signed with the own key.
 * Peers show it when they repair pages, soon after the start. So a lost or restored store costs a
 * new incarnation and nothing else.
 *
 * A disk image cloned with its identity makes two nodes with one key. Each sees the other's pages,
 * and each would outrank the other for ever; hence the least time between two incarnations, and none
 * in a conflict. A conflict is what no restart looks like: two boots heard from two addresses, and the
 * earlier one goes on long after the later one was first heard.
 */
#ifndef STARLING_CORE_INCARNATION_H
#define STARLING_CORE_INCARNATION_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"
#include "core/page.h"

#define INCARNATION_LEAST_MS 1000  /* between two of one boot: clones do not race */
#define TWIN_OVERLAP_MS	     2000  /* both heard for so long: packets on their way are younger */
#define TWIN_SILENT_MS	     30000 /* a boot not heard for so long has ended */

/* This node. */
struct incarnation {
	__u64 boot;
	__u32 number;  /* to be stored before it is used */
	__u32 highest; /* that was seen under the own key */
	struct mono changed;
	bool outranked; /* since the start, at @changed */
};

/* How one node, this or another, is heard. */
struct twin_watch {
	struct twin {
		__u64 boot; /* 0: none */
		struct endpoint from;
		struct mono first, last;
	} boot[2]; /* the earlier one first */
};

/**
 * incarnation_begin() - at the start
 * @stored:	the last number of the own store; 0 if there is none
 * @boot:	64 random bits, not 0
 */
void incarnation_begin(struct incarnation *i, __u32 stored, __u64 boot);

/**
 * incarnation_heard() - a page, or anything else, signed with the own key, that a peer showed
 * @version:	verified by the caller
 */
void incarnation_heard(struct incarnation *i, const struct page_version *version);

/**
 * incarnation_step() - outrank what was seen, if it is time
 * @conflict:	twin_conflict() of the own key: then not
 *
 * Return: whether the number is new. Then store it, and sign all pages anew.
 */
bool incarnation_step(struct incarnation *i, struct mono now, bool conflict);

/**
 * twin_heard() - a packet that a key's owner sealed or signed
 * @boot:	of the sender
 * @from:	its address
 *
 * Replays must have been sorted out. Of three at once two are watched: that is enough.
 */
void twin_heard(struct twin_watch *w, __u64 boot, const struct endpoint *from, struct mono now);

/* Whether one key is used by two. It ends TWIN_SILENT_MS after one of them did. */
bool twin_conflict(const struct twin_watch *w, struct mono now);

#endif
