// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends that are down are begun again, by the file that their VIP's `restart` names: who runs it, and what came of
 * it. All on the plane's thread, once a second, but for the file's end. Not here: when (core/restart.h), running a file
 * (io/probe_exec.c).
 *
 * It is votes that call for it, or, where there is nobody who could vote, own probes. Where there are others and too
 * few of them to vote, this node may be the one that is cut off: then its word is good for its own packets, not for
 * others' backends.
 *
 * One of the live nodes that allow hooks runs the file: the first of them, for each backend, and if that does not help
 * the next. Where there are leases it has to have one for each run, and whoever has it runs all files, so that two
 * never run at once, whatever their nodes think of each other. With `scope site` each site has verdicts, and a runner,
 * of its own.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/fact.h"
#include "core/lease.h"
#include "daemon/agree.h"
#include "daemon/audit.h"
#include "daemon/health_state.h"
#include "daemon/peers.h"

#define RESTARTS_AT_ONCE 4	/* files that run on one node at a time: each may be a process tree for half a minute */
#define NOTES_MS	 600000 /* in which HEALTH_NOTES runs have a line each in the audit log */
#define LEASE_MS	 (PROBER_RESTART_MS + 15000) /* a run that begins soon after it was had ends in it */
#define LEASE_AGAIN_MS	 5000			     /* one that was refused is asked for again */

static int restart_order(const void *key, const void *member)
{
	const struct health_restart *a = key, *b = member;
	int order = strcmp(a->vip, b->vip);

	return order ? order : endpoint_compare(&a->at, &b->at);
}

static struct health_restart *restart_find(const struct health_restarts *all, const char *vip,
					   const struct endpoint *at, size_t *ret_place)
{
	struct health_restart key = {.at = *at};

	snprintf(key.vip, sizeof(key.vip), "%s", vip);
	return array_find(all->one, all->count, sizeof(key), &key, restart_order, ret_place) ? &all->one[*ret_place]
											     : NULL;
}

static void restart_name(const struct health_restart *r, char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES])
{
	char at[ENDPOINT_TEXT_BYTES];

	snprintf(name, STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES, "%s %s", r->vip, endpoint_format(&r->at, at));
}

/* --- what is down, and for whom it is --- */

/* One look at all backends. */
struct look {
	struct health *h;
	struct plane *p;
	__u64 self;
	bool leases;  /* there are */
	__u64 holder; /* of that for hooks; 0: nobody */
	struct look_nodes {
		bool known;
		__u64 node[STARLING_ROSTER_NODES];
		size_t count;
	} site, flock; /* who may run hooks */
};

/* @ret_alone: nobody else could vote on it; @ret_up: it is up, rather than neither. */
static bool is_down(const struct look *l, const struct vip_config *v, const struct endpoint *at, bool *ret_alone,
		    bool *ret_up)
{
	struct health_status s;

	if (!health_look(l->h, at, v->check, &s))
		return false;
	*ret_up = s.view.told.state == VERDICT_UP;
	if (s.view.told.state != VERDICT_DOWN)
		return false;
	*ret_alone = plane_config(l->p)->roster.count <= 1 && !s.flock;
	if (s.view.told.source != VERDICT_BY_CERTIFIED && !(s.view.told.source == VERDICT_BY_LOCAL && *ret_alone))
		return false;
	return !plane_put_aside(l->p, v->name, at);
}

/* Of the nodes that may run it, by id; 0: there is none. This one also where it was another's turn before. */
static __u64 runner_of(struct look *l, const struct vip_config *v, struct health_restart *r)
{
	bool site = v->check->scope == CHECK_SCOPE_SITE;
	struct look_nodes *nodes = site ? &l->site : &l->flock;
	__u64 key = l->leases ? 0 : r->key, first;

	if (!nodes->known)
		nodes->count = peers_hooks(l->h->d->peers, site, nodes->node, STARLING_ROSTER_NODES);
	nodes->known = true;
	first = restart_runner(key, nodes->node, nodes->count);
	for (size_t i = 0; l->holder && i < nodes->count; i++)
		if (nodes->node[i] == l->holder)
			first = l->holder;
	r->others = nodes->count > 1;
	return restart_turn(&r->is, mono_now(), first, l->self, key, nodes->node, nodes->count) ? l->self : first;
}

/* --- a run --- */

/* A job for the plane; @arg is freed if there is no plane any more. */
static void plane_do(struct health *h, void (*fn)(struct plane *p, void *arg), void *arg)
{
	int rc = -ESHUTDOWN;

	pthread_mutex_lock(&h->inbox);
	if (!h->stopped)
		rc = plane_post(h->d->plane, PLANE_URGENT, fn, arg);
	pthread_mutex_unlock(&h->inbox);
	if (rc)
		free(arg);
}

/* What the end of a run has to find its way back. */
struct ended {
	struct health *h;
	struct endpoint at;
	char vip[STARLING_NAME_BYTES];
	struct probe_result result;
};

static enum health_restart_result result_of(enum check_reason reason)
{
	if (reason == CHECK_FINE)
		return RESTART_OK;
	if (reason == CHECK_LOCAL)
		return RESTART_REFUSED;
	return reason == CHECK_TIMEOUT ? RESTART_TIMEOUT : RESTART_FAILED;
}

static const char *result_word(enum health_restart_result result)
{
	static const char *const word[RESTART_RESULTS] = {"ok", "failed", "timeout", "refused"};

	return word[result];
}

/* Hooks shall not push out of the log what operators did: of more than a few lines in a while there is one. */
static void notes_step(struct health *h, struct mono now)
{
	struct health_restarts *all = &h->restarts;

	if (mono_ms(all->noted_since, now) < NOTES_MS)
		return;
	if (all->noted > HEALTH_NOTES)
		audit_note(h->d->audit, NULL, "%u more hooks were run", all->noted - HEALTH_NOTES);
	all->noted = 0;
	all->noted_since = now;
}

/* The first run of an outage has a line in the audit log, and then what is another result: not every run. */
static void restart_audit(struct health *h, const struct health_restart *r, enum health_restart_result result)
{
	struct health_restarts *all = &h->restarts;
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES];

	if (r->is.runs > 1 && r->result == result)
		return;
	if (all->noted++ >= HEALTH_NOTES)
		return;
	restart_name(r, name);
	audit_note(h->d->audit, NULL, "ran the hook %s for %s: %s: %s", r->file, name, result_word(result), r->say);
}

static void restart_end(struct plane *p, void *arg)
{
	struct ended *e = arg;
	struct health_restarts *all = &e->h->restarts;
	enum health_restart_result result = result_of(e->result.reason);
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], why[CHECK_SAY_BYTES + 64];
	struct health_restart *r;
	__u64 random;
	size_t place;

	if (!p)
		goto out;
	all->running--;
	all->total[result]++;
	r = restart_find(all, e->vip, &e->at, &place); /* one that runs is kept */
	randombytes_buf(&random, sizeof(random));
	restart_ended(&r->is, mono_now(), r->others && result == RESTART_REFUSED, random);
	snprintf(r->say, sizeof(r->say), "%s", e->result.say);
	restart_audit(e->h, r, result);
	r->result = result;
	r->ended = mono_now();
	restart_name(r, name);
	snprintf(why, sizeof(why), "%s: %s", r->file, r->say);
	plane_event(p, "restart", name, "running", result_word(result), why);
out:
	free(e);
}

/* On the prober's thread. */
static void on_ended(void *arg, const struct probe_result *result)
{
	struct ended *e = arg;

	e->result = *result;
	plane_do(e->h, restart_end, e);
}

static void restart_begin(const struct look *l, struct health_restart *r)
{
	struct health *h = l->h;
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES];
	struct ended *e = malloc(sizeof(*e));

	if (!e)
		return; /* in a second again */
	*e = (struct ended){.h = h, .at = r->at};
	memcpy(e->vip, r->vip, sizeof(e->vip));
	if (prober_restart(h->prober, r->vip, &r->at, r->file, on_ended, e)) {
		free(e);
		return;
	}
	restart_begun(&r->is);
	h->restarts.running++;
	restart_name(r, name);
	plane_event(l->p, "restart", name, NULL, "running", r->file);
}

/* --- the lease --- */

struct leased {
	struct health *h;
	struct mono until;
	char why[RESTART_WHY_BYTES];
};

static void lease_use(struct plane *p, void *arg)
{
	struct leased *l = arg;
	struct health_restarts *all = &l->h->restarts;

	if (p) {
		all->asks = false;
		all->lease_until = l->until;
		all->lease_again = mono_after(mono_now(), l->until.ns ? 0 : LEASE_AGAIN_MS);
		memcpy(all->why, l->why, sizeof(all->why));
	}
	free(l);
}

static void on_lease(void *arg, struct mono until, const char *why)
{
	struct leased *l = arg;

	l->until = until;
	snprintf(l->why, sizeof(l->why), "%s", why);
	plane_do(l->h, lease_use, l);
}

static void lease_want(struct health *h)
{
	struct leased *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->h = h;
	if (agree_lease_take(h->d->agree, LEASE_RESTART, LEASE_MS, on_lease, l))
		free(l);
	else
		h->restarts.asks = true;
}

/* Whether a run that begins now is this node's alone. If not, that is asked for. */
static bool lease_had(const struct look *l)
{
	struct health_restarts *all = &l->h->restarts;
	char name[STARLING_NAME_BYTES];
	struct mono now = mono_now();

	if (!l->leases || (l->holder == l->self && mono_after(now, PROBER_RESTART_MS).ns < all->lease_until.ns))
		return true;
	if (l->holder && l->holder != l->self) { /* to ask again would be a ballot, for nothing */
		peers_name(l->h->d->peers, l->holder, name);
		snprintf(all->why, sizeof(all->why), "%s has it", name);
	} else if (!all->asks && now.ns >= all->lease_again.ns) {
		lease_want(l->h);
	}
	return false;
}

/* --- once a second --- */

/* NULL: there is no memory, or no need. */
static struct health_restart *restart_of(struct health_restarts *all, const struct vip_config *v,
					 const struct endpoint *at, bool down)
{
	struct health_restart fresh = {.at = *at}, *r;
	size_t place;

	r = restart_find(all, v->name, at, &place);
	if (r || !down)
		return r;
	fresh.key = fact_backend_key(v->name, at);
	memcpy(fresh.vip, v->name, sizeof(fresh.vip));
	memcpy(fresh.file, v->restart, sizeof(fresh.file));
	return array_insert(&all->one, &all->count, sizeof(fresh), place, &fresh) ? NULL : &all->one[place];
}

static void backend_look(struct look *l, const struct vip_config *v, const struct endpoint *at)
{
	struct health_restarts *all = &l->h->restarts;
	bool alone = false, up = false, down = is_down(l, v, at, &alone, &up);
	struct health_restart *r = restart_of(all, v, at, down);

	if (!r)
		return;
	if (strcmp(r->file, v->restart) != 0 && !r->is.runs_now) { /* another one may do better */
		memcpy(r->file, v->restart, sizeof(r->file));
		r->is = (struct restart){0};
	}
	r->seen = true;
	restart_found(&r->is, mono_now(), down, up);
	if (!down)
		return;
	r->others = false;
	if (alone)
		r->runner = plane_config(l->p)->node_hooks ? l->self : 0;
	else
		r->runner = runner_of(l, v, r);
	r->due = r->runner == l->self && restart_due(&r->is, mono_now());
}

/* NULL: none. */
static struct health_restart *due_next(const struct health_restarts *all)
{
	struct health_restart *ret = NULL;

	for (size_t i = 0; i < all->count; i++) {
		struct health_restart *r = &all->one[i];

		if (r->due && (!ret || restart_first(&r->is, &ret->is)))
			ret = r;
	}
	return ret;
}

/* As many as may run at once. */
static void due_begin(const struct look *l)
{
	struct health_restarts *all = &l->h->restarts;
	struct health_restart *r;

	while (all->running < RESTARTS_AT_ONCE && (r = due_next(all)) && lease_had(l)) {
		r->due = false;
		restart_begin(l, r);
	}
	for (size_t i = 0; i < all->count; i++)
		all->one[i].waits = all->one[i].due && all->running < RESTARTS_AT_ONCE;
}

/* Whose backend or hook is gone, or well for long. */
static void restarts_drop(struct health_restarts *all)
{
	for (size_t i = all->count; i-- > 0;) {
		struct health_restart *r = &all->one[i];

		if (!r->is.runs_now && (!r->seen || restart_idle(&r->is)))
			array_delete(all->one, &all->count, sizeof(*r), i);
		else
			r->seen = r->due = false;
	}
}

void health_restart_tick(struct health *h, struct plane *p)
{
	const struct config *c = plane_config(p);
	struct look look = {.h = h, .p = p, .self = peers_self(h->d->peers)};

	look.leases = agree_leases_are(h->d->agree, LEASE_RESTART, &look.holder);
	for (size_t i = 0; i < c->vip_count; i++) {
		const struct vip_config *v = &c->vip[i];

		for (size_t k = 0; *v->restart && v->check && k < v->backend_count; k++)
			if (v->backend[k].tier != STARLING_TIER_SORRY)
				backend_look(&look, v, &v->backend[k].at);
	}
	due_begin(&look);
	notes_step(h, mono_now());
	restarts_drop(&h->restarts);
}

/* --- what is shown --- */

static void run_words(const struct health *h, const struct health_restart *r, struct buf *out)
{
	struct mono now = mono_now();

	if (r->is.runs)
		buf_printf(out, ", %u time%s", r->is.runs, r->is.runs == 1 ? "" : "s");
	if (r->is.runs_now)
		buf_puts(out, ", runs now");
	else if (r->is.runs)
		buf_printf(out, ", %.0f s ago %s", mono_seconds(r->ended, now), r->say);
	if (r->waits)
		buf_printf(out, ", waits for a lease%s%s", *h->restarts.why ? ": " : "", h->restarts.why);
	else if (r->is.down && r->is.runs && !r->is.runs_now)
		buf_printf(out, ", again in %.0f s", mono_ms(now, r->is.next) / 1e3);
}

/* One that is alone may have no name as a node of a flock. */
static const char *runner_name(const struct health *h, __u64 runner, char name[STARLING_NAME_BYTES])
{
	if (runner != peers_self(h->d->peers))
		return peers_name(h->d->peers, runner, name);
	snprintf(name, STARLING_NAME_BYTES, "%s", h->d->node);
	return name;
}

void health_restart_row(struct health *h, const char *vip, const struct endpoint *at, struct table *t, size_t row)
{
	size_t place;
	const struct health_restart *r = restart_find(&h->restarts, vip, at, &place);
	char name[STARLING_NAME_BYTES];
	struct buf words = BUF_INIT;

	if (!r || (!r->is.down && !r->is.runs))
		return;
	if (r->runner)
		buf_printf(&words, "by %s", runner_name(h, r->runner, name));
	else
		buf_puts(&words, "by nobody: no balancer that lives has node set hooks on");
	run_words(h, r, &words);
	table_set_text(t, row, FIELD_HEALTH_restart, buf_text(&words));
	table_set_u64(t, row, FIELD_HEALTH_restarts, r->is.runs);
	if (r->runner)
		table_set_text(t, row, FIELD_HEALTH_restart_by, name);
	if (r->is.runs && !r->is.runs_now)
		table_set_text(t, row, FIELD_HEALTH_restart_result, result_word(r->result));
	buf_free(&words);
}

void health_restart_counts(const struct health *h, struct table *t, size_t row)
{
	static const enum field_id field[RESTART_RESULTS] = {
		[RESTART_OK] = FIELD_PROBES_restarts_ok,
		[RESTART_FAILED] = FIELD_PROBES_restarts_failed,
		[RESTART_TIMEOUT] = FIELD_PROBES_restarts_timeout,
		[RESTART_REFUSED] = FIELD_PROBES_restarts_refused,
	};

	for (int i = 0; i < RESTART_RESULTS; i++)
		table_set_u64(t, row, field[i], h->restarts.total[i]);
}
