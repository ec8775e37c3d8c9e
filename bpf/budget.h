/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many answers of a kind the program sends by itself: so many a second and CPU. Not here: what it answers (icmp.h,
 * reset.h).
 */
#ifndef STARLING_BPF_BUDGET_H
#define STARLING_BPF_BUDGET_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

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

#endif
