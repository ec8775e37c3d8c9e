/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The plane: the thread that owns what runs. It turns a configuration, the operator's
 * overrides and resolved next hops into the tables of the data plane, and reads them back
 * for every show. Not here: sockets and files (the loop thread), BPF (io/dataplane).
 *
 * plane_start(), plane_post() and plane_stop() are for the loop thread. Everything else is
 * for jobs, which run on the plane's thread one at a time. A show may run in the middle of a
 * plane_apply(), between two VIPs, and an urgent job there or between the rows of a show: both
 * may show, override and resolve, but not apply.
 */
#ifndef STARLING_DAEMON_PLANE_H
#define STARLING_DAEMON_PLANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "core/model.h"
#include "core/outlier.h"
#include "core/verdict_serve.h"
#include "io/dataplane.h"
#include "io/routes.h"

struct plane;
struct table; /* core/table.h */

#define PLANE_CHECK_BYTES 64

enum plane_queue {
	PLANE_URGENT, /* next hops, overrides, short shows: bounded work */
	PLANE_SHOW,   /* long shows, metrics: let urgent jobs run between their rows */
	PLANE_NORMAL, /* whatever applies a configuration */
	PLANE_QUEUES,
};

/* A change of state; all borrowed for the call. */
struct plane_event {
	const char *kind;   /* "backend", "vip", "iface", "config", "drop", "restart" */
	const char *object; /* "web 10.0.0.11:443", "web", "eth0" */
	const char *before; /* its state: "up"; NULL: it is new */
	const char *after;  /* NULL: it is gone */
	const char *why;    /* "drained by root@lb1: disk"; "" if there is nothing to say */
};

/* What checks say of a backend. */
struct plane_verdict {
	enum verdict_state state;   /* NONE: nothing was found out yet, and what was known stays */
	enum verdict_source source; /* of @state */
	bool own_down;		    /* own probes have said down for long, though it is up */
	struct mono since;	    /* of that it is down, or @own_down; 0 ns: from now on */
	enum override_state agent;  /* what its agent asks for */
	__u32 less;		    /* percent of its weight that its agent wants it not to have */
	__u32 maxconn;		    /* connections that it may have by its agent; 0: any */
	char why[128];		    /* of that it is down, or @own_down */
};

/**
 * struct plane_hooks - what the plane tells the rest of the daemon
 *
 * All are called on the plane's thread (watch and event also from plane_start()) and must not
 * block: post to the loop. Any may be NULL.
 * @arg:	passed back
 * @watch:	a backend address came (@add) or went, with the first or last backend that has it. The
 *		loop answers with plane_nexthop() in an urgent job, now and on changes.
 * @event:	something changed: for `event watch` and the log.
 * @overridden:	the set of overrides changed (also by a drain timeout): keep it in a file.
 * @ticked:	about a second has passed.
 * @checked:	what checks say of a backend; @ret has no state, and what was said last of @own_down, @agent, @less and
 *		@maxconn, which stays where nothing is said
 * @suspected:	clients of a backend fail more often than those of its peers: it is to be probed now; said each second
 * @check:	words on the last probe of a backend, for its row; none if there are none
 */
struct plane_hooks {
	void *arg;
	void (*watch)(void *arg, const struct addr *addr, bool add);
	void (*event)(void *arg, const struct plane_event *event);
	void (*overridden)(void *arg, const struct override *all, size_t count);
	void (*ticked)(void *arg, struct plane *p);
	void (*checked)(void *arg, const struct check_config *check, const struct endpoint *at,
			struct plane_verdict *ret);
	void (*suspected)(void *arg, const struct check_config *check, const struct endpoint *at);
	void (*check)(void *arg, const struct check_config *check, const struct endpoint *at,
		      char words[PLANE_CHECK_BYTES]);
};

/* What an apply did, or with dry_run would do. */
struct plane_change {
	size_t vips_added, vips_changed, vips_deleted, vips_unchanged;
	size_t backends_added, backends_changed, backends_deleted;
	size_t ifaces_attached, ifaces_detached;
	__u64 slots_moved; /* slots whose home 0 changed; 0 with dry_run */
};

/**
 * plane_start() - adopt what the maps hold and start the thread
 * @dp:		borrowed until plane_stop(); from now on only the plane touches its tables
 * @hooks:	copied
 * @ret:	the plane
 *
 * VIPs, backends, regions and slots found in pinned maps stay as they are, and go on serving,
 * until the first plane_apply() says otherwise. What a killed daemon left half done is
 * repaired: ids and regions that no VIP names are taken back after a grace period and a sweep.
 * Return: 0; -ENOMEM, -EAGAIN (no thread), -EUCLEAN (the maps contradict themselves) with @err.
 */
int plane_start(struct dataplane *dp, const struct plane_hooks *hooks, struct plane **ret, struct err *err);

/* Finishes the job in hand, frees the queued ones unrun (their fn is called with a NULL plane, so that it can free its
 * argument), ends the thread. Traffic goes on. NULL is fine. */
void plane_stop(struct plane *p);

/**
 * plane_post() - have @fn run on the plane's thread
 * @fn:		called with the plane, or with NULL if the plane stops first; owns @arg
 *
 * May be called on any thread. Return: 0; -ENOMEM, -ESHUTDOWN: then @fn is never called.
 */
int plane_post(struct plane *p, enum plane_queue queue, void (*fn)(struct plane *p, void *arg), void *arg);

/* From here on: only in a job. */

/* The last configuration applied; empty before the first. Borrowed until the next plane_apply(). */
const struct config *plane_config(const struct plane *p);

/**
 * plane_apply() - make @wanted what runs
 * @wanted:	passed config_check(); moves in on success without @dry_run, else still the caller's
 * @dry_run:	check and count only
 * @ret:	what differed; NULL if not wanted
 *
 * All or nothing: room for ids, slots and keys and the attaching of devices are tried first;
 * on failure nothing is changed. VIPs and backends that do not differ are not touched. Runs
 * urgent jobs between VIPs. A table whose slot count is to change while an earlier change of
 * its count has flows left keeps the present count until then. An override goes with its backend.
 * Return: 0; -EBUSY (called from an urgent job inside an apply), -ENOSPC, -ENODEV, -ENOMEM,
 * or what attaching a device gave, with @err.
 */
int plane_apply(struct plane *p, struct config *wanted, bool dry_run, struct plane_change *ret, struct err *err);

/* Number of the configuration that the next plane_apply() applies; shown with the VIPs that it changes. */
void plane_generation(struct plane *p, __u32 generation);

/**
 * plane_override() - drain, disable or enable (OVERRIDE_NONE) one backend of one VIP by hand
 * @o:		copied; since_ms 0 means now. timeout_ms is taken as it is: the caller fills in the VIP's
 *		drain_timeout_ms where the operator named none
 *
 * Return: 0; -ENOENT (no such VIP or backend), -ENOMEM, with @err.
 */
int plane_override(struct plane *p, const struct override *o, struct err *err);

/* The overrides kept in a file, before the first apply: replaces all; those for unknown backends wait until after it.
 * -ENOMEM
 */
int plane_overrides_load(struct plane *p, const struct override *all, size_t count);

void plane_override_forget(struct plane *p,
			   const struct override *o); /* that of this backend, if it is still that one */

/* Undo all of them. -ENOMEM */
int plane_overrides_reset(struct plane *p);

/* All overrides, sorted by VIP and backend; borrowed until the next job. */
const struct override *plane_overrides(const struct plane *p, size_t *ret_count);

/* Ask anew what the checks say, of all backends. */
void plane_checks(struct plane *p);

/**
 * plane_readmit() - let in who is up again by its checks, but held by the VIP's `recovery` or `damp`
 * @at:		one backend, or, with port 0, all that the VIP has at an address
 * @dry_run:	only find out whether there is one
 * @ret:	as other balancers are told of it: @ret_count of them, owned by the caller
 *
 * Return: 0; -ENOENT (nobody who is held) with @err; -ENOMEM.
 */
struct fact_readmit;
int plane_readmit(struct plane *p, const char *vip, const struct endpoint *at, bool dry_run, struct fact_readmit **ret,
		  size_t *ret_count, struct err *err);

/* What `recovery` and `damp` make of a backend. Return: whether it is held by them, or serves though it fails. */
#define PLANE_RECOVERY_BYTES 128
bool plane_recovery(const struct plane *p, const char *vip, const struct endpoint *at,
		    char words[PLANE_RECOVERY_BYTES]);

/* How clients of a backend fare, and those of its peers (core/outlier.h); false if there is none, or it is not wanted.
 */
struct plane_fares {
	double rate[OUTLIER_SIGNALS], peers[OUTLIER_SIGNALS]; /* negative: too few samples */
};
bool plane_backend_fares(const struct plane *p, const char *vip, const struct endpoint *at, struct plane_fares *ret);

/* Whether marked packets of this host's own go through tunnels; 0, or as dataplane_tunnel(). */
int plane_tunnel(struct plane *p, bool on, struct err *err);
__u32 plane_tunnel_mark(const struct plane *p, const char *vip, const struct endpoint *at); /* 0: no such backend */

/* Whether an operator, or its agent, has put a backend aside; false if there is none. */
bool plane_put_aside(const struct plane *p, const char *vip, const struct endpoint *at);

/* Tell of a change of state, as the plane does of its own: struct plane_event. @why: NULL: there is nothing to say */
void plane_event(struct plane *p, const char *kind, const char *object, const char *before, const char *after,
		 const char *why);

/* Whether own checks may hold a backend down, also from before a restart; false if there is none. */
bool plane_held_down(const struct plane *p, const char *vip, const struct endpoint *at);

/* What the loop knows of the way to a backend address now. @n is copied. */
void plane_nexthop(struct plane *p, const struct addr *to, const struct nexthop *n);

/* Have packets reported through dataplane_events_poll(); a sample of 0 switches tracing off. Reloads the program. */
int plane_reseed(struct plane *p, const __u32 seed[16], struct err *err); /* dataplane_reseed() */
int plane_trace(struct plane *p, const struct trace_filter *trace, struct err *err);

/* Names for ids in a trace event, "" and NULL for ids not in use; borrowed for the job. */
const char *plane_vip_name(const struct plane *p, __u32 id);
const struct endpoint *plane_backend_at(const struct plane *p, __u32 id);

/* How well the VIPs are served: to be compared with another moment. */
struct plane_health {
	double drops_s;
	struct plane_health_vip {
		char name[STARLING_NAME_BYTES];
		__u32 backends, up;
		__u32 lost; /* those that should take connections and cannot */
	} * vip;	    /* owned; sorted by name */
	size_t vips;
};
int plane_health(const struct plane *p, struct plane_health *ret); /* -ENOMEM */
void plane_health_free(struct plane_health *h);			   /* empties it */

/* Is every VIP (or, @vip not NULL, that one) served: homes written, a usable backend, a device attached? If not, @why
 * says what is missing. */
bool plane_ready(const struct plane *p, const char *vip, char why[128]);

/*
 * Rows for a show. Each appends to @t, which has the kind named; NULL names mean all. Status is one row, without what
 * only the daemon knows (node, version, times, reloads).
 * Return: 0; -ENOENT (no VIP or backend of that name) with @err; -ENOMEM.
 */
int plane_show_vips(struct plane *p, const char *name, struct table *t, struct err *err);    /* KIND_VIP */
int plane_show_backends(struct plane *p, const char *vip, struct table *t, struct err *err); /* KIND_BACKEND */
int plane_show_shares(struct plane *p, const char *vip, struct table *t, struct err *err);   /* KIND_SHARE */
int plane_show_slots(struct plane *p, const char *vip, struct table *t, struct err *err);    /* KIND_SLOT */
int plane_show_ifaces(struct plane *p, struct table *t, struct err *err);		     /* KIND_IFACE */
int plane_show_drops(struct plane *p, struct table *t, struct err *err);		     /* KIND_DROP */
int plane_show_status(struct plane *p, struct table *t, struct err *err);		     /* KIND_STATUS */
int plane_show_maps(struct plane *p, struct table *t, struct err *err);			     /* KIND_MAP */

/**
 * plane_show_effects() - what applying a configuration would do to traffic
 * @wanted:	passed config_check(); borrowed
 * @t:		KIND_CHANGE: a row is appended for each VIP that it touches
 *
 * Of backends that are new it is taken that they can be reached. Lets urgent jobs run between VIPs.
 * Return: 0; -ENOSPC, -ENOMEM, -EINVAL with @err: it could not be applied.
 */
int plane_show_effects(struct plane *p, const struct config *wanted, struct table *t, struct err *err);

/* Whether a VIP that has a backend for new connections, or should, would have none. Return: 0; -EPERM with @err. */
int plane_unserved_check(struct plane *p, const struct config *wanted, struct err *err);

struct plane_flow_filter {
	const char *vip;		/* NULL: all */
	const struct endpoint *backend; /* port 0: any; NULL: all */
	const struct addr *client;	/* NULL: all. Finds the client's ports by trying them all */
	size_t limit;			/* rows; 0: PLANE_FLOWS_LIMIT */
};
#define PLANE_FLOWS_LIMIT 1000

int plane_show_flows(struct plane *p, const struct plane_flow_filter *f, struct table *t,
		     struct err *err); /* KIND_FLOW */

/**
 * plane_lookup() - what XDP would do with a packet of this flow now, and why
 * @src:	client, port not 0
 * @dst:	a VIP's key, proto set
 * @t:		KIND_LOOKUP: one row
 *
 * Runs where_to() over the live maps and writes nothing.
 * Return: 0; -ENOENT if @dst is no VIP's, with @err; -ENOMEM.
 */
int plane_lookup(struct plane *p, const struct endpoint *src, const struct endpoint *dst, struct table *t,
		 struct err *err);

#endif
