// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a driver does with XDP, asked of the kernel: generic netlink's family "netdev", Linux 6.3 and later. Not here:
 * what older kernels leave to be guessed (dataplane_probe.c).
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/dataplane_private.h"

/* linux/netdev.h, which older headers lack */
#define NETDEV_FAMILY	    "netdev"
#define NETDEV_DEV_GET	    1
#define NETDEV_IFINDEX	    1
#define NETDEV_XDP_FEATURES 3

#define FEATURES_ANSWER_BYTES 4096
#define FEATURES_ATTR_MAX     16
#define FEATURES_WAIT_S	      1 /* the kernel answers at once, or never */

struct question {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char attr[32];
};

/* One question with one attribute; the attributes of the answer are in @answer. */
static int ask(int fd, __u16 family, __u8 command, int type, const void *value, int bytes, void *answer,
	       struct nlattr *ret[FEATURES_ATTR_MAX + 1])
{
	struct question q = {.head = {.nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1},
			     .genl = {.cmd = command, .version = 1}};
	struct nlattr attr = {.nla_type = (__u16)type, .nla_len = (__u16)(NLA_HDRLEN + bytes)};
	struct nlmsghdr *h = answer;
	ssize_t got;

	memcpy(q.attr, &attr, sizeof(attr));
	memcpy(q.attr + NLA_HDRLEN, value, (size_t)bytes);
	q.head.nlmsg_len = (__u32)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(attr.nla_len));
	if (send(fd, &q, q.head.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(fd, answer, FEATURES_ANSWER_BYTES, 0);
	if (got < 0)
		return -errno;
	if (!nlmsg_ok(h, (int)got))
		return -EBADMSG;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)nlmsg_data(h))->error ? -EOPNOTSUPP : -EBADMSG;
	return nlmsg_parse(h, GENL_HDRLEN, ret, FEATURES_ATTR_MAX, NULL) < 0 ? -EBADMSG : 0;
}

int dataplane_features(__u32 ifindex, __u64 *ret)
{
	_Alignas(struct nlmsghdr) char answer[FEATURES_ANSWER_BYTES];
	struct timeval wait = {.tv_sec = FEATURES_WAIT_S};
	struct nlattr *attr[FEATURES_ATTR_MAX + 1] = {NULL};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), failed;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	failed = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY, sizeof(NETDEV_FAMILY),
		     answer, attr);
	if (!failed && !attr[CTRL_ATTR_FAMILY_ID])
		failed = -EBADMSG;
	if (!failed)
		failed = ask(fd, nla_get_u16(attr[CTRL_ATTR_FAMILY_ID]), NETDEV_DEV_GET, NETDEV_IFINDEX, &ifindex,
			     sizeof(ifindex), answer, attr);
	if (!failed && !attr[NETDEV_XDP_FEATURES])
		failed = -EBADMSG;
	close(fd);
	if (!failed)
		*ret = nla_get_u64(attr[NETDEV_XDP_FEATURES]);
	return failed;
}

int dataplane_takes_redirects(__u32 ifindex)
{
	__u64 features = 0;
	int failed = dataplane_features(ifindex, &features);

	return failed ? failed : (features & DATAPLANE_NDO_XMIT) != 0;
}
