/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What peers_bulk.c, peers_objects.c and peers_logs.c share: streams to other nodes, and their frames. Not here: what
 * other parts of the daemon see (peers.h).
 */
#ifndef STARLING_DAEMON_PEERS_STREAM_H
#define STARLING_DAEMON_PEERS_STREAM_H

#include "daemon/peers_state.h"

#define BULK_CALLED 8		/* at one time */
#define BULK_BYTES  (64u << 20) /* that a stream may bring, and what is sent for it */

/* This node's own calls, one of each at a time. */
enum bulk_call { BULK_PAGES, BULK_OBJECTS, BULK_LOGS, BULK_CALLS };
#define BULK_STREAMS (BULK_CALLS + BULK_CALLED)

enum frame {
	FRAME_LIST = 1,
	FRAME_LISTED,
	FRAME_PAGES,
	FRAME_END,
	FRAME_WANT,
	FRAME_OBJECT,
	FRAME_LOG_WANT,
	FRAME_LOG
};

struct fetch;
struct log_fetch;
struct log_job;

struct stream {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct bulks *bulks;
	struct bulk *bulk;
	struct endpoint at;
	bool caller, listed, heard, done, closing;
	struct mono since;
	size_t bytes;
	struct page_summary *theirs; /* owned */
	size_t count;
	struct fetch *fetch;	 /* owned; NULL: no objects */
	struct log_fetch *log;	 /* owned; NULL: no audit log; neither of both: pages */
	bool asked;		 /* for the own log, which is given once */
	struct log_job *log_job; /* borrowed: it is being read; NULL: it is not */
	__u8 in[16384];
};

struct bulks {
	uv_tcp_t listener;
	struct peers *p;		     /* NULL: this node's part has ended */
	struct stream *stream[BULK_STREAMS]; /* own calls, then others' */
	size_t handles;			     /* that libuv still has */
	struct mono after;		     /* no call for pages before */
};

/* peers_bulk.c. @fetch: moves in, on success. Return: 0, or -errno. */
int peers_call(struct bulks *b, enum bulk_call which, __u64 peer, const struct endpoint *at, struct fetch *fetch);

/* peers_objects.c: frames; -EBADMSG ends the stream */
void peers_fetch_ready(struct stream *s);
void peers_fetch_end(struct stream *s);
int peers_wanted(struct stream *s, const void *bytes, size_t len);
int peers_object(struct stream *s, const void *bytes, size_t len);

/* peers_logs.c: likewise */
void peers_log_ready(struct stream *s);
void peers_log_end(struct stream *s);
void peers_log_forget(struct stream *s); /* it ends while the own log is read for it */
int peers_log_wanted(struct stream *s);
int peers_log_piece(struct stream *s, const void *bytes, size_t len);

#endif
