// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The way to the daemon: which socket, and lines over it. Not here: what lines say.
 */
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "starling.h"

#define CONNECT_PATTERN	   "/run/starling/*/control.sock"
#define CONNECT_READ_BYTES 65536
#define CONNECT_LINE_BYTES (1u << 30) /* of an answer: longer ones are no answers */

struct connection {
	int fd;
	double timeout_s;
	struct buf in;
	size_t used;	/* bytes of the line handed out last, with its newline */
	size_t scanned; /* bytes behind it known to hold no newline */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* Of several daemons, that of the host's name. */
static const char *pick(char *const *paths, size_t count)
{
	char host[256] = "", wanted[300];
	size_t i;

	if (count == 1)
		return paths[0];
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	snprintf(wanted, sizeof(wanted), "/run/starling/%s/control.sock", host);
	for (i = 0; i < count; i++)
		if (!strcmp(paths[i], wanted))
			return paths[i];
	return NULL;
}

static int path_find(const struct options *options, char *path, size_t room, struct err *err)
{
	const char *given = options->socket ? options->socket : getenv(OPTIONS_SOCKET_ENV);
	const char *found = given;
	glob_t g = {0};
	int rc = 0;

	if (!given) {
		if (glob(CONNECT_PATTERN, 0, NULL, &g) || !g.gl_pathc)
			rc = err_set(err, ENOENT,
				     "no starlingd runs here: there is no " CONNECT_PATTERN
				     "; start it, or name its socket with -s");
		else if (!(found = pick(g.gl_pathv, g.gl_pathc)))
			rc = err_set(err, ENOENT, "%zu daemons run here: name one's socket with -s, for example %s",
				     (size_t)g.gl_pathc, g.gl_pathv[0]);
	}
	if (!rc && (size_t)snprintf(path, room, "%s", found) >= room)
		rc = err_set(err, ENAMETOOLONG, "the socket path %s is too long", found);
	globfree(&g);
	return rc;
}

int connection_open(const struct options *options, struct connection **ret, struct err *err)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int rc;

	if (!c)
		return err_set(err, ENOMEM, "no memory");
	c->fd = -1;
	c->timeout_s = options->timeout_s;
	rc = path_find(options, c->path, sizeof(c->path), err);
	if (!rc) {
		memcpy(at.sun_path, c->path, sizeof(c->path));
		c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof(at)))
			rc = err_set(err, errno, "cannot reach starlingd at %s: %s%s", c->path, strerror(errno),
				     errno == EACCES ? "; are you allowed to?" : "; does it run?");
	}
	if (rc) {
		connection_close(c);
		return rc;
	}
	*ret = c;
	return 0;
}

/* Waits for the socket. Return: 0, -ETIMEDOUT or -errno. */
static int wait_for(const struct connection *c, short events, struct mono start, bool forever)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int left_ms = -1, n;

	for (;;) {
		if (!forever && c->timeout_s > 0) {
			double left_s = c->timeout_s - mono_seconds(start, mono_now());

			if (left_s <= 0)
				return -ETIMEDOUT;
			left_ms = (int)(left_s * 1000) + 1;
		}
		n = poll(&p, 1, left_ms);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int failure(const struct connection *c, int rc, struct err *err)
{
	if (rc == -ETIMEDOUT)
		return err_set(err, ETIMEDOUT, "starlingd at %s did not answer within %g s", c->path, c->timeout_s);
	if (rc == -EPIPE || rc == -ECONNRESET)
		return err_set(err, EPIPE, "starlingd at %s closed the connection", c->path);
	return err_set(err, -rc, "starlingd at %s: %s", c->path, strerror(-rc));
}

int connection_send(struct connection *c, const char *bytes, size_t len, struct err *err)
{
	struct mono start = mono_now();
	ssize_t n;
	int rc;

	while (len) {
		n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EPIPE)
			return 0; /* it may have said why before it closed: read that */
		rc = errno == EAGAIN ? wait_for(c, POLLOUT, start, false) : -errno;
		if (rc && rc != -EINTR)
			return failure(c, rc, err);
	}
	return 0;
}

static int read_more(struct connection *c, struct mono start, bool stream)
{
	ssize_t n;
	int rc = wait_for(c, POLLIN, start, stream);

	if (rc)
		return rc;
	if (c->in.len > CONNECT_LINE_BYTES)
		return -EMSGSIZE;
	rc = buf_reserve(&c->in, CONNECT_READ_BYTES);
	if (rc)
		return rc;
	n = recv(c->fd, c->in.text + c->in.len, CONNECT_READ_BYTES, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return -EPIPE;
	c->in.len += (size_t)n;
	c->in.text[c->in.len] = '\0';
	return 0;
}

int connection_line(struct connection *c, bool stream, const char **ret_line, size_t *ret_len, struct err *err)
{
	struct mono start = mono_now();
	char *newline;
	int rc;

	if (c->used) {
		memmove(c->in.text, c->in.text + c->used, c->in.len - c->used + 1);
		c->in.len -= c->used;
		c->used = 0;
	}
	c->scanned = 0;
	for (;;) {
		newline = c->in.len > c->scanned ? memchr(c->in.text + c->scanned, '\n', c->in.len - c->scanned) : NULL;
		if (newline)
			break;
		c->scanned = c->in.len;
		rc = read_more(c, start, stream);
		if (rc)
			return failure(c, rc, err);
	}
	*newline = '\0';
	*ret_line = c->in.text;
	*ret_len = (size_t)(newline - c->in.text);
	c->used = *ret_len + 1;
	return 0;
}

void connection_close(struct connection *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->in);
	free(c);
}
