/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows of one kind of the catalog, and every way to render them: JSON, plain text, metrics.
 * All renderings read the same cells, so they cannot disagree. Not here: which fields there
 * are (catalog_list.h), where values come from (the daemon).
 *
 * A table remembers its first failure (no memory, a field of another kind), so that a writer
 * sets cells without checks and asks table_error() once.
 */
#ifndef STARLING_CORE_TABLE_H
#define STARLING_CORE_TABLE_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/catalog.h"

/* For json_dumps() of what table_json() makes: numbers as they are kept. */
#define TABLE_JSON_FLAGS JSON_REAL_PRECISION(15)

struct table;

struct table *table_new(enum table_kind kind); /* NULL without memory */
void table_free(struct table *t);
enum table_kind table_kind(const struct table *t);
size_t table_rows(const struct table *t);
int table_error(const struct table *t); /* 0, -ENOMEM, -EINVAL */

/**
 * table_row() - append a row, every cell unset
 *
 * Return: its number, for table_set_*(). After a failure 0, and setting does nothing.
 */
size_t table_row(struct table *t);

/*
 * Set one cell; an earlier value is replaced. Texts are copied; NULL leaves the cell unset, as
 * does a number that is not finite. What is no UTF-8 in a text is replaced by '?'.
 * Return: 0, -ENOMEM, -EINVAL (field of another kind or type, no such row); the failure sticks.
 */
int table_set_u64(struct table *t, size_t row, enum field_id field, __u64 value);
int table_set_f64(struct table *t, size_t row, enum field_id field, double value);
int table_set_bool(struct table *t, size_t row, enum field_id field, bool value);
int table_set_text(struct table *t, size_t row, enum field_id field, const char *value);
int table_set_textf(struct table *t, size_t row, enum field_id field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int table_set_time(struct table *t, size_t row, enum field_id field, __u64 unix_ms);
int table_set_list(struct table *t, size_t row, enum field_id field, const char *const *value, size_t count);
int table_add_list(struct table *t, size_t row, enum field_id field, const char *value); /* one more element */

/* Read one cell; false or NULL if it is unset. Texts are borrowed until the cell changes. */
bool table_get_u64(const struct table *t, size_t row, enum field_id field, __u64 *ret); /* U64, TIME */
bool table_get_f64(const struct table *t, size_t row, enum field_id field, double *ret);
bool table_get_bool(const struct table *t, size_t row, enum field_id field, bool *ret);
const char *table_get_text(const struct table *t, size_t row, enum field_id field);
const char *const *table_get_list(const struct table *t, size_t row, enum field_id field, size_t *ret_count);

/**
 * table_sort() - order rows by one field, unset ones last; stable
 * @descending:	largest first
 */
void table_sort(struct table *t, enum field_id field, bool descending);

/**
 * table_json() - {"kind":"vip","rows":[{...},...]}
 *
 * Every field is there, null if unset. Integers are in base units, durations are float
 * seconds, times RFC 3339 UTC.
 * Return: a new reference, or NULL without memory.
 */
json_t *table_json(const struct table *t);
json_t *table_row_json(const struct table *t, size_t row); /* one row's object */

/* The text of table_json(), without building all of it in memory: for long tables. */
void table_dump(const struct table *t, struct buf *out);

/**
 * table_parse() - the table that table_json() made this of
 * @json:	borrowed
 * @ret:	owned by the caller; untouched on failure
 *
 * Unknown keys are ignored (a newer daemon), missing ones are unset.
 * Return: 0, -ENOMEM, or -EINVAL with @err (unknown kind, value of the wrong type).
 */
int table_parse(const json_t *json, struct table **ret, struct err *err);

struct render_options {
	bool numeric; /* raw integers in base units, no rounding, times instead of ages */
	bool color;
	bool details; /* also the columns of PLACE_DETAIL */
	size_t width; /* columns of the terminal; 0: no limit */
	__u64 now_ms; /* Unix time, for ages; 0: print times */
};

/* Text for eyes; ends with a newline unless the table is empty. */
void table_plain(const struct table *t, const struct render_options *options, struct buf *out);

/* One row as one line or record, without a list's header: for streams. */
void table_plain_row(const struct table *t, size_t row, const struct render_options *options, struct buf *out);

/**
 * table_metrics() - the metric families of one table
 * @openmetrics: OpenMetrics 1.0, else Prometheus text 0.0.4
 *
 * A family belongs to one kind: render each kind once, then table_metrics_end(). Unset cells
 * have no sample.
 */
void table_metrics(const struct table *t, bool openmetrics, struct buf *out);
void table_metrics_end(bool openmetrics, struct buf *out);
const char *table_metrics_type(bool openmetrics); /* Content-Type */

/**
 * table_samples() - the same samples as rows of KIND_METRIC
 * @prefix:	only metrics whose name begins with it, with or without "starling_"; NULL: all
 * @metrics:	rows are appended
 */
int table_samples(const struct table *t, const char *prefix, struct table *metrics);

#endif
