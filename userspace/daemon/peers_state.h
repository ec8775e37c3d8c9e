/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the peers*.c share. Not here: what the rest of the daemon sees (peers.h).
 */
#ifndef STARLING_DAEMON_PEERS_STATE_H
#define STARLING_DAEMON_PEERS_STATE_H

#include <pthread.h>

#include "core/admission.h"
#include "core/audit_tail.h"
#include "core/caspaxos.h"
#include "core/flock.h"
#include "core/incarnation.h"
#include "core/load_in.h"
#include "core/load_out.h"
#include "core/page_author.h"
#include "daemon/peers.h"
#include "daemon/plane_facts.h"
#include "io/beacons.h"
#include "io/bulk.h"
#include "io/channel.h"
#include "io/gossip.h"

#define PEERS_PLACES	  64
#define PEERS_INVITATIONS 16 /* open at one time */

#define PEERS_READMIT_PAGES 64 /* some 3,000: a site whose backends wait one and all */
#define PEERS_READMITS                                                                                                 \
	(PEERS_READMIT_PAGES * FACT_READMITS_PER_PAGE) /* own ones that are told, others' that are known */

/* What the configuration says; a value. */
struct peers_settings {
	struct endpoint at; /* port 0: this balancer is alone */
	char device[16];
	char site[STARLING_NAME_BYTES], region[STARLING_NAME_BYTES];
	struct place peer[STARLING_NODE_PEERS]; /* where others may be */
	size_t peers;
	enum beacon_kinds beacons;
	enum admission_mode admission;
	enum topology topology;
	enum urgent urgent;
	bool hooks;	      /* files that begin backends again may run here */
	struct roster roster; /* owned */
};

struct peers {
	struct daemon *d;
	struct identity identity;
	struct signing signing;

	/* under the lock */
	pthread_mutex_t lock;
	struct peers_settings settings;
	bool changed;		/* the loop's thread has to look at the settings */
	bool moved;		/* and address or device are others */
	struct ring ring;	/* of no keys until this node, or another one, has made them */
	__u32 seed[SEED_WORDS]; /* of the flow hash */
	struct mono company;	/* when another node was last live */
	struct roster roster;	/* who counts: listed, let in, not forgotten; owned */
	struct admission admission;
	bool admission_heard; /* a page of it has come */
	struct peers_invitation {
		__u8 secret[INVITATION_BYTES];
		struct mono until; /* 0: none */
	} invitation[PEERS_INVITATIONS];
	size_t knocked;			     /* counts places asked for keys: the next one is another */
	struct endpoint place[PEERS_PLACES]; /* what the settings and their names stand for */
	size_t places;
	bool looking_up;		/* names */
	char unnamed[PLACE_HOST_BYTES]; /* the one that stood for no address; "": none */
	struct incarnation incarnation;
	struct channel *channel;
	struct flock *flock; /* NULL while this node has no part in any */
	struct page_author author;
	struct load_in *load_in;
	struct load_out load_out;
	struct caspaxos *caspaxos;
	struct override *aside; /* owned; what this balancer has put aside by itself */
	size_t asides;
	struct fact_digest *digest; /* owned: the whole, then VIPs by name */
	size_t digests;
	struct fact_readmit readmit[PEERS_READMITS]; /* a ring */
	size_t readmits;			     /* so many so far; the next one's place is that, modulo its room */
	struct fact_readmit readmit_heard[PEERS_READMITS]; /* by key, none twice */
	size_t readmits_heard;
	size_t readmits_read; /* nodes of the roster whose pages of them are read, as the roster and clocks are now */
	size_t clocks;	      /* of others that were known then */
	struct buf known;     /* the file of where others are, as it was written */
	char draining[PEERS_REASON_BYTES];	/* why; "": it is not */
	struct identity *renewed;		/* owned; what the loop's thread is to become; NULL: nothing */
	struct mono loads_told;			/* when loads were told */
	struct mono node_told;			/* when the load of the whole node was told */
	size_t conflicting;			/* identities that two hosts use now */
	__u64 conflicts;			/* how often that began */
	__u64 streams[2];			/* that came to their end: others', the own ones */
	__u64 stream_rejected[BULK_COUNTS + 1]; /* and those that did not; the last: too much of them */
	size_t logs_waiting; /* reads of the own log that others asked for, also who has gone since */

	__u64 rejects_told[CHANNEL_COUNTS + BULK_COUNTS + 1];
	struct mono rejects_at;

	/* the loop's thread */
	uv_timer_t timer;
	struct gossip *gossip;
	struct beacons *ears;
	struct bulks *bulks; /* NULL: no streams */
	struct mono looked_up, beaconed;
	struct mono second;			/* when what is done once a second was done */
	struct mono kept;			/* and the file of where others are written */
	bool rostered;				/* there was a roster before, though it may have had nobody */
	__u64 audit_put;			/* pages held are in the store, of nodes before this one */
	struct mono audit_told;			/* when the own end was told last; 0: not in this part */
	struct mono audit_began, audit_company; /* when the part began; since when others are live without a break */
	size_t votes_shown; /* nodes of the roster whose pages of votes health has been shown, or need not be */
};

/* peers_facts.c; under the lock */
void peers_publish(struct peers *p);
void peers_page(void *arg, enum page_outcome outcome, const struct page *page); /* hook of the flock */

void peers_page_publish(struct peers *p, __u16 kind, __u16 index, const struct page_draft *draft);

/* What a node says of itself. Return: 0, or -ENOENT. */
int peers_node_says(const struct peers *p, __u64 id, struct fact_node *ret);

int peers_drain_load(struct peers *p, struct err *err); /* peers_drain.c; at the start */

void peers_settings_due(void *arg); /* peers.c; a task of the loop: look at the settings */

/* peers_admission.c; under the lock, but for the first */
int peers_admission_load(struct peers *p, struct err *err); /* at the start */
bool peers_roster_use(struct peers *p);			    /* who counts now; whether this node does */
void peers_admission_publish(struct peers *p);
int peers_stranger(void *arg, const struct claim *claim); /* hook of the channel */
void peers_invitation_use(struct peers *p);		  /* what knocks bring */
void peers_invitation_answered(struct peers *p);

/* peers_keys.c; under the lock */
void peers_quiet(struct peers *p); /* knocks are not answered until its pages can say who was expelled */
int peers_keys_renew(struct peers *p, struct err *err);	  /* one new key in place of all */
size_t peers_keys_step(struct peers *p, struct mono now); /* once a second; how many others are live */
int peers_admitted(void *arg, __u64 sender, const struct ring *ring, const __u32 seed[SEED_WORDS]);
void peers_key_problems(const struct peers *p, void (*tell)(void *arg, const char *text), void *arg);

/* peers_register.c; under the lock */
int peers_register_load(struct peers *p, struct err *err); /* at the start */
void peers_register_message(struct peers *p, __u64 sender, const struct message *m);
void peers_register_page(struct peers *p, const struct page *page);
void peers_register_publish(struct peers *p);
/* What a node has told of its store and of the register. Return: 0, or -ENOENT. */
int peers_register_told(struct peers *p, __u64 node, struct caspaxos_message *ret);
/* A message with a body, if it is known where the node is. */
void peers_say(struct peers *p, __u64 to, enum message_kind kind, __u32 number, const void *body, size_t len);

/* peers_asides.c; under the lock */
void peers_asides_publish(struct peers *p);
void peers_asides_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg);

/* peers_votes.c; under the lock, on the loop's thread */
void peers_votes_step(struct peers *p); /* once a second, and when somebody's state is another one */
void peers_votes_end(struct peers *p);	/* this node has no part any more */

/* peers_readmits.c; under the lock, but for the last: on the plane's thread */
void peers_readmits_publish(struct peers *p);
void peers_readmits_page(struct peers *p, const struct page *page);
void peers_readmits_step(struct peers *p); /* once a second */
void peers_readmits_tell(struct peers *p, struct plane *plane);
/* Among those by key, of PEERS_READMITS at most; beyond that the one of the earliest date goes. */
void peers_readmit_keep(struct fact_readmit *all, size_t *count, const struct fact_readmit *readmit);

/* peers_audit.c; under the lock, on the loop's thread but for what shows */
void peers_audit_begin(struct peers *p);			      /* the store of pages is a new one */
void peers_audit_step(struct peers *p, struct mono now, size_t live); /* once a second */
void peers_audit_put(struct peers *p); /* each step: some more pages held, until all are in the store */
void peers_audit_publish(struct peers *p);
void peers_audit_page(struct peers *p, const struct page *page);
void peers_audit_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg);
void peers_audit_row(const struct peers *p, __u64 node, bool self, struct table *t, size_t row);
void peers_audit_tally(const struct peers *p, __u64 ret[AUDIT_STATES]);

/* peers_known.c; under the lock */
void peers_known_load(struct peers *p);
void peers_known_save(struct peers *p); /* if it has changed */

void peers_step(struct peers *p); /* peers.c; under the lock: after something was heard */

void peers_rejects_step(struct peers *p, struct mono now); /* peers_rejects.c; under the lock, once a second */

/* peers_bulk.c; under the lock, on the loop's thread */
void peers_bulk_open(struct peers *p);
void peers_bulk_close(struct peers *p);
void peers_bulk_step(struct peers *p, struct mono now);		   /* once a second */
bool peers_bulk(void *arg, __u64 peer, const struct endpoint *at); /* hook of the flock */

/* peers_places.c; under the lock, on the loop's thread, with a flock */
void peers_urgent(void *arg); /* a task of the loop, outside of the lock: the own page goes to the group as well */
enum beacon_kinds peers_ears(const struct peers_settings *s); /* what is to be listened to */
void peers_places_use(struct peers *p);			      /* the settings are others */
void peers_places_step(struct peers *p, struct mono now, size_t live);

/* Whether another node answers, and where. */
bool peers_live(const struct peers *p, const struct roster_node *node, struct endpoint *ret_at);

#endif
