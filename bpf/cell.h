/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The writing half of the view that settle.h has of the maps: cells and loads.
 * Not here: what a cell means (include/starling/cell.h), who changes it when (settle.h).
 */
#ifndef STARLING_BPF_CELL_H
#define STARLING_BPF_CELL_H

#include "homes.h"

static inline int view_swap(const struct view *v, __u32 set, __u32 way, __u64 old, __u64 new)
{
	struct flow_set *s = table_entry(flows, struct flow_set, set, config.flow_sets_mask);

	(void)v;
	return __sync_bool_compare_and_swap(&s->cell[cell_opaque(way) & (FLOW_WAYS - 1)], old, new);
}

/* If the cell has changed hands meanwhile, it is as fresh as this. */
static inline void view_touch(const struct view *v, __u32 set, __u32 way, __u16 seen)
{
	struct flow_set *s = table_entry(flows, struct flow_set, set, config.flow_sets_mask);

	(void)v;
	*(volatile __u16 *)&s->cell[cell_opaque(way) & (FLOW_WAYS - 1)] = seen;
}

/*
 * Both halves of a load by one 64-bit addition: a borrow out of `open` is what `half` lacks for as long as another
 * CPU's addition is on its way.
 */
static inline void view_account(const struct view *v, __u32 backend, __u64 delta)
{
	struct backend_load *load = table_entry(loads, struct backend_load, backend, config.backends_mask);

	(void)v;
	__sync_fetch_and_add((__u64 *)(void *)load, delta);
}

static inline void view_given(const struct view *v, __u32 backend)
{
	struct backend_load *load = table_entry(loads, struct backend_load, backend, config.backends_mask);

	(void)v;
	__sync_fetch_and_add(&load->given, 1);
}

/* In line: a call costs more than all that these do. */
static inline __attribute__((always_inline)) int settle_kept(const struct view *v, const struct flow *f,
							     struct where *w);
static inline __attribute__((always_inline)) int settle_fresh(const struct view *v, const struct vip_record *vip,
							      const struct flow *f, struct where *w);
static inline __attribute__((always_inline)) int settle_quick(const struct view *v, const struct vip_record *vip,
							      const struct flow *f, struct where *w);
#include <starling/settle.h>

/**
 * cell_settle() - settle_rest() behind a call
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		what was done
 *
 * A global function, so that the verifier walks its many paths once and not again for each kind of frame.
 */
__attribute__((noinline)) int cell_settle(const struct vip_record *vip, const struct flow *f, struct where *w)
{
	const struct view view = {0};
	__u32 zero = 0;
	__u64 *n;

	if (!vip || !f || !w)
		return -1;
	settle_rest(&view, vip, f, w);
	if (!w->delay)
		return 0;
	n = bpf_map_lookup_elem(&overflows, &zero);
	if (n)
		*n += 1;
	return 0;
}

/**
 * cell_look() - where a flow goes, changing nothing
 * @vip:	the VIP's record
 * @f:		the flow
 * @w:		the answer; nothing of it is to be written or counted
 *
 * For ICMP errors. A global function, verified once.
 */
__attribute__((noinline)) int cell_look(const struct vip_record *vip, const struct flow *f, struct where *w)
{
	const struct view view = {0};

	if (!vip || !f || !w)
		return -1;
	*w = (struct where){0};
	where_to(&view, vip, f, w);
	w->fresh = w->overflow = w->full = 0;
	return 0;
}

#endif
