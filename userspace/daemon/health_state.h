/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What health's files share. Not here: its interface (health.h).
 */
#ifndef STARLING_DAEMON_HEALTH_STATE_H
#define STARLING_DAEMON_HEALTH_STATE_H

#include <pthread.h>

#include "core/agent_rule.h"
#include "core/audit_rest.h"
#include "core/restart.h"
#include "core/verdict_page.h"
#include "daemon/health_flock.h"
#include "daemon/task.h"
#include "io/prober.h"

/* What observers have told of one agent. */
struct health_agent {
	struct health_told {
		__u64 by; /* node; 0: there is none */
		struct agent_report report;
	} told[VERDICT_SEATS];
};

/* An address with a check, however many VIPs ask for it. */
#define HEALTH_NOTES 16 /* changes by votes at once that the audit log has a line each for; of more it has one */

struct health_target {
	__u64 id;
	struct endpoint at;		  /* proto 0 */
	const struct check_config *check; /* of the set */
	bool down;			  /* it was, before this began */
	__u32 mark;			  /* via tunnel: whose; 0: there is no way */
	bool barred;			  /* exec, and it is off here, or via tunnel, and there is none: never probed */
	bool probed;			  /* @last is valid */
	struct probe_result last;
	struct agent_report report;   /* what the agent has said to this node while it has watched it */
	struct mono heard;	      /* when it was asked last; 0 ns: never */
	struct health_agent *agent;   /* of the set, under the lock; NULL: there is none */
	enum verdict_state certified; /* as the audit log has it */
	__u64 checks, failures;
};

struct health_set {
	struct health_target *target; /* owned; by address, then check */
	size_t *by_id;		      /* owned: places */
	struct check_config *check;   /* owned, one a VIP: what targets point to; so is the next one */
	struct health_agent *agent;   /* of those that have one */
	size_t count;
};

/* A page of votes, or of reports, that came, as its entries. */
struct health_heard {
	struct health_heard *next;
	__u64 origin;
	__u16 kind;
	size_t len;
	__u8 entries[];
};

#define RESTART_WHY_BYTES 160

/* A backend that is down, or was, and has a hook: health_restart.c. */
struct health_restart {
	char vip[STARLING_NAME_BYTES];
	struct endpoint at;
	char file[STARLING_NAME_BYTES]; /* its hook */
	__u64 key;			/* fact_backend_key() */
	struct restart is;
	bool seen;    /* in the look that is under way */
	bool due;     /* likewise: to be run here */
	__u64 runner; /* a node; 0: none may run it */
	bool others;  /* may run it, too */
	bool waits;   /* for the lease */
	struct mono ended;
	enum health_restart_result {
		RESTART_OK,
		RESTART_FAILED,
		RESTART_TIMEOUT,
		RESTART_REFUSED,
		RESTART_RESULTS
	} result; /* of the last run */
	char say[CHECK_SAY_BYTES];
};

struct health_restarts {
	struct health_restart *one; /* owned; by VIP, then address */
	size_t count;
	unsigned int running;
	__u64 total[RESTART_RESULTS];
	bool asks; /* for the lease, just now */
	struct mono lease_until, lease_again;
	unsigned int noted; /* runs in hand, for the audit log */
	struct mono noted_since;
	char why[RESTART_WHY_BYTES]; /* it was not had; "" */
};

struct health {
	struct daemon *d;
	struct prober *prober;
	struct health_restarts restarts; /* the plane's thread's */
	size_t targets;			 /* the plane's thread's */
	bool known;			 /* likewise: every backend was, once since the start */
	bool tunnel_failed;		 /* likewise: and that was said */

	/* between the prober's thread and others, who wait for no turn of it; after the other lock if both are taken */
	pthread_mutex_t inbox;
	struct verdict_pages *pages; /* own votes */
	struct page_draft *agents;   /* owned: pages of own reports; NULL: as they were told */
	size_t agent_pages;
	struct roster roster_told;
	bool *fit_told; /* owned; by node of it */
	struct verdict_self self_told;
	struct identity identity_told;
	bool unfit_told;
	bool flock_told; /* and it is not what is used */
	struct health_heard *heard, **heard_end;
	size_t heard_count;
	bool room_wanted;      /* others' pages that were to be shown again wait until these are looked at */
	bool reputation_asked; /* the log is read */
	bool stopped;

	pthread_mutex_t lock;
	struct identity identity; /* of @self, as the peers' may be another one by now */
	struct signing signing;	  /* with it */
	struct verdict *verdict;
	struct roster roster;
	struct verdict_self self;
	struct health_set set;
	bool pages_full;	      /* and that was said of this set */
	bool agents_heard;	      /* others' reports are others now */
	bool agents_changed;	      /* and own ones */
	struct mono agents_due;	      /* when those may be told */
	unsigned int noted;	      /* changes in hand, in the audit log */
	struct audit_rest rest;	      /* those of them that it has no line of their own for */
	struct reputation reputation; /* by this node's account; since 0: its log was not read yet */
	bool cut_off;		      /* from most of the flock: then nothing is seen of it */
	struct mono seen_due;	      /* when what votes were worth is added to it */
	__u64 disagreements;	      /* times that own probes said down for long where votes said up */

	_Atomic bool checks_posted; /* a look at the verdicts is on its way */
	_Atomic bool votes_posted;  /* and one at own votes, and at others' */
	_Atomic bool room_ready;    /* now there is room for them */
	_Atomic bool again;	    /* pages of votes have to be shown again: some were of what was not known yet */
};

/* What is known of a target; values. */
struct health_status {
	struct health_target target; /* its check is the one that was asked with */
	struct verdict_view view;
	struct agent_report agent; /* what its agent asks for, by its observers */
	bool flock;		   /* others vote, or would */
	struct mono now;
};

/* Whether it is one. */
bool health_look(struct health *h, const struct endpoint *at, const struct check_config *check,
		 struct health_status *ret);

/* Why a target is held to be what it is, for people. */
void health_why(const struct health_status *s, char words[128]);

/* One row about a backend. @r: its last probe; NULL: none yet. Return: the row. */
size_t health_row(struct table *t, const char *vip, const struct endpoint *at, const struct check_config *check,
		  const struct probe_result *r);

/* health_targets.c: sets */
struct config_target;
/* @down: by target. Return: 0, or -ENOMEM with @ret empty. */
int health_set_make(struct health_set *ret, const struct config *c, const struct config_target *all, const bool *down,
		    size_t count, bool exec, const struct signing *signing);
void health_set_free(struct health_set *set);
void health_set_keep(struct health_set *set, const struct health_set *former); /* what was known of those that stay */
struct health_target *health_set_find(const struct health_set *set, const struct endpoint *at,
				      const struct check_config *check); /* NULL: none */
struct health_target *health_set_id(const struct health_set *set, __u64 id);
__u64 health_target_id(const struct check_config *check, const struct endpoint *at, const struct signing *signing,
		       int *ret_rc); /* *ret_rc: 0, or -ENOMEM */
/* By what rules verdicts on them are made. @ret: @set->count of them, in the order of ids. */
void health_set_rules(const struct health_set *set, const struct roster *roster, __u64 self,
		      struct verdict_target *ret);

/* health_agents.c; under the lock */
void health_agents_write(struct health *h); /* own reports, for the others: peers_votes() tells them */
/* What has changed of them, once a second. Return: whether it was written now. @ret_due: UINT64_MAX ns: never */
bool health_agents_step(struct health *h, struct mono now, struct mono *ret_due);
void health_agents_hear(struct health *h, __u64 origin, const struct page *page);
/* A probe came back with what its agent says, if anything. Return: whether the others have to be told. */
bool health_agent_take(struct health_target *t, struct mono now, const struct agent_say *say);
/* An observer's report. Return: whether it is another one. */
bool health_agent_told(struct health_agent *agent, const struct verdict_seats *seats, __u64 by,
		       const struct agent_report *report);
void health_agent_decide(const struct health *h, const struct health_target *t, const struct verdict_view *view,
			 struct mono now, struct agent_report *ret);

/* health_reputation.c; the first under the inbox's, on the loop's thread: the log is read, once there is a roster; the
 * others under the lock: whose votes are seen, by the rules of all targets; what votes were worth, once a minute.
 * Return: when next, @due at the latest */
void health_reputation_load(struct health *h);
void health_reputation_site(struct health *h, const struct verdict_target *target);
struct mono health_reputation_step(struct health *h, struct mono now, struct mono due);

/* health_restart.c; on the plane's thread */
void health_restart_row(struct health *h, const char *vip, const struct endpoint *at, struct table *t, size_t row);
void health_restart_counts(const struct health *h, struct table *t, size_t row); /* KIND_PROBES */

/* health_flock.c; under the lock: what others have told is used. Return: whether there is more of it. */
bool health_flock_use(struct health *h, struct mono now);
void health_flock_close(struct health *h);
int health_targets_use(struct health *h, struct mono now); /* the set or the roster are others; 0, or -ENOMEM */

#endif
