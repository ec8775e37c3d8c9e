/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configurations that were applied, as numbered generations: who, when, by which command, and
 * the text. Each is a state file of its own; the newest is the one that runs. Not here:
 * applying them (apply). Belongs to the plane's thread once that runs.
 */
#ifndef STARLING_DAEMON_HISTORY_H
#define STARLING_DAEMON_HISTORY_H

#include <linux/types.h>
#include <stddef.h>

#include "base/err.h"
#include "core/table.h"

#define HISTORY_KEEP	      64 /* generations; older ones are removed, first those over half that changed no line */
#define HISTORY_BY_BYTES      64
#define HISTORY_COMMAND_BYTES 160
#define HISTORY_DIGEST_BYTES  17 /* 16 hex digits and NUL */

struct history;

struct generation {
	__u32 number;  /* 1 is the first */
	__u64 time_ms; /* Unix time */
	char by[HISTORY_BY_BYTES];
	char command[HISTORY_COMMAND_BYTES]; /* "vip add web tcp/...", "config apply", "start" */
	size_t changes;			     /* lines that differ from the one before */
	char digest[HISTORY_DIGEST_BYTES];   /* of the text */
};

/* Told of what is wrong with single files: they are left out. */
typedef void history_note_fn(const char *sentence);

/**
 * history_open() - read what is kept
 * @dir:	made if missing; copied
 * @note:	told of files that are torn, corrupt or no generation
 * @ret:	owned by the caller
 * @err:	a sentence
 *
 * Return: 0, -ENOMEM, or -errno of the directory.
 */
int history_open(const char *dir, history_note_fn *note, struct history **ret, struct err *err);

size_t history_count(const struct history *h);
bool history_found(const struct history *h); /* history_open() has found generations, whole or torn */
const struct generation *history_at(const struct history *h, size_t i); /* oldest first; borrowed until history_add() */
const struct generation *history_last(const struct history *h);		/* NULL if there is none */
const struct generation *history_find(const struct history *h, __u32 number);

/**
 * history_text() - the configuration of a generation
 * @ret_text:	owned by the caller
 *
 * Return: 0, -ENOENT, -EBADMSG (corrupt: set aside), or -errno, with @err.
 */
int history_text(const struct history *h, __u32 number, char **ret_text, size_t *ret_len, struct err *err);

/**
 * history_add() - keep a new generation
 * @by:		"root@lb1"
 * @command:	what made it; cut off if it is long
 * @changes:	lines that differ
 * @text:	the configuration; @len bytes
 * @durable:	wait until the disk has it; else it may be torn, and recognised as such, if the host ends at once
 *
 * Return: 0; -errno of the disk with @err: then it is known until the daemon ends, but not kept.
 */
int history_add(struct history *h, const char *by, const char *command, size_t changes, const char *text, size_t len,
		bool durable, struct err *err);

/* The same, durably, with a number, time and all that the caller knows; @g's digest is made. A kept one is replaced. */
int history_put(struct history *h, const struct generation *g, const char *text, size_t len, struct err *err);

/* The digest that a generation with this text has. */
void history_digest(const char *text, size_t len, char digest[HISTORY_DIGEST_BYTES]);

/* KIND_HISTORY: one each; @running: the number of the one that runs. */
void history_rows(const struct history *h, __u32 running, struct table *t);

void history_close(struct history *h); /* NULL is fine */

#endif
