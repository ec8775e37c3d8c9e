/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of verdicts: for verdict*.c alone. Not here: what others see (verdict.h).
 */
#ifndef STARLING_CORE_VERDICT_PRIVATE_H
#define STARLING_CORE_VERDICT_PRIVATE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mix.h"
#include "core/verdict.h"

#define VERDICT_SEEN (VERDICT_SEATS * VERDICT_WITNESSES)

struct held {
	enum verdict_state state; /* NONE: there is none */
	bool former;		  /* of the epoch before */
	struct roster_epoch epoch;
	struct verdict_rule rule;  /* by which it was made */
	struct verdict_vote *vote; /* owned */
	size_t votes;		   /* 0 as well without memory to keep them */
};

struct target {
	struct verdict_target is;
	struct verdict_seats seats;
	int self; /* own seat; -1: none */
	bool watched;
	struct verdict_watch watch;
	struct verdict_vote standing[VERDICT_SEATS]; /* of state NONE: none */
	struct mono stood[VERDICT_SEATS];	     /* since when they say so */
	__u32 turns[VERDICT_SEATS]; /* to what does not hold, since they were judged or another holds */
	bool proven;		    /* what holds: they are judged by it */
	struct mono judge;	    /* when they are judged; 0 ns: nothing is to be judged */
	bool judge_all;		    /* also who says what holds: it has come about */
	__u64 hash[VERDICT_SEATS];  /* of them, in mode proof */
	struct verdict_vote *seen;  /* by witnesses: VERDICT_SEEN of them; owned; NULL: none */
	__u64 asked[VERDICT_SEATS]; /* votes that this node is to be a witness of */
	size_t asked_count;
	struct mono voted; /* by this node, last */
	struct mono grace; /* observers that have not voted by then do not judge; 0 ns: it is over */
	struct held held;
	struct mono unproven; /* by votes that stand, since then; 0 ns: they prove it, or nothing holds */
	bool shown;	      /* what is held is shown to others */
	bool contradicted;    /* it fails here, and more than f others say up */
	bool undecided;	      /* more than f say down, and it is not */
	bool fails;	      /* hurried probes do, and it is not down */
	bool changed;	      /* @state or @source are not what was told */
	enum verdict_state state, told_state;
	enum verdict_source source, told_source;
	bool own_down, told_own_down;
	struct mono since; /* of @state */
	struct mono due;
	size_t place; /* among those by time */
};

struct peer {
	__u64 id;
	struct roster_key key;
	bool live, caught;
	__u32 with, against; /* votes that were judged, since they were asked for */
};

struct verdict {
	struct verdict_config config;
	struct roster roster;
	struct roster_epoch epoch;
	struct peer *peer; /* owned; sorted by id */
	size_t peers;
	struct target **target;	 /* owned, and each; sorted by id */
	struct target **by_time; /* a heap */
	size_t targets;
	size_t observed, contradicted, undecided, failing, changed;
	size_t recast; /* the next target whose vote may have to be another one */
	bool unfit, doubts;
	struct mono changed_since, changed_last; /* the first and the last of what is not told yet */
	struct mono told;			 /* when changes came out last; 0 ns: never */
	__u64 counter, random, event, date_ms;
	__u64 count[VERDICT_OUTCOMES];
	struct verdict_action *action; /* owned; a ring */
	size_t action_first, actions, action_room;
};

static inline __u64 verdict_draw(struct verdict *v)
{
	return mix64(v->random++);
}

/* verdict.c */
struct target *verdict_target(const struct verdict *v, __u64 id); /* NULL: none */
struct peer *verdict_peer(const struct verdict *v, __u64 id);
struct verdict_action *verdict_act(struct verdict *v, enum verdict_act act); /* NULL without memory */
void verdict_time(struct verdict *v, struct target *t);			     /* something else may be due for it */

/* verdict_cast.c: what this node finds and says */
/* Number, sign and send. Return: whether it could be signed. */
bool verdict_vote_send(struct verdict *v, struct target *t, struct verdict_vote *vote);
void verdict_cast(struct verdict *v, struct mono now, struct target *t);
void verdict_doubt(struct verdict *v, struct target *t); /* it fails or votes on it have changed */
void verdict_doubt_all(struct verdict *v);
void verdict_recast(struct verdict *v, struct mono now); /* some of the votes that may have to be other ones */
void verdict_watch_due(struct verdict *v, struct mono now, struct target *t);
void verdict_heard_down(struct verdict *v, struct mono now, struct target *t);
void verdict_hurry_failing(struct verdict *v, struct mono now); /* one has died: others that fail may have, too */

/* verdict_witness.c: mode proof */
bool verdict_witnessed(const struct verdict *v, const struct target *t, size_t seat);
void verdict_witness(struct verdict *v, struct mono now, struct target *t, __u64 hash); /* if this node is drawn */
void verdict_witness_says(struct verdict *v, struct target *t);				/* what it has found */
bool verdict_seen(const struct target *t, __u64 about, __u64 voter);
void verdict_seen_put(struct verdict *v, struct target *t, const struct verdict_vote *vote);

/* verdict_judge.c: what votes were worth */
void verdict_stands(struct target *t, struct mono now, size_t seat, const struct verdict_vote *vote); /* from now on */
void verdict_judge_change(struct verdict *v, struct mono now,
			  struct target *t); /* another state holds, after one did */
/* @proven: what holds, by votes that stand and enough who judge: else it may be long untrue, and nothing is judged. */
void verdict_judge_plan(struct verdict *v, struct mono now, struct target *t, bool proven);
void verdict_judge(struct verdict *v, struct mono now, struct target *t); /* if it is due */
void verdict_judge_again(struct target *t);				  /* no vote stands any more */

/* verdict_hold.c: what follows from votes */
enum verdict_state verdict_counting(const struct verdict *v, const struct target *t, size_t seat);
bool verdict_able(const struct verdict *v, const struct target *t, size_t seat); /* lives and judges */
void verdict_settle(struct verdict *v, struct mono now, struct target *t);
void verdict_hold(struct target *t, enum verdict_state state, const struct roster_epoch *epoch,
		  const struct verdict_vote *vote, size_t votes);
void verdict_fails(struct verdict *v, struct target *t);
struct mono verdict_own_down_due(const struct target *t); /* UINT64_MAX ns: never */
struct mono verdict_show_due(const struct target *t);	  /* likewise */
void verdict_tell(struct verdict *v, struct mono now);	  /* changes, if it is time */
struct mono verdict_tell_due(const struct verdict *v);

#endif
