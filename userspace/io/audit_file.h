/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The files of an audit log: segments of a directory, by number, each of lines and only ever appended to. What is
 * appended is on the disk before the call returns. A line that a crash has left unfinished is cut off when the log is
 * opened. Not here: what lines say (core/audit.h). One thread at a time.
 */
#ifndef STARLING_IO_AUDIT_FILE_H
#define STARLING_IO_AUDIT_FILE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define AUDIT_SEGMENT_BYTES (256u << 10) /* a segment that is longer gets no more */
#define AUDIT_SEGMENTS	    16		 /* are kept: some 10,000 lines */
#define AUDIT_SEGMENT_MAX   (1u << 20)	 /* no segment of ours is longer than that */

struct audit_file;

/**
 * audit_file_open() - a log to be continued
 * @dir:	made if missing, 0700; copied
 * @ret:	owned by the caller
 *
 * Return: 0; -EIO (a segment cannot be read), -EFBIG (too many), -ENOMEM, -errno of the files, with @err.
 */
int audit_file_open(const char *dir, struct audit_file **ret, struct err *err);
void audit_file_close(struct audit_file *f); /* NULL is fine */

/* The first line of the last segment and the last one of all, without newlines; borrowed until something is appended.
 * "" if there is none. */
const char *audit_file_head(const struct audit_file *f);
const char *audit_file_last(const struct audit_file *f);
bool audit_file_full(const struct audit_file *f); /* the next lines want another segment */

/**
 * audit_file_begin() - another segment
 * @head:	its first line, without a newline
 *
 * The oldest is dropped if there are too many. Return: 0; -errno with @err, and all is as before.
 */
int audit_file_begin(struct audit_file *f, const char *head, struct err *err);

/**
 * audit_file_append() - lines
 * @lines:	each with its newline; @len bytes
 *
 * Return: 0; -EBADF (there is no segment yet), -errno with @err: none of them is there.
 */
int audit_file_append(struct audit_file *f, const char *lines, size_t len, struct err *err);

/* A line without its newline. Return: 0, or an end to it. */
typedef int audit_line_fn(void *arg, const char *file, unsigned int number, const char *line, size_t len);

/**
 * audit_file_walk() - all lines of a log's directory, from the oldest on
 * @fn:		@file is the segment's name, @number the line's, from 1 on
 *
 * Opens what it reads by itself. Return: 0; what @fn returned; -ENOENT, -EIO, -EFBIG, -errno with @err.
 */
int audit_file_walk(const char *dir, audit_line_fn *fn, void *arg, struct err *err);

#endif
