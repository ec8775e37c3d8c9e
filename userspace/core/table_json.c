// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables as JSON and back. Not here: cells (table.c), other renderings.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/rfc3339.h"
#include "core/table_cells.h"

#define DUMP_FLAGS (JSON_COMPACT | TABLE_JSON_FLAGS)

static json_t *list_json(const struct table_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < list->count; i++) {
		if (json_array_append_new(array, json_string(list->item[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *cell_json(enum field_type type, const struct table_cell *cell)
{
	char text[RFC3339_TEXT_BYTES];

	if (!cell->set)
		return json_null();
	switch (type) {
	case TYPE_U64:
		return json_integer(cell->number > INT64_MAX ? INT64_MAX : (json_int_t)cell->number);
	case TYPE_F64:
		return json_real(cell->real);
	case TYPE_BOOL:
		return json_boolean(cell->truth);
	case TYPE_TEXT:
		return json_string(cell->text);
	case TYPE_LIST:
		return list_json(cell->list);
	case TYPE_TIME:
		return json_string(rfc3339_format(cell->number, text));
	}
	return NULL;
}

json_t *table_row_json(const struct table *t, size_t row)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; object && i < t->info->count; i++) {
		const struct field *field = table_field(t, i);

		if (json_object_set_new_nocheck(object, field->key, cell_json(field->type, table_cell(t, row, i)))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *table_json(const struct table *t)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; rows && i < t->rows; i++) {
		if (json_array_append_new(rows, table_row_json(t, i))) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows ? json_pack("{s:s, s:o}", "kind", t->info->name, "rows", rows) : NULL;
}

static int dump_piece(const char *text, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_add(out, text, len);
	return buf_error(out);
}

void table_dump(const struct table *t, struct buf *out)
{
	size_t i;

	buf_printf(out, "{\"kind\":\"%s\",\"rows\":[", t->info->name);
	for (i = 0; i < t->rows && !buf_error(out); i++) {
		json_t *row = table_row_json(t, i);

		if (i)
			buf_putc(out, ',');
		if (!row || json_dump_callback(row, dump_piece, out, DUMP_FLAGS))
			out->failed = true;
		json_decref(row);
	}
	buf_puts(out, "]}");
}

/* A list's cell from JSON; -EINVAL if it is no array of strings. */
static int list_parse(struct table *t, size_t row, enum field_id id, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return -EINVAL;
	table_set_list(t, row, id, (const char *const[]){""}, 0);
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return -EINVAL;
		if (table_add_list(t, row, id, json_string_value(item)))
			return t->error;
	}
	return t->error;
}

static int cell_parse(struct table *t, size_t row, enum field_id id, const json_t *value)
{
	__u64 unix_ms;

	switch (catalog_field(id)->type) {
	case TYPE_U64:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return -EINVAL;
		return table_set_u64(t, row, id, (__u64)json_integer_value(value));
	case TYPE_F64:
		return json_is_number(value) ? table_set_f64(t, row, id, json_number_value(value)) : -EINVAL;
	case TYPE_BOOL:
		return json_is_boolean(value) ? table_set_bool(t, row, id, json_is_true(value)) : -EINVAL;
	case TYPE_TEXT:
		return json_is_string(value) ? table_set_text(t, row, id, json_string_value(value)) : -EINVAL;
	case TYPE_LIST:
		return list_parse(t, row, id, value);
	case TYPE_TIME:
		if (!json_is_string(value) || rfc3339_parse(json_string_value(value), &unix_ms))
			return -EINVAL;
		return table_set_time(t, row, id, unix_ms);
	}
	return -EINVAL;
}

static int row_parse(struct table *t, const json_t *object, struct err *err)
{
	size_t row = table_row(t), i;
	int r;

	if (!json_is_object(object))
		return err_set(err, EINVAL, "row %zu of %s is no object", row + 1, t->info->name);
	for (i = 0; i < t->info->count; i++) {
		const struct field *field = table_field(t, i);
		const json_t *value = json_object_get(object, field->key);

		if (!value || json_is_null(value))
			continue;
		r = cell_parse(t, row, (enum field_id)((size_t)t->info->first + i), value);
		if (r == -EINVAL)
			return err_set(err, EINVAL, "row %zu of %s has a value in \"%s\" that does not belong there",
				       row + 1, t->info->name, field->key);
		if (r)
			return err_set(err, ENOMEM, "no memory for a table of %s", t->info->name);
	}
	return 0;
}

int table_parse(const json_t *json, struct table **ret, struct err *err)
{
	const char *name = json_string_value(json_object_get(json, "kind"));
	const json_t *rows = json_object_get(json, "rows"), *object;
	enum table_kind kind = name ? catalog_kind_find(name) : KIND_COUNT;
	struct table *t;
	size_t i;
	int r = 0;

	if (kind == KIND_COUNT)
		return err_set(err, EINVAL, "rows of an unknown kind \"%s\"", name ? name : "");
	if (!json_is_array(rows))
		return err_set(err, EINVAL, "an answer about %s without rows", name);
	t = table_new(kind);
	if (!t)
		return err_set(err, ENOMEM, "no memory for a table of %s", name);
	json_array_foreach(rows, i, object)
	{
		r = row_parse(t, object, err);
		if (r)
			break;
	}
	if (!r && table_error(t))
		r = err_set(err, ENOMEM, "no memory for a table of %s", name);
	if (r)
		table_free(t);
	else
		*ret = t;
	return r;
}
