// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Readmissions that are heard of are kept. Not here: what they do (bpf/plane_recover_test), real balancers
 * (net/verdict.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/peers_state.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_site_are_kept_each_with_its_latest_date),
		cmocka_unit_test(beyond_the_room_the_earliest_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
