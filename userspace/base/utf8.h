/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What of a text is UTF-8 (RFC 3629). Not here: width on a terminal.
 */
#ifndef STARLING_BASE_UTF8_H
#define STARLING_BASE_UTF8_H

#include <stddef.h>

/**
 * utf8_next() - length of the character a text begins with
 * @text:	need not be NUL-terminated
 * @len:	bytes there are
 *
 * Overlong forms, surrogates and numbers over U+10FFFF are none.
 * Return: 1 to 4 bytes, or 0 if there is no valid character.
 */
size_t utf8_next(const char *text, size_t len);

/* Characters of a valid text; an invalid byte counts as one. */
size_t utf8_count(const char *text, size_t len);

/* Copies a text, or as much as fits @room with its NUL; no character is cut in two. */
void utf8_cut(char *to, size_t room, const char *from);

#endif
