/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A sample of packets for `flow trace`, through a ring buffer; compiled out with a sample of 0.
 * Not here: counters (count.h).
 */
#ifndef STARLING_BPF_TRACE_H
#define STARLING_BPF_TRACE_H

#include "homes.h"

static inline int trace_wanted(const struct packet *p, __u32 action)
{
	const volatile __u32 *client = config.trace.client;
	const __u32 *saddr = p->t->saddr;

	if (config.trace.drops && action != XDP_DROP)
		return 0;
	if (config.trace.of_client &&
	    (saddr[0] != client[0] || saddr[1] != client[1] || saddr[2] != client[2] || saddr[3] != client[3]))
		return 0;
	return !(bpf_get_prandom_u32() % config.trace.sample);
}

static inline void trace(const struct packet *p, const struct where *w, __u32 verdict, __u32 action)
{
	struct trace_event *e;

	if (!config.trace.sample || !trace_wanted(p, action))
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return;
	e->time_ns = bpf_ktime_get_ns();
	__builtin_memcpy(e->saddr, p->t->saddr, sizeof(e->saddr));
	__builtin_memcpy(e->daddr, p->t->daddr, sizeof(e->daddr));
	e->sport = p->t->sport;
	e->dport = p->t->dport;
	e->proto = p->t->proto;
	e->verdict = verdict;
	e->tcp_flags = p->tcp_flags;
	e->cell_state = w->made || w->overflow ? CELL_FREE : cell_state(w->cell_old);
	e->vip = p->vip;
	e->backend = p->backend;
	e->len_bytes = p->ip_len;
	e->ifindex = p->ifindex;
	e->sample = config.trace.sample;
	bpf_ringbuf_submit(e, 0);
}

#endif
