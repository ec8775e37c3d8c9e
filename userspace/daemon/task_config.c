// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The configuration that a request works on: its text, sent along or from the daemon's own file,
 * and what it says. Not here: applying it.
 *
 * Most texts that are applied have been applied before: configuration management sends the same
 * one every half hour. So a text whose digest is that of the last one is not parsed, if at its
 * turn the generation that came of it still runs (and nothing that could not be kept as one).
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/agree.h"
#include "daemon/load.h"
#include "daemon/task.h"

#define TASK_LOGGED_ERRORS 10 /* of one bad file */

static void errors_log(const struct err_list *errors)
{
	size_t i;

	for (i = 0; i < errors->count && i < TASK_LOGGED_ERRORS; i++) {
		const struct err *err = &errors->err[i];

		if (err->line)
			log_error("%s:%d:%d: %s", err->file, err->line, err->column, err->text);
		else
			log_error("%s", err->text);
	}
}

void task_fail_list(struct task *t, const struct err_list *errors)
{
	json_t *json = json_object(), *list = json_array();
	char *text;
	size_t i;

	t->fault = FAULT_CONFIGURATION;
	t->err = errors->err[0];
	if (t->signalled)
		errors_log(errors);
	for (i = 0; i < errors->count; i++)
		json_array_append_new(list, request_error_json(FAULT_CONFIGURATION, &errors->err[i]));
	json_object_set_new(json, "error", request_error_json(FAULT_CONFIGURATION, &errors->err[0]));
	json_object_set_new(json, "errors", list);
	json_object_set_new(json, "more", json_integer((json_int_t)errors->more));
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	buf_clear(&t->answer);
	if (text)
		buf_printf(&t->answer, "%s\n", text);
	free(text);
}

/* What the whole is called in errors, and its text; -ENOENT, -EBADMSG: there is none. */
static int text_load(struct task *t, struct err_list *errors)
{
	struct err err = {0};
	int rc;

	t->source = t->request.file ? t->request.file : "";
	t->text = t->request.text;
	t->text_len = t->request.text_len;
	if (t->text)
		return 0;
	if (t->command.file)
		return -EBADMSG;
	if (!t->d->options.file)
		return -ENOENT;
	t->source = t->d->options.file;
	rc = load_text(t->source, &t->file_text, &t->text_len, &err);
	if (rc)
		err_list_add(errors, &err);
	t->text = t->file_text;
	return rc;
}

static bool text_known(struct task *t)
{
	struct applied *a = &t->applied, *known = &t->known;

	if (t->command.id != COMMAND_CONFIG_APPLY || (t->signalled && agree_on(t->d->agree)))
		return false;
	crypto_generichash(a->digest, sizeof(a->digest), (const unsigned char *)t->text, t->text_len, NULL, 0);
	return known->generation && !memcmp(a->digest, known->digest, sizeof(a->digest));
}

static void load_fail(struct task *t, int rc, const struct err_list *errors)
{
	struct err err = {0};

	if (errors->count) {
		task_fail_list(t, errors);
		return;
	}
	err_set(&err, -rc, "%s",
		rc == -ENOENT	 ? "give a FILE: the daemon was started without one"
		: rc == -EBADMSG ? "the request names a FILE, but its text did not come with it"
				 : strerror(-rc));
	task_fail(t, FAULT_REFUSED, &err);
}

void task_config_load(struct task *t)
{
	struct err_list errors = {0};
	int rc = text_load(t, &errors);

	if (!rc && t->command.id == COMMAND_HEALTH_VERIFY)
		rc = load_parse_agreed(t->text, t->text_len, t->source, &t->d->limits, &t->wanted, &errors);
	else if (!rc && !text_known(t))
		rc = load_parse(t->text, t->text_len, t->source, &t->d->limits, &t->wanted, &errors);
	if (rc)
		load_fail(t, rc, &errors);
	err_list_free(&errors);
}

int task_config_take(struct task *t, struct plane *p, struct config **ret)
{
	const struct generation *last = history_last(t->d->history);
	struct err_list errors = {0};
	int rc = 0;

	*ret = t->wanted;
	t->wanted = NULL;
	if (*ret)
		return 0;
	if (last && last->number == t->known.generation && t->d->applied_ms && !t->d->unkept) {
		*ret = config_copy(plane_config(p));
		return *ret ? 0 : -ENOMEM;
	}
	rc = load_parse(t->text, t->text_len, t->source, &t->d->limits, ret, &errors);
	if (rc)
		load_fail(t, rc, &errors);
	err_list_free(&errors);
	return rc;
}
