/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a slot becomes when its homes change, its time is up, its exceptions are gone or its
 * previous home dies: the table of slot states, as pure functions on slot words. Not here: which
 * homes a slot gets (homes.h), clocks and stores (the daemon's plane), what XDP does with a slot
 * (starling/where.h).
 *
 *	plain(H)	new home N		split(prev H, N); clock starts
 *	split(P, N)	new home M		split(P, M), clock kept; M = P: pinned(P)
 *	split(P, N)	idle timeout		pinned(N); stateful VIP: plain(N)
 *	pinned(N)	new home M		split(prev N, M); clock starts
 *	pinned(N)	no exception left	plain(N)
 *	split(P, N)	P down			pinned(N): cells of earlier homes may live on; with dead reset it stays,
 *						and says whose flows those without a cell are (starling/where.h)
 *	any but split	no home serves		the state stays, with the new homes: nobody is to be kept
 *	any		only home 1 changes	the state and the clock stay
 *
 *	plain(H)	a planned change is near	split(prev H, H): warm; then new home, some seconds later
 *
 * P may be SLOT_PREV_TABLE: flows have come from the VIP's previous region, where the slots of one
 * hash range may have had several homes. Such a slot stays split whatever M is.
 */
#ifndef STARLING_CORE_TRANSITION_H
#define STARLING_CORE_TRANSITION_H

#include <stdbool.h>

#include "starling/slot.h"

/* What keeps the flows of a slot while its homes change. */
enum transition_keep {
	TRANSITION_BY_CELLS, /* mh: cells only while split or pinned */
	TRANSITION_STATEFUL, /* every other scheduler: cells always, so that pinned is no different from plain */
	TRANSITION_NOTHING,  /* VIP_NO_CELLS: never split */
};

/**
 * transition_at() - where flows without a cell go at present
 * @slot:	slot word
 * @usable0:	home 0 is up or draining
 * @usable1:	the same of home 1
 *
 * Call it with the states that XDP sees now, before any word is stored for the change at hand.
 *
 * Return: home 0, home 1 while home 0 is not usable, else ID_NONE.
 */
__u32 transition_at(__u64 slot, bool usable0, bool usable1);

/**
 * transition_home() - the slot with new homes
 * @slot:	slot word; SLOT_EMPTY: never written
 * @at:		where flows without a cell go at present, from transition_at(). ID_NONE: nobody's flows are to be kept
 * @home0:	new home 0, or ID_NONE
 * @home1:	new home 1, or ID_NONE
 * @keep:	by the VIP's scheduler and flags
 *
 * A slot whose result is SLOT_SPLIT and whose old state was not, or whose previous home differs, starts its clock.
 *
 * Return: the new word; equal to @slot if nothing changes.
 */
__u64 transition_home(__u64 slot, __u32 at, __u32 home0, __u32 home1, enum transition_keep keep);

/**
 * transition_warm() - the slot some seconds before a planned change of its home
 * @slot:	slot word
 * @at:		as for transition_home()
 * @keep:	by the VIP's scheduler and flags
 *
 * With mh, a SYN that arrived before the change has no cell; repeated after it, the SYN would follow the new home while
 * the old one may have answered. So every SYN of the last STARLING_MARK_MS gets a cell with the old home first, and
 * transition_home() comes after that time. Failures do not wait.
 *
 * Return: split with the present homes and @at as previous home; @slot unless it is plain or pinned and @keep is by
 * cells.
 */
__u64 transition_warm(__u64 slot, __u32 at, enum transition_keep keep);

/**
 * transition_resized() - first word of a slot in a VIP's new, larger region
 * @home0:	home 0, or ID_NONE
 * @home1:	home 1, or ID_NONE
 * @keep:	by the VIP's scheduler and flags
 *
 * Return: split with SLOT_PREV_TABLE, or plain with TRANSITION_NOTHING.
 */
__u64 transition_resized(__u32 home0, __u32 home1, enum transition_keep keep);

/**
 * transition_idle() - the slot after it was split for the VIP's idle time without an overflow
 * @slot:	slot word
 * @keep:	by the VIP's scheduler and flags
 *
 * By now every flow of the previous home that is alive has a cell. Before storing the result, a whole sweep with
 * sweep.promote naming this slot must have passed (sweep.h), without a rise of the overflows map meanwhile.
 *
 * Return: the new word; equal to @slot unless it is split.
 */
__u64 transition_idle(__u64 slot, enum transition_keep keep);

/**
 * transition_plain() - the slot when no cell of its hash range names another backend than home 0
 * @slot:	slot word
 *
 * Known from a whole sweep that began a grace period after the slot had been stored as pinned.
 *
 * Return: the new word; equal to @slot unless it is pinned.
 */
__u64 transition_plain(__u64 slot);

/**
 * transition_down() - the slot when a backend has gone down or is being deleted
 * @slot:	slot word
 * @id:		the backend; never SLOT_PREV_TABLE
 *
 * Touches the previous home only; new homes are transition_home()'s business.
 *
 * Return: the new word; equal to @slot unless @id is the previous home of a split slot.
 */
__u64 transition_down(__u64 slot, __u32 id);

#endif
