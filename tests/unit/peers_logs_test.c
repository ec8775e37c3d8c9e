// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Others that ask for the audit log and go, again and again. Not here: what they get (net/audit.sh), the copy
 * (audit_copy_test).
 */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/audit.h"
#include "daemon/peers_stream.h"
#include "scratch.h"

struct world {
	struct daemon d;
	struct peers p;
	struct bulks bulks;
	sem_t begun, ends; /* what the log's reader does first */
};

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->d.node, "lb1");
	scratch_make(w->d.state_dir, sizeof(w->d.state_dir));
	pthread_mutex_init(&w->p.lock, NULL);
	sem_init(&w->begun, 0, 0);
	sem_init(&w->ends, 0, 0);
	w->p.d = &w->d;
	w->bulks.p = &w->p;
	assert_int_equal(loop_open(&w->d.loop, NULL), 0);
	assert_int_equal(audit_open(&w->d, &w->d.audit, NULL), 0);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	audit_stop(w->d.audit);
	loop_close(w->d.loop);
	audit_close(w->d.audit);
	free(w);
	return 0;
}

/* The reader has much to do. */
static void read_long(void *arg)
{
	struct world *w = arg;

	sem_post(&w->begun);
	sem_wait(&w->ends);
}

static void reader_hold(struct world *w)
{
	assert_int_equal(audit_read(w->d.audit, read_long, w, NULL), 0);
	sem_wait(&w->begun);
}

/* A stream that asks, and ends at once. */
static int ask_and_go(struct world *w)
{
	struct stream s = {.bulks = &w->bulks};
	int rc;

	pthread_mutex_lock(&w->p.lock);
	rc = peers_log_wanted(&s);
	if (!rc) {
		assert_int_equal(peers_log_wanted(&s), -EBADMSG);
		peers_log_forget(&s);
	}
	pthread_mutex_unlock(&w->p.lock);
	return rc;
}

static void asks_of_those_who_go_do_not_pile_up(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 2; round++) {
		reader_hold(w);
		for (int i = 0; i < BULK_CALLED; i++)
			assert_int_equal(ask_and_go(w), 0);
		for (int i = 0; i < BULK_CALLED; i++)
			assert_int_equal(ask_and_go(w), -EBUSY);
		sem_post(&w->ends);
		reader_hold(w); /* behind them */
		sem_post(&w->ends);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_of_those_who_go_do_not_pile_up, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
