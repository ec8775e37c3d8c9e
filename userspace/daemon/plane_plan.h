/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What applying a configuration would do, VIP by VIP, with all the memory that it takes. Not
 * here: doing it (plane_apply.c).
 */
#ifndef STARLING_DAEMON_PLANE_PLAN_H
#define STARLING_DAEMON_PLANE_PLAN_H

#include "daemon/plane_state.h"

enum plane_op { PLANE_KEEP, PLANE_ADD, PLANE_CHANGE, PLANE_DELETE };

struct plane_step {
	enum plane_op op;
	struct plane_vip *vip;	       /* present; NULL if it is added */
	const struct vip_config *want; /* borrowed; NULL if it is deleted */
	struct plane_vip *next;	       /* backends, T, region.count to be; owned; NULL if these do not change */
};

struct plane_plan {
	struct plane_step *step; /* owned; by name */
	size_t count;
	struct plane_change change;
	bool drops_keys;	     /* of any VIP: a grace period is due before keys are added */
	struct plane_backend **dead; /* owned list with room for all that go: to be withdrawn after a grace period */
	size_t dead_count;
};

/**
 * plane_plan_make() - compare @want with what runs, and prepare what differs
 * @ret:	to be freed by plane_plan_free(), also after a failure
 *
 * Return: 0; -ENOSPC, -ENOMEM, -EINVAL with @err. Nothing is changed.
 */
int plane_plan_make(struct plane *p, const struct config *want, struct plane_plan *ret, struct err *err);
void plane_plan_free(struct plane_plan *plan);

bool plane_has_key(const struct endpoint *key, size_t count, const struct endpoint *e);

/* Take over what is configured beside keys and backends: forms, names of schedulers, weights as written. */
void plane_vip_describe(struct plane_vip *v, const struct vip_config *want);

#endif
