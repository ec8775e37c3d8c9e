/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the agree*.c share. Not here: what the rest of the daemon sees (agree.h).
 */
#ifndef STARLING_DAEMON_AGREE_STATE_H
#define STARLING_DAEMON_AGREE_STATE_H

#include <pthread.h>

#include "core/config_merge.h"
#include "core/lease.h"
#include "daemon/agree.h"
#include "daemon/peers.h"
#include "daemon/plane.h"

#define AGREE_WORDS_BYTES 256  /* of a reason */
#define AGREE_READ	  3    /* what runs, what is asked around, and what came between */
#define AGREE_FETCH_MS	  8000 /* a stream ends by itself after 10 s */
#define AGREE_CHECKS	  16   /* others' questions that wait at one time */

/* A node's answer to CHECK. */
struct agree_answer {
	__u64 node;
	bool came, ready;
	bool unlike; /* not ready, but only as it has not seen the like */
	char why[AGREE_WORDS_BYTES];
};

/* Of one proposal: when this node takes it back. */
struct agree_timer {
	struct object_name root;
	__u64 date_ms; /* what the register says */
	struct mono deadline;
};

/* A proposal that goes in waves, run and watched here: agree_wave.c. */
struct agree_gate {
	bool on, busy; /* watched, looked at just now */
	__u64 asker;   /* who is to know how it goes */
	__u32 number;  /* of its question */
	struct object_name root;
	struct mono next;	   /* look, not before */
	unsigned int looks, worse; /* so many, and in turn so many that saw something worse than @before */
	struct plane_health before;
	__u8 answer[AGREE_WORDS_BYTES]; /* the last one, by @number: the asker may not have got it */
	size_t answer_len;
};

struct agree {
	struct daemon *d;
	struct workers *asks, *quick, *follows;
	struct signing signing; /* of this node */

	pthread_mutex_t applying; /* held by who makes the agreed configuration what runs, or looks whether it could; so
				     that no objects are dropped meanwhile; taken before @lock */

	pthread_mutex_t proposing; /* one proposal at a time */
	pthread_mutex_t fetching;  /* one fetch at a time */
	pthread_mutex_t keeping;   /* of files, which take their time */
	struct history *history;

	pthread_mutex_t lock; /* of all below; nobody takes the peers' under it */
	pthread_cond_t changed;
	bool stopping;
	struct objects objects;
	struct caspaxos_value value; /* the latest that is known */
	struct intent intent;	     /* what it says */
	struct leases leases;	     /* and how long it has said so */
	struct agree_timer timer;
	struct object_name told; /* a proposal in waves that this node was told to run */
	struct agree_gate gate;
	struct agree_read {
		struct object_name root;
		struct config *config; /* owned; NULL: none */
	} read[AGREE_READ];	       /* trees that were read and checked, the latest first */
	struct object_name running;    /* the root that this node runs; all zero: none */
	__u32 running_generation;
	struct mono retry;		 /* what could not be run is not tried before */
	struct object_name staged;	 /* the one that others asked about last: on the disk, it may be decided yet */
	struct object_name asked;	 /* the root that is asked around here: its objects are kept */
	char trouble[AGREE_WORDS_BYTES]; /* why it does not run what is wanted; "" */
	_Atomic bool following;		 /* is to be done */
	bool file_differs;		 /* the daemon's file says other shared lines */
	bool folding;			 /* what this node put aside by itself is brought to the flock */
	struct mono fold;		 /* not before */
	bool weighing;			 /* reputations are looked at */
	struct mono weigh;		 /* not before */
	struct mono weighed;		 /* when they were others last, if they were since the start; else that */
	bool weighed_here;
	bool joined; /* its VIPs are the flock's, or are to be */
	bool apart;  /* it has VIPs of its own that are others, and keeps them */

	__u64 check[AGREE_CHECKS]; /* who waits for an answer, each to one question */
	size_t checks;

	/* the one question to others, by its number */
	__u32 question;
	struct agree_answer *answer; /* STARLING_ROSTER_NODES; owned */
	size_t answers;

	/* the one proposal, and the one fetch, by their numbers */
	__u32 proposal, fetch;
	bool proposal_done, fetch_done;
	enum caspaxos_outcome outcome;
	int why, fetch_rc;
	__u64 fence; /* of a lease that was taken */
};

/* agree.c */
size_t agree_answering(struct agree *a, const struct caspaxos_value *v); /* voters, this node among them */
/* A job of the plane, waited for. Return: what it gave; -ESHUTDOWN: it did not run. */
typedef int agree_plane_fn(struct plane *p, void *arg, struct err *err);
int agree_plane(struct agree *a, enum plane_queue queue, agree_plane_fn *fn, void *arg, struct err *err);
/* Until @deadline, or agree_stop(); under the lock. Return: whether there is time left. */
bool agree_wait(struct agree *a, struct mono deadline);

/* agree_deadline.c; under the lock, but for agree_left() and agree_pending(). @offset_ms: of the proposer's wall clock
 * to this node's */
void agree_deadline_set(struct agree *a, const struct intent *i, __s64 offset_ms);
void agree_deadline_load(struct agree *a);
__u64 agree_left_ms(const struct agree *a,
		    const struct intent *i); /* until it is taken back; 0: it is, or waits for nothing */
__u64 agree_left(struct agree *a, const struct intent *i);
bool agree_pending(struct agree *a); /* what is known waits to be confirmed */
/* intent_wanted() by this node's timer, and by what it was told. */
bool agree_wanted(const struct agree *a, const struct intent *i, struct object_name *ret_root, __u32 *ret_generation);

/* agree_follow.c */
int agree_parse(struct agree *a, const char *text, size_t len, struct config **ret, struct err *err);
int agree_tree(struct agree *a, const struct object_name *root, __u64 maker); /* have it whole; 0 or -errno */
int agree_fetch(struct agree *a, __u64 node, const struct object_name *root, __u32 wait_ms);
/* What a tree says, checked. @roster: who may have signed it. Return: 0, or -errno with @err; @ret: owned by the
 * caller. */
int agree_read(struct agree *a, const struct object_name *root, const struct roster *roster,
	       struct intent_root *ret_root, struct config **ret, struct err *err);
void agree_read_keep(struct agree *a, const struct object_name *root,
		     const struct config *c);	    /* it is what that says */
int agree_follow(struct agree *a, struct err *err); /* make what is wanted what runs */
const char *agree_kept_config(const char *text);    /* of a kept file, behind its root; NULL: it has none */
int agree_stage(struct agree *a, const struct object_name *root,
		struct err *err);	  /* on the disk, before it is decided */
void agree_objects_trim(struct agree *a); /* what no tree of interest has is dropped */
void agree_load(struct agree *a);	  /* at the start: what is kept */

/* agree_join.c; -EEXIST with @err: VIPs of its own would be lost */
int agree_join_check(struct agree *a, const struct config *own, const struct config *shared, struct err *err);
bool agree_apart(struct agree *a);
int agree_join(struct agree *a, struct task *t, struct err *err);

/* agree_change.c; agree_fold(): these, which this node put aside by itself, become the flock's word. Return: 0, or
 * -errno with @err. The first intent: what this node runs, if the others can */
int agree_fold(struct agree *a, const struct override *own, size_t count, struct err *err);
int agree_first(struct agree *a, struct task *t, struct intent *ret, struct err *err);
/* Whether enough voters answer. Return: 0, or -EHOSTUNREACH with @err. */
int agree_quorum_check(struct agree *a, const char *instead, struct err *err);

/* agree_propose.c; each returns 0, or -errno with @err. agree_put(): -ESTALE: @base is not the value any more */
int agree_refused(struct agree *a, int why, struct err *err); /* why a change was refused, unless @err says it. @why */
int agree_put(struct agree *a, const struct intent *base, const struct intent *want, struct err *err);
int agree_voters(struct agree *a, struct task *t, struct err *err);
int agree_confirm(struct agree *a, struct task *t, struct err *err);
/* @want is the proposal: it has gone through its waves, and stays, if need be until @confirm_ms are over. */
int agree_release(struct agree *a, const struct intent *want, __u32 confirm_ms, struct err *err);
int agree_take_back(struct agree *a, const struct intent *want, struct err *err); /* at once */
int agree_takeover(struct agree *a, struct task *t, struct err *err);
/* @ttl_ms: 0: it is given back. Return also, without @err: -EPERM: fewer than LEASE_VOTERS voters; what lease_take() or
 * lease_drop() gave; -ESTALE: it was decided, and is over already. */
int agree_put_lease(struct agree *a, const char *name, __u32 ttl_ms, __u64 *ret_fence, struct err *err);

/* agree_level.c; levels and tables of configurations: of a new register, what all nodes understand */
struct agree_level {
	__u32 level, table;
};
struct agree_level agree_level_first(struct agree *a);
/* Whether a flock of that level may agree on a change. Return: 0; -ENOTSUP with @err; -ENOMEM. */
int agree_level_check(struct agree *a, const struct config *from, const struct config *to, __u32 level,
		      struct err *err);
/* Whether the flock may go on to a later level. Return: 0 with what it comes to; -EINVAL, -ENOTSUP with @err. */
int agree_level_raise(struct agree *a, const struct agree_level *is, __u32 level, struct agree_level *ret,
		      struct err *err);
/* In words, what that does. */
void agree_level_words(const struct agree_level *from, const struct agree_level *to, char *text, size_t room);

/* agree_lease.c: `node lease take` and `drop` */
int agree_lease(struct agree *a, struct task *t, struct err *err);

/* agree_kept.c */
void agree_keep(struct agree *a, const struct object_name *name, const struct intent_root *root, size_t changes);
/* A kept generation becomes objects again; likewise what was asked about last. Return: 0, or -errno with @err. */
int agree_kept_load(struct agree *a, __u32 number, struct object_name *ret_root, struct err *err);
void agree_staged_load(struct agree *a);

/* agree_check.c */
struct agree_nodes {
	size_t count;
	__u64 id[STARLING_ROSTER_NODES];
};
/* Ask all that are live, of whom @no may say no, try it here, carefully (apply.h) if that is wanted, and stage it;
 * @ret: who did not answer. Return: 0; -EINVAL, -EPERM with @err: one cannot run it, or it has to be forced. */
int agree_ask(struct agree *a, const struct object_name *root, const struct config *shared, bool careful, size_t no,
	      struct agree_nodes *ret_silent, struct err *err);
/**
 * agree_question() - ask nodes, and wait until all have answered
 * @kind:	MESSAGE_CHECK or MESSAGE_RUN; the latter may be for this node as well
 * @no:		so many may say no: more end it
 * @own:	what this node does meanwhile; NULL: nothing
 * @ret_silent:	those that did not answer within @wait_ms
 *
 * Return: 0; -EINVAL with @err: one says no; what @own gave.
 */
int agree_question(struct agree *a, __u32 kind, const struct object_name *root, const struct agree_nodes *whom,
		   __u32 wait_ms, size_t no, int (*own)(void *arg, struct err *err), void *arg,
		   struct agree_nodes *ret_silent, struct err *err);
void agree_answered(struct agree *a, __u64 node, __u32 number, const __u8 *body, size_t len);
/* This node's own answer. */
int agree_try(struct agree *a, const struct config *shared, bool careful, struct err *err);

/* agree_fold.c */
void agree_fold_tick(struct agree *a); /* under the lock */

/* agree_weigh.c; agree_weigh_check(): whether this node has seen the like of others' proposal; agree_weighed(): the
 * flock runs by that; agree_weights(): KIND_WEIGHT, of all nodes, or of one */
struct edit;
void agree_weigh_tick(struct agree *a); /* under the lock */
int agree_weigh_wanted(struct edit *e, struct err *err);
int agree_weigh_check(struct agree *a, const struct roster *is, const struct roster *wanted, struct err *err);
void agree_weighed(struct agree *a, const struct roster *was, const struct roster *is, __u32 generation);
int agree_weights(struct agree *a, const char *name, struct table *t, struct err *err);

/* agree_wave.c; agree_waves_ms(): by then a change is through, or to be taken back */
__u32 agree_waves_ms(struct agree *a, enum wave wave);
int agree_waves(struct agree *a, const struct intent *want, enum wave wave, unsigned int *ret_waves, struct err *err);
void agree_gate_take(struct agree *a, __u64 sender, __u32 number, const struct object_name *root);
void agree_gate_tick(struct agree *a); /* under the lock */

#endif
