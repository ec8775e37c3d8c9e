/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model of the cells: one VIP over plain arrays, driven by the rules that XDP and the daemon use
 * (where.h, settle.h, core/sweep, core/transition), under traffic whose truth is known. Not here:
 * packets, Maglev, the daemon.
 */
#ifndef STARLING_SIM_CELLS_H
#define STARLING_SIM_CELLS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/sweep.h"
#include "core/transition.h"
#include "starling/cell.h"
#include "starling/hash.h"
#include "starling/limits.h"
#include "starling/slot.h"

#define CELLS_TICK_MS  256
#define CELLS_BACKENDS 128

enum cells_flood { FLOOD_NONE, FLOOD_SYN, FLOOD_ACK, FLOOD_UDP };

struct cells_scenario {
	const char *name;
	enum steer_by by;
	__u32 backends;
	__u32 sets_log2;
	__u32 flows;   /* alive at a time */
	__u32 total;   /* connections in all */
	__u32 rate;    /* connections a second */
	__u32 idle_ms; /* of the VIP; live flows send at least every quarter of it */
	enum cells_flood flood;
	__u32 flood_rate; /* packets a second, each from another forged flow */
	bool change;	  /* drain, return, add, fail, flap and resize while it runs */
	bool weighted;	  /* weights 5, 3, 2, 5, 3, 2 ... */
	bool udp;	  /* flows are UDP: no beginning, no end */
	bool reset;	  /* connections of a dead backend are reset */
};

struct cells_outcome {
	__u64 connections, packets;
	__u64 broken;	     /* flows that met another backend than their first packet did */
	__u64 unserved;	     /* flows with a packet that met no backend */
	__u64 resets;	     /* packets of lost flows that were answered with a reset */
	__u64 overflows;     /* packets for which no cell could be had, forged ones included */
	__u64 wrong_sums;    /* sweeps after which loads and cells disagreed */
	double active_error; /* greatest |open - truth| / truth, sampled once a second */
	__u32 active_end;    /* open and half once all have ended */
	double imbalance;    /* fullest backend over the mean by weight, steady state, average of samples */
	double deviation;    /* greatest |given - share| after 10,000 connections */
	__u32 unsettled;     /* slots neither plain at the end */
};

struct world;

struct world *world_new(const struct cells_scenario *sc);
void world_free(struct world *w);
/* One packet of the flow with this hash at this time; returns the backend or ID_NONE. */
__u32 world_packet(struct world *w, __u64 hash, enum packet_kind kind, __u64 now_ms);
/* The controller's second: sweep, clocks, transitions. */
void world_second(struct world *w, __u64 now_ms);
/* Every slot gets its homes anew from the states wanted; in the order of stores that the daemon keeps. */
void world_state(struct world *w, __u32 backend, enum backend_state state);
/* The mh slots that backend @id will leave or come to get ready for it: some seconds before a planned change. */
void world_warm(struct world *w);
void world_resize(struct world *w, __u32 slots);
__u32 world_open(const struct world *w, __u32 backend);
__u32 world_given(const struct world *w, __u32 backend);
__u32 world_weight(const struct world *w, __u32 backend);
__u32 world_half(const struct world *w);
__u32 world_unsettled(const struct world *w);
void world_report(const struct world *w, struct cells_outcome *o);

/* Run a scenario to its end. */
void cells_run(const struct cells_scenario *sc, __u64 seed, struct cells_outcome *o);

/* splitmix64: small, and good enough for everything here. */
static inline __u64 sim_random(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

#endif
