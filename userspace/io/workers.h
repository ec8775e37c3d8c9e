/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads that do what is posted to them: long work, or work that may block. Not here: the work, the loop that waits
 * for it (loop_work()).
 */
#ifndef STARLING_IO_WORKERS_H
#define STARLING_IO_WORKERS_H

#include "base/err.h"

struct workers;

/**
 * workers_open() - start threads
 * @name:	of each, up to 15 bytes
 * @count:	how many, at least 1
 * @ret:	owned by the caller: workers_close()
 *
 * Return: 0; -ENOMEM, -EAGAIN (no thread) with @err.
 */
int workers_open(const char *name, unsigned int count, struct workers **ret, struct err *err);

/**
 * workers_post() - have a function run on one of the threads
 * @fn:		called once, with @arg; a single thread calls in the order of posting
 * @arg:	moves into the call
 *
 * Any thread may post. Return: 0, or -ENOMEM: then @fn will not be called and @arg stays the caller's.
 */
int workers_post(struct workers *w, void (*fn)(void *arg), void *arg);

/* Does all that was posted, then ends the threads. NULL is fine. */
void workers_close(struct workers *w);

#endif
