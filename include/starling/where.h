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
 *	__u32 view_limit(const struct view *, __u32 id)	   connections that it may have; 0: any
 *	__u32 view_untended(const struct view *, __u32 vip)  ticks since the controller saw to it: tick_since()
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
	__u8 overflow; /* no cell could be had: count it for the VIP */
	__u8 delay;    /* because of that, or of the cell evicted, no split may end now: count it in `overflows` */
	__u8 fresh;    /* a new flow: count a connection */
	__u8 given;    /* and it got a cell */
	__u8 made;     /* the write makes a cell for the flow, rather than change the one it has */
	__u8 dead;     /* its backend is down, and the VIP has such connections reset; backend is ID_NONE */
	__u8 full;     /* a new flow, and who could have it has as many as it may; backend is ID_NONE */
	__u8 sign;     /* enum sign_kind: settle() says */
	__u8 pad[2];
	__u32 set; /* valid with write: the flow's own set or the neighbour */
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

/* In use by another VIP: a cell with it belongs to a flow that happens to have the same set and tag. */
static inline int where_foreign(const struct view *v, __u32 vip, __u32 id)
{
	__u64 word = view_backend(v, id);

	return BACKEND_WORD_STATE(word) != BACKEND_UNUSED && BACKEND_WORD_VIP(word) != vip;
}

/* A backend of this VIP that is down. */
static inline int where_dead(const struct view *v, __u32 vip, __u32 id)
{
	__u64 word = view_backend(v, id);

	return BACKEND_WORD_STATE(word) == BACKEND_DOWN && BACKEND_WORD_VIP(word) == vip;
}

/*
 * Is this a packet that is answered with a reset, if its flow's backend is down? Whose flow it is,
 *
 *  - its cell says, if it has one;
 *  - else, with mh, its slot, if that is split and the previous home is down: since it is split every SYN takes the new
 *    home and a cell, so a packet without one is of a flow that began before. The slot is stored as split before the
 *    word says down (daemon/plane_slots.c), so no SYN has taken the new home without a cell.
 *
 * Where a SYN could not get a cell, nobody is reset who may be alive: the flow's set is marked, for one ageing step at
 * least, and marked sets do not count; and the overflow is counted, upon which the controller takes the previous homes
 * that are down from all slots, in the sweep that would age the mark or before. A flow whose half-open or closing cell
 * is old enough to be evicted (cell_rank()) is taken for ended, here as in any split.
 */
static inline int where_resets(const struct vip_record *vip, const struct flow *f)
{
	return vip->flags & VIP_DEAD_RESET && (f->kind == PACKET_OTHER || f->kind == PACKET_FIN);
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
		slot = view_slot(v, vip->prev_base + hash_slot(f->hash, vip->prev_count));
		prev = slot_state(slot) == SLOT_SPLIT ? slot_prev(slot) : slot_home0(slot);
		if (where_usable(v, f->vip, prev, WHERE_OLD_FLOW))
			return prev;
		if (where_home(v, f, slot, WHERE_OLD_FLOW) != ID_NONE)
			return where_home(v, f, slot, WHERE_OLD_FLOW);
		slot = view_slot(v, vip->slots_base + hash_slot(f->hash, vip->slots_count));
	}
	if (where_usable(v, f->vip, prev, WHERE_OLD_FLOW))
		return prev;
	return where_home(v, f, slot, WHERE_OLD_FLOW);
}

/*
 * Has it as many connections as it may? Half-open ones count, or all that begin within a round trip would be let in.
 * Then no SYN that begins a connection is sent to it, with a cell or without: it is dropped, if there is no other home
 * for it, and comes again a second later. UDP does not tell its first packet, so of it only new cells are refused.
 * Without a controller nobody takes those from the count that end without a word, so then there is no limit.
 */
static inline int where_full(const struct view *v, const struct vip_record *vip, const struct flow *f, __u32 id)
{
	__u32 most = vip->flags & VIP_LIMITS ? view_limit(v, id) : 0;

	return most && view_score(v, id, STEER_OPEN) >= most &&
	       view_untended(v, f->vip) <= view_config(v)->tended_ticks;
}

static inline int where_takes(const struct view *v, const struct vip_record *vip, const struct flow *f, __u32 id)
{
	return where_usable(v, f->vip, id, WHERE_NEW_FLOW) && !where_full(v, vip, f, id);
}

static inline int where_refuses(const struct view *v, const struct vip_record *vip, const struct flow *f, __u32 id)
{
	return f->kind == PACKET_SYN && id != ID_NONE && where_full(v, vip, f, id);
}

static inline void where_refuse(struct where *w)
{
	w->backend = ID_NONE;
	w->full = 1;
	w->fresh = w->given = w->made = w->overflow = w->delay = w->write = 0;
}

/* The better of two homes: smaller score / weight, home 0 if equal. One that is full takes none, nor do both. */
static inline __u32 where_scheduled(const struct view *v, const struct flow *f, const struct vip_record *vip,
				    __u64 slot)
{
	__u32 a = slot_home0(slot), b = slot_home1(slot);
	__u64 wa, wb, sa, sb;

	if (vip->steer_by == STEER_HOME)
		return where_home(v, f, slot, WHERE_NEW_FLOW);
	if (!where_takes(v, vip, f, b))
		return where_takes(v, vip, f, a) ? a : ID_NONE;
	if (!where_takes(v, vip, f, a))
		return b;
	wa = BACKEND_WORD_WEIGHT(view_backend(v, a));
	wb = BACKEND_WORD_WEIGHT(view_backend(v, b));
	/* Given counts the flow itself; open does not: idle backends are equal, and the draw of homes decides. */
	sa = (__u64)view_score(v, a, vip->steer_by) + (vip->steer_by == STEER_GIVEN);
	sb = (__u64)view_score(v, b, vip->steer_by) + (vip->steer_by == STEER_GIVEN);
	return sa * wb <= sb * wa ? a : b;
}

/* The cells a flow may have: its own set's, then the neighbour's. */
#define WHERE_CELLS (2 * FLOW_WAYS)

/* Linux 6.1's verifier does not learn from own != WHERE_CELLS, which is what compilers make of own < WHERE_CELLS. */
static inline __u64 where_cell(const __u64 cell[WHERE_CELLS], __u32 i)
{
	return cell[cell_opaque(i) & (WHERE_CELLS - 1)];
}

/* Index of the cell with this key among four, or FLOW_WAYS. Which one it is is random, so nothing branches on it. */
static inline __u32 where_find(const __u64 cell[FLOW_WAYS], __u32 key)
{
	__u64 found = 0;
	__u32 i;

	for (i = 0; i < FLOW_WAYS; i++)
		found |= cell_opaque((__u64)(cell_key(cell[i]) ^ key) - 1) >> 63 << i;
	/* Nibble n: the lowest bit set in n; 4 for none. */
	return 0x0102010301020104ULL >> (found * 4) & 7;
}

/* Index of the cell that a new flow may take, or WHERE_CELLS; the lowest rank, then its own set, then the oldest. */
static inline __u32 where_victim(const __u64 cell[WHERE_CELLS], __u32 udp, __u32 highest, __u32 now,
				 const volatile struct steer_config *cfg)
{
	__u64 none = (__u64)(highest + 1) << 20 | 7, best = none, held = 0, order;
	__u32 i;

	for (i = 0; i < WHERE_CELLS; i++)
		held += (__u64)(cell_flags(cell[i]) & CELL_UDP) << (i & FLOW_WAYS);
	/* Bits 3 and 7: the own set and the neighbour have no room for more UDP. */
	held = cell_opaque(held + (8 - CELL_UDP_MAX) * 0x11) * udp;
	for (i = 0; i < WHERE_CELLS; i++) {
		__u32 away = i & FLOW_WAYS, full = (held >> away >> 3) & ~cell_flags(cell[i]) & CELL_UDP;

		order = (__u64)cell_rank(cell[i], now, cfg) << 20 | away << 17 |
			(0xffff - cell_age(cell[i], now)) << 3 | i | (__u64)full << 30;
		best -= cell_opaque(best - order) & (cell_opaque(order - best) >> 63) * ~0ULL;
	}
	return best == none ? WHERE_CELLS : best & (WHERE_CELLS - 1);
}

/* No cell, no move: the packet goes where it would go if cells did not exist. */
static inline void where_none(const struct view *v, const struct vip_record *vip, const struct flow *f, struct where *w)
{
	__u64 slot = view_slot(v, vip->slots_base + hash_slot(f->hash, vip->slots_count));
	int split = slot_state(slot) == SLOT_SPLIT, starts = f->kind == PACKET_SYN || f->kind == PACKET_UDP;

	w->backend = ID_NONE;
	if (split)
		w->backend = where_previous(v, f, vip, slot);
	else if (slot_state(slot) != SLOT_EMPTY)
		w->backend = where_home(v, f, slot, starts ? WHERE_NEW_FLOW : WHERE_OLD_FLOW);
	w->fresh = (__u8)starts;
	w->overflow = 1;
	w->delay = (__u8)split;
	w->given = w->made = w->write = 0;
	if (where_refuses(v, vip, f, w->backend))
		where_refuse(w);
}

/* The same for want of room, which leaves a mark in cell 0 if it may have been a flow's beginning. */
static inline void where_overflow(const struct view *v, const struct vip_record *vip, const struct flow *f, __u64 cell0,
				  struct where *w)
{
	where_none(v, vip, f, w);
	w->way = 0;
	w->cell_old = cell0;
	w->cell_new = w->fresh ? cell0 | (__u64)CELL_MARK_NEW << 35 : cell0;
	w->write = w->cell_new != w->cell_old;
}

/* The backend of a packet without a cell of its own, if it can get one. */
static inline __u32 where_without(const struct view *v, const struct vip_record *vip, const struct flow *f, __u64 slot,
				  int marked)
{
	int udp = f->kind == PACKET_UDP, starts = f->kind == PACKET_SYN || udp;

	/* UDP does not tell its first packet. Where every flow has a cell, one without is new; with mh it may be old.
	 */
	if (slot_state(slot) == SLOT_SPLIT && (!starts || marked || (udp && vip->steer_by == STEER_HOME)))
		return where_previous(v, f, vip, slot);
	if (starts && !marked)
		return where_scheduled(v, f, vip, slot);
	return where_home(v, f, slot, starts ? WHERE_NEW_FLOW : WHERE_OLD_FLOW);
}

/* A packet whose flow has no cell that counts: find one. @own: a cell of an earlier life of it, or WHERE_CELLS. */
static inline void where_new(const struct view *v, const struct vip_record *vip, const struct flow *f, __u64 slot,
			     const __u64 cell[WHERE_CELLS], __u32 own, struct where *w)
{
	const volatile struct steer_config *cfg = view_config(v);
	int udp = f->kind == PACKET_UDP, starts = f->kind == PACKET_SYN || udp;
	int split = slot_state(slot) == SLOT_SPLIT, marked = cell_flags(cell[0]) & CELL_MARKS && own == WHERE_CELLS;
	__u32 flags = udp ? CELL_UDP : 0, highest, at = own;

	w->fresh = (__u8)starts;
	if (split && !marked && own == WHERE_CELLS && slot_prev(slot) != SLOT_PREV_TABLE && where_resets(vip, f) &&
	    where_dead(v, f->vip, slot_prev(slot))) {
		w->dead = 1;
		return;
	}
	w->backend = where_without(v, vip, f, slot, marked);
	if (where_refuses(v, vip, f, w->backend) ||
	    (w->backend == ID_NONE && starts && where_home(v, f, slot, WHERE_NEW_FLOW) != ID_NONE)) {
		where_refuse(w);
		return;
	}
	if (w->backend == ID_NONE || f->kind == PACKET_FIN || f->kind == PACKET_RST)
		return;
	/* mh, pinned: the home needs no cell, unless an earlier life of the flow has left one that says otherwise. */
	if (vip->steer_by == STEER_HOME && !split && own == WHERE_CELLS)
		return;
	if (own == WHERE_CELLS) {
		highest = f->kind == PACKET_SYN ? CELL_RANK_CLOSING : split || udp ? CELL_RANK_STALE : CELL_RANK_FREE;
		at = where_victim(cell, (__u32)udp, highest, f->now, cfg);
		if (at == WHERE_CELLS) {
			where_overflow(v, vip, f, cell[0], w);
			return;
		}
		w->delay = cell_rank(where_cell(cell, at), f->now, cfg) == CELL_RANK_SPLIT;
	}
	if (split && f->kind != PACKET_SYN)
		flags |= CELL_SPLIT;
	if (at & FLOW_WAYS) {
		flags |= CELL_AWAY;
		w->set ^= 1;
	}
	w->way = at & (FLOW_WAYS - 1);
	w->given = (__u8)starts;
	w->made = 1;
	w->cell_old = where_cell(cell, at);
	w->cell_new = cell_make(hash_tag(f->hash, cfg->flow_sets_log2), w->backend,
				f->kind == PACKET_SYN ? CELL_HALF : CELL_PROBATION,
				flags | (cell_flags(w->cell_old) & CELL_MARKS), f->now);
	w->write = 1;
}

/* Load the cells a flow may have, the neighbour's only if they are needed. Return the flow's own, or WHERE_CELLS. */
static inline __u32 where_cells(const struct view *v, const struct flow *f, __u32 set, __u64 cell[WHERE_CELLS])
{
	__u32 i, own, key = hash_tag(f->hash, view_config(v)->flow_sets_log2) << 1;
	const __u64 *at = view_set(v, set);

	if (!at)
		return WHERE_CELLS + 1;
	for (i = 0; i < FLOW_WAYS; i++)
		cell[i] = *(const volatile __u64 *)&at[i];
	own = where_find(cell, key);
	if (own < FLOW_WAYS)
		return own;
	at = view_set(v, set ^ 1);
	if (!at)
		return WHERE_CELLS + 1;
	for (i = 0; i < FLOW_WAYS; i++)
		cell[FLOW_WAYS + i] = *(const volatile __u64 *)&at[i];
	return FLOW_WAYS + where_find(cell + FLOW_WAYS, key | 1);
}

/* A packet of a flow whose live cell is @c, at index @own of its cells. */
static inline void where_step(const struct view *v, const struct flow *f, __u64 c, __u32 own, struct where *w)
{
	w->backend = cell_backend(c);
	w->set ^= own / FLOW_WAYS;
	w->way = own & (FLOW_WAYS - 1);
	w->cell_old = c;
	w->cell_new = cell_step(c, f->kind, f->now, view_config(v));
	w->write = w->cell_new != c;
}

/**
 * where_plain() - the backend of a packet that needs no cell: nearly all of mh
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		the answer; zeroed by the caller; untouched if there is none
 *
 * Return: 1 if that was all, 0 if cells are to be looked at.
 */
static inline int where_plain(const struct view *v, const struct vip_record *vip, const struct flow *f, struct where *w)
{
	int udp = f->kind == PACKET_UDP, stateless = udp && vip->flags & VIP_NO_CELLS;
	__u64 slot;

	if (vip->steer_by != STEER_HOME && !stateless)
		return 0;
	slot = view_slot(v, vip->slots_base + hash_slot(f->hash, vip->slots_count));
	if (slot_state(slot) > SLOT_PLAIN && !stateless)
		return 0;
	w->backend = ID_NONE;
	if (slot_state(slot) == SLOT_EMPTY)
		return 1;
	w->fresh = f->kind == PACKET_SYN;
	w->backend = where_home(v, f, slot, w->fresh || udp ? WHERE_NEW_FLOW : WHERE_OLD_FLOW);
	return 1;
}

/**
 * where_to() - the backend of one packet
 * @v:		the accessors' argument; borrowed
 * @vip:	the VIP's record
 * @f:		the flow and the packet
 * @w:		the answer; zeroed by the caller
 *
 * Implements DESIGN section 2, "Cells" and "Slot states". Who only wants to know calls this; who steers
 * calls settle().
 */
static inline void where_to(const struct view *v, const struct vip_record *vip, const struct flow *f, struct where *w)
{
	const volatile struct steer_config *cfg = view_config(v);
	__u64 slot, cell[WHERE_CELLS];
	__u32 own, i;

	w->backend = ID_NONE;
	if (where_plain(v, vip, f, w))
		return;
	w->set = hash_set(f->hash, cfg->flow_sets_log2);
	own = where_cells(v, f, w->set, cell);
	if (own > WHERE_CELLS)
		return;
	if (own < WHERE_CELLS && !cell_expired(where_cell(cell, own), f->now, cfg)) {
		__u64 c = where_cell(cell, own);
		__u32 state = cell_state(c);

		if (where_foreign(v, f->vip, cell_backend(c))) {
			where_none(v, vip, f, w);
			return;
		}
		/*
		 * A SYN after RST begins a new life, and so does one after FIN; but right after it, as what is left of
		 * the old life may still be on its way, at the same backend.
		 */
		if (where_usable(v, f->vip, cell_backend(c), WHERE_OLD_FLOW) &&
		    !(f->kind == PACKET_SYN && state >= CELL_CLOSING &&
		      (state == CELL_RESET || cell_age(c, f->now) >= cfg->probation_ticks))) {
			w->fresh = w->given =
				f->kind == PACKET_SYN && (state == CELL_PROBATION || state == CELL_CLOSING);
			if (w->fresh && where_refuses(v, vip, f, cell_backend(c))) {
				where_refuse(w);
				return;
			}
			where_step(v, f, c, own, w);
			return;
		}
		if (where_resets(vip, f) && where_dead(v, f->vip, cell_backend(c))) {
			w->dead = 1;
			return;
		}
	}

	slot = view_slot(v, vip->slots_base + hash_slot(f->hash, vip->slots_count));
	if (slot_state(slot) == SLOT_EMPTY)
		return;
	for (i = FLOW_WAYS; own < FLOW_WAYS && i < WHERE_CELLS; i++)
		cell[i] = 0; /* for the verifier: not loaded, not looked at */
	where_new(v, vip, f, slot, cell, own, w);
}

#endif
