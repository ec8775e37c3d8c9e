/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the first byte of a frame to the flow it belongs to: Ethernet, VLAN tags, IPv4 and IPv6 with extension
 * headers, TCP and UDP. Not here: whose packet it is (vip.h), ICMP (icmp.h).
 *
 * Contract: a function takes the packet, reads on from where the last one stopped and returns ON or a verdict. Every
 * header must lie in the linear part of the frame; a later part (frags) may hold payload only. Until the address is
 * known to be a VIP's nobody may drop, so the parts after parse_addresses() speak of drops and vip_owned() decides.
 */
#ifndef STARLING_BPF_PARSE_H
#define STARLING_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <starling/cell.h>
#include <starling/hash.h>

#define ON (-1) /* no verdict yet: go on */

#define PARSE_L4_MAX 0x3fff /* mask of an offset that is over what the longest headers can reach: 12,350 */

enum fragment {
	FRAGMENT_NONE,
	FRAGMENT_FIRST, /* has the transport header; more follow */
	FRAGMENT_LATER, /* has none */
};

struct packet {
	struct xdp_md *ctx;
	void *data;
	void *end;	      /* of the linear part */
	struct flow_tuple *t; /* of the flow: for an ICMP error that of the inner packet, reversed */
	__u64 l3;	      /* offset of the IP header */
	__u64 l4;	      /* offset of the transport header */
	__u32 ip_len;	      /* bytes of the IP packet, as its header says */
	__u32 ifindex;	      /* of the device it came through */
	__u32 fragment_id;
	__u32 vip;     /* id, once known */
	__u32 ports;   /* of the flow: source in the low half */
	__u32 backend; /* id, once known */
	__u64 hash;    /* of the flow */
	__u8 fresh;    /* a new flow: count a connection */
	__u8 overflow; /* no cell could be had */
	__u8 v4;
	__u8 fragment; /* enum fragment */
	__u8 proto;    /* of the packet itself: t.proto may be the inner one */
	__u8 kind;     /* enum packet_kind */
	__u8 tos;      /* DSCP and ECN */
	__u8 df;       /* IPv4 don't fragment, or IPv6 */
	__u8 tcp_flags;
	__u8 dead;  /* of a flow whose backend is down, and which is to be reset */
	__u8 full;  /* of a new flow, and who could have it has as many connections as it may */
	__u8 sign;  /* enum sign_kind: count it for the backend */
	__u8 error; /* an ICMP error: may neither change a cell nor be answered by another */
};

struct vlan_tag {
	__be16 tci;
	__be16 proto;
};

struct ext_header {
	__u8 next;
	__u8 len;
	__be16 frag_off; /* of a fragment header */
	__be32 frag_id;
};

static inline void parse_start(struct packet *p)
{
	p->data = (void *)(long)p->ctx->data;
	p->end = (void *)(long)p->ctx->data_end;
}

/* Ethernet and up to two tags, of either tag protocol. A group's address: others get it too (RFC 1122, 3.3.6). */
static inline int parse_link(struct packet *p)
{
	struct ethhdr *eth = p->data;
	__be16 proto;
	int i;

	if ((void *)(eth + 1) > p->end || eth->h_dest[0] & 1)
		return VERDICT_PASS_OTHER;
	proto = eth->h_proto;
	p->l3 = sizeof(*eth);
#pragma unroll
	for (i = 0; i < STARLING_VLAN_TAGS; i++) {
		struct vlan_tag *tag = p->data + p->l3;

		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > p->end)
			return VERDICT_PASS_OTHER;
		proto = tag->proto;
		p->l3 += sizeof(*tag);
	}
	p->v4 = proto == bpf_htons(ETH_P_IP);
	return p->v4 || proto == bpf_htons(ETH_P_IPV6) ? ON : VERDICT_PASS_OTHER;
}

/* In the words that are compared and hashed: fewer, and none is read across two stores. */
static inline void parse_mapped(__u32 to[4], __be32 from)
{
	hash_word *word = (hash_word *)to;

	word[0] = 0;
	word[1] = (__u64)from << 32 | bpf_htonl(0xffff);
}

static inline void parse_copy(__u32 to[4], const __be32 from[4])
{
	hash_word *word = (hash_word *)to;
	const hash_word *at = (const hash_word *)from;

	word[0] = at[0];
	word[1] = at[1];
}

/*
 * The addresses and nothing else: all that a packet for nobody's VIP costs. Here mapped addresses are IPv4 ones: an
 * IPv6 packet that has one on the wire is for nobody.
 */
static inline int parse_addresses(struct packet *p)
{
	if (p->v4) {
		struct iphdr *ip = p->data + p->l3;

		if ((void *)(ip + 1) > p->end)
			return VERDICT_PASS_OTHER;
		parse_mapped(p->t->saddr, ip->saddr);
		parse_mapped(p->t->daddr, ip->daddr);
	} else {
		struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end)
			return VERDICT_PASS_OTHER;
		parse_copy(p->t->saddr, ip6->saddr.in6_u.u6_addr32);
		parse_copy(p->t->daddr, ip6->daddr.in6_u.u6_addr32);
		if (!*(hash_word *)p->t->daddr && p->t->daddr[2] == bpf_htonl(0xffff))
			return VERDICT_PASS_OTHER;
	}
	return ON;
}

static inline int parse_v4(struct packet *p)
{
	struct iphdr *ip = p->data + p->l3;
	__u32 vihl, off, header;

	if ((void *)(ip + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	vihl = *(__u8 *)ip;
	header = (vihl & 0xf) * 4;
	p->ip_len = bpf_ntohs(ip->tot_len);
	if (vihl >> 4 != 4 || header < sizeof(*ip) || p->ip_len < header)
		return VERDICT_DROP_HEADER;
	off = bpf_ntohs(ip->frag_off);
	p->df = !!(off & 0x4000);
	p->fragment = off & 0x1fff ? FRAGMENT_LATER : off & 0x2000 ? FRAGMENT_FIRST : FRAGMENT_NONE;
	p->fragment_id = ip->id;
	p->tos = ip->tos;
	p->proto = ip->protocol;
	p->l4 = p->l3 + header;
	return ON;
}

static inline int parse_is_extension(__u32 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_AH || proto == IPPROTO_FRAGMENT;
}

struct walk {
	__u32 at;    /* offset of the header after this one */
	__u32 proto; /* its protocol */
	__u32 fragment;
	__u32 fragment_id;
};

/**
 * parse_extensions() - walk IPv6 extension headers
 * @ctx:	the frame
 * @w:		begins at the first, ends at the transport header or at what a later fragment holds
 *
 * RFC 8200 section 4, RFC 4302 for AH; a fragment header with neither offset nor more is none (RFC 6946).
 * A global function, verified once: its many paths end here.
 *
 * Return: ON, or a verdict.
 */
__attribute__((noinline)) int parse_extensions(struct xdp_md *ctx, struct walk *w)
{
	struct ext_header ext;
	__u32 i, off;

	if (!ctx || !w)
		return VERDICT_DROP_INTERNAL;
	for (i = 0; i <= STARLING_IPV6_EXTENSIONS; i++) {
		if (w->fragment == FRAGMENT_LATER || !parse_is_extension(w->proto))
			return ON;
		if (bpf_xdp_load_bytes(ctx, w->at, &ext, sizeof(ext)))
			return VERDICT_DROP_TRUNCATED;
		if (w->proto == IPPROTO_FRAGMENT) {
			off = bpf_ntohs(ext.frag_off);
			w->fragment = off & 0xfff8 ? FRAGMENT_LATER : off & 1 ? FRAGMENT_FIRST : w->fragment;
			w->fragment_id = ext.frag_id;
			w->at += sizeof(ext);
		} else {
			w->at += w->proto == IPPROTO_AH ? (ext.len + 2) * 4 : (ext.len + 1) * 8;
		}
		w->proto = ext.next;
	}
	return VERDICT_DROP_EXTENSIONS;
}

static inline int parse_v6_extensions(struct packet *p)
{
	struct walk w = {.at = p->l4, .proto = p->proto};
	int verdict = parse_extensions(p->ctx, &w);

	if (verdict != ON)
		return verdict;
	p->l4 = w.at & PARSE_L4_MAX; /* changes nothing, but for the verifier */
	p->proto = w.proto;
	p->fragment = w.fragment;
	p->fragment_id = w.fragment_id;
	return ON;
}

static inline int parse_v6_length(struct packet *p)
{
	struct ipv6hdr *ip6 = p->data + p->l3;
	__u32 first;

	if ((void *)(ip6 + 1) > p->end)
		return VERDICT_DROP_TRUNCATED;
	first = bpf_ntohl(*(__be32 *)ip6);
	p->ip_len = bpf_ntohs(ip6->payload_len) + sizeof(*ip6);
	p->tos = first >> 20;
	p->proto = ip6->nexthdr;
	return first >> 28 == 6 ? ON : VERDICT_DROP_HEADER;
}

static inline int parse_v6(struct packet *p)
{
	int verdict = parse_v6_length(p);

	if (verdict != ON)
		return verdict;
	p->df = 1;
	p->fragment = FRAGMENT_NONE;
	p->l4 = p->l3 + sizeof(struct ipv6hdr);
	return parse_is_extension(p->proto) ? parse_v6_extensions(p) : ON;
}

/* The rest of the IP header: where the transport header is, and whether the lengths are true. */
static inline int parse_network(struct packet *p)
{
	int verdict = p->v4 ? parse_v4(p) : parse_v6(p);
	__u64 last = p->l3 + p->ip_len;

	if (verdict != ON)
		return verdict;
	p->t->proto = p->proto;
	if (p->l4 > last)
		return VERDICT_DROP_TRUNCATED;
	/* Most frames are linear: the helper is asked only about those that look too short. */
	if (last > (__u64)(p->end - p->data) && last > bpf_xdp_get_buff_len(p->ctx))
		return VERDICT_DROP_TRUNCATED;
	return ON;
}

/* Both ports, as they lie in the header. */
static inline void parse_ports(struct packet *p, __u32 ports)
{
	p->ports = ports;
	p->t->sport = (__be16)ports;
	p->t->dport = (__be16)(ports >> 16);
}

static inline int parse_tcp(struct packet *p)
{
	struct tcphdr *tcp = p->data + p->l4;
	__u32 room = p->l3 + p->ip_len - p->l4, header, flags;

	if ((void *)(tcp + 1) > p->end || room < sizeof(*tcp))
		return VERDICT_DROP_TRUNCATED;
	header = (((__u8 *)tcp)[12] >> 4) * 4;
	if (header < sizeof(*tcp) || header > room)
		return VERDICT_DROP_HEADER;
	flags = ((__u8 *)tcp)[13];
	p->tcp_flags = flags;
	p->kind = flags & 0x04		   ? PACKET_RST
		  : flags & 0x01	   ? PACKET_FIN
		  : (flags & 0x12) == 0x02 ? PACKET_SYN
					   : PACKET_OTHER;
	parse_ports(p, *(const __u32 *)(const void *)tcp);
	return ON;
}

static inline int parse_udp(struct packet *p)
{
	struct udphdr *udp = p->data + p->l4;
	__u32 room = p->l3 + p->ip_len - p->l4, len;

	if ((void *)(udp + 1) > p->end || room < sizeof(*udp))
		return VERDICT_DROP_TRUNCATED;
	len = bpf_ntohs(udp->len);
	/* A first fragment ends before its datagram does. */
	if (len < sizeof(*udp) || (len > room && p->fragment == FRAGMENT_NONE))
		return VERDICT_DROP_HEADER;
	p->kind = PACKET_UDP;
	parse_ports(p, *(const __u32 *)(const void *)udp);
	return ON;
}

/* Ports and kind of packet; neither in a later fragment nor for other protocols. */
static inline int parse_transport(struct packet *p)
{
	if (p->fragment == FRAGMENT_LATER)
		return ON;
	if (p->proto == IPPROTO_TCP)
		return parse_tcp(p);
	if (p->proto == IPPROTO_UDP)
		return parse_udp(p);
	return ON;
}

#endif
