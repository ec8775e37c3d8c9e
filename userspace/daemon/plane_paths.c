// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Next hops of backend addresses, as the loop reports them. Not here: how they are found (io/routes).
 *
 * A backend that never had a next hop is down. One that loses it keeps the last one known: its
 * flows may get through, and after PLANE_LOST_MS it takes no new ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plane_state.h"

static struct plane_path **path_find(struct plane *p, const struct addr *to)
{
	struct plane_path **at = &p->path[plane_addr_bucket(to, PLANE_PATH_BUCKETS)];

	while (*at && !addr_equal(&(*at)->to, to))
		at = &(*at)->next;
	return at;
}

int plane_path_join(struct plane *p, struct plane_backend *b)
{
	struct plane_path **at = path_find(p, &b->at.addr), *path = *at;

	if (!path) {
		path = calloc(1, sizeof(*path));
		if (!path)
			return -ENOMEM;
		path->to = b->at.addr;
		strcpy(path->hop.why, "not looked up yet");
		*at = path;
		if (p->hooks.watch)
			p->hooks.watch(p->hooks.arg, &path->to, true);
	}
	b->path = path;
	b->path_next = path->backends;
	path->backends = b;
	return 0;
}

void plane_path_leave(struct plane *p, struct plane_backend *b)
{
	struct plane_path **at = path_find(p, &b->at.addr), *path = b->path;
	struct plane_backend **in;

	if (!path)
		return;
	for (in = &path->backends; *in != b; in = &(*in)->path_next)
		;
	*in = b->path_next;
	b->path = NULL;
	if (path->backends)
		return;
	if (p->hooks.watch)
		p->hooks.watch(p->hooks.arg, &path->to, false);
	*at = path->next;
	free(path);
}

void plane_paths_free(struct plane *p)
{
	for (__u32 i = 0; i < PLANE_PATH_BUCKETS; i++) {
		while (p->path[i]) {
			struct plane_path *next = p->path[i]->next;

			free(p->path[i]);
			p->path[i] = next;
		}
	}
}

static void backend_touch(struct plane *p, struct plane_backend *b)
{
	b->vip->dirty = true;
	p->dirty = true;
}

void plane_path_set(struct plane *p, struct plane_path *path, const struct nexthop *n)
{
	struct plane_backend *b;

	if (!n->resolved) {
		if (path->resolved)
			path->lost = mono_now();
		path->resolved = false;
		memcpy(path->hop.why, n->why, sizeof(path->hop.why));
		path->hop.why[sizeof(path->hop.why) - 1] = '\0';
		return;
	}
	path->hop = *n;
	path->resolved = path->ever = true;
	for (b = path->backends; b; b = b->path_next) {
		b->lost = false;
		plane_backend_publish(p, b);
		backend_touch(p, b);
	}
}

void plane_nexthop(struct plane *p, const struct addr *to, const struct nexthop *n)
{
	struct plane_path *path = *path_find(p, to);

	if (path)
		plane_path_set(p, path, n);
}

void plane_paths_tick(struct plane *p, struct mono now)
{
	for (__u32 i = 0; i < PLANE_PATH_BUCKETS; i++) {
		for (struct plane_path *path = p->path[i]; path; path = path->next) {
			if (path->ever)
				plane_outlet_use(p, path->hop.ifindex);
			if (path->resolved || !path->ever || mono_ms(path->lost, now) < PLANE_LOST_MS)
				continue;
			for (struct plane_backend *b = path->backends; b; b = b->path_next) {
				if (!b->lost)
					backend_touch(p, b);
				b->lost = true;
			}
		}
	}
}
