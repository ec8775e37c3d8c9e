// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The search for an order that explains a history, on histories written by hand. Not here: histories of a register
 * (register_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "linear.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define READ(from, to, v)                                                                                              \
	{                                                                                                              \
		.kind = LINEAR_READ, .ok = true, .invoked = (from), .returned = (to), .value = (v)                     \
	}
#define WRITE(from, to, v)                                                                                             \
	{                                                                                                              \
		.kind = LINEAR_WRITE, .ok = true, .invoked = (from), .returned = (to), .value = (v)                    \
	}
#define CAS(from, to, old, new)                                                                                        \
	{                                                                                                              \
		LINEAR_CAS, true, (from), (to), (new), (old), 0                                                        \
	}
#define CAS_NOT(from, to, old, seen)                                                                                   \
	{                                                                                                              \
		LINEAR_CAS, false, (from), (to), 99, (old), (seen)                                                     \
	}
#define NEVER LINEAR_NEVER

#define ASSERT_LINEAR(h)     assert_int_equal(linear_check((h), COUNT(h), 0), 0)
#define ASSERT_NOT_LINEAR(h) assert_int_equal(linear_check((h), COUNT(h), 0), -EINVAL)

static void reads_after_a_write_see_it(void **state)
{
	static const struct linear_op good[] = {READ(1, 2, 0), WRITE(3, 4, 5), READ(5, 6, 5)},
				      stale[] = {WRITE(1, 2, 5), READ(3, 4, 0)},
				      never_written[] = {WRITE(1, 2, 5), READ(3, 4, 6)};

	(void)state;
	ASSERT_LINEAR(good);
	ASSERT_NOT_LINEAR(stale);
	ASSERT_NOT_LINEAR(never_written);
}

static void reads_beside_a_write_see_either_but_not_back(void **state)
{
	static const struct linear_op before[] = {WRITE(1, 6, 5), READ(2, 3, 0), READ(4, 5, 5)},
				      back[] = {WRITE(1, 6, 5), READ(2, 3, 5), READ(4, 5, 0)},
				      two[] = {WRITE(1, 8, 5), WRITE(2, 9, 6), READ(3, 4, 6), READ(5, 6, 5)},
				      thrice[] = {WRITE(1, 10, 5), WRITE(2, 11, 6), READ(3, 4, 6), READ(5, 6, 5),
						  READ(7, 8, 6)};

	(void)state;
	ASSERT_LINEAR(before);
	ASSERT_NOT_LINEAR(back);
	ASSERT_LINEAR(two);
	ASSERT_NOT_LINEAR(thrice);
}

static void one_of_two_that_compare_and_set_wins(void **state)
{
	static const struct linear_op good[] = {CAS(1, 4, 0, 5), CAS_NOT(2, 5, 0, 5), READ(6, 7, 5)},
				      both[] = {CAS(1, 4, 0, 5), CAS(2, 5, 0, 6)}, none[] = {CAS_NOT(1, 2, 0, 0)},
				      unseen[] = {WRITE(1, 2, 5), CAS_NOT(3, 4, 1, 6)},
				      chain[] = {CAS(1, 9, 5, 6), CAS(2, 8, 0, 5), READ(3, 10, 6)};

	(void)state;
	ASSERT_LINEAR(good);
	ASSERT_NOT_LINEAR(both);
	ASSERT_NOT_LINEAR(none);
	ASSERT_NOT_LINEAR(unseen);
	ASSERT_LINEAR(chain);
}

static void what_is_not_known_may_happen_later_or_never_but_once(void **state)
{
	static const struct linear_op never[] = {WRITE(1, NEVER, 5), READ(2, 3, 0)},
				      late[] = {WRITE(1, NEVER, 5), READ(2, 3, 0), WRITE(4, 5, 6), READ(6, 7, 6),
						READ(8, 9, 5)},
				      early[] = {READ(1, 2, 5), WRITE(3, NEVER, 5)},
				      twice[] = {WRITE(1, NEVER, 5), READ(2, 3, 5), WRITE(4, 5, 6), READ(6, 7, 5)},
				      cas[] = {{LINEAR_CAS, false, 1, NEVER, 5, 7, 0}, READ(2, 3, 5)};

	(void)state;
	ASSERT_LINEAR(never);
	ASSERT_LINEAR(late);
	ASSERT_NOT_LINEAR(early);
	ASSERT_NOT_LINEAR(twice);
	ASSERT_NOT_LINEAR(cas);
}

/* Many at once, each seen in an order that is the worst for a search without memory. */
static void long_histories_are_searched(void **state)
{
	struct linear_op h[200];
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(h); i += 10)
		for (k = 0; k < 10; k++) {
			__u64 value = i + k + 1, from = 1 + i * 10 + k, to = from + 50;

			h[i + k] = k % 2 ? (struct linear_op)READ(from, to, value - 1)
					 : (struct linear_op)WRITE(from, to, value);
		}
	ASSERT_LINEAR(h);
	h[COUNT(h) - 1].value = 3; /* of long ago */
	ASSERT_NOT_LINEAR(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_after_a_write_see_it),
		cmocka_unit_test(reads_beside_a_write_see_either_but_not_back),
		cmocka_unit_test(one_of_two_that_compare_and_set_wins),
		cmocka_unit_test(what_is_not_known_may_happen_later_or_never_but_once),
		cmocka_unit_test(long_histories_are_searched),
	};

	return cmocka_run_group_tests_name("linear", tests, NULL, NULL);
}
