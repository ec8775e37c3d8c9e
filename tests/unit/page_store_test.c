// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which pages one store keeps, refuses, spreads and owes a peer; real signatures. Not here: many stores
 * (page_flock_test).
 */
#include <errno.h>
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

#define KIND 3
#define ROOM 4096

struct world {
	struct signer signer[4]; /* the last is in no roster */
	struct roster roster;
	struct page_store *store;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	__u32 i;

	assert_non_null(w);
	for (i = 0; i < 4; i++)
		signer_real(&w->signer[i], i + 1);
	w->roster = signers_roster(w->signer, 3);
	w->store = page_store_new(&w->signer[0].signing);
	assert_int_equal(page_store_roster(w->store, &w->roster), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	page_store_free(w->store);
	roster_free(&w->roster);
	free(w);
	return 0;
}

static struct page_store *store_another(struct world *w)
{
	struct page_store *s = page_store_new(&w->signer[0].signing);

	assert_int_equal(page_store_roster(s, &w->roster), 0);
	return s;
}

static enum page_outcome put(struct page_store *s, struct signer *from, __u16 kind, __u16 index,
			     struct page_version version, const char *text)
{
	__u8 bytes[PAGE_BYTES];
	size_t len = signer_page(from, kind, index, version, text, bytes);

	return page_store_put(s, bytes, len, NULL);
}

static struct page_store_status status(const struct page_store *s)
{
	struct page_store_status st;

	page_store_status(s, &st);
	return st;
}

/* The text of a page, "" if there is none. */
static void text_of(const struct page_store *s, __u64 origin, __u16 kind, __u16 index, char text[64])
{
	struct page_entry entry;
	struct page page;
	size_t at = 0, in = 0;

	text[0] = '\0';
	while (page_store_next(s, origin, &at, &page))
		if (page.kind == kind && page.index == index && page_entry_next(&page, &in, &entry))
			snprintf(text, 64, "%.*s", entry.len, (const char *)entry.value);
}

static void the_newest_version_is_kept(void **state)
{
	struct world *w = *state;
	struct signer *from = &w->signer[1];
	char text[64];

	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){1, 5, 2}, "two"), PAGE_NEW);
	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){1, 5, 2}, "two"), PAGE_KNOWN);
	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){1, 5, 1}, "one"), PAGE_OLDER);
	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){1, 4, 9}, "nine"), PAGE_OLDER);
	assert_int_equal(put(w->store, from, KIND, 1, (struct page_version){1, 5, 1}, "other"), PAGE_NEW);
	text_of(w->store, from->id, KIND, 0, text);
	assert_string_equal(text, "two");
	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){2, 1, 1}, "later"), PAGE_NEW);
	text_of(w->store, from->id, KIND, 0, text);
	assert_string_equal(text, "later");
	assert_int_equal(status(w->store).pages, 2);
	assert_int_equal(status(w->store).outcome[PAGE_OLDER], 2);
	assert_int_equal(status(w->store).outcome[PAGE_KNOWN], 1);
}

static void what_is_not_the_origins_is_refused_and_counted(void **state)
{
	struct world *w = *state;
	__u8 bytes[PAGE_BYTES];
	struct page_version one = {1, 1, 1};
	struct signer liar = w->signer[2];
	size_t len;

	assert_int_equal(page_store_put(w->store, "no page", 7, NULL), PAGE_MALFORMED);
	assert_int_equal(put(w->store, &w->signer[3], KIND, 0, one, "hello"), PAGE_STRANGER);
	/* a member that has a right to send, but not to say this */
	liar.id = w->signer[1].id;
	liar.signing.arg = &liar;
	assert_int_equal(put(w->store, &liar, KIND, 0, one, "forged"), PAGE_FORGED);
	assert_int_equal(put(w->store, &liar, KIND | PAGE_KIND_PASSING, 0, one, "forged"), PAGE_FORGED);
	len = signer_page(&w->signer[1], KIND, 0, one, "hello", bytes);
	bytes[len - 1] ^= 1;
	assert_int_equal(page_store_put(w->store, bytes, len, NULL), PAGE_FORGED);
	assert_true(page_store_digest(w->store) == 0);
	assert_int_equal(status(w->store).pages, 0);
	assert_int_equal(status(w->store).outcome[PAGE_FORGED], 3);
	assert_int_equal(status(w->store).outcome[PAGE_STRANGER], 1);
	assert_int_equal(status(w->store).outcome[PAGE_MALFORMED], 1);
}

static void two_pages_of_one_number_prove_a_lie_and_all_keep_the_same(void **state)
{
	struct world *w = *state;
	struct page_store *other = store_another(w);
	struct signer *from = &w->signer[1];
	struct page_version one = {1, 1, 1};
	struct page_bytes proof[2];
	char a[64], b[64];
	struct page page;
	int i;

	put(w->store, from, KIND, 0, one, "yes");
	put(other, from, KIND, 0, one, "no");
	assert_false(page_store_proof(w->store, from->id, proof));
	assert_int_equal(put(w->store, from, KIND, 0, one, "no"), PAGE_EQUIVOCATION);
	assert_int_equal(put(other, from, KIND, 0, one, "yes"), PAGE_EQUIVOCATION);
	text_of(w->store, from->id, KIND, 0, a);
	text_of(other, from->id, KIND, 0, b);
	assert_string_equal(a, b);
	assert_true(page_store_digest(w->store) == page_store_digest(other));
	assert_true(page_store_proof(w->store, from->id, proof));
	for (i = 0; i < 2; i++) {
		assert_int_equal(page_decode(proof[i].bytes, proof[i].len, &page), 0);
		assert_true(page_verify(proof[i].bytes, proof[i].len, &from->key, &w->signer[0].signing));
		assert_int_equal(page_version_compare(&page.version, &one), 0);
	}
	assert_memory_not_equal(proof[0].bytes, proof[1].bytes, proof[0].len);
	/* the next number goes on as ever, and the proof stays */
	assert_int_equal(put(w->store, from, KIND, 0, (struct page_version){1, 1, 2}, "maybe"), PAGE_NEW);
	assert_true(page_store_proof(w->store, from->id, proof));
	page_store_free(other);
}

static void a_later_boot_voids_what_held_for_the_earlier(void **state)
{
	struct world *w = *state;
	struct signer *from = &w->signer[1];
	struct page_version first = {1, 7, 1}, second = {2, 3, 1}, latest;
	char text[64];

	assert_int_equal(page_store_latest(w->store, from->id, &latest), -ENOENT);
	put(w->store, from, KIND, 0, first, "stays");
	put(w->store, from, KIND | PAGE_KIND_OF_BOOT, 0, first, "goes");
	put(w->store, from, KIND | PAGE_KIND_OF_BOOT, 1, first, "goes too");
	assert_int_equal(put(w->store, from, KIND | PAGE_KIND_OF_BOOT, 0, second, "new"), PAGE_NEW);
	assert_int_equal(put(w->store, from, KIND | PAGE_KIND_OF_BOOT, 1, first, "goes too"), PAGE_VOID);
	assert_int_equal(put(w->store, from, KIND | PAGE_KIND_PASSING, 1, first, "late"), PAGE_VOID);
	assert_int_equal(put(w->store, from, KIND | PAGE_KIND_PASSING, 1, second, "news"), PAGE_PASSING);
	text_of(w->store, from->id, KIND, 0, text);
	assert_string_equal(text, "stays");
	text_of(w->store, from->id, KIND | PAGE_KIND_OF_BOOT, 0, text);
	assert_string_equal(text, "new");
	assert_int_equal(status(w->store).pages, 2);
	assert_int_equal(page_store_latest(w->store, from->id, &latest), 0);
	assert_int_equal(page_version_compare(&latest, &second), 0);
}

/* Any order of the same pages makes the same store, also where an origin sends more than its share. */
static void the_order_in_which_pages_come_does_not_matter(void **state)
{
	enum { PAGES = STARLING_PAGES_PER_ORIGIN + 40 };
	struct world *w = *state;
	struct page_store *s[2] = {w->store, store_another(w)};
	__u64 buckets[2][PAGE_BUCKETS];
	struct page_mask mask;
	__u32 i;
	int k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < PAGES; i++) {
			__u32 n = k ? (i * 577 + 5) % PAGES : i; /* 577 is prime to 1064 */
			struct page_version v = {1 + n / 1000, 9, n + 1};

			put(s[k], &w->signer[1], n % 2 ? KIND : KIND | PAGE_KIND_OF_BOOT, (__u16)(n / 2), v, "x");
		}
	/* of the first incarnation's KIND_OF_BOOT pages none is left */
	assert_int_equal(status(s[0]).pages, PAGES / 2 + 32);
	assert_int_equal(status(s[0]).pages, status(s[1]).pages);
	assert_true(page_store_digest(s[0]) && page_store_digest(s[0]) == page_store_digest(s[1]));
	for (k = 0; k < 2; k++)
		page_store_buckets(s[k], buckets[k]);
	assert_memory_equal(buckets[0], buckets[1], sizeof(buckets[0]));
	assert_int_equal(page_store_differ(s[0], buckets[1], &mask), 0);
	page_store_free(s[1]);
}

static void an_origin_has_its_share_and_no_more(void **state)
{
	struct world *w = *state;
	struct page_store *other = store_another(w);
	size_t share = status(w->store).share, i;
	char text[64];

	assert_int_equal(share, STARLING_PAGES_PER_ORIGIN);
	for (i = 0; i <= share; i++) {
		struct page_version v = {1, 1, i + 1};

		assert_int_equal(put(w->store, &w->signer[1], KIND, (__u16)i, v, "x"),
				 i < share ? PAGE_NEW : PAGE_FULL);
		put(other, &w->signer[1], KIND, (__u16)(share - i), (struct page_version){1, 1, share - i + 1}, "x");
	}
	assert_true(page_store_digest(w->store) == page_store_digest(other));
	assert_int_equal(status(other).pages, share);
	/* a page before the others takes the place of the last */
	assert_int_equal(put(w->store, &w->signer[1], KIND - 1, 0, (struct page_version){1, 1, 9999}, "first"),
			 PAGE_NEW);
	assert_int_equal(status(w->store).pages, share);
	text_of(w->store, w->signer[1].id, KIND, (__u16)(share - 1), text);
	assert_string_equal(text, "");
	/* nobody else's share is touched */
	assert_int_equal(put(w->store, &w->signer[2], KIND, 0, (struct page_version){1, 1, 1}, "x"), PAGE_NEW);
	page_store_free(other);
}

static void who_leaves_the_roster_takes_his_pages_along(void **state)
{
	struct world *w = *state;
	struct page_version one = {1, 1, 1};
	__u64 before;

	put(w->store, &w->signer[1], KIND, 0, one, "one");
	before = page_store_digest(w->store);
	put(w->store, &w->signer[2], KIND, 0, one, "two");
	assert_int_equal(roster_delete(&w->roster, "n2"), 0);
	assert_int_equal(page_store_roster(w->store, &w->roster), 0);
	assert_true(page_store_digest(w->store) == before);
	assert_int_equal(status(w->store).pages, 1);
	assert_int_equal(put(w->store, &w->signer[2], KIND, 0, one, "two"), PAGE_STRANGER);
	assert_int_equal(put(w->store, &w->signer[1], KIND, 0, one, "one"), PAGE_KNOWN);
	roster_free(&w->roster);
	assert_int_equal(page_store_roster(w->store, &w->roster), 0);
	assert_true(!page_store_digest(w->store) && !status(w->store).pages && !status(w->store).bytes);
}

static void a_page_is_spread_so_often_and_not_to_its_origin(void **state)
{
	struct world *w = *state;
	struct page_version one = {1, 1, 1};
	struct page_bytes out[8];
	struct page page;
	unsigned int limit = page_spread_limit(4, 3), i; /* 4 x 0.6 */

	assert_int_equal(limit, 3);
	assert_int_equal(page_spread_limit(4, 999), 12);
	assert_int_equal(page_spread_limit(3, 0), 0);
	put(w->store, &w->signer[1], KIND, 0, one, "old");
	assert_int_equal(page_store_spread(w->store, w->signer[1].id, limit, PAGE_BYTES, out, 8), 0);
	assert_int_equal(page_store_spread(w->store, w->signer[2].id, limit, PAGE_BYTES, out, 8), 1);
	/* what was sent less often goes first, and only one of them fits */
	put(w->store, &w->signer[1], KIND, 1, one, "new");
	assert_int_equal(page_store_spread(w->store, w->signer[2].id, limit, 150, out, 8), 1);
	assert_int_equal(page_decode(out[0].bytes, out[0].len, &page), 0);
	assert_int_equal(page.index, 1);
	assert_int_equal(status(w->store).fresh, 2);
	for (i = 1; i < limit; i++)
		assert_int_equal(page_store_spread(w->store, 1000 + i, limit, PAGE_BYTES, out, 8), 2);
	assert_int_equal(page_store_spread(w->store, 1000, limit, PAGE_BYTES, out, 8), 0);
	assert_int_equal(status(w->store).fresh, 0);
	/* one that is replaced while it waits is not sent */
	put(w->store, &w->signer[1], KIND, 0, (struct page_version){1, 1, 2}, "three");
	put(w->store, &w->signer[1], KIND, 0, (struct page_version){1, 1, 3}, "four");
	assert_int_equal(page_store_spread(w->store, 0, limit, PAGE_BYTES, out, 8), 1);
	assert_int_equal(page_decode(out[0].bytes, out[0].len, &page), 0);
	assert_true(page.version.counter == 3);
}

static void a_page_is_not_sent_to_who_has_it(void **state)
{
	struct world *w = *state;
	struct page_version one = {1, 1, 1}, two = {1, 1, 2};
	__u64 teller = w->signer[2].id, other = w->signer[3].id;
	struct page_bytes out[8];
	__u8 bytes[PAGE_BYTES];
	size_t len;

	put(w->store, &w->signer[1], KIND, 0, one, "text");
	assert_int_equal(page_store_spread(w->store, other, 3, PAGE_BYTES, out, 8), 1);
	len = out[0].len;
	memcpy(bytes, out[0].bytes, len);
	assert_int_equal(page_store_spread(w->store, other, 3, PAGE_BYTES, out, 8), 0); /* a second time */
	page_store_met(w->store, bytes, len, teller);
	assert_int_equal(status(w->store).fresh, 1);
	assert_int_equal(page_store_spread(w->store, teller, 3, PAGE_BYTES, out, 8), 0);
	assert_int_equal(status(w->store).fresh, 0); /* three times it was some peer's turn */
	/* a newer one is another page */
	put(w->store, &w->signer[1], KIND, 0, two, "other");
	page_store_met(w->store, bytes, len, teller);
	assert_int_equal(page_store_spread(w->store, teller, 3, PAGE_BYTES, out, 8), 1);
	page_store_met(w->store, "no page", 7, teller);
}

/* All that @from has and @to lacks, by their lists. */
static size_t delta(const struct page_store *from, const struct page_store *to, size_t budget, struct page_bytes *out,
		    int *ret_lacking)
{
	struct page_summary *list = calloc(ROOM, sizeof(*list));
	__u64 buckets[PAGE_BUCKETS];
	struct page_mask mask;
	size_t count;

	page_store_buckets(to, buckets);
	page_store_differ(from, buckets, &mask);
	count = page_store_list(to, &mask, list, ROOM);
	*ret_lacking = page_store_delta(from, &mask, list, count, budget, out, ROOM, &count);
	free(list);
	return count;
}

static void a_delta_is_what_the_peer_lacks_and_no_more(void **state)
{
	struct world *w = *state;
	struct page_store *other = store_another(w);
	struct page_bytes *out = calloc(ROOM, sizeof(*out));
	size_t count, i;
	int lacking;

	for (i = 0; i < 300; i++) {
		struct page_version v = {1, 1, i + 1};

		put(w->store, &w->signer[i % 2], KIND, (__u16)i, v, "x");
		if (i % 10)
			put(other, &w->signer[i % 2], KIND, (__u16)i, v, "x");
	}
	/* the peer has one of them in an older version, another in a newer, and one that is not here */
	put(other, &w->signer[0], KIND, 300, (struct page_version){1, 1, 301}, "y");
	put(w->store, &w->signer[0], KIND, 1, (struct page_version){1, 1, 302}, "y");
	put(other, &w->signer[0], KIND, 2, (struct page_version){1, 1, 303}, "y");
	count = delta(w->store, other, 1 << 20, out, &lacking);
	assert_int_equal(count, 31);
	assert_int_equal(lacking, 31);
	for (i = 0; i < count; i++)
		assert_int_equal(page_store_put(other, out[i].bytes, out[i].len, NULL), PAGE_NEW);
	count = delta(other, w->store, 1 << 20, out, &lacking);
	assert_int_equal(count, 2);
	for (i = 0; i < count; i++)
		assert_int_equal(page_store_put(w->store, out[i].bytes, out[i].len, NULL), PAGE_NEW);
	assert_true(page_store_digest(w->store) == page_store_digest(other));
	assert_int_equal(delta(other, w->store, 1 << 20, out, &lacking), 0);
	free(out);
	page_store_free(other);
}

static void a_delta_begins_with_who_is_most_behind_and_keeps_its_budget(void **state)
{
	struct world *w = *state;
	struct page_store *other = store_another(w);
	struct page_bytes *out = calloc(ROOM, sizeof(*out));
	size_t count, i, bytes = 0;
	struct page page;
	int lacking;

	for (i = 0; i < 3; i++)
		put(w->store, &w->signer[0], KIND, (__u16)i, (struct page_version){1, 1, i + 1}, "a");
	for (i = 0; i < 20; i++)
		put(w->store, &w->signer[1], KIND, (__u16)(40 - i), (struct page_version){1, 1, i + 1}, "b");
	put(w->store, &w->signer[2], KIND, 0, (struct page_version){1, 1, 1}, "c");
	count = delta(w->store, other, 22 * 109 - 1, out, &lacking);
	assert_int_equal(lacking, 24);
	assert_int_equal(count, 21);
	for (i = 0; i < count; i++) {
		assert_int_equal(page_decode(out[i].bytes, out[i].len, &page), 0);
		assert_true(page.origin == w->signer[i < 20 ? 1 : 0].id);
		assert_true(page.version.counter == (i < 20 ? i + 1 : 1)); /* oldest first */
		bytes += out[i].len;
	}
	assert_int_equal(bytes, 21 * 109);
	free(out);
	page_store_free(other);
}

static void a_list_has_buckets_whole_or_not_at_all(void **state)
{
	struct world *w = *state;
	struct page_summary list[100];
	struct page_mask mask;
	size_t count, i, k, set = 0;

	for (i = 0; i < 300; i++)
		put(w->store, &w->signer[1], KIND, (__u16)i, (struct page_version){1, 1, i + 1}, "x");
	memset(&mask, 0xff, sizeof(mask));
	count = page_store_list(w->store, &mask, list, 100);
	assert_in_range(count, 90, 100);
	for (i = 0; i < PAGE_BUCKETS; i++)
		set += mask.bit[i / 8] >> i % 8 & 1;
	/* a page in a bucket that is set is listed: with that list nothing of these buckets is owed */
	assert_in_range(set, 50, 200);
	assert_int_equal(page_store_delta(w->store, &mask, list, count, 1 << 20, NULL, 0, &k), 0);
	assert_int_equal(page_store_delta(w->store, &mask, list, count - 1, 1 << 20, NULL, 0, &k), 1);
	memset(&mask, 0, sizeof(mask));
	assert_int_equal(page_store_list(w->store, &mask, list, 100), 0);
}

static void a_list_of_noise_costs_no_more_than_pages(void **state)
{
	struct world *w = *state;
	struct page_summary list[64];
	struct page_bytes out[8];
	struct page_mask mask;
	__u8 *byte = (__u8 *)list;
	size_t count, i;

	for (i = 0; i < 5; i++)
		put(w->store, &w->signer[1], KIND, (__u16)i, (struct page_version){1, 1, i + 1}, "x");
	for (i = 0; i < sizeof(list); i++)
		byte[i] = (__u8)mix64(i);
	memset(&mask, 0xff, sizeof(mask));
	assert_int_equal(page_store_delta(w->store, &mask, list, 64, 1 << 20, out, 8, &count), 5);
	assert_int_equal(count, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_version_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_the_origins_is_refused_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(two_pages_of_one_number_prove_a_lie_and_all_keep_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_later_boot_voids_what_held_for_the_earlier, setup, teardown),
		cmocka_unit_test_setup_teardown(the_order_in_which_pages_come_does_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(an_origin_has_its_share_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(who_leaves_the_roster_takes_his_pages_along, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_is_spread_so_often_and_not_to_its_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_is_not_sent_to_who_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delta_is_what_the_peer_lacks_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delta_begins_with_who_is_most_behind_and_keeps_its_budget, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_list_has_buckets_whole_or_not_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_of_noise_costs_no_more_than_pages, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
