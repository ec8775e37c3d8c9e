// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Incarnations and twins. Not here: where the number is stored.
 */
#include "core/incarnation.h"

void incarnation_begin(struct incarnation *i, __u32 stored, __u64 boot)
{
	*i = (struct incarnation){.boot = boot, .number = stored + 1 ? stored + 1 : stored, .highest = stored};
}

void incarnation_heard(struct incarnation *i, const struct page_version *version)
{
	if (version->boot != i->boot && version->incarnation > i->highest)
		i->highest = version->incarnation;
}

bool incarnation_step(struct incarnation *i, struct mono now, bool conflict)
{
	if (i->highest < i->number || i->highest + 1 == 0 || conflict)
		return false;
	if (i->outranked && mono_ms(i->changed, now) < INCARNATION_LEAST_MS)
		return false;
	i->number = i->highest + 1;
	i->changed = now;
	i->outranked = true;
	return true;
}

void twin_heard(struct twin_watch *w, __u64 boot, const struct endpoint *from, struct mono now)
{
	struct twin *a = &w->boot[0], *b = &w->boot[1];
	struct twin *t = a->boot == boot ? a : b->boot == boot ? b : NULL;

	if (t) {
		t->from = *from;
		t->last = now;
		return;
	}
	/* A new boot: it takes the place of one that has ended. */
	if (a->boot && b->boot) {
		if (mono_ms(a->last, now) >= TWIN_OVERLAP_MS)
			*a = *b;
		else if (mono_ms(b->last, now) < TWIN_OVERLAP_MS)
			return;
		b->boot = 0;
	}
	*(a->boot ? b : a) = (struct twin){boot, *from, now, now};
}

bool twin_conflict(const struct twin_watch *w, struct mono now)
{
	const struct twin *a = &w->boot[0], *b = &w->boot[1];

	return a->boot && b->boot && endpoint_compare(&a->from, &b->from) &&
	       mono_ms(b->first, a->last) >= TWIN_OVERLAP_MS && mono_ms(a->last, now) < TWIN_SILENT_MS &&
	       mono_ms(b->last, now) < TWIN_SILENT_MS;
}
