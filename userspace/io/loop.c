// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libuv's loop with a queue for other threads, workers and the lag meter. Not here: anything
 * that is done on the loop.
 *
 * Other threads wake it by an eventfd. libuv's own way, uv_async_send(), writes to one as well,
 * but is not through with it then: the thread that it wakes takes the CPU from it and spins until
 * it is, up to 25 ms where both share the one CPU. Work that is done in libuv's thread pool comes
 * back in that way, so the workers are our own.
 */
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/workers.h"

#define LOOP_TURN_MS   100   /* the loop turns at least so often, so that silence means trouble */
#define LOOP_WINDOW_MS 30000 /* lag is the maximum of this window and the one before */

#define LOOP_BUDGET_NS 1000000ull /* of posted work before the sockets get their turn */
#define LOOP_WORKERS   4	  /* requests that are parsed at once, next hops asked for beside them */

struct loop_task {
	struct loop_task *next;
	void (*fn)(void *arg);
	void *arg;
	struct loop *loop;	 /* of work, as is the next */
	void (*work)(void *arg); /* comes first, on a worker's thread */
};

struct loop {
	uv_loop_t uv;
	int wake_fd;
	uv_poll_t wake;
	struct workers *workers;
	uv_prepare_t prepare;
	uv_timer_t turn;
	pthread_mutex_t lock; /* of the queue */
	struct loop_task *first, **last;
	struct mono busy_since; /* end of the last wait */
	__u64 idle_ns;		/* libuv's count of waiting, at busy_since */
	struct mono window_start;
	__u64 window_max_ns[2]; /* this window, the one before */
	_Atomic __u64 lag_ns;
	_Atomic __u64 turned_ns;
};

static struct loop_task *queue_take(struct loop *loop)
{
	struct loop_task *task;

	pthread_mutex_lock(&loop->lock);
	task = loop->first;
	if (task)
		loop->first = task->next;
	if (!loop->first)
		loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	return task;
}

/* Return: whether there is more than could be done within @budget_ns. */
static bool queue_run(struct loop *loop, __u64 budget_ns)
{
	__u64 start_ns = mono_now().ns;
	struct loop_task *task;

	while ((task = queue_take(loop))) {
		task->fn(task->arg);
		free(task);
		if (mono_now().ns - start_ns > budget_ns)
			return true;
	}
	return false;
}

static void loop_wake(struct loop *loop)
{
	__u64 one = 1;
	ssize_t n = write(loop->wake_fd, &one, sizeof(one));

	(void)n; /* nothing but a full counter could be in the way, and that wakes too */
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
	struct loop *loop = wake->data;
	__u64 count;
	ssize_t n = read(loop->wake_fd, &count, sizeof(count));

	(void)n;
	(void)status;
	(void)events;
	if (queue_run(loop, LOOP_BUDGET_NS))
		loop_wake(loop);
}

static void on_turn(uv_timer_t *timer)
{
	(void)timer; /* its only use is to end the wait */
}

/* Just before the loop waits: what was not waiting since the last call was work. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct loop *loop = prepare->data;
	struct mono now = mono_now();
	__u64 idle_ns = uv_metrics_idle_time(&loop->uv), spent_ns, waited_ns, busy_ns;

	spent_ns = now.ns - loop->busy_since.ns;
	waited_ns = idle_ns - loop->idle_ns;
	busy_ns = spent_ns > waited_ns ? spent_ns - waited_ns : 0;
	loop->busy_since = now;
	loop->idle_ns = idle_ns;
	if (mono_ms(loop->window_start, now) >= LOOP_WINDOW_MS) {
		loop->window_max_ns[1] = loop->window_max_ns[0];
		loop->window_max_ns[0] = 0;
		loop->window_start = now;
	}
	if (busy_ns > loop->window_max_ns[0])
		loop->window_max_ns[0] = busy_ns;
	atomic_store(&loop->lag_ns,
		     loop->window_max_ns[0] > loop->window_max_ns[1] ? loop->window_max_ns[0] : loop->window_max_ns[1]);
	atomic_store(&loop->turned_ns, now.ns);
}

static int wake_open(struct loop *loop, struct err *err)
{
	int rc;

	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return err_set(err, errno, "cannot make the event loop's eventfd: %s", strerror(errno));
	rc = uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd);
	if (!rc)
		rc = uv_poll_start(&loop->wake, UV_READABLE, on_wake);
	if (!rc)
		return 0;
	close(loop->wake_fd);
	return err_set(err, -rc, "cannot wait for an eventfd: %s", uv_strerror(rc));
}

int loop_open(struct loop **ret_loop, struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (!loop)
		return err_set(err, ENOMEM, "no memory for the event loop");
	rc = uv_loop_init(&loop->uv);
	if (rc) {
		free(loop);
		return err_set(err, -rc, "cannot make the event loop: %s", uv_strerror(rc));
	}
	uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
	rc = wake_open(loop, err);
	if (rc) {
		uv_loop_close(&loop->uv);
		free(loop);
		return rc;
	}
	pthread_mutex_init(&loop->lock, NULL);
	loop->last = &loop->first;
	uv_prepare_init(&loop->uv, &loop->prepare);
	uv_timer_init(&loop->uv, &loop->turn);
	loop->wake.data = loop;
	loop->prepare.data = loop;
	loop->busy_since = loop->window_start = mono_now();
	loop->turned_ns = loop->busy_since.ns;
	rc = workers_open("worker", LOOP_WORKERS, &loop->workers, err);
	if (rc) {
		loop_close(loop);
		return rc;
	}
	*ret_loop = loop;
	return 0;
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

void loop_run(struct loop *loop)
{
	loop->busy_since = loop->window_start = mono_now();
	loop->idle_ns = uv_metrics_idle_time(&loop->uv);
	uv_prepare_start(&loop->prepare, on_prepare);
	uv_timer_start(&loop->turn, on_turn, LOOP_TURN_MS, LOOP_TURN_MS);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_timer_stop(&loop->turn);
	uv_prepare_stop(&loop->prepare);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	workers_close(loop->workers);
	queue_run(loop, ~0ull);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->turn, NULL);
	/* A stop that came when the loop did not run ends the first one at once. */
	if (uv_run(&loop->uv, UV_RUN_DEFAULT))
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	queue_run(loop, ~0ull);
	uv_loop_close(&loop->uv);
	close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void task_queue(struct loop *loop, struct loop_task *task)
{
	bool alone;

	pthread_mutex_lock(&loop->lock);
	alone = !loop->first;
	*loop->last = task;
	loop->last = &task->next;
	pthread_mutex_unlock(&loop->lock);
	if (alone) /* else somebody has woken it, or it goes on by itself */
		loop_wake(loop);
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_task *task = malloc(sizeof(*task));

	if (!task)
		return -ENOMEM;
	*task = (struct loop_task){.fn = fn, .arg = arg};
	task_queue(loop, task);
	return 0;
}

static void task_work(void *arg)
{
	struct loop_task *task = arg;

	task->work(task->arg);
	task_queue(task->loop, task);
}

int loop_work(struct loop *loop, void (*fn)(void *arg), void (*done)(void *arg), void *arg)
{
	struct loop_task *task = malloc(sizeof(*task));

	if (!task)
		return -ENOMEM;
	*task = (struct loop_task){.fn = done, .arg = arg, .loop = loop, .work = fn};
	if (!workers_post(loop->workers, task_work, task))
		return 0;
	free(task);
	return -ENOMEM;
}

double loop_lag_s(struct loop *loop)
{
	return (double)atomic_load(&loop->lag_ns) / 1e9;
}

__u64 loop_silent_ms(struct loop *loop)
{
	return mono_ms((struct mono){.ns = atomic_load(&loop->turned_ns)}, mono_now());
}
