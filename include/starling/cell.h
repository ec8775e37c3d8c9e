/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One flow in 8 bytes, and the life of a cell. Compiles as BPF and as user space.
 * Not here: which backend a new cell gets (where.h).
 *
 *	bits 0..15 last seen (tick) | 16..31 backend | 32..34 state | 35..39 flags | 40..63 tag
 *
 * A flow's cell stands in its own set, or, flagged CELL_AWAY, in the neighbour (number ^ 1): both
 * share a cache line, so a flow has eight places for the price of one miss. The flag is the bit below
 * the tag, so that one comparison tells a flow's cell from its neighbours'.
 *
 * A cell changes by compare-and-swap only; whoever wins it applies cell_load() of the old and
 * the new value to the backends' loads. The one exception is last seen: it stands in the low
 * two bytes and is refreshed by a plain 2-byte store.
 */
#ifndef STARLING_CELL_H
#define STARLING_CELL_H

#include "dataplane.h"

enum cell_state {
	CELL_FREE,
	CELL_PROBATION, /* made by a packet that was no SYN, or by UDP: until a second one at least 1 s later */
	CELL_HALF,	/* SYN seen, nothing after it */
	CELL_OPEN,	/* never evicted; freed by the sweeper when idle */
	CELL_CLOSING,	/* FIN seen, or its backend is down and that is told: VIP_DEAD_RESET */
	CELL_RESET,	/* RST seen */
};

#define CELL_UDP      0x01 /* made by UDP: at most CELL_UDP_MAX in a set */
#define CELL_MARK_NEW 0x02 /* cell 0 only: the set overflowed lately: a new flow goes where an overflowed one went */
#define CELL_MARK_OLD 0x04 /* the same, one ageing step later */
#define CELL_SPLIT    0x08 /* made on probation in a split slot: losing it restarts the clocks of split slots */
#define CELL_AWAY     0x10 /* stands in the neighbour of its own set */
#define CELL_MARKS    (CELL_MARK_NEW | CELL_MARK_OLD)
#define CELL_UDP_MAX  3

enum packet_kind {
	PACKET_SYN,
	PACKET_OTHER,
	PACKET_FIN,
	PACKET_RST,
	PACKET_UDP,
};

/* That a connection goes badly: counted for its backend. */
enum sign_kind {
	SIGN_NONE,
	SIGN_REPEAT, /* a SYN after which nothing came but this one */
	SIGN_RESET,  /* the client gives up a connection that nobody had closed */
};

static inline __u64 cell_make(__u32 tag, __u32 backend, __u32 state, __u32 flags, __u32 seen)
{
	return (__u64)(seen & 0xffff) | (__u64)(backend & 0xffff) << 16 | (__u64)(state & 0x7) << 32 |
	       (__u64)(flags & 0x1f) << 35 | (__u64)tag << 40;
}

static inline __u32 cell_seen(__u64 c)
{
	return c & 0xffff;
}

static inline __u32 cell_backend(__u64 c)
{
	return c >> 16 & 0xffff;
}

static inline __u32 cell_state(__u64 c)
{
	return c >> 32 & 0x7;
}

static inline __u32 cell_flags(__u64 c)
{
	return c >> 35 & 0x1f;
}

static inline __u32 cell_tag(__u64 c)
{
	return (__u32)(c >> 40);
}

/* What tells the cells of a set apart: tag and CELL_AWAY. */
static inline __u32 cell_key(__u64 c)
{
	return (__u32)(c >> 39);
}

/* Ticks from @then to @now, both of TICK_MASK; 0 too if @then was read by another CPU a moment after @now. */
static inline __u32 tick_since(__u32 now, __u32 then)
{
	__u32 ticks = (now + 1 - then) & TICK_MASK;

	return ticks ? ticks - 1 : 0;
}

/* Only last seen differs: a 2-byte store will do. */
static inline int cell_same_but_seen(__u64 a, __u64 b)
{
	return (a ^ b) < 0x10000;
}

/* Ticks since the last packet. A cell touched by another CPU a moment ago may be ahead of this one's clock: age 0. */
static inline __u32 cell_age(__u64 c, __u32 now)
{
	__u32 age = (now - cell_seen(c)) & 0xffff;

	return age & (0 - (((age - 0xff00) & 0xffffffff) >> 31));
}

/*
 * Whether something is so for a cell depends on its state and its age, which are random from cell to cell: branches on
 * them would be mispredicted, and would multiply the paths that the verifier walks. So questions about cells are
 * arithmetic, and this keeps the compiler from seeing through it.
 */
static inline __u64 cell_opaque(__u64 x)
{
	__asm__("" : "+r"(x));
	return x;
}

/* 1 if @age > @limit, both below 2^31. */
static inline __u64 cell_over(__u64 age, __u64 limit)
{
	return cell_opaque(limit - age) >> 63;
}

/* 1 past the end of a life that needs no VIP to know: open and probation cells end by their VIP's idle time, in the
 * sweeper. */
static inline int cell_expired(__u64 c, __u32 now, const volatile struct steer_config *cfg)
{
	__u64 age = cell_age(c, now), over;

	over = 1 << CELL_FREE | cell_over(age, cfg->half_ticks) << CELL_HALF |
	       cell_over(age, cfg->closing_ticks) << CELL_CLOSING | cell_over(age, cfg->reset_ticks) << CELL_RESET;
	return cell_opaque(over) >> cell_state(c) & 1;
}

/*
 * Order in which a set's cells are given to a new flow, the least harm first. A spare one may be lost at any time: its
 * flow goes to home 0 with a cell or without. A SYN takes any rank below KEEP; other packets, which anyone can forge
 * without being answered, none above STALE.
 */
enum cell_rank {
	CELL_RANK_FREE,	 /* free, or its time is up */
	CELL_RANK_SPARE, /* TCP on probation in a plain slot */
	CELL_RANK_STALE, /* UDP on probation, not confirmed for as long as a last packet takes */
	CELL_RANK_HALF,	 /* half-open for longer than a handshake */
	CELL_RANK_SPLIT, /* on probation in a split slot: its flow goes to the previous home, the split takes longer */
	CELL_RANK_CLOSING, /* FIN seen, silent for longer than a last packet takes */
	CELL_RANK_KEEP,
};

/* Ranks by state, four bits each: of a young cell in the low half, of one old enough to be evicted in the high half.
 * Two more states stand for probation with CELL_SPLIT and with CELL_UDP. */
#define CELL_RANKS(free, probation, half, open, closing, reset, split, udp)                                            \
	((__u64)(free) | (probation) << 4 | (half) << 8 | (open) << 12 | (closing) << 16 | (reset) << 20 |             \
	 (split) << 24 | (udp) << 28)
#define CELL_RANKS_YOUNG                                                                                               \
	CELL_RANKS(CELL_RANK_FREE, CELL_RANK_SPARE, CELL_RANK_KEEP, CELL_RANK_KEEP, CELL_RANK_KEEP, CELL_RANK_KEEP,    \
		   CELL_RANK_SPLIT, CELL_RANK_KEEP)
#define CELL_RANKS_OLD                                                                                                 \
	CELL_RANKS(CELL_RANK_FREE, CELL_RANK_SPARE, CELL_RANK_HALF, CELL_RANK_KEEP, CELL_RANK_CLOSING, CELL_RANK_KEEP, \
		   CELL_RANK_SPLIT, CELL_RANK_STALE)

static inline __u32 cell_rank(__u64 c, __u32 now, const volatile struct steer_config *cfg)
{
	__u64 state = cell_state(c), age = cell_age(c, now), flags = cell_flags(c), split, udp, old;

	old = cell_over(age, cfg->half_evict_ticks) << CELL_HALF |
	      cell_over(age, cfg->closing_evict_ticks) << CELL_PROBATION |
	      cell_over(age, cfg->closing_evict_ticks) << CELL_CLOSING;
	old = cell_opaque(old) >> state & 1;
	split = cell_opaque(flags / CELL_SPLIT & 1);
	udp = cell_opaque(flags & ~split & CELL_UDP);
	state += (split * 5 + udp * 6) & (0 - (cell_opaque((state ^ CELL_PROBATION) - 1) >> 63));
	return (cell_opaque(CELL_RANKS_YOUNG | CELL_RANKS_OLD << 32) >> (old * 32 + state * 4) & 7) *
	       (1 - (__u32)cell_expired(c, now, cfg));
}

/**
 * cell_step() - the value of a flow's own live cell after one of its packets
 * @c:		the cell
 * @kind:	the packet
 * @now:	tick
 * @cfg:	lifetimes
 *
 * A SYN on RESET, or later than a moment on CLOSING, is a new life and not for this function. An ordinary packet after
 * RST shows that the RST was stray or forged, so the flow falls back to CLOSING.
 */
static inline __u64 cell_step(__u64 c, __u32 kind, __u32 now, const volatile struct steer_config *cfg)
{
	__u32 state = cell_state(c), next = state;

	if (kind == PACKET_FIN)
		next = state == CELL_RESET ? CELL_RESET : CELL_CLOSING;
	else if (kind == PACKET_RST)
		next = CELL_RESET;
	else if (kind == PACKET_SYN && (state == CELL_PROBATION || state == CELL_CLOSING))
		next = CELL_HALF;
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

/*
 * What a cell adds to its backend's load: 1 in the low half for open, 1 in the high half for half. On probation only
 * UDP counts: TCP got there without a SYN, so no scheduler has sent it, and anyone can forge it.
 */
static inline __u64 cell_load(__u64 c)
{
	__u32 state = cell_state(c), udp = cell_flags(c) & CELL_UDP;

	return (__u64)(state == CELL_OPEN) | (__u64)(state == CELL_HALF || (state == CELL_PROBATION && udp)) << 32;
}

#endif
