/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The view that the decision in where.h has of the maps, and the step from a VIP to a backend.
 * Not here: the decision itself (include/starling/where.h) and the writing of a cell (cell.h).
 */
#ifndef STARLING_BPF_HOMES_H
#define STARLING_BPF_HOMES_H

#include "maps.h"
#include "parse.h"
#include <starling/cell.h>

/* The maps are global, so the view holds nothing. */
struct view {
	__u8 nothing;
};

static inline __u64 view_slot(const struct view *v, __u32 index)
{
	(void)v;
	return *(volatile __u64 *)table_entry(slots, __u64, index, config.slots_mask);
}

static inline __u64 view_backend(const struct view *v, __u32 id)
{
	struct backend_entry *entry = table_entry(backends, struct backend_entry, id, config.backends_mask);

	(void)v;
	return id == ID_NONE ? 0 : *(volatile __u64 *)&entry->word;
}

static inline __u32 view_score(const struct view *v, __u32 id, __u32 by)
{
	struct backend_load *load = table_entry(loads, struct backend_load, id, config.backends_mask);

	(void)v;
	return by == STEER_GIVEN ? load->given : load->open + load->half + load->peers;
}

static inline __u32 view_limit(const struct view *v, __u32 id)
{
	(void)v;
	return table_entry(limits, struct backend_limit, id, config.backends_mask)->most;
}

static inline __u32 view_untended(const struct view *v, __u32 vip)
{
	struct vip_entry *entry = table_entry(vips, struct vip_entry, vip, config.vips_mask);

	(void)v;
	return tick_since((__u32)(bpf_jiffies64() >> config.tick_shift), *(volatile __u32 *)&entry->tended);
}

static inline __u64 *view_set(const struct view *v, __u32 set)
{
	struct flow_set *s = table_entry(flows, struct flow_set, set, config.flow_sets_mask);

	(void)v;
	return s->cell;
}

static inline const volatile struct steer_config *view_config(const struct view *v)
{
	(void)v;
	return &config;
}

/* Kept in line: the one for its speed, the other because every call costs stack. */
struct vip_record;
struct flow;
struct where;
static inline __attribute__((always_inline)) int where_plain(const struct view *v, const struct vip_record *vip,
							     const struct flow *f, struct where *w);
static inline __attribute__((always_inline)) void where_to(const struct view *v, const struct vip_record *vip,
							   const struct flow *f, struct where *w);
static inline __attribute__((always_inline)) __u32 where_previous(const struct view *v, const struct flow *f,
								  const struct vip_record *vip, __u64 slot);
/* Out of line: it is long, rarely needed, and what it spills would be on the stack of every packet. */
static __attribute__((noinline)) __u32 where_victim(const __u64 cell[], __u32 udp, __u32 highest, __u32 now,
						    const volatile struct steer_config *cfg);
#include <starling/where.h>

/* Of one packet on one CPU: what would not fit on the stack of the deepest call chain (512 bytes for all of it). */
struct scratch {
	struct flow_tuple tuple;
	struct fragment_key fragment;
	struct flow flow;
	struct where where;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static inline struct scratch *homes_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static inline __u32 homes_tick(void)
{
	return (bpf_jiffies64() >> config.tick_shift) & 0xffff;
}

/* The record of a backend that where_to() chose, in the copy that its word names now. */
static inline const struct backend_record *homes_record(__u32 id)
{
	struct backend_entry *entry = table_entry(backends, struct backend_entry, id, config.backends_mask);
	const struct backend_record *record;

	record = &entry->copy[BACKEND_WORD_SELECT(*(volatile __u64 *)&entry->word)];
	table_keep(record);
	return record;
}

#endif
