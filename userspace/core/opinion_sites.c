// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is near whom: in a mesh everybody, in a hierarchy the members of one site, and between sites their bridges. Not
 * here: what near ones say to each other.
 */
#include <stdlib.h>

#include "core/opinion_private.h"

#define BRIDGES                                                                                                        \
	2 /* of a site: the highest of a hash of site and node, among those that live (rendezvous hashing:             \
	     Thaler, Ravishankar: ToN 1998), so that all who hold the same ones alive choose the same ones */

#define SILENT_MS 3000 /* of two bridges each period, lost messages apart, more is heard */

static __u64 key_of(const char *site)
{
	__u64 key = 1;

	for (; *site; site++)
		key = mix64(key ^ (__u8)*site);
	return key;
}

static __u16 site_of(struct opinion *o, __u64 key)
{
	size_t i = 0;

	while (i < o->sites && o->site[i].key != key)
		i++;
	if (i == o->sites)
		o->site[o->sites++] = (struct site){.key = key};
	return (__u16)i;
}

static bool lives(const struct opinion *o, __u16 who)
{
	return who == o->self || o->member[who].state == MEMBER_ALIVE || o->member[who].state == MEMBER_SUSPECT;
}

void opinion_sites(struct opinion *o, const struct roster *roster)
{
	o->sites = 0;
	for (size_t i = 0; i < roster->count; i++) {
		__u16 who = opinion_find(o, roster->node[i].id);

		o->member[who].site = site_of(o, o->config.hierarchy ? key_of(roster->node[i].site) : 0);
	}
	for (size_t i = 0; i < o->count; i++)
		o->site[o->member[i].site].live += lives(o, (__u16)i);
	o->near_stale = true;
}

void opinion_sites_live(struct opinion *o, __u16 who, bool live)
{
	struct site *site = &o->site[o->member[who].site];

	site->live = (__u16)(live ? site->live + 1 : site->live - 1);
	o->near_stale = true;
}

void opinion_sites_heard(struct opinion *o, __u16 who)
{
	o->site[o->member[who].site].heard = o->now;
}

/* --- bridges --- */

static __u64 weight(const struct opinion *o, __u16 who)
{
	return mix64(o->id[who] ^ o->site[o->member[who].site].key);
}

static void bridges_choose(struct opinion *o)
{
	size_t s, who;

	o->bridges = 0;
	for (s = 0; s < o->sites; s++)
		o->site[s].bridges = 0;
	for (who = 0; who < o->count; who++)
		o->member[who].bridge = false;
	for (size_t turn = 0; turn < BRIDGES; turn++) {
		for (s = 0; s < o->sites; s++)
			o->site[s].best = NOBODY;
		for (who = 0; who < o->count; who++) {
			struct site *site = &o->site[o->member[who].site];

			if (lives(o, (__u16)who) && !o->member[who].bridge &&
			    (site->best == NOBODY || weight(o, (__u16)who) > weight(o, site->best)))
				site->best = (__u16)who;
		}
		for (s = 0; s < o->sites; s++) {
			if (o->site[s].best == NOBODY)
				continue;
			o->member[o->site[s].best].bridge = true;
			o->site[s].bridges++;
			o->bridges++;
		}
	}
}

static void near_find(struct opinion *o)
{
	const struct member *self = &o->member[o->self];

	bridges_choose(o);
	o->nears = o->fars = 0;
	for (size_t i = 0; i < o->lives; i++) {
		const struct member *m = &o->member[o->live[i]];

		if (m->site == self->site)
			o->near[o->nears++] = o->live[i];
		else if (self->bridge && m->bridge)
			o->far[o->fars++] = o->live[i];
	}
	o->near_stale = false;
}

static bool is_mesh(const struct opinion *o)
{
	return o->sites < 2 || o->self == NOBODY;
}

static void refresh(struct opinion *o)
{
	if (o->near_stale && !is_mesh(o))
		near_find(o);
}

/* --- what others ask --- */

const __u16 *opinion_near(struct opinion *o, size_t *ret_count)
{
	refresh(o);
	*ret_count = is_mesh(o) ? o->lives : o->nears;
	return is_mesh(o) ? o->live : o->near;
}

const __u16 *opinion_fars(struct opinion *o, size_t *ret_count)
{
	refresh(o);
	*ret_count = is_mesh(o) ? 0 : o->fars;
	return o->far;
}

bool opinion_is_far(struct opinion *o, __u16 who)
{
	return !is_mesh(o) && o->member[who].site != o->member[o->self].site;
}

bool opinion_watches(struct opinion *o, __u16 who)
{
	const struct member *m = &o->member[who];

	if (!opinion_is_far(o, who))
		return true;
	refresh(o);
	/* Of a site that is silent all are looked for, rather than two and then the next two. */
	return o->member[o->self].bridge &&
	       (m->bridge || !lives(o, who) || mono_past(mono_after(o->site[m->site].heard, SILENT_MS), o->now));
}

size_t opinion_watchers(struct opinion *o, const struct member *m)
{
	const struct site *site = &o->site[m->site];

	if (is_mesh(o))
		return o->lives;
	refresh(o);
	return (site->live ? site->live - 1U : 0) + (m->bridge ? o->bridges - site->bridges : 0);
}
