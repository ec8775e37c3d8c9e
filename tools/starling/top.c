// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The busiest backends, refreshed until q. Without a terminal: once. Not here: the values.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "starling.h"

#define TOP_INTERVAL_S 2.0

static int rows_ask(struct run *run, const char *const *words, size_t count, struct table **ret)
{
	const char *line;
	size_t len;
	struct table *t = NULL;
	json_t *json;
	int status = run_request(run, words, count, NULL, NULL, false, &line, &len);

	if (status)
		return status;
	json = json_loadb(line, len, 0, NULL);
	if (table_parse(json, &t, NULL)) {
		status = render_answer(run, NULL, line, len);
		json_decref(json);
		return status ? status : 1;
	}
	json_decref(json);
	*ret = t;
	return 0;
}

/* Head lines of the status, then as many backends as fit. */
static int frame(struct run *run, bool clear)
{
	static const char *const status_words[] = {"status"}, *const top_words[] = {"top"};
	struct table *status_table = NULL, *backends = NULL;
	int status = rows_ask(run, status_words, 1, &status_table);

	if (!status)
		status = rows_ask(run, top_words, 1, &backends);
	if (!status) {
		table_sort(backends, FIELD_BACKEND_packets_per_second, true);
		if (clear)
			fputs("\033[H\033[2J", stdout);
		if (!run->options.json)
			render_table(run, status_table);
		if (!run->options.json)
			putchar('\n');
		render_table(run, backends);
		fflush(stdout);
	}
	table_free(status_table);
	table_free(backends);
	return status;
}

/* Whether q (or the end of the input) came before the next frame is due. */
static bool quits(double interval_s)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char key = 'q';

	if (poll(&p, 1, (int)(interval_s * 1000)) <= 0)
		return false;
	return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
}

int top_run(struct run *run)
{
	double interval_s = run->options.watch_s > 0 ? run->options.watch_s : TOP_INTERVAL_S;
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !run->options.json;
	struct termios before, raw;
	int status;

	if (!terminal || tcgetattr(STDIN_FILENO, &before))
		return frame(run, false);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	do {
		render_prepare(run); /* the terminal may have another size now */
		status = frame(run, true);
	} while (!status && !quits(interval_s));
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return status;
}
