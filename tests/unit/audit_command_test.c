// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `node audit` through the control socket: long logs, and a daemon that stops. Not here: the log (audit_log_test),
 * others' (tests/net/audit.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/audit_state.h"
#include "daemon/task.h"
#include "signer.h"
#include "scratch.h"

#define TURNS 4000 /* of the loop, at most, until an answer is there */

struct world {
	struct daemon d;
	struct signer signer;
	char answer[65536];
};

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct control_hooks hooks = {.arg = &w->d, .request = task_request};
	struct control_options options = {.mode = 0600, .read_only = true, .request_bytes = 4096};
	char path[PATH_MAX + 8];

	strcpy(w->d.node, "lb1");
	scratch_make(w->d.state_dir, sizeof(w->d.state_dir));
	snprintf(path, sizeof(path), "%s/socket", w->d.state_dir);
	options.path = path;
	signer_real(&w->signer, 1);
	assert_int_equal(loop_open(&w->d.loop, NULL), 0);
	assert_int_equal(workers_open("scribe", 1, &w->d.scribe, NULL), 0);
	assert_int_equal(audit_open(&w->d, &w->d.audit, NULL), 0);
	audit_identity(w->d.audit, &w->signer.identity);
	audit_begin(w->d.audit);
	*state = w;
	return control_open(w->d.loop, &options, &hooks, &w->d.control[SOCKET_READ], NULL);
}

static int world_close(void **state)
{
	struct world *w = *state;

	control_close(w->d.control[SOCKET_READ]);
	w->d.control[SOCKET_READ] = NULL;
	audit_stop(w->d.audit);
	workers_close(w->d.scribe);
	loop_close(w->d.loop);
	audit_close(w->d.audit);
	free(w);
	return 0;
}

/* What is answered to these words, in JSON. */
static const char *ask(struct world *w, const char *words)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n;

	snprintf(to.sun_path, sizeof(to.sun_path), "%.60s/socket", w->d.state_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_true(dprintf(fd, "{\"words\":[%s]}\n", words) > 0);
	for (int i = 0; i < TURNS && !memchr(w->answer, '\n', len); i++) {
		uv_run(loop_uv(w->d.loop), UV_RUN_NOWAIT);
		n = recv(fd, w->answer + len, sizeof(w->answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
		else
			usleep(500);
	}
	close(fd);
	w->answer[len] = '\0';
	return w->answer;
}

static void a_log_of_more_rows_than_go_at_once_is_shown(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 70; i++)
		audit_note(w->d.audit, "root@lb1", "vip delete web%d", i);
	assert_non_null(strstr(ask(w, "\"node\",\"audit\",\"show\""), "vip delete web69"));
	assert_non_null(strstr(w->answer, "vip delete web0\""));
	assert_non_null(strstr(ask(w, "\"node\",\"audit\",\"verify\""), "72 entries in 1 chain"));
}

static void what_comes_while_the_daemon_stops_is_refused(void **state)
{
	struct world *w = *state;

	/* its peers are gone already */
	assert_non_null(strstr(ask(w, "\"node\",\"audit\",\"show\",\"lb2\""), "the daemon is stopping"));
	audit_stop(w->d.audit);
	assert_non_null(strstr(ask(w, "\"node\",\"audit\",\"verify\""), "the daemon is stopping"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_log_of_more_rows_than_go_at_once_is_shown, world_open, world_close),
		cmocka_unit_test_setup_teardown(what_comes_while_the_daemon_stops_is_refused, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
