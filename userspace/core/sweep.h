/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sweep over all cells: ends lives that need a VIP to know their length, frees what nobody can
 * use, sums what is open, finds which pinned slots still have exceptions. Works on the mapped
 * arrays while XDP does, so every change of a cell is a compare-and-swap and its winner accounts
 * for it. Not here: when to sweep and what to do with the findings (the daemon's plane).
 *
 * A round is: zero the result, sweep_range() over all sets in as many chunks as wanted, then
 * sweep_correct() once.
 */
#ifndef STARLING_CORE_SWEEP_H
#define STARLING_CORE_SWEEP_H

#include <stdbool.h>

#include "starling/dataplane.h"

#define SWEEP_STATES 8 /* room for every enum cell_state */

/* What a sweep works on; all borrowed. */
struct sweep {
	struct flow_set *flows;	      /* 1 << cfg->flow_sets_log2 of them, aligned to 64 bytes */
	const struct vip_entry *vips; /* by id */
	__u32 vip_count;
	const struct backend_entry *backends; /* by id */
	__u32 backend_count;
	struct backend_load *loads; /* by backend id, backend_count of them */
	const __u64 *slots;	    /* the arena */
	__u32 slots_count;
	const struct steer_config *cfg;
	__u32 now;	      /* tick, read after the chunk was begun or shortly before */
	bool age_marks;	      /* age the overflow marks one step; true in one round of at least STARLING_MARK_MS */
	const __u64 *promote; /* bitmap by slot index: slots about to become pinned; NULL: none */
};

/* Bits of a bitmap by slot index. */
static inline bool sweep_bit(const __u64 *bitmap, __u32 index)
{
	return bitmap[index / 64] >> (index % 64) & 1;
}

static inline void sweep_bit_set(__u64 *bitmap, __u32 index)
{
	bitmap[index / 64] |= 1ULL << (index % 64);
}

struct sweep_sum {
	__u32 open;
	__u32 half; /* half-open and on probation, as in struct backend_load */
};

/* One backend's difference between cells and load, from round to round; zeroed when the backend is made. */
struct sweep_drift {
	__s32 open, half; /* the least difference of this run of rounds */
	__u32 open_run, half_run;
	__u64 load; /* open and half when the round before ended */
};

/* What a round has found; arrays are the caller's, zeroed by it before the round. */
struct sweep_result {
	struct sweep_sum *sum; /* by backend id, sweep.backend_count of them */
	__u64 *exceptions;     /* bitmap by slot index: pinned slots with a cell that is not of their home 0; or NULL */
	__u64 cells[SWEEP_STATES]; /* cells left, by enum cell_state */
	__u64 expired;		   /* cells freed because their time was up */
	__u64 dead;		   /* cells freed because their backend or VIP is gone */
	__u64 needless;		   /* cells of mh flows freed because their slot is plain again */
	__u64 promoted;		   /* cells on probation made open */
	__u64 marks;		   /* sets left with an overflow mark */
};

/**
 * sweep_range() - sweep a range of sets
 * @s:		what to work on
 * @first:	first set
 * @count:	sets; cut at the last one
 * @ret_result:	counted up, never reset
 *
 * About 10 ns a live cell and 1 ns a free one: chunks of 16 Ki sets stay under 1 ms.
 */
void sweep_range(const struct sweep *s, __u32 first, __u32 count, struct sweep_result *ret_result);

/**
 * sweep_correct() - end a round: correct loads that differ from the cells
 * @s:		what to work on
 * @result:	of the whole round
 * @drift:	by backend id, sweep.backend_count of them; kept from round to round by the caller
 *
 * A load may be wrong only if a sweeper was killed between a swap and its count. A difference is
 * corrected, with an atomic add, when two rounds agree on it while the load stood still, or when
 * 32 rounds in a row agree on its sign (then by the least of them).
 *
 * Return: number of backends corrected.
 */
__u32 sweep_correct(const struct sweep *s, const struct sweep_result *result, struct sweep_drift *drift);

#endif
