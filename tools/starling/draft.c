// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A dry run of a batch: each line is tried here on what the lines before it would have made, and at the end the daemon
 * is asked what the whole would change. Not here: the lines (batch.c), what they do to a configuration (core).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change_rows.h"
#include "starling.h"

struct draft {
	struct config *config;	 /* as the lines so far would make it */
	struct table *overrides; /* what they would put aside */
};

void draft_free(struct draft *draft)
{
	if (!draft)
		return;
	config_free(draft->config);
	table_free(draft->overrides);
	free(draft);
}

static int draft_fail(const struct run *run, int rc, struct err *err)
{
	if (!err->text[0])
		err_set(err, -rc, "%s", strerror(-rc));
	return render_error(run, rc == -ENOENT ? FAULT_NOT_FOUND : FAULT_REFUSED, err);
}

static int draft_read(struct run *run, const char *text, size_t len, const char *name)
{
	struct err_list errors = {0};
	struct config *config = NULL;
	struct err err = {0};
	int status = 0, rc = config_read(text, len, name, NULL, &config, &errors);

	if (rc && errors.count)
		status = render_errors(run, &errors);
	else if (rc)
		status = draft_fail(run, rc, &err);
	err_list_free(&errors);
	if (rc)
		return status;
	config_free(run->draft->config);
	run->draft->config = config;
	return 0;
}

/* From what runs. Return: an exit status. */
static int draft_begin(struct run *run)
{
	static const char *const words[] = {"config", "export"};
	const char *line, *text;
	json_t *json;
	size_t len;
	int status = run_request(run, words, 2, NULL, NULL, false, &line, &len);

	if (status)
		return status;
	run->draft = calloc(1, sizeof(*run->draft));
	if (run->draft)
		run->draft->overrides = table_new(KIND_CHANGE);
	if (!run->draft || !run->draft->overrides)
		return draft_fail(run, -ENOMEM, &(struct err){0});
	json = json_loadb(line, len, 0, NULL);
	text = json_string_value(json_object_get(json, "text"));
	status = text ? draft_read(run, text, strlen(text), "what runs") : render_answer(run, NULL, line, len);
	json_decref(json);
	return status || text ? status : 1;
}

static int draft_apply(struct run *run, const char *file)
{
	struct err err = {0};
	char *text = NULL;
	size_t len = 0;
	int status;

	if (!file) {
		err_set(&err, EINVAL, "name the FILE: a dry run of a batch does not know the daemon's own");
		return render_error(run, FAULT_USAGE, &err);
	}
	if (file_read(file, &text, &len, &err))
		return render_error(run, FAULT_REFUSED, &err);
	status = draft_read(run, text, len, file);
	free(text);
	return status;
}

struct overriding {
	struct table *table;
	const char *verb;
};

static int override_add(void *arg, const struct vip_config *vip, const struct endpoint *at)
{
	const struct overriding *o = arg;

	change_row_override(o->table, o->verb, vip->name, at);
	return table_error(o->table);
}

static int draft_change(struct run *run, const struct command *command)
{
	struct overriding o = {.table = run->draft->overrides, .verb = command_info(command->id)->verb};
	struct config *config = run->draft->config;
	struct err err = {0};
	int rc;

	if (command_info(command->id)->flags & COMMAND_OVERRIDE)
		rc = config_named(config, command, override_add, &o, &err);
	else
		rc = config_command(config, command, &err);
	if (!rc)
		rc = config_check(config, NULL, &err);
	return rc ? draft_fail(run, rc, &err) : 0;
}

bool draft_takes(const struct run *run, const struct command *command)
{
	return run->in_batch && run->options.dry_run && command_info(command->id)->flags & COMMAND_MUTATES;
}

int draft_run(struct run *run, const struct command *command)
{
	struct err err = {0};
	int status = run->draft ? 0 : draft_begin(run);

	if (status)
		return status;
	if (command->id == COMMAND_CONFIG_APPLY)
		return draft_apply(run, command->file);
	if (command->id == COMMAND_CONFIG_ROLLBACK) {
		err_set(&err, EINVAL, "a dry run of a batch does not know what earlier generations say");
		return render_error(run, FAULT_USAGE, &err);
	}
	return draft_change(run, command);
}

static void override_copy(struct table *to, const struct table *from, size_t i)
{
	static const enum field_id fields[] = {FIELD_CHANGE_change, FIELD_CHANGE_object, FIELD_CHANGE_name,
					       FIELD_CHANGE_line};
	size_t row = table_row(to), f;

	for (f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
		table_set_text(to, row, fields[f], table_get_text(from, i, fields[f]));
}

int draft_end(struct run *run)
{
	static const char *const words[] = {"config", "apply"};
	const struct table *overrides = run->draft->overrides;
	struct buf text = BUF_INIT;
	struct table *t = NULL;
	const char *line;
	json_t *json;
	size_t len, i;
	int status;

	config_export(run->draft->config, &text);
	status = run_request(run, words, 2, buf_text(&text), "the batch as a whole", false, &line, &len);
	buf_free(&text);
	if (status)
		return status;
	json = json_loadb(line, len, 0, NULL);
	if (table_parse(json, &t, NULL)) {
		status = render_answer(run, NULL, line, len);
		json_decref(json);
		return status ? status : 1;
	}
	json_decref(json);
	for (i = 0; i < table_rows(overrides); i++)
		override_copy(t, overrides, i);
	status = render_table(run, t);
	table_free(t);
	return status;
}
