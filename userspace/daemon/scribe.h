/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread that writes long answers out, so that the plane's thread only gathers their values.
 * Not here: the answers.
 */
#ifndef STARLING_DAEMON_SCRIBE_H
#define STARLING_DAEMON_SCRIBE_H

#include "base/err.h"

struct scribe;

/* Return: 0; -ENOMEM, -EAGAIN (no thread) with @err. */
int scribe_open(struct scribe **ret, struct err *err);

/* Have @fn run on the scribe's thread, after what was posted before. Any thread. If there is no memory it runs here. */
void scribe_post(struct scribe *s, void (*fn)(void *arg), void *arg);

/* Does all that was posted, then ends the thread. NULL is fine. */
void scribe_close(struct scribe *s);

#endif
