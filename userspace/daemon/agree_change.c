// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands that the flock has to agree on: made, asked around, proposed. Not here: what the others say (agree_check.c),
 * running it (agree_follow.c).
 *
 * A change is made of the configuration that this node knows. If another one was decided meanwhile, and it touched
 * other VIPs, both are merged and it is tried again, twice at most; if it touched the same, the operator is told what
 * changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/aside.h"
#include "core/change_rows.h"
#include "core/config_file.h"
#include "daemon/agree_edit.h"
#include "daemon/apply.h"
#include "daemon/health_reputation.h"
#include "daemon/load.h"
#include "daemon/task.h"

#define PROPOSE_TRIES 3

/* --- is it meant? --- */

static bool is_override(const struct edit *e)
{
	return command_info(e->t->command.id)->flags & COMMAND_OVERRIDE;
}

/* Nobody needs to be asked whether he can run it: those who are say whether they have seen the like. */
static bool is_weigh(const struct edit *e)
{
	return e->t->command.id == COMMAND_ROSTER_WEIGH;
}

/* So many may say no: of reputations as many as may lie, of those who can tell. */
static size_t no_allowed(const struct edit *e)
{
	size_t judges = is_weigh(e) ? health_reputation_judges(e->a->d->health, &e->base->roster) : 0;

	return judges ? (judges - 1) / 3 : 0;
}

static int silent_check(const struct edit *e, struct err *err)
{
	char name[STARLING_NAME_BYTES];

	/* Nobody is asked whether he can put a backend aside. */
	for (size_t i = 0; i < e->silent.count && !is_override(e) && !is_weigh(e); i++) {
		if (!peers_answers(e->a->d->peers, e->silent.id[i]))
			continue; /* cut off, or gone: it follows when it is back */
		peers_name(e->a->d->peers, e->silent.id[i], name);
		if (!command_has(&e->t->command, ARG_DESPITE) || strcmp(name, e->t->command.node) != 0)
			return err_set(err, ETIMEDOUT,
				       "%s answers, but does not say whether it can run it: `config apply FILE despite "
				       "%s` goes on without that",
				       name, name);
	}
	return 0;
}

/* Who votes has to count: the voters are changed first. */
static int voters_check(const struct edit *e, struct err *err)
{
	struct caspaxos_value v;
	char name[STARLING_NAME_BYTES];

	peers_register_value(e->a->d->peers, &v);
	for (__u32 i = 0; i < v.voters && e->wanted->roster.count; i++)
		if (roster_find_id(&e->base->roster, v.voter[i].node) &&
		    !roster_find_id(&e->wanted->roster, v.voter[i].node) &&
		    peers_answers(e->a->d->peers, v.voter[i].node))
			return err_set(err, EBUSY, "%s votes: `config voters` first names others",
				       peers_name(e->a->d->peers, v.voter[i].node, name));
	return 0;
}

static int pending_check(const struct edit *e, struct err *err)
{
	return agree_left(e->a, &e->base_intent) ? agree_refused(e->a, -EBUSY, err) : 0;
}

/* What is proposed to too few may be decided later by others: rather it is not proposed. */
int agree_quorum_check(struct agree *a, const char *instead, struct err *err)
{
	struct caspaxos_value v;
	size_t answering;

	peers_register_value(a->d->peers, &v);
	answering = agree_answering(a, &v);
	if (!v.version || answering >= caspaxos_quorum(&v))
		return 0;
	return err_set(err, EHOSTUNREACH, "too few voters answer, %zu of %u: nothing was changed%s", answering,
		       v.voters, instead);
}

/* --- making it --- */

static void words_join(const struct task *t, char out[INTENT_COMMAND_BYTES])
{
	struct buf words = BUF_INIT;

	for (size_t i = 0; i < t->request.word_count; i++)
		buf_printf(&words, "%s%s", i ? " " : "", t->request.words[i]);
	snprintf(out, INTENT_COMMAND_BYTES, "%s", buf_text(&words));
	buf_free(&words);
}

static int root_make(struct edit *e, struct intent *ret, struct err *err)
{
	struct agree *a = e->a;
	struct intent_root root = {.level = e->level.level,
				   .table = e->level.table,
				   .generation = e->base_intent.generation + 1,
				   .previous = e->base_root,
				   .node = peers_self(a->d->peers),
				   .time_ms = wall_ms()};
	bool waved = command_has(&e->t->command, ARG_WAVE);
	__u32 wait_ms = waved ? agree_waves_ms(a, (enum wave)e->t->command.wave) : e->t->command.confirm_ms;
	int rc;

	snprintf(root.by, sizeof(root.by), "%s", e->t->by);
	memcpy(root.command, e->command, sizeof(root.command));
	*ret = (struct intent){.generation = root.generation,
			       .previous_generation = e->base_generation,
			       .previous = e->base_root,
			       .proposed = wait_ms != 0,
			       .waved = waved,
			       .deadline_ms = wait_ms ? root.time_ms + wait_ms : 0,
			       .window_ms = wait_ms,
			       .by = root.node};
	pthread_mutex_lock(&a->lock);
	rc = intent_rebuild(e->wanted, e->base, &e->base_root, &root, &a->signing, &a->objects, &ret->root, err);
	if (!rc)
		a->asked = ret->root;
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		agree_read_keep(a, &ret->root, e->wanted);
	return rc;
}

/* Who may sign, and whether all can run it. */
static int ask_all(struct edit *e, const struct intent *want, struct err *err)
{
	struct intent_root said;
	struct roster roster = {0};
	bool careful = e->base && !e->t->request.force && !e->t->request.dry_run;
	int rc = peers_roster_copy(e->a->d->peers, &roster);

	if (!rc) {
		pthread_mutex_lock(&e->a->lock);
		rc = intent_root_read(&e->a->objects, &want->root, &roster, &e->a->signing, &said, err);
		pthread_mutex_unlock(&e->a->lock);
	}
	roster_free(&roster);
	if (rc == -EACCES)
		return err_set(err, EACCES, "the roster gives the role admin to others: do it there");
	if (!rc)
		rc = agree_ask(e->a, &want->root, e->wanted, careful, no_allowed(e), &e->silent, err);
	if (!rc)
		rc = silent_check(e, err);
	return rc ? rc
		  : agree_quorum_check(e->a, is_override(e) ? "; with \"local\" this balancer does it alone" : "", err);
}

static void conflict_line(void *arg, char change, const char *object, const char *name, const char *line)
{
	(void)object;
	(void)name;
	buf_printf(arg, "%s%c %s", ((struct buf *)arg)->len ? "; " : "", change, line);
}

static void conflict_aside(void *arg, const struct override *o)
{
	char at[ENDPOINT_TEXT_BYTES];

	buf_printf(arg, "%s%s %s by %s", ((struct buf *)arg)->len ? "; " : "", endpoint_format(&o->at, at),
		   o->state == OVERRIDE_NONE ? "enabled" : "put aside", o->by);
}

/* Another change was decided first. Return: 0: merged; -ESTALE with @err: both changed the same. */
static int rebase(struct edit *e, struct err *err)
{
	char conflict[STARLING_NAME_BYTES] = "";
	struct config *mine = e->wanted, *before = e->base, *merged = NULL;
	struct buf lines = BUF_INIT;
	int rc;

	e->base = edit_base(e, err);
	if (!e->base) {
		e->base = before;
		return -EIO;
	}
	rc = config_merge(before, mine, e->base, &merged, conflict);
	if (rc == -ESTALE) {
		config_changes(before, e->base, conflict_line, &lines);
		asides_changes(before, e->base, conflict_aside, &lines);
		err_set(err, ESTALE, "%s was changed meanwhile by generation %u: %.160s", conflict, e->base_generation,
			buf_text(&lines));
		buf_free(&lines);
	}
	config_free(before);
	if (rc)
		return rc;
	config_free(mine);
	e->wanted = merged;
	return config_check(e->wanted, &e->a->d->limits, err);
}

static int try_once(struct edit *e, struct err *err)
{
	struct intent want;
	int rc = root_make(e, &want, err);

	if (!rc)
		rc = ask_all(e, &want, err);
	if (!rc)
		rc = agree_put(e->a, &e->base_intent, &want, err);
	if (rc || !want.waved)
		return rc;
	rc = agree_waves(e->a, &want, (enum wave)e->t->command.wave, &e->waves, err);
	if (!rc && agree_release(e->a, &want, e->t->command.confirm_ms, err))
		rc = -ECANCELED;
	return rc;
}

/* And again, if others were first: but with reputations they have agreed on these. */
static int propose_all(struct edit *e, struct err *err)
{
	int tries = 0, rc;

	do {
		rc = try_once(e, err);
	} while (rc == -ESTALE && !is_weigh(e) && ++tries < PROPOSE_TRIES && !rebase(e, err));
	if (rc && !err->text[0])
		err_set(err, -rc, "others are changing it at the same time: try again");
	return rc;
}

struct effects_job {
	const struct config *shared;
	struct table *table;
};

/* What comes of it, at this node. */
static int effects_run(struct plane *p, void *arg, struct err *err)
{
	struct effects_job *j = arg;
	struct config *wanted = config_compose(plane_config(p), j->shared);
	int rc = wanted ? plane_show_effects(p, wanted, j->table, err) : -ENOMEM;

	config_free(wanted);
	return rc;
}

static bool level_changes(const struct edit *e)
{
	return e->level.level != e->base_level.level || e->level.table != e->base_level.table;
}

/* What would be changed, what the others say to it, and what would come of it. */
static int dry_answer(struct edit *e, struct err *err)
{
	struct table *table = table_new(KIND_CHANGE);
	struct effects_job effects = {e->wanted, table};
	char words[AGREE_WORDS_BYTES];
	struct intent want;
	int rc = root_make(e, &want, err);

	if (!rc)
		rc = ask_all(e, &want, err);
	if (!rc && e->t->command.id == COMMAND_CONFIG_LEVEL) {
		table_free(table);
		agree_level_words(&e->base_level, &e->level, words, sizeof(words));
		request_message_answer(words, &e->t->answer);
		return 0;
	}
	if (!rc) {
		config_changes(e->base, e->wanted, change_row, table);
		asides_changes(e->base, e->wanted, change_row_aside, table);
		change_rows_reputation(&e->base->roster, &e->wanted->roster, table);
		rc = agree_plane(e->a, PLANE_NORMAL, effects_run, &effects, err);
	}
	return task_show(e->t, table, rc, err);
}

/* Whether nothing is to be changed. */
static bool edit_same(const struct edit *e)
{
	return config_shared_same(e->base, e->wanted) && asides_same(e->base, e->wanted) &&
	       roster_reputations_same(&e->base->roster, &e->wanted->roster) && !level_changes(e);
}

/* The file's own lines are this node's alone. */
struct own_job {
	struct edit *e;
	struct config *own;
};

static int own_run(struct plane *p, void *arg, struct err *err)
{
	struct own_job *j = arg;
	struct config *wanted = config_compose(j->own, plane_config(p));
	struct apply_how how = {.by = j->e->t->by, .command = j->e->command, .whole = true};
	int rc = wanted ? apply_config(j->e->a->d, p, wanted, &how, NULL, NULL, err) : -ENOMEM;

	if (!rc && command_has(&j->e->t->command, ARG_RESET_STATE))
		rc = plane_overrides_reset(p);
	return rc;
}

static int own_apply(struct edit *e, struct config *own, struct err *err)
{
	struct own_job job = {.e = e, .own = own};

	return agree_plane(e->a, PLANE_NORMAL, own_run, &job, err);
}

static void done_answer(struct edit *e)
{
	char message[512], name[STARLING_NAME_BYTES];
	int n;

	n = snprintf(message, sizeof(message), "generation %u is agreed on", e->base_intent.generation + 1);
	if (e->waves)
		n += snprintf(message + n, sizeof(message) - (size_t)n, ", and runs after %u wave%s", e->waves,
			      e->waves == 1 ? "" : "s");
	if (command_has(&e->t->command, ARG_CONFIRM))
		n += snprintf(message + n, sizeof(message) - (size_t)n,
			      "; it is taken back in %u s unless `config confirm` comes before",
			      e->t->command.confirm_ms / 1000);
	if (level_changes(e)) {
		n += snprintf(message + n, sizeof(message) - (size_t)n, "; ");
		agree_level_words(&e->base_level, &e->level, message + n, sizeof(message) - (size_t)n);
		n = (int)strlen(message);
	}
	for (size_t i = 0; i < e->silent.count && (size_t)n + 80 < sizeof(message); i++)
		n += snprintf(message + n, sizeof(message) - (size_t)n, "; %s did not answer and is to follow",
			      peers_name(e->a->d->peers, e->silent.id[i], name));
	request_message_answer(message, &e->t->answer);
}

static int edit_run(struct edit *e, struct err *err)
{
	struct config *own = NULL;
	int rc = edit_wanted(e, err);

	if (!rc && e->t->command.id == COMMAND_CONFIG_APPLY && !e->t->request.dry_run)
		rc = (own = config_copy(e->wanted)) ? 0 : -ENOMEM;
	if (!rc)
		rc = config_check(e->wanted, &e->a->d->limits, err);
	if (!rc)
		rc = agree_level_check(e->a, e->base, e->wanted, e->level.level, err);
	if (!rc)
		rc = voters_check(e, err);
	if (!rc)
		rc = pending_check(e, err);
	if (!rc && e->t->request.dry_run)
		return dry_answer(e, err);
	if (!rc && edit_same(e)) {
		request_message_answer("nothing to change", &e->t->answer);
	} else if (!rc) {
		rc = propose_all(e, err);
		if (!rc) {
			rc = agree_follow(e->a, err);
			done_answer(e);
			if (rc)
				err_prefix(err, "generation %u is agreed on, but does not run here",
					   e->base_intent.generation + 1);
		}
	}
	if (!rc && own)
		rc = own_apply(e, own, err);
	config_free(own);
	if (rc && e->t->fault == FAULT_NONE) /* else it has the reasons */
		buf_clear(&e->t->answer);
	return rc;
}

/* What was built and came to nothing. */
static void trim(struct agree *a)
{
	pthread_mutex_lock(&a->applying);
	pthread_mutex_lock(&a->lock);
	memset(&a->asked, 0, sizeof(a->asked));
	pthread_mutex_unlock(&a->lock);
	agree_objects_trim(a);
	pthread_mutex_unlock(&a->applying);
}

int agree_edit_run(struct edit *e, struct err *err)
{
	int rc = edit_run(e, err);

	trim(e->a);
	return rc;
}

int agree_edit(struct agree *a, struct task *t, agree_edit_fn *fn, struct err *err)
{
	struct edit *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	e->a = a;
	e->t = t;
	words_join(t, e->command);
	e->base = edit_base(e, err);
	rc = e->base ? fn(e, err) : -EIO;
	edit_free(e);
	free(e);
	return rc;
}

/* What the flock has another word of since, is dropped. */
static int fold_wanted(struct edit *e, const struct override *own, size_t count)
{
	char at[ENDPOINT_TEXT_BYTES];
	int rc = 0;

	e->wanted = config_copy(e->base);
	for (size_t i = 0; e->wanted && !rc && i < count; i++) {
		const struct override *agreed = aside_find(e->base, own[i].vip, &own[i].at);

		if (agreed && agreed->since_ms == own[i].since_ms)
			continue; /* it is folded in already */
		if ((agreed ? agreed->since_ms : 0) == own[i].over_ms)
			rc = aside_set(e->wanted, &own[i]);
		else
			log_notice("config: the flock has another word of %s %s than %s gave here: that one holds",
				   own[i].vip, endpoint_format(&own[i].at, at), own[i].by);
	}
	return e->wanted ? rc : -ENOMEM;
}

int agree_edit_own(struct agree *a, struct task *t, const char *command, agree_own_fn *fn, void *arg, struct err *err)
{
	struct edit *e = calloc(1, sizeof(*e));
	int rc = e ? 0 : -ENOMEM;

	if (!rc) {
		e->a = a;
		e->t = t;
		snprintf(e->command, sizeof(e->command), "%s", command);
		e->base = edit_base(e, err);
		rc = e->base ? fn(e, arg, err) : -EIO;
	}
	if (!rc)
		asides_prune(e->wanted);
	if (!rc)
		rc = pending_check(e, err);
	if (!rc && !edit_same(e))
		rc = propose_all(e, err);
	if (!rc)
		rc = agree_follow(a, err);
	trim(a);
	if (e)
		edit_free(e);
	free(e);
	return rc;
}

struct folded {
	const struct override *own;
	size_t count;
};

static int on_fold(struct edit *e, void *arg, struct err *err)
{
	const struct folded *f = arg;

	(void)err;
	return fold_wanted(e, f->own, f->count);
}

int agree_fold(struct agree *a, const struct override *own, size_t count, struct err *err)
{
	struct folded folded = {own, count};
	struct task *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->command.id = COMMAND_BACKEND_DRAIN;
	t->request.force = true; /* it is so here */
	snprintf(t->by, sizeof(t->by), "%s", own->by);
	rc = agree_edit_own(a, t, "backend drain|disable|enable ... local", on_fold, &folded, err);
	free(t);
	return rc;
}

static int copy_run(struct plane *p, void *arg, struct err *err)
{
	struct config **copy = arg;

	(void)err;
	*copy = config_copy(plane_config(p));
	return *copy ? 0 : -ENOMEM;
}

/* A node that understands less could not run it. */
static int first_check(const struct edit *e, struct err *err)
{
	struct config *none = config_new();
	int rc = none ? agree_level_check(e->a, none, e->wanted, e->level.level, err) : -ENOMEM;

	config_free(none);
	return rc;
}

int agree_first(struct agree *a, struct task *t, struct intent *ret, struct err *err)
{
	struct edit *e = calloc(1, sizeof(*e));
	int rc = e ? agree_plane(a, PLANE_NORMAL, copy_run, &e->wanted, err) : -ENOMEM;

	if (!rc) {
		e->a = a;
		e->t = t;
		e->level = agree_level_first(a);
		words_join(t, e->command);
		rc = first_check(e, err);
	}
	if (!rc)
		rc = root_make(e, ret, err);
	if (!rc)
		rc = ask_all(e, ret, err);
	if (e)
		edit_free(e);
	free(e);
	return rc;
}
