// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records, words and ids in the maps, by the rule of starling/dataplane.h: fill the copy that
 * nobody reads, then store the word. Not here: keys (plane_keys.c), slots (plane_slots.c).
 */
#include <arpa/inet.h>
#include <string.h>

#include "daemon/plane_state.h"

static void word_store(__u64 *word, __u64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

__u16 plane_ticks(const struct plane *p, __u64 ms)
{
	__u64 tick_us = dataplane_info(p->dp)->tick_us;
	__u64 ticks = (ms * 1000 + tick_us - 1) / tick_us;

	return ticks > 0x7fff ? 0x7fff : (__u16)ticks;
}

bool plane_signs(enum passive passive, bool hash_source)
{
	return passive != PASSIVE_OFF && !hash_source;
}

bool plane_notes(enum passive passive, enum scheduler s, bool hash_source)
{
	return plane_signs(passive, hash_source) && plane_steer_by(s) == STEER_HOME;
}

static struct vip_record vip_record_of(const struct plane *p, const struct plane_vip *v)
{
	struct vip_record r = {
		.slots_base = v->region.base,
		.slots_count = v->region.count,
		.prev_base = v->previous.base,
		.prev_count = v->previous.count,
		.idle_ticks = plane_ticks(p, v->idle_ms),
		.steer_by = (__u8)plane_steer_by(v->scheduler),
		.flags = (__u8)((v->hash_source ? VIP_HASH_SOURCE : 0) | (v->idle_ms ? 0 : VIP_NO_CELLS) |
				(v->dead_reset ? VIP_DEAD_RESET : 0) |
				(plane_notes(v->passive, v->scheduler, v->hash_source) ? VIP_NOTES : 0) |
				(plane_vip_has_limits(v) ? VIP_LIMITS : 0)),
	};

	memcpy(r.name, v->name, sizeof(r.name));
	return r;
}

bool plane_vip_publish(struct plane *p, struct plane_vip *v)
{
	struct vip_entry *e = &p->vips[v->id];
	struct vip_record r = vip_record_of(p, v);
	__u32 select = VIP_WORD_SELECT(e->word);
	__u64 word;

	if (VIP_WORD_STATE(e->word) && !memcmp(&e->copy[select], &r, sizeof(r))) {
		word = VIP_WORD(select, 1, v->build);
		if (e->word != word)
			word_store(&e->word, word);
		return false;
	}
	if (v->swapped == p->epoch)
		plane_grace(p);
	e->copy[!select] = r;
	word_store(&e->word, VIP_WORD(!select, 1, v->build));
	v->swapped = p->epoch;
	return true;
}

void plane_vip_withdraw(struct plane *p, struct plane_vip *v)
{
	word_store(&p->vips[v->id].word, 0);
}

static struct backend_record backend_record_of(const struct plane_backend *b)
{
	struct backend_record r = {
		.forward = (__u8)b->vip->forward,
		.gue_port = htons(PLANE_GUE_PORT),
		.port = b->at.port,
		.flags = (__u8)((addr_is_v4(&b->at.addr) ? BACKEND_V4 : BACKEND_GUE_CSUM) |
				(b->tier - TIER_DEFAULT) << BACKEND_TIER_SHIFT),
	};

	memcpy(r.addr, b->at.addr.byte, sizeof(r.addr));
	if (plane_backend_reached(b)) {
		const struct nexthop *hop = &b->path->hop;

		memcpy(r.src, hop->src.byte, sizeof(r.src));
		memcpy(r.dmac, hop->dmac, sizeof(r.dmac));
		memcpy(r.smac, hop->smac, sizeof(r.smac));
		r.ifindex = hop->ifindex;
		r.mtu = hop->mtu > 0xffff ? 0xffff : (__u16)hop->mtu;
		r.flags |= (__u8)(BACKEND_RESOLVED | (hop->routed ? BACKEND_ROUTED : 0));
	}
	return r;
}

void plane_backend_word(struct plane *p, struct plane_backend *b, enum backend_state state)
{
	__u64 old = p->backends[b->id].word;
	__u64 gen = (old >> 48) + (BACKEND_WORD_STATE(old) != state);
	__u64 word = BACKEND_WORD(BACKEND_WORD_SELECT(old), state, plane_backend_weight(b), b->vip->id, gen & 0xffff);

	if (word != old)
		word_store(&p->backends[b->id].word, word);
	b->word_state = (__u8)state;
}

void plane_backend_create(struct plane *p, struct plane_backend *b)
{
	struct backend_entry *e = &p->backends[b->id];

	/* A word of 0 was never used: the maps are made of zeroes. */
	if (e->word) {
		dataplane_count_backend_reset(p->dp, b->id);
		memset(&p->loads[b->id], 0, sizeof(p->loads[b->id]));
		memset(&p->signs[b->id], 0, sizeof(p->signs[b->id]));
		memset(&p->limits[b->id], 0, sizeof(p->limits[b->id]));
		p->drift[b->id] = (struct sweep_drift){0};
	}
	memset(e->copy, 0, sizeof(e->copy));
	e->shown = 0;
	e->copy[0] = backend_record_of(b);
	if (e->copy[0].ifindex)
		dataplane_redirect_add(p->dp, e->copy[0].ifindex);
	word_store(&e->word, BACKEND_WORD(0, BACKEND_DOWN, b->weight, b->vip->id, 0));
	b->word_state = BACKEND_DOWN;
	b->swapped = 0;
	p->backend_by_id[b->id] = b;
}

void plane_backend_publish(struct plane *p, struct plane_backend *b)
{
	struct backend_entry *e = &p->backends[b->id];
	struct backend_record r = backend_record_of(b);
	__u32 select = BACKEND_WORD_SELECT(e->word);

	if (!memcmp(&e->copy[select], &r, sizeof(r)))
		return;
	if (r.ifindex && r.ifindex != e->copy[select].ifindex)
		dataplane_redirect_add(p->dp, r.ifindex);
	if (b->swapped == p->epoch)
		plane_grace(p);
	e->copy[!select] = r;
	word_store(&e->word, e->word ^ 1);
	b->swapped = p->epoch;
}

void plane_backend_withdraw(struct plane *p, struct plane_backend *b)
{
	__u64 old = p->backends[b->id].word;

	word_store(&p->backends[b->id].word,
		   BACKEND_WORD(BACKEND_WORD_SELECT(old), BACKEND_UNUSED, 0, ID_NONE, old >> 48));
	p->backend_by_id[b->id] = NULL;
	ids_retire(&p->backend_ids, b->id);
}
