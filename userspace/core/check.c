// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Verdicts from results. Not here: where results come from.
 */
#include "core/check.h"

#include "core/mix.h"

#define JITTER_PART 10 /* of an interval */
#define REPEAT_PART 10
#define FIRST_MS    3000 /* the first one comes within so much, whatever the interval */

static const char *const reasons[] = {
#define CHECK_REASON_LABEL(name, label, help) [name] = (label),
	STARLING_CHECK_REASONS(CHECK_REASON_LABEL)
#undef CHECK_REASON_LABEL
};

const char *check_reason_label(enum check_reason reason)
{
	return reasons[reason];
}

const char *check_verdict_word(enum check_verdict verdict)
{
	switch (verdict) {
	case CHECK_UNKNOWN:
		return "unknown";
	case CHECK_UP:
		return "up";
	case CHECK_DOWN:
		return "down";
	}
	return "?";
}

static __u32 repeat_ms(const struct check_config *rules)
{
	__u32 ms = rules->interval_ms / REPEAT_PART;

	return ms < CHECK_REPEAT_MIN_MS ? CHECK_REPEAT_MIN_MS : ms;
}

void check_start(struct check *c, const struct check_config *rules, enum check_verdict verdict, struct mono now,
		 __u64 random)
{
	__u32 first_ms = rules->interval_ms < FIRST_MS ? rules->interval_ms : FIRST_MS;

	*c = (struct check){.verdict = verdict, .due = mono_after(now, mix_below(mix64(random), first_ms))};
}

__u32 check_probe(struct check *c, const struct check_config *rules, struct mono now, __u64 random)
{
	__u32 shorter = mix_below(mix64(random), rules->interval_ms / JITTER_PART);

	if (c->repeats) {
		c->repeats--;
		c->awaited++;
	}
	c->due = mono_after(now, c->repeats ? repeat_ms(rules) : rules->interval_ms - shorter);
	return c->round;
}

static bool verdict_set(struct check *c, enum check_verdict verdict)
{
	bool changed = c->verdict != verdict;

	c->verdict = verdict;
	c->row = c->repeats = c->awaited = 0;
	c->round += changed;
	return changed;
}

static bool burst_result(struct check *c, const struct check_config *rules, enum check_outcome outcome)
{
	if (outcome == OUTCOME_GOOD) {
		c->round++;
		c->row = c->repeats = c->awaited = 0;
		return c->verdict == CHECK_UNKNOWN && verdict_set(c, CHECK_UP);
	}
	if (outcome == OUTCOME_NOTHING) { /* no proof: the next failure begins another one */
		c->round++;
		c->row = rules->fall - 1;
		c->repeats = c->awaited = 0;
		return false;
	}
	if (c->awaited)
		c->awaited--;
	return !c->awaited && !c->repeats && verdict_set(c, CHECK_DOWN);
}

bool check_result(struct check *c, const struct check_config *rules, __u32 round, enum check_outcome outcome,
		  struct mono now)
{
	bool bad = outcome == OUTCOME_BAD;

	if (round != c->round)
		return false;
	if (c->repeats || c->awaited)
		return burst_result(c, rules, outcome);
	if (outcome == OUTCOME_NOTHING)
		return false;
	if (bad == (c->verdict == CHECK_DOWN)) {
		c->row = 0;
		return !bad && verdict_set(c, CHECK_UP);
	}
	c->row++;
	if (c->verdict == CHECK_DOWN)
		return c->row >= rules->rise && verdict_set(c, CHECK_UP);
	if (c->row >= rules->fall) {
		c->round++;
		c->repeats = CHECK_REPEATS;
		c->due = mono_after(now, repeat_ms(rules));
	}
	return false;
}
