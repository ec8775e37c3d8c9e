/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Health and the other nodes: who votes, and pages of votes. For peers_votes.c and its like: all are called on the
 * loop's thread, under the peers' lock, and @h may be NULL at the daemon's end. Not here: the rest of health
 * (health.h).
 */
#ifndef STARLING_DAEMON_HEALTH_FLOCK_H
#define STARLING_DAEMON_HEALTH_FLOCK_H

#include "core/page.h"
#include "core/verdict.h"
#include "daemon/health.h"
#include "io/secrets.h"

struct health_flock {
	const struct roster *roster; /* borrowed; of no nodes: this balancer goes by its own probes */
	const bool *fit;	     /* by node of it: it answers, and may be believed */
	const struct verdict_self *self;
	const struct identity *identity; /* to sign as @self; NULL: that is nobody */
	bool unfit;			 /* this node has lost most of its peers */
};

/* Who votes, and who of them lives; whenever it may be another answer. */
void health_flock(struct health *h, const struct health_flock *flock);

/* A page of votes, or of agents' reports, came. */
void health_hear(struct health *h, const struct page *page);

/* Whether all pages of votes are to be shown again: some may have been of what was not known yet. */
bool health_hear_again(struct health *h);

/* Whether there is room for so many of those pages now. If not, peers_votes() is called when there is. */
bool health_hear_room(struct health *h, size_t pages);

/* Pages of own reports of agents, if they are others; owned by the caller. Return: whether they are. */
bool health_agents(struct health *h, struct page_draft **ret, size_t *ret_count);

/* The next page of own votes that says something new. Return: whether there was one. */
bool health_votes(struct health *h, __u16 *ret_index, struct page_draft *ret);

#endif
