/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What nodes know of each other's audit logs: the last line that each has told, and whether what it tells now can be
 * what became of that. Pure. Not here: lines (audit.h), who tells when (daemon/peers_audit.c).
 *
 * A node tells its log's end in a page, after the disk has it, and others keep that page, on disk too. What it tells
 * next has to be further on in the same chain. If it is not, the log was rolled back or changed: it is `cut` or
 * `forked`. A node that has lost its log begins another chain, and quotes what others hold of the last one, which comes
 * to it as its own page: `reset`. Whoever told it may have held less than is held here, which is no fault of the
 * node's. One that does not quote the chain that is held here, `unquoted`, hides that there was one.
 *
 * What was noticed stands until somebody accepts it, whatever the node tells meanwhile: a chain that was cut grows
 * beyond where it was.
 */
#ifndef STARLING_CORE_AUDIT_TAIL_H
#define STARLING_CORE_AUDIT_TAIL_H

#include "core/audit.h"
#include "core/page.h"
#include "core/page_store.h"

/* STATE(ID, "word", "help"), the worse the later. */
#define STARLING_AUDIT_STATES(STATE)                                                                                   \
	STATE(WHOLE, "whole", "it only ever grew")                                                                     \
	STATE(RESET, "reset", "it began anew, and quotes what others held")                                            \
	STATE(UNQUOTED, "unquoted", "it began anew, and hides what others held")                                       \
	STATE(FORKED, "forked", "an entry that others held is another one")                                            \
	STATE(CUT, "cut", "entries that others held the last of are gone")

enum audit_state {
#define AUDIT_STATE_ENUM(id, word, help) AUDIT_##id,
	STARLING_AUDIT_STATES(AUDIT_STATE_ENUM)
#undef AUDIT_STATE_ENUM
		AUDIT_STATES
};
const char *audit_state_word(enum audit_state state);

/* What a node tells of its log. */
struct audit_told {
	struct audit_tail tail;
	struct audit_quote quote; /* of the chain's beginning */
};

/* A page of PAGE_KIND_AUDIT. Return: 0, -ENOSPC; 0, -EBADMSG with @ret untouched. */
int audit_told_encode(const struct audit_told *told, struct page_draft *draft);
int audit_told_decode(const struct page *page, struct audit_told *ret);

/* What it means that a node tells @told, of which @held is held. */
enum audit_state audit_judge(const struct audit_tail *held, const struct audit_told *told);

/* What is held of another node. */
struct audit_held {
	__u64 node;
	struct page_version version; /* of the page */
	struct audit_told told;
	enum audit_state state;
	struct audit_tail lost; /* what was held when @state was noticed */
	__u64 since_ms;		/* and when: Unix time; 0: never */
	__u8 *page;		/* owned: as it was signed */
	size_t len;
};

struct audit_memory {
	struct audit_held *held; /* owned; by node */
	size_t count;		 /* up to AUDIT_HELD_MAX */
	struct audit_held own;	 /* what was noticed of the own log: @state, @lost and @since_ms alone */
};

#define AUDIT_HELD_MAX (2 * STARLING_ROSTER_NODES) /* those that were forgotten meanwhile, too */

/**
 * audit_memory_hear() - a page of a node's came, its signature verified
 * @wall_ms:	now
 * @ret_state:	what was noticed by it; AUDIT_WHOLE: nothing that is worse than what was before
 *
 * Older ones than the one held say nothing. Return: 1 if it is held now, 0, -EBADMSG, -ENOSPC, -ENOMEM.
 */
int audit_memory_hear(struct audit_memory *m, const struct page *page, __u64 wall_ms, enum audit_state *ret_state);
struct audit_held *audit_memory_find(const struct audit_memory *m, __u64 node); /* NULL: nothing is */
void audit_memory_trim(struct audit_memory *m, const struct roster *roster); /* those that do not count are dropped */
void audit_memory_accept(struct audit_held *held);			     /* what was noticed is known to somebody */

/* It is noticed that @lost was held, and is not what is told now. Return: whether that is worse than what was before.
 */
bool audit_memory_notice(struct audit_held *held, enum audit_state state, const struct audit_tail *lost, __u64 wall_ms);

/* As text, a line each, for a file. Return: 0, -EBADMSG (some lines were not read), -ENOMEM. */
void audit_memory_write(const struct audit_memory *m, struct buf *out);
int audit_memory_read(struct audit_memory *m, const char *text);
void audit_memory_free(struct audit_memory *m);

#endif
