// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An HTTP client that counts connections exactly: every request on a connection of its own, and
 * how each ended. Not here: throughput (wrk), TLS (curl).
 *
 *	load [-n COUNT | -t SECONDS] [-c AT_ONCE] [-r RATE] [-s FIRST_SOURCE,NUMBER] [-k] [-p PATH] URL_HOST:PORT...
 *
 * Targets and source addresses are taken in turn. With -r no more than so many begin in a second, evenly; 0 has no
 * bound. With -k connections stay open: `held` is printed once all have their answer, and with the next line on stdin
 * each one asks again, which must be answered by the same backend; `again` follows. Last comes one line: `ok N failed N
 * refused N reset N timeout N wrong N slow N` and, for each different body, `BODY N`. slow: took over 0.9 s, as after a
 * lost SYN.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"

#define TARGETS_MAX	16
#define BODIES_MAX	128
#define BODY_BYTES	24
#define HEAD_BYTES	1024
#define TIMEOUT_MS	10000
#define SLOW_MS		900
#define CONNECTIONS_MAX 200000

enum ending { END_OK, END_REFUSED, END_RESET, END_TIMEOUT, END_WRONG, END_COUNT };
static const char *const ending_name[] = {"ok", "refused", "reset", "timeout", "wrong"};

struct body {
	char text[BODY_BYTES];
	unsigned long count;
};

struct connection {
	int fd; /* -1: none */
	int next_free;
	long long began_ms;
	long long length; /* of the body; -1: not known yet */
	long long got;	  /* bytes of the body */
	unsigned int head_len;
	bool sent, held;
	char head[HEAD_BYTES + 1];
	int body; /* index of what it answered first; -1 */
};

struct load {
	struct endpoint target[TARGETS_MAX];
	size_t target_count;
	struct addr source4, source6; /* the first one of each version; all zero: the kernel's choice */
	unsigned int source_count;
	unsigned long wanted, started, ended[END_COUNT], slow;
	unsigned int at_once, live, holding;
	unsigned int rate; /* new connections a second; 0: as many as there can be */
	long long began_ms;
	long long until_ms; /* 0: a count, no duration */
	bool keep, again;
	const char *path;
	struct connection *connection;
	int first_free, epoll;
	struct body body[BODIES_MAX];
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static socklen_t socket_address(const struct addr *a, __be16 port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (addr_is_v4(a)) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		memcpy(&v4->sin_addr, a->byte + 12, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	memcpy(&v6->sin6_addr, a->byte, 16);
	return sizeof(*v6);
}

static int body_index(struct load *l, const char *text, size_t len)
{
	char key[BODY_BYTES];
	int i;

	if (len >= BODY_BYTES)
		len = BODY_BYTES - 1;
	memcpy(key, text, len);
	key[len] = 0;
	key[strcspn(key, "\r\n")] = 0;
	for (i = 0; i < BODIES_MAX - 1 && l->body[i].count; i++)
		if (!strcmp(l->body[i].text, key))
			return i;
	memcpy(l->body[i].text, key, sizeof(key));
	return i;
}

static void connection_end(struct load *l, struct connection *c, enum ending how)
{
	l->ended[how]++;
	if (now_ms() - c->began_ms > SLOW_MS)
		l->slow++;
	if (c->held)
		l->holding--;
	else
		l->live--;
	close(c->fd);
	c->fd = -1;
	c->next_free = l->first_free;
	l->first_free = (int)(c - l->connection);
}

static enum ending ending_of(int error)
{
	return error == ECONNREFUSED ? END_REFUSED : error == ETIMEDOUT ? END_TIMEOUT : END_RESET;
}

static int connection_bind(const struct load *l, int fd, const struct addr *to, unsigned long nth)
{
	struct addr source = addr_is_v4(to) ? l->source4 : l->source6;
	static const struct addr none;
	struct sockaddr_storage from;
	int on = 1;

	if (!memcmp(&source, &none, sizeof(source)))
		return 0;
	source.byte[15] = (__u8)(source.byte[15] + nth % l->source_count);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&from, socket_address(&source, 0, &from)) ? -errno : 0;
}

static int connection_start(struct load *l)
{
	struct connection *c = &l->connection[l->first_free];
	const struct endpoint *to = &l->target[l->started % l->target_count];
	struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};
	struct sockaddr_storage address;
	int fd = socket(addr_is_v4(&to->addr) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connection_bind(l, fd, &to->addr, l->started / l->target_count))
		return -errno;
	l->first_free = c->next_free;
	*c = (struct connection){.fd = fd, .began_ms = now_ms(), .length = -1, .body = -1};
	l->started++;
	l->live++;
	if (connect(fd, (struct sockaddr *)&address, socket_address(&to->addr, to->port, &address)) &&
	    errno != EINPROGRESS) {
		if (errno == EADDRNOTAVAIL)
			fprintf(stderr, "load: out of source ports\n");
		connection_end(l, c, ending_of(errno));
		return 0;
	}
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void connection_ask(struct load *l, struct connection *c)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	char text[512];
	int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: lab\r\nConnection: %s\r\n\r\n", l->path,
			   l->keep ? "keep-alive" : "close");

	c->sent = true;
	if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		connection_end(l, c, ending_of(errno));
	else
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* Status, length and the start of the body, once the head is whole. */
static int connection_head(struct load *l, struct connection *c)
{
	char *end, *length;
	int index;

	c->head[c->head_len] = 0;
	end = strstr(c->head, "\r\n\r\n");
	if (!end)
		return c->head_len < HEAD_BYTES ? 0 : -EPROTO;
	length = strcasestr(c->head, "\r\nContent-Length:");
	if (strncmp(c->head, "HTTP/1.1 200", 12) || !length || length > end)
		return -EPROTO;
	end += 4;
	c->length = strtoll(length + 17, NULL, 10);
	c->got = c->head + c->head_len - end;
	index = c->length < BODY_BYTES ? body_index(l, end, (size_t)c->got) : body_index(l, "large", 5);
	if (c->body >= 0 && c->body != index)
		return -EPROTO;
	c->body = index;
	return 0;
}

static void connection_whole(struct load *l, struct connection *c)
{
	if (!l->keep || l->again) {
		if (!l->again || !l->keep)
			l->body[c->body].count++;
		connection_end(l, c, END_OK);
		return;
	}
	l->body[c->body].count++;
	c->held = true;
	c->sent = false;
	l->live--;
	l->holding++;
}

static void connection_read(struct load *l, struct connection *c)
{
	char text[65536];
	ssize_t n;

	if (c->held) { /* nothing was asked */
		connection_end(l, c, END_RESET);
		return;
	}
	if (c->length < 0)
		n = recv(c->fd, c->head + c->head_len, HEAD_BYTES - c->head_len, 0);
	else
		n = recv(c->fd, text, sizeof(text), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		connection_end(l, c, n < 0 ? ending_of(errno) : END_RESET);
		return;
	}
	if (c->length >= 0) {
		c->got += n;
	} else {
		c->head_len += (unsigned int)n;
		if (connection_head(l, c)) {
			connection_end(l, c, END_WRONG);
			return;
		}
	}
	if (c->length >= 0 && c->got >= c->length)
		connection_whole(l, c);
}

static void connection_event(struct load *l, struct connection *c, unsigned int events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->fd < 0)
		return;
	if (c->sent || c->held) {
		connection_read(l, c);
		return;
	}
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		connection_end(l, c, ending_of(error));
	else if (events & EPOLLOUT)
		connection_ask(l, c);
}

static void connections_expire(struct load *l, long long now)
{
	unsigned int i;

	for (i = 0; i < l->at_once; i++) {
		struct connection *c = &l->connection[i];

		if (c->fd >= 0 && !c->held && now - c->began_ms > TIMEOUT_MS)
			connection_end(l, c, END_TIMEOUT);
	}
}

static bool wants_more(const struct load *l)
{
	if (stop || l->first_free < 0 || l->again)
		return false;
	return l->until_ms ? now_ms() < l->until_ms : l->started < l->wanted;
}

/* Whether the next one may start yet. */
static bool is_due(const struct load *l)
{
	return !l->rate || (long long)l->started * 1000 <= (now_ms() - l->began_ms) * l->rate;
}

/* Until nothing is started or awaited any more. */
static int load_run(struct load *l)
{
	struct epoll_event event[256];
	long long checked = now_ms(), now;
	int wait_ms = l->rate ? 1 : 100;
	int i, n, result;

	for (;;) {
		for (i = 0; wants_more(l) && is_due(l) && (l->keep || i < 64); i++) {
			result = connection_start(l);
			if (result)
				return result;
		}
		if (!l->live && !wants_more(l))
			return 0;
		n = epoll_wait(l->epoll, event, 256, wait_ms);
		for (i = 0; i < n; i++)
			connection_event(l, event[i].data.ptr, event[i].events);
		now = now_ms();
		if (now - checked > 500) {
			connections_expire(l, now);
			checked = now;
		}
	}
}

static void load_print(const struct load *l, const char *word)
{
	unsigned long failed = 0;
	int i;

	for (i = END_OK + 1; i < END_COUNT; i++)
		failed += l->ended[i];
	if (word)
		printf("%s %u ", word, l->holding);
	printf("ok %lu failed %lu", l->ended[END_OK], failed);
	for (i = END_OK + 1; i < END_COUNT; i++)
		printf(" %s %lu", ending_name[i], l->ended[i]);
	printf(" slow %lu", l->slow);
	for (i = 0; i < BODIES_MAX && l->body[i].count; i++)
		printf(" %s %lu", l->body[i].text, l->body[i].count);
	printf("\n");
	fflush(stdout);
}

/* The held connections ask again, each its own backend. */
static int load_again(struct load *l)
{
	unsigned int i;
	char line[64];

	load_print(l, "held");
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	l->again = true;
	for (i = 0; i < l->at_once; i++) {
		struct connection *c = &l->connection[i];

		if (c->fd < 0)
			continue;
		l->holding--;
		l->live++;
		c->held = false;
		c->head_len = 0;
		c->length = -1;
		c->began_ms = now_ms();
		connection_ask(l, c);
	}
	return load_run(l);
}

static int sources_parse(struct load *l, const char *text)
{
	char first[128], *comma, *slash;

	snprintf(first, sizeof(first), "%s", text);
	comma = strchr(first, ',');
	if (!comma)
		return -EINVAL;
	*comma = 0;
	l->source_count = (unsigned int)strtoul(comma + 1, NULL, 10);
	slash = strchr(first, '/');
	if (!l->source_count || !slash)
		return -EINVAL;
	*slash = 0;
	return addr_parse(first, &l->source4) || addr_parse(slash + 1, &l->source6) ? -EINVAL : 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: load [-n COUNT | -t SECONDS] [-c AT_ONCE] [-r RATE] [-s IPV4/IPV6,NUMBER] [-k] [-p PATH] "
		"ADDR:PORT...\n");
	return 2;
}

static int load_options(struct load *l, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:t:c:r:s:kp:")) != -1) {
		if (option == 'n')
			l->wanted = strtoul(optarg, NULL, 10);
		else if (option == 't')
			l->until_ms = now_ms() + strtoll(optarg, NULL, 10) * 1000;
		else if (option == 'c')
			l->at_once = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 'r')
			l->rate = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 'k')
			l->keep = true;
		else if (option == 'p')
			l->path = optarg;
		else if (option != 's' || sources_parse(l, optarg))
			return -EINVAL;
	}
	for (; optind < argc; optind++)
		if (l->target_count == TARGETS_MAX || endpoint_parse(argv[optind], &l->target[l->target_count++]))
			return -EINVAL;
	if (l->keep)
		l->at_once = (unsigned int)l->wanted;
	return l->target_count && l->at_once && l->at_once <= CONNECTIONS_MAX ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct load l = {.at_once = 50, .wanted = 1, .path = "/name", .source_count = 1, .began_ms = now_ms()};
	struct rlimit files = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
	unsigned int i;
	int result = 1;

	if (load_options(&l, argc, argv))
		return usage();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	l.connection = calloc(l.at_once, sizeof(*l.connection));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.connection || l.epoll < 0)
		goto out;
	l.first_free = -1;
	for (i = l.at_once; i-- > 0;) {
		l.connection[i].fd = -1;
		l.connection[i].next_free = l.first_free;
		l.first_free = (int)i;
	}
	result = load_run(&l);
	if (!result && l.keep)
		result = load_again(&l);
	if (result)
		fprintf(stderr, "load: %s\n", strerror(-result));
	load_print(&l, NULL);
	result = result || l.ended[END_OK] < l.started;
out:
	free(l.connection);
	if (l.epoll >= 0)
		close(l.epoll);
	return result;
}
