// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The plane's room against the XDP program: growth, deletion, what cannot be had, and what a killed
 * one has left. Not here: other changes (plane_test.c).
 */
#include "plane_change.h"
#include "starling/cell.h"

static void a_larger_table_breaks_no_flow_and_frees_the_former_one(void **state)
{
	struct world *w = three_vips();
	struct plane_vip *v = plane_vip_find(w->p, "v1");
	struct span former = v->region;
	static __u32 home[2 * FLOWS];
	__u32 unused;

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	for (__u32 i = 5; i < 15; i++)
		backend_add(w, 1, i);
	world_apply(w);
	assert_int_equal(v->region.count, former.count);
	world_warmed(w);
	assert_int_equal(v->region.count, 2039);
	assert_int_equal(v->previous.base, former.base);
	flows_stay(w, 1, 0, FLOWS, home);
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	world_override(w, 1, 1, OVERRIDE_DRAIN);
	world_warmed(w);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	unused = arena_unused(&w->p->arena);
	slots_rest(w, 1, 0, 2 * FLOWS, home);
	assert_int_equal(v->previous.count, 0);
	assert_int_equal(arena_unused(&w->p->arena), unused + former.count);
	flows_stay(w, 1, 0, 2 * FLOWS, home);
	world_free(w);
}

static void a_second_growth_waits_for_the_first(void **state)
{
	struct world *w = three_vips();
	struct plane_vip *v = plane_vip_find(w->p, "v1");
	static __u32 home[FLOWS];

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	for (__u32 i = 5; i < 15; i++)
		backend_add(w, 1, i);
	world_apply(w);
	world_warmed(w);
	for (__u32 i = 15; i < 25; i++)
		backend_add(w, 1, i);
	world_apply(w);
	world_warmed(w);
	assert_int_equal(v->region.count, 2039);
	slots_rest(w, 1, 0, FLOWS, home);
	assert_int_equal(v->region.count, 4093);
	flows_stay(w, 1, 0, FLOWS, home);
	world_free(w);
}

static void a_deleted_backend_leaves_no_trace_and_its_id_comes_back_clean(void **state)
{
	struct world *w = three_vips();
	static __u32 home[FLOWS];
	__u32 gone, held = 0;

	(void)state;
	flows_open(w, 3, 0, FLOWS, home);
	gone = id_of(w, 3, 2);
	backend_delete(w, 3, 2);
	world_apply(w);
	assert_int_equal(w->p->backend_ids.state[gone], ID_RETIRED);
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] != gone)
			assert_int_equal(world_ack(w, 3, i), home[i]);
	plane_tick(w->p);
	plane_tick(w->p);
	plane_tick(w->p);
	assert_int_equal(w->p->backend_ids.state[gone], ID_FREE);
	for (__u32 s = 0; s < w->dp.h->sets_max; s++)
		for (int i = 0; i < FLOW_WAYS; i++)
			held += cell_state(w->dp.h->flows[s].cell[i]) != CELL_FREE &&
				cell_backend(w->dp.h->flows[s].cell[i]) == gone;
	assert_int_equal(held, 0);
	w->p->backend_ids.next = gone;
	backend_add(w, 3, 9);
	world_apply(w);
	assert_int_equal(id_of(w, 3, 9), gone);
	assert_int_equal(harness_backend_count(w->dp.h, gone).packets, 0);
	assert_int_equal(w->dp.h->loads[gone].open, 0);
	world_free(w);
}

static void a_deleted_vip_is_passed_and_everything_is_free_again(void **state)
{
	struct world *w = three_vips();
	__u32 slots = arena_unused(&w->p->arena);
	struct endpoint src = world_client(1), dst = world_key(3, IPPROTO_TCP);
	struct packet_spec s = {.src = src.addr,
				.dst = dst.addr,
				.sport = 9999,
				.dport = 80,
				.proto = IPPROTO_TCP,
				.tcp_flags = TCP_SYN};
	static struct packet packet;
	static struct harness_result r;
	__u32 bit = key_table_filter_bit(dst.addr.byte);

	(void)state;
	assert_int_equal(config_vip_delete(w->wanted, "v3"), 0);
	world_apply(w);
	packet_build(&s, &packet);
	assert_int_equal(harness_run(w->dp.h, &packet, &r), 0);
	assert_int_equal(r.action, XDP_PASS);
	assert_int_equal(w->dp.h->filter->bits[bit / 64] >> (bit % 64) & 1, 0);
	assert_int_equal(arena_unused(&w->p->arena), slots + 1021);
	plane_tick(w->p);
	plane_tick(w->p);
	assert_int_equal(w->p->backend_ids.unused, w->dp.h->backends_max - 10);
	world_free(w);
}

static void what_cannot_be_had_changes_nothing(void **state)
{
	struct world *w = three_vips();
	void *before, *after;
	struct err err = {0};
	struct vip_config *v;
	size_t size;

	(void)state;
	maps_copy(w, &before, &size);
	v = world_vip(w, 4, SCHEDULER_MH, 2);
	v->slots = 1048573;
	weight_set(w, 1, 0, 77);
	assert_int_equal(world_try(w, NULL, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "v4"));
	maps_copy(w, &after, &size);
	assert_memory_equal(before, after, size);
	free(after);

	/* The kernel refuses a key halfway: what was done is taken back. */
	v->slots = 0;
	w->dp.keys_left = 2;
	assert_int_equal(world_try(w, NULL, &err), -E2BIG);
	assert_null(plane_vip_find(w->p, "v4"));
	assert_int_equal(plane_vip_find(w->p, "v1")->backend[0]->weight, 10);
	assert_int_equal(w->p->vip_count, 3);
	w->dp.keys_left = 0;
	assert_int_equal(world_try(w, NULL, &err), 0);
	free(before);
	world_free(w);
}

static void remains_of_a_killed_apply_are_taken_back(void **state)
{
	struct world *w = three_vips();
	static __u32 home[FLOWS];
	struct endpoint stray = world_key(9, IPPROTO_TCP);
	struct vip_key key = plane_key(&stray);
	struct plane_vip *v;

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	/* A backend of a VIP that never came, a key of one that went, a slot that was not written any more. */
	w->dp.h->backends[500].word = BACKEND_WORD(0, BACKEND_UP, 1, 60, 3);
	assert_int_equal(dataplane_key_set(&w->dp, &key, 60), 0);
	w->dp.h->backends[id_of(w, 1, 1)].word ^= (__u64)(BACKEND_UP ^ BACKEND_DOWN) << 8;
	world_restart(w);
	assert_int_equal(dataplane_key_delete(&w->dp, &key), -ENOENT);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[500].word), BACKEND_UNUSED);
	v = plane_vip_find(w->p, "v1");
	for (__u32 s = 0; s < v->region.count; s++)
		assert_int_not_equal(slot_home0(w->dp.h->slots[v->region.base + s]), id_of(w, 1, 1));
	world_apply(w);
	plane_tick(w->p);
	plane_tick(w->p);
	assert_int_equal(w->p->backend_ids.state[500], ID_FREE);
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] != id_of(w, 1, 1))
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_larger_table_breaks_no_flow_and_frees_the_former_one),
		cmocka_unit_test(a_second_growth_waits_for_the_first),
		cmocka_unit_test(a_deleted_backend_leaves_no_trace_and_its_id_comes_back_clean),
		cmocka_unit_test(a_deleted_vip_is_passed_and_everything_is_free_again),
		cmocka_unit_test(what_cannot_be_had_changes_nothing),
		cmocka_unit_test(remains_of_a_killed_apply_are_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
