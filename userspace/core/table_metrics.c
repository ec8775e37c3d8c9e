// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables as metrics: Prometheus text format 0.0.4, OpenMetrics 1.0, and rows of KIND_METRIC.
 * Not here: which families there are (catalog_list.h), HTTP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/table_cells.h"

#define LABELS_MAX	  6 /* of one family, with the field's own */
#define LABEL_NAME_BYTES  32
#define LABEL_VALUE_BYTES 512 /* longer texts are cut: labels are names, not prose */
#define VALUE_BYTES	  40

struct label {
	char name[LABEL_NAME_BYTES];
	char value[LABEL_VALUE_BYTES];
};

struct sample {
	const struct family *family;
	const char *suffix; /* of its name, in a histogram */
	size_t label_count;
	struct label label[LABELS_MAX];
	char value[VALUE_BYTES];
};

typedef void sample_fn(void *arg, const struct sample *sample);

static void label_add(struct sample *s, const char *name, size_t name_len, const char *value)
{
	struct label *label = &s->label[s->label_count];

	if (s->label_count == LABELS_MAX || !*value)
		return;
	snprintf(label->name, sizeof(label->name), "%.*s", (int)name_len, name);
	snprintf(label->value, sizeof(label->value), "%s", value);
	s->label_count++;
}

/* The labels that the family takes from other fields of the row: "label=key,label=key". */
static void labels_of_row(const struct table *t, size_t row, struct sample *s)
{
	const char *at = s->family->labels;

	while (*at) {
		size_t name_len = strcspn(at, "="), key_len = strcspn(at + name_len + 1, ",");
		char key[LABEL_NAME_BYTES], number[VALUE_BYTES];
		enum field_id id;
		__u64 value;

		snprintf(key, sizeof(key), "%.*s", (int)key_len, at + name_len + 1);
		id = catalog_field_find(t->kind, key);
		if (id != FIELD_COUNT && table_get_text(t, row, id)) {
			label_add(s, at, name_len, table_get_text(t, row, id));
		} else if (id != FIELD_COUNT && table_get_u64(t, row, id, &value)) {
			snprintf(number, sizeof(number), "%llu", (unsigned long long)value);
			label_add(s, at, name_len, number);
		}
		at += name_len + 1 + key_len;
		at += *at == ',';
	}
}

/* "tcp/203.0.113.10:443" to address, port and proto. */
static void labels_of_endpoint(const char *text, struct sample *s)
{
	const char *slash = strchr(text, '/'), *host = slash ? slash + 1 : text, *colon = strrchr(host, ':');
	char piece[LABEL_VALUE_BYTES];
	size_t len = colon ? (size_t)(colon - host) : strlen(host);

	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	snprintf(piece, sizeof(piece), "%.*s", (int)len, host);
	label_add(s, "address", 7, piece);
	label_add(s, "port", 4, colon ? colon + 1 : "");
	snprintf(piece, sizeof(piece), "%.*s", slash ? (int)(slash - text) : 0, text);
	label_add(s, "proto", 5, piece);
}

static void value_format(const struct field *field, const struct table_cell *cell, char value[VALUE_BYTES])
{
	switch (field->type) {
	case TYPE_U64:
		snprintf(value, VALUE_BYTES, "%llu", (unsigned long long)cell->number);
		break;
	case TYPE_F64:
		snprintf(value, VALUE_BYTES, "%.15g", cell->real);
		break;
	case TYPE_BOOL:
		snprintf(value, VALUE_BYTES, "%d", cell->truth);
		break;
	case TYPE_TIME:
		snprintf(value, VALUE_BYTES, "%llu.%03u", (unsigned long long)(cell->number / 1000),
			 (unsigned int)(cell->number % 1000));
		break;
	case TYPE_TEXT:
	case TYPE_LIST:
		snprintf(value, VALUE_BYTES, "1");
		break;
	}
}

static const char *suffix_of(const struct family *family, const struct field *field)
{
	if (family->type != METRIC_HISTOGRAM)
		return "";
	return !strncmp(field->metric_label, "le=", 3) ? "_bucket" : *field->metric_label == 's' ? "_sum" : "_count";
}

/* The samples of one cell: one, or for an info family one an element of its list. */
static void cell_samples(const struct table *t, size_t row, size_t column, sample_fn *fn, void *arg)
{
	const struct field *field = table_field(t, column);
	const struct table_cell *cell = table_cell(t, row, column);
	struct sample s;
	size_t i, own;

	if (!cell->set)
		return;
	s.family = catalog_family(field->family);
	s.suffix = suffix_of(s.family, field);
	s.label_count = 0;
	labels_of_row(t, row, &s);
	if (*field->metric_label) {
		size_t len = strcspn(field->metric_label, "=");

		label_add(&s, field->metric_label, len, field->metric_label + len + 1);
	}
	if (s.family->type == METRIC_INFO)
		snprintf(s.value, sizeof(s.value), "1");
	else
		value_format(field, cell, s.value);
	if (field->type != TYPE_LIST) {
		fn(arg, &s);
		return;
	}
	own = s.label_count;
	for (i = 0; i < cell->list->count; i++) {
		s.label_count = own;
		labels_of_endpoint(cell->list->item[i], &s);
		fn(arg, &s);
	}
}

/* Calls @fn for every sample of one family; samples of a family must stand together. */
static void family_samples(const struct table *t, enum metric_family family, sample_fn *fn, void *arg)
{
	size_t row, i;

	for (row = 0; row < t->rows; row++)
		for (i = 0; i < t->info->count; i++)
			if (table_field(t, i)->family == family)
				cell_samples(t, row, i, fn, arg);
}

static bool family_in_use(const struct table *t, enum metric_family family)
{
	size_t row, i;

	for (i = 0; i < t->info->count; i++)
		for (row = 0; table_field(t, i)->family == family && row < t->rows; row++)
			if (table_cell(t, row, i)->set)
				return true;
	return false;
}

static void escaped(const char *text, bool quotes, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '\\' || (quotes && *text == '"'))
			buf_putc(out, '\\');
		if (*text == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, *text);
	}
}

static void sample_print(void *arg, const struct sample *s)
{
	struct buf *out = arg;
	size_t i;

	buf_printf(out, "%s%s", s->family->name, s->suffix);
	for (i = 0; i < s->label_count; i++) {
		buf_puts(out, i ? "," : "{");
		buf_puts(out, s->label[i].name);
		buf_puts(out, "=\"");
		escaped(s->label[i].value, true, out);
		buf_putc(out, '"');
	}
	buf_puts(out, s->label_count ? "} " : " ");
	buf_puts(out, s->value);
	buf_putc(out, '\n');
}

/* OpenMetrics names a family without the suffix of its samples. */
static void family_head(const struct family *family, bool openmetrics, struct buf *out)
{
	static const char *const types[] = {[METRIC_COUNTER] = "counter",
					    [METRIC_GAUGE] = "gauge",
					    [METRIC_HISTOGRAM] = "histogram",
					    [METRIC_INFO] = "info"};
	static const char *const suffixes[] = {
		[METRIC_COUNTER] = "_total", [METRIC_GAUGE] = "", [METRIC_HISTOGRAM] = "", [METRIC_INFO] = "_info"};
	const char *type = types[family->type];
	size_t len = strlen(family->name);

	if (openmetrics)
		len -= strlen(suffixes[family->type]);
	else if (family->type == METRIC_INFO)
		type = types[METRIC_GAUGE];
	buf_printf(out, "# HELP %.*s ", (int)len, family->name);
	escaped(family->help, openmetrics, out);
	buf_printf(out, "\n# TYPE %.*s %s\n", (int)len, family->name, type);
}

void table_metrics(const struct table *t, bool openmetrics, struct buf *out)
{
	int f;

	for (f = FAMILY_NONE + 1; f < FAMILY_COUNT; f++) {
		if (!family_in_use(t, (enum metric_family)f))
			continue;
		family_head(catalog_family((enum metric_family)f), openmetrics, out);
		family_samples(t, (enum metric_family)f, sample_print, out);
	}
}

void table_metrics_end(bool openmetrics, struct buf *out)
{
	if (openmetrics)
		buf_puts(out, "# EOF\n");
}

const char *table_metrics_type(bool openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8";
}

static void sample_row(void *arg, const struct sample *s)
{
	struct table *metrics = arg;
	char text[LABEL_NAME_BYTES + LABEL_VALUE_BYTES];
	size_t row = table_row(metrics), i;

	table_set_textf(metrics, row, FIELD_METRIC_name, "%s%s", s->family->name, s->suffix);
	table_set_list(metrics, row, FIELD_METRIC_labels, (const char *const[]){""}, 0);
	for (i = 0; i < s->label_count; i++) {
		snprintf(text, sizeof(text), "%s=%s", s->label[i].name, s->label[i].value);
		table_add_list(metrics, row, FIELD_METRIC_labels, text);
	}
	table_set_f64(metrics, row, FIELD_METRIC_value, strtod(s->value, NULL));
}

int table_samples(const struct table *t, const char *prefix, struct table *metrics)
{
	static const char ours[] = "starling_";
	int f;

	for (f = FAMILY_NONE + 1; f < FAMILY_COUNT; f++) {
		const char *name = catalog_family((enum metric_family)f)->name;
		size_t len = prefix ? strlen(prefix) : 0;

		if (len && strncmp(name, prefix, len) &&
		    (strncmp(name, ours, strlen(ours)) || strncmp(name + strlen(ours), prefix, len)))
			continue;
		family_samples(t, (enum metric_family)f, sample_row, metrics);
	}
	return table_error(metrics);
}
