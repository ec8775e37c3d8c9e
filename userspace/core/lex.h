/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text to lines of words, each word with the place it came from. Used for configuration
 * files and for batches of commands. Not here: what words mean (command.h).
 *
 * Words are parted by blanks; "..." groups, with \\ \" \n \xHH in it; # begins a comment only
 * at the start of a word; a backslash at the end of a line joins the next one to it.
 */
#ifndef STARLING_CORE_LEX_H
#define STARLING_CORE_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "starling/limits.h"

struct lex {
	const char *text; /* borrowed */
	size_t len;
	size_t at;	/* next byte */
	int line;	/* of the next byte, 1-based */
	size_t line_at; /* where that line begins */
	const char *file;
};

struct lex_word {
	int line, column; /* 1-based; of the word's first byte, also behind joins */
	size_t line_at;	  /* where that line begins in the text, for lex_error() */
};

/* One line after joining: at most STARLING_LINE_BYTES bytes and STARLING_WORDS words. */
struct lex_line {
	size_t count;
	const char *word[STARLING_WORDS];	   /* NUL-terminated, into @text */
	struct lex_word place[STARLING_WORDS + 1]; /* one more: the end of the line */
	char text[STARLING_LINE_BYTES];
};

/**
 * lex_begin() - start at the beginning of a text
 * @text:	need not be NUL-terminated; borrowed while lexing
 * @len:	bytes
 * @file:	for errors; borrowed; "" for none
 */
void lex_begin(struct lex *lex, const char *text, size_t len, const char *file);

/**
 * lex_next() - the next line that has words
 * @ret_line:	overwritten
 * @err:	file, line, column and source are set
 *
 * Return: 1 with a line, 0 at the end, -EINVAL for a line that is none (unknown escape, open
 * quote, NUL or control byte, no UTF-8, too long, too many words); the next call goes on
 * with the line after it.
 */
int lex_next(struct lex *lex, struct lex_line *ret_line, struct err *err);

/* Letters, digits, '-', '_' and '.', a letter first, and shorter than STARLING_NAME_BYTES: no name looks like an
 * address or needs quotes. */
bool lex_is_name(const char *word);

/* Put file, line, column and source line of a word into @err, keeping its code and text. */
void lex_locate(const struct lex *lex, const struct lex_word *place, struct err *err);

/* Append a word as lex_next() would read it: in quotes if it needs them. */
void lex_quote(const char *word, struct buf *out);

#endif
