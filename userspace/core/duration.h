/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers and durations as words: strict, one form each. Not here: ranges of options.
 */
#ifndef STARLING_CORE_DURATION_H
#define STARLING_CORE_DURATION_H

#include <linux/types.h>

#define DURATION_TEXT_BYTES 24

/**
 * number_parse() - decimal digits and nothing else, no leading zeros
 *
 * Return: 0, or -EINVAL (also beyond 64 bits) with *ret untouched.
 */
int number_parse(const char *text, __u64 *ret);

/**
 * duration_parse() - a number with ms, s, m, h or d; bare = seconds
 * @ret_ms:	milliseconds; untouched on failure
 *
 * Return: 0, or -EINVAL (also beyond 64 bits).
 */
int duration_parse(const char *text, __u64 *ret_ms);

/* In the largest unit that leaves no remainder, "0" for 0; returns @text. */
const char *duration_format(__u64 ms, char text[DURATION_TEXT_BYTES]);

#endif
