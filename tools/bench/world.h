/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet is measured in: one loaded steer with its VIPs, backends, slots and flows. Not here: the clock.
 */
#ifndef STARLING_TOOLS_BENCH_WORLD_H
#define STARLING_TOOLS_BENCH_WORLD_H

#include "../../tests/bpf/harness.h"
#include "bench.h"

#define WORLD_FLOWS (1u << 20) /* most flows of a case */

/* Which addresses a case's packets go to; each kind has as many VIPs as the world. */
enum world_kind {
	WORLD_MH,     /* Maglev */
	WORLD_WLC,    /* least connections */
	WORLD_NOBODY, /* no VIP */
};

struct world {
	struct harness *h;
	__u32 vips;	/* of each kind; a power of two */
	__u32 backends; /* of each kind, all VIPs together */
	bool v6;
	__u8 proto;
	bool established; /* WORLD_FLOWS connections to the WLC VIPs have cells */
	bool fresh;	  /* cells are for SYN cases: emptied before each run */
	__u32 slots;	  /* of each VIP */
};

/**
 * world_open() - load steer and fill its tables
 * @w:	vips, backends, v6 and proto are set by the caller; the rest is filled; world_close()
 *
 * Backends are all up, of equal weight, in ipip mode of the VIP's IP version; the slots' homes are random.
 * Return: 0 or -errno.
 */
int world_open(struct world *w);
void world_close(struct world *w);

/* The harness program's state for packets to a kind of VIP. */
struct bench_state world_state(const struct world *w, enum world_kind kind, __u32 flows, __u8 tcp_flags);

#endif
