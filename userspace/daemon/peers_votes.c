// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Votes on backends, between pages of the flock and health. Not here: what is voted (health_flock.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/health_flock.h"
#include "daemon/peers_state.h"

#define VOTES_PAGES 32 /* are signed before the loop turns: some 2 ms */

/* Who votes, and who of them may be believed. */
void peers_votes_step(struct peers *p)
{
	struct verdict_self self = {p->identity.id, p->incarnation.number, p->incarnation.boot};
	struct health_flock flock = {.roster = &p->roster, .self = &self, .identity = &p->identity};
	bool *fit = calloc(p->roster.count + 1, sizeof(*fit));
	struct opinion *opinion = flock_opinion(p->flock);

	if (!fit)
		return; /* in a second again */
	for (size_t i = 0; i < p->roster.count; i++)
		fit[i] = p->roster.node[i].id == p->identity.id || opinion_fit(opinion, p->roster.node[i].id);
	flock.fit = fit;
	flock.unfit = 2 * opinion_live(opinion) < p->roster.count;
	health_flock(p->d->health, &flock);
	free(fit);
}

/* Without a part in a flock it goes by its own probes. */
void peers_votes_end(struct peers *p)
{
	static const struct verdict_self nobody;
	static const struct roster none;
	static const bool fit;

	health_flock(p->d->health, &(struct health_flock){.roster = &none, .fit = &fit, .self = &nobody});
}

static void origin_show(struct peers *p, __u64 origin)
{
	struct page page;
	size_t next = 0;

	while (origin != p->identity.id && page_store_next(flock_pages(p->flock), origin, &next, &page))
		if (page.kind == PAGE_KIND_VOTES || page.kind == PAGE_KIND_AGENTS)
			health_hear(p->d->health, &page);
}

/* Others' pages, one node's after the other's, as far as there is room: they are verified meanwhile. */
static void votes_show(struct peers *p)
{
	if (health_hear_again(p->d->health))
		p->votes_shown = 0;
	for (; p->votes_shown < p->roster.count; p->votes_shown++) {
		if (!health_hear_room(p->d->health, STARLING_PAGES_PER_ORIGIN))
			return;
		origin_show(p, p->roster.node[p->votes_shown].id);
	}
}

static void agents_publish(struct peers *p)
{
	struct page_draft *draft;
	size_t count;

	if (!health_agents(p->d->health, &draft, &count))
		return;
	for (size_t i = 0; i < count; i++)
		peers_page_publish(p, PAGE_KIND_AGENTS, (__u16)i, &draft[i]);
	page_author_trim(&p->author, PAGE_KIND_AGENTS, count);
	free(draft);
}

static void on_votes(void *arg)
{
	struct peers *p = arg;
	struct page_draft draft;
	size_t pages = 0;
	__u16 index;

	pthread_mutex_lock(&p->lock);
	if (!p->d->peers || !p->flock) {
		health_hear_again(p->d->health); /* there is nobody */
		goto out;
	}
	votes_show(p);
	for (; pages < VOTES_PAGES && health_votes(p->d->health, &index, &draft); pages++)
		peers_page_publish(p, PAGE_KIND_VOTES, index, &draft);
	agents_publish(p);
	if (pages == VOTES_PAGES)
		peers_votes(p);
	peers_step(p);
out:
	pthread_mutex_unlock(&p->lock);
}

int peers_votes(struct peers *p)
{
	return loop_post(p->d->loop, on_votes, p);
}
