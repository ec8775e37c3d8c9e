// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends that clients fail at, through the XDP program and with the real plane: who is suspected, who is avoided, and
 * what becomes of its flows. Not here: the rule (unit/outlier_test), what a sign is (sign_test).
 */
#include "plane_flows.h"

#define BACKENDS  4
#define DEAF	  2
#define SOURCE	  50000u /* flows of one address */
#define A_SECOND  400	 /* connections */
#define SETS_LOG2 14

struct clients {
	struct flows f;
	struct mono now;
	__u32 began;
	__u32 bad;  /* connections to who is deaf */
	__u32 deaf; /* backends from DEAF on that are, if any is */
};

static char told[4096];
static __u32 suspected;

static void hook_event(void *arg, const struct plane_event *e)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s: %s -> %s: %s\n", e->object, e->before ? e->before : "none",
		 e->after ? e->after : "none", e->why);
}

static void hook_suspected(void *arg, const struct check_config *check, const struct endpoint *at)
{
	struct endpoint deaf = world_backend(FLOWS_VIP, DEAF);

	(void)arg;
	assert_non_null(check);
	assert_int_equal(endpoint_compare(at, &deaf), 0);
	suspected++;
}

static void clients_open(struct clients *c, enum scheduler s, enum passive passive)
{
	memset(c, 0, sizeof(*c));
	c->deaf = 1;
	flows_open_world(&c->f, s, BACKENDS, 60000, SETS_LOG2);
	c->now = mono_now();
	c->began = SOURCE / 2; /* below: single flows of tests */
	c->f.w->p->hooks.event = hook_event;
	c->f.w->p->hooks.suspected = hook_suspected;
	config_vip(c->f.w->wanted, "v1")->passive = passive;
	world_apply(c->f.w);
	told[0] = '\0';
	suspected = 0;
}

/* A second: connections of many clients, of which those to DEAF get no answer if it is so; then the tick. */
static void second_pass(struct clients *c, bool deaf)
{
	struct plane *p = c->f.w->p;

	for (__u32 i = 0; i < A_SECOND; i++) {
		__u32 n = i * SOURCE + c->began % SOURCE, to = flows_send(&c->f, n, TCP_SYN);

		if (to >= DEAF && to < DEAF + c->deaf) {
			c->bad++;
			if (deaf)
				assert_int_equal(flows_send(&c->f, n, TCP_SYN), to);
		} else {
			assert_int_equal(flows_send(&c->f, n, TCP_ACK), to);
		}
	}
	c->began++;
	c->now = mono_after(c->now, 1000);
	for (__u32 i = 0; i < BACKENDS; i++) {
		struct plane_backend *b = flows_vip(&c->f)->backend[i];

		plane_passive_add(p, b, harness_backend_count(c->f.w->dp.h, b->id).connections, c->now);
	}
	plane_passive_tick(p, c->now);
	plane_settle(p);
}

static const char *shown(struct clients *c, __u32 i)
{
	struct endpoint at = world_backend(FLOWS_VIP, i);

	return plane_backend_shown(plane_backend_find(flows_vip(&c->f), &at));
}

static void who_does_not_answer_clients_is_avoided_and_keeps_its_flows(void **state)
{
	static const enum scheduler by[] = {SCHEDULER_WLC, SCHEDULER_WRR};
	struct clients c;
	__u32 old = 0;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		clients_open(&c, by[k], PASSIVE_EJECT);
		while (flows_send(&c.f, ++old, TCP_SYN) != DEAF) {
		}
		assert_int_equal(flows_send(&c.f, old, TCP_ACK), DEAF);
		for (int i = 0; i < 5; i++)
			second_pass(&c, false);
		assert_string_equal(told, "");
		for (int i = 0; i < 5; i++)
			second_pass(&c, true);
		for (__u32 i = 0; i < BACKENDS; i++)
			assert_string_equal(shown(&c, i), i == DEAF ? "avoided" : "up");
		assert_non_null(strstr(told, "up -> avoided: clients' connections fail: "));
		assert_non_null(strstr(told, " of its SYNs come again, of its peers' 0.0 %\n"));
		c.bad = 0;
		second_pass(&c, true);
		assert_int_equal(c.bad, 0);
		assert_int_equal(flows_send(&c.f, old, TCP_ACK), DEAF);

		config_vip(c.f.w->wanted, "v1")->passive = PASSIVE_OFF;
		world_apply(c.f.w);
		second_pass(&c, false);
		assert_string_equal(shown(&c, DEAF), "up");
		second_pass(&c, false);
		assert_true(c.bad > 0);
		world_free(c.f.w);
	}
}

static void backups_do_not_make_two_of_four_a_third(void **state)
{
	struct clients c;

	(void)state;
	clients_open(&c, SCHEDULER_WLC, PASSIVE_EJECT);
	for (__u32 i = 0; i < 2; i++) {
		struct backend_config backup = {
			.at = world_backend(FLOWS_VIP, BACKENDS + i), .weight = 10, .tier = TIER_DEFAULT + 1};

		assert_int_equal(vip_backend_add(config_vip(c.f.w->wanted, "v1"), &backup), 0);
	}
	world_apply(c.f.w);
	assert_string_equal(shown(&c, BACKENDS), "standby");
	told[0] = '\0';
	c.deaf = 2;
	for (int i = 0; i < 10; i++)
		second_pass(&c, true);
	assert_string_equal(told, "");
	c.deaf = 1;
	for (int i = 0; i < 20; i++)
		second_pass(&c, true);
	assert_string_equal(shown(&c, DEAF), "avoided");
	assert_string_equal(shown(&c, DEAF + 1), "up");
	world_free(c.f.w);
}

/* A source counts as one connection, whatever comes of it again and is reset. */
static void with_hash_source_no_signs_are_looked_for(void **state)
{
	static const enum scheduler by[] = {SCHEDULER_WLC, SCHEDULER_MH};
	struct plane_fares fares;
	struct clients c;
	struct endpoint at = world_backend(FLOWS_VIP, 0);
	const struct vip_entry *e;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		clients_open(&c, by[k], PASSIVE_EJECT);
		assert_true(plane_backend_fares(c.f.w->p, "v1", &at, &fares));
		config_vip(c.f.w->wanted, "v1")->hash_source = true;
		world_apply(c.f.w);
		e = &c.f.w->dp.h->vips[flows_vip(&c.f)->id];
		assert_false(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_NOTES);
		assert_false(plane_backend_fares(c.f.w->p, "v1", &at, &fares));
		world_free(c.f.w);
	}
}

static void a_restart_finds_no_change_whatever_is_heeded(void **state)
{
	struct clients c;

	(void)state;
	for (int k = 0; k < 8; k++) {
		clients_open(&c, k & 2 ? SCHEDULER_WLC : SCHEDULER_MH, k & 1 ? PASSIVE_OFF : PASSIVE_EJECT);
		config_vip(c.f.w->wanted, "v1")->hash_source = k & 4;
		world_apply(c.f.w);
		world_restart(c.f.w);
		assert_int_equal(world_apply(c.f.w).vips_unchanged, 1);
		world_free(c.f.w);
	}
}

static void by_default_it_is_suspected_and_its_check_is_hurried(void **state)
{
	struct check_config check = {.kind = CHECK_TCP};
	struct clients c;
	struct err err;

	(void)state;
	clients_open(&c, SCHEDULER_MH, PASSIVE_SUSPECT);
	assert_int_equal(check_config_complete(&check, &err), 0);
	assert_int_equal(vip_check_set(config_vip(c.f.w->wanted, "v1"), &check), 0);
	world_apply(c.f.w);
	for (int i = 0; i < 3; i++)
		second_pass(&c, false);
	assert_int_equal(suspected, 0);
	for (int i = 0; i < 6; i++)
		second_pass(&c, true);
	assert_in_range(suspected, 1, 6);
	assert_string_equal(shown(&c, DEAF), "up");
	assert_non_null(strstr(told, "up -> suspect: clients' connections fail: "));
	for (int i = 0; i < 40; i++)
		second_pass(&c, false);
	assert_non_null(strstr(told, "suspect -> up: "));
	world_free(c.f.w);
}

static void notes_are_left_where_they_are_looked_at(void **state)
{
	struct clients c;

	(void)state;
	for (int k = 0; k < 4; k++) {
		enum passive passive = k & 1 ? PASSIVE_OFF : PASSIVE_SUSPECT;
		const struct vip_entry *e;

		clients_open(&c, k & 2 ? SCHEDULER_WLC : SCHEDULER_MH, passive);
		e = &c.f.w->dp.h->vips[flows_vip(&c.f)->id];
		assert_int_equal(!!(e->copy[VIP_WORD_SELECT(e->word)].flags & VIP_NOTES), k == 0);
		world_free(c.f.w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_answer_clients_is_avoided_and_keeps_its_flows),
		cmocka_unit_test(backups_do_not_make_two_of_four_a_third),
		cmocka_unit_test(with_hash_source_no_signs_are_looked_for),
		cmocka_unit_test(a_restart_finds_no_change_whatever_is_heeded),
		cmocka_unit_test(by_default_it_is_suspected_and_its_check_is_hurried),
		cmocka_unit_test(notes_are_left_where_they_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
