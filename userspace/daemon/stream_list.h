/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What stream.c and stream_trace.c share. Everything belongs to the loop's thread but for what
 * is said otherwise. Not here: what the rest of the daemon sees (stream.h).
 */
#ifndef STARLING_DAEMON_STREAM_LIST_H
#define STARLING_DAEMON_STREAM_LIST_H

#include "core/table.h"
#include "daemon/daemon.h"

struct stream {
	struct stream *next;
	struct control *control;
	__u64 client;
	bool trace; /* packets, else events */
	unsigned int events;
	char vip[STARLING_NAME_BYTES]; /* "": all */
	bool has_client, drops;
	struct addr address; /* of the client, if has_client */
	__u32 sample;	     /* 0: not said */
	__u64 left;	     /* lines still to send; 0: without end */
};

struct streams {
	struct daemon *d;
	struct stream *first;
	_Atomic size_t watchers;    /* of events; any thread */
	uv_poll_t *poll;	    /* of the ring buffer; NULL while nobody traces */
	struct trace_filter filter; /* asked of the plane */
	bool busy;		    /* a batch is on its way through the plane */
};

/* Sends a line; the stream may be gone afterwards. */
void stream_send(struct streams *s, struct stream *stream, const char *bytes, size_t len);

/* The set of tracing streams changed. */
void trace_update(struct streams *s);
void trace_head(struct streams *s, struct stream *stream); /* the first line of one: {"sample":N} */
void trace_stop(struct streams *s);

/* A table as one line of JSON. */
void line_finish(const struct table *t, struct buf *line);

#endif
