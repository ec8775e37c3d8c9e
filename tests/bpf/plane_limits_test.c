// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends that may have so many connections and no more, as packets meet them: who gets what, who is refused, and
 * who serves instead. Not here: single packets against the oracle (fuzz_test.c), several balancers (net/schedule.sh).
 */
#include "core/fill.h"
#include "daemon/plane_facts.h"
#include "daemon/plane_view.h"
#include "plane_checked.h"

/* By their lines; 0: any number. */
static void limits_set(struct world *w, const __u32 most[BACKENDS])
{
	for (__u32 i = 0; i < BACKENDS; i++) {
		struct endpoint at = world_backend(1, i);

		vip_backend(vip_wanted(w, 1), &at)->maxconn = most[i];
	}
	world_apply(w);
}

static struct plane_backend *backend(struct world *w, __u32 n)
{
	return plane_backend_find(vip(w), &(struct endpoint){.addr = world_backend(1, n).addr, .port = htons(80)});
}

static __u32 open_of(struct world *w, __u32 n)
{
	return w->p->loads[backend(w, n)->id].open;
}

/* Tries flows @from .. @to-1; returns how many were let in. */
static __u32 flows_try(struct world *w, __u32 from, __u32 to, __u32 *home)
{
	__u32 in = 0;

	for (__u32 i = from; i < to; i++) {
		home[i] = world_syn(w, 1, i);
		if (home[i] == NOBODY)
			continue;
		in++;
		assert_int_equal(world_ack(w, 1, i), home[i]);
	}
	return in;
}

static void flow_end(struct world *w, __u32 flow)
{
	struct endpoint src = world_client(flow), dst = world_key(1, IPPROTO_TCP);

	world_send(w, &src, &dst, TCP_FIN | TCP_ACK);
}

/* As if all that was full had had room for so long. */
static void room_for_long(struct world *w)
{
	for (__u32 i = 0; i < BACKENDS; i++)
		backend(w, i)->full_at = (struct mono){1};
	plane_tick(w->p);
}

/* --- who gets what --- */

static void no_more_than_it_may_have_and_the_others_take_the_rest(enum scheduler s)
{
	struct world *w = checked_world(s, 0, 100);
	static __u32 home[FLOWS];

	limits_set(w, (__u32[BACKENDS]){50});
	assert_int_equal(flows_try(w, 0, FLOWS, home), FLOWS);
	assert_int_equal(open_of(w, 0), 50);
	assert_int_equal(harness_refused(w->dp.h, vip(w)->id), 0);
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full");
	assert_string_equal(shown(w, 2), "up");
	words_are(w, "UUUUUU");
	assert_non_null(strstr(told, "v1 10.1.0.1:80: up -> full: 50 connections of 50 that it may have\n"));
	flows_stay(w, 1, 0, FLOWS, home);
	world_free(w);
}

static void with_every_scheduler_that_counts_the_limit_is_exact(void **state)
{
	(void)state;
	no_more_than_it_may_have_and_the_others_take_the_rest(SCHEDULER_WLC);
	no_more_than_it_may_have_and_the_others_take_the_rest(SCHEDULER_LC);
	no_more_than_it_may_have_and_the_others_take_the_rest(SCHEDULER_WRR);
	no_more_than_it_may_have_and_the_others_take_the_rest(SCHEDULER_RR);
}

static void all_full_refuse_and_one_that_ends_lets_one_in(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	__u32 id = vip(w)->id, freed = 0;
	static __u32 home[400];
	char words[PLANE_BOUND_BYTES];

	(void)state;
	limits_set(w, (__u32[BACKENDS]){10, 10, 10, 10, 10, 10});
	/* Slots of which both homes are full give way by the next tick, so that it takes some to fill all. */
	for (__u32 i = 0; i < 3; i++, plane_tick(w->p))
		freed += flows_try(w, i * 100, (i + 1) * 100, home);
	assert_int_equal(freed, 60);
	for (__u32 i = 0; i < BACKENDS; i++)
		assert_int_equal(open_of(w, i), 10);
	assert_int_equal(harness_refused(w->dp.h, id), 240);
	assert_true(plane_vip_full(vip(w), words));
	assert_non_null(strstr(told, "v1: in service -> full: has no backend that takes more connections (maxconn)"));
	words_are(w, "UUUUUU"); /* there is nobody to wait for but them */
	assert_int_equal(world_syn(w, 1, 399), NOBODY);
	for (freed = 0; home[freed] == NOBODY; freed++)
		;
	flow_end(w, freed);
	assert_int_equal(open_of(w, backend(w, 0)->id == home[freed] ? 0 : w->p->backend_by_id[home[freed]]->index), 9);
	for (__u32 i = 300, in = 0; i < 400; i++) { /* whichever has a slot that names it */
		home[i] = world_syn(w, 1, i);
		in += home[i] != NOBODY;
		assert_in_range(in, 0, 1);
		if (i == 399)
			assert_int_equal(in, 1);
	}
	for (__u32 i = 0; i < 300; i++)
		if (home[i] != NOBODY && i != freed)
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

/* It asks where a packet of a flow without a cell would go. */
static void an_icmp_error_is_no_connection_that_is_refused(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct packet_spec error = {
		.src = packet_addr("192.0.2.77"), .icmp_type = 3, .icmp_code = 4, .icmp_word = 1400};
	struct endpoint client = world_client(FLOWS), vip_at = world_key(1, IPPROTO_UDP);
	struct packet_spec back = packet_udp("203.0.113.1", 53, "198.51.100.10", ntohs(client.port));
	static struct harness_result r;
	static struct packet quoted, p;
	static __u32 home[FLOWS];

	(void)state;
	limits_set(w, (__u32[BACKENDS]){1, 1, 1, 1, 1, 1});
	for (__u32 i = 0; i < 3; i++, plane_tick(w->p))
		flows_try(w, i * 100, (i + 1) * 100, home);
	assert_int_equal(harness_refused(w->dp.h, vip(w)->id), 300 - BACKENDS);
	back.dst = client.addr;
	packet_build(&back, &quoted);
	error.dst = vip_at.addr;
	packet_icmp_error(&error, &quoted, 28, &p);
	assert_int_not_equal(harness_verdict(w->dp.h, &p, &r), VERDICT_DROP_FULL);
	assert_int_equal(harness_refused(w->dp.h, vip(w)->id), 300 - BACKENDS);
	assert_int_equal(world_send(w, &client, &vip_at, 0), NOBODY); /* a datagram of that flow is one */
	assert_int_equal(harness_refused(w->dp.h, vip(w)->id), 301 - BACKENDS);
	world_free(w);
}

/* Of six four are full: near half of all slots name two of those. */
static void nobody_is_refused_while_others_have_room(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	__u64 effective = vip(w)->effective;
	static __u32 home[2 * FLOWS];
	__u32 id = vip(w)->id, refused;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){5, 5, 5, 5});
	assert_in_range(flows_try(w, 0, FLOWS, home), FLOWS / 2, FLOWS - 1);
	refused = (__u32)harness_refused(w->dp.h, id);
	plane_tick(w->p);
	assert_int_equal(flows_try(w, FLOWS, 2 * FLOWS, home), FLOWS);
	assert_int_equal(harness_refused(w->dp.h, id), refused);
	for (__u32 i = 0; i < 4; i++)
		assert_int_equal(open_of(w, i), 5);
	assert_int_equal(vip(w)->effective, effective); /* of counts, which differ from one balancer to the other */
	for (__u32 i = 0; i < 2 * FLOWS; i++)
		if (home[i] != NOBODY)
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

/* With a million slots such a pass takes long, and so does whatever waits for it. */
static void passes_for_room_alone_wait_for_longer_than_they_take(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[3 * FLOWS];

	(void)state;
	limits_set(w, (__u32[BACKENDS]){5, 5, 5, 5});
	flows_try(w, 0, FLOWS, home);
	vip(w)->room_at = mono_now();
	vip(w)->room_wait_ms = 3600000;
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full");
	assert_in_range(flows_try(w, FLOWS, 2 * FLOWS, home), FLOWS / 2, FLOWS - 1);
	vip(w)->room_at = (struct mono){1};
	vip(w)->room_wait_ms = 1;
	plane_tick(w->p);
	assert_int_equal(flows_try(w, 2 * FLOWS, 3 * FLOWS, home), FLOWS);
	world_free(w);
}

static void what_others_have_counts_and_half_open_ones_too(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[FLOWS];
	__u32 i;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){100});
	plane_peers_open(w->p, backend(w, 0)->id, 60);
	for (i = 0; i < FLOWS; i++)
		home[i] = world_syn(w, 1, i);
	assert_int_equal(w->p->loads[backend(w, 0)->id].half, 40);
	plane_peers_open(w->p, backend(w, 0)->id, 61); /* one too many: what is open stays */
	for (i = 0; i < FLOWS; i++)
		assert_int_equal(world_syn(w, 1, i), home[i]);
	assert_int_equal(harness_refused(w->dp.h, vip(w)->id), 0);
	world_free(w);
}

/* What a member says that lies is a number like others: none becomes small by what is added to it. */
static void who_claims_all_connections_there_are_fills_a_backend(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[FLOWS];

	(void)state;
	limits_set(w, (__u32[BACKENDS]){100});
	flows_try(w, 0, 60, home);
	assert_in_range(open_of(w, 0), 1, 60);
	plane_peers_open(w->p, backend(w, 0)->id, 0xffffffff);
	for (__u32 i = 60; i < FLOWS; i++)
		assert_int_not_equal(world_syn(w, 1, i), backend(w, 0)->id);
	world_free(w);
}

/* --- by whose word --- */

static void the_smaller_of_line_and_agent_counts_and_mh_has_none(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct plane_backend *b = backend(w, 0);
	const struct vip_entry *e = &w->dp.h->vips[vip(w)->id];

	(void)state;
	assert_false(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS);
	find(w, "uuuuuu");
	found[0].maxconn = 30;
	plane_checks(w->p);
	plane_settle(w->p);
	assert_int_equal(w->dp.h->limits[b->id].most, 30);
	assert_true(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS);
	limits_set(w, (__u32[BACKENDS]){20});
	assert_int_equal(w->dp.h->limits[b->id].most, 20);
	found[0].maxconn = 10;
	plane_checks(w->p);
	plane_settle(w->p);
	assert_int_equal(w->dp.h->limits[b->id].most, 10);
	found[0].maxconn = 0;
	plane_checks(w->p);
	plane_settle(w->p);
	assert_int_equal(w->dp.h->limits[b->id].most, 20);
	limits_set(w, (__u32[BACKENDS]){0});
	assert_int_equal(w->dp.h->limits[b->id].most, 0);
	assert_false(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS);
	found[0].maxconn = 10;
	plane_checks(w->p);
	plane_settle(w->p);
	vip_wanted(w, 1)->scheduler = SCHEDULER_MH;
	world_apply(w);
	assert_int_equal(w->dp.h->limits[b->id].most, 0);
	assert_false(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_LIMITS);
	world_free(w);
}

static void a_restart_forgets_neither_limit_nor_who_is_full(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[2 * FLOWS];

	(void)state;
	found[1].maxconn = 4;
	found[1].state = VERDICT_UP;
	found[1].since.ns = 1;
	plane_checks(w->p);
	limits_set(w, (__u32[BACKENDS]){5});
	flows_try(w, 0, FLOWS, home);
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full");
	world_restart(w);
	hooks_set(w);
	told[0] = '\0';
	memset(found, 0, sizeof(found));
	flows_try(w, FLOWS, FLOWS + FLOWS / 2, home); /* before there is a configuration */
	plane_tick(w->p);
	world_apply(w);
	plane_tick(w->p);
	flows_try(w, FLOWS + FLOWS / 2, 2 * FLOWS, home);
	assert_int_equal(open_of(w, 0), 5);
	assert_int_equal(open_of(w, 1), 4);
	assert_string_equal(shown(w, 0), "full");
	assert_string_equal(shown(w, 1), "full");
	assert_null(strstr(told, "full"));
	limits_set(w, (__u32[BACKENDS]){50}); /* a line's is not taken for an agent's */
	assert_int_equal(w->dp.h->limits[backend(w, 0)->id].most, 50);
	assert_int_equal(w->dp.h->limits[backend(w, 1)->id].most, 4);
	world_free(w);
}

static void after_a_restart_what_others_had_counts_until_they_have_told(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	__u32 id;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){100});
	id = backend(w, 0)->id;
	plane_peers_open(w->p, id, 60);
	plane_peers_open(w->p, id, 50);
	assert_int_equal(w->p->loads[id].peers, 50); /* began with nothing: it has heard all */
	world_restart(w);
	hooks_set(w);
	plane_peers_open(w->p, id, 0);
	assert_int_equal(w->p->loads[id].peers, 50);
	plane_peers_open(w->p, id, 51);
	assert_int_equal(w->p->loads[id].peers, 51);
	w->p->restarted = (struct mono){1};
	plane_peers_open(w->p, id, 7);
	assert_int_equal(w->p->loads[id].peers, 7);
	world_free(w);
}

static void what_an_earlier_version_left_is_no_limit(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	__u32 id;

	(void)state;
	id = backend(w, 0)->id;
	w->dp.h->limits[id] = (struct backend_limit){.most = 4, .agent = 4};
	world_restart(w);
	hooks_set(w);
	memset(found, 0, sizeof(found));
	world_apply(w);
	assert_int_equal(w->dp.h->limits[id].most, 0);
	assert_int_equal(backend(w, 0)->maxconn, 0);
	world_free(w);
}

static void full_and_filling_a_restart_knows_its_weight(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[FLOWS];

	(void)state;
	vip_wanted(w, 1)->slow_start_ms = 100000;
	limits_set(w, (__u32[BACKENDS]){5});
	find(w, "cuuuuu");
	find(w, "uuuuuu");
	assert_string_equal(shown(w, 0), "filling");
	flows_try(w, 0, FLOWS, home);
	plane_tick(w->p);
	assert_true(backend(w, 0)->full);
	assert_int_equal(backend(w, 0)->filling, FILL_STEPS);
	world_restart(w);
	hooks_set(w);
	assert_int_equal(backend(w, 0)->filling, FILL_STEPS);
	world_apply(w);
	for (__u32 i = 0; i < BACKENDS; i++)
		assert_int_equal(backend(w, i)->weight, 10);
	world_free(w);
}

/* --- without a controller --- */

/* Nobody frees cells of connections that were never made, so that in the end they would be all that a backend may have.
 */
static void without_a_controller_limits_end_and_with_it_they_are_back(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	__u32 in = 0;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){10, 10, 10, 10, 10, 10});
	for (__u32 i = 0; i < 1000; i++)
		in += world_syn(w, 1, i) != NOBODY;
	assert_in_range(in, 1, 60);
	harness_age(w->dp.h, w->dp.h->config.tended_ticks - 2u);
	for (__u32 i = 1000; i < 1100; i++)
		in += world_syn(w, 1, i) != NOBODY;
	assert_in_range(in, 1, 60);
	harness_age(w->dp.h, 100000 / 256);
	for (__u32 i = 2000; i < 3000; i++)
		assert_int_not_equal(world_syn(w, 1, i), NOBODY);
	plane_tick(w->p);
	in = 0;
	for (__u32 i = 3000; i < 4000; i++)
		in += world_syn(w, 1, i) != NOBODY;
	assert_in_range(in, 0, 60);
	world_free(w);
}

/* --- for how long --- */

static void full_is_told_once_and_so_is_room_after_a_time(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[FLOWS];
	__u32 ended = 0;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){20});
	flows_try(w, 0, FLOWS, home);
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full");
	for (__u32 i = 0; i < FLOWS && ended < 2; i++)
		if (home[i] == backend(w, 0)->id) {
			flow_end(w, i);
			ended++;
		}
	room_for_long(w); /* 18 are no tenth fewer than 20, but as many */
	assert_string_equal(shown(w, 0), "up");
	assert_non_null(strstr(told, "v1 10.1.0.1:80: full -> up: \n"));
	told[0] = '\0';
	flows_try(w, 0, FLOWS, home);
	plane_tick(w->p);
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] == backend(w, 0)->id) {
			flow_end(w, i);
			break;
		}
	room_for_long(w); /* nineteen */
	assert_string_equal(shown(w, 0), "full");
	for (__u32 i = 0; i < FLOWS; i++)
		if (home[i] == backend(w, 0)->id)
			flow_end(w, i);
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full"); /* a moment ago */
	assert_int_equal(flows_try(w, 0, FLOWS, home), FLOWS);
	assert_int_equal(open_of(w, 0), 20); /* which is none to the program */
	assert_string_equal(told, "v1 10.1.0.1:80: up -> full: 20 connections of 20 that it may have\n");
	world_free(w);
}

/* Half-open ones, which it alone has, may have filled it for a moment, and no other balancer knows of that. */
static void one_fewer_is_room_too_after_a_longer_time(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	static __u32 home[FLOWS];
	__u32 i = 0;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){20});
	flows_try(w, 0, FLOWS, home);
	plane_tick(w->p);
	while (home[i] != backend(w, 0)->id)
		i++;
	flow_end(w, i);
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "full");
	backend(w, 0)->topped_at = (struct mono){1};
	plane_tick(w->p);
	assert_string_equal(shown(w, 0), "up");
	world_free(w);
}

/* --- who serves instead --- */

static void a_full_tier_has_the_next_one_serve_and_at_last_the_sorry_backend(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct endpoint sorry = world_backend(1, 90);
	char words[PLANE_BOUND_BYTES];
	static __u32 home[4 * FLOWS];
	struct plane_backend *s;

	(void)state;
	for (__u32 i = 0; i < BACKENDS; i++) {
		struct endpoint at = world_backend(1, i);

		vip_backend(vip_wanted(w, 1), &at)->tier = i < 2 ? 1 : 2;
	}
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), &sorry), 0);
	limits_set(w, (__u32[BACKENDS]){30, 30, 5, 5, 5, 5});
	assert_int_equal(flows_try(w, 0, FLOWS, home), 60);
	plane_tick(w->p);
	words_are(w, "ddUUUU");
	assert_string_equal(shown(w, 0), "full");
	assert_string_equal(shown(w, 2), "up");
	assert_true(plane_vip_backup(vip(w), words));
	assert_string_equal(words, "is served by tier 2: those of a lower one that are usable are full (maxconn)");
	assert_int_equal(flows_try(w, FLOWS, 2 * FLOWS, home), 20);
	plane_tick(w->p);
	s = plane_backend_find(vip(w), &sorry);
	assert_int_equal(s->word_state, BACKEND_UP);
	assert_true(plane_vip_panics(vip(w), words));
	assert_string_equal(words, "is served by its sorry backend: all others are full (maxconn)");
	assert_int_equal(flows_try(w, 2 * FLOWS, 3 * FLOWS, home), FLOWS);
	assert_int_equal(w->p->loads[s->id].open, FLOWS);
	for (__u32 i = 0; i < 2 * FLOWS; i++)
		if (home[i] == backend(w, 0)->id)
			flow_end(w, i);
	room_for_long(w);
	words_are(w, "UUdddd");
	assert_int_equal(s->word_state, BACKEND_DRAINING);
	for (__u32 i = 0; i < 3 * FLOWS; i++)
		if (home[i] != NOBODY && home[i] != backend(w, 0)->id)
			assert_int_equal(world_ack(w, 1, i), home[i]);
	world_free(w);
}

static void lookup_knows_who_would_be_refused(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct endpoint dst = world_key(1, IPPROTO_TCP);
	static __u32 home[FLOWS];
	__u32 refused = 0;

	(void)state;
	limits_set(w, (__u32[BACKENDS]){3, 3, 3, 3, 40, 40});
	for (__u32 i = 0; i < FLOWS; i++) {
		struct endpoint src = world_client(i);
		struct where would;

		plane_where(w->p, vip(w), plane_flow_hash(w->p, vip(w), &src, &dst), PACKET_SYN, &would);
		home[i] = world_syn(w, 1, i);
		assert_int_equal(would.backend, home[i] == NOBODY ? ID_NONE : home[i]);
		assert_int_equal(would.full, home[i] == NOBODY);
		refused += would.full;
	}
	assert_in_range(refused, 1, FLOWS - 1);
	assert_int_equal(refused, harness_refused(w->dp.h, vip(w)->id));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_every_scheduler_that_counts_the_limit_is_exact),
		cmocka_unit_test(all_full_refuse_and_one_that_ends_lets_one_in),
		cmocka_unit_test(an_icmp_error_is_no_connection_that_is_refused),
		cmocka_unit_test(nobody_is_refused_while_others_have_room),
		cmocka_unit_test(passes_for_room_alone_wait_for_longer_than_they_take),
		cmocka_unit_test(what_others_have_counts_and_half_open_ones_too),
		cmocka_unit_test(the_smaller_of_line_and_agent_counts_and_mh_has_none),
		cmocka_unit_test(a_restart_forgets_neither_limit_nor_who_is_full),
		cmocka_unit_test(who_claims_all_connections_there_are_fills_a_backend),
		cmocka_unit_test(after_a_restart_what_others_had_counts_until_they_have_told),
		cmocka_unit_test(what_an_earlier_version_left_is_no_limit),
		cmocka_unit_test(full_and_filling_a_restart_knows_its_weight),
		cmocka_unit_test(one_fewer_is_room_too_after_a_longer_time),
		cmocka_unit_test(without_a_controller_limits_end_and_with_it_they_are_back),
		cmocka_unit_test(full_is_told_once_and_so_is_room_after_a_time),
		cmocka_unit_test(a_full_tier_has_the_next_one_serve_and_at_last_the_sorry_backend),
		cmocka_unit_test(lookup_knows_who_would_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
