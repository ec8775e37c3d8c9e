// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The loop's queue and its workers. Not here: sockets (control_test.c), the lag it measures.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/loop.h"

#define POSTS	  2000
#define POST_NS	  50000	  /* of work before each */
#define LONG_NS	  2000000 /* more than the loop gives posted functions in a turn */
#define LONG_JOBS 20
#define WORKS	  50

struct world {
	struct loop *loop;
	pthread_t thread; /* the loop's */
	size_t posted, done;
	_Atomic size_t worked;
	uv_prepare_t prepare;
	size_t turns;
};

static _Atomic size_t yields;

/* In place of the C library's, also for libuv: whoever waits for another thread does not do so by spinning. */
int sched_yield(void)
{
	yields++;
	return 0;
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err = {0};

	if (loop_open(&w->loop, &err))
		fail_msg("%s", err.text);
	w->thread = pthread_self();
	return w;
}

static void on_stop(void *arg)
{
	struct world *w = arg;

	loop_stop(w->loop);
}

struct numbered {
	struct world *w;
	size_t number;
};

static void on_numbered(void *arg)
{
	struct numbered *n = arg;

	assert_int_equal(n->number, n->w->done++);
	assert_true(pthread_equal(pthread_self(), n->w->thread));
	free(n);
}

static void work_for(__u64 ns)
{
	struct mono start = mono_now();

	while (mono_now().ns - start.ns < ns)
		;
}

static void *numbers_post(void *arg)
{
	struct world *w = arg;

	for (; w->posted < POSTS; w->posted++) {
		struct numbered *n = malloc(sizeof(*n));

		work_for(POST_NS);
		*n = (struct numbered){.w = w, .number = w->posted};
		assert_int_equal(loop_post(w->loop, on_numbered, n), 0);
	}
	loop_post(w->loop, on_stop, w);
	return NULL;
}

static void post_from_another_thread(struct world *w)
{
	pthread_t poster;

	assert_int_equal(pthread_create(&poster, NULL, numbers_post, w), 0);
	loop_run(w->loop);
	pthread_join(poster, NULL);
	assert_int_equal(w->done, POSTS);
	loop_close(w->loop);
	free(w);
}

static void what_is_posted_runs_on_the_loop_in_order(void **state)
{
	(void)state;
	post_from_another_thread(world_new());
}

/* On one CPU the loop takes it from the thread that wakes it, in the middle of that. */
static void who_is_woken_does_not_spin(void **state)
{
	cpu_set_t all, one;

	(void)state;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	yields = 0;
	post_from_another_thread(world_new());
	assert_int_equal(yields, 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void on_long(void *arg)
{
	struct world *w = arg;

	work_for(LONG_NS);
	if (++w->done == LONG_JOBS)
		loop_stop(w->loop);
}

static void on_turn(uv_prepare_t *prepare)
{
	struct world *w = prepare->data;

	w->turns++;
}

static void sockets_have_their_turn_between_long_functions(void **state)
{
	struct world *w = world_new();

	(void)state;
	uv_prepare_init(loop_uv(w->loop), &w->prepare);
	w->prepare.data = w;
	uv_prepare_start(&w->prepare, on_turn);
	for (size_t i = 0; i < LONG_JOBS; i++)
		assert_int_equal(loop_post(w->loop, on_long, w), 0);
	loop_run(w->loop);
	assert_true(w->turns >= LONG_JOBS);
	uv_close((uv_handle_t *)&w->prepare, NULL);
	loop_close(w->loop);
	free(w);
}

static void on_work(void *arg)
{
	struct world *w = arg;

	assert_false(pthread_equal(pthread_self(), w->thread));
	w->worked++;
}

static void on_worked(void *arg)
{
	struct world *w = arg;

	assert_true(pthread_equal(pthread_self(), w->thread));
	assert_true(w->worked > w->done);
	if (++w->done == WORKS)
		loop_stop(w->loop);
}

static void work_is_done_elsewhere_and_told_on_the_loop(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < WORKS; i++)
		assert_int_equal(loop_work(w->loop, on_work, on_worked, w), 0);
	loop_run(w->loop);
	assert_int_equal(w->done, WORKS);
	loop_close(w->loop);
	free(w);
}

static void closing_ends_the_work_that_was_begun(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < WORKS; i++)
		assert_int_equal(loop_work(w->loop, on_work, on_worked, w), 0);
	loop_close(w->loop);
	assert_int_equal(w->done, WORKS);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_posted_runs_on_the_loop_in_order),
		cmocka_unit_test(who_is_woken_does_not_spin),
		cmocka_unit_test(sockets_have_their_turn_between_long_functions),
		cmocka_unit_test(work_is_done_elsewhere_and_told_on_the_loop),
		cmocka_unit_test(closing_ends_the_work_that_was_begun),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
