/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Many flows to the one VIP of a plane, by number and at little cost, under a clock that only the test moves.
 * To be included by one file of a program only. Not here: what the answers must be.
 */
#ifndef STARLING_TESTS_BPF_PLANE_FLOWS_H
#define STARLING_TESTS_BPF_PLANE_FLOWS_H

#include "plane_world.h"
#include "starling/cell.h"

#define FLOWS_VIP	 1
#define FLOWS_SLOTS	 4093 /* enough for any number of backends here: the table does not grow */
#define FLOWS_TICK_MS	 256
#define FLOWS_TICK_SHIFT 24	     /* the kernel's own clock stands still: a tick of it is most of a day */
#define FLOWS_FORGED	 0x80000000u /* numbers from here on: a flood's */
#define FLOWS_PORT_MIN	 1024
#define FLOWS_PORTS	 50000

struct flows {
	struct world *w;
	struct packet tcp, udp; /* patched for each packet */
	__u64 rng;
	__u32 seconds_owed_ms; /* time passed that whole seconds do not hold */
};

static inline __u32 flows_random(struct flows *f)
{
	f->rng++;
	return (__u32)(mix64(f->rng) >> 32);
}

static inline void flows_open_world(struct flows *f, enum scheduler s, __u32 backends, __u32 idle_ms, __u32 sets_log2)
{
	struct steer_config cfg = harness_config(7, FLOWS_TICK_SHIFT, sets_log2);
	struct harness_options o = {.flow_sets_log2 = sets_log2, .config = &cfg};
	struct packet_spec spec = {.src = packet_addr("198.51.100.10"),
				   .dst = world_key(FLOWS_VIP, IPPROTO_TCP).addr,
				   .sport = FLOWS_PORT_MIN,
				   .dport = 80,
				   .proto = IPPROTO_TCP};
	const char *seed = getenv("SEED");
	struct vip_config *v;

	memset(f, 0, sizeof(*f));
	f->rng = (seed ? strtoull(seed, NULL, 0) : 1) << 32;
	f->w = world_new(&o);
	assert_non_null(f->w);
	v = world_vip(f->w, FLOWS_VIP, s, backends);
	v->idle_ms = idle_ms;
	v->slots = FLOWS_SLOTS;
	world_apply(f->w);
	plane_tick(f->w->p);
	packet_build(&spec, &f->tcp);
	spec.proto = IPPROTO_UDP;
	spec.dport = 53;
	packet_build(&spec, &f->udp);
}

static inline __be32 flows_address(__u32 n)
{
	return htonl((n & FLOWS_FORGED ? 0x0c000000 : 0x0b000000) + (n & ~FLOWS_FORGED) / FLOWS_PORTS);
}

static inline __be16 flows_port(__u32 n)
{
	return htons((__u16)(FLOWS_PORT_MIN + (n & ~FLOWS_FORGED) % FLOWS_PORTS));
}

/* What flow number @n hashes to, TCP. */
static inline __u64 flows_hash(const struct flows *f, __u32 n)
{
	struct endpoint to = world_key(FLOWS_VIP, IPPROTO_TCP);
	struct flow_tuple t = {.saddr = {0, 0, htonl(0xffff), flows_address(n)},
			       .sport = flows_port(n),
			       .dport = to.port,
			       .proto = IPPROTO_TCP};

	memcpy(t.daddr, to.addr.byte, sizeof(t.daddr));
	return flow_hash(&t, f->w->dp.h->config.seed);
}

/* One packet of flow @n; UDP with @tcp_flags 0. Which backend it went to, counted as world_backend() does, or NOBODY.
 */
static inline __u32 flows_send(struct flows *f, __u32 n, __u8 tcp_flags)
{
	static struct harness_result r;
	struct packet *p = tcp_flags ? &f->tcp : &f->udp;
	__be32 addr = flows_address(n);
	__be16 port = flows_port(n);

	memcpy(p->byte + p->l3 + 12, &addr, 4);
	memcpy(p->byte + p->l4, &port, 2);
	if (tcp_flags)
		p->byte[p->l4 + 13] = tcp_flags;
	if (harness_run(f->w->dp.h, p, &r))
		fail_msg("a packet could not be run");
	if (r.action == XDP_DROP)
		return NOBODY;
	if (r.action != XDP_TX || r.len != p->len + 20)
		fail_msg("action %u, %zu bytes", r.action, r.len);
	return r.byte[14 + 19] - 1u;
}

/* Time passes for cells, slots and marks alike. What the daemon does every second is left to the caller. */
static inline void flows_pass(struct flows *f, __u32 ticks)
{
	__u32 ms = ticks * FLOWS_TICK_MS + f->seconds_owed_ms;

	harness_age(f->w->dp.h, ticks);
	world_clock(f->w, ms / 1000);
	f->w->p->marked.ns -= (__u64)ticks * FLOWS_TICK_MS * 1000000;
	f->seconds_owed_ms = ms % 1000;
}

static inline struct plane_vip *flows_vip(struct flows *f)
{
	return plane_vip_find(f->w->p, "v1");
}

static inline __u32 flows_index(struct flows *f, __u32 id)
{
	const struct plane_backend *b = id == ID_NONE ? NULL : f->w->p->backend_by_id[id];

	return b ? b->at.addr.byte[15] - 1u : NOBODY;
}

/* Home 0 of a flow's slot, as the map has it now. */
static inline __u32 flows_home(struct flows *f, __u32 n)
{
	const struct plane_vip *v = flows_vip(f);

	return flows_index(
		f, slot_home0(f->w->dp.h->slots[v->region.base + hash_slot(flows_hash(f, n), v->region.count)]));
}

#endif
