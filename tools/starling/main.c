// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * starling, the command. Not here: its parts (starling.h lists them).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "starling.h"

static int words_run(struct run *run, const char *const *words, size_t count)
{
	if (run->options.completion)
		return completion_print(run->options.completion);
	if (run->options.complete)
		return completion_words(words, count);
	if (run->options.help)
		return help_run(run, count ? words[0] : NULL);
	if (run->options.version)
		return version_run(run);
	if (!count || !words[0]) {
		fputs(options_usage(), stderr);
		return request_fault_status(FAULT_USAGE);
	}
	if (run->options.watch_s > 0 && strcmp(words[0], "top"))
		return watch_run(run, words, count);
	return run_words(run, words, count);
}

int main(int argc, char **argv)
{
	struct run run = {0};
	struct err err = {0};
	const char **words;
	int first, status, i;

	signal(SIGPIPE, SIG_DFL);
	first = options_parse(argc, argv, &run.options, &err);
	render_prepare(&run);
	if (first < 0) {
		status = render_error(&run, FAULT_USAGE, &err);
		if (!run.options.json)
			fputs(options_usage(), stderr);
		return status;
	}
	words = calloc((size_t)(argc - first) + 1, sizeof(*words));
	if (!words)
		return 1;
	for (i = first; i < argc; i++)
		words[i - first] = argv[i];
	status = words_run(&run, words, (size_t)(argc - first));
	connection_close(run.connection);
	free(words);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "starling: cannot write the output\n");
		return status ? status : 1;
	}
	return status;
}
