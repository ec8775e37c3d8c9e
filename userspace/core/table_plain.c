// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables for eyes: records, aligned lists, sentences. Not here: single values (eyes.c).
 */
#include <string.h>

#include "base/utf8.h"
#include "core/eyes.h"

#define UNSET "-" /* in a list's column */

/* Numbers stand at the right of their column. */
static bool column_right(const struct field *field)
{
	switch (field->type) {
	case TYPE_U64:
	case TYPE_F64:
	case TYPE_TIME:
		return true;
	case TYPE_BOOL:
	case TYPE_TEXT:
	case TYPE_LIST:
		return false;
	}
	return false;
}

static bool is_column(const struct field *field, const struct render_options *options)
{
	return field->place == PLACE_COLUMN || (field->place == PLACE_DETAIL && options->details);
}

/* A value with its colour; the text is what stands in @out from @begin. */
static void colored(const struct field *field, size_t begin, const struct render_options *options, struct buf *out)
{
	const char *color;
	struct buf text = BUF_INIT;

	if (!options->color || buf_error(out))
		return;
	color = eyes_color(field, out->text + begin);
	if (!*color)
		return;
	buf_puts(&text, out->text + begin);
	out->len = begin;
	buf_printf(out, "%s%s%s", color, buf_text(&text), EYES_COLOR_END);
	buf_free(&text);
}

/*
 * "label value", or the label with the value in place of its %. A label that begins with a
 * blank, comma or semicolon follows directly; any other after two spaces.
 */
static void pair(const struct table *t, size_t row, size_t column, size_t line_begin,
		 const struct render_options *options, struct buf *out)
{
	const struct field *field = table_field(t, column);
	const char *label = field->label, *percent = strchr(label, '%');
	size_t begin;

	if (out->len == line_begin)
		label += strspn(label, " ,;");
	else if (!strchr(" ,;", *label))
		buf_puts(out, "  ");
	buf_add(out, label, percent ? (size_t)(percent - label) : strlen(label));
	if (!percent)
		buf_putc(out, ' ');
	begin = out->len;
	eyes_cell(field, table_cell(t, row, column), options, out);
	colored(field, begin, options, out);
	if (percent)
		buf_puts(out, percent + 1);
}

/* All set fields of one place, as pairs; nothing if none is set. */
static void pairs(const struct table *t, size_t row, enum field_place place, const struct render_options *options,
		  struct buf *out)
{
	size_t begin = out->len, i;

	for (i = 0; i < t->info->count; i++)
		if (table_field(t, i)->place == place && table_cell(t, row, i)->set)
			pair(t, row, i, begin, options, out);
}

static void record(const struct table *t, size_t row, const struct render_options *options, struct buf *out)
{
	int place;

	pairs(t, row, PLACE_HEAD, options, out);
	buf_putc(out, '\n');
	for (place = PLACE_LINE1; place <= PLACE_LINE6; place++) {
		size_t before = out->len;

		buf_putc(out, '\t');
		pairs(t, row, (enum field_place)place, options, out);
		if (out->len > before + 1)
			buf_putc(out, '\n');
		else
			out->len = before;
	}
	if (!buf_error(out))
		out->text[out->len] = '\0';
}

static void sentence(const struct table *t, size_t row, const struct render_options *options, struct buf *out)
{
	struct buf rest = BUF_INIT;
	size_t i;

	pairs(t, row, PLACE_HEAD, options, out);
	for (i = 0; i < t->info->count; i++) {
		enum field_place place = table_field(t, i)->place;

		if (table_cell(t, row, i)->set && (place == PLACE_LINE1 || (place == PLACE_DETAIL && options->details)))
			pair(t, row, i, 0, options, &rest);
	}
	if (rest.len)
		buf_printf(out, "  (%s)", buf_text(&rest));
	out->failed |= rest.failed;
	buf_free(&rest);
	buf_putc(out, '\n');
}

/* Cut what stands in @out from @begin to @width characters; escape sequences take no room. */
static void cut(size_t begin, size_t width, struct buf *out)
{
	size_t at = begin, used = 0, step;

	if (!width || buf_error(out))
		return;
	while (at < out->len && used < width) {
		if (out->text[at] == '\033') {
			at += strcspn(out->text + at, "m") + 1;
			continue;
		}
		step = utf8_next(out->text + at, out->len - at);
		at += step ? step : 1;
		used++;
	}
	if (at >= out->len)
		return;
	out->len = at;
	out->text[at] = '\0';
	if (memchr(out->text + begin, '\033', at - begin))
		buf_puts(out, EYES_COLOR_END);
}

static size_t cell_width(const struct table *t, size_t row, size_t column, const struct render_options *options,
			 struct buf *scratch)
{
	const struct table_cell *cell = table_cell(t, row, column);

	if (!cell->set)
		return strlen(UNSET);
	buf_clear(scratch);
	eyes_cell(table_field(t, column), cell, options, scratch);
	return utf8_count(buf_text(scratch), scratch->len);
}

static void list_cell(const struct table *t, size_t row, size_t column, size_t width, bool last,
		      const struct render_options *options, struct buf *out)
{
	const struct field *field = table_field(t, column);
	const struct table_cell *cell = table_cell(t, row, column);
	size_t begin, used;

	begin = out->len;
	if (cell->set)
		eyes_cell(field, cell, options, out);
	else
		buf_puts(out, UNSET);
	if (buf_error(out))
		return;
	used = utf8_count(out->text + begin, out->len - begin);
	if (column_right(field) && used < width) {
		/* Make room before it: append the blanks, then move the text behind them. */
		buf_fill(out, ' ', width - used);
		if (buf_error(out))
			return;
		memmove(out->text + begin + (width - used), out->text + begin, out->len - begin - (width - used));
		memset(out->text + begin, ' ', width - used);
		return;
	}
	if (cell->set)
		colored(field, begin, options, out);
	if (!last && used < width)
		buf_fill(out, ' ', width - used);
}

static void list_row(const struct table *t, size_t row, const size_t *width, const struct render_options *options,
		     struct buf *out)
{
	struct buf note = BUF_INIT;
	size_t begin = out->len, last = 0, i;

	pairs(t, row, PLACE_NOTE, options, &note);
	for (i = 0; i < t->info->count; i++)
		if (is_column(table_field(t, i), options))
			last = i;
	for (i = 0; i < t->info->count; i++) {
		if (!is_column(table_field(t, i), options))
			continue;
		if (out->len > begin)
			buf_puts(out, "  ");
		list_cell(t, row, i, width[i], i == last && !note.len, options, out);
	}
	if (note.len)
		buf_printf(out, "  %s", buf_text(&note));
	out->failed |= note.failed;
	buf_free(&note);
	cut(begin, options->width, out);
	buf_putc(out, '\n');
}

static void list_head(const struct table *t, const size_t *width, const struct render_options *options, struct buf *out)
{
	size_t begin = out->len, i;

	for (i = 0; i < t->info->count; i++) {
		const struct field *field = table_field(t, i);
		size_t len = strlen(field->label);

		if (!is_column(field, options))
			continue;
		if (out->len > begin)
			buf_puts(out, "  ");
		if (column_right(field))
			buf_fill(out, ' ', width[i] - len);
		buf_puts(out, field->label);
		if (!column_right(field))
			buf_fill(out, ' ', width[i] - len);
	}
	while (!buf_error(out) && out->len > begin && out->text[out->len - 1] == ' ')
		out->len--;
	cut(begin, options->width, out);
	buf_putc(out, '\n');
}

static void list_widths(const struct table *t, size_t rows, const struct render_options *options, size_t *ret_width)
{
	struct buf scratch = BUF_INIT;
	size_t row, i, width;

	for (i = 0; i < t->info->count; i++) {
		ret_width[i] = strlen(table_field(t, i)->label);
		if (!is_column(table_field(t, i), options))
			continue;
		for (row = 0; row < rows; row++) {
			width = cell_width(t, row, i, options, &scratch);
			if (width > ret_width[i])
				ret_width[i] = width;
		}
	}
	buf_free(&scratch);
}

void table_plain_row(const struct table *t, size_t row, const struct render_options *options, struct buf *out)
{
	size_t width[FIELD_COUNT];

	if (row >= t->rows)
		return;
	switch (t->info->style) {
	case STYLE_RECORD:
		record(t, row, options, out);
		break;
	case STYLE_SENTENCE:
		sentence(t, row, options, out);
		break;
	case STYLE_LIST:
		list_widths(t, 0, options, width);
		list_row(t, row, width, options, out);
		break;
	}
}

void table_plain(const struct table *t, const struct render_options *options, struct buf *out)
{
	size_t width[FIELD_COUNT], row;

	if (!t->rows)
		return;
	if (t->info->style == STYLE_LIST) {
		list_widths(t, t->rows, options, width);
		list_head(t, width, options, out);
	}
	for (row = 0; row < t->rows; row++) {
		if (t->info->style == STYLE_LIST)
			list_row(t, row, width, options, out);
		else
			table_plain_row(t, row, options, out);
	}
}
