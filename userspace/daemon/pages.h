/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is served over HTTP: /metrics, /healthz, /readyz, /readyz/VIP. Not here: HTTP (io/http).
 */
#ifndef STARLING_DAEMON_PAGES_H
#define STARLING_DAEMON_PAGES_H

#include "core/table.h"
#include "daemon/daemon.h"

int pages_open(struct daemon *d, struct pages **ret, struct err *err);

/* Any thread: serve here from now on, unless the command line says otherwise; port 0: the default. */
void pages_listen(struct daemon *d, const struct endpoint *configured);

void pages_close(struct pages *pages); /* blocks until the replies due are given; NULL is fine */

/* Every table that has metrics, one after the other: @fn borrows each. On the plane's thread. Return: 0 or -errno. */
int pages_tables(struct daemon *d, struct plane *p, void (*fn)(void *arg, const struct table *t), void *arg,
		 struct err *err);

#endif
