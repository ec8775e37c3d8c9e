/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between bpf/tunnel.bpf.c and the prober: how a probe says through whose tunnel it goes. Not here: tables
 * (dataplane.h).
 */
#ifndef STARLING_TUNNEL_H
#define STARLING_TUNNEL_H

/* SO_MARK of a probe's socket: this, and the backend's id. Bits of it may not mean anything else on the host. */
#define TUNNEL_MARK    0x53540000u
#define TUNNEL_ID_MASK 0xffffu

#define TUNNEL_HOPS	  64   /* TTL or hop limit that a probe, and its outer header, leave with */
#define TUNNEL_HOPS_FIRST 1    /* and have before: what is not carried ends at the first router */
#define TUNNEL_SEGMENT	  1220 /* bytes of TCP payload: with all inner and outer headers within 1,400 bytes */

#endif
