// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is held of others' audit logs, and what it means that they tell something else. Not here: lines (audit_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/audit_tail.h"
#include "core/fact.h"
#include "signer.h"

#define A 0xaull /* chains */
#define B 0xbull

static struct audit_tail tail(__u64 store, __u64 sequence, __u8 hash)
{
	return (struct audit_tail){store, sequence, {hash}};
}

static struct audit_told told(__u64 store, __u64 sequence, __u8 hash)
{
	return (struct audit_told){.tail = tail(store, sequence, hash)};
}

static struct audit_told quoting(struct audit_tail held, __u64 ended)
{
	return (struct audit_told){tail(B, 1, 1), {held, ended}};
}

static void judged(const struct audit_told *is, enum audit_state wanted)
{
	struct audit_tail held = tail(A, 12, 1);

	assert_string_equal(audit_state_word(audit_judge(&held, is)), audit_state_word(wanted));
}

static void a_log_that_grows_is_whole(void **state)
{
	struct audit_told same = told(A, 12, 1), longer = told(A, 13, 2);
	struct audit_tail nothing = {0};

	(void)state;
	judged(&same, AUDIT_WHOLE);
	judged(&longer, AUDIT_WHOLE);
	assert_int_equal(audit_judge(&nothing, &longer), AUDIT_WHOLE);
}

static void a_shorter_one_is_cut_and_another_one_forked(void **state)
{
	struct audit_told shorter = told(A, 11, 1), other = told(A, 12, 2);

	(void)state;
	judged(&shorter, AUDIT_CUT);
	judged(&other, AUDIT_FORKED);
}

static void one_that_begins_anew_has_to_quote_what_is_held(void **state)
{
	struct audit_told none = told(B, 1, 1), right = quoting(tail(A, 12, 1), 0), later = quoting(tail(A, 14, 9), 0),
			  earlier = quoting(tail(A, 11, 1), 0), other = quoting(tail(A, 12, 2), 0),
			  stranger = quoting(tail(0xc, 12, 1), 0);

	(void)state;
	judged(&none, AUDIT_UNQUOTED);
	judged(&right, AUDIT_RESET);
	judged(&later, AUDIT_RESET);
	judged(&earlier, AUDIT_RESET); /* who told it held no more */
	judged(&other, AUDIT_FORKED);
	judged(&stranger, AUDIT_UNQUOTED);
}

static void one_that_owns_to_having_ended_before_is_cut(void **state)
{
	struct audit_told before = quoting(tail(A, 12, 1), 8), there = quoting(tail(A, 12, 1), 12),
			  less = quoting(tail(A, 7, 1), 8), more = quoting(tail(A, 14, 1), 13);

	(void)state;
	judged(&before, AUDIT_CUT);
	judged(&there, AUDIT_FORKED);
	judged(&less, AUDIT_CUT);
	judged(&more, AUDIT_CUT);
}

/* A page as its node signs it; @number orders them. */
static struct page page_make(struct signer *s, __u64 number, const struct audit_told *is, __u8 bytes[PAGE_BYTES])
{
	struct page_draft draft = {0};
	struct page page = {.origin = s->id, .kind = PAGE_KIND_AUDIT, .version = {1, 1, number}};
	int len;

	assert_int_equal(audit_told_encode(is, &draft), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	len = page_encode(&page, &s->signing, bytes);
	assert_true(len > 0);
	assert_int_equal(page_decode(bytes, (size_t)len, &page), 0);
	return page;
}

static int hear(struct audit_memory *m, struct signer *s, __u64 number, struct audit_told is, enum audit_state *ret)
{
	__u8 bytes[PAGE_BYTES];
	struct page page = page_make(s, number, &is, bytes);

	return audit_memory_hear(m, &page, 1000 + number, ret);
}

static void what_is_told_is_read(void **state)
{
	struct audit_told is = quoting(tail(A, 12, 3), 8), read;
	__u8 bytes[PAGE_BYTES];
	struct signer s;
	struct page page;

	(void)state;
	signer_real(&s, 1);
	page = page_make(&s, 1, &is, bytes);
	assert_int_equal(audit_told_decode(&page, &read), 0);
	assert_true(audit_tail_same(&read.tail, &is.tail) && audit_tail_same(&read.quote.held, &is.quote.held) &&
		    read.quote.ended == 8);
	page.kind = PAGE_KIND_NODE;
	assert_int_equal(audit_told_decode(&page, &read), -EBADMSG);
	page.kind = PAGE_KIND_AUDIT;
	page.len = 0;
	assert_int_equal(audit_told_decode(&page, &read), -EBADMSG);
}

static void an_older_page_says_nothing(void **state)
{
	struct audit_memory m = {0};
	enum audit_state noticed;
	struct signer s;

	(void)state;
	signer_real(&s, 1);
	assert_int_equal(hear(&m, &s, 5, told(A, 12, 1), &noticed), 1);
	assert_int_equal(hear(&m, &s, 4, told(A, 11, 1), &noticed), 0);
	assert_int_equal(noticed, AUDIT_WHOLE);
	assert_int_equal(hear(&m, &s, 6, told(A, 11, 1), &noticed), 1);
	assert_int_equal(noticed, AUDIT_CUT);
	audit_memory_free(&m);
}

static void what_was_noticed_stands_until_it_is_accepted(void **state)
{
	struct audit_memory m = {0};
	enum audit_state noticed;
	struct audit_held *held;
	struct signer s;

	(void)state;
	signer_real(&s, 1);
	hear(&m, &s, 1, told(A, 12, 1), &noticed);
	hear(&m, &s, 2, told(A, 8, 1), &noticed);
	assert_int_equal(noticed, AUDIT_CUT);
	hear(&m, &s, 3, told(A, 13, 1), &noticed); /* it has grown beyond */
	assert_int_equal(noticed, AUDIT_WHOLE);
	hear(&m, &s, 4, quoting(tail(A, 13, 1), 0), &noticed); /* and what is less bad does not hide it */
	assert_int_equal(noticed, AUDIT_WHOLE);
	held = audit_memory_find(&m, s.id);
	assert_non_null(held);
	assert_int_equal(held->state, AUDIT_CUT);
	assert_true(held->lost.sequence == 12 && held->since_ms == 1002 && held->told.tail.store == B);
	audit_memory_accept(held);
	assert_int_equal(held->state, AUDIT_WHOLE);
	hear(&m, &s, 5, told(B, 2, 1), &noticed);
	assert_int_equal(held->state, AUDIT_WHOLE);
	audit_memory_free(&m);
}

static void what_is_held_outlives_a_restart(void **state)
{
	struct audit_memory m = {0}, again = {0};
	struct buf text = BUF_INIT, twice = BUF_INIT;
	enum audit_state noticed;
	struct audit_tail own;
	struct signer s[3];
	struct page page;

	(void)state;
	for (__u32 i = 0; i < 3; i++) {
		signer_real(&s[i], i + 1);
		hear(&m, &s[i], 1, told(A, 12, 1), &noticed);
	}
	hear(&m, &s[1], 2, told(A, 7, 2), &noticed);
	own = tail(A, 40, 3);
	assert_true(audit_memory_notice(&m.own, AUDIT_CUT, &own, 1003));
	assert_false(audit_memory_notice(&m.own, AUDIT_RESET, &own, 1004)); /* which is less bad */
	audit_memory_write(&m, &text);
	assert_int_equal(audit_memory_read(&again, buf_text(&text)), 0);
	audit_memory_write(&again, &twice);
	assert_string_equal(buf_text(&text), buf_text(&twice));
	assert_int_equal(audit_memory_find(&again, s[1].id)->state, AUDIT_CUT);
	assert_true(audit_memory_find(&again, s[1].id)->lost.sequence == 12);
	assert_true(again.own.state == AUDIT_CUT && again.own.since_ms == 1003 &&
		    audit_tail_same(&again.own.lost, &own));
	/* its pages are what was signed, to be shown to others */
	assert_int_equal(page_decode(again.held[0].page, again.held[0].len, &page), 0);
	for (int i = 0; i < 3; i++)
		assert_true(page.origin != s[i].id ||
			    page_verify(again.held[0].page, again.held[0].len, &s[i].key, &s[i].signing));
	/* and an older page says nothing still */
	assert_int_equal(hear(&again, &s[0], 1, told(A, 3, 1), &noticed), 0);
	buf_free(&text);
	buf_free(&twice);
	audit_memory_free(&m);
	audit_memory_free(&again);
}

static void lines_that_are_none_are_left_out(void **state)
{
	struct audit_memory m = {0}, again = {0};
	struct buf text = BUF_INIT;
	enum audit_state noticed;
	struct signer s;

	(void)state;
	signer_real(&s, 1);
	hear(&m, &s, 1, told(A, 12, 1), &noticed);
	buf_puts(&text, "nonsense\n\n0 whole 0 0 0 0 \nown \nown whole 1 a 1 00\n");
	audit_memory_write(&m, &text);
	audit_memory_write(&m, &text); /* nobody is there twice */
	assert_int_equal(audit_memory_read(&again, buf_text(&text)), -EBADMSG);
	assert_int_equal(again.count, 1);
	buf_free(&text);
	audit_memory_free(&m);
	audit_memory_free(&again);
}

static void who_does_not_count_can_be_dropped(void **state)
{
	struct audit_memory m = {0};
	enum audit_state noticed;
	struct roster roster;
	struct signer s[3];

	(void)state;
	for (__u32 i = 0; i < 3; i++) {
		signer_real(&s[i], i + 1);
		hear(&m, &s[i], 1, told(A, 12, 1), &noticed);
	}
	roster = signers_roster(s, 2);
	audit_memory_trim(&m, &roster);
	assert_int_equal(m.count, 2);
	assert_null(audit_memory_find(&m, s[2].id));
	roster_free(&roster);
	audit_memory_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_grows_is_whole),
		cmocka_unit_test(a_shorter_one_is_cut_and_another_one_forked),
		cmocka_unit_test(one_that_begins_anew_has_to_quote_what_is_held),
		cmocka_unit_test(one_that_owns_to_having_ended_before_is_cut),
		cmocka_unit_test(what_is_told_is_read),
		cmocka_unit_test(an_older_page_says_nothing),
		cmocka_unit_test(what_was_noticed_stands_until_it_is_accepted),
		cmocka_unit_test(what_is_held_outlives_a_restart),
		cmocka_unit_test(lines_that_are_none_are_left_out),
		cmocka_unit_test(who_does_not_count_can_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
