// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The plane's thread: queues, urgency, stopping. Not here: what jobs do to tables (plane_test.c).
 */
#include <semaphore.h>
#include <unistd.h>

#include "core/table.h"
#include "plane_world.h"

struct order {
	sem_t done, hold;
	char text[64];
	__u32 cancelled;
	struct world *w;
	struct plane *p;
};

static void note(struct order *o, const char *letter)
{
	size_t len = strlen(o->text);

	snprintf(o->text + len, sizeof(o->text) - len, "%s", letter);
}

static void add(struct order *o, struct plane *p, const char *letter)
{
	if (p)
		note(o, letter);
	else
		o->cancelled++;
	sem_post(&o->done);
}

static void urgent(struct plane *p, void *arg)
{
	add(arg, p, "u");
}

static void normal(struct plane *p, void *arg)
{
	add(arg, p, "n");
}

static void held(struct plane *p, void *arg)
{
	struct order *o = arg;

	sem_wait(&o->hold);
	add(o, p, "h");
}

static struct order *order_new(void)
{
	struct order *o = calloc(1, sizeof(*o));
	struct err err = {0};

	o->w = world_new(NULL);
	plane_close(o->w->p);
	o->w->p = NULL;
	sem_init(&o->done, 0, 0);
	sem_init(&o->hold, 0, 0);
	assert_int_equal(plane_start(&o->w->dp, NULL, &o->p, &err), 0);
	return o;
}

static void order_free(struct order *o)
{
	config_free(o->w->wanted);
	harness_close(o->w->dp.h);
	free(o->w);
	free(o);
}

static void urgent_jobs_go_first(void **state)
{
	struct order *o = order_new();

	(void)state;
	assert_int_equal(plane_post(o->p, PLANE_NORMAL, held, o), 0);
	usleep(20000); /* the thread is in it */
	assert_int_equal(plane_post(o->p, PLANE_NORMAL, normal, o), 0);
	assert_int_equal(plane_post(o->p, PLANE_URGENT, urgent, o), 0);
	assert_int_equal(plane_post(o->p, PLANE_URGENT, urgent, o), 0);
	sem_post(&o->hold);
	for (int i = 0; i < 4; i++)
		sem_wait(&o->done);
	assert_string_equal(o->text, "huun");
	plane_stop(o->p);
	order_free(o);
}

static void a_stop_tells_the_jobs_that_never_ran(void **state)
{
	struct order *o = order_new();

	(void)state;
	assert_int_equal(plane_post(o->p, PLANE_NORMAL, held, o), 0);
	usleep(20000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(plane_post(o->p, PLANE_NORMAL, normal, o), 0);
	o->p->stopping = true; /* as plane_stop() sets it, before the held job ends */
	sem_post(&o->hold);
	plane_stop(o->p);
	assert_string_equal(o->text, "h");
	assert_int_equal(o->cancelled, 3);
	order_free(o);
}

/* Runs inside plane_apply(), where it may show but not apply. */
static void within(struct plane *p, void *arg)
{
	struct order *o = arg;
	struct err err = {0};

	if (p && plane_apply(p, o->w->wanted, true, NULL, &err) == -EBUSY && p->vip_count < o->w->wanted->vip_count)
		note(o, "w");
	sem_post(&o->done);
}

static void apply(struct plane *p, void *arg)
{
	struct order *o = arg;
	struct config *c = config_copy(o->w->wanted);
	struct err err = {0};

	assert_int_equal(plane_post(p, PLANE_URGENT, within, o), 0);
	if (!plane_apply(p, c, false, NULL, &err))
		note(o, "a");
	sem_post(&o->done);
}

static void urgent_jobs_run_in_the_middle_of_an_apply(void **state)
{
	struct order *o = order_new();

	(void)state;
	for (__u32 n = 1; n <= 50; n++)
		world_vip(o->w, n, SCHEDULER_MH, 10);
	assert_int_equal(plane_post(o->p, PLANE_NORMAL, apply, o), 0);
	sem_wait(&o->done);
	sem_wait(&o->done);
	plane_stop(o->p);
	assert_string_equal(o->text, "wa");
	order_free(o);
}

static void shows(struct plane *p, void *arg)
{
	(void)p;
	note(arg, "S");
	sem_post(&((struct order *)arg)->done);
}

/* Has 500 rows; what is posted in its middle is here before its beginning. */
static void show(struct plane *p, void *arg)
{
	struct order *o = arg;
	struct table *t = table_new(KIND_BACKEND);
	struct err err = {0};

	assert_int_equal(plane_post(p, PLANE_NORMAL, normal, o), 0);
	assert_int_equal(plane_post(p, PLANE_SHOW, shows, o), 0);
	assert_int_equal(plane_post(p, PLANE_URGENT, urgent, o), 0);
	if (!plane_show_backends(p, NULL, t, &err) && table_rows(t) == 500)
		note(o, "s");
	table_free(t);
	sem_post(&o->done);
}

static void urgent_jobs_but_no_other_shows_run_between_the_rows_of_a_show(void **state)
{
	struct order *o = order_new();

	(void)state;
	for (__u32 n = 1; n <= 50; n++)
		world_vip(o->w, n, SCHEDULER_MH, 10);
	assert_int_equal(plane_post(o->p, PLANE_NORMAL, apply, o), 0);
	sem_wait(&o->done);
	sem_wait(&o->done);
	o->text[0] = '\0';
	assert_int_equal(plane_post(o->p, PLANE_SHOW, show, o), 0);
	for (int i = 0; i < 4; i++)
		sem_wait(&o->done);
	plane_stop(o->p);
	assert_string_equal(o->text, "usSn");
	order_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgent_jobs_go_first),
		cmocka_unit_test(a_stop_tells_the_jobs_that_never_ran),
		cmocka_unit_test(urgent_jobs_run_in_the_middle_of_an_apply),
		cmocka_unit_test(urgent_jobs_but_no_other_shows_run_between_the_rows_of_a_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
