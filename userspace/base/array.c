// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arrays that keep an order. Not here: hash tables, lists.
 */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More room is needed only when the count is a power of two, or 0. */
static int array_grow(void **array, size_t count, size_t size)
{
	size_t bytes;
	void *grown;

	if (count & (count - 1))
		return 0;
	if (__builtin_mul_overflow(count ? count * 2 : 1, size, &bytes))
		return -ENOMEM;
	grown = realloc(*array, bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

int array_insert(void *array, size_t *count, size_t size, size_t at, const void *value)
{
	void **base = array;
	char *byte;

	if (array_grow(base, *count, size))
		return -ENOMEM;
	byte = *base;
	memmove(byte + (at + 1) * size, byte + at * size, (*count - at) * size);
	memcpy(byte + at * size, value, size);
	(*count)++;
	return 0;
}

void array_delete(void *array, size_t *count, size_t size, size_t at)
{
	char *byte = array;

	(*count)--;
	memmove(byte + at * size, byte + (at + 1) * size, (*count - at) * size);
}

int array_copy(void *ret, const void *from, size_t count, size_t size)
{
	void **base = ret;
	size_t room = 1;

	*base = NULL;
	if (!count)
		return 0;
	while (room < count)
		room *= 2;
	*base = calloc(room, size);
	if (!*base)
		return -ENOMEM;
	memcpy(*base, from, count * size);
	return 0;
}

bool array_find(const void *array, size_t count, size_t size, const void *key,
		int (*order)(const void *key, const void *member), size_t *ret_at)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int is = order(key, (const char *)array + middle * size);

		if (!is) {
			*ret_at = middle;
			return true;
		}
		if (is < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_at = low;
	return false;
}
