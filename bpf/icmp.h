/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP and ICMPv6 as a VIP speaks them: echo answered, errors traced back to the flow they are about,
 * fragmentation-needed and packet-too-big sent. Not here: forwarding of errors (encap.h).
 *
 * An error names a packet from VIP to client, seen by somebody on its way: reversed, that is the flow as steer knows
 * it. It is looked up and forwarded, but changes no cell: anyone can forge one.
 */
#ifndef STARLING_BPF_ICMP_H
#define STARLING_BPF_ICMP_H

#include "answer.h"
#include "csum.h"
#include "vip.h"

#define ICMP_QUOTE_V4 548  /* RFC 1812 section 4.3.2.3: 576 bytes with the headers */
#define ICMP_QUOTE_V6 1232 /* RFC 4443 section 2.4 (c): 1280 bytes with the headers */

/* <linux/icmp.h> wants the C library. */
#define ICMP_V4_ECHO_REPLY  0
#define ICMP_V4_UNREACHABLE 3
#define ICMP_V4_FRAG_NEEDED 4 /* code */
#define ICMP_V4_ECHO	    8
#define ICMP_V4_TIME	    11
#define ICMP_V4_PARAMETER   12
#define ICMP_V6_UNREACHABLE 1
#define ICMP_V6_TOO_BIG	    2
#define ICMP_V6_PARAMETER   4
#define ICMP_V6_ECHO	    128
#define ICMP_V6_ECHO_REPLY  129

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__be32 word; /* of an error: the MTU, mostly */
};

/* The request becomes the reply where it stands: of the checksums' words only type and TTL change. */
static inline int icmp_echo(struct packet *p)
{
	struct icmp_header *icmp = p->data + p->l4;
	struct ethhdr *eth = p->data;
	__u16 was;

	if ((void *)(icmp + 1) > p->end || (void *)(eth + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	if (!answerable(p))
		return VERDICT_DROP_ICMP;
	was = *(__u16 *)icmp;
	icmp->type = p->v4 ? ICMP_V4_ECHO_REPLY : ICMP_V6_ECHO_REPLY;
	icmp->checksum = csum_replace(icmp->checksum, was, *(__u16 *)icmp);
	answer_swap_link(eth);
	if (p->v4) {
		struct iphdr *ip = p->data + p->l3;

		if ((void *)(ip + 1) > p->end)
			return VERDICT_DROP_TRUNCATED;
		was = *(__u16 *)&ip->ttl;
		ip->ttl = ANSWER_TTL;
		ip->check = csum_replace(ip->check, was, *(__u16 *)&ip->ttl);
		ip->saddr = p->t->daddr[3];
		ip->daddr = p->t->saddr[3];
	} else {
		struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end)
			return VERDICT_DROP_TRUNCATED;
		ip6->hop_limit = ANSWER_TTL;
		parse_copy(ip6->saddr.in6_u.u6_addr32, p->t->daddr);
		parse_copy(ip6->daddr.in6_u.u6_addr32, p->t->saddr);
	}
	return VERDICT_TX_ECHO;
}

/**
 * icmp_inner() - the flow that an ICMP error is about
 * @ctx:	the frame
 * @at:		offset of the inner IP header
 * @v4:		its version: that of the error
 * @t:		the flow, as its client's packets name it
 *
 * The first 8 bytes of the transport header are enough. A global function, verified once.
 *
 * Return: ON, or VERDICT_DROP_ICMP.
 */
__attribute__((noinline)) int icmp_inner(struct xdp_md *ctx, __u32 at, __u32 v4, struct flow_tuple *t)
{
	struct walk w = {0};
	__be16 port[4];

	if (!ctx || !t)
		return VERDICT_DROP_ICMP;
	if (v4) {
		struct iphdr ip;

		if (bpf_xdp_load_bytes(ctx, at, &ip, sizeof(ip)))
			return VERDICT_DROP_ICMP;
		if (*(__u8 *)&ip < 0x45 || *(__u8 *)&ip > 0x4f || ip.frag_off & bpf_htons(0x1fff))
			return VERDICT_DROP_ICMP;
		parse_mapped(t->saddr, ip.daddr);
		parse_mapped(t->daddr, ip.saddr);
		w.proto = ip.protocol;
		w.at = at + (*(__u8 *)&ip & 0xf) * 4;
	} else {
		struct ipv6hdr ip6;

		if (bpf_xdp_load_bytes(ctx, at, &ip6, sizeof(ip6)) || *(__u8 *)&ip6 >> 4 != 6)
			return VERDICT_DROP_ICMP;
		parse_copy(t->saddr, ip6.daddr.in6_u.u6_addr32);
		parse_copy(t->daddr, ip6.saddr.in6_u.u6_addr32);
		w.proto = ip6.nexthdr;
		w.at = at + sizeof(ip6);
		if (parse_extensions(ctx, &w) != ON || w.fragment == FRAGMENT_LATER)
			return VERDICT_DROP_ICMP;
	}
	if ((w.proto != IPPROTO_TCP && w.proto != IPPROTO_UDP) || bpf_xdp_load_bytes(ctx, w.at, port, sizeof(port)))
		return VERDICT_DROP_ICMP;
	t->sport = port[1];
	t->dport = port[0];
	t->proto = w.proto;
	return ON;
}

static inline int icmp_is_error(const struct packet *p, __u8 type)
{
	if (p->v4)
		return type == ICMP_V4_UNREACHABLE || type == ICMP_V4_TIME || type == ICMP_V4_PARAMETER;
	return type >= ICMP_V6_UNREACHABLE && type <= ICMP_V6_PARAMETER;
}

static inline int icmp_same(const __u64 a[2], const __u64 b[2])
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]));
}

/*
 * What is neither TCP nor UDP: an echo is answered, an error becomes the flow it is about (ON), the rest is not ours.
 */
static inline int icmp_enter(struct packet *p)
{
	struct icmp_header *icmp = p->data + p->l4;
	__u64 vip[2];

	if (vip_owned(p, ON) != ON)
		return VERDICT_PASS_OTHER;
	if (p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6)
		return VERDICT_PASS_VIP_OTHER;
	if (!config.icmp || p->fragment != FRAGMENT_NONE || p->v4 != (p->proto == IPPROTO_ICMP))
		return VERDICT_PASS_VIP_OTHER;
	if ((void *)(icmp + 1) > p->end || p->l4 + sizeof(*icmp) > p->l3 + p->ip_len)
		return VERDICT_DROP_TRUNCATED;
	if (icmp->type == (p->v4 ? ICMP_V4_ECHO : ICMP_V6_ECHO) && !icmp->code)
		return icmp_echo(p);
	if (!icmp_is_error(p, icmp->type))
		return VERDICT_PASS_VIP_OTHER;
	vip[0] = ((const __u64 *)p->t->daddr)[0];
	vip[1] = ((const __u64 *)p->t->daddr)[1];
	if (icmp_inner(p->ctx, p->l4 + sizeof(*icmp), p->v4, p->t) != ON)
		return VERDICT_DROP_ICMP;
	/* Whom the error is sent to must have sent the packet that it is about. */
	if (!icmp_same(vip, (const __u64 *)p->t->daddr))
		return VERDICT_DROP_ICMP;
	p->error = 1;
	p->ports = (__u32)p->t->dport << 16 | p->t->sport;
	p->kind = p->t->proto == IPPROTO_UDP ? PACKET_UDP : PACKET_OTHER;
	return ON;
}

struct icmp_v4_error {
	struct iphdr ip;
	struct icmp_header icmp;
};
_Static_assert(sizeof(struct icmp_v4_error) == 28, "headers of an error");

struct icmp_v6_error {
	struct ipv6hdr ip6;
	struct icmp_header icmp; /* ICMPv6 begins like it */
	struct {
		__be32 len;
		__be32 proto;
	} pseudo; /* RFC 8200 section 8.1; not sent */
};

static inline int icmp_v4_too_big(struct xdp_md *ctx, __u32 l3, __u32 quoted, __u32 mtu)
{
	struct icmp_v4_error e = {0};
	struct iphdr was;
	__u32 sum;

	sum = csum_frame(ctx, l3, quoted);
	if (bpf_xdp_load_bytes(ctx, l3, &was, sizeof(was)) || bpf_xdp_adjust_head(ctx, -(int)sizeof(e)))
		return -1;
	*(__u8 *)&e.ip = 0x45;
	e.ip.tos = 0xc0; /* RFC 1812 section 4.3.2.5: precedence 6 */
	e.ip.tot_len = bpf_htons(sizeof(e) + quoted);
	e.ip.frag_off = bpf_htons(0x4000);
	e.ip.ttl = ANSWER_TTL;
	e.ip.protocol = IPPROTO_ICMP;
	e.ip.saddr = was.daddr;
	e.ip.daddr = was.saddr;
	e.ip.check = csum_ip(&e.ip);
	e.icmp.type = ICMP_V4_UNREACHABLE;
	e.icmp.code = ICMP_V4_FRAG_NEEDED;
	e.icmp.word = bpf_htonl(mtu & 0xffff);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&e.icmp, sizeof(e.icmp), sum);
	e.icmp.checksum = csum_fold(sum);
	return bpf_xdp_store_bytes(ctx, l3, &e, sizeof(e));
}

static inline int icmp_v6_too_big(struct xdp_md *ctx, __u32 l3, __u32 quoted, __u32 mtu)
{
	struct icmp_v6_error e = {0};
	struct ipv6hdr was;
	__u32 sum, grow = sizeof(e.ip6) + sizeof(e.icmp);

	sum = csum_frame(ctx, l3, quoted);
	if (bpf_xdp_load_bytes(ctx, l3, &was, sizeof(was)) || bpf_xdp_adjust_head(ctx, -(int)grow))
		return -1;
	*(__u8 *)&e.ip6 = 0x60;
	e.ip6.payload_len = bpf_htons(sizeof(e.icmp) + quoted);
	e.ip6.nexthdr = IPPROTO_ICMPV6;
	e.ip6.hop_limit = ANSWER_TTL;
	parse_copy(e.ip6.saddr.in6_u.u6_addr32, was.daddr.in6_u.u6_addr32);
	parse_copy(e.ip6.daddr.in6_u.u6_addr32, was.saddr.in6_u.u6_addr32);
	e.icmp.type = ICMP_V6_TOO_BIG;
	e.icmp.word = bpf_htonl(mtu);
	e.pseudo.len = bpf_htonl(sizeof(e.icmp) + quoted);
	e.pseudo.proto = bpf_htonl(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(NULL, 0, e.ip6.saddr.in6_u.u6_addr32, sizeof(e) - 8, sum);
	e.icmp.checksum = csum_fold(sum);
	return bpf_xdp_store_bytes(ctx, l3, &e, grow);
}

/* The lengths there are, one by one: a constant is what every verifier understands. */
static inline int icmp_store_link(struct xdp_md *ctx, __u8 *link, __u32 l3)
{
	if (l3 == ETH_HLEN)
		return bpf_xdp_store_bytes(ctx, 0, link, ETH_HLEN);
	if (l3 == ETH_HLEN + sizeof(struct vlan_tag))
		return bpf_xdp_store_bytes(ctx, 0, link, ETH_HLEN + sizeof(struct vlan_tag));
	return bpf_xdp_store_bytes(ctx, 0, link, ETH_HLEN + 2 * sizeof(struct vlan_tag));
}

/**
 * icmp_answer_too_big() - turn a packet into the error about it
 * @ctx:	the frame
 * @l3:		offset of its IP header
 * @ip_len:	bytes of the packet
 * @v4:		its version
 * @mtu:	what would have fitted, bytes of IP packet
 *
 * RFC 1191, RFC 8201; from the VIP's address. A global function, verified once.
 *
 * Return: VERDICT_TX_TOO_BIG, or VERDICT_DROP_TOO_BIG.
 */
__attribute__((noinline)) int icmp_answer_too_big(struct xdp_md *ctx, __u32 l3, __u32 ip_len, __u32 v4, __u32 mtu)
{
	__u32 most = v4 ? ICMP_QUOTE_V4 : ICMP_QUOTE_V6, quoted = ip_len < most ? ip_len : most, len;
	__u8 link[ETH_HLEN + STARLING_VLAN_TAGS * sizeof(struct vlan_tag) + 2] = {0};

	if (!ctx || !budget_take(BUDGET_ICMP, STARLING_ICMP_PER_SECOND))
		return VERDICT_DROP_TOO_BIG;
	len = bpf_xdp_get_buff_len(ctx);
	if (l3 + quoted > len || bpf_xdp_load_bytes(ctx, 0, link, sizeof(link)))
		return VERDICT_DROP_TOO_BIG;
	if (l3 + quoted < len && bpf_xdp_adjust_tail(ctx, (int)(l3 + quoted) - (int)len))
		return VERDICT_DROP_TOO_BIG;
	if (v4 ? icmp_v4_too_big(ctx, l3, quoted, mtu) : icmp_v6_too_big(ctx, l3, quoted, mtu))
		return VERDICT_DROP_TOO_BIG;
	answer_swap_link((struct ethhdr *)link);
	return icmp_store_link(ctx, link, l3) ? VERDICT_DROP_TOO_BIG : VERDICT_TX_TOO_BIG;
}

/* RFC 1122 section 3.2.2: no error about an error, nor about a later fragment; and none about what may be fragmented.
 */
static inline int icmp_too_big(const struct packet *p, __u32 mtu)
{
	if (!config.icmp || p->error || !p->df || p->fragment == FRAGMENT_LATER || !answerable(p))
		return VERDICT_DROP_TOO_BIG;
	return icmp_answer_too_big(p->ctx, p->l3, p->ip_len, p->v4, mtu);
}

#endif
