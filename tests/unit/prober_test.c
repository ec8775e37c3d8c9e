// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The prober against servers of its own on the loopback: each kind that needs no privilege, and
 * servers that behave badly. Not here: icmp, https, real servers (tests/net/health.sh),
 * exec (prober_exec_test).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/prober.h"
#include "scratch.h"

#define WAIT_MS 10000 /* a bound on waiting, no criterion */

static const struct prober_dirs nowhere_dirs = {"/nonexistent", "/nonexistent"};

/* What a server does with a connection, or a datagram. */
enum manner { SAYS, DRIPS, FLOODS, HANGS, CLOSES };

struct server {
	int fd, stop[2];
	pthread_t thread;
	struct endpoint at;
	int type;
	_Atomic int manner;
	const char *says;
	_Atomic unsigned int calls;
};

static void flood(int fd)
{
	static char bytes[16384];

	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 1000; i++)
		if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
			return;
}

static void drip(int fd)
{
	for (int i = 0; i < 1000; i++) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
			return;
		usleep(20000);
	}
}

static void serve(struct server *s)
{
	int fd = accept(s->fd, NULL, NULL);
	char heard[1024];
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return;
	s->calls++;
	if (s->manner != CLOSES && poll(&wait, 1, 100) > 0 && recv(fd, heard, sizeof(heard), 0) < 0)
		goto out;
	if (s->manner == SAYS || s->manner == FLOODS || s->manner == DRIPS)
		send(fd, s->says, strlen(s->says), MSG_NOSIGNAL);
	if (s->manner == FLOODS)
		flood(fd);
	if (s->manner == DRIPS)
		drip(fd);
	if (s->manner == HANGS)
		poll(&wait, 1, WAIT_MS);
out:
	close(fd);
}

static void echo(struct server *s)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char heard[1024];
	ssize_t n = recvfrom(s->fd, heard, sizeof(heard), 0, (struct sockaddr *)&from, &len);

	s->calls++;
	if (n >= 0 && s->manner == SAYS)
		sendto(s->fd, s->says, strlen(s->says), 0, (struct sockaddr *)&from, len);
}

static void *server_main(void *arg)
{
	struct server *s = arg;
	struct pollfd wait[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};

	while (poll(wait, 2, -1) > 0 && !wait[1].revents) {
		if (s->type == SOCK_STREAM)
			serve(s);
		else
			echo(s);
	}
	return NULL;
}

static struct server *server_start(int type, enum manner manner, const char *says)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	assert_non_null(s);
	s->type = type;
	s->manner = manner;
	s->says = says;
	s->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	addr_parse("127.0.0.1", &s->at.addr);
	s->at.port = at.sin_port;
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
	return s;
}

static void server_stop(struct server *s)
{
	assert_int_equal(write(s->stop[1], "x", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->fd);
	close(s->stop[0]);
	close(s->stop[1]);
	free(s);
}

/* --- single probes --- */

struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has;
	struct probe_result result;
};

static void on_once(void *arg, const struct probe_result *result)
{
	struct outcome *o = arg;

	pthread_mutex_lock(&o->lock);
	o->result = *result;
	o->has = true;
	pthread_cond_signal(&o->ended);
	pthread_mutex_unlock(&o->lock);
}

static const struct probe_result *result_wait(struct outcome *o)
{
	pthread_mutex_lock(&o->lock);
	while (!o->has)
		pthread_cond_wait(&o->ended, &o->lock);
	pthread_mutex_unlock(&o->lock);
	return &o->result;
}

static struct probe_result once(struct prober *p, const struct server *s, struct check_config check)
{
	struct outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	struct err err;

	if (check_config_complete(&check, &err))
		fail_msg("%s", err.text);
	assert_int_equal(prober_probe(p, &s->at, &check, 0, on_once, &o), 0);
	return *result_wait(&o);
}

static struct prober *prober_begin(void)
{
	struct prober_hooks hooks = {0};
	struct prober *p = NULL;
	struct err err;

	if (prober_open(&nowhere_dirs, &hooks, &p, &err))
		fail_msg("%s", err.text);
	return p;
}

static void what_is_expected_is_told_from_what_is_not(void **state)
{
	static const struct {
		int type;
		enum manner manner;
		const char *says;
		struct check_config check;
		enum check_reason reason;
		const char *say; /* NULL: any */
	} cases[] = {
		{SOCK_STREAM, HANGS, "", {.kind = CHECK_TCP}, CHECK_FINE, "connected"},
		{SOCK_STREAM, SAYS, "220 hello\r\n", {.kind = CHECK_TALK, .expect = "220"}, CHECK_FINE, "as expected"},
		{SOCK_STREAM,
		 SAYS,
		 "500\r\n",
		 {.kind = CHECK_TALK, .expect = "220"},
		 CHECK_ANSWER,
		 "5 bytes without what is expected"},
		{SOCK_STREAM,
		 HANGS,
		 "",
		 {.kind = CHECK_TALK, .expect = "220", .timeout_ms = 300},
		 CHECK_TIMEOUT,
		 "no answer in 300 ms"},
		{SOCK_STREAM, DRIPS, "", {.kind = CHECK_TALK, .expect = "220", .timeout_ms = 300}, CHECK_TIMEOUT, NULL},
		{SOCK_STREAM,
		 FLOODS,
		 "",
		 {.kind = CHECK_TALK, .expect = "220"},
		 CHECK_ANSWER,
		 "not what is expected in 65536 bytes"},
		{SOCK_STREAM, FLOODS, "220", {.kind = CHECK_TALK, .expect = "220"}, CHECK_FINE, NULL},
		{SOCK_DGRAM, SAYS, "pong", {.kind = CHECK_UDP, .send = "ping", .expect = "pong"}, CHECK_FINE, NULL},
		{SOCK_DGRAM, SAYS, "pang", {.kind = CHECK_UDP, .send = "ping", .expect = "pong"}, CHECK_ANSWER, NULL},
		{SOCK_DGRAM,
		 HANGS,
		 "",
		 {.kind = CHECK_UDP, .send = "x", .expect = "y", .timeout_ms = 200},
		 CHECK_TIMEOUT,
		 NULL},
		{SOCK_DGRAM,
		 SAYS,
		 "nonsense",
		 {.kind = CHECK_DNS, .name = "a", .dns_type = 1, .timeout_ms = 200},
		 CHECK_TIMEOUT,
		 NULL},
		{SOCK_STREAM, SAYS, "75% up\n", {.kind = CHECK_AGENT}, CHECK_FINE, "75% up"},
		{SOCK_STREAM, SAYS, "down #disk\n", {.kind = CHECK_AGENT}, CHECK_SAID, "down: disk"},
		{SOCK_STREAM, SAYS, "\x01\x02", {.kind = CHECK_AGENT}, CHECK_ANSWER, "not a line of an agent"},
		{SOCK_STREAM, FLOODS, "", {.kind = CHECK_AGENT}, CHECK_ANSWER, "not a line of an agent"},
		{SOCK_STREAM,
		 SAYS,
		 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		 {.kind = CHECK_HTTP, .body = "ok"},
		 CHECK_FINE,
		 "status 200"},
		{SOCK_STREAM,
		 SAYS,
		 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
		 {.kind = CHECK_HTTP, .body = "ok"},
		 CHECK_ANSWER,
		 NULL},
		{SOCK_STREAM,
		 SAYS,
		 "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
		 {.kind = CHECK_HTTP},
		 CHECK_STATUS,
		 "status 503"},
		{SOCK_STREAM,
		 SAYS,
		 "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		 {.kind = CHECK_HTTP},
		 CHECK_STATUS,
		 "status 302"},
		{SOCK_STREAM, FLOODS, "HTTP/1.1 200 OK\r\n\r\n", {.kind = CHECK_HTTP}, CHECK_FINE, "status 200"},
		{SOCK_STREAM,
		 FLOODS,
		 "HTTP/1.1 200 OK\r\n\r\n",
		 {.kind = CHECK_HTTP, .body = "ok"},
		 CHECK_ANSWER,
		 NULL},
		{SOCK_STREAM, FLOODS, "HTTP/1.1 200 OK\r\nX: ", {.kind = CHECK_HTTP}, CHECK_ANSWER, NULL},
		{SOCK_STREAM,
		 DRIPS,
		 "HTTP/1.1 200 OK\r\n\r\n",
		 {.kind = CHECK_HTTP, .timeout_ms = 300},
		 CHECK_TIMEOUT,
		 NULL},
		{SOCK_STREAM, HANGS, "", {.kind = CHECK_HTTP, .timeout_ms = 300}, CHECK_TIMEOUT, NULL},
		{SOCK_STREAM, CLOSES, "", {.kind = CHECK_HTTP}, CHECK_RESET, NULL},
		{SOCK_STREAM, SAYS, "nonsense\r\n", {.kind = CHECK_HTTP}, CHECK_ANSWER, NULL},
		{SOCK_STREAM, SAYS, "nonsense\r\n", {.kind = CHECK_HTTPS}, CHECK_TLS, NULL},
	};
	struct prober *p = prober_begin();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server *s = server_start(cases[i].type, cases[i].manner, cases[i].says);
		struct probe_result r = once(p, s, cases[i].check);

		if (r.reason != cases[i].reason || (cases[i].say && strcmp(r.say, cases[i].say) != 0))
			fail_msg("case %zu: %s, \"%s\"", i, check_reason_label(r.reason), r.say);
		server_stop(s);
	}
	prober_close(p);
}

static void nobody_there_is_refused(void **state)
{
	static const struct check_config checks[] = {
		{.kind = CHECK_TCP},
		{.kind = CHECK_HTTP},
		{.kind = CHECK_UDP, .send = "x", .expect = "y"},
		{.kind = CHECK_AGENT},
	};
	struct prober *p = prober_begin();

	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct server *s = server_start(checks[i].kind == CHECK_UDP ? SOCK_DGRAM : SOCK_STREAM, SAYS, "");
		struct server gone = {.at = s->at};
		struct probe_result r;

		server_stop(s);
		r = once(p, &gone, checks[i]);
		if (r.reason != CHECK_REFUSED)
			fail_msg("check %zu: %s, \"%s\"", i, check_reason_label(r.reason), r.say);
		assert_int_equal(r.outcome, checks[i].kind == CHECK_AGENT ? OUTCOME_NOTHING : OUTCOME_BAD);
	}
	prober_close(p);
}

/* --- the owner's turn --- */

struct owner {
	struct prober *p;
	struct endpoint at;
	_Atomic unsigned int turns, results, fine;
};

static const struct check_config tcp = {.kind = CHECK_TCP, .interval_ms = 100, .timeout_ms = 1000};

static void on_counted(void *arg, const struct probe_result *r)
{
	struct owner *o = arg;

	o->results++;
	o->fine += r->reason == CHECK_FINE;
}

/* Five probes, one with each turn; each turn but the first is due by time or comes with a result. */
static struct mono on_turn(void *arg, struct mono now)
{
	struct owner *o = arg;

	if (o->p && o->turns < 5) {
		o->turns++;
		assert_int_equal(prober_probe(o->p, &o->at, &tcp, 0, on_counted, o), 0);
	}
	return mono_after(now, 20);
}

static void until(_Atomic unsigned int *what, unsigned int count)
{
	for (int i = 0; i < WAIT_MS && *what < count; i++)
		usleep(1000);
	assert_true(*what >= count);
}

static void its_owner_has_a_turn_when_something_is_due(void **state)
{
	struct server *s = server_start(SOCK_STREAM, SAYS, "");
	struct owner o = {.at = s->at};
	struct prober_hooks hooks = {.arg = &o, .turn = on_turn};
	struct prober_count count;
	struct prober *p;
	struct err err;

	(void)state;
	assert_int_equal(prober_open(&nowhere_dirs, &hooks, &p, &err), 0);
	o.p = p;
	prober_wake(p);
	until(&o.results, 5);
	assert_int_equal(o.fine, 5);
	prober_count(p, &count);
	assert_int_equal(count.checks, 5);
	prober_close(p);
	server_stop(s);
}

static void what_is_under_way_at_the_end_is_told(void **state)
{
	static const struct check_config slow = {
		.kind = CHECK_TALK, .expect = "x", .interval_ms = 60000, .timeout_ms = 60000};
	struct server *s = server_start(SOCK_STREAM, HANGS, "");
	struct owner o = {0};
	struct prober *p = prober_begin();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(prober_probe(p, &s->at, &slow, 0, on_counted, &o), 0);
	until(&s->calls, 1);
	prober_close(p);
	assert_int_equal(o.results, 3);
	assert_int_equal(o.fine, 0);
	server_stop(s);
}

static void files_are_not_run_where_that_is_off(void **state)
{
	static const struct check_config run = {.kind = CHECK_EXEC, .name = "x", .interval_ms = 100, .timeout_ms = 100};
	struct server nowhere = {0};
	struct prober *p = prober_begin();
	struct probe_result r;

	(void)state;
	r = once(p, &nowhere, run);
	assert_int_equal(r.outcome, OUTCOME_NOTHING);
	assert_non_null(strstr(r.say, "off"));
	prober_exec(p, true, false);
	r = once(p, &nowhere, run);
	assert_int_equal(r.reason, CHECK_LOCAL); /* there is no directory */
	assert_null(strstr(r.say, "off"));
	prober_close(p);
}

static struct probe_result hook(struct prober *p, const char *name)
{
	struct outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	struct endpoint at;

	assert_int_equal(endpoint_parse("192.0.2.7:81", &at), 0);
	assert_int_equal(prober_restart(p, "web", &at, name, on_once, &o), 0);
	return *result_wait(&o);
}

static void hook_write(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void hooks_are_told_their_vip_and_count_for_no_probe(void **state)
{
	char dir[SCRATCH_BYTES];
	struct prober_dirs dirs = {"/nonexistent", dir};
	struct prober_hooks none = {0};
	struct prober_count count;
	struct probe_result r;
	struct prober *p;
	struct err err;

	(void)state;
	if (geteuid())
		skip(); /* only what is root's is run */
	scratch_make(dir, sizeof(dir));
	hook_write(dir, "revive",
		   "#!/bin/sh\necho $(id -u) $STARLING_VIP $STARLING_ADDRESS $STARLING_PORT\nyes | head -n "
		   "100000\nexit 7\n",
		   0755);
	hook_write(dir, "open", "#!/bin/sh\n", 0757);
	hook_write(dir, "plain", "#!/bin/sh\n", 0644);
	assert_int_equal(prober_open(&dirs, &none, &p, &err), 0);
	prober_exec(p, true, false);
	r = hook(p, "revive");
	assert_int_equal(r.reason, CHECK_LOCAL);
	assert_string_equal(r.say, "hooks are off here: node set hooks on");
	prober_exec(p, false, true);
	r = hook(p, "revive");
	assert_int_equal(r.reason, CHECK_EXIT);
	assert_string_equal(r.say, "exit 7: 65534 web 192.0.2.7 81");
	r = hook(p, "open");
	assert_int_equal(r.reason, CHECK_LOCAL);
	assert_non_null(strstr(r.say, "may be written by others"));
	r = hook(p, "plain");
	assert_non_null(strstr(r.say, "may not be run by nobody"));
	r = hook(p, "nothing");
	assert_non_null(strstr(r.say, "No such file"));
	prober_count(p, &count);
	assert_int_equal(count.checks, 0);
	prober_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_expected_is_told_from_what_is_not),
		cmocka_unit_test(nobody_there_is_refused),
		cmocka_unit_test(its_owner_has_a_turn_when_something_is_due),
		cmocka_unit_test(what_is_under_way_at_the_end_is_told),
		cmocka_unit_test(files_are_not_run_where_that_is_off),
		cmocka_unit_test(hooks_are_told_their_vip_and_count_for_no_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
