// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Cells of tables: setting, reading, sorting. Not here: rendering (table_json, table_plain,
 * table_metrics).
 */
#include "core/table.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "core/table_cells.h"

#define CHUNK_BYTES 32768 /* texts of some hundred rows */
#define ROOM_FIRST  8

struct table_chunk {
	struct table_chunk *next;
	size_t used, room;
	_Alignas(8) char bytes[];
};

struct table *table_new(enum table_kind kind)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t) {
		t->kind = kind;
		t->info = catalog_kind(kind);
	}
	return t;
}

void table_free(struct table *t)
{
	struct table_chunk *chunk;

	if (!t)
		return;
	while ((chunk = t->chunk)) {
		t->chunk = chunk->next;
		free(chunk);
	}
	free(t->cell);
	free(t);
}

enum table_kind table_kind(const struct table *t)
{
	return t->kind;
}

size_t table_rows(const struct table *t)
{
	return t->rows;
}

int table_error(const struct table *t)
{
	return t->error;
}

static int table_fail(struct table *t, int code)
{
	if (!t->error)
		t->error = code;
	return code;
}

size_t table_row(struct table *t)
{
	size_t room, bytes;
	struct table_cell *cell;

	if (t->error)
		return 0;
	if (t->rows == t->room) {
		room = t->room ? t->room * 2 : ROOM_FIRST;
		if (__builtin_mul_overflow(room, t->info->count * sizeof(*cell), &bytes) ||
		    !(cell = realloc(t->cell, bytes))) {
			table_fail(t, -ENOMEM);
			return 0;
		}
		t->cell = cell;
		t->room = room;
	}
	memset(&t->cell[t->rows * t->info->count], 0, t->info->count * sizeof(*cell));
	return t->rows++;
}

/* Memory that lives as long as the table. */
static void *table_alloc(struct table *t, size_t len)
{
	struct table_chunk *chunk = t->chunk;
	size_t need, room;
	void *memory;

	if (len > SIZE_MAX / 2)
		return NULL;
	need = (len + 7) & ~(size_t)7;
	if (!chunk || chunk->room - chunk->used < need) {
		room = need > CHUNK_BYTES ? need : CHUNK_BYTES;
		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->next = t->chunk;
		chunk->used = 0;
		chunk->room = room;
		t->chunk = chunk;
	}
	memory = chunk->bytes + chunk->used;
	chunk->used += need;
	return memory;
}

/* A copy of a text in which everything is UTF-8. */
static const char *table_copy(struct table *t, const char *text)
{
	size_t len = strlen(text), at = 0, step;
	char *copy = table_alloc(t, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len + 1);
	while (at < len) {
		step = utf8_next(copy + at, len - at);
		if (!step) {
			copy[at] = '?';
			step = 1;
		}
		at += step;
	}
	return copy;
}

/* The cell to be written, or NULL: no such row, another kind's field, or not of one of two types. */
static struct table_cell *table_at(struct table *t, size_t row, enum field_id id, enum field_type type)
{
	const struct field *field = catalog_field(id);

	if (t->error)
		return NULL;
	if (field->kind != t->kind || row >= t->rows || field->type != type) {
		table_fail(t, -EINVAL);
		return NULL;
	}
	return &t->cell[row * t->info->count + (size_t)(id - t->info->first)];
}

int table_set_u64(struct table *t, size_t row, enum field_id field, __u64 value)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_U64);

	if (!cell)
		return t->error;
	cell->number = value;
	cell->set = true;
	return 0;
}

int table_set_f64(struct table *t, size_t row, enum field_id field, double value)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_F64);
	char text[40];

	if (!cell)
		return t->error;
	cell->set = isfinite(value);
	if (!cell->set)
		return 0;
	/* What is kept is what is printed: 15 digits go through decimal text and back unchanged. */
	snprintf(text, sizeof(text), "%.15g", value);
	cell->real = strtod(text, NULL);
	if (cell->real == 0)
		cell->real = 0; /* no -0 */
	return 0;
}

int table_set_bool(struct table *t, size_t row, enum field_id field, bool value)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_BOOL);

	if (!cell)
		return t->error;
	cell->truth = value;
	cell->set = true;
	return 0;
}

int table_set_text(struct table *t, size_t row, enum field_id field, const char *value)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_TEXT);
	const char *copy = NULL;

	if (!cell)
		return t->error;
	if (value && !(copy = table_copy(t, value)))
		return table_fail(t, -ENOMEM);
	cell->text = copy;
	cell->set = !!copy;
	return 0;
}

int table_set_textf(struct table *t, size_t row, enum field_id field, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	int r;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	r = buf_error(&b) ? table_fail(t, -ENOMEM) : table_set_text(t, row, field, buf_text(&b));
	buf_free(&b);
	return r;
}

int table_set_time(struct table *t, size_t row, enum field_id field, __u64 unix_ms)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_TIME);

	if (!cell)
		return t->error;
	cell->number = unix_ms;
	cell->set = true;
	return 0;
}

int table_set_list(struct table *t, size_t row, enum field_id field, const char *const *value, size_t count)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_LIST);
	struct table_list *list;
	size_t i;

	if (!cell)
		return t->error;
	cell->set = false;
	if (!value)
		return 0;
	if (count > SIZE_MAX / 32 || !(list = table_alloc(t, sizeof(*list) + count * sizeof(list->item[0]))))
		return table_fail(t, -ENOMEM);
	for (i = 0; i < count; i++)
		if (!(list->item[i] = table_copy(t, value[i])))
			return table_fail(t, -ENOMEM);
	list->count = count;
	cell->list = list;
	cell->set = true;
	return 0;
}

int table_add_list(struct table *t, size_t row, enum field_id field, const char *value)
{
	struct table_cell *cell = table_at(t, row, field, TYPE_LIST);
	size_t count;
	struct table_list *list;

	if (!cell)
		return t->error;
	count = cell->set ? cell->list->count : 0;
	list = table_alloc(t, sizeof(*list) + (count + 1) * sizeof(list->item[0]));
	if (!list)
		return table_fail(t, -ENOMEM);
	if (count)
		memcpy(list->item, cell->list->item, count * sizeof(list->item[0]));
	list->item[count] = table_copy(t, value);
	if (!list->item[count])
		return table_fail(t, -ENOMEM);
	list->count = count + 1;
	cell->list = list;
	cell->set = true;
	return 0;
}

/* The cell to be read, or NULL if it is unset or there is none. */
static const struct table_cell *table_read(const struct table *t, size_t row, enum field_id id, enum field_type type)
{
	const struct field *field = catalog_field(id);
	const struct table_cell *cell;

	if (field->kind != t->kind || row >= t->rows || field->type != type)
		return NULL;
	cell = table_cell(t, row, (size_t)(id - t->info->first));
	return cell->set ? cell : NULL;
}

bool table_get_u64(const struct table *t, size_t row, enum field_id field, __u64 *ret)
{
	const struct table_cell *cell =
		table_read(t, row, field, catalog_field(field)->type == TYPE_TIME ? TYPE_TIME : TYPE_U64);

	if (cell)
		*ret = cell->number;
	return !!cell;
}

bool table_get_f64(const struct table *t, size_t row, enum field_id field, double *ret)
{
	const struct table_cell *cell = table_read(t, row, field, TYPE_F64);

	if (cell)
		*ret = cell->real;
	return !!cell;
}

bool table_get_bool(const struct table *t, size_t row, enum field_id field, bool *ret)
{
	const struct table_cell *cell = table_read(t, row, field, TYPE_BOOL);

	if (cell)
		*ret = cell->truth;
	return !!cell;
}

const char *table_get_text(const struct table *t, size_t row, enum field_id field)
{
	const struct table_cell *cell = table_read(t, row, field, TYPE_TEXT);

	return cell ? cell->text : NULL;
}

const char *const *table_get_list(const struct table *t, size_t row, enum field_id field, size_t *ret_count)
{
	const struct table_cell *cell = table_read(t, row, field, TYPE_LIST);

	if (!cell)
		return NULL;
	*ret_count = cell->list->count;
	return cell->list->item;
}
