/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What health's files share. Not here: its interface (health.h).
 */
#ifndef STARLING_DAEMON_HEALTH_STATE_H
#define STARLING_DAEMON_HEALTH_STATE_H

#include <pthread.h>

#include "daemon/health.h"
#include "daemon/task.h"
#include "io/prober.h"

struct health {
	struct daemon *d;
	struct prober *prober;
	size_t targets; /* the plane's thread's */
	bool known;	/* likewise: every backend was, once since the start */
	pthread_mutex_t lock;
	bool stopped;	     /* under the lock */
	_Atomic bool posted; /* a look at the verdicts is on its way */
};

/* One row about a backend. @r: its last probe; NULL: none yet. Return: the row. */
size_t health_row(struct table *t, const char *vip, const struct endpoint *at, const struct check_config *check,
		  const struct probe_result *r);

#endif
