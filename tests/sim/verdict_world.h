/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Balancers that check backends in virtual time: real `struct verdict`s with ideal signatures, probes and gossip that
 * get lost, and some nodes that lie. Every run of a seed is the same. Not here: how nodes hold each other dead
 * (flock_world), what is to be shown (verdict_test.c, tools/sim/sim_verdict.c).
 */
#ifndef TESTS_SIM_VERDICT_WORLD_H
#define TESTS_SIM_VERDICT_WORLD_H

#include "core/verdict.h"

#define VERDICT_MS	      1000000ull /* in ns */
#define VERDICT_NODES_MAX     128
#define VERDICT_TARGETS_MAX   512
#define VERDICT_OPINION_MS    1500 /* until a node that is gone is held dead */
#define VERDICT_REPAIR_MS     1000
#define VERDICT_GOSSIP_MS     100
#define VERDICT_GOSSIP_FANOUT 3

/* LIE(ID, "what it does") */
#define STARLING_VERDICT_LIES(LIE)                                                                                     \
	LIE(DOWN, "always down")                                                                                       \
	LIE(UP, "always up")                                                                                           \
	LIE(FLAP, "down and up, each second")                                                                          \
	LIE(EQUIVOCATE, "up to some, down to others")                                                                  \
	LIE(REPLAY, "down, and others' former votes")                                                                  \
	LIE(SILENT, "silent")

enum verdict_lie {
#define VERDICT_LIE_ENUM(id, help) VERDICT_LIE_##id,
	STARLING_VERDICT_LIES(VERDICT_LIE_ENUM)
#undef VERDICT_LIE_ENUM
		VERDICT_LIES
};
const char *verdict_lie_text(enum verdict_lie lie);

/* What may befall targets, and nodes; faults are data. */
enum verdict_fault_what {
	VERDICT_FAULT_MUTE,   /* targets answer nothing */
	VERDICT_FAULT_REFUSE, /* targets refuse connections */
	VERDICT_FAULT_HEAL,   /* targets answer again */
	VERDICT_FAULT_BLIND,  /* of nodes' probes @value percent get lost on their own way */
	VERDICT_FAULT_PART,   /* nodes of different @value do not hear each other */
	VERDICT_FAULT_CRASH,  /* nodes are gone */
	VERDICT_FAULT_START,  /* nodes are back, and know nothing */
	VERDICT_FAULT_ROSTER, /* the roster is one node shorter or longer: nodes up to @value are in it */
};

struct verdict_fault {
	__u64 at_ms;
	enum verdict_fault_what what;
	size_t first, count; /* nodes or targets */
	__u32 value;
};

struct verdict_world;

/* An honest node has come to hold something else, at @since_ms. */
typedef void verdict_world_fn(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
			      enum verdict_source source, __u64 since_ms);

/* An honest node says something else. */
typedef void verdict_vote_fn(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state);

struct verdict_world_options {
	size_t nodes, targets;
	size_t liars; /* of the nodes, the last ones */
	enum verdict_lie lie;
	__u64 seed;
	__u32 loss; /* percent of packets, each way */
	struct verdict_pace pace;
	struct verdict_rule rule;
	const __u32 *stake;	   /* of each node; NULL: 1 */
	const __u32 *reputation;   /* likewise; NULL: full */
	verdict_world_fn *changed; /* NULL: nobody asks; so the next one */
	verdict_vote_fn *voted;
	void *arg;
};

/* The grammar's defaults. */
#define VERDICT_WORLD_OPTIONS                                                                                          \
	.targets = 1, .pace = {.interval_ms = 2000, .timeout_ms = 500, .rise = 2, .fall = 3},                          \
	.rule = {.mode = VERDICT_MODE_VOTE, .liars = 1}

struct verdict_world *verdict_world_new(const struct verdict_world_options *options);
void verdict_world_free(struct verdict_world *w);

/* Let virtual time pass until @ms since the start; @fault: sorted by time, those due meanwhile happen. */
void verdict_world_run(struct verdict_world *w, __u64 ms, const struct verdict_fault *fault, size_t faults);

/* The roster is as it was, but with these reputations, one of each of its nodes. */
void verdict_world_weigh(struct verdict_world *w, const struct roster *reputations);

struct verdict *verdict_world_node(struct verdict_world *w, size_t node); /* NULL: it lies, or is down */
__u64 verdict_world_target(size_t target);				  /* its id */
__u64 verdict_world_id(const struct verdict_world *w, size_t node);	  /* likewise */
const struct roster *verdict_world_roster(const struct verdict_world *w);
struct signing verdict_world_signing(struct verdict_world *w);
enum verdict_state verdict_world_state(struct verdict_world *w, size_t node, size_t target,
				       enum verdict_source *ret_source);  /* ret_source may be NULL */
__u64 verdict_world_probes(const struct verdict_world *w, size_t target); /* sent to it by all */
__u64 verdict_world_messages(const struct verdict_world *w);
size_t verdict_world_agreeing(struct verdict_world *w, size_t target, enum verdict_state state); /* honest nodes */

#endif
