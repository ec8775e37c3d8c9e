// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What this node has seen of observers: counted from judged votes, kept as lines of its audit log, and counted from
 * these again at a start. Not here: judging (core/verdict_judge.c), what the flock makes of it (agree_weigh.c).
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/audit.h"
#include "daemon/health_reputation.h"
#include "daemon/health_state.h"

#define SEEN_MS	 60000 /* what votes were worth is told so often: see REPUTATION_MINUTE */
#define SEEN	 64
#define KEPT_MS	 (12ull * REPUTATION_HALF_MS) /* of what is older 1 in 4096 is left */
#define AWAY_MS	 600000			      /* a daemon that was down for longer has not looked on */
#define BY_BEGIN "starlingd@"
#define STARTED	 "started version "

/* --- from the log, on its reader's thread --- */

struct loading {
	struct roster roster;
	struct reputation reputation;
	__u64 now_ms, last_ms;
};

static void line_load(void *arg, __u64 date_ms, const char *by, const char *what)
{
	struct loading *l = arg;
	bool away = !strncmp(what, STARTED, strlen(STARTED)) && date_ms > l->last_ms + AWAY_MS;

	if (!l->reputation.since_ms || away)
		l->reputation.since_ms = date_ms;
	l->last_ms = date_ms;
	if (date_ms + KEPT_MS > l->now_ms && !strncmp(by, BY_BEGIN, strlen(BY_BEGIN)))
		reputation_read(&l->reputation, date_ms, what, &l->roster);
}

static void on_load(void *arg)
{
	struct health *h = arg;
	struct loading l = {.now_ms = wall_ms()};
	struct err err = {0};
	int rc;

	pthread_mutex_lock(&h->inbox);
	rc = roster_copy(&l.roster, &h->roster_told);
	pthread_mutex_unlock(&h->inbox);
	if (!rc)
		rc = audit_each(h->d->audit, line_load, &l, &err);
	if (rc && rc != -ENOENT)
		log_warning("health: reputations begin anew: %s", err.text);
	if (!l.reputation.since_ms || l.reputation.since_ms > l.now_ms)
		l.reputation.since_ms = l.now_ms;
	roster_free(&l.roster);
	pthread_mutex_lock(&h->lock);
	memcpy(l.reputation.site, h->reputation.site, sizeof(l.reputation.site));
	reputation_free(&h->reputation);
	h->reputation = l.reputation;
	pthread_mutex_unlock(&h->lock);
	prober_wake(h->prober);
}

void health_reputation_load(struct health *h)
{
	struct err err = {0};

	if (!h->reputation_asked && h->roster_told.count)
		h->reputation_asked = !audit_read(h->d->audit, on_load, h, &err);
}

/* --- from votes, under the lock --- */

void health_reputation_site(struct health *h, const struct verdict_target *target)
{
	char *site = h->reputation.site;

	memset(site, 0, sizeof(h->reputation.site));
	for (size_t i = 0; i < h->set.count; i++) {
		memcpy(site, target[i].rule.site, sizeof(h->reputation.site));
		if (!*site)
			return;
	}
}

/* Before the log was read nothing is added: it stays with the verdicts. */
static void seen_take(struct health *h)
{
	struct reputation_seen seen[SEEN];
	__u64 now_ms = wall_ms();
	size_t count, at;

	while (h->reputation.since_ms && (count = verdict_judged(h->verdict, seen, SEEN))) {
		struct buf line = BUF_INIT;

		for (size_t i = 0; i < count; i++)
			if (reputation_see(&h->reputation, now_ms, &seen[i]))
				log_error("health: no memory for reputations");
		for (at = 0; reputation_write(seen, count, &h->roster, &at, &line); buf_clear(&line))
			audit_note(h->d->audit, NULL, "%s", buf_text(&line));
		buf_free(&line);
	}
}

struct mono health_reputation_step(struct health *h, struct mono now, struct mono due)
{
	if (!h->roster.count)
		return due;
	if (h->seen_due.ns <= now.ns) {
		seen_take(h);
		reputation_keep(&h->reputation, &h->roster);
		if (h->cut_off && h->reputation.since_ms)
			h->reputation.since_ms = wall_ms();
		h->seen_due = mono_after(now, SEEN_MS);
	}
	return h->seen_due.ns < due.ns ? h->seen_due : due;
}

/* --- for others, any thread --- */

bool health_reputation_vote(struct health *h, struct roster *roster)
{
	bool changed;

	pthread_mutex_lock(&h->lock);
	seen_take(h);
	changed = reputation_vote(&h->reputation, wall_ms(), roster);
	pthread_mutex_unlock(&h->lock);
	return changed;
}

int health_reputation_check(struct health *h, const struct roster *is, const struct roster *wanted, struct err *err)
{
	int rc;

	pthread_mutex_lock(&h->lock);
	seen_take(h);
	rc = reputation_check(&h->reputation, wall_ms(), is, wanted, err);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

size_t health_reputation_judges(struct health *h, const struct roster *roster)
{
	size_t ret;

	pthread_mutex_lock(&h->lock);
	ret = reputation_judges(&h->reputation, roster);
	pthread_mutex_unlock(&h->lock);
	return ret;
}

__u32 health_reputation_of(struct health *h, __u64 id)
{
	__u32 ret;

	pthread_mutex_lock(&h->lock);
	ret = reputation_of(&h->reputation, wall_ms(), id);
	pthread_mutex_unlock(&h->lock);
	return ret;
}
