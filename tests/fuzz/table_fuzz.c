// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any JSON as a table: refused, or a table that all renderings take and that goes to JSON and
 * back unchanged. Not here: jansson's own parser beyond what it is given.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"
#include "fuzz.h"

static void goes_to_json_and_back(const struct table *t)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct table *again = NULL;
	struct err err;
	json_t *json;

	table_dump(t, &first);
	json = json_loadb(buf_text(&first), first.len, 0, NULL);
	REQUIRE(json && !table_parse(json, &again, &err));
	table_dump(again, &second);
	REQUIRE(!strcmp(buf_text(&first), buf_text(&second)));
	json_decref(json);
	table_free(again);
	buf_free(&first);
	buf_free(&second);
}

static void renders(struct table *t)
{
	static const struct render_options options[] = {
		{0},
		{.numeric = true, .details = true},
		{.color = true, .now_ms = 1795367582250, .width = 60},
	};
	struct table *metrics = table_new(KIND_METRIC);
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		table_plain(t, &options[i], &out);
	table_metrics(t, false, &out);
	table_metrics(t, true, &out);
	REQUIRE(!buf_error(&out));
	if (metrics)
		REQUIRE(!table_samples(t, NULL, metrics));
	if (table_rows(t))
		table_sort(t, catalog_kind(table_kind(t))->first, true);
	REQUIRE(!table_error(t));
	table_free(metrics);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *json = json_loadb((const char *)data, len, JSON_ALLOW_NUL, NULL);
	struct table *t = NULL;
	struct err err = {0};

	if (!json)
		return 0;
	if (table_parse(json, &t, &err)) {
		REQUIRE(err.text[0] && !t);
	} else {
		goes_to_json_and_back(t);
		renders(t);
	}
	table_free(t);
	json_decref(json);
	return 0;
}
