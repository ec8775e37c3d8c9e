// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which commands the flock has to agree on, and the threads that they wait on. Not here: what becomes of them
 * (agree_change.c, agree_propose.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/agree_edit.h"

/* Where the roster gives the role admin to some, these change what is agreed; signatures of changes are judged besides.
 */
static int admin_check(struct agree *a, struct err *err)
{
	struct roster roster = {0};
	int rc = peers_roster_copy(a->d->peers, &roster);
	bool admins = false, self = false;

	for (size_t i = 0; i < roster.count; i++) {
		bool is = roster.node[i].roles & ROLE_ADMIN;

		admins = admins || is;
		self = self || (is && roster.node[i].id == peers_self(a->d->peers));
	}
	roster_free(&roster);
	if (!rc && admins && !self)
		rc = err_set(err, EACCES, "the roster gives the role admin to others: do it there");
	return rc;
}

/* What needs nobody's answer but the voters' does not wait for a change that goes through its waves. */
static bool is_quick(struct agree *a, const struct task *t)
{
	if (t->command.id == COMMAND_NODE_LEASE || t->command.id == COMMAND_CONFIG_CONFIRM ||
	    t->command.id == COMMAND_ROSTER_HISTORY)
		return true;
	if (t->command.id != COMMAND_CONFIG_ROLLBACK || command_has(&t->command, ARG_GENERATION))
		return false;
	return agree_pending(a);
}

/* The first thing to go back from is what waits to be confirmed. */
static int take_back(struct edit *e, struct err *err)
{
	int rc = e->t->request.dry_run ? 0 : agree_take_back(e->a, &e->base_intent, err);
	char message[96];

	if (rc)
		return err->text[0] ? rc : err_set(err, -rc, "it was confirmed, or taken back, just now");
	snprintf(message, sizeof(message), "generation %u is taken back", e->base_intent.generation);
	request_message_answer(message, &e->t->answer);
	return 0;
}

static int history_show(struct agree *a, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_WEIGHT);
	const char *name = command_has(&t->command, ARG_NODE) ? t->command.node : NULL;

	return table ? task_show(t, table, agree_weights(a, name, table, err), err) : -ENOMEM;
}

static void quick_run(void *arg)
{
	struct task *t = arg;
	struct agree *a = t->d->agree;
	struct err err = {0};
	bool any = t->command.id == COMMAND_NODE_LEASE || t->command.id == COMMAND_ROSTER_HISTORY;
	int rc = any ? 0 : admin_check(a, &err);

	if (!rc && t->command.id == COMMAND_NODE_LEASE)
		rc = agree_lease(a, t, &err);
	else if (!rc && t->command.id == COMMAND_ROSTER_HISTORY)
		rc = history_show(a, t, &err);
	else if (!rc)
		rc = t->command.id == COMMAND_CONFIG_CONFIRM ? agree_confirm(a, t, &err)
							     : agree_edit(a, t, take_back, &err);
	task_end(t, rc, &err);
}

static void ask_run(void *arg)
{
	struct task *t = arg;
	struct agree *a = t->d->agree;
	struct err err = {0};
	int rc;

	switch (t->command.id) {
	case COMMAND_NODE_JOIN:
		rc = agree_join(a, t, &err);
		break;
	case COMMAND_CONFIG_VOTERS:
		rc = admin_check(a, &err);
		if (!rc)
			rc = agree_voters(a, t, &err);
		break;
	case COMMAND_CONFIG_TAKEOVER:
		rc = agree_takeover(a, t, &err);
		break;
	case COMMAND_CONFIG_LEVEL:
		rc = agree_on(a) ? agree_edit(a, t, agree_edit_run, &err)
				 : err_set(&err, ENOENT, "the flock has no voters, so it has agreed on no level");
		break;
	default:
		rc = agree_edit(a, t, agree_edit_run, &err);
		break;
	}
	task_end(t, rc, &err);
}

static bool is_shared(const struct task *t)
{
	const struct command_info *info = command_info(t->command.id);

	switch (t->command.id) {
	case COMMAND_NODE_JOIN:
	case COMMAND_CONFIG_VOTERS:
	case COMMAND_CONFIG_CONFIRM:
	case COMMAND_CONFIG_TAKEOVER:
		return true;
	case COMMAND_NODE_LEASE:
	case COMMAND_CONFIG_LEVEL:
		return command_mutates(&t->command);
	case COMMAND_ROSTER_HISTORY:
		return agree_on(t->d->agree);
	default:
		/* A signal re-reads the own lines alone. */
		return agree_on(t->d->agree) && info->flags & COMMAND_SHARED && info->flags & COMMAND_MUTATES &&
		       !command_has(&t->command, ARG_LOCAL) && !t->signalled;
	}
}

bool agree_takes(struct agree *a, struct task *t)
{
	struct err err = {0};
	bool quick;

	if (!a || !is_shared(t))
		return false;
	quick = is_quick(a, t);
	if (!a->asks || workers_post(quick ? a->quick : a->asks, quick ? quick_run : ask_run, t))
		task_end(t, err_set(&err, ESHUTDOWN, "the daemon is stopping"), &err);
	return true;
}
