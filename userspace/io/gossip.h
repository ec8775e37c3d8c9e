/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gossip socket: one UDP socket on the loop, read and written in batches (recvmmsg, sendmmsg). Not here: what the
 * datagrams are (channel.h).
 */
#ifndef STARLING_IO_GOSSIP_H
#define STARLING_IO_GOSSIP_H

#include "base/addr.h"
#include "io/loop.h"

#define GOSSIP_BATCH 32 /* datagrams of one system call */

struct gossip;

/* @bytes: borrowed. @left: more of the same batch follow: a good moment to flush is when there are none. */
typedef void gossip_receive_fn(void *arg, const struct endpoint *from, const void *bytes, size_t len, size_t left);

/**
 * gossip_open() - bind
 * @at:		the node's address and port
 * @device:	only through this one; "": any
 * @ret:	gossip_close()
 *
 * Return: 0, or -errno with @err.
 */
int gossip_open(struct loop *loop, const struct endpoint *at, const char *device, gossip_receive_fn *receive, void *arg,
		struct gossip **ret, struct err *err);

/* Queues a copy; a full queue leaves at once. What the kernel has no room for is lost, as datagrams are. */
void gossip_send(struct gossip *g, const struct endpoint *to, const void *bytes, size_t len);
void gossip_flush(struct gossip *g);

/* Frees it when the loop has turned. NULL is fine. */
void gossip_close(struct gossip *g);

#endif
