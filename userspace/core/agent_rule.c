// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See agent_rule.h.
 */
#include "core/agent_rule.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool agent_report_same(const struct agent_report *a, const struct agent_report *b)
{
	return a->admin == b->admin && a->has_percent == b->has_percent && a->percent == b->percent &&
	       a->has_maxconn == b->has_maxconn && a->maxconn == b->maxconn;
}

bool agent_report_take(struct agent_report *r, const struct agent_say *say)
{
	struct agent_report before = *r;

	if (say->admin != AGENT_UNSAID)
		r->admin = say->admin;
	if (say->has_percent) {
		r->has_percent = true;
		r->percent = say->percent;
	}
	if (say->has_maxconn) {
		r->has_maxconn = true;
		r->maxconn = say->maxconn;
	}
	return !agent_report_same(&before, r);
}

/* Whether so many say it as make a verdict: of those who say anything else nothing is heard. */
static bool admin_decided(const struct verdict_seats *s, enum verdict_mode mode, const struct agent_report *report,
			  const bool *counts, enum agent_admin admin)
{
	enum verdict_state state[VERDICT_SEATS] = {VERDICT_NONE};

	for (size_t i = 0; i < s->count; i++)
		if (counts[i] && report[i].admin == admin)
			state[i] = VERDICT_UP;
	return s->count && verdict_decide(s, mode, state) == VERDICT_UP;
}

static int number_order(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* Of an even number the lower one: it asks for less. Return: whether there are enough. */
static bool median(__u32 *number, size_t count, size_t quorum, __u32 *ret)
{
	if (!count || count < quorum)
		return false;
	qsort(number, count, sizeof(*number), number_order);
	*ret = number[(count - 1) / 2];
	return true;
}

void agent_decide(const struct verdict_seats *s, enum verdict_mode mode,
		  const struct agent_report report[VERDICT_SEATS], const bool counts[VERDICT_SEATS],
		  struct agent_report *ret)
{
	__u32 percent[VERDICT_SEATS], maxconn[VERDICT_SEATS];
	size_t percents = 0, maxconns = 0;

	*ret = (struct agent_report){.admin = AGENT_UNSAID};
	for (enum agent_admin admin = AGENT_READY; admin <= AGENT_MAINT; admin++)
		if (admin_decided(s, mode, report, counts, admin))
			ret->admin = admin;
	for (size_t i = 0; i < s->count; i++) {
		if (counts[i] && report[i].has_percent)
			percent[percents++] = report[i].percent;
		if (counts[i] && report[i].has_maxconn)
			maxconn[maxconns++] = report[i].maxconn;
	}
	ret->has_percent = median(percent, percents, s->quorum, &ret->percent);
	ret->has_maxconn = median(maxconn, maxconns, s->quorum, &ret->maxconn);
}

int agent_report_encode(__u64 target, const struct agent_report *r, struct page_draft *draft)
{
	struct agent_report_wire wire = {
		.target = htole64(target),
		.maxconn = htole32(r->maxconn),
		.admin = (__u8)r->admin,
		.has = (__u8)((r->has_percent ? AGENT_HAS_PERCENT : 0) | (r->has_maxconn ? AGENT_HAS_MAXCONN : 0)),
		.percent = (__u8)r->percent,
	};

	return page_entry_add(draft, AGENT_ENTRY_REPORT, &wire, sizeof(wire));
}

int agent_report_next(const struct page *page, size_t *at, __u64 *ret_target, struct agent_report *ret)
{
	struct agent_report_wire wire;
	int rc;

	rc = page_record_next(page, at, AGENT_ENTRY_REPORT, &wire, sizeof(wire));
	if (rc <= 0)
		return rc;
	if (wire.admin > AGENT_MAINT || wire.percent > AGENT_PERCENT_ALL)
		return -EBADMSG;
	*ret_target = le64toh(wire.target);
	*ret = (struct agent_report){
		.admin = (enum agent_admin)wire.admin,
		.has_percent = wire.has & AGENT_HAS_PERCENT,
		.has_maxconn = wire.has & AGENT_HAS_MAXCONN,
		.percent = wire.percent,
		.maxconn = le32toh(wire.maxconn),
	};
	return 1;
}
