// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What libbpf has to say, kept for the error instead of printed. Not here: the error's sentence.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/dataplane_private.h"

/* libbpf has one print function a process and no argument for it; each thread has its own log. */
static _Thread_local struct dataplane_log *current;

__attribute__((format(printf, 2, 0))) static int log_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	const size_t room = sizeof(current->text) - 1;
	size_t len, keep;
	char *words;
	int n;

	if (level == LIBBPF_DEBUG || !current)
		return 0;
	n = vasprintf(&words, fmt, ap);
	if (n < 0)
		return 0;
	/* The verifier's log comes as one text, longer than this: its end is what counts. */
	len = (size_t)n < room ? (size_t)n : room;
	keep = current->used < room - len ? current->used : room - len;
	memmove(current->text, current->text + (current->used - keep), keep);
	memcpy(current->text + keep, words + ((size_t)n - len), len);
	current->used = keep + len;
	current->text[current->used] = '\0';
	free(words);
	return 0;
}

void dataplane_log_begin(struct dataplane_log *log)
{
	log->used = 0;
	log->text[0] = '\0';
	current = log;
	libbpf_set_print(log_print);
}

void dataplane_log_end(void)
{
	current = NULL;
}

/* Copies the line that starts at @from, without libbpf's prefix. */
static void log_line(const char *from, char *text, size_t bytes)
{
	size_t len = strcspn(from, "\n");

	snprintf(text, bytes, "%.*s", (int)len, from);
}

void dataplane_log_reason(const struct dataplane_log *log, char *text, size_t bytes)
{
	static const char kernel[] = "Kernel error message: ";
	const char *at = strstr(log->text, kernel), *line, *last = NULL;

	text[0] = '\0';
	if (at) {
		log_line(at + sizeof(kernel) - 1, text, bytes);
		return;
	}
	at = strstr(log->text, "\nprocessed ");
	if (!at)
		at = strstr(log->text, "-- END PROG LOAD LOG --");
	if (at) {
		/* The verifier's last line before its statistics. */
		for (line = log->text; line && line < at; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
			if (*line != '\n' && strncmp(line, "processed ", 10) && strncmp(line, "-- END", 6))
				last = line;
	} else {
		for (line = log->text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
			if (!last)
				last = line;
		if (last && !strncmp(last, "libbpf: ", 8))
			last += 8;
	}
	if (last)
		log_line(last, text, bytes);
}
