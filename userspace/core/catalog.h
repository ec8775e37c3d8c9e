/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything starling shows, as one list: kinds of rows, their fields, and the metric
 * families made of them. Plain output, JSON, metrics and help are all rendered from it
 * (table.h). Not here: values, rendering.
 */
#ifndef STARLING_CORE_CATALOG_H
#define STARLING_CORE_CATALOG_H

#include <stddef.h>

#include "core/catalog_list.h"

enum table_kind {
#define CATALOG_KIND_ENUM(id, name, style, help) KIND_##id,
	STARLING_KINDS(CATALOG_KIND_ENUM)
#undef CATALOG_KIND_ENUM
		KIND_COUNT
};

/* How plain output looks. */
enum table_style {
	STYLE_RECORD,	/* a head line, then tab-indented "key value" pairs, two spaces between pairs */
	STYLE_LIST,	/* an aligned table, one line a row */
	STYLE_SENTENCE, /* a head line, the rest in brackets behind it */
};

enum field_type {
	TYPE_U64,
	TYPE_F64, /* finite; others count as unset */
	TYPE_BOOL,
	TYPE_TEXT, /* UTF-8 */
	TYPE_LIST, /* of texts */
	TYPE_TIME, /* milliseconds of Unix time; RFC 3339 UTC in JSON, seconds in metrics, an age for eyes */
};

enum field_unit {
	UNIT_NONE,     /* never rounded */
	UNIT_COUNT,    /* rounded for eyes from 100,000 */
	UNIT_BYTES,    /* rounded for eyes from 10,000 */
	UNIT_RATE,     /* per second; rounded for eyes from 10,000 */
	UNIT_SECONDS,  /* "42 s", "3d 2h" for eyes */
	UNIT_RATIO,    /* 0 to 1; percent for eyes */
	UNIT_ENDPOINT, /* "tcp/ADDR:PORT"; "tcp ADDR:PORT" for eyes */
	UNIT_STATE,    /* coloured by what it says */
};

enum field_place {
	PLACE_HEAD,
	PLACE_LINE1,
	PLACE_LINE2,
	PLACE_LINE3,
	PLACE_LINE4,
	PLACE_LINE5,
	PLACE_LINE6,
	PLACE_COLUMN,
	PLACE_NOTE,   /* behind a list's last column, without header */
	PLACE_DETAIL, /* shown plainly only if details are asked for; always in JSON */
};

enum metric_family {
	FAMILY_NONE,
#define CATALOG_FAMILY_ENUM(name, type, labels, help) FAMILY_##name,
	STARLING_FAMILIES(CATALOG_FAMILY_ENUM)
#undef CATALOG_FAMILY_ENUM
		FAMILY_COUNT
};

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM, /* fields with a label "le=", then those of "sum=" and of "count=", which is none */
	METRIC_INFO,	  /* value 1, the content is in the labels */
};

/* FIELD_VIP_name, FIELD_BACKEND_weight, ...: the fields of one kind are consecutive. */
enum field_id {
#define CATALOG_FIELD_ENUM(kind, key, type, unit, place, label, family, metric_label, help) FIELD_##kind##_##key,
	STARLING_FIELDS(CATALOG_FIELD_ENUM)
#undef CATALOG_FIELD_ENUM
		FIELD_COUNT
};

struct field {
	const char *key; /* in JSON; never renamed */
	enum table_kind kind;
	enum field_type type;
	enum field_unit unit;
	enum field_place place;
	const char *label;	   /* list: the header; record: the word before the value, or a text with % for it */
	enum metric_family family; /* FAMILY_NONE: not a metric */
	const char *metric_label;  /* "state=up": a label that only this field's series has; "" for none */
	const char *help;
};

struct kind {
	const char *name; /* "vip": in JSON */
	enum table_style style;
	const char *help;
	enum field_id first; /* and the following `count` */
	size_t count;
};

struct family {
	const char *name; /* with prefix, and _total if it is a counter */
	enum metric_type type;
	const char *labels; /* "label=key,label=key": labels and the fields they come from; "" for none */
	const char *help;
};

const struct field *catalog_field(enum field_id id);
const struct kind *catalog_kind(enum table_kind kind);
const struct family *catalog_family(enum metric_family family);

/* By name: FIELD_COUNT, KIND_COUNT if there is none. */
enum field_id catalog_field_find(enum table_kind kind, const char *key);
enum table_kind catalog_kind_find(const char *name);

#endif
