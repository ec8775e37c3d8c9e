// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See lines.h.
 */
#include "lines.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 64

/* A line on its way: its process, and the file that it writes to. */
struct way {
	pid_t pid;
	FILE *out;
	bool over, missed;
};

static size_t cpus(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return count < CPUS_MAX ? (size_t)count : CPUS_MAX;
}

static void way_begin(struct way *way, size_t i, lines_fn *line, const void *arg)
{
	bool missed;

	fflush(stdout);
	way->out = tmpfile();
	way->pid = way->out ? fork() : -1;
	way->over = way->missed = way->pid < 0;
	if (way->pid < 0)
		printf("line %zu: no process for it\n", i + 1);
	if (way->pid)
		return;
	if (dup2(fileno(way->out), STDOUT_FILENO) < 0)
		_exit(2);
	missed = line(i, arg);
	_exit(fflush(stdout) ? 2 : missed);
}

/* Whichever is ready first. */
static void way_wait(struct way *way, size_t count)
{
	int status;
	pid_t pid = wait(&status);

	for (size_t i = 0; i < count; i++) {
		if (way[i].over || (pid > 0 && way[i].pid != pid))
			continue;
		way[i].over = true;
		way[i].missed = pid < 0 || status;
	}
}

static bool way_print(struct way *way)
{
	char text[4096];
	size_t len;

	if (!way->out)
		return way->missed;
	rewind(way->out);
	while ((len = fread(text, 1, sizeof(text), way->out)))
		fwrite(text, 1, len, stdout);
	fclose(way->out);
	return way->missed;
}

bool lines_run(size_t count, lines_fn *line, const void *arg)
{
	struct way *way = calloc(count, sizeof(*way));
	size_t begun = 0, printed = 0, over = 0, most = cpus(), i;
	bool missed = !way;

	while (way && printed < count) {
		for (; begun < count && begun - over < most; begun++)
			way_begin(&way[begun], begun, line, arg);
		way_wait(way, begun);
		for (over = i = 0; i < begun; i++)
			over += way[i].over;
		for (; printed < begun && way[printed].over; printed++)
			missed |= way_print(&way[printed]);
	}
	free(way);
	return missed;
}
