// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rows of KIND_CHANGE. Not here: what is in them.
 */
#include "core/change_rows.h"

#include "core/aside.h"

void change_row(void *table, char change, const char *object, const char *name, const char *line)
{
	struct table *t = table;
	char sign[2] = {change, '\0'};
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_CHANGE_change, sign);
	table_set_text(t, row, FIELD_CHANGE_object, object);
	table_set_text(t, row, FIELD_CHANGE_name, name);
	table_set_text(t, row, FIELD_CHANGE_line, line);
}

void change_row_override(struct table *t, const char *verb, const char *vip, const struct endpoint *at)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);

	endpoint_format(at, text);
	table_set_text(t, row, FIELD_CHANGE_change, "~");
	table_set_text(t, row, FIELD_CHANGE_object, "backend");
	table_set_textf(t, row, FIELD_CHANGE_name, "%s %s", vip, text);
	table_set_textf(t, row, FIELD_CHANGE_line, "backend %s %s %s", verb, vip, text);
}

void change_row_aside(void *table, const struct override *o)
{
	change_row_override(table, override_word(o->state), o->vip, &o->at);
}
