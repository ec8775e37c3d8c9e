/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Outliers: backends whose clients fail more often than those of the VIP's other backends. Pure: counts and time come
 * in. Not here: counting (starling/dataplane.h), what is done about one (verdict.h's hints, verdict_serve.h).
 *
 * There are two signals: of the SYNs that a backend is sent those that come again, and of its connections those that
 * the client resets. Each is a rate in a window that fades, so what is told is of the last ten seconds, and a backend
 * without connections soon has no rate at all. The clients' networks lose packets, and applications reset, so a rate
 * alone says nothing. One sticks out if it is so high that
 *
 *	the lower end of its Wilson score interval (Wilson, J. Am. Stat. Assoc. 22, 1927), at three standard deviations,
 *	is over three times the median of the others' rates, and by a tenth of all over it
 *
 * which few samples never say, and what befalls all alike does not. More than a third that stick out are no outliers.
 * Three steps in a row make a suspect, five that it does not stick out half as far end it.
 *
 * Repetitions of one connection do not come independently, as the interval would have it: the steps in a row are for
 * that.
 *
 * A suspect may be ejected: for OUTLIER_EJECT_MS, each time for twice as long, up to OUTLIER_EJECT_MAX_MS, and then its
 * window begins anew. Each time as long without takes one doubling back (as Envoy's outlier detection does it).
 *
 * Whoever can send packets can forge signs: a client repeats its SYNs, or resets what it has begun, and finds out by
 * the answers at which backend that counts. Suspicion wins it nothing: one look at the backend, once an interval of its
 * checks. To have one ejected it takes a tenth of the backend's connections, and addresses: of each client (an IPv4
 * address, the first 64 bits of an IPv6 one) no more than OUTLIER_EACH signs count in a window towards that, so with a
 * hundred connections a second it takes 13 of them or more, all the time. They are counted by 64 bits (linear counting:
 * Whang et al., ACM TODS 15, 1990), and where all are set nothing is left out: some 300 clients. What remains: who has
 * so many addresses can have as many backends avoided as `eject` allows, a third at most, at the balancers that its
 * packets meet; and a VIP whose clients are few addresses, like proxies, may have suspects alone.
 */
#ifndef STARLING_CORE_OUTLIER_H
#define STARLING_CORE_OUTLIER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define OUTLIER_KEEP	     0.9  /* of a window, a second: it holds ten seconds' worth */
#define OUTLIER_SECONDS	     10.0 /* of 1 / (1 - OUTLIER_KEEP) */
#define OUTLIER_LEAST	     20.0 /* samples in a window, below which nothing is said */
#define OUTLIER_DEVIATIONS   3.0
#define OUTLIER_TIMES	     3.0   /* the peers' rate, and */
#define OUTLIER_OVER	     0.1   /* by so much over it */
#define OUTLIER_PART	     3	   /* one of so many may stick out, but always one */
#define OUTLIER_RISE	     3	   /* steps in a row */
#define OUTLIER_FALL	     5	   /* likewise */
#define OUTLIER_EACH	     8	   /* signs of one client in a window that count towards an ejection */
#define OUTLIER_SOURCES_MS   10000 /* clients are told apart for so long, and for as long again */
#define OUTLIER_EJECT_MS     30000 /* the first time */
#define OUTLIER_EJECT_MAX_MS 300000

/* What came since the last time. */
struct outlier_count {
	__u64 connections; /* without SYNs that came again */
	__u64 repeats;
	__u64 resets;
	__u64 sources; /* a bit for each client that gave a sign */
};

enum outlier_signal {
	OUTLIER_REPEATS,
	OUTLIER_RESETS,
	OUTLIER_SIGNALS,
};

struct outlier_window {
	double seconds; /* that it holds, OUTLIER_SECONDS in the end */
	double connections;
	double sign[OUTLIER_SIGNALS];
	__u64 sources, sources_before; /* of this turn of OUTLIER_SOURCES_MS, and of the one before */
	struct mono turn;	       /* when that began */
};

/* Of one backend; zeroed: nothing is known. */
struct outlier {
	struct outlier_window window;
	double rate[OUTLIER_SIGNALS];  /* of the last step; negative: too few samples */
	double peers[OUTLIER_SIGNALS]; /* the median of the others' */
	__u8 bad, good;		       /* steps in a row */
	bool sticks;		       /* in the last step */
	bool suspect;
	bool ejected;
	enum outlier_signal signal; /* of which that is so */
	double was, was_peers;	    /* the rates that made it a suspect */
	struct mono since;	    /* of @suspect; of @ejected if it is that */
	__u8 times;		    /* ejections that are not forgotten */
	__u32 eject_ms;		    /* that the last one was to take */
	struct mono forgiven;	    /* when the last one ended, or was last made up for */
};

/* @seconds: since the last time, over 0. */
void outlier_add(struct outlier *o, const struct outlier_count *count, double seconds, struct mono now);

/**
 * outlier_step() - look at all backends of a VIP; to be called once a second
 * @o:		@count of them
 * @ejects:	suspects are ejected; otherwise whoever was is no longer
 *
 * Return: how many became a suspect, were ejected, or are that no longer; -ENOMEM with nothing changed.
 */
int outlier_step(struct outlier *const *o, size_t count, bool ejects, struct mono now);

const char *outlier_signal_word(enum outlier_signal signal); /* "SYNs come again" */

#endif
