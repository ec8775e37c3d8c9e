// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What nodes say to each other, and what of it is heard. Not here: knocks (channel_admit_test.c), sockets, messages
 * (message_wire_test.c).
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

static void message_waits_for_proof_and_then_arrives_once(void **state)
{
	struct world *w = *state;

	say(w, 0, 1, "first");
	say(w, 0, 1, "second");
	flow(w);
	assert_int_equal(w->node[1].heard, 1);
	assert_string_equal(w->node[1].text, "second");
	assert_int_equal(w->node[1].sender, w->node[0].identity.id);
	say(w, 1, 0, "back");
	flow(w);
	assert_string_equal(w->node[0].text, "back");
	assert_int_equal(w->sent, 5); /* hello, welcome, confirm, second, back */
}

static void message_to_an_address_reaches_whoever_is_there(void **state)
{
	struct world *w = *state;

	channel_send(w->node[0].channel, w->now, 0, &w->node[2].at, "who", 3);
	flow(w);
	assert_string_equal(w->node[2].text, "who");
	assert_true(channel_proven(w->node[0].channel, w->node[2].identity.id));
	assert_true(channel_proven(w->node[2].channel, w->node[0].identity.id));
}

static void replay_is_not_heard(void **state)
{
	struct world *w = *state;

	meet(w);
	for (size_t i = 0, n = w->sent; i < n; i++)
		for (size_t to = 0; to < NODES; to++)
			if (w->wire[i].from != to)
				deliver(w, to, &w->wire[i]);
	flow(w);
	assert_int_equal(w->node[0].heard + w->node[1].heard + w->node[2].heard, 1);
	assert_true(rejected(w, 1, CHANNEL_REPLAYED) > 0);
}

static void replay_of_an_earlier_life_is_not_heard(void **state)
{
	struct world *w = *state;
	struct datagram old;

	meet(w);
	say(w, 0, 1, "old");
	old = *last(w, 0, 1);
	flow(w);
	node_boot(&w->node[0], 200);
	w->now.ns += 10 * SECOND;
	say(w, 0, 1, "new");
	flow(w);
	assert_string_equal(w->node[1].text, "new");
	deliver(w, 1, &old);
	flow(w);
	assert_string_equal(w->node[1].text, "new");
	assert_int_equal(rejected(w, 1, CHANNEL_STALE), 1);
	say(w, 0, 1, "newer");
	flow(w);
	assert_string_equal(w->node[1].text, "newer");
}

static void restarted_receiver_is_met_again(void **state)
{
	struct world *w = *state;

	meet(w);
	node_boot(&w->node[1], 201);
	w->now.ns += SECOND;
	say(w, 0, 1, "lost");
	flow(w); /* it says hello itself, since it is addressed by a name that it does not have any more */
	assert_string_equal(w->node[1].text, "one");
	say(w, 0, 1, "heard");
	flow(w);
	assert_string_equal(w->node[1].text, "heard");
}

static void every_changed_or_cut_datagram_is_rejected(void **state)
{
	struct world *w = *state;
	struct datagram good, bad;
	size_t i, heard;

	meet(w);
	say(w, 0, 1, "good");
	good = *last(w, 0, 1);
	w->sent--;
	heard = w->node[1].heard;
	for (i = 0; i < good.len * 8; i++) {
		bad = good;
		bad.bytes[i / 8] ^= (__u8)(1 << i % 8);
		deliver(w, 1, &bad);
	}
	for (i = 0; i < good.len; i++) {
		bad = good;
		bad.len = i;
		deliver(w, 1, &bad);
	}
	assert_int_equal(w->node[1].heard, heard);
	deliver(w, 1, &good);
	assert_int_equal(w->node[1].heard, heard + 1);
	assert_true(rejected(w, 1, CHANNEL_FORGED) > 0 && rejected(w, 1, CHANNEL_MALFORMED) > 0 &&
		    rejected(w, 1, CHANNEL_VERSION) > 0 && rejected(w, 1, CHANNEL_STRANGER) > 0 &&
		    rejected(w, 1, CHANNEL_KEY) > 0);
}

static void too_long_datagram_is_rejected(void **state)
{
	static __u8 bytes[SEAL_DATAGRAM_MAX + 1] = {SEAL_VERSION, SEAL_DATA};
	struct world *w = *state;

	channel_receive(w->node[0].channel, w->now, &w->node[1].at, bytes, sizeof(bytes));
	assert_int_equal(rejected(w, 0, CHANNEL_MALFORMED), 1);
}

static void reflected_datagrams_are_rejected(void **state)
{
	struct world *w = *state;

	meet(w);
	for (size_t i = 0, n = w->sent; i < n; i++)
		deliver(w, w->wire[i].from, &w->wire[i]);
	assert_int_equal(w->node[0].heard, 0);
	assert_int_equal(rejected(w, 0, CHANNEL_REFLECTED) + rejected(w, 1, CHANNEL_REFLECTED), w->sent);
}

/* With the flock's key, but not with the identity of the one it claims to be. */
static void member_cannot_speak_for_another(void **state)
{
	struct world *w = *state;
	struct identity liar = w->node[2].identity;
	struct channel_hooks hooks = hooks_of(&w->node[2]);
	struct channel *c;

	liar.id = w->node[0].identity.id;
	liar.key = w->node[0].identity.key;
	c = channel_new(&liar, 300, &hooks);
	channel_ring(c, &w->ring);
	channel_hello(c, w->now, &w->node[1].at);
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_FORGED), 1);
	assert_int_equal(w->sent, 1); /* nobody answers */
	channel_free(c);
}

static void who_is_not_in_the_roster_or_lacks_the_key_is_not_heard(void **state)
{
	struct world *w = *state;
	struct channel_hooks hooks = hooks_of(&w->node[2]);
	struct ring other = {0};
	struct identity stranger;
	struct channel *c;

	crypto_sign_keypair(stranger.key.byte, stranger.secret);
	stranger.id = roster_id(&stranger.key);
	c = channel_new(&stranger, 300, &hooks);
	channel_ring(c, &w->ring);
	channel_hello(c, w->now, &w->node[1].at);
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), 1);
	channel_free(c);

	ring_make(&other);
	channel_ring(w->node[0].channel, &other);
	say(w, 0, 1, "wrong key");
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_KEY), 1);
	assert_int_equal(w->node[1].heard, 0);
}

static void keys_change_while_nodes_talk(void **state)
{
	struct world *w = *state;
	__u32 old = w->ring.used, next;

	meet(w);
	next = ring_make(&w->ring);
	channel_ring(w->node[0].channel, &w->ring);
	channel_ring(w->node[1].channel, &w->ring);
	assert_int_equal(ring_use(&w->ring, next), 0);
	channel_ring(w->node[0].channel, &w->ring);
	say(w, 0, 1, "new key");
	say(w, 1, 0, "old key");
	flow(w);
	assert_string_equal(w->node[1].text, "new key");
	assert_string_equal(w->node[0].text, "old key");
	assert_int_equal(ring_remove(&w->ring, old), 0);
	assert_int_equal(ring_remove(&w->ring, next), -EBUSY);
}

static void answer_that_comes_too_late_proves_nothing(void **state)
{
	struct world *w = *state;
	struct datagram hello;

	say(w, 0, 1, "one");
	hello = *last(w, 0, 1);
	w->delivered = w->sent;
	w->now.ns += 10 * SECOND;
	deliver(w, 1, &hello);
	flow(w);
	assert_false(channel_proven(w->node[0].channel, w->node[1].identity.id));
	assert_int_equal(rejected(w, 0, CHANNEL_UNASKED), 1);
}

static void flood_of_one_peer_is_cut_off_for_the_second(void **state)
{
	struct world *w = *state;
	struct datagram d;
	size_t i;

	meet(w);
	for (i = 0; i < CHANNEL_PEER_MESSAGES + 10; i++) {
		w->sent = w->delivered;
		say(w, 0, 1, "more");
		d = *last(w, 0, 1);
		w->delivered = w->sent;
		deliver(w, 1, &d);
		w->sent = w->delivered = 8;
	}
	assert_int_equal(rejected(w, 1, CHANNEL_FLOOD), 11);
	w->now.ns += SECOND;
	say(w, 0, 1, "later");
	flow(w);
	assert_string_equal(w->node[1].text, "later");
}

static void flood_of_hellos_is_answered_a_few_times(void **state)
{
	struct world *w = *state;
	struct datagram hello;

	say(w, 0, 1, "one");
	hello = *last(w, 0, 1);
	for (size_t i = 0; i < 1000; i++)
		deliver(w, 1, &hello);
	assert_int_equal(rejected(w, 1, CHANNEL_FLOOD), 999);
	assert_int_equal(w->sent, 2);
}

static void late_numbers_are_heard_within_the_window(void **state)
{
	struct world *w = *state;
	struct datagram early, late;
	size_t i;

	meet(w);
	say(w, 0, 1, "early");
	early = *last(w, 0, 1);
	say(w, 0, 1, "late");
	late = *last(w, 0, 1);
	for (i = 0; i < CHANNEL_WINDOW - 2; i++)
		say(w, 0, 1, "between");
	w->delivered += 2;
	deliver(w, 1, last(w, 0, 1));
	deliver(w, 1, &late);
	assert_string_equal(w->node[1].text, "late");
	say(w, 0, 1, "next");
	deliver(w, 1, last(w, 0, 1));
	deliver(w, 1, &early);
	assert_string_equal(w->node[1].text, "next");
	assert_int_equal(rejected(w, 1, CHANNEL_REPLAYED), 1);
}

static void two_hosts_with_one_identity_are_noticed(void **state)
{
	struct world *w = *state;
	struct node twin = w->node[0];
	size_t i;

	twin.at.addr.byte[15] = 9;
	twin.channel = NULL;
	node_boot(&twin, 999);
	meet(w);
	for (i = 0; i < 50; i++) {
		struct datagram d;

		w->now.ns += SECOND / 10;
		say(w, 0, 1, "I");
		flow(w);
		channel_send(twin.channel, w->now, w->node[1].identity.id, &w->node[1].at, "me", 2);
		while (w->delivered < w->sent) {
			d = w->wire[w->delivered++];
			if (!endpoint_compare(&d.to, &w->node[1].at))
				channel_receive(w->node[1].channel, w->now, &twin.at, d.bytes, d.len);
			else if (!endpoint_compare(&d.to, &twin.at))
				channel_receive(twin.channel, w->now, &w->node[1].at, d.bytes, d.len);
		}
	}
	assert_true(channel_conflict(w->node[1].channel, twin.identity.id, w->now));
	assert_false(channel_conflict(w->node[1].channel, w->node[2].identity.id, w->now));
	assert_int_equal(channel_conflicts(w->node[1].channel, w->now), 1);
	w->now.ns += 60 * SECOND;
	assert_int_equal(channel_conflicts(w->node[1].channel, w->now), 0);
	channel_free(twin.channel);
}

static void what_is_no_message_is_counted(void **state)
{
	struct world *w = *state;

	meet(w);
	say(w, 0, 1, "nonsense");
	flow(w);
	assert_int_equal(rejected(w, 1, CHANNEL_UNREADABLE), 1);
}

static void who_leaves_the_roster_is_heard_no_more(void **state)
{
	struct world *w = *state;
	struct roster_node left = {.key = w->node[2].identity.key, .id = w->node[2].identity.id};
	struct roster roster = {&left, 1};

	meet(w);
	assert_int_equal(channel_roster(w->node[1].channel, &roster), 0);
	say(w, 0, 1, "again");
	flow(w);
	assert_string_equal(w->node[1].text, "one");
	assert_int_equal(rejected(w, 1, CHANNEL_STRANGER), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, channel_setup, channel_teardown)

static void what_goes_to_a_group_is_heard_by_who_has_a_key(void **state)
{
	struct world *w = *state;
	struct datagram good, bad;

	channel_cast(w->node[0].channel, &w->node[1].at, "page", 4);
	good = *last(w, 0, 1);
	flow(w);
	assert_int_equal(w->node[1].casts, 1);
	assert_string_equal(w->node[1].text, "page");
	deliver(w, 1, &good); /* a page that comes again changes nothing: its number is known */
	assert_int_equal(w->node[1].casts, 2);
	for (size_t i = 0; i < good.len; i++) {
		bad = good;
		bad.bytes[i] ^= 1;
		deliver(w, 1, &bad);
	}
	for (size_t i = 0; i < good.len; i++) {
		bad = good;
		bad.len = i;
		deliver(w, 1, &bad);
	}
	assert_int_equal(w->node[1].casts, 2);
	channel_ring(w->node[1].channel, &(struct ring){.count = 0});
	deliver(w, 1, &good);
	assert_int_equal(w->node[1].casts, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_waits_for_proof_and_then_arrives_once),
		TEST(message_to_an_address_reaches_whoever_is_there),
		TEST(replay_is_not_heard),
		TEST(replay_of_an_earlier_life_is_not_heard),
		TEST(restarted_receiver_is_met_again),
		TEST(every_changed_or_cut_datagram_is_rejected),
		TEST(too_long_datagram_is_rejected),
		TEST(reflected_datagrams_are_rejected),
		TEST(member_cannot_speak_for_another),
		TEST(who_is_not_in_the_roster_or_lacks_the_key_is_not_heard),
		TEST(keys_change_while_nodes_talk),
		TEST(answer_that_comes_too_late_proves_nothing),
		TEST(flood_of_one_peer_is_cut_off_for_the_second),
		TEST(flood_of_hellos_is_answered_a_few_times),
		TEST(late_numbers_are_heard_within_the_window),
		TEST(two_hosts_with_one_identity_are_noticed),
		TEST(what_is_no_message_is_counted),
		TEST(who_leaves_the_roster_is_heard_no_more),
		TEST(what_goes_to_a_group_is_heard_by_who_has_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
