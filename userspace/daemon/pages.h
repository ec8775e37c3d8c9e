/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is served over HTTP: /metrics, /healthz, /readyz, /readyz/VIP. Not here: HTTP (io/http).
 */
#ifndef STARLING_DAEMON_PAGES_H
#define STARLING_DAEMON_PAGES_H

#include "core/table.h"
#include "daemon/daemon.h"

int pages_open(struct daemon *d, struct pages **ret, struct err *err);

/**
 * pages_reserve() - the socket that a change of configuration needs, before anything is changed
 * @runs:	the configuration that runs
 * @wanted:	the one to be applied
 * @ret_fd:	for pages_listen(), or to be closed; -1: the address stays, or is in use by this daemon itself
 * @err:	says why it cannot be had
 *
 * On the plane's thread. Return: 0, or -errno of the socket.
 */
int pages_reserve(const struct daemon *d, const struct config *runs, const struct config *wanted, int *ret_fd,
		  struct err *err);

/* Any thread: serve here from now on, unless the command line says otherwise; port 0: the default. @fd moves in. */
void pages_listen(struct daemon *d, const struct endpoint *configured, int fd);

void pages_close(struct pages *pages); /* blocks until the replies due are given; NULL is fine */

struct page_tables {
	struct table *table[11];
	size_t count;
};

/* Every table that has metrics. On the plane's thread. Return: 0; else -errno and none. */
int pages_tables(struct daemon *d, struct plane *p, struct page_tables *ret, struct err *err);
void page_tables_free(struct page_tables *tables); /* empty ones are fine */

#endif
