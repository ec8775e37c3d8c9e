/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The prober: a thread that makes probes, and gives its owner a turn whenever something has happened or is due. Not
 * here: one probe (probe.h), when which target is probed and what follows (daemon/health.h).
 */
#ifndef STARLING_IO_PROBER_H
#define STARLING_IO_PROBER_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"
#include "core/check.h"
#include "core/check_answer.h"
#include "core/check_config.h"
#include "starling/limits.h"

struct prober;

/* How one probe ended. */
struct probe_result {
	enum check_reason reason;
	enum check_outcome outcome;
	__u32 took_us;
	char say[CHECK_SAY_BYTES]; /* "status 503" */
	struct agent_say agent;	   /* of kind agent */
};

typedef void probe_done_fn(void *arg, const struct probe_result *result);

/* All probes of a prober. Durations of successful ones, in buckets of PROBER_BUCKETS_US and one above them. */
#define PROBER_BUCKETS 12
extern const __u32 prober_buckets_us[PROBER_BUCKETS];

struct prober_count {
	__u64 checks;
	__u64 failures[CHECK_REASONS];
	__u64 bucket[PROBER_BUCKETS + 1];
	__u64 took_us; /* sum of what is in the buckets */
};

/**
 * struct prober_hooks - what the prober calls on its thread; must not block
 * @turn:	probes have ended, or prober_wake() was called, or what it returned last is due; NULL: nothing to do.
 *		Return: when it wants to be called again at the latest; UINT64_MAX ns: whenever
 */
struct prober_hooks {
	void *arg;
	struct mono (*turn)(void *arg, struct mono now);
};

/* Where files are that may be run; borrowed until prober_close(). */
struct prober_dirs {
	const char *checks; /* by checks of kind exec */
	const char *hooks;  /* to begin a backend again */
};

/**
 * prober_open() - start the thread
 * @ret:	owned by the caller
 *
 * Return: 0; -ENOMEM, -EIO, -EAGAIN (no thread) with @err.
 */
int prober_open(const struct prober_dirs *dirs, const struct prober_hooks *hooks, struct prober **ret, struct err *err);

/* Ends the thread; probes under way end as CHECK_LOCAL. NULL is fine. */
void prober_close(struct prober *p);

/**
 * prober_probe() - one probe, soon
 * @at:		proto 0; copied, as @check is
 * @mark:	via tunnel: TUNNEL_MARK with the backend's id; else 0
 * @done:	called once, on the prober's thread, also when it ends before; NULL: nobody wants to know
 *
 * Any thread. Return: 0, or -ENOMEM.
 */
int prober_probe(struct prober *p, const struct endpoint *at, const struct check_config *check, __u32 mark,
		 probe_done_fn *done, void *arg);

/**
 * prober_restart() - run a hook for a backend that is down, soon
 * @vip:	"web", for the file to see; copied, as the others are
 * @name:	of a file in the directory of hooks
 *
 * As a probe of kind exec is made, with the same bounds, but within PROBER_RESTART_MS; it counts for no probe. Any
 * thread. Return: 0, or -ENOMEM; @done and @arg are as for prober_probe().
 */
int prober_restart(struct prober *p, const char *vip, const struct endpoint *at, const char *name, probe_done_fn *done,
		   void *arg);
#define PROBER_RESTART_MS 30000 /* a service's start; beyond it whoever waits for it is killed */

void prober_wake(struct prober *p); /* any thread */

/* Whether files may be run from now on: by checks, and as hooks. Any thread. */
void prober_exec(struct prober *p, bool checks, bool hooks);
void prober_count(struct prober *p, struct prober_count *ret); /* any thread */

#endif
