// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Answers to probes: agents' lines, DNS, echo replies. Not here: any bytes (fuzz/answer_fuzz.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/check_answer.h"

static void lines_of_agents_are_understood(void **state)
{
	static const struct {
		const char *line;
		struct agent_say say;
	} cases[] = {
		{"\n", {0}},
		{"up\n", {.health = AGENT_UP}},
		{"75%\r\n", {.has_percent = true, .percent = 75}},
		{"ready,up 100%\tmaxconn:30\n",
		 {AGENT_READY, AGENT_UP, .has_percent = true, .percent = 100, .has_maxconn = true, .maxconn = 30}},
		{"drain", {.admin = AGENT_DRAIN}},
		{"maint up\nnonsense", {.admin = AGENT_MAINT, .health = AGENT_UP}},
		{"down #disk full, sorry\n", {.health = AGENT_DOWN, .why = "disk full, sorry"}},
		{"fail", {.health = AGENT_DOWN}},
		{"stopped#x\x01\x80y\n", {.health = AGENT_DOWN, .why = "x"}},
	};
	struct agent_say say;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&say, 0xee, sizeof(say));
		if (agent_parse(cases[i].line, strlen(cases[i].line), &say))
			fail_msg("%s is refused", cases[i].line);
		assert_int_equal(say.admin, cases[i].say.admin);
		assert_int_equal(say.health, cases[i].say.health);
		assert_int_equal(say.has_percent, cases[i].say.has_percent);
		assert_int_equal(say.percent, cases[i].say.percent);
		assert_int_equal(say.has_maxconn, cases[i].say.has_maxconn);
		assert_int_equal(say.maxconn, cases[i].say.maxconn);
		assert_string_equal(say.why, cases[i].say.why);
	}
}

static void nonsense_of_agents_is_refused(void **state)
{
	static const char *const lines[] = {"upp",
					    "101%",
					    "-1%",
					    "%",
					    "1e2%",
					    "maxconn:",
					    "maxconn:9999999999",
					    "UP",
					    "HTTP/1.1 400 Bad Request\r\n",
					    "\x01",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct agent_say say = {.percent = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (agent_parse(lines[i], strlen(lines[i]), &say) != -EBADMSG)
			fail_msg("%s is taken", lines[i]);
		assert_int_equal(say.percent, 77);
	}
}

static const struct check_config dns = {.kind = CHECK_DNS, .dns_type = 1, .name = "Www.example.net"};

/* An answer to @query with one record of @type; returns its length. */
static size_t answer_make(const __u8 *query, size_t len, __u32 flags, __u8 type, __u8 *ret)
{
	const __u8 record[] = {0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};

	memcpy(ret, query, len);
	ret[2] = (__u8)(flags >> 8);
	ret[3] = (__u8)flags;
	ret[7] = 1;
	memcpy(ret + len, record, sizeof(record));
	return len + sizeof(record);
}

static void queries_are_those_of_rfc_1035(void **state)
{
	static const __u8 wanted[] = {0xab, 0xcd, 1,   0,   0,	 1,   0,   0, 0,   0,	0,   0, 3, 'W', 'w', 'w', 7,
				      'e',  'x',  'a', 'm', 'p', 'l', 'e', 3, 'n', 'e', 't', 0, 0, 1,	0,   1};
	struct check_config root = {.kind = CHECK_DNS, .dns_type = 6, .name = "."};
	__u8 query[CHECK_QUERY_BYTES];

	(void)state;
	assert_int_equal(dns_query(&dns, 0xabcd, query), sizeof(wanted));
	assert_memory_equal(query, wanted, sizeof(wanted));
	assert_int_equal(dns_query(&root, 1, query), 12 + 1 + 4);
}

static void answers_are_judged_by_their_records(void **state)
{
	__u8 query[CHECK_QUERY_BYTES], bytes[CHECK_QUERY_BYTES + 64];
	char say[CHECK_SAY_BYTES];
	size_t len, whole;

	(void)state;
	len = dns_query(&dns, 0x1234, query);
	whole = answer_make(query, len, 0x8180, 1, bytes);
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_GOOD);
	bytes[13] = 'w'; /* letters come back in any case */
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_GOOD);
	bytes[13] = 'x';
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_FOREIGN);
	whole = answer_make(query, len, 0x8180, 28, bytes);
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_BAD);
	assert_string_equal(say, "no such record");
	answer_make(query, len, 0x8183, 1, bytes);
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_BAD);
	assert_string_equal(say, "NXDOMAIN");
	assert_int_equal(dns_answer(&dns, query, len, bytes, 12, say), DNS_BAD);
	whole = answer_make(query, len, 0x8180, 1, bytes);
	for (size_t cut = len; cut < whole; cut++)
		assert_int_equal(dns_answer(&dns, query, len, bytes, cut, say), DNS_BAD);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(dns_answer(&dns, query, len, bytes, cut, say), DNS_FOREIGN);
	bytes[0]++; /* another one's */
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_FOREIGN);
	answer_make(query, len, 0x0100, 1, bytes); /* a query */
	assert_int_equal(dns_answer(&dns, query, len, bytes, whole, say), DNS_FOREIGN);
}

static void replies_are_told_from_those_to_others(void **state)
{
	__u8 request[CHECK_ECHO_BYTES], reply[20 + CHECK_ECHO_BYTES] = {0x45};
	__u32 sum = 0;

	(void)state;
	assert_int_equal(echo_request(false, 0x123456789abcdef0, request), CHECK_ECHO_BYTES);
	for (int i = 0; i < CHECK_ECHO_BYTES; i += 2)
		sum += (__u32)request[i] << 8 | request[i + 1];
	assert_int_equal((sum >> 16) + (sum & 0xffff), 0xffff);
	memcpy(reply + 20, request, sizeof(request));
	assert_false(echo_reply(false, 0x123456789abcdef0, reply, sizeof(reply))); /* it is the request */
	reply[20] = 0;
	assert_true(echo_reply(false, 0x123456789abcdef0, reply, sizeof(reply)));
	assert_false(echo_reply(false, 0x123456789abcdef1, reply, sizeof(reply)));
	for (size_t cut = 0; cut < sizeof(reply); cut++)
		assert_false(echo_reply(false, 0x123456789abcdef0, reply, cut));
	reply[0] = 0x4f; /* options beyond the end */
	assert_false(echo_reply(false, 0x123456789abcdef0, reply, sizeof(reply)));
	echo_request(true, 7, request);
	request[0] = 129;
	assert_true(echo_reply(true, 7, request, sizeof(request)));
}

static void statuses_are_good_in_their_ranges(void **state)
{
	struct check_config c = {.kind = CHECK_HTTP};

	(void)state;
	assert_true(check_status_good(&c, 204));
	assert_false(check_status_good(&c, 301));
	assert_false(check_status_good(&c, 0));
	c.status_count = 2;
	c.status[0] = (struct status_range){200, 200};
	c.status[1] = (struct status_range){300, 399};
	assert_true(check_status_good(&c, 301));
	assert_false(check_status_good(&c, 204));
	assert_true(check_answer_has("", 0, ""));
	assert_false(check_answer_has("", 0, "x"));
	assert_true(check_answer_has("a\0bcd", 5, "bc"));
	assert_true(check_answer_has("a\0b\r\n", 5, "\\x00\\x62\\r\\n"));
	assert_false(check_answer_has("a\\r", 3, "\\r"));
	assert_true(check_answer_has("a\\r", 3, "\\\\r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_agents_are_understood),
		cmocka_unit_test(nonsense_of_agents_is_refused),
		cmocka_unit_test(queries_are_those_of_rfc_1035),
		cmocka_unit_test(answers_are_judged_by_their_records),
		cmocka_unit_test(replies_are_told_from_those_to_others),
		cmocka_unit_test(statuses_are_good_in_their_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
