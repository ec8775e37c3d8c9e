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
	key->proto = p->v4 ? p->proto : 0;
	key->pad[0] = key->pad[1] = key->pad[2] = 0;
	return key;
}

/* A note in one word, as it is read: backend | vip | tick | seal. */
static inline __u64 fragment_word(const struct fragment_key *key, __u32 backend, __u32 vip, __u32 tick)
{
	return (__u64)(backend & 0xffff) | (__u64)(vip & 0xffff) << 16 | (__u64)(tick & 0xffff) << 32 |
	       (__u64)fragment_seal(key, backend & 0xffff, vip & 0xffff, tick & 0xffff) << 48;
}

static inline void fragment_leave(const struct packet *p, struct scratch *s)
{
	const struct fragment_key *key = fragment_key(p, s);
	__u64 word = fragment_word(key, p->backend, p->vip, homes_tick());

	bpf_map_update_elem(&fragments, key, &word, BPF_ANY);
}

/* No note: what can be a VIP's is dropped, what never is is the host's. */
static inline int fragment_unknown(const struct packet *p)
{
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ? VERDICT_DROP_FRAGMENT : VERDICT_PASS_VIP_OTHER;
}

/* Where the first fragment went, if that was within the life of a half-open cell: ON, or a verdict. */
static inline int fragment_follow(struct packet *p, struct scratch *s)
{
	const struct fragment_key *key = fragment_key(p, s);
	const struct view view = {0};
	__u32 backend, vip, tick;
	__u64 *note, word;

	if (!config.fragments)
		return fragment_unknown(p);
	note = bpf_map_lookup_elem(&fragments, key);
	if (!note)
		return fragment_unknown(p);
	word = *(volatile __u64 *)note;
	backend = word & 0xffff;
	vip = word >> 16 & 0xffff;
	tick = word >> 32 & 0xffff;
	if (word != fragment_word(key, backend, vip, tick) || ((homes_tick() - tick) & 0xffff) > config.half_ticks)
		return fragment_unknown(p);
	if (backend == ID_NONE)
		return VERDICT_PASS_VIP_OTHER;
	p->vip = vip;
	p->backend = backend;
	return where_usable(&view, vip, backend, WHERE_OLD_FLOW) ? ON : VERDICT_DROP_NO_BACKEND;
}

#endif
