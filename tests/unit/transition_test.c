// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every row of the table of slot states. Backends: H, N, M, P are ids.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/transition.h"

enum { H = 1, N = 2, M = 3, P = 4, SECOND = 9, OTHER = 10 };

#define MH	 TRANSITION_BY_CELLS
#define STATEFUL TRANSITION_STATEFUL
#define NOTHING	 TRANSITION_NOTHING

static __u64 plain(__u32 home)
{
	return slot_make(SLOT_PLAIN, home, SECOND, ID_NONE);
}

static __u64 pinned(__u32 home)
{
	return slot_make(SLOT_PINNED, home, SECOND, ID_NONE);
}

static __u64 split(__u32 prev, __u32 home)
{
	return slot_make(SLOT_SPLIT, home, SECOND, prev);
}

static void flows_without_a_cell_are_at_the_first_usable_home(void **state)
{
	(void)state;
	assert_int_equal(transition_at(plain(H), true, true), H);
	assert_int_equal(transition_at(plain(H), false, true), SECOND);
	assert_int_equal(transition_at(plain(H), false, false), ID_NONE);
	assert_int_equal(transition_at(0, true, true), ID_NONE);
}

static void plain_with_a_new_home_becomes_split(void **state)
{
	(void)state;
	assert_true(transition_home(plain(H), H, N, SECOND, MH) == split(H, N));
	assert_true(transition_home(plain(H), H, N, SECOND, STATEFUL) == split(H, N));
	assert_true(transition_home(plain(H), H, N, SECOND, NOTHING) == plain(N));
}

static void an_empty_slot_becomes_plain(void **state)
{
	(void)state;
	assert_true(transition_home(0, ID_NONE, N, SECOND, MH) == plain(N));
	assert_true(transition_home(0, H, N, SECOND, STATEFUL) == plain(N));
}

static void split_with_a_third_home_keeps_its_previous_one(void **state)
{
	(void)state;
	assert_true(transition_home(split(P, N), N, M, SECOND, MH) == split(P, M));
	assert_true(transition_home(split(P, N), ID_NONE, M, SECOND, MH) == split(P, M));
	assert_true(transition_home(split(P, N), N, N, SECOND, MH) == split(P, N));
}

static void split_going_back_becomes_pinned(void **state)
{
	(void)state;
	assert_true(transition_home(split(P, N), N, P, SECOND, MH) == pinned(P));
	assert_true(transition_home(split(P, N), N, P, SECOND, STATEFUL) == plain(P));
}

static void split_idle_becomes_pinned_or_plain_where_every_flow_has_a_cell(void **state)
{
	(void)state;
	assert_true(transition_idle(split(P, N), MH) == pinned(N));
	assert_true(transition_idle(split(P, N), STATEFUL) == plain(N));
	assert_true(transition_idle(plain(N), MH) == plain(N));
	assert_true(transition_idle(pinned(N), MH) == pinned(N));
}

static void pinned_with_a_new_home_becomes_split(void **state)
{
	(void)state;
	assert_true(transition_home(pinned(N), N, M, SECOND, MH) == split(N, M));
}

static void pinned_without_exceptions_becomes_plain(void **state)
{
	(void)state;
	assert_true(transition_plain(pinned(N)) == plain(N));
	assert_true(transition_plain(split(P, N)) == split(P, N));
	assert_true(transition_plain(plain(N)) == plain(N));
}

static void a_dead_previous_home_ends_the_split_but_not_its_exceptions(void **state)
{
	(void)state;
	assert_true(transition_down(split(P, N), P) == pinned(N));
	assert_true(transition_down(split(P, N), N) == split(P, N));
	assert_true(transition_down(plain(N), N) == plain(N));
	assert_true(transition_down(split(SLOT_PREV_TABLE, N), P) == split(SLOT_PREV_TABLE, N));
}

static void a_promoted_home_that_stays_moves_nobody(void **state)
{
	(void)state;
	/* H is down, its second home serves and becomes the first one. */
	assert_true(transition_home(plain(H), SECOND, SECOND, OTHER, MH) ==
		    slot_make(SLOT_PLAIN, SECOND, OTHER, ID_NONE));
	assert_true(transition_home(pinned(H), SECOND, SECOND, OTHER, MH) ==
		    slot_make(SLOT_PINNED, SECOND, OTHER, ID_NONE));
	/* It serves but another one is to follow. */
	assert_true(transition_home(plain(H), SECOND, M, OTHER, MH) == slot_make(SLOT_SPLIT, M, OTHER, SECOND));
	/* H returns. */
	assert_true(transition_home(slot_make(SLOT_PLAIN, SECOND, OTHER, ID_NONE), SECOND, H, SECOND, MH) ==
		    split(SECOND, H));
}

static void another_second_home_changes_nothing_else(void **state)
{
	(void)state;
	assert_true(transition_home(split(P, N), N, N, OTHER, MH) == slot_make(SLOT_SPLIT, N, OTHER, P));
	assert_true(transition_home(pinned(N), N, N, OTHER, MH) == slot_make(SLOT_PINNED, N, OTHER, ID_NONE));
	assert_true(transition_home(plain(N), N, N, OTHER, MH) == slot_make(SLOT_PLAIN, N, OTHER, ID_NONE));
}

static void no_home_is_a_home_like_any_other(void **state)
{
	(void)state;
	assert_true(transition_home(plain(H), H, ID_NONE, ID_NONE, MH) == slot_make(SLOT_SPLIT, ID_NONE, ID_NONE, H));
	/* Nobody was served, so nobody is kept. */
	assert_true(transition_home(slot_make(SLOT_PLAIN, ID_NONE, ID_NONE, ID_NONE), ID_NONE, N, SECOND, MH) ==
		    plain(N));
	assert_true(transition_home(slot_make(SLOT_PINNED, ID_NONE, ID_NONE, ID_NONE), ID_NONE, N, SECOND, MH) ==
		    pinned(N));
	assert_true(transition_idle(slot_make(SLOT_SPLIT, ID_NONE, ID_NONE, H), MH) ==
		    slot_make(SLOT_PINNED, ID_NONE, ID_NONE, ID_NONE));
	assert_true(transition_home(slot_make(SLOT_SPLIT, ID_NONE, ID_NONE, H), ID_NONE, H, SECOND, MH) == pinned(H));
}

static void a_resized_table_is_split_from_the_old_one(void **state)
{
	__u64 slot = transition_resized(N, SECOND, MH);

	(void)state;
	assert_true(slot == split(SLOT_PREV_TABLE, N));
	assert_true(transition_resized(N, SECOND, NOTHING) == plain(N));
	assert_true(transition_home(slot, N, M, SECOND, MH) == split(SLOT_PREV_TABLE, M));
	assert_true(transition_idle(slot, MH) == pinned(N));
	assert_true(transition_idle(slot, STATEFUL) == plain(N));
}

static void a_warm_slot_gives_cells_but_keeps_its_home(void **state)
{
	__u64 warm = transition_warm(plain(H), H, MH);

	(void)state;
	assert_true(warm == split(H, H));
	assert_true(transition_home(warm, H, N, SECOND, MH) == split(H, N));
	/* Another change of the VIP that leaves this slot alone does not end it; time does. */
	assert_true(transition_home(warm, H, H, SECOND, MH) == warm);
	assert_true(transition_idle(warm, MH) == pinned(H));
	assert_true(transition_warm(plain(H), SECOND, MH) == split(SECOND, H));
	assert_true(transition_warm(plain(H), ID_NONE, MH) == plain(H));
	assert_true(transition_warm(plain(H), H, STATEFUL) == plain(H));
	assert_true(transition_warm(split(P, N), N, MH) == split(P, N));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_without_a_cell_are_at_the_first_usable_home),
		cmocka_unit_test(plain_with_a_new_home_becomes_split),
		cmocka_unit_test(an_empty_slot_becomes_plain),
		cmocka_unit_test(split_with_a_third_home_keeps_its_previous_one),
		cmocka_unit_test(split_going_back_becomes_pinned),
		cmocka_unit_test(split_idle_becomes_pinned_or_plain_where_every_flow_has_a_cell),
		cmocka_unit_test(pinned_with_a_new_home_becomes_split),
		cmocka_unit_test(pinned_without_exceptions_becomes_plain),
		cmocka_unit_test(a_dead_previous_home_ends_the_split_but_not_its_exceptions),
		cmocka_unit_test(a_promoted_home_that_stays_moves_nobody),
		cmocka_unit_test(another_second_home_changes_nothing_else),
		cmocka_unit_test(no_home_is_a_home_like_any_other),
		cmocka_unit_test(a_resized_table_is_split_from_the_old_one),
		cmocka_unit_test(a_warm_slot_gives_cells_but_keeps_its_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
