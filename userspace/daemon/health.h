/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Health of backends: from the configuration to targets, from probes and votes to verdicts, and from these to states of
 * the plane. On the prober's thread, which has a turn whenever something happened. Not here: probes (io/prober.h), the
 * rules of verdicts (core/verdict.h), how votes travel (peers_votes.c), states (plane_states.c).
 */
#ifndef STARLING_DAEMON_HEALTH_H
#define STARLING_DAEMON_HEALTH_H

#include "core/signing.h"
#include "core/table.h"
#include "daemon/daemon.h"

struct health;

#define HEALTH_PROBLEM_BYTES 256

/* Before the plane starts. Return: 0; -ENOMEM, -EIO, -EAGAIN with @err. */
int health_open(struct daemon *d, struct health **ret, struct err *err);

/* Nothing is posted to the plane any more: before it stops. NULL is fine. */
void health_stop(struct health *h);

/* After the plane has stopped; who waits for a probe is answered. NULL is fine. */
void health_close(struct health *h);

/* Hooks of the plane; @arg is the daemon. */
void health_checked(void *arg, const struct check_config *check, const struct endpoint *at, struct plane_verdict *ret);
void health_suspected(void *arg, const struct check_config *check, const struct endpoint *at);
void health_words(void *arg, const struct check_config *check, const struct endpoint *at,
		  char words[PLANE_CHECK_BYTES]);

/* From here on: jobs of the plane. */

/* The configuration is another one: who is a target now. */
void health_configure(struct health *h, struct plane *p);

/* Once a second: who is down is begun again, where its VIP has a hook. */
void health_restart_tick(struct health *h, struct plane *p);

/* Whether there is a verdict of all backends, or of those of one VIP; or once was since the start: a backend that is
 * added takes no balancer out. If not, @why says what lacks. */
bool health_known(struct health *h, const struct plane *p, const char *vip, char why[128]);

int health_show(struct health *h, const struct plane *p, const char *vip, struct table *t, struct err *err);

/* Backends that cannot be probed from here, or must not: how many, and about one of them. Return: whether there are. */
bool health_problem(struct health *h, const struct plane *p, char words[HEALTH_PROBLEM_BYTES]);
void health_probes(struct health *h, struct table *t); /* KIND_PROBES: one row */

/**
 * health_export() - the certificate of a verdict, with all that it is about
 * @text:	a configuration of the roster, the VIP, its check and the backend; and a comment with the certificate
 *
 * Return: 0; -ENOENT, -ENODATA (it goes by no votes, or by those of another roster), -ENOMEM, with @err.
 */
int health_export(struct health *h, const struct plane *p, const char *vip, const struct endpoint *at, struct buf *text,
		  struct err *err);

/**
 * health_verify() - what such a text proves, whoever wrote it
 * @wanted:	its lines, parsed
 * @text:	all of it
 * @says:	a sentence: what is proved, by whom, and by which roster
 *
 * Any thread. Return: 0; -EINVAL, or what is wrong with the certificate (verdict_rule.h), with @err.
 */
int health_verify(const struct config *wanted, const char *text, size_t len, const struct signing *signing,
		  struct buf *says, struct err *err);

struct task;

/* One probe for a task, which gets its answer when it has ended. Return: -EINPROGRESS, or an error with @err. */
int health_probe(struct health *h, struct plane *p, struct task *t, struct err *err);

#endif
