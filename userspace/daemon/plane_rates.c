// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets, bytes and connections a second, from counters read at the tick. Not here: the counters.
 */
#include <stdlib.h>

#include "daemon/plane_state.h"

/* Over a few seconds: the newest sample weighs a third. */
static void rate_one(double *rate, __u64 *last, __u64 now, double seconds)
{
	double latest = now >= *last ? (double)(now - *last) / seconds : 0;

	*rate += (latest - *rate) / 3;
	if (*rate < 0.01)
		*rate = 0;
	*last = now;
}

static void rate_sample(struct plane_rate *r, __u64 packets, __u64 bytes, __u64 connections, struct mono now)
{
	double seconds = mono_seconds(r->at, now);

	if (!r->at.ns) {
		*r = (struct plane_rate){.at = now, .packets = packets, .bytes = bytes, .connections = connections};
		return;
	}
	r->at = now;
	rate_one(&r->packets_s, &r->packets, packets, seconds);
	rate_one(&r->bytes_s, &r->bytes, bytes, seconds);
	rate_one(&r->connections_s, &r->connections, connections, seconds);
}

/* Highest id in use, plus one: counters beyond need not be read. */
static __u32 ids_end(const struct ids *ids)
{
	__u32 end = ids->size;

	while (end && ids->state[end - 1] == ID_FREE)
		end--;
	return end;
}

/* PLANE_SAMPLE of them a tick, by turns: reading a counter costs about a microsecond. */
static void backends_sample(struct plane *p, struct mono now)
{
	__u32 end = ids_end(&p->backend_ids), first = p->sample_next < end ? p->sample_next : 0;
	__u32 n = end - first < PLANE_SAMPLE ? end - first : PLANE_SAMPLE;
	struct backend_count *count = calloc(n + 1, sizeof(*count));

	p->sample_next = first + n;
	if (count && n && !dataplane_count_backends(p->dp, first, n, count))
		for (__u32 i = 0; i < n; i++)
			if (p->backend_by_id[first + i]) {
				rate_sample(&p->backend_by_id[first + i]->rate, count[i].packets, count[i].bytes,
					    count[i].connections, now);
				plane_passive_add(p, p->backend_by_id[first + i], count[i].connections, now);
			}
	free(count);
}

static void vips_sample(struct plane *p, struct mono now)
{
	__u32 end = ids_end(&p->vip_ids);
	struct vip_count *count = calloc(end + 1, sizeof(*count));

	if (count && end && !dataplane_count_vips(p->dp, 0, end, count))
		for (__u32 i = 0; i < end; i++)
			if (p->vip_by_id[i])
				rate_sample(&p->vip_by_id[i]->rate, count[i].packets, count[i].bytes,
					    count[i].connections, now);
	free(count);
}

void plane_rates_sample(struct plane *p, struct mono now)
{
	double seconds = mono_seconds(p->sampled, now);

	if (seconds < 0.1)
		return;
	p->sampled = now;
	vips_sample(p, now);
	backends_sample(p, now);
	rate_one(&p->drops_s, &p->drops, plane_drops(p), seconds);
}
