// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests on their way through the threads. Not here: what commands do.
 */
#include "daemon/task.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/agree.h"
#include "daemon/apply.h"
#include "daemon/audit.h"
#include "daemon/handlers.h"
#include "daemon/stream.h"

#define TASK_ROWS_AT_ONCE 64 /* longer answers are the scribe's */

static void task_free(struct task *t)
{
	if (!t)
		return;
	request_free(&t->request);
	config_free(t->wanted);
	table_free(t->table);
	page_tables_free(&t->pages);
	buf_free(&t->answer);
	free(t->line);
	free(t->file_text);
	free(t);
}

void task_fail(struct task *t, enum request_fault fault, const struct err *err)
{
	t->fault = fault;
	t->err = *err;
	buf_clear(&t->answer);
	request_error_answer(fault, err, &t->answer);
}

static void table_write(struct task *t, struct table *table)
{
	if (!table || table_error(table))
		t->answer.failed = true;
	else
		table_dump(table, &t->answer);
	if (!buf_error(&t->answer) && t->answer.len && t->answer.text[t->answer.len - 1] != '\n')
		buf_putc(&t->answer, '\n');
	table_free(table);
}

void task_answer(struct task *t, struct table *table)
{
	if (table && table_rows(table) > TASK_ROWS_AT_ONCE)
		t->table = table;
	else
		table_write(t, table);
}

int task_show(struct task *t, struct table *table, int rc, struct err *err)
{
	if (!rc && table_error(table))
		rc = err_set(err, ENOMEM, "no memory for the answer");
	if (rc)
		table_free(table);
	else
		task_answer(t, table);
	return rc;
}

void task_answer_metrics(struct task *t, struct page_tables *tables)
{
	t->pages = *tables;
	tables->count = 0;
}

void task_words(const struct task *t, struct buf *out)
{
	if (t->signalled)
		buf_puts(out, "SIGHUP");
	for (size_t i = 0; i < t->request.word_count; i++)
		buf_printf(out, "%s%s", i ? " " : "", t->request.words[i]);
}

/* A change that was made; a probe counts for nothing. */
static void task_audit(const struct task *t)
{
	struct buf words = BUF_INIT;

	if (t->fault != FAULT_NONE || t->renewed || t->request.dry_run || !command_mutates(&t->command) ||
	    t->command.id == COMMAND_HEALTH_PROBE)
		return;
	task_words(t, &words);
	if (t->applied.generation)
		buf_printf(&words, ": generation %u", t->applied.generation);
	audit_note(t->d->audit, t->by, "%s", buf_text(&words));
	buf_free(&words);
}

/* On the loop: the answer goes out, or to the log. */
static void task_finish(void *arg)
{
	struct task *t = arg;
	struct daemon *d = t->d;
	struct control *control = t->signalled ? NULL : d->control[t->socket];
	size_t len;
	char *bytes;

	task_audit(t);
	if (t->fault != FAULT_NONE)
		d->request_failures += !t->signalled;
	if (t->fault != FAULT_NONE && t->command.id == COMMAND_CONFIG_APPLY && !t->request.dry_run &&
	    !t->peer.read_only)
		apply_refused(d);
	if (t->fault == FAULT_NONE && t->applied.generation)
		d->applied = t->applied;
	if (t->signalled && t->fault != FAULT_NONE)
		log_error("config: %s is not applied, nothing was changed: %s", d->options.file, t->err.text);
	if (control) {
		bytes = buf_take(&t->answer, &len);
		control_answer(control, t->peer.client, bytes, len);
	}
	task_free(t);
}

/* On the scribe's thread. */
static void task_write(void *arg)
{
	struct task *t = arg;

	if (t->pages.count) {
		t->table = table_new(KIND_METRIC);
		for (size_t i = 0; t->table && i < t->pages.count; i++)
			table_samples(t->pages.table[i], t->command.prefix, t->table);
	}
	table_write(t, t->table);
	t->table = NULL;
	loop_post(t->d->loop, task_finish, t);
}

void task_end(struct task *t, int rc, struct err *err)
{
	if (rc && t->fault == FAULT_NONE) {
		if (!err->text[0])
			err_set(err, -rc, "%s", strerror(-rc));
		task_fail(t, rc == -ENOENT ? FAULT_NOT_FOUND : FAULT_REFUSED, err);
	}
	if (t->fault != FAULT_NONE || (!t->table && !t->pages.count))
		loop_post(t->d->loop, task_finish, t);
	else if (workers_post(t->d->scribe, task_write, t))
		task_write(t);
}

/* On the plane's thread; without a plane the daemon is stopping. */
static void task_run(struct plane *p, void *arg)
{
	struct task *t = arg;
	handler_fn *handler = handler_find(t->command.id);
	struct err err = {0};
	int rc;

	if (!p || !handler)
		rc = err_set(&err, ESHUTDOWN, "the daemon is stopping");
	else
		rc = handler(p, t, &err);
	if (rc != -EINPROGRESS)
		task_end(t, rc, &err);
}

/* Shows that may have a great many rows, or look at a great many cells. */
static bool task_shows(const struct task *t)
{
	switch (t->command.id) {
	case COMMAND_VIP_SHOW:
	case COMMAND_VIP_TABLE:
	case COMMAND_BACKEND_SHOW:
	case COMMAND_HEALTH_SHOW:
	case COMMAND_FLOW_SHOW:
	case COMMAND_METRIC_SHOW:
	case COMMAND_CONFIG_DIFF:
		return true;
	default:
		return false;
	}
}

static void task_post(struct task *t)
{
	enum plane_queue queue = PLANE_URGENT;
	unsigned int flags = command_info(t->command.id)->flags;
	struct err err = {0};

	if (agree_takes(t->d->agree, t))
		return;
	if ((flags & COMMAND_CONFIG) || ((flags & COMMAND_MUTATES) && !(flags & COMMAND_OVERRIDE)))
		queue = PLANE_NORMAL;
	else if (task_shows(t))
		queue = PLANE_SHOW;
	if (!handler_find(t->command.id)) {
		err_set(&err, EINVAL, "%s %s is done by the command line tool, not by the daemon",
			command_info(t->command.id)->object, command_info(t->command.id)->verb);
	} else {
		if (t->d->plane && !plane_post(t->d->plane, queue, task_run, t))
			return;
		err_set(&err, ESHUTDOWN, "the daemon is stopping");
	}
	task_fail(t, FAULT_REFUSED, &err);
	task_finish(t);
}

static void stream_begin(void *arg)
{
	struct task *t = arg;

	stream_start(t->d, t);
	task_free(t);
}

/* On the plane's thread: nobody shall watch in vain for a VIP that is none. */
static void stream_vet(struct plane *p, void *arg)
{
	struct task *t = arg;
	struct err err = {0};
	int rc = 0;

	if (!p)
		rc = err_set(&err, ESHUTDOWN, "the daemon is stopping");
	else if (t->command.vip[0] && !config_vip(plane_config(p), t->command.vip))
		rc = config_vip_none(plane_config(p), t->command.vip, &err);
	if (rc)
		task_fail(t, rc == -ENOENT ? FAULT_NOT_FOUND : FAULT_REFUSED, &err);
	loop_post(t->d->loop, rc ? task_finish : stream_begin, t);
}

static void stream_post(struct task *t)
{
	struct err err = {0};

	if (t->d->plane && !plane_post(t->d->plane, PLANE_URGENT, stream_vet, t))
		return;
	err_set(&err, ESHUTDOWN, "the daemon is stopping");
	task_fail(t, FAULT_REFUSED, &err);
	task_finish(t);
}

static void on_prepared(void *arg)
{
	struct task *t = arg;

	if (t->answer.len || t->answer.failed || t->fault != FAULT_NONE) {
		task_finish(t);
	} else if (command_info(t->command.id)->flags & COMMAND_STREAMS) {
		stream_post(t);
	} else if (t->command.id == COMMAND_NODE_AUDIT) {
		handle_node_audit(t);
	} else {
		task_post(t);
	}
}

static void user_name(uid_t uid, char *user, size_t room)
{
	struct passwd pw, *found = NULL;
	char scratch[4096];

	if (!getpwuid_r(uid, &pw, scratch, sizeof(scratch), &found) && found)
		snprintf(user, room, "%s", pw.pw_name);
	else
		snprintf(user, room, "uid %u", uid);
}

/* On a worker thread: everything whose cost depends on what the client sent. */
static void on_prepare(void *arg)
{
	struct task *t = arg;
	struct err err = {0};
	char user[32];

	if (t->signalled) {
		task_config_load(t);
		return;
	}
	user_name(t->peer.uid, user, sizeof(user));
	daemon_by(t->d, user, t->by);
	if (request_parse(t->line, t->len, &t->request, &err) ||
	    command_parse(t->request.words, t->request.word_count, &t->command, NULL, &err)) {
		task_fail(t, FAULT_USAGE, &err);
		return;
	}
	if (t->peer.read_only && command_mutates(&t->command) && !t->request.dry_run) {
		err_set(&err, EACCES, "this socket is read-only: use %s/control.sock", t->d->run_dir);
		task_fail(t, FAULT_READ_ONLY, &err);
		return;
	}
	if (command_info(t->command.id)->flags & COMMAND_FILE)
		task_config_load(t);
	if (t->fault == FAULT_NONE)
		handler_prepare(t);
}

static void task_start(struct task *t)
{
	struct err err = {0};

	t->known = t->d->applied;
	if (!loop_work(t->d->loop, on_prepare, on_prepared, t))
		return;
	err_set(&err, ENOMEM, "no memory to work on the request");
	task_fail(t, FAULT_FAILED, &err);
	task_finish(t);
}

void task_request(void *arg, struct control *control, const struct control_peer *peer, char *line, size_t len)
{
	struct daemon *d = arg;
	struct task *t = calloc(1, sizeof(*t));

	d->requests++;
	if (!t) {
		free(line);
		control_answer(control, peer->client, NULL, 0);
		return;
	}
	t->d = d;
	t->socket = peer->read_only ? SOCKET_READ : SOCKET_CONTROL;
	t->peer = *peer;
	t->line = line;
	t->len = len;
	task_start(t);
}

void task_reload(struct daemon *d)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return;
	t->d = d;
	t->signalled = true;
	t->command.id = COMMAND_CONFIG_APPLY;
	daemon_by(d, "SIGHUP", t->by);
	task_start(t);
}
