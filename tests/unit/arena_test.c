/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Regions, ids and scores. Not here: grace periods (the plane's tests).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/mix.h"
#include "core/score.h"

static void regions_never_overlap_and_all_come_back(void **state)
{
	static __u8 owner[10000];
	struct span held[40] = {{0}};
	struct arena a;
	__u64 random = 9;

	(void)state;
	assert_int_equal(arena_init(&a, sizeof(owner)), 0);
	for (int round = 0; round < 20000; round++) {
		__u32 i = mix_below(random = mix64(random), 40);
		__u32 count = 1 + mix_below(random = mix64(random), 700);

		if (held[i].count) {
			memset(owner + held[i].base, 0, held[i].count);
			assert_int_equal(arena_give(&a, held[i]), 0);
			held[i] = (struct span){0};
		} else if (!arena_take(&a, count, &held[i])) {
			assert_int_equal(held[i].count, count);
			for (__u32 s = held[i].base; s < held[i].base + count; s++) {
				assert_int_equal(owner[s], 0);
				owner[s] = 1;
			}
		}
	}
	for (int i = 0; i < 40; i++)
		assert_int_equal(arena_give(&a, held[i]), 0);
	assert_int_equal(a.spans, 1);
	assert_int_equal(arena_unused(&a), sizeof(owner));
	arena_free(&a);
}

static void a_claimed_region_is_not_given_twice(void **state)
{
	struct span s;
	struct arena a, copy;

	(void)state;
	assert_int_equal(arena_init(&a, 100), 0);
	assert_int_equal(arena_claim(&a, (struct span){40, 20}), 0);
	assert_int_equal(arena_claim(&a, (struct span){59, 2}), -EEXIST);
	assert_int_equal(arena_claim(&a, (struct span){90, 11}), -EEXIST);
	assert_int_equal(arena_claim(&a, (struct span){0xfffffff0u, 0x20}), -EEXIST);
	assert_int_equal(arena_copy(&copy, &a), 0);
	assert_int_equal(arena_take(&a, 41, &s), -ENOSPC);
	assert_int_equal(arena_take(&a, 40, &s), 0);
	assert_int_equal(arena_unused(&a), 40);
	assert_int_equal(arena_unused(&copy), 80);
	arena_free(&a);
	arena_free(&copy);
}

static void an_id_is_reused_as_late_as_possible_and_never_while_retired(void **state)
{
	struct ids ids;
	__u32 id;

	(void)state;
	assert_int_equal(ids_init(&ids, 4), 0);
	assert_int_equal(ids_claim(&ids, 1), 0);
	assert_int_equal(ids_claim(&ids, 1), -EEXIST);
	assert_int_equal(ids_claim(&ids, 4), -EEXIST);
	assert_int_equal(ids_take(&ids, &id), 0);
	assert_int_equal(id, 0);
	ids_release(&ids, 0);
	assert_int_equal(ids_take(&ids, &id), 0);
	assert_int_equal(id, 2);
	ids_retire(&ids, 1);
	assert_int_equal(ids_retired(&ids, 0), 1);
	assert_int_equal(ids_retired(&ids, 2), 4);
	assert_int_equal(ids_take(&ids, &id), 0);
	assert_int_equal(ids_take(&ids, &id), 0);
	assert_int_equal(ids_take(&ids, &id), -ENOSPC);
	ids_release(&ids, 1);
	assert_int_equal(ids_take(&ids, &id), 0);
	assert_int_equal(id, 1);
	ids_free(&ids);
}

static void nobody_is_owed_more_than_a_burst(void **state)
{
	struct score s[4] = {{1000, 10, true}, {100, 10, true}, {0, 0, true}, {0, 10, false}};
	__s64 add[4];

	(void)state;
	assert_int_equal(score_catch_up(s, 4, add), 1);
	assert_int_equal(add[0], 0);
	assert_int_equal(add[1], 550 - SCORE_BEHIND - 100);
	assert_int_equal(add[2], 0);
	assert_int_equal(add[3], 0);
	s[1].given += (__u32)add[1];
	s[0].given = 500;
	assert_int_equal(score_catch_up(s, 4, add), 0);
}

static void given_comes_down_before_it_wraps(void **state)
{
	struct score s[2] = {{SCORE_HIGH + 10, 5, true}, {SCORE_HIGH / 5 * 3, 3, true}};
	double before = (double)s[0].given / 5 - (double)s[1].given / 3, after;
	__s64 add[2];

	(void)state;
	assert_int_equal(score_catch_up(s, 2, add), 2);
	for (int i = 0; i < 2; i++) {
		assert_true(add[i] < 0 && s[i].given + add[i] >= 0);
		s[i].given = (__u32)(s[i].given + add[i]);
	}
	after = (double)s[0].given / 5 - (double)s[1].given / 3;
	assert_true(after - before < 0.01 && before - after < 0.01);
	assert_true(s[0].given < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_never_overlap_and_all_come_back),
		cmocka_unit_test(a_claimed_region_is_not_given_twice),
		cmocka_unit_test(an_id_is_reused_as_late_as_possible_and_never_while_retired),
		cmocka_unit_test(nobody_is_owed_more_than_a_burst),
		cmocka_unit_test(given_comes_down_before_it_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
