/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A flock in virtual time: real `struct flock`s with ideal signatures, over links that lose, delay and cut. Every run
 * of a seed is the same. Not here: what is to be shown (flock_test.c, tools/sim).
 */
#ifndef TESTS_SIM_FLOCK_WORLD_H
#define TESTS_SIM_FLOCK_WORLD_H

#include "core/flock.h"

#define SIM_MS	       1000000ull /* in ns */
#define SIM_SOCKET     212 /* datagrams that wait for a process that stands still: 212,992 bytes of Linux, 1 kB each */
#define SIM_ALL	       SIZE_MAX /* of sim_fault(): every node */
#define SIM_SEAL_BYTES 56	/* around each datagram */

/* What may befall a node; faults are data, see sim_fault(). */
enum sim_what {
	SIM_CRASH,  /* it is gone, and forgets all but what is on its disk: its incarnation */
	SIM_START,  /* on a disk of enum sim_disk @value; knows where the others were */
	SIM_STALL,  /* stands still for @value ms; its socket fills, its timers are late */
	SIM_LOSS,   /* @value percent of what it sends and of what comes is lost */
	SIM_DEAF,   /* @value 1: nothing comes; 0: again */
	SIM_MUTE,   /* likewise what it sends */
	SIM_PART,   /* nodes of different @value do not hear each other */
	SIM_ACCUSE, /* it tells everybody that all others are dead, twice a second, for @value ms */
	SIM_FORGE,  /* it tells of others' lives as it likes, and shows pages in their names, for @value ms */
	SIM_FLOOD,  /* it sends SIM_FLOOD_MESSAGES to node 0 twice a second, for @value ms */
	SIM_CLOCK,  /* its wall clock jumps by @value ms: a signed number */
	SIM_LEAVE,
};

#define SIM_FLOOD_MESSAGES 1000

enum sim_disk {
	SIM_KEPT,
	SIM_LOST, /* or its file torn: the same */
	SIM_OLD,  /* restored: as it was two starts ago */
};

struct sim_fault {
	__u64 at_ms;
	size_t node, count; /* so many from this one on; node SIM_ALL: all */
	enum sim_what what;
	__u32 value;
};

struct sim;

/* A change that node @who has published. */
typedef void sim_change_fn(void *arg, __u64 now_ms, size_t who, size_t subject, enum member_state to);

struct sim_options {
	size_t nodes;
	size_t sites; /* of as many nodes each, one beside the other; 0: one */
	__u64 seed;
	__u32 delay_us, jitter_us;     /* of each datagram */
	__u32 loss, twice;	       /* percent of datagrams that are lost, or come twice */
	__u32 cost_us;		       /* that it takes to hear a datagram; meanwhile others wait in the socket */
	bool strangers;		       /* each knows the address of node 0, and of nobody else */
	struct opinion_config opinion; /* of each; id, seed and incarnation are the world's */
	sim_change_fn *change;
	void *arg;
};

#define SIM_OPTIONS .delay_us = 200, .jitter_us = 300, .opinion = {OPINION_CONFIG}

/* All nodes start within a second, each knowing where the others are unless they are strangers. */
struct sim *sim_new(const struct sim_options *options);
void sim_free(struct sim *w);

/* Let virtual time pass until @ms since the start; @fault: sorted by time, those due meanwhile happen. */
void sim_run(struct sim *w, __u64 ms, const struct sim_fault *fault, size_t faults);

/* What comes from here on is another chance's; in a child, so that many crashes are tried in one settled flock. */
void sim_reseed(struct sim *w, __u64 seed);

/* A page of a node's own, with a text. */
void sim_publish(struct sim *w, size_t node, __u16 index, const char *text);

bool sim_up(const struct sim *w, size_t node);
enum member_state sim_state(const struct sim *w, size_t viewer, size_t subject); /* as the viewer holds it now */
__s64 sim_offset_us(const struct sim *w, size_t viewer, size_t subject); /* of its wall clock, as it was measured */
struct flock *sim_flock(const struct sim *w, size_t node);		 /* borrowed; NULL: it is down */
__u64 sim_pages_digest(const struct sim *w, size_t node);
size_t sim_agreeing(const struct sim *w); /* nodes that are up, hold all that are up alive, and have node 0's pages */

struct sim_traffic {
	__u64 messages, bytes;	       /* sent by all nodes since the last call */
	__u64 far_messages, far_bytes; /* of these from one site to another */
};
struct sim_traffic sim_traffic(struct sim *w);

#endif
