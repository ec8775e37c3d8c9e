// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What one balancer put aside by itself while the flock could not agree, or before it did, becomes the flock's word,
 * once most voters answer. Not here: what becomes of a backend (the plane).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/agree_state.h"

#define FOLD_AGAIN_MS 3000

struct own {
	struct override *o; /* owned */
	size_t count;
};

static int own_read(struct plane *p, void *arg, struct err *err)
{
	const struct override *all;
	struct own *own = arg;

	(void)err;
	all = plane_overrides(p, &own->count);
	return array_copy(&own->o, all, own->count, sizeof(*all));
}

/* Those that are as they were. */
static int own_forget(struct plane *p, void *arg, struct err *err)
{
	const struct own *own = arg;

	(void)err;
	for (size_t i = 0; i < own->count; i++)
		plane_override_forget(p, &own->o[i]);
	return 0;
}

static void fold_run(void *arg)
{
	struct agree *a = arg;
	struct own own = {0};
	struct err err = {0};
	int rc = agree_ready(a) ? agree_plane(a, PLANE_URGENT, own_read, &own, &err) : -EAGAIN;

	if (!rc && own.count)
		rc = agree_fold(a, own.o, own.count, &err);
	if (rc == -EACCES)
		log_notice("config: what was put aside here is dropped: %s", err.text);
	if ((!rc || rc == -EACCES) && own.count)
		agree_plane(a, PLANE_URGENT, own_forget, &own, &err);
	else if (rc && err.text[0])
		log_info("config: what was put aside here is not the flock's word yet: %s", err.text);
	free(own.o);
	pthread_mutex_lock(&a->lock);
	a->folding = false;
	a->fold = mono_after(mono_now(), FOLD_AGAIN_MS);
	pthread_mutex_unlock(&a->lock);
}

void agree_fold_tick(struct agree *a)
{
	if (!a->value.version || a->apart || !a->d->overrides || a->folding || a->stopping ||
	    mono_now().ns < a->fold.ns)
		return;
	a->folding = !workers_post(a->asks, fold_run, a);
}
