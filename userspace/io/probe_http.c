// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HTTP and HTTPS probes by libcurl, driven by the prober's loop. Not here: what a status or a body
 * means (core/check_answer.c).
 *
 * Each probe is a connection of its own, reset at its end. Nothing is looked up: the URL has a name for TLS and
 * the Host header, and the connection goes to the backend's address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/probe.h"

#define URL_BYTES (CHECK_TEXT_BYTES * 2 + 64)

/* A socket that libcurl waits for. */
struct watch {
	uv_poll_t poll;
	struct probe_env *env;
	curl_socket_t fd;
};

static void done_take(struct probe_env *env);

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct probe_env *env = w->env;
	int flags = 0, running;

	if (status < 0) /* an answer may have come before it: curl finds out */
		flags = CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(env->multi, w->fd, flags, &running); /* @w may be gone now */
	done_take(env);
}

static struct watch *watch_new(struct probe_env *env, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w || uv_poll_init_socket(env->uv, &w->poll, fd)) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->env = env;
	w->fd = fd;
	return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct probe_env *env = arg;
	struct watch *w = socket_arg;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		curl_multi_assign(env->multi, fd, NULL);
		return 0;
	}
	if (!w) {
		w = watch_new(env, fd);
		if (!w)
			return -1;
		curl_multi_assign(env->multi, fd, w);
	}
	uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
		      on_ready);
	return 0;
}

static void on_curl_timer(uv_timer_t *timer)
{
	struct probe_env *env = timer->data;
	int running;

	curl_multi_socket_action(env->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	done_take(env);
}

/* Always by the timer: libcurl must not be called from within here. */
static int on_timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct probe_env *env = arg;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&env->curl_timer);
	else
		uv_timer_start(&env->curl_timer, on_curl_timer, (__u64)ms, 0);
	return 0;
}

int probe_http_open(struct probe_env *env, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(env->multi = curl_multi_init()))
		return err_set(err, ENOMEM, "libcurl does not start");
	curl_multi_setopt(env->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(env->multi, CURLMOPT_SOCKETDATA, env);
	curl_multi_setopt(env->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(env->multi, CURLMOPT_TIMERDATA, env);
	uv_timer_init(env->uv, &env->curl_timer);
	env->curl_timer.data = env;
	return 0;
}

void probe_http_close(struct probe_env *env)
{
	curl_multi_cleanup(env->multi);
	env->multi = NULL;
	uv_close((uv_handle_t *)&env->curl_timer, NULL);
	curl_global_cleanup();
}

/* --- one probe --- */

/* Enough of the body is kept; what is beyond ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct probe *p = arg;
	size_t len = size * count, room = CHECK_BODY_BYTES - p->body.len;

	buf_add(&p->body, bytes, len < room ? len : room);
	return len < room ? len : 0;
}

static int on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const struct linger reset = {.l_onoff = 1};
	struct probe *p = arg;

	(void)purpose;
	p->opened = true;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) || probe_tunnel(p, fd))
		return CURL_SOCKOPT_ERROR;
	return CURL_SOCKOPT_OK;
}

/* "10.0.0.1" or "[2001:db8::1]" */
static void host_text(const struct probe *p, char *text, size_t room)
{
	char addr[ADDR_TEXT_BYTES];

	addr_format(&p->at.addr, addr);
	snprintf(text, room, addr_is_v4(&p->at.addr) ? "%s" : "[%s]", addr);
}

/* What the URL has: the name that TLS asks for, without the port that a Host header may have. An address is none. */
static void tls_name(const struct check_config *c, const char *address, char name[CHECK_TEXT_BYTES])
{
	const char *said = c->sni[0] ? c->sni : c->host;

	snprintf(name, CHECK_TEXT_BYTES, "%s", said);
	name[strcspn(name, ":[")] = '\0';
	if (c->kind != CHECK_HTTPS || !name[0])
		snprintf(name, CHECK_TEXT_BYTES, "%s", address);
}

static void url_set(struct probe *p)
{
	const struct check_config *c = p->check;
	char host[ADDR_TEXT_BYTES + 2], name[CHECK_TEXT_BYTES], url[URL_BYTES], line[CHECK_TEXT_BYTES + 64];
	unsigned int port = ntohs(p->at.port);

	host_text(p, host, sizeof(host));
	tls_name(c, host, name);
	snprintf(url, sizeof(url), "%s://%s:%u%s", c->kind == CHECK_HTTPS ? "https" : "http", name, port,
		 c->path[0] ? c->path : "/");
	curl_easy_setopt(p->easy, CURLOPT_URL, url);
	snprintf(line, sizeof(line), "::%s:%u", host, port);
	p->connect_to = curl_slist_append(NULL, line);
	curl_easy_setopt(p->easy, CURLOPT_CONNECT_TO, p->connect_to);
	if (!c->host[0])
		return; /* the URL's */
	snprintf(line, sizeof(line), "Host: %s", c->host);
	p->headers = curl_slist_append(NULL, line);
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
}

static void options_set(struct probe *p)
{
	const struct check_config *c = p->check;
	long version = !c->http2		? CURL_HTTP_VERSION_1_1
		       : c->kind == CHECK_HTTPS ? CURL_HTTP_VERSION_2TLS
						: CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;

	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
	curl_easy_setopt(p->easy, CURLOPT_SOCKOPTDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(p->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(p->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "starling");
	curl_easy_setopt(p->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYPEER, (long)c->verify);
	curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYHOST, c->verify ? 2L : 0L);
}

void probe_http_begin(struct probe *p)
{
	p->easy = curl_easy_init();
	if (!p->easy) {
		probe_end(p, CHECK_LOCAL, "no memory");
		return;
	}
	url_set(p);
	options_set(p);
	if (!p->connect_to || (p->check->host[0] && !p->headers) || curl_multi_add_handle(p->env->multi, p->easy)) {
		probe_end(p, CHECK_LOCAL, "no memory");
		return;
	}
	p->connected = true; /* for words: libcurl knows better, and says so only at the end */
}

/* A whole answer, or as much of it as is looked at. */
static void answer_judge(struct probe *p)
{
	long status = 0, version = 0;

	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->easy, CURLINFO_HTTP_VERSION, &version);
	if (p->check->http2 && version != CURL_HTTP_VERSION_2_0)
		probe_end(p, CHECK_ANSWER, "it does not speak HTTP/2");
	else if (!check_status_good(p->check, status))
		probe_end(p, CHECK_STATUS, "status %ld", status);
	else if (!check_answer_has(buf_text(&p->body), p->body.len, p->check->body))
		probe_end(p, CHECK_ANSWER, "status %ld, without what is expected in the body", status);
	else
		probe_end(p, CHECK_FINE, "status %ld", status);
}

static void failure_judge(struct probe *p, CURLcode code)
{
	const char *words = p->error[0] ? p->error : curl_easy_strerror(code);
	curl_off_t connected_us = 0;
	long os_errno = 0;

	curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &os_errno);
	curl_easy_getinfo(p->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		if (os_errno)
			probe_end_errno(p, (int)os_errno, "connecting");
		else
			probe_end(p, p->opened ? CHECK_UNREACHABLE : CHECK_LOCAL, "%.90s", words);
		return;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		probe_end(p, CHECK_RESET, "%.90s", words);
		return;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		probe_end(p, CHECK_TLS, "%.90s", words);
		return;
	case CURLE_OUT_OF_MEMORY: /* a header line beyond its bound is this, too */
		if (connected_us)
			probe_end(p, CHECK_ANSWER, "headers without an end");
		else
			probe_end(p, CHECK_LOCAL, "%.90s", words);
		return;
	case CURLE_FAILED_INIT:
	case CURLE_ABORTED_BY_CALLBACK: /* on_socket() */
	case CURLE_URL_MALFORMAT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_SSL_CACERT_BADFILE:
		probe_end(p, CHECK_LOCAL, "%.90s", words);
		return;
	default:
		probe_end(p, CHECK_ANSWER, "%.90s", words);
		return;
	}
}

/* What libcurl is through with. */
static void done_take(struct probe_env *env)
{
	struct probe *p;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(env->multi, &left))) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p))
			continue;
		if (!code || (code == CURLE_WRITE_ERROR && p->body.len == CHECK_BODY_BYTES))
			answer_judge(p);
		else
			failure_judge(p, code);
	}
}

void probe_http_stop(struct probe *p)
{
	if (p->easy) {
		curl_multi_remove_handle(p->env->multi, p->easy);
		curl_easy_cleanup(p->easy);
	}
	p->easy = NULL;
	curl_slist_free_all(p->connect_to);
	curl_slist_free_all(p->headers);
	p->connect_to = p->headers = NULL;
}
