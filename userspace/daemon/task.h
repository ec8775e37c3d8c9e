/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One request of the control sockets on its way: read on the loop, parsed on a worker thread,
 * done on the plane's thread, answered on the loop. Not here: what commands do (handlers).
 */
#ifndef STARLING_DAEMON_TASK_H
#define STARLING_DAEMON_TASK_H

#include "base/buf.h"
#include "core/command.h"
#include "core/config_file.h"
#include "core/request.h"
#include "core/table.h"
#include "daemon/daemon.h"
#include "daemon/pages.h"

struct task {
	struct daemon *d;
	enum daemon_socket socket;
	bool renewed;	/* a lease that was had is had again, by the same number: the audit log does not want it */
	bool signalled; /* no client asks: SIGHUP did; the outcome is logged */
	struct control_peer peer;
	char by[HISTORY_BY_BYTES];
	char *line; /* owned */
	size_t len;
	struct request request;
	struct command command;
	const char *text; /* of a configuration: of the request or of the daemon's file; NULL: none */
	size_t text_len;
	const char *source;	  /* where it is from */
	char *file_text;	  /* owned */
	struct applied known;	  /* the text applied last when the request came */
	struct applied applied;	  /* what is known if this one succeeds; generation 0: nothing new */
	struct config *wanted;	  /* owned: what the text says; NULL if it is the one that is known */
	struct table *table;	  /* owned: rows that the scribe is to write */
	struct page_tables pages; /* the same of metrics */
	struct buf answer;	  /* what to send: whole lines */
	enum request_fault fault; /* FAULT_NONE: it went well */
	struct err err;		  /* the first error */
};

/* Hook of the control sockets. @arg: the daemon. */
void task_request(void *arg, struct control *control, const struct control_peer *peer, char *line, size_t len);

/* Read the daemon's file again and apply it, as `config apply` does; the outcome goes to the log. */
void task_reload(struct daemon *d);

/* On any thread: what @rc and @err say, or the answer, goes out; the task is gone then. */
void task_end(struct task *t, int rc, struct err *err);

/* What asked for it, in the words that were typed. */
void task_words(const struct task *t, struct buf *out);

/* Make the answer an error. */
void task_fail(struct task *t, enum request_fault fault, const struct err *err);
void task_fail_list(struct task *t, const struct err_list *errors);

/* On a worker thread: fetch the text and parse it, unless it is the one applied last. A failure is in t->fault. */
void task_config_load(struct task *t);

/**
 * task_config_take() - what the text of the request says, in its turn
 * @ret:	the caller's now
 *
 * Return: 0, -ENOMEM, or what parsing gave, with t->fault set.
 */
int task_config_take(struct task *t, struct plane *p, struct config **ret);

/* Make the answer a table's rows, of metrics those that begin with the command's prefix; the tables move in. */
void task_answer_metrics(struct task *t, struct page_tables *tables);

/* Make the answer a table's rows; frees the table. */
void task_answer(struct task *t, struct table *table);

/* Ends a show: the rows are the answer, unless @rc or they say what was in their way. Return: 0 or -errno. */
int task_show(struct task *t, struct table *table, int rc, struct err *err);

#endif
