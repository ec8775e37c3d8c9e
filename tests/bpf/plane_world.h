/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plane over the maps of the harness, so that packets meet in XDP what the plane published.
 * Defines dataplane_*(): to be included by one file of a program only. Not here: io/dataplane,
 * threads (everything runs on the test's).
 */
#ifndef STARLING_TESTS_BPF_PLANE_WORLD_H
#define STARLING_TESTS_BPF_PLANE_WORLD_H

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/key_table.h"
#include "core/mix.h"
#include "daemon/plane_state.h"
#include "harness.h"

struct dataplane {
	struct harness *h;
	struct dataplane_info info;
	__u32 graces;
	bool grace_fails;
	__u32 keys_left; /* key sets until one fails; 0: never */
};

bool dataplane_memory_only(const struct dataplane *dp)
{
	(void)dp;
	return false;
}

const struct dataplane_info *dataplane_info(const struct dataplane *dp)
{
	return &dp->info;
}

const struct steer_config *dataplane_config(const struct dataplane *dp)
{
	return &dp->h->config;
}

struct vip_entry *dataplane_vips(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->vips_max;
	return dp->h->vips;
}

struct backend_entry *dataplane_backends(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->backends_max;
	return dp->h->backends;
}

__u64 *dataplane_slots(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->slots_max;
	return dp->h->slots;
}

struct flow_set *dataplane_flows(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->sets_max;
	return dp->h->flows;
}

struct backend_load *dataplane_loads(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->backends_max;
	return dp->h->loads;
}

struct backend_signs *dataplane_signs(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->backends_max;
	return dp->h->signs;
}

struct backend_limit *dataplane_backend_limits(struct dataplane *dp, __u32 *count)
{
	*count = dp->h->backends_max;
	return dp->h->limits;
}

struct vip_filter *dataplane_filter(struct dataplane *dp)
{
	return dp->h->filter;
}

int dataplane_key_set(struct dataplane *dp, const struct vip_key *key, __u32 vip)
{
	if (dp->keys_left && !--dp->keys_left)
		return -E2BIG;
	return key_table_set(dp->h->keys, dp->h->config.keys_log2, key, vip);
}

int dataplane_key_delete(struct dataplane *dp, const struct vip_key *key)
{
	return key_table_delete(dp->h->keys, dp->h->config.keys_log2, key);
}

struct key_entry *dataplane_keys(struct dataplane *dp, __u32 *count)
{
	*count = 1u << dp->h->config.keys_log2;
	return dp->h->keys;
}

__u32 dataplane_tick(const struct dataplane *dp)
{
	return harness_tick(dp->h);
}

int dataplane_grace(struct dataplane *dp)
{
	if (dp->grace_fails)
		return -EIO;
	dp->graces++;
	harness_grace();
	return 0;
}

int dataplane_redirect_add(struct dataplane *dp, __u32 ifindex)
{
	(void)dp;
	(void)ifindex;
	return 0;
}

int dataplane_takes_redirects(__u32 ifindex)
{
	(void)ifindex;
	return -EOPNOTSUPP;
}

int dataplane_count_vips(struct dataplane *dp, __u32 first, __u32 n, struct vip_count *ret)
{
	for (__u32 i = 0; i < n; i++)
		ret[i] = harness_vip_count(dp->h, first + i);
	return 0;
}

int dataplane_count_refused(struct dataplane *dp, __u32 first, __u32 n, __u64 *ret)
{
	for (__u32 i = 0; i < n; i++)
		ret[i] = harness_refused(dp->h, first + i);
	return 0;
}

int dataplane_count_backends(struct dataplane *dp, __u32 first, __u32 n, struct backend_count *ret)
{
	for (__u32 i = 0; i < n; i++)
		ret[i] = harness_backend_count(dp->h, first + i);
	return 0;
}

int dataplane_count_device(struct dataplane *dp, __u32 ifindex, struct device_count *ret)
{
	*ret = harness_device_count(dp->h, ifindex);
	return 0;
}

__u64 dataplane_overflows(struct dataplane *dp)
{
	return harness_overflows(dp->h);
}

static int count_reset(int fd, __u32 id, size_t bytes, __u32 cpus)
{
	void *zero = calloc(cpus, bytes);
	int ret = bpf_map_update_elem(fd, &id, zero, BPF_ANY);

	free(zero);
	return ret;
}

int dataplane_count_vip_reset(struct dataplane *dp, __u32 id)
{
	return count_reset(dp->h->count_vips_fd, id, sizeof(struct vip_count), dp->h->cpus);
}

int dataplane_count_backend_reset(struct dataplane *dp, __u32 id)
{
	return count_reset(dp->h->count_backends_fd, id, sizeof(struct backend_count), dp->h->cpus);
}

size_t dataplane_attached(struct dataplane *dp, struct dataplane_device *ret, size_t max)
{
	(void)dp;
	(void)ret;
	(void)max;
	return 0;
}

int dataplane_attach(struct dataplane *dp, __u32 ifindex, enum xdp_mode wanted, enum xdp_mode *ret_got, struct err *err)
{
	(void)dp;
	(void)ifindex;
	(void)wanted;
	(void)ret_got;
	return err_set(err, EOPNOTSUPP, "no devices in this test");
}

int dataplane_detach(struct dataplane *dp, __u32 ifindex, struct err *err)
{
	(void)dp;
	(void)ifindex;
	return err_set(err, ENOENT, "no devices in this test");
}

int dataplane_tunnel(struct dataplane *dp, bool on, struct err *err)
{
	(void)dp;
	return on ? err_set(err, EOPNOTSUPP, "no devices in this test") : 0;
}

void dataplane_tunnel_keep(struct dataplane *dp)
{
	(void)dp;
}

int dataplane_reload(struct dataplane *dp, const struct trace_filter *trace, struct err *err)
{
	(void)dp;
	(void)trace;
	return err_set(err, EOPNOTSUPP, "no reload in this test");
}

int dataplane_reseed(struct dataplane *dp, const __u32 seed[16], struct err *err)
{
	(void)dp;
	(void)seed;
	return err_set(err, EOPNOTSUPP, "no reload in this test");
}

#define WORLD_WATCHED 4096

struct world {
	struct dataplane dp;
	struct plane *p;
	struct config *wanted; /* what the next world_apply() applies a copy of */
	struct addr watched[WORLD_WATCHED];
	size_t watched_count;
	size_t events;
};

static inline void world_watch(void *arg, const struct addr *addr, bool add)
{
	struct world *w = arg;
	size_t i = 0;

	while (i < w->watched_count && !addr_equal(&w->watched[i], addr))
		i++;
	assert_int_equal(add, i == w->watched_count); /* once, however many backends have it */
	assert_true(i < WORLD_WATCHED);
	if (add)
		w->watched[w->watched_count++] = *addr;
	else
		w->watched[i] = w->watched[--w->watched_count];
}

static inline void world_event(void *arg, const struct plane_event *event)
{
	struct world *w = arg;

	assert_non_null(event->kind);
	assert_non_null(event->object);
	w->events++;
}

static inline void world_start(struct world *w)
{
	struct plane_hooks hooks = {.arg = w, .watch = world_watch, .event = world_event};
	struct err err = {0};

	if (plane_open(&w->dp, &hooks, &w->p, &err))
		fail_msg("%s", err.text);
}

static inline struct world *world_new(const struct harness_options *o)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	if (harness_open(o, &w->dp.h)) {
		free(w);
		skip();
		return NULL;
	}
	w->dp.info = (struct dataplane_info){.abi = DATAPLANE_ABI,
					     .flow_sets_log2 = w->dp.h->config.flow_sets_log2,
					     .tick_shift = w->dp.h->config.tick_shift,
					     .tick_us = 256000};
	w->wanted = config_new();
	world_start(w);
	return w;
}

static inline void world_free(struct world *w)
{
	plane_close(w->p);
	config_free(w->wanted);
	harness_close(w->dp.h);
	free(w);
}

/* As after kill -9: memory is gone, maps are not. */
static inline void world_restart(struct world *w)
{
	plane_close(w->p);
	w->watched_count = 0;
	world_start(w);
}

/* The loop answers: every address watched so far is next door. */
static inline void world_resolve(struct world *w)
{
	struct nexthop hop = {
		.resolved = true, .ifindex = 1, .dmac = {2, 0, 0, 0, 0, 1}, .smac = {2, 0, 0, 0, 0, 2}, .mtu = 1500};

	for (size_t i = 0; i < w->watched_count; i++) {
		hop.src = packet_addr(addr_is_v4(&w->watched[i]) ? "192.0.2.11" : "2001:db8:2::11");
		plane_nexthop(w->p, &w->watched[i], &hop);
	}
	plane_settle(w->p);
}

static inline int world_try(struct world *w, struct plane_change *change, struct err *err)
{
	struct config *copy = config_copy(w->wanted);
	int ret;

	assert_non_null(copy);
	ret = plane_apply(w->p, copy, false, change, err);
	if (ret)
		config_free(copy);
	return ret;
}

static inline struct plane_change world_apply(struct world *w)
{
	struct plane_change change;
	struct err err = {0};

	if (world_try(w, &change, &err))
		fail_msg("%s", err.text);
	world_resolve(w);
	return change;
}

static inline struct endpoint world_backend(__u32 vip, __u32 n)
{
	struct endpoint e = {.port = htons(80)};

	e.addr.byte[10] = e.addr.byte[11] = 0xff;
	e.addr.byte[12] = 10;
	e.addr.byte[13] = (__u8)vip;
	e.addr.byte[14] = (__u8)(n >> 8);
	e.addr.byte[15] = (__u8)(n + 1);
	return e;
}

static inline struct endpoint world_key(__u32 vip, __u8 proto)
{
	struct endpoint e = {
		.addr = packet_addr("203.0.113.0"), .port = htons(proto == IPPROTO_UDP ? 53 : 80), .proto = proto};

	e.addr.byte[14] = (__u8)(113 + (vip >> 8));
	e.addr.byte[15] = (__u8)vip;
	return e;
}

/* VIP "vN" with backends 0 .. n-1 of weight 10, TCP and UDP. */
static inline struct vip_config *world_vip(struct world *w, __u32 n, enum scheduler s, __u32 backends)
{
	struct vip_config v = {
		.scheduler = s, .forward = FORWARD_IPIP, .idle_ms = 60000, .eject_percent = STARLING_EJECT_DEFAULT};

	snprintf(v.name, sizeof(v.name), "v%u", n);
	v.key[v.key_count++] = world_key(n, IPPROTO_TCP);
	v.key[v.key_count++] = world_key(n, IPPROTO_UDP);
	for (__u32 i = 0; i < backends; i++) {
		struct backend_config b = {.at = world_backend(n, i), .weight = 10, .tier = TIER_DEFAULT};

		assert_int_equal(vip_backend_add(&v, &b), 0);
	}
	assert_int_equal(config_vip_add(w->wanted, &v), 0);
	snprintf(v.name, sizeof(v.name), "v%u", n);
	return config_vip(w->wanted, v.name);
}

/* A flow of a client: number @i to VIP @vip. */
static inline struct endpoint world_client(__u32 i)
{
	struct endpoint e = {.addr = packet_addr("198.51.0.0"), .port = htons((__u16)(1024 + i % 60000))};

	e.addr.byte[13] = (__u8)(i / 60000);
	e.addr.byte[14] = (__u8)(mix64(i) >> 8);
	e.addr.byte[15] = (__u8)mix64(i);
	return e;
}

#define NOBODY ID_NONE
#define RESET  0x10000u /* not to a backend, but a reset to the client */

/* Run one packet of a flow; the id of the backend it went to, RESET or NOBODY. */
static inline __u32 world_send(struct world *w, const struct endpoint *src, const struct endpoint *dst, __u8 flags)
{
	struct packet_spec s = {.src = src->addr,
				.dst = dst->addr,
				.sport = ntohs(src->port),
				.dport = ntohs(dst->port),
				.proto = dst->proto,
				.tcp_flags = flags};
	static struct harness_result r;
	static struct packet packet;

	packet_build(&s, &packet);
	assert_int_equal(harness_run(w->dp.h, &packet, &r), 0);
	if (r.action == XDP_DROP)
		return NOBODY;
	assert_int_equal(r.action, XDP_TX);
	if (r.len <= packet.len && r.byte[packet.l3 + 20 + 13] & TCP_RST)
		return RESET;
	assert_int_equal(r.len, packet.len + 20);
	for (__u32 id = 0; id < w->dp.h->backends_max; id++) {
		const struct plane_backend *b = w->p->backend_by_id[id];

		if (b && !memcmp(r.byte + 14 + 16, b->at.addr.byte + 12, 4))
			return id;
	}
	fail_msg("sent to an address that is no backend's");
	return NOBODY;
}

static inline __u32 world_syn(struct world *w, __u32 vip, __u32 flow)
{
	struct endpoint src = world_client(flow), dst = world_key(vip, IPPROTO_TCP);

	return world_send(w, &src, &dst, TCP_SYN);
}

static inline __u32 world_ack(struct world *w, __u32 vip, __u32 flow)
{
	struct endpoint src = world_client(flow), dst = world_key(vip, IPPROTO_TCP);

	return world_send(w, &src, &dst, TCP_ACK);
}

/* Let slots' clocks run: as if @seconds had passed for them. Cells age by harness_age(). */
static inline void world_clock(struct world *w, __u32 seconds)
{
	for (size_t i = 0; i < w->p->vip_count; i++) {
		struct plane_vip *v = w->p->vip[i];

		for (__u32 s = 0; v->since && s < v->region.count; s++)
			v->since[s] = (__u16)(v->since[s] - seconds);
		v->warm_since = (__u16)(v->warm_since - seconds);
		v->growing_since = (__u16)(v->growing_since - seconds);
	}
}

/* Planned changes of mh slots come to pass. */
static inline void world_warmed(struct world *w)
{
	world_clock(w, STARLING_MARK_MS / 1000 + 1);
	plane_tick(w->p);
}

static inline void world_override(struct world *w, __u32 vip, __u32 n, enum override_state state)
{
	struct override o = {.at = world_backend(vip, n), .state = state, .by = "test"};
	struct err err = {0};

	snprintf(o.vip, sizeof(o.vip), "v%u", vip);
	if (plane_override(w->p, &o, &err))
		fail_msg("%s", err.text);
}

#endif
