// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What backends' agents say, between probes, the plane and the other nodes. Not here: what reports decide together
 * (core/agent_rule.h), votes (health_flock.c).
 */
#include <stdlib.h>
#include <string.h>

#include "core/fact.h"
#include "daemon/health_state.h"

#define AGENT_PAGES 64 /* of reports: 3,100 agents, as many as there are votes */

/* --- own reports --- */

static bool is_said(const struct agent_report *r)
{
	return r->admin != AGENT_UNSAID || r->has_percent || r->has_maxconn;
}

/* Return: how many pages. */
static size_t pages_write(const struct health *h, struct page_draft *draft)
{
	size_t page = 0;

	for (size_t i = 0; i < h->set.count; i++) {
		const struct health_target *t = &h->set.target[h->set.by_id[i]];

		if (!t->agent || !is_said(&t->report) || !agent_report_encode(t->id, &t->report, &draft[page]))
			continue;
		if (page + 1 == AGENT_PAGES)
			break;
		agent_report_encode(t->id, &t->report, &draft[++page]);
	}
	return draft[page].len ? page + 1 : page;
}

void health_agents_write(struct health *h)
{
	struct page_draft *draft = h->self.id ? calloc(AGENT_PAGES, sizeof(*draft)) : NULL, *former;
	size_t pages = draft ? pages_write(h, draft) : 0;

	if (!draft)
		return;
	pthread_mutex_lock(&h->inbox);
	former = h->agents;
	h->agents = draft;
	h->agent_pages = pages;
	pthread_mutex_unlock(&h->inbox);
	free(former);
}

bool health_agents(struct health *h, struct page_draft **ret, size_t *ret_count)
{
	bool any;

	if (!h)
		return false;
	pthread_mutex_lock(&h->inbox);
	any = h->agents;
	if (any) {
		*ret = h->agents;
		*ret_count = h->agent_pages;
		h->agents = NULL;
	}
	pthread_mutex_unlock(&h->inbox);
	return any;
}

/* --- all observers' --- */

/* The place of an observer's report, or one whose node does not observe; NULL: there is none. */
static struct agent_report *told_place(struct health_agent *agent, const struct verdict_seats *seats, __u64 by)
{
	for (size_t i = 0; i < VERDICT_SEATS; i++)
		if (agent->told[i].by == by)
			return &agent->told[i].report;
	for (size_t i = 0; i < VERDICT_SEATS; i++)
		if (!agent->told[i].by || verdict_seat_of(seats, agent->told[i].by) < 0) {
			agent->told[i].by = by;
			return &agent->told[i].report;
		}
	return NULL;
}

void health_agents_hear(struct health *h, __u64 origin, const struct page *page)
{
	struct agent_report report, *place;
	const struct health_target *t;
	struct verdict_view view;
	size_t at = 0;
	__u64 target;

	while (agent_report_next(page, &at, &target, &report) > 0) {
		t = health_set_id(&h->set, target);
		if (!t || !t->agent || verdict_view(h->verdict, target, &view) ||
		    verdict_seat_of(&view.seats, origin) < 0)
			continue;
		place = told_place(t->agent, &view.seats, origin);
		if (!place)
			continue;
		*place = report;
		h->agents_heard = true;
	}
}

static void told_find(const struct health_agent *agent, __u64 by, struct agent_report *ret)
{
	for (size_t i = 0; i < VERDICT_SEATS; i++)
		if (agent->told[i].by == by)
			*ret = agent->told[i].report;
}

/* With fewer live observers than a quorum it goes by what it has heard itself, as a lone one does. */
void health_agent_decide(const struct health *h, const struct health_target *t, const struct verdict_view *view,
			 struct agent_report *ret)
{
	struct agent_report report[VERDICT_SEATS] = {{0}};
	bool counts[VERDICT_SEATS] = {false};
	size_t live = 0;

	*ret = t->report;
	if (!t->agent)
		return;
	for (size_t i = 0; i < view->seats.count; i++) {
		__u64 id = view->seats.seat[i].id;

		counts[i] = view->vote[i].live && !view->vote[i].caught;
		live += counts[i];
		if (id == h->self.id)
			report[i] = t->report;
		else
			told_find(t->agent, id, &report[i]);
	}
	if (view->seats.count && live >= view->seats.quorum)
		agent_decide(&view->seats, (enum verdict_mode)(t->check->mode - 1), report, counts, ret);
}
