/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cross-check of the clock (clock.h): real frames over veth, where the packet's memory is cold and the driver takes
 * part. Not here: which table a packet meets (world.h).
 */
#ifndef STARLING_TOOLS_BENCH_LIVE_H
#define STARLING_TOOLS_BENCH_LIVE_H

#include "clock.h"
#include "report.h"

/**
 * live_measure() - floor, Maglev and established flows over veth
 * @c:		its object has the floor and the sink
 * @w:		established; its backends are moved to the veth, so the clock cannot use it any more
 * @to:		rows are added: "live" by the wall clock, "bpf_stats" by the kernel's own run time of the program
 *
 * The process moves to a network namespace of its own, which goes with it.
 * Return: 0 or -errno, with a line on stderr.
 */
int live_measure(const struct clock *c, struct world *w, struct report *to);

#endif
