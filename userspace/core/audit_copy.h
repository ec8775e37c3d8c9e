/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The newest lines of an audit log, for another node: cut out there, and judged here by that node's key and by what is
 * held of its log. Pure. Not here: lines (audit.h), what is held (audit_tail.h), how they travel (daemon/peers_logs.c).
 *
 * A copy is text as a log is. Where it does not begin with a segment, it has a head made for its first line: a head is
 * not signed, and says nothing that the line does not show, but for the key.
 */
#ifndef STARLING_CORE_AUDIT_COPY_H
#define STARLING_CORE_AUDIT_COPY_H

#include "core/audit.h"

#define AUDIT_COPY_LINES     1000				       /* of a copy: the newest ones */
#define AUDIT_COPY_BYTES     (512u << 10)			       /* and of these so many bytes at most */
#define AUDIT_COPY_BYTES_MAX (AUDIT_COPY_BYTES + AUDIT_LINE_BYTES + 1) /* with the head made for it */

/* A copy that is being made; zero. */
struct audit_copy {
	struct buf text; /* owned: whole lines */
	size_t lines;
	struct audit_head head; /* the last one before @text; store 0: there was none */
};

/* The next line of the log, without its newline; of any content. */
void audit_copy_add(struct audit_copy *c, const char *line, size_t len);

/* The newest of those added: appended to @out. Return: 0, -ENOMEM. */
int audit_copy_take(struct audit_copy *c, struct buf *out);
void audit_copy_free(struct audit_copy *c);

/**
 * audit_copy_check() - whether a copy is what a node may say of its log
 * @text:	of any content; @len bytes
 * @key:	the node's
 * @held:	what it had told of its end before the copy was made; sequence 0: nothing
 * @ret:	the walk over it, as far as the lines follow each other; set on failure too
 * @ret_met:	whether @held is one of its lines: it reaches back as far
 * @err:	why not: that it is forged, forked, cut, unquoted or reset, and up to which entry it is valid
 *
 * Return: 0; -EBADMSG with @err.
 */
int audit_copy_check(const char *text, size_t len, const struct roster_key *key, const struct audit_tail *held,
		     const struct signing *signing, struct audit_walk *ret, bool *ret_met, struct err *err);

#endif
