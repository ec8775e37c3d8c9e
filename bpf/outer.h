/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Outer headers, as steer puts them in front of a client's packet and tunnel in front of a probe: the same bytes, at
 * addresses where there is room for them. Not here: making that room, the outer UDP checksum (encap.h, tunnel.bpf.c),
 * why the fields are what they are (encap.h).
 */
#ifndef STARLING_BPF_OUTER_H
#define STARLING_BPF_OUTER_H

#include <linux/bpf.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <starling/dataplane.h>

#include "csum.h"
#include "gue.h"

#define OUTER_TTL 64

/* @tos: the inner one; @len: of all that follows the link's header. */
static inline void outer_v4(struct iphdr *ip, const struct backend_record *be, __u8 tos, __u32 len, __u8 proto)
{
	__be32 *to = (void *)ip, word[5];
	__u16 check;

	/* In words, and summed before they are stored: to load back what was stored in smaller parts is slow. */
	word[0] = bpf_htonl(0x45u << 24 | (__u32)tos << 16 | (len & 0xffff));
	word[1] = bpf_htonl(0x4000);
	word[2] = bpf_htonl(OUTER_TTL << 24 | (__u32)proto << 16);
	word[3] = *(const __be32 *)(const void *)(be->src + 12);
	word[4] = *(const __be32 *)(const void *)(be->addr + 12);
	check = csum_fold((__u64)word[0] + word[1] + word[2] + word[3] + word[4]);
	to[0] = word[0];
	to[1] = word[1];
	to[2] = word[2];
	to[3] = word[3];
	to[4] = word[4];
	ip->check = check;
}

/* An address: of the bytes that a record holds the compiler does not know that they are aligned. */
static inline void outer_address(struct in6_addr *to, const __u8 from[16])
{
	const __u64 *word = (const void *)from;

	((__u64 *)(void *)to)[0] = word[0];
	((__u64 *)(void *)to)[1] = word[1];
}

/* Likewise; @hash: of the flow, for its label. */
static inline void outer_v6(struct ipv6hdr *ip6, const struct backend_record *be, __u8 tos, __u32 len, __u8 proto,
			    __u64 hash)
{
	*(__be32 *)ip6 = bpf_htonl(6u << 28 | (__u32)tos << 20 | (hash & 0xfffff));
	ip6->payload_len = bpf_htons(len - sizeof(*ip6));
	ip6->nexthdr = proto;
	ip6->hop_limit = OUTER_TTL;
	outer_address(&ip6->saddr, be->src);
	outer_address(&ip6->daddr, be->addr);
}

/* @len: of the inner packet; @inner: its protocol. There is no checksum yet. */
static inline void outer_gue(struct udphdr *udp, const struct backend_record *be, __u32 len, __u8 inner, __u64 hash)
{
	struct gue_header *gue = (void *)(udp + 1);

	udp->source = bpf_htons(GUE_PORT_FIRST | (hash & 0x3fff));
	udp->dest = be->gue_port;
	udp->len = bpf_htons(len + sizeof(*udp) + sizeof(*gue));
	udp->check = 0;
	gue->hlen = 0;
	gue->proto = inner;
	gue->flags = 0;
}

#endif
