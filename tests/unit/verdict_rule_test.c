// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who observes, and what votes make a verdict. Not here: signatures (verdict_vote_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"
#include "core/verdict_rule.h"
#include "signer.h"

#define NODES_MAX 128

static struct roster roster_of(size_t nodes, const __u32 *stake)
{
	static struct signer signer[NODES_MAX];
	struct roster roster;

	for (__u32 i = 0; i < nodes; i++)
		signer_ideal(&signer[i], i + 1);
	roster = signers_roster(signer, nodes);
	for (size_t i = 0; stake && i < nodes; i++)
		roster.node[i].stake = stake[i];
	return roster;
}

static struct verdict_seats seats_of(const struct roster *roster, enum verdict_mode mode, __u32 liars, __u64 target)
{
	struct verdict_rule rule = {.mode = mode, .liars = liars};
	struct verdict_seats seats;

	verdict_seats_draw(roster, &rule, target, &seats);
	return seats;
}

static void seats_and_quorums_are_as_published(void **state)
{
	static const struct {
		size_t nodes;
		__u32 liars;
		size_t seats, quorum, borne;
	} row[] = {
		{0, 1, 0, 1, 0}, {1, 1, 1, 1, 0}, {2, 1, 2, 2, 0}, {3, 2, 3, 2, 0}, {4, 1, 4, 3, 1},
		{4, 2, 4, 3, 1}, {6, 2, 4, 3, 1}, {7, 1, 4, 3, 1}, {7, 2, 7, 5, 2}, {100, 2, 7, 5, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct roster roster = roster_of(row[i].nodes, NULL);
		struct verdict_seats s = seats_of(&roster, VERDICT_MODE_VOTE, row[i].liars, 1);

		assert_int_equal(s.count, row[i].seats);
		assert_int_equal(s.quorum, row[i].quorum);
		assert_int_equal(s.liars, row[i].borne);
		roster_free(&roster);
	}
}

static void seats_are_spread_evenly(void **state)
{
	struct roster roster = roster_of(32, NULL);
	size_t load[32] = {0};

	(void)state;
	for (__u64 target = 0; target < 8000; target++) {
		struct verdict_seats s = seats_of(&roster, VERDICT_MODE_VOTE, 1, target);

		for (size_t i = 0; i < s.count; i++)
			for (size_t k = 0; k < 32; k++)
				load[k] += roster.node[k].id == s.seat[i].id;
	}
	for (size_t k = 0; k < 32; k++)
		assert_in_range(load[k], 880, 1120); /* 1000, four standard deviations */
	roster_free(&roster);
}

/* A node more takes some seats itself, and moves no other. */
static void another_node_moves_only_its_own_seats(void **state)
{
	struct roster before = roster_of(20, NULL), after = roster_of(21, NULL);
	size_t moved = 0;

	(void)state;
	for (__u64 target = 0; target < 2000; target++) {
		struct verdict_seats a = seats_of(&before, VERDICT_MODE_VOTE, 1, target),
				     b = seats_of(&after, VERDICT_MODE_VOTE, 1, target);
		size_t lost = 0;

		for (size_t i = 0; i < a.count; i++)
			lost += verdict_seat_of(&b, a.seat[i].id) < 0;
		assert_true(lost <= 1);
		moved += lost;
	}
	assert_in_range(moved, 300, 460); /* 2000 x 4 / 21 */
	roster_free(&before);
	roster_free(&after);
}

static void only_observers_of_the_site_have_seats(void **state)
{
	struct roster roster = roster_of(12, NULL);
	struct verdict_rule rule = {.mode = VERDICT_MODE_VOTE, .liars = 1, .site = "east"};
	struct verdict_seats seats;
	__u64 witness[VERDICT_WITNESSES];

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		strcpy(roster.node[i].site, i % 2 ? "east" : "west");
		roster.node[i].roles = i == 1 ? ROLE_VOTER : ROLE_OBSERVER;
	}
	for (__u64 target = 0; target < 50; target++) {
		size_t witnesses;

		verdict_seats_draw(&roster, &rule, target, &seats);
		assert_int_equal(seats.count, 4);
		for (size_t i = 0; i < seats.count; i++) {
			const struct roster_node *node = roster_find_id(&roster, seats.seat[i].id);

			assert_true(node->roles == ROLE_OBSERVER && !strcmp(node->site, "east"));
		}
		witnesses = verdict_witnesses_draw(&roster, &rule, &seats, mix64(target), witness);
		assert_int_equal(witnesses, 1); /* five observers in the east */
		assert_true(verdict_seat_of(&seats, witness[0]) < 0);
	}
	roster_free(&roster);
}

/* Whatever the stakes, the f heaviest hold under a third, and the others suffice. */
static void no_f_seats_have_a_third_of_the_weight(void **state)
{
	(void)state;
	for (__u64 round = 0; round < 2000; round++) {
		size_t nodes = round % 2 ? 4 : 7, liars = round % 2 ? 1 : 2;
		__u64 sum = 0, heaviest[2] = {0};
		__u32 stake[7];
		struct roster roster;
		struct verdict_seats s;

		for (size_t i = 0; i < nodes; i++)
			stake[i] = 1 + mix_below(mix64(round * 7 + i), round % 3 ? 65535 : 4);
		roster = roster_of(nodes, stake);
		s = seats_of(&roster, VERDICT_MODE_STAKE, (__u32)liars, 1);
		for (size_t i = 0; i < s.count; i++) {
			__u32 weight = s.seat[i].weight;

			assert_in_range(weight, 1, roster_find_id(&roster, s.seat[i].id)->stake);
			sum += weight;
			if (weight > heaviest[0]) {
				heaviest[1] = heaviest[0];
				heaviest[0] = weight;
			} else if (weight > heaviest[1]) {
				heaviest[1] = weight;
			}
		}
		assert_true(3 * (heaviest[0] + (liars > 1 ? heaviest[1] : 0)) < sum);
		roster_free(&roster);
	}
}

static void stakes_under_a_third_are_left_as_they_are(void **state)
{
	static const __u32 stake[4] = {30, 31, 32, 33};
	struct roster roster = roster_of(4, stake);
	struct verdict_seats s = seats_of(&roster, VERDICT_MODE_STAKE, 1, 1);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(s.seat[i].weight, roster_find_id(&roster, s.seat[i].id)->stake);
	roster_free(&roster);
}

/* Votes as letters, by seat: u, d, a(bstains), - */
static enum verdict_state decided(size_t nodes, __u32 liars, enum verdict_mode mode, const char *votes)
{
	struct roster roster = roster_of(nodes, NULL);
	struct verdict_seats s = seats_of(&roster, mode, liars, 1);
	enum verdict_state state[VERDICT_SEATS] = {0};

	for (size_t i = 0; votes[i]; i++)
		state[i] = votes[i] == 'u'   ? VERDICT_UP
			   : votes[i] == 'd' ? VERDICT_DOWN
			   : votes[i] == 'a' ? VERDICT_ABSTAIN
					     : VERDICT_NONE;
	roster_free(&roster);
	return verdict_decide(&s, mode, state);
}

static void votes_decide_by_their_mode(void **state)
{
	static const struct {
		size_t nodes;
		__u32 liars;
		enum verdict_mode mode;
		const char *votes;
		enum verdict_state is;
	} row[] = {
		{1, 1, VERDICT_MODE_MAJORITY, "d", VERDICT_DOWN},
		{2, 1, VERDICT_MODE_MAJORITY, "du", VERDICT_NONE},
		{2, 1, VERDICT_MODE_MAJORITY, "dd", VERDICT_DOWN},
		{3, 1, VERDICT_MODE_MAJORITY, "dud", VERDICT_DOWN},
		{3, 1, VERDICT_MODE_VOTE, "dud", VERDICT_DOWN},
		{3, 1, VERDICT_MODE_VOTE, "d-a", VERDICT_NONE},
		{4, 1, VERDICT_MODE_MAJORITY, "dduu", VERDICT_NONE},
		{4, 1, VERDICT_MODE_VOTE, "ddu-", VERDICT_NONE},
		{4, 1, VERDICT_MODE_VOTE, "dddu", VERDICT_DOWN},
		{4, 1, VERDICT_MODE_VOTE, "uuua", VERDICT_UP},
		{4, 1, VERDICT_MODE_VOTE, "aaaa", VERDICT_NONE},
		{7, 2, VERDICT_MODE_MAJORITY, "dddduuu", VERDICT_DOWN},
		{7, 2, VERDICT_MODE_VOTE, "dddduuu", VERDICT_NONE},
		{7, 2, VERDICT_MODE_VOTE, "dddddaa", VERDICT_DOWN},
		{4, 1, VERDICT_MODE_ANY, "duuu", VERDICT_DOWN},
		{4, 1, VERDICT_MODE_ANY, "uuu-", VERDICT_UP},
		{4, 1, VERDICT_MODE_ANY, "uu--", VERDICT_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		assert_int_equal(decided(row[i].nodes, row[i].liars, row[i].mode, row[i].votes), row[i].is);
}

/* Of three seats two decide only with over half of the weight. */
static void below_four_seats_two_light_ones_decide_nothing(void **state)
{
	static const __u32 stake[3] = {5, 2, 2};
	struct roster roster = roster_of(3, stake);
	struct verdict_seats s = seats_of(&roster, VERDICT_MODE_STAKE, 1, 1);

	(void)state;
	for (size_t up = 0; up < 3; up++) {
		enum verdict_state votes[VERDICT_SEATS] = {VERDICT_DOWN, VERDICT_DOWN, VERDICT_DOWN};
		bool heavy = s.seat[up].weight == 5;

		votes[up] = VERDICT_UP;
		assert_int_equal(verdict_decide(&s, VERDICT_MODE_STAKE, votes), heavy ? VERDICT_NONE : VERDICT_DOWN);
	}
	roster_free(&roster);
}

/* What verdict_rule.h says of 3f + 1 seats: any 2f + 1 of them have over two thirds. */
static void a_quorum_outweighs_whatever_the_stakes(void **state)
{
	(void)state;
	for (__u64 round = 0; round < 500; round++) {
		__u32 stake[7];
		struct roster roster;
		struct verdict_seats s;

		for (size_t i = 0; i < 7; i++)
			stake[i] = 1 + mix_below(mix64(round * 7 + i), 1000);
		roster = roster_of(7, stake);
		s = seats_of(&roster, VERDICT_MODE_STAKE, 2, round);
		for (size_t a = 0; a < 7; a++) {
			for (size_t b = 0; b < a; b++) {
				enum verdict_state votes[VERDICT_SEATS];

				for (size_t i = 0; i < 7; i++)
					votes[i] = i == a || i == b ? VERDICT_UP : VERDICT_DOWN;
				assert_int_equal(verdict_decide(&s, VERDICT_MODE_STAKE, votes), VERDICT_DOWN);
			}
		}
		roster_free(&roster);
	}
}

/* The first seat of each draw, in proportion; four standard deviations. */
static void stakes_draw_seats(void **state)
{
	static const __u32 stake[6] = {1, 1, 1, 1, 1, 5};
	struct roster roster = roster_of(6, stake);
	size_t heavy = 0, light = 0;

	(void)state;
	for (__u64 target = 0; target < 8000; target++) {
		heavy += seats_of(&roster, VERDICT_MODE_STAKE, 1, target).seat[0].id == roster.node[5].id;
		light += seats_of(&roster, VERDICT_MODE_VOTE, 1, target).seat[0].id == roster.node[5].id;
	}
	assert_in_range(heavy, 4000 - 179, 4000 + 179);
	assert_in_range(light, 1333 - 134, 1333 + 134);
	roster_free(&roster);
}

static void reputations_draw_seats_and_stakes_with_them(void **state)
{
	static const __u32 stake[6] = {1, 1, 1, 1, 1, 4};
	struct roster roster = roster_of(6, stake);
	size_t vote = 0, reputation = 0, hybrid = 0, all = 0;

	(void)state;
	roster_reputation_set(&roster.node[5], ROSTER_REPUTATION_FLOOR);
	for (__u64 target = 0; target < 6000; target++) {
		struct verdict_seats by_reputation = seats_of(&roster, VERDICT_MODE_REPUTATION, 1, target),
				     by_both = seats_of(&roster, VERDICT_MODE_HYBRID, 1, target),
				     by_vote = seats_of(&roster, VERDICT_MODE_VOTE, 1, target);
		__u64 id = roster.node[5].id;

		vote += verdict_seat_of(&by_vote, id) >= 0;
		reputation += verdict_seat_of(&by_reputation, id) >= 0;
		hybrid += by_both.seat[0].id == id;
		all++;
		assert_int_equal(by_reputation.seat[0].weight, by_reputation.seat[0].id == id ? 5 : 20);
	}
	assert_in_range(vote, all * 63 / 100, all * 70 / 100);	     /* 4 of 6 */
	assert_in_range(reputation, all * 24 / 100, all * 29 / 100); /* at a quarter of others' weight: 26.4 % */
	assert_in_range(hybrid, all * 15 / 100, all * 19 / 100);     /* four quarters: like any other */
	roster_free(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seats_and_quorums_are_as_published),
		cmocka_unit_test(seats_are_spread_evenly),
		cmocka_unit_test(another_node_moves_only_its_own_seats),
		cmocka_unit_test(only_observers_of_the_site_have_seats),
		cmocka_unit_test(no_f_seats_have_a_third_of_the_weight),
		cmocka_unit_test(stakes_under_a_third_are_left_as_they_are),
		cmocka_unit_test(votes_decide_by_their_mode),
		cmocka_unit_test(below_four_seats_two_light_ones_decide_nothing),
		cmocka_unit_test(a_quorum_outweighs_whatever_the_stakes),
		cmocka_unit_test(stakes_draw_seats),
		cmocka_unit_test(reputations_draw_seats_and_stakes_with_them),
	};

	return cmocka_run_group_tests_name("verdict_rule", tests, NULL, NULL);
}
