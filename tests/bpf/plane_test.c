// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The plane against the XDP program: what it publishes keeps every flow where it is. Not here:
 * what there is room for (plane_room_test.c), what the slots say in words (plane_lookup_test.c), large configurations
 * (plane_bulk_test.c).
 */
#include "plane_change.h"
#include "daemon/plane_facts.h"
#include "starling/cell.h"

static void an_unchanged_apply_touches_nothing(void **state)
{
	struct world *w = three_vips();
	static __u32 home[FLOWS];
	struct plane_change c;
	void *before, *after;
	size_t size, events;
	__u32 graces;

	(void)state;
	for (__u32 v = 1; v <= 3; v++)
		flows_open(w, v, 0, 500, home);
	maps_copy(w, &before, &size);
	events = w->events;
	graces = w->dp.graces;
	c = world_apply(w);
	maps_copy(w, &after, &size);
	assert_memory_equal(before, after, size);
	assert_int_equal(c.vips_unchanged, 3);
	assert_int_equal(c.vips_changed + c.vips_added + c.vips_deleted, 0);
	assert_int_equal(w->events, events);
	assert_int_equal(w->dp.graces, graces);
	free(before);
	free(after);
	world_free(w);
}

static void a_restart_adopts_and_moves_nobody(void **state)
{
	struct world *w = three_vips();
	static __u32 home[4][FLOWS];
	struct plane_change c;
	void *before, *after;
	__u64 packets;
	size_t size;

	(void)state;
	world_override(w, 1, 2, OVERRIDE_DISABLE);
	for (__u32 v = 1; v <= 3; v++)
		flows_open(w, v, 0, 1000, home[v]);
	world_override(w, 2, 1, OVERRIDE_DRAIN);
	plane_tick(w->p);
	maps_copy(w, &before, &size);
	packets = harness_vip_count(w->dp.h, 0).packets;
	{
		size_t n;
		struct override kept[2];

		memcpy(kept, plane_overrides(w->p, &n), sizeof(kept));
		assert_int_equal(n, 2);
		world_restart(w);
		world_resolve(w);
		assert_int_equal(plane_overrides_load(w->p, kept, n), 0);
	}
	c = world_apply(w);
	assert_int_equal(c.vips_unchanged, 3);
	maps_copy(w, &after, &size);
	assert_memory_equal(before, after, size);
	assert_true(harness_vip_count(w->dp.h, 0).packets >= packets);
	for (__u32 v = 1; v <= 3; v++)
		flows_stay(w, v, 0, 1000, home[v]);
	free(before);
	free(after);
	world_free(w);
}

static void changes_break_no_flow(void **state, __u32 vip)
{
	struct world *w = three_vips();
	static __u32 home[6 * FLOWS];

	(void)state;
	flows_open(w, vip, 0, FLOWS, home);
	weight_set(w, vip, 0, 30);
	weight_set(w, vip, 1, 5);
	world_apply(w);
	flows_stay(w, vip, 0, FLOWS, home);
	world_warmed(w);
	flows_stay(w, vip, 0, FLOWS, home);
	flows_open(w, vip, FLOWS, 2 * FLOWS, home);
	backend_add(w, vip, 5);
	world_apply(w);
	flows_open(w, vip, 2 * FLOWS, 2 * FLOWS + FLOWS / 2, home);
	world_override(w, vip, 2, OVERRIDE_DRAIN);
	flows_stay(w, vip, 0, 2 * FLOWS + FLOWS / 2, home);
	world_warmed(w);
	flows_open(w, vip, 2 * FLOWS + FLOWS / 2, 3 * FLOWS, home);
	flows_stay(w, vip, 0, 3 * FLOWS, home);
	flows_open(w, vip, 3 * FLOWS, 4 * FLOWS, home);
	for (__u32 i = 3 * FLOWS; i < 4 * FLOWS; i++)
		assert_int_not_equal(home[i], id_of(w, vip, 2));
	world_override(w, vip, 2, OVERRIDE_NONE);
	weight_set(w, vip, 3, 0);
	world_apply(w);
	world_warmed(w);
	flows_open(w, vip, 4 * FLOWS, 5 * FLOWS, home);
	for (__u32 i = 4 * FLOWS; i < 5 * FLOWS; i++)
		assert_int_not_equal(home[i], id_of(w, vip, 3));
	flows_stay(w, vip, 0, 5 * FLOWS, home);
	slots_rest(w, vip, 0, 5 * FLOWS, home);
	flows_stay(w, vip, 0, 5 * FLOWS, home);
	world_free(w);
}

static void mh_flows_survive_weights_addition_and_drain(void **state)
{
	changes_break_no_flow(state, 1);
}

static void wrr_flows_survive_weights_addition_and_drain(void **state)
{
	changes_break_no_flow(state, 2);
}

static void wlc_flows_survive_weights_addition_and_drain(void **state)
{
	changes_break_no_flow(state, 3);
}

/* mh: who is down loses its flows to their other home, everyone else's stay; flapping harms nobody else. */
static void one_down_moves_only_its_own_and_gets_them_back(void **state)
{
	struct world *w = three_vips();
	static __u32 home[2 * FLOWS], now[2 * FLOWS];
	__u32 down;

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	down = id_of(w, 1, 3);
	for (int flap = 0; flap < 5; flap++) {
		world_override(w, 1, 3, OVERRIDE_DISABLE);
		for (__u32 i = 0; i < FLOWS; i++) {
			now[i] = world_ack(w, 1, i);
			if (home[i] != down)
				assert_int_equal(now[i], home[i]);
			else
				assert_int_not_equal(now[i], down);
		}
		flows_open(w, 1, FLOWS, 2 * FLOWS, now); /* opened meanwhile: they are to stay after its return */
		world_override(w, 1, 3, OVERRIDE_NONE);
		for (__u32 i = FLOWS; i < 2 * FLOWS; i++)
			assert_int_equal(world_ack(w, 1, i), now[i]);
		for (__u32 i = 0; i < FLOWS; i++)
			if (home[i] != down)
				assert_int_equal(world_ack(w, 1, i), home[i]);
	}
	world_free(w);
}

/* SYNs without an answer yet, sent before a change was asked for, while it waits, and again after it. */
static void syns_repeat(struct world *w, const __u32 *home, bool waits)
{
	struct plane_vip *v = plane_vip_find(w->p, "v1");

	assert_int_equal(v->warm > 0, waits);
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_equal(world_syn(w, 1, i), home[i]);
	plane_tick(w->p); /* it is too early */
	assert_int_equal(v->warm > 0, waits);
	world_warmed(w);
	assert_int_equal(v->warm, 0);
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_equal(world_syn(w, 1, i), home[i]);
}

static void syns_repeated_across_planned_changes_of_mh_stay(void **state)
{
	struct world *w = three_vips();
	static __u32 home[FLOWS];

	(void)state;
	for (__u32 i = 0; i < FLOWS; i++)
		home[i] = world_syn(w, 1, i);
	world_override(w, 1, 2, OVERRIDE_DRAIN);
	assert_string_equal(plane_backend_shown(plane_vip_find(w->p, "v1")->backend[2]), "draining");
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 2)].word), BACKEND_UP);
	syns_repeat(w, home, true);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 2)].word), BACKEND_DRAINING);
	world_override(w, 1, 2, OVERRIDE_NONE);
	syns_repeat(w, home, false); /* its slots are split still: that will do */
	weight_set(w, 1, 0, 30);
	world_apply(w);
	syns_repeat(w, home, true);
	backend_add(w, 1, 5);
	world_apply(w);
	syns_repeat(w, home, true);
	for (__u32 i = 6; i < 12; i++)
		backend_add(w, 1, i);
	world_apply(w);
	assert_int_equal(plane_vip_find(w->p, "v1")->region.count, 1021); /* a larger one waits for old splits */
	syns_repeat(w, home, true);
	assert_int_equal(plane_vip_find(w->p, "v1")->region.count, 1021);
	world_free(w);
}

/* While slots are warm for a drain, another backend fails, and the daemon is killed. */
static void a_failure_does_not_wait_for_a_planned_change_nor_hasten_it(void **state)
{
	struct world *w = three_vips();
	static __u32 home[FLOWS];
	struct plane_vip *v;
	__u32 down = id_of(w, 1, 3), drained = id_of(w, 1, 2), slots = 0;
	struct override kept[2];
	size_t n;

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	world_override(w, 1, 2, OVERRIDE_DRAIN);
	world_override(w, 1, 3, OVERRIDE_DISABLE);
	v = plane_vip_find(w->p, "v1");
	for (__u32 s = v->region.base; s < v->region.base + v->region.count; s++) {
		assert_int_not_equal(slot_home0(w->dp.h->slots[s]), down);
		slots += slot_home0(w->dp.h->slots[s]) == drained;
	}
	assert_true(slots > 100);
	memcpy(kept, plane_overrides(w->p, &n), sizeof(kept));
	assert_int_equal(n, 2);
	world_restart(w);
	world_resolve(w);
	assert_int_equal(plane_overrides_load(w->p, kept, n), 0);
	world_apply(w);
	v = plane_vip_find(w->p, "v1");
	assert_int_equal(v->warm, slots);
	world_warmed(w);
	for (__u32 s = v->region.base; s < v->region.base + v->region.count; s++) {
		assert_int_not_equal(slot_home0(w->dp.h->slots[s]), down);
		assert_int_not_equal(slot_home0(w->dp.h->slots[s]), drained);
	}
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] != down)
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

static void a_planned_change_taken_back_in_time_moves_no_slot(void **state)
{
	struct world *w = three_vips();
	struct plane_vip *v = plane_vip_find(w->p, "v1");
	static __u32 home[FLOWS];
	__u32 before[1021];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	for (__u32 s = 0; s < v->region.count; s++)
		before[s] = slot_home0(w->dp.h->slots[v->region.base + s]);
	world_override(w, 1, 2, OVERRIDE_DRAIN);
	assert_true(v->warm > 100);
	world_override(w, 1, 2, OVERRIDE_NONE);
	assert_int_equal(v->warm, 0);
	world_warmed(w);
	for (__u32 s = 0; s < v->region.count; s++)
		assert_int_equal(slot_home0(w->dp.h->slots[v->region.base + s]), before[s]);
	slots_rest(w, 1, 0, FLOWS, home);
	world_free(w);
}

static void homes_after_a_return_are_those_before(void **state)
{
	struct world *w = three_vips();
	struct plane_vip *v = plane_vip_find(w->p, "v1");
	__u64 *before = malloc(v->region.count * sizeof(*before));

	(void)state;
	memcpy(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	world_override(w, 1, 0, OVERRIDE_DISABLE);
	for (__u32 s = 0; s < v->region.count; s++) {
		__u64 slot = w->dp.h->slots[v->region.base + s];

		assert_int_not_equal(slot_home0(slot), id_of(w, 1, 0));
		assert_int_not_equal(slot_home1(slot), id_of(w, 1, 0));
		if (slot_home0(before[s]) != id_of(w, 1, 0))
			assert_int_equal(slot_home0(slot), slot_home0(before[s]));
		else
			assert_int_equal(slot_home0(slot), slot_home1(before[s]));
	}
	world_override(w, 1, 0, OVERRIDE_NONE);
	plane_tick(w->p); /* no packet ever came: nobody is to be kept */
	assert_memory_equal(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	free(before);
	world_free(w);
}

static void a_scheduler_change_keeps_flows_with_either_home(void **state)
{
	struct world *w = three_vips();
	static __u32 home[2 * FLOWS];

	(void)state;
	flows_open(w, 3, 0, FLOWS, home);
	vip_wanted(w, 3)->scheduler = SCHEDULER_MH;
	world_apply(w);
	flows_stay(w, 3, 0, FLOWS, home);
	flows_open(w, 3, FLOWS, 2 * FLOWS, home);
	slots_rest(w, 3, 0, 2 * FLOWS, home);
	vip_wanted(w, 3)->scheduler = SCHEDULER_WRR;
	world_apply(w);
	flows_stay(w, 3, 0, 2 * FLOWS, home);
	world_free(w);
}

static void wrr_is_exact_also_after_weights_and_a_return(void **state)
{
	static const __u32 first[] = {5, 3, 2}, second[] = {2, 3, 5};
	struct harness_options o = {.flow_sets_log2 = 16};
	struct world *w = world_new(&o);
	__u32 flow = 0;

	(void)state;
	world_vip(w, 1, SCHEDULER_WRR, 3);
	for (int phase = 0; phase < 3; phase++) {
		__u32 held[3] = {0};

		for (__u32 i = 0; i < 3; i++)
			weight_set(w, 1, i, (phase ? second : first)[i]);
		world_apply(w);
		if (phase == 2) {
			world_override(w, 1, 2, OVERRIDE_DISABLE);
			for (__u32 i = 0; i < 500; i++)
				world_syn(w, 1, flow++);
			world_override(w, 1, 2, OVERRIDE_NONE);
		}
		for (__u32 i = 0; i < 10000; i++) {
			__u32 id = world_syn(w, 1, flow++);

			for (__u32 b = 0; b < 3; b++)
				held[b] += id == id_of(w, 1, b);
		}
		for (__u32 i = 0; i < 3; i++)
			assert_in_range(held[i], (phase ? second : first)[i] * 1000 - 3,
					(phase ? second : first)[i] * 1000 + 3);
	}
	world_free(w);
}

static void a_lost_next_hop_takes_no_new_flows_and_keeps_its_own(void **state)
{
	struct world *w = three_vips();
	static __u32 home[2 * FLOWS];
	struct nexthop lost = {.why = "no answer"};
	struct endpoint at = world_backend(1, 0);

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	plane_nexthop(w->p, &at.addr, &lost);
	plane_tick(w->p);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_UP);
	plane_vip_find(w->p, "v1")->backend[0]->path->lost.ns -= 5000000000ULL;
	plane_tick(w->p);
	assert_string_equal(plane_backend_shown(plane_vip_find(w->p, "v1")->backend[0]), "unresolved");
	flows_stay(w, 1, 0, FLOWS, home);
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	for (__u32 i = FLOWS; i < 2 * FLOWS; i++)
		assert_int_not_equal(home[i], id_of(w, 1, 0));
	world_resolve(w);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_UP);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_free(w);
}

static void a_drain_ends_disabled_after_its_timeout(void **state)
{
	struct world *w = three_vips();
	struct override o = {.vip = "v1",
			     .at = world_backend(1, 0),
			     .state = OVERRIDE_DRAIN,
			     .by = "test",
			     .timeout_ms = 3600000,
			     .since_ms = wall_ms() - 2000};
	struct err err;

	(void)state;
	assert_int_equal(plane_override(w->p, &o, &err), 0);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_DRAINING);
	w->p->override[0].timeout_ms = 1000;
	plane_tick(w->p);
	plane_settle(w->p);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_DOWN);
	assert_string_equal(plane_backend_shown(plane_vip_find(w->p, "v1")->backend[0]), "disabled");
	world_free(w);
}

static void overrides_from_a_file_may_become_more(void **state)
{
	struct harness_options options = {.flow_sets_log2 = 12};
	struct world *w = world_new(&options);
	struct override all[9];
	struct err err;

	(void)state;
	world_vip(w, 1, SCHEDULER_MH, 9);
	world_apply(w);
	for (__u32 i = 0; i < 9; i++)
		all[i] = (struct override){
			.vip = "v1", .at = world_backend(1, i), .state = OVERRIDE_DRAIN, .by = "test"};
	assert_int_equal(plane_overrides_load(w->p, NULL, 0), 0);
	assert_int_equal(plane_overrides_load(w->p, all, 5), 0);
	for (__u32 i = 5; i < 9; i++)
		assert_int_equal(plane_override(w->p, &all[i], &err), 0);
	assert_int_equal(w->p->override_count, 9);
	for (__u32 i = 0; i < 9; i++)
		assert_int_equal(plane_vip_find(w->p, "v1")->backend[i]->override, OVERRIDE_DRAIN);
	assert_int_equal(plane_overrides_reset(w->p), 0);
	assert_int_equal(w->p->override_count, 0);
	world_free(w);
}

static struct world *grown_to_16(__u32 first)
{
	struct harness_options o = {.flow_sets_log2 = 12};
	struct world *w = world_new(&o);

	if (!w)
		return NULL;
	world_vip(w, 1, SCHEDULER_WLC, first);
	world_apply(w);
	if (first == 16)
		return w;
	flows_open(w, 1, 0, FLOWS, (__u32[FLOWS]){0});
	weight_set(w, 1, 0, 20); /* what the growth has to wait for */
	world_apply(w);
	weight_set(w, 1, 0, 10);
	for (__u32 n = first; n < 16; n++)
		backend_add(w, 1, n);
	world_apply(w);
	return w;
}

static void a_table_that_has_yet_to_grow_is_no_other_configuration(void **state)
{
	struct world *w = grown_to_16(8);
	struct fact_digest grown, new;

	(void)state;
	assert_int_equal(plane_vip_find(w->p, "v1")->region.count, 1021);
	grown = plane_digest(w->p);
	world_free(w);
	w = grown_to_16(16);
	assert_int_equal(plane_vip_find(w->p, "v1")->region.count, 2039);
	new = plane_digest(w->p);
	assert_true(grown.config == new.config);
	assert_true(grown.effective != new.effective);
	weight_set(w, 1, 0, 20);
	world_apply(w);
	assert_true(plane_digest(w->p).config != new.config);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unchanged_apply_touches_nothing),
		cmocka_unit_test(a_restart_adopts_and_moves_nobody),
		cmocka_unit_test(mh_flows_survive_weights_addition_and_drain),
		cmocka_unit_test(wrr_flows_survive_weights_addition_and_drain),
		cmocka_unit_test(wlc_flows_survive_weights_addition_and_drain),
		cmocka_unit_test(one_down_moves_only_its_own_and_gets_them_back),
		cmocka_unit_test(syns_repeated_across_planned_changes_of_mh_stay),
		cmocka_unit_test(a_failure_does_not_wait_for_a_planned_change_nor_hasten_it),
		cmocka_unit_test(a_planned_change_taken_back_in_time_moves_no_slot),
		cmocka_unit_test(homes_after_a_return_are_those_before),
		cmocka_unit_test(a_scheduler_change_keeps_flows_with_either_home),
		cmocka_unit_test(wrr_is_exact_also_after_weights_and_a_return),
		cmocka_unit_test(a_lost_next_hop_takes_no_new_flows_and_keeps_its_own),
		cmocka_unit_test(a_drain_ends_disabled_after_its_timeout),
		cmocka_unit_test(overrides_from_a_file_may_become_more),
		cmocka_unit_test(a_table_that_has_yet_to_grow_is_no_other_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
