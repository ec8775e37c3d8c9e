/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What verdicts are measured by: healthy targets that are called down, and the time until dead ones are. Not here: the
 * world (verdict_world.h), what is to be reached.
 */
#ifndef TESTS_SIM_VERDICT_MEASURE_H
#define TESTS_SIM_VERDICT_MEASURE_H

#include "verdict_world.h"

#define VERDICT_WARM_MS 10000

/* A tenth of all packets lost; the mode and f that the grammar has for so many nodes. */
struct verdict_world_options verdict_flock(size_t nodes, size_t liars, enum verdict_lie lie);

struct verdict_false {
	__u64 probes;	/* by honest observers; all that were sent */
	size_t ejected; /* times that node 0 came to hold a healthy target down, by whatever source */
	double share;	/* of all targets' time that it did */
};

/* Targets are well all the time. @probes: so many at least. */
struct verdict_false verdict_measure_false(const struct verdict_world_options *options, __u64 probes);

#define VERDICT_TIMES_MAX 4096

struct verdict_times {
	size_t count, missed;		   /* targets; of them those that some honest node never held down */
	size_t avoided;			   /* of the latter those that all honest nodes find down by their own probes */
	double first_s[VERDICT_TIMES_MAX]; /* from its death to the first certificate, sorted */
	double all_s[VERDICT_TIMES_MAX];   /* until all honest nodes hold it down, sorted */
	double vote_s[VERDICT_TIMES_MAX];  /* from the first honest vote on it to that, sorted */
};

/* Each target dies once, at another moment of its observers' intervals. */
void verdict_measure_times(const struct verdict_world_options *options, enum verdict_fault_what death,
			   struct verdict_times *ret);

struct verdict_many {
	size_t moments; /* at which changes came out, of the honest node with the most */
	size_t alive;	/* of the dead, those that some honest node does not hold down at the end */
	size_t ejected; /* times that an honest node held a healthy target down */
	double all_s;	/* until all honest nodes hold the last one down */
	double told_s;	/* until it has come out at all */
};

/* The first @dying targets die at one moment; most of them: a rack. */
struct verdict_many verdict_measure_many(const struct verdict_world_options *options, enum verdict_fault_what death,
					 size_t dying);

struct verdict_uplink {
	double doubts_s; /* from when its way is bad until the observer doubts itself; < 0: never */
	size_t called;	 /* times that it called a healthy target down */
	size_t ejected;	 /* times that another node held one down */
};

/* Targets are well; of the last honest node's probes @percent get lost on its own way. */
struct verdict_uplink verdict_measure_uplink(const struct verdict_world_options *options, __u32 percent);

#define VERDICT_HOURS_MAX 24

struct verdict_repute {
	__u32 liar[VERDICT_HOURS_MAX];	 /* reputation agreed on after each hour, of the last node; */
	__u32 honest[VERDICT_HOURS_MAX]; /* of the honest node that has the least */
	__u32 apart;	      /* by which two honest nodes' accounts of anybody differed at most, at an hour */
	size_t before, after; /* targets that the last node observes, at first and at the end */
	size_t ejected;	      /* times that an honest node held a healthy target down */
};

/* A target dies every few minutes and comes back; every hour all take the reputations that node 0 has counted. */
struct verdict_repute verdict_measure_repute(const struct verdict_world_options *options, size_t hours);

double verdict_quantile(const double *sorted, size_t count, double q); /* 0: of none */

/* The figure of COORDINATION.md, in seconds. */
double verdict_bound_s(const struct verdict_pace *pace, enum verdict_fault_what death);

#endif
