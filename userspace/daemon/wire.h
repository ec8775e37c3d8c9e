/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loop, plane, sockets, routes and signals put together, run, and taken apart. Not here: the
 * process around them (main).
 */
#ifndef STARLING_DAEMON_WIRE_H
#define STARLING_DAEMON_WIRE_H

#include "daemon/daemon.h"

/**
 * wire_run() - run the daemon until a signal ends it
 * @d:		with its data plane open; d->status is set if it ends badly
 * @config:	moves in; what to apply first; NULL: the last one that was applied
 */
void wire_run(struct daemon *d, struct config *config);

#endif
