// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The benchmark's table: see report.h.
 */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_add(struct report *r, const struct report_row *row)
{
	if (r->rows == REPORT_ROWS)
		abort();
	r->row[r->rows++] = *row;
}

void report_figure(struct report *r, const char *what, const char *unit, double value, double budget)
{
	if (r->figures == REPORT_FIGURES)
		abort();
	r->figure[r->figures++] = (struct report_figure){what, unit, value, budget};
}

static void row_print(const struct report_row *row)
{
	char budget[32] = "-";

	if (row->budget_ns > 0)
		snprintf(budget, sizeof(budget), "%.0f%s", row->budget_ns,
			 row->over_floor_ns > row->budget_ns ? " MISSED" : "");
	printf("%-20s IPv%u %-4s %5u %8u %8u %8.1f %8.1f %8.1f %10.1f  %s\n", row->what, row->version, row->proto,
	       row->vips, row->backends, row->flows, row->raw_ns, row->least_ns, row->net_ns, row->over_floor_ns,
	       budget);
}

static json_t *row_json(const struct report_row *row)
{
	json_t *o = json_pack("{s:s,s:I,s:s,s:I,s:I,s:I,s:f,s:f,s:f,s:f}", "case", row->what, "version",
			      (json_int_t)row->version, "proto", row->proto, "vips", (json_int_t)row->vips, "backends",
			      (json_int_t)row->backends, "flows", (json_int_t)row->flows, "raw_ns", row->raw_ns,
			      "least_ns", row->least_ns, "net_ns", row->net_ns, "over_floor_ns", row->over_floor_ns);

	json_object_set_new(o, "budget_ns", row->budget_ns > 0 ? json_real(row->budget_ns) : json_null());
	return o;
}

static json_t *figure_json(const struct report_figure *f)
{
	json_t *o = json_pack("{s:s,s:s,s:f}", "figure", f->what, "unit", f->unit, "value", f->value);

	json_object_set_new(o, "budget", f->budget > 0 ? json_real(f->budget) : json_null());
	return o;
}

static int json_write(const struct report *r, const char *file)
{
	json_t *rows = json_array(), *figures = json_array(), *all;
	size_t i;
	int e;

	for (i = 0; i < r->rows; i++)
		json_array_append_new(rows, row_json(&r->row[i]));
	for (i = 0; i < r->figures; i++)
		json_array_append_new(figures, figure_json(&r->figure[i]));
	all = json_pack("{s:o,s:o}", "packets", rows, "figures", figures);
	e = json_dump_file(all, file, JSON_INDENT(1)) ? -EIO : 0;
	json_decref(all);
	if (e)
		fprintf(stderr, "bench: cannot write %s\n", file);
	return e;
}

int report_print(const struct report *r, const char *json)
{
	size_t i;

	printf("%-20s %4s %-4s %5s %8s %8s %8s %8s %8s %10s  %s\n", "PACKET", "IP", "L4", "VIPS", "BACKENDS", "FLOWS",
	       "RAW NS", "LEAST", "NET NS", "OVER FLOOR", "BUDGET");
	for (i = 0; i < r->rows; i++)
		row_print(&r->row[i]);
	for (i = 0; i < r->figures; i++) {
		const struct report_figure *f = &r->figure[i];

		printf("%s%-60s %12.2f %s", i ? "" : "\n", f->what, f->value, f->unit);
		if (f->budget > 0)
			printf("  (budget %.2f%s)", f->budget, f->value > f->budget ? ", MISSED" : "");
		printf("\n");
	}
	return json ? json_write(r, json) : 0;
}
