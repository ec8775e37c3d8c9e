/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What audit*.c share. Not here: their interface (audit.h).
 */
#ifndef STARLING_DAEMON_AUDIT_STATE_H
#define STARLING_DAEMON_AUDIT_STATE_H

#include <pthread.h>

#include "base/clock.h"
#include "core/hlc.h"
#include "daemon/audit.h"
#include "io/audit_file.h"

#define AUDIT_NOTES   4096 /* that wait to be written; more are counted as missing */
#define AUDIT_KEEP_MS 5000 /* what is held goes to the disk no more often, unless something was noticed */

/* A line to be. */
struct audit_note {
	struct audit_note *next;
	char by[AUDIT_BY_BYTES];
	char what[AUDIT_WHAT_BYTES];
};

struct audit {
	struct daemon *d;
	struct workers *worker; /* one thread */
	struct workers *reader; /* another one; the loop's thread's; NULL: stopped */
	char dir[PATH_MAX];

	pthread_mutex_t files;	 /* of these; taken before @lock */
	struct audit_file *file; /* NULL: not opened yet */
	bool damaged;		 /* its last line was none: it is not gone on with */
	struct hlc hlc;
	struct audit_head head; /* of the last segment; store 0: there is none */
	struct audit_tail end;	/* of the chain */

	pthread_mutex_t lock; /* of all below; a leaf */
	struct identity identity;
	struct audit_note *first, **last;
	size_t notes;
	__u64 missing;	/* lines that were not kept, since the last one that was */
	bool posted;	/* the worker has been asked */
	bool may_begin; /* a chain */
	bool settling, settled;
	struct audit_told own;	 /* the disk has it */
	struct audit_told heard; /* as others hold it, of an earlier life; sequence 0: nothing */
	struct page_version heard_version;
	char trouble[ERR_TEXT_BYTES]; /* ""; why lines are not kept */
	struct audit_memory memory;
	bool memory_changed, memory_noticed; /* the disk has it not; and wants it at once */
	bool memory_unkept;		     /* the last try failed */
	struct mono memory_posted;	     /* when the worker was asked last */
	_Atomic __u64 date;		     /* of the flock's clock */
};

/* audit.c: what waits is written, if it may be, and a chain begins, if it has to. Any thread, which waits for the disk.
 */
void audit_flush(struct audit *a);

/* audit_others.c */
void audit_others_load(struct audit *a); /* at the start */

/* What is held goes to the disk. Any thread, which waits for it. Return: 0, or -errno with @err: later again. */
int audit_keep(struct audit *a, struct err *err);

#endif
