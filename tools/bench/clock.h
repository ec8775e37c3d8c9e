/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The measurement of DESIGN section 7: packets through the harness program, nanoseconds out. Not here: which cases.
 */
#ifndef STARLING_TOOLS_BENCH_CLOCK_H
#define STARLING_TOOLS_BENCH_CLOCK_H

#include "world.h"

struct bpf_object;

/* Programs of bench.bpf.c that may stand in for steer. */
enum clock_program {
	CLOCK_STEER,
	CLOCK_NOTHING,
	CLOCK_FLOOR_V4,
	CLOCK_FLOOR_V6,
	CLOCK_PROGRAMS,
};

struct clock {
	struct bpf_object *object;
	struct bench_state *state; /* the harness program's, mapped */
	int bench_fd, measured_fd;
	int program_fd[CLOCK_PROGRAMS];
};

int clock_open(struct clock *c, const struct world *w); /* for packets of one world; 0 or -errno, with a line */
void clock_close(struct clock *c);

/**
 * clock_run() - time packets
 * @c:		the harness
 * @program:	what is tail-called
 * @w:		the packets' world; its steer is run if @program is CLOCK_STEER
 * @s:		which packets
 * @packets:	how many, in one BPF_PROG_TEST_RUN
 * @ret_ns:	mean time of one, harness included; NULL: not wanted
 *
 * Asserts what came out: the action and length of the last packet, and for steer that the device's counter of the
 * verdict that belongs to the action rose by exactly @packets.
 * Return: 0, -EPROTO if something else came out (with a line on stderr), or another -errno.
 */
int clock_run(struct clock *c, enum clock_program program, const struct world *w, const struct bench_state *s,
	      __u32 packets, double *ret_ns);

#endif
