// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What of a text is UTF-8. Not here: width on a terminal.
 */
#include "base/utf8.h"

#include <string.h>

size_t utf8_next(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;
	unsigned int low = 0x80, high = 0xbf;
	size_t need, i;

	if (!len)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	need = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (len < need)
		return 0;
	/* RFC 3629 section 4: the second byte's range excludes overlong forms and surrogates. */
	if (c[0] == 0xe0)
		low = 0xa0;
	else if (c[0] == 0xed)
		high = 0x9f;
	else if (c[0] == 0xf0)
		low = 0x90;
	else if (c[0] == 0xf4)
		high = 0x8f;
	if (c[1] < low || c[1] > high)
		return 0;
	for (i = 2; i < need; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

size_t utf8_count(const char *text, size_t len)
{
	size_t at = 0, count = 0, step;

	while (at < len) {
		step = utf8_next(text + at, len - at);
		at += step ? step : 1;
		count++;
	}
	return count;
}

void utf8_cut(char *to, size_t room, const char *from)
{
	size_t len = strlen(from);

	if (len >= room) {
		len = room - 1;
		while (len && ((unsigned char)from[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}
