// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One thread and its queue. Not here: what is written.
 */
#include "daemon/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct scribe_job {
	struct scribe_job *next;
	void (*fn)(void *arg);
	void *arg;
};

struct scribe {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct scribe_job *first, **last;
	bool closing;
};

static void *scribe_main(void *arg)
{
	struct scribe *s = arg;
	struct scribe_job *job;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (!s->first && !s->closing)
			pthread_cond_wait(&s->wake, &s->lock);
		job = s->first;
		if (job) {
			s->first = job->next;
			if (!s->first)
				s->last = &s->first;
		}
		pthread_mutex_unlock(&s->lock);
		if (!job)
			return NULL;
		job->fn(job->arg);
		free(job);
	}
}

int scribe_open(struct scribe **ret, struct err *err)
{
	struct scribe *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ENOMEM, "no memory for a thread");
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	rc = pthread_create(&s->thread, NULL, scribe_main, s);
	if (rc) {
		pthread_cond_destroy(&s->wake);
		pthread_mutex_destroy(&s->lock);
		free(s);
		return err_set(err, rc, "cannot start the thread that writes answers");
	}
	*ret = s;
	return 0;
}

void scribe_post(struct scribe *s, void (*fn)(void *arg), void *arg)
{
	struct scribe_job *job = malloc(sizeof(*job));

	if (!job) {
		fn(arg);
		return;
	}
	*job = (struct scribe_job){.fn = fn, .arg = arg};
	pthread_mutex_lock(&s->lock);
	*s->last = job;
	s->last = &job->next;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void scribe_close(struct scribe *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
