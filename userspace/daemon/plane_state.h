/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the plane holds in memory, and the functions its files share. Not here: its interface
 * (plane.h), what the maps look like (starling/dataplane.h).
 *
 * The maps are the truth about what packets meet; this memory says what they should be and
 * finds its way in them. The order of stores, which every file keeps to:
 *
 *  - A slot names a home only if its backend's word says UP at that moment. So a backend that
 *    comes up has its word stored first, when no slot names it, and the slots after it; one
 *    that goes down has its word stored first as well: XDP promotes the other home at once and
 *    the slots, written next, agree. Draining: slots, then the word.
 *  - With mh a slot whose home serves still does not leave it at once: it is split with that home
 *    as previous and present one, warm, for STARLING_MARK_MS first (transition_warm()). Nothing
 *    remembers it: every pass finds again which slots are not where they should be.
 *  - A copy of a record that a word has ceased to select is rewritten only in a later epoch: an
 *    epoch ends with plane_grace().
 *  - Regions and ids are retired, and free only after a grace period (regions, VIPs) or a grace
 *    period and a whole sweep (backends).
 */
#ifndef STARLING_DAEMON_PLANE_STATE_H
#define STARLING_DAEMON_PLANE_STATE_H

#include <pthread.h>

#include "base/clock.h"
#include "core/arena.h"
#include "core/damp.h"
#include "core/outlier.h"
#include "core/sweep.h"
#include "core/tiers.h"
#include "core/transition.h"
#include "daemon/plane.h"
#include "starling/hash.h"

#define PLANE_PATH_BUCKETS    16384
#define PLANE_ADDRESS_BUCKETS 4096
#define PLANE_TICK_MS	      1000
#define PLANE_LOST_MS	      3000 /* a next hop lost for less changes nothing: neighbours flap while they are asked anew */
#define PLANE_FULL_MS	      10000 /* who is full stays so for so long: else slots would change all the time */
#define PLANE_TOPPED_MS	      60000 /* and for so long, if it has hardly fewer connections than it may */
#define PLANE_CHUNK_SETS      16384 /* of a sweep, between urgent jobs: under 1 ms */
#define PLANE_CHUNK_ROWS      64    /* of a show, between urgent jobs: under 1 ms */
#define PLANE_SAMPLE	      4096  /* backends whose counters are read a tick */
#define PLANE_GUE_PORT	      6080  /* IANA: Generic UDP Encapsulation */

struct plane_vip;

struct plane_rate {
	__u64 packets, bytes, connections; /* at the last sample */
	double packets_s, bytes_s, connections_s;
	struct mono at; /* of it; 0: none yet */
};

/* The way to one backend address, shared by all backends that have it. */
struct plane_path {
	struct plane_path *next; /* in its bucket */
	struct addr to;
	struct nexthop hop;		/* the last one that was resolved, with `why` of the newest */
	bool resolved;			/* now */
	bool ever;			/* hop is valid */
	struct mono lost;		/* since when not, if ever */
	struct plane_backend *backends; /* list */
};

struct plane_backend {
	struct plane_vip *vip;
	struct plane_path *path;
	struct plane_backend *path_next;
	struct endpoint at; /* proto 0 */
	__u64 key;	    /* maglev_key() */
	__u64 told;	    /* what it is called between nodes: fact_backend_key(); 0: not known yet */
	__u32 weight;	    /* of the word and of T */
	__u32 configured;   /* weight in the configuration */
	__u32 most;	    /* maxconn in the configuration; 0: any */
	__u8 tier;
	__u32 id;
	__u32 index;	 /* in vip->backend; where the table and the arrays have it */
	__u32 held;	 /* slots whose home 0 it is */
	__u8 word_state; /* enum backend_state as stored */
	__u8 leaving;	 /* not in the configuration any more */
	__u8 lost;	 /* its next hop is lost for good: shown, and no new flows */
	__u8 filling;	 /* steps of fill.h that are left until it has its whole weight */
	bool full;	 /* plane_limits.c */
	bool first;	 /* it came with its VIP, and nothing has kept it out since but that its way was not known */
	__u32 swapped;	 /* epoch in which the idle copy ceased to be selected; 0: never used */
	enum override_state override;
	enum override_state agent; /* what its agent asks for */
	__u32 less, maxconn;	   /* likewise: struct plane_verdict */
	struct plane_found {
		enum verdict_state state;
		enum verdict_source source;
		bool own_down;
		struct mono since;
	} found;     /* by its checks */
	bool awaits; /* recovery hybrid, manual: its checks took it out, and an operator lets it in again */
	__u64 out_ms, readmitted_ms;	/* Unix time: when its checks last found it down, and an operator let it in */
	struct damp damp;		/* of the times that it was found down */
	char *why;			/* owned: what was found against it; NULL: nothing, or no memory for it */
	struct verdict_serve_out serve; /* what becomes of it */
	struct outlier outlier;
	struct plane_signed {
		__u64 connections, repeats, resets; /* at the last sample */
		struct mono at;			    /* of it; 0: none yet */
	} signed_last;
	bool suspect_told;     /* by an event */
	struct mono filled;    /* when its last step was, or it began to fill */
	struct mono full_at;   /* when it last had as many connections as keep it full */
	struct mono topped_at; /* and as many as it may have */
	struct plane_rate rate;
};

struct plane_vip {
	char name[STARLING_NAME_BYTES];
	__u32 id;
	struct endpoint key[STARLING_KEYS_PER_VIP]; /* in the operator's order once configured */
	size_t key_count;
	enum scheduler scheduler;
	int forward;
	bool hash_source;
	__u32 idle_ms, drain_timeout_ms;
	__u32 slow_start_ms;
	bool slow_exponential;
	enum recovery recovery;
	bool dead_reset; /* connections whose backend is down are reset */
	__u32 damp_ms;
	bool fills; /* one of its backends does, or has a part of its weight by its agent */
	enum passive passive;
	__u32 fill_scale; /* of weights in words meanwhile, where scores heed them; else 0 */
	struct verdict_serve_policy policy;
	struct verdict_serve_vip serve; /* what becomes of its backends */
	__u64 hold_ms;			/* a panic goes on for so long after it had to: by then all are up that were */
	struct mono panicked;		/* when it last had to, once it need not; else when it began */
	const char *state_told;		/* as in the last event about it */
	__u32 slots_wanted;		/* vip_slots(); 0: not known yet */
	struct span region, previous;
	__u32 swapped;	     /* epoch, as of a backend */
	bool dirty;	     /* a backend's state may differ from what is wanted: to be settled */
	bool stale;	     /* slots may differ from the homes */
	bool room_stale;     /* second homes may be full; they wait for a pass */
	__u64 room_wait_ms;  /* so long after the last one, which is a multiple of what that took */
	struct mono room_at; /* when the last pass ended */
	bool falls;	     /* true only within plane_settle(): words of its backends are to say down yet */

	struct plane_backend **backend; /* owned; sorted by endpoint */
	__u32 backend_count;
	__u8 *tiers;  /* by index */
	__u32 tables; /* tiers_tables() */
	__u16 *table; /* T: index of a backend a slot; region.count of them, for each table */
	__u64 *keys;  /* by index, as homes_find() wants them */
	__u32 *weights;
	bool *usable;
	__u16 *part;  /* as homes_find() wants it */
	__u16 *since; /* when split slots were split, seconds; NULL while none is */
	__u32 split, pinned;
	__u32 warm;	  /* of split: slots that leave their home once they have been split for STARLING_MARK_MS */
	__u16 warm_since; /* seconds: when the first of them was split */
	bool deferred;	  /* slot count is to change once split is 0 */
	bool growing;	  /* and it is: all slots are kept warm for it */
	__u16 growing_since;
	bool resizing; /* slots with SLOT_PREV_TABLE are left */
	__u32 build;   /* times T was built: the generation of the VIP's word */
	__u64 digest, effective;
	struct plane_rate rate;
};

/* An address of VIPs, and its address-only key. */
struct plane_address {
	struct plane_address *next; /* in its bucket */
	struct addr addr;
	__u32 users; /* keys of VIPs on it */
	__u32 vip;   /* that the key names */
	bool set;    /* the key is in the map */
};

/* A device that backends are behind. */
struct plane_outlet {
	__u32 ifindex;
	bool used; /* by a way, since the last look */
	bool deaf; /* packets from another device are redirected to it, and it does not take them */
};

struct plane_job {
	struct plane_job *next;
	bool shows;
	void (*fn)(struct plane *p, void *arg);
	void *arg;
};

struct plane_jobs {
	struct plane_job *first, **last;
};

struct plane {
	struct dataplane *dp;
	struct plane_hooks hooks;

	/* The maps. */
	struct vip_entry *vips;
	struct backend_entry *backends;
	__u64 *slots;
	struct flow_set *flows;
	struct backend_load *loads;
	struct backend_signs *signs;
	struct backend_limit *limits;
	struct vip_filter *filter;
	__u32 vips_max, backends_max, slots_max, sets_max;

	/* What is in them. */
	struct arena arena;
	struct ids vip_ids, backend_ids;
	struct plane_vip **vip; /* owned; sorted by name */
	size_t vip_count;
	struct plane_vip **vip_by_id;
	struct plane_backend **backend_by_id;
	struct plane_path *path[PLANE_PATH_BUCKETS];
	struct plane_address *address[PLANE_ADDRESS_BUCKETS];
	struct plane_outlet outlet[STARLING_DEVICES];
	size_t outlet_count;
	bool *serving;			 /* by backend id; true only while plane_vip_settle() works on its VIP */
	__u16 filter_count[FILTER_BITS]; /* addresses behind each bit */
	__u8 *retired_rounds;		 /* sweeps that each retired backend id has seen */
	__u32 epoch;			 /* grace periods passed, plus 1 */

	/* Retired in this epoch, free after the next grace period. */
	struct span *retired;
	size_t retired_count, retired_room;

	/* What is wanted. */
	struct config *config;
	const struct config *coming; /* while it is applied */
	struct override *override;   /* owned; sorted */
	size_t override_count;
	__u32 generation;
	bool applying; /* VIPs are being changed: no settling, no second apply */
	bool dirty;    /* some VIP is */
	bool held;     /* adopted, and no configuration yet: states stay as they are */

	/* The sweep. */
	struct sweep_result swept;	      /* of the round in hand */
	struct sweep_drift *drift;	      /* by backend id */
	__u64 *exceptions, *promote, *pinned; /* bitmaps by slot */
	__u64 cells[SWEEP_STATES];
	__u64 overflows;
	bool newly_pinned;     /* a grace period must pass before a round can tell */
	bool adopted;	       /* and no round since: marks may be of overflows that nobody has heeded */
	__u32 sample_next;     /* backend id */
	struct mono restarted; /* when VIPs were adopted; 0: there were none */
	struct mono marked, sampled;
	__u64 drops;
	double drops_s;

	/* The thread. */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct plane_jobs queue[PLANE_QUEUES];
	bool showing; /* a job of PLANE_SHOW is in hand: no second one inside it */
	bool stopping;
};

/* plane.c: a plane without its thread, for the thread that calls */
int plane_open(struct dataplane *dp, const struct plane_hooks *hooks, struct plane **ret, struct err *err);
void plane_close(struct plane *p);
void plane_breathe(struct plane *p); /* run the urgent jobs that wait, and shows but within a show */
int plane_grace(struct plane *p);    /* and free what was retired */

/* plane_memory.c: plain memory of VIPs and backends; nothing in the maps */
struct plane_vip *plane_vip_new(const char *name, __u32 backends, __u32 slots);
void plane_vip_free(struct plane_vip *v);
void plane_backend_free(struct plane_backend *b);
struct plane_vip *plane_vip_find(const struct plane *p, const char *name);
int plane_vip_insert(struct plane *p, struct plane_vip *v);
void plane_vip_remove(struct plane *p, struct plane_vip *v);
struct plane_backend *plane_backend_find(const struct plane_vip *v, const struct endpoint *at);
int plane_table_build(struct plane_vip *v);	     /* T by keys, weights and tiers, its digest; -ENOMEM, -ERANGE */
const __u16 *plane_table(const struct plane_vip *v); /* the table of the tier that serves */
enum transition_keep plane_keep(const struct plane_vip *v);
void plane_slot_store(struct plane *p, __u32 index, __u64 slot); /* of the arena, at once */
enum steer_by plane_steer_by(enum scheduler s);
__u32 plane_weight(enum scheduler s, __u32 configured); /* rr and lc: 1 each */

/* plane_publish.c: records, words, ids */
/* Do clients give signs? Not where a cell is a source's: it counts as one connection, whatever gives signs under it. */
bool plane_signs(enum passive passive, bool hash_source);
/* And by notes, as their connections have no cells but in splits? */
bool plane_notes(enum passive passive, enum scheduler s, bool hash_source);
__u16 plane_ticks(const struct plane *p, __u64 ms);		     /* rounded up */
bool plane_vip_publish(struct plane *p, struct plane_vip *v);	     /* record and word; false if nothing differed */
void plane_vip_withdraw(struct plane *p, struct plane_vip *v);	     /* word 0 */
void plane_backend_create(struct plane *p, struct plane_backend *b); /* record, word DOWN */
void plane_backend_publish(struct plane *p, struct plane_backend *b);
void plane_backend_word(struct plane *p, struct plane_backend *b, enum backend_state state);
void plane_backend_withdraw(struct plane *p, struct plane_backend *b); /* UNUSED, id retired */

/* plane_keys.c */
struct vip_key plane_key(const struct endpoint *e);
__u32 plane_addr_bucket(const struct addr *a, __u32 buckets);
int plane_address_use(struct plane *p, const struct addr *addr, __u32 vip);
int plane_key_add(struct plane *p, const struct endpoint *e, __u32 vip); /* -E2BIG, -ENOMEM */
void plane_key_drop(struct plane *p, __u32 vip, const struct endpoint *e);
void plane_key_forget(struct plane *p, const struct endpoint *e); /* a grace period after plane_key_drop() */
bool plane_address_used(struct plane *p, const __u8 byte[16]);
int plane_keys_check(const struct plane *p, const struct config *want, struct err *err); /* none is the host's own */
void plane_addresses_free(struct plane *p);

/* plane_paths.c */
int plane_path_join(struct plane *p, struct plane_backend *b);
void plane_path_leave(struct plane *p, struct plane_backend *b);
void plane_paths_tick(struct plane *p, struct mono now);
void plane_paths_free(struct plane *p);
void plane_path_set(struct plane *p, struct plane_path *path, const struct nexthop *n);

/* plane_outlets.c: devices that take no redirected packets */
void plane_outlet_use(struct plane *p, __u32 ifindex); /* a way leads through it; to be said before each tick */
void plane_outlets_tick(struct plane *p);
const char *plane_outlet_trouble(const struct plane *p, __u32 ifindex); /* NULL: none */

/* plane_states.c: what a backend's state should be, overrides */
bool plane_backend_reached(const struct plane_backend *b); /* its way is known, and its VIP's forward mode can use it */
enum override_state plane_backend_aside(const struct plane_backend *b); /* by the operator's word, else its agent's */
enum backend_state plane_backend_wanted(const struct plane_backend *b);
const char *plane_backend_shown(const struct plane_backend *b);
const char *plane_backend_trouble(const struct plane_backend *b); /* what is wrong with its way; NULL: nothing */
bool plane_backend_able(const struct plane_backend *b); /* but for the operator's word and its weight it would serve */
void plane_backend_remember(const struct plane *p, struct plane_backend *b);	   /* adopted: what was known of it */
bool plane_backend_was_lost(const struct plane *p, const struct plane_backend *b); /* as it was shown last */
void plane_backend_note(struct plane *p, struct plane_backend *b); /* event if what is shown has changed */
const struct override *plane_override_of(const struct plane *p, const struct plane_backend *b);
enum override_state plane_override_state(const struct override *o); /* now; NULL: it is not put aside */
void plane_overrides_tick(struct plane *p);
void plane_overrides_prune(struct plane *p); /* after an apply: without those whose backend is gone */

/* plane_serve.c: what becomes of a VIP's backends, of all that is known of them */
#define PLANE_BOUND_BYTES 192
int plane_vip_serve(struct plane_vip *v);		       /* -ENOMEM: it stays as it was */
bool plane_backend_fails(const struct plane_backend *b);       /* new flows that it still got would be lost */
const char *plane_backend_kept(const struct plane_backend *b); /* why it is avoided, held or kept; NULL: it is not */
void plane_serve_tick(struct plane *p);			       /* panics end */
const struct plane_backend *plane_vip_sorry(const struct plane_vip *v); /* NULL: it has no sorry backend */
void plane_vip_note(struct plane *p, struct plane_vip *v);		/* event if a bound holds, or does no more */

/* Whether a bound keeps backends in service, and words on it, to come after the VIP's name. */
bool plane_vip_panics(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]);
bool plane_vip_suspects(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]);
bool plane_vip_limits(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]);
bool plane_vip_backup(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]); /* a higher tier serves */

/* plane_limits.c: how many connections backends may have */
__u32 plane_backend_limit(const struct plane_backend *b);			   /* 0: any number */
__u64 plane_backend_counted(const struct plane *p, const struct plane_backend *b); /* open, half-open and at others */
bool plane_vip_has_limits(const struct plane_vip *v);
void plane_limits_remember(const struct plane *p, struct plane_backend *b);    /* adopted */
void plane_limits_publish(struct plane *p, struct plane_vip *v);	       /* for the program, where they differ */
void plane_limits_tick(struct plane *p, struct mono now);		       /* who is full, and who has room again */
bool plane_vip_full(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]); /* nobody who serves has room */

/* plane_recover.c: who was found down comes back */
void plane_recover_found(struct plane_backend *b, bool down); /* found down now, and what is known is as before that */
bool plane_recover_forget(struct plane_backend *b);	      /* that it flaps; whether it was held for it */
void plane_recover_describe(struct plane_vip *v, const struct vip_config *want); /* recovery and damp of the VIP */
bool plane_backend_held(const struct plane_backend *b);				 /* up again, but not let in */
bool plane_backend_failing(const struct plane_backend *b); /* not up, and not taken out: by recovery manual */
bool plane_backend_held_by(const struct plane_backend *b, char words[PLANE_RECOVERY_BYTES]); /* or why it fails on */
void plane_recover_tick(struct plane *p, struct mono now);				     /* waits end */
bool plane_vip_waits(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]);	  /* for an operator to readmit */
bool plane_vip_failing(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]); /* or to take out */

/* plane_passive.c: whose clients fail more often than its peers' */
#define PLANE_PASSIVE_BYTES 128
void plane_passive_add(struct plane *p, struct plane_backend *b, __u64 connections,
		       struct mono now); /* so many so far */
void plane_passive_tick(struct plane *p, struct mono now);
bool plane_passive_words(const struct plane_backend *b, char words[PLANE_PASSIVE_BYTES]); /* false: no suspect */

/* plane_fill.c: slow start, and parts by agents */
__u32 plane_backend_less(const struct plane_backend *b);   /* in percent, what of its agent's word is heeded */
__u16 plane_backend_part(const struct plane_backend *b);   /* of its weight, of 1000 */
__u32 plane_backend_weight(const struct plane_backend *b); /* of its word */
void plane_fill_parts(struct plane_vip *v);		   /* v->part, by what each has to fill yet */
void plane_fill_settle(struct plane_vip *v);		   /* after plane_vip_serve(): who begins to, or need not */
void plane_fill_tick(struct plane *p, struct mono now);	   /* steps that are due */

/* plane_slots.c */
void plane_vip_settle(struct plane *p, struct plane_vip *v);		   /* words and slots become what is wanted */
void plane_settle(struct plane *p);					   /* every dirty VIP */
void plane_slots_fill(struct plane *p, struct plane_vip *v, bool resized); /* a fresh region */
void plane_slots_repair(struct plane *p, struct plane_vip *v);		   /* adopted: slots agree with the words */
void plane_slots_pin(struct plane *p, struct plane_vip *v);		   /* plain slots become pinned */
void plane_dead_forget(struct plane *p, struct plane_vip *v); /* previous homes that are down, of all slots */
void plane_split_restart(struct plane *p, struct plane_vip *v,
			 bool warm); /* clocks of split slots; of warm ones too? */

/* plane_warm.c */
bool plane_warms(struct plane *p, const struct plane_vip *v);	      /* slots leave their homes only when warm */
bool plane_warm_over(__u16 since);				      /* what became warm then may leave */
bool plane_resizes(struct plane *p, const struct plane_vip *v);	      /* may the number of slots change now? */
void plane_growth(struct plane *p, struct plane_vip *v, bool wanted); /* get all slots ready for it, or give it up */
void plane_warm_tick(struct plane *p);				      /* who has been warm for long enough leaves */

/* plane_apply.c, plane_ifaces.c */
void plane_region_retire(struct plane *p, struct span s); /* free after the next grace period */
int plane_ifaces_attach(struct plane *p, const struct config *wanted, bool dry_run, struct plane_change *change,
			struct err *err);
void plane_ifaces_detach(struct plane *p, const struct config *wanted, struct plane_change *change);

/* Devices attached before an apply; a configuration does not tell, as long as none was applied since the adoption. */
struct plane_ifaces {
	struct dataplane_device device[STARLING_DEVICES];
	size_t count;
};

void plane_ifaces_remember(struct plane *p, struct plane_ifaces *ret);
void plane_ifaces_restore(struct plane *p, const struct plane_ifaces *had, struct plane_change *change);

/* plane_adopt.c, plane_sweep.c, plane_rates.c */
int plane_adopt(struct plane *p, struct err *err);
void plane_tick(struct plane *p);
__u64 plane_drops(struct plane *p);   /* of all devices */
int plane_sweep_all(struct plane *p); /* one whole round now: retired ids become free */
void plane_rates_sample(struct plane *p, struct mono now);

#endif
