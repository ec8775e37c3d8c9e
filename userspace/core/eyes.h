/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Single values for eyes: rounded numbers, ages, colours. Not here: rows (table_plain).
 */
#ifndef STARLING_CORE_EYES_H
#define STARLING_CORE_EYES_H

#include "core/table_cells.h"

/**
 * eyes_cell() - one cell as text
 * @field:	what it is
 * @cell:	set
 * @options:	numeric: raw, in base units
 * @out:	appended; control characters become '?'
 */
void eyes_cell(const struct field *field, const struct table_cell *cell, const struct render_options *options,
	       struct buf *out);

/* "18.4M": three digits at least, as many as carry meaning; exact below @from. */
void eyes_number(double value, double from, struct buf *out);

/* "42 s", "1m 30s", "3d 2h", "4 ms" */
void eyes_seconds(double seconds, struct buf *out);

/* Escape sequence for a state's word, or "" for words without a colour; "\033[0m" ends it. */
const char *eyes_color(const struct field *field, const char *text);
#define EYES_COLOR_END "\033[0m"

#endif
