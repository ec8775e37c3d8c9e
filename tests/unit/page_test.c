// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pages to bytes and back, with real signatures. Not here: any bytes (page_fuzz), stores.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/page.h"
#include "signer.h"

#define KIND 0x1234

/* A page with entries of 0, 1, 2, ... bytes. */
static int page_make(struct signer *s, size_t entries, struct page_draft *draft, __u8 bytes[PAGE_BYTES])
{
	struct page page = {
		.origin = s->id, .kind = KIND, .index = 0x5678, .version = {7, 0x1122334455667788ULL, 0x99}};
	__u8 value[64];
	size_t i;

	memset(value, 0xab, sizeof(value));
	draft->len = 0;
	for (i = 0; i < entries; i++)
		assert_int_equal(page_entry_add(draft, (__u16)(i + 1), value, i), 0);
	page.entries = draft->entries;
	page.len = draft->len;
	return page_encode(&page, &s->signing, bytes);
}

static void a_page_has_this_layout(void **state)
{
	static const __u8 wanted[] = {
		'S',  'P',  'G',  '1',				/* magic */
		0x34, 0x12, 0x78, 0x56,				/* kind, index */
		0,    0,    0,	  0,	0,    0,    0,	  0,	/* origin, below */
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* boot */
		0x99, 0,    0,	  0,	0,    0,    0,	  0,	/* counter */
		7,    0,    0,	  0,				/* incarnation */
		9,    0,    0,	  0,				/* length, padding */
		1,    0,    0,	  0,				/* type 1, empty */
		2,    0,    1,	  0,	0xab,			/* type 2, a byte */
	};
	__u8 bytes[PAGE_BYTES], origin[8];
	struct page_draft draft;
	struct signer s;
	size_t i;

	(void)state;
	signer_real(&s, 1);
	assert_int_equal(page_make(&s, 2, &draft, bytes), sizeof(wanted) + SIGNATURE_BYTES);
	for (i = 0; i < 8; i++)
		origin[i] = (__u8)(s.id >> (8 * i));
	assert_memory_equal(bytes, wanted, 8);
	assert_memory_equal(bytes + 8, origin, 8);
	assert_memory_equal(bytes + 16, wanted + 16, sizeof(wanted) - 16);
	assert_true(s.signing.verify(NULL, &s.key, bytes, sizeof(wanted), bytes + sizeof(wanted)));
}

static void what_is_encoded_is_decoded(void **state)
{
	__u8 bytes[PAGE_BYTES];
	struct page_draft draft;
	struct page_entry entry;
	struct signer s, other;
	struct page page;
	size_t at = 0, i = 0;
	int len;

	(void)state;
	signer_real(&s, 1);
	signer_real(&other, 2);
	len = page_make(&s, 20, &draft, bytes);
	assert_true(len > 0);
	assert_int_equal(page_decode(bytes, (size_t)len, &page), 0);
	assert_true(page.origin == s.id && page.version.counter == 0x99 && page.version.incarnation == 7);
	assert_int_equal(page.kind, KIND);
	assert_int_equal(page.index, 0x5678);
	while (page_entry_next(&page, &at, &entry)) {
		assert_int_equal(entry.type, i + 1);
		assert_int_equal(entry.len, i);
		i++;
	}
	assert_int_equal(i, 20);
	assert_true(page_verify(bytes, (size_t)len, &s.key, &s.signing));
	assert_false(page_verify(bytes, (size_t)len, &other.key, &s.signing));
}

/* Every bit is either part of the layout or under the signature. */
static void no_bit_can_be_changed(void **state)
{
	__u8 bytes[PAGE_BYTES];
	struct page_draft draft;
	struct signer s;
	struct page page;
	size_t bit;
	int len;

	(void)state;
	signer_real(&s, 1);
	len = page_make(&s, 3, &draft, bytes);
	assert_true(len > 0);
	for (bit = 0; bit < (size_t)len * 8; bit++) {
		bytes[bit / 8] ^= (__u8)(1 << bit % 8);
		if (!page_decode(bytes, (size_t)len, &page) && page_verify(bytes, (size_t)len, &s.key, &s.signing))
			fail_msg("bit %zu", bit);
		bytes[bit / 8] ^= (__u8)(1 << bit % 8);
	}
}

static void what_is_no_page_is_refused(void **state)
{
	/* offsets of what must not be 0, or must be */
	static const struct {
		size_t at, len;
		__u8 value;
	} bad[] = {{0, 1, 0}, {8, 8, 0}, {16, 8, 0}, {24, 8, 0}, {32, 4, 0}, {38, 1, 1}, {36, 1, 10}, {42, 1, 200}};
	__u8 bytes[PAGE_BYTES + 1], copy[PAGE_BYTES + 1];
	struct page page = {.kind = 9};
	struct page_draft draft;
	struct signer s;
	size_t i;
	int len;

	(void)state;
	signer_real(&s, 1);
	len = page_make(&s, 2, &draft, bytes);
	assert_true(len > 0);
	for (i = 0; i < (size_t)len; i++)
		assert_int_equal(page_decode(bytes, i, &page), -EBADMSG);
	assert_int_equal(page_decode(bytes, (size_t)len + 1, &page), -EBADMSG);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(copy, bytes, (size_t)len);
		memset(copy + bad[i].at, bad[i].value, bad[i].len);
		assert_int_equal(page_decode(copy, (size_t)len, &page), -EBADMSG);
	}
	assert_int_equal(page.kind, 9);
}

static void a_full_page_is_1100_bytes(void **state)
{
	static const __u8 value[PAGE_ENTRIES_BYTES + 1];
	struct page_draft draft = {0};
	__u8 bytes[PAGE_BYTES];
	struct page page = {.origin = 1, .version = {1, 1, 1}, .entries = draft.entries};
	struct signer s;

	(void)state;
	signer_real(&s, 1);
	assert_int_equal(page_entry_add(&draft, 1, value, PAGE_VALUE_BYTES + 1), -ENOSPC);
	assert_int_equal(page_entry_add(&draft, 1, value, PAGE_VALUE_BYTES - 4), 0);
	assert_int_equal(page_entry_add(&draft, 2, value, 1), -ENOSPC);
	assert_int_equal(page_entry_add(&draft, 2, value, 0), 0);
	assert_int_equal(page_entry_add(&draft, 3, value, 0), -ENOSPC);
	page.len = draft.len;
	assert_int_equal(page_encode(&page, &s.signing, bytes), 1100);
	assert_int_equal(page_decode(bytes, 1100, &page), 0);
	page.len = PAGE_ENTRIES_BYTES + 1;
	assert_int_equal(page_encode(&page, &s.signing, bytes), -EMSGSIZE);
}

static void incarnations_rank_over_boots_and_boots_over_counters(void **state)
{
	static const struct page_version order[] = {{1, 9, 9}, {2, 3, 7}, {2, 3, 8}, {2, 4, 1}, {3, 1, 1}};
	int a, b;

	(void)state;
	for (a = 0; a < 5; a++)
		for (b = 0; b < 5; b++)
			assert_int_equal(page_version_compare(&order[a], &order[b]), (a > b) - (a < b));
	assert_int_equal(page_boot_compare(&order[1], &order[2]), 0);
	assert_int_equal(page_boot_compare(&order[1], &order[3]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_has_this_layout),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(no_bit_can_be_changed),
		cmocka_unit_test(what_is_no_page_is_refused),
		cmocka_unit_test(a_full_page_is_1100_bytes),
		cmocka_unit_test(incarnations_rank_over_boots_and_boots_over_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
