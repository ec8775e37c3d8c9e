// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Errors as text with a caret, and lists of them. Not here: making errors (err.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

#define INDENT "    "

/* Blanks up to the column; tabs stay tabs, so that the caret is under its character. */
static void caret_print(const struct err *err, struct buf *out)
{
	size_t before = (size_t)err->column - 1, at = 0, step;

	buf_puts(out, INDENT);
	while (at < before) {
		buf_putc(out, err->source[at] == '\t' ? '\t' : ' ');
		step = utf8_next(err->source + at, before - at);
		at += step ? step : 1;
	}
	buf_puts(out, "^\n");
}

void err_print(const struct err *err, struct buf *out)
{
	if (*err->file)
		buf_printf(out, "%s:", err->file);
	if (err->line)
		buf_printf(out, "%d:%d:", err->line, err->column);
	buf_printf(out, "%s%s\n", *err->file || err->line ? " " : "", err->text);
	if (!err->line || !*err->source)
		return;
	buf_printf(out, INDENT "%s\n", err->source);
	/* A long line is kept cut; a column behind the cut has no caret. */
	if (err->column > 0 && (size_t)err->column - 1 <= strlen(err->source))
		caret_print(err, out);
}

void err_list_add(struct err_list *list, const struct err *err)
{
	struct err *grown;

	if (list->count == ERR_LIST_MAX) {
		list->more++;
		return;
	}
	/* Room doubles, so it follows from the count. */
	if (!(list->count & (list->count - 1))) {
		grown = realloc(list->err, (list->count ? list->count * 2 : 1) * sizeof(*grown));
		if (!grown) {
			list->more++;
			return;
		}
		list->err = grown;
	}
	list->err[list->count++] = *err;
}

static int place_compare(const void *left, const void *right)
{
	const struct err *a = left, *b = right;

	return a->line != b->line ? a->line - b->line : a->column - b->column;
}

void err_list_sort(struct err_list *list)
{
	if (list->count)
		qsort(list->err, list->count, sizeof(*list->err), place_compare);
}

void err_list_print(const struct err_list *list, struct buf *out)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		err_print(&list->err[i], out);
	if (list->more)
		buf_printf(out, "and %zu more\n", list->more);
}

void err_list_free(struct err_list *list)
{
	free(list->err);
	*list = (struct err_list){0};
}
