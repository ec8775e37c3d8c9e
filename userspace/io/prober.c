// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The prober's thread. Not here: one probe (probe.c).
 *
 * Probes that are wanted stand in a list under the lock; who adds one wakes the thread. Whenever its loop is about to
 * wait, the owner gets its turn, and then what is in the list is begun.
 */
#include "io/prober.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/probe.h"

const __u32 prober_buckets_us[PROBER_BUCKETS] = {250,	500,   1000,   2500,   5000,   10000,
						 25000, 50000, 100000, 250000, 500000, 1000000};

/* A probe that is wanted, or under way. */
struct wanted {
	struct wanted *next;
	struct prober *p;
	struct endpoint at;
	struct check_config check;
	__u32 mark;
	char vip[STARLING_NAME_BYTES]; /* of a hook; "": it is a probe */
	probe_done_fn *done;
	void *arg;
};

struct prober {
	struct prober_hooks hooks;
	uv_loop_t uv;
	struct probe_env env;
	int wake_fd;
	uv_poll_t wake;
	uv_timer_t due;
	uv_prepare_t turn;
	pthread_t thread;
	_Atomic bool exec, restarts, stopping;

	pthread_mutex_t lock;
	struct wanted *first, *last;
	struct prober_count count;
};

/* --- probes --- */

static void count_result(struct prober *p, const struct probe_result *r)
{
	size_t i = 0;

	p->count.checks++;
	if (r->reason != CHECK_FINE) {
		p->count.failures[r->reason]++;
		return;
	}
	while (i < PROBER_BUCKETS && r->took_us > prober_buckets_us[i])
		i++;
	p->count.bucket[i]++;
	p->count.took_us += r->took_us;
}

static void on_result(void *arg, const struct probe_result *r)
{
	struct wanted *w = arg;

	pthread_mutex_lock(&w->p->lock);
	if (!w->vip[0])
		count_result(w->p, r);
	pthread_mutex_unlock(&w->p->lock);
	if (w->done)
		w->done(w->arg, r);
	free(w);
}

static struct wanted *wanted_take(struct prober *p)
{
	struct wanted *ret;

	pthread_mutex_lock(&p->lock);
	ret = p->first;
	p->first = p->last = NULL;
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static void wanted_begin(struct prober *p)
{
	static const struct probe_result none = {.reason = CHECK_LOCAL, .say = "no memory"};
	struct wanted *list = wanted_take(p), *w;

	while ((w = list)) {
		list = w->next;
		if (probe_begin(&p->env, &w->at, &w->check, w->mark, w->vip, on_result, w))
			on_result(w, &none);
	}
}

/* --- the thread --- */

static void on_due(uv_timer_t *timer)
{
	(void)timer; /* the loop turns */
}

/* What probes brought is looked at before the loop waits. */
static void on_turn(uv_prepare_t *turn)
{
	struct prober *p = turn->data;
	struct mono now = mono_now(), due = {UINT64_MAX};

	if (p->stopping)
		return;
	p->env.exec = p->exec;
	p->env.restarts = p->restarts;
	if (p->hooks.turn)
		due = p->hooks.turn(p->hooks.arg, now);
	wanted_begin(p);
	uv_update_time(&p->uv);
	if (due.ns == UINT64_MAX)
		uv_timer_stop(&p->due);
	else
		uv_timer_start(&p->due, on_due, due.ns > now.ns ? mono_ms(now, due) + 1 : 0, 0);
}

static void everything_end(struct prober *p)
{
	probe_env_close(&p->env);
	uv_close((uv_handle_t *)&p->wake, NULL);
	uv_close((uv_handle_t *)&p->due, NULL);
	uv_close((uv_handle_t *)&p->turn, NULL);
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
	struct prober *p = wake->data;
	__u64 times;
	ssize_t n = read(p->wake_fd, &times, sizeof(times));

	(void)n;
	(void)status;
	(void)events;
	if (p->stopping)
		everything_end(p);
}

static void *prober_main(void *arg)
{
	struct prober *p = arg;

	uv_run(&p->uv, UV_RUN_DEFAULT); /* until all is closed */
	return NULL;
}

void prober_wake(struct prober *p)
{
	__u64 one = 1;
	ssize_t n = write(p->wake_fd, &one, sizeof(one));

	(void)n;
}

/* Without its thread, all or nothing. */
static int prober_make(struct prober *p, const struct prober_dirs *dirs, struct err *err)
{
	int rc = uv_loop_init(&p->uv);

	if (rc)
		return err_set(err, -rc, "no loop for probes: %s", uv_strerror(rc));
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0) {
		rc = err_set(err, errno, "no event for probes: %s", strerror(errno));
		goto no_wake;
	}
	rc = probe_env_open(&p->env, &p->uv, dirs, err);
	if (rc)
		goto no_env;
	uv_poll_init(&p->uv, &p->wake, p->wake_fd);
	uv_timer_init(&p->uv, &p->due);
	uv_prepare_init(&p->uv, &p->turn);
	p->wake.data = p->turn.data = p;
	uv_poll_start(&p->wake, UV_READABLE, on_wake);
	uv_prepare_start(&p->turn, on_turn);
	return 0;
no_env:
	close(p->wake_fd);
no_wake:
	uv_loop_close(&p->uv);
	return rc;
}

int prober_open(const struct prober_dirs *dirs, const struct prober_hooks *hooks, struct prober **ret, struct err *err)
{
	struct prober *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ENOMEM, "no memory for probes");
	p->hooks = *hooks;
	pthread_mutex_init(&p->lock, NULL);
	rc = prober_make(p, dirs, err);
	if (rc)
		goto fail;
	rc = pthread_create(&p->thread, NULL, prober_main, p);
	if (rc) {
		p->stopping = true;
		everything_end(p);
		prober_main(p);
		close(p->wake_fd);
		uv_loop_close(&p->uv);
		rc = err_set(err, rc, "no thread for probes: %s", strerror(rc));
		goto fail;
	}
	pthread_setname_np(p->thread, "prober");
	*ret = p;
	return 0;
fail:
	pthread_mutex_destroy(&p->lock);
	free(p);
	return rc;
}

void prober_close(struct prober *p)
{
	static const struct probe_result none = {.reason = CHECK_LOCAL, .say = "stopping"};
	struct wanted *list, *w;

	if (!p)
		return;
	p->stopping = true;
	prober_wake(p);
	pthread_join(p->thread, NULL);
	list = wanted_take(p);
	while ((w = list)) {
		list = w->next;
		on_result(w, &none);
	}
	close(p->wake_fd);
	uv_loop_close(&p->uv);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int wanted_add(struct prober *p, const struct wanted *wanted)
{
	struct wanted *w = malloc(sizeof(*w));
	bool first;

	if (!w)
		return -ENOMEM;
	*w = *wanted;
	w->p = p;
	pthread_mutex_lock(&p->lock);
	first = !p->first;
	if (first)
		p->first = w;
	else
		p->last->next = w;
	p->last = w;
	pthread_mutex_unlock(&p->lock);
	if (first)
		prober_wake(p);
	return 0;
}

int prober_probe(struct prober *p, const struct endpoint *at, const struct check_config *check, __u32 mark,
		 probe_done_fn *done, void *arg)
{
	return wanted_add(p, &(struct wanted){.at = *at, .check = *check, .mark = mark, .done = done, .arg = arg});
}

int prober_restart(struct prober *p, const char *vip, const struct endpoint *at, const char *name, probe_done_fn *done,
		   void *arg)
{
	struct wanted wanted = {.at = *at, .done = done, .arg = arg};

	wanted.check.kind = CHECK_EXEC;
	wanted.check.timeout_ms = PROBER_RESTART_MS;
	snprintf(wanted.check.name, sizeof(wanted.check.name), "%s", name);
	snprintf(wanted.vip, sizeof(wanted.vip), "%s", vip);
	return wanted_add(p, &wanted);
}

void prober_exec(struct prober *p, bool checks, bool hooks)
{
	p->exec = checks;
	p->restarts = hooks;
}

void prober_count(struct prober *p, struct prober_count *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->count;
	pthread_mutex_unlock(&p->lock);
}
