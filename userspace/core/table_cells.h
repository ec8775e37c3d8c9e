/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a table keeps its cells: for table*.c alone. Not here: what others may call (table.h).
 */
#ifndef STARLING_CORE_TABLE_CELLS_H
#define STARLING_CORE_TABLE_CELLS_H

#include "core/table.h"

struct table_list {
	size_t count;
	const char *item[];
};

struct table_cell {
	bool set;
	union {
		__u64 number; /* U64, and TIME in milliseconds */
		double real;
		bool truth;
		const char *text;
		const struct table_list *list;
	};
};

struct table_chunk; /* of memory for texts and lists */

struct table {
	enum table_kind kind;
	const struct kind *info;
	size_t rows, room;	   /* rows in use, rows allocated */
	struct table_cell *cell;   /* owned; rows x info->count */
	struct table_chunk *chunk; /* owned; texts live as long as the table */
	int error;
};

/* Cell number @column of a row; column 0 is the kind's first field. */
static inline const struct table_cell *table_cell(const struct table *t, size_t row, size_t column)
{
	return &t->cell[row * t->info->count + column];
}

static inline const struct field *table_field(const struct table *t, size_t column)
{
	return catalog_field((enum field_id)((size_t)t->info->first + column));
}

#endif
