/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one place that counts: a packet once for its device and verdict, once for its VIP, once for its backend.
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

static inline void count_backend(const struct packet *p)
{
	struct backend_count *c = bpf_map_lookup_elem(&count_backends, &p->backend);

	if (!c)
		return;
	c->packets++;
	c->bytes += p->ip_len;
	c->connections += p->fresh;
}

static inline void count(const struct packet *p, __u32 verdict)
{
	count_device(p, verdict);
	if (p->vip == ID_NONE)
		return;
	count_vip(p);
	if (verdict == VERDICT_TX || verdict == VERDICT_REDIRECT)
		count_backend(p);
}

#endif
