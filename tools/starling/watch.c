// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A command again and again, until interrupted. Not here: the command.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "starling.h"

int watch_run(struct run *run, const char *const *words, size_t count)
{
	struct timespec pause = {.tv_sec = (time_t)run->options.watch_s};
	int status;

	pause.tv_nsec = (long)((run->options.watch_s - floor(run->options.watch_s)) * 1e9);
	for (;;) {
		if (isatty(STDOUT_FILENO) && !run->options.json)
			fputs("\033[H\033[2J", stdout);
		status = run_words(run, words, count);
		fflush(stdout);
		if (status && status != STATUS_DEGRADED)
			return status;
		nanosleep(&pause, NULL);
	}
}
