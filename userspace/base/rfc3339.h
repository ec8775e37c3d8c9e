/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Times as text: "2026-11-22T17:13:05.250Z". Pure: libc's gmtime may read files.
 * Not here: clocks (clock.h), local time.
 */
#ifndef STARLING_BASE_RFC3339_H
#define STARLING_BASE_RFC3339_H

#include <linux/types.h>

#define RFC3339_TEXT_BYTES  32
#define RFC3339_UNIX_MS_MAX 253402300799999ULL /* the year 9999 ends: its last millisecond */

/**
 * rfc3339_format() - Unix time to text, UTC, with milliseconds
 * @unix_ms:	milliseconds; larger than RFC3339_UNIX_MS_MAX is taken for it
 *
 * Return: @text.
 */
const char *rfc3339_format(__u64 unix_ms, char text[RFC3339_TEXT_BYTES]);

/**
 * rfc3339_parse() - what rfc3339_format() wrote
 *
 * Return: 0, or -EINVAL with *ret_unix_ms untouched.
 */
int rfc3339_parse(const char *text, __u64 *ret_unix_ms);

#endif
