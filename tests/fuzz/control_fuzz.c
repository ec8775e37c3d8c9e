// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests of the control socket: whatever the bytes, a request or a sentence, and a request
 * that is formatted again parses to itself. Not here: sockets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "core/request.h"
#include "fuzz.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void again(const struct request *request)
{
	struct request second = {0};
	struct buf line = BUF_INIT;
	size_t i;

	check(!request_format(request->words, request->word_count,
			      (request->dry_run ? REQUEST_DRY_RUN : 0) | (request->force ? REQUEST_FORCE : 0),
			      request->text, request->file, &line));
	check(!request_parse(line.text, line.len - 1, &second, NULL));
	check(second.word_count == request->word_count && second.dry_run == request->dry_run);
	for (i = 0; i < second.word_count; i++)
		check(!strcmp(second.words[i], request->words[i]));
	check(!request->text == !second.text && (!second.text || !strcmp(second.text, request->text)));
	request_free(&second);
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct request request = {0};
	struct err err = {0};
	struct buf answer = BUF_INIT;
	struct command command;

	if (request_parse((const char *)bytes, len, &request, &err)) {
		check(err.text[0]);
		request_error_answer(FAULT_USAGE, &err, &answer);
		check(!buf_error(&answer) && answer.text[answer.len - 1] == '\n');
		check(!memchr(answer.text, '\n', answer.len - 1));
	} else {
		again(&request);
		if (command_parse(request.words, request.word_count, &command, NULL, &err))
			check(err.text[0]);
	}
	request_free(&request);
	buf_free(&answer);
	return 0;
}
