/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What only the daemon knows of itself, as rows: its process, its version, and its part of the
 * status. Not here: what the plane shows.
 */
#ifndef STARLING_DAEMON_PROCESS_H
#define STARLING_DAEMON_PROCESS_H

#include "core/table.h"
#include "daemon/daemon.h"

void process_fill(struct daemon *d, struct table *t); /* KIND_DAEMON: one row */
void version_fill(struct daemon *d, struct table *t); /* KIND_VERSION: one row */

/* KIND_STATUS: one row, the plane's and the daemon's part. On the plane's thread. Return: 0 or -errno. */
int status_fill(struct daemon *d, struct plane *p, struct table *t, struct err *err);

#endif
