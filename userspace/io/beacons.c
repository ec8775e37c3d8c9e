// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See beacons.h. Each destination has a socket that is bound to it, so that nothing else comes in there.
 */
#include "io/beacons.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/seal.h"
#include "io/sockaddr.h"

#define GROUP_V4  "239.255.94.28" /* of the local scope: RFC 2365 section 6.1 */
#define GROUP_V6  "ff12::9428"	  /* transient, of the link: RFC 4291 section 2.7 */
#define EVERYBODY "255.255.255.255"

struct ear {
	uv_udp_t udp;
	struct beacons *beacons;
};

struct beacons {
	struct endpoint at;
	gossip_receive_fn *receive;
	void *arg;
	struct ear ear[BEACONS_MAX];
	size_t ears, closing;
	__u8 in[SEAL_DATAGRAM_MAX + 1];
};

size_t beacons_to(enum beacon_kinds kinds, const struct endpoint *at, struct endpoint ret[BEACONS_MAX])
{
	const bool v4 = addr_is_v4(&at->addr);
	size_t n = 0;

	if (kinds == BEACONS_MULTICAST || kinds == BEACONS_BOTH) {
		ret[n] = (struct endpoint){.port = at->port};
		addr_parse(v4 ? GROUP_V4 : GROUP_V6, &ret[n++].addr);
	}
	if (v4 && (kinds == BEACONS_BROADCAST || kinds == BEACONS_BOTH)) {
		ret[n] = (struct endpoint){.port = at->port};
		addr_parse(EVERYBODY, &ret[n++].addr);
	}
	return n;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct ear *ear = handle->data;

	(void)suggested;
	*ret = uv_buf_init((char *)ear->beacons->in, sizeof(ear->beacons->in));
}

static void on_beacon(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf, const struct sockaddr *sa, unsigned int flags)
{
	struct ear *ear = udp->data;
	struct beacons *b = ear->beacons;
	struct endpoint from;

	if (len < 0 || !sa || flags & UV_UDP_PARTIAL)
		return;
	from = sockaddr_endpoint(sa);
	if (endpoint_compare(&from, &b->at))
		b->receive(b->arg, &from, buf->base, (size_t)len, 0);
}

/* Return: 0, or -errno. */
static int group_join(int fd, const struct endpoint *to, unsigned int ifindex)
{
	struct ip_mreqn v4 = {.imr_ifindex = (int)ifindex};
	struct ipv6_mreq v6 = {.ipv6mr_interface = ifindex};
	int rc;

	if (addr_is_v4(&to->addr)) {
		if (to->addr.byte[12] == 255)
			return 0;
		memcpy(&v4.imr_multiaddr, to->addr.byte + 12, 4);
		rc = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipv6mr_multiaddr, to->addr.byte, sizeof(v6.ipv6mr_multiaddr));
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6, sizeof(v6));
	}
	return rc ? -errno : 0;
}

static int ear_bind(struct ear *ear, const struct endpoint *to, unsigned int ifindex)
{
	struct sockaddr_storage sa;

	sockaddr_make(to, &sa);
	if (sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&sa)->sin6_scope_id = ifindex;
	return uv_udp_bind(&ear->udp, (const struct sockaddr *)&sa, 0);
}

static int ear_open(struct beacons *b, struct loop *loop, const struct endpoint *to, const char *device)
{
	struct ear *ear = &b->ear[b->ears];
	unsigned int ifindex = if_nametoindex(device);
	uv_os_fd_t fd;
	int rc = ifindex ? 0 : -errno;

	if (!rc)
		rc = uv_udp_init_ex(loop_uv(loop), &ear->udp, addr_is_v4(&to->addr) ? AF_INET : AF_INET6);
	if (rc)
		return rc;
	b->ears++;
	ear->beacons = b;
	ear->udp.data = ear;
	uv_fileno((uv_handle_t *)&ear->udp, &fd);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		return -errno;
	rc = ear_bind(ear, to, ifindex);
	if (!rc)
		rc = group_join(fd, to, ifindex);
	return rc ? rc : uv_udp_recv_start(&ear->udp, on_room, on_beacon);
}

int beacons_open(struct loop *loop, enum beacon_kinds kinds, const struct endpoint *at, const char *device,
		 gossip_receive_fn *receive, void *arg, struct beacons **ret, struct err *err)
{
	struct endpoint to[BEACONS_MAX];
	size_t count = beacons_to(kinds, at, to), i;
	struct beacons *b = calloc(1, sizeof(*b));
	char text[ENDPOINT_TEXT_BYTES];
	int rc = 0;

	if (!b)
		return err_set(err, ENOMEM, "no memory for beacons");
	b->at = *at;
	b->receive = receive;
	b->arg = arg;
	for (i = 0; i < count && !rc; i++)
		rc = ear_open(b, loop, &to[i], device);
	if (rc) {
		beacons_close(b);
		return err_set(err, -rc, "cannot listen for beacons at %s on %s: %s", endpoint_format(&to[i - 1], text),
			       device, uv_strerror(rc));
	}
	*ret = b;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct ear *ear = handle->data;
	struct beacons *b = ear->beacons;

	if (!--b->closing)
		free(b);
}

void beacons_close(struct beacons *b)
{
	if (!b)
		return;
	if (!b->ears) {
		free(b);
		return;
	}
	b->closing = b->ears;
	for (size_t i = 0; i < b->ears; i++)
		uv_close((uv_handle_t *)&b->ear[i].udp, on_closed);
}
