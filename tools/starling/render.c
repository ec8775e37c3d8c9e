// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Everything that the tool prints. Rows go to standard output; errors to standard error, but
 * as JSON to standard output if JSON was asked for. Not here: how a table looks (core/table).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "starling.h"

#define JSON_PRETTY JSON_INDENT(4)

void render_prepare(struct run *run)
{
	const struct options *o = &run->options;
	bool tty = isatty(STDOUT_FILENO);
	struct winsize size = {0};
	const char *no_color = getenv("NO_COLOR");

	run->render = (struct render_options){.numeric = o->numeric, .details = o->details};
	run->render.color = o->color == COLOR_ALWAYS || (o->color == COLOR_AUTO && tty && !(no_color && no_color[0]));
	if (tty && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		run->render.width = size.ws_col;
}

static void json_print(const struct run *run, const json_t *json)
{
	char *text =
		json ? json_dumps(json, JSON_ENCODE_ANY | (run->options.pretty ? JSON_PRETTY : JSON_COMPACT)) : NULL;

	if (text)
		puts(text);
	free(text);
}

/* The tool's own name only stands before what has no place in a text. */
static void error_print(const struct err *err)
{
	struct buf out = BUF_INIT;

	if (err->line || err->file[0]) {
		err_print(err, &out);
		fputs(buf_text(&out), stderr);
	} else {
		fprintf(stderr, "starling: %s\n", err->text);
	}
	buf_free(&out);
}

int render_error(const struct run *run, enum request_fault fault, const struct err *err)
{
	json_t *json;

	fflush(stdout);
	if (run->options.json) {
		json = json_object();
		json_object_set_new(json, "error", request_error_json(fault, err));
		json_print(run, json);
		json_decref(json);
	} else {
		error_print(err);
	}
	return request_fault_status(fault);
}

int render_errors(const struct run *run, const struct err_list *errors)
{
	size_t i, all = errors->count + errors->more;
	json_t *json, *list;

	if (run->options.json) {
		json = json_object();
		list = json_array();
		for (i = 0; i < errors->count; i++)
			json_array_append_new(list, request_error_json(FAULT_CONFIGURATION, &errors->err[i]));
		json_object_set_new(json, "error", request_error_json(FAULT_CONFIGURATION, &errors->err[0]));
		json_object_set_new(json, "errors", list);
		json_object_set_new(json, "more", json_integer((json_int_t)errors->more));
		json_print(run, json);
		json_decref(json);
	} else {
		for (i = 0; i < errors->count; i++)
			error_print(&errors->err[i]);
		fprintf(stderr, "%zu error%s; nothing was changed\n", all, all == 1 ? "" : "s");
	}
	return request_fault_status(FAULT_CONFIGURATION);
}

int render_table(const struct run *run, const struct table *t)
{
	struct render_options render = run->render;
	struct buf out = BUF_INIT;
	json_t *json;

	if (run->options.json) {
		json = table_json(t);
		json_print(run, json_object_get(json, "rows"));
		json_decref(json);
		return 0;
	}
	render.now_ms = render.numeric ? 0 : wall_ms();
	table_plain(t, &render, &out);
	fwrite(buf_text(&out), 1, out.len, stdout);
	buf_free(&out);
	return 0;
}

int render_text(const struct run *run, const char *key, const char *text)
{
	json_t *json;

	if (run->options.json) {
		json = json_pack("{s:s}", key, text);
		json_print(run, json);
		json_decref(json);
	} else if (text[0]) {
		printf("%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
	}
	return 0;
}

static void text_copy(const json_t *json, const char *key, char *to, size_t room)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(to, room, "%s", text ? text : "");
}

static void err_parse(const json_t *json, struct err *ret)
{
	memset(ret, 0, sizeof(*ret));
	text_copy(json, "message", ret->text, sizeof(ret->text));
	text_copy(json, "file", ret->file, sizeof(ret->file));
	text_copy(json, "source", ret->source, sizeof(ret->source));
	ret->line = (int)json_integer_value(json_object_get(json, "line"));
	ret->column = (int)json_integer_value(json_object_get(json, "column"));
}

/* An error that came over the socket: one, or with a configuration all of them. */
static int answer_error(const struct run *run, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error"), *list = json_object_get(answer, "errors");
	enum request_fault fault = request_fault_find(json_string_value(json_object_get(error, "code")));
	struct err_list errors = {.more = (size_t)json_integer_value(json_object_get(answer, "more"))};
	struct err err;
	size_t i;
	int status;

	if (!json_array_size(list)) {
		err_parse(error, &err);
		return render_error(run, fault, &err);
	}
	errors.count = json_array_size(list);
	errors.err = calloc(errors.count, sizeof(*errors.err));
	if (!errors.err)
		return 1;
	for (i = 0; i < errors.count; i++)
		err_parse(json_array_get(list, i), &errors.err[i]);
	status = render_errors(run, &errors);
	err_list_free(&errors);
	return status;
}

static int answer_table(const struct run *run, const struct command *command, const json_t *answer)
{
	struct table *t = NULL;
	struct err err = {0};
	const char *state;
	int status;

	if (table_parse(answer, &t, &err)) {
		err_prefix(&err, "the answer is not understood");
		return render_error(run, FAULT_FAILED, &err);
	}
	status = render_table(run, t);
	if (command && command->id == COMMAND_STATUS) {
		state = table_get_text(t, 0, FIELD_STATUS_state);
		if (state && strcmp(state, "ok"))
			status = STATUS_DEGRADED;
	}
	table_free(t);
	return status;
}

int render_answer(const struct run *run, const struct command *command, const char *line, size_t len)
{
	json_t *answer = json_loadb(line, len, 0, NULL);
	const char *message = json_string_value(json_object_get(answer, "message"));
	const char *text = json_string_value(json_object_get(answer, "text"));
	struct err err = {0};
	int status;

	if (json_object_get(answer, "error")) {
		status = answer_error(run, answer);
	} else if (json_object_get(answer, "rows")) {
		status = answer_table(run, command, answer);
	} else if (message || text) {
		status = render_text(run, message ? "message" : "text", message ? message : text);
	} else {
		err_set(&err, EBADMSG, "the answer is not understood");
		status = render_error(run, FAULT_FAILED, &err);
	}
	json_decref(answer);
	return status;
}

/* What the daemon says of the stream itself; of the sample JSON's rows speak too. */
static void stream_note(const struct run *run, const json_t *json)
{
	const json_t *sample = json_object_get(json, "sample"), *lost = json_object_get(json, "lost");

	if (lost && run->options.json)
		json_print(run, json);
	else if (lost)
		fprintf(stderr, "starling: %lld lines were lost: the reader is too slow\n",
			(long long)json_integer_value(lost));
	else if (json_integer_value(sample) > 1 && !run->options.json)
		fprintf(stderr, "starling: one packet in %lld is looked at; `sample 1` looks at every one\n",
			(long long)json_integer_value(sample));
}

bool render_stream_line(const struct run *run, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, 0, NULL), *row;
	struct render_options render = run->render;
	struct buf out = BUF_INIT;
	struct table *t = NULL;
	bool is_row;

	row = json_array_get(json_object_get(json, "rows"), 0);
	is_row = row != NULL;
	if (!is_row) {
		stream_note(run, json);
	} else if (run->options.json) {
		json_print(run, row);
	} else if (!table_parse(json, &t, NULL)) {
		table_plain_row(t, 0, &render, &out);
		fwrite(buf_text(&out), 1, out.len, stdout);
	}
	fflush(stdout);
	table_free(t);
	buf_free(&out);
	json_decref(json);
	return is_row;
}
