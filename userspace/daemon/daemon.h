/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the parts of starlingd share, and on which thread each may be touched. Not here: what
 * they do.
 */
#ifndef STARLING_DAEMON_DAEMON_H
#define STARLING_DAEMON_DAEMON_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/model.h"
#include "daemon/history.h"
#include "daemon/options.h"
#include "daemon/plane.h"
#include "io/control.h"
#include "io/dataplane.h"
#include "io/loop.h"
#include "io/routes.h"
#include "io/workers.h"

#define DAEMON_READ_ONLY_REQUEST_BYTES (1u << 20) /* of the read-only socket: nobody there sends large files */

struct agree;
struct audit;
struct health;
struct peers;
struct streams;
struct pages;
struct watchdog;

enum daemon_socket { SOCKET_CONTROL, SOCKET_READ, SOCKET_COUNT };

/* A configuration's text that was applied as a whole, and what came of it. */
struct applied {
	__u8 digest[32];
	__u32 generation; /* 0: none */
};

struct daemon {
	/* set up before there are threads, then constant */
	struct options options;
	char node[STARLING_NAME_BYTES];
	char bpf_dir[PATH_MAX], run_dir[PATH_MAX], state_dir[PATH_MAX];
	int lock_fd, pins_fd;
	struct config_limits limits; /* of the maps */
	__u64 started_ms;	     /* Unix time */
	struct loop *loop;
	struct dataplane *dp; /* the plane's, but for its events and what is constant */

	/* the loop's thread; any thread may post to the plane while it is not NULL */
	struct plane *plane;
	struct routes *routes;
	struct control *control[SOCKET_COUNT];
	struct streams *streams;
	struct pages *pages;
	struct peers *peers;
	struct agree *agree;   /* any thread, from its opening to agree_close() */
	struct health *health; /* any thread */
	struct audit *audit;   /* any thread */
	struct watchdog *watchdog;
	struct workers *scribe; /* one thread that writes long answers out: the plane's only gathers their values */
	struct applied applied;
	int status; /* exit status */

	/* the plane's thread */
	struct history *history;
	__u64 applied_ms;      /* Unix time of the last success */
	bool unkept;	       /* what runs could not be written to the history */
	bool overrides_unkept; /* the same of the overrides */

	/* any thread */
	_Atomic __u64 request_failures, store_errors, scrape_ns;
	_Atomic __u64 requests, reloads, reload_failures;
	_Atomic bool http_failed; /* metrics and health are not served */
	_Atomic bool reload_ok;	  /* the last whole configuration was applied */
	_Atomic bool stopping;
	_Atomic __u64 overrides; /* that this balancer has of its own */
};

/* "web" -> PATH/web; refuses what does not fit. */
int daemon_path(char path[PATH_MAX], const char *dir, const char *name, struct err *err);

/* Whoever did something here: "root@lb1". */
void daemon_by(const struct daemon *d, const char *user, char by[HISTORY_BY_BYTES]);

/* Log what the data plane has to say. On the plane's thread, or before there is one. */
void daemon_notes(const struct daemon *d);

#endif
