// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The plane's thread: its two queues, its clock, start and stop. Not here: what jobs do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plane_state.h"

static void jobs_init(struct plane_jobs *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static struct plane_job *jobs_pop(struct plane_jobs *q)
{
	struct plane_job *job = q->first;

	if (!job)
		return NULL;
	q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	return job;
}

int plane_post(struct plane *p, enum plane_queue queue, void (*fn)(struct plane *p, void *arg), void *arg)
{
	struct plane_job *job = malloc(sizeof(*job));
	int ret = 0;

	if (!job)
		return -ENOMEM;
	*job = (struct plane_job){.fn = fn, .arg = arg, .shows = queue == PLANE_SHOW};
	pthread_mutex_lock(&p->lock);
	if (p->stopping) {
		ret = -ESHUTDOWN;
	} else {
		*p->queue[queue].last = job;
		p->queue[queue].last = &job->next;
	}
	pthread_mutex_unlock(&p->lock);
	if (ret)
		free(job);
	else
		pthread_cond_signal(&p->wake); /* unlocked: the thread that it wakes would at once wait for the lock */
	return ret;
}

static void job_run(struct plane *p, struct plane_job *job)
{
	bool showing = p->showing;

	p->showing |= job->shows;
	job->fn(p, job->arg);
	p->showing = showing;
	free(job);
}

void plane_breathe(struct plane *p)
{
	struct plane_job *job;
	bool any = false;

	for (;;) {
		pthread_mutex_lock(&p->lock);
		job = p->stopping ? NULL : jobs_pop(&p->queue[PLANE_URGENT]);
		if (!job && !p->stopping && !p->showing)
			job = jobs_pop(&p->queue[PLANE_SHOW]);
		pthread_mutex_unlock(&p->lock);
		if (!job)
			break;
		any = true;
		job_run(p, job);
	}
	if (any && p->showing)
		plane_settle(p);
}

int plane_grace(struct plane *p)
{
	int ret = dataplane_grace(p->dp);

	if (ret)
		return ret; /* what is retired stays so until one succeeds */
	p->epoch++;
	for (size_t i = 0; i < p->retired_count; i++)
		arena_give(&p->arena, p->retired[i]);
	p->retired_count = 0;
	return 0;
}

void plane_event(struct plane *p, const char *kind, const char *object, const char *before, const char *after,
		 const char *why)
{
	struct plane_event event = {kind, object, before, after, why ? why : ""};

	if (p->hooks.event)
		p->hooks.event(p->hooks.arg, &event);
}

/* Wait for work. Sets *ret_job, or leaves it NULL when the tick is due. False: stop. */
static bool plane_wait(struct plane *p, const struct timespec *tick, struct plane_job **ret_job)
{
	struct plane_job *job = NULL;
	int timeout = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && !job && timeout != ETIMEDOUT) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		job = jobs_pop(&p->queue[PLANE_URGENT]);
		if (job)
			break;
		if (now.tv_sec > tick->tv_sec || (now.tv_sec == tick->tv_sec && now.tv_nsec >= tick->tv_nsec))
			break;
		job = jobs_pop(&p->queue[PLANE_SHOW]);
		if (!job)
			job = jobs_pop(&p->queue[PLANE_NORMAL]);
		if (!job)
			timeout = pthread_cond_timedwait(&p->wake, &p->lock, tick);
	}
	pthread_mutex_unlock(&p->lock);
	*ret_job = job;
	return !p->stopping;
}

static void *plane_main(void *arg)
{
	struct plane *p = arg;
	struct plane_job *job;
	struct timespec tick;

	clock_gettime(CLOCK_MONOTONIC, &tick);
	tick.tv_sec += PLANE_TICK_MS / 1000;
	while (plane_wait(p, &tick, &job)) {
		if (!job) {
			plane_tick(p);
			plane_breathe(p);
			plane_settle(p);
			clock_gettime(CLOCK_MONOTONIC, &tick);
			tick.tv_sec += PLANE_TICK_MS / 1000;
			continue;
		}
		job_run(p, job);
		/* Next hops come in crowds: take them all before homes are found anew. */
		plane_breathe(p);
		plane_settle(p);
	}
	free(job);
	return NULL;
}

static int plane_map(struct plane *p)
{
	__u32 loads;
	size_t words;

	p->vips = dataplane_vips(p->dp, &p->vips_max);
	p->backends = dataplane_backends(p->dp, &p->backends_max);
	p->slots = dataplane_slots(p->dp, &p->slots_max);
	p->flows = dataplane_flows(p->dp, &p->sets_max);
	p->loads = dataplane_loads(p->dp, &loads);
	p->signs = dataplane_signs(p->dp, &loads);
	p->limits = dataplane_backend_limits(p->dp, &loads);
	p->filter = dataplane_filter(p->dp);
	words = p->slots_max / 64 + 1;
	p->vip_by_id = calloc(p->vips_max, sizeof(struct plane_vip *));
	p->backend_by_id = calloc(p->backends_max, sizeof(struct plane_backend *));
	p->serving = calloc(p->backends_max, sizeof(*p->serving));
	p->drift = calloc(p->backends_max, sizeof(*p->drift));
	p->retired_rounds = calloc(p->backends_max, sizeof(*p->retired_rounds));
	p->swept.sum = calloc(p->backends_max, sizeof(*p->swept.sum));
	p->exceptions = calloc(words, sizeof(*p->exceptions));
	p->promote = calloc(words, sizeof(*p->promote));
	p->pinned = calloc(words, sizeof(*p->pinned));
	p->config = config_new();
	if (!p->vip_by_id || !p->backend_by_id || !p->serving || !p->drift || !p->retired_rounds || !p->swept.sum ||
	    !p->exceptions || !p->promote || !p->pinned || !p->config || arena_init(&p->arena, p->slots_max) ||
	    ids_init(&p->vip_ids, p->vips_max) || ids_init(&p->backend_ids, p->backends_max))
		return -ENOMEM;
	return 0;
}

void plane_close(struct plane *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->vip_count; i++)
		plane_vip_free(p->vip[i]);
	free(p->vip);
	plane_paths_free(p);
	plane_addresses_free(p);
	config_free(p->config);
	free(p->override);
	free(p->retired);
	free(p->vip_by_id);
	free(p->backend_by_id);
	free(p->serving);
	free(p->drift);
	free(p->retired_rounds);
	free(p->swept.sum);
	free(p->exceptions);
	free(p->promote);
	free(p->pinned);
	arena_free(&p->arena);
	ids_free(&p->vip_ids);
	ids_free(&p->backend_ids);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int plane_open(struct dataplane *dp, const struct plane_hooks *hooks, struct plane **ret, struct err *err)
{
	struct plane *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;
	int code;

	if (!p)
		return err_set(err, ENOMEM, "no memory for the tables");
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	for (int q = 0; q < PLANE_QUEUES; q++)
		jobs_init(&p->queue[q]);
	p->dp = dp;
	if (hooks)
		p->hooks = *hooks;
	p->epoch = 1;
	p->marked = p->sampled = mono_now();
	code = plane_map(p);
	if (code)
		err_set(err, -code, "no memory for the tables");
	else
		code = plane_adopt(p, err);
	if (code) {
		plane_close(p);
		return code;
	}
	*ret = p;
	return 0;
}

int plane_start(struct dataplane *dp, const struct plane_hooks *hooks, struct plane **ret, struct err *err)
{
	struct plane *p = NULL;
	int code = plane_open(dp, hooks, &p, err);

	if (code)
		return code;
	code = pthread_create(&p->thread, NULL, plane_main, p);
	if (code) {
		plane_close(p);
		return err_set(err, code, "no thread for the tables: %s", strerror(code));
	}
	pthread_setname_np(p->thread, "plane");
	*ret = p;
	return 0;
}

void plane_stop(struct plane *p)
{
	struct plane_job *job;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	for (int q = 0; q < PLANE_QUEUES; q++) {
		while ((job = jobs_pop(&p->queue[q]))) {
			job->fn(NULL, job->arg);
			free(job);
		}
	}
	plane_close(p);
}

const struct config *plane_config(const struct plane *p)
{
	return p->config;
}

void plane_generation(struct plane *p, __u32 generation)
{
	p->generation = generation;
}

int plane_trace(struct plane *p, const struct trace_filter *trace, struct err *err)
{
	return dataplane_reload(p->dp, trace, err);
}

int plane_reseed(struct plane *p, const __u32 seed[16], struct err *err)
{
	return dataplane_reseed(p->dp, seed, err);
}

const char *plane_vip_name(const struct plane *p, __u32 id)
{
	return id < p->vips_max && p->vip_by_id[id] ? p->vip_by_id[id]->name : "";
}

const struct endpoint *plane_backend_at(const struct plane *p, __u32 id)
{
	return id < p->backends_max && p->backend_by_id[id] ? &p->backend_by_id[id]->at : NULL;
}
