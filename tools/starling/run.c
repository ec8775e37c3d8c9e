// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One command: checked against the grammar here, so that misuse needs no daemon, then done
 * here or asked of the daemon. Not here: printing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "starling.h"

int run_request(struct run *run, const char *const *words, size_t count, const char *text, const char *file,
		bool stream, const char **ret_line, size_t *ret_len)
{
	struct buf request = BUF_INIT;
	struct err err = {0};
	int rc;

	if (request_format(words, count,
			   (run->options.dry_run ? REQUEST_DRY_RUN : 0) | (run->options.force ? REQUEST_FORCE : 0),
			   text, file, &request)) {
		buf_free(&request);
		err_set(&err, EINVAL, "%s", text ? "the file is no UTF-8 text" : "the command is no UTF-8 text");
		return render_error(run, text ? FAULT_CONFIGURATION : FAULT_USAGE, &err);
	}
	rc = run->connection ? 0 : connection_open(&run->options, &run->connection, &err);
	if (!rc)
		rc = connection_send(run->connection, request.text, request.len, &err);
	if (!rc)
		rc = connection_line(run->connection, stream, ret_line, ret_len, &err);
	buf_free(&request);
	if (!rc)
		return 0;
	connection_close(run->connection);
	run->connection = NULL;
	return render_error(run, FAULT_UNREACHABLE, &err);
}

/* A stream ends when its count is reached, the daemon stops, or the operator interrupts. */
static int stream_run(struct run *run, const struct command *command, const char *const *words, size_t count)
{
	const char *line = "";
	size_t len = 0;
	struct err err = {0};
	__u64 lines = 0;
	int status = run_request(run, words, count, NULL, NULL, true, &line, &len);

	if (status)
		return status;
	if (!strncmp(line, "{\"error\"", 8))
		return render_answer(run, command, line, len);
	do {
		lines += render_stream_line(run, line, len);
	} while (!connection_line(run->connection, true, &line, &len, &err));
	connection_close(run->connection);
	run->connection = NULL;
	if (command_has(command, ARG_COUNT) && lines >= command->count)
		return 0;
	return render_error(run, FAULT_UNREACHABLE, &err);
}

static int daemon_run(struct run *run, const struct command *command, const char *const *words, size_t count)
{
	const char *line = "";
	char *text = NULL;
	struct err err = {0};
	size_t len = 0;
	int status;

	if (command->file && file_read(command->file, &text, &len, &err))
		return render_error(run, FAULT_REFUSED, &err);
	if (text && strlen(text) != len) {
		free(text);
		err_set(&err, EINVAL, "%s holds a NUL byte: it is no configuration", command->file);
		return render_error(run, FAULT_CONFIGURATION, &err);
	}
	status = run_request(run, words, count, text, text ? command->file : NULL, false, &line, &len);
	free(text);
	return status ? status : render_answer(run, command, line, len);
}

/* "vip help", "backend help". */
static bool help_wanted(const char *const *words, size_t count)
{
	enum command_id id;

	if (count != 2 || strcmp(words[1], "help"))
		return false;
	for (id = 0; id < COMMAND_COUNT; id++)
		if (!strcmp(command_info(id)->object, words[0]))
			return true;
	return false;
}

/* Misuse of the grammar; an option behind the words is none of them. */
static int words_refuse(const struct run *run, const char *const *words, size_t count, struct err *err)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (words[i][0] == '-' && (words[i][1] == '-' || strspn(words[i] + 1, "jpnNdswthV") == 1))
			err_set(err, EINVAL, "options stand before the words: `starling %s %s ...`", words[i],
				words[0]);
	return render_error(run, FAULT_USAGE, err);
}

int run_words(struct run *run, const char *const *words, size_t count)
{
	struct command command;
	struct err err = {0};

	if (help_wanted(words, count))
		return help_run(run, words[0]);
	if (command_parse(words, count, &command, NULL, &err))
		return words_refuse(run, words, count, &err);
	switch (command.id) {
	case COMMAND_HELP:
		return help_run(run, command.topic);
	case COMMAND_VERSION:
		return version_run(run);
	case COMMAND_BATCH:
		return batch_run(run, command.file);
	case COMMAND_TOP:
		return top_run(run);
	case COMMAND_CONFIG_CHECK:
		if (command.file)
			return check_run(run, command.file);
		break;
	default: /* every other command is the daemon's */
		break;
	}
	if (draft_takes(run, &command))
		return draft_run(run, &command);
	if (command_info(command.id)->flags & COMMAND_STREAMS)
		return stream_run(run, &command, words, count);
	return daemon_run(run, &command, words, count);
}
