// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which level a change of a configuration needs. Not here: the levels of words (command_list.h), the flock's one
 * (intent.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "core/lex.h"

struct needed {
	struct lex_line *line; /* owned */
	struct buf word;
	__u32 level;
};

static void line_level(void *arg, char change, const char *object, const char *name, const char *text)
{
	struct needed *n = arg;
	struct command command;
	struct buf word = BUF_INIT;
	struct lex lex;
	__u32 level;

	lex_begin(&lex, text, strlen(text), "");
	if (change == '-' || lex_next(&lex, n->line, NULL) <= 0 ||
	    command_parse(n->line->word, n->line->count, &command, NULL, NULL) ||
	    !(command_info(command.id)->flags & COMMAND_SHARED))
		return;
	level = command_level(&command, &word);
	if (level > n->level) {
		n->level = level;
		buf_clear(&n->word);
		buf_printf(&n->word, "%s of %s %s", buf_text(&word), object, name);
	}
	buf_free(&word);
}

int config_level(const struct config *from, const struct config *to, struct buf *ret_word)
{
	struct needed n = {.line = malloc(sizeof(*n.line)), .level = 1};
	int rc = n.line ? 0 : -ENOMEM;

	if (!rc) {
		config_changes(from, to, line_level, &n);
		buf_puts(ret_word, buf_text(&n.word));
		rc = buf_error(&n.word) ? -ENOMEM : (int)n.level;
	}
	buf_free(&n.word);
	free(n.line);
	return rc;
}
