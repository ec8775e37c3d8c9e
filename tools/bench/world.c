// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The tables of a benchmark: see world.h.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "starling/cell.h"

#define WORLD_IDLE_TICKS 3516 /* 15 minutes */

static const __u32 world_primes[] = {1021, 2039, 4093, 8191, 16381, 32749, 65537, 131071, 1048573};

/* 203.0.112.0, 203.4.112.0, 203.8.112.0 and on; or 2001:db8:113:: with the same in its last four bytes. */
static __u32 vip_base(enum world_kind kind)
{
	return 0xcb007000u + ((__u32)kind << 18);
}

static struct addr world_addr(bool v6, __u32 last)
{
	struct addr a = packet_addr(v6 ? "2001:db8:113::" : "0.0.0.0");

	last = htonl(last);
	memcpy(a.byte + 12, &last, 4);
	return a;
}

static __u32 slots_for(const struct world *w)
{
	__u32 each = w->backends / w->vips * STARLING_SLOTS_PER_BACKEND, i;

	/* 64 VIPs' tables are to be the 2 MB that the budget speaks of. */
	if (w->vips == 64)
		return 4093;
	for (i = 0; world_primes[i] < each; i++)
		;
	return world_primes[i];
}

static void backends_fill(struct world *w, __u32 first, __u32 count, __u32 vip)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		struct addr a = world_addr(w->v6, 0xc0000000 + first + i);
		struct backend_record r = harness_backend_record(&a, FORWARD_IPIP, 1);

		harness_backend_set(w->h, first + i, &r, BACKEND_UP, 1, vip);
	}
}

static int vip_fill(struct world *w, enum world_kind kind, __u32 n)
{
	__u32 id = kind * w->vips + n, each = w->backends / w->vips, first = kind * w->backends + n * each, i;
	struct vip_record r = {.slots_base = id * w->slots,
			       .slots_count = w->slots,
			       .idle_ticks = WORLD_IDLE_TICKS,
			       .steer_by = kind == WORLD_MH ? STEER_HOME : STEER_OPEN,
			       .flags = kind == WORLD_MH ? VIP_NOTES : 0}; /* as by default */
	struct addr a = world_addr(w->v6, vip_base(kind) + n);

	if (each < 2)
		return -EINVAL;
	snprintf(r.name, sizeof(r.name), "vip%u", id);
	backends_fill(w, first, each, id);
	for (i = 0; i < w->slots; i++) {
		__u32 home0 = (__u32)random() % each, home1 = (home0 + 1 + (__u32)random() % (each - 1)) % each;

		harness_slot_set(w->h, r.slots_base + i, slot_make(SLOT_PLAIN, first + home0, first + home1, ID_NONE));
	}
	harness_vip_set(w->h, id, &r, 1);
	return harness_key_add(w->h, &a, 80, w->proto, id);
}

int world_open(struct world *w)
{
	struct harness_options o = {.flow_sets_log2 = BENCH_SETS_LOG2, .no_poison = true};
	__u32 n;
	int r;

	w->slots = slots_for(w);
	o.vips = STARLING_VIPS_DEFAULT * 2;
	o.backends = STARLING_BACKENDS_DEFAULT;
	o.slots = 2 * w->vips * w->slots;
	if (o.slots < STARLING_SLOTS_DEFAULT)
		o.slots = STARLING_SLOTS_DEFAULT;
	r = harness_open(&o, &w->h);
	for (n = 0; !r && n < w->vips; n++) {
		r = vip_fill(w, WORLD_MH, n);
		if (!r)
			r = vip_fill(w, WORLD_WLC, n);
	}
	return r;
}

void world_close(struct world *w)
{
	harness_close(w->h);
	w->h = NULL;
}

struct bench_state world_state(const struct world *w, enum world_kind kind, __u32 flows, __u8 tcp_flags)
{
	struct bench_state s = {.flow_mask = flows - 1,
				.vip_mask = w->vips - 1,
				.vip_base = vip_base(kind),
				.v6 = w->v6,
				.proto = w->proto,
				.tcp_flags = tcp_flags};
	struct addr net = world_addr(true, 0);

	memcpy(s.vip_net, net.byte, sizeof(s.vip_net));
	memcpy(s.seed, w->h->config.seed, sizeof(s.seed));
	return s;
}
