// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Facts as entries, pages of one's own, and what two nodes do not agree on. Not here: loads (load_test), any bytes
 * (page_fuzz).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/fact.h"
#include "core/page_author.h"
#include "signer.h"

static struct page page_of(const struct page_draft *draft, __u16 kind)
{
	return (struct page){
		.origin = 1, .kind = kind, .version = {1, 1, 1}, .len = draft->len, .entries = draft->entries};
}

static void a_node_is_read_as_it_was_written(void **state)
{
	struct fact_node node = {"lb1", "fra", "eu", "0.1.0+g50408a7", FACT_NODE_DRAINING, 2, 3, {true, 3, 7, 9}},
			 bare = {.level = 1, .table = 1}, got;
	struct page_draft draft = {0};
	struct page page;

	(void)state;
	assert_int_equal(fact_node_encode(&node, &draft), 0);
	page = page_of(&draft, PAGE_KIND_NODE);
	assert_int_equal(fact_node_decode(&page, &got), 0);
	assert_true(!strcmp(got.name, "lb1") && !strcmp(got.site, "fra") && !strcmp(got.region, "eu") &&
		    !strcmp(got.version, node.version));
	assert_true(got.flags == FACT_NODE_DRAINING && got.ring.told && got.ring.number == 3 && got.ring.author == 7 &&
		    got.ring.seed == 9);
	assert_true(got.level == 2 && got.table == 3);
	draft.len = 0;
	assert_int_equal(fact_node_encode(&bare, &draft), 0);
	assert_int_equal(draft.len, 20);
	page = page_of(&draft, PAGE_KIND_NODE);
	assert_int_equal(fact_node_decode(&page, &got), 0);
	assert_true(!got.site[0] && !got.region[0] && !got.version[0] && !got.flags && !got.ring.told);
}

/* As a later version may write: other types, and longer values. */
static void what_is_not_known_is_passed_over(void **state)
{
	static const __u8 flags[8] = {1, 0, 0, 0, 9, 9, 9, 9};
	static const __u8 load[20] = {7, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 9};
	struct page_draft draft = {0};
	struct fact_load got_load;
	struct fact_node got;
	struct page page;
	size_t at = 0;

	(void)state;
	page_entry_add(&draft, 999, "later", 5);
	page_entry_add(&draft, FACT_NODE_FLAGS, flags, sizeof(flags));
	page = page_of(&draft, PAGE_KIND_NODE);
	assert_int_equal(fact_node_decode(&page, &got), 0);
	assert_int_equal(got.flags, 1);
	assert_true(got.level == 1 && got.table == 1); /* as one was that did not tell it yet */
	draft.len = 0;
	page_entry_add(&draft, 999, "", 0);
	page_entry_add(&draft, FACT_LOAD_BACKEND, load, sizeof(load));
	page = page_of(&draft, PAGE_KIND_LOADS);
	assert_int_equal(fact_load_next(&page, &at, &got_load), 1);
	assert_true(got_load.key == 7 && got_load.open == 5);
	assert_int_equal(fact_load_next(&page, &at, &got_load), 0);
}

static void what_is_known_and_wrong_is_refused(void **state)
{
	static const struct {
		__u16 kind, type;
		const char *value;
		size_t len;
	} bad[] = {
		{PAGE_KIND_NODE, FACT_NODE_SITE, "", 0},
		{PAGE_KIND_NODE, FACT_NODE_SITE, "0123456789012345678901234567890x", 32},
		{PAGE_KIND_NODE, FACT_NODE_REGION, "a b", 3},
		{PAGE_KIND_NODE, FACT_NODE_REGION, "a\0b", 3},
		{PAGE_KIND_NODE, FACT_NODE_VERSION, "\033[2J", 4},
		{PAGE_KIND_NODE, FACT_NODE_VERSION, "\xc3\xa9", 2},
		{PAGE_KIND_NODE, FACT_NODE_FLAGS, "\1\0\0", 3},
		{PAGE_KIND_NODE, FACT_NODE_LEVEL, "\1\0\0\0\1\0\0", 7},
		{PAGE_KIND_NODE, FACT_NODE_LEVEL, "\0\0\0\0\1\0\0\0", 8},
		{PAGE_KIND_NODE, FACT_NODE_LEVEL, "\1\0\0\0\0\0\0\0", 8},
		{PAGE_KIND_NODE, FACT_NODE_RING, "0123456789abcdef0123456", 23},
		{PAGE_KIND_DIGESTS, FACT_DIGEST_ALL, "0123456789abcde", 15},
		{PAGE_KIND_DIGESTS, FACT_DIGEST_VIP, "0123456789abcdef", 16},
		{PAGE_KIND_DIGESTS, FACT_DIGEST_VIP, "0123456789abcdef\n", 17},
		{PAGE_KIND_LOADS, FACT_LOAD_BACKEND, "0123456789a", 11},
		{PAGE_KIND_LOADS, FACT_LOAD_NODE, "0123456789abcdef0123456789a", 27},
	};
	struct fact_node_load node_load;
	struct fact_digest digest;
	struct fact_load load;
	struct fact_node node;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct page_draft draft = {0};
		struct page page;
		size_t at = 0, load_at = 0;

		page_entry_add(&draft, bad[i].type, bad[i].value, bad[i].len);
		page = page_of(&draft, bad[i].kind);
		if (fact_node_decode(&page, &node) != -EBADMSG || fact_digest_next(&page, &at, &digest) != -EBADMSG)
			fail_msg("case %zu", i);
		if (bad[i].type == FACT_LOAD_NODE && bad[i].kind == PAGE_KIND_LOADS)
			assert_int_equal(fact_node_load_decode(&page, &node_load), -EBADMSG);
		else
			assert_int_equal(fact_load_next(&page, &load_at, &load), -EBADMSG);
	}
}

static void a_backend_has_one_key_everywhere(void **state)
{
	struct endpoint a, b, six;

	(void)state;
	endpoint_parse("10.0.0.1:80", &a);
	endpoint_parse("10.0.0.1:81", &b);
	endpoint_parse("[2001:db8::1]:80", &six);
	/* BLAKE2b-128 of name, padded to 32, address and port, by another implementation */
	assert_true(fact_backend_key("web", &a) == 0x6cbd4e8d30c4ea09ULL);
	assert_true(fact_backend_key("web", &six) == 0xc9d488d048460ad3ULL);
	assert_true(fact_backend_key("web", &a) != fact_backend_key("web", &b));
	assert_true(fact_backend_key("web", &a) != fact_backend_key("we", &a));
}

/* --- own pages --- */

struct world {
	struct signer signer[2];
	struct roster roster;
	struct page_store *store;
	struct page_author author[2];
};

static void world_begin(struct world *w)
{
	__u32 i;

	for (i = 0; i < 2; i++)
		signer_ideal(&w->signer[i], i + 1);
	w->roster = signers_roster(w->signer, 2);
	w->store = page_store_new(&w->signer[0].signing);
	assert_int_equal(page_store_roster(w->store, &w->roster), 0);
	for (i = 0; i < 2; i++)
		w->author[i] = (struct page_author){&w->signer[i].signing, w->store, w->signer[i].id, {1, 5 + i, 0}};
}

static void world_end(struct world *w)
{
	page_store_free(w->store);
	roster_free(&w->roster);
}

static void a_page_is_numbered_only_if_it_says_something_new(void **state)
{
	struct fact_node node = {.site = "fra"};
	struct page_draft draft = {0};
	struct page page;
	struct world w;
	size_t at = 0, empty = 0;
	int i;

	(void)state;
	world_begin(&w);
	fact_node_encode(&node, &draft);
	assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_NODE, 0, &draft), 1);
	assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_NODE, 0, &draft), 0);
	assert_true(w.author[0].last.counter == 1);
	/* another incarnation says all of it anew */
	w.author[0].last.incarnation = 2;
	assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_NODE, 0, &draft), 1);
	assert_true(w.author[0].last.counter == 2);
	/* an earlier one has no say */
	w.author[0].last.incarnation = 1;
	assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_NODE, 0, &draft), -ESTALE);
	w.author[0].last.incarnation = 2;
	for (i = 0; i < 4; i++)
		assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_DIGESTS, (__u16)i, &draft), 1);
	assert_int_equal(page_author_trim(&w.author[0], PAGE_KIND_DIGESTS, 1), 0);
	assert_int_equal(page_author_trim(&w.author[0], PAGE_KIND_DIGESTS, 1), 0);
	assert_true(w.author[0].last.counter == 10); /* and one that was refused */
	while (page_store_next(w.store, w.author[0].id, &at, &page))
		empty += !page.len;
	assert_int_equal(empty, 3);
	roster_delete(&w.roster, "n0");
	page_store_roster(w.store, &w.roster);
	assert_int_equal(page_author_publish(&w.author[0], PAGE_KIND_NODE, 0, &draft), -ENOENT);
	world_end(&w);
}

/* Digests of v0, v1, ... by as many pages as it takes; @odd differs in what @difference says. */
static void digests_publish(struct page_author *a, size_t vips, size_t odd, enum fact_difference difference)
{
	struct fact_digest digest = {.config = 1000, .effective = 2000};
	struct page_draft draft = {0};
	__u16 index = 0;
	size_t i;

	fact_digest_encode(&digest, &draft);
	for (i = 0; i < vips; i++) {
		if (i == odd && difference == FACT_NOT_HERE)
			continue;
		snprintf(digest.vip, sizeof(digest.vip), "v%03zu", i);
		digest.config = i + (i == odd && difference == FACT_CONFIG);
		digest.effective = ~i - (i == odd && difference != FACT_NOT_THERE);
		if (!fact_digest_encode(&digest, &draft))
			continue;
		assert_true(page_author_publish(a, PAGE_KIND_DIGESTS, index++, &draft) >= 0);
		draft.len = 0;
		assert_int_equal(fact_digest_encode(&digest, &draft), 0);
	}
	assert_true(page_author_publish(a, PAGE_KIND_DIGESTS, index++, &draft) >= 0);
	assert_int_equal(page_author_trim(a, PAGE_KIND_DIGESTS, index), 0);
}

struct difference {
	char vip[STARLING_NAME_BYTES];
	enum fact_difference difference;
};

static void difference_note(void *arg, const char *vip, enum fact_difference difference)
{
	struct difference *d = arg;

	snprintf(d->vip, sizeof(d->vip), "%s", vip);
	d->difference = difference;
}

static void the_vip_that_differs_is_named(void **state)
{
	static const enum fact_difference kinds[] = {FACT_CONFIG, FACT_EFFECTIVE, FACT_NOT_HERE};
	struct fact_digest all[2];
	struct difference d;
	struct world w;
	size_t i;

	(void)state;
	world_begin(&w);
	digests_publish(&w.author[0], 200, 999, FACT_NOT_THERE);
	assert_int_equal(fact_digests_differ(w.store, w.author[0].id, w.author[1].id, NULL, NULL, all), 0);
	assert_true(all[0].config == 1000 && !all[1].config);
	digests_publish(&w.author[1], 200, 999, FACT_NOT_THERE);
	assert_int_equal(fact_digests_differ(w.store, w.author[0].id, w.author[1].id, NULL, NULL, all), 0);
	for (i = 0; i < 3; i++) {
		digests_publish(&w.author[0], 200, 150, kinds[i]);
		assert_int_equal(fact_digests_differ(w.store, w.author[0].id, w.author[1].id, difference_note, &d, all),
				 1);
		assert_string_equal(d.vip, "v150");
		assert_int_equal(d.difference, kinds[i]);
	}
	/* the other way round */
	assert_int_equal(fact_digests_differ(w.store, w.author[1].id, w.author[0].id, difference_note, &d, all), 1);
	assert_int_equal(d.difference, FACT_NOT_THERE);
	assert_true(all[0].effective == 2000);
	/* VIPs that one has deleted */
	digests_publish(&w.author[0], 3, 999, FACT_NOT_THERE);
	assert_int_equal(fact_digests_differ(w.store, w.author[0].id, w.author[1].id, difference_note, &d, all), 197);
	assert_string_equal(d.vip, "v199");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_read_as_it_was_written),
		cmocka_unit_test(what_is_not_known_is_passed_over),
		cmocka_unit_test(what_is_known_and_wrong_is_refused),
		cmocka_unit_test(a_backend_has_one_key_everywhere),
		cmocka_unit_test(a_page_is_numbered_only_if_it_says_something_new),
		cmocka_unit_test(the_vip_that_differs_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
