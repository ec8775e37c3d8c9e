// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libmicrohttpd with suspended requests. Not here: pages.
 */
#include "io/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sockaddr.h"

struct http {
	struct MHD_Daemon *mhd;
	struct http_hooks hooks;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	size_t due;   /* replies that are due */
	bool closing; /* ask nothing more */
};

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	bool asked;
	unsigned int status;
	const char *type;
	char *bytes; /* owned */
	size_t len;
};

static enum MHD_Result response_queue(struct MHD_Connection *connection, unsigned int status, const char *type,
				      char *bytes, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result rc;

	if (!response) {
		free(bytes);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result method_refuse(struct MHD_Connection *connection)
{
	char *text = strdup("only GET is served here\n");

	return text ? response_queue(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", text,
				     strlen(text))
		    : MHD_NO;
}

/* libmicrohttpd calls this when the headers are there, for each piece of a body, at its end, and after a resume. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_len, void **ret_context)
{
	struct http *http = cls;
	struct http_request *request = *ret_context;
	const char *accept;
	bool closing;
	char *bytes;

	(void)version;
	(void)upload;
	if (!request) {
		if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
			return method_refuse(connection);
		request = calloc(1, sizeof(*request));
		if (!request)
			return MHD_NO;
		request->http = http;
		request->connection = connection;
		*ret_context = request;
		return MHD_YES;
	}
	if (*upload_len) { /* a GET with a body: not ours to read */
		*upload_len = 0;
		return MHD_YES;
	}
	if (!request->asked) {
		request->asked = true;
		pthread_mutex_lock(&http->lock);
		closing = http->closing;
		http->due += !closing;
		pthread_mutex_unlock(&http->lock);
		if (closing)
			return MHD_NO;
		accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
		MHD_suspend_connection(connection);
		http->hooks.get(http->hooks.arg, request, url, accept ? accept : "");
		return MHD_YES;
	}
	bytes = request->bytes;
	request->bytes = NULL;
	return response_queue(connection, request->status, request->type, bytes, request->len);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *context;

	(void)cls;
	(void)connection;
	(void)code;
	if (!request)
		return;
	free(request->bytes);
	free(request);
	*context = NULL;
}

void http_reply(struct http_request *request, unsigned int status, const char *type, char *bytes, size_t len)
{
	struct http *http = request->http;

	request->status = bytes ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
	request->type = type;
	request->bytes = bytes;
	request->len = bytes ? len : 0;
	/* under the lock: http_close() must not stop the daemon before the connection is resumed */
	pthread_mutex_lock(&http->lock);
	MHD_resume_connection(request->connection);
	if (!--http->due)
		pthread_cond_broadcast(&http->idle);
	pthread_mutex_unlock(&http->lock);
}

static const char *listen_why(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another process listens there";
	case EADDRNOTAVAIL:
		return "no device of this host has that address";
	case EACCES:
		return "a port below 1024 takes CAP_NET_BIND_SERVICE";
	}
	return strerror(error);
}

int http_listen(const struct endpoint *at, struct err *err)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_make(at, &sa);
	bool is_v4 = addr_is_v4(&at->addr);
	char text[ENDPOINT_TEXT_BYTES];
	int fd, one = 1, rc;

	endpoint_format(&(struct endpoint){.addr = at->addr, .port = at->port}, text);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, errno, "cannot make a socket for HTTP at %s: %s", text, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!is_v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	rc = bind(fd, (const struct sockaddr *)&sa, len);
	if (!rc)
		rc = listen(fd, HTTP_CONNECTIONS);
	if (!rc)
		return fd;
	rc = err_set(err, errno, "cannot serve HTTP at %s: %s", text, listen_why(errno));
	close(fd);
	return rc;
}

int http_open(int fd, const struct http_hooks *hooks, struct http **ret, struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http) {
		close(fd);
		return err_set(err, ENOMEM, "no memory for the HTTP server");
	}
	http->hooks = *hooks;
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->idle, NULL);
	http->mhd = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_REQUEST_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (!http->mhd) {
		close(fd);
		http_close(http);
		return err_set(err, EAGAIN, "cannot start the thread of the HTTP server");
	}
	*ret = http;
	return 0;
}

void http_close(struct http *http)
{
	MHD_socket fd;

	if (!http)
		return;
	if (http->mhd) {
		fd = MHD_quiesce_daemon(http->mhd);
		if (fd != MHD_INVALID_SOCKET)
			shutdown(fd, SHUT_RDWR); /* the address is free from now on */
		pthread_mutex_lock(&http->lock);
		http->closing = true;
		while (http->due)
			pthread_cond_wait(&http->idle, &http->lock);
		pthread_mutex_unlock(&http->lock);
		MHD_stop_daemon(http->mhd);
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
	}
	pthread_cond_destroy(&http->idle);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
