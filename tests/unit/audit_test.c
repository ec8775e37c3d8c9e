// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines of an audit log, and walks over them, with real signatures. Not here: any bytes (audit_fuzz), files
 * (audit_file_test), what others hold (audit_tail_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "core/audit.h"
#include "signer.h"

#define DATE  (1764389400123ull << 16 | 7) /* 2025-11-29T04:10:00.123Z */
#define LINES 6

/* A head and entries, each with its newline's place empty: strings. */
struct chain {
	struct signer signer;
	struct audit_head head;
	struct audit_tail end;
	char *line[LINES]; /* owned; the first is the head */
	size_t count;
};

static void chain_begin(struct chain *c, __u32 signer, __u64 store)
{
	struct buf line = BUF_INIT;

	*c = (struct chain){.end.store = store};
	signer_real(&c->signer, signer);
	c->head = (struct audit_head){.store = store, .first = 1, .key = c->signer.key};
	audit_head_format(&c->head, &line);
	c->line[c->count++] = buf_take(&line, NULL);
}

static void chain_add(struct chain *c, const char *what)
{
	struct audit_entry e = {.store = c->end.store, .sequence = c->end.sequence + 1, .date = DATE, .by = "root@lb1"};
	struct buf line = BUF_INIT;

	snprintf(e.what, sizeof(e.what), "%s", what);
	memcpy(e.previous, c->end.hash, HASH_BYTES);
	assert_int_equal(audit_entry_format(&e, &c->signer.signing, &line, &c->end), 0);
	c->line[c->count++] = buf_take(&line, NULL);
}

/* Another segment, by another key if @signer is not 0. */
static void chain_segment(struct chain *c, __u32 signer)
{
	struct buf line = BUF_INIT;

	if (signer)
		signer_real(&c->signer, signer);
	c->head.first = c->end.sequence + 1;
	c->head.key = c->signer.key;
	memcpy(c->head.previous, c->end.hash, HASH_BYTES);
	audit_head_format(&c->head, &line);
	c->line[c->count++] = buf_take(&line, NULL);
}

static void chain_free(struct chain *c)
{
	while (c->count)
		free(c->line[--c->count]);
}

/* Lines @from to the end. Return: as audit_walk_line(); @ret_why: the sentence. */
static int chain_walk(struct chain *c, size_t from, struct audit_walk *w, const char **ret_why)
{
	static struct err err;
	struct audit_entry e;
	int rc = 0;

	*w = (struct audit_walk){.signing = &c->signer.signing};
	for (size_t i = from; i < c->count && !rc; i++)
		rc = audit_walk_line(w, c->line[i], strlen(c->line[i]), &e, &err);
	*ret_why = err.text;
	return rc;
}

/* What is wrong with a chain is named so. */
static void chain_is_refused(struct chain *c, const char *words)
{
	struct audit_walk w;
	const char *why;

	assert_int_equal(chain_walk(c, 0, &w, &why), -EBADMSG);
	assert_non_null(strstr(why, words));
}

static void a_line_can_be_read_by_people(void **state)
{
	static const char wanted[] = "SAL1 9f2c41d0aabbccdd 1 2025-11-29T04:10:00.123Z/7 \"root@lb1\" "
				     "\"backend drain 10.0.0.1 reason \\\"disk\\\\ \\xc3\\xa9\\x1b\\\"\" "
				     "0000000000000000000000000000000000000000000000000000000000000000 ";
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 0x9f2c41d0aabbccddull);
	chain_add(&c, "backend drain 10.0.0.1 reason \"disk\\ \xc3\xa9\x1b\"");
	assert_memory_equal(c.line[1], wanted, sizeof(wanted) - 1);
	chain_free(&c);
}

static void what_is_written_is_read(void **state)
{
	struct audit_tail tail;
	struct audit_entry e;
	struct audit_head h;
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_add(&c, "a \"b\" \\ \t \xc3\xa9");
	assert_int_equal(audit_head_parse(c.line[0], strlen(c.line[0]), &h), 0);
	assert_true(h.store == 5 && h.first == 1 && !memcmp(&h.key, &c.signer.key, sizeof(h.key)));
	assert_int_equal(audit_entry_parse(c.line[1], strlen(c.line[1]), &e), 0);
	assert_true(e.store == 5 && e.sequence == 1 && e.date == DATE);
	assert_string_equal(e.by, "root@lb1");
	assert_string_equal(e.what, "a \"b\" \\ \t \xc3\xa9");
	assert_true(audit_entry_verify(c.line[1], strlen(c.line[1]), &c.signer.key, &c.signer.signing));
	audit_entry_tail(&e, c.line[1], strlen(c.line[1]), &c.signer.signing, &tail);
	assert_true(audit_tail_same(&tail, &c.end));
	chain_free(&c);
}

static void a_head_keeps_what_it_quotes(void **state)
{
	struct audit_head head = {.store = 7, .first = 1, .quote = {{9, 12, {1, 2}}, 8}}, read;
	struct buf line = BUF_INIT;

	(void)state;
	audit_head_format(&head, &line);
	assert_int_equal(audit_head_parse(buf_text(&line), line.len, &read), 0);
	assert_true(audit_tail_same(&read.quote.held, &head.quote.held) && read.quote.ended == 8);
	buf_free(&line);
}

/* Each byte of a line, changed or taken away: it is no line then, or not signed. */
static void no_byte_of_a_line_can_be_another(void **state)
{
	struct audit_entry e;
	struct chain c;
	size_t len;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_add(&c, "vip delete web");
	len = strlen(c.line[1]);
	for (size_t i = 0; i < len; i++) {
		char was = c.line[1][i];

		c.line[1][i] = was == 'x' ? 'y' : 'x';
		assert_true(audit_entry_parse(c.line[1], len, &e) ||
			    !audit_entry_verify(c.line[1], len, &c.signer.key, &c.signer.signing));
		c.line[1][i] = was;
		assert_true(audit_entry_parse(c.line[1], i, &e) ||
			    !audit_entry_verify(c.line[1], i, &c.signer.key, &c.signer.signing));
	}
	chain_free(&c);
}

static void a_line_has_one_form_only(void **state)
{
	static const char *const other[] = {
		"SAL1 9f2c41d0aabbccdd 01 ", "SAL1 9F2c41d0aabbccdd 1 ", "SAL1  9f2c41d0aabbccdd 1 ",
		"SAL1 0000000000000000 1 ",  "SAL1 9f2c41d0aabbccdd 0 ", "SAL1 9f2c41d0aabbccdd 18446744073709551617 ",
		"SAL2 9f2c41d0aabbccdd 1 ",
	};
	static const char *const text[] = {"\"\\x41\"", "\"\\x00\"", "\"\\n\"", "\"a", "a\"", "\"\x7f\""};
	char hash[2 * HASH_BYTES + 1], line[512], sign[90];
	struct audit_entry e;
	int len;

	(void)state;
	memset(hash, '0', sizeof(hash) - 1);
	hash[sizeof(hash) - 1] = '\0';
	memset(sign, 'A', 86);
	strcpy(sign + 86, "==");
	len = snprintf(line, sizeof(line), "SAL1 9f2c41d0aabbccdd 1 2025-11-29T04:10:00.123Z/7 \"a\" \"b\" %s %s", hash,
		       sign);
	assert_int_equal(audit_entry_parse(line, (size_t)len, &e), 0);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		len = snprintf(line, sizeof(line), "%s2025-11-29T04:10:00.123Z/7 \"a\" \"b\" %s %s", other[i], hash,
			       sign);
		assert_int_equal(audit_entry_parse(line, (size_t)len, &e), -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		len = snprintf(line, sizeof(line), "SAL1 9f2c41d0aabbccdd 1 2025-11-29T04:10:00.123Z/7 \"a\" %s %s %s",
			       text[i], hash, sign);
		assert_int_equal(audit_entry_parse(line, (size_t)len, &e), -EBADMSG);
	}
}

static void the_longest_texts_fit(void **state)
{
	char what[2 * AUDIT_WHAT_BYTES];
	struct audit_entry e;
	struct chain c;

	(void)state;
	memset(what, 0x01, sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	chain_begin(&c, 1, 5);
	chain_add(&c, what);
	assert_true(strlen(c.line[1]) <= AUDIT_LINE_BYTES);
	assert_int_equal(audit_entry_parse(c.line[1], strlen(c.line[1]), &e), 0);
	assert_int_equal(strlen(e.what), AUDIT_WHAT_BYTES - 1);
	chain_free(&c);
}

static void a_text_is_not_cut_within_a_character(void **state)
{
	char text[8];

	(void)state;
	utf8_cut(text, sizeof(text), "123456\xc3\xa9");
	assert_string_equal(text, "123456");
	utf8_cut(text, sizeof(text), "12345\xc3\xa9");
	assert_string_equal(text, "12345\xc3\xa9");
}

static void a_chain_is_followed_over_segments_and_keys(void **state)
{
	struct audit_walk w;
	const char *why;
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_add(&c, "one");
	chain_add(&c, "two");
	chain_segment(&c, 2);
	chain_add(&c, "three");
	assert_int_equal(chain_walk(&c, 0, &w, &why), 0);
	assert_true(w.entries == 3 && w.chains == 1 && audit_tail_same(&w.at, &c.end));
	/* without its first segment, which was dropped */
	assert_int_equal(chain_walk(&c, 3, &w, &why), 0);
	assert_true(w.entries == 1 && audit_tail_same(&w.at, &c.end));
	chain_free(&c);
}

static void an_entry_that_is_gone_is_missed(void **state)
{
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 5);
	for (int i = 0; i < 4; i++)
		chain_add(&c, "set");
	free(c.line[2]);
	c.line[2] = c.line[3];
	c.line[3] = c.line[4];
	c.count--;
	chain_is_refused(&c, "entry 3 does not follow entry 1");
	chain_free(&c);
}

/* The node itself signs another history: the lines are right, and do not follow. */
static void an_entry_that_is_another_is_named(void **state)
{
	struct chain c, other;
	char *swapped;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_begin(&other, 1, 5);
	chain_add(&c, "one");
	chain_add(&other, "another");
	chain_add(&c, "two");
	swapped = c.line[1];
	c.line[1] = other.line[1];
	other.line[1] = swapped;
	chain_is_refused(&c, "entry 2: the entry before it was another one");
	chain_free(&c);
	chain_free(&other);
}

static void an_entry_by_another_key_is_named(void **state)
{
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_add(&c, "one");
	signer_real(&c.signer, 2);
	chain_add(&c, "two");
	chain_is_refused(&c, "entry 2: its signature");
	chain_free(&c);
}

static void a_chain_that_begins_in_the_middle_is_missed(void **state)
{
	struct chain c, other;
	struct audit_walk w;
	const char *why;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_begin(&other, 1, 6);
	chain_add(&c, "one");
	chain_add(&other, "one");
	chain_segment(&other, 0);
	c.line[c.count++] = strdup(other.line[2]);
	chain_is_refused(&c, "entry 2: the beginning of its chain is missing");
	free(c.line[2]);
	c.line[2] = strdup(other.line[0]);
	assert_int_equal(chain_walk(&c, 0, &w, &why), 0);
	assert_int_equal(w.chains, 2);
	chain_free(&c);
	chain_free(&other);
}

static void a_log_without_a_head_is_none(void **state)
{
	struct audit_walk w;
	const char *why;
	struct chain c;

	(void)state;
	chain_begin(&c, 1, 5);
	chain_add(&c, "one");
	assert_int_equal(chain_walk(&c, 1, &w, &why), -EBADMSG);
	chain_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_can_be_read_by_people),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_head_keeps_what_it_quotes),
		cmocka_unit_test(no_byte_of_a_line_can_be_another),
		cmocka_unit_test(a_line_has_one_form_only),
		cmocka_unit_test(the_longest_texts_fit),
		cmocka_unit_test(a_text_is_not_cut_within_a_character),
		cmocka_unit_test(a_chain_is_followed_over_segments_and_keys),
		cmocka_unit_test(an_entry_that_is_gone_is_missed),
		cmocka_unit_test(an_entry_that_is_another_is_named),
		cmocka_unit_test(an_entry_by_another_key_is_named),
		cmocka_unit_test(a_chain_that_begins_in_the_middle_is_missed),
		cmocka_unit_test(a_log_without_a_head_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
