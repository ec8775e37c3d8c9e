/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a balancer does with a VIP's backends, of all that is known of them. One pure function. Not here: where it is
 * known from (verdict.h, overrides, agents), homes (homes.h), slow start.
 *
 * The first that applies:
 *
 *	by hand	  the operator, or the backend's agent, has put it aside
 *	certified observers' votes say down
 *	local	  too few observers live, and its own probes say down
 *	passive	  clients' connections fail, and the VIP is configured to go by that; it keeps the flows that it has
 *	avoided	  observers say up, its own probes down for `fall` + 2 intervals: new flows take the slot's other home
 *
 * Local and passive ejections are one node's own opinion, so there are bounds to them: `eject` percent of the VIP's
 * backends, those longest ejected first; and none of them while less than `panic` percent of the backends that nobody
 * put aside would be left. Avoiding, too, has one: over a third of the VIP's backends, or all that are left, the node
 * suspects itself and avoids none; no other backend's slot moves, so it does no harm elsewhere. Certified ones go out
 * whatever is left. If nothing is left the sorry backend serves; without one all that are not disabled, of all tiers,
 * unless it is by hand that nothing is.
 *
 * Of those that would serve the lowest tier does: whoever is of a higher one stands by, and keeps the flows it has.
 * Bounds count them as left: they are there. Whoever is avoided does not hold its tier up, nor does who is kept by
 * `eject` or `panic`: with others in a higher tier, it has only the flows that it has. Nor does who has as many
 * connections as it may: while all of a tier are full the next one serves, and with all of them the sorry backend. With
 * neither, they stay in service, though they take nothing now: there is nobody to wait for but them.
 */
#ifndef STARLING_CORE_VERDICT_SERVE_H
#define STARLING_CORE_VERDICT_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "core/verdict_words.h"

#define VERDICT_AVOID_PART 3 /* one of so many backends of a VIP may be avoided */

enum verdict_hand {
	VERDICT_HAND_NONE,
	VERDICT_HAND_DRAIN,   /* keeps its flows, takes no new ones */
	VERDICT_HAND_OUT,     /* its agent says down */
	VERDICT_HAND_DISABLE, /* never, whatever is left */
};

struct verdict_serve_policy {
	__u32 panic_percent; /* 0: no such bound */
	bool panics; /* it does, and shall: else whoever is up again first would end it for those who are not yet */
	__u32 eject_percent; /* of local and passive ejections; 100: no bound */
	bool sorry;	     /* there is a sorry backend */
};

/* What is known of one backend. */
struct verdict_serve_in {
	__u32 weight; /* 0: takes nothing anyhow */
	__u32 tier;
	enum verdict_hand hand;
	enum verdict_state state; /* verdict_view() */
	enum verdict_source source;
	bool own_down;	   /* own probes or clients' connections have said down for `fall` + 2 intervals */
	bool passive;	   /* clients' connections fail, and that is enough here */
	bool full;	   /* has as many connections as it may, or had a moment ago */
	struct mono since; /* local or passive: when that began */
};

enum verdict_service {
	VERDICT_SERVE,
	VERDICT_AVOID,	 /* new flows take the other home */
	VERDICT_STANDBY, /* a lower tier serves */
	VERDICT_DRAIN,
	VERDICT_OUT,
};

/* WHY(ID, "word", "why a backend is served so") */
#define STARLING_VERDICT_WHYS(WHY)                                                                                     \
	WHY(UP, "up", "nothing speaks against it")                                                                     \
	WHY(UNKNOWN, "unknown", "nothing was found out yet")                                                           \
	WHY(HAND, "by hand", "the operator or its agent wants it so")                                                  \
	WHY(CERTIFIED, "certified", "observers' votes say down")                                                       \
	WHY(LOCAL, "local", "own probes say down, and too few observers live")                                         \
	WHY(PASSIVE, "passive", "clients' connections fail")                                                           \
	WHY(AVOID, "avoided", "own probes say down, observers up")                                                     \
	WHY(LIMIT, "limit", "would be out, but as many as may be are")                                                 \
	WHY(SUSPECT, "suspect", "would be avoided, but too many would: this node suspects itself")                     \
	WHY(PANIC, "panic", "would be out, but too few would be left")                                                 \
	WHY(STANDBY, "standby", "a lower tier serves")                                                                 \
	WHY(FULL, "full", "it and all others of its tier have as many connections as they may")

enum verdict_why {
#define VERDICT_WHY_ENUM(id, word, help) VERDICT_WHY_##id,
	STARLING_VERDICT_WHYS(VERDICT_WHY_ENUM)
#undef VERDICT_WHY_ENUM
};

struct verdict_serve_out {
	enum verdict_service service;
	enum verdict_why why;
};

enum verdict_panic {
	VERDICT_PANIC_NONE,
	VERDICT_PANIC_KEPT,  /* local and passive ejections are left in service */
	VERDICT_PANIC_SORRY, /* nothing is left, or all are full: the sorry backend */
	VERDICT_PANIC_ALL,   /* nothing is left: all that are not disabled */
};

const char *verdict_why_help(enum verdict_why why);

struct verdict_serve_vip {
	enum verdict_panic panic;
	bool held; /* VERDICT_PANIC_KEPT, but only as it did so before */
	bool suspects_itself;
	size_t serving; /* of weight over 0, avoided ones too */
	__u32 tier;	/* that serves; 0: none, or all of them */
	size_t limited; /* kept in service by the limit */
	bool full;	/* another tier, or the sorry backend, serves for some that are full */
};

/**
 * verdict_serve() - what becomes of each backend of a VIP
 * @in:		@count of them
 * @ret:	likewise
 *
 * Return: 0, or -ENOMEM with @ret_vip untouched.
 */
int verdict_serve(const struct verdict_serve_policy *policy, const struct verdict_serve_in *in, size_t count,
		  struct verdict_serve_out *ret, struct verdict_serve_vip *ret_vip);

#endif
