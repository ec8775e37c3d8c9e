/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One argument of a command: a word to a member of struct command and back. For command*.c
 * alone. Not here: which command takes which argument (command_list.h).
 */
#ifndef STARLING_CORE_ARGUMENT_H
#define STARLING_CORE_ARGUMENT_H

#include "core/command.h"

enum argument_by {
	BY_KEYWORD,
	BY_POSITION,
};

struct argument {
	enum argument_by by;
	const char *word;    /* the keyword, or for errors a noun */
	const char *metavar; /* what stands for the value in a synopsis; "" for none */
	const struct argument_kind *kind;
	size_t offset; /* of its member in struct command */
	__u64 min, max;
	const char *help; /* of a keyword */
};

const struct argument *argument_info(enum argument_id id);

/**
 * argument_parse() - set the member that an argument is about
 * @id:		which
 * @word:	its value; borrowed, by texts also later
 * @c:		changed on success only; the argument's bit in @c->given is left to the caller
 * @err:	"NOUN must be ..., not "WORD""
 *
 * Return: 0, or -EINVAL.
 */
int argument_parse(enum argument_id id, const char *word, struct command *c, struct err *err);

/* Append the value as a word that argument_parse() takes; nothing for a flag. */
void argument_format(enum argument_id id, const struct command *c, struct buf *out);

/* Whether the kind of check that @c names has this argument; of other commands all do. */
bool argument_applies(enum argument_id id, const struct command *c);

bool argument_is_flag(enum argument_id id);		/* a keyword without a value */
bool argument_repeats(enum argument_id id);		/* takes all words that are left, one at a time */
const char *const *argument_words(enum argument_id id); /* the only words it takes, NULL if there are others */

/* A word for an error message: in quotes, cut, without control characters. Returns @text. */
#define ARGUMENT_QUOTE_BYTES 72
const char *argument_quote(const char *word, char text[ARGUMENT_QUOTE_BYTES]);

#endif
