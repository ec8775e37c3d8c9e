// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Numbers and durations as words. Not here: ranges of options.
 */
#include "core/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Largest first: duration_format() takes the first that fits. */
static const struct {
	const char *unit;
	__u64 ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

#define UNITS (sizeof(units) / sizeof(units[0]))

/* Digits at the beginning of a text; *ret_rest is what follows them. */
static int digits_parse(const char *text, const char **ret_rest, __u64 *ret)
{
	__u64 value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (__u64)(*at - '0'), &value))
			return -EINVAL;
	if (at == text || (*text == '0' && at > text + 1))
		return -EINVAL;
	*ret_rest = at;
	*ret = value;
	return 0;
}

int number_parse(const char *text, __u64 *ret)
{
	const char *rest;
	__u64 value;

	if (digits_parse(text, &rest, &value) || *rest)
		return -EINVAL;
	*ret = value;
	return 0;
}

int duration_parse(const char *text, __u64 *ret_ms)
{
	const char *rest;
	__u64 value;
	size_t i;

	if (digits_parse(text, &rest, &value))
		return -EINVAL;
	if (!*rest)
		rest = "s";
	for (i = 0; i < UNITS; i++)
		if (!strcmp(units[i].unit, rest))
			break;
	if (i == UNITS || __builtin_mul_overflow(value, units[i].ms, &value))
		return -EINVAL;
	*ret_ms = value;
	return 0;
}

const char *duration_format(__u64 ms, char text[DURATION_TEXT_BYTES])
{
	size_t i;

	for (i = 0; i < UNITS; i++)
		if (ms && !(ms % units[i].ms))
			break;
	if (i == UNITS)
		snprintf(text, DURATION_TEXT_BYTES, "0");
	else
		snprintf(text, DURATION_TEXT_BYTES, "%llu%s", (unsigned long long)(ms / units[i].ms), units[i].unit);
	return text;
}
