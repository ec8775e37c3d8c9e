/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A unix stream socket that speaks lines: a request line in, an answer line out, or a stream of
 * lines. Bounded in clients, bytes and patience. Not here: what lines mean (core/request), what
 * is done about them (the daemon). Everything belongs to the loop's thread.
 *
 * A client has one request in hand at a time: while it is, nothing more is read from it, so the
 * kernel holds back who sends ahead. A client that stops in mid-request, or does not read its
 * answer, is closed after CONTROL_PATIENCE_MS. A stream's reader that is slow loses lines, and
 * is told how many: {"lost":N}.
 */
#ifndef STARLING_IO_CONTROL_H
#define STARLING_IO_CONTROL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "io/loop.h"

#define CONTROL_CLIENTS	     64		/* of one socket; at the bound the one idle for longest gives way */
#define CONTROL_PATIENCE_MS  30000	/* without progress on a request's or an answer's bytes */
#define CONTROL_STREAM_BYTES (1u << 20) /* queued for a stream's reader; further lines are lost */
#define CONTROL_SPARE_BYTES  (8u << 20) /* all clients' unfinished requests, beyond one of the largest size */
#define CONTROL_BACKLOG	     64

struct control;

struct control_peer {
	__u64 client; /* names it in answers; never used again */
	uid_t uid;
	pid_t pid;
	bool read_only; /* came through a socket opened so */
};

struct control_options {
	const char *path; /* a stale socket there is replaced: the caller holds the node's lock; borrowed during open */
	mode_t mode;
	bool read_only;	      /* only passed on, in struct control_peer */
	size_t request_bytes; /* longer request lines are refused */
};

struct control_hooks {
	void *arg;
	/* A whole line, without its newline but with a NUL after it; @line moves to the hook (free()). Exactly one of
	 * control_answer() and control_stream_start() is due for it, now or later. */
	void (*request)(void *arg, struct control *control, const struct control_peer *peer, char *line, size_t len);
	/* A client that streamed is gone. May be NULL. */
	void (*stream_end)(void *arg, struct control *control, __u64 client);
};

/**
 * control_open() - listen
 * @loop:	borrowed until control_close() and the closing of its handles
 * @options:	see there
 * @hooks:	copied
 * @ret:	owned by the caller; untouched on failure
 * @err:	a sentence
 *
 * Return: 0, -ENAMETOOLONG, -ENOMEM, or -errno of the socket.
 */
int control_open(struct loop *loop, const struct control_options *options, const struct control_hooks *hooks,
		 struct control **ret, struct err *err);

/**
 * control_answer() - send the answer to the request in hand, then take the next one
 * @control:	the socket
 * @client:	from struct control_peer; one that is gone meanwhile is ignored
 * @bytes:	whole lines, malloc'ed; moves in. NULL (no memory) closes the client
 * @len:	bytes
 */
void control_answer(struct control *control, __u64 client, char *bytes, size_t len);

/* Instead of an answer: from now on lines are sent, until the client closes or control_stream_stop(). False: gone. */
bool control_stream_start(struct control *control, __u64 client);
void control_stream_line(struct control *control, __u64 client, const char *bytes, size_t len); /* copied */
void control_stream_stop(struct control *control, __u64 client); /* sends what is queued, then closes */

size_t control_clients(const struct control *control);
__u64 control_requests(const struct control *control); /* since the start; never goes back */

/* Closes all clients, removes the socket; memory goes when the loop has closed the handles. NULL is fine. */
void control_close(struct control *control);

#endif
