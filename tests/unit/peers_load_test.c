// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose loads a node takes. Not here: sums of them (load_test), real balancers (net/schedule.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "daemon/peers_state.h"
#include "signer.h"

static void load_come(struct peers *p, __u64 origin, __u32 open)
{
	struct page_draft draft = {0};
	struct page page = {.origin = origin, .kind = PAGE_KIND_LOADS, .version = {1, 1, 1}};

	assert_int_equal(fact_load_encode(&(struct fact_load){7, open}, &draft), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	peers_page(p, PAGE_NEW, &page);
}

static void those_of_the_own_site_and_of_no_other(void **state)
{
	struct signer signer[3];
	struct peers p = {.load_in = load_in_new()};
	const __u64 key = 7;

	(void)state;
	assert_non_null(p.load_in);
	assert_int_equal(load_in_keys(p.load_in, &key, 1), 0);
	for (__u32 i = 0; i < 3; i++)
		signer_ideal(&signer[i], i + 1);
	p.identity.id = signer[0].id;
	p.roster = signers_roster(signer, 2);
	load_come(&p, signer[1].id, 5);
	assert_int_equal(load_in_open(p.load_in, 0), 5);
	for (size_t i = 0; i < p.roster.count; i++)
		if (p.roster.node[i].id == signer[1].id)
			snprintf(p.roster.node[i].site, sizeof(p.roster.node[i].site), "far");
	load_in_forget(p.load_in, signer[1].id);
	load_come(&p, signer[1].id, 0xffffffff);
	load_come(&p, signer[2].id, 0xffffffff); /* in no roster */
	assert_int_equal(load_in_open(p.load_in, 0), 0);
	load_in_free(p.load_in);
	roster_free(&p.roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_the_own_site_and_of_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
