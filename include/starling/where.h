/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a packet of a flow goes, and what becomes of the flow's cell. One function, used by
 * the XDP program, by `flow lookup` and by the simulation of the cells, so that they agree.
 * It reads through five accessors that the includer defines before including this file and
 * writes nothing: the caller does the compare-and-swap and the counting.
 *
 *	struct view;
 *	__u64 view_slot(const struct view *, __u32 index)	   0: no such slot
 *	__u64 view_backend(const struct view *, __u32 id)	   the backend's word; 0: no such backend
 *	__u32 view_score(const struct view *, __u32 id, steer_by)  given, or open + half + peers
 *	__u64 *view_set(const struct view *, __u32 set)	   FLOW_WAYS cells, or NULL
 *	const volatile struct steer_config *view_config(const struct view *)
 */
#ifndef STARLING_WHERE_H
#define STARLING_WHERE_H

#include "cell.h"
#include "hash.h"
#include "slot.h"

struct flow {
	__u64 hash;
	__u32 vip;  /* id */
	__u32 kind; /* enum packet_kind; FIN and RST become OTHER with VIP_HASH_SOURCE */
	__u32 now;  /* tick */
};

struct where {
	__u32 backend; /* id, or ID_NONE: drop */
	__u8 write;    /* cell `way` of set is to become `cell_new` if it still is `cell_old` */
	__u8 way;
	__u8 overflow; /* no cell could be had, or a live cell on probation is evicted */
	__u8 fresh;    /* a new flow: count a connection */
	__u8 given;    /* and it got a cell */
	__u8 pad[3];
	__u32 set; /* valid with write */
	__u64 cell_old;
	__u64 cell_new;
};

enum where_for {
	WHERE_OLD_FLOW, /* may stay with a draining backend */
	WHERE_NEW_FLOW,
};

static inline int where_usable(const struct view *v, __u32 vip, __u32 id, __u32 for_)
{
	__u64 word = view_backend(v, id);
	__u32 state = BACKEND_WORD_STATE(word);

	return BACKEND_WORD_VIP(word) == vip &&
	       (state == BACKEND_UP || (state == BACKEND_DRAINING && for_ == WHERE_OLD_FLOW));
}

/* Home 0, or home 1 while home 0 is not usable: how XDP promotes by itself when a state word says down. */
static inline __u32 where_home(const struct view *v, const struct flow *f, __u64 slot, __u32 for_)
{
	if (where_usable(v, f->vip, slot_home0(slot), for_))
		return slot_home0(slot);
	if (where_usable(v, f->vip, slot_home1(slot), for_))
		return slot_home1(slot);
	return ID_NONE;
}

/* The home that flows had before the slot's last change; the present one if that is gone. */
static inline __u32 where_previous(const struct view *v, const struct flow *f, const struct vip_record *vip, __u64 slot)
{
	__u32 prev = slot_prev(slot);

	if (prev == SLOT_PREV_TABLE && vip->prev_count) {
		__u64 old = view_slot(v, vip->prev_base + hash_slot(f->hash, vip->prev_count));

		prev = slot_home0(old);
	}
	if (where_usable(v, f->vip, prev, WHERE_OLD_FLOW))
		return prev;
	return where_home(v, f, slot, WHERE_OLD_FLOW);
}

/* The better of two homes: smaller score / weight, home 0 if equal. */
static inline __u32 where_scheduled(const struct view *v, const struct flow *f, const struct vip_record *vip,
				    __u64 slot)
{
	__u32 a = slot_home0(slot), b = slot_home1(slot);
	__u64 wa, wb, sa, sb;

	if (vip->steer_by == STEER_HOME || !where_usable(v, f->vip, b, WHERE_NEW_FLOW))
		return where_home(v, f, slot, WHERE_NEW_FLOW);
	if (!where_usable(v, f->vip, a, WHERE_NEW_FLOW))
		return b;
	wa = BACKEND_WORD_WEIGHT(view_backend(v, a));
	wb = BACKEND_WORD_WEIGHT(view_backend(v, b));
	sa = (__u64)view_score(v, a, vip->steer_by) + 1;
	sb = (__u64)view_score(v, b, vip->steer_by) + 1;
	return sa * wb <= sb * wa ? a : b;
}

/* Index of the flow's own cell among the four, or FLOW_WAYS. */
static inline __u32 where_own(const __u64 cell[FLOW_WAYS], __u32 tag, __u32 now,
			      const volatile struct steer_config *cfg)
{
	__u32 i, own = FLOW_WAYS;

	for (i = 0; i < FLOW_WAYS; i++)
		if (cell_tag(cell[i]) == tag && !cell_expired(cell[i], now, cfg))
			own = i;
	return own;
}

/* Index of the cell that a new flow may take, or FLOW_WAYS; the lowest rank, and of that the oldest. */
static inline __u32 where_victim(const __u64 cell[FLOW_WAYS], __u32 udp, __u32 now,
				 const volatile struct steer_config *cfg)
{
	__u32 i, best = CELL_RANK_KEEP << 16, victim = FLOW_WAYS;

	for (i = 0; i < FLOW_WAYS; i++) {
		__u32 rank = cell_rank(cell[i], now, cfg);
		__u32 order = rank << 16 | (0xffff - cell_age(cell[i], now));

		/* UDP may only replace the UDP cell that its set has already. */
		if (udp && rank != CELL_RANK_FREE && cell_flags(cell[i]) & CELL_UDP)
			return rank == CELL_RANK_KEEP ? FLOW_WAYS : i;
		if (order < best) {
			best = order;
			victim = i;
		}
	}
	return victim;
}

/**
 * where_to() - the backend of one packet
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		the answer; zeroed by the caller
 *
 * Implements DESIGN section 2, "Cells" and "Slot states".
 */
static inline void where_to(const struct view *v, const struct vip_record *vip, const struct flow *f, struct where *w)
{
	const volatile struct steer_config *cfg = view_config(v);
	__u32 log2 = cfg->flow_sets_log2, tag = hash_tag(f->hash, log2), own, way, marks = 0, i, taken;
	int udp = f->kind == PACKET_UDP, starts = f->kind == PACKET_SYN || udp, split;
	__u32 slot_at = vip->slots_base + hash_slot(f->hash, vip->slots_count);
	__u64 slot = 0, *set, cell[FLOW_WAYS];

	w->backend = ID_NONE;
	if (vip->steer_by == STEER_HOME || (udp && vip->flags & VIP_NO_CELLS)) {
		slot = view_slot(v, slot_at);
		if (slot_state(slot) == SLOT_PLAIN || (udp && vip->flags & VIP_NO_CELLS)) {
			w->fresh = f->kind == PACKET_SYN;
			w->backend = where_home(v, f, slot, starts ? WHERE_NEW_FLOW : WHERE_OLD_FLOW);
			return;
		}
	}

	w->set = hash_set(f->hash, log2);
	set = view_set(v, w->set);
	if (!set)
		return;
	for (i = 0; i < FLOW_WAYS; i++) {
		cell[i] = *(volatile __u64 *)&set[i];
		marks |= cell_flags(cell[i]) & CELL_MARKS;
	}
	own = where_own(cell, tag, f->now, cfg);
	if (own < FLOW_WAYS && where_usable(v, f->vip, cell_backend(cell[own]), WHERE_OLD_FLOW) &&
	    !(f->kind == PACKET_SYN && cell_state(cell[own]) >= CELL_CLOSING)) {
		w->backend = cell_backend(cell[own]);
		w->way = (__u8)own;
		w->cell_old = cell[own];
		w->cell_new = cell_step(cell[own], f->kind, f->now, cfg);
		w->write = w->cell_new != w->cell_old;
		return;
	}

	if (!slot)
		slot = view_slot(v, slot_at);
	split = slot_state(slot) == SLOT_SPLIT;
	w->fresh = (__u8)starts;
	if (split && f->kind != PACKET_SYN)
		taken = where_previous(v, f, vip, slot);
	else if (starts)
		taken = marks && own == FLOW_WAYS && vip->steer_by != STEER_HOME
				? where_home(v, f, slot, WHERE_NEW_FLOW)
				: where_scheduled(v, f, vip, slot);
	else
		taken = where_home(v, f, slot, WHERE_OLD_FLOW);
	w->backend = taken;
	if (taken == ID_NONE || f->kind == PACKET_FIN || f->kind == PACKET_RST)
		return;
	/* Pinned and mh: the home needs no cell, unless an older life of the flow has left one that says otherwise. */
	if (vip->steer_by == STEER_HOME && !split && own == FLOW_WAYS)
		return;
	way = own < FLOW_WAYS ? own : where_victim(cell, (__u32)udp, f->now, cfg);
	if (way == FLOW_WAYS) {
		w->overflow = 1;
		w->backend = split ? where_previous(v, f, vip, slot)
				   : where_home(v, f, slot, starts ? WHERE_NEW_FLOW : WHERE_OLD_FLOW);
		w->cell_old = cell[0];
		w->cell_new = cell[0] | (__u64)CELL_MARK_NEW << 20;
		w->write = w->cell_new != w->cell_old;
		return;
	}
	w->way = (__u8)way;
	w->overflow = own == FLOW_WAYS && cell_rank(cell[way], f->now, cfg) == CELL_RANK_PROBATION;
	w->given = (__u8)starts;
	w->cell_old = cell[way];
	w->cell_new = cell_make(tag, taken, f->kind == PACKET_SYN ? CELL_HALF : CELL_PROBATION,
				(udp ? CELL_UDP : 0) | (cell_flags(cell[way]) & CELL_MARKS), f->now);
	w->write = 1;
}

#endif
