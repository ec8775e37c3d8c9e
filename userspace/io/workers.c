// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads and their queue. Not here: what is done on them.
 */
#include "io/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct job {
	struct job *next;
	void (*fn)(void *arg);
	void *arg;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, **last;
	bool closing;
	unsigned int count;
	pthread_t thread[];
};

/* Waits for work; NULL: there will be none. */
static struct job *job_take(struct workers *w)
{
	struct job *job;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->closing)
		pthread_cond_wait(&w->wake, &w->lock);
	job = w->first;
	if (job)
		w->first = job->next;
	if (!w->first)
		w->last = &w->first;
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void *worker_main(void *arg)
{
	struct job *job;

	while ((job = job_take(arg))) {
		job->fn(job->arg);
		free(job);
	}
	return NULL;
}

int workers_open(const char *name, unsigned int count, struct workers **ret, struct err *err)
{
	struct workers *w = calloc(1, sizeof(*w) + count * sizeof(*w->thread));
	int rc = 0;

	if (!w)
		return err_set(err, ENOMEM, "no memory for threads");
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	while (!rc && w->count < count) {
		rc = pthread_create(&w->thread[w->count], NULL, worker_main, w);
		if (!rc)
			pthread_setname_np(w->thread[w->count++], name);
	}
	if (rc) {
		workers_close(w);
		return err_set(err, rc, "cannot start the thread %s", name);
	}
	*ret = w;
	return 0;
}

int workers_post(struct workers *w, void (*fn)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return -ENOMEM;
	*job = (struct job){.fn = fn, .arg = arg};
	pthread_mutex_lock(&w->lock);
	*w->last = job;
	w->last = &job->next;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->wake); /* unlocked: whoever it wakes would at once wait for the lock */
	return 0;
}

void workers_close(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	while (w->count)
		pthread_join(w->thread[--w->count], NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
