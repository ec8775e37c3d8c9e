// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Probes through the tunnel: a packet of this host's own, marked with a backend's id, leaves as steer would have sent a
 * client's (encap.h): the same record, the same outer headers (outer.h). On the way out, so the traffic of others is
 * not concerned. Not here: who marks (io/probe.c), what the backend answers: that comes straight from the VIP's
 * address.
 *
 * A probe that gets past this would be carried by whichever balancer gets it, to whichever backend it likes. So it
 * leaves its socket with one hop to live, and gets more of them here alone.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <starling/dataplane.h>
#include <starling/tunnel.h>

#include "outer.h"
#include "table.h"

_Static_assert(OUTER_TTL == TUNNEL_HOPS, "of what a probe leaves with");

char _license[] SEC("license") = "Dual BSD/GPL";

#define TCP_HEADER_MAX 60

const volatile __u32 backends_mask; /* entries of the table, a power of two, less 1 */

TABLE(backends, struct backend_entry);

/* Outer headers, one after the other. */
struct outer {
	__u8 byte[sizeof(struct ipv6hdr) + sizeof(struct udphdr) + sizeof(struct gue_header)];
};

/* What the outer header takes over. */
struct inner {
	__u8 v4;
	__u8 tos;
	__u8 proto;
	__u32 len;  /* with its IP header */
	__u32 sum;  /* of the IP header */
	__u32 l4;   /* bytes behind the IP header */
	__u32 ends; /* sum of both addresses */
	__u32 hash;
};

static inline const struct backend_record *record_of(__u32 id)
{
	struct backend_entry *entry;
	__u32 zero = 0;
	__u64 index = id & backends_mask, word;

	entry = bpf_map_lookup_elem(&backends, &zero);
	if (!entry)
		return NULL;
	__asm__("" : "+r"(entry), "+r"(index));
	entry += index;
	word = *(volatile __u64 *)&entry->word;
	if (BACKEND_WORD_STATE(word) == BACKEND_UNUSED)
		return NULL;
	return &entry->copy[BACKEND_WORD_SELECT(word)];
}

/* More hops to live than the one that it came with. Return: whether it is IP at all. */
static inline int hops_give(struct __sk_buff *skb, struct inner *in)
{
	struct ipv6hdr ip6;
	struct iphdr ip;
	__u8 hops = TUNNEL_HOPS;

	in->hash = bpf_get_hash_recalc(skb);
	in->v4 = skb->protocol == bpf_htons(ETH_P_IP);
	if (in->v4) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.ihl != 5)
			return 0;
		ip.check = csum_replace(ip.check, bpf_htons(ip.ttl << 8), bpf_htons(hops << 8));
		ip.ttl = hops;
		in->tos = ip.tos;
		in->proto = ip.protocol;
		in->len = bpf_ntohs(ip.tot_len);
		in->l4 = in->len - sizeof(ip);
		in->sum = bpf_csum_diff(NULL, 0, (__be32 *)(void *)&ip, sizeof(ip), 0);
		in->ends = bpf_csum_diff(NULL, 0, &ip.saddr, 2 * sizeof(ip.saddr), 0);
		return !bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0);
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6) || bpf_skb_load_bytes(skb, ETH_HLEN, &ip6, sizeof(ip6)))
		return 0;
	ip6.hop_limit = hops;
	in->tos = ip6.priority << 4 | ip6.flow_lbl[0] >> 4;
	in->proto = ip6.nexthdr;
	in->l4 = bpf_ntohs(ip6.payload_len);
	in->len = in->l4 + sizeof(ip6);
	in->sum = bpf_csum_diff(NULL, 0, (__be32 *)(void *)&ip6, sizeof(ip6), 0);
	in->ends = bpf_csum_diff(NULL, 0, ip6.saddr.in6_u.u6_addr32, sizeof(ip6.saddr) * 2, 0);
	return !bpf_skb_store_bytes(skb, ETH_HLEN, &ip6, sizeof(ip6), 0);
}

/*
 * The outer UDP checksum over IPv6. The inner transport's own may be half made yet, but once whole it makes the sum of
 * what it covers the complement of its pseudo header's: so headers are all that is looked at.
 */
static inline void gue_sum(struct ipv6hdr *ip6, struct udphdr *udp, const struct inner *in)
{
	__be32 word[4] = {bpf_htonl(bpf_ntohs(udp->len)), bpf_htonl(IPPROTO_UDP)};
	__u64 sum, pseudo;

	sum = (__u32)bpf_csum_diff(NULL, 0, ip6->saddr.in6_u.u6_addr32, sizeof(ip6->saddr) * 2, 0);
	sum += (__u32)bpf_csum_diff(NULL, 0, word, 2 * sizeof(*word), 0);
	sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)udp, sizeof(*udp) + sizeof(struct gue_header), 0);
	pseudo = (__u64)in->ends + bpf_htonl(in->l4) + bpf_htonl(in->proto);
	udp->check = csum_fold(sum + in->sum + csum_fold(pseudo));
	if (!udp->check)
		udp->check = 0xffff;
}

static inline void outer_udp(struct outer *o, __u32 ip_bytes, const struct backend_record *be, const struct inner *in)
{
	struct udphdr *udp = (void *)(o->byte + ip_bytes);

	outer_gue(udp, be, in->len, in->v4 ? IPPROTO_IPIP : IPPROTO_IPV6, in->hash);
	if (be->flags & BACKEND_GUE_CSUM && ip_bytes == sizeof(struct ipv6hdr))
		gue_sum((void *)o->byte, udp, in);
}

/*
 * Bytes of the longest packet that becomes of it: of several segments the kernel makes each one with a copy of all
 * headers, the outer ones too, once it is told where they end (the flags of bpf_skb_adjust_room()).
 */
static inline __u32 packet_bytes(const struct __sk_buff *skb, const struct inner *in)
{
	return skb->gso_segs > 1 ? in->len - in->l4 + TCP_HEADER_MAX + skb->gso_size : in->len;
}

/* In front of the packet. Return: whether it went well. */
static inline int outer_add(struct __sk_buff *skb, const struct backend_record *be, const struct inner *in)
{
	__u8 gue = be->forward == FORWARD_GUE, inner = in->v4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	__u32 v4 = be->flags & BACKEND_V4, ip_bytes = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 grow = ip_bytes + (gue ? sizeof(struct udphdr) + sizeof(struct gue_header) : 0);
	__u64 flags = v4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	struct outer o __attribute__((aligned(8))) = {0}; /* addresses are stored in words of 8 */

	if (packet_bytes(skb, in) + grow > be->mtu)
		return 0;
	if (gue && !v4 && be->flags & BACKEND_GUE_CSUM && skb->gso_segs > 1)
		return 0; /* each segment has another sum: they come again, one by one */
	if (gue)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	if (bpf_skb_adjust_room(skb, grow, BPF_ADJ_ROOM_MAC, flags | BPF_F_ADJ_ROOM_FIXED_GSO))
		return 0;
	if (v4) {
		outer_v4((void *)o.byte, be, in->tos, in->len + grow, gue ? IPPROTO_UDP : inner);
		if (gue)
			outer_udp(&o, sizeof(struct iphdr), be, in);
	} else {
		outer_v6((void *)o.byte, be, in->tos, in->len + grow, gue ? IPPROTO_UDP : inner, in->hash);
		if (gue)
			outer_udp(&o, sizeof(struct ipv6hdr), be, in);
	}
	if (!v4)
		return !bpf_skb_store_bytes(skb, ETH_HLEN, &o, gue ? sizeof(o) : sizeof(struct ipv6hdr), 0);
	return !bpf_skb_store_bytes(
		skb, ETH_HLEN, &o,
		gue ? sizeof(o) - sizeof(struct ipv6hdr) + sizeof(struct iphdr) : sizeof(struct iphdr), 0);
}

SEC("tc")
int tunnel(struct __sk_buff *skb)
{
	const struct backend_record *be;
	struct inner in = {0};
	__be16 type;

	if ((skb->mark & ~TUNNEL_ID_MASK) != TUNNEL_MARK)
		return TC_ACT_UNSPEC;
	be = record_of(skb->mark & TUNNEL_ID_MASK);
	if (!be || !(be->flags & BACKEND_RESOLVED) || !hops_give(skb, &in))
		return TC_ACT_SHOT;
	type = skb->protocol;
	if (be->forward != FORWARD_DR) {
		if (!outer_add(skb, be, &in))
			return TC_ACT_SHOT;
		type = be->flags & BACKEND_V4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	}
	/* Both addresses, in a record as in a frame one after the other. */
	if (bpf_skb_store_bytes(skb, 0, be->dmac, 2 * ETH_ALEN, 0) ||
	    bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &type, sizeof(type), 0))
		return TC_ACT_SHOT;
	skb->mark = 0;
	return be->ifindex == skb->ifindex ? TC_ACT_OK : bpf_redirect(be->ifindex, 0);
}
