// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Line-speaking unix sockets on libuv. Not here: JSON, commands.
 */
#include "io/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define CONTROL_READ_BYTES 65536
#define CONTROL_SWEEP_MS   5000

enum client_state {
	CLIENT_READING,	  /* waiting for a request's end */
	CLIENT_WORKING,	  /* the hook has the request */
	CLIENT_STREAMING, /* lines go out */
	CLIENT_ENDING,	  /* closes when all is written */
	CLIENT_CLOSED,	  /* waiting for libuv to let go */
};

struct client {
	struct client *next;
	struct control *control;
	uv_pipe_t pipe;
	enum client_state state;
	struct control_peer peer;
	struct buf in;	   /* what has been read and not handed over */
	size_t scanned;	   /* bytes of it without a newline */
	__u64 lost;	   /* stream lines left out since the last one sent */
	size_t queued_old; /* bytes queued at the last sweep */
	struct mono moved; /* last progress */
};

struct control {
	struct loop *loop;
	uv_pipe_t pipe;
	uv_timer_t sweep;
	struct control_hooks hooks;
	bool read_only;
	size_t request_bytes, buffered; /* buffered: all clients' input */
	struct client *client;
	size_t client_count;
	__u64 last_client, requests;
	size_t handles; /* of this struct, not yet closed */
	bool closing;
	char scratch[CONTROL_READ_BYTES];
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

struct out {
	uv_write_t write;
	char *bytes; /* owned */
};

static void client_next(struct client *c);

static void control_unref(struct control *control)
{
	if (!--control->handles && !control->client)
		free(control);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data, **at;
	struct control *control = c->control;

	for (at = &control->client; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	control->client_count--;
	buf_free(&c->in);
	free(c);
	if (!control->handles && !control->client)
		free(control);
}

static void client_close(struct client *c)
{
	bool streamed = c->state == CLIENT_STREAMING;

	if (c->state == CLIENT_CLOSED)
		return;
	c->state = CLIENT_CLOSED;
	c->control->buffered -= c->in.len;
	buf_free(&c->in);
	if (streamed && c->control->hooks.stream_end && !c->control->closing)
		c->control->hooks.stream_end(c->control->hooks.arg, c->control, c->peer.client);
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static size_t client_queued(const struct client *c)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
}

static void on_written(uv_write_t *write, int status)
{
	struct out *out = (struct out *)write; /* its first member */
	struct client *c = write->data;

	free(out->bytes);
	free(out);
	if (c->state == CLIENT_CLOSED)
		return;
	c->moved = mono_now();
	if (status < 0 || (c->state == CLIENT_ENDING && !client_queued(c)))
		client_close(c);
}

/* @bytes moves in. Return: whether the client is still there. */
static bool client_write(struct client *c, char *bytes, size_t len)
{
	struct out *out = malloc(sizeof(*out));
	uv_buf_t uv = {.base = bytes, .len = len};

	if (!out)
		goto fail;
	out->bytes = bytes;
	out->write.data = c;
	if (!client_queued(c))
		c->moved = mono_now();
	if (!uv_write(&out->write, (uv_stream_t *)&c->pipe, &uv, 1, on_written))
		return true;
fail:
	free(out);
	free(bytes);
	client_close(c);
	return false;
}

/* Says one sentence in JSON and closes. @sentence holds nothing that JSON would escape. */
static void client_refuse(struct client *c, const char *sentence)
{
	struct buf b = BUF_INIT;
	size_t len;
	char *text;

	buf_printf(
		&b,
		"{\"error\":{\"code\":\"refused\",\"message\":\"%s\",\"file\":null,\"line\":null,\"column\":null}}\n",
		sentence);
	text = buf_take(&b, &len);
	uv_read_stop((uv_stream_t *)&c->pipe);
	c->state = CLIENT_ENDING;
	if (!text)
		client_close(c);
	else
		client_write(c, text, len);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct client *c = handle->data;

	(void)suggested; /* one buffer serves all: its bytes are taken before the next read */
	*ret = uv_buf_init(c->control->scratch, sizeof(c->control->scratch));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	struct control *control = c->control;

	if (n == UV_EOF && c->state == CLIENT_READING && !c->in.len && client_queued(c)) {
		uv_read_stop(stream); /* it has said all, but not heard all */
		c->state = CLIENT_ENDING;
		return;
	}
	if (n < 0) {
		if (c->state == CLIENT_STREAMING || !c->in.len || n != UV_EOF) {
			client_close(c);
			return;
		}
		client_refuse(c, "the request ends without a newline");
		return;
	}
	if (c->state != CLIENT_READING || !n)
		return; /* a stream's reader has nothing to say */
	c->moved = mono_now();
	buf_add(&c->in, buf->base, (size_t)n);
	if (buf_error(&c->in)) {
		client_close(c);
		return;
	}
	control->buffered += (size_t)n;
	client_next(c);
}

/* Hands over the line that ends at @newline and waits for its answer. */
static void line_hand_over(struct client *c, char *newline)
{
	struct control *control = c->control;
	size_t len = (size_t)(newline - c->in.text), rest = c->in.len - len - 1;
	struct buf after = BUF_INIT;
	char *line;

	buf_add(&after, newline + 1, rest);
	if (buf_error(&after)) {
		client_close(c);
		return;
	}
	*newline = '\0';
	line = buf_take(&c->in, NULL);
	c->in = after;
	c->scanned = 0;
	control->buffered -= len + 1;
	c->state = CLIENT_WORKING;
	uv_read_stop((uv_stream_t *)&c->pipe);
	control->requests++;
	control->hooks.request(control->hooks.arg, control, &c->peer, line, len);
}

/* Takes the next request from what has been read, or reads on. */
static void client_next(struct client *c)
{
	struct control *control = c->control;
	char *newline = NULL;

	if (c->in.len > c->scanned)
		newline = memchr(c->in.text + c->scanned, '\n', c->in.len - c->scanned);
	if (newline && (size_t)(newline - c->in.text) <= control->request_bytes) {
		line_hand_over(c, newline);
		return;
	}
	c->scanned = c->in.len;
	if (c->in.len > control->request_bytes)
		client_refuse(c, "the request is too long");
	else if (control->buffered > control->request_bytes + CONTROL_SPARE_BYTES)
		client_refuse(c, "too many long requests at once: try again");
	else
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

static void peer_identify(struct client *c)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;

	if (!uv_fileno((uv_handle_t *)&c->pipe, &fd))
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	c->peer = (struct control_peer){.client = ++c->control->last_client,
					.uid = cred.uid,
					.pid = cred.pid,
					.read_only = c->control->read_only};
}

/* At the bound whoever has been idle for longest gives way. Return: whether there is room. */
static bool room_make(struct control *control)
{
	struct client *c, *oldest = NULL;

	if (control->client_count < CONTROL_CLIENTS)
		return true;
	for (c = control->client; c; c = c->next)
		if (c->state == CLIENT_READING && (!oldest || c->moved.ns < oldest->moved.ns))
			oldest = c;
	if (!oldest)
		return false;
	client_close(oldest);
	return true;
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct control *control = stream->data;
	struct client *c;
	bool room;

	if (status < 0)
		return;
	room = room_make(control);
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->control = control;
	c->moved = mono_now();
	uv_pipe_init(loop_uv(control->loop), &c->pipe, 0);
	c->pipe.data = c;
	c->next = control->client;
	control->client = c;
	control->client_count++;
	if (uv_accept(stream, (uv_stream_t *)&c->pipe)) {
		client_close(c);
		return;
	}
	peer_identify(c);
	if (room)
		client_next(c);
	else
		client_refuse(c, "too many clients are connected: try again");
}

static void on_sweep(uv_timer_t *timer)
{
	struct control *control = timer->data;
	struct mono now = mono_now();
	struct client *c;
	size_t queued;

	for (c = control->client; c; c = c->next) {
		if (c->state == CLIENT_CLOSED)
			continue;
		queued = client_queued(c);
		if (queued < c->queued_old)
			c->moved = now;
		c->queued_old = queued;
		if (mono_ms(c->moved, now) < CONTROL_PATIENCE_MS)
			continue;
		if (queued || c->state == CLIENT_ENDING)
			client_close(c);
		else if (c->state == CLIENT_READING && c->in.len)
			client_refuse(c, "the request did not end in time");
	}
}

static int socket_open(struct control *control, mode_t mode, struct err *err)
{
	int rc;

	if (unlink(control->path) && errno != ENOENT)
		return err_set(err, errno, "cannot remove the old socket %s: %s", control->path, strerror(errno));
	rc = uv_pipe_bind(&control->pipe, control->path);
	if (!rc && chmod(control->path, mode))
		rc = -errno;
	if (!rc)
		rc = uv_listen((uv_stream_t *)&control->pipe, CONTROL_BACKLOG, on_connection);
	return rc ? err_set(err, -rc, "cannot listen on %s: %s", control->path, uv_strerror(rc)) : 0;
}

int control_open(struct loop *loop, const struct control_options *options, const struct control_hooks *hooks,
		 struct control **ret, struct err *err)
{
	struct control *control;
	int rc;

	if (strlen(options->path) >= sizeof(control->path))
		return err_set(err, ENAMETOOLONG,
			       "the socket path %s is longer than %zu bytes: give a shorter --run-dir", options->path,
			       sizeof(control->path) - 1);
	control = calloc(1, sizeof(*control));
	if (!control)
		return err_set(err, ENOMEM, "no memory for the control socket");
	control->loop = loop;
	control->hooks = *hooks;
	control->read_only = options->read_only;
	control->request_bytes = options->request_bytes;
	control->handles = 2;
	snprintf(control->path, sizeof(control->path), "%s", options->path);
	uv_pipe_init(loop_uv(loop), &control->pipe, 0);
	uv_timer_init(loop_uv(loop), &control->sweep);
	control->pipe.data = control;
	control->sweep.data = control;
	rc = socket_open(control, options->mode, err);
	if (rc) {
		control_close(control);
		return rc;
	}
	uv_timer_start(&control->sweep, on_sweep, CONTROL_SWEEP_MS, CONTROL_SWEEP_MS);
	*ret = control;
	return 0;
}

static struct client *client_find(struct control *control, __u64 client)
{
	struct client *c;

	for (c = control->client; c; c = c->next)
		if (c->peer.client == client && c->state != CLIENT_CLOSED)
			return c;
	return NULL;
}

void control_answer(struct control *control, __u64 client, char *bytes, size_t len)
{
	struct client *c = client_find(control, client);

	if (!c || c->state != CLIENT_WORKING) {
		free(bytes);
		return;
	}
	if (!bytes) {
		client_close(c);
		return;
	}
	c->state = CLIENT_READING;
	if (client_write(c, bytes, len))
		client_next(c);
}

bool control_stream_start(struct control *control, __u64 client)
{
	struct client *c = client_find(control, client);

	if (!c || c->state != CLIENT_WORKING)
		return false;
	c->state = CLIENT_STREAMING;
	return !uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read); /* to see it go */
}

void control_stream_line(struct control *control, __u64 client, const char *bytes, size_t len)
{
	struct client *c = client_find(control, client);
	struct buf line = BUF_INIT;
	size_t line_len;
	char *text;

	if (!c || c->state != CLIENT_STREAMING)
		return;
	if (client_queued(c) > CONTROL_STREAM_BYTES) {
		c->lost++;
		return;
	}
	if (c->lost)
		buf_printf(&line, "{\"lost\":%llu}\n", (unsigned long long)c->lost);
	c->lost = 0;
	buf_add(&line, bytes, len);
	text = buf_take(&line, &line_len);
	if (text)
		client_write(c, text, line_len);
	else
		client_close(c);
}

void control_stream_stop(struct control *control, __u64 client)
{
	struct client *c = client_find(control, client);

	if (!c || c->state != CLIENT_STREAMING)
		return;
	c->state = CLIENT_ENDING;
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (!client_queued(c))
		client_close(c);
}

size_t control_clients(const struct control *control)
{
	return control->client_count;
}

__u64 control_requests(const struct control *control)
{
	return control->requests;
}

static void on_handle_closed(uv_handle_t *handle)
{
	control_unref(handle->data);
}

void control_close(struct control *control)
{
	struct client *c, *next;

	if (!control)
		return;
	control->closing = true;
	for (c = control->client; c; c = next) {
		next = c->next; /* libuv frees clients later, from the loop */
		client_close(c);
	}
	uv_close((uv_handle_t *)&control->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&control->pipe, on_handle_closed); /* removes the socket, if it was bound */
}
