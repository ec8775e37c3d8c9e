// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The harness around a measured XDP program (DESIGN section 7): BPF_PROG_TEST_RUN does not restore
 * the packet between repeats, so this does, picks the next flow and tail-calls the program. Beside it
 * what it is compared with: nothing at all, and the floor. Not here: steer itself, which is loaded unchanged.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <starling/hash.h>

#include "../../bpf/table.h"
#include "bench.h"

struct bench_state state;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} measured SEC(".maps");

TABLE(flows, struct flow_set); /* the measured program's */

struct transport {
	__be16 sport;
	__be16 dport;
	__be32 seq;
	__be32 ack;
	__u8 offset;
	__u8 flags;
	__be16 window;
	__be32 sum;
};

static inline __be16 flow_sport(__u32 n)
{
	return bpf_htons(0x4000 + (n & 15) * 97);
}

/* Flow @n as the program sees it. */
static inline __u64 hash_of_flow(__u32 n)
{
	struct flow_tuple t = {.sport = flow_sport(n), .dport = bpf_htons(80), .proto = state.proto};

	t.daddr[3] = bpf_htonl(state.vip_base + (n & state.vip_mask));
	if (state.v6) {
		t.saddr[0] = bpf_htonl(0x20010db8);
		t.saddr[1] = bpf_htonl(0x01000000);
		t.saddr[3] = bpf_htonl(n >> 4);
		t.daddr[0] = state.vip_net[0];
		t.daddr[1] = state.vip_net[1];
		t.daddr[2] = state.vip_net[2];
	} else {
		t.saddr[2] = t.daddr[2] = bpf_htonl(0xffff);
		t.saddr[3] = bpf_htonl(0x0a000000 + (n >> 4));
	}
	return flow_hash(&t, state.seed);
}

/* Its set and the neighbour are emptied: the flow is new when it comes again, and what it touches is where it was. */
static inline void flow_forget(__u32 n)
{
	__u32 set = hash_set(hash_of_flow(n), BENCH_SETS_LOG2) & ~1u, i;
	struct flow_set *s = table_entry(flows, struct flow_set, set, (1u << BENCH_SETS_LOG2) - 2);

	for (i = 0; i < FLOW_WAYS; i++)
		s[0].cell[i] = s[1].cell[i] = 0;
}

static inline void write_transport(struct transport *l4, __u32 n)
{
	l4->sport = flow_sport(n);
	l4->dport = bpf_htons(80);
	if (state.proto == IPPROTO_TCP) {
		l4->seq = 0;
		l4->ack = 0;
		l4->offset = 0x50;
		l4->flags = state.tcp_flags;
		l4->window = 0xffff;
		l4->sum = 0;
	} else {
		l4->seq = bpf_htonl((BENCH_V4_BYTES - 34) << 16);
	}
}

static inline void write_v4(struct iphdr *ip, __u32 n)
{
	*(__u8 *)ip = 0x45;
	ip->tos = 0;
	ip->tot_len = bpf_htons(BENCH_V4_BYTES - 14);
	ip->id = bpf_htons(1);
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->protocol = state.proto;
	ip->check = 0;
	ip->saddr = bpf_htonl(0x0a000000 + (n >> 4));
	ip->daddr = bpf_htonl(state.vip_base + (n & state.vip_mask));
}

static inline void write_v6(struct ipv6hdr *ip6, __u32 n)
{
	*(__be32 *)ip6 = bpf_htonl(6u << 28);
	ip6->payload_len = bpf_htons(BENCH_V6_BYTES - 54);
	ip6->nexthdr = state.proto;
	ip6->hop_limit = 64;
	ip6->saddr.in6_u.u6_addr32[0] = bpf_htonl(0x20010db8);
	ip6->saddr.in6_u.u6_addr32[1] = bpf_htonl(0x01000000);
	ip6->saddr.in6_u.u6_addr32[2] = 0;
	ip6->saddr.in6_u.u6_addr32[3] = bpf_htonl(n >> 4);
	ip6->daddr.in6_u.u6_addr32[0] = state.vip_net[0];
	ip6->daddr.in6_u.u6_addr32[1] = state.vip_net[1];
	ip6->daddr.in6_u.u6_addr32[2] = state.vip_net[2];
	ip6->daddr.in6_u.u6_addr32[3] = bpf_htonl(state.vip_base + (n & state.vip_mask));
}

static inline void write_ethernet(struct ethhdr *eth)
{
	__builtin_memset(eth, 2, 12);
	eth->h_proto = state.v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
}

/* Number of the flow that comes at place @at in the row. */
static inline __u32 flow_at(__u64 at)
{
	return state.flow_base + ((__u32)(at * 0x9e3779b1u) & state.flow_mask);
}

SEC("xdp.frags")
int bench(struct xdp_md *ctx)
{
	__u32 want = state.v6 ? BENCH_V6_BYTES : BENCH_V4_BYTES, n = flow_at(state.next);
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 len = (__u64)(end - data);

	if (len != want && bpf_xdp_adjust_head(ctx, (int)(len - want)))
		return XDP_ABORTED;
	if (state.twice && (bpf_xdp_adjust_head(ctx, -20) || bpf_xdp_adjust_head(ctx, 20)))
		return XDP_ABORTED;
	if (state.forget)
		flow_forget(flow_at(state.next + (state.flow_mask + 1) / 2));
	state.next++;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + BENCH_V4_BYTES > end)
		return XDP_ABORTED;
	write_ethernet(data);
	if (state.v6) {
		if (data + BENCH_V6_BYTES > end)
			return XDP_ABORTED;
		write_v6(data + 14, n);
		write_transport(data + 54, n);
	} else {
		write_v4(data + 14, n);
		write_transport(data + 34, n);
	}
	bpf_tail_call_static(ctx, &measured, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* The far end of live frames. */
SEC("xdp.frags")
int sink(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

/* What no encapsulating balancer can do without: find the transport header, grow, write a fixed outer header, send. */
SEC("xdp.frags")
int floor_v4(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + 14;
	struct tcphdr *tcp = data + 34;
	__u32 len;

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || *(__u8 *)ip != 0x45 ||
	    (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) || tcp->dest != bpf_htons(80))
		return XDP_DROP;
	len = bpf_ntohs(ip->tot_len) + 20;
	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	ip = data + 14;
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	__builtin_memset(eth, 2, 12);
	eth->h_proto = bpf_htons(ETH_P_IP);
	*(__u8 *)ip = 0x45;
	ip->tos = 0;
	ip->tot_len = bpf_htons(len);
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->protocol = IPPROTO_IPIP;
	ip->check = 0x1234;
	ip->saddr = bpf_htonl(0xc000020b);
	ip->daddr = bpf_htonl(0xc0000265);
	return XDP_TX;
}

SEC("xdp.frags")
int floor_v6(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = data + 14;
	struct tcphdr *tcp = data + 54;
	__u32 len;

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IPV6) || *(__u8 *)ip6 >> 4 != 6 ||
	    (ip6->nexthdr != IPPROTO_TCP && ip6->nexthdr != IPPROTO_UDP) || tcp->dest != bpf_htons(80))
		return XDP_DROP;
	len = bpf_ntohs(ip6->payload_len) + 40;
	if (bpf_xdp_adjust_head(ctx, -40))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	ip6 = data + 14;
	if ((void *)(ip6 + 1) > end)
		return XDP_DROP;
	__builtin_memset(eth, 2, 12);
	eth->h_proto = bpf_htons(ETH_P_IPV6);
	*(__be32 *)ip6 = bpf_htonl(6u << 28);
	ip6->payload_len = bpf_htons(len);
	ip6->nexthdr = IPPROTO_IPV6;
	ip6->hop_limit = 64;
	__builtin_memset(&ip6->saddr, 0xfd, 16);
	__builtin_memset(&ip6->daddr, 0xfe, 16);
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
