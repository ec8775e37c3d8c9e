/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksums (RFC 1071, RFC 1624). Not here: which fields a change touches.
 */
#ifndef STARLING_BPF_CSUM_H
#define STARLING_BPF_CSUM_H

#include <linux/ip.h>
#include <linux/types.h>

/* A sum of 16-bit words, of 32-bit words, or of both, down to the field's value. */
static inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Of an IPv4 header without options whose check field is 0. */
static inline __u16 csum_ip(const struct iphdr *ip)
{
	const __u32 *w = (const __u32 *)(const void *)ip;

	return csum_fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

/* RFC 1624, equation 3: the checksum after a 16-bit word went from @was to @is. */
static inline __u16 csum_replace(__u16 check, __u16 was, __u16 is)
{
	return csum_fold((__u64)(__u16)~check + (__u16)~was + is);
}

#endif
