// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sets of texts that are named by their hash. Not here: what the texts say (intent.c).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/intent_private.h"

#define OBJECTS_FIRST 64 /* room: a tree has a root, some buckets and VIPs */

static const char digits[] = "0123456789abcdef";

char *object_name_format(const struct object_name *name, char text[2 * HASH_BYTES + 1])
{
	size_t i;

	for (i = 0; i < HASH_BYTES; i++) {
		text[2 * i] = digits[name->byte[i] >> 4];
		text[2 * i + 1] = digits[name->byte[i] & 15];
	}
	text[2 * i] = '\0';
	return text;
}

bool object_name_is(const struct object_name *a, const struct object_name *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool object_name_none(const struct object_name *name)
{
	static const struct object_name none;

	return object_name_is(name, &none);
}

bool hex_read(const char *text, size_t bytes, __u8 *ret)
{
	const char *digit;
	size_t i;

	for (i = 0; i < 2 * bytes; i++) {
		digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (!digit)
			return false;
		ret[i / 2] = (__u8)(i % 2 ? ret[i / 2] << 4 | (digit - digits) : digit - digits);
	}
	return true;
}

void objects_free(struct objects *o)
{
	size_t i;

	for (i = 0; i < o->count; i++)
		free(o->object[i].text);
	free(o->object);
	*o = (struct objects){0};
}

static int name_order(const void *name, const void *object)
{
	return memcmp(name, &((const struct object *)object)->name, sizeof(struct object_name));
}

static int object_order(const void *a, const void *b)
{
	return name_order(&((const struct object *)a)->name, b);
}

const struct object *objects_find(const struct objects *o, const struct object_name *name)
{
	size_t at;

	return array_find(o->object, o->count, sizeof(*o->object), name, name_order, &at) ? &o->object[at] : NULL;
}

/* Room for so many more. */
static int objects_grow(struct objects *o, size_t more)
{
	size_t need, bytes, room = o->room ? o->room : OBJECTS_FIRST;
	struct object *grown;

	if (__builtin_add_overflow(o->count, more, &need))
		return -ENOMEM;
	if (o->object && need <= o->room)
		return 0;
	while (room < need)
		if (__builtin_mul_overflow(room, 2, &room))
			return -ENOMEM;
	if (__builtin_mul_overflow(room, sizeof(*grown), &bytes) || !(grown = realloc(o->object, bytes)))
		return -ENOMEM;
	o->object = grown;
	o->room = room;
	return 0;
}

static int objects_insert(struct objects *o, size_t at, const struct object_name *name, const char *text, size_t len)
{
	char *copy;

	if (objects_grow(o, 1))
		return -ENOMEM;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memmove(&o->object[at + 1], &o->object[at], (o->count - at) * sizeof(*o->object));
	o->object[at].name = *name;
	o->object[at].text = copy;
	o->object[at].len = len;
	o->count++;
	return 0;
}

int objects_add(struct objects *o, const struct signing *hash, const char *text, size_t len,
		struct object_name *ret_name)
{
	struct object_name name;
	size_t at;

	if (!len || len > INTENT_OBJECT_BYTES)
		return -EMSGSIZE;
	hash->hash(hash->arg, text, len, name.byte);
	if (!array_find(o->object, o->count, sizeof(*o->object), &name, name_order, &at) &&
	    objects_insert(o, at, &name, text, len))
		return -ENOMEM;
	if (ret_name)
		*ret_name = name;
	return 0;
}

int objects_append(struct objects *o, const struct object_name *name, const char *text, size_t len)
{
	return objects_insert(o, o->count, name, text, len);
}

int objects_merge(struct objects *into, struct objects *from)
{
	struct objects sorted = *into;
	size_t i, kept = 0;

	if (!from->count)
		return 0;
	if (objects_grow(into, from->count) || !into->object) /* the latter for the analyzer */
		return -ENOMEM;
	sorted.object = into->object;
	for (i = 0; i < from->count; i++) {
		if (objects_find(&sorted, &from->object[i].name))
			free(from->object[i].text);
		else
			into->object[into->count++] = from->object[i];
	}
	from->count = 0;
	qsort(into->object, into->count, sizeof(*into->object), object_order);
	for (i = 0; i < into->count; i++) {
		if (kept && object_name_is(&into->object[kept - 1].name, &into->object[i].name))
			free(into->object[i].text);
		else
			into->object[kept++] = into->object[i];
	}
	into->count = kept;
	return 0;
}
