/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ears for what nodes say to a whole link: to a multicast group, to everybody. It is sent through the gossip socket,
 * so that its source is where to answer. Not here: what is said (channel.h), when (daemon/peers_places.c).
 */
#ifndef STARLING_IO_BEACONS_H
#define STARLING_IO_BEACONS_H

#include "core/model.h"
#include "io/gossip.h"

#define BEACONS_MAX 2 /* destinations */

struct beacons;

/* Where beacons go of a node that is at @at, whose port all nodes of the link share. Return: how many. */
size_t beacons_to(enum beacon_kinds kinds, const struct endpoint *at, struct endpoint ret[BEACONS_MAX]);

/**
 * beacons_open() - listen
 * @at:		the node's address and port; what comes from there is passed over
 * @device:	not ""
 * @ret:	beacons_close()
 *
 * Return: 0, or -errno with @err.
 */
int beacons_open(struct loop *loop, enum beacon_kinds kinds, const struct endpoint *at, const char *device,
		 gossip_receive_fn *receive, void *arg, struct beacons **ret, struct err *err);

/* Frees it when the loop has turned. NULL is fine. */
void beacons_close(struct beacons *b);

#endif
