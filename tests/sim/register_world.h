/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A register in virtual time: real `struct caspaxos`, each with a disk that may be torn, lost or old, over links that
 * lose, delay, repeat and cut. Every run of a seed is the same. Not here: which seeds (register_test.c, tools/sim).
 */
#ifndef TESTS_SIM_REGISTER_WORLD_H
#define TESTS_SIM_REGISTER_WORLD_H

#include "core/caspaxos.h"

#define REGISTER_NODES_MAX 7
#define REGISTER_KINDS	   9 /* of messages: their numbers */

/* FAULT(ID, "what befalls") */
#define REGISTER_FAULTS(FAULT)                                                                                         \
	FAULT(PART, "partitions")                                                                                      \
	FAULT(LOSS, "nodes that most messages miss, for a while")                                                      \
	FAULT(CRASH, "crashes between events")                                                                         \
	FAULT(FUSE, "crashes within an event: before, in or after a write, between messages")                          \
	FAULT(REBOOT, "starts that cannot know whether their file is the last one")                                    \
	FAULT(WIPE, "stores lost")                                                                                     \
	FAULT(OLDER, "stores of an earlier time")                                                                      \
	FAULT(READONLY, "stores that cannot be written, for a while")                                                  \
	FAULT(STALL, "nodes that stand still")                                                                         \
	FAULT(CLOCK, "clocks that stand still, or jump ahead")                                                         \
	FAULT(MEMBERS, "changes of voters asked for")

enum register_fault {
#define REGISTER_ENUM(id, help) REGISTER_##id,
	REGISTER_FAULTS(REGISTER_ENUM)
#undef REGISTER_ENUM
		REGISTER_FAULT_COUNT
};

/* Voters that do not do as they must: a checker that does not find them is worth nothing. */
enum register_broken {
	REGISTER_SOUND,
	REGISTER_FORGETFUL, /* it keeps no promise over a start, and starts often */
	REGISTER_AMNESIA,   /* it loses its file, and goes on under the name of the lost one */
	REGISTER_RECKLESS,  /* it has an older file, and does not ask others */
};

/* VIOLATION(ID, "what was seen") */
#define REGISTER_VIOLATIONS(VIOLATION)                                                                                 \
	VIOLATION(NONE, "nothing")                                                                                     \
	VIOLATION(SPLIT, "two values of one version")                                                                  \
	VIOLATION(NOT_LINEAR, "a history that no single register has")                                                 \
	VIOLATION(NOT_CHECKED, "a history that was too much for the search")                                           \
	VIOLATION(MISCOUNTED, "more or fewer changes than were confirmed")                                             \
	VIOLATION(STUCK, "no change, though a quorum has its store")

enum register_violation {
#define REGISTER_ENUM(id, help) REGISTER_SEEN_##id,
	REGISTER_VIOLATIONS(REGISTER_ENUM)
#undef REGISTER_ENUM
};

struct register_options {
	__u64 seed;
	enum register_broken broken;
	__u32 without; /* faults that do not happen: a bit each */
	size_t older;  /* at most so many voters at once that have an older file and have not made up for it */
	bool trace;    /* what happens, on stderr */
};

struct register_result {
	enum register_violation violation;
	size_t ops, confirmed, unknown, failed;
	size_t fault[REGISTER_FAULT_COUNT];
	size_t versions, messages, changes; /* @changes: of voters, done */
	bool quorum;			    /* at the end one had its store, so that progress was asked for */
};

/* A whole run: five seconds of faults, then none; what has come of it. */
void register_simulate(const struct register_options *options, struct register_result *ret);
const char *register_violation_text(enum register_violation violation);
const char *register_fault_text(enum register_fault fault);

/* One without faults, to be led by hand. All nodes know the first value; the first @voters are voters. */
struct world;
struct world *register_world_new(__u64 seed, size_t nodes, size_t voters);
void register_world_free(struct world *w);
void register_world_run(struct world *w, __u64 ms);	 /* so long */
bool register_world_write(struct world *w, size_t node); /* until it is done; false: it was not */
size_t register_world_sent(struct world *w, __u32 kind); /* messages since the last call */

#endif
