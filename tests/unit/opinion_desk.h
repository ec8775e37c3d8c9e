/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One node's opinion, n0's, and all others played by the test: they answer probes or do not, and say what they are told
 * to. Not here: many that talk with each other (the simulator).
 */
#ifndef TESTS_UNIT_OPINION_DESK_H
#define TESTS_UNIT_OPINION_DESK_H

#include "core/opinion.h"
#include "signer.h"

#define DESK_NODES 128
#define DESK_LIFE  (1ULL << 32)

struct desk {
	struct opinion *o;
	struct roster roster;
	size_t count;
	struct signer signer[DESK_NODES];
	bool answers[DESK_NODES]; /* probes, with ACK */
	bool nacks[DESK_NODES];	  /* PROBE_FOR, with NACK */
	__u64 life[DESK_NODES];
	struct mono now;
	struct envelope *sent; /* since desk_forget() */
	size_t sents;
};

/* All answer, and are held alive. n0's own start is in its past. */
void desk_open(struct desk *d, size_t count);
/* Nobody has been heard yet. */
void desk_open_alone(struct desk *d, size_t count, const struct opinion_config *config);
void desk_close(struct desk *d);

__u64 desk_id(const struct desk *d, size_t node);
struct endpoint desk_at(size_t node);

/* Time passes: what is due is done, what n0 sends is answered at once. */
void desk_run(struct desk *d, __u64 ms);
void desk_forget(struct desk *d);

/* A node says something, by a message of its own. */
void desk_say(struct desk *d, size_t from, const struct member_update *u, size_t count);
void desk_accuse(struct desk *d, size_t from, size_t whom, enum member_state state);
void desk_live(struct desk *d, size_t node); /* it says that it is alive, in its life */
bool desk_receive(struct desk *d, size_t from, const struct message *m);

enum member_state desk_state(const struct desk *d, size_t node);
size_t desk_sent(const struct desk *d, enum message_kind kind, size_t to); /* how many */
/* How often n0 told it, to anybody. */
size_t desk_told(const struct desk *d, size_t whom, enum member_state state);
/* Milliseconds until a node is in a state; @most + 1 if it never is. */
__u64 desk_until(struct desk *d, size_t node, enum member_state state, __u64 most);

#endif
