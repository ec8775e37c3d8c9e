// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See gossip.h. The socket is of IPv6, with IPv4 addresses mapped, as in struct addr. Not here: what comes to groups
 * (beacons.c).
 */
#include "io/gossip.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/seal.h"
#include "io/sockaddr.h"

#define GOSSIP_TURNS   8	  /* batches read before other sockets have their turn */
#define GOSSIP_BUFFER  (1u << 20) /* bytes of the kernel's, each way: what comes while the loop is away */
#define GOSSIP_QUEUE_B (64u << 10)

struct gossip {
	uv_poll_t poll;
	int fd;
	gossip_receive_fn *receive;
	void *arg;
	/* What waits to be sent. */
	struct mmsghdr out[GOSSIP_BATCH];
	struct iovec out_iov[GOSSIP_BATCH];
	struct sockaddr_in6 out_at[GOSSIP_BATCH];
	size_t count, used;
	__u8 queue[GOSSIP_QUEUE_B];
	__u8 in[GOSSIP_BATCH][SEAL_DATAGRAM_MAX + 1];
};

_Static_assert(SEAL_DATAGRAM_MAX <= GOSSIP_QUEUE_B, "one has room");

static struct sockaddr_in6 sockaddr_of(const struct endpoint *e)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = e->port};

	memcpy(&sa.sin6_addr, e->addr.byte, sizeof(sa.sin6_addr));
	return sa;
}

void gossip_flush(struct gossip *g)
{
	size_t done = 0;

	while (done < g->count) {
		int n = sendmmsg(g->fd, g->out + done, (unsigned int)(g->count - done), MSG_DONTWAIT);

		done += n > 0 ? (size_t)n : 1; /* the first one failed: it is lost */
	}
	g->count = g->used = 0;
}

void gossip_send(struct gossip *g, const struct endpoint *to, const void *bytes, size_t len)
{
	size_t i;

	if (len > SEAL_DATAGRAM_MAX)
		return;
	if (g->count == GOSSIP_BATCH || g->used + len > sizeof(g->queue))
		gossip_flush(g);
	i = g->count++;
	memcpy(g->queue + g->used, bytes, len);
	g->out_at[i] = sockaddr_of(to);
	g->out_iov[i] = (struct iovec){g->queue + g->used, len};
	g->out[i].msg_hdr = (struct msghdr){.msg_name = &g->out_at[i],
					    .msg_namelen = sizeof(g->out_at[i]),
					    .msg_iov = &g->out_iov[i],
					    .msg_iovlen = 1};
	g->used += len;
}

static int batch_read(struct gossip *g)
{
	struct mmsghdr in[GOSSIP_BATCH];
	struct iovec iov[GOSSIP_BATCH];
	struct sockaddr_in6 at[GOSSIP_BATCH] = {0};
	struct endpoint from;
	int n, i;

	for (i = 0; i < GOSSIP_BATCH; i++) {
		iov[i] = (struct iovec){g->in[i], sizeof(g->in[i])};
		in[i].msg_hdr = (struct msghdr){
			.msg_name = &at[i], .msg_namelen = sizeof(at[i]), .msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(g->fd, in, GOSSIP_BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++) {
		from = sockaddr_endpoint((const struct sockaddr *)&at[i]);
		g->receive(g->arg, &from, g->in[i], in[i].msg_len, (size_t)(n - i - 1));
	}
	return n;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct gossip *g = poll->data;

	(void)status;
	(void)events;
	for (int turn = 0; turn < GOSSIP_TURNS && batch_read(g) == GOSSIP_BATCH; turn++)
		;
}

static int socket_open(const struct endpoint *at, const char *device, struct err *err)
{
	struct sockaddr_in6 sa = sockaddr_of(at);
	const int on = 1, off = 0, buffer = GOSSIP_BUFFER;
	char text[ENDPOINT_TEXT_BYTES];
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;

	endpoint_format(at, text);
	if (fd < 0)
		return err_set(err, errno, "cannot make a socket for gossip: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	if (device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		rc = err_set(err, errno, "cannot gossip through %s: %s", device, strerror(errno));
	else if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)))
		rc = err_set(err, errno, "cannot gossip at %s: %s", text, strerror(errno));
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int gossip_open(struct loop *loop, const struct endpoint *at, const char *device, gossip_receive_fn *receive, void *arg,
		struct gossip **ret, struct err *err)
{
	struct gossip *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return err_set(err, ENOMEM, "no memory for the gossip socket");
	g->receive = receive;
	g->arg = arg;
	g->fd = socket_open(at, device, err);
	rc = g->fd;
	if (rc >= 0) {
		rc = uv_poll_init(loop_uv(loop), &g->poll, g->fd);
		if (rc) {
			close(g->fd);
			err_set(err, -rc, "cannot wait for the gossip socket: %s", uv_strerror(rc));
		}
	}
	if (rc < 0) {
		free(g);
		return rc;
	}
	g->poll.data = g;
	uv_poll_start(&g->poll, UV_READABLE, on_readable);
	*ret = g;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void gossip_close(struct gossip *g)
{
	if (!g)
		return;
	gossip_flush(g);
	uv_poll_stop(&g->poll);
	close(g->fd); /* now: the next one may want the same address */
	uv_close((uv_handle_t *)&g->poll, on_closed);
}
