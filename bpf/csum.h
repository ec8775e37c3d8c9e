/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksums (RFC 1071, RFC 1624). Not here: which fields a change touches.
 */
#ifndef STARLING_BPF_CSUM_H
#define STARLING_BPF_CSUM_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* A sum of 16-bit words, of 32-bit words, or of both, down to the field's value. */
static inline __u16 csum_fold(__u64 sum)
{
	__u32 word;

	/* Added to its own halves in reverse order, a number carries around into the upper half. */
	sum += sum >> 32 | sum << 32;
	word = (__u32)(sum >> 32);
	word += word >> 16 | word << 16;
	return (__u16)(~word >> 16);
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

#define CSUM_CHUNK  512 /* what bpf_csum_diff() takes at once */
#define CSUM_CHUNKS 128 /* of an IP packet of 64 KiB */

struct csum_chunk {
	__u8 byte[CSUM_CHUNK + 4];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct csum_chunk);
} chunk SEC(".maps");

struct csum_part {
	struct xdp_md *ctx;
	__u32 at;
	__u32 len;
	__s64 sum;
};

static long csum_step(__u32 i, struct csum_part *part)
{
	__u32 zero = 0, n = part->len < CSUM_CHUNK ? part->len : CSUM_CHUNK;
	struct csum_chunk *c;

	(void)i;
	c = bpf_map_lookup_elem(&chunk, &zero);
	if (!c || !n)
		return 1;
	/* Linux 6.1's verifier does not learn from n != 0 that n is 1 at least. */
	n--;
	__asm__("" : "+r"(n));
	n = (n & (CSUM_CHUNK - 1)) + 1;
	if (bpf_xdp_load_bytes(part->ctx, part->at, c->byte, n))
		return 1;
	*(__u32 *)(c->byte + n) = 0;
	part->sum = bpf_csum_diff(NULL, 0, (__be32 *)c->byte, (n + 3) & ~3u, part->sum);
	part->at += n;
	part->len -= n;
	return 0;
}

/**
 * csum_frame() - sum of a part of a frame, in however many buffers that lies
 * @ctx:	the frame
 * @at:		offset of the part
 * @len:	bytes; an odd one is padded with 0
 *
 * Off the fast path. A global function, verified once.
 *
 * Return: the sum, not folded; of no use if the frame is shorter.
 */
__attribute__((noinline)) __u32 csum_frame(struct xdp_md *ctx, __u32 at, __u32 len)
{
	struct csum_part part = {.ctx = ctx, .at = at, .len = len};

	if (!ctx)
		return 0;
	bpf_loop(CSUM_CHUNKS, csum_step, &part, 0);
	return part.sum;
}

#endif
