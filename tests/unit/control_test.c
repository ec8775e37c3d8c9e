// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Streams of the control socket end with their readers, however those leave. Not here: requests
 * (tests/cli/abuse.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/control.h"

#define TURNS 2000 /* of the loop, at most, until what is waited for has happened */

struct world {
	struct loop *loop;
	struct control *control;
	char path[64];
	size_t requests, ends;
	size_t lines; /* sent to each stream as it starts */
};

static void on_request(void *arg, struct control *control, const struct control_peer *peer, char *line, size_t len)
{
	static char row[1024];
	struct world *w = arg;
	size_t i;

	(void)len;
	free(line);
	w->requests++;
	memset(row, 'x', sizeof(row));
	row[sizeof(row) - 1] = '\n';
	assert_true(control_stream_start(control, peer->client));
	for (i = 0; i < w->lines; i++)
		control_stream_line(control, peer->client, row, sizeof(row));
}

static void on_end(void *arg, struct control *control, __u64 client)
{
	struct world *w = arg;

	(void)control;
	(void)client;
	w->ends++;
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct control_hooks hooks = {.arg = w, .request = on_request, .stream_end = on_end};
	struct control_options options = {.mode = 0600, .request_bytes = 4096};
	struct err err = {0};

	snprintf(w->path, sizeof(w->path), "/tmp/control-test-%d.sock", (int)getpid());
	options.path = w->path;
	*state = w;
	return loop_open(&w->loop, &err) || control_open(w->loop, &options, &hooks, &w->control, &err);
}

static int world_close(void **state)
{
	struct world *w = *state;

	control_close(w->control);
	loop_close(w->loop);
	free(w);
	return 0;
}

static int reader_connect(const struct world *w)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", w->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, "watch\n", 6), 6);
	return fd;
}

static void turn_until(struct world *w, const size_t *count, size_t wanted)
{
	int i;

	for (i = 0; i < TURNS && *count < wanted; i++) {
		uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
		usleep(500);
	}
}

static void end_is_told(struct world *w, size_t lines, int shut)
{
	int fd;

	w->lines = lines;
	fd = reader_connect(w);
	turn_until(w, &w->requests, 1);
	assert_int_equal(w->requests, 1);
	if (shut)
		shutdown(fd, SHUT_WR);
	else
		close(fd);
	turn_until(w, &w->ends, 1);
	assert_int_equal(w->ends, 1);
	if (shut)
		close(fd);
}

static void reader_that_has_read_all_leaves_and_its_stream_ends(void **state)
{
	end_is_told(*state, 0, 0);
}

/* More lines than the kernel's buffer takes: some are still queued when the reader goes. */
static void reader_that_is_behind_leaves_and_its_stream_ends(void **state)
{
	end_is_told(*state, 900, 0);
}

static void reader_that_is_behind_says_no_more_and_its_stream_ends(void **state)
{
	end_is_told(*state, 900, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reader_that_has_read_all_leaves_and_its_stream_ends, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(reader_that_is_behind_leaves_and_its_stream_ends, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(reader_that_is_behind_says_no_more_and_its_stream_ends, world_open,
						world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
