/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a wanted configuration to one that runs: checked, applied, kept as a generation, told.
 * One mechanism for files, single commands and rollback. Jobs of the plane only.
 */
#ifndef STARLING_DAEMON_APPLY_H
#define STARLING_DAEMON_APPLY_H

#include "core/table.h"
#include "daemon/daemon.h"

struct apply_how {
	const char *by;	     /* "root@lb1" */
	const char *command; /* what asked for it, for the history */
	bool dry_run;
	bool whole;		  /* a whole configuration, not one command: counts as a reload */
	const struct buf *shared; /* lines, as config_export() writes them; NULL: they are still to be written */
	bool agreed;		  /* its generation is the flock's, not the history's */
	bool careful;		  /* refuse what leaves a VIP nobody for new connections: plane_unserved_check() */
};

struct apply_result {
	size_t changes; /* lines that differ */
	__u32 generation;
	struct plane_change change;
	struct err unkept; /* code 0: kept; else it runs, but the history could not be written */
};

/**
 * apply_config() - make a configuration what runs
 * @wanted:	moves in, also on failure
 * @how:	see there
 * @ret_table:	KIND_CHANGE: what differs, and with dry_run what comes of it; appended to; may be NULL
 * @ret:	may be NULL
 * @err:	a sentence; nothing was changed then
 *
 * Return: 0; -EINVAL (config_check()); -EPERM (careful); what plane_apply() gives.
 */
int apply_config(struct daemon *d, struct plane *p, struct config *wanted, const struct apply_how *how,
		 struct table *ret_table, struct apply_result *ret, struct err *err);

/* Count a whole configuration that was not applied; any thread. */
void apply_refused(struct daemon *d);

/* Keep the overrides in the state directory; for plane_hooks. */
void overrides_store(struct daemon *d, const struct override *all, size_t count);

/* What a drain, disable or enable of the flock puts aside of @c, or no more. Return: 0, -ENOENT, -ENOMEM with @err. */
struct task;
int override_shared(struct config *c, const struct task *t, struct err *err);

/* The overrides kept there. Return: 0 (also if there are none), -EBADMSG, -ENOMEM with @err. */
int overrides_read(const struct daemon *d, struct override **ret, size_t *ret_count, struct err *err);

#endif
