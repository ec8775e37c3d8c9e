// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The register's messages and its voter's state to bytes and back. Not here: what they do (tests/sim/register_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/caspaxos_wire.h"

#define ROOM 4096

/* Everything as large as it gets. */
static struct caspaxos_value value_full(__u64 version)
{
	struct caspaxos_value v;

	memset(&v, 0xff, sizeof(v));
	v.version = version;
	v.voters = CASPAXOS_VOTERS;
	v.len = CASPAXOS_BYTES;
	for (__u32 i = 0; i < CASPAXOS_VOTERS; i++)
		v.voter[i] = (struct voter){UINT64_MAX - i, UINT64_MAX};
	return v;
}

static struct caspaxos_message message_full(void)
{
	struct caspaxos_message m = {.kind = CASPAXOS_TOLD, .id = UINT64_MAX, .store = UINT64_MAX};

	m.life = UINT64_MAX;
	memset(m.lives, 0xff, sizeof(m.lives));
	m.version = UINT64_MAX;
	m.ballot = m.accepted = (struct ballot){UINT64_MAX, UINT64_MAX};
	m.value = value_full(UINT64_MAX);
	m.decided = value_full(UINT64_MAX - 1);
	return m;
}

static void the_longest_message_comes_back_and_fits_a_datagram(void **state)
{
	const struct caspaxos_message m = message_full();
	struct caspaxos_message back;
	__u8 bytes[ROOM];
	int len = caspaxos_encode(&m, bytes, sizeof(bytes));

	(void)state;
	assert_in_range(len, 1, CASPAXOS_WIRE_BYTES);
	assert_int_equal(caspaxos_decode(bytes, (size_t)len, &back), 0);
	assert_memory_equal(&back, &m, sizeof(m));
}

static void an_empty_message_comes_back(void **state)
{
	const struct caspaxos_message m = {.kind = CASPAXOS_ASK, .id = 1};
	struct caspaxos_message back;
	__u8 bytes[ROOM];
	int len = caspaxos_encode(&m, bytes, sizeof(bytes));

	(void)state;
	assert_in_range(len, 1, 16);
	assert_int_equal(caspaxos_decode(bytes, (size_t)len, &back), 0);
	assert_memory_equal(&back, &m, sizeof(m));
}

static void a_state_comes_back_and_no_part_of_it_does(void **state)
{
	const struct caspaxos_state s = {.store = 7,
					 .life = 3,
					 .sure = CASPAXOS_PARTLY,
					 .noted = {{8, 1}, {9, UINT64_MAX}},
					 .promised = {3, 4},
					 .ballot = {2, 9},
					 .accepted = value_full(6),
					 .decided = value_full(5)};
	struct caspaxos_state back = {0};
	__u8 bytes[ROOM];
	int len = caspaxos_state_encode(&s, bytes, sizeof(bytes));

	(void)state;
	assert_in_range(len, 1, ROOM);
	for (int i = 0; i < len; i++)
		assert_true(caspaxos_state_decode(bytes, (size_t)i, &back) == -EBADMSG || i > 8);
	assert_int_equal(caspaxos_state_decode(bytes, (size_t)len, &back), 0);
	assert_memory_equal(&back, &s, sizeof(s));
}

static void a_value_of_too_many_voters_or_bytes_is_none(void **state)
{
	struct caspaxos_value v = value_full(1), back;
	__u8 bytes[ROOM];
	int len = caspaxos_value_encode(&v, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(caspaxos_value_decode(bytes, (size_t)len, &back), 0);
	assert_memory_equal(&back, &v, sizeof(v));
	v.voter[1].node = v.voter[0].node;
	len = caspaxos_value_encode(&v, bytes, sizeof(bytes));
	assert_int_equal(caspaxos_value_decode(bytes, (size_t)len, &back), -EBADMSG);
	v.voters = CASPAXOS_VOTERS + 1;
	assert_int_equal(caspaxos_value_encode(&v, bytes, sizeof(bytes)), -EMSGSIZE);
	assert_int_equal(caspaxos_value_decode(NULL, 0, &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_message_comes_back_and_fits_a_datagram),
		cmocka_unit_test(an_empty_message_comes_back),
		cmocka_unit_test(a_state_comes_back_and_no_part_of_it_does),
		cmocka_unit_test(a_value_of_too_many_voters_or_bytes_is_none),
	};

	return cmocka_run_group_tests_name("caspaxos_wire", tests, NULL, NULL);
}
