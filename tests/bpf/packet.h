/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames for tests, built from a description: Ethernet, VLAN tags, IPv4 with options, IPv6 with
 * extension headers, TCP, UDP, ICMP, fragments; every checksum right. Not here: sending them.
 */
#ifndef STARLING_TESTS_BPF_PACKET_H
#define STARLING_TESTS_BPF_PACKET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

#define PACKET_BYTES	  16384
#define PACKET_VLANS	  4
#define PACKET_EXTENSIONS 10

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* What the frame says. Zero means: the usual value (ttl 64, DF set, EtherType by version, ...). */
struct packet_spec {
	struct addr src, dst;
	__u16 sport, dport; /* host order; ICMP: id in sport, sequence number in dport */
	__u8 proto;	    /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6; another one: payload only */
	__u8 tcp_flags;
	__u8 ttl;
	__u8 tos;
	__u8 icmp_type, icmp_code;
	__u32 icmp_word; /* host order: bytes 4..7 of an ICMP error (the MTU, mostly); echo uses sport and dport */
	__u16 vlan[PACKET_VLANS];
	__u32 vlans;
	__u16 vlan_proto;	     /* 0: 0x8100 for all tags; else that of the outer tag */
	__u32 ip_options_bytes;	     /* multiple of 4, up to 40: NOPs */
	__u8 ext[PACKET_EXTENSIONS]; /* IPv6 extension headers in order: 0, 43, 44, 51, 60 */
	__u32 exts;
	bool no_df;
	bool more;	      /* more fragments follow */
	__u16 frag_offset;    /* bytes, a multiple of 8; with it no transport header is written */
	__u32 frag_id;	      /* v6: a fragment header is added if more or frag_offset or frag_id is set */
	const void *payload;  /* borrowed; NULL: a pattern */
	size_t payload_bytes; /* after the transport header */
};

struct packet {
	__u8 byte[PACKET_BYTES];
	size_t len;
	size_t l3;	/* offset of the IP header */
	size_t l4;	/* offset of what follows the IP headers */
	size_t payload; /* offset of what follows the transport header */
};

/* Source and destination MAC address of every frame built. */
extern const __u8 packet_smac[6], packet_dmac[6];

/**
 * packet_build() - a frame as described
 * @spec:	borrowed; the version is that of @spec->dst
 * @p:		overwritten
 */
void packet_build(const struct packet_spec *spec, struct packet *p);

/**
 * packet_icmp_error() - the ICMP error about a packet
 * @spec:	addresses, type, code and icmp_word of the error; proto is chosen by version
 * @about:	the offending packet, from its IP header on: bytes @about->l3 .. @about->len
 * @bytes:	how many of those the error carries, at most
 * @p:		overwritten
 */
void packet_icmp_error(const struct packet_spec *spec, const struct packet *about, size_t bytes, struct packet *p);

__u32 packet_sum(__u32 sum, const void *bytes, size_t len);
__u16 packet_fold(__u32 sum); /* the checksum field's value, network order */

/**
 * packet_fix_sums() - recompute IPv4 header and TCP/UDP/ICMP checksums after an edit
 * @p:		with l3 and l4 as built; not a fragment
 */
void packet_fix_sums(struct packet *p);

/**
 * packet_sums_hold() - whether every checksum in a frame is right, tunnels (IPIP, GUE on port 6080) included
 * @byte:	the frame; borrowed
 * @len:	bytes
 *
 * A UDP checksum of zero counts as right. Fragments' transport checksums are not looked at.
 */
bool packet_sums_hold(const __u8 *byte, size_t len);

/* Shorthands: the text forms of addresses; a bad one aborts. */
struct addr packet_addr(const char *text);
struct packet_spec packet_tcp(const char *src, __u16 sport, const char *dst, __u16 dport, __u8 flags);
struct packet_spec packet_udp(const char *src, __u16 sport, const char *dst, __u16 dport);

#endif
