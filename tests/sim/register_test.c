// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the register stands: faults drawn from seeds, and some that are led by hand. REGISTER_SEED=n runs that seed
 * alone and tells what happens. Not here: a hundred thousand seeds (tools/sim/sim_register.c).
 */
#include "register_private.h"

#define SEEDS	   500
#define COUNT(a)   (sizeof(a) / sizeof(*(a)))
#define OLDER_MOST 1

static void seed_holds(__u64 seed, bool trace)
{
	const struct register_options o = {.seed = seed, .older = OLDER_MOST, .trace = trace};
	struct register_result r;

	register_simulate(&o, &r);
	if (r.violation)
		fail_msg("seed %llu: %s", seed, register_violation_text(r.violation));
}

static void no_fault_breaks_the_register(void **state)
{
	const char *one = getenv("REGISTER_SEED");
	__u64 seed;

	(void)state;
	if (one)
		seed_holds(strtoull(one, NULL, 10), true);
	for (seed = 1; seed <= SEEDS && !one; seed++)
		seed_holds(seed, false);
}

/* Each of them has failed once. */
static void seeds_that_failed_hold(void **state)
{
	static const __u64 seed[] = {607, 1697, 7690, 8156}; /* reads that counted promises of a read before */

	(void)state;
	for (size_t i = 0; i < COUNT(seed); i++)
		seed_holds(seed[i], false);
}

static void every_run_of_a_seed_is_the_same(void **state)
{
	struct register_options o = {.older = OLDER_MOST};
	struct register_result a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	for (o.seed = 1; o.seed <= 20; o.seed++) {
		register_simulate(&o, &a);
		register_simulate(&o, &b);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

/* Of the register itself: that nothing goes on any more would show little. */
static void broken_is_caught(enum register_broken broken, size_t seeds)
{
	struct register_options o = {.broken = broken, .older = OLDER_MOST};
	struct register_result r;

	for (o.seed = 1; o.seed <= seeds; o.seed++) {
		register_simulate(&o, &r);
		if (r.violation == REGISTER_SEEN_SPLIT || r.violation == REGISTER_SEEN_NOT_LINEAR)
			return;
	}
	fail_msg("nothing is seen in %zu seeds", seeds);
}

static void voters_that_keep_no_promise_are_caught(void **state)
{
	(void)state;
	broken_is_caught(REGISTER_FORGETFUL, 100);
}

static void a_lost_file_under_its_old_name_is_caught(void **state)
{
	(void)state;
	broken_is_caught(REGISTER_AMNESIA, 200);
}

/* --- led by hand --- */

static void a_second_change_takes_one_round_trip(void **state)
{
	struct world *w = register_world_new(1, 3, 3);

	(void)state;
	assert_true(register_world_write(w, 0));
	register_world_run(w, 100);
	memset(w->sent, 0, sizeof(w->sent));
	assert_true(register_world_write(w, 0));
	register_world_run(w, 100);
	assert_int_equal(register_world_sent(w, CASPAXOS_ACCEPT), 2);
	assert_int_equal(register_world_sent(w, CASPAXOS_ACCEPTED), 2);
	assert_int_equal(register_world_sent(w, CASPAXOS_DECIDED), 2);
	for (size_t i = 0; i < REGISTER_KINDS; i++)
		assert_int_equal(w->sent[i], 0);
	register_world_free(w);
}

static void cut(struct world *w, size_t from, __u32 to)
{
	w->node[from].cut = to;
}

/* Its @writes last ones are lost. */
static void file_becomes_older(struct world *w, size_t i, size_t writes)
{
	struct node *n = &w->node[i];

	node_crash(w, i);
	n->saves -= writes;
	n->disk = n->saved[n->saves % SAVES];
	n->older = true;
}

static struct op *write_begins(struct world *w, size_t i)
{
	struct op *op = clients_begin(w, i, LINEAR_WRITE, 20000);

	assert_non_null(op);
	node_after(w, i);
	return op;
}

static void until_sent(struct world *w, enum caspaxos_kind kind, size_t count)
{
	while (w->sent[kind] < count)
		world_until(w, w->now_ns + 1000);
}

/* Who was asked to accept is told no more than by which ballot; 2 was asked in vain. */
static void who_has_not_accepted_asks_what_was_decided(void **state)
{
	struct world *w = register_world_new(1, 3, 3);

	(void)state;
	cut(w, 0, 1 << 2);
	write_begins(w, 0);
	until_sent(w, CASPAXOS_ACCEPTED, 1);
	cut(w, 0, 0);
	register_world_run(w, 20);
	assert_int_equal(register_world_sent(w, CASPAXOS_ASK), 1);
	assert_int_equal(register_world_sent(w, CASPAXOS_TOLD), 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(caspaxos_value(w->node[i].c)->version, caspaxos_value(w->node[0].c)->version);
	register_world_free(w);
}

/* Nodes 0, 1, 2 vote. 3's value is with 0 alone, and 0 loses it; what 0 answered still counts for 3. */
static void a_vote_that_its_store_forgot_does_not_count(void **state)
{
	struct world *w = register_world_new(1, 5, 3);

	(void)state;
	write_begins(w, 3);
	until_sent(w, CASPAXOS_PROMISE, 2);
	cut(w, 3, 1 << 1 | 1 << 2);
	until_sent(w, CASPAXOS_ACCEPTED, 1);
	register_world_run(w, 5);
	file_becomes_older(w, 0, 1);
	register_world_run(w, 3000);
	cut(w, 4, 1 << 1);
	cut(w, 0, 1 << 1 | 1 << 3);
	cut(w, 2, 1 << 1 | 1 << 3);
	register_world_write(w, 4);
	cut(w, 3, 1 << 0 | 1 << 2);
	register_world_run(w, 1000);
	assert_int_equal(w->result.violation, REGISTER_SEEN_NONE);
	register_world_free(w);
}

/* Likewise 0 alone has promised 4's ballot, and loses that; then 3 has its value done by a lower one. */
static void a_promise_that_its_store_forgot_does_not_count(void **state)
{
	struct world *w = register_world_new(1, 5, 3);
	struct op *op;

	(void)state;
	cut(w, 4, ~0u);
	assert_non_null(clients_begin(w, 4, LINEAR_WRITE, 50)); /* in vain, but its next ballot is of round 2 */
	node_after(w, 4);
	register_world_run(w, 100);
	cut(w, 4, 1 << 1 | 1 << 2);
	write_begins(w, 4);
	until_sent(w, CASPAXOS_PROMISE, 1);
	register_world_run(w, 5);
	file_becomes_older(w, 0, 1);
	register_world_run(w, 3000);
	cut(w, 3, 1 << 2);
	memset(w->sent, 0, sizeof(w->sent));
	op = write_begins(w, 3);
	until_sent(w, CASPAXOS_ACCEPT, 3);
	cut(w, 3, ~0u);
	register_world_run(w, 10);
	cut(w, 4, 1 << 0 | 1 << 1);
	until_sent(w, CASPAXOS_PROMISE, 3);
	cut(w, 4, 1 << 0);
	register_world_run(w, 3000);
	assert_true(op->ended && op->outcome == CASPAXOS_DONE);
	assert_int_equal(w->result.violation, REGISTER_SEEN_NONE);
	register_world_free(w);
}

/* Nodes 0 and 1 of three have accepted 3's value; 0 has an older file, 1 none and can make none. */
static void who_has_no_store_tells_nothing(void **state)
{
	struct world *w = register_world_new(1, 5, 3);
	struct op *op;

	(void)state;
	op = write_begins(w, 3);
	until_sent(w, CASPAXOS_PROMISE, 2);
	cut(w, 3, 1 << 2);
	until_sent(w, CASPAXOS_ACCEPT, 3);
	cut(w, 3, ~0u);
	register_world_run(w, 10);
	assert_true(op->ended && op->outcome == CASPAXOS_DONE);
	node_crash(w, 1);
	register_world_run(w, 3000);
	caspaxos_free(w->node[1].c);
	w->node[1].c = NULL;
	memset(&w->node[1].disk, 0, sizeof(w->node[1].disk));
	node_start(w, 1, true);
	cut(w, 2, 0);
	file_becomes_older(w, 0, 1);
	register_world_run(w, 3000);
	register_world_write(w, 4);
	assert_int_equal(w->result.violation, REGISTER_SEEN_NONE);
	register_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_fault_breaks_the_register),
		cmocka_unit_test(seeds_that_failed_hold),
		cmocka_unit_test(every_run_of_a_seed_is_the_same),
		cmocka_unit_test(voters_that_keep_no_promise_are_caught),
		cmocka_unit_test(a_lost_file_under_its_old_name_is_caught),
		cmocka_unit_test(a_second_change_takes_one_round_trip),
		cmocka_unit_test(who_has_not_accepted_asks_what_was_decided),
		cmocka_unit_test(a_vote_that_its_store_forgot_does_not_count),
		cmocka_unit_test(a_promise_that_its_store_forgot_does_not_count),
		cmocka_unit_test(who_has_no_store_tells_nothing),
	};

	return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
