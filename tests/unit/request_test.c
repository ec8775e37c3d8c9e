// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests and errors of the control socket as text. Not here: sockets (tests/cli).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/request.h"
#include "starling/limits.h"

static int parse(const char *line, struct request *ret, struct err *err)
{
	return request_parse(line, strlen(line), ret, err);
}

static void refused(const char *line, const char *because)
{
	struct request request = {0};
	struct err err = {0};

	assert_int_equal(parse(line, &request, &err), -EINVAL);
	assert_non_null(strstr(err.text, because));
	assert_null(request.json);
}

static void a_request_is_its_words(void **state)
{
	struct request request = {0};

	(void)state;
	assert_int_equal(parse("{\"words\":[\"vip\",\"show\"],\"dry_run\":true}", &request, NULL), 0);
	assert_int_equal(request.word_count, 2);
	assert_string_equal(request.words[1], "show");
	assert_true(request.dry_run);
	assert_null(request.text);
	request_free(&request);
}

static void what_is_formatted_parses_to_itself(void **state)
{
	static const char *const words[] = {"backend", "drain", "10.0.0.1:80", "reason", "a \"quoted\" one"};
	struct request request = {0};
	struct buf line = BUF_INIT;

	(void)state;
	assert_int_equal(request_format(words, 5, REQUEST_FORCE, "line one\nline two\n", "x.conf", &line), 0);
	assert_ptr_equal(memchr(line.text, '\n', line.len), line.text + line.len - 1);
	assert_int_equal(request_parse(line.text, line.len - 1, &request, NULL), 0);
	assert_string_equal(request.words[4], words[4]);
	assert_string_equal(request.text, "line one\nline two\n");
	assert_string_equal(request.file, "x.conf");
	assert_true(request.force && !request.dry_run);
	request_free(&request);
	buf_free(&line);
}

static void what_is_no_request_is_refused_with_a_reason(void **state)
{
	(void)state;
	refused("", "no JSON");
	refused("{\"words\":[\"vip\"]", "no JSON");
	refused("[\"vip\"]", "no JSON object");
	refused("{}", "needs \"words\"");
	refused("{\"words\":[]}", "needs \"words\"");
	refused("{\"words\":[1]}", "word 1");
	refused("{\"words\":[\"vip\",\"a\\nb\"]}", "word 2");
	refused("{\"words\":[\"a\\u0000b\"]}", "word 1");
	refused("{\"words\":[\"vip\"],\"text\":\"a\\u0000b\"}", "\"text\"");
	refused("{\"words\":[\"vip\"],\"dry_run\":1}", "\"dry_run\"");
	refused("{\"words\":[\"vip\"],\"colour\":1}", "\"colour\"");
	refused("{\"words\":[\"vip\"],\"words\":[\"vip\"]}", "duplicate");
}

static void too_many_words_and_deep_nesting_are_refused(void **state)
{
	struct buf line = BUF_INIT;
	size_t i;

	(void)state;
	buf_puts(&line, "{\"words\":[\"vip\"");
	for (i = 0; i < STARLING_WORDS; i++)
		buf_puts(&line, ",\"x\"");
	buf_puts(&line, "]}");
	refused(buf_text(&line), "at most");
	buf_clear(&line);
	buf_puts(&line, "{\"words\":");
	buf_fill(&line, '[', 100000);
	refused(buf_text(&line), "no JSON");
	buf_free(&line);
}

static void an_error_keeps_its_place_and_its_fault(void **state)
{
	struct err err = {
		.line = 14, .column = 34, .file = "bad.conf", .text = "weight must be 0 to 65535, not \"-5\""};
	struct buf line = BUF_INIT;
	json_t *json, *error;

	(void)state;
	request_error_answer(FAULT_CONFIGURATION, &err, &line);
	json = json_loadb(line.text, line.len, 0, NULL);
	error = json_object_get(json, "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "configuration");
	assert_string_equal(json_string_value(json_object_get(error, "message")), err.text);
	assert_int_equal(json_integer_value(json_object_get(error, "line")), 14);
	assert_int_equal(json_integer_value(json_object_get(error, "column")), 34);
	assert_int_equal(request_fault_status(request_fault_find("configuration")), 4);
	assert_int_equal(request_fault_status(request_fault_find("no such fault")), 1);
	json_decref(json);
	buf_free(&line);
}

static void an_error_that_quotes_no_utf8_is_still_json(void **state)
{
	struct err err = {.text = "there is no VIP \"\xff\xfe\""};
	struct buf line = BUF_INIT;
	json_t *json;

	(void)state;
	request_error_answer(FAULT_NOT_FOUND, &err, &line);
	json = json_loadb(line.text, line.len, 0, NULL);
	assert_non_null(json);
	json_decref(json);
	buf_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_its_words),
		cmocka_unit_test(what_is_formatted_parses_to_itself),
		cmocka_unit_test(what_is_no_request_is_refused_with_a_reason),
		cmocka_unit_test(too_many_words_and_deep_nesting_are_refused),
		cmocka_unit_test(an_error_keeps_its_place_and_its_fault),
		cmocka_unit_test(an_error_that_quotes_no_utf8_is_still_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
