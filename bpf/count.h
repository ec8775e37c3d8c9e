/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one place that counts: a packet once for its device and verdict, once for its VIP, once for its backend; and
 * for that one if it is a sign against it.
 * Bytes are those of the IP packet as it came. Not here: the trace of single packets (trace.h).
 */
#ifndef STARLING_BPF_COUNT_H
#define STARLING_BPF_COUNT_H

#include "homes.h"

static inline void count_device(const struct packet *p, __u32 verdict)
{
	__u32 device = p->ifindex % STARLING_DEVICES;
	struct device_count *c = bpf_map_lookup_elem(&count_devices, &device);

	if (c && verdict < VERDICT_COUNT)
		c->verdict[verdict]++;
}

static inline void count_vip(const struct packet *p)
{
	struct vip_count *c = bpf_map_lookup_elem(&count_vips, &p->vip);

	if (!c)
		return;
	c->packets++;
	c->bytes += p->ip_len;
	c->connections += p->fresh;
	c->overflows += p->overflow;
}

/* Few packets come here, and the others' counters stay in their cache lines. */
static inline void count_full(const struct packet *p)
{
	__u64 *refused = bpf_map_lookup_elem(&count_refused, &p->vip);

	if (refused)
		++*refused;
}

static inline void count_backend(const struct packet *p)
{
	struct backend_count *c = bpf_map_lookup_elem(&count_backends, &p->backend);

	if (!c)
		return;
	c->packets++;
	c->bytes += p->ip_len;
	c->connections += p->fresh;
}

/**
 * count_sign() - count a sign against a backend
 * @t:		of the packet that gave it
 * @backend:	id
 * @sign:	enum sign_kind, not SIGN_NONE
 * @v4:		the addresses are mapped
 *
 * A global function: signs are few, and it is verified once.
 */
__attribute__((noinline)) int count_sign(const struct flow_tuple *t, __u32 backend, __u32 sign, __u32 v4)
{
	struct backend_signs *s = table_entry(signs, struct backend_signs, backend, config.backends_mask);

	if (!t)
		return -1;
	if (sign == SIGN_REPEAT)
		__sync_fetch_and_add(&s->repeats, 1);
	else
		__sync_fetch_and_add(&s->resets, 1);
	__sync_fetch_and_or(&s->sources, 1ULL << sign_source(t, v4, config.seed));
	return 0;
}

static inline void count(const struct packet *p, __u32 verdict)
{
	count_device(p, verdict);
	if (p->vip == ID_NONE)
		return;
	count_vip(p);
	if (verdict == VERDICT_DROP_FULL)
		count_full(p);
	if (verdict != VERDICT_TX && verdict != VERDICT_REDIRECT)
		return;
	count_backend(p);
	if (p->sign)
		count_sign(p->t, p->backend, p->sign, p->v4);
}

#endif
