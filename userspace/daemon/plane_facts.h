/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the plane tells other balancers, and hears from them: open connections by backend, digests of tables and homes.
 * For jobs of the plane. Not here: how it travels (peers).
 */
#ifndef STARLING_DAEMON_PLANE_FACTS_H
#define STARLING_DAEMON_PLANE_FACTS_H

#include "core/fact.h"
#include "daemon/plane.h"

/**
 * plane_loads() - open connections of each backend that is counted
 * @ret:	sorted by key; owned by the caller
 * @ret_id:	their numbers in the data plane, in the same order; owned by the caller
 *
 * Return: how many, or -ENOMEM.
 */
int plane_loads(struct plane *p, struct fact_load **ret, __u32 **ret_id);

/* Connections that other balancers have open at backend @id: schedulers add them to the own ones. */
void plane_peers_open(struct plane *p, __u32 id, __u64 open);

/* Others' operators have let backends in. What is told of no backend, or of an outage before its last, does nothing.
 * @all: by key, none twice. */
void plane_readmitted(struct plane *p, const struct fact_readmit *all, size_t count);

/* Of tables and homes of all VIPs; its name is empty. */
struct fact_digest plane_digest(const struct plane *p);

/* The digest of all, then those of the VIPs by name; owned by the caller. Return: how many, or -ENOMEM. */
int plane_digest_facts(const struct plane *p, struct fact_digest **ret);

#endif
