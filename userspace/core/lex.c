// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Text to lines of words. Not here: what words mean (command.c).
 */
#include "core/lex.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define LINE_TOO_LONG "the line is too long: more than 4095 bytes"
_Static_assert(STARLING_LINE_BYTES == 4096, "the message says so");

/* State while one line is read. */
struct reading {
	struct lex *lex;
	struct lex_line *line;
	size_t used;	       /* bytes of line->text */
	struct lex_word fault; /* where the first error is */
	const char *wrong;     /* what it is; NULL: nothing so far */
	char detail[64];       /* goes behind @wrong */
};

void lex_begin(struct lex *lex, const char *text, size_t len, const char *file)
{
	*lex = (struct lex){.text = text, .len = len, .line = 1, .file = file};
}

static struct lex_word here(const struct lex *lex)
{
	return (struct lex_word){lex->line, (int)(lex->at - lex->line_at) + 1, lex->line_at};
}

/* The byte at an offset from the current one, or -1 at the end. */
static int peek(const struct lex *lex, size_t ahead)
{
	return ahead < lex->len - lex->at ? (unsigned char)lex->text[lex->at + ahead] : -1;
}

static void wrong(struct reading *r, const char *what)
{
	if (r->wrong)
		return;
	r->wrong = what;
	r->fault = here(r->lex);
}

static void newline(struct lex *lex)
{
	lex->at++;
	lex->line++;
	lex->line_at = lex->at;
}

/* A carriage return before the newline belongs to it. */
static size_t newline_length(const struct lex *lex, size_t ahead)
{
	if (peek(lex, ahead) == '\n')
		return 1;
	return peek(lex, ahead) == '\r' && peek(lex, ahead + 1) == '\n' ? 2 : 0;
}

/* Step over a backslash at the end of a line, and that end. */
static bool join(struct lex *lex)
{
	size_t len;

	if (peek(lex, 0) != '\\')
		return false;
	len = newline_length(lex, 1);
	if (!len)
		return false;
	lex->at += len;
	newline(lex);
	return true;
}

static bool at_end(const struct lex *lex)
{
	return lex->at == lex->len || newline_length(lex, 0);
}

/* Append bytes to the line's text; one byte is kept for the last word's NUL. */
static void keep(struct reading *r, const char *bytes, size_t len)
{
	if (r->used + len >= sizeof(r->line->text)) {
		wrong(r, LINE_TOO_LONG);
		return;
	}
	memcpy(r->line->text + r->used, bytes, len);
	r->used += len;
}
/* Most of a text: printable ASCII that means itself within quotes and without. */
static size_t plain_length(const struct lex *lex)
{
	size_t at = lex->at;

	while (at < lex->len && lex->text[at] > ' ' && lex->text[at] < 0x7f && lex->text[at] != '"' &&
	       lex->text[at] != '\\')
		at++;
	return at - lex->at;
}

/* The next characters as they stand; refuses what does not belong in a text. */
static void characters(struct reading *r)
{
	struct lex *lex = r->lex;
	size_t len = plain_length(lex);
	unsigned char c = (unsigned char)lex->text[lex->at];

	/* A line that is too long is reported where it becomes so. */
	if (len && r->used + len >= sizeof(r->line->text))
		len = 1;
	if (!len && c >= 0x20 && c != 0x7f)
		len = utf8_next(lex->text + lex->at, lex->len - lex->at);
	if (!len) {
		if (!r->wrong)
			snprintf(r->detail, sizeof(r->detail), " 0x%02x", c);
		wrong(r, c < 0x80 ? "there is a control character" : "there is no UTF-8, but the byte");
		len = 1;
	} else {
		keep(r, lex->text + lex->at, len);
	}
	lex->at += len;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind a backslash within quotes. */
static void escape(struct reading *r)
{
	struct lex *lex = r->lex;
	int c = peek(lex, 1), high, low;
	char byte;

	if (c == 'x') {
		high = hex_digit(peek(lex, 2));
		low = high < 0 ? -1 : hex_digit(peek(lex, 3));
		byte = (char)(high * 16 + low);
		if (low < 0 || !byte) {
			wrong(r, "\\x needs two hexadecimal digits, not 00");
			lex->at += 2;
			return;
		}
		keep(r, &byte, 1);
		lex->at += 4;
		return;
	}
	if (c != '\\' && c != '"' && c != 'n') {
		wrong(r, "a backslash within quotes is followed by \\, \", n or xHH");
		lex->at++;
		return;
	}
	byte = c == 'n' ? '\n' : (char)c;
	keep(r, &byte, 1);
	lex->at += 2;
}

/* From the opening quote to behind the closing one. */
static void quoted(struct reading *r)
{
	struct lex *lex = r->lex;
	struct lex_word open = here(lex);

	lex->at++;
	while (!at_end(lex) && peek(lex, 0) != '"') {
		if (join(lex))
			continue;
		if (peek(lex, 0) == '\\')
			escape(r);
		else
			characters(r);
	}
	if (at_end(lex)) {
		wrong(r, "this quote is not closed");
		if (!strcmp(r->wrong, "this quote is not closed"))
			r->fault = open;
		return;
	}
	lex->at++;
}

static void word(struct reading *r)
{
	struct lex *lex = r->lex;
	struct lex_line *line = r->line;
	size_t begin = r->used;

	if (r->used == sizeof(line->text))
		wrong(r, LINE_TOO_LONG);
	else if (line->count == STARLING_WORDS)
		wrong(r, "the line has more than 128 words");
	else
		line->place[line->count] = here(lex);
	while (!at_end(lex) && peek(lex, 0) != ' ' && peek(lex, 0) != '\t') {
		if (join(lex))
			break;
		if (peek(lex, 0) == '"')
			quoted(r);
		else if (peek(lex, 0) == '\\') {
			wrong(r, "a backslash stands within quotes, or at the end of a line to join the next");
			lex->at++;
		} else {
			characters(r);
		}
	}
	if (r->wrong)
		return;
	/* What escapes spelt out must be text too. */
	while (begin < r->used) {
		size_t len = utf8_next(line->text + begin, r->used - begin);

		if (!len) {
			r->wrong = "the escapes of this word make no UTF-8";
			r->fault = line->place[line->count];
			return;
		}
		begin += len;
	}
}
_Static_assert(STARLING_WORDS == 128, "the message above says so");

static void line_read(struct reading *r)
{
	struct lex *lex = r->lex;
	struct lex_line *line = r->line;

	while (!at_end(lex)) {
		size_t begin = r->used;

		if (peek(lex, 0) == ' ' || peek(lex, 0) == '\t') {
			lex->at++;
			continue;
		}
		if (join(lex))
			continue;
		if (peek(lex, 0) == '#') {
			while (!at_end(lex))
				lex->at++;
			break;
		}
		word(r);
		if (r->wrong)
			continue;
		line->word[line->count++] = line->text + begin;
		line->text[r->used++] = '\0';
	}
	line->place[line->count] = here(lex);
	lex->at += newline_length(lex, 0) == 2;
	if (lex->at < lex->len)
		newline(lex);
}

int lex_next(struct lex *lex, struct lex_line *ret_line, struct err *err)
{
	do {
		struct reading r = {.lex = lex, .line = ret_line};

		if (lex->at == lex->len)
			return 0;
		ret_line->count = 0;
		line_read(&r);
		if (r.wrong) {
			err_set(err, EINVAL, "%s%s", r.wrong, r.detail);
			lex_locate(lex, &r.fault, err);
			return -EINVAL;
		}
	} while (!ret_line->count);
	return 1;
}

void lex_locate(const struct lex *lex, const struct lex_word *place, struct err *err)
{
	size_t len = 0, i, step;

	if (!err)
		return;
	err->line = place->line;
	err->column = place->column;
	snprintf(err->file, sizeof(err->file), "%s", lex->file);
	while (place->line_at + len < lex->len && lex->text[place->line_at + len] != '\n')
		len++;
	if (len && lex->text[place->line_at + len - 1] == '\r')
		len--;
	/* Byte by byte, so that columns stay true; what is no text becomes '?'. */
	for (i = 0; i < len && i < sizeof(err->source) - 1; i += step) {
		const char *at = lex->text + place->line_at + i;

		step = utf8_next(at, len - i);
		if (i + step >= sizeof(err->source))
			break;
		if (!step || ((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f) {
			err->source[i] = '?';
			step = 1;
		} else {
			memcpy(err->source + i, at, step);
		}
	}
	err->source[i] = '\0';
}

void lex_quote(const char *word, struct buf *out)
{
	size_t plain = strcspn(word, " \t\n\r\"\\");
	const char *at;

	for (at = word; (unsigned char)*at >= 0x20 && *at != 0x7f; at++)
		;
	if (*word && *word != '#' && !word[plain] && !*at) {
		buf_puts(out, word);
		return;
	}
	buf_putc(out, '"');
	for (; *word; word++) {
		if (*word == '\n')
			buf_puts(out, "\\n");
		else if ((unsigned char)*word < 0x20 || *word == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned char)*word);
		else if (*word == '"' || *word == '\\')
			buf_printf(out, "\\%c", *word);
		else
			buf_putc(out, *word);
	}
	buf_putc(out, '"');
}

bool lex_is_name(const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789-_.";
	size_t i;

	for (i = 0; word[i]; i++)
		if (!strchr(letters, word[i]) && (!i || !strchr(others, word[i])))
			return false;
	return i && i < STARLING_NAME_BYTES;
}
