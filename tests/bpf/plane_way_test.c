// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ways to backends and what comes of them: routers, ways known before, and what a restart knows of a state.
 * Not here: how ways are found (routes_test.c).
 */
#include "plane_change.h"
#include "plane_world.h"

static const struct backend_record *record_of(struct world *w, __u32 vip, __u32 n)
{
	const struct backend_entry *e = &w->dp.h->backends[id_of(w, vip, n)];

	return &e->copy[BACKEND_WORD_SELECT(e->word)];
}

static const char *shown(struct world *w, __u32 vip, __u32 n)
{
	struct endpoint at = world_backend(vip, n);
	char name[STARLING_NAME_BYTES];

	snprintf(name, sizeof(name), "v%u", vip);
	return plane_backend_shown(plane_backend_find(plane_vip_find(w->p, name), &at));
}

static void routed_set(struct world *w, __u32 vip, __u32 n, bool routed)
{
	struct endpoint at = world_backend(vip, n);
	struct nexthop hop = {
		.resolved = true, .routed = routed, .ifindex = 1, .dmac = {2, 0, 0, 0, 0, 3}, .mtu = 1500};

	plane_nexthop(w->p, &at.addr, &hop);
	plane_settle(w->p);
}

static __u32 slots_naming(struct world *w, __u32 id)
{
	const struct plane_vip *v = plane_vip_find(w->p, "v1");
	__u32 count = 0;

	for (__u32 s = v->region.base; s < v->region.base + v->region.count; s++)
		count += slot_home0(w->dp.h->slots[s]) == id || slot_home1(w->dp.h->slots[s]) == id;
	return count;
}

/* MAC rewrite towards a router brings the packet back to the balancer. */
static void dr_sends_nothing_to_a_router(void **state)
{
	struct world *w = three_vips();
	__u32 id = id_of(w, 1, 2);

	(void)state;
	config_vip(w->wanted, "v1")->forward = FORWARD_DR;
	world_apply(w);
	assert_true(slots_naming(w, id) > 0);
	routed_set(w, 1, 2, true);
	assert_string_equal(shown(w, 1, 2), "unresolved");
	assert_non_null(strstr(plane_backend_trouble(plane_vip_find(w->p, "v1")->backend[2]), "use ipip or gue"));
	assert_int_equal(record_of(w, 1, 2)->flags & BACKEND_RESOLVED, 0);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id].word), BACKEND_DOWN);
	assert_int_equal(slots_naming(w, id), 0);
	config_vip(w->wanted, "v1")->forward = FORWARD_IPIP;
	assert_int_equal(world_try(w, NULL, NULL), 0);
	assert_string_equal(shown(w, 1, 2), "up");
	assert_true(slots_naming(w, id) > 0);
	/* known also to one who finds it in the maps */
	world_restart(w);
	config_vip(w->wanted, "v1")->forward = FORWARD_DR;
	assert_int_equal(world_try(w, NULL, NULL), 0);
	assert_string_equal(shown(w, 1, 2), "unresolved");
	assert_string_equal(shown(w, 1, 1), "up");
	routed_set(w, 1, 2, false);
	assert_string_equal(shown(w, 1, 2), "up");
	world_free(w);
}

static void a_vip_on_known_ways_forwards_as_it_says(void **state)
{
	struct world *w = three_vips();
	struct vip_config *v = world_vip(w, 4, SCHEDULER_MH, 1);
	const struct plane_backend *b;
	const struct backend_entry *e;

	(void)state;
	v->forward = FORWARD_GUE;
	v->backend[0].at = world_backend(1, 0);
	assert_int_equal(world_try(w, NULL, NULL), 0);
	b = plane_vip_find(w->p, "v4")->backend[0];
	assert_int_equal(b->word_state, BACKEND_UP);
	e = &w->dp.h->backends[b->id];
	assert_int_equal(e->copy[BACKEND_WORD_SELECT(e->word)].forward, FORWARD_GUE);
	world_free(w);
}

static void a_restart_knows_since_when(void **state)
{
	struct world *w = three_vips();
	__u64 *lost, *up, *disabled, before[3];
	struct endpoint at = world_backend(1, 1);
	struct override over = {.vip = "v1", .at = world_backend(1, 2), .state = OVERRIDE_DISABLE, .by = "test"};
	__u32 generation;

	(void)state;
	up = &w->dp.h->backends[id_of(w, 1, 0)].shown;
	lost = &w->dp.h->backends[id_of(w, 1, 1)].shown;
	disabled = &w->dp.h->backends[id_of(w, 1, 2)].shown;
	plane_nexthop(w->p, &at.addr, &(struct nexthop){.why = "no answer"});
	plane_vip_find(w->p, "v1")->backend[1]->path->lost.ns -= 5000000000ULL;
	world_override(w, 1, 2, OVERRIDE_DISABLE);
	plane_tick(w->p);
	assert_string_equal(shown(w, 1, 1), "unresolved");
	plane_generation(w->p, 7);
	weight_set(w, 1, 0, 30);
	assert_int_equal(world_try(w, NULL, NULL), 0);
	generation = w->dp.h->vips[plane_vip_find(w->p, "v1")->id].generation;
	assert_int_equal(generation, 7);
	assert_int_not_equal(w->dp.h->vips[plane_vip_find(w->p, "v2")->id].generation, 7);
	*up -= BACKEND_SHOWN(0, 3600000);
	*lost -= BACKEND_SHOWN(0, 3600000);
	*disabled -= BACKEND_SHOWN(0, 3600000);
	assert_string_equal(shown(w, 1, 1), "unresolved");
	memcpy(before, (__u64[]){*up, *lost, *disabled}, sizeof(before));
	world_restart(w);
	assert_int_equal(plane_overrides_load(w->p, &over, 1), 0);
	plane_generation(w->p, 7);
	assert_int_equal(world_try(w, NULL, NULL), 0);
	assert_int_equal(w->dp.h->vips[plane_vip_find(w->p, "v1")->id].generation, 7);
	assert_int_equal(*up, before[0]);
	assert_int_equal(*lost, before[1]);
	assert_int_equal(*disabled, before[2]);
	routed_set(w, 1, 1, false);
	assert_true(BACKEND_SHOWN_MS(*lost) > BACKEND_SHOWN_MS(before[1]) + 3000000);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dr_sends_nothing_to_a_router),
		cmocka_unit_test(a_vip_on_known_ways_forwards_as_it_says),
		cmocka_unit_test(a_restart_knows_since_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
