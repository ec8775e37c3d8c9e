// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On a backend: takes off what steer has put on, ipip and GUE of either version in either, before the host's stack
 * sees the packet. Not here: anything about flows.
 *
 * What is no whole, unfragmented tunnel packet for this host passes untouched: the kernel's own tunnels may have it.
 * GUE is variant 0 without options and variant 1; control messages and private flags pass. Its UDP checksum is not
 * verified: the inner packet has its own.
 */
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <starling/deliver.h>

#include "parse.h"
#include "csum.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct deliver_config config = {.gue_port = DELIVER_GUE_PORT, .check_source = 1};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DELIVER_PREFIXES);
	__type(key, struct deliver_key);
	__type(value, __u8);
} accept SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct deliver_count);
} count_deliver SEC(".maps");

/* What is under the outer headers. */
struct inner {
	__u64 at; /* offset of its IP header */
	__u8 v4;
};

static inline int deliver_accepts(const __u32 addr[4], __u32 role)
{
	struct deliver_key key = {.bits = DELIVER_ROLE_BITS + 8 * sizeof(key.addr), .role = role};

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&accept, &key) != NULL;
}

/* Variant 0: 4 bytes, then the protocol they name. Variant 1: the inner IP header itself, whose version says so. */
static inline int deliver_gue(const struct packet *p, struct inner *in)
{
	struct udphdr *udp = p->data + p->l4;
	__u8 *gue = (void *)(udp + 1);

	if ((void *)(gue + 4) > p->end || !config.gue_port || udp->dest != bpf_htons(config.gue_port))
		return 0;
	in->at = p->l4 + sizeof(*udp);
	if (gue[0] >> 6 == 1) {
		in->v4 = gue[0] >> 4 == 4;
		return in->v4 || gue[0] >> 4 == 6;
	}
	if (gue[0] || gue[2] || gue[3])
		return 0;
	in->at += 4;
	in->v4 = gue[1] == IPPROTO_IPIP;
	return in->v4 || gue[1] == IPPROTO_IPV6;
}

static inline int deliver_tunnel(const struct packet *p, struct inner *in)
{
	in->at = p->l4;
	in->v4 = p->proto == IPPROTO_IPIP;
	if (p->fragment != FRAGMENT_NONE)
		return 0;
	if (p->proto == IPPROTO_UDP)
		return deliver_gue(p, in);
	return in->v4 || p->proto == IPPROTO_IPV6;
}

/* RFC 6040 section 4.2. Return 0: the mark is lost on the inner packet, which has to be dropped. */
static inline int deliver_ecn(struct packet *p, __u8 outer)
{
	__u8 *ip = p->data + p->l3;
	__be16 *word = (void *)ip, was;
	__u32 inner, shift = p->v4 ? 0 : 4; /* the traffic class straddles the first two bytes of IPv6 */

	if ((void *)(ip + sizeof(struct iphdr)) > p->end)
		return 1;
	was = *word;
	inner = ip[1] >> shift & 3;
	if ((outer & 3) == 3 && !inner)
		return 0;
	if ((outer & 3) == 3 || ((outer & 3) == 1 && inner == 2))
		ip[1] = (ip[1] & ~(3 << shift)) | (outer & 3) << shift;
	if (p->v4)
		((struct iphdr *)ip)->check = csum_replace(((struct iphdr *)ip)->check, was, *word);
	return 1;
}

/* The link header moves up to the inner packet. */
static inline int deliver_strip(struct packet *p, const struct inner *in)
{
	__u32 mac[3], tag[STARLING_VLAN_TAGS];
	__u64 link = p->l3;

	if (p->data + ETH_HLEN + sizeof(tag) > p->end)
		return 0;
	__builtin_memcpy(mac, p->data, sizeof(mac));
	__builtin_memcpy(tag, p->data + sizeof(mac), sizeof(tag));
	if (bpf_xdp_adjust_head(p->ctx, in->at - link))
		return 0;
	parse_start(p);
	if (p->data + ETH_HLEN + sizeof(tag) > p->end)
		return 0;
	__builtin_memcpy(p->data, mac, sizeof(mac));
	if (link > ETH_HLEN)
		__builtin_memcpy(p->data + sizeof(mac), tag, sizeof(tag[0]));
	if (link > ETH_HLEN + sizeof(struct vlan_tag))
		__builtin_memcpy(p->data + sizeof(mac) + sizeof(tag[0]), tag + 1, sizeof(tag[0]));
	*(__be16 *)(p->data + link - sizeof(__be16)) = in->v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	p->v4 = in->v4;
	return 1;
}

/* Whether the inner packet is whole, is what the tunnel says it is, and may come here. */
static inline int deliver_wanted(const struct packet *outer, const struct inner *in)
{
	struct flow_tuple t;
	struct packet p = *outer;

	if (config.check_outer && !deliver_accepts(outer->t->daddr, DELIVER_OUTER))
		return 0;
	if (config.check_source && !deliver_accepts(outer->t->saddr, DELIVER_SOURCE))
		return 0;
	p.t = &t;
	p.l3 = in->at & PARSE_L4_MAX; /* changes nothing, but for the verifier */
	p.v4 = in->v4;
	if (parse_addresses(&p) != ON || (p.v4 ? parse_v4(&p) : parse_v6_length(&p)) != ON)
		return 0;
	if (in->at + p.ip_len > outer->l3 + outer->ip_len)
		return 0;
	return !config.check_inner || deliver_accepts(t.daddr, DELIVER_INNER);
}

SEC("xdp.frags")
int deliver(struct xdp_md *ctx)
{
	struct flow_tuple t;
	struct packet p = {.ctx = ctx, .t = &t};
	struct deliver_count *c;
	struct inner in;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&count_deliver, &zero);
	if (!c)
		return XDP_PASS;
	parse_start(&p);
	if (parse_link(&p) != ON || parse_addresses(&p) != ON || parse_network(&p) != ON || !deliver_tunnel(&p, &in) ||
	    !deliver_wanted(&p, &in)) {
		c->passed++;
		return XDP_PASS;
	}
	if (!deliver_strip(&p, &in) || !deliver_ecn(&p, p.tos)) {
		c->dropped++;
		return XDP_DROP;
	}
	c->delivered++;
	return XDP_PASS;
}
