// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Help, all of it from the command table; and versions. Not here: the table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "starling.h"
#include "starling/dataplane.h"
#include "version.h"

int help_run(struct run *run, const char *topic)
{
	struct buf out = BUF_INIT;
	struct err err = {0};

	if (!topic)
		buf_printf(&out, "%s%s\n", options_usage(), options_help());
	if (command_help(topic, &out)) {
		buf_free(&out);
		err_set(&err, ENOENT, "there is no object \"%s\"; `starling help` shows all", topic);
		return render_error(run, FAULT_USAGE, &err);
	}
	render_text(run, "help", buf_text(&out));
	buf_free(&out);
	return 0;
}

/* The daemon's version too, if one answers; that none does is no error. */
static void daemon_version(struct run *run, struct table *all)
{
	static const char *const words[] = {"version"};
	struct buf request = BUF_INIT;
	struct table *t = NULL;
	json_t *json = NULL;
	const char *line;
	size_t len;
	__u64 abi;

	if (!run->connection && connection_open(&run->options, &run->connection, NULL))
		return;
	request_format(words, 1, 0, NULL, NULL, &request);
	if (!connection_send(run->connection, buf_text(&request), request.len, NULL) &&
	    !connection_line(run->connection, false, &line, &len, NULL))
		json = json_loadb(line, len, 0, NULL);
	buf_free(&request);
	if (json && !table_parse(json, &t, NULL) && table_kind(t) == KIND_VERSION && table_rows(t)) {
		size_t row = table_row(all);

		table_set_text(all, row, FIELD_VERSION_name, table_get_text(t, 0, FIELD_VERSION_name));
		table_set_text(all, row, FIELD_VERSION_version, table_get_text(t, 0, FIELD_VERSION_version));
		table_set_text(all, row, FIELD_VERSION_commit, table_get_text(t, 0, FIELD_VERSION_commit));
		if (table_get_u64(t, 0, FIELD_VERSION_abi, &abi))
			table_set_u64(all, row, FIELD_VERSION_abi, abi);
	}
	table_free(t);
	json_decref(json);
}

int version_run(struct run *run)
{
	struct table *t = table_new(KIND_VERSION);
	size_t row;
	int status;

	if (!t)
		return 1;
	row = table_row(t);
	table_set_text(t, row, FIELD_VERSION_name, "starling");
	table_set_text(t, row, FIELD_VERSION_version, STARLING_VERSION);
	table_set_text(t, row, FIELD_VERSION_commit, STARLING_COMMIT);
	table_set_u64(t, row, FIELD_VERSION_abi, DATAPLANE_ABI);
	daemon_version(run, t);
	status = render_table(run, t);
	table_free(t);
	return status;
}
