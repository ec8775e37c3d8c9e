/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signs that a backend fails its clients, where no cell tells of them: SYNs that come again and resets, told from new
 * ones by notes. Not here: those that a cell tells of (include/starling/where.h), what is made of them
 * (core/outlier.h).
 */
#ifndef STARLING_BPF_SIGN_H
#define STARLING_BPF_SIGN_H

#include "homes.h"

#define SIGN_KINDS (1u << PACKET_SYN | 1u << PACKET_RST) /* of packets that may be signs */

/* Leave a note. Return: whether there was one already, within the life of a half-open cell. */
static inline int sign_noted(__u64 what)
{
	__u64 *note = table_entry(notes, __u64, what >> (64 - NOTES_LOG2), NOTES - 1);
	__u64 was = *(volatile __u64 *)note, tick = homes_tick();

	*(volatile __u64 *)note = what << 16 | tick;
	return was >> 16 == what << 16 >> 16 && !cell_over(cell_age(was, tick), config.half_ticks);
}

/**
 * sign_by_note() - whether a SYN or a reset is a sign
 * @ctx:	the frame
 * @hash:	of the flow
 * @ports:	of the flow, as in its packets
 * @kind:	PACKET_SYN or PACKET_RST
 * @l4:		offset of the TCP header
 *
 * A SYN that comes again has its number again; of a connection's resets the first counts. A global function, verified
 * once.
 *
 * Return: enum sign_kind.
 */
__attribute__((noinline)) int sign_by_note(struct xdp_md *ctx, __u64 hash, __u32 ports, __u32 kind, __u32 l4)
{
	struct tcphdr *tcp;

	if (!ctx)
		return SIGN_NONE;
	if (kind == PACKET_RST)
		return sign_noted(note_hash(~hash, ports, 0)) ? SIGN_NONE : SIGN_RESET;
	tcp = (void *)(long)ctx->data + (l4 & PARSE_L4_MAX);
	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end)
		return SIGN_NONE;
	return sign_noted(note_hash(hash, ports, tcp->seq)) ? SIGN_REPEAT : SIGN_NONE;
}

#endif
