// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reputations that the flock agrees on: once an hour at most, one node proposes those that it has counted, if any is
 * another one by a step, and the others say whether they have seen the like. So an operator may with `roster weigh`.
 * They are state, not configuration: an apply or a rollback leaves them with their nodes, as it does what is put aside.
 * Not here: counting (health_reputation.c), what they decide (core/verdict_rule.h).
 *
 * Whom the flock is about to trust less could say no for ever: so a proposal of reputations goes on despite so many
 * that have not seen the like as there may be liars, of 3f + 1 nodes f. And nobody proposes for the flock for ever:
 * every hour it is another one's turn. All that keeps mistakes of some from all, not a proposer that is hostile: he
 * alone collects the answers, and who may propose may change the roster as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/reputation.h"
#include "daemon/agree_edit.h"
#include "daemon/audit.h"
#include "daemon/health_reputation.h"
#include "daemon/stream.h"

#define WEIGH_MS       3600000 /* from one agreement to the next proposal */
#define WEIGH_EARLY_MS 3420000 /* others' clocks run as fast as this one's, or nearly so */
#define WEIGH_LOOK_MS  600000  /* from one look at whether there is something to propose to the next */

/* --- proposing --- */

/* Since it was agreed on last, or since the start; under the lock. */
static __u64 since_ms(const struct agree *a)
{
	return mono_ms(a->weighed, mono_now());
}

static int too_early(struct agree *a, __u64 least_ms, struct err *err)
{
	__u64 ms;
	bool early;

	pthread_mutex_lock(&a->lock);
	ms = since_ms(a);
	early = a->weighed_here && ms < least_ms;
	pthread_mutex_unlock(&a->lock);
	if (!early)
		return 0;
	return err_set(err, EBUSY, "the flock has agreed on reputations %llu min ago, and does once an hour at most",
		       (unsigned long long)(ms / 60000));
}

static bool weighs(const struct config *c)
{
	for (size_t i = 0; i < c->vip_count; i++) {
		const struct check_config *check = c->vip[i].check;

		if (check && (check->mode == 1 + VERDICT_MODE_REPUTATION || check->mode == 1 + VERDICT_MODE_HYBRID))
			return true;
	}
	return false;
}

int agree_weigh_wanted(struct edit *e, struct err *err)
{
	int rc = weighs(e->base) ? too_early(e->a, WEIGH_MS, err)
				 : err_set(err, EINVAL, "no check is of mode reputation or hybrid");

	if (!rc)
		health_reputation_vote(e->a->d->health, &e->wanted->roster);
	return rc;
}

static bool answers(void *arg, __u64 id)
{
	struct peers *peers = arg;

	return id == peers_self(peers) || peers_answers(peers, id);
}

static bool is_turn(struct agree *a, const struct roster *roster)
{
	struct peers *peers = a->d->peers;

	return reputation_turn(roster, wall_ms() / WEIGH_MS, answers, peers) == peers_self(peers);
}

static int own_wanted(struct edit *e, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	if (!weighs(e->base) || !is_turn(e->a, &e->base->roster))
		return -EALREADY;
	e->wanted = config_copy(e->base);
	if (!e->wanted)
		return -ENOMEM;
	return health_reputation_vote(e->a->d->health, &e->wanted->roster) ? 0 : -EALREADY;
}

static void weigh_run(void *arg)
{
	struct agree *a = arg;
	struct task *t = calloc(1, sizeof(*t));
	struct err err = {0};
	int rc = t ? 0 : -ENOMEM;

	if (!rc) {
		t->command.id = COMMAND_ROSTER_WEIGH;
		t->request.force = true; /* it takes nobody out of service */
		daemon_by(a->d, "starlingd", t->by);
		rc = agree_ready(a) ? agree_edit_own(a, t, "roster weigh", own_wanted, NULL, &err) : -EALREADY;
	}
	if (rc && rc != -EALREADY)
		log_info("config: reputations stay as they are: %s", err.text[0] ? err.text : strerror(-rc));
	free(t);
	pthread_mutex_lock(&a->lock);
	a->weighing = false;
	a->weigh = mono_after(mono_now(), WEIGH_LOOK_MS);
	pthread_mutex_unlock(&a->lock);
}

void agree_weigh_tick(struct agree *a)
{
	if (!a->value.version || a->apart || a->weighing || a->stopping || mono_now().ns < a->weigh.ns ||
	    since_ms(a) < WEIGH_MS)
		return;
	a->weighing = !workers_post(a->asks, weigh_run, a);
}

/* --- others' proposals, and what was agreed --- */

int agree_weigh_check(struct agree *a, const struct roster *is, const struct roster *wanted, struct err *err)
{
	int rc = roster_reputations_same(is, wanted) ? 0 : too_early(a, WEIGH_EARLY_MS, err);

	return rc ? rc : health_reputation_check(a->d->health, is, wanted, err);
}

void agree_weighed(struct agree *a, const struct roster *was, const struct roster *is, __u32 generation)
{
	char before[16], after[16], object[STARLING_NAME_BYTES + 16], why[64];
	bool any = false;

	snprintf(why, sizeof(why), "reputation, by generation %u", generation);
	for (size_t i = 0; i < is->count; i++) {
		const struct roster_node *node = &is->node[i], *old = roster_find_id(was, node->id);

		if (!old || roster_reputation(old) == roster_reputation(node))
			continue;
		any = true;
		snprintf(before, sizeof(before), "%u", roster_reputation(old));
		snprintf(after, sizeof(after), "%u", roster_reputation(node));
		snprintf(object, sizeof(object), "reputation %s", node->name);
		stream_event(a->d,
			     &(struct plane_event){
				     .kind = "config", .object = object, .before = before, .after = after, .why = why});
		audit_note(a->d->audit, NULL, "the reputation of %s is %s by generation %u, before %s", node->name,
			   after, generation, before);
	}
	if (!any)
		return;
	pthread_mutex_lock(&a->lock);
	a->weighed = mono_now();
	a->weighed_here = true;
	pthread_mutex_unlock(&a->lock);
}

/* --- their history --- */

/* The roster of a kept generation: its lines come first. Return: 0, or -errno with @err. */
static int kept_roster(struct agree *a, __u32 number, struct config **ret, struct err *err)
{
	static const char line[] = "roster add ";
	struct err_list errors = {0};
	const char *lines, *end;
	char *text = NULL;
	size_t len = 0;
	int rc;

	pthread_mutex_lock(&a->keeping);
	rc = history_text(a->history, number, &text, &len, err);
	pthread_mutex_unlock(&a->keeping);
	if (rc)
		return rc;
	lines = end = agree_kept_config(text);
	while (end && !strncmp(end, line, strlen(line)))
		end += strcspn(end, "\n") + 1;
	rc = lines ? config_parse_agreed(lines, (size_t)(end - lines), "", ret, &errors)
		   : err_set(err, EBADMSG, "generation %u is not whole here", number);
	err_list_free(&errors);
	free(text);
	return rc;
}

/* @was, @is: NULL if it was, or is, not in the roster. */
static void weight_row(const struct generation *g, const char *name, const struct roster_node *was,
		       const struct roster_node *is, struct table *t)
{
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_WEIGHT_node, name);
	table_set_time(t, row, FIELD_WEIGHT_time, g->time_ms);
	table_set_u64(t, row, FIELD_WEIGHT_generation, g->number);
	if (was) {
		table_set_u64(t, row, FIELD_WEIGHT_stake_before, was->stake);
		table_set_u64(t, row, FIELD_WEIGHT_reputation_before, roster_reputation(was));
	}
	if (is) {
		table_set_u64(t, row, FIELD_WEIGHT_stake, is->stake);
		table_set_u64(t, row, FIELD_WEIGHT_reputation, roster_reputation(is));
	}
	table_set_text(t, row, FIELD_WEIGHT_by, g->by);
	table_set_text(t, row, FIELD_WEIGHT_command, g->command);
}

/* @name: NULL: of all. */
static void weight_rows(const struct generation *g, const struct roster *was, const struct roster *is, const char *name,
			struct table *t)
{
	size_t i;

	for (i = 0; i < was->count; i++)
		if (!roster_find_id(is, was->node[i].id) && (!name || !strcmp(name, was->node[i].name)))
			weight_row(g, was->node[i].name, &was->node[i], NULL, t);
	for (i = 0; i < is->count; i++) {
		const struct roster_node *node = &is->node[i], *old = roster_find_id(was, node->id);

		if (name && strcmp(name, node->name) != 0)
			continue;
		if (!old || old->stake != node->stake || roster_reputation(old) != roster_reputation(node))
			weight_row(g, node->name, old, node, t);
	}
}

int agree_weights(struct agree *a, const char *name, struct table *t, struct err *err)
{
	struct generation all[HISTORY_KEEP];
	static const struct roster nobody;
	struct config *was = NULL, *is;
	size_t count, i;
	int rc = 0;

	pthread_mutex_lock(&a->keeping);
	count = history_count(a->history);
	for (i = 0; i < count && i < HISTORY_KEEP; i++)
		all[i] = *history_at(a->history, i);
	pthread_mutex_unlock(&a->keeping);
	for (i = 0; i < count && i < HISTORY_KEEP && !rc; i++) {
		rc = kept_roster(a, all[i].number, &is, err);
		if (rc && rc != -ENOMEM) { /* it has made room for a later one, or is not whole */
			rc = 0;
			continue;
		}
		if (rc)
			break;
		weight_rows(&all[i], was ? &was->roster : &nobody, &is->roster, name, t);
		config_free(was);
		was = is;
	}
	config_free(was);
	return rc ? rc : table_error(t);
}
