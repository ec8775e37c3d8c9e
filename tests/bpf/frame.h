/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the oracle reads a frame: byte by byte, every bound looked at. Not here: what is done with it (oracle.c).
 */
#ifndef STARLING_TESTS_BPF_FRAME_H
#define STARLING_TESTS_BPF_FRAME_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "starling/dataplane.h"

#define CARRY_ON (-1)

/* A frame being read. */
struct frame {
	const __u8 *byte;
	size_t len;
	size_t link; /* bytes before the IP header */
	size_t l4;
	size_t ip_len;
	bool v4, later, first;
	__u8 proto, tos;
	__u8 kind;
	__u32 frag_id; /* as on the wire */
	struct addr src, dst;
	__u16 sport, dport; /* host order */
	bool df;
	bool error; /* an ICMP error: src, dst and ports are those of the flow it is about */
};

static inline __u32 be16(const __u8 *at)
{
	return (__u32)at[0] << 8 | at[1];
}

/* Each reads on from where the one before it stopped. False: not for us. Else CARRY_ON or enum packet_verdict. */
bool frame_link(struct frame *f);
bool frame_addresses(struct frame *f);
int frame_ipv6(struct frame *f); /* a part of frame_network() */
int frame_network(struct frame *f);
int frame_transport(struct frame *f);

#endif
