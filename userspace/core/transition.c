// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The slot state machine. Not here: why a home changes, and when the result is stored.
 */
#include "core/transition.h"

__u32 transition_at(__u64 slot, bool usable0, bool usable1)
{
	if (slot_state(slot) == SLOT_EMPTY)
		return ID_NONE;
	if (usable0)
		return slot_home0(slot);
	return usable1 ? slot_home1(slot) : ID_NONE;
}

__u64 transition_home(__u64 slot, __u32 at, __u32 home0, __u32 home1, enum transition_keep keep)
{
	__u32 state = slot_state(slot), prev = slot_prev(slot);

	if (state == SLOT_EMPTY || keep == TRANSITION_NOTHING)
		return slot_make(SLOT_PLAIN, home0, home1, ID_NONE);
	if (state == SLOT_SPLIT) {
		if (home0 != prev || home0 == slot_home0(slot))
			return slot_make(SLOT_SPLIT, home0, home1, prev);
		return slot_make(keep == TRANSITION_STATEFUL ? SLOT_PLAIN : SLOT_PINNED, home0, home1, ID_NONE);
	}
	if (at == ID_NONE || at == home0)
		return slot_make(state, home0, home1, ID_NONE);
	return slot_make(SLOT_SPLIT, home0, home1, at);
}

__u64 transition_warm(__u64 slot, __u32 at, enum transition_keep keep)
{
	__u32 state = slot_state(slot);

	if (keep != TRANSITION_BY_CELLS || at == ID_NONE || (state != SLOT_PLAIN && state != SLOT_PINNED))
		return slot;
	return slot_make(SLOT_SPLIT, slot_home0(slot), slot_home1(slot), at);
}

__u64 transition_resized(__u32 home0, __u32 home1, enum transition_keep keep)
{
	if (keep == TRANSITION_NOTHING)
		return slot_make(SLOT_PLAIN, home0, home1, ID_NONE);
	return slot_make(SLOT_SPLIT, home0, home1, SLOT_PREV_TABLE);
}

__u64 transition_idle(__u64 slot, enum transition_keep keep)
{
	if (slot_state(slot) != SLOT_SPLIT)
		return slot;
	return slot_make(keep == TRANSITION_BY_CELLS ? SLOT_PINNED : SLOT_PLAIN, slot_home0(slot), slot_home1(slot),
			 ID_NONE);
}

__u64 transition_plain(__u64 slot)
{
	if (slot_state(slot) != SLOT_PINNED)
		return slot;
	return slot_make(SLOT_PLAIN, slot_home0(slot), slot_home1(slot), ID_NONE);
}

__u64 transition_down(__u64 slot, __u32 id)
{
	if (slot_state(slot) != SLOT_SPLIT || slot_prev(slot) != id)
		return slot;
	return slot_make(SLOT_PINNED, slot_home0(slot), slot_home1(slot), ID_NONE);
}
