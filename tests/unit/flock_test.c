// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two nodes' machines, message by message: pages spread, what was lost is repaired, nothing is longer than a datagram,
 * dates from the future are not believed. Not here: opinions (opinion_test.c), flocks under faults (tests/sim).
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/flock.h"
#include "signer.h"

#define NODES	2
#define STEP_NS 10000000ull
#define WALL_US 1700000000000000ull

struct pair {
	struct side {
		struct pair *pair;
		struct signer signer;
		struct flock *flock;
		__u64 counter;
		__u64 wall_us;
		size_t sent, pages_sent, repairs, pages_new;
		bool mute;
	} side[NODES];
	struct mono now;
	struct roster roster;
	unsigned int depth;
};

static struct endpoint endpoint_of(size_t node)
{
	struct endpoint e = {.port = htons(4000)};

	e.addr.byte[10] = e.addr.byte[11] = 0xff;
	e.addr.byte[15] = (__u8)(node + 1);
	return e;
}

/* What one says the other hears at once. */
static void on_send(void *arg, const struct envelope *e)
{
	struct side *s = arg;
	struct pair *p = s->pair;
	size_t from = (size_t)(s - p->side), to = 1 - from, bytes = 16 + e->message.updates * OPINION_UPDATE_BYTES, i;
	struct endpoint at = endpoint_of(from);

	for (i = 0; i < e->message.pages; i++)
		bytes += e->message.page[i].len + 4;
	assert_true(bytes <= OPINION_MESSAGE_BYTES);
	s->sent++;
	s->pages_sent += e->message.pages;
	s->repairs += e->message.kind == MESSAGE_SUMS;
	if (s->mute)
		return;
	assert_true(++p->depth < 64); /* answers to answers end */
	flock_receive(p->side[to].flock, p->now, &at, s->signer.id, &e->message);
	p->depth--;
}

static void on_page(void *arg, enum page_outcome outcome, const struct page *page)
{
	struct side *s = arg;

	(void)page;
	s->pages_new += outcome == PAGE_NEW;
}

static void pair_open(struct pair *p)
{
	struct signer signer[NODES];
	size_t i;

	memset(p, 0, sizeof(*p));
	p->now.ns = 1;
	for (i = 0; i < NODES; i++) {
		signer_ideal(&signer[i], (__u32)i + 1);
		p->side[i].signer = signer[i];
		p->side[i].signer.signing.arg = &p->side[i].signer;
		p->side[i].pair = p;
		p->side[i].wall_us = WALL_US;
	}
	p->roster = signers_roster(signer, NODES);
	for (i = 0; i < NODES; i++) {
		struct flock_config c = {.opinion = {OPINION_CONFIG, .id = signer[i].id, .seed = i, .incarnation = 1},
					 .signing = &p->side[i].signer.signing,
					 .hooks = {.arg = &p->side[i], .send = on_send, .page = on_page}};
		struct endpoint other = endpoint_of(1 - i);

		p->side[i].flock = flock_new(&c);
		assert_non_null(p->side[i].flock);
		assert_int_equal(flock_roster(p->side[i].flock, &p->roster), 0);
		opinion_known(flock_opinion(p->side[i].flock), signer[1 - i].id, &other);
	}
}

static void pair_close(struct pair *p)
{
	size_t i;

	for (i = 0; i < NODES; i++)
		flock_free(p->side[i].flock);
	roster_free(&p->roster);
}

static void pair_run(struct pair *p, __u64 ms)
{
	__u64 end_ns = p->now.ns + ms * 1000000;
	size_t i;

	for (; p->now.ns < end_ns; p->now.ns += STEP_NS)
		for (i = 0; i < NODES; i++)
			flock_step(p->side[i].flock, p->now,
				   p->side[i].wall_us ? p->side[i].wall_us + p->now.ns / 1000 : 0);
}

static void publish(struct pair *p, size_t node, __u16 index, size_t text_bytes)
{
	struct side *s = &p->side[node];
	struct page_version v = {1, 77 + node, ++s->counter};
	char text[PAGE_BYTES] = {0};
	__u8 bytes[PAGE_BYTES];
	size_t len;

	memset(text, 'x', text_bytes);
	len = signer_page(&s->signer, 1, index, v, text, bytes);
	assert_int_equal(page_store_put(flock_pages(s->flock), bytes, len, NULL), PAGE_NEW);
}

static bool same_pages(const struct pair *p)
{
	return page_store_digest(flock_pages(p->side[0].flock)) == page_store_digest(flock_pages(p->side[1].flock));
}

static void pages_ride_on_gossip(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	pair_run(&p, 1000);
	publish(&p, 0, 0, 10);
	pair_run(&p, 500);
	assert_true(same_pages(&p));
	assert_int_equal(p.side[1].pages_new, 1);
	pair_close(&p);
}

static void the_largest_page_passes_and_not_for_ever(void **state)
{
	struct pair p;
	size_t sent;

	(void)state;
	pair_open(&p);
	publish(&p, 0, 0, PAGE_VALUE_BYTES);
	publish(&p, 1, 0, PAGE_VALUE_BYTES);
	pair_run(&p, 3000);
	assert_true(same_pages(&p));
	sent = p.side[0].pages_sent;
	pair_run(&p, 3000);
	assert_int_equal(p.side[0].pages_sent, sent);
	pair_close(&p);
}

/* More than is sent by chance, and more than one list holds. */
static void what_was_lost_is_repaired(void **state)
{
	struct pair p;
	size_t i;

	(void)state;
	pair_open(&p);
	pair_run(&p, 1000);
	p.side[0].mute = p.side[1].mute = true;
	for (i = 0; i < 300; i++)
		publish(&p, i % 2, (__u16)i, i);
	pair_run(&p, 60000); /* spread into nothing until it is news no more */
	p.side[0].mute = p.side[1].mute = false;
	p.side[0].pages_new = p.side[1].pages_new = p.side[0].repairs = p.side[1].repairs = 0;
	pair_run(&p, 10000);
	assert_true(same_pages(&p));
	assert_int_equal(p.side[0].pages_new, 150);
	assert_int_equal(p.side[1].pages_new, 150);
	assert_true(p.side[0].repairs + p.side[1].repairs > 0);
	p.side[0].repairs = p.side[1].repairs = 0;
	pair_run(&p, 2000);
	assert_int_equal(p.side[0].repairs + p.side[1].repairs, 0);
	pair_close(&p);
}

static void news_on_its_way_is_no_difference_to_repair(void **state)
{
	struct pair p;
	__u16 i;

	(void)state;
	pair_open(&p);
	pair_run(&p, 1000);
	p.side[0].repairs = p.side[1].repairs = 0;
	for (i = 0; i < 50; i++) {
		publish(&p, i % 2, i, 10);
		pair_run(&p, 510);
		assert_true(same_pages(&p));
	}
	assert_int_equal(p.side[0].repairs + p.side[1].repairs, 0);
	pair_close(&p);
}

static void what_was_lost_is_repaired_where_there_is_always_news(void **state)
{
	struct pair p;
	__u16 i;

	(void)state;
	pair_open(&p);
	pair_run(&p, 1000);
	p.side[0].mute = p.side[1].mute = true;
	publish(&p, 0, 0, 10);
	pair_run(&p, 20000);
	p.side[1].pages_new = 0;
	for (i = 1; i < 20; i++) {
		publish(&p, 0, i, 10);
		p.side[0].mute = p.side[1].mute = false;
		pair_run(&p, 100);
	}
	pair_run(&p, 100);
	assert_int_equal(p.side[1].pages_new, 20);
	pair_close(&p);
}

static void where_a_round_reaches_all_nobody_repeats_what_an_origin_says(void **state)
{
	struct page_store_status status;
	struct pair p;

	(void)state;
	pair_open(&p);
	pair_run(&p, 1000);
	publish(&p, 0, 0, 10);
	while (!p.side[1].pages_new)
		pair_run(&p, 10);
	page_store_status(flock_pages(p.side[1].flock), &status);
	assert_int_equal(status.fresh, 0);
	pair_close(&p);
}

static void lists_and_sums_out_of_bounds_are_passed_over(void **state)
{
	struct endpoint at = endpoint_of(1);
	struct message m = {.kind = MESSAGE_SUMS, .sums_first = PAGE_BUCKETS, .sums = MESSAGE_SUMS_MAX};
	struct pair p;
	size_t sent;

	(void)state;
	pair_open(&p);
	publish(&p, 0, 0, 10);
	sent = p.side[0].sent;
	flock_receive(p.side[0].flock, p.now, &at, p.side[1].signer.id, &m);
	m = (struct message){.kind = MESSAGE_SUMS, .sums = MESSAGE_SUMS_MAX - 1};
	flock_receive(p.side[0].flock, p.now, &at, p.side[1].signer.id, &m);
	m = (struct message){.kind = MESSAGE_LIST, .list = MESSAGE_LIST_MAX + 1, .ask = true};
	memset(&m.mask, 0xff, sizeof(m.mask));
	flock_receive(p.side[0].flock, p.now, &at, p.side[1].signer.id, &m);
	assert_int_equal(p.side[0].sent, sent);
	pair_close(&p);
}

static void a_date_from_the_future_is_counted_and_the_rest_is_heard(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.side[1].wall_us += 3600ull * 1000000;
	publish(&p, 1, 0, 10);
	pair_run(&p, 2000);
	assert_true(flock_skewed(p.side[0].flock) > 0);
	assert_int_equal(flock_skewed(p.side[1].flock), 0);
	assert_true(same_pages(&p));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_ride_on_gossip),
		cmocka_unit_test(the_largest_page_passes_and_not_for_ever),
		cmocka_unit_test(what_was_lost_is_repaired),
		cmocka_unit_test(news_on_its_way_is_no_difference_to_repair),
		cmocka_unit_test(what_was_lost_is_repaired_where_there_is_always_news),
		cmocka_unit_test(where_a_round_reaches_all_nobody_repeats_what_an_origin_says),
		cmocka_unit_test(lists_and_sums_out_of_bounds_are_passed_over),
		cmocka_unit_test(a_date_from_the_future_is_counted_and_the_rest_is_heard),
	};

	return cmocka_run_group_tests_name("flock", tests, NULL, NULL);
}
