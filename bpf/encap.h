/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sending a packet on to its backend: MAC rewrite, IP in IP, GUE; through the device it came from or another.
 * Not here: who the backend is (homes.h), the outer headers' fields (outer.h), the error for a packet that does not fit
 * (icmp.h).
 *
 * What is decided here:
 * - `dr` is a forwarding hop: TTL or hop limit goes down by one and the packet ends at 1, so that two balancers that
 *   name each other as backends do not play with it for ever. A tunnel leaves the inner packet alone to the last bit:
 *   its end is the VIP itself (RFC 2003 section 3.1 decrements only what is being forwarded), the outer TTL is 64,
 *   and whoever sends the inner packet out again is a router that decrements.
 * - Outer DSCP and ECN are the inner ones (RFC 6040 section 4.1, normal mode; RFC 2983 uniform model).
 * - The outer IPv4 header always has DF and so id 0 (RFC 6864 section 4.1): the controller knows the path's MTU, and
 *   learns from the host's routes when it shrinks. A packet over it is answered (icmp.h), never fragmented.
 * - The outer source is the balancer's own address. Entropy is in GUE's source port (RFC 6335's dynamic ports) and in
 *   the outer flow label (RFC 6438).
 * - GUE is variant 0 without options, as `ip fou add port N gue` takes it. Its UDP checksum is 0 over IPv4, and over
 *   IPv6 (RFC 6935, 6936) unless the backend asks for one.
 * - VLAN tags belong to the link the packet came from: kept on the way back into it, ahead of the outer header, and
 *   dropped when it leaves through another device.
 */
#ifndef STARLING_BPF_ENCAP_H
#define STARLING_BPF_ENCAP_H

#include "homes.h"
#include "icmp.h"
#include "outer.h"

/* Makes room: the IP header, now at p->l3, has @grow bytes more in front; returns 0 or a verdict. */
static inline int encap_link(struct packet *p, const struct backend_record *be, int grow, int keep, __be16 type)
{
	__u64 link = keep ? p->l3 : ETH_HLEN;
	__u32 tag[STARLING_VLAN_TAGS] = {0};
	int delta = (int)p->l3 - (int)link - grow;
	__u32 *mac;

	if (link > ETH_HLEN) {
		/* parse_link() has been there, but the verifier forgets by the time the frame moves. */
		if (p->data + ETH_HLEN + sizeof(tag) > p->end)
			return VERDICT_DROP_TRUNCATED;
		__builtin_memcpy(tag, p->data + offsetof(struct ethhdr, h_proto), sizeof(tag));
	}
	if (delta) {
		if (bpf_xdp_adjust_head(p->ctx, delta))
			return VERDICT_DROP_HEADROOM;
		parse_start(p);
	}
	mac = p->data;
	if (p->data + ETH_HLEN + sizeof(tag) > p->end)
		return VERDICT_DROP_TRUNCATED;
	/* Both addresses, in a frame as in a record one after the other. */
	mac[0] = ((const __u32 *)(const void *)be->dmac)[0];
	mac[1] = ((const __u32 *)(const void *)be->dmac)[1];
	mac[2] = ((const __u32 *)(const void *)be->dmac)[2];
	if (link > ETH_HLEN) {
		__u32 *at = p->data + offsetof(struct ethhdr, h_proto);

		at[0] = tag[0];
		if (link > ETH_HLEN + sizeof(struct vlan_tag))
			at[1] = tag[1];
	}
	*(__be16 *)(p->data + link - sizeof(type)) = type;
	p->l3 = link;
	return ON;
}

static inline int encap_v4(struct packet *p, const struct backend_record *be, __u32 grow, __u8 proto)
{
	struct iphdr *ip = p->data + p->l3;

	if ((void *)(ip + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	outer_v4(ip, be, p->tos, p->ip_len + grow, proto);
	return ON;
}

static inline int encap_v6(struct packet *p, const struct backend_record *be, __u32 grow, __u8 proto, __u64 hash)
{
	struct ipv6hdr *ip6 = p->data + p->l3;

	if ((void *)(ip6 + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	outer_v6(ip6, be, p->tos, p->ip_len + grow, proto, hash);
	return ON;
}

/* The outer UDP checksum over IPv6, from the whole datagram: right whatever the inner packet's own is. */
static inline int encap_gue_sum(struct packet *p)
{
	struct ipv6hdr *ip6 = p->data + p->l3;
	__u32 at = p->l3 + sizeof(*ip6), sum;
	__be32 pseudo[2];
	__u16 check;

	if ((void *)(ip6 + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	pseudo[0] = bpf_htonl(bpf_ntohs(ip6->payload_len));
	pseudo[1] = bpf_htonl(IPPROTO_UDP);
	sum = bpf_csum_diff(NULL, 0, ip6->saddr.in6_u.u6_addr32, sizeof(ip6->saddr) * 2, 0);
	sum = bpf_csum_diff(NULL, 0, pseudo, sizeof(pseudo), sum);
	check = csum_fold((__u64)sum + csum_frame(p->ctx, at, bpf_ntohl(pseudo[0])));
	if (!check)
		check = 0xffff;
	return bpf_xdp_store_bytes(p->ctx, at + offsetof(struct udphdr, check), &check, sizeof(check))
		       ? VERDICT_DROP_INTERNAL
		       : ON;
}

static inline int encap_gue(struct packet *p, const struct backend_record *be, __u32 ip_bytes, __u8 inner, __u64 hash)
{
	struct udphdr *udp = p->data + p->l3 + ip_bytes;

	if ((void *)(udp + 1) + sizeof(struct gue_header) > p->end)
		return VERDICT_DROP_TRUNCATED;
	outer_gue(udp, be, p->ip_len, inner, hash);
	return be->flags & BACKEND_GUE_CSUM && ip_bytes == sizeof(struct ipv6hdr) ? encap_gue_sum(p) : ON;
}

/* The outer headers in front of the packet. */
static inline int encap(struct packet *p, const struct backend_record *be, __u32 grow, int keep, __u64 hash)
{
	__u8 inner = p->v4 ? IPPROTO_IPIP : IPPROTO_IPV6, gue = be->forward == FORWARD_GUE;
	__u8 outer_v4 = be->flags & BACKEND_V4;
	int verdict;

	verdict = encap_link(p, be, grow, keep, outer_v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6));
	if (verdict != ON)
		return verdict;
	if (outer_v4)
		verdict = encap_v4(p, be, grow, gue ? IPPROTO_UDP : inner);
	else
		verdict = encap_v6(p, be, grow, gue ? IPPROTO_UDP : inner, hash);
	if (verdict != ON || !gue)
		return verdict;
	return encap_gue(p, be, outer_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr), inner, hash);
}

/* The packet itself, with other MAC addresses and one hop less to live. */
static inline int encap_direct(struct packet *p, const struct backend_record *be, int keep)
{
	int verdict = encap_link(p, be, 0, keep, p->v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6));

	if (verdict != ON)
		return verdict;
	if (p->v4) {
		struct iphdr *ip = p->data + p->l3;
		__u32 check;

		if ((void *)(ip + 1) > p->end)
			return VERDICT_DROP_TRUNCATED;
		if (ip->ttl <= 1)
			return VERDICT_DROP_TTL;
		check = ip->check + bpf_htons(0x0100);
		ip->check = check + (check >= 0xffff);
		ip->ttl--;
	} else {
		struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end)
			return VERDICT_DROP_TRUNCATED;
		if (ip6->hop_limit <= 1)
			return VERDICT_DROP_TTL;
		ip6->hop_limit--;
	}
	return ON;
}

/* Bytes of outer header that a backend's packets get. */
static inline __u32 encap_bytes(const struct backend_record *be)
{
	__u32 ip = be->flags & BACKEND_V4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (be->forward == FORWARD_DR)
		return 0;
	return be->forward == FORWARD_GUE ? ip + sizeof(struct udphdr) + sizeof(struct gue_header) : ip;
}

/**
 * forward() - send a packet to a backend
 * @p:		the packet
 * @be:		the backend's record
 * @hash:	of the flow: entropy for the outer header
 *
 * Return: VERDICT_TX, VERDICT_REDIRECT, VERDICT_TX_TOO_BIG or the reason why not.
 */
static inline int forward(struct packet *p, const struct backend_record *be, __u64 hash)
{
	__u32 grow = encap_bytes(be), ifindex = be->ifindex;
	int same = ifindex == p->ifindex, verdict;

	if (!(be->flags & BACKEND_RESOLVED))
		return VERDICT_DROP_UNRESOLVED;
	if (p->ip_len + grow > be->mtu)
		return icmp_too_big(p, be->mtu - grow);
	verdict = grow ? encap(p, be, grow, same, hash) : encap_direct(p, be, same);
	if (verdict != ON)
		return verdict;
	if (same)
		return VERDICT_TX;
	return bpf_redirect_map(&devmap, ifindex, XDP_DROP) == XDP_REDIRECT ? VERDICT_REDIRECT : VERDICT_DROP_REDIRECT;
}

#endif
