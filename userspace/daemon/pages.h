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

struct page_tables {
	struct table *table[8];
	size_t count;
};

/* Every table that has metrics. On the plane's thread. Return: 0; else -errno and none. */
int pages_tables(struct daemon *d, struct plane *p, struct page_tables *ret, struct err *err);
void page_tables_free(struct page_tables *tables); /* empty ones are fine */

#endif
