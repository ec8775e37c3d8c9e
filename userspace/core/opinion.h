/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who answers: one node's own opinion on the nodes of the roster. Pure: time, messages and random seed come in,
 * messages and changes are taken out. Not here: pages (page_store.h), sockets, seals, who counts (roster.h), verdicts
 * on backends.
 *
 * It is SWIM (Das, Gupta, Motivala: DSN 2002) with Lifeguard (Dadgar, Phillips, Currey: DSN 2018). Each period a node
 * probes the next member of a shuffled list. Who has not answered after half a period is asked for through three
 * helpers; who has not answered at the period's end is suspected, and that is told to everybody as the opinion of this
 * accuser. A suspect that hears of it, at the latest with the next probe (buddy system), refutes by a later life. One
 * that does not is dead after a time that begins at beta * minimum and falls to the minimum as others accuse it, too. A
 * node that misses answers of its helpers, has to refute, or finds its own timers late, doubts itself first: its health
 * score makes its periods longer (Lifeguard's local health multiplier), and what it suspects gets as much more time as
 * it slept.
 *
 * Beyond these:
 *  - Another's word that a member is dead is an accusation as any other. Only H of them make the time short,
 *    and they still leave the time to refute: neither a liar nor one that stood still takes a member away.
 *  - Changes come out through a filter as in Rapid (Suresh et al.: USENIX ATC 2018): while some member is
 *    accused by less than H, others wait for it, so that the death of a rack is one event. A second at most.
 *  - A member that refutes each time but is caught by H accusers again and again is *unfit*.
 *  - One dead member a second is tried again, so parts that could not see each other find together.
 *  - In a hierarchy a node probes the members of its site and gossips with them; two bridges of each site, chosen by
 *    rendezvous among the live ones, do so with the bridges of the others, within a budget of bytes.
 *  - After a second without news the first round of gossip about some goes to three times as many.
 *  - An accuser is heard on ten new members a second; gossip has a budget of bytes; every timer has jitter; nobody is
 *    pronounced dead while more than half of the roster changes within a period.
 */
#ifndef STARLING_CORE_OPINION_H
#define STARLING_CORE_OPINION_H

#include "base/clock.h"
#include "core/message.h"
#include "core/roster.h"

#define OPINION_ACCUSERS	     4 /* kept and told of each suspect: Lifeguard's K = 3 confirmations, and the first */
#define OPINION_SEEDS		     64 /* addresses of nobody known */
#define OPINION_HEALTH_MAX	     7	/* periods become up to 8 times as long */
#define OPINION_HELPERS		     3
#define OPINION_HIGH		     3	  /* accusers who settle it: H */
#define OPINION_ACCUSED_MS	     2000 /* an accusation counts so long for the filter */
#define OPINION_FILTER_MS	     1000 /* a change waits so long at most */
#define OPINION_RETRY_MS	     1000 /* from one dead member that is tried to the next */
#define OPINION_CAUGHT		     3	  /* times within OPINION_CAUGHT_MS: unfit */
#define OPINION_CAUGHT_MS	     10000
#define OPINION_CLEAN_MS	     30000 /* not caught for so long: fit again */
#define OPINION_BRAKE_SUBJECTS	     10	   /* new ones a second that an accuser is heard on */
#define OPINION_LIFE_AHEAD	     1024  /* incarnations that hearsay may be ahead of what is known */
#define OPINION_HEADER_BYTES	     72	   /* of a message without updates and pages, at most: message_wire_test */
#define OPINION_UPDATE_BYTES	     53	   /* of an update, at most */
#define OPINION_MESSAGE_BYTES	     1144  /* of a message before its seal, so that it fits 1,200 */
#define OPINION_BYTES_PER_SECOND     (256 << 10)
#define OPINION_FAR_BYTES_PER_SECOND (64 << 10)

struct opinion_config {
	__u64 id;		/* of this node */
	__u64 seed;		/* of random numbers */
	__u32 incarnation;	/* incarnation.h */
	struct endpoint at;	/* where others reach this node; of port 0: whence they hear it */
	__u32 period_ms;	/* of probes */
	__u32 gossip_ms;	/* from one round of gossip to the next */
	__u32 fanout;		/* messages a round */
	__u32 alpha, beta;	/* suspicion lasts alpha * max(1, log10 n) periods at least, beta times that at most */
	__u32 lambda;		/* each update is sent lambda * log10(n + 1) times */
	__u32 message_bytes;	/* of one message */
	__u32 bytes_per_second; /* of gossip; probes and answers are outside of it */
	__u32 far_bytes_per_second; /* of what of it goes to other sites */
	bool hierarchy;		    /* within sites, and between their bridges; false: all with all */
	bool plain;		    /* SWIM as of 2002, without the suspicion's flexible end: to compare with */
};

/* The figures of COORDINATION.md, to be completed by id, seed and incarnation. */
#define OPINION_CONFIG                                                                                                 \
	.period_ms = 200, .gossip_ms = 100, .fanout = 3, .alpha = 4, .beta = 6, .lambda = 4,                           \
	.message_bytes = OPINION_MESSAGE_BYTES, .bytes_per_second = OPINION_BYTES_PER_SECOND,                          \
	.far_bytes_per_second = OPINION_FAR_BYTES_PER_SECOND

/* COUNT(ID, "label", "what it counts") */
#define STARLING_OPINION_COUNTS(COUNT)                                                                                 \
	COUNT(STRANGER, "stranger", "messages and updates of, on or by nobody of the roster")                          \
	COUNT(MALFORMED, "malformed", "updates that make no sense")                                                    \
	COUNT(BRAKED, "braked", "accusations of those who accuse too many")                                            \
	COUNT(PROBES, "probes", "probes begun")                                                                        \
	COUNT(FAILED, "failed", "probes without an answer")                                                            \
	COUNT(REFUTED, "refuted", "times that this node had to say it lives")                                          \
	COUNT(LATE, "late", "times that this node found its timers late")                                              \
	COUNT(FROZEN, "frozen", "times that too much changed at once to believe it")                                   \
	COUNT(OVER, "over", "messages of gossip not sent: over the budget, or no room")

enum opinion_count {
#define OPINION_COUNT_ENUM(id, label, help) OPINION_##id,
	STARLING_OPINION_COUNTS(OPINION_COUNT_ENUM)
#undef OPINION_COUNT_ENUM
		OPINION_COUNTS
};

/* One message, and whom it is for. */
struct envelope {
	__u64 to; /* 0: whoever is at that address */
	struct endpoint at;
	struct message message;
};

/* What is held of a member, for `node show`. */
struct opinion_view {
	enum member_state state;
	struct mono since;
	__u64 life;
	struct endpoint at; /* of port 0: not known */
	size_t accusers;
	__u64 accuser[OPINION_ACCUSERS];
	struct mono clean; /* of one that is unfit: when it will be fit again, unless it is caught */
	__s64 offset_us;   /* of its wall clock to this node's */
	__u32 round_us;	   /* there and back; 0: neither is known */
	bool bridge;	   /* between its site and others */
};

/* A published change. */
struct opinion_change {
	__u64 id;
	enum member_state from, to;
	struct mono since;
	__u64 event; /* the same one: published together */
};

struct opinion;

/* Return: NULL without memory. The roster is empty at first. */
struct opinion *opinion_new(const struct opinion_config *config);
void opinion_free(struct opinion *o);

/**
 * opinion_roster() - whom there can be an opinion on
 *
 * What is held of those who stay is kept. A node that is not in the roster itself is silent.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int opinion_roster(struct opinion *o, const struct roster *roster);

/* This node's incarnation has become higher. */
void opinion_incarnation(struct opinion *o, __u32 incarnation);

/* The wall clock at some moment: for offsets. Where it is never told, there are none. */
void opinion_clock(struct opinion *o, struct mono now, __u64 wall_us);
__u64 opinion_wall_us(const struct opinion *o, struct mono now); /* 0: never told */

/* Where a member was when this node last ran. Return: 0, or -ENOENT. */
int opinion_known(struct opinion *o, __u64 id, const struct endpoint *at);

/* An address where somebody of the roster may be. It is tried until it answers; again if it is named again. Return: 0,
 * or -ENOSPC. */
int opinion_seed(struct opinion *o, const struct endpoint *at);

/* Who passes on what does not reach @to by itself, and where it is; 0: it does reach it, or nobody can. */
__u64 opinion_relay(struct opinion *o, __u64 to, struct endpoint *ret_at);

/* Tell everybody that this node goes by its own will. It answers until opinion_gone(), and probes nobody. */
void opinion_leave(struct opinion *o);
bool opinion_gone(const struct opinion *o);

/**
 * opinion_receive() - a message came
 * @from:	whence
 * @sender:	whose seal it has
 * @m:		borrowed; of any content
 *
 * Return: whether its sender is in the roster.
 */
bool opinion_receive(struct opinion *o, struct mono now, const struct endpoint *from, __u64 sender,
		     const struct message *m);

/* Do what is due. To be called at opinion_due(), or whenever. */
void opinion_step(struct opinion *o, struct mono now);

/* When opinion_step() has something to do; UINT64_MAX ns: never. */
struct mono opinion_due(const struct opinion *o);

/* Somebody else has something to say by gossip: make rounds even if there is no update. */
void opinion_gossip(struct opinion *o, bool wanted);

/* Whether so many more bytes may go out as gossip; if so they are counted. */
bool opinion_spend(struct opinion *o, struct mono now, __u64 to, size_t bytes);

/**
 * opinion_take() - the next message to be sent
 * @ret:	untouched if there is none
 *
 * Its `kind` may be GOSSIP without any update only if opinion_gossip() wanted it.
 * Return: whether there was one.
 */
bool opinion_take(struct opinion *o, struct mono now, struct envelope *ret);

/* The next published change that was not taken yet. Return: whether there was one. */
bool opinion_changed(struct opinion *o, struct opinion_change *ret);

/* What is held of one. Return: 0, or -ENOENT. */
int opinion_state(const struct opinion *o, __u64 id, struct opinion_view *ret);
const char *member_state_word(enum member_state state);

size_t opinion_live(const struct opinion *o);  /* members that answer or are only suspected; this node, too */
__u32 opinion_health(const struct opinion *o); /* 0: well, up to OPINION_HEALTH_MAX */
__u64 opinion_life(const struct opinion *o);   /* of this node */
__u64 opinion_digest(const struct opinion *o); /* of who is held to be what: equal where two agree */
__u64 opinion_count(const struct opinion *o, enum opinion_count which);
const char *opinion_count_label(enum opinion_count which);

/* Whether it may be asked to help, or its vote be heard: alive, and not unfit. */
bool opinion_fit(const struct opinion *o, __u64 id);

#endif
