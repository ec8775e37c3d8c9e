/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nodes over a wire that keeps every datagram, so that each can be lost, cut, changed and sent again. Not here: tests.
 */
#ifndef STARLING_TESTS_CHANNEL_DESK_H
#define STARLING_TESTS_CHANNEL_DESK_H

#include "io/channel.h"

#define NODES  3
#define WIRE   4096
#define SECOND 1000000000ull

struct node {
	struct world *world;
	struct identity identity;
	struct endpoint at;
	struct channel *channel;
	size_t heard;
	__u64 sender;
	char text[64];
	struct ring given; /* by the last answer to a knock */
	__u32 given_seed[SEED_WORDS];
	size_t admitted, casts;
	int refuse; /* what the hook says to it */
};

struct world {
	struct node node[NODES];
	struct ring ring;
	struct mono now;
	struct datagram {
		size_t from, len;
		struct endpoint to;
		__u8 bytes[1024];
	} wire[WIRE];
	size_t sent, delivered;
};

/* Fixtures of cmocka; the state is a struct world of NODES nodes, which know each other and have the same keys. */
int channel_setup(void **state);
int channel_teardown(void **state);

void node_boot(struct node *n, __u64 number); /* another life, with the world's keys */
struct channel_hooks hooks_of(struct node *n);

void deliver(struct world *w, size_t to, const struct datagram *d);
void flow(struct world *w); /* deliver what was sent, and what that makes */
void say(struct world *w, size_t from, size_t to, const char *text);
void meet(struct world *w); /* 0 and 1 */
__u64 rejected(const struct world *w, size_t node, enum channel_count why);
struct datagram *last(struct world *w, size_t from, size_t to); /* that went */

#endif
