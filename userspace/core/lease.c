// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See lease.h.
 */
#include "core/lease.h"

#include <errno.h>
#include <string.h>

size_t lease_find(const struct intent *i, const char *name)
{
	size_t k = 0;

	while (k < INTENT_LEASES && strcmp(i->lease[k].name, name) != 0)
		k++;
	return k;
}

static bool lease_same(const struct intent_lease *a, const struct intent_lease *b)
{
	return !strcmp(a->name, b->name) && a->holder == b->holder && a->fence == b->fence &&
	       a->renewed == b->renewed && a->ttl_ms == b->ttl_ms;
}

void lease_follow(struct leases *l, const struct intent *i, struct mono now)
{
	for (size_t k = 0; k < INTENT_LEASES; k++) {
		struct lease_place *p = &l->place[k];

		if (lease_same(&p->is, &i->lease[k]))
			continue;
		if (i->lease[k].holder != l->node || i->lease[k].fence != p->is.fence)
			p->until.ns = 0;
		p->is = i->lease[k];
		p->since = now;
	}
}

static struct mono own_end(struct mono asked, __u32 ttl_ms)
{
	return (struct mono){asked.ns + ttl_ms * (1000000ull / 100 * LEASE_OWN_PERCENT)};
}

void lease_ask(struct leases *l, const char *name, __u32 ttl_ms, struct mono now)
{
	struct mono end = own_end(now, ttl_ms);

	for (size_t k = 0; k < INTENT_LEASES; k++)
		if (!strcmp(l->place[k].is.name, name) && l->place[k].until.ns > end.ns)
			l->place[k].until = end;
}

/* Nobody can have it any more, by all that is known here. */
static bool lease_over(const struct leases *l, const struct intent *i, size_t place, struct mono now)
{
	const struct lease_place *p = &l->place[place];

	return lease_same(&p->is, &i->lease[place]) && mono_ms(p->since, now) >= p->is.ttl_ms;
}

/* Where another one may stand; INTENT_LEASES: nowhere. */
static size_t place_free(const struct leases *l, const struct intent *i, const char *name, struct mono now)
{
	bool own = !strcmp(name, LEASE_RESTART);
	size_t first = own ? LEASE_OTHERS : 0, end = own ? INTENT_LEASES : LEASE_OTHERS;

	for (size_t k = first; k < end; k++)
		if (!i->lease[k].name[0])
			return k;
	for (size_t k = first; k < end; k++)
		if (lease_over(l, i, k, now))
			return k;
	return INTENT_LEASES;
}

int lease_take(const struct leases *l, const char *name, __u32 ttl_ms, __u64 version, struct mono now, struct intent *i)
{
	size_t k = lease_find(i, name);
	struct intent_lease *is;

	if (k == INTENT_LEASES)
		k = place_free(l, i, name, now);
	else if (i->lease[k].holder != l->node && !lease_over(l, i, k, now))
		return -EEXIST;
	if (k == INTENT_LEASES)
		return -ENOSPC;
	is = &i->lease[k];
	if (strcmp(is->name, name) != 0 || !lease_same(is, &l->place[k].is) || !lease_held(l, k, now)) {
		memset(is, 0, sizeof(*is));
		memcpy(is->name, name, strnlen(name, LEASE_NAME_MAX));
		is->holder = l->node;
		is->fence = version;
	}
	is->renewed++;
	is->ttl_ms = ttl_ms;
	return 0;
}

int lease_drop(const struct leases *l, const char *name, struct intent *i)
{
	size_t k = lease_find(i, name);

	if (k == INTENT_LEASES)
		return -ENOENT;
	if (i->lease[k].holder != l->node)
		return -EEXIST;
	memset(&i->lease[k], 0, sizeof(i->lease[k]));
	return 0;
}

__u64 lease_granted(struct leases *l, const struct intent *i, const char *name, struct mono asked, struct mono now)
{
	size_t k = lease_find(i, name);

	lease_follow(l, i, now);
	if (k == INTENT_LEASES || i->lease[k].holder != l->node)
		return 0;
	l->place[k].until = own_end(asked, i->lease[k].ttl_ms);
	return i->lease[k].fence;
}

bool lease_held(const struct leases *l, size_t place, struct mono now)
{
	const struct lease_place *p = &l->place[place];

	return p->is.name[0] && p->is.holder == l->node && now.ns < p->until.ns;
}

__u64 lease_left_ms(const struct leases *l, size_t place, struct mono now)
{
	const struct lease_place *p = &l->place[place];

	if (p->is.holder == l->node)
		return mono_ms(now, p->until);
	return mono_ms(now, mono_after(p->since, p->is.ttl_ms));
}
