/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer to a TCP packet of a connection whose backend is down: a reset from the VIP, so that the client knows at
 * once. Not here: which packets those are (include/starling/where.h).
 *
 * What a host without such a connection answers, RFC 9293 section 3.10.7.1: if the packet has an ACK, the sequence
 * number that it acknowledges and RST alone; else 0, with an ACK of all that the packet has. It is never longer than
 * what it answers.
 */
#ifndef STARLING_BPF_RESET_H
#define STARLING_BPF_RESET_H

#include "answer.h"
#include "csum.h"

/* <linux/tcp.h> has its flags as bit fields, whose order is the compiler's. */
#define RESET_FIN 0x01
#define RESET_RST 0x04
#define RESET_ACK 0x10

struct reset_tcp {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack;
	__u8 offset; /* words of the header, in the upper half */
	__u8 flags;
	__be16 window;
	__u16 checksum;
	__be16 urgent;
};
_Static_assert(sizeof(struct reset_tcp) == 20, "TCP header");

struct reset_v4 {
	struct iphdr ip;
	struct reset_tcp tcp;
};

struct reset_v6 {
	struct ipv6hdr ip6;
	struct reset_tcp tcp;
};

/* @bytes: of the packet from its TCP header on. Without the checksum. */
static inline void reset_header(const struct reset_tcp *was, __u32 bytes, struct reset_tcp *to)
{
	*to = (struct reset_tcp){.source = was->dest, .dest = was->source, .offset = 0x50, .flags = RESET_RST};
	if (was->flags & RESET_ACK) {
		to->seq = was->ack;
	} else {
		to->flags |= RESET_ACK;
		to->ack = bpf_htonl(bpf_ntohl(was->seq) + bytes - (was->offset >> 4) * 4 + (was->flags & RESET_FIN));
	}
}

static inline __u64 reset_sum(const __be32 *word, __u32 words)
{
	__u64 sum = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

static inline __u16 reset_checksum(const struct reset_tcp *tcp, __u64 addresses)
{
	return csum_fold(addresses + bpf_htonl(sizeof(*tcp)) + bpf_htonl(IPPROTO_TCP) +
			 reset_sum((const __be32 *)(const void *)tcp, sizeof(*tcp) / 4));
}

static inline int reset_write_v4(struct xdp_md *ctx, __u32 l3, const struct reset_tcp *tcp)
{
	struct reset_v4 r = {0};
	struct iphdr was;

	if (bpf_xdp_load_bytes(ctx, l3, &was, sizeof(was)))
		return -1;
	*(__u8 *)&r.ip = 0x45;
	r.ip.tot_len = bpf_htons(sizeof(r));
	r.ip.frag_off = bpf_htons(0x4000);
	r.ip.ttl = ANSWER_TTL;
	r.ip.protocol = IPPROTO_TCP;
	r.ip.saddr = was.daddr;
	r.ip.daddr = was.saddr;
	r.ip.check = csum_ip(&r.ip);
	r.tcp = *tcp;
	r.tcp.checksum = reset_checksum(&r.tcp, (__u64)was.saddr + was.daddr);
	return bpf_xdp_store_bytes(ctx, l3, &r, sizeof(r));
}

static inline int reset_write_v6(struct xdp_md *ctx, __u32 l3, const struct reset_tcp *tcp)
{
	struct reset_v6 r = {0};
	struct ipv6hdr was;

	if (bpf_xdp_load_bytes(ctx, l3, &was, sizeof(was)))
		return -1;
	*(__u8 *)&r.ip6 = 0x60;
	r.ip6.payload_len = bpf_htons(sizeof(r.tcp));
	r.ip6.nexthdr = IPPROTO_TCP;
	r.ip6.hop_limit = ANSWER_TTL;
	parse_copy(r.ip6.saddr.in6_u.u6_addr32, was.daddr.in6_u.u6_addr32);
	parse_copy(r.ip6.daddr.in6_u.u6_addr32, was.saddr.in6_u.u6_addr32);
	r.tcp = *tcp;
	r.tcp.checksum = reset_checksum(&r.tcp, reset_sum(r.ip6.saddr.in6_u.u6_addr32, 8));
	return bpf_xdp_store_bytes(ctx, l3, &r, sizeof(r));
}

/**
 * reset_answer() - turn a TCP packet into the reset that answers it
 * @ctx:	the frame
 * @l3:		offset of its IP header
 * @l4:		offset of its TCP header
 * @ip_len:	bytes of the packet
 * @v4:		its version
 *
 * A global function, verified once.
 *
 * Return: 0, or -1: it may not be sent.
 */
__attribute__((noinline)) int reset_answer(struct xdp_md *ctx, __u32 l3, __u32 l4, __u32 ip_len, __u32 v4)
{
	__u32 end = l3 + (v4 ? sizeof(struct reset_v4) : sizeof(struct reset_v6)), len;
	struct reset_tcp was, answer;
	struct ethhdr eth;

	if (!ctx || !budget_take(BUDGET_RESETS, STARLING_RESETS_PER_SECOND))
		return -1;
	len = bpf_xdp_get_buff_len(ctx);
	if (bpf_xdp_load_bytes(ctx, l4, &was, sizeof(was)) || bpf_xdp_load_bytes(ctx, 0, &eth, sizeof(eth)) ||
	    end > len)
		return -1;
	if (end < len && bpf_xdp_adjust_tail(ctx, (int)end - (int)len))
		return -1;
	reset_header(&was, l3 + ip_len - l4, &answer);
	if (v4 ? reset_write_v4(ctx, l3, &answer) : reset_write_v6(ctx, l3, &answer))
		return -1;
	answer_swap_link(&eth);
	return bpf_xdp_store_bytes(ctx, 0, &eth, sizeof(eth)) ? -1 : 0;
}

/* Nobody resets a reset, what does not come from one host, nor a fragment: its length is not that of its segment. */
static inline int reset_dead(const struct packet *p)
{
	if (p->error || p->proto != IPPROTO_TCP || p->tcp_flags & RESET_RST || p->fragment != FRAGMENT_NONE ||
	    !answerable(p))
		return VERDICT_DROP_DEAD;
	/* What is returned has to be a constant: the verifier is to see that the packet goes no further. */
	return reset_answer(p->ctx, p->l3, p->l4, p->ip_len, p->v4) ? VERDICT_DROP_DEAD : VERDICT_TX_RESET;
}

#endif
