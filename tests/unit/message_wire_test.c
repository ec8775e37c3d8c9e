// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Messages to bytes and back. Not here: seals (channel_test.c), any bytes (tests/fuzz/message_fuzz.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/message_wire.h"
#include "core/opinion.h"

#define ROOM 4096

/* Everything as large as it gets. */
static struct message full(enum message_kind kind)
{
	struct message m;

	memset(&m, 0xff, sizeof(m));
	m.kind = kind;
	m.updates = m.pages = 0;
	m.sums = m.list = m.sums_first = 0;
	m.body = (struct page_bytes){0};
	m.ask = false;
	return m;
}

static struct member_update update_full(void)
{
	struct member_update u;

	memset(&u, 0xff, sizeof(u));
	u.at.proto = u.at.pad = 0;
	u.state = MEMBER_LEFT;
	return u;
}

static void message_comes_back_as_it_was(void **state)
{
	static const __u8 text[] = "a page's bytes";
	struct message m = full(MESSAGE_PROBE), back;
	__u8 bytes[ROOM];
	int len;

	(void)state;
	m.updates = 2;
	m.update[0] = update_full();
	m.update[1] = (struct member_update){.id = 1, .life = 2, .accuser = 3, .state = MEMBER_SUSPECT};
	m.pages = 2;
	m.page[0] = (struct page_bytes){text, sizeof(text)};
	m.page[1] = (struct page_bytes){text, 1};
	m.body = (struct page_bytes){text, 3};
	len = message_encode(&m, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(message_decode(bytes, (size_t)len, &back), 0);
	assert_int_equal(back.kind, MESSAGE_PROBE);
	assert_true(back.number == m.number && back.subject == m.subject && back.digest == m.digest &&
		    back.sent_us == m.sent_us && back.heard_us == m.heard_us && back.asked_us == m.asked_us &&
		    back.date == m.date);
	assert_int_equal(back.updates, 2);
	assert_memory_equal(back.update, m.update, 2 * sizeof(m.update[0]));
	assert_int_equal(back.pages, 2);
	assert_int_equal(back.page[0].len, sizeof(text));
	assert_memory_equal(back.page[0].bytes, text, sizeof(text));
	assert_true(back.page[0].bytes > bytes && back.page[0].bytes < bytes + len); /* borrowed */
	assert_int_equal(back.page[1].len, 1);
	assert_int_equal(back.body.len, 3);
	assert_memory_equal(back.body.bytes, text, 3);
}

static void sums_and_lists_come_back_and_fit_a_datagram(void **state)
{
	struct message m = full(MESSAGE_SUMS), back;
	__u8 bytes[ROOM];
	int len;

	(void)state;
	m.number = 0;
	m.subject = m.digest = m.sent_us = m.heard_us = m.asked_us = m.date = 0;
	m.sums_first = PAGE_BUCKETS - MESSAGE_SUMS_MAX;
	m.sums = MESSAGE_SUMS_MAX;
	len = message_encode(&m, bytes, OPINION_MESSAGE_BYTES);
	assert_true(len > 0 && (size_t)len <= MESSAGE_SUMS_MAX * 8 + OPINION_HEADER_BYTES);
	assert_int_equal(message_decode(bytes, (size_t)len, &back), 0);
	assert_int_equal(back.sums, MESSAGE_SUMS_MAX);
	assert_memory_equal(back.sum, m.sum, sizeof(m.sum));
	m.kind = MESSAGE_LIST;
	m.sums = m.sums_first = 0;
	m.list = MESSAGE_LIST_MAX;
	m.ask = true;
	len = message_encode(&m, bytes, OPINION_MESSAGE_BYTES);
	assert_true(len > 0);
	assert_int_equal(message_decode(bytes, (size_t)len, &back), 0);
	assert_int_equal(back.list, MESSAGE_LIST_MAX);
	assert_memory_equal(back.summary, m.summary, sizeof(m.summary));
	assert_memory_equal(&back.mask, &m.mask, sizeof(m.mask));
	assert_true(back.ask);
}

static void sizes_that_opinions_reckon_with_are_never_exceeded(void **state)
{
	struct message m = full(MESSAGE_PROBE);
	static __u8 page[PAGE_BYTES];
	__u8 bytes[ROOM];
	int len, more;

	(void)state;
	len = message_encode(&m, bytes, sizeof(bytes));
	assert_true(len > 0 && len <= OPINION_HEADER_BYTES);
	m.updates = 1;
	m.update[0] = update_full();
	more = message_encode(&m, bytes, sizeof(bytes));
	assert_true(more - len <= OPINION_UPDATE_BYTES);
	m.pages = 1;
	m.page[0] = (struct page_bytes){page, sizeof(page)};
	len = message_encode(&m, bytes, sizeof(bytes));
	assert_true(len - more <= PAGE_BYTES + 4);
}

static void message_without_room_is_not_written(void **state)
{
	struct message m = full(MESSAGE_ACK);
	__u8 bytes[ROOM];

	(void)state;
	assert_int_equal(message_encode(&m, bytes, 20), -EMSGSIZE);
	m.updates = MESSAGE_UPDATES_MAX + 1;
	assert_int_equal(message_encode(&m, bytes, sizeof(bytes)), -EMSGSIZE);
}

static void more_than_may_be_is_no_message(void **state)
{
	struct message m = {.kind = MESSAGE_GOSSIP, .pages = MESSAGE_PAGES_MAX}, back;
	static const __u8 more[] = {0x52, 1, 'x'}; /* field 10, one byte */
	static __u8 bytes[ROOM], page[1];
	int len;

	(void)state;
	for (size_t i = 0; i < MESSAGE_PAGES_MAX; i++)
		m.page[i] = (struct page_bytes){page, 1};
	len = message_encode(&m, bytes, sizeof(bytes));
	assert_int_equal(message_decode(bytes, (size_t)len, &back), 0);
	assert_int_equal(back.pages, MESSAGE_PAGES_MAX);
	memcpy(bytes + len, more, sizeof(more));
	assert_int_equal(message_decode(bytes, (size_t)len + 3, &back), -EBADMSG);
}

static void field_of_a_later_version_is_passed_over(void **state)
{
	static const __u8 later[] = {0xa2, 6, 3, 'n', 'e', 'w'}; /* field 100 */
	struct message m = {.kind = MESSAGE_GOSSIP, .number = 7}, back;
	__u8 bytes[ROOM];
	int len = message_encode(&m, bytes, sizeof(bytes));

	(void)state;
	memcpy(bytes + len, later, sizeof(later));
	assert_int_equal(message_decode(bytes, (size_t)len + 6, &back), 0);
	assert_int_equal(back.number, 7);
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
	struct message m = full(MESSAGE_ACK), back;
	__u8 bytes[ROOM], cut[ROOM];
	int len, i;

	(void)state;
	m.updates = 3;
	for (i = 0; i < 3; i++)
		m.update[i] = update_full();
	len = message_encode(&m, bytes, sizeof(bytes));
	for (i = 0; i < len; i++) {
		memcpy(cut, bytes, (size_t)i);
		message_decode(cut, (size_t)i, &back);
		memcpy(cut, bytes, (size_t)len);
		cut[i] ^= 0xff;
		message_decode(cut, (size_t)len, &back);
	}
	assert_int_equal(message_decode(bytes, 0, &back), -EBADMSG);
}

/* Found by fuzzing: it used to become a page that points to where the number had been for a moment. */
static void number_in_the_place_of_a_page_is_no_message(void **state)
{
	static const __u8 bytes[] = {8, 1, 0x55, 'U', 'U', 'U', 'U'}, varint[] = {8, 1, 0x50, 7};
	struct message back;

	(void)state;
	assert_int_equal(message_decode(bytes, sizeof(bytes), &back), -EBADMSG);
	assert_int_equal(message_decode(varint, sizeof(varint), &back), -EBADMSG);
}

static void address_without_a_port_is_no_message(void **state)
{
	/* kind 5; update { address "x" } */
	static const __u8 bytes[] = "\x08\x05\x4a\x03\x22\x01x";
	struct message back;

	(void)state;
	assert_int_equal(message_decode(bytes, sizeof(bytes) - 1, &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_comes_back_as_it_was),
		cmocka_unit_test(sums_and_lists_come_back_and_fit_a_datagram),
		cmocka_unit_test(sizes_that_opinions_reckon_with_are_never_exceeded),
		cmocka_unit_test(message_without_room_is_not_written),
		cmocka_unit_test(more_than_may_be_is_no_message),
		cmocka_unit_test(field_of_a_later_version_is_passed_over),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
		cmocka_unit_test(number_in_the_place_of_a_page_is_no_message),
		cmocka_unit_test(address_without_a_port_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
