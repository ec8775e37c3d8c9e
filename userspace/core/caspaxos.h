/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A register that a few voters keep together: CASPaxos (Rystsov: 2018), one node's part of it. Pure: time, messages and
 * a random seed come in; messages and what has to be kept go out by hooks. Not here: what the value says, files,
 * sockets.
 *
 * There is no log and no leader. Who wants a change gives a function from the present value to the next one. Values are
 * numbered, and each is decided by single-decree Paxos (Lamport: 2001) among the voters that the value before it names;
 * so a change of voters is a change of the value like any other (Lamport, Malkhi, Zhou: "Reconfiguring a State
 * Machine", 2010, with alpha = 1), and nobody ever needs two quorums at once:
 *
 *	PREPARE b	to the voters of value n: promise to take part in no ballot below b
 *	PROMISE b	what the voter has accepted as value n + 1, and by which ballot
 *	ACCEPT b v	v is what a promise brought with the highest ballot; if none did, the function of value n
 *	ACCEPTED b	by a majority: v is value n + 1, for good
 *
 * Promises hold for all later values. So who has decided value n + 1 goes on with ACCEPT for n + 2, one round trip,
 * while the voters are the same and no other ballot came in between. A function that changes nothing makes a read:
 * it is told what a quorum knows after it was asked for.
 *
 * A voter is a node and its store: a random number, made with the file of what it has promised and accepted. Who
 * loses the file has another store and is no voter; the others can name it one again. A file may also be an older one,
 * of which its votes are missing. So a voter that cannot know its file to be the last one begins another life, and does
 * not vote until n - q + 1 others have noted that life and told what they know. A ballot names the lives that its
 * proposer knew when it began; who has noted a later one refuses it: votes that a store has forgotten count no more
 * (after crash vectors, Michael et al.: DISC 2017; tests/model/register.pml). So n - q voters may be away at one time;
 * one store, until its voter votes again, may be an older one.
 *
 * Every ballot has a number that its proposer drew at its start, so proposers need no store, and any node may propose.
 */
#ifndef STARLING_CORE_CASPAXOS_H
#define STARLING_CORE_CASPAXOS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define CASPAXOS_NOTED	     16 /* lives of voters, former ones too */
#define CASPAXOS_VOTERS	     7
#define CASPAXOS_BYTES	     256 /* of a value */
#define CASPAXOS_DONES	     8	 /* latest changes that a value names */
#define CASPAXOS_REPEAT_MS   100 /* without an answer, ask again */
#define CASPAXOS_BACKOFF_MS  20	 /* after another's ballot: up to so long, twice as long each time */
#define CASPAXOS_BACKOFF_MAX 5	 /* times */

/* KIND(ID, number on the wire, "what it is for"). Numbers are never used again. */
#define STARLING_CASPAXOS_MESSAGES(KIND)                                                                               \
	KIND(PREPARE, 1, "promise, and say what you have accepted")                                                    \
	KIND(PROMISE, 2, "promised")                                                                                   \
	KIND(ACCEPT, 3, "accept this value")                                                                           \
	KIND(ACCEPTED, 4, "accepted")                                                                                  \
	KIND(OUTBID, 5, "another ballot is higher")                                                                    \
	KIND(DECIDED, 6, "this value is decided, or what you accepted by this ballot")                                 \
	KIND(ASK, 7, "say all that you know, for I may have lost something")                                           \
	KIND(TOLD, 8, "all that is known here")

enum caspaxos_kind {
#define CASPAXOS_ENUM(id, number, help) CASPAXOS_##id = (number),
	STARLING_CASPAXOS_MESSAGES(CASPAXOS_ENUM)
#undef CASPAXOS_ENUM
};

struct ballot {
	__u64 round;	/* 0: none */
	__u64 proposer; /* drawn at its start */
};

struct voter {
	__u64 node;
	__u64 store;
};

/* A decided or proposed value; all zero: there is no register. */
struct caspaxos_value {
	__u64 id;		    /* of the register: no other one's values and messages count */
	__u64 version;		    /* 1: the first */
	__u64 done[CASPAXOS_DONES]; /* changes that have led to it, the latest first; numbers of their proposers */
	__u32 voters;		    /* who decide the next one: 1 .. CASPAXOS_VOTERS */
	__u32 len;
	struct voter voter[CASPAXOS_VOTERS];
	__u8 bytes[CASPAXOS_BYTES];
};

/* Whether a voter's file is known to be the last one. */
enum caspaxos_sure {
	CASPAXOS_SURE,
	CASPAXOS_UNSURE, /* others are to be asked */
	CASPAXOS_PARTLY, /* they were, but it may have voted beyond what they know: again when the next value is decided
			  */
};

/* What a voter must not lose. */
struct caspaxos_state {
	__u64 store; /* 0: no voter */
	__u64 life;  /* a later one at each start that is not sure */
	__u32 sure;  /* enum caspaxos_sure */
	struct caspaxos_life {
		__u64 store, life;
	} noted[CASPAXOS_NOTED]; /* the latest life of other voters that was heard of; store 0: none */
	struct ballot promised;
	struct ballot ballot;		/* by which @accepted was accepted; of round 0: nothing */
	struct caspaxos_value accepted; /* of the version after @decided */
	struct caspaxos_value decided;
};

struct caspaxos_message {
	__u32 kind;
	__u64 id;	   /* of the register */
	__u64 store, life; /* of the sender */
	__u64 version;	   /* that is to be decided; of DECIDED and TOLD: the sender's decided one */
	struct ballot
		ballot; /* in question; of OUTBID and TOLD: promised; of DECIDED: that decided it, or of round 0 */
	struct ballot accepted; /* of PROMISE and TOLD: by which @value was accepted */
	/*
	 * PREPARE: decided, the version before; ACCEPT: proposed; DECIDED: decided, or all zero: accepted by @ballot;
	 * PROMISE and TOLD: accepted.
	 */
	struct caspaxos_value value;
	struct caspaxos_value decided; /* of TOLD */
	/*
	 * Of voters, by their place in the value before @version; of ASK and TOLD: in the sender's decided one. PREPARE
	 * and ACCEPT: known when the ballot began; OUTBID, ASK and TOLD: the latest that the sender has noted.
	 */
	__u64 lives[CASPAXOS_VOTERS];
};

/* OUTCOME(ID, "what has become of a change") */
#define STARLING_CASPAXOS_OUTCOMES(OUTCOME)                                                                            \
	OUTCOME(DONE, "done")                                                                                          \
	OUTCOME(REFUSED, "the function had nothing to change")                                                         \
	OUTCOME(FAILED, "no quorum has answered; it will not happen")                                                  \
	OUTCOME(UNKNOWN, "no quorum has answered; it may have happened, or may yet")

enum caspaxos_outcome {
#define CASPAXOS_OUTCOME_ENUM(id, help) CASPAXOS_##id,
	STARLING_CASPAXOS_OUTCOMES(CASPAXOS_OUTCOME_ENUM)
#undef CASPAXOS_OUTCOME_ENUM
};

struct caspaxos_change {
	void *arg;
	/*
	 * @next: a copy of @now; to be changed, but for version and done. Return: 0; or what done() is to be told, and
	 * nothing is changed. May be called several times, each on a later value.
	 */
	int (*next)(void *arg, const struct caspaxos_value *now, struct caspaxos_value *next);
	/* Called once. @why: of REFUSED, what next() returned. @value: the latest decided one; of DONE, by the change.
	 */
	void (*done)(void *arg, enum caspaxos_outcome outcome, int why, const struct caspaxos_value *value);
};

struct caspaxos_hooks {
	void *arg;
	void (*send)(void *arg, __u64 to, const struct caspaxos_message *m);
	/* To be on the disk when it returns: what is sent afterwards rests on it. Return: 0; else this node stops
	 * voting. */
	int (*save)(void *arg, const struct caspaxos_state *state);
	/* Another value is decided; versions may have been left out. */
	void (*decided)(void *arg, const struct caspaxos_value *value);
};

struct caspaxos_config {
	__u64 id;   /* of this node */
	__u64 seed; /* of random numbers; another one at each start */
	struct caspaxos_hooks hooks;
};

struct caspaxos;

/**
 * caspaxos_new() - this node's part
 * @state:	what was saved last; without a file all zero but for a new store
 * @sure:	it is known to be what was saved last. If not, others are asked first
 *
 * Return: NULL without memory.
 */
struct caspaxos *caspaxos_new(const struct caspaxos_config *config, const struct caspaxos_state *state, bool sure);
void caspaxos_free(struct caspaxos *c);

/**
 * caspaxos_begin() - a new register, with its first value
 * @value:	of any version, above all that anybody has seen of a former register. A voter that is this node, with
 *		store 0, is this node with its present store
 *
 * An operator's act: nothing is asked. Who was in another register gets another store.
 * Return: 0; -EINVAL: no voters, or too many bytes; -errno of save().
 */
int caspaxos_begin(struct caspaxos *c, const struct caspaxos_value *value);

/**
 * caspaxos_propose() - change the value
 * @change:	a value, copied; what its arg points to is borrowed until done() is called
 * @wait_ms:	give up after so long
 *
 * Return: 0, done() is to come; -EBUSY: one at a time; -ENOENT: there is no register.
 */
int caspaxos_propose(struct caspaxos *c, struct mono now, const struct caspaxos_change *change, __u32 wait_ms);

/* A message came; of any content. Answers leave by the hook. */
void caspaxos_receive(struct caspaxos *c, struct mono now, __u64 from, const struct caspaxos_message *m);

/* A value that is known to be decided, from elsewhere. */
void caspaxos_learn(struct caspaxos *c, struct mono now, const struct caspaxos_value *value);

/* To be called at caspaxos_due(). */
void caspaxos_step(struct caspaxos *c, struct mono now);
struct mono caspaxos_due(const struct caspaxos *c); /* UINT64_MAX ns: never */

const struct caspaxos_value *caspaxos_value(const struct caspaxos *c); /* the latest that is known here */
bool caspaxos_votes(const struct caspaxos *c);			       /* named a voter, and able to */
bool caspaxos_recovering(const struct caspaxos *c);		       /* named a voter, and waits for others */
bool caspaxos_broken(const struct caspaxos *c);			       /* its store cannot be written */
__u64 caspaxos_store(const struct caspaxos *c);
size_t caspaxos_quorum(const struct caspaxos_value *value);

/* Whether a value from outside makes sense: bounds, zeroes where nothing is. */
bool caspaxos_value_check(const struct caspaxos_value *value);

#endif
