// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a command wants of what is agreed. Not here: whether it is meant, and proposing it (agree_change.c).
 */
#include "daemon/agree_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/aside.h"
#include "core/config_file.h"
#include "daemon/apply.h"
#include "daemon/load.h"

void edit_free(struct edit *e)
{
	config_free(e->base);
	config_free(e->wanted);
}

struct config *edit_base(struct edit *e, struct err *err)
{
	struct intent_root said = {0};
	struct config *c = NULL;

	pthread_mutex_lock(&e->a->lock);
	e->base_intent = e->a->intent;
	agree_wanted(e->a, &e->base_intent, &e->base_root, &e->base_generation);
	pthread_mutex_unlock(&e->a->lock);
	if (agree_tree(e->a, &e->base_root, e->base_intent.by)) {
		err_set(err, EHOSTUNREACH, "generation %u is agreed on, but nobody who answers has it",
			e->base_generation);
		return NULL;
	}
	if (agree_read(e->a, &e->base_root, NULL, &said, &c, err))
		return NULL;
	e->base_level = (struct agree_level){said.level, said.table};
	e->level.level = said.level > e->level.level ? said.level : e->level.level;
	e->level.table = said.table > e->level.table ? said.table : e->level.table;
	return c;
}

typedef int load_fn(const char *text, size_t len, const char *file, const struct config_limits *limits,
		    struct config **ret, struct err_list *errors);

static int text_wanted(struct edit *e, load_fn *load, const char *text, size_t len, const char *source, struct err *err)
{
	struct err_list errors = {0};
	int rc = load(text, len, source, &e->a->d->limits, &e->wanted, &errors);

	if (rc && errors.count)
		task_fail_list(e->t, &errors);
	else if (rc)
		err_set(err, -rc, "%s", strerror(-rc));
	err_list_free(&errors);
	return rc;
}

/* The latest kept one before that; 0: there is none. */
static __u32 kept_before(const struct edit *e, __u32 than)
{
	__u32 number = 0;

	pthread_mutex_lock(&e->a->keeping);
	for (size_t i = 0; i < history_count(e->a->history); i++)
		if (history_at(e->a->history, i)->number < than)
			number = history_at(e->a->history, i)->number;
	pthread_mutex_unlock(&e->a->keeping);
	return number;
}

/* The one before what runs, which is not the latest where that was taken back. */
static __u32 generation_before(const struct edit *e)
{
	return e->base_generation == e->base_intent.generation ? e->base_intent.previous_generation
							       : kept_before(e, e->base_generation);
}

static int generation_wanted(struct edit *e, __u32 number, struct err *err)
{
	const char *lines;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!number)
		return err_set(err, ENOENT, "there is no earlier configuration");
	pthread_mutex_lock(&e->a->keeping);
	rc = history_text(e->a->history, number, &text, &len, err);
	pthread_mutex_unlock(&e->a->keeping);
	if (rc)
		return rc;
	lines = agree_kept_config(text);
	rc = lines ? text_wanted(e, load_parse_agreed, lines, asides_begin(lines, len - (size_t)(lines - text)),
				 "an earlier generation", err)
		   : err_set(err, EBADMSG, "generation %u is not whole here", number);
	free(text);
	return rc;
}

/* Without a number: to other lines, past agreements that changed none, as those on reputations, and what was put aside.
 */
static int rollback_wanted(struct edit *e, struct err *err)
{
	bool told = command_has(&e->t->command, ARG_GENERATION);
	__u32 number = told ? e->t->command.generation : generation_before(e);
	int rc = generation_wanted(e, number, err);

	while (!rc && !told && config_shared_same(e->base, e->wanted)) {
		config_free(e->wanted);
		e->wanted = NULL;
		number = kept_before(e, number);
		rc = generation_wanted(e, number, err);
	}
	return rc;
}

/* What is put aside is no line: it stays as it is, but with its backend. So do reputations with their nodes. */
static int wanted_text(struct edit *e, struct err *err)
{
	struct task *t = e->t;
	int rc = 0;

	if (t->command.id == COMMAND_CONFIG_ROLLBACK)
		rc = rollback_wanted(e, err);
	else if (t->wanted)
		e->wanted = t->wanted;
	else
		rc = text_wanted(e, load_parse, t->text, t->text_len, t->source, err);
	t->wanted = NULL;
	if (!rc)
		roster_reputations_take(&e->wanted->roster, &e->base->roster);
	if (!rc && !command_has(&t->command, ARG_RESET_STATE))
		rc = asides_take(e->wanted, e->base);
	return rc;
}

static int wanted_command(struct edit *e, struct err *err)
{
	const struct command *c = &e->t->command;

	if (c->id == COMMAND_CONFIG_LEVEL)
		return agree_level_raise(e->a, &e->base_level, c->intent_level, &e->level, err);
	if (c->id == COMMAND_ROSTER_WEIGH)
		return agree_weigh_wanted(e, err);
	if (command_info(c->id)->flags & COMMAND_OVERRIDE)
		return override_shared(e->wanted, e->t, err);
	return config_command(e->wanted, c, err);
}

int edit_wanted(struct edit *e, struct err *err)
{
	const struct command *c = &e->t->command;
	int rc;

	if (c->id == COMMAND_CONFIG_ROLLBACK || c->id == COMMAND_CONFIG_APPLY) {
		rc = wanted_text(e, err);
	} else {
		e->wanted = config_copy(e->base);
		rc = e->wanted ? wanted_command(e, err) : -ENOMEM;
	}
	if (!rc)
		asides_prune(e->wanted);
	return rc;
}
