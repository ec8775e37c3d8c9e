/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a program that is to begin a backend again is run, and by whom. Pure: what is found, time and random numbers
 * come in, moments come out. Not here: what counts as down, the program (the daemon's health_restart.c).
 *
 * It runs as soon as its backend is down, and again while that stays so: RESTART_FIRST_MS after it has ended, twice as
 * long each time, for RESTART_MOST_MS at most, less a random part, so that what failed together is not begun together.
 * Who comes up and goes down again goes on where it was, until it has stayed up for RESTART_RESET_MS: a backend that
 * dies whenever it has begun is not begun all the time.
 *
 * Of the nodes that may run it one does: the first by rendezvous (Thaler, Ravishankar: ToN 1998) over backend and node.
 * Nodes that see the same others alive find the same one; those that do not may each run it, which is why it has to be
 * idempotent. Where a node takes over it begins anew.
 *
 * The first may say that it runs hooks and not do so, or not this one, and what comes of a run it alone knows. So if
 * that does not help, the next runs it as well after RESTART_TURN_MS, then the one after that; and a node that could
 * not even begin it leaves it to them for RESTART_MOST_MS.
 */
#ifndef STARLING_CORE_RESTART_H
#define STARLING_CORE_RESTART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define RESTART_FIRST_MS 10000	/* from the end of the first run to the next */
#define RESTART_MOST_MS	 600000 /* and of any */
#define RESTART_JITTER	 4	/* one of so many parts of it is left to chance */
#define RESTART_RESET_MS 600000 /* up for so long: all is well again */
#define RESTART_TURN_MS	 120000 /* down for so long in spite of the first node: the second's turn, and so on */

/* Of one backend; all zero: it was not down. */
struct restart {
	__u32 runs; /* in turn */
	bool down, runs_now;
	struct mono next;  /* not before; 0 ns: at once */
	struct mono up;	   /* since when it is up; of one that was down */
	__u64 first;	   /* the node that is to run it; 0: not down, or there is none */
	struct mono since; /* when it became that */
};

/* It is to be begun again now, or it is up, or neither: called with every look at it. */
void restart_found(struct restart *r, struct mono now, bool down, bool up);

/* Whether the program is to be run now; if so, and it is, restart_begun() says so. */
bool restart_due(const struct restart *r, struct mono now);
void restart_begun(struct restart *r);

/* Of two that are due, whether this one goes first: it ran less often, or it is due for longer. */
bool restart_first(const struct restart *r, const struct restart *other);

/* It has ended, however; @others: it could not begin here, and others may do better. @random: any 64 bits. */
void restart_ended(struct restart *r, struct mono now, bool others, __u64 random);

/* Whether nothing is known that matters: as if it never had been down. */
bool restart_idle(const struct restart *r);

/**
 * restart_runner() - who of some nodes runs it
 * @backend:	what all nodes call the backend: fact_backend_key()
 * @node:	their ids, in any order
 *
 * Return: an id, or 0 if there are none.
 */
__u64 restart_runner(__u64 backend, const __u64 *node, size_t count);

/**
 * restart_turn() - whether one of these nodes runs it now: it is the first, or its turn has come since
 * @r:		it is down: called with every look at it
 * @first:	of the nodes: restart_runner(), or whoever has a lease; 0: there is none
 * @self:	this one
 */
bool restart_turn(struct restart *r, struct mono now, __u64 first, __u64 self, __u64 backend, const __u64 *node,
		  size_t count);

#endif
