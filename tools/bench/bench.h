/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the benchmark's BPF side and its driver share. Not here: the program that is measured.
 */
#ifndef STARLING_TOOLS_BENCH_H
#define STARLING_TOOLS_BENCH_H

#include <linux/types.h>

#define BENCH_V4_BYTES 64 /* the frame before it is encapsulated: smallest of Ethernet */
#define BENCH_V6_BYTES 84

#define BENCH_SETS_LOG2 19 /* sets of cells of every world */

/* The .bss of the harness program: which flows it makes up. Flow number n has a source address and port of its own. */
struct bench_state {
	__u64 next;	   /* counter of packets: the flow is next * an odd number, masked */
	__u32 flow_mask;   /* flows - 1 */
	__u32 flow_base;   /* number of the first flow */
	__u32 vip_mask;	   /* VIPs - 1: VIP n & vip_mask gets flow n */
	__u32 vip_base;	   /* last four bytes of the first VIP's address, host order */
	__be32 vip_net[3]; /* first twelve bytes of it; v6 only */
	__u8 v6;
	__u8 proto;
	__u8 tcp_flags;
	__u8 twice;	/* grow and shrink once more: what the shrinking costs is half the difference */
	__u8 forget;	/* before each packet, the cells of the flow that was half of all flows ago */
	__u32 seed[16]; /* of the flow hash: to find them */
};

#endif
