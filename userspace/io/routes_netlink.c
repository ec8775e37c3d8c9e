// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * rtnetlink's messages: requests packed, answers and changes read. Not here: what is asked
 * when (routes.c) and what it means for a target (routes_judge.c).
 */
#include <errno.h>
#include <net/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/routes_private.h"

static const struct addr v4_mapped = {{[10] = 0xff, [11] = 0xff}};

static struct addr netlink_addr(const struct nlattr *attr, int family)
{
	struct addr a = v4_mapped;

	if (family == AF_INET && nla_len(attr) == 4)
		memcpy(&a.byte[12], nla_data(attr), 4);
	else if (family == AF_INET6 && nla_len(attr) == 16)
		memcpy(a.byte, nla_data(attr), 16);
	return a;
}

static int socket_open(__u32 groups)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), bytes = ROUTES_BUFFER_BYTES, on = 1,
	    failed;
	int next_hops = RTNLGRP_NEXTHOP;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local))) {
		failed = -errno;
		close(fd);
		return failed;
	}
	if (groups) /* a group past the 32 that bind() can name; without it such changes are seen later */
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &next_hops, sizeof(next_hops));
	return fd;
}

int routes_sockets_open(struct routes *r, struct err *err)
{
	r->request_fd = socket_open(0);
	r->notify_fd = r->request_fd < 0 ? r->request_fd
					 : socket_open(RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE |
						       RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
						       RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1));
	if (r->notify_fd < 0)
		return err_set(err, -r->notify_fd, "cannot follow the kernel's routes and neighbours: %s",
			       strerror(-r->notify_fd));
	return 0;
}

static void batch_attr(struct nlmsghdr *h, int type, const void *value, size_t bytes)
{
	struct nlattr *attr = (struct nlattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	attr->nla_type = (__u16)type;
	attr->nla_len = (__u16)(NLA_HDRLEN + bytes);
	memcpy((char *)attr + NLA_HDRLEN, value, bytes);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

static void batch_addr(struct nlmsghdr *h, int type, const struct addr *a)
{
	bool v4 = addr_is_v4(a);

	batch_attr(h, type, v4 ? &a->byte[12] : a->byte, v4 ? 4 : 16);
}

bool routes_batch_add(struct routes *r, enum routes_kind kind, struct routes_target *t, struct routes_neighbour *n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(r->batch + r->batch_bytes);
	struct ndmsg *nd = NLMSG_DATA(h);
	struct rtmsg *rt = NLMSG_DATA(h);

	if (r->pending_count == ROUTES_BATCH || r->batch_bytes + 128 > sizeof(r->batch))
		return false;
	memset(h, 0, 128);
	h->nlmsg_seq = r->seq + (__u32)r->pending_count;
	h->nlmsg_flags = NLM_F_REQUEST;
	switch (kind) {
	case ROUTES_DEVICES:
		h->nlmsg_type = RTM_GETLINK;
		h->nlmsg_flags |= NLM_F_DUMP;
		h->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
		break;
	case ROUTES_LOOKUP:
		h->nlmsg_type = RTM_GETROUTE;
		h->nlmsg_len = NLMSG_LENGTH(sizeof(*rt));
		rt->rtm_family = addr_is_v4(&t->addr) ? AF_INET : AF_INET6;
		rt->rtm_dst_len = addr_is_v4(&t->addr) ? 32 : 128;
		batch_addr(h, RTA_DST, &t->addr);
		break;
	case ROUTES_GET:
	case ROUTES_USE:
		h->nlmsg_type = kind == ROUTES_GET ? RTM_GETNEIGH : RTM_NEWNEIGH;
		h->nlmsg_len = NLMSG_LENGTH(sizeof(*nd));
		nd->ndm_family = addr_is_v4(&n->addr) ? AF_INET : AF_INET6;
		nd->ndm_ifindex = (int)n->ifindex;
		if (kind == ROUTES_USE) {
			h->nlmsg_flags |= NLM_F_CREATE | NLM_F_ACK;
			nd->ndm_flags = NTF_USE;
		}
		batch_addr(h, NDA_DST, &n->addr);
		break;
	}
	r->batch_bytes += NLMSG_ALIGN(h->nlmsg_len);
	r->pending[r->pending_count++] =
		(struct routes_pending){.open = true, .kind = kind, .target = t, .neighbour = n};
	r->pending_open++;
	return true;
}

static void device_drop(struct routes *r, __u32 ifindex)
{
	struct routes_device *d = routes_device_find(r, ifindex);

	if (!d)
		return;
	memmove(d, d + 1, (size_t)(r->device + r->device_count - (d + 1)) * sizeof(*d));
	r->device_count--;
	routes_want_all(r);
}

/* A device as the kernel tells it. Most messages change nothing that matters here. */
static void device_read(struct routes *r, struct nlmsghdr *h)
{
	struct ifinfomsg *info = nlmsg_data(h);
	struct nlattr *attr[IFLA_MAX + 1];
	struct routes_device d = {0}, *more, *have;
	size_t at;

	if (nlmsg_parse(h, sizeof(*info), attr, IFLA_MAX, NULL) < 0 || info->ifi_family != AF_UNSPEC)
		return;
	if (h->nlmsg_type == RTM_DELLINK) {
		device_drop(r, (__u32)info->ifi_index);
		return;
	}
	d.ifindex = (__u32)info->ifi_index;
	d.up = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	d.ethernet = info->ifi_type == ARPHRD_ETHER && attr[IFLA_ADDRESS] && nla_len(attr[IFLA_ADDRESS]) == 6;
	if (d.ethernet)
		memcpy(d.mac, nla_data(attr[IFLA_ADDRESS]), 6);
	if (attr[IFLA_MTU])
		d.mtu = nla_get_u32(attr[IFLA_MTU]);
	if (attr[IFLA_IFNAME])
		nla_strlcpy(d.name, attr[IFLA_IFNAME], sizeof(d.name));
	have = routes_device_find(r, d.ifindex);
	if (have && !memcmp(have, &d, sizeof(d)))
		return;
	if (!have) {
		more = realloc(r->device, (r->device_count + 1) * sizeof(*more));
		if (!more)
			return;
		r->device = more;
		for (at = r->device_count; at && r->device[at - 1].ifindex > d.ifindex; at--)
			r->device[at] = r->device[at - 1];
		r->device_count++;
		have = &r->device[at];
	}
	*have = d;
	routes_want_all(r);
}

static void neighbour_read(struct routes *r, struct nlmsghdr *h)
{
	struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *attr[NDA_MAX + 1];
	struct routes_neighbour *n;
	struct addr a;

	if (nlmsg_parse(h, sizeof(*nd), attr, NDA_MAX, NULL) < 0 || !attr[NDA_DST] ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return;
	a = netlink_addr(attr[NDA_DST], nd->ndm_family);
	n = routes_neighbour_find(r, (__u32)nd->ndm_ifindex, &a);
	if (!n)
		return;
	n->state = h->nlmsg_type == RTM_DELNEIGH ? NUD_NONE : nd->ndm_state;
	n->mac_valid = attr[NDA_LLADDR] && nla_len(attr[NDA_LLADDR]) == 6;
	if (n->mac_valid)
		memcpy(n->mac, nla_data(attr[NDA_LLADDR]), 6);
	n->error = 0;
	routes_neighbour_changed(r, n);
}

/* The answer to a lookup. */
static void lookup_read(struct routes *r, struct nlmsghdr *h, struct routes_target *t)
{
	struct nlattr *attr[RTA_MAX + 1], *metric[RTAX_MAX + 1];
	struct rtmsg *rt = nlmsg_data(h);
	struct addr gateway = t->addr;
	const struct rtvia *via;

	if (nlmsg_parse(h, sizeof(*rt), attr, RTA_MAX, NULL) < 0)
		return;
	t->looked_up = true;
	t->error = 0;
	t->type = rt->rtm_type;
	t->mtu = 0;
	memset(&t->src, 0, sizeof(t->src));
	if (attr[RTA_PREFSRC])
		t->src = netlink_addr(attr[RTA_PREFSRC], rt->rtm_family);
	if (attr[RTA_METRICS] && !nla_parse_nested(metric, RTAX_MAX, attr[RTA_METRICS], NULL) && metric[RTAX_MTU])
		t->mtu = nla_get_u32(metric[RTAX_MTU]);
	if (attr[RTA_GATEWAY]) {
		gateway = netlink_addr(attr[RTA_GATEWAY], rt->rtm_family);
	} else if (attr[RTA_VIA] && nla_len(attr[RTA_VIA]) == (int)sizeof(*via) + 16) {
		via = nla_data(attr[RTA_VIA]); /* an IPv4 route through an IPv6 router: RFC 8950 */
		memcpy(gateway.byte, via->rtvia_addr, 16);
	}
	routes_target_via(r, t, attr[RTA_OIF] ? nla_get_u32(attr[RTA_OIF]) : 0, &gateway);
}

static void lookup_failed(struct routes *r, struct routes_target *t, int error)
{
	t->looked_up = true;
	t->error = error;
	routes_target_via(r, t, 0, NULL);
}

/* Takes one message of an answer. */
static void answer_read(struct routes *r, struct nlmsghdr *h)
{
	__u32 at = h->nlmsg_seq - r->seq;
	struct routes_pending *p = &r->pending[at];
	int error = 0;
	bool last = h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE || !(h->nlmsg_flags & NLM_F_MULTI);

	if (at >= r->pending_count || !p->open)
		return;
	if (h->nlmsg_type == NLMSG_ERROR)
		error = -((struct nlmsgerr *)nlmsg_data(h))->error;
	switch (p->kind) {
	case ROUTES_DEVICES:
		if (h->nlmsg_type == RTM_NEWLINK)
			device_read(r, h);
		break;
	case ROUTES_LOOKUP:
		if (p->target && h->nlmsg_type == RTM_NEWROUTE)
			lookup_read(r, h, p->target);
		else if (p->target)
			lookup_failed(r, p->target, error ? error : EIO);
		break;
	case ROUTES_GET:
		if (p->neighbour && p->neighbour->use_at_ms == ROUTES_USE_UNKNOWN)
			p->neighbour->use_at_ms = 0;
		if (h->nlmsg_type == RTM_NEWNEIGH)
			neighbour_read(r, h);
		else if (p->neighbour)
			routes_neighbour_changed(r, p->neighbour);
		break;
	case ROUTES_USE:
		if (p->neighbour && error && error != p->neighbour->error) {
			p->neighbour->error = error;
			routes_neighbour_changed(r, p->neighbour);
		}
		break;
	}
	if (last) {
		p->open = false;
		r->pending_open--;
	}
}

void routes_request_read(struct routes *r)
{
	struct nlmsghdr *h;
	int reads, left;
	ssize_t got;

	for (reads = 0; reads < ROUTES_READS; reads++) {
		got = recv(r->request_fd, r->received, sizeof(r->received), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS) {
			/* Answers were lost: ask again. */
			r->pending_open = r->pending_count = 0;
			r->want_devices = true;
			routes_want_all(r);
			return;
		}
		if (got <= 0)
			break;
		left = (int)got;
		for (h = (struct nlmsghdr *)(void *)r->received; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			answer_read(r, h);
	}
	if (!r->pending_open && routes_wanted(r))
		routes_work_soon(r, 0);
}

static void change_read(struct routes *r, struct nlmsghdr *h)
{
	struct nlattr *attr[RTA_MAX + 1];
	struct rtmsg *rt = nlmsg_data(h);
	struct addr prefix;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		device_read(r, h);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_read(r, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (nlmsg_parse(h, sizeof(*rt), attr, RTA_MAX, NULL) < 0 || rt->rtm_flags & RTM_F_CLONED ||
		    (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6))
			break;
		prefix = rt->rtm_family == AF_INET ? v4_mapped : (struct addr){{0}};
		if (attr[RTA_DST])
			prefix = netlink_addr(attr[RTA_DST], rt->rtm_family);
		routes_prefix_changed(r, &prefix, rt->rtm_dst_len + (rt->rtm_family == AF_INET ? 96u : 0u));
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		routes_want_all(r);
		break;
	}
}

void routes_notify_read(struct routes *r)
{
	struct nlmsghdr *h;
	int reads, left;
	ssize_t got;

	for (reads = 0; reads < ROUTES_READS; reads++) {
		got = recv(r->notify_fd, r->received, sizeof(r->received), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS) {
			r->overrun = true;
			continue;
		}
		if (got <= 0 && r->overrun) {
			/* The kernel goes on dropping until the socket has been emptied; only now is a new look
			 * complete. */
			r->overrun = false;
			r->want_devices = true;
			routes_want_all(r);
		}
		if (got <= 0)
			return;
		left = (int)got;
		for (h = (struct nlmsghdr *)(void *)r->received; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			change_read(r, h);
	}
}
