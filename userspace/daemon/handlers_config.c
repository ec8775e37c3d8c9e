// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands that change the configuration, or show its text and history. Not here: what a
 * change does (apply), the grammar (core/config_file).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change_rows.h"
#include "daemon/agree.h"
#include "daemon/apply.h"
#include "daemon/handlers.h"
#include "daemon/load.h"

static void change_print(const struct apply_result *result, struct buf *out)
{
	const struct plane_change *c = &result->change;

	if (!result->changes)
		buf_printf(out, "nothing to change: generation %u runs", result->generation);
	else
		buf_printf(out,
			   "generation %u: VIPs %zu added, %zu changed, %zu deleted, %zu unchanged; "
			   "backends %zu added, %zu changed, %zu deleted; slots %llu moved",
			   result->generation, c->vips_added, c->vips_changed, c->vips_deleted, c->vips_unchanged,
			   c->backends_added, c->backends_changed, c->backends_deleted,
			   (unsigned long long)c->slots_moved);
}

/* Applies @wanted, which moves in, and says what became of it. */
static int config_change(struct plane *p, struct task *t, struct config *wanted, bool whole, struct err *err)
{
	struct apply_result result = {0};
	struct buf command = BUF_INIT, message = BUF_INIT;
	struct table *table = t->request.dry_run ? table_new(KIND_CHANGE) : NULL;
	struct apply_how how = {.by = t->by,
				.dry_run = t->request.dry_run,
				.whole = whole,
				.careful = !t->request.dry_run && !t->request.force && !t->signalled};
	int rc;

	task_words(t, &command);
	how.command = buf_text(&command);
	rc = apply_config(t->d, p, wanted, &how, table, &result, err);
	buf_free(&command);
	if (rc || how.dry_run) {
		if (rc)
			table_free(table);
		else
			task_answer(t, table);
		return rc;
	}
	if (result.unkept.code) {
		*err = result.unkept;
		return -EIO;
	}
	if (whole)
		change_print(&result, &message);
	request_message_answer(buf_text(&message), &t->answer);
	buf_free(&message);
	return 0;
}

int handle_config_command(struct plane *p, struct task *t, struct err *err)
{
	struct config *wanted = config_copy(plane_config(p));
	int rc;

	if (!wanted)
		return -ENOMEM;
	rc = config_command(wanted, &t->command, err);
	if (rc) {
		config_free(wanted);
		return rc;
	}
	return config_change(p, t, wanted, false, err);
}

/* Operating state is not configuration: only asked for in so many words it goes. */
static int overrides_reset(struct plane *p, const struct task *t, struct err *err)
{
	int rc = plane_overrides_reset(p);

	if (rc)
		return err_set(err, -rc, "the configuration is applied, but its backends are as they were put aside");
	if (t->d->overrides_unkept)
		return err_set(err, EIO, "it is done, but would not outlive a restart: %s/overrides cannot be written",
			       t->d->state_dir);
	return 0;
}

int handle_config_apply(struct plane *p, struct task *t, struct err *err)
{
	struct config *wanted = NULL;
	const struct generation *last;
	int rc = 0;

	if (command_has(&t->command, ARG_CONFIRM) || command_has(&t->command, ARG_WAVE) ||
	    command_has(&t->command, ARG_DESPITE))
		return err_set(err, EINVAL,
			       "only what a flock agrees on can wait to be confirmed, go in waves, or be run despite a "
			       "node: `starling config "
			       "voters`");
	rc = task_config_take(t, p, &wanted);

	if (!rc && t->signalled)
		rc = agree_own(t->d->agree, p, &wanted);
	if (!rc)
		rc = config_change(p, t, wanted, true, err);
	last = history_last(t->d->history);
	if (!rc && !t->request.dry_run && last)
		t->applied.generation = last->number;
	if (!rc && !t->request.dry_run && command_has(&t->command, ARG_RESET_STATE))
		rc = overrides_reset(p, t, err);
	return rc;
}

int handle_config_diff(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_CHANGE);

	if (!table)
		return -ENOMEM;
	config_changes(plane_config(p), t->wanted, change_row, table);
	return task_show(t, table, plane_show_effects(p, t->wanted, table, err), err);
}

/* The generation that a rollback goes to: the one named, else the one before the running one. */
static int rollback_target(const struct task *t, __u32 *ret, struct err *err)
{
	const struct history *h = t->d->history;
	size_t count = history_count(h);

	if (command_has(&t->command, ARG_GENERATION)) {
		if (!history_find(h, t->command.generation))
			return err_set(err, ENOENT, "generation %u is not in the history", t->command.generation);
		*ret = t->command.generation;
		return 0;
	}
	if (count < 2)
		return err_set(err, ENOENT, "there is no earlier configuration");
	*ret = history_at(h, count - 2)->number;
	return 0;
}

int handle_config_rollback(struct plane *p, struct task *t, struct err *err)
{
	struct err_list errors = {0};
	struct config *wanted = NULL;
	char *text = NULL, file[32];
	size_t len = 0;
	__u32 number = 0;
	int rc = rollback_target(t, &number, err);

	if (!rc)
		rc = history_text(t->d->history, number, &text, &len, err);
	if (rc)
		return rc;
	snprintf(file, sizeof(file), "generation %u", number);
	rc = load_parse_agreed(text, len, file, &t->d->limits, &wanted, &errors);
	free(text);
	if (rc && errors.count)
		task_fail_list(t, &errors);
	err_list_free(&errors);
	return rc ? rc : config_change(p, t, wanted, true, err);
}

int handle_config_history(struct plane *p, struct task *t, struct err *err)
{
	const struct generation *last = history_last(t->d->history);
	struct table *table = table_new(KIND_HISTORY);
	int rc = 0;

	(void)p;
	if (!table)
		return -ENOMEM;
	if (agree_on(t->d->agree))
		rc = agree_history(t->d->agree, table);
	else
		history_rows(t->d->history, last ? last->number : 0, table);
	return task_show(t, table, rc, err);
}

/* But for a change of it, which waits for others: agree_takes(). */
int handle_config_level(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_LEVEL);

	(void)p;
	return table ? task_show(t, table, agree_levels(t->d->agree, table), err) : -ENOMEM;
}

int handle_config_show(struct plane *p, struct task *t, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	(void)err;
	config_export(plane_config(p), &text);
	rc = handler_text(t, &text);
	buf_free(&text);
	return rc;
}
