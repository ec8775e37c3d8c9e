/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a change does to a VIP's slots, before it is made: how many get another home 0, and in how many it cannot be
 * avoided. Not here: flows (the daemon's plane_effect.c), what a slot makes of it (transition.h).
 */
#ifndef STARLING_CORE_EFFECT_H
#define STARLING_CORE_EFFECT_H

#include "core/homes.h"

struct effect {
	__u32 slots;   /* of the table that is to be */
	__u32 moved;   /* of these: they have a home 0, and get another or none */
	__u32 least;   /* of these: whatever tables give each backend as many slots, so many move */
	__u32 emptied; /* backends of the table that is to be that get no slot, and had one or are new */
};

/**
 * effect_find() - compare the homes of a VIP's slots
 * @before:	what runs; of no slots: the VIP is new
 * @after:	what is to run; at least one slot
 * @was:	of each backend of @after its index in @before, or HOMES_NONE: it is new; borrowed
 * @ret_emptied: of each backend of @after whether it counts as emptied
 * @ret:	see there
 *
 * The least is the sum of what backends lose: of the slots that one is home 0 of, those beyond what it will be home 0
 * of have to move, and no others. Where the number of slots changes, a slot is compared with the one in which most of
 * its flows are.
 *
 * Return: 0, or -ENOMEM.
 */
int effect_find(const struct homes *before, const struct homes *after, const __u16 *was, bool *ret_emptied,
		struct effect *ret);

#endif
