/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells systemd that the daemon lives: the loop turns and the plane answers. Not here: the
 * words' way (io/notify).
 */
#ifndef STARLING_DAEMON_WATCHDOG_H
#define STARLING_DAEMON_WATCHDOG_H

#include "daemon/daemon.h"

/* Starts if systemd asked for it. Return: 0 or -ENOMEM with @err. */
int watchdog_open(struct daemon *d, struct watchdog **ret, struct err *err);
void watchdog_stop(struct watchdog *w);	 /* before the loop closes */
void watchdog_close(struct watchdog *w); /* after it has; NULL is fine */

#endif
