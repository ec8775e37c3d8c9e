/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The log: one line a state change, on stderr, for the journal or for eyes. The only global of
 * the project. Libraries below the daemon do not log: they return a struct err.
 *
 * A line is words and then a tail of key=value pairs. A place in the code that writes more than
 * LOG_BURST lines within LOG_WINDOW_MS falls silent for the rest of it; the first line afterwards
 * says how many were left out.
 */
#ifndef STARLING_BASE_LOG_H
#define STARLING_BASE_LOG_H

#include <linux/types.h>
#include <stdbool.h>
#include <syslog.h>

#define LOG_BURST      20
#define LOG_WINDOW_MS  5000
#define LOG_LINE_BYTES 2048 /* longer lines end in "..." */
#define LOG_LEVELS     8    /* LOG_EMERG .. LOG_DEBUG */

/* One place that logs; static, made by the macros below. */
struct log_site {
	__u64 window_ms; /* when the current window began */
	__u32 written;	 /* lines in it */
	__u32 left_out;
};

/**
 * log_open() - set the level and the form of lines
 * @level:	LOG_* of syslog.h: lines above it are not written
 *
 * Lines carry a "<N>" prefix for journald unless stderr is a terminal.
 */
void log_open(int level);
void log_level_set(int level);

/**
 * log_at() - write one line if the site's rate allows it; use the macros
 * @site:	counts lines of this place
 * @level:	LOG_* of syslog.h
 * @fmt:	the line, without newline
 */
void log_at(struct log_site *site, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

__u64 log_count(int level); /* lines of this level since the start, left out ones included */

#define LOG_SITE(level, ...)                                                                                           \
	do {                                                                                                           \
		static struct log_site log_here;                                                                       \
		log_at(&log_here, level, __VA_ARGS__);                                                                 \
	} while (0)
#define log_error(...)	 LOG_SITE(LOG_ERR, __VA_ARGS__)
#define log_warning(...) LOG_SITE(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 LOG_SITE(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 LOG_SITE(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 LOG_SITE(LOG_DEBUG, __VA_ARGS__)

#endif
