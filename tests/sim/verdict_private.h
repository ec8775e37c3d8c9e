/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of the verdicts' world: for verdict_world.c, verdict_gossip.c and verdict_liars.c alone. Not here: what others
 * see.
 */
#ifndef TESTS_SIM_VERDICT_PRIVATE_H
#define TESTS_SIM_VERDICT_PRIVATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../unit/signer.h"
#include "core/mix.h"
#include "events.h"
#include "verdict_world.h"

#define KEPT	 (2 * VERDICT_SEATS + 9) /* votes and certificates on a target that a node keeps for others */
#define FRESH	 1024
#define RECORDED 1024
#define DATAGRAM 32 /* items that a round of gossip has for each peer: four pages */
#define LAMBDA	 4  /* each is sent LAMBDA * log10(n + 1) times */

enum item_what { ITEM_VOTE, ITEM_PROOF, ITEM_CERTIFICATE };

#define ABOUT_CERTIFICATE UINT64_MAX /* no vote is about that one */

/* What nodes tell each other: one, however many have it. */
struct item {
	size_t holders;
	enum item_what what;
	struct verdict_vote vote; /* of VOTE: what its bytes say; of CERTIFICATE: who shows which, and its number */
	__u64 key;		  /* of what it says instead of another one: who votes on what; 0: of nothing */
	size_t len;		  /* 0: a certificate is not shown any more */
	__u8 bytes[];
};

enum job_what { JOB_RESULT, JOB_ITEM, JOB_GOSSIP, JOB_REPAIR, JOB_LIE, JOB_LIVE };

struct job {
	enum job_what what;
	__u32 life;	      /* of the node */
	size_t target, about; /* ABOUT: a node; of ITEM, who sent it */
	__u32 number;
	enum verdict_evidence evidence;
	bool live;
	struct item *item; /* of ITEM: held */
};

struct fresh {
	struct item *item; /* held */
	__u64 key;
	unsigned int sent;
	__u64 met[VERDICT_NODES_MAX / 64]; /* bits: nodes that it came from or was sent to, and this one */
};

struct node {
	struct signer signer;
	struct verdict *verdict; /* NULL: it lies, or is down */
	bool lies, up;
	__u32 blind; /* percent */
	__u32 part, life;
	__u64 timer_ns;
	struct fresh *fresh; /* to be gossiped */
	size_t fresh_count;
	bool gossips;
	struct item **kept;	/* KEPT a target; held; NULL: none */
	__u64 counter;		/* of a liar's votes, or of certificates that are shown */
	bool says_down;		/* of FLAP: this time */
	bool told;		/* in this epoch */
	struct item **recorded; /* by who replays; held */
	size_t recorded_count;
};

struct backend {
	bool mute, refuses;
	__u64 probes;
};

struct verdict_world {
	struct verdict_world_options options;
	struct node *node;
	struct backend *backend;
	struct roster roster;
	size_t nodes; /* of them in the roster */
	struct events events;
	__u64 now_ns, random, messages;
	size_t faults_done;
};

__u32 verdict_world_draw(struct verdict_world *w, __u32 bound);
struct job *verdict_job(struct verdict_world *w, __u64 us, size_t node, enum job_what what);
struct mono verdict_world_now(const struct verdict_world *w);
bool verdict_lost(struct verdict_world *w); /* a packet, one way */
/* What @node wants done; to be called after whatever it has been told. */
void verdict_node_after(struct verdict_world *w, size_t node);

/* verdict_gossip.c */
/* Return: held by the caller. */
struct item *verdict_item(enum item_what what, const void *bytes, size_t len);
struct item *verdict_item_certificate(struct node *n, __u64 target, const void *bytes, size_t len);
struct item *verdict_item_hold(struct item *item);
void verdict_item_drop(struct item *item); /* NULL is fine */
void verdict_send(struct verdict_world *w, size_t from, size_t to, struct item *item);
/* To be gossiped by @node, who has it from @from, maybe itself. */
void verdict_spread(struct verdict_world *w, size_t node, size_t from, struct item *item);
void verdict_gossip(struct verdict_world *w, size_t from); /* one round */
bool verdict_keep(struct node *n, struct item *item);	   /* whether it is new */
void verdict_repair(struct verdict_world *w, size_t node);
void verdict_node_forget(const struct verdict_world *w, struct node *n); /* items */

/* verdict_liars.c */
void verdict_liar_ticks(struct verdict_world *w, size_t node);
void verdict_liar_hears(struct verdict_world *w, size_t node, struct item *item);

#endif
