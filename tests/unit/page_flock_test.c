// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many stores that spread and repair over links that lose messages, round by round: they end with one digest, and
 * with the newest page of everybody. Not here: one store (page_store_test), time, membership (the simulator).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"
#include "core/page_store.h"
#include "signer.h"

#ifndef NODES
#define NODES 32
#endif
#define KINDS	3
#define INDICES 4
#define FANOUT	3
#define LAMBDA	4
#define SEEDS	20
#define LIST	4096

/* A round is 100 ms of gossip; every second one has a probe. */
#define ROUND_MS     100
#define PROBE_ROUNDS 2

struct flock {
	struct signer signer[NODES];
	struct roster roster;
	struct page_store *store[NODES];
	__u64 counter[NODES];
	struct page_version newest[NODES][KINDS][INDICES];
	__u32 boot[NODES];
	__u32 repair_at[NODES]; /* round */
	__u64 random;
	__u32 round;
	unsigned int loss;    /* percent of messages */
	size_t parts;	      /* nodes i and j hear each other if i % parts == j % parts */
	size_t repair_budget; /* bytes a step */
	size_t messages, repairs;
};

static __u32 draw(struct flock *f, __u32 bound)
{
	return mix_below(mix64(f->random++), bound);
}

static bool arrives(struct flock *f, size_t from, size_t to)
{
	return from % f->parts == to % f->parts && draw(f, 100) >= f->loss;
}

static size_t peer_of(struct flock *f, size_t node)
{
	return (node + 1 + draw(f, NODES - 1)) % NODES;
}

static struct flock *flock_new(__u64 seed, unsigned int loss)
{
	struct flock *f = calloc(1, sizeof(*f));
	size_t i;

	assert_non_null(f);
	f->random = mix64(seed);
	f->loss = loss;
	f->parts = 1;
	f->repair_budget = 64 << 10;
	for (i = 0; i < NODES; i++) {
		signer_ideal(&f->signer[i], (__u32)i + 1);
		f->boot[i] = 1;
	}
	f->roster = signers_roster(f->signer, NODES);
	for (i = 0; i < NODES; i++) {
		f->store[i] = page_store_new(&f->signer[i].signing);
		assert_int_equal(page_store_roster(f->store[i], &f->roster), 0);
	}
	return f;
}

static void flock_free(struct flock *f)
{
	size_t i;

	for (i = 0; i < NODES; i++)
		page_store_free(f->store[i]);
	roster_free(&f->roster);
	free(f);
}

static void publish(struct flock *f, size_t node)
{
	struct page_version v = {f->boot[node], f->boot[node] * 77 + node, ++f->counter[node]};
	__u16 kind = (__u16)draw(f, KINDS), index = (__u16)draw(f, INDICES);
	__u8 bytes[PAGE_BYTES];
	char text[64];
	size_t len;

	snprintf(text, sizeof(text), "%zu.%llu", node, (unsigned long long)v.counter);
	len = signer_page(&f->signer[node], kind, index, v, text, bytes);
	assert_int_equal(page_store_put(f->store[node], bytes, len, NULL), PAGE_NEW);
	f->newest[node][kind][index] = v;
}

static void deliver(struct flock *f, size_t to, const struct page_bytes *pages, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (page_store_put(f->store[to], pages[i].bytes, pages[i].len, NULL) > PAGE_EQUIVOCATION)
			fail_msg("an honest page was refused");
}

static void gossip(struct flock *f, size_t from)
{
	unsigned int limit = page_spread_limit(LAMBDA, NODES), k;
	struct page_bytes out[16];
	size_t count, to;

	for (k = 0; k < FANOUT; k++) {
		to = peer_of(f, from);
		count = page_store_spread(f->store[from], f->signer[to].id, limit, PAGE_BYTES, out, 16);
		f->messages += !!count;
		if (arrives(f, from, to))
			deliver(f, to, out, count);
	}
}

/* What @to lacks of @from by @to's list of the buckets in @mask. */
static void repair_step(struct flock *f, size_t from, size_t to, struct page_mask mask)
{
	static struct page_summary list[LIST];
	static struct page_bytes out[LIST];
	size_t count = page_store_list(f->store[to], &mask, list, LIST);

	assert_true(page_store_delta(f->store[from], &mask, list, count, f->repair_budget, out, LIST, &count) >= 0);
	if (arrives(f, from, to))
		deliver(f, to, out, count);
}

/* Sums, a list, pages and a list, pages: each in a message that may be lost. */
static void repair(struct flock *f, size_t a, size_t b)
{
	__u64 buckets[PAGE_BUCKETS];
	struct page_mask mask;

	if (!arrives(f, a, b))
		return;
	page_store_buckets(f->store[a], buckets);
	page_store_differ(f->store[b], buckets, &mask);
	if (!arrives(f, b, a))
		return;
	repair_step(f, a, b, mask);
	repair_step(f, b, a, mask);
	f->repairs++;
}

/* @to has a message of @from, and in it his digest. */
static void digest_heard(struct flock *f, size_t to, size_t from)
{
	if (page_store_digest(f->store[to]) == page_store_digest(f->store[from]) || f->round < f->repair_at[to])
		return;
	f->repair_at[to] = f->round + PAGE_REPAIR_MS / ROUND_MS;
	repair(f, to, from);
}

/* Probe and answer. */
static void probe(struct flock *f, size_t from)
{
	size_t to = peer_of(f, from);

	if (!arrives(f, from, to))
		return;
	digest_heard(f, to, from);
	if (arrives(f, to, from))
		digest_heard(f, from, to);
}

static void rounds(struct flock *f, size_t count)
{
	size_t i;

	while (count--) {
		f->round++;
		for (i = 0; i < NODES; i++) {
			gossip(f, i);
			if ((f->round + i) % PROBE_ROUNDS == 0)
				probe(f, i);
		}
	}
}

static bool is_one(const struct flock *f)
{
	size_t i;

	for (i = 1; i < NODES; i++)
		if (page_store_digest(f->store[i]) != page_store_digest(f->store[0]))
			return false;
	return true;
}

/* Rounds until all stores are one, or @most + 1. */
static size_t settle(struct flock *f, size_t most)
{
	size_t i;

	for (i = 0; i <= most && !is_one(f); i++)
		rounds(f, 1);
	return i;
}

/* Every store has the newest page of everybody, and no other. */
static void holds_the_newest(const struct flock *f)
{
	struct page_store_status status;
	size_t i, k, wanted = 0, at;
	struct page page;

	for (i = 0; i < NODES; i++)
		for (k = 0; k < KINDS * INDICES; k++)
			wanted += !!f->newest[i][k / INDICES][k % INDICES].counter;
	for (k = 0; k < NODES; k++) {
		page_store_status(f->store[k], &status);
		assert_int_equal(status.pages, wanted);
		for (i = 0; i < NODES; i++)
			for (at = 0; page_store_next(f->store[k], f->signer[i].id, &at, &page);)
				assert_int_equal(
					page_version_compare(&page.version, &f->newest[i][page.kind][page.index]), 0);
	}
}

static void without_loss_spreading_reaches_everybody_soon(void **state)
{
	__u64 seed;

	(void)state;
	for (seed = 0; seed < SEEDS; seed++) {
		struct flock *f = flock_new(seed, 0);

		publish(f, 5);
		/* 3 a round: 1, 4, 16, 64; and the last few */
		if (settle(f, 8) > 8)
			fail_msg("seed %llu", (unsigned long long)seed);
		holds_the_newest(f);
		/* each node sends it so often, and then the flock is silent */
		rounds(f, 10);
		assert_in_range(f->messages, NODES, NODES * page_spread_limit(LAMBDA, NODES));
		f->messages = 0;
		rounds(f, 10);
		assert_int_equal(f->messages, 0);
		flock_free(f);
	}
}

static void with_a_third_of_the_messages_lost_all_end_with_one_state(void **state)
{
	size_t most = 0, took, i;
	__u64 seed;

	(void)state;
	for (seed = 0; seed < SEEDS; seed++) {
		struct flock *f = flock_new(seed, 33);

		for (i = 0; i < 200; i++) {
			publish(f, draw(f, NODES));
			rounds(f, i % 4 == 0);
		}
		took = settle(f, 60);
		if (took > 60)
			fail_msg("seed %llu", (unsigned long long)seed);
		most = took > most ? took : most;
		holds_the_newest(f);
		flock_free(f);
	}
	print_message("# at most %zu rounds of 100 ms\n", most);
}

/* Apart for a minute, with changes on both sides; nothing is fresh any more when they meet. */
static void halves_that_changed_heal_to_one_state(void **state)
{
	size_t most = 0, took, i;
	__u64 seed;

	(void)state;
	for (seed = 0; seed < SEEDS; seed++) {
		struct flock *f = flock_new(seed, 10);

		for (i = 0; i < 50; i++)
			publish(f, draw(f, NODES));
		assert_in_range(settle(f, 100), 0, 100);
		f->parts = 2;
		for (i = 0; i < 200; i++) {
			publish(f, draw(f, NODES));
			rounds(f, i % 2);
		}
		rounds(f, 500);
		assert_false(is_one(f));
		f->parts = 1;
		took = settle(f, 50);
		if (took > 50)
			fail_msg("seed %llu", (unsigned long long)seed);
		most = took > most ? took : most;
		holds_the_newest(f);
		flock_free(f);
	}
	print_message("# at most %zu rounds of 100 ms\n", most);
}

/* One comes back with an empty disk, as a later boot, and may take little at a time. */
static void who_comes_back_empty_gets_all_and_his_old_pages_are_replaced(void **state)
{
	struct flock *f = flock_new(1, 10);
	size_t i, took;

	(void)state;
	for (i = 0; i < 400; i++)
		publish(f, draw(f, NODES));
	assert_in_range(settle(f, 100), 0, 100);
	page_store_free(f->store[3]);
	f->store[3] = page_store_new(&f->signer[3].signing);
	assert_int_equal(page_store_roster(f->store[3], &f->roster), 0);
	f->boot[3] = 2;
	f->counter[3] = 0;
	for (i = 0; i < 20; i++)
		publish(f, 3);
	f->repair_budget = 4096;
	took = settle(f, 100);
	assert_in_range(took, 0, 100);
	holds_the_newest(f);
	flock_free(f);
}

/* It tells one half this and the other half that, under one number. */
static void a_liar_is_proven_and_divides_nobody(void **state)
{
	struct flock *f = flock_new(2, 10);
	struct page_version one = {1, 1, 1};
	struct page_bytes proof[2];
	__u8 bytes[PAGE_BYTES];
	size_t i, len, proven = 0;

	(void)state;
	for (i = 0; i < NODES; i++) {
		len = signer_page(&f->signer[1], 0, 0, one, i % 2 ? "up" : "down", bytes);
		assert_int_equal(page_store_put(f->store[i], bytes, len, NULL), PAGE_NEW);
	}
	assert_in_range(settle(f, 100), 1, 100);
	for (i = 0; i < NODES; i++)
		proven += page_store_proof(f->store[i], f->signer[1].id, proof);
	assert_true(proven >= NODES / 2); /* all whose page was replaced saw both */
	flock_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_loss_spreading_reaches_everybody_soon),
		cmocka_unit_test(with_a_third_of_the_messages_lost_all_end_with_one_state),
		cmocka_unit_test(halves_that_changed_heal_to_one_state),
		cmocka_unit_test(who_comes_back_empty_gets_all_and_his_old_pages_are_replaced),
		cmocka_unit_test(a_liar_is_proven_and_divides_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
