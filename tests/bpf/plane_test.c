// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The plane against the XDP program: what it publishes keeps every flow where it is. Not here:
 * what the slots say in words (plane_lookup_test.c), large configurations (plane_bulk_test.c).
 */
#include "plane_world.h"
#include "starling/cell.h"

#define FLOWS 3000

static struct vip_config *vip_wanted(struct world *w, __u32 n)
{
	char name[STARLING_NAME_BYTES];

	snprintf(name, sizeof(name), "v%u", n);
	return config_vip(w->wanted, name);
}

static void weight_set(struct world *w, __u32 vip, __u32 n, __u32 weight)
{
	struct endpoint at = world_backend(vip, n);

	vip_backend(vip_wanted(w, vip), &at)->weight = weight;
}

static void backend_add(struct world *w, __u32 vip, __u32 n)
{
	struct backend_config b = {world_backend(vip, n), 10};

	assert_int_equal(vip_backend_add(vip_wanted(w, vip), &b), 0);
}

static void backend_delete(struct world *w, __u32 vip, __u32 n)
{
	struct endpoint at = world_backend(vip, n);

	assert_int_equal(vip_backend_delete(vip_wanted(w, vip), &at), 0);
}

static __u32 id_of(struct world *w, __u32 vip, __u32 n)
{
	struct endpoint at = world_backend(vip, n);
	char name[STARLING_NAME_BYTES];
	const struct plane_backend *b;

	snprintf(name, sizeof(name), "v%u", vip);
	b = plane_backend_find(plane_vip_find(w->p, name), &at);
	return b ? b->id : NOBODY;
}

/* Open flows @from .. @to-1 and say where they live. */
static void flows_open(struct world *w, __u32 vip, __u32 from, __u32 to, __u32 *home)
{
	for (__u32 i = from; i < to; i++) {
		home[i] = world_syn(w, vip, i);
		assert_int_not_equal(home[i], NOBODY);
		assert_int_equal(world_ack(w, vip, i), home[i]);
	}
}

static void flows_stay(struct world *w, __u32 vip, __u32 from, __u32 to, const __u32 *home)
{
	for (__u32 i = from; i < to; i++)
		assert_int_equal(world_ack(w, vip, i), home[i]);
}

/* Ticks until time has done its work on the slots: idle, swept, plain; the flows are never idle. */
static void slots_rest(struct world *w, __u32 vip, __u32 from, __u32 to, const __u32 *home)
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

static void maps_copy(const struct world *w, void **ret, size_t *ret_size)
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

static struct world *three_vips(void)
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
	struct vip_key key = plane_key(&dst);
	__u32 bit = filter_bit(&key);

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
	__u32 id = 0;

	(void)state;
	flows_open(w, 1, 0, FLOWS, home);
	/* A backend of a VIP that never came, a key of one that went, a slot that was not written any more. */
	w->dp.h->backends[500].word = BACKEND_WORD(0, BACKEND_UP, 1, 60, 3);
	assert_int_equal(bpf_map_update_elem(w->dp.h->keys_fd, &key, &(__u32){60}, BPF_ANY), 0);
	w->dp.h->backends[id_of(w, 1, 1)].word ^= (__u64)(BACKEND_UP ^ BACKEND_DOWN) << 8;
	world_restart(w);
	assert_int_not_equal(bpf_map_lookup_elem(w->dp.h->keys_fd, &key, &id), 0);
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
			     .timeout_ms = 1000,
			     .since_ms = wall_ms() - 2000};
	struct err err;

	(void)state;
	assert_int_equal(plane_override(w->p, &o, &err), 0);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_DRAINING);
	plane_tick(w->p);
	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[id_of(w, 1, 0)].word), BACKEND_DOWN);
	assert_string_equal(plane_backend_shown(plane_vip_find(w->p, "v1")->backend[0]), "disabled");
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
		cmocka_unit_test(a_larger_table_breaks_no_flow_and_frees_the_former_one),
		cmocka_unit_test(a_second_growth_waits_for_the_first),
		cmocka_unit_test(a_deleted_backend_leaves_no_trace_and_its_id_comes_back_clean),
		cmocka_unit_test(a_deleted_vip_is_passed_and_everything_is_free_again),
		cmocka_unit_test(what_cannot_be_had_changes_nothing),
		cmocka_unit_test(remains_of_a_killed_apply_are_taken_back),
		cmocka_unit_test(a_scheduler_change_keeps_flows_with_either_home),
		cmocka_unit_test(wrr_is_exact_also_after_weights_and_a_return),
		cmocka_unit_test(a_lost_next_hop_takes_no_new_flows_and_keeps_its_own),
		cmocka_unit_test(a_drain_ends_disabled_after_its_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
