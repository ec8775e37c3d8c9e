/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the parts of the command line tool share. Not here: the grammar (core/command), what
 * fields look like (core/catalog), what commands do (the daemon).
 */
#ifndef STARLING_TOOL_STARLING_H
#define STARLING_TOOL_STARLING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/command.h"
#include "core/config_file.h"
#include "core/request.h"
#include "core/table.h"

#define OPTIONS_SOCKET_ENV "STARLING_SOCKET"
#define STATUS_DEGRADED	   5 /* exit status of `status`, beside those of core/request.h */

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	bool json, pretty, dry_run, force, numeric, details;
	const char *socket; /* NULL: found */
	double watch_s;	    /* 0: once */
	double timeout_s;   /* 0: none */
	enum color color;
	bool help, version;
	const char *completion; /* shell to print a script for */
	bool complete;		/* print what may follow the words */
};

struct connection;
struct draft;

/* One run of the tool; or one command of a batch. */
struct run {
	struct options options;
	struct connection *connection; /* NULL until a command needs the daemon */
	struct render_options render;
	bool in_batch;
	struct draft *draft; /* of a batch's dry run; NULL: nothing would be changed yet */
};

/* options.c. Return: index of the first word, or -EINVAL with @err. */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);
const char *options_usage(void); /* in short, for misuse */
const char *options_help(void);	 /* what each means */

/* connect.c: requests to the daemon. Errors are sentences; -ETIMEDOUT, -ENOENT, -errno of the socket. */
int connection_open(const struct options *options, struct connection **ret, struct err *err);
int connection_send(struct connection *c, const char *bytes, size_t len, struct err *err);
/* One line without its newline, borrowed until the next call. @stream: wait without end. -EPIPE: the other side closed.
 */
int connection_line(struct connection *c, bool stream, const char **ret_line, size_t *ret_len, struct err *err);
void connection_close(struct connection *c); /* NULL is fine */

/* render.c: everything that is printed. Each returns an exit status. */
void render_prepare(struct run *run);
int render_answer(const struct run *run, const struct command *command, const char *line, size_t len);
int render_error(const struct run *run, enum request_fault fault, const struct err *err);
int render_errors(const struct run *run, const struct err_list *errors);
int render_table(const struct run *run, const struct table *t);
int render_text(const struct run *run, const char *key, const char *text);
bool render_stream_line(const struct run *run, const char *line, size_t len); /* whether it is a row */

/* run.c: one command, from words to an exit status. */
int run_words(struct run *run, const char *const *words, size_t count);
/* Ask the daemon once. Return: 0 with a borrowed line, or an exit status after an error was printed. */
int run_request(struct run *run, const char *const *words, size_t count, const char *text, const char *file,
		bool stream, const char **ret_line, size_t *ret_len);

/* draft.c: the dry run of a batch. Each returns an exit status. */
bool draft_takes(const struct run *run, const struct command *command);
int draft_run(struct run *run, const struct command *command); /* a line of it */
int draft_end(struct run *run);				       /* prints what all of them would change */
void draft_free(struct draft *draft);

/* file.c: FILE or - . The text is the caller's. */
int file_read(const char *path, char **ret_text, size_t *ret_len, struct err *err);

/* One file each. */
int batch_run(struct run *run, const char *file);
int check_run(struct run *run, const char *file);
int top_run(struct run *run);
int watch_run(struct run *run, const char *const *words, size_t count);
int help_run(struct run *run, const char *topic);
int version_run(struct run *run);
int completion_print(const char *shell);
int completion_words(const char *const *words, size_t count);

#endif
