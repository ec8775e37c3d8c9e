/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of VIP keys. Not here: the program's own search in it (tests/bpf).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/key_table.h"
#include "core/mix.h"

#define LOG2 10
#define KEYS 512 /* half full, as key_table_log2() sizes it */

/* Like an operator's: addresses and ports in a row, so that a weak hash would show. */
static struct vip_key key_of(__u32 n)
{
	struct vip_key k = {.addr = {[10] = 0xff, 0xff, 203, 0, 113}, .proto = n & 1 ? 6 : 17};

	k.addr[14] = (__u8)(113 + n / 1024);
	k.addr[15] = (__u8)(n >> 2);
	k.port = (__be16)(n & 2 ? 80 << 8 : 443);
	return k;
}

static struct key_entry *table_new(__u32 log2)
{
	struct key_entry *t = calloc(1ull << log2, sizeof(*t));

	assert_non_null(t);
	return t;
}

static void keys_come_and_go_as_in_a_list(void **state)
{
	struct key_entry *t = table_new(LOG2);
	static __u32 vip_of[2 * KEYS]; /* 0: not there */
	__u32 used = 0, vip;
	__u64 random = 3;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		__u32 n = mix_below(random = mix64(random), 2 * KEYS);
		struct vip_key k = key_of(n);

		if (vip_of[n] && round & 1) {
			assert_int_equal(key_table_delete(t, LOG2, &k), 0);
			assert_int_equal(key_table_delete(t, LOG2, &k), -ENOENT);
			vip_of[n] = 0;
			used--;
		} else if (vip_of[n] || used < KEYS) {
			used += !vip_of[n];
			vip_of[n] = 1 + mix_below(random, 65000);
			assert_int_equal(key_table_set(t, LOG2, &k, vip_of[n]), 0);
		}
		n = mix_below(random = mix64(random), 2 * KEYS);
		k = key_of(n);
		assert_int_equal(key_table_find(t, LOG2, &k, &vip), vip_of[n] ? 0 : -ENOENT);
		assert_true(!vip_of[n] || vip == vip_of[n]);
	}
	/* No graves are left where nothing stands behind them. */
	for (__u32 n = 0; n < 2 * KEYS; n++) {
		struct vip_key k = key_of(n);

		if (vip_of[n])
			assert_int_equal(key_table_delete(t, LOG2, &k), 0);
	}
	for (__u32 i = 0; i < 1u << LOG2; i++)
		assert_int_equal(t[i].word, KEY_EMPTY);
	free(t);
}

static void searches_stay_short_at_the_size_that_is_chosen(void **state)
{
	__u32 keys = STARLING_VIPS_DEFAULT * STARLING_KEYS_PER_VIP * 2, log2 = key_table_log2(keys), run = 0,
	      longest = 0;
	struct key_entry *t = table_new(log2);

	(void)state;
	for (__u32 n = 0; n < keys; n++) {
		struct vip_key k = key_of(n);

		k.addr[12] = (__u8)(n >> 12); /* key_of() repeats */
		assert_int_equal(key_table_set(t, log2, &k, n), 0);
	}
	for (__u32 i = 0; i < 1u << log2; i++) {
		run = t[i].word == KEY_EMPTY ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	print_message("%u keys in %u entries: the longest run is %u\n", keys, 1u << log2, longest);
	assert_in_range(longest, 2, KEY_PROBES / 2);
	free(t);
}

static void a_table_without_room_refuses_and_keeps_what_it_has(void **state)
{
	struct key_entry *t = table_new(3);
	struct vip_key k;
	__u32 n, vip;

	(void)state;
	for (n = 0; n < 8; n++) {
		k = key_of(n);
		assert_int_equal(key_table_set(t, 3, &k, n), 0);
	}
	k = key_of(8);
	assert_int_equal(key_table_set(t, 3, &k, 8), -E2BIG);
	assert_int_equal(key_table_delete(t, 3, &k), -ENOENT);
	for (n = 0; n < 8; n++) {
		k = key_of(n);
		assert_int_equal(key_table_find(t, 3, &k, &vip), 0);
		assert_int_equal(vip, n);
	}
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_and_go_as_in_a_list),
		cmocka_unit_test(searches_stay_short_at_the_size_that_is_chosen),
		cmocka_unit_test(a_table_without_room_refuses_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
