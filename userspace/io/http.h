/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A small HTTP server for probes and scrapers: GET and HEAD, bounded connections, header bytes
 * and patience. libmicrohttpd on a thread of its own, so that no client ever holds up the loop;
 * a request waits, suspended, until some thread replies. Not here: what the pages say.
 */
#ifndef STARLING_IO_HTTP_H
#define STARLING_IO_HTTP_H

#include <linux/types.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

#define HTTP_CONNECTIONS   64	      /* at once; further ones wait in the backlog */
#define HTTP_TIMEOUT_S	   10	      /* idle, in a request or between two */
#define HTTP_REQUEST_BYTES (16 << 10) /* of one connection's request line and headers */

struct http;
struct http_request; /* belongs to the server; valid until http_reply() */

struct http_hooks {
	void *arg;
	/* On the server's thread: must not block. Exactly one http_reply() is due, now or later, from any thread. */
	void (*get)(void *arg, struct http_request *request, const char *path, const char *accept);
};

/**
 * http_listen() - a socket for http_open(); connections wait in its backlog
 * @at:		address and port; proto is ignored
 * @err:	a sentence that says what is in the way
 *
 * Return: its fd, or -errno of the socket.
 */
int http_listen(const struct endpoint *at, struct err *err);

/**
 * http_open() - serve
 * @fd:		of http_listen(); moves in, also on failure
 * @hooks:	copied
 * @ret:	owned by the caller; untouched on failure
 * @err:	a sentence
 *
 * Return: 0, -ENOMEM, or -EAGAIN (no thread).
 */
int http_open(int fd, const struct http_hooks *hooks, struct http **ret, struct err *err);

/**
 * http_reply() - answer a request; any thread
 * @request:	not valid afterwards
 * @status:	200, 404, 503...
 * @type:	content type; a static text
 * @bytes:	malloc'ed; moves in; NULL: an empty page
 * @len:	bytes
 */
void http_reply(struct http_request *request, unsigned int status, const char *type, char *bytes, size_t len);

/* Stops listening at once, waits for the replies that are due, closes. Blocks: not for the loop while it runs. NULL is
 * fine. */
void http_close(struct http *http);

#endif
