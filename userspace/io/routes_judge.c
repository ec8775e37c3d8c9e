// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From what is known of a target to its next hop, or to the words that say why there is none.
 * Not here: how it became known (routes_netlink.c).
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "io/routes_private.h"

#define NUD_USABLE (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct routes_device *routes_device_find(const struct routes *r, __u32 ifindex)
{
	size_t low = 0, high = r->device_count, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (r->device[mid].ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->device_count && r->device[low].ifindex == ifindex ? &r->device[low] : NULL;
}

/* Words for a target whose lookup gave no usable route; false: it did. */
static bool judge_route(const struct routes_target *t, const char *to, char why[NEXTHOP_WHY_BYTES])
{
	if (!t->looked_up)
		snprintf(why, NEXTHOP_WHY_BYTES, "%s is not looked up yet", to);
	else if (t->error == ENETUNREACH || t->error == EHOSTUNREACH)
		snprintf(why, NEXTHOP_WHY_BYTES, "no route to %s", to);
	else if (t->error == EACCES || t->error == EINVAL)
		snprintf(why, NEXTHOP_WHY_BYTES, "the route to %s forbids it", to);
	else if (t->error)
		snprintf(why, NEXTHOP_WHY_BYTES, "no route to %s (%s)", to, strerror(t->error));
	else if (t->type == RTN_LOCAL)
		snprintf(why, NEXTHOP_WHY_BYTES, "%s is an address of this host", to);
	else if (t->type != RTN_UNICAST)
		snprintf(why, NEXTHOP_WHY_BYTES, "no route to %s as a single host", to);
	else
		return false;
	return true;
}

static bool judge_device(const struct routes_device *d, const char *to, char why[NEXTHOP_WHY_BYTES])
{
	if (!d)
		snprintf(why, NEXTHOP_WHY_BYTES, "the device towards %s is gone", to);
	else if (!d->up)
		snprintf(why, NEXTHOP_WHY_BYTES, "%s towards %s is down", d->name, to);
	else if (!d->ethernet)
		snprintf(why, NEXTHOP_WHY_BYTES, "%s towards %s is no Ethernet device", d->name, to);
	else
		return false;
	return true;
}

static bool judge_neighbour(const struct routes_neighbour *n, const char *device, char why[NEXTHOP_WHY_BYTES])
{
	char text[ADDR_TEXT_BYTES] = "";

	if (n && n->state & NUD_USABLE && n->mac_valid)
		return false;
	if (n)
		addr_format(&n->addr, text);
	if (!n)
		snprintf(why, NEXTHOP_WHY_BYTES, "out of memory");
	else if (n->state & NUD_FAILED)
		snprintf(why, NEXTHOP_WHY_BYTES, "neighbour %s on %s does not answer", text, device);
	else if (n->error == ENOBUFS)
		snprintf(why, NEXTHOP_WHY_BYTES, "neighbour %s: the kernel's table is full (neigh.default.gc_thresh3)",
			 text);
	else if (n->error)
		snprintf(why, NEXTHOP_WHY_BYTES, "neighbour %s on %s: %.24s", text, device, strerror(n->error));
	else
		snprintf(why, NEXTHOP_WHY_BYTES, "neighbour %s on %s has not answered yet", text, device);
	return true;
}

void routes_judge(const struct routes *r, const struct routes_target *t, struct nexthop *ret)
{
	const struct routes_device *d;
	char to[ADDR_TEXT_BYTES];

	memset(ret, 0, sizeof(*ret));
	addr_format(&t->addr, to);
	if (judge_route(t, to, ret->why))
		return;
	ret->ifindex = t->ifindex;
	ret->src = t->src;
	d = routes_device_find(r, t->ifindex);
	if (judge_device(d, to, ret->why))
		return;
	ret->mtu = t->mtu && t->mtu < d->mtu ? t->mtu : d->mtu;
	memcpy(ret->smac, d->mac, sizeof(ret->smac));
	if (judge_neighbour(t->neighbour, d->name, ret->why))
		return;
	memcpy(ret->dmac, t->neighbour->mac, sizeof(ret->dmac));
	ret->routed = !addr_equal(&t->neighbour->addr, &t->addr);
	ret->resolved = true;
}
