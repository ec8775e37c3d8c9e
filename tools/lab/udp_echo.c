// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Answers UDP datagrams on all addresses, from the address that each was sent to (a VIP, on a
 * backend), with the host's name before the text: udp_echo PORT NAME. Not here: TCP (nginx).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define DATAGRAM_BYTES 65536

/* One socket for both versions; IPv6 packet info carries a mapped address for IPv4. */
static int echo_open(unsigned int port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1, off = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return -errno;
	return fd;
}

static void echo_one(int fd, char *name)
{
	static char text[DATAGRAM_BYTES];
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_in6 from;
	struct iovec part[3] = {{.iov_base = text, .iov_len = sizeof(text)}};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = part,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &m, 0);
	struct cmsghdr *c;

	if (len < 0)
		return;
	/* the answer leaves by the routing table, with the source that was asked */
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != IPV6_PKTINFO)
		return;
	((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
	part[2] = (struct iovec){.iov_base = text, .iov_len = (size_t)len};
	part[1] = (struct iovec){.iov_base = (char[]){' '}, .iov_len = 1};
	part[0] = (struct iovec){.iov_base = name, .iov_len = strlen(name)};
	m.msg_iovlen = 3;
	sendmsg(fd, &m, 0);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: udp_echo PORT NAME\n");
		return 2;
	}
	fd = echo_open((unsigned int)strtoul(argv[1], NULL, 10));
	if (fd < 0) {
		fprintf(stderr, "udp_echo: port %s: %s\n", argv[1], strerror(-fd));
		return 1;
	}
	for (;;)
		echo_one(fd, argv[2]);
}
