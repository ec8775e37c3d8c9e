// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_watch.h.
 */
#include "core/verdict_watch.h"

#include "core/mix.h"

#define MS	 1000000ull /* in ns */
#define FIRST_MS 3000	    /* the first probe comes within so much, whatever the interval */

__u32 verdict_watch_step_ms(const struct verdict_pace *pace)
{
	__u32 tenth = pace->interval_ms / 10, third = pace->timeout_ms / 3, step = tenth < third ? tenth : third;

	return step > VERDICT_STEP_MS ? step : VERDICT_STEP_MS;
}

static __u32 enough(const struct verdict_pace *pace)
{
	return pace->fall + (pace->plain ? 0 : VERDICT_BURST);
}

static struct mono interval_end(const struct verdict_pace *pace, struct mono now, __u64 random)
{
	__u64 ns = pace->interval_ms * MS;

	return (struct mono){now.ns + ns - ns * mix_below(random, VERDICT_JITTER_PER_MILLE) / 1000};
}

void verdict_watch_begin(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now,
			 enum verdict_state state, __u64 random)
{
	__u64 within_ms = pace->interval_ms < FIRST_MS ? pace->interval_ms : FIRST_MS;

	*w = (struct verdict_watch){
		.state = state,
		.since = now,
		.due = {now.ns + within_ms * MS * mix_below(random, 1000) / 1000},
	};
}

__u32 verdict_watch_probe(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now, __u64 random)
{
	__u32 number = w->next++;

	if (!pace->plain && w->state != VERDICT_DOWN && w->run + 1 >= pace->fall)
		w->hurried = true;
	if (w->hurried && w->next - w->first < enough(pace))
		w->due = mono_after(now, verdict_watch_step_ms(pace));
	else
		w->due = interval_end(pace, now, random);
	return number;
}

static bool turn(struct verdict_watch *w, struct mono now, enum verdict_state state)
{
	w->state = state;
	w->since = now;
	w->run = 0;
	w->hurried = false;
	w->first = w->next;
	return true;
}

static bool succeeded(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now, __u32 number)
{
	w->first = number + 1;
	if (w->state == VERDICT_DOWN)
		return ++w->run >= pace->rise && turn(w, now, VERDICT_UP);
	w->run = 0;
	if (w->hurried)
		w->due = mono_after(now, pace->interval_ms);
	w->hurried = false;
	return w->state == VERDICT_NONE && turn(w, now, VERDICT_UP);
}

bool verdict_watch_result(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now, __u32 number,
			  enum verdict_evidence evidence)
{
	if (number - w->first >= w->next - w->first)
		return false; /* never sent, or before the last success */
	w->evidence = evidence;
	w->failing = evidence != VERDICT_GOOD;
	if (!w->failing)
		return succeeded(w, pace, now, number);
	if (w->state == VERDICT_DOWN) {
		w->run = 0;
		return false;
	}
	if (++w->run >= enough(pace))
		return turn(w, now, VERDICT_DOWN);
	if (evidence == VERDICT_REFUSED && !pace->plain && !w->hurried) {
		w->hurried = true;
		w->due = mono_after(now, verdict_watch_step_ms(pace));
	}
	return false;
}

void verdict_watch_hurry(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now)
{
	if (pace->plain || w->hurried || w->state == VERDICT_DOWN)
		return;
	if (w->asked.ns && now.ns < w->asked.ns + pace->interval_ms * MS)
		return;
	w->asked = now;
	w->hurried = true;
	w->due = now;
}

bool verdict_watch_fails(const struct verdict_watch *w)
{
	return w->failing && (w->state == VERDICT_DOWN || w->run > 1);
}
