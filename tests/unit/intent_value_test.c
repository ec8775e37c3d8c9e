// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The register's value: its bytes, and what it has a node run. Not here: trees (intent_test), the register.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/intent.h"

static struct intent intent_full(void)
{
	struct intent i;
	size_t k;

	memset(&i, 0, sizeof(i));
	i.generation = 0x01020304;
	i.previous_generation = 0x01020303;
	memset(i.root.byte, 0xaa, sizeof(i.root.byte));
	memset(i.previous.byte, 0xbb, sizeof(i.previous.byte));
	i.proposed = true;
	i.deadline_ms = 1790000000000;
	i.window_ms = 300000;
	i.by = 0x1122334455667788;
	for (k = 0; k < 2; k++) {
		memcpy(i.lease[k].name, &"fifteen letters"[7 * k], 16 - 7 * k);
		i.lease[k].holder = 1 + k;
		i.lease[k].fence = 7;
		i.lease[k].renewed = 0xffffffff;
		i.lease[k].ttl_ms = 9000;
	}
	return i;
}

static void what_is_encoded_is_decoded(void **state)
{
	struct intent i = intent_full(), got;
	__u8 bytes[INTENT_VALUE_BYTES];
	size_t len;

	(void)state;
	len = intent_encode(&i, bytes);
	assert_int_equal(intent_decode(bytes, len, &got), 0);
	assert_memory_equal(&got, &i, sizeof(i));
	i.waved = true;
	len = intent_encode(&i, bytes);
	assert_int_equal(intent_decode(bytes, len, &got), 0);
	assert_memory_equal(&got, &i, sizeof(i));
	memset(&i, 0, sizeof(i));
	len = intent_encode(&i, bytes);
	assert_int_equal(intent_decode(bytes, len, &got), 0);
	assert_memory_equal(&got, &i, sizeof(i));
}

static void a_value_has_this_layout(void **state)
{
	static const __u8 wanted[] = {
		1,    1,    0,	  0,				/* layout, proposed, waved */
		4,    3,    2,	  1,	3,    3,    2,	  1,	/* generation, the previous one */
		0xe0, 0x93, 0x04, 0,				/* window */
		0x00, 0x6c, 0x50, 0xc4, 0xa0, 0x01, 0,	  0,	/* deadline */
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* by */
	};
	struct intent i = intent_full();
	__u8 bytes[INTENT_VALUE_BYTES];

	(void)state;
	assert_int_equal(intent_encode(&i, bytes), 256);
	assert_memory_equal(bytes, wanted, sizeof(wanted));
	assert_memory_equal(bytes + 32, i.root.byte, 32);
	assert_memory_equal(bytes + 64, i.previous.byte, 32);
	assert_memory_equal(bytes + 96, "fifteen letters\0\1\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\xff\xff\xff\xff\x28\x23\0\0",
			    40);
}

static void what_is_no_value_is_refused(void **state)
{
	static const struct {
		size_t at;
		__u8 value;
	} bad[] = {{0, 0}, {0, 2}, {1, 2}, {2, 2}, {3, 1}, {96 + 15, 'x'}, {96 + 40 + 15, 1}, {96 + 80 + 1, 'x'}};
	__u8 bytes[INTENT_VALUE_BYTES + 1] = {0}, copy[INTENT_VALUE_BYTES];
	struct intent i = intent_full(), got = {.generation = 5};
	size_t len = intent_encode(&i, bytes), k;

	(void)state;
	for (k = 0; k < len; k++)
		assert_int_equal(intent_decode(bytes, k, &got), -EBADMSG);
	assert_int_equal(intent_decode(bytes, len + 1, &got), -EBADMSG);
	for (k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		memcpy(copy, bytes, len);
		copy[bad[k].at] = bad[k].value;
		assert_int_equal(intent_decode(copy, len, &got), -EBADMSG);
	}
	memcpy(copy, bytes, len);
	copy[1] = 0; /* what is no proposal has no waves */
	copy[2] = 1;
	assert_int_equal(intent_decode(copy, len, &got), -EBADMSG);
	assert_int_equal(got.generation, 5);
	assert_int_equal(intent_decode(bytes, len, &got), 0);
}

static void a_proposal_that_is_not_confirmed_gives_way_at_its_deadline(void **state)
{
	struct intent i = intent_full();
	struct object_name root;
	__u32 generation;

	(void)state;
	assert_true(intent_wanted(&i, i.deadline_ms - 1, false, &root, &generation));
	assert_true(object_name_is(&root, &i.root) && generation == i.generation);
	assert_false(intent_wanted(&i, i.deadline_ms, true, &root, &generation));
	assert_true(object_name_is(&root, &i.previous) && generation == i.previous_generation);
	assert_false(intent_wanted(&i, ~0ULL, false, &root, &generation));
	i.proposed = false;
	assert_true(intent_wanted(&i, ~0ULL, false, &root, &generation));
	assert_true(object_name_is(&root, &i.root) && generation == i.generation);
}

static void a_proposal_in_waves_is_run_by_whom_it_is_told(void **state)
{
	struct intent i = intent_full();
	struct object_name root;
	__u32 generation;

	(void)state;
	i.waved = true;
	assert_false(intent_wanted(&i, i.deadline_ms - 1, false, &root, &generation));
	assert_true(object_name_is(&root, &i.previous) && generation == i.previous_generation);
	assert_true(intent_wanted(&i, i.deadline_ms - 1, true, &root, &generation));
	assert_true(object_name_is(&root, &i.root) && generation == i.generation);
	assert_false(intent_wanted(&i, i.deadline_ms, true, &root, &generation));
}

static void what_came_between_is_not_confirmed_nor_what_is_too_late(void **state)
{
	struct intent seen = intent_full(), is = seen;

	(void)state;
	assert_int_equal(intent_confirm_check(&is, &seen, 60000), 0);
	is.lease[0].renewed++; /* leases go on meanwhile */
	assert_int_equal(intent_confirm_check(&is, &seen, INTENT_CONFIRM_LAST_MS), 0);
	assert_int_equal(intent_confirm_check(&is, &seen, INTENT_CONFIRM_LAST_MS - 1), -ETIME);
	assert_int_equal(intent_confirm_check(&is, &seen, 0), -ETIME);
	is.waved = true;
	assert_int_equal(intent_confirm_check(&is, &seen, 60000), -EINPROGRESS);
	is = seen;
	is.proposed = false; /* somebody else has confirmed it */
	assert_int_equal(intent_confirm_check(&is, &seen, 60000), -ESTALE);
	is = seen;
	is.generation++; /* it was taken back, and another proposed */
	assert_int_equal(intent_confirm_check(&is, &seen, 60000), -ESTALE);
	is = seen;
	is.root.byte[31]++; /* of the same number */
	assert_int_equal(intent_confirm_check(&is, &seen, 60000), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(a_value_has_this_layout),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(a_proposal_that_is_not_confirmed_gives_way_at_its_deadline),
		cmocka_unit_test(a_proposal_in_waves_is_run_by_whom_it_is_told),
		cmocka_unit_test(what_came_between_is_not_confirmed_nor_what_is_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
