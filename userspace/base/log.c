// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The log on stderr. One write() a line, so that threads and the kernel's pipe keep lines whole.
 * Not here: what is worth a line.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static struct {
	pthread_mutex_t lock;
	int level;
	bool prefix;
	__u64 count[LOG_LEVELS];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO, .prefix = true};

void log_open(int level)
{
	pthread_mutex_lock(&logger.lock);
	logger.level = level;
	logger.prefix = !isatty(STDERR_FILENO);
	pthread_mutex_unlock(&logger.lock);
}

void log_level_set(int level)
{
	pthread_mutex_lock(&logger.lock);
	logger.level = level;
	pthread_mutex_unlock(&logger.lock);
}

__u64 log_count(int level)
{
	__u64 count;

	pthread_mutex_lock(&logger.lock);
	count = level >= 0 && level < LOG_LEVELS ? logger.count[level] : 0;
	pthread_mutex_unlock(&logger.lock);
	return count;
}

/* Whether the site may write now; *ret_left_out: lines swallowed in the window that has just ended. */
static bool site_allows(struct log_site *site, __u32 *ret_left_out)
{
	__u64 now_ms = mono_now().ns / 1000000;

	*ret_left_out = 0;
	if (!site->window_ms || now_ms - site->window_ms >= LOG_WINDOW_MS) {
		*ret_left_out = site->left_out;
		site->window_ms = now_ms;
		site->written = 0;
		site->left_out = 0;
	}
	if (site->written >= LOG_BURST) {
		site->left_out++;
		return false;
	}
	site->written++;
	return true;
}

/* A log line is one line: what a peer or a file smuggled in must not start another. */
static void line_flatten(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = ' ';
}

static void line_write(char *line, size_t len)
{
	ssize_t n;

	line[len] = '\n';
	n = write(STDERR_FILENO, line, len + 1);
	(void)n; /* there is nowhere to say that the log is gone */
}

void log_at(struct log_site *site, int level, const char *fmt, ...)
{
	char line[LOG_LINE_BYTES];
	size_t start = 0, used;
	__u32 left_out;
	va_list ap;

	if (level < 0 || level >= LOG_LEVELS)
		level = LOG_ERR;
	pthread_mutex_lock(&logger.lock);
	if (level > logger.level)
		goto out;
	logger.count[level]++;
	if (!site_allows(site, &left_out))
		goto out;
	if (logger.prefix)
		start = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	va_start(ap, fmt);
	vsnprintf(line + start, sizeof(line) - start - 64, fmt, ap);
	va_end(ap);
	line_flatten(line + start);
	used = strlen(line);
	if (used >= sizeof(line) - 65) {
		memcpy(line + used, "...", 4);
		used += 3;
	}
	if (left_out)
		used += (size_t)snprintf(line + used, sizeof(line) - used - 1, " left_out=%u", left_out);
	line_write(line, used);
out:
	pthread_mutex_unlock(&logger.lock);
}
