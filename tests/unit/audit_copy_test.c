// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Copies of an audit log for other nodes, with real signatures: which lines are given, and what is said of them. Not
 * here: any bytes (audit_fuzz), how they travel (tests/net/audit.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/audit_copy.h"
#include "signer.h"

#define DATE (1764389400123ull << 16)
#define A    0xaull /* chains */
#define B    0xbull

/* A log as a node writes it. */
struct log {
	struct signer signer;
	struct audit_head head;
	struct audit_tail end;
	struct buf text;
};

static void log_begin(struct log *l, __u64 store, const struct audit_quote *quote)
{
	signer_real(&l->signer, 1);
	l->head = (struct audit_head){.store = store, .first = 1, .key = l->signer.key};
	if (quote)
		l->head.quote = *quote;
	l->end = (struct audit_tail){.store = store};
	audit_head_format(&l->head, &l->text);
	buf_putc(&l->text, '\n');
}

static void segment_begin(struct log *l)
{
	l->head.first = l->end.sequence + 1;
	l->head.key = l->signer.key;
	memcpy(l->head.previous, l->end.hash, HASH_BYTES);
	audit_head_format(&l->head, &l->text);
	buf_putc(&l->text, '\n');
}

/* Lines up to this entry, of so many bytes more each. */
static void lines_add(struct log *l, __u64 last, size_t more)
{
	while (l->end.sequence < last) {
		struct audit_entry e = {
			.store = l->end.store, .sequence = l->end.sequence + 1, .date = DATE, .by = "root@lb2"};

		snprintf(e.what, sizeof(e.what), "weight %llu %.*s", (unsigned long long)e.sequence, (int)more,
			 "................................................................................");
		memcpy(e.previous, l->end.hash, HASH_BYTES);
		assert_int_equal(audit_entry_format(&e, &l->signer.signing, &l->text, &l->end), 0);
		buf_putc(&l->text, '\n');
	}
}

/* What is given of it. */
static struct buf copy_of(const struct log *l)
{
	struct audit_copy copy = {0};
	struct buf out = BUF_INIT;
	const char *end;

	for (const char *line = buf_text(&l->text); *line; line = end + 1) {
		end = strchr(line, '\n');
		audit_copy_add(&copy, line, (size_t)(end - line));
	}
	assert_int_equal(audit_copy_take(&copy, &out), 0);
	audit_copy_free(&copy);
	return out;
}

struct found {
	struct audit_walk walk;
	bool met;
	struct err err;
	int rc;
};

/* Read by one who holds @held, and frees the copy. */
static struct found read_copy(const struct log *l, struct buf copy, const struct audit_tail *held)
{
	struct found f = {0};

	f.rc = audit_copy_check(buf_text(&copy), copy.len, &l->signer.key, held, &l->signer.signing, &f.walk, &f.met,
				&f.err);
	f.walk.signing = NULL;
	buf_free(&copy);
	return f;
}

static void refused(const struct found *f, const char *why)
{
	assert_int_equal(f->rc, -EBADMSG);
	if (!strstr(f->err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", f->err.text, why);
}

static void log_free(struct log *l)
{
	buf_free(&l->text);
}

static void a_log_is_valid_up_to_its_end(void **state)
{
	struct log l = {0};
	struct audit_tail held;
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 7, 0);
	held = l.end;
	segment_begin(&l);
	lines_add(&l, 12, 0);
	f = read_copy(&l, copy_of(&l), &held);
	assert_int_equal(f.rc, 0);
	assert_true(f.met && f.walk.entries == 12 && audit_tail_same(&f.walk.at, &l.end));
	f = read_copy(&l, copy_of(&l), &(struct audit_tail){0});
	assert_true(!f.rc && !f.met);
	log_free(&l);
}

static void of_a_long_log_the_newest_lines_are_given(void **state)
{
	struct log l = {0};
	struct audit_tail early, late;
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 100, 0);
	early = l.end;
	segment_begin(&l);
	lines_add(&l, 1500, 0);
	late = l.end;
	lines_add(&l, 1600, 0);
	f = read_copy(&l, copy_of(&l), &late);
	assert_int_equal(f.rc, 0);
	assert_true(f.met && audit_tail_same(&f.walk.at, &l.end));
	assert_in_range(f.walk.entries, AUDIT_COPY_LINES - 1, AUDIT_COPY_LINES);
	assert_true(f.walk.begin.first == 1601 - f.walk.entries);
	f = read_copy(&l, copy_of(&l), &early); /* it does not reach back as far */
	assert_true(!f.rc && !f.met);
	log_free(&l);
}

static void of_long_lines_as_many_are_given_as_have_room(void **state)
{
	struct audit_entry e = {.store = A, .sequence = 1, .date = DATE, .by = "root@lb2"};
	struct log l = {0};
	struct buf copy;
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	memset(e.what, '\x80', sizeof(e.what) - 1); /* each is four bytes of the line */
	for (; e.sequence <= 800; e.sequence++) {
		memcpy(e.previous, l.end.hash, HASH_BYTES);
		assert_int_equal(audit_entry_format(&e, &l.signer.signing, &l.text, &l.end), 0);
		buf_putc(&l.text, '\n');
	}
	copy = copy_of(&l);
	assert_in_range(copy.len, AUDIT_COPY_BYTES - AUDIT_LINE_BYTES, AUDIT_COPY_BYTES_MAX);
	f = read_copy(&l, copy, &l.end);
	assert_true(!f.rc && f.met && f.walk.entries < 400);
	log_free(&l);
}

static void one_that_is_shorter_than_what_is_held_is_cut(void **state)
{
	struct log l = {0}, longer = {0};
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 5, 0);
	log_begin(&longer, A, NULL);
	lines_add(&longer, 9, 0);
	f = read_copy(&l, copy_of(&l), &longer.end);
	refused(&f, "cut: entry 9 of chain 000000000000000a is held of it; it is valid up to entry 5");
	log_free(&l);
	log_free(&longer);
}

static void one_with_another_entry_in_place_of_the_held_one_is_forked(void **state)
{
	struct log l = {0}, other = {0};
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 9, 0);
	log_begin(&other, A, NULL);
	lines_add(&other, 5, 3);
	f = read_copy(&l, copy_of(&l), &other.end);
	refused(&f, "forked: entry 5");
	log_free(&l);
	log_free(&other);
}

static void one_that_began_anew_is_reset_or_hides_it(void **state)
{
	struct log old = {0}, l = {0};
	struct audit_quote quote = {0};
	struct found f;

	(void)state;
	log_begin(&old, A, NULL);
	lines_add(&old, 9, 0);
	quote.held = old.end;
	log_begin(&l, B, &quote);
	lines_add(&l, 2, 0);
	f = read_copy(&l, copy_of(&l), &old.end);
	refused(&f, "reset: entry 9 of chain 000000000000000a");
	log_free(&l);
	l = (struct log){0};
	log_begin(&l, B, NULL);
	lines_add(&l, 2, 0);
	f = read_copy(&l, copy_of(&l), &old.end);
	refused(&f, "unquoted: entry 9");
	log_free(&l);
	log_free(&old);
}

static void a_line_that_was_changed_is_named_with_what_is_valid_before_it(void **state)
{
	struct audit_tail none = {0};
	struct log l = {0};
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 6, 0);
	memcpy(strstr(l.text.text, "weight 4"), "weight 8", 8);
	f = read_copy(&l, copy_of(&l), &none);
	refused(&f, "forged: entry 4: its signature");
	refused(&f, "valid up to entry 3 of chain");
	log_free(&l);
}

/* The node's own key has to have signed the end: a head says what it likes. */
static void one_by_another_key_is_forged(void **state)
{
	struct audit_tail none = {0};
	struct log l = {0};
	struct signer other;
	struct found f;

	(void)state;
	log_begin(&l, A, NULL);
	lines_add(&l, 6, 0);
	signer_real(&other, 2);
	l.signer.key = other.key;
	f = read_copy(&l, copy_of(&l), &none);
	refused(&f, "entry 6 is not signed by the node's key");
	log_free(&l);
}

static void what_is_no_log_is_forged(void **state)
{
	struct audit_tail none = {0};
	struct log l = {0};
	struct buf copy = BUF_INIT;
	struct found f;

	(void)state;
	signer_real(&l.signer, 1);
	f = read_copy(&l, copy, &none);
	refused(&f, "forged: it has no lines; none of it is valid");
	buf_puts(&copy, "SAL1");
	f = read_copy(&l, copy, &none);
	refused(&f, "forged: its last line has no end");
	copy = BUF_INIT;
	buf_fill(&copy, '\n', AUDIT_COPY_BYTES_MAX + 1);
	f = read_copy(&l, copy, &none);
	refused(&f, "longer than what was asked for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_is_valid_up_to_its_end),
		cmocka_unit_test(of_a_long_log_the_newest_lines_are_given),
		cmocka_unit_test(of_long_lines_as_many_are_given_as_have_room),
		cmocka_unit_test(one_that_is_shorter_than_what_is_held_is_cut),
		cmocka_unit_test(one_with_another_entry_in_place_of_the_held_one_is_forked),
		cmocka_unit_test(one_that_began_anew_is_reset_or_hides_it),
		cmocka_unit_test(a_line_that_was_changed_is_named_with_what_is_valid_before_it),
		cmocka_unit_test(one_by_another_key_is_forged),
		cmocka_unit_test(what_is_no_log_is_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
