// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * When a proposal is taken back, by this node's own timer: a wall clock that jumps neither takes it back nor keeps it.
 * The register's value says a date of the node that proposed it; from the first moment that this node knows of it, its
 * monotonic clock counts what was left then, over restarts too. Not here: what is run then (agree_follow.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/agree_state.h"
#include "io/state_file.h"

#define TIMER_FILE "proposal.deadline" /* in the runtime directory: gone with the monotonic clock */

static bool timer_is_of(const struct agree_timer *t, const struct intent *i)
{
	return t->date_ms == i->deadline_ms && object_name_is(&t->root, &i->root);
}

static void timer_save(const struct agree *a)
{
	char path[PATH_MAX], hex[2 * HASH_BYTES + 1], text[2 * HASH_BYTES + 64];
	struct err err = {0};
	int len = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64 "\n", object_name_format(&a->timer.root, hex),
			   (uint64_t)a->timer.date_ms, (uint64_t)a->timer.deadline.ns);

	if (daemon_path(path, a->d->run_dir, TIMER_FILE, &err) || state_file_write_quick(path, text, (size_t)len, &err))
		log_warning("config: after a restart the deadline of a proposal goes by the wall clock: %s", err.text);
}

void agree_deadline_set(struct agree *a, const struct intent *i, __s64 offset_ms)
{
	__s64 left_ms = (__s64)(i->deadline_ms - wall_ms()) - offset_ms;

	if (!i->proposed || timer_is_of(&a->timer, i))
		return;
	if (left_ms < 0)
		left_ms = 0;
	if (left_ms > (__s64)i->window_ms)
		left_ms = (__s64)i->window_ms;
	a->timer = (struct agree_timer){i->root, i->deadline_ms, mono_after(mono_now(), (__u64)left_ms)};
	timer_save(a);
}

void agree_deadline_load(struct agree *a)
{
	char path[PATH_MAX], hex[2 * HASH_BYTES + 1], *text = NULL, *rest;
	struct agree_timer t = {.root = a->intent.root};
	struct err err = {0};
	size_t len = 0;

	object_name_format(&t.root, hex);
	if (!daemon_path(path, a->d->run_dir, TIMER_FILE, &err) && !state_file_read(path, &text, &len, &err) &&
	    len > 2 * HASH_BYTES && !memcmp(text, hex, 2 * HASH_BYTES)) {
		t.date_ms = strtoull(text + 2 * HASH_BYTES, &rest, 10);
		t.deadline.ns = strtoull(rest, NULL, 10);
		if (timer_is_of(&t, &a->intent))
			a->timer = t;
	}
	free(text);
	agree_deadline_set(a, &a->intent, 0);
}

__u64 agree_left_ms(const struct agree *a, const struct intent *i)
{
	__u64 now_ms = wall_ms();

	if (!i->proposed)
		return 0;
	if (timer_is_of(&a->timer, i))
		return mono_ms(mono_now(), a->timer.deadline);
	return i->deadline_ms > now_ms ? i->deadline_ms - now_ms : 0;
}

__u64 agree_left(struct agree *a, const struct intent *i)
{
	__u64 ms;

	pthread_mutex_lock(&a->lock);
	ms = agree_left_ms(a, i);
	pthread_mutex_unlock(&a->lock);
	return ms;
}

bool agree_pending(struct agree *a)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = agree_left_ms(a, &a->intent) > 0;
	pthread_mutex_unlock(&a->lock);
	return is;
}

bool agree_wanted(const struct agree *a, const struct intent *i, struct object_name *ret_root, __u32 *ret_generation)
{
	bool waits = agree_left_ms(a, i) > 0;

	return intent_wanted(i, waits ? 0 : i->deadline_ms, object_name_is(&a->told, &i->root), ret_root,
			     ret_generation);
}
