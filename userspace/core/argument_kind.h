/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How kinds of arguments read and write: for argument*.c alone. Not here: which argument has which
 * kind (command_list.h).
 */
#ifndef STARLING_CORE_ARGUMENT_KIND_H
#define STARLING_CORE_ARGUMENT_KIND_H

#include "core/argument.h"

struct argument_kind {
	int (*parse)(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err);
	void (*format)(const struct argument *a, const struct command *c, struct buf *out);
	const char *const *(*words)(void); /* of a choice; NULL if any word may come */
	const __u32 *values;		   /* of a choice, by word; NULL: 0, 1, ... */
};

static inline void *member(const struct argument *a, struct command *c)
{
	return (char *)c + a->offset;
}

static inline const void *member_const(const struct argument *a, const struct command *c)
{
	return (const char *)c + a->offset;
}

/* "NOUN must be WANTED, not "WORD"". Return: -EINVAL. */
int argument_refuse(const char *noun, const char *wanted, const char *word, struct err *err);

int choice_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err);
void choice_write(const struct argument *a, const struct command *c, struct buf *out);
void string_write(const struct argument *a, const struct command *c, struct buf *out);

/* argument_address.c */
extern const struct argument_kind kind_KEYS, kind_KEY, kind_ENDPOINT, kind_ENDPOINT_OR_NONE, kind_ADDRESS, kind_PLACES,
	kind_JOIN, kind_HOST;

/* argument_check.c: words of `health set` */
extern const struct argument_kind kind_CHECK_KIND, kind_CHECK_NAME, kind_DNS_TYPE, kind_STRING, kind_HTTP_PATH,
	kind_HOSTNAME, kind_STATUS, kind_OBSERVERS, kind_VERDICT_MODE, kind_SCOPE, kind_VIA;

#endif
