/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the deliver program and who loads it on a backend: rodata and maps.
 * Not here: the balancer's own maps (dataplane.h).
 */
#ifndef STARLING_DELIVER_H
#define STARLING_DELIVER_H

#include <linux/types.h>

#define DELIVER_PREFIXES  1024		  /* entries of map "accept" */
#define DELIVER_GUE_PORT  6080		  /* IANA's port of GUE */
#define MAP_ACCEPT	  "accept"	  /* longest prefix match: struct deliver_key -> __u8, anything */
#define MAP_COUNT_DELIVER "count_deliver" /* per-CPU array[1] of struct deliver_count */

/*
 * Which tunnels are opened. Who can have one opened can bring packets with any source address past a filter that looks
 * at outer headers; so, unlike the kernel's own ipip and fou devices, the program opens none until the balancers are
 * listed (DELIVER_SOURCE). The VIPs that this host serves may be listed too (DELIVER_INNER). For 192.0.2.0/28, with the
 * map's number from `bpftool prog show` and `bpftool map show`:
 *
 *	bpftool map update id N key 156 0 0 0  2 0 0 0  0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 0 value 1
 */
struct deliver_config {
	__u16 gue_port;	   /* host order; 0: no GUE */
	__u8 check_outer;  /* outer destination must be listed: this host's tunnel addresses; off by default */
	__u8 check_inner;  /* inner destination must be listed: VIPs; off by default */
	__u8 check_source; /* outer source must be listed: balancers; on by default */
	__u8 pad[3];
};

enum deliver_role {
	DELIVER_OUTER,
	DELIVER_INNER,
	DELIVER_SOURCE,
};

struct deliver_key {
	__u32 bits;    /* DELIVER_ROLE_BITS and those of the prefix, of IPv4 96 more */
	__u32 role;    /* enum deliver_role */
	__u8 addr[16]; /* v4 mapped */
};
#define DELIVER_ROLE_BITS 32

struct deliver_count {
	__u64 passed;	 /* no tunnel, or none that is opened here: left as it was */
	__u64 delivered; /* decapsulated and handed to the host */
	__u64 dropped;	 /* congestion marked on a packet that cannot carry the mark (RFC 6040 section 4.2) */
};

#endif
