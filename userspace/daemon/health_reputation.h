/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this node has seen of observers, for those that have the flock agree on it, and for people. Any thread; its lock
 * is a leaf. Not here: what is agreed (core/roster.h).
 */
#ifndef STARLING_DAEMON_HEALTH_REPUTATION_H
#define STARLING_DAEMON_HEALTH_REPUTATION_H

#include "core/roster.h"
#include "daemon/health.h"

/* reputation_vote(), reputation_check(), reputation_judges() and reputation_of() by this node's account, up to now. */
bool health_reputation_vote(struct health *h, struct roster *roster);
int health_reputation_check(struct health *h, const struct roster *is, const struct roster *wanted, struct err *err);
size_t health_reputation_judges(struct health *h, const struct roster *roster);
__u32 health_reputation_of(struct health *h, __u64 id);

#endif
