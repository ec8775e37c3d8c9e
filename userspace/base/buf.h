/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A string that grows. A failure (no memory, a size that would wrap) sticks, so that a
 * writer appends without checks and asks once, at the end. Not here: bounds of protocols.
 */
#ifndef STARLING_BASE_BUF_H
#define STARLING_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *text; /* owned; NUL-terminated if not NULL; may hold further NULs that were added */
	size_t len; /* bytes without the final NUL */
	size_t room;
	bool failed; /* something is missing from @text */
};

#define BUF_INIT ((struct buf){0})

/* All of these append; after a failure they do nothing. Sources are borrowed. */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t count);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/**
 * buf_reserve() - make room for @len more bytes
 *
 * Return: 0, or -ENOMEM, which sticks.
 */
int buf_reserve(struct buf *b, size_t len);

/* Keeps the memory; forgets content and failure. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* The content as a string, "" if nothing was added; borrowed until the next change. */
const char *buf_text(const struct buf *b);

/**
 * buf_error() - whether every append so far succeeded
 *
 * Return: 0, or -ENOMEM.
 */
int buf_error(const struct buf *b);

/**
 * buf_take() - hand the text over
 * @b:		is empty afterwards
 * @ret_len:	bytes without the final NUL; may be NULL
 *
 * Return: the text, owned by the caller (free()), or NULL after a failure.
 */
char *buf_take(struct buf *b, size_t *ret_len);

#endif
