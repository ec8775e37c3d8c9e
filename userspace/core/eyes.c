// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Single values for eyes. Not here: rows (table_plain).
 */
#include "core/eyes.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"

#define ROUND_COUNT_FROM 100000.0
#define ROUND_RATE_FROM	 10000.0

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

/* Words of UNIT_STATE that deserve a colour; a bool is its word. */
static const struct {
	const char *word;
	const char *color;
} colors[] = {
	{"up", GREEN},	      {"ok", GREEN},	 {"yes", GREEN},   {"+", GREEN},	{"draining", YELLOW},
	{"degraded", YELLOW}, {"split", YELLOW}, {"warm", YELLOW}, {"pinned", YELLOW},	{"warning", YELLOW},
	{"disabled", YELLOW}, {"~", YELLOW},	 {"down", RED},	   {"unresolved", RED}, {"missing", RED},
	{"no", RED},	      {"-", RED},	 {"failed", RED},  {"filling", YELLOW}, {"held", YELLOW},
	{"standby", YELLOW},  {"sorry", RED},
};

const char *eyes_color(const struct field *field, const char *text)
{
	size_t i;

	for (i = 0; field->unit == UNIT_STATE && i < sizeof(colors) / sizeof(colors[0]); i++)
		if (!strcmp(colors[i].word, text))
			return colors[i].color;
	return "";
}

void eyes_number(double value, double from, struct buf *out)
{
	static const char units[] = "kMGTPE";
	size_t unit = 0;

	if (value < from) {
		if (value < 10 && value * 10 > (double)(int)value * 10)
			buf_printf(out, "%.1f", value);
		else
			buf_printf(out, "%.0f", value);
		return;
	}
	value /= 1000;
	while (value >= 999.5 && units[unit + 1]) {
		value /= 1000;
		unit++;
	}
	buf_printf(out, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

/* Two units at most, the second only if it is not 0. */
static void eyes_units(unsigned long long value, unsigned int per, char big, char small, struct buf *out)
{
	if (value % per)
		buf_printf(out, "%llu%c %llu%c", value / per, big, value % per, small);
	else
		buf_printf(out, "%llu %c", value / per, big);
}

void eyes_seconds(double seconds, struct buf *out)
{
	unsigned long long whole;

	if (seconds < 0) {
		buf_putc(out, '-');
		seconds = -seconds;
	}
	/* 300 million years, so that the conversion below is defined. */
	whole = seconds < 1e16 ? (unsigned long long)seconds : 10000000000000000ULL;
	if (seconds == 0)
		buf_puts(out, "0 s");
	else if (seconds < 0.001)
		buf_printf(out, "%.3g us", seconds * 1e6);
	else if (seconds < 1)
		buf_printf(out, "%.3g ms", seconds * 1e3);
	else if (seconds < 10)
		buf_printf(out, "%.2g s", seconds);
	else if (whole < 60)
		buf_printf(out, "%llu s", whole);
	else if (whole < 3600)
		eyes_units(whole, 60, 'm', 's', out);
	else if (whole < 86400)
		eyes_units(whole / 60, 60, 'h', 'm', out);
	else
		eyes_units(whole / 3600, 24, 'd', 'h', out);
}

/* A text that cannot drive a terminal. */
static void eyes_text(const char *text, struct buf *out)
{
	for (; *text; text++)
		buf_putc(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void eyes_f64(const struct field *field, double value, bool numeric, struct buf *out)
{
	if (numeric || field->unit == UNIT_NONE)
		buf_printf(out, "%.15g", value);
	else if (field->unit == UNIT_SECONDS)
		eyes_seconds(value, out);
	else if (field->unit == UNIT_RATIO)
		buf_printf(out, "%.1f%%", value * 100);
	else
		eyes_number(value, ROUND_RATE_FROM, out);
}

static void eyes_u64(const struct field *field, __u64 value, bool numeric, struct buf *out)
{
	if (!numeric && field->unit == UNIT_COUNT && value >= (__u64)ROUND_COUNT_FROM)
		eyes_number((double)value, ROUND_COUNT_FROM, out);
	else if (!numeric && field->unit == UNIT_BYTES && value >= (__u64)ROUND_RATE_FROM)
		eyes_number((double)value, ROUND_RATE_FROM, out);
	else
		buf_printf(out, "%llu", (unsigned long long)value);
}

static void eyes_list(const struct field *field, const struct table_list *list, const struct render_options *options,
		      struct buf *out)
{
	enum table_style style = catalog_kind(field->kind)->style;
	const char *slash;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const char *item = list->item[i];

		if (i)
			buf_puts(out, field->unit == UNIT_ENDPOINT ? "  "
				      : style == STYLE_LIST	   ? ","
				      : style == STYLE_SENTENCE	   ? " "
								   : "; ");
		slash = field->unit == UNIT_ENDPOINT && !options->numeric ? strchr(item, '/') : NULL;
		if (slash) {
			buf_add(out, item, (size_t)(slash - item));
			buf_putc(out, ' ');
			item = slash + 1;
		}
		eyes_text(item, out);
	}
}

static void eyes_time(__u64 unix_ms, const struct render_options *options, struct buf *out)
{
	char text[RFC3339_TEXT_BYTES];
	__u64 now = options->now_ms;

	if (options->numeric || !now)
		buf_puts(out, rfc3339_format(unix_ms, text));
	else if (unix_ms > now)
		eyes_seconds((double)((unix_ms - now) / 1000), out);
	else
		eyes_seconds((double)((now - unix_ms) / 1000), out);
}

void eyes_cell(const struct field *field, const struct table_cell *cell, const struct render_options *options,
	       struct buf *out)
{
	switch (field->type) {
	case TYPE_U64:
		eyes_u64(field, cell->number, options->numeric, out);
		break;
	case TYPE_F64:
		eyes_f64(field, cell->real, options->numeric, out);
		break;
	case TYPE_BOOL:
		buf_puts(out, cell->truth ? "yes" : "no");
		break;
	case TYPE_TEXT:
		eyes_text(cell->text, out);
		break;
	case TYPE_LIST:
		eyes_list(field, cell->list, options, out);
		break;
	case TYPE_TIME:
		eyes_time(cell->number, options, out);
		break;
	}
}
