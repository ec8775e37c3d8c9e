// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * 100,000 established flows of a Maglev VIP while its backends change, through the XDP program and with the real
 * plane: every old flow keeps its backend, every new one follows the new homes, the slots end plain. Alone and under
 * floods. Not here: the other schedulers (active_test.c, plane_test.c), the table of states (tests/unit).
 */
#include "plane_flows.h"

#define OLD	  100000u
#define NEW	  25000u /* connections opened in each of: split, pinned */
#define SETS_LOG2 18
#define IDLE_MS	  600000
#define ROUND	  1000 /* ticks: less than half of the idle time */
#define ROUNDS	  60   /* more than any change takes */
#define FLOODED	  3    /* rounds of a flood */
#define FORGED	  3    /* packets of it for each of a live flow: its cells fill the table within the idle time */

enum flood { FLOOD_NONE, FLOOD_ACK, FLOOD_UDP };

struct change {
	struct flows f;
	enum flood flood;
	__u32 live; /* flows 0 .. live - 1 are open */
	__u32 forged;
	__u8 home[OLD + 2 * NEW];
	__u32 moved, astray, unserved;
};

/* What a flood sends between two packets of live flows: each is of another forged flow. */
static void flood_some(struct change *c)
{
	for (int i = 0; c->flood != FLOOD_NONE && i < FORGED; i++)
		flows_send(&c->f, FLOWS_FORGED | (c->forged++ & ~FLOWS_FORGED), c->flood == FLOOD_ACK ? TCP_ACK : 0);
}

/* Connections that begin now, each at its slot's present home 0. */
static void live_open(struct change *c, __u32 count)
{
	__u32 end = c->live + count;

	for (__u32 n = c->live; n < end; n++) {
		__u32 to = flows_send(&c->f, n, TCP_SYN);

		c->home[n] = (__u8)to;
		c->unserved += to == NOBODY;
		c->astray += to != flows_home(&c->f, n);
		flood_some(c);
		c->moved += flows_send(&c->f, n, TCP_ACK) != to;
	}
	c->live = end;
}

static void live_stay(struct change *c)
{
	for (__u32 n = 0; n < c->live; n++) {
		c->moved += flows_send(&c->f, n, TCP_ACK) != c->home[n];
		flood_some(c);
	}
}

/* No cell, no move: what can get no cell while a slot is split goes to the previous home, and is counted. */
static void check(const struct change *c)
{
	__u64 overflows = harness_overflows(c->f.w->dp.h);

	assert_int_equal(c->unserved, 0);
	assert_int_equal(c->moved, 0);
	assert_true(c->astray <= overflows);
}

/* A backend comes, one gets three times its weight, one none at all. */
static void backends_change(struct change *c)
{
	struct world *w = c->f.w;
	struct vip_config *v = config_vip(w->wanted, "v1");
	struct backend_config added = {.at = world_backend(FLOWS_VIP, 10), .weight = 10, .tier = TIER_DEFAULT};
	struct endpoint heavy = world_backend(FLOWS_VIP, 3), none = world_backend(FLOWS_VIP, 7);

	assert_int_equal(vip_backend_add(v, &added), 0);
	vip_backend(v, &heavy)->weight = 30;
	vip_backend(v, &none)->weight = 0;
	world_apply(w);
}

/* Time goes on until no slot is split; the flood, if there is one, ends on the way. */
static __u32 until_pinned(struct change *c)
{
	__u32 rounds;

	for (rounds = 0; rounds < ROUNDS && flows_vip(&c->f)->split; rounds++) {
		if (rounds == FLOODED)
			c->flood = FLOOD_NONE;
		flows_pass(&c->f, ROUND);
		live_stay(c);
		plane_tick(c->f.w->p);
	}
	return rounds;
}

/* All flows but the last @spared close; the table forgets them. */
static void live_close(struct change *c, __u32 spared)
{
	for (__u32 n = 0; n < c->live - spared; n++) {
		c->moved += flows_send(&c->f, n, TCP_FIN | TCP_ACK) != c->home[n];
		c->moved += flows_send(&c->f, n, TCP_ACK) != c->home[n];
	}
	for (int i = 0; i < 3; i++) {
		flows_pass(&c->f, c->f.w->dp.h->config.closing_ticks + 1u);
		for (__u32 n = c->live - spared; n < c->live; n++)
			c->moved += flows_send(&c->f, n, TCP_ACK) != c->home[n];
		plane_tick(c->f.w->p);
	}
}

static void change_runs(enum flood flood)
{
	struct change *c = calloc(1, sizeof(*c));
	struct plane_vip *v;
	__u32 rounds, fresh[11] = {0};

	assert_non_null(c);
	flows_open_world(&c->f, SCHEDULER_MH, 10, IDLE_MS, SETS_LOG2);
	v = flows_vip(&c->f);
	live_open(c, OLD);
	assert_int_equal(v->split + v->pinned, 0);
	check(c);

	backends_change(c);
	world_warmed(c->f.w);
	assert_int_equal(v->warm, 0);
	assert_true(v->split > v->region.count / 8);
	c->flood = flood;
	live_open(c, NEW);
	for (__u32 n = OLD; n < c->live; n++)
		fresh[c->home[n]]++;
	assert_true(fresh[10] > NEW / 20);
	assert_int_equal(fresh[7], 0);
	rounds = until_pinned(c);
	print_message("%u slots of %u, pinned after %u rounds, %llu packets found no cell; ", v->region.count,
		      v->pinned, rounds, (unsigned long long)harness_overflows(c->f.w->dp.h));
	assert_true(!harness_overflows(c->f.w->dp.h) == (flood == FLOOD_NONE));
	assert_int_equal(v->split, 0);
	assert_true(v->pinned > 0);
	check(c);

	live_open(c, NEW);
	flows_pass(&c->f, ROUND);
	live_stay(c);
	plane_tick(c->f.w->p);
	check(c);
	live_close(c, NEW);
	check(c);
	print_message("%u slots not plain\n", v->split + v->pinned);
	assert_int_equal(v->split + v->pinned, 0);
	for (__u32 s = 0; s < v->region.count; s++)
		assert_int_equal(slot_state(c->f.w->dp.h->slots[v->region.base + s]), SLOT_PLAIN);
	world_free(c->f.w);
	free(c);
}

static void old_flows_stay_and_new_ones_follow(void **state)
{
	(void)state;
	change_runs(FLOOD_NONE);
}

static void the_same_under_a_flood_of_acks(void **state)
{
	(void)state;
	change_runs(FLOOD_ACK);
}

static void the_same_under_a_flood_of_udp(void **state)
{
	(void)state;
	change_runs(FLOOD_UDP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_flows_stay_and_new_ones_follow),
		cmocka_unit_test(the_same_under_a_flood_of_acks),
		cmocka_unit_test(the_same_under_a_flood_of_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
