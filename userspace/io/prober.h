/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The prober: a thread that probes targets by their checks and keeps a verdict of each. A target is
 * an address with a check, however many VIPs ask for it. Not here: rules (core/check.h), who is a target and
 * what a verdict does (daemon/health).
 */
#ifndef STARLING_IO_PROBER_H
#define STARLING_IO_PROBER_H

#include "base/addr.h"
#include "base/err.h"
#include "core/check.h"
#include "core/check_answer.h"

struct prober;

struct probe_target {
	struct endpoint at; /* proto 0 */
	const struct check_config *check;
};

/* How one probe ended. */
struct probe_result {
	enum check_reason reason;
	enum check_outcome outcome;
	__u32 took_us;
	char say[CHECK_SAY_BYTES]; /* "status 503" */
	struct agent_say agent;	   /* of kind agent */
};

/* What is known of a target. */
struct probe_status {
	enum check_verdict verdict;
	__u64 since_ms; /* Unix time: of this verdict */
	__u64 checks, failures;
	bool probed; /* @last is valid */
	struct probe_result last;
	enum agent_admin admin; /* what the agent said last of it; AGENT_UNSAID: nothing */
	bool barred;		/* exec, and it is off here: never probed */
};

/* The whole of a prober. Durations of successful probes, in buckets of PROBER_BUCKETS_US and one above them. */
#define PROBER_BUCKETS 12
extern const __u32 prober_buckets_us[PROBER_BUCKETS];

struct prober_count {
	__u64 checks;
	__u64 failures[CHECK_REASONS];
	__u64 bucket[PROBER_BUCKETS + 1];
	__u64 took_us; /* sum of what is in the buckets */
};

/**
 * struct prober_hooks - what the prober tells
 *
 * Called on its thread; must not block.
 * @changed:	a verdict, or what an agent says, is another one
 */
struct prober_hooks {
	void *arg;
	void (*changed)(void *arg);
};

/**
 * prober_open() - start the thread
 * @exec_dir:	where files of checks of kind exec are; borrowed until prober_close()
 * @ret:	owned by the caller
 *
 * Return: 0; -ENOMEM, -EIO, -EAGAIN (no thread) with @err.
 */
int prober_open(const char *exec_dir, const struct prober_hooks *hooks, struct prober **ret, struct err *err);

/* Ends the thread; probes under way are dropped. NULL is fine. */
void prober_close(struct prober *p);

/**
 * prober_targets() - what is to be probed from now on
 * @target:	all of them, in any order, each once; copied
 * @down:	by target: what is not known yet is down, from before a restart
 * @exec:	files may be run
 *
 * Who was a target keeps its verdict and its place in time. Any thread. Return: 0, or -ENOMEM: nothing has changed.
 */
int prober_targets(struct prober *p, const struct probe_target *target, const bool *down, size_t count, bool exec);

/* What is known of a target; false if it is none. Any thread. */
bool prober_look(struct prober *p, const struct endpoint *at, const struct check_config *check,
		 struct probe_status *ret);
void prober_count(struct prober *p, struct prober_count *ret); /* any thread */

/**
 * prober_once() - one probe now, which counts for nothing
 * @done:	called once, on the prober's thread, also when it ends before
 *
 * Any thread. Return: 0, or -ENOMEM.
 */
int prober_once(struct prober *p, const struct endpoint *at, const struct check_config *check,
		void (*done)(void *arg, const struct probe_result *result), void *arg);

#endif
