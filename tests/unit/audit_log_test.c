// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node's own log over its restarts: chains that go on, and chains that begin because of what others hold. Not here:
 * other nodes (tests/net/audit.sh), lines (audit_test), files (audit_file_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/fact.h"
#include "daemon/audit_state.h"
#include "signer.h"
#include "scratch.h"

struct node {
	struct daemon d;
	struct signer signer;
	struct audit *audit;
	__u64 pages; /* heard */
};

static void node_start(struct node *n)
{
	assert_int_equal(audit_open(&n->d, &n->audit, NULL), 0);
	audit_identity(n->audit, &n->signer.identity);
	audit_flush(n->audit);
}

static void node_stop(struct node *n)
{
	audit_close(n->audit);
	n->audit = NULL;
}

static int node_make(void **state)
{
	struct node *n = calloc(1, sizeof(*n));

	strcpy(n->d.node, "lb1");
	scratch_make(n->d.state_dir, sizeof(n->d.state_dir));
	signer_real(&n->signer, 1);
	node_start(n);
	*state = n;
	return 0;
}

static void log_lose(struct node *n)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/audit", n->d.state_dir);
	scratch_remove(path);
}

static int node_remove(void **state)
{
	struct node *n = *state;

	node_stop(n);
	free(n);
	return 0;
}

/* An own page comes back from others. */
static void hears(struct node *n, struct audit_tail held)
{
	struct audit_told told = {.tail = held};
	struct page_draft draft = {0};
	struct page page = {.origin = n->signer.id, .kind = PAGE_KIND_AUDIT, .version = {1, 1, ++n->pages}};

	assert_int_equal(audit_told_encode(&told, &draft), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	audit_heard_own(n->audit, &page);
}

/* Others had time to say what they hold. */
static struct audit_told settled(struct node *n)
{
	struct audit_told told;

	assert_false(audit_tell(n->audit, &told));
	audit_settle(n->audit);
	audit_flush(n->audit);
	assert_true(audit_tell(n->audit, &told));
	return told;
}

static void noted(struct node *n, const char *what)
{
	audit_note(n->audit, "root@lb1", "%s", what);
	audit_flush(n->audit);
}

static void verifies(struct node *n, const char *words)
{
	struct buf says = BUF_INIT;

	assert_int_equal(audit_verify(n->audit, &says, NULL), 0);
	assert_non_null(strstr(buf_text(&says), words));
	buf_free(&says);
}

static bool says(struct node *n, const char *words)
{
	struct table *t = table_new(KIND_AUDIT);
	struct buf text = BUF_INIT;
	bool found;

	assert_int_equal(audit_show(n->audit, 100, t, NULL), 0);
	table_dump(t, &text);
	found = strstr(buf_text(&text), words) != NULL;
	buf_free(&text);
	table_free(t);
	return found;
}

static void nothing_is_written_before_others_had_their_say(void **state)
{
	struct node *n = *state;
	struct audit_told told;

	noted(n, "vip delete web");
	assert_int_equal(audit_verify(n->audit, &BUF_INIT, NULL), -ENOENT);
	told = settled(n);
	assert_int_equal(told.tail.sequence, 3); /* the beginning, the start, the command */
	assert_int_equal(told.quote.held.sequence, 0);
	assert_true(says(n, "vip delete web"));
	verifies(n, "3 entries in 1 chain follow");
}

static void a_chain_goes_on_after_a_restart(void **state)
{
	struct node *n = *state;
	struct audit_told before, after;

	before = settled(n);
	node_stop(n);
	node_start(n);
	hears(n, before.tail);
	after = settled(n);
	assert_true(after.tail.store == before.tail.store && after.tail.sequence > before.tail.sequence);
	assert_int_equal(audit_judge(&before.tail, &after), AUDIT_WHOLE);
	verifies(n, "in 1 chain follow");
}

static void a_log_that_is_lost_begins_anew_and_quotes(void **state)
{
	struct node *n = *state;
	struct audit_told before = settled(n), after;
	struct audit_held own;

	node_stop(n);
	log_lose(n);
	node_start(n);
	noted(n, "vip delete web");
	hears(n, before.tail);
	after = settled(n);
	assert_int_equal(audit_judge(&before.tail, &after), AUDIT_RESET);
	assert_true(says(n, "begins anew: others hold entry 2"));
	assert_true(says(n, "vip delete web"));
	assert_int_equal(audit_look(n->audit, n->signer.id, true, &own), 0);
	assert_int_equal(own.state, AUDIT_RESET);
	/* what it quotes is known after another restart, and nothing begins anew again */
	node_stop(n);
	node_start(n);
	hears(n, before.tail);
	before = after;
	after = settled(n);
	assert_true(after.tail.store == before.tail.store && after.quote.held.sequence == 2);
}

static void a_log_that_ends_before_what_others_hold_owns_to_it(void **state)
{
	struct node *n = *state;
	struct audit_told before = settled(n), after;
	struct audit_tail held = before.tail;

	node_stop(n);
	node_start(n);
	held.sequence += 10;
	hears(n, held);
	after = settled(n);
	assert_true(after.tail.store != held.store);
	assert_int_equal(audit_judge(&held, &after), AUDIT_CUT);
	verifies(n, "in 2 chains follow");
}

static void an_entry_in_the_middle_that_others_hold_otherwise_is_a_fork(void **state)
{
	struct node *n = *state;
	struct audit_told before = settled(n), after;
	struct audit_tail held = before.tail;

	noted(n, "one");
	node_stop(n);
	node_start(n);
	hears(n, held); /* as it is */
	assert_true(settled(n).tail.store == held.store);
	node_stop(n);
	node_start(n);
	held.hash[0] ^= 1;
	hears(n, held);
	after = settled(n);
	assert_int_equal(audit_judge(&held, &after), AUDIT_FORKED);
}

/* Of what others hold the latest counts, and none of it once the own end was told. */
static enum audit_state own_state(struct node *n)
{
	struct audit_held held;

	assert_int_equal(audit_look(n->audit, n->signer.id, true, &held), 0);
	assert_true(held.state == AUDIT_WHOLE || held.lost.sequence == 9);
	return held.state;
}

static void what_was_noticed_of_the_own_log_stands_over_restarts_until_it_is_accepted(void **state)
{
	const struct audit_tail held = {0xa, 9, {1}};
	struct node *n = *state;
	struct audit_told told;

	hears(n, held);
	told = settled(n);
	assert_int_equal(own_state(n), AUDIT_RESET);
	for (int i = 0; i < 2; i++) {
		node_stop(n);
		node_start(n);
		assert_int_equal(own_state(n), AUDIT_RESET);
		hears(n, told.tail); /* others hold the new chain by now */
		told = settled(n);
		assert_int_equal(own_state(n), AUDIT_RESET);
	}
	assert_int_equal(audit_accept(n->audit, n->signer.id, true, "lb1", true, NULL), 0);
	assert_int_equal(own_state(n), AUDIT_RESET);
	assert_int_equal(audit_accept(n->audit, n->signer.id, true, "lb1", false, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(own_state(n), AUDIT_WHOLE);
		node_stop(n);
		node_start(n);
	}
	assert_int_equal(audit_accept(n->audit, n->signer.id, true, "lb1", false, NULL), -EALREADY);
}

static void it_begins_anew_once_at_most(void **state)
{
	struct node *n = *state;
	struct audit_told told = settled(n), again;

	hears(n, (struct audit_tail){77, 5, {1}});
	audit_settle(n->audit);
	audit_flush(n->audit);
	assert_true(audit_tell(n->audit, &again));
	assert_true(audit_tail_same(&told.tail, &again.tail));
}

static void a_torn_line_is_no_loss(void **state)
{
	struct node *n = *state;
	struct audit_told before = settled(n), after;
	char path[PATH_MAX + 32];
	FILE *f;

	node_stop(n);
	snprintf(path, sizeof(path), "%s/audit/0000000001.log", n->d.state_dir);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("SAL1 0011", f);
	fclose(f);
	node_start(n);
	hears(n, before.tail);
	after = settled(n);
	assert_int_equal(audit_judge(&before.tail, &after), AUDIT_WHOLE);
	verifies(n, "in 1 chain follow");
}

static void another_identity_goes_on_in_another_segment(void **state)
{
	struct node *n = *state;
	struct audit_told before = settled(n), after;

	signer_real(&n->signer, 2);
	audit_identity(n->audit, &n->signer.identity);
	noted(n, "node rekey");
	assert_true(audit_tell(n->audit, &after));
	assert_int_equal(audit_judge(&before.tail, &after), AUDIT_WHOLE);
	verifies(n, "in 1 chain follow");
	assert_int_equal(n->audit->head.first, before.tail.sequence + 1);
}

/* Segments are dropped only when there are too many. */
static void a_log_whose_beginning_was_removed_does_not_verify(void **state)
{
	struct node *n = *state;
	char path[PATH_MAX + 32];
	struct err err = {0};
	struct audit_tail end;

	end = settled(n).tail;
	node_stop(n);
	node_start(n);
	end.sequence += 10;
	hears(n, end);
	settled(n); /* another chain, for a segment of its own that begins with entry 1 */
	signer_real(&n->signer, 2);
	audit_identity(n->audit, &n->signer.identity);
	noted(n, "node rekey");
	verifies(n, "in 2 chains follow each other, from entry 1 of");
	for (int i = 1; i <= 2; i++) {
		snprintf(path, sizeof(path), "%s/audit/%010d.log", n->d.state_dir, i);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(audit_verify(n->audit, &BUF_INIT, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "the beginning is missing"));
	}
}

static enum audit_state tells(struct node *n, const struct signer *s, __u64 number, struct audit_tail end)
{
	struct audit_told told = {.tail = end};
	struct page_draft draft = {0};
	struct page page = {.origin = s->id, .kind = PAGE_KIND_AUDIT, .version = {1, 1, number}};
	enum audit_state noticed;
	__u8 bytes[PAGE_BYTES];
	int len;

	assert_int_equal(audit_told_encode(&told, &draft), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	len = page_encode(&page, &s->signing, bytes);
	assert_true(len > 0);
	assert_int_equal(page_decode(bytes, (size_t)len, &page), 0);
	assert_int_equal(audit_memory_hear(&n->audit->memory, &page, number, &noticed), 1);
	return noticed;
}

static enum audit_state kept(struct node *n, const struct signer *s)
{
	struct audit_held held;

	node_stop(n);
	node_start(n);
	assert_int_equal(audit_look(n->audit, s->id, false, &held), 0);
	return held.state;
}

static void what_is_accepted_is_on_the_disk_or_said_not_to_be(void **state)
{
	struct node *n = *state;
	char dir[PATH_MAX];
	struct err err = {0};
	struct signer s;

	signer_real(&s, 2);
	tells(n, &s, 1, (struct audit_tail){7, 12, {1}});
	assert_int_equal(audit_accept(n->audit, s.id, false, "lb2", true, NULL), -EALREADY);
	assert_int_equal(tells(n, &s, 2, (struct audit_tail){7, 8, {1}}), AUDIT_CUT);
	assert_int_equal(audit_keep(n->audit, NULL), 0);
	assert_int_equal(kept(n, &s), AUDIT_CUT);
	assert_int_equal(audit_accept(n->audit, s.id, false, "lb2", true, NULL), 0); /* only asked */

	strcpy(dir, n->d.state_dir);
	strcat(n->d.state_dir, "/none");
	assert_true(audit_accept(n->audit, s.id, false, "lb2", false, &err) < 0);
	assert_true(n->audit->memory_changed); /* it is tried again */
	strcpy(n->d.state_dir, dir);
	n->audit->memory_posted = (struct mono){0};
	audit_tick(n->audit);
	workers_close(n->audit->worker);
	n->audit->worker = NULL;
	assert_false(n->audit->memory_changed);
	assert_int_equal(workers_open("audit", 1, &n->audit->worker, NULL), 0);
	assert_int_equal(kept(n, &s), AUDIT_WHOLE);
}

static void page_count(void *arg, const void *page, size_t len)
{
	(void)page;
	*(size_t *)arg += len > 0;
}

static void pages_held_are_shown_some_at_a_time(void **state)
{
	struct node *n = *state;
	size_t shown = 0;
	struct signer s;
	__u64 next = 0;

	assert_true(audit_pages(n->audit, 0, 2, page_count, &shown) == AUDIT_PAGES_ALL);
	for (__u32 i = 2; i < 7; i++) {
		signer_real(&s, i);
		tells(n, &s, 1, (struct audit_tail){7, 12, {1}});
	}
	for (size_t wanted = 2; wanted <= 4; wanted += 2) {
		next = audit_pages(n->audit, next, 2, page_count, &shown);
		assert_true(next != AUDIT_PAGES_ALL && shown == wanted);
	}
	assert_true(audit_pages(n->audit, next, 2, page_count, &shown) == AUDIT_PAGES_ALL);
	assert_int_equal(shown, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_written_before_others_had_their_say, node_make, node_remove),
		cmocka_unit_test_setup_teardown(a_chain_goes_on_after_a_restart, node_make, node_remove),
		cmocka_unit_test_setup_teardown(a_log_that_is_lost_begins_anew_and_quotes, node_make, node_remove),
		cmocka_unit_test_setup_teardown(a_log_that_ends_before_what_others_hold_owns_to_it, node_make,
						node_remove),
		cmocka_unit_test_setup_teardown(an_entry_in_the_middle_that_others_hold_otherwise_is_a_fork, node_make,
						node_remove),
		cmocka_unit_test_setup_teardown(
			what_was_noticed_of_the_own_log_stands_over_restarts_until_it_is_accepted, node_make,
			node_remove),
		cmocka_unit_test_setup_teardown(it_begins_anew_once_at_most, node_make, node_remove),
		cmocka_unit_test_setup_teardown(a_torn_line_is_no_loss, node_make, node_remove),
		cmocka_unit_test_setup_teardown(what_is_accepted_is_on_the_disk_or_said_not_to_be, node_make,
						node_remove),
		cmocka_unit_test_setup_teardown(a_log_whose_beginning_was_removed_does_not_verify, node_make,
						node_remove),
		cmocka_unit_test_setup_teardown(pages_held_are_shown_some_at_a_time, node_make, node_remove),
		cmocka_unit_test_setup_teardown(another_identity_goes_on_in_another_segment, node_make, node_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
