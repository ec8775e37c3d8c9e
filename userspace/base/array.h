/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Arrays that keep an order: insert, delete, copy. Memory grows at powers of two, so its room
 * follows from the count and is kept nowhere. Not here: what the order is.
 */
#ifndef STARLING_BASE_ARRAY_H
#define STARLING_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * array_insert() - put a value in
 * @array:	pointer to the array's pointer; owned by the caller; may move
 * @count:	members; one more afterwards
 * @size:	bytes of a member
 * @at:		0 to *@count: its place
 * @value:	copied
 *
 * Return: 0, or -ENOMEM with the array unchanged.
 */
int array_insert(void *array, size_t *count, size_t size, size_t at, const void *value);

void array_delete(void *array, size_t *count, size_t size, size_t at);

/**
 * array_copy() - a copy that array_insert() can work on
 * @ret:	pointer to the copy's pointer, NULL if there are no members; owned by the caller
 *
 * Return: 0, or -ENOMEM.
 */
int array_copy(void *ret, const void *from, size_t count, size_t size);

/**
 * array_find() - a member of a sorted array, or where it would have to be inserted
 * @key:	first argument of @order
 * @order:	as for bsearch()
 *
 * Return: whether it is there.
 */
bool array_find(const void *array, size_t count, size_t size, const void *key,
		int (*order)(const void *key, const void *member), size_t *ret_at);

#endif
