// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Knocks: who has no key gets the flock's, and nobody else does. Not here: who may give keys (peers_keys.c, which
 * tests/net/flock.sh runs), keys at rest (secrets_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "channel_desk.h"

/* Node 0 has lost its keys. */
static void forget(struct world *w)
{
	channel_ring(w->node[0].channel, &(struct ring){.count = 0});
}

static void knock(struct world *w)
{
	channel_knock(w->node[0].channel, w->now, &w->node[1].at);
}

static void who_has_no_key_gets_it_and_the_seed(void **state)
{
	struct world *w = *state;

	forget(w);
	say(w, 0, 1, "no key: not even a hello");
	assert_int_equal(w->sent, 0);
	knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 1);
	assert_int_equal(w->node[0].sender, w->node[1].identity.id);
	assert_int_equal(ring_compare(&w->node[0].given, &w->ring), 0);
	assert_int_equal(w->node[0].given.used, w->ring.used);
	assert_memory_equal(w->node[0].given.key, w->ring.key, sizeof(w->ring.key));
	assert_int_equal(w->node[0].given_seed[0], 7);
	channel_ring(w->node[0].channel, &w->node[0].given);
	w->now.ns += SECOND;
	meet(w);
}

static void answer_is_not_longer_than_the_question(void **state)
{
	struct world *w = *state;

	forget(w);
	knock(w);
	flow(w);
	assert_int_equal(w->sent, 2);
	assert_true(w->wire[1].len <= w->wire[0].len);
}

static void no_byte_of_a_key_can_be_read_on_the_wire(void **state)
{
	struct world *w = *state;

	forget(w);
	knock(w);
	flow(w);
	for (size_t i = 0; i < w->sent; i++)
		assert_null(memmem(w->wire[i].bytes, w->wire[i].len, w->ring.key[0].byte, 8));
}

static void changed_or_cut_knock_or_answer_does_nothing(void **state)
{
	struct world *w = *state;
	struct datagram good[2], bad;

	forget(w);
	knock(w);
	flow(w);
	good[0] = w->wire[0];
	good[1] = w->wire[1];
	w->node[0].admitted = 0;
	for (size_t which = 0; which < 2; which++) {
		size_t to = which ? 0 : 1; /* bytes[1]: the kind */

		for (size_t i = 0; i < good[which].len * 8; i++) {
			w->now.ns += SECOND / 2; /* not for being too many */
			bad = good[which];
			bad.bytes[i / 8] ^= (__u8)(1 << i % 8);
			w->sent = w->delivered = 2;
			deliver(w, to, &bad);
			assert_true(w->sent == 2 || w->wire[2].bytes[1] != SEAL_ADMIT);
		}
		for (size_t i = 0; i < good[which].len; i++) {
			bad = good[which];
			bad.len = i;
			w->sent = w->delivered = 2;
			deliver(w, to, &bad);
			assert_int_equal(w->sent, 2);
		}
	}
	assert_int_equal(w->node[0].admitted, 0);
	assert_true(rejected(w, 1, CHANNEL_FORGED) > 0 && rejected(w, 1, CHANNEL_MALFORMED) > 0 &&
		    rejected(w, 0, CHANNEL_FORGED) > 0 && rejected(w, 0, CHANNEL_UNASKED) > 0);
}

static void answer_of_an_earlier_question_is_not_taken(void **state)
{
	struct world *w = *state;
	struct datagram old;

	forget(w);
	knock(w);
	old = *last(w, 0, 1);
	flow(w);
	old = *last(w, 1, 0);
	w->now.ns += 100 * SECOND; /* another fresh key */
	knock(w);
	deliver(w, 0, &old);
	assert_int_equal(w->node[0].admitted, 1);
	assert_int_equal(rejected(w, 0, CHANNEL_FORGED), 1);
	node_boot(&w->node[0], 200);
	forget(w);
	deliver(w, 0, &old);
	assert_int_equal(rejected(w, 0, CHANNEL_UNASKED), 1);
	assert_int_equal(w->node[0].admitted, 1);
}

static void replayed_knock_tells_its_sender_nothing(void **state)
{
	struct world *w = *state;
	struct datagram old;

	forget(w);
	knock(w);
	old = *last(w, 0, 1);
	old.from = 2; /* whoever kept it */
	flow(w);
	w->now.ns += 2 * SECOND;
	deliver(w, 1, &old);
	flow(w); /* an answer, sealed to a key that node 2 has not */
	assert_int_equal(w->node[2].admitted, 0);
	assert_int_equal(rejected(w, 2, CHANNEL_UNASKED), 1);
}

static void stranger_gets_nothing(void **state)
{
	struct world *w = *state;
	struct roster_node left = {.key = w->node[2].identity.key, .id = w->node[2].identity.id};
	struct roster roster = {&left, 1};

	assert_int_equal(channel_roster(w->node[1].channel, &roster), 0);
	forget(w);
	knock(w);
	flow(w);
	assert_int_equal(w->sent, 1);
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), 1);
}

static void node_without_keys_has_none_to_give(void **state)
{
	struct world *w = *state;

	forget(w);
	channel_ring(w->node[1].channel, &(struct ring){.count = 0});
	knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 0);
	assert_int_equal(rejected(w, 1, CHANNEL_KEY), 1);
}

static void gift_that_is_not_for_its_giver_to_give_is_counted(void **state)
{
	struct world *w = *state;

	forget(w);
	w->node[0].refuse = -EPERM;
	knock(w);
	flow(w);
	assert_int_equal(rejected(w, 0, CHANNEL_FORGED), 1);
}

static void one_answer_a_second(void **state)
{
	struct world *w = *state;

	forget(w);
	for (size_t i = 0; i < 5; i++)
		knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 1);
	assert_int_equal(rejected(w, 1, CHANNEL_FLOOD), 4);
	w->now.ns += SECOND;
	knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 2);
}

/* Under a flood of knocks, even of one that was kept and is replayed, who solves the puzzle is heard. */
static void flood_of_knocks_makes_everybody_work(void **state)
{
	struct world *w = *state;
	struct datagram kept;
	size_t before;

	channel_ring(w->node[2].channel, &(struct ring){.count = 0});
	channel_knock(w->node[2].channel, w->now, &w->node[1].at);
	kept = *last(w, 2, 1);
	flow(w);
	w->now.ns += 10 * SECOND;
	for (size_t i = 0; i < 1000; i++)
		deliver(w, 1, &kept);
	before = w->sent;
	w->delivered = w->sent; /* what was answered to the flood is lost */
	forget(w);
	knock(w);
	flow(w);
	assert_int_equal(w->sent - before, 4); /* knock, puzzle, knock with its solution, answer */
	assert_int_equal(w->node[0].admitted, 1);
}

static void puzzle_that_nobody_asked_for_costs_no_work(void **state)
{
	struct world *w = *state;
	struct datagram puzzle;

	flood_of_knocks_makes_everybody_work(state);
	puzzle = *last(w, 0, 1);
	for (size_t i = w->sent; i--;)
		if (w->wire[i].from == 1 && w->wire[i].len < 128) {
			puzzle = w->wire[i];
			break;
		}
	deliver(w, 0, &puzzle); /* the second in the same second */
	assert_int_equal(rejected(w, 0, CHANNEL_UNASKED), 1);
	deliver(w, 2, &puzzle);
	assert_int_equal(rejected(w, 2, CHANNEL_UNASKED), 1);
}

/* Who still seals with a key that was removed hears a knock from nobody; who meets an unknown key asks for it. */
static void unknown_key_is_asked_for_where_it_is_used(void **state)
{
	struct world *w = *state;
	struct ring next = w->ring;
	__u32 id;

	meet(w);
	id = ring_make(&next);
	assert_int_equal(ring_use(&next, id), 0);
	assert_int_equal(ring_sign(&next, &w->node[1].identity), 0);
	channel_ring(w->node[1].channel, &next);
	say(w, 1, 0, "in the new key");
	flow(w);
	assert_int_equal(rejected(w, 0, CHANNEL_KEY), 1);
	assert_int_equal(w->node[0].admitted, 1);
	assert_int_equal(w->node[0].given.used, id);
	assert_true(ring_signed(&w->node[0].given, &w->node[1].identity.key));
	assert_true(ring_compare(&w->node[0].given, &w->ring) > 0);
	channel_ring(w->node[0].channel, &w->node[0].given);
	say(w, 1, 0, "again");
	flow(w);
	assert_string_equal(w->node[0].text, "again");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, channel_setup, channel_teardown)

/* --- who is not in the roster --- */

/* Node 1 lists nobody but node 2, and lets in who has the secret, or by a key alone. */
struct door {
	__u8 secret[INVITATION_BYTES];
	bool open;
	struct node *node;
	size_t let_in;
	char name[STARLING_NAME_BYTES];
};

static struct door door;

static void roster_of(struct world *w, struct node *n, size_t first, size_t second)
{
	struct roster roster = {0};

	for (size_t i = 0; i < NODES; i++) {
		struct roster_node node = {.key = w->node[i].identity.key, .roles = ROLE_OBSERVER, .stake = 1};

		snprintf(node.name, sizeof(node.name), "n%zu", i);
		if (i == first || i == second)
			assert_int_equal(roster_add(&roster, &node, NULL), 0);
	}
	assert_int_equal(channel_roster(n->channel, &roster), 0);
	roster_free(&roster);
}

static int on_stranger(void *arg, const struct claim *claim)
{
	struct node *n = arg;

	if (claim->knock ? !claim_right(claim, door.secret) : !door.open)
		return -EPERM;
	snprintf(door.name, sizeof(door.name), "%s", claim->name);
	door.let_in++;
	roster_of(n->world, n, n == &n->world->node[0], 2);
	return 0;
}

static void door_set(struct world *w, bool open)
{
	struct node *n = &w->node[1];
	struct channel_hooks hooks = hooks_of(n);

	hooks.stranger = on_stranger;
	door = (struct door){.secret = {1, 2, 3}, .open = open, .node = n};
	channel_free(n->channel);
	n->channel = channel_new(&n->identity, 77, &hooks);
	channel_ring(n->channel, &w->ring);
	roster_of(w, n, 2, 2);
}

static void who_has_an_invitation_gets_the_keys(void **state)
{
	struct world *w = *state;

	door_set(w, false);
	forget(w);
	channel_invitation(w->node[0].channel, door.secret, "new", "fra");
	knock(w);
	flow(w);
	assert_int_equal(door.let_in, 1);
	assert_string_equal(door.name, "new");
	assert_int_equal(w->node[0].admitted, 1);
	assert_int_equal(ring_compare(&w->node[0].given, &w->ring), 0);
}

static void who_has_none_or_another_does_not(void **state)
{
	static const __u8 other[INVITATION_BYTES] = {1, 2, 4};
	struct world *w = *state;
	struct datagram stolen;

	door_set(w, false);
	forget(w);
	knock(w);
	flow(w);
	channel_invitation(w->node[0].channel, other, "new", "fra");
	knock(w);
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), 2);
	/* and what somebody else has shown is of no use with another key: the signature covers it */
	channel_invitation(w->node[0].channel, door.secret, "new", "fra");
	knock(w);
	stolen = *last(w, 0, 1);
	w->delivered = w->sent;
	memcpy(stolen.bytes + SEAL_HEADER_BYTES, w->node[2].identity.key.byte, ROSTER_KEY_BYTES);
	memcpy(stolen.bytes + 8, &w->node[2].identity.id, 8);
	deliver(w, 1, &stolen);
	assert_int_equal(rejected(w, 1, CHANNEL_FORGED), 1);
	stolen = *last(w, 0, 1);
	for (size_t i = SEAL_HEADER_BYTES; i < stolen.len; i++) {
		stolen.bytes[i] ^= 1;
		deliver(w, 1, &stolen);
		stolen.bytes[i] ^= 1;
	}
	assert_int_equal(door.let_in, 0);
}

static void many_strangers_have_to_work(void **state)
{
	static const __u8 other[INVITATION_BYTES] = {1, 2, 4};
	struct world *w = *state;

	door_set(w, false);
	forget(w);
	channel_invitation(w->node[0].channel, other, "new", "");
	for (size_t i = 0; i <= CHANNEL_KNOCKS; i++)
		knock(w);
	channel_invitation(w->node[0].channel, door.secret, "new", ""); /* the solution of the puzzle brings it */
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), CHANNEL_KNOCKS);
	assert_int_equal(rejected(w, 1, CHANNEL_FLOOD), 1);
	assert_int_equal(door.let_in, 1);
}

static void a_key_alone_is_enough_where_all_are_open(void **state)
{
	struct world *w = *state;

	door_set(w, false);
	say(w, 0, 1, "hello");
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), 1);
	door.open = true;
	w->now.ns += SECOND;
	say(w, 0, 1, "hello");
	flow(w);
	assert_int_equal(door.let_in, 1);
	assert_int_equal(w->node[1].heard, 1);
}

/* 0 has lost its roster, 1 has not. */
static void who_is_known_already_is_told_by_whom(void **state)
{
	struct world *w = *state;
	struct channel_hooks hooks = hooks_of(&w->node[0]);

	hooks.stranger = on_stranger;
	door = (struct door){.open = true};
	channel_free(w->node[0].channel);
	w->node[0].channel = channel_new(&w->node[0].identity, 55, &hooks);
	channel_ring(w->node[0].channel, &w->ring);
	channel_hello(w->node[0].channel, w->now, &w->node[1].at);
	flow(w);
	assert_int_equal(door.let_in, 0); /* the answer is no hello */
	channel_open(w->node[1].channel, true);
	w->now.ns += SECOND;
	door.node = &w->node[0];
	channel_hello(w->node[0].channel, w->now, &w->node[1].at);
	flow(w);
	assert_int_equal(door.let_in, 1);
}

static void who_is_quiet_gives_no_keys(void **state)
{
	struct world *w = *state;

	forget(w);
	channel_quiet(w->node[1].channel, (struct mono){w->now.ns + SECOND});
	knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 0);
	w->now.ns += 2 * SECOND;
	knock(w);
	flow(w);
	assert_int_equal(w->node[0].admitted, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_no_key_gets_it_and_the_seed),
		TEST(answer_is_not_longer_than_the_question),
		TEST(no_byte_of_a_key_can_be_read_on_the_wire),
		TEST(changed_or_cut_knock_or_answer_does_nothing),
		TEST(answer_of_an_earlier_question_is_not_taken),
		TEST(replayed_knock_tells_its_sender_nothing),
		TEST(stranger_gets_nothing),
		TEST(node_without_keys_has_none_to_give),
		TEST(gift_that_is_not_for_its_giver_to_give_is_counted),
		TEST(one_answer_a_second),
		TEST(flood_of_knocks_makes_everybody_work),
		TEST(puzzle_that_nobody_asked_for_costs_no_work),
		TEST(unknown_key_is_asked_for_where_it_is_used),
		TEST(who_has_an_invitation_gets_the_keys),
		TEST(who_has_none_or_another_does_not),
		TEST(many_strangers_have_to_work),
		TEST(a_key_alone_is_enough_where_all_are_open),
		TEST(who_is_known_already_is_told_by_whom),
		TEST(who_is_quiet_gives_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
