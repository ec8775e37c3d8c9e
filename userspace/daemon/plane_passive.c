// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends whose clients fail more often than those of their peers: from what the data plane counts to outliers, and
 * what follows. Not here: the rule (core/outlier.h), what of it a VIP can afford (plane_serve.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plane_state.h"

/* Of mh each SYN is a connection to the program, also one that comes again. */
static struct outlier_count since_last(const struct plane_backend *b, const struct plane_signed *now, __u64 sources)
{
	const struct plane_signed *last = &b->signed_last;
	struct outlier_count n = {.connections = now->connections - last->connections,
				  .repeats = now->repeats - last->repeats,
				  .resets = now->resets - last->resets,
				  .sources = sources};

	if (plane_steer_by(b->vip->scheduler) == STEER_HOME)
		n.connections -= n.repeats < n.connections ? n.repeats : n.connections;
	return n;
}

void plane_passive_add(struct plane *p, struct plane_backend *b, __u64 connections, struct mono now)
{
	struct backend_signs *s = &p->signs[b->id];
	struct plane_signed is = {.connections = connections,
				  .repeats = __atomic_load_n(&s->repeats, __ATOMIC_RELAXED),
				  .resets = __atomic_load_n(&s->resets, __ATOMIC_RELAXED),
				  .at = now};
	struct mono last = b->signed_last.at;
	struct outlier_count count;

	if (!plane_signs(b->vip->passive, b->vip->hash_source)) {
		b->signed_last = (struct plane_signed){0};
		return;
	}
	count = since_last(b, &is,
			   __atomic_load_n(&s->sources, __ATOMIC_RELAXED)
				   ? __atomic_exchange_n(&s->sources, 0, __ATOMIC_RELAXED)
				   : 0);
	/* What came before the first sample may be of any time; counters that go back are those of another life. */
	if (last.ns && is.connections >= b->signed_last.connections && is.repeats >= b->signed_last.repeats &&
	    is.resets >= b->signed_last.resets)
		outlier_add(&b->outlier, &count, mono_seconds(last, now), now);
	b->signed_last = is;
}

bool plane_passive_words(const struct plane_backend *b, char words[PLANE_PASSIVE_BYTES])
{
	const struct outlier *o = &b->outlier;

	if (!o->suspect && !o->ejected)
		return false;
	snprintf(words, PLANE_PASSIVE_BYTES, "clients' connections fail: %.1f %% of its %s, of its peers' %.1f %%",
		 100 * o->was, outlier_signal_word(o->signal), 100 * o->was_peers);
	return true;
}

/* Of one that is ejected the change of its state is told, at the same time. */
static void suspicion_note(struct plane *p, struct plane_backend *b)
{
	char object[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES], words[PLANE_PASSIVE_BYTES];
	bool suspect = b->outlier.suspect && !b->outlier.ejected;

	if (suspect == b->suspect_told)
		return;
	b->suspect_told = suspect;
	if (!suspect && b->outlier.ejected)
		return;
	snprintf(object, sizeof(object), "%s %s", b->vip->name, endpoint_format(&b->at, at));
	if (suspect && plane_passive_words(b, words))
		plane_event(p, "backend", object, plane_backend_shown(b), "suspect", words);
	else
		plane_event(p, "backend", object, "suspect", plane_backend_shown(b),
			    "as its peers, or without clients");
}

static void vip_forget(struct plane *p, struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];

		if (b->outlier.ejected)
			v->dirty = p->dirty = true;
		b->outlier = (struct outlier){0};
		suspicion_note(p, b);
	}
}

/* Is it compared with the others? Who only stands by is no peer, and no part of a third. */
static bool compared(const struct plane_vip *v, const struct plane_backend *b)
{
	if (b->outlier.suspect || b->outlier.ejected)
		return true; /* that is to end */
	return v->serve.tier ? b->tier == v->serve.tier : b->tier != STARLING_TIER_SORRY;
}

static void rates_forget(struct outlier *o)
{
	for (int s = 0; s < OUTLIER_SIGNALS; s++)
		o->rate[s] = o->peers[s] = -1;
	o->bad = 0;
}

static void vip_step(struct plane *p, struct plane_vip *v, struct outlier **room, struct mono now)
{
	const struct vip_config *configured = config_vip(p->config, v->name);
	const struct check_config *check = configured ? configured->check : NULL;
	__u32 i, count = 0;

	for (i = 0; i < v->backend_count; i++)
		if (compared(v, v->backend[i]))
			room[count++] = &v->backend[i]->outlier;
		else
			rates_forget(&v->backend[i]->outlier);
	if (outlier_step(room, count, v->passive == PASSIVE_EJECT, now) > 0)
		v->dirty = p->dirty = true;
	for (i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];

		suspicion_note(p, b);
		if (b->outlier.suspect && check && p->hooks.suspected)
			p->hooks.suspected(p->hooks.arg, check, &b->at);
	}
}

void plane_passive_tick(struct plane *p, struct mono now)
{
	struct outlier **room;
	__u32 most = 0;

	if (p->held)
		return;
	for (size_t i = 0; i < p->vip_count; i++)
		most = p->vip[i]->backend_count > most ? p->vip[i]->backend_count : most;
	room = calloc(most + 1, sizeof(*room));
	for (size_t i = 0; room && i < p->vip_count; i++)
		if (plane_signs(p->vip[i]->passive, p->vip[i]->hash_source))
			vip_step(p, p->vip[i], room, now);
		else
			vip_forget(p, p->vip[i]);
	free(room);
}

bool plane_backend_fares(const struct plane *p, const char *vip, const struct endpoint *at, struct plane_fares *ret)
{
	const struct plane_vip *v = plane_vip_find(p, vip);
	const struct plane_backend *b = v && plane_signs(v->passive, v->hash_source) ? plane_backend_find(v, at) : NULL;

	if (!b)
		return false;
	for (int s = 0; s < OUTLIER_SIGNALS; s++) {
		ret->rate[s] = b->outlier.rate[s];
		ret->peers[s] = b->outlier.peers[s];
	}
	return true;
}
