/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Next hops of addresses, asked of the kernel by rtnetlink and kept fresh: route, device,
 * source address, MAC addresses, MTU. Not here: what is done with them (the plane).
 *
 * Traffic that XDP sends confirms no neighbour, so the kernel would let the entries go stale:
 * this module asks it to check them. It changes no route, address or device.
 *
 * Belongs to the thread of its loop. Requests are sent by the loop's workers (rtnetlink's lock
 * may be held for long), answers are read by the loop, so that it never blocks.
 */
#ifndef STARLING_IO_ROUTES_H
#define STARLING_IO_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "io/loop.h"

#define NEXTHOP_WHY_BYTES 96

struct nexthop {
	bool resolved;
	bool routed;		     /* by a router: the address is not on the link */
	__u32 ifindex;		     /* device towards the address; 0 while there is no route */
	__u8 dmac[6], smac[6];	     /* of the neighbour (gateway or the address itself) and of the device */
	struct addr src;	     /* source address that the kernel would take */
	__u32 mtu;		     /* bytes of IP packet: the smaller of the device's and the route's */
	char why[NEXTHOP_WHY_BYTES]; /* unless resolved: "no route to 10.0.0.9"; "" if resolved */
};

struct routes;

/* Called on the loop whenever the next hop of @to is another than at the last call; both borrowed. It must neither
 * add nor delete addresses. */
typedef void (*routes_changed)(void *arg, const struct addr *to, const struct nexthop *nexthop);

/**
 * routes_open() - start following routes and neighbours of this network namespace
 * @loop:	runs everything; borrowed until routes_close() has been called and its handles are closed
 * @changed:	told of every change
 * @arg:	for @changed
 * @ret:	owned by the caller; untouched on failure
 * @err:	a sentence
 *
 * Return: 0, -ENOMEM, or -errno of the sockets.
 */
int routes_open(struct loop *loop, routes_changed changed, void *arg, struct routes **ret, struct err *err);

/**
 * routes_add() - follow an address
 * @routes:	the follower
 * @to:		copied
 *
 * Counts references. Of an address not followed before, changed() is called from inside with "not looked up yet",
 * and again when the kernel has answered; of one followed already, from inside with what is known.
 *
 * Return: 0, or -ENOMEM.
 */
int routes_add(struct routes *routes, const struct addr *to);

/* Gives back one reference; with the last, changed() is no longer called for it. An unknown address is ignored. */
void routes_delete(struct routes *routes, const struct addr *to);

/* What is known of an address; NULL if it is not followed. Valid until the loop turns. */
const struct nexthop *routes_find(const struct routes *routes, const struct addr *to);

/* Stops and frees; the last memory goes when the loop has closed the handles. No more calls. NULL is fine. */
void routes_close(struct routes *routes);

#endif
