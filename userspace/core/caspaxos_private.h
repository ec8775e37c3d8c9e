/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of the register: for caspaxos*.c alone. Not here: what others see (caspaxos.h).
 */
#ifndef STARLING_CORE_CASPAXOS_PRIVATE_H
#define STARLING_CORE_CASPAXOS_PRIVATE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/caspaxos.h"
#include "core/mix.h"

enum phase { PHASE_IDLE, PHASE_PREPARE, PHASE_ACCEPT, PHASE_BACKOFF };

struct proposer {
	struct caspaxos_change change; /* done NULL: none */
	__u64 number;		       /* of this change, among those done */
	enum phase phase;
	struct ballot ballot;
	struct caspaxos_value base;   /* the value before the one to be decided */
	struct caspaxos_value value;  /* to be accepted */
	bool own;		      /* @value is what the change made */
	bool offered;		      /* such a value was sent once */
	__u64 lives[CASPAXOS_VOTERS]; /* of the voters, known when the ballot began */
	__u32 answered;		      /* voters of @base, by their place: a bit each */
	struct ballot best;	      /* the highest by which one of them had accepted a value */
	struct caspaxos_value best_value;
	__u32 outbids;
	struct mono end, next; /* give up; ask again */
	struct ballot lead;    /* promised by a quorum of the voters of the value decided last; of round 0: none */
};

struct caspaxos {
	struct caspaxos_config config;
	struct caspaxos_state state;
	struct proposer proposer;
	__u64 random;
	__u64 me;    /* in ballots */
	__u64 round; /* the highest that was heard of */
	bool broken; /* the store cannot be written */
	bool noted;  /* a life that is not on the disk yet */
	__u32 told;  /* voters that have told what they know, by their place */
	struct mono ask;
};

static inline int ballot_compare(struct ballot a, struct ballot b)
{
	if (a.round != b.round)
		return a.round < b.round ? -1 : 1;
	return a.proposer < b.proposer ? -1 : a.proposer > b.proposer;
}

static inline __u64 caspaxos_draw(struct caspaxos *c)
{
	return mix64(c->random++);
}

/* caspaxos_life.c */
__u64 caspaxos_life(const struct caspaxos *c, __u64 store); /* the latest that was heard of; 0: none */
void caspaxos_note(struct caspaxos *c, __u64 store, __u64 life);
void caspaxos_lives(const struct caspaxos *c, const struct caspaxos_value *value, __u64 ret[CASPAXOS_VOTERS]);
void caspaxos_lives_note(struct caspaxos *c, const struct caspaxos_value *value, const __u64 lives[CASPAXOS_VOTERS]);
void caspaxos_asked(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m);
void caspaxos_told(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m);
void caspaxos_tell(struct caspaxos *c, struct mono now, __u64 to);
void caspaxos_ask(struct caspaxos *c, struct mono now, __u64 to);
void caspaxos_recover_step(struct caspaxos *c, struct mono now);
void caspaxos_life_begin(struct caspaxos *c, __u64 above); /* this voter's store may be an older one */

/* caspaxos.c */
int caspaxos_save(struct caspaxos *c, const struct caspaxos_state *former);	 /* @former: what stays if it fails */
bool caspaxos_named(const struct caspaxos *c);					 /* a voter, whether it votes or not */
int caspaxos_place(const struct caspaxos_value *value, __u64 node, __u64 store); /* of a voter; -1: none */
void caspaxos_heard(struct caspaxos *c, struct ballot ballot);
/* To a voter, also if it is this node. */
void caspaxos_send(struct caspaxos *c, struct mono now, __u64 to, struct caspaxos_message *m);
void caspaxos_decided(struct caspaxos *c, struct mono now, const struct caspaxos_value *value);

/* caspaxos_propose.c */
void caspaxos_answered(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m);
void caspaxos_moved(struct caspaxos *c, struct mono now); /* another value is decided */
void caspaxos_propose_step(struct caspaxos *c, struct mono now);

#endif
