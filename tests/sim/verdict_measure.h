/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What verdicts are measured by: healthy targets that are called down, and the time until dead ones are. Not here: the
 * world (verdict_world.h), what is to be reached.
 */
#ifndef TESTS_SIM_VERDICT_MEASURE_H
#define TESTS_SIM_VERDICT_MEASURE_H

#include "verdict_world.h"

#define VERDICT_WARM_MS 10000

struct verdict_false {
	__u64 probes;	  /* by honest observers and liars' seats left out: all that were sent */
	size_t certified; /* times that node 0 held a healthy target certified down */
	size_t anywhere;  /* by whatever source, at any honest node */
};

/* Targets are well all the time. @probes: so many at least. */
struct verdict_false verdict_measure_false(const struct verdict_world_options *options, __u64 probes);

#define VERDICT_TIMES_MAX 4096

struct verdict_times {
	size_t count, missed;		   /* targets; of them those that some honest node never held down */
	double first_s[VERDICT_TIMES_MAX]; /* from its death to the first certificate, sorted */
	double all_s[VERDICT_TIMES_MAX];   /* until all honest nodes hold it down, sorted */
};

/* Each target dies once, at another moment of its observers' intervals. */
void verdict_measure_times(const struct verdict_world_options *options, enum verdict_fault_what death,
			   struct verdict_times *ret);

double verdict_quantile(const double *sorted, size_t count, double q); /* 0: of none */

/* The figure of COORDINATION.md, in seconds. */
double verdict_bound_s(const struct verdict_pace *pace, enum verdict_fault_what death);

#endif
