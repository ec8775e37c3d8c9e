/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * This node's audit log, and what is held of the others'. Lines are written on a thread of its own, in the order in
 * which they were noted, many at a time if many are; only what the disk has is told to others. A log that cannot be
 * written stops nothing: it is counted, shown, and the next line that is kept says how many are missing.
 *
 * A node whose log is gone waits with the first line until others had time to say what they hold of it, so that its
 * new chain can quote that; likewise it begins another chain when they hold what is not in the one it has.
 *
 * Any thread may call all but open and close; its locks are leaves. Not here: lines (core/audit.h), files
 * (io/audit_file.h), pages (peers_audit.c).
 */
#ifndef STARLING_DAEMON_AUDIT_H
#define STARLING_DAEMON_AUDIT_H

#include "core/audit_tail.h"
#include "core/table.h"
#include "daemon/daemon.h"
#include "io/secrets.h"

struct audit;

/* Before the peers. Return: 0; -ENOMEM, -EAGAIN with @err. */
int audit_open(struct daemon *d, struct audit **ret, struct err *err);
void audit_close(struct audit *a); /* what was noted is written first; NULL is fine */

/**
 * audit_read() - have a function run that reads the log: one at a time, apart from what writes
 * @arg:	moves into the call
 *
 * On the loop's thread. Return: 0; -ESHUTDOWN (after audit_stop()), -ENOMEM with @err, and @arg stays the caller's.
 */
int audit_read(struct audit *a, void (*fn)(void *arg), void *arg, struct err *err);
void audit_stop(struct audit *a); /* likewise: what is read is done, and nothing more is; NULL is fine */

/* Who signs from now on. */
void audit_identity(struct audit *a, const struct identity *identity);

/* A date of the flock's clock (struct hlc): lines are dated no earlier. */
void audit_date(struct audit *a, __u64 date);

/**
 * audit_note() - have a line written
 * @by:		"root@lb1"; NULL: the daemon itself
 * @fmt:	the command, or what came about: no secrets; cut off after AUDIT_WHAT_BYTES
 */
void audit_note(struct audit *a, const char *by, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Nobody will say what he holds: a chain may begin. */
void audit_begin(struct audit *a);

/* Others had time to say it: the end may be told from now on, of this chain or of one that quotes them. */
void audit_settle(struct audit *a);

/* An own page of an earlier life came back from others. */
void audit_heard_own(struct audit *a, const struct page *page);

/* What is to be told to others. Return: whether there is something. */
bool audit_tell(struct audit *a, struct audit_told *ret);

/* A page of another node's. @name: of it. */
void audit_hear(struct audit *a, const struct page *page, const char *name, const struct roster *roster);

/* Once a second: what is held is kept if it has changed; at once if something was noticed, else every 5 s at most. */
void audit_tick(struct audit *a);

/**
 * audit_pages() - pages held, for a page store that has just been made
 * @from:	the first node's id, 0 for the first call
 * @most:	pages
 * @fn:		called under the lock
 *
 * Return: @from of the next call; AUDIT_PAGES_ALL: that was all.
 */
__u64 audit_pages(struct audit *a, __u64 from, size_t most, void (*fn)(void *arg, const void *page, size_t len),
		  void *arg);
#define AUDIT_PAGES_ALL UINT64_MAX

/* What is held of a node, its page left out; of the own one (@self): its own end. Return: 0, or -ENOENT. */
int audit_look(struct audit *a, __u64 node, bool self, struct audit_held *ret);

/* Why lines are not kept. Return: whether that is so. */
bool audit_trouble(struct audit *a, char text[ERR_TEXT_BYTES]);

/* `node audit accept`: what was noticed of a node is known. @dry_run: it is only asked whether something was. Return:
 * 0; -ENOENT, -EALREADY, what the disk says, with @err. Waits for the disk, which has it then. */
int audit_accept(struct audit *a, __u64 node, bool self, const char *name, bool dry_run, struct err *err);

/* audit_show.c; these wait for the disk: by audit_read() */

/* KIND_AUDIT: the latest lines of the own log. Return: 0, or -errno with @err. */
int audit_show(struct audit *a, size_t limit, struct table *t, struct err *err);

/* The newest lines of the own log, for another node (core/audit_copy.h); what cannot be read is not in it. */
void audit_copy_make(struct audit *a, struct buf *ret);

/* KIND_AUDIT: the latest lines of a copy that was found to be valid. */
void audit_copy_show(const char *text, size_t len, size_t limit, struct table *t);

/* All lines that are entries, from the oldest kept on, by date in Unix ms. Return: 0, or -errno with @err. */
typedef void audit_each_fn(void *arg, __u64 date_ms, const char *by, const char *what);
int audit_each(struct audit *a, audit_each_fn *fn, void *arg, struct err *err);

/* `node audit verify`: the own log from its first line on. @says: a sentence. Return: 0; -EBADMSG: it is not what this
 * node has written; -errno, with @err. */
int audit_verify(struct audit *a, struct buf *says, struct err *err);

#endif
