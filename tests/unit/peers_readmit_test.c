// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Readmissions that are heard of are kept, and read again when more is known of who told them. Not here: what they do
 * (bpf/plane_recover_test), real balancers (net/verdict.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/peers_state.h"
#include "signer.h"

#define SITE 2000 /* backends that are let in at once */

static void keep(struct fact_readmit *all, size_t *count, __u64 key, __u64 date_ms)
{
	peers_readmit_keep(all, count, &(struct fact_readmit){key, date_ms});
	for (size_t i = 1; i < *count; i++)
		assert_true(all[i - 1].key < all[i].key);
}

static const struct fact_readmit *find(const struct fact_readmit *all, size_t count, __u64 key)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].key == key)
			return &all[i];
	return NULL;
}

static void all_of_a_site_are_kept_each_with_its_latest_date(void **state)
{
	struct fact_readmit *all = calloc(PEERS_READMITS, sizeof(*all));
	size_t count = 0;

	(void)state;
	assert_non_null(all);
	for (__u64 i = 1; i <= SITE; i++)
		keep(all, &count, i * 0x9e3779b97f4a7c15, 1000 + i);
	keep(all, &count, 0x9e3779b97f4a7c15, 9000);
	keep(all, &count, 0x9e3779b97f4a7c15, 1); /* a page that was late */
	assert_int_equal(count, SITE);
	for (__u64 i = 2; i <= SITE; i++)
		assert_true(find(all, count, i * 0x9e3779b97f4a7c15)->date_ms == 1000 + i);
	assert_true(find(all, count, 0x9e3779b97f4a7c15)->date_ms == 9000);
	free(all);
}

static void beyond_the_room_the_earliest_goes(void **state)
{
	struct fact_readmit *all = calloc(PEERS_READMITS, sizeof(*all));
	size_t count = 0;

	(void)state;
	assert_non_null(all);
	for (__u64 i = 1; i <= PEERS_READMITS; i++)
		peers_readmit_keep(all, &count, &(struct fact_readmit){i * 0x9e3779b97f4a7c15, 1000 + i});
	keep(all, &count, 1, 1000); /* this one is */
	assert_null(find(all, count, 1));
	keep(all, &count, 1, 9000);
	assert_int_equal(count, PEERS_READMITS);
	assert_non_null(find(all, count, 1));
	assert_null(find(all, count, 0x9e3779b97f4a7c15));
	assert_non_null(find(all, count, 2 * 0x9e3779b97f4a7c15));
	free(all);
}

/* --- pages --- */

struct desk {
	struct peers p;
	struct signer signer[2]; /* the own one, the other */
	struct roster roster;
};

static void on_send(void *arg, const struct envelope *e)
{
	(void)arg;
	(void)e;
}

/* Who may be believed is what the roster says. */
static void roster_set(struct desk *d, bool other)
{
	d->roster.node[1].roles =
		(__u8)(other ? ROSTER_ROLES_DEFAULT | ROLE_ADMIN : ROSTER_ROLES_DEFAULT & ~ROLE_ADMIN);
	roster_free(&d->p.roster);
	assert_int_equal(roster_copy(&d->p.roster, &d->roster), 0);
	assert_int_equal(flock_roster(d->p.flock, &d->roster), 0);
	d->p.readmits_read = 0; /* as peers_roster_use() does */
}

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct flock_config config = {.opinion = {OPINION_CONFIG}};

	assert_non_null(d);
	for (__u32 i = 0; i < 2; i++)
		signer_ideal(&d->signer[i], i + 1);
	d->roster = signers_roster(d->signer, 2);
	d->roster.node[0].roles |= ROLE_ADMIN;
	d->p.identity.id = config.opinion.id = d->signer[0].id;
	config.opinion.incarnation = 1;
	config.signing = &d->signer[0].signing;
	config.hooks = (struct flock_hooks){&d->p, on_send, peers_page, NULL};
	d->p.flock = flock_new(&config);
	assert_non_null(d->p.flock);
	roster_set(d, true);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	flock_free(d->p.flock);
	roster_free(&d->p.roster);
	roster_free(&d->roster);
	free(d);
	return 0;
}

/* The other one lets a backend in. */
static void page_come(struct desk *d, __u64 key, __u64 date_ms)
{
	struct page_draft draft = {0};
	struct page page = {.origin = d->signer[1].id, .kind = PAGE_KIND_READMITS, .version = {1, 1, 1}};
	__u8 bytes[PAGE_BYTES];
	int len;

	assert_int_equal(fact_readmit_encode(&(struct fact_readmit){key, date_ms}, &draft), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	len = page_encode(&page, &d->signer[1].signing, bytes);
	assert_true(len > 0);
	flock_page(d->p.flock, mono_now(), bytes, (size_t)len);
}

static void one_of_a_node_that_was_no_admin_yet_counts_when_it_is(void **state)
{
	struct desk *d = *state;

	roster_set(d, false);
	page_come(d, 7, 1000);
	peers_readmits_step(&d->p);
	assert_int_equal(d->p.readmits_heard, 0);
	roster_set(d, true);
	peers_readmits_step(&d->p);
	assert_int_equal(d->p.readmits_heard, 1);
	assert_true(d->p.readmit_heard[0].key == 7 && d->p.readmit_heard[0].date_ms == 1000);
}

/* An answer to a probe, which took no time. */
static void clock_come(struct desk *d, __u64 wall_us, __u64 ahead_us)
{
	struct message m = {.kind = MESSAGE_ACK, .number = 1, .subject = d->signer[1].id};
	struct endpoint at = {.port = 1};

	flock_step(d->p.flock, mono_now(), wall_us);
	m.asked_us = wall_us - 1000;
	m.heard_us = m.sent_us = wall_us + ahead_us;
	flock_receive(d->p.flock, mono_now(), &at, d->signer[1].id, &m);
}

static void one_of_a_clock_that_was_not_known_yet_counts_when_it_is(void **state)
{
	const __u64 hour_ms = 3600 * 1000, now = wall_ms();
	struct desk *d = *state;

	page_come(d, 7, now + hour_ms);
	peers_readmits_step(&d->p);
	assert_int_equal(d->p.readmits_heard, 0);
	clock_come(d, now * 1000, hour_ms * 1000);
	peers_readmits_step(&d->p);
	assert_int_equal(d->p.readmits_heard, 1);
	assert_in_range(d->p.readmit_heard[0].date_ms, now - 1000, now + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_site_are_kept_each_with_its_latest_date),
		cmocka_unit_test(beyond_the_room_the_earliest_goes),
		cmocka_unit_test_setup_teardown(one_of_a_node_that_was_no_admin_yet_counts_when_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_a_clock_that_was_not_known_yet_counts_when_it_is, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
