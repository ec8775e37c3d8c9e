/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the program answers by itself: to whom, and how often, so many of a kind a second and CPU. Not here: the answers
 * (icmp.h, reset.h).
 */
#ifndef STARLING_BPF_ANSWER_H
#define STARLING_BPF_ANSWER_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "parse.h"

#define ANSWER_TTL 64

#define BUDGET_PERIOD_NS 1000000000ull

enum budget_of {
	BUDGET_ICMP,
	BUDGET_RESETS,
	BUDGET_COUNT,
};

struct budget {
	__u64 since_ns;
	__u32 sent;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BUDGET_COUNT);
	__type(key, __u32);
	__type(value, struct budget);
} budgets SEC(".maps");

/* Whether one more may be sent now. */
static inline int budget_take(__u32 of, __u32 per_second)
{
	__u64 now = bpf_ktime_get_ns();
	struct budget *b;

	b = bpf_map_lookup_elem(&budgets, &of);
	if (!b)
		return 0;
	if (now - b->since_ns >= BUDGET_PERIOD_NS) {
		b->since_ns = now;
		b->sent = 0;
	}
	return b->sent++ < per_second;
}

/* RFC 1122 section 3.2.2: nobody answers what does not come from one host. */
static inline int answerable(const struct packet *p)
{
	const __u8 *a = (const __u8 *)p->t->saddr;

	if (p->v4)
		return a[12] != 0 && a[12] != 127 && a[12] < 224;
	return a[0] != 0xff && (p->t->saddr[0] | p->t->saddr[1] | p->t->saddr[2]);
}

static inline void answer_swap_link(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

#endif
