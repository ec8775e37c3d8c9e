// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From the configuration to targets, from results to verdicts, from verdicts to the plane. Not here: sets of targets
 * (health_targets.c), other nodes (health_flock.c), rows (health_show.c), single probes (health_probe.c).
 *
 * The plane is told only that something has changed, and then asks of all its backends: what changes together makes
 * one change of homes, and nothing can be lost on the way.
 */
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/table.h"
#include "daemon/audit.h"
#include "daemon/health_state.h"
#include "daemon/peers.h"

static void on_checks(struct plane *p, void *arg)
{
	struct health *h = arg;

	h->checks_posted = false;
	if (p)
		plane_checks(p);
}

/* What is not posted now the next change, or the tick, tells. Not under the lock. */
static void checks_post(struct health *h)
{
	pthread_mutex_lock(&h->inbox);
	if (!h->stopped && !h->checks_posted) {
		h->checks_posted = true;
		if (plane_post(h->d->plane, PLANE_URGENT, on_checks, h))
			h->checks_posted = false;
	}
	pthread_mutex_unlock(&h->inbox);
}

static void votes_post(struct health *h)
{
	pthread_mutex_lock(&h->inbox);
	if (!h->stopped && !h->votes_posted) {
		h->votes_posted = true;
		if (peers_votes(h->d->peers))
			h->votes_posted = false;
	}
	pthread_mutex_unlock(&h->inbox);
}

/* --- results --- */

/* What a probe has to find its way back. */
struct ticket {
	struct health *h;
	__u64 id;
	__u32 number;
};

/* Return: whether the others have to be told of its agent. */
static bool result_keep(struct health_target *t, const struct probe_result *r)
{
	t->probed = true;
	t->last = *r;
	t->checks++;
	t->failures += r->reason != CHECK_FINE;
	return health_agent_take(t, mono_now(), &r->agent);
}

static void on_result(void *arg, const struct probe_result *r)
{
	struct ticket *ticket = arg;
	struct health *h = ticket->h;
	struct health_target *t;
	bool changed;

	pthread_mutex_lock(&h->lock);
	t = health_set_id(&h->set, ticket->id);
	changed = t && result_keep(t, r);
	if (t && r->outcome != OUTCOME_NOTHING)
		verdict_probed(h->verdict, mono_now(), ticket->id, ticket->number,
			       r->outcome == OUTCOME_GOOD ? VERDICT_GOOD : check_evidence(r->reason));
	h->agents_changed |= changed;
	pthread_mutex_unlock(&h->lock);
	free(ticket);
	if (changed)
		checks_post(h);
}

/* --- a turn --- */

static void probe_send(struct health *h, const struct verdict_action *action)
{
	const struct health_target *t = health_set_id(&h->set, action->target);
	struct ticket *ticket;

	if (!t || t->barred)
		return;
	ticket = malloc(sizeof(*ticket));
	if (!ticket)
		return;
	*ticket = (struct ticket){h, action->target, action->number};
	if (prober_probe(h->prober, &t->at, t->check, t->mark, on_result, ticket))
		free(ticket);
}

static void proof_keep(struct health *h, const struct verdict_action *action)
{
	const struct roster_node *node = roster_find_id(&h->roster, action->voter);

	log_warning("health: %s votes two ways at once: its votes count no more", node ? node->name : "a node");
	pthread_mutex_lock(&h->inbox);
	verdict_pages_proof(h->pages, action->bytes, action->len);
	pthread_mutex_unlock(&h->inbox);
}

static void vote_keep(struct health *h, const struct verdict_action *action)
{
	int rc;

	pthread_mutex_lock(&h->inbox);
	rc = verdict_pages_put(h->pages, action->bytes, action->len);
	pthread_mutex_unlock(&h->inbox);
	if (rc && !h->pages_full) {
		log_warning("health: more is checked than this node can vote on: others go by their own probes of it");
		h->pages_full = true;
	}
}

/* What finds no room is not shown: those that hold it hold it, and a newcomer goes without. */
static void certificate_keep(struct health *h, const struct verdict_action *action)
{
	__u8 bytes[VERDICT_SHOWN_BYTES];
	int len = verdict_shown(h->verdict, action->target, bytes);

	pthread_mutex_lock(&h->inbox);
	verdict_pages_certificate(h->pages, action->target, bytes, len > 0 ? (size_t)len : 0);
	pthread_mutex_unlock(&h->inbox);
}

static void rest_audit(struct health *h)
{
	struct buf text = BUF_INIT;

	if (audit_rest_take(&h->rest, &h->signing, &text))
		audit_note(h->d->audit, NULL, "%s", buf_text(&text));
	buf_free(&text);
}

/* What votes have decided goes to the audit log, with the hash of what proves it. */
static void verdict_audit(struct health *h, const struct verdict_action *action)
{
	struct health_target *t = health_set_id(&h->set, action->target);
	__u8 bytes[VERDICT_CERTIFICATE_BYTES], hash[HASH_BYTES];
	char at[ENDPOINT_TEXT_BYTES];
	struct buf text = BUF_INIT;
	enum verdict_state before;
	int len;

	if (!t || action->source != VERDICT_BY_CERTIFIED || t->certified == action->state)
		return;
	before = t->certified;
	t->certified = action->state;
	if (before == VERDICT_NONE && action->state == VERDICT_UP)
		return; /* nothing has come about: votes have been heard */
	len = verdict_export(h->verdict, action->target, bytes);
	if (len <= 0)
		return;
	h->signing.hash(h->signing.arg, bytes, (size_t)len, hash);
	if (h->noted++ >= HEALTH_NOTES) { /* what takes many out shall not push out what operators did */
		if (audit_rest_add(&h->rest, action->state == VERDICT_UP, hash))
			rest_audit(h);
		return;
	}
	audit_hash_format(hash, &text);
	audit_note(h->d->audit, NULL, "%s is %s by votes: certificate %s", endpoint_format(&t->at, at),
		   verdict_state_word(action->state), buf_text(&text));
	buf_free(&text);
}

/* Return: whether verdicts are others; whether there is something to be said. */
static bool actions_take(struct health *h, bool *ret_votes)
{
	struct verdict_action action;
	bool changed = false;

	while (verdict_take(h->verdict, &action)) {
		switch (action.act) {
		case VERDICT_PROBE:
			probe_send(h, &action);
			break;
		case VERDICT_VOTE:
			vote_keep(h, &action);
			*ret_votes = true;
			break;
		case VERDICT_PROOF:
			proof_keep(h, &action);
			*ret_votes = true;
			break;
		case VERDICT_SHOW:
			certificate_keep(h, &action);
			*ret_votes = true;
			break;
		case VERDICT_CHANGE:
			h->disagreements += action.own_down;
			verdict_audit(h, &action);
			changed = true;
			break;
		}
	}
	rest_audit(h);
	h->noted = 0;
	return changed;
}

static struct mono on_turn(void *arg, struct mono now)
{
	struct health *h = arg;
	bool more, changed, votes = false;
	struct mono due, agents_due;

	pthread_mutex_lock(&h->lock);
	more = health_flock_use(h, now);
	verdict_date(h->verdict, wall_ms());
	verdict_step(h->verdict, now);
	changed = actions_take(h, &votes) || h->agents_heard;
	h->agents_heard = false;
	votes |= health_agents_step(h, now, &agents_due);
	due = health_reputation_step(h, now, more ? now : verdict_due(h->verdict));
	if (agents_due.ns < due.ns)
		due = agents_due;
	pthread_mutex_unlock(&h->lock);
	if (changed)
		checks_post(h);
	if (atomic_exchange(&h->room_ready, false) || votes || h->again)
		votes_post(h);
	return due;
}

/* --- begin and end --- */

static int verdict_open(struct health *h)
{
	struct verdict_config config = {.signing = &h->signing};

	randombytes_buf(&config.seed, sizeof(config.seed));
	h->signing = identity_signing(&h->identity);
	h->verdict = verdict_new(&config);
	h->pages = verdict_pages_new();
	return h->verdict && h->pages ? 0 : -ENOMEM;
}

static void health_free(struct health *h)
{
	verdict_free(h->verdict);
	verdict_pages_free(h->pages);
	free(h->agents);
	free(h->restarts.one);
	roster_free(&h->roster);
	health_set_free(&h->set);
	health_flock_close(h);
	pthread_mutex_destroy(&h->lock);
	pthread_mutex_destroy(&h->inbox);
	free(h);
}

int health_open(struct daemon *d, struct health **ret, struct err *err)
{
	struct health *h = calloc(1, sizeof(*h));
	struct prober_dirs dirs = {.checks = d->options.checks_dir, .hooks = d->options.hooks_dir};
	struct prober_hooks hooks = {.arg = h, .turn = on_turn};
	int rc;

	if (!h)
		return err_set(err, ENOMEM, "no memory for health checks");
	h->d = d;
	h->heard_end = &h->heard;
	h->targets = 1; /* as if there had been some: what an earlier life left in the kernel goes, too */
	pthread_mutex_init(&h->inbox, NULL);
	pthread_mutex_init(&h->lock, NULL);
	rc = verdict_open(h);
	if (rc)
		err_set(err, ENOMEM, "no memory for health checks");
	else
		rc = prober_open(&dirs, &hooks, &h->prober, err);
	if (rc) {
		health_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void health_stop(struct health *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->inbox);
	h->stopped = true;
	pthread_mutex_unlock(&h->inbox);
}

void health_close(struct health *h)
{
	if (!h)
		return;
	prober_close(h->prober);
	health_free(h);
}

/* --- targets --- */

/* Targets that the plane holds down by any of the VIPs that share them. */
static void targets_down(const struct plane *p, const struct config_target *all, size_t count, bool *down)
{
	const struct config *c = plane_config(p);
	size_t i, k, at;

	for (i = 0; i < c->vip_count; i++) {
		const struct vip_config *v = &c->vip[i];

		for (k = 0; v->check && k < v->backend_count; k++)
			if (v->backend[k].tier != STARLING_TIER_SORRY &&
			    plane_held_down(p, v->name, &v->backend[k].at) &&
			    config_target_find(all, count, &(struct config_target){v, v->backend[k].at}, &at))
				down[at] = true;
	}
}

int health_targets_use(struct health *h, struct mono now)
{
	struct verdict_target *target = calloc(h->set.count + 1, sizeof(*target));
	int rc;

	if (!target)
		return -ENOMEM;
	health_set_rules(&h->set, &h->roster, h->self.id, target);
	health_reputation_site(h, target);
	rc = verdict_targets(h->verdict, now, target, h->set.count);
	free(target);
	return rc;
}

/* What is not checked any more is nothing to vote on. */
static void votes_drop(struct health *h, const struct health_set *former)
{
	for (size_t i = 0; i < former->count; i++) {
		if (health_set_id(&h->set, former->target[i].id))
			continue;
		pthread_mutex_lock(&h->inbox);
		verdict_pages_drop(h->pages, former->target[i].id);
		pthread_mutex_unlock(&h->inbox);
	}
	h->pages_full = false;
}

/* @set moves in. */
static int set_use(struct health *h, struct health_set *set)
{
	struct health_set former;
	int rc;

	pthread_mutex_lock(&h->lock);
	former = h->set;
	health_set_keep(set, &former);
	h->set = *set;
	rc = health_targets_use(h, mono_now());
	if (!rc) {
		votes_drop(h, &former);
		*set = former;
		health_agents_write(h);
	} else {
		h->set = former;
	}
	pthread_mutex_unlock(&h->lock);
	health_set_free(set);
	return rc;
}

/* How marked probes leave, and with which mark: ids of backends may be others than before. */
static void tunnels_use(struct health *h, struct plane *p, const struct config_target *all, struct health_set *set)
{
	struct err err = {0};
	bool wanted = false;
	size_t i;

	for (i = 0; i < set->count; i++)
		wanted |= set->target[i].check->via == CHECK_VIA_TUNNEL;
	if (plane_tunnel(p, wanted, &err)) {
		if (!h->tunnel_failed)
			log_error("health: nothing is checked through tunnels: %s", err.text);
		h->tunnel_failed = true;
		wanted = false;
	} else {
		h->tunnel_failed = false;
	}
	for (i = 0; i < set->count; i++) {
		struct health_target *t = &set->target[i];

		if (t->check->via != CHECK_VIA_TUNNEL)
			continue;
		t->mark = wanted ? plane_tunnel_mark(p, all[i].vip->name, &t->at) : 0;
		t->barred |= !t->mark;
	}
}

static int targets_tell(struct health *h, struct plane *p, const struct config_target *all, size_t count)
{
	const struct config *c = plane_config(p);
	bool *down = calloc(count + 1, sizeof(*down));
	struct health_set set;
	int rc = down ? 0 : -ENOMEM;

	if (!rc) {
		targets_down(p, all, count, down);
		rc = health_set_make(&set, c, all, down, count, c->node_exec, &h->signing);
	}
	if (!rc) {
		tunnels_use(h, p, all, &set);
		rc = set_use(h, &set);
	}
	free(down);
	if (rc)
		return rc;
	prober_exec(h->prober, c->node_exec, c->node_hooks);
	h->again = true; /* votes on what is new here may have come */
	prober_wake(h->prober);
	return 0;
}

void health_configure(struct health *h, struct plane *p)
{
	struct config_target *all = NULL;
	size_t count = 0;
	int rc = config_targets(plane_config(p), &all, &count);

	if (!rc && (count || h->targets))
		rc = targets_tell(h, p, all, count);
	if (rc)
		log_error("health: no memory to check backends anew: they are checked as before");
	else
		h->targets = count;
	free(all);
	plane_checks(p);
}

/* --- hooks --- */

static enum override_state agent_override(enum agent_admin admin)
{
	switch (admin) {
	case AGENT_UNSAID:
	case AGENT_READY:
		return OVERRIDE_NONE;
	case AGENT_DRAIN:
		return OVERRIDE_DRAIN;
	case AGENT_MAINT:
		return OVERRIDE_DISABLE;
	}
	return OVERRIDE_NONE;
}

/* What is not said is as it was said last. */
static void agent_asks(const struct check_config *check, const struct agent_report *r, struct plane_verdict *ret)
{
	if (check->kind != CHECK_AGENT) {
		ret->agent = OVERRIDE_NONE;
		ret->less = ret->maxconn = 0;
		return;
	}
	if (r->admin != AGENT_UNSAID)
		ret->agent = agent_override(r->admin);
	if (r->has_percent)
		ret->less = AGENT_PERCENT_ALL - r->percent;
	if (r->has_maxconn)
		ret->maxconn = r->maxconn;
}

bool health_look(struct health *h, const struct endpoint *at, const struct check_config *check,
		 struct health_status *ret)
{
	const struct health_target *t;

	pthread_mutex_lock(&h->lock);
	t = health_set_find(&h->set, at, check);
	if (t) {
		ret->target = *t;
		ret->target.check = check;
		ret->flock = h->roster.count > 1;
		ret->now = mono_now();
		verdict_view(h->verdict, t->id, &ret->view);
		health_agent_decide(h, t, &ret->view, ret->now, &ret->agent);
	}
	pthread_mutex_unlock(&h->lock);
	return t;
}

void health_checked(void *arg, const struct check_config *check, const struct endpoint *at, struct plane_verdict *ret)
{
	const struct daemon *d = arg;
	const struct health_target *t;
	struct health_status s;

	if (!d->health || !health_look(d->health, at, check, &s))
		return;
	t = &s.target;
	ret->own_down = s.view.told.own_down || (ret->own_down && s.view.watched &&
						 s.view.watch.state != VERDICT_UP); /* from before a restart */
	ret->since = ret->own_down ? s.view.watch.since : s.view.since;
	if (s.view.told.source != VERDICT_BY_NOTHING) {
		ret->state = s.view.told.state;
		ret->source = s.view.told.source;
	} else if (t->barred) { /* nobody checks it */
		ret->state = VERDICT_UP;
	}
	agent_asks(check, &s.agent, ret);
	health_why(&s, ret->why);
}

/* Its clients say so, with no word: it is probed as if a peer called it down, once an interval at most. */
void health_suspected(void *arg, const struct check_config *check, const struct endpoint *at)
{
	const struct daemon *d = arg;
	const struct health_target *t;
	struct health *h = d->health;

	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	t = health_set_find(&h->set, at, check);
	if (t)
		verdict_hint(h->verdict, mono_now(), t->id);
	pthread_mutex_unlock(&h->lock);
	if (t)
		prober_wake(h->prober);
}
