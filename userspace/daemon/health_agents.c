// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What backends' agents say, between probes, the plane and the other nodes. Not here: what reports decide together
 * (core/agent_rule.h), votes (health_flock.c).
 */
#include <stdlib.h>
#include <string.h>

#include "core/fact.h"
#include "daemon/health_state.h"

#define AGENT_FRESH    3    /* intervals without a probe after which what it said is forgotten */
#define AGENT_WRITE_MS 1000 /* an agent that says something else at every turn is told of once in so long */
#define AGENT_PAGES    64   /* of reports: 3,100 agents, as many as there are votes */

/* --- own reports --- */

/* What an agent said before its target was left to others may have been taken back since. */
static bool is_fresh(const struct health_target *t, struct mono now)
{
	return t->heard.ns && mono_ms(t->heard, now) <= AGENT_FRESH * (__u64)t->check->interval_ms;
}

bool health_agent_take(struct health_target *t, struct mono now, const struct agent_say *say)
{
	bool changed = !t->heard.ns;
	struct agent_report none = {0};

	if (!t->agent)
		return false;
	if (!is_fresh(t, now)) {
		changed |= !agent_report_same(&t->report, &none);
		t->report = none;
	}
	t->heard = now;
	return agent_report_take(&t->report, say) || changed;
}

/* Return: how many pages. */
static size_t pages_write(const struct health *h, struct page_draft *draft)
{
	size_t page = 0;

	for (size_t i = 0; i < h->set.count; i++) {
		const struct health_target *t = &h->set.target[h->set.by_id[i]];

		if (!t->agent || !t->heard.ns || !agent_report_encode(t->id, &t->report, &draft[page]))
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

bool health_agents_step(struct health *h, struct mono now, struct mono *ret_due)
{
	bool writes = h->agents_changed && now.ns >= h->agents_due.ns;

	if (writes) {
		health_agents_write(h);
		h->agents_changed = false;
		h->agents_due = mono_after(now, AGENT_WRITE_MS);
	}
	ret_due->ns = h->agents_changed ? h->agents_due.ns : UINT64_MAX;
	return writes;
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

/* NULL: it has told nothing, as one that knows no reports. */
static struct agent_report *told_find(struct health_agent *agent, __u64 by)
{
	for (size_t i = 0; i < VERDICT_SEATS; i++)
		if (agent->told[i].by == by)
			return &agent->told[i].report;
	return NULL;
}

bool health_agent_told(struct health_agent *agent, const struct verdict_seats *seats, __u64 by,
		       const struct agent_report *report)
{
	struct agent_report *place = told_find(agent, by);

	if (place && agent_report_same(place, report))
		return false;
	for (size_t i = 0; !place && i < VERDICT_SEATS; i++) {
		if (agent->told[i].by && verdict_seat_of(seats, agent->told[i].by) >= 0)
			continue;
		agent->told[i].by = by;
		place = &agent->told[i].report;
	}
	if (place)
		*place = *report;
	return place;
}

void health_agents_hear(struct health *h, __u64 origin, const struct page *page)
{
	struct agent_report report;
	const struct health_target *t;
	struct verdict_view view;
	size_t at = 0;
	__u64 target;

	while (agent_report_next(page, &at, &target, &report) > 0) {
		t = health_set_id(&h->set, target);
		if (!t || !t->agent || verdict_view(h->verdict, target, &view) ||
		    verdict_seat_of(&view.seats, origin) < 0)
			continue;
		h->agents_heard |= health_agent_told(t->agent, &view.seats, origin, &report);
	}
}

/*
 * With fewer observers that judge and report than a quorum it goes by what it has heard itself, as a lone one does: at
 * a start only once those that are to come have had their time. Where it does not ask, all stays as it was.
 */
void health_agent_decide(const struct health *h, const struct health_target *t, const struct verdict_view *view,
			 struct mono now, struct agent_report *ret)
{
	struct agent_report report[VERDICT_SEATS] = {{0}};
	bool counts[VERDICT_SEATS] = {false};
	size_t able = 0, heard = 0;

	*ret = (struct agent_report){0};
	if (!t->agent)
		return;
	for (size_t i = 0; i < view->seats.count; i++) {
		__u64 id = view->seats.seat[i].id;
		const struct agent_report *told = id != h->self.id   ? told_find(t->agent, id)
						  : is_fresh(t, now) ? &t->report
								     : NULL;

		able += view->vote[i].able;
		counts[i] = view->vote[i].able && told;
		heard += counts[i];
		if (told)
			report[i] = *told;
	}
	if (view->seats.count && (view->awaited ? able : heard) >= view->seats.quorum)
		agent_decide(&view->seats, (enum verdict_mode)(t->check->mode - 1), report, counts, ret);
	else if (is_fresh(t, now))
		*ret = t->report;
}
