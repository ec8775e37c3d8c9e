// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The lexer: words, places, refusals; and the small values that words become. Not here: what
 * words mean.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rfc3339.h"
#include "base/utf8.h"
#include "core/duration.h"
#include "core/lex.h"

/* Lines as "word|word\n", errors as "!LINE:COLUMN\n". */
static void lexed(const char *text, size_t len, struct buf *out)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct lex lex;
	struct err err;
	size_t i;
	int got;

	assert_non_null(line);
	lex_begin(&lex, text, len, "f");
	while ((got = lex_next(&lex, line, &err))) {
		if (got < 0) {
			buf_printf(out, "!%d:%d\n", err.line, err.column);
			continue;
		}
		for (i = 0; i < line->count; i++)
			buf_printf(out, "%s%s", i ? "|" : "", line->word[i]);
		buf_putc(out, '\n');
	}
	free(line);
}

static void words_are_parted_by_blanks_and_grouped_by_quotes(void **state)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{"", ""},
		{"\n\n  \t\n", ""},
		{"a b\tc", "a|b|c\n"},
		{"  a  \n b", "a\nb\n"},
		{"a\r\nb\r\n", "a\nb\n"},
		{"# c\na # c\na#b #c", "a\na#b\n"},
		{"\"a b\" \"\" x\"y z\"w", "a b||xy zw\n"},
		{"\"\\\\ \\\" \\n \\x41\\xc3\\xa4\"", "\\ \" \n A\xc3\xa4\n"},
		{"a \\\n b \\\r\n c\nd", "a|b|c\nd\n"},
		{"a\\\nb", "a|b\n"},
		{"\"a\\\nb\"", "ab\n"},
		{"# c \\\nb", "b\n"},
		{"a \\", "!1:3\n"},
		{"a \\b\nok", "!1:3\nok\n"},
		{"\"a\nok", "!1:1\nok\n"},
		{"\"\\q\" \"", "!1:2\n"},
		{"\"\\x4\"", "!1:2\n"},
		{"a\x7f", "!1:2\n"},
		{"a \rb", "!1:3\n"},
		{"a \xc3\xa4 \xc3\nok", "!1:6\nok\n"},
		{"\"\\xc3\"", "!1:1\n"},
		{"\xef\xbb\xbf"
		 "a",
		 "\xef\xbb\xbf"
		 "a\n"},
	};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		lexed(cases[i].text, strlen(cases[i].text), &out);
		assert_string_equal(buf_text(&out), cases[i].lines);
	}
	buf_clear(&out);
	lexed("a\0b\nok", 6, &out);
	assert_string_equal(buf_text(&out), "!1:2\nok\n");
	buf_free(&out);
}

static void places_stay_true_behind_joins(void **state)
{
	static const char text[] = "\n one \\\n\ttwo\\\n  \"th\\\nree\" four";
	static const int places[][2] = {{2, 2}, {3, 2}, {4, 3}, {5, 6}, {5, 10}};
	struct lex_line *line = malloc(sizeof(*line));
	struct err err = {0};
	struct lex lex;
	size_t i;

	(void)state;
	lex_begin(&lex, text, strlen(text), "file");
	assert_int_equal(lex_next(&lex, line, &err), 1);
	assert_int_equal(line->count, 4);
	for (i = 0; i <= 4; i++) {
		assert_int_equal(line->place[i].line, places[i][0]);
		assert_int_equal(line->place[i].column, places[i][1]);
	}
	lex_locate(&lex, &line->place[1], &err);
	assert_string_equal(err.file, "file");
	assert_string_equal(err.source, "\ttwo\\");
	assert_int_equal(lex_next(&lex, line, &err), 0);
	free(line);
}

/* The bounds of a line, one below, at and above each. */
static void a_line_holds_4095_bytes_and_128_words(void **state)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	int extra;

	(void)state;
	for (extra = -1; extra < 2; extra++) {
		buf_clear(&text);
		buf_clear(&out);
		buf_fill(&text, 'x', 4095U + (size_t)extra);
		lexed(buf_text(&text), text.len, &out);
		assert_int_equal(out.text[0], extra > 0 ? '!' : 'x');
		buf_clear(&text);
		buf_clear(&out);
		for (int i = 0; i < 128 + extra; i++)
			buf_puts(&text, "\"\" ");
		lexed(buf_text(&text), text.len, &out);
		assert_int_equal(out.text[0], extra > 0 ? '!' : '|');
		/* Empty words behind a full line take room, too. */
		buf_clear(&text);
		buf_clear(&out);
		buf_fill(&text, 'x', 4095U + (size_t)extra);
		buf_puts(&text, " \"\" \"\"");
		lexed(buf_text(&text), text.len, &out);
		assert_int_equal(out.text[0], '!');
	}
	buf_free(&text);
	buf_free(&out);
}

static void a_quoted_word_is_read_as_it_was(void **state)
{
	static const char *const words[] = {"a",    "",		"a b",		 "#a",	  "a#",
					    "\"",   "\\",	"a\nb",		 "\t",	  "\x01",
					    "\x7f", "\xc3\xa4", "caf\xc3\xa9 x", "a\\nb", "'"};
	struct buf text = BUF_INIT;
	struct lex_line *line = malloc(sizeof(*line));
	struct lex lex;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		buf_clear(&text);
		lex_quote(words[i], &text);
		lex_begin(&lex, buf_text(&text), text.len, "");
		assert_int_equal(lex_next(&lex, line, NULL), 1);
		assert_int_equal(line->count, 1);
		assert_string_equal(line->word[0], words[i]);
	}
	buf_free(&text);
	free(line);
}

static void durations_have_one_form_each(void **state)
{
	static const struct {
		const char *text;
		long long ms; /* -1: refused */
		const char *canonical;
	} cases[] = {
		{"0", 0, "0"},	       {"0ms", 0, "0"},	     {"5", 5000, "5s"},	      {"1500ms", 1500, "1500ms"},
		{"90s", 90000, "90s"}, {"60s", 60000, "1m"}, {"24h", 86400000, "1d"}, {"36h", 129600000, "36h"},
		{"", -1, ""},	       {"s", -1, ""},	     {"05", -1, ""},	      {"1 s", -1, ""},
		{"+1s", -1, ""},       {"1S", -1, ""},	     {"1.0s", -1, ""},	      {"99999999999999999d", -1, ""},
	};
	char text[DURATION_TEXT_BYTES];
	__u64 ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ms = 12345;
		assert_int_equal(duration_parse(cases[i].text, &ms), cases[i].ms < 0 ? -EINVAL : 0);
		assert_int_equal(ms, cases[i].ms < 0 ? 12345 : cases[i].ms);
		if (cases[i].ms >= 0)
			assert_string_equal(duration_format(ms, text), cases[i].canonical);
	}
}

static void times_go_through_text_and_back(void **state)
{
	static const struct {
		__u64 ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{951782399999, "2000-02-28T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1795367582250, "2026-11-22T17:13:02.250Z"},
		{4107542400000, "2100-03-01T00:00:00.000Z"},
		{RFC3339_UNIX_MS_MAX, "9999-12-31T23:59:59.999Z"},
	};
	static const char *const wrong[] = {"",
					    "2026-02-30T00:00:00.000Z",
					    "2026-13-01T00:00:00.000Z",
					    "2026-01-01T24:00:00.000Z",
					    "2026-01-01 00:00:00.000Z",
					    "2026-01-01T00:00:00Z",
					    "1969-12-31T23:59:59.999Z",
					    "2026-01-01T00:00:00.000Z ",
					    "+026-01-01T00:00:00.000Z"};
	char text[RFC3339_TEXT_BYTES];
	__u64 ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(rfc3339_format(cases[i].ms, text), cases[i].text);
		assert_int_equal(rfc3339_parse(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(rfc3339_parse(wrong[i], &ms), -EINVAL);
	assert_string_equal(rfc3339_format(~0ULL, text), "9999-12-31T23:59:59.999Z");
	for (ms = 0; ms < 4200000000000ULL; ms += 86399999999ULL / 7) {
		__u64 again = 0;

		assert_int_equal(rfc3339_parse(rfc3339_format(ms, text), &again), 0);
		assert_int_equal(again, ms);
	}
}

static void only_shortest_utf8_is_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {{"a", 1},
		     {"\xc2\x80", 2},
		     {"\xe0\xa0\x80", 3},
		     {"\xf0\x90\x80\x80", 4},
		     {"\xf4\x8f\xbf\xbf", 4},
		     {"\x80", 0},
		     {"\xc1\xbf", 0},
		     {"\xe0\x9f\xbf", 0},
		     {"\xed\xa0\x80", 0},
		     {"\xf0\x8f\xbf\xbf", 0},
		     {"\xf4\x90\x80\x80", 0},
		     {"\xf5\x80\x80\x80", 0},
		     {"\xe2\x82", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_next(cases[i].text, strlen(cases[i].text)), cases[i].len);
	assert_int_equal(utf8_next("", 0), 0);
	assert_int_equal(utf8_count("a\xc3\xa4\xff", 4), 3);
}

static void a_buf_that_failed_stays_failed(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_puts(&b, "a");
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	buf_puts(&b, "b");
	assert_int_equal(buf_error(&b), -ENOMEM);
	assert_null(buf_take(&b, NULL));
	buf_printf(&b, "%0300d|%s", 7, "x");
	assert_int_equal(b.len, 302);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_parted_by_blanks_and_grouped_by_quotes),
		cmocka_unit_test(places_stay_true_behind_joins),
		cmocka_unit_test(a_line_holds_4095_bytes_and_128_words),
		cmocka_unit_test(a_quoted_word_is_read_as_it_was),
		cmocka_unit_test(durations_have_one_form_each),
		cmocka_unit_test(times_go_through_text_and_back),
		cmocka_unit_test(only_shortest_utf8_is_utf8),
		cmocka_unit_test(a_buf_that_failed_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
