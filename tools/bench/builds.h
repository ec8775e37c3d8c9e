/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the benchmark measures of the control plane: table builds, applies, adoption, load, memory. Not here: packets.
 */
#ifndef STARLING_TOOLS_BENCH_BUILDS_H
#define STARLING_TOOLS_BENCH_BUILDS_H

#include "report.h"

int builds_maglev(struct report *to); /* 0 or -errno, with a line on stderr */

/**
 * builds_control() - a configuration of 512 VIPs with 64 backends each, from its text to the maps
 * @to:		figures are added
 *
 * Real maps and programs of default size, pinned in a bpffs of a mount namespace of its own: the process stays in it.
 * Return: 0 or -errno, with a line on stderr.
 */
int builds_control(struct report *to);

#endif
