// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reading a frame for the oracle: see frame.h.
 */
#include "frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "packet.h"
#include "starling/cell.h"

static struct addr mapped(const __u8 *four)
{
	struct addr a = {.byte = {[10] = 0xff, [11] = 0xff}};

	memcpy(a.byte + 12, four, 4);
	return a;
}

/* Ethernet II with at most two tags of either kind. */
bool frame_link(struct frame *f)
{
	__u32 type, tags;

	f->link = 14;
	if (f->byte[0] & 1)
		return false;
	for (tags = 0;; tags++) {
		if (f->len < f->link)
			return false;
		type = be16(f->byte + f->link - 2);
		if ((type != ETH_P_8021Q && type != ETH_P_8021AD) || tags == STARLING_VLAN_TAGS)
			break;
		f->link += 4;
	}
	f->v4 = type == ETH_P_IP;
	return f->v4 || type == ETH_P_IPV6;
}

bool frame_addresses(struct frame *f)
{
	const __u8 *ip = f->byte + f->link;

	if (f->len < f->link + (f->v4 ? 20 : 40))
		return false;
	if (f->v4) {
		f->src = mapped(ip + 12);
		f->dst = mapped(ip + 16);
	} else {
		memcpy(f->src.byte, ip + 8, 16);
		memcpy(f->dst.byte, ip + 24, 16);
	}
	return f->v4 || !addr_is_v4(&f->dst);
}

/* RFC 791. */
static int frame_ipv4(struct frame *f)
{
	const __u8 *ip = f->byte + f->link;
	size_t header = (size_t)(ip[0] & 15) * 4;

	f->ip_len = be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < 20 || f->ip_len < header)
		return VERDICT_DROP_HEADER;
	f->tos = ip[1];
	f->proto = ip[9];
	f->df = be16(ip + 6) & 0x4000;
	f->later = be16(ip + 6) & 0x1fff;
	f->first = !f->later && be16(ip + 6) & 0x2000;
	memcpy(&f->frag_id, ip + 4, 2);
	f->l4 = f->link + header;
	return CARRY_ON;
}

/* RFC 8200 section 4. Up to STARLING_IPV6_EXTENSIONS headers; nothing is read behind a later fragment's header. */
int frame_ipv6(struct frame *f)
{
	const __u8 *ip = f->byte + f->link;
	__u32 seen = 0;

	f->ip_len = 40 + be16(ip + 4);
	if (ip[0] >> 4 != 6)
		return VERDICT_DROP_HEADER;
	f->tos = (__u8)(ip[0] << 4 | ip[1] >> 4);
	f->proto = ip[6];
	f->df = true;
	f->l4 = f->link + 40;
	while (f->proto == IPPROTO_HOPOPTS || f->proto == IPPROTO_ROUTING || f->proto == IPPROTO_DSTOPTS ||
	       f->proto == IPPROTO_AH || f->proto == IPPROTO_FRAGMENT) {
		const __u8 *ext = f->byte + f->l4;

		if (f->len < f->l4 + 8)
			return VERDICT_DROP_TRUNCATED;
		if (f->proto == IPPROTO_FRAGMENT) {
			f->later = be16(ext + 2) & 0xfff8;
			f->first = f->first || be16(ext + 2) & 1;
			memcpy(&f->frag_id, ext + 4, 4);
			f->l4 += 8;
		} else {
			f->l4 += f->proto == IPPROTO_AH ? ((size_t)ext[1] + 2) * 4 : ((size_t)ext[1] + 1) * 8;
		}
		f->proto = ext[0];
		if (++seen > STARLING_IPV6_EXTENSIONS)
			return VERDICT_DROP_EXTENSIONS;
		if (f->later)
			break;
	}
	return CARRY_ON;
}

int frame_network(struct frame *f)
{
	int verdict = f->v4 ? frame_ipv4(f) : frame_ipv6(f);

	if (verdict != CARRY_ON)
		return verdict;
	if (f->l4 > f->link + f->ip_len || f->link + f->ip_len > f->len)
		return VERDICT_DROP_TRUNCATED;
	return CARRY_ON;
}

int frame_transport(struct frame *f)
{
	const __u8 *l4 = f->byte + f->l4;
	size_t room = f->link + f->ip_len - f->l4, length;

	if (f->later || (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP))
		return CARRY_ON;
	if (room < (f->proto == IPPROTO_TCP ? 20 : 8))
		return VERDICT_DROP_TRUNCATED;
	f->sport = (__u16)be16(l4);
	f->dport = (__u16)be16(l4 + 2);
	if (f->proto == IPPROTO_UDP) {
		length = be16(l4 + 4);
		f->kind = PACKET_UDP;
		return length < 8 || (length > room && !f->first) ? VERDICT_DROP_HEADER : CARRY_ON;
	}
	length = (size_t)(l4[12] >> 4) * 4;
	if (length < 20 || length > room)
		return VERDICT_DROP_HEADER;
	if (l4[13] & TCP_RST)
		f->kind = PACKET_RST;
	else if (l4[13] & TCP_FIN)
		f->kind = PACKET_FIN;
	else if (l4[13] & TCP_SYN && !(l4[13] & TCP_ACK))
		f->kind = PACKET_SYN;
	else
		f->kind = PACKET_OTHER;
	return CARRY_ON;
}
