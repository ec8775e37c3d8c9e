// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands from a file, in order, over one connection, up to the first error. Not here: what
 * they do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lex.h"
#include "starling.h"

int batch_run(struct run *run, const char *file)
{
	const char *name = strcmp(file, "-") ? file : "stdin";
	struct lex_line *line = calloc(1, sizeof(*line));
	struct err err = {0};
	struct lex lex;
	char *text = NULL;
	size_t len = 0;
	int rc, status = 0;

	if (run->in_batch || !line) {
		free(line);
		err_set(&err, EINVAL, "a batch cannot run another batch");
		return render_error(run, FAULT_USAGE, &err);
	}
	if (file_read(file, &text, &len, &err)) {
		free(line);
		return render_error(run, FAULT_REFUSED, &err);
	}
	run->in_batch = true;
	lex_begin(&lex, text, len, name);
	while (!status && (rc = lex_next(&lex, line, &err)) != 0) {
		if (rc < 0) {
			status = render_error(run, FAULT_USAGE, &err);
			break;
		}
		status = run_words(run, line->word, line->count);
		fflush(stdout);
	}
	if (status && !run->options.json)
		fprintf(stderr, "%s:%d: the batch stops here\n", name, rc < 0 ? err.line : line->place[0].line);
	if (!status && run->draft)
		status = draft_end(run);
	draft_free(run->draft);
	run->draft = NULL;
	run->in_batch = false;
	free(text);
	free(line);
	return status;
}
