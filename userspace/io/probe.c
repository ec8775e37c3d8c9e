// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Begin and end of a probe of any kind. Not here: kinds (probe_socket.c, probe_http.c, probe_exec.c).
 */
#include "io/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mix.h"
#include "io/sockaddr.h"
#include "starling/tunnel.h"

struct way {
	void (*begin)(struct probe *p);
	void (*stop)(struct probe *p);
};

static const struct way by_socket = {probe_socket_begin, probe_socket_stop};
static const struct way by_http = {probe_http_begin, probe_http_stop};
static const struct way by_exec = {probe_exec_begin, probe_exec_stop};

static const struct way *const ways[CHECK_KINDS] = {
	[CHECK_TCP] = &by_socket, [CHECK_TALK] = &by_socket,  [CHECK_HTTP] = &by_http,
	[CHECK_HTTPS] = &by_http, [CHECK_UDP] = &by_socket,   [CHECK_ICMP] = &by_socket,
	[CHECK_DNS] = &by_socket, [CHECK_AGENT] = &by_socket, [CHECK_EXEC] = &by_exec,
};

int probe_env_open(struct probe_env *env, uv_loop_t *uv, const struct prober_dirs *dirs, struct err *err)
{
	env->uv = uv;
	env->dirs = *dirs;
	env->random = mono_now().ns;
	return probe_http_open(env, err);
}

void probe_env_close(struct probe_env *env)
{
	while (env->first)
		probe_end(env->first, CHECK_LOCAL, "stopping");
	probe_exec_close(env);
	probe_http_close(env);
}

__u64 probe_random(struct probe_env *env)
{
	return env->random = mix64(env->random);
}

void probe_closed(uv_handle_t *handle)
{
	struct probe *p = handle->data;

	if (--p->handles)
		return;
	buf_free(&p->heard);
	buf_free(&p->body);
	free(p);
}

static enum check_outcome outcome_of(const struct probe *p)
{
	const struct probe_result *r = &p->result;

	if (r->reason == CHECK_LOCAL)
		return OUTCOME_NOTHING;
	if (p->check->kind != CHECK_AGENT || r->reason == CHECK_SAID)
		return r->reason == CHECK_FINE ? OUTCOME_GOOD : OUTCOME_BAD;
	/* an agent that is away, or talks nonsense, says nothing of what it speaks for */
	return r->reason == CHECK_FINE && r->agent.health == AGENT_UP ? OUTCOME_GOOD : OUTCOME_NOTHING;
}

void probe_end(struct probe *p, enum check_reason reason, const char *fmt, ...)
{
	struct probe_result *r = &p->result;
	va_list ap;

	if (p->ended)
		return;
	p->ended = true;
	*p->here = p->next;
	if (p->next)
		p->next->here = p->here;
	r->reason = reason;
	va_start(ap, fmt);
	vsnprintf(r->say, sizeof(r->say), fmt, ap);
	va_end(ap);
	for (char *c = r->say; *c; c++) /* others' words come before people's eyes */
		*c = (char)(*c < ' ' || *c > '~' ? '?' : *c);
	r->took_us = (__u32)((mono_now().ns - p->begun.ns) / 1000);
	r->outcome = outcome_of(p);
	ways[p->check->kind]->stop(p);
	p->done(p->arg, r);
	uv_close((uv_handle_t *)&p->timer, probe_closed);
}

void probe_end_errno(struct probe *p, int code, const char *doing)
{
	enum check_reason reason = CHECK_LOCAL;

	switch (code) {
	case ECONNREFUSED:
		reason = CHECK_REFUSED;
		break;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		reason = CHECK_RESET;
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EACCES: /* a rejecting firewall; this node's own says EPERM */
	case ENOPROTOOPT:
	case ENONET:
	case EPROTO: /* an ICMP error that says nothing more */
		reason = CHECK_UNREACHABLE;
		break;
	case ETIMEDOUT:
		reason = CHECK_TIMEOUT;
		break;
	default:
		break;
	}
	probe_end(p, reason, "%s: %s", doing, strerror(code));
}

/* Later than that, what has come may not have been looked at. */
#define LATE_MS 20

static void on_timeout(uv_timer_t *timer)
{
	struct probe *p = timer->data;
	__u64 took_ms = mono_ms(p->begun, mono_now()), timeout_ms = p->check->timeout_ms;

	if (!*p->vip && took_ms > timeout_ms + timeout_ms / 4 + LATE_MS) /* a hook did run, however late */
		probe_end(p, CHECK_LOCAL, "this balancer was too busy to hear it");
	else
		probe_end(p, CHECK_TIMEOUT, "no %s in %u ms", p->connected ? "answer" : "connection",
			  p->check->timeout_ms);
}

/* --- through the tunnel --- */

int probe_tunnel(const struct probe *p, int fd)
{
	bool v4 = addr_is_v4(&p->at.addr);
	int hops = TUNNEL_HOPS_FIRST, segment = TUNNEL_SEGMENT, stream = 0;
	socklen_t len = sizeof(stream);

	if (!p->mark)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &p->mark, sizeof(p->mark)) ||
	    setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &hops, sizeof(hops)) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &stream, &len))
		return -errno;
	if (stream == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)))
		return -errno;
	return 0;
}

/* Of a datagram's socket the kernel says at once by which address it would be sent: the VIP's, if that is the host's.
 */
static int tunnel_try(const struct probe *p, int fd, bool *ret_own)
{
	struct sockaddr_storage to, from;
	socklen_t len = sockaddr_make(&p->at, &to), from_len = sizeof(from);
	struct endpoint own;
	int rc = probe_tunnel(p, fd);

	if (rc)
		return rc;
	if (connect(fd, (struct sockaddr *)&to, len) || getsockname(fd, (struct sockaddr *)&from, &from_len))
		return -errno;
	own = sockaddr_endpoint((struct sockaddr *)&from);
	*ret_own = !addr_compare(&own.addr, &p->at.addr);
	return 0;
}

/* Whether there is a way; if not, the probe has ended: that says nothing of the backend. */
static bool tunnel_way(struct probe *p)
{
	int fd = socket(addr_is_v4(&p->at.addr) ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	bool own = false;

	rc = fd < 0 ? -errno : tunnel_try(p, fd, &own);
	if (fd >= 0)
		close(fd);
	if (rc)
		probe_end(p, CHECK_LOCAL, "no way to the VIP's address: %s", strerror(-rc));
	else if (own)
		probe_end(p, CHECK_LOCAL, "the VIP's address is one of this host's own");
	return !p->ended;
}

int probe_begin(struct probe_env *env, const struct endpoint *at, const struct check_config *check, __u32 mark,
		const char *vip, probe_done_fn *done, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->env = env;
	p->at = check->via == CHECK_VIA_TUNNEL ? check->to : *at;
	p->mark = mark;
	p->vip = vip;
	if (check->port)
		p->at.port = htons((__u16)check->port);
	p->check = check;
	p->done = done;
	p->arg = arg;
	p->fd = -1;
	p->begun = mono_now();
	p->here = &env->first;
	p->next = env->first;
	if (p->next)
		p->next->here = &p->next;
	env->first = p;
	uv_update_time(env->uv); /* many may be begun in one turn of the loop */
	uv_timer_init(env->uv, &p->timer);
	p->timer.data = p;
	p->handles = 1;
	uv_timer_start(&p->timer, on_timeout, check->timeout_ms, 0);
	if (check->via == CHECK_VIA_DIRECT || tunnel_way(p))
		ways[check->kind]->begin(p);
	return 0;
}
