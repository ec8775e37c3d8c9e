/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One slot in 8 bytes: the two homes, the previous home, the state. Written by the
 * controller alone, one store a slot. Not here: when a slot changes (core/transition).
 */
#ifndef STARLING_SLOT_H
#define STARLING_SLOT_H

#include "dataplane.h"

enum slot_state {
	SLOT_EMPTY,  /* never written */
	SLOT_PLAIN,  /* home 0 for everybody, or home 1 while home 0 is not usable */
	SLOT_SPLIT,  /* a cell decides; a SYN takes the home and a cell, anything else the previous home and a cell */
	SLOT_PINNED, /* a cell decides, else the home: the exceptions of a split live in cells until they end */
};

#define SLOT_PREV_TABLE 0xfffeu /* the previous home stands in the VIP's previous region */

static inline __u64 slot_make(__u32 state, __u32 home0, __u32 home1, __u32 prev)
{
	return (__u64)(home0 & 0xffff) | (__u64)(home1 & 0xffff) << 16 | (__u64)(prev & 0xffff) << 32 |
	       (__u64)state << 48;
}

static inline __u32 slot_home0(__u64 slot)
{
	return slot & 0xffff;
}

static inline __u32 slot_home1(__u64 slot)
{
	return slot >> 16 & 0xffff;
}

static inline __u32 slot_prev(__u64 slot)
{
	return slot >> 32 & 0xffff;
}

static inline __u32 slot_state(__u64 slot)
{
	return slot >> 48 & 0xff;
}

#endif
