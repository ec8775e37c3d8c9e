/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The audit log of a node: a line for each change that was made there or came about. Pure. Not here: files
 * (io/audit_file.h), what is written when (daemon/audit.h), what others know of it (audit_tail.h).
 *
 *	SAH1 9f2c41d0aabbccdd 1 0000... ed25519:6m1c...
 *	SAL1 9f2c41d0aabbccdd 1 2026-11-29T04:10:00.123Z/0 "starlingd@lb1" "the log begins" 0000... SIGNATURE
 *	SAL1 9f2c41d0aabbccdd 2 2026-11-29T04:10:07.350Z/0 "root@lb1" "vip delete web" 77ac... SIGNATURE
 *
 * Each line is signed by the node, and names the hash (BLAKE2b-256) of the line before: who changes, removes or adds
 * one has to sign all that follow it anew. That would take the node's key and yet be found, since other nodes hold the
 * hash of the last one (Schneier, Kelsey: "Secure Audit Logs to Support Computer Forensics", TISSEC 1999; the others
 * are its trusted machine).
 *
 * A chain has an id, drawn when it begins: the store. A log is parted into segments, so that old ones can be dropped;
 * each begins with a head, which says how the chain goes on and by which key, as a node may be given another one. A
 * head is not signed: it says nothing that the lines do not show, but for the key, and that has to be the node's in the
 * last one; and for what others held when the chain began (audit_tail.h).
 *
 * A line has one form only, so that one that is read and written again is the same.
 */
#ifndef STARLING_CORE_AUDIT_H
#define STARLING_CORE_AUDIT_H

#include "base/buf.h"
#include "base/err.h"
#include "core/signing.h"

#define AUDIT_BY_BYTES	  64
#define AUDIT_WHAT_BYTES  512  /* longer ones are cut off */
#define AUDIT_LINE_BYTES  4096 /* without its newline: escapes are four times as long as what they stand for */
#define AUDIT_STORE_BYTES 17   /* as text, with its NUL */

/* The last line of a chain. */
struct audit_tail {
	__u64 store;	/* not 0 */
	__u64 sequence; /* 1..; 0: there is none */
	__u8 hash[HASH_BYTES];
};

/* Why a chain begins although others hold another one of this node. */
struct audit_quote {
	struct audit_tail held; /* by them; sequence 0: nothing is quoted */
	__u64 ended;		/* where that chain ended here; 0: it was not here any more */
};

struct audit_head {
	__u64 store;
	__u64 first; /* sequence of the line behind it */
	__u8 previous[HASH_BYTES];
	struct roster_key key;
	struct audit_quote quote;
};

struct audit_entry {
	__u64 store;
	__u64 sequence;
	__u64 date;		     /* struct hlc */
	char by[AUDIT_BY_BYTES];     /* "root@lb1" */
	char what[AUDIT_WHAT_BYTES]; /* the command, or what came about */
	__u8 previous[HASH_BYTES];   /* of the line before; zero in the first one */
};

const char *audit_store_format(__u64 store, char text[AUDIT_STORE_BYTES]);
void audit_hash_format(const __u8 hash[HASH_BYTES], struct buf *out); /* hexadecimal */

/* A line without its newline. */
void audit_head_format(const struct audit_head *head, struct buf *out);

/**
 * audit_entry_format() - a line without its newline, signed
 * @ret_tail:	of the chain that ends with it
 *
 * Return: 0, -ENOMEM, or what signing failed with.
 */
int audit_entry_format(const struct audit_entry *entry, const struct signing *signing, struct buf *out,
		       struct audit_tail *ret_tail);

/* Of bytes that may be any. Return: 0, or -EBADMSG with @ret untouched. */
int audit_head_parse(const char *line, size_t len, struct audit_head *ret);
int audit_entry_parse(const char *line, size_t len, struct audit_entry *ret);

/* Whether a line that audit_entry_parse() took was signed with a key. */
bool audit_entry_verify(const char *line, size_t len, const struct roster_key *key, const struct signing *signing);

/* The end of a chain whose last line this is. */
void audit_entry_tail(const struct audit_entry *entry, const char *line, size_t len, const struct signing *signing,
		      struct audit_tail *ret);
bool audit_tail_same(const struct audit_tail *a, const struct audit_tail *b);

/* A walk over all lines of a log, from the first segment's head. Zero, but for @signing. */
struct audit_walk {
	const struct signing *signing; /* borrowed */
	struct audit_head head;	       /* the last one */
	bool headed;
	struct audit_tail at;	 /* the last line; sequence 0: none yet */
	struct audit_head begin; /* the first one */
	__u64 entries;
	size_t chains, segments;
};

/**
 * audit_walk_line() - the next line: does it follow?
 * @ret:	the entry; sequence 0 if the line is a head
 * @err:	what is wrong with it, and which one it is
 *
 * Return: 0, or -EBADMSG.
 */
int audit_walk_line(struct audit_walk *w, const char *line, size_t len, struct audit_entry *ret, struct err *err);

/* Whether there were entries before the first one: they were dropped, as old ones are, or removed. */
bool audit_walk_lacks(const struct audit_walk *w);

#endif
