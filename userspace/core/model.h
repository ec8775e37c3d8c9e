/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the operator wants (struct config) and what he has put aside by hand (struct override).
 * A config is a value: built by the parser or by a command, then never changed while shared.
 * Not here: grammar (command, lex), effect (plan), what runs (the daemon's plane).
 */
#ifndef STARLING_CORE_MODEL_H
#define STARLING_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "core/check_config.h"
#include "core/place.h"
#include "core/roster.h"
#include "starling/limits.h"

/* Words of the grammar: CHOICE(ENUMERATOR, "word"). The forward modes' enum is in dataplane.h. */
#define STARLING_SCHEDULERS(CHOICE)                                                                                    \
	CHOICE(SCHEDULER_MH, "mh")                                                                                     \
	CHOICE(SCHEDULER_RR, "rr")                                                                                     \
	CHOICE(SCHEDULER_WRR, "wrr")                                                                                   \
	CHOICE(SCHEDULER_LC, "lc")                                                                                     \
	CHOICE(SCHEDULER_WLC, "wlc")
#define STARLING_FORWARDS(CHOICE)                                                                                      \
	CHOICE(FORWARD_DR, "dr")                                                                                       \
	CHOICE(FORWARD_IPIP, "ipip")                                                                                   \
	CHOICE(FORWARD_GUE, "gue")
#define STARLING_XDP_MODES(CHOICE)                                                                                     \
	CHOICE(XDP_MODE_AUTO, "auto")                                                                                  \
	CHOICE(XDP_MODE_NATIVE, "native")                                                                              \
	CHOICE(XDP_MODE_GENERIC, "generic")
/* How nodes look for each other on a link. */
#define STARLING_BEACONS(CHOICE)                                                                                       \
	CHOICE(BEACONS_OFF, "off")                                                                                     \
	CHOICE(BEACONS_MULTICAST, "multicast")                                                                         \
	CHOICE(BEACONS_BROADCAST, "broadcast")                                                                         \
	CHOICE(BEACONS_BOTH, "both")

/* What is urgent goes to a multicast group as well. */
#define STARLING_URGENTS(CHOICE)                                                                                       \
	CHOICE(URGENT_OFF, "off")                                                                                      \
	CHOICE(URGENT_MULTICAST, "multicast")
/* Who talks with whom: opinion.h. */
#define STARLING_TOPOLOGIES(CHOICE)                                                                                    \
	CHOICE(TOPOLOGY_MESH, "mesh")                                                                                  \
	CHOICE(TOPOLOGY_HIERARCHY, "hierarchy")
/* Who is to run a change together, before others do. */
#define STARLING_WAVES(CHOICE)                                                                                         \
	CHOICE(WAVE_NODE, "node")                                                                                      \
	CHOICE(WAVE_SITE, "site")                                                                                      \
	CHOICE(WAVE_ALL, "all")
/* Who is let in beside the listed nodes: admission.h. */
#define STARLING_ADMISSIONS(CHOICE)                                                                                    \
	CHOICE(ADMISSION_LISTED, "listed")                                                                             \
	CHOICE(ADMISSION_VOUCHED, "vouched")                                                                           \
	CHOICE(ADMISSION_OPEN, "open")
/* Whether checks take backends out, and bring them back: the daemon's plane_recover.c. */
#define STARLING_RECOVERIES(CHOICE)                                                                                    \
	CHOICE(RECOVERY_AUTO, "auto")                                                                                  \
	CHOICE(RECOVERY_HYBRID, "hybrid")                                                                              \
	CHOICE(RECOVERY_MANUAL, "manual")
/* What becomes of connections whose backend is down. */
#define STARLING_DEADS(CHOICE)                                                                                         \
	CHOICE(DEAD_REHOME, "rehome")                                                                                  \
	CHOICE(DEAD_RESET, "reset")

/* What is made of backends whose clients fail more often than others' (outlier.h). */
#define STARLING_PASSIVES(CHOICE)                                                                                      \
	CHOICE(PASSIVE_SUSPECT, "suspect")                                                                             \
	CHOICE(PASSIVE_OFF, "off")                                                                                     \
	CHOICE(PASSIVE_EJECT, "eject")

#define CHOICE_ENUM(name, word) name,
enum scheduler { STARLING_SCHEDULERS(CHOICE_ENUM) };
enum xdp_mode { STARLING_XDP_MODES(CHOICE_ENUM) };
enum beacon_kinds { STARLING_BEACONS(CHOICE_ENUM) };
enum admission_mode { STARLING_ADMISSIONS(CHOICE_ENUM) };
enum topology { STARLING_TOPOLOGIES(CHOICE_ENUM) };
enum urgent { STARLING_URGENTS(CHOICE_ENUM) };
enum wave { STARLING_WAVES(CHOICE_ENUM) };
enum recovery { STARLING_RECOVERIES(CHOICE_ENUM) };
enum dead { STARLING_DEADS(CHOICE_ENUM) };
enum passive { STARLING_PASSIVES(CHOICE_ENUM) };
#undef CHOICE_ENUM

struct backend_config {
	struct endpoint at; /* proto 0 */
	__u32 weight;	    /* 0..65535; default 1 */
	__u32 tier;	    /* 1..STARLING_TIERS, default 1; STARLING_TIER_SORRY: made by its VIP's line */
	__u32 maxconn;	    /* connections that it may have, over all balancers of a site; 0, the default: any number */
};

struct vip_config {
	char name[STARLING_NAME_BYTES];
	struct endpoint key[STARLING_KEYS_PER_VIP]; /* proto set; in the operator's order, no duplicates */
	size_t key_count;
	__u32 turn;		  /* of getting its last address: whoever came later has taken another's */
	enum scheduler scheduler; /* default mh */
	int forward;		  /* enum forward_mode of dataplane.h; default ipip */
	__u32 slots;		  /* 0: chosen by the number of backends of one tier */
	bool hash_source;
	__u32 idle_ms;		     /* 0 only if every key is UDP */
	__u32 drain_timeout_ms;	     /* 0: none */
	__u32 slow_start_ms;	     /* fill.h has what it means; 0, the default: none */
	bool slow_start_exponential; /* only with slow_start_ms */
	enum recovery recovery;
	enum dead dead;
	__u32 damp_ms;			   /* half-life of damp.h; 0, the default: none */
	enum passive passive;		   /* default suspect */
	char restart[STARLING_NAME_BYTES]; /* a file that begins a backend again; "", the default: none */
	__u32 panic_percent;		   /* 0..100; verdict_serve.h has what they mean; default 0 */
	__u32 eject_percent;		   /* 1..100; default 100 */
	struct check_config *check;	   /* owned; NULL: they are not checked */
	struct backend_config *backend;	   /* owned; sorted by endpoint_compare */
	size_t backend_count;
};

struct iface_config {
	char name[16]; /* IFNAMSIZ */
	enum xdp_mode mode;
};

/* Operating state: beside the configuration, survives apply and restart. */
enum override_state { OVERRIDE_NONE, OVERRIDE_DRAIN, OVERRIDE_DISABLE };

struct override {
	char vip[STARLING_NAME_BYTES]; /* never "": a command without VIP makes one for every VIP that has the backend
					*/
	struct endpoint at;
	enum override_state state;
	char by[64];	  /* "root@lb1" */
	char reason[96];  /* "" if none */
	__u64 since_ms;	  /* Unix time */
	__u32 timeout_ms; /* drain: becomes disable after this; 0: never */
	__u64 over_ms;	  /* of this balancer alone: since when the flock's word was so that it goes before; 0: none */
};

struct config {
	char node_name[STARLING_NAME_BYTES]; /* "" if not set */
	struct endpoint node_address;	     /* port 0: none; all zero: not set */
	char node_device[16];
	struct place node_peers[STARLING_NODE_PEERS]; /* where others may be */
	size_t node_peer_count;
	enum beacon_kinds node_beacons;
	enum admission_mode node_admission;
	enum topology node_topology;
	enum urgent node_urgent;
	bool node_exec;							       /* checks may run files */
	bool node_hooks;						       /* and so may `restart` */
	char node_site[STARLING_NAME_BYTES], node_region[STARLING_NAME_BYTES]; /* labels; "" if not set */
	struct endpoint listen_http;					       /* port 0: default */
	int log_level;							       /* LOG_* of syslog; default LOG_INFO */
	__u32 turns;							       /* given to VIPs */
	struct iface_config *iface;					       /* owned; sorted by name */
	size_t iface_count;
	struct roster roster;	/* the flock's nodes; empty: a balancer alone */
	struct vip_config *vip; /* owned; sorted by name */
	size_t vip_count;
	struct override *aside; /* owned; what the flock has put aside: aside.h. No line of a file */
	size_t asides;
};

/* Words by enumerator, "?" for none; the arrays have the enum's order and end with NULL. */
const char *scheduler_word(int scheduler);
const char *forward_word(int forward);
const char *xdp_mode_word(int mode);
const char *const *scheduler_words(void);
const char *const *forward_words(void);
const char *const *xdp_mode_words(void);
const char *const *beacons_words(void);
const char *const *admission_words(void);
const char *const *topology_words(void);
const char *const *wave_words(void);
const char *const *urgent_words(void);
const char *const *recovery_words(void);
const char *const *dead_words(void);
const char *const *passive_words(void);

struct config *config_new(void); /* NULL without memory */
void config_free(struct config *c);
struct config *config_copy(const struct config *c);
void vip_defaults(struct vip_config *vip);				     /* everything 0 or its default */
struct vip_config *config_vip(const struct config *c, const char *name);     /* NULL if none */
struct iface_config *config_iface(const struct config *c, const char *name); /* NULL if none */
struct backend_config *vip_backend(const struct vip_config *vip, const struct endpoint *at); /* NULL if none */

/* Insert keeping order; the value is copied, @vip's backends and check move into @c. -EEXIST, -ENOMEM. */
int config_vip_add(struct config *c, struct vip_config *vip);
int config_vip_delete(struct config *c, const char *name);		     /* -ENOENT */
int vip_copy(struct vip_config *to, const struct vip_config *from);	     /* -ENOMEM, and @to holds nothing then */
void vip_free(struct vip_config *vip);					     /* what it owns */
int vip_check_set(struct vip_config *vip, const struct check_config *check); /* copied; NULL: none; -ENOMEM */
/* Where probes via tunnel go, by what the VIP has. -EINVAL: nowhere. */
int vip_check_aim(const struct vip_config *vip, struct check_config *check, struct err *err);
int vip_backend_add(struct vip_config *vip, const struct backend_config *b);
int vip_backend_delete(struct vip_config *vip, const struct endpoint *at);

/* The sorry backend, one of the VIP's backends; NULL if there is none. */
const struct backend_config *vip_sorry(const struct vip_config *vip);

/* Another one, or with NULL none. -EEXIST: it is a backend of the VIP otherwise; -ENOMEM. */
int vip_sorry_set(struct vip_config *vip, const struct endpoint *at);

int config_iface_add(struct config *c, const struct iface_config *iface);
int config_iface_delete(struct config *c, const char *name);

/* Sizes of the maps. */
struct config_limits {
	__u32 vips, backends, slots;
};

/**
 * config_check() - what no single line can know
 * @c:		borrowed
 * @limits:	NULL: as large as numbers allow
 * @err:	the first thing wrong, with the VIP's name before it
 *
 * Keys used by two VIPs; idle 0 with a TCP key; more backends of weight over 0 than slots;
 * a backend at an address of a VIP; more VIPs, backends, slots or devices than there is room for; more probes than
 * a balancer should make.
 * Return: 0, -EINVAL, -ENOSPC (no room), -ENOMEM.
 */
int config_check(const struct config *c, const struct config_limits *limits, struct err *err);

/* The same, and the VIP it is about; *ret_vip is NULL if it is about none. */
int config_check_vip(const struct config *c, const struct config_limits *limits, const struct vip_config **ret_vip,
		     struct err *err);

/* What is probed once, though several VIPs may ask for it. */
struct config_target {
	const struct vip_config *vip; /* one of them: it has a check */
	struct endpoint at;
};

/**
 * config_targets() - all that is to be probed
 * @ret:	sorted, each once; owned by the caller, VIPs are borrowed from @c
 *
 * Return: 0, or -ENOMEM.
 */
int config_targets(const struct config *c, struct config_target **ret, size_t *ret_count);

/* Whether a target is among them, as it is or with another VIP's like check. */
bool config_target_find(const struct config_target *all, size_t count, const struct config_target *what,
			size_t *ret_at);

double config_probes(const struct config *c); /* probes a second; -1 without memory */

/* Slots that a VIP of @backends backends gets when none are asked for: see limits.h. */
__u32 vip_slots_default(size_t backends);

/* Why a VIP does not know how many connections its backends have; NULL: it does. */
const char *vip_uncounted(enum scheduler scheduler, bool hash_source);

/* Slots that a VIP gets: what was asked for, else vip_slots_default() of the tier that has most backends. */
__u32 vip_slots(const struct vip_config *vip);

/* Whether `slots N` may be said. */
bool vip_slots_allowed(__u32 slots);

/* "1021, 2039, ... or 1048573", for errors. */
const char *vip_slots_words(void);

#endif
