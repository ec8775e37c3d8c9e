/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One flow in 8 bytes, and the life of a cell. Compiles as BPF and as user space.
 * Not here: which backend a new cell gets (where.h).
 *
 *	bits 0..15 last seen (tick) | 16..19 state | 20..23 flags | 24..39 backend | 40..63 tag
 *
 * A cell changes by compare-and-swap only; whoever wins applies cell_load() of the old and
 * the new value to the backends' loads. The one exception is last seen: it stands in the low
 * two bytes and is refreshed by a plain 2-byte store.
 */
#ifndef STARLING_CELL_H
#define STARLING_CELL_H

#include "dataplane.h"

enum cell_state {
	CELL_FREE,
	CELL_PROBATION, /* made by a packet that was no SYN, or by UDP: evictable until confirmed */
	CELL_HALF,	/* SYN seen, nothing after it */
	CELL_OPEN,	/* never evicted; freed by the sweeper when idle */
	CELL_CLOSING,	/* FIN seen */
	CELL_RESET,	/* RST seen */
};

#define CELL_UDP      0x1 /* made by UDP: at most one in a set */
#define CELL_MARK_NEW 0x2 /* this set overflowed lately: a new flow takes the home that an overflowed one had */
#define CELL_MARK_OLD 0x4 /* the same, one ageing step later */
#define CELL_MARKS    (CELL_MARK_NEW | CELL_MARK_OLD)

enum packet_kind {
	PACKET_SYN,
	PACKET_OTHER,
	PACKET_FIN,
	PACKET_RST,
	PACKET_UDP,
};

static inline __u64 cell_make(__u32 tag, __u32 backend, __u32 state, __u32 flags, __u32 seen)
{
	return (__u64)(seen & 0xffff) | (__u64)(state & 0xf) << 16 | (__u64)(flags & 0xf) << 20 |
	       (__u64)(backend & 0xffff) << 24 | (__u64)tag << 40;
}

static inline __u32 cell_seen(__u64 c)
{
	return c & 0xffff;
}

static inline __u32 cell_state(__u64 c)
{
	return c >> 16 & 0xf;
}

static inline __u32 cell_flags(__u64 c)
{
	return c >> 20 & 0xf;
}

static inline __u32 cell_backend(__u64 c)
{
	return c >> 24 & 0xffff;
}

static inline __u32 cell_tag(__u64 c)
{
	return (__u32)(c >> 40);
}

static inline __u32 cell_age(__u64 c, __u32 now)
{
	return (now - cell_seen(c)) & 0xffff;
}

/* Past the end of a life that needs no VIP to know: open and probation cells end by their VIP's idle time, in the
 * sweeper. */
static inline int cell_expired(__u64 c, __u32 now, const volatile struct steer_config *cfg)
{
	__u32 state = cell_state(c), age = cell_age(c, now);

	return state == CELL_FREE || (state == CELL_HALF && age > cfg->half_ticks) ||
	       (state == CELL_CLOSING && age > cfg->closing_ticks) || (state == CELL_RESET && age > cfg->reset_ticks);
}

/* Order in which a set's cells are given to a new flow; CELL_KEEP and above never. */
enum cell_rank {
	CELL_RANK_FREE,
	CELL_RANK_HALF,
	CELL_RANK_PROBATION,
	CELL_RANK_CLOSING,
	CELL_RANK_KEEP,
};

static inline __u32 cell_rank(__u64 c, __u32 now, const volatile struct steer_config *cfg)
{
	__u32 state = cell_state(c), age = cell_age(c, now);

	if (cell_expired(c, now, cfg))
		return CELL_RANK_FREE;
	if (state == CELL_HALF && age > cfg->half_evict_ticks)
		return CELL_RANK_HALF;
	if (state == CELL_PROBATION)
		return CELL_RANK_PROBATION;
	if (state == CELL_CLOSING && age > cfg->closing_evict_ticks)
		return CELL_RANK_CLOSING;
	return CELL_RANK_KEEP;
}

/**
 * cell_step() - the value of a flow's own live cell after one of its packets
 * @c:		the cell
 * @kind:	the packet
 * @now:	tick
 * @cfg:	lifetimes
 *
 * A SYN on CLOSING or RESET is a new life and not for this function. An ordinary packet after
 * RST shows that the RST was stray or forged, so the flow falls back to CLOSING.
 */
static inline __u64 cell_step(__u64 c, __u32 kind, __u32 now, const volatile struct steer_config *cfg)
{
	__u32 state = cell_state(c), next = state;

	if (kind == PACKET_FIN)
		next = state == CELL_RESET ? CELL_RESET : CELL_CLOSING;
	else if (kind == PACKET_RST)
		next = CELL_RESET;
	else if (state == CELL_PROBATION) {
		if (cell_age(c, now) < cfg->probation_ticks)
			return c;
		next = CELL_OPEN;
	} else if (kind == PACKET_OTHER && state == CELL_HALF)
		next = CELL_OPEN;
	else if (kind == PACKET_OTHER && state == CELL_RESET)
		next = CELL_CLOSING;
	return cell_make(cell_tag(c), cell_backend(c), next, cell_flags(c), now);
}

/* What a cell adds to its backend's load: 1 in the low half for open, 1 in the high half for half. */
static inline __u64 cell_load(__u64 c)
{
	__u32 state = cell_state(c);

	return (__u64)(state == CELL_OPEN) | (__u64)(state == CELL_HALF || state == CELL_PROBATION) << 32;
}

#endif
