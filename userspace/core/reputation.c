// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See reputation.h.
 */
#include "core/reputation.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/mix.h"

#define LINE_BEGIN "votes judged: "

static int count_order(const void *id, const void *count)
{
	__u64 a = *(const __u64 *)id, b = ((const struct reputation_count *)count)->id;

	return a < b ? -1 : a > b;
}

static bool find(const struct reputation *r, __u64 id, size_t *ret_at)
{
	return array_find(r->node, r->count, sizeof(*r->node), &id, count_order, ret_at);
}

void reputation_free(struct reputation *r)
{
	free(r->node);
	*r = (struct reputation){0};
}

/* How much of what was seen then is left. */
static double left(const struct reputation_count *c, __u64 now_ms)
{
	return now_ms > c->date_ms ? exp2(-(double)(now_ms - c->date_ms) / REPUTATION_HALF_MS) : 1;
}

int reputation_see(struct reputation *r, __u64 now_ms, const struct reputation_seen *seen)
{
	struct reputation_count *c, fresh = {.id = seen->id, .date_ms = now_ms};
	double votes = (double)seen->with + seen->against,
	       part = votes > REPUTATION_MINUTE ? REPUTATION_MINUTE / votes : 1, keep;
	size_t at;

	if (!find(r, seen->id, &at)) {
		if (r->count == STARLING_ROSTER_NODES)
			return -ENOSPC;
		if (array_insert(&r->node, &r->count, sizeof(fresh), at, &fresh))
			return -ENOMEM;
	}
	c = &r->node[at];
	keep = left(c, now_ms);
	c->with = keep * c->with + part * seen->with;
	c->against = keep * c->against + part * seen->against;
	if (now_ms > c->date_ms)
		c->date_ms = now_ms;
	return 0;
}

void reputation_keep(struct reputation *r, const struct roster *roster)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		if (roster_find_id(roster, r->node[i].id))
			r->node[kept++] = r->node[i];
	r->count = kept;
}

__u32 reputation_of(const struct reputation *r, __u64 now_ms, __u64 id)
{
	double keep, with = REPUTATION_PRIOR, against = 0;
	__u32 mean;
	size_t at;

	if (find(r, id, &at)) {
		keep = left(&r->node[at], now_ms);
		with += keep * r->node[at].with;
		against = keep * r->node[at].against;
	}
	mean = (__u32)lrint(ROSTER_REPUTATION_FULL * with / (with + against));
	return mean > ROSTER_REPUTATION_FLOOR ? mean : ROSTER_REPUTATION_FLOOR;
}

static __u32 apart(__u32 a, __u32 b)
{
	return a > b ? a - b : b - a;
}

__u32 reputation_next(__u32 agreed, __u32 estimate)
{
	if (apart(agreed, estimate) < ROSTER_REPUTATION_STEP)
		return agreed;
	return (estimate + ROSTER_REPUTATION_STEP / 2) / ROSTER_REPUTATION_STEP * ROSTER_REPUTATION_STEP;
}

static bool sees(const struct reputation *r, const struct roster_node *node)
{
	return !*r->site || !strcmp(r->site, node->site);
}

/* Whether it says anything that this node knows of nothing against another one. */
static bool looks_on(const struct reputation *r, __u64 now_ms, const struct roster_node *node)
{
	return r->since_ms && now_ms >= r->since_ms + REPUTATION_HALF_MS && sees(r, node);
}

size_t reputation_judges(const struct reputation *r, const struct roster *roster)
{
	size_t count = 0;

	for (size_t i = 0; i < roster->count; i++)
		count += sees(r, &roster->node[i]);
	return count;
}

bool reputation_vote(const struct reputation *r, __u64 now_ms, struct roster *roster)
{
	bool changed = false;

	for (size_t i = 0; i < roster->count; i++) {
		struct roster_node *node = &roster->node[i];
		__u32 is = roster_reputation(node), next = reputation_next(is, reputation_of(r, now_ms, node->id));

		if (next > is && !looks_on(r, now_ms, node))
			continue;
		roster_reputation_set(node, next);
		changed |= next != is;
	}
	return changed;
}

int reputation_check(const struct reputation *r, __u64 now_ms, const struct roster *is, const struct roster *wanted,
		     struct err *err)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct roster_node *node = &wanted->node[i], *was = roster_find_id(is, node->id);
		__u32 next = roster_reputation(node), seen = reputation_of(r, now_ms, node->id);

		if (next == (was ? roster_reputation(was) : ROSTER_REPUTATION_FULL))
			continue;
		if (!was)
			return err_set(err, EINVAL, "%s is new, and has no reputation of %u yet", node->name, next);
		if (apart(next, seen) > REPUTATION_APART && (seen < next || looks_on(r, now_ms, node)))
			return err_set(err, EINVAL,
				       "the reputation of %s is to be %u, and by what was seen here it is %u",
				       node->name, next, seen);
	}
	return 0;
}

/* --- whose turn it is --- */

__u64 reputation_turn(const struct roster *roster, __u64 hour, reputation_answers_fn *answers, void *arg)
{
	__u64 least = UINT64_MAX, first = 0;
	bool admins = false;
	size_t i;

	for (i = 0; i < roster->count; i++)
		admins |= !!(roster->node[i].roles & ROLE_ADMIN);
	for (i = 0; i < roster->count; i++) {
		const struct roster_node *node = &roster->node[i];
		__u64 lot = mix64(node->id ^ mix64(hour));

		if ((!admins || node->roles & ROLE_ADMIN) && lot < least && answers(arg, node->id)) {
			least = lot;
			first = node->id;
		}
	}
	return first;
}

/* --- lines --- */

bool reputation_write(const struct reputation_seen *seen, size_t count, const struct roster *roster, size_t *at,
		      struct buf *out)
{
	size_t begin = out->len;

	for (; *at < count && out->len - begin < REPUTATION_LINE; ++*at) {
		const struct roster_node *node = roster_find_id(roster, seen[*at].id);

		if (node)
			buf_printf(out, "%s%s %016llx %u/%u", out->len == begin ? LINE_BEGIN : ", ", node->name,
				   (unsigned long long)node->id, seen[*at].with, seen[*at].against);
	}
	return out->len > begin;
}

void reputation_read(struct reputation *r, __u64 date_ms, const char *line, const struct roster *roster)
{
	struct reputation_seen seen;
	unsigned long long id;
	int len = 0;

	_Static_assert(STARLING_NAME_BYTES == 32, "as the format below has it");
	if (strncmp(line, LINE_BEGIN, strlen(LINE_BEGIN)) != 0)
		return;
	for (line += strlen(LINE_BEGIN);
	     sscanf(line, "%*31[^ ] %16llx %9u/%9u%n", &id, &seen.with, &seen.against, &len) == 3; line += len + 2) {
		seen.id = id;
		if (roster_find_id(roster, id))
			reputation_see(r, date_ms, &seen);
		if (strncmp(line + len, ", ", 2) != 0)
			return;
	}
}
