// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A string that grows, with sticky failure. Not here: bounds of protocols.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_BYTES 256 /* most answers fit without a second allocation */

int buf_reserve(struct buf *b, size_t len)
{
	size_t need, room = b->room;
	char *text;

	if (b->failed)
		return -ENOMEM;
	if (__builtin_add_overflow(b->len, len, &need) || __builtin_add_overflow(need, 1, &need))
		goto fail;
	if (need <= room)
		return 0;
	if (!room)
		room = BUF_FIRST_BYTES;
	while (room < need)
		if (__builtin_mul_overflow(room, 2, &room))
			goto fail;
	text = realloc(b->text, room);
	if (!text)
		goto fail;
	b->text = text;
	b->room = room;
	return 0;
fail:
	b->failed = true;
	return -ENOMEM;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (buf_reserve(b, len))
		return;
	if (len)
		memcpy(b->text + b->len, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fill(struct buf *b, char c, size_t count)
{
	if (buf_reserve(b, count))
		return;
	memset(b->text + b->len, c, count);
	b->len += count;
	b->text[b->len] = '\0';
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	if (buf_reserve(b, 0))
		return;
	va_copy(again, ap);
	len = vsnprintf(b->text + b->len, b->room - b->len, fmt, ap);
	if (len < 0) {
		b->failed = true;
	} else if ((size_t)len < b->room - b->len) {
		b->len += (size_t)len;
	} else if (!buf_reserve(b, (size_t)len)) {
		vsnprintf(b->text + b->len, b->room - b->len, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->text)
		b->text[0] = '\0';
}

void buf_free(struct buf *b)
{
	if (!b)
		return;
	free(b->text);
	*b = BUF_INIT;
}

const char *buf_text(const struct buf *b)
{
	return b->text ? b->text : "";
}

int buf_error(const struct buf *b)
{
	return b->failed ? -ENOMEM : 0;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	char *text;

	if (buf_reserve(b, 0)) {
		buf_free(b);
		return NULL;
	}
	text = b->text;
	text[b->len] = '\0';
	if (ret_len)
		*ret_len = b->len;
	*b = BUF_INIT;
	return text;
}
