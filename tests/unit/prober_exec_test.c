// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks that run a file, and cannot be killed. A process that waits for a disk that is gone cannot be had here: kill()
 * is this program's own, and spares what it is told to. As root alone. Not here: files that behave
 * (tests/net/health.sh).
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/prober.h"
#include "scratch.h"

#define HANGS 3	   /* runs of one target that may hang */
#define ALL   64   /* of all together */
#define WAIT  2000 /* turns of 5 ms: a bound on waiting, no criterion */

static _Atomic bool spared; /* nobody is killed */
static pid_t hung[ALL + HANGS];
static _Atomic size_t hung_count;

int kill(pid_t pid, int sig)
{
	if (sig != SIGKILL || !spared)
		return (int)syscall(SYS_kill, pid, sig);
	hung[hung_count++] = pid;
	return 0;
}

struct world {
	char dir[64];
	struct prober *prober;
};

struct call {
	struct probe_result result;
	_Atomic bool done;
};

static void on_done(void *arg, const struct probe_result *r)
{
	struct call *call = arg;

	call->result = *r;
	call->done = true;
}

static void file_write(const struct world *w, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_make(w->dir, sizeof(w->dir));
	file_write(w, "hangs", "#!/bin/sh\nexec sleep 60\n");
	file_write(w, "fine", "#!/bin/sh\n");
	assert_int_equal(
		prober_open(&(struct prober_dirs){w->dir, w->dir}, &(struct prober_hooks){0}, &w->prober, NULL), 0);
	prober_exec(w->prober, true, true);
	spared = true;
	hung_count = 0;
	*state = w;
	return 0;
}

/* They can be killed again. */
static void relieve(void)
{
	spared = false;
	for (size_t i = 0; i < hung_count; i++)
		kill(hung[i], SIGKILL);
	hung_count = 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	relieve();
	prober_close(w->prober);
	free(w);
	return 0;
}

/* Of a target by its port. */
static struct probe_result run(struct world *w, const char *file, __u16 port)
{
	struct check_config check = {.kind = CHECK_EXEC, .timeout_ms = 100};
	struct endpoint at = {.port = port};
	static struct call call;

	snprintf(check.name, sizeof(check.name), "%s", file);
	if (!strcmp(file, "fine"))
		check.timeout_ms = 5000;
	call = (struct call){0};
	assert_int_equal(prober_probe(w->prober, &at, &check, 0, on_done, &call), 0);
	for (int i = 0; i < WAIT && !call.done; i++)
		usleep(5000);
	assert_true(call.done);
	return call.result;
}

static struct probe_result hook_run(struct world *w, const char *file)
{
	struct endpoint at = {.port = 1};
	static struct call call;

	call = (struct call){0};
	assert_int_equal(prober_restart(w->prober, "web", &at, file, on_done, &call), 0);
	for (int i = 0; i < WAIT && !call.done; i++)
		usleep(5000);
	assert_true(call.done);
	return call.result;
}

static void root_only(void)
{
	if (geteuid())
		skip();
}

static void runs_of_a_target_that_cannot_be_killed_do_not_pile_up(void **state)
{
	struct world *w = *state;
	struct probe_result r;

	root_only();
	for (int i = 0; i < HANGS; i++) {
		r = run(w, "hangs", 1);
		assert_int_equal(r.reason, CHECK_TIMEOUT);
	}
	for (int i = 0; i < 5; i++) {
		r = run(w, "hangs", 1);
		assert_int_equal(r.reason, CHECK_LOCAL);
		assert_int_equal(r.outcome, OUTCOME_NOTHING);
		assert_non_null(strstr(r.say, "3 earlier runs of hangs were killed and have not ended"));
	}
	assert_int_equal(hung_count, HANGS);
	assert_int_equal(run(w, "hangs", 2).reason, CHECK_TIMEOUT); /* another target's */
	assert_int_equal(run(w, "fine", 1).reason, CHECK_FINE);	    /* another file */
}

static void it_runs_again_when_they_have_ended(void **state)
{
	struct world *w = *state;
	struct probe_result r = {0};

	root_only();
	for (int i = 0; i <= HANGS; i++)
		r = run(w, "hangs", 1);
	assert_int_equal(r.reason, CHECK_LOCAL);
	relieve();
	for (int i = 0; i < WAIT && r.reason == CHECK_LOCAL; i++)
		r = run(w, "hangs", 1);
	assert_int_equal(r.reason, CHECK_TIMEOUT);
}

static void of_all_targets_some_may_hang(void **state)
{
	struct check_config check = {.kind = CHECK_EXEC, .timeout_ms = 100, .name = "hangs"};
	static struct call call[ALL];
	struct world *w = *state;
	struct probe_result r;

	root_only();
	memset(call, 0, sizeof(call));
	for (size_t i = 0; i < ALL; i++) {
		struct endpoint at = {.port = (__be16)(i + 1)};

		assert_int_equal(prober_probe(w->prober, &at, &check, 0, on_done, &call[i]), 0);
	}
	for (size_t i = 0; i < ALL; i++)
		for (int turn = 0; turn < WAIT && !call[i].done; turn++)
			usleep(5000);
	r = run(w, "fine", 1000);
	assert_int_equal(r.reason, CHECK_LOCAL);
	assert_non_null(strstr(r.say, "64 earlier runs of checks"));
	assert_int_equal(hook_run(w, "fine").reason, CHECK_FINE); /* which are apart */
	relieve();
	for (int i = 0; i < WAIT && r.reason == CHECK_LOCAL; i++)
		r = run(w, "fine", 1000);
	assert_int_equal(r.reason, CHECK_FINE);
}

static void the_prober_ends_though_they_do_not(void **state)
{
	struct world *w = *state;

	root_only();
	assert_int_equal(run(w, "hangs", 1).reason, CHECK_TIMEOUT);
	prober_close(w->prober);
	w->prober = NULL;
	assert_int_equal(hung_count, 1);
	assert_int_equal(waitpid(hung[0], NULL, WNOHANG), 0); /* it runs on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_of_a_target_that_cannot_be_killed_do_not_pile_up, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(it_runs_again_when_they_have_ended, world_open, world_close),
		cmocka_unit_test_setup_teardown(of_all_targets_some_may_hang, world_open, world_close),
		cmocka_unit_test_setup_teardown(the_prober_ends_though_they_do_not, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
