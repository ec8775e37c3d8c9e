// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any line as a command: an error that names a word, or a command that prints as words which
 * parse to the same one. Not here: what commands do.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "core/lex.h"
#include "fuzz.h"

static void prints_as_it_parses(const struct command *command)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct lex_line *line = malloc(sizeof(*line));
	struct command again;
	struct lex lex;

	command_format(command, &first);
	lex_begin(&lex, buf_text(&first), first.len, "");
	/* Quoting may make a line longer than lines may be. */
	if (line && first.len < STARLING_LINE_BYTES) {
		REQUIRE(lex_next(&lex, line, NULL) == 1);
		REQUIRE(!command_parse(line->word, line->count, &again, NULL, NULL));
		command_format(&again, &second);
		REQUIRE(!strcmp(buf_text(&first), buf_text(&second)));
	}
	free(line);
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct buf out = BUF_INIT;
	struct lex lex;
	int got;

	if (!line)
		return 0;
	lex_begin(&lex, (const char *)data, len, "fuzz");
	for (;;) {
		struct err err = {0};
		struct command command;
		size_t fault = SIZE_MAX;

		got = lex_next(&lex, line, &err);
		if (!got)
			break;
		REQUIRE(got > 0 || (err.text[0] && err.line > 0 && err.column > 0));
		if (got < 0)
			continue;
		if (!command_parse(line->word, line->count, &command, &fault, &err))
			prints_as_it_parses(&command);
		else
			REQUIRE(err.text[0] && fault <= line->count);
		command_complete(line->word, line->count, &out);
	}
	buf_free(&out);
	free(line);
	return 0;
}
