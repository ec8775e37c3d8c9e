// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which generations are kept, on a real disk. Not here: rolling back to them (tests/net/agree.sh, tests/cli/change.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/history.h"
#include "scratch.h"

static void note(const char *sentence)
{
	fail_msg("%s", sentence);
}

static void put(struct history *h, __u32 number, size_t changes)
{
	struct generation g = {.number = number, .time_ms = number, .changes = changes};
	struct err err = {0};

	assert_int_equal(history_put(h, &g, "text\n", 5, &err), 0);
}

static void what_changes_no_line_leaves_half_of_the_room(void **state)
{
	char dir[SCRATCH_BYTES];
	struct history *h = NULL;
	struct err err = {0};

	(void)state;
	scratch_make(dir, sizeof(dir));
	assert_int_equal(history_open(dir, note, &h, &err), 0);
	for (__u32 i = 1; i <= 20; i++)
		put(h, i, 1);
	for (__u32 i = 21; i <= 300; i++)
		put(h, i, 0);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(history_count(h), HISTORY_KEEP);
		for (__u32 i = 1; i <= 20; i++)
			assert_non_null(history_find(h, i));
		assert_null(history_find(h, 21));
		for (__u32 i = 257; i <= 300; i++)
			assert_non_null(history_find(h, i));
		history_close(h);
		assert_int_equal(history_open(dir, note, &h, &err), 0);
	}
	for (__u32 i = 301; i <= 400; i++)
		put(h, i, 1);
	assert_int_equal(history_count(h), HISTORY_KEEP);
	assert_int_equal(history_at(h, 0)->number, 337);
	history_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_no_line_leaves_half_of_the_room),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
