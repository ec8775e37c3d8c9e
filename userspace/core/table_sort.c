// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Order of a table's rows. Not here: cells (table.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/table_cells.h"

struct sort_key {
	const struct table_cell *cell;
	size_t row;
	enum field_type type;
	bool descending;
};

static int cells_compare(const struct table_cell *a, const struct table_cell *b, enum field_type type)
{
	switch (type) {
	case TYPE_U64:
	case TYPE_TIME:
		return a->number < b->number ? -1 : a->number > b->number;
	case TYPE_F64:
		return a->real < b->real ? -1 : a->real > b->real;
	case TYPE_BOOL:
		return (int)a->truth - (int)b->truth;
	case TYPE_TEXT:
		return strcmp(a->text, b->text);
	case TYPE_LIST:
		return a->list->count < b->list->count ? -1 : a->list->count > b->list->count;
	}
	return 0;
}

static int keys_compare(const void *left, const void *right)
{
	const struct sort_key *a = left, *b = right;
	int order;

	if (a->cell->set != b->cell->set)
		return a->cell->set ? -1 : 1;
	order = a->cell->set ? cells_compare(a->cell, b->cell, a->type) : 0;
	if (order)
		return a->descending ? -order : order;
	return a->row < b->row ? -1 : a->row > b->row;
}

void table_sort(struct table *t, enum field_id field, bool descending)
{
	size_t column = (size_t)(field - t->info->first), count = t->info->count, i;
	struct sort_key *key;
	struct table_cell *cell;

	if (t->error || t->rows < 2 || catalog_field(field)->kind != t->kind)
		return;
	key = calloc(t->rows, sizeof(*key));
	cell = calloc(t->room * count, sizeof(*cell));
	if (!key || !cell) {
		t->error = -ENOMEM;
		goto out;
	}
	for (i = 0; i < t->rows; i++)
		key[i] = (struct sort_key){table_cell(t, i, column), i, catalog_field(field)->type, descending};
	qsort(key, t->rows, sizeof(*key), keys_compare);
	for (i = 0; i < t->rows; i++)
		memcpy(&cell[i * count], &t->cell[key[i].row * count], count * sizeof(*cell));
	free(t->cell);
	t->cell = cell;
	cell = NULL;
out:
	free(key);
	free(cell);
}
