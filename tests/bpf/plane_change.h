/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tests of changes share: a configuration to change, flows, and time for the slots. To be
 * included by one file of a program only. Not here: the world itself (plane_world.h).
 */
#ifndef STARLING_TESTS_BPF_PLANE_CHANGE_H
#define STARLING_TESTS_BPF_PLANE_CHANGE_H

#include "plane_world.h"

#define FLOWS 3000

static inline struct vip_config *vip_wanted(struct world *w, __u32 n)
{
	char name[STARLING_NAME_BYTES];

	snprintf(name, sizeof(name), "v%u", n);
	return config_vip(w->wanted, name);
}

static inline void weight_set(struct world *w, __u32 vip, __u32 n, __u32 weight)
{
	struct endpoint at = world_backend(vip, n);

	vip_backend(vip_wanted(w, vip), &at)->weight = weight;
}

static inline void backend_add(struct world *w, __u32 vip, __u32 n)
{
	struct backend_config b = {.at = world_backend(vip, n), .weight = 10, .tier = TIER_DEFAULT};

	assert_int_equal(vip_backend_add(vip_wanted(w, vip), &b), 0);
}

static inline void backend_delete(struct world *w, __u32 vip, __u32 n)
{
	struct endpoint at = world_backend(vip, n);

	assert_int_equal(vip_backend_delete(vip_wanted(w, vip), &at), 0);
}

static inline __u32 id_of(struct world *w, __u32 vip, __u32 n)
{
	struct endpoint at = world_backend(vip, n);
	char name[STARLING_NAME_BYTES];
	const struct plane_backend *b;

	snprintf(name, sizeof(name), "v%u", vip);
	b = plane_backend_find(plane_vip_find(w->p, name), &at);
	return b ? b->id : NOBODY;
}

/* Open flows @from .. @to-1 and say where they live. */
static inline void flows_open(struct world *w, __u32 vip, __u32 from, __u32 to, __u32 *home)
{
	for (__u32 i = from; i < to; i++) {
		home[i] = world_syn(w, vip, i);
		assert_int_not_equal(home[i], NOBODY);
		assert_int_equal(world_ack(w, vip, i), home[i]);
	}
}

static inline void flows_stay(struct world *w, __u32 vip, __u32 from, __u32 to, const __u32 *home)
{
	for (__u32 i = from; i < to; i++)
		assert_int_equal(world_ack(w, vip, i), home[i]);
}

/* Ticks until time has done its work on the slots: idle, swept, plain; the flows are never idle. */
static inline void slots_rest(struct world *w, __u32 vip, __u32 from, __u32 to, const __u32 *home)
{
	char name[STARLING_NAME_BYTES];
	struct plane_vip *v;

	snprintf(name, sizeof(name), "v%u", vip);
	v = plane_vip_find(w->p, name);
	for (int round = 0; round < 50 && (v->split || round < 5); round++) {
		__u32 build = v->build;

		flows_stay(w, vip, from, to, home);
		world_clock(w, 20);
		plane_tick(w->p);
		if (v->build != build)
			return; /* it grows again */
	}
	assert_int_equal(v->split, 0);
}

static inline void maps_copy(const struct world *w, void **ret, size_t *ret_size)
{
	const struct harness *h = w->dp.h;
	size_t vips = h->vips_max * sizeof(*h->vips), backends = h->backends_max * sizeof(*h->backends),
	       slots = h->slots_max * sizeof(*h->slots);
	__u8 *copy = malloc(vips + backends + slots);

	assert_non_null(copy);
	memcpy(copy, h->vips, vips);
	memcpy(copy + vips, h->backends, backends);
	memcpy(copy + vips + backends, h->slots, slots);
	*ret = copy;
	*ret_size = vips + backends + slots;
}

static inline struct world *three_vips(void)
{
	struct harness_options o = {.flow_sets_log2 = 16};
	struct world *w = world_new(&o);

	world_vip(w, 1, SCHEDULER_MH, 5);
	world_vip(w, 2, SCHEDULER_WRR, 5);
	world_vip(w, 3, SCHEDULER_WLC, 5);
	world_apply(w);
	plane_tick(w->p);
	return w;
}

#endif
