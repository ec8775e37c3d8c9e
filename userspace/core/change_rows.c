// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rows of KIND_CHANGE. Not here: what is in them.
 */
#include "core/change_rows.h"

#include "core/aside.h"
#include "core/roster.h"

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

void change_rows_reputation(const struct roster *from, const struct roster *to, struct table *t)
{
	for (size_t i = 0; i < to->count; i++) {
		const struct roster_node *node = &to->node[i], *was = roster_find_id(from, node->id);
		size_t row;

		if (!was || roster_reputation(was) == roster_reputation(node))
			continue;
		row = table_row(t);
		table_set_text(t, row, FIELD_CHANGE_change, "~");
		table_set_text(t, row, FIELD_CHANGE_object, "roster");
		table_set_text(t, row, FIELD_CHANGE_name, node->name);
		table_set_textf(t, row, FIELD_CHANGE_line, "reputation %u, before %u", roster_reputation(node),
				roster_reputation(was));
	}
}
