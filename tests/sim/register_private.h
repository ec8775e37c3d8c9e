/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of the register's world: for register_*.c of this directory. Not here: what tests see (register_world.h).
 */
#ifndef TESTS_SIM_REGISTER_PRIVATE_H
#define TESTS_SIM_REGISTER_PRIVATE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"
#include "events.h"
#include "linear.h"
#include "register_world.h"

#define MS	       1000000ull /* in ns */
#define SAVES	       16	  /* of a disk: earlier files */
#define PARKED	       8	  /* messages that wait for a node to start again */
#define VERSIONS_MAX   4096
#define OPS_OF_CLIENTS (LINEAR_OPS - 20) /* others are left for what is asked at the end */
#define NOBODY	       SIZE_MAX
#define NODE_FIRST     100 /* ids of nodes */

enum job_what { JOB_MESSAGE, JOB_GOSSIP, JOB_FAULT, JOB_START, JOB_THINK };

/* What an event brings; none: the node's timer. */
struct job {
	enum job_what what;
	size_t from;
	__u64 life; /* of JOB_START and JOB_THINK: of the node's; another one: it is too late */
	struct caspaxos_message message[];
};

/* What the register holds. */
struct content {
	__u64 count; /* of changes */
	__u64 value;
};

struct op {
	struct linear_op linear;
	struct world *world;
	size_t node;
	enum caspaxos_outcome outcome;
	bool ended;
};

enum members { MEMBERS_NAME, MEMBERS_REPLACE, MEMBERS_GROW, MEMBERS_SHRINK };

struct node {
	struct world *world;
	struct caspaxos *c; /* NULL: down */
	__u64 life;
	bool dead;	 /* within a hook: to be taken down when it has returned */
	__u32 fuse;	 /* hooks until then; 0: none */
	bool fuse_voted; /* or when it has sent a vote */
	bool unsure;	 /* since a start that could not know, and not a voter since */
	bool older;	 /* likewise, and its file was an older one */
	bool bare;	 /* it could not make a store */
	bool busy;	 /* a change is under way */
	struct caspaxos_state disk, saved[SAVES];
	size_t saves;
	struct job *parked[PARKED]; /* owned */
	size_t parked_count;
	struct mono shown;						       /* its clock, never back */
	__u64 skew_ns, frozen_ns, timer_ns, stalled_ns, readonly_ns, lossy_ns; /* the last four: until then */
	__u32 cut;  /* who hears nothing from it: a bit each */
	__u64 seen; /* the last value it has read */
	struct {
		enum members what;
		__u32 pick[2];
	} members;
};

struct world {
	struct register_options options;
	struct register_result result;
	struct events events;
	__u64 now_ns, random, order; /* @order: of invocations and returns */
	size_t nodes;
	struct node node[REGISTER_NODES_MAX];
	__u32 delay_us, jitter_us, loss, twice, late; /* the last three in percent */
	__u32 enabled;				      /* faults of this seed, a bit each */
	__u32 think_ms, fault_ms, wait_ms;	      /* up to so long */
	bool quiet;				      /* no clients any more */
	struct caspaxos_value latest, before;	      /* that anybody holds decided */
	__u64 decided[VERSIONS_MAX];		      /* hashes of values, by version; 0: not yet */
	struct op op[LINEAR_OPS];
	size_t ops;
	size_t sent[REGISTER_KINDS];
};

/* register_world.c */
__u32 world_draw(struct world *w, __u32 bound);
void world_trace(const struct world *w, size_t node, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct job *world_job(struct world *w, __u64 ms, size_t node, enum job_what what);
void world_until(struct world *w, __u64 ns);
void world_seen(struct world *w, enum register_violation violation);
size_t world_node(__u64 id);
struct mono node_now(struct node *n);
void node_start(struct world *w, size_t i, bool sure);
void node_crash(struct world *w, size_t i);
void node_after(struct world *w, size_t i); /* whatever was asked of its register */
void node_wipe(struct world *w, size_t i);
void node_older(struct world *w, size_t i);

/* register_faults.c */
void faults_tick(struct world *w);
bool faults_may_be_older(const struct world *w, size_t i);
bool faults_may_harm(const struct world *w, size_t i); /* a voter's file */
void faults_heal(struct world *w);
bool faults_quorum(const struct world *w); /* it has its stores, and can make up for what it may have lost */

/* register_clients.c */
void clients_think(struct world *w, size_t i);
struct op *clients_begin(struct world *w, size_t i, enum linear_kind kind, __u32 wait_ms);
void clients_members(struct world *w, size_t i, __u32 wait_ms);
void clients_verdict(struct world *w);

#endif
