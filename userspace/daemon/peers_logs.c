// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The newest lines of another node's audit log, by the sealed stream, when an operator asks for them. Not here: the
 * stream (io/bulk.h), its connections (peers_bulk.c), what the lines say (core/audit_copy.h).
 *
 *	caller	LOG_WANT
 *	called	LOG ... END	a copy, in pieces; none at all: it could not be read
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit_copy.h"
#include "daemon/audit.h"
#include "daemon/peers_stream.h"

/* --- the called one --- */

/* A log that is being read. The stream may end meanwhile. */
struct log_job {
	struct peers *p;
	struct stream *s; /* the loop's thread's, and read under the lock; NULL: it has ended */
	struct buf text;
};

static void log_send(struct stream *s, const struct buf *text)
{
	size_t at = 0, n;

	for (; at < text->len; at += n) {
		n = text->len - at < BULK_FRAME_BYTES ? text->len - at : BULK_FRAME_BYTES;
		bulk_send(s->bulk, FRAME_LOG, text->text + at, n);
	}
	s->done = !bulk_send(s->bulk, FRAME_END, NULL, 0);
}

static void on_log(void *arg)
{
	struct log_job *job = arg;

	if (job->s) { /* and so there are the peers, too */
		pthread_mutex_lock(&job->p->lock);
		job->s->log_job = NULL;
		log_send(job->s, &job->text);
		pthread_mutex_unlock(&job->p->lock);
	}
	buf_free(&job->text);
	free(job);
}

/* On the log's reader, which has ended before the peers do. */
static void log_read(void *arg)
{
	struct log_job *job = arg;
	struct peers *p = job->p;
	bool wanted;

	pthread_mutex_lock(&p->lock);
	wanted = job->s;
	pthread_mutex_unlock(&p->lock);
	if (wanted)
		audit_copy_make(p->d->audit, &job->text);
	pthread_mutex_lock(&p->lock);
	p->logs_waiting--;
	pthread_mutex_unlock(&p->lock);
	loop_post(p->d->loop, on_log, job);
}

int peers_log_wanted(struct stream *s)
{
	struct peers *p = s->bulks->p;
	struct log_job *job;

	if (s->caller || s->asked)
		return -EBADMSG;
	if (p->logs_waiting >= BULK_CALLED) /* of streams that have ended, as no more are called */
		return -EBUSY;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->p = p;
	job->s = s;
	if (audit_read(p->d->audit, log_read, job, NULL)) {
		free(job);
		return -ENOMEM;
	}
	p->logs_waiting++;
	s->asked = true;
	s->log_job = job;
	return 0;
}

void peers_log_forget(struct stream *s)
{
	s->log_job->s = NULL;
	s->log_job = NULL;
}

/* --- the caller --- */

struct log_fetch {
	struct buf text;
	void (*done)(void *arg, int rc, struct buf *text);
	void *arg;
};

void peers_log_ready(struct stream *s)
{
	bulk_send(s->bulk, FRAME_LOG_WANT, NULL, 0);
}

int peers_log_piece(struct stream *s, const void *bytes, size_t len)
{
	struct log_fetch *f = s->log;

	if (!f || !len || len > AUDIT_COPY_BYTES_MAX - f->text.len)
		return -EBADMSG;
	buf_add(&f->text, bytes, len);
	return buf_error(&f->text) ? -ENOMEM : 0;
}

static void fetch_end(struct log_fetch *f, int rc)
{
	f->done(f->arg, rc, &f->text);
	buf_free(&f->text);
	free(f);
}

void peers_log_end(struct stream *s)
{
	struct log_fetch *f = s->log;

	s->log = NULL;
	fetch_end(f, !s->done ? -EIO : f->text.len ? 0 : -ENODATA);
}

int peers_log(struct peers *p, __u64 node, void (*done)(void *arg, int rc, struct buf *text), void *arg)
{
	struct log_fetch *f = calloc(1, sizeof(*f));
	struct opinion_view view;
	int rc = -EHOSTUNREACH;

	if (!f)
		return -ENOMEM;
	f->done = done;
	f->arg = arg;
	pthread_mutex_lock(&p->lock);
	if (p->flock && p->bulks && !opinion_state(flock_opinion(p->flock), node, &view) && view.at.port)
		rc = p->bulks->stream[BULK_LOGS] ? -EBUSY : peers_call(p->bulks, BULK_LOGS, node, &view.at, NULL);
	if (!rc)
		p->bulks->stream[BULK_LOGS]->log = f;
	pthread_mutex_unlock(&p->lock);
	if (rc)
		free(f);
	return rc;
}
