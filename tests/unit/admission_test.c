// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is let in by whose word, who is forgotten, and both as text. Not here: proofs of an invitation
 * (channel_admit_test), daemons (tests/net/admit.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/admission.h"
#include "core/page_author.h"
#include "signer.h"

#define NODES 7

/* Nodes 0 to @listed - 1 are listed; the world is seen by node @self. */
struct world {
	struct signer signer[NODES];
	struct roster all, listed;
	struct page_store *store;
	struct admission a;
	struct roster_node self;
	struct admission_rules rules;
	struct roster got;
	__u64 counter; /* of the last page of all nodes */
	__u32 roles;   /* that who tells gives whom it vouches for, too */
};

static struct roster_node node_of(const struct world *w, size_t i)
{
	struct roster_node node = {.key = w->signer[i].key, .id = w->signer[i].id, .roles = ROLE_OBSERVER, .stake = 1};

	snprintf(node.name, sizeof(node.name), "n%zu", i);
	return node;
}

static void world_begin(struct world *w, size_t listed, size_t self, enum admission_mode mode)
{
	memset(w, 0, sizeof(*w));
	for (__u32 i = 0; i < NODES; i++)
		signer_ideal(&w->signer[i], i + 1);
	w->all = signers_roster(w->signer, NODES);
	w->listed = signers_roster(w->signer, listed);
	w->store = page_store_new(&w->signer[0].signing);
	assert_int_equal(page_store_roster(w->store, &w->all), 0);
	w->self = node_of(w, self);
	w->rules = (struct admission_rules){mode, &w->listed, &w->self};
}

static void world_end(struct world *w)
{
	page_store_free(w->store);
	roster_free(&w->all);
	roster_free(&w->listed);
	roster_free(&w->got);
	admission_free(&w->a);
}

/* What @i tells, whose configuration lists what the world's does. */
static void tells(struct world *w, size_t i, const size_t *vouches, size_t count, int forgets)
{
	static struct page_draft draft[ADMISSION_PAGES];
	struct page_author author = {&w->signer[i].signing, w->store, w->signer[i].id, {1, 5 + i, w->counter}};
	struct fact_forgotten f = {.id = forgets >= 0 ? w->signer[forgets].id : 0, .name = "x"};
	struct admission a = {.forgotten_count = 0};
	struct roster_node node;
	size_t pages;

	for (size_t v = 0; v < count; v++) {
		node = node_of(w, vouches[v]);
		node.roles |= w->roles;
		node.stake = w->roles ? 65535 : 1;
		assert_int_equal(roster_add(&a.own, &node, NULL), 0);
	}
	if (forgets >= 0)
		assert_int_equal(admission_forget(&a, &f), 0);
	memset(draft, 0, sizeof(draft));
	pages = admission_pages(&a, &w->rules, draft, ADMISSION_PAGES);
	for (size_t p = 0; p < pages; p++)
		assert_int_equal(page_author_publish(&author, PAGE_KIND_ADMISSION, (__u16)p, &draft[p]), 1);
	w->counter = author.last.counter;
	admission_free(&a);
}

/* "0 1 4": who counts now. */
static void counts(struct world *w, const char *wanted)
{
	char got[64] = "";

	roster_free(&w->got);
	assert_int_equal(admission_roster(&w->a, &w->rules, w->store, &w->got), 0);
	for (size_t i = 0; i < NODES; i++)
		if (roster_find_id(&w->got, w->signer[i].id))
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%zu", *got ? " " : "", i);
	assert_string_equal(got, wanted);
}

static void nobody_is_let_in_where_only_listed_nodes_are(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_LISTED);
	tells(&w, 1, (size_t[]){4}, 1, -1);
	counts(&w, "0 1");
	world_end(&w);
}

static void one_of_three_vouches(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 3, 0, ADMISSION_VOUCHED);
	counts(&w, "0 1 2");
	tells(&w, 1, (size_t[]){4}, 1, -1);
	counts(&w, "0 1 2 4");
	assert_string_equal(roster_find_id(&w.got, w.signer[4].id)->name, "n4");
	world_end(&w);
}

static void of_four_two_have_to(void **state)
{
	struct roster_node node;
	struct world w;

	(void)state;
	world_begin(&w, 4, 0, ADMISSION_VOUCHED);
	tells(&w, 1, (size_t[]){4, 5}, 2, -1);
	counts(&w, "0 1 2 3");
	tells(&w, 2, (size_t[]){4}, 1, -1);
	counts(&w, "0 1 2 3 4");
	node = node_of(&w, 5);
	roster_add(&w.a.own, &node, NULL); /* this node's own word counts as well */
	counts(&w, "0 1 2 3 4 5");
	world_end(&w);
}

static void who_is_let_in_has_no_word_unless_all_are_open(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	tells(&w, 1, (size_t[]){4}, 1, -1);
	tells(&w, 4, (size_t[]){5}, 1, 1);
	counts(&w, "0 1 4");
	w.rules.mode = ADMISSION_OPEN;
	tells(&w, 5, (size_t[]){6}, 1, -1);
	counts(&w, "0 4 5 6"); /* and 4 has forgotten 1 */
	world_end(&w);
}

static void who_came_by_an_invitation_sees_what_the_others_see(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 4, 4, ADMISSION_LISTED);
	tells(&w, 0, (size_t[]){4, 5}, 2, -1); /* who invited it, and lists 0 to 3 */
	tells(&w, 1, (size_t[]){4}, 1, -1);
	w.listed.count = 0;
	counts(&w, "");
	w.a.sponsor.known = true;
	w.a.sponsor.key = w.signer[0].key;
	counts(&w, "0 1 2 3 4");
	assert_string_equal(roster_find_id(&w.got, w.signer[0].id)->name, "n0");
	w.listed.count = 4;
	tells(&w, 1, (size_t[]){4, 5}, 2, -1);
	w.listed.count = 0;
	counts(&w, "0 1 2 3 4 5");
	w.listed.count = 4;
	world_end(&w);
}

static void who_is_let_in_stays_so(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	tells(&w, 1, (size_t[]){4}, 1, -1);
	counts(&w, "0 1 4");
	assert_int_equal(page_store_roster(w.store, &w.listed), 0);
	page_store_free(w.store);
	w.store = page_store_new(&w.signer[0].signing);
	counts(&w, "0 1 4");
	world_end(&w);
}

static void who_is_forgotten_is_so_wherever_it_is_listed(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 3, 0, ADMISSION_VOUCHED);
	tells(&w, 1, (size_t[]){4}, 1, 2);
	counts(&w, "0 1 4");
	tells(&w, 2, (size_t[]){5}, 1, 1); /* who is forgotten has no word */
	counts(&w, "0 1 4");
	tells(&w, 1, (size_t[]){4}, 1, 4);
	counts(&w, "0 1");
	assert_true(admission_is_forgotten(&w.a, w.signer[2].id));
	world_end(&w);
}

static void only_admins_forget_where_there_are_some(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 3, 0, ADMISSION_VOUCHED);
	w.listed.node[0].roles |= ROLE_ADMIN;
	tells(&w, 1, NULL, 0, 2);
	counts(&w, "0 1 2");
	tells(&w, 0, NULL, 0, 2);
	counts(&w, "0 1");
	world_end(&w);
}

static void two_of_one_name_are_told_apart(void **state)
{
	struct roster_node node;
	struct world w;
	char id[ROSTER_ID_TEXT_BYTES];

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	node = node_of(&w, 4);
	snprintf(node.name, sizeof(node.name), "n1");
	roster_add(&w.a.own, &node, NULL);
	counts(&w, "0 1 4");
	assert_string_equal(roster_find_id(&w.got, w.signer[1].id)->name, "n1");
	assert_string_equal(roster_find_id(&w.got, w.signer[4].id)->name, roster_id_format(w.signer[4].id, id));
	world_end(&w);
}

static void a_word_makes_nobody_an_admin_nor_heavy(void **state)
{
	const struct roster_node *node;
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	w.roles = ROLE_ADMIN | ROLE_VOTER;
	tells(&w, 1, (size_t[]){4}, 1, -1);
	counts(&w, "0 1 4");
	node = roster_find_id(&w.got, w.signer[4].id);
	assert_true(node->roles == ROSTER_ROLES_DEFAULT && node->stake == ROSTER_STAKE_DEFAULT);
	world_end(&w);
}

static void who_is_unknown_is_not_forgotten_before_he_comes(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	tells(&w, 1, NULL, 0, 4);
	counts(&w, "0 1");
	assert_int_equal(w.a.forgotten_count, 0);
	world_end(&w);
}

static void the_word_of_who_is_not_listed_does_not_count(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	assert_true(admission_counts(&w.a, &w.rules, w.store));
	w.self = node_of(&w, 4);
	assert_false(admission_counts(&w.a, &w.rules, w.store));
	w.rules.mode = ADMISSION_OPEN;
	assert_true(admission_counts(&w.a, &w.rules, w.store));
	w.listed.node[0].roles |= ROLE_ADMIN;
	assert_false(admission_counts(&w.a, &w.rules, w.store));
	world_end(&w);
}

/* Who invited it is gone for good: those whom it has let in speak for it. */
static void without_a_sponsor_others_are_heard_on_who_is_forgotten(void **state)
{
	struct fact_forgotten gone;
	struct world w;

	(void)state;
	world_begin(&w, 3, 4, ADMISSION_LISTED);
	tells(&w, 0, (size_t[]){4, 5}, 2, -1);
	w.listed.count = 0;
	w.a.sponsor.known = true;
	w.a.sponsor.key = w.signer[0].key;
	counts(&w, "0 1 2 4 5");
	gone = (struct fact_forgotten){.id = w.signer[0].id, .name = "n0"};
	admission_forget(&w.a, &gone);
	w.listed.count = 3;
	tells(&w, 1, NULL, 0, 5);
	w.listed.count = 0;
	counts(&w, "1 2 4");
	w.listed.count = 3;
	world_end(&w);
}

static void a_full_list_of_the_forgotten_takes_no_more(void **state)
{
	struct fact_forgotten f = {.name = "x"};
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	for (f.id = 1; f.id <= ADMISSION_FORGOTTEN; f.id++)
		assert_int_equal(admission_forget(&w.a, &f), 0);
	assert_int_equal(admission_forget(&w.a, &f), -ENOSPC);
	f.id = 1;
	assert_int_equal(admission_forget(&w.a, &f), -EEXIST);
	world_end(&w);
}

/* Of a full roster all is told; what has no room in the pages is not. */
static void many_take_several_pages(void **state)
{
	static struct page_draft draft[ADMISSION_PAGES];
	struct roster_node node = {.roles = ROLE_OBSERVER, .stake = 1};
	struct fact_forgotten forget;
	struct roster_node vouch;
	size_t pages, told = 0, at;
	struct page page;
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	for (__u32 i = 0; i < STARLING_ROSTER_NODES; i++) {
		memcpy(node.key.byte, &i, sizeof(i));
		snprintf(node.name, sizeof(node.name), "a-name-of-full-length-%09u", i);
		snprintf(node.site, sizeof(node.site), "a-site-of-full-length-%09u", i);
		assert_int_equal(roster_add(&w.a.own, &node, NULL), 0);
	}
	pages = admission_pages(&w.a, &w.rules, draft, ADMISSION_PAGES);
	assert_in_range(pages, 100, ADMISSION_PAGES);
	for (size_t p = 0; p < pages; p++) {
		page = (struct page){.kind = PAGE_KIND_ADMISSION, .len = draft[p].len, .entries = draft[p].entries};
		for (at = 0; fact_admission_next(&page, &at, &vouch, &forget) > 0;)
			told++;
	}
	assert_int_equal(told, STARLING_ROSTER_NODES + 2);
	assert_int_equal(admission_pages(&w.a, &w.rules, draft, 3), 3);
	world_end(&w);
}

/* --- texts --- */

static void a_file_is_read_as_it_was_written(void **state)
{
	static const char *const bad[] = {"nobody knows", "own ed25519:x 1 1 n1", "forgotten 1 2",
					  "sponsor ed25519:x 1.2.3.4:5"};
	struct fact_forgotten f = {.id = 0xabc, .date_ms = 12, .name = "gone"};
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct admission a = {.forgotten_count = 0};
	struct roster_node node;
	struct world w;

	(void)state;
	world_begin(&w, 2, 0, ADMISSION_VOUCHED);
	node = node_of(&w, 4);
	roster_add(&w.a.own, &node, NULL);
	node = node_of(&w, 5);
	snprintf(node.site, sizeof(node.site), "fra");
	roster_add(&w.a.admitted, &node, NULL);
	admission_forget(&w.a, &f);
	w.a.sponsor = (struct sponsor){.known = true, .key = w.signer[1].key, .waits = true, .secret = {1, 2, 3}};
	endpoint_parse("[2001:db8::1]:9428", &w.a.sponsor.at);
	admission_write(&w.a, &text);
	assert_int_equal(admission_read(&a, buf_text(&text)), 0);
	assert_true(a.sponsor.waits && a.sponsor.secret[2] == 3);
	admission_write(&a, &again);
	assert_string_equal(buf_text(&text), buf_text(&again));
	admission_free(&a);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(admission_read(&a, bad[i]), -EINVAL);
		assert_true(!a.own.count && !a.sponsor.known);
	}
	buf_free(&text);
	buf_free(&again);
	world_end(&w);
}

static void an_invitation_is_read_as_it_was_written(void **state)
{
	struct invitation v = {.until_s = 1234567890, .secret = {9, 8, 7}}, got;
	char text[INVITATION_TEXT_BYTES], padded[INVITATION_TEXT_BYTES + 8];
	size_t len;

	(void)state;
	endpoint_parse("192.0.2.11:9428", &v.at);
	v.key.byte[0] = 5;
	invitation_format(&v, text);
	snprintf(padded, sizeof(padded), " %s\n", text);
	assert_int_equal(invitation_parse(padded, &got), 0);
	assert_memory_equal(&got, &v, sizeof(v));
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		snprintf(padded, sizeof(padded), "%.*s", (int)i, text);
		assert_int_equal(invitation_parse(padded, &got), -EINVAL);
	}
	snprintf(padded, sizeof(padded), "%s %s", text, "x");
	assert_int_equal(invitation_parse(padded, &got), -EINVAL);
	v.at.port = 0;
	assert_int_equal(invitation_parse(invitation_format(&v, text), &got), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_let_in_where_only_listed_nodes_are),
		cmocka_unit_test(one_of_three_vouches),
		cmocka_unit_test(of_four_two_have_to),
		cmocka_unit_test(who_is_let_in_has_no_word_unless_all_are_open),
		cmocka_unit_test(who_came_by_an_invitation_sees_what_the_others_see),
		cmocka_unit_test(who_is_let_in_stays_so),
		cmocka_unit_test(who_is_forgotten_is_so_wherever_it_is_listed),
		cmocka_unit_test(only_admins_forget_where_there_are_some),
		cmocka_unit_test(two_of_one_name_are_told_apart),
		cmocka_unit_test(a_word_makes_nobody_an_admin_nor_heavy),
		cmocka_unit_test(who_is_unknown_is_not_forgotten_before_he_comes),
		cmocka_unit_test(the_word_of_who_is_not_listed_does_not_count),
		cmocka_unit_test(without_a_sponsor_others_are_heard_on_who_is_forgotten),
		cmocka_unit_test(a_full_list_of_the_forgotten_takes_no_more),
		cmocka_unit_test(many_take_several_pages),
		cmocka_unit_test(a_file_is_read_as_it_was_written),
		cmocka_unit_test(an_invitation_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
