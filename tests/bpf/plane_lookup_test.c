// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `flow lookup` says where XDP then sends the packet: thousands of random flows, in every state
 * of slots, cells and backends. Not here: whether that is where it should go (plane_test.c).
 */
#include "core/table.h"
#include "daemon/plane_show.h"
#include "plane_world.h"
#include "starling/cell.h"

#define ROUND 2000

static __u64 random_next(__u64 *random)
{
	return *random = mix64(*random);
}

static const char *id_text(struct world *w, __u32 id, char text[ENDPOINT_TEXT_BYTES])
{
	return id == NOBODY ? NULL : endpoint_format(&w->p->backend_by_id[id]->at, text);
}

/* One packet: what is foretold, what happens. */
static void packet_agrees(struct world *w, __u32 vip, __u32 flow, __u8 proto, __u8 flags)
{
	struct endpoint src = world_client(flow), dst = world_key(vip, proto);
	char text[ENDPOINT_TEXT_BYTES], foretold[ENDPOINT_TEXT_BYTES] = "";
	struct table *t = table_new(KIND_LOOKUP);
	struct err err = {0};
	const char *answer;
	__u32 id;

	if (plane_lookup(w->p, &src, &dst, t, &err))
		fail_msg("%s", err.text);
	answer = table_get_text(
		t, 0, proto == IPPROTO_TCP && flags & TCP_SYN ? FIELD_LOOKUP_new_backend : FIELD_LOOKUP_backend);
	if (answer && table_get_text(t, 0, FIELD_LOOKUP_verdict))
		answer = NULL;
	if (answer)
		snprintf(foretold, sizeof(foretold), "%s", answer);
	table_free(t);
	id = world_send(w, &src, &dst, flags);
	answer = id_text(w, id, text);
	assert_string_equal(foretold, answer ? answer : "");
}

/* Flows of every age: SYNs, old ones, FINs, UDP, to each of the VIPs. */
static void traffic_agrees(struct world *w, __u64 *random, __u32 packets)
{
	static const __u8 flags[] = {TCP_SYN, TCP_ACK, TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST};

	for (__u32 i = 0; i < packets; i++) {
		__u64 r = random_next(random);
		__u32 vip = 1 + mix_below(r, (__u32)w->p->vip_count), flow = (__u32)(r & 0x7ff);
		bool udp = r >> 20 & 1;

		/* A FIN or RST without a cell is judged like any other packet: lookup speaks of those. */
		packet_agrees(w, vip, flow, udp ? IPPROTO_UDP : IPPROTO_TCP,
			      udp ? 0 : flags[r >> 12 & 7 ? r % 4 : r % 6]);
	}
}

static struct world *world_of_all(__u32 flow_sets_log2)
{
	struct harness_options o = {.flow_sets_log2 = flow_sets_log2};
	struct world *w = world_new(&o);

	world_vip(w, 1, SCHEDULER_MH, 6);
	world_vip(w, 2, SCHEDULER_WRR, 6);
	world_vip(w, 3, SCHEDULER_WLC, 6);
	world_vip(w, 4, SCHEDULER_WLC, 6)->hash_source = true;
	world_vip(w, 5, SCHEDULER_MH, 6)->hash_source = true;
	world_apply(w);
	return w;
}

static struct vip_config *vip_wanted(struct world *w, __u32 vip)
{
	char name[STARLING_NAME_BYTES];

	snprintf(name, sizeof(name), "v%u", vip);
	return config_vip(w->wanted, name);
}

static void lookup_agrees_with_plain_split_and_pinned_slots(void **state)
{
	struct world *w = world_of_all(14);
	__u64 random = 1;

	(void)state;
	traffic_agrees(w, &random, ROUND);
	for (__u32 vip = 1; vip <= 5; vip++) {
		vip_wanted(w, vip)->backend[0].weight = 25;
		vip_wanted(w, vip)->backend[3].weight = 0;
	}
	world_apply(w);
	assert_int_not_equal(plane_vip_find(w->p, "v1")->split, 0);
	traffic_agrees(w, &random, ROUND);
	world_warmed(w);
	traffic_agrees(w, &random, ROUND);
	world_clock(w, 100);
	plane_tick(w->p);
	assert_int_not_equal(plane_vip_find(w->p, "v1")->pinned, 0);
	traffic_agrees(w, &random, ROUND);
	world_free(w);
}

static void lookup_agrees_while_a_table_is_resized(void **state)
{
	struct world *w = world_of_all(14);
	__u64 random = 2;

	(void)state;
	traffic_agrees(w, &random, ROUND);
	for (__u32 vip = 1; vip <= 5; vip++)
		vip_wanted(w, vip)->slots = 2039;
	world_apply(w);
	world_warmed(w);
	assert_true(plane_vip_find(w->p, "v1")->resizing);
	traffic_agrees(w, &random, 2 * ROUND);
	world_override(w, 1, 1, OVERRIDE_DISABLE);
	world_override(w, 2, 1, OVERRIDE_DRAIN);
	traffic_agrees(w, &random, ROUND);
	world_free(w);
}

static void lookup_agrees_with_draining_down_and_unresolved_backends(void **state)
{
	struct world *w = world_of_all(14);
	__u64 random = 3;

	(void)state;
	traffic_agrees(w, &random, ROUND);
	for (__u32 vip = 1; vip <= 5; vip++) {
		world_override(w, vip, 0, OVERRIDE_DRAIN);
		world_override(w, vip, 1, OVERRIDE_DISABLE);
	}
	traffic_agrees(w, &random, ROUND);
	for (__u32 vip = 1; vip <= 5; vip++)
		world_override(w, vip, 0, OVERRIDE_NONE);
	traffic_agrees(w, &random, ROUND);
	for (__u32 n = 0; n < 6; n++)
		world_override(w, 3, n, OVERRIDE_DISABLE);
	traffic_agrees(w, &random, ROUND);
	/* Words that the slots do not know of yet: XDP promotes by itself. */
	for (__u32 n = 0; n < 3; n++)
		plane_backend_word(w->p, plane_vip_find(w->p, "v1")->backend[n], BACKEND_DOWN);
	traffic_agrees(w, &random, ROUND);
	world_free(w);
}

static void lookup_agrees_when_cells_overflow(void **state)
{
	struct world *w = world_of_all(8);
	__u64 random = 4;

	(void)state;
	traffic_agrees(w, &random, 2 * ROUND);
	vip_wanted(w, 1)->backend[0].weight = 40;
	world_apply(w);
	traffic_agrees(w, &random, 2 * ROUND);
	assert_true(harness_overflows(w->dp.h) > 0 || harness_vip_count(w->dp.h, 2).overflows > 0);
	world_free(w);
}

static void lookup_agrees_without_cells(void **state)
{
	struct harness_options o = {.flow_sets_log2 = 12};
	struct world *w = world_new(&o);
	struct vip_config *v = world_vip(w, 1, SCHEDULER_WLC, 6);
	__u64 random = 5;

	(void)state;
	v->idle_ms = 0;
	v->key[0] = v->key[1];
	v->key_count = 1;
	world_apply(w);
	for (__u32 i = 0; i < ROUND; i++)
		packet_agrees(w, 1, (__u32)random_next(&random) & 0xfff, IPPROTO_UDP, 0);
	v->backend[2].weight = 100;
	world_apply(w);
	for (__u32 i = 0; i < ROUND; i++)
		packet_agrees(w, 1, (__u32)random_next(&random) & 0xfff, IPPROTO_UDP, 0);
	assert_int_equal(plane_vip_find(w->p, "v1")->split, 0);
	world_free(w);
}

static void an_address_of_no_vip_is_said_to_be_none(void **state)
{
	struct world *w = world_of_all(8);
	struct endpoint src = world_client(1), dst = world_key(77, IPPROTO_TCP);
	struct table *t = table_new(KIND_LOOKUP);
	struct err err = {0};

	(void)state;
	assert_int_equal(plane_lookup(w->p, &src, &dst, t, &err), -ENOENT);
	assert_non_null(strstr(err.text, "203.0.113.77"));
	table_free(t);
	world_free(w);
}

static void a_clients_flows_are_found_with_their_ports(void **state)
{
	struct world *w = world_of_all(14);
	struct endpoint src = world_client(5), dst = world_key(3, IPPROTO_TCP);
	struct table *t = table_new(KIND_FLOW);
	struct plane_flow_filter f = {.vip = "v3", .client = &src.addr};
	char text[ENDPOINT_TEXT_BYTES];
	struct err err = {0};

	(void)state;
	assert_int_not_equal(world_send(w, &src, &dst, TCP_SYN), NOBODY);
	assert_int_not_equal(world_send(w, &src, &dst, TCP_ACK), NOBODY);
	assert_int_equal(plane_show_flows(w->p, &f, t, &err), 0);
	assert_int_equal(table_rows(t), 1);
	assert_string_equal(table_get_text(t, 0, FIELD_FLOW_client), endpoint_format(&src, text));
	assert_string_equal(table_get_text(t, 0, FIELD_FLOW_state), "open");
	table_free(t);
	t = table_new(KIND_FLOW);
	f = (struct plane_flow_filter){.vip = "v3"};
	assert_int_equal(plane_show_flows(w->p, &f, t, &err), 0);
	assert_int_equal(table_rows(t), 1);
	table_free(t);
	world_free(w);
}

static void shows_have_a_row_for_everything(void **state)
{
	struct world *w = world_of_all(14);
	struct table *t;
	struct err err = {0};
	__u64 n, sum = 0;
	char why[128];

	(void)state;
	t = table_new(KIND_VIP);
	assert_int_equal(plane_show_vips(w->p, NULL, t, &err), 0);
	assert_int_equal(table_rows(t), 5);
	assert_int_equal(plane_show_vips(w->p, "nobody", t, &err), -ENOENT);
	table_free(t);
	t = table_new(KIND_BACKEND);
	assert_int_equal(plane_show_backends(w->p, "v1", t, &err), 0);
	assert_int_equal(table_rows(t), 6);
	table_free(t);
	t = table_new(KIND_SHARE);
	assert_int_equal(plane_show_shares(w->p, "v1", t, &err), 0);
	for (size_t i = 0; i < table_rows(t); i++)
		if (table_get_u64(t, i, FIELD_SHARE_slots, &n))
			sum += n;
	assert_int_equal(sum, 1021);
	table_free(t);
	t = table_new(KIND_SLOT);
	assert_int_equal(plane_show_slots(w->p, "v1", t, &err), 0);
	assert_int_equal(table_rows(t), 1021);
	table_free(t);
	t = table_new(KIND_STATUS);
	assert_int_equal(plane_show_status(w->p, t, &err), 0);
	assert_int_equal(table_rows(t), 1);
	assert_int_equal(table_error(t), 0);
	table_free(t);
	t = table_new(KIND_MAP);
	assert_int_equal(plane_show_maps(w->p, t, &err), 0);
	assert_true(table_rows(t) >= 5);
	table_free(t);
	assert_false(plane_ready(w->p, NULL, why)); /* no device in this test */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookup_agrees_with_plain_split_and_pinned_slots),
		cmocka_unit_test(lookup_agrees_while_a_table_is_resized),
		cmocka_unit_test(lookup_agrees_with_draining_down_and_unresolved_backends),
		cmocka_unit_test(lookup_agrees_when_cells_overflow),
		cmocka_unit_test(lookup_agrees_without_cells),
		cmocka_unit_test(an_address_of_no_vip_is_said_to_be_none),
		cmocka_unit_test(a_clients_flows_are_found_with_their_ports),
		cmocka_unit_test(shows_have_a_row_for_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
