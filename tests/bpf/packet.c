// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Frames for tests: see packet.h. Written byte by byte, apart from the kernel's header structs and
 * from bpf/, so that a wrong offset there is not repeated here.
 */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

const __u8 packet_smac[6] = {0x02, 0, 0, 0, 0, 0x0a}, packet_dmac[6] = {0x02, 0, 0, 0, 0, 0x0b};

static void put16(__u8 *at, __u32 v)
{
	at[0] = (__u8)(v >> 8);
	at[1] = (__u8)v;
}

static void put32(__u8 *at, __u32 v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

static __u32 get16(const __u8 *at)
{
	return (__u32)at[0] << 8 | at[1];
}

__u32 packet_sum(__u32 sum, const void *bytes, size_t len)
{
	const __u8 *b = bytes;
	size_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += get16(b + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len & 1)
		sum += (__u32)b[len - 1] << 8;
	return sum;
}

__u16 packet_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((__u16)~sum);
}

/* RFC 793 and RFC 8200 section 8.1: the pseudo-header of the packet whose IP header is at @ip. */
static __u32 pseudo_sum(const __u8 *ip, __u32 proto, size_t len)
{
	__u32 sum = proto + (__u32)(len >> 16) + (__u32)(len & 0xffff);

	return ip[0] >> 4 == 4 ? packet_sum(sum, ip + 12, 8) : packet_sum(sum, ip + 8, 32);
}

/* Where in a transport header its checksum stands; 0: it has none. */
static size_t sum_offset(__u32 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	}
	return 0;
}

static void transport_sum(const __u8 *ip, __u8 *l4, __u32 proto, size_t len)
{
	size_t at = sum_offset(proto);
	__u16 sum;

	if (!at || len < at + 2)
		return;
	memset(l4 + at, 0, 2);
	sum = packet_fold(packet_sum(proto == IPPROTO_ICMP ? 0 : pseudo_sum(ip, proto, len), l4, len));
	if (proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	memcpy(l4 + at, &sum, 2);
}

static void put_ethernet(const struct packet_spec *s, struct packet *p, __u32 type)
{
	__u32 i;

	memcpy(p->byte, packet_dmac, 6);
	memcpy(p->byte + 6, packet_smac, 6);
	p->len = 12;
	for (i = 0; i < s->vlans; i++) {
		put16(p->byte + p->len, i == 0 && s->vlan_proto ? s->vlan_proto : 0x8100);
		put16(p->byte + p->len + 2, s->vlan[i]);
		p->len += 4;
	}
	put16(p->byte + p->len, type);
	p->len += 2;
	p->l3 = p->len;
}

static void put_ipv4(const struct packet_spec *s, struct packet *p)
{
	__u8 *ip = p->byte + p->l3;
	size_t len = 20 + s->ip_options_bytes;

	memset(ip, 0, 20);
	memset(ip + 20, 1, s->ip_options_bytes);
	ip[0] = (__u8)(0x40 | len / 4);
	ip[1] = s->tos;
	put16(ip + 4, s->frag_id ? s->frag_id : 0x1234);
	put16(ip + 6, (s->more || s->frag_offset || s->no_df ? 0 : 0x4000) | (s->more ? 0x2000 : 0) |
			      (__u32)s->frag_offset / 8);
	ip[8] = s->ttl ? s->ttl : 64;
	ip[9] = s->proto;
	memcpy(ip + 12, s->src.byte + 12, 4);
	memcpy(ip + 16, s->dst.byte + 12, 4);
	p->l4 = p->l3 + len;
}

/* 8 bytes each: padding options for 0 and 60, a routing header at its end for 43, an AH of 12 for 51. */
static void put_ipv6(const struct packet_spec *s, struct packet *p)
{
	__u8 *ip = p->byte + p->l3, *next = ip + 6;
	bool fragment = s->more || s->frag_offset || s->frag_id;
	__u32 i;

	memset(ip, 0, 40);
	put32(ip, 6u << 28 | (__u32)s->tos << 20 | 0x12345);
	ip[7] = s->ttl ? s->ttl : 64;
	memcpy(ip + 8, s->src.byte, 16);
	memcpy(ip + 24, s->dst.byte, 16);
	p->l4 = p->l3 + 40;
	for (i = 0; i < s->exts; i++) {
		__u8 *e = p->byte + p->l4;
		size_t len = s->ext[i] == 51 ? 12 : 8;

		*next = s->ext[i];
		next = e;
		memset(e, 0, len);
		e[1] = s->ext[i] == 51 ? 1 : 0;
		if (s->ext[i] == 0 || s->ext[i] == 60) {
			e[2] = 1;
			e[3] = 4;
		}
		p->l4 += len;
	}
	if (fragment) {
		__u8 *e = p->byte + p->l4;

		*next = IPPROTO_FRAGMENT;
		next = e;
		memset(e, 0, 8);
		put16(e + 2, (__u32)(s->frag_offset & ~7u) | s->more);
		put32(e + 4, s->frag_id);
		p->l4 += 8;
	}
	*next = s->proto;
}

static size_t put_transport(const struct packet_spec *s, __u8 *l4)
{
	memset(l4, 0, 20);
	switch (s->proto) {
	case IPPROTO_TCP:
		put16(l4, s->sport);
		put16(l4 + 2, s->dport);
		put32(l4 + 4, 0x01020304);
		l4[12] = 0x50;
		l4[13] = s->tcp_flags;
		put16(l4 + 14, 0xffff);
		return 20;
	case IPPROTO_UDP:
		put16(l4, s->sport);
		put16(l4 + 2, s->dport);
		put16(l4 + 4, 8 + (__u32)s->payload_bytes);
		return 8;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		l4[0] = s->icmp_type;
		l4[1] = s->icmp_code;
		put32(l4 + 4, s->icmp_word ? s->icmp_word : (__u32)s->sport << 16 | s->dport);
		return 8;
	}
	return 0;
}

static void finish_lengths(struct packet *p)
{
	__u8 *ip = p->byte + p->l3;

	if (ip[0] >> 4 == 4) {
		__u16 sum;

		put16(ip + 2, (__u32)(p->len - p->l3));
		memset(ip + 10, 0, 2);
		sum = packet_fold(packet_sum(0, ip, (size_t)(ip[0] & 15) * 4));
		memcpy(ip + 10, &sum, 2);
	} else {
		put16(ip + 4, (__u32)(p->len - p->l3 - 40));
	}
}

void packet_build(const struct packet_spec *s, struct packet *p)
{
	bool v4 = addr_is_v4(&s->dst);
	size_t i;

	put_ethernet(s, p, v4 ? 0x0800 : 0x86dd);
	if (v4)
		put_ipv4(s, p);
	else
		put_ipv6(s, p);
	p->payload = p->l4 + (s->frag_offset ? 0 : put_transport(s, p->byte + p->l4));
	p->len = p->payload + s->payload_bytes;
	if (p->len > PACKET_BYTES)
		abort();
	if (s->payload)
		memcpy(p->byte + p->payload, s->payload, s->payload_bytes);
	else
		for (i = 0; i < s->payload_bytes; i++)
			p->byte[p->payload + i] = (__u8)(0x30 + i % 64);
	finish_lengths(p);
	if (!s->frag_offset)
		transport_sum(p->byte + p->l3, p->byte + p->l4, s->proto, p->len - p->l4);
}

void packet_icmp_error(const struct packet_spec *spec, const struct packet *about, size_t bytes, struct packet *p)
{
	struct packet_spec s = *spec;

	if (bytes > about->len - about->l3)
		bytes = about->len - about->l3;
	s.proto = addr_is_v4(&s.dst) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	s.payload = about->byte + about->l3;
	s.payload_bytes = bytes;
	s.sport = s.dport = 0;
	packet_build(&s, p);
}

void packet_fix_sums(struct packet *p)
{
	__u8 *ip = p->byte + p->l3;
	__u8 next = ip[0] >> 4 == 4 ? ip[9] : ip[6];
	size_t at, len;

	if (ip[0] >> 4 == 6)
		for (at = p->l3 + 40; at < p->l4; at += len) {
			len = next == 51 ? 12 : 8;
			next = p->byte[at];
		}
	finish_lengths(p);
	transport_sum(ip, p->byte + p->l4, next, p->len - p->l4);
}

static bool transport_holds(const __u8 *ip, const __u8 *l4, __u32 proto, size_t len)
{
	size_t at = sum_offset(proto);

	if (!at || len < at + 2 || (proto == IPPROTO_UDP && !get16(l4 + at)))
		return true;
	return packet_fold(packet_sum(proto == IPPROTO_ICMP ? 0 : pseudo_sum(ip, proto, len), l4, len)) == 0;
}

static bool ip_holds(const __u8 *ip, size_t room, __u32 depth);

static bool payload_holds(const __u8 *ip, const __u8 *l4, __u32 proto, size_t len, __u32 depth)
{
	if (depth < 2 && (proto == IPPROTO_IPIP || proto == IPPROTO_IPV6))
		return ip_holds(l4, len, depth + 1);
	if (!transport_holds(ip, l4, proto, len))
		return false;
	/* GUE variant 0 without options (draft-ietf-intarea-gue section 3): four bytes, the second is the protocol. */
	if (depth < 1 && proto == IPPROTO_UDP && len > 32 && get16(l4 + 2) == 6080 && !l4[8])
		return ip_holds(l4 + 12, len - 12, depth + 1);
	return true;
}

static bool ip_holds(const __u8 *ip, size_t room, __u32 depth)
{
	size_t head, len;

	if (room >= 20 && ip[0] >> 4 == 4) {
		head = (size_t)(ip[0] & 15) * 4;
		len = get16(ip + 2);
		if (head < 20 || len < head || len > room || packet_fold(packet_sum(0, ip, head)))
			return false;
		if (get16(ip + 6) & 0x3fff)
			return true;
		return payload_holds(ip, ip + head, ip[9], len - head, depth);
	}
	if (room >= 40 && ip[0] >> 4 == 6) {
		len = get16(ip + 4);
		return len <= room - 40 && payload_holds(ip, ip + 40, ip[6], len, depth);
	}
	return false;
}

bool packet_sums_hold(const __u8 *byte, size_t len)
{
	size_t at = 12;
	__u32 i;

	for (i = 0; i < PACKET_VLANS && at + 2 <= len && (get16(byte + at) == 0x8100 || get16(byte + at) == 0x88a8);
	     i++)
		at += 4;
	return at + 2 < len && ip_holds(byte + at + 2, len - at - 2, 0);
}

struct addr packet_addr(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		abort();
	return a;
}

struct packet_spec packet_tcp(const char *src, __u16 sport, const char *dst, __u16 dport, __u8 flags)
{
	return (struct packet_spec){.src = packet_addr(src),
				    .dst = packet_addr(dst),
				    .sport = sport,
				    .dport = dport,
				    .proto = IPPROTO_TCP,
				    .tcp_flags = flags,
				    .payload_bytes = flags & TCP_SYN ? 0 : 32};
}

struct packet_spec packet_udp(const char *src, __u16 sport, const char *dst, __u16 dport)
{
	return (struct packet_spec){.src = packet_addr(src),
				    .dst = packet_addr(dst),
				    .sport = sport,
				    .dport = dport,
				    .proto = IPPROTO_UDP,
				    .payload_bytes = 32};
}
