/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's one table, plain and as JSON. Not here: what the numbers mean.
 */
#ifndef STARLING_TOOLS_BENCH_REPORT_H
#define STARLING_TOOLS_BENCH_REPORT_H

#include <linux/types.h>
#include <stddef.h>

struct report_row {
	const char *what;  /* static */
	const char *proto; /* static */
	__u32 version;
	__u32 vips, backends, flows;
	double raw_ns, least_ns; /* median and least sample, harness included */
	double net_ns;		 /* without the harness */
	double over_floor_ns;
	double budget_ns; /* for over_floor_ns; 0: none */
};

/* A figure that is no packet's: a table build, a load. */
struct report_figure {
	const char *what; /* static */
	const char *unit; /* static */
	double value, budget;
};

#define REPORT_ROWS    512
#define REPORT_FIGURES 64

struct report {
	struct report_row row[REPORT_ROWS];
	size_t rows;
	struct report_figure figure[REPORT_FIGURES];
	size_t figures;
};

void report_add(struct report *r, const struct report_row *row);
void report_figure(struct report *r, const char *what, const char *unit, double value, double budget);

/**
 * report_print() - the table on stdout
 * @r:		the rows
 * @json:	file to write the same to as JSON; NULL: none
 *
 * Return: 0, or -errno of the file. A missed budget is said in the table and is no error.
 */
int report_print(const struct report *r, const char *json);

#endif
