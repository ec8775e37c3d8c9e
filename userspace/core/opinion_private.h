/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of opinions: for opinion*.c alone. Members are numbered by their place, so that a flock of a thousand can be
 * simulated a thousand times over in one process.
 */
#ifndef STARLING_CORE_OPINION_PRIVATE_H
#define STARLING_CORE_OPINION_PRIVATE_H

#include <stdint.h>
#include <string.h>

#include "core/mix.h"
#include "core/opinion.h"

#define NOBODY	    0xffff /* no member's number */
#define OUT_MAX	    1024   /* messages that wait to be taken: a power of two */
#define RELAYS	    64	   /* probes for others at once */
#define RUMOURS	    (OPINION_ACCUSERS + 1)
#define RUMOUR_SELF OPINION_ACCUSERS /* the one that says it is alive, or has left */
#define RUMOUR_SENT 64		     /* more than any page_spread_limit() */
#define NEVER	    UINT64_MAX

_Static_assert(STARLING_ROSTER_NODES < NOBODY, "numbers of members");

/* Something to be passed on: what a member's accuser[i] says, or the member itself. */
struct rumour {
	__u16 next, prev; /* in the queue of those that were sent as often; numbers of rumours, NOBODY: none */
	__u8 sent;
	bool queued;
};

struct accuser {
	struct mono at; /* heard here */
	__u16 who;
	__u8 state; /* MEMBER_SUSPECT or MEMBER_DEAD */
};

struct member {
	__u64 id;
	__u64 life; /* 0: not heard yet */
	struct endpoint at;
	__u8 state; /* ALIVE, SUSPECT, DEAD or LEFT */
	__u8 published;
	__u8 accusers;
	bool changed; /* published, and not taken: in @event */
	bool caught;  /* in this suspicion */
	bool unfit;
	bool hinted;   /* somebody holds it alive: try it soon */
	__u8 subjects; /* it accused since @braked */
	__u16 place;   /* in live[] */
	__u16 site;    /* in site[] */
	bool bridge;   /* of its site to others */
	bool helped;   /* the last answer to a probe came by a helper: the path is cut, one way or both */
	__u16 suspected_place;
	struct mono since;
	struct mono suspected;
	__u64 event;
	struct mono caught_at[OPINION_CAUGHT]; /* latest first */
	struct mono braked;
	__s64 offset_us;
	__u32 round_us;
	struct accuser accuser[OPINION_ACCUSERS];
};

/* In a mesh all members are of one. */
struct site {
	__u64 key;
	__u16 live, bridges; /* this node counts */
	__u16 best;	     /* the next bridge, while they are chosen */
	struct mono heard;   /* the last message of one of it */
};

/* The probe of this period. */
struct probe {
	struct mono helped; /* when helpers are asked */
	__u32 number;
	__u16 subject; /* NOBODY: none */
	bool asked, answered;
	__u8 helpers, nacks;
};

/* A probe for somebody else. */
struct relay {
	struct mono nack, end;
	struct endpoint at;
	__u32 number, theirs;
	__u16 subject, asker; /* asker NOBODY: free */
	bool nacked;
};

/* A message that will be written when it is taken. */
struct intent {
	struct endpoint at;
	__u64 subject;
	__u64 asked_us, heard_us;
	__u32 number;
	__u16 to;	   /* NOBODY: a seed */
	__u16 first, last; /* of a list of all members, counted from @start; else equal */
	__u16 start;
	__u8 kind;
	bool remind; /* the receiver's life here is later than it says */
};

struct opinion {
	struct opinion_config config;
	__u64 random;
	__u64 life;
	bool leaving;
	struct mono now; /* of the last event */
	struct mono due;

	__u64 *id;	       /* sorted */
	struct member *member; /* beside it */
	struct rumour *rumour; /* RUMOURS for each */
	__u16 *order;	       /* of probes */
	__u16 *live;	       /* others, alive or suspect */
	__u16 *suspect;
	size_t count, ordered, lives, suspects, unfits;

	/* opinion_sites.c */
	struct site *site;
	__u16 *near, *far; /* those of live[] in this site; of other sites, bridges, if this node is one */
	size_t sites, nears, fars, bridges;
	bool near_stale;

	__u16 self; /* NOBODY: not in the roster */

	/* opinion_probe.c */
	struct probe probe;
	struct relay relay[RELAYS];
	struct mono relay_due; /* of the first */
	struct mono probe_at, retry_at;
	__u32 number;
	__u32 health;
	struct endpoint seed[OPINION_SEEDS];
	size_t seeds;
	bool found; /* somebody who was dead, since the last try */

	/* opinion_suspect.c */
	__u64 timeout_ns[OPINION_ACCUSERS + 1]; /* by accusers */
	struct mono pending;			/* the first change that is not published; NEVER: none */
	__u64 event;
	size_t changes, change_at;
	struct mono window, frozen;
	size_t window_changes;

	/* opinion_gossip.c */
	__u16 queue[RUMOUR_SENT]; /* first rumour of those sent so often */
	__u16 queue_end[RUMOUR_SENT];
	size_t rumours;
	bool wanted;
	struct mono heard; /* when the last rumour came to be */
	bool wide;	   /* the next round is the first after a silence */
	struct mono gossip_at, sync_at;
	struct credit {
		struct mono filled;
		__s64 bytes;
	} credit, far_credit; /* of all gossip; of what goes to other sites */
	struct intent out[OUT_MAX];
	size_t out_first, outs;

	/* opinion.c */
	struct mono wall_at;
	__u64 wall_us;
	__u64 counts[OPINION_COUNTS];
};

static inline bool mono_past(struct mono due, struct mono now)
{
	return due.ns <= now.ns;
}

static inline __u32 opinion_draw(struct opinion *o, __u32 bound)
{
	return mix_below(mix64(o->random++), bound);
}

/* opinion.c */
__u16 opinion_find(const struct opinion *o, __u64 id);			/* NOBODY: a stranger */
struct mono opinion_jitter(struct opinion *o, __u64 ms);		/* @ms from now, a tenth more or less */
__u32 opinion_period_ms(const struct opinion *o);			/* by the own health */
void opinion_ail(struct opinion *o, int by);				/* the own health becomes worse, or better */
void opinion_is(struct opinion *o, __u16 who, enum member_state state); /* from now on */

/* opinion_update.c */
void opinion_update(struct opinion *o, __u16 sender, const struct endpoint *from, const struct member_update *u);

/* opinion_suspect.c */
void opinion_accuse(struct opinion *o, __u16 who, __u16 accuser, enum member_state state);
void opinion_forgive(struct opinion *o, __u16 who); /* all accusations */
void opinion_repeat(struct opinion *o, __u16 who);  /* tell again that it is dead or has left */
void opinion_timeouts(struct opinion *o);	    /* the number of members has changed */
void opinion_pending(struct opinion *o);	    /* something may have to be published */
void opinion_suspect_step(struct opinion *o);
struct mono opinion_suspect_due(struct opinion *o);
void opinion_suspect_late(struct opinion *o, __u64 ns);
size_t opinion_high(struct opinion *o, const struct member *subject);

/* opinion_sites.c */
void opinion_sites(struct opinion *o, const struct roster *roster); /* the roster is another */
void opinion_sites_live(struct opinion *o, __u16 who, bool live);
void opinion_sites_heard(struct opinion *o, __u16 who);
const __u16 *opinion_near(struct opinion *o, size_t *ret_count);    /* live ones to gossip with; borrowed, short */
const __u16 *opinion_fars(struct opinion *o, size_t *ret_count);    /* bridges of other sites, for a bridge; likewise */
bool opinion_is_far(struct opinion *o, __u16 who);		    /* of another site */
bool opinion_watches(struct opinion *o, __u16 who);		    /* it is for this node to probe it */
size_t opinion_watchers(struct opinion *o, const struct member *m); /* how many others may accuse it */

/* opinion_probe.c */
void opinion_probe_step(struct opinion *o);
struct mono opinion_probe_due(const struct opinion *o);
void opinion_probe_late(struct opinion *o);
void opinion_probed(struct opinion *o, __u16 sender, const struct endpoint *from, const struct message *m);

/* opinion_gossip.c */
void rumour_queue(struct opinion *o, __u16 who, size_t which); /* to be sent as if it never was */
void rumour_drop(struct opinion *o, __u16 who, size_t which);
void opinion_gossip_step(struct opinion *o);
struct mono opinion_gossip_due(const struct opinion *o);
void opinion_sync(struct opinion *o, __u16 to); /* tell one of all */
/* The same to one that holds so many alive, if those are fewer than here and no news is on its way. */
void opinion_behind(struct opinion *o, __u16 who, __u32 live);
/* NULL if there is no room. */
struct intent *opinion_out(struct opinion *o, enum message_kind kind, __u16 to, const struct endpoint *at);

#endif
