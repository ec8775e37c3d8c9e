/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What where_to() has decided, made true: the cell is swapped and the loads follow. Used by the XDP
 * program and by the simulation. Not here: the decision (where.h), VIP and backend counters.
 * The includer defines, besides the accessors of where.h:
 *
 *	int view_swap(const struct view *, __u32 set, __u32 way, __u64 old, __u64 new)	   1: the cell was old, is new
 *	void view_touch(const struct view *, __u32 set, __u32 way, __u16 seen)		   2-byte store of last seen
 *	void view_account(const struct view *, __u32 backend, __u64 delta)		   atomic add to open and half
 *	void view_given(const struct view *, __u32 backend)				   atomic add of 1 to given
 */
#ifndef STARLING_SETTLE_H
#define STARLING_SETTLE_H

#include "where.h"

/* The winner of a swap accounts for the old and the new value, nobody else does. */
static inline void settle_account(const struct view *v, const struct vip_record *vip, const struct where *w)
{
	__u64 less = cell_load(w->cell_old), more = cell_load(w->cell_new);
	__u32 from = cell_backend(w->cell_old), to = cell_backend(w->cell_new);

	if (from == to) {
		if (more != less)
			view_account(v, to, more - less);
	} else {
		if (less)
			view_account(v, from, 0 - less);
		if (more)
			view_account(v, to, more);
	}
	if (w->given && vip->steer_by == STEER_GIVEN)
		view_given(v, to);
}

/* A SYN that gets no cell leaves its mark, if dead connections are reset: where_resets() has why. */
static inline void settle_mark(const struct view *v, const struct vip_record *vip, __u32 set, __u32 own,
			       const __u64 cell[WHERE_CELLS], struct where *w)
{
	__u64 marked, old;
	const __u64 *at;

	if (!(vip->flags & VIP_DEAD_RESET) || !w->overflow || !w->fresh || own != WHERE_CELLS)
		return;
	w->delay = 1;
	marked = cell[0] | (__u64)CELL_MARK_NEW << 35;
	if (marked == cell[0] || view_swap(v, set, 0, cell[0], marked))
		return;
	/* The cell has changed, as cells do: it is the set that is marked. */
	at = view_set(v, set);
	old = at ? *(const volatile __u64 *)at : 0;
	if (at)
		view_swap(v, set, 0, old, old | (__u64)CELL_MARK_NEW << 35);
}

/*
 * Another packet got in between. If it was one of this flow, the flow has a cell: follow it, and try once more to
 * change it. Else the flow is treated like one for which there is no room; its next packet will find some.
 */
static inline void settle_lost(const struct view *v, const struct vip_record *vip, const struct flow *f,
			       struct where *w)
{
	__u32 set = hash_set(f->hash, view_config(v)->flow_sets_log2), own;
	int made = w->made;
	__u64 cell[WHERE_CELLS];

	w->given = w->made = w->delay = 0;
	own = where_cells(v, f, set, cell);
	if (own < WHERE_CELLS && where_usable(v, f->vip, cell_backend(where_cell(cell, own)), WHERE_OLD_FLOW)) {
		w->set = set;
		w->fresh = 0;
		where_step(v, f, where_cell(cell, own), own, w);
		if (view_swap(v, w->set, w->way, w->cell_old, w->cell_new))
			settle_account(v, vip, w);
		return;
	}
	/* A SYN that left without a cell would be followed by packets that its former life's cell has reset. */
	if (own < WHERE_CELLS && f->kind == PACKET_SYN && vip->flags & VIP_DEAD_RESET &&
	    where_dead(v, f->vip, cell_backend(where_cell(cell, own)))) {
		w->backend = ID_NONE;
		w->fresh = w->overflow = w->write = 0;
		w->cell_old = w->cell_new = 0;
		return;
	}
	if (made)
		where_none(v, vip, f, w);
	settle_mark(v, vip, set, own, cell, w);
}

/* An ordinary packet of a flow whose open cell stands in its own set: all that becomes of the cell is a new tick. */
static inline int settle_kept(const struct view *v, const struct flow *f, struct where *w)
{
	__u32 log2 = view_config(v)->flow_sets_log2, set = hash_set(f->hash, log2), key = hash_tag(f->hash, log2) << 1,
	      own;
	const __u64 *at = view_set(v, set);
	__u64 c;

	if ((f->kind != PACKET_OTHER && f->kind != PACKET_UDP) || !at)
		return 0;
	own = where_find(at, key);
	if (own >= FLOW_WAYS)
		return 0;
	c = *(const volatile __u64 *)&at[cell_opaque(own) & (FLOW_WAYS - 1)];
	if (cell_key(c) != key || cell_state(c) != CELL_OPEN ||
	    !where_usable(v, f->vip, cell_backend(c), WHERE_OLD_FLOW))
		return 0;
	w->backend = cell_backend(c);
	if (view_config(v)->trace.sample)
		w->cell_old = c; /* for eyes alone */
	if (cell_seen(c) != f->now)
		view_touch(v, set, own, (__u16)f->now);
	return 1;
}

/*
 * A SYN of a flow that has no cell, in a slot that stays as it is, with a free cell in its own set: the common
 * beginning of a connection. Whatever else it may be is left to settle_rest().
 */
static inline int settle_fresh(const struct view *v, const struct vip_record *vip, const struct flow *f,
			       struct where *w)
{
	__u32 log2 = view_config(v)->flow_sets_log2, set = hash_set(f->hash, log2), tag = hash_tag(f->hash, log2), way;
	const __u64 *at = view_set(v, set), *away = view_set(v, set ^ 1);
	__u64 cell[FLOW_WAYS], slot, old, new;
	__u32 i;

	if (!at || !away)
		return 0;
	/* Each is loaded once: a twin of this packet that takes a free cell is seen, or is in the way of the swap. */
	for (i = 0; i < FLOW_WAYS; i++)
		cell[i] = *(const volatile __u64 *)&at[i];
	if (where_find(cell, tag << 1) < FLOW_WAYS || where_find(away, tag << 1 | 1) < FLOW_WAYS)
		return 0;
	way = where_find(cell, 0); /* what only free cells have */
	slot = view_slot(v, vip->slots_base + hash_slot(f->hash, vip->slots_count));
	if (way >= FLOW_WAYS || cell_flags(cell[0]) & CELL_MARKS || slot_state(slot) != SLOT_PLAIN)
		return 0;
	w->backend = where_scheduled(v, f, vip, slot);
	old = *(const volatile __u64 *)&at[cell_opaque(way) & (FLOW_WAYS - 1)];
	if (w->backend == ID_NONE || cell_key(old) || cell_flags(old))
		return 0;
	new = cell_make(tag, w->backend, CELL_HALF, 0, f->now);
	if (!view_swap(v, set, way, old, new))
		return 0;
	w->fresh = 1;
	view_account(v, w->backend, cell_load(new));
	if (vip->steer_by == STEER_GIVEN)
		view_given(v, w->backend);
	return 1;
}

/**
 * settle_quick() - settle() for the packets that need their flow's cell and ask for little, which are nearly all
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		what was done; zeroed by the caller
 *
 * Does what settle_rest() would do, and is short enough to stand in line.
 *
 * Return: 1 if the packet is settled, 0 if it is one for settle_rest().
 */
static inline int settle_quick(const struct view *v, const struct vip_record *vip, const struct flow *f,
			       struct where *w)
{
	return f->kind == PACKET_SYN ? settle_fresh(v, vip, f, w) : settle_kept(v, f, w);
}

/* What the flow's own cell tells, if it had one. That of a source may be another connection's; of mh there are few. */
static inline __u8 settle_sign(const struct vip_record *vip, const struct flow *f, const struct where *w)
{
	__u32 state = cell_state(w->cell_old);

	if (vip->steer_by == STEER_HOME || vip->flags & VIP_HASH_SOURCE || w->made || w->overflow)
		return SIGN_NONE;
	if (f->kind == PACKET_SYN)
		return state == CELL_HALF ? SIGN_REPEAT : SIGN_NONE;
	return f->kind == PACKET_RST && (state == CELL_HALF || state == CELL_OPEN) ? SIGN_RESET : SIGN_NONE;
}

static inline void settle_write(const struct view *v, const struct vip_record *vip, const struct flow *f,
				struct where *w)
{
	if (cell_same_but_seen(w->cell_old, w->cell_new))
		view_touch(v, w->set, w->way, cell_seen(w->cell_new));
	else if (view_swap(v, w->set, w->way, w->cell_old, w->cell_new))
		settle_account(v, vip, w);
	else
		settle_lost(v, vip, f, w);
}

/**
 * settle_rest() - settle() for every other packet
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		what was done
 */
static inline void settle_rest(const struct view *v, const struct vip_record *vip, const struct flow *f,
			       struct where *w)
{
	*w = (struct where){0};
	where_to(v, vip, f, w);
	if (w->write)
		settle_write(v, vip, f, w);
	w->sign = settle_sign(vip, f, w);
}

/**
 * settle() - decide on one packet and write its flow's cell
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		what was done
 */
static inline void settle(const struct view *v, const struct vip_record *vip, const struct flow *f, struct where *w)
{
	*w = (struct where){0};
	if (!where_plain(v, vip, f, w) && !settle_quick(v, vip, f, w))
		settle_rest(v, vip, f, w);
}

#endif
