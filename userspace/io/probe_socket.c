// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Probes that are a socket and some bytes: tcp, talk, udp, icmp, dns, agent. Not here: what answers
 * mean (core/check_answer.c).
 *
 * A TCP connection is reset at its end: it leaves no TIME_WAIT behind, here or there.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/probe.h"
#include "io/sockaddr.h"

#define AGENT_LINE_BYTES 1024 /* longer ones say nothing */

static bool is_stream(const struct probe *p)
{
	return p->check->kind == CHECK_TCP || p->check->kind == CHECK_TALK || p->check->kind == CHECK_AGENT;
}

static int socket_open(const struct probe *p)
{
	int family = addr_is_v4(&p->at.addr) ? AF_INET : AF_INET6, fd;
	const struct linger reset = {.l_onoff = 1};

	if (p->check->kind == CHECK_ICMP)
		return socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			      family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	fd = socket(family, (is_stream(p) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && is_stream(p))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

/* --- what is said --- */

static void question_make(struct probe *p)
{
	p->token = probe_random(p->env);
	if (p->check->kind == CHECK_DNS)
		p->query_len = dns_query(p->check, (__u16)p->token, p->query);
	else if (p->check->kind == CHECK_ICMP)
		p->query_len = echo_request(!addr_is_v4(&p->at.addr), p->token, p->query);
	else
		p->query_len = (size_t)check_bytes(p->check->send, p->query); /* it was checked when it was said */
}

/* At most 271 bytes into an empty buffer go at once, or never. */
static void question_ask(struct probe *p)
{
	if (p->query_len && send(p->fd, p->query, p->query_len, MSG_NOSIGNAL) != (ssize_t)p->query_len)
		probe_end_errno(p, errno, "sending");
}

/* --- what is heard --- */

static void agent_end(struct probe *p)
{
	struct agent_say *say = &p->result.agent;

	if (agent_parse(buf_text(&p->heard), p->heard.len, say) || !p->heard.len)
		probe_end(p, CHECK_ANSWER, "not a line of an agent");
	else if (say->health == AGENT_DOWN)
		probe_end(p, CHECK_SAID, "down%s%.80s", say->why[0] ? ": " : "", say->why);
	else
		probe_end(p, CHECK_FINE, "%.*s", (int)strcspn(buf_text(&p->heard), "\r\n"), buf_text(&p->heard));
}

/* More of a stream, or its end. */
static void stream_heard(struct probe *p, bool ended)
{
	if (p->check->kind == CHECK_AGENT) {
		if (ended || agent_line_ends(buf_text(&p->heard), p->heard.len) || p->heard.len > AGENT_LINE_BYTES)
			agent_end(p);
	} else if (check_answer_has(buf_text(&p->heard), p->heard.len, p->check->expect)) {
		probe_end(p, CHECK_FINE, "as expected");
	} else if (ended) {
		probe_end(p, CHECK_ANSWER, "%zu bytes without what is expected", p->heard.len);
	} else if (p->heard.len >= CHECK_BODY_BYTES) {
		probe_end(p, CHECK_ANSWER, "not what is expected in %u bytes", CHECK_BODY_BYTES);
	}
}

static void datagram_heard(struct probe *p, const __u8 *bytes, size_t len)
{
	char say[CHECK_SAY_BYTES];

	if (p->check->kind == CHECK_ICMP) {
		if (echo_reply(!addr_is_v4(&p->at.addr), p->token, bytes, len))
			probe_end(p, CHECK_FINE, "echo");
	} else if (p->check->kind == CHECK_DNS) {
		switch (dns_answer(p->check, p->query, p->query_len, bytes, len, say)) {
		case DNS_GOOD:
			probe_end(p, CHECK_FINE, "a record");
			break;
		case DNS_BAD:
			probe_end(p, CHECK_ANSWER, "%s", say);
			break;
		case DNS_FOREIGN:
			break;
		}
	} else if (check_answer_has(bytes, len, p->check->expect)) {
		probe_end(p, CHECK_FINE, "as expected");
	} else {
		probe_end(p, CHECK_ANSWER, "%zu bytes without what is expected", len);
	}
}

#define READS 16 /* of one turn: others want theirs */

static void socket_read(struct probe *p)
{
	for (int i = 0; i < READS && !p->ended; i++) {
		ssize_t n = recv(p->fd, p->env->scratch, sizeof(p->env->scratch), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			probe_end_errno(p, errno, "receiving");
		} else if (is_stream(p)) {
			if ((size_t)n > CHECK_BODY_BYTES - p->heard.len)
				n = (ssize_t)(CHECK_BODY_BYTES - p->heard.len);
			buf_add(&p->heard, p->env->scratch, (size_t)n);
			stream_heard(p, !n);
		} else {
			datagram_heard(p, p->env->scratch, (size_t)n);
		}
	}
}

/* --- the socket --- */

static void on_event(uv_poll_t *poll, int status, int events);

static void listen_now(struct probe *p)
{
	p->connected = true;
	question_ask(p);
	if (!p->ended)
		uv_poll_start(&p->poll, UV_READABLE, on_event);
}

static void on_connected(struct probe *p)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &code, &len))
		code = errno;
	if (code)
		probe_end_errno(p, code, "connecting");
	else if (p->check->kind == CHECK_TCP)
		probe_end(p, CHECK_FINE, "connected");
	else
		listen_now(p);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct probe *p = poll->data;

	(void)events;
	if (p->ended)
		return;
	if (!p->connected)
		on_connected(p);
	else if (status < 0 && status != UV_EBADF)
		probe_end_errno(p, -status, "waiting");
	else
		socket_read(p);
}

void probe_socket_begin(struct probe *p)
{
	struct sockaddr_storage to;
	socklen_t len;
	int rc;

	p->fd = socket_open(p);
	if (p->fd < 0) {
		probe_end(p, CHECK_LOCAL, "%s: %s", errno == EPERM ? "raw sockets need CAP_NET_RAW" : "no socket",
			  strerror(errno));
		return;
	}
	rc = probe_tunnel(p, p->fd);
	if (rc) {
		probe_end(p, CHECK_LOCAL, "no tunnel: %s", strerror(-rc));
		return;
	}
	if (p->check->kind == CHECK_ICMP)
		p->at.port = 0;
	len = sockaddr_make(&p->at, &to);
	question_make(p);
	rc = connect(p->fd, (struct sockaddr *)&to, len) ? errno : 0;
	if (rc && rc != EINPROGRESS) {
		probe_end_errno(p, rc, "connecting");
		return;
	}
	if (!rc && p->check->kind == CHECK_TCP) {
		probe_end(p, CHECK_FINE, "connected");
		return;
	}
	rc = uv_poll_init(p->env->uv, &p->poll, p->fd);
	if (rc) {
		probe_end_errno(p, -rc, "no way to wait");
		return;
	}
	p->polled = true;
	p->poll.data = p;
	p->handles++;
	if (is_stream(p))
		uv_poll_start(&p->poll, UV_WRITABLE, on_event);
	else
		listen_now(p);
}

void probe_socket_stop(struct probe *p)
{
	if (p->polled)
		uv_close((uv_handle_t *)&p->poll, probe_closed);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
