/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an observer's votes have been worth: how often they stood with the verdict in the end, and how often against it.
 * One node's account of all. Pure. Not here: what is evidence (verdict.h), what the flock makes of it (roster.h).
 *
 * An observer is right with a probability that nobody knows, so what was seen of it is a Beta distribution (Josang,
 * Ismail: "The Beta Reputation System", Bled 2002): its mean is with / (with + against), behind a prior that is worth
 * REPUTATION_PRIOR votes which stood with their verdicts. Evidence has a half-life, so that a fault that is mended is
 * forgotten, and so is merit. The mean, but ROSTER_REPUTATION_FLOOR at least, is what this node would have others agree
 * on. Whoever is at the floor goes on being drawn now and then, and is seen when it is better.
 *
 * Evidence says something at once, that there is none only for one who would have seen it: who has looked on for
 * REPUTATION_HALF_MS, at observers whose votes are on what is checked here, which may be those of one site alone.
 *Others neither raise a reputation nor object to its fall.
 *
 * What fails together says one thing: of what one minute brings REPUTATION_MINUTE votes count at most.
 *
 * Evidence is a line of the audit log, from which it is counted again after a restart:
 *
 *	votes judged: lb1 5f0c5a1e6d2b9384 3/0, lb3 0a77c1e2904d3f6b 0/3
 *
 * The ids count: whoever takes over a name takes over no lies. Dates are Unix milliseconds; where the clock goes back
 *no time has passed.
 */
#ifndef STARLING_CORE_REPUTATION_H
#define STARLING_CORE_REPUTATION_H

#include "base/buf.h"
#include "core/roster.h"

#define REPUTATION_HALF_MS 3600000
#define REPUTATION_PRIOR   20  /* votes; see tools/sim/sim_verdict.c for what that comes to */
#define REPUTATION_MINUTE  10  /* votes of one observer that one judging counts as, at most */
#define REPUTATION_PROOF   10  /* votes that a proof of equivocation counts as */
#define REPUTATION_APART   200 /* per mille by which two nodes' accounts may differ */
#define REPUTATION_LINE	   400 /* bytes of evidence in one line of the log */

/* What was seen of one observer, since it was asked for last. */
struct reputation_seen {
	__u64 id;
	__u32 with, against; /* votes */
};

/* All zero: nothing was seen of anybody. */
struct reputation {
	struct reputation_count {
		__u64 id;
		double with, against; /* at @date_ms */
		__u64 date_ms;
	} * node; /* owned; sorted by id */
	size_t count;
	__u64 since_ms;			/* what was seen before is not in it; 0: nothing is */
	char site[STARLING_NAME_BYTES]; /* whose observers are seen; "": all */
};

void reputation_free(struct reputation *r); /* empties it */

/* Return: 0, or -ENOMEM, -ENOSPC (there are STARLING_ROSTER_NODES). */
int reputation_see(struct reputation *r, __u64 now_ms, const struct reputation_seen *seen);

/* Of who does not count any more nothing is kept. */
void reputation_keep(struct reputation *r, const struct roster *roster);

__u32 reputation_of(const struct reputation *r, __u64 now_ms, __u64 id); /* FLOOR..FULL, not rounded */

/* What it should be for the flock: what it is, unless that is a step or more from @estimate. */
__u32 reputation_next(__u32 agreed, __u32 estimate);

/* Of those of the roster that see the same observers, this node among them, how many there are. */
size_t reputation_judges(const struct reputation *r, const struct roster *roster);

/* All of a roster's. Return: whether any is another one. */
bool reputation_vote(const struct reputation *r, __u64 now_ms, struct roster *roster);

/**
 * reputation_check() - whether others may change reputations so
 * @is, @wanted: rosters; who is new has the full one
 *
 * Each that is to be another one may be REPUTATION_APART from what was seen here; less than that it may be as well by
 * who does not look on. Return: 0, or -EINVAL with @err.
 */
int reputation_check(const struct reputation *r, __u64 now_ms, const struct roster *is, const struct roster *wanted,
		     struct err *err);

typedef bool reputation_answers_fn(void *arg, __u64 id);

/* Who proposes, by a draw for each hour: of those that answer the first that may. Return: its id; 0: nobody. */
__u64 reputation_turn(const struct roster *roster, __u64 hour, reputation_answers_fn *answers, void *arg);

/**
 * reputation_write() - a line of evidence
 * @roster:	for names; who is not in it is left out
 * @at:		0 at first; of @seen where the next line begins
 *
 * Return: whether there was one.
 */
bool reputation_write(const struct reputation_seen *seen, size_t count, const struct roster *roster, size_t *at,
		      struct buf *out);

/* Any text; what is no evidence, or of nobody in the roster, counts nothing. */
void reputation_read(struct reputation *r, __u64 date_ms, const char *line, const struct roster *roster);

#endif
