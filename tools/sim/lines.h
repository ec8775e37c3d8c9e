/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines of a table that take long: computed side by side, printed in their order. Not here: what they say.
 */
#ifndef TOOLS_SIM_LINES_H
#define TOOLS_SIM_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Print line @i. Return: whether a figure is missed. What it does to memory is lost. */
typedef bool lines_fn(size_t i, const void *arg);

/**
 * lines_run() - print @count lines, each computed in a process of its own, as many at once as there are CPUs
 *
 * Those that the process may run on count: under `taskset -c 0` it is one. It has to have one thread.
 * Return: whether a figure is missed; a line that cannot be computed says so, and counts as well.
 */
bool lines_run(size_t count, lines_fn *line, const void *arg);

#endif
