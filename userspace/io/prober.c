// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The prober's thread: who is a target, when each is probed, what is known. Not here: one probe
 * (probe.c), verdicts (core/check.c).
 *
 * Other threads leave a new set of targets, and single probes, under the lock and wake the thread; they read what is
 * known of targets under the same lock. Only the thread changes targets.
 */
#include "io/prober.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "io/probe.h"

const __u32 prober_buckets_us[PROBER_BUCKETS] = {250,	500,   1000,   2500,   5000,   10000,
						 25000, 50000, 100000, 250000, 500000, 1000000};

/* A check that targets of one set share; the set's targets are one thread's at a time. */
struct rules {
	unsigned int users;
	struct check_config check;
};

/* A target. While probes of it are under way it stays, though it be none any more. */
struct target {
	struct prober *p;
	struct endpoint at;
	struct rules *rules;
	uv_timer_t timer;
	struct check check; /* the thread's alone */
	unsigned int held;  /* by the set, the timer, probes under way */
	bool gone;
	bool known_down, barred; /* of a new one */
	struct probe_status status;
};

/* What a probe of a target has to find its way back. */
struct ticket {
	struct target *t;
	__u32 round;
};

struct once {
	struct once *next;
	struct prober *p;
	struct endpoint at;
	struct check_config rules;
	void (*done)(void *arg, const struct probe_result *result);
	void *arg;
};

struct targets {
	struct target **target; /* owned; sorted */
	size_t count;
};

struct prober {
	struct prober_hooks hooks;
	uv_loop_t uv;
	struct probe_env env;
	int wake_fd;
	uv_poll_t wake;
	pthread_t thread;

	pthread_mutex_t lock;
	struct targets now; /* what is probed; changed by the thread alone */
	struct targets next;
	bool renewed; /* @next is to become @now */
	bool exec;
	struct once *once;
	_Atomic bool stopping;
	struct prober_count count;
};

/* --- sets of targets --- */

static int target_order(const void *key, const void *member)
{
	const struct probe_target *what = key;
	const struct target *t = *(struct target *const *)member;
	int order = endpoint_compare(&what->at, &t->at);

	if (order || what->check == &t->rules->check)
		return order;
	return memcmp(what->check, &t->rules->check, sizeof(*what->check));
}

static struct probe_target target_key(const struct target *t)
{
	return (struct probe_target){t->at, &t->rules->check};
}

static int target_compare(const void *left, const void *right)
{
	const struct probe_target what = target_key(*(struct target *const *)left);

	return target_order(&what, right);
}

static struct target *target_find(const struct targets *set, struct probe_target what)
{
	size_t at;

	return array_find(set->target, set->count, sizeof(*set->target), &what, target_order, &at) ? set->target[at]
												   : NULL;
}

static void target_free(struct target *t)
{
	if (!--t->rules->users)
		free(t->rules);
	free(t);
}

static void targets_free(struct targets *set)
{
	for (size_t i = 0; i < set->count; i++)
		target_free(set->target[i]);
	free(set->target);
	*set = (struct targets){0};
}

/* --- one target, on the thread --- */

static void target_release(struct target *t)
{
	if (!--t->held)
		target_free(t);
}

static void on_target_closed(uv_handle_t *handle)
{
	target_release(handle->data);
}

static void on_due(uv_timer_t *timer);

static void target_arm(struct target *t)
{
	__u64 wait_ms = mono_ms(mono_now(), t->check.due);

	if (!t->gone)
		uv_timer_start(&t->timer, on_due, wait_ms, 0);
}

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

/* Return: whether somebody wants to know. */
static bool status_set(struct target *t, const struct probe_result *r, bool turned)
{
	struct probe_status *s = &t->status;
	bool changed = turned;

	s->probed = true;
	s->last = *r;
	s->checks++;
	s->failures += r->reason != CHECK_FINE;
	if (turned) {
		s->verdict = t->check.verdict;
		s->since_ms = wall_ms();
	}
	if (r->agent.admin != AGENT_UNSAID && s->admin != r->agent.admin) {
		s->admin = r->agent.admin;
		changed = true;
	}
	return changed;
}

static void on_result(void *arg, const struct probe_result *r)
{
	struct ticket *ticket = arg;
	struct target *t = ticket->t;
	struct prober *p = t->p;
	bool changed = false;

	if (!t->gone && !p->stopping) {
		bool turned = check_result(&t->check, &t->rules->check, ticket->round, r->outcome, mono_now());

		pthread_mutex_lock(&p->lock);
		count_result(p, r);
		changed = status_set(t, r, turned);
		pthread_mutex_unlock(&p->lock);
		target_arm(t);
	}
	free(ticket);
	target_release(t);
	if (changed && p->hooks.changed)
		p->hooks.changed(p->hooks.arg);
}

static void on_due(uv_timer_t *timer)
{
	struct target *t = timer->data;
	struct ticket *ticket = malloc(sizeof(*ticket));
	__u32 round = check_probe(&t->check, &t->rules->check, mono_now(), probe_random(&t->p->env));

	target_arm(t);
	if (!ticket)
		return;
	*ticket = (struct ticket){t, round};
	t->held++;
	if (probe_begin(&t->p->env, &t->at, &t->rules->check, on_result, ticket)) {
		free(ticket);
		target_release(t);
	}
}

static void target_begin(struct target *t)
{
	enum check_verdict verdict = t->known_down ? CHECK_DOWN : CHECK_UNKNOWN;

	t->held = 1; /* by the set */
	if (t->barred)
		t->status.barred = true;
	t->status.verdict = verdict;
	t->status.since_ms = wall_ms();
	uv_timer_init(&t->p->uv, &t->timer);
	t->timer.data = t;
	t->held++;
	check_start(&t->check, &t->rules->check, verdict, mono_now(), probe_random(&t->p->env));
	if (!t->barred)
		target_arm(t);
}

static void target_end(struct target *t)
{
	t->gone = true;
	uv_close((uv_handle_t *)&t->timer, on_target_closed);
	target_release(t);
}

/* @next becomes @now: who is in both stays the one that is known. Under the lock, so that nobody looks meanwhile. */
static void targets_renew(struct prober *p)
{
	struct targets old = p->now;
	size_t i;

	p->now = p->next;
	p->next = (struct targets){0};
	p->renewed = false;
	for (i = 0; i < p->now.count; i++) {
		struct target *fresh = p->now.target[i], *known = target_find(&old, target_key(fresh));

		if (!known || known->barred != fresh->barred) {
			target_begin(fresh);
			continue;
		}
		known->held++;
		target_free(fresh);
		p->now.target[i] = known;
	}
	for (i = 0; i < old.count; i++) {
		struct target *t = old.target[i];

		if (target_find(&p->now, target_key(t)) == t)
			target_release(t);
		else
			target_end(t);
	}
	free(old.target);
	p->env.exec = p->exec;
}

/* --- single probes --- */

static void on_once(void *arg, const struct probe_result *r)
{
	struct once *once = arg;

	once->done(once->arg, r);
	free(once);
}

static void once_begin(struct prober *p, struct once *list)
{
	static const struct probe_result none = {.reason = CHECK_LOCAL, .say = "no memory"};
	struct once *once;

	while ((once = list)) {
		list = once->next;
		if (probe_begin(&p->env, &once->at, &once->rules, on_once, once))
			on_once(once, &none);
	}
}

/* --- the thread --- */

static void everything_end(struct prober *p)
{
	probe_env_close(&p->env);
	for (size_t i = 0; i < p->now.count; i++)
		target_end(p->now.target[i]);
	free(p->now.target);
	p->now = (struct targets){0};
	uv_close((uv_handle_t *)&p->wake, NULL);
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
	struct prober *p = wake->data;
	struct once *once;
	__u64 times;
	ssize_t n = read(p->wake_fd, &times, sizeof(times));
	bool stopping;

	(void)n;
	(void)status;
	(void)events;
	pthread_mutex_lock(&p->lock);
	stopping = p->stopping;
	if (p->renewed && !stopping)
		targets_renew(p);
	once = p->once;
	p->once = NULL;
	pthread_mutex_unlock(&p->lock);
	once_begin(p, once);
	if (stopping)
		everything_end(p);
}

static void *prober_main(void *arg)
{
	struct prober *p = arg;

	uv_run(&p->uv, UV_RUN_DEFAULT); /* until all is closed */
	return NULL;
}

static void prober_wake(struct prober *p)
{
	__u64 one = 1;
	ssize_t n = write(p->wake_fd, &one, sizeof(one));

	(void)n;
}

/* Without its thread, all or nothing. */
static int prober_make(struct prober *p, const char *exec_dir, struct err *err)
{
	int rc = uv_loop_init(&p->uv);

	if (rc)
		return err_set(err, -rc, "no loop for probes: %s", uv_strerror(rc));
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0) {
		rc = err_set(err, errno, "no event for probes: %s", strerror(errno));
		goto no_wake;
	}
	rc = probe_env_open(&p->env, &p->uv, exec_dir, err);
	if (rc)
		goto no_env;
	uv_poll_init(&p->uv, &p->wake, p->wake_fd);
	p->wake.data = p;
	uv_poll_start(&p->wake, UV_READABLE, on_wake);
	return 0;
no_env:
	close(p->wake_fd);
no_wake:
	uv_loop_close(&p->uv);
	return rc;
}

int prober_open(const char *exec_dir, const struct prober_hooks *hooks, struct prober **ret, struct err *err)
{
	struct prober *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ENOMEM, "no memory for probes");
	p->hooks = *hooks;
	pthread_mutex_init(&p->lock, NULL);
	rc = prober_make(p, exec_dir, err);
	if (rc)
		goto fail;
	rc = pthread_create(&p->thread, NULL, prober_main, p);
	if (rc) {
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
	struct once *once;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_mutex_unlock(&p->lock);
	prober_wake(p);
	pthread_join(p->thread, NULL);
	while ((once = p->once)) {
		p->once = once->next;
		on_once(once, &none);
	}
	targets_free(&p->next);
	close(p->wake_fd);
	uv_loop_close(&p->uv);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* @rules: if there are some already; NULL: to be made. NULL without memory. */
static struct target *target_new(struct prober *p, const struct probe_target *what, struct rules *rules)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t && !rules) {
		rules = malloc(sizeof(*rules));
		if (rules)
			*rules = (struct rules){.check = *what->check};
	}
	if (!t || !rules) {
		free(t);
		return NULL;
	}
	rules->users++;
	t->p = p;
	t->at = what->at;
	t->rules = rules;
	return t;
}

int prober_targets(struct prober *p, const struct probe_target *target, const bool *down, size_t count, bool exec)
{
	struct targets next = {.target = calloc(count + 1, sizeof(*next.target))}, unused;

	if (!next.target)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct target *t = target_new(
			p, &target[i], i && target[i].check == target[i - 1].check ? next.target[i - 1]->rules : NULL);

		if (!t) {
			targets_free(&next);
			return -ENOMEM;
		}
		t->known_down = down[i];
		t->barred = t->rules->check.kind == CHECK_EXEC && !exec;
		next.target[next.count++] = t;
	}
	qsort(next.target, next.count, sizeof(*next.target), target_compare);
	pthread_mutex_lock(&p->lock);
	unused = p->next;
	p->next = next;
	p->renewed = true;
	p->exec = exec;
	pthread_mutex_unlock(&p->lock);
	targets_free(&unused);
	prober_wake(p);
	return 0;
}

bool prober_look(struct prober *p, const struct endpoint *at, const struct check_config *check,
		 struct probe_status *ret)
{
	const struct target *t;

	pthread_mutex_lock(&p->lock);
	t = target_find(&p->now, (struct probe_target){*at, check});
	if (t)
		*ret = t->status;
	pthread_mutex_unlock(&p->lock);
	return t;
}

void prober_count(struct prober *p, struct prober_count *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->count;
	pthread_mutex_unlock(&p->lock);
}

int prober_once(struct prober *p, const struct endpoint *at, const struct check_config *check,
		void (*done)(void *arg, const struct probe_result *result), void *arg)
{
	struct once *once = malloc(sizeof(*once));

	if (!once)
		return -ENOMEM;
	*once = (struct once){.p = p, .at = *at, .rules = *check, .done = done, .arg = arg};
	pthread_mutex_lock(&p->lock);
	once->next = p->once;
	p->once = once;
	pthread_mutex_unlock(&p->lock);
	prober_wake(p);
	return 0;
}
