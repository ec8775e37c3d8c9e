/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configurations taken apart and put together: what all balancers of a flock share (VIPs, backends, the roster), and
 * what is each one's own. Pure. Not here: objects (intent.h), what differs line by line (config_file.h).
 */
#ifndef STARLING_CORE_CONFIG_MERGE_H
#define STARLING_CORE_CONFIG_MERGE_H

#include "core/model.h"

/* The own lines of @own with the shared ones of @shared; owned by the caller. Return: NULL without memory. */
struct config *config_compose(const struct config *own, const struct config *shared);

/* Put a VIP of @from into @to, in the place of what is there; "": the roster. Return: 0, or -ENOMEM. */
int config_part_take(struct config *to, const struct config *from, const char *vip);

/* Whether the shared lines are the same. Without memory to tell: false. */
bool config_shared_same(const struct config *a, const struct config *b);

/* A VIP's lines or, of "", the roster's, differ. */
bool config_part_differs(const struct config *a, const struct config *b, const char *vip);

/**
 * config_merge() - two changes of one configuration, made at the same time
 * @base:	what both began with
 * @mine, @theirs: what each made of it
 * @ret:	owned by the caller: both changes
 * @ret_conflict: the VIP that both changed, or "the roster"
 *
 * A VIP with its backends is changed as a whole, and so is the roster, and so are all reputations, of which the later
 * ones (@mine) hold; what is put aside, backend by backend.
 * Return: 0; -ESTALE: both changed the same; -ENOMEM.
 */
int config_merge(const struct config *base, const struct config *mine, const struct config *theirs, struct config **ret,
		 char ret_conflict[STARLING_NAME_BYTES]);

#endif
