/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one node finds out about one target by its own probes: when to probe, and when it is down. Pure. Not here: how
 * it is probed (io), what others find (verdict.h).
 *
 * A target goes down after `fall` failures in a row, and comes up after `rise` successes. Lost packets look like a dead
 * target: with a tenth lost each way a probe fails with p = 0.19, so three in a row befall a healthy one 5,500 times in
 * 10^6 probes. Hence the burst: before it is called down, it has to fail three times more, p^6. What is hurried is
 *
 *	the burst	from the probe on that would be the `fall`th failure,
 *	all of it	once the target has refused a connection, which no loss does, or a peer calls it down
 *
 * and then the next probe is sent after a tenth of the interval (a third of the timeout if that is less, and 50 ms at
 * least), whether the ones before are answered or not. So with the burst a black hole takes fall x interval + timeout +
 * 3 such steps, which are no more than a timeout. Any success ends the hurry, and nothing before it counts.
 */
#ifndef STARLING_CORE_VERDICT_WATCH_H
#define STARLING_CORE_VERDICT_WATCH_H

#include "base/clock.h"
#include "core/verdict_vote.h"

#define VERDICT_BURST		 3   /* probes beyond `fall` */
#define VERDICT_STEP_MS		 50  /* from one hurried probe to the next, at least */
#define VERDICT_JITTER_PER_MILLE 100 /* of an interval, by which it is shorter */

struct verdict_pace {
	__u32 interval_ms; /* 1.. */
	__u32 timeout_ms;  /* up to interval_ms, for the times above */
	__u32 rise, fall;  /* 1.. */
	bool plain;	   /* no burst, no hurry: a lone checker, to compare with */
};

struct verdict_watch {
	enum verdict_state state;	/* NONE, UP or DOWN */
	enum verdict_evidence evidence; /* of the last result */
	struct mono since;		/* of @state */
	struct mono due;		/* of the next probe */
	struct mono asked;		/* by a peer, last */
	__u32 run;			/* results in a row that speak against @state */
	__u32 next;			/* number of the next probe */
	__u32 first;			/* earlier ones that fail count no more */
	bool failing;			/* the last result was one */
	bool hurried;
};

/* From @state on; the first probe within an interval, or 3 s if that is longer. */
void verdict_watch_begin(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now,
			 enum verdict_state state, __u64 random);

/* It is due: the number of the probe that is to be sent; its result has to come, a failure after the timeout. */
__u32 verdict_watch_probe(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now, __u64 random);

/* Return: whether the state changed. */
bool verdict_watch_result(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now, __u32 number,
			  enum verdict_evidence evidence);

/* Somebody else says that it is down: probe at once; once an interval, so that nobody can have a target flooded. */
void verdict_watch_hurry(struct verdict_watch *w, const struct verdict_pace *pace, struct mono now);

/* Whether the target seems to fail: it is down and still does not answer, or has not twice in a row. */
bool verdict_watch_fails(const struct verdict_watch *w);

/* From one hurried probe to the next. */
__u32 verdict_watch_step_ms(const struct verdict_pace *pace);

#endif
