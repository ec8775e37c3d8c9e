/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients that watch: events, and packets that the data plane samples. Not here: sockets.
 */
#ifndef STARLING_DAEMON_STREAM_H
#define STARLING_DAEMON_STREAM_H

#include "daemon/daemon.h"
#include "daemon/task.h"

#define STREAM_SAMPLE_DEFAULT 100 /* one packet of this many is traced, if they may be very many */

int streams_open(struct daemon *d, struct streams **ret, struct err *err);
void streams_stop(struct streams *s);  /* before the loop closes */
void streams_close(struct streams *s); /* after it has; NULL is fine */

/* On the loop: the client of @t watches from now on. */
void stream_start(struct daemon *d, struct task *t);

/* Any thread: tell whoever watches events. */
void stream_event(struct daemon *d, const struct plane_event *event);

/* Hook of the control sockets: a watcher is gone. */
void stream_end(void *arg, struct control *control, __u64 client);

#endif
