/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Later fragments follow the first one, which leaves a note. Not here: reassembly; what overtakes its first fragment
 * is dropped and counted.
 */
#ifndef STARLING_BPF_FRAGMENT_H
#define STARLING_BPF_FRAGMENT_H

#include "homes.h"

static inline struct fragment_key *fragment_key(const struct packet *p, struct scratch *s)
{
	struct fragment_key *key = &s->fragment;

	__builtin_memcpy(key->saddr, p->t->saddr, sizeof(key->saddr));
	__builtin_memcpy(key->daddr, p->t->daddr, sizeof(key->daddr));
	key->id = p->fragment_id;
	key->proto = p->proto;
	key->pad[0] = key->pad[1] = key->pad[2] = 0;
	return key;
}

static inline void fragment_leave(const struct packet *p, struct scratch *s)
{
	struct fragment_note note = {.backend = s->where.backend, .vip = p->vip, .tick = s->flow.now};

	bpf_map_update_elem(&fragments, fragment_key(p, s), &note, BPF_ANY);
}

/* Where the first fragment went, if that was within the life of a half-open cell: ON, or a verdict. */
static inline int fragment_follow(struct packet *p, struct scratch *s)
{
	const struct view view = {0};
	struct fragment_note *note;

	if (!config.fragments)
		return VERDICT_DROP_FRAGMENT;
	note = bpf_map_lookup_elem(&fragments, fragment_key(p, s));
	if (!note || ((homes_tick() - note->tick) & 0xffff) > config.half_ticks)
		return VERDICT_DROP_FRAGMENT;
	p->vip = note->vip;
	s->where.backend = note->backend;
	return where_usable(&view, note->vip, note->backend, WHERE_OLD_FLOW) ? ON : VERDICT_DROP_NO_BACKEND;
}

#endif
