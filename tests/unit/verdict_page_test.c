// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Votes in pages. Not here: what a node makes of them (verdict_test.c), pages (page_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/verdict_page.h"
#include "signer.h"

#define TARGETS 20

static int put(struct verdict_pages *p, __u64 target, enum verdict_state state, __u64 counter, __u64 about)
{
	struct verdict_vote vote = {
		.target = target, .voter = 7, .number = {1, 2, counter}, .about = about, .state = state};
	__u8 bytes[VERDICT_VOTE_BYTES];
	int len = verdict_vote_encode(&vote, bytes, sizeof(bytes));

	assert_true(len > 0);
	return verdict_pages_put(p, bytes, (size_t)len);
}

static size_t entries(const struct page_draft *draft)
{
	struct page page = {.len = draft->len, .entries = draft->entries};
	struct page_entry entry;
	size_t at = 0, count = 0;

	while (page_entry_next(&page, &at, &entry))
		count++;
	return count;
}

static size_t drain(struct verdict_pages *p, size_t *ret_entries)
{
	struct page_draft draft;
	size_t pages = 0, count = 0;
	__u16 index;

	for (; verdict_pages_next(p, &index, &draft); pages++)
		count += entries(&draft);
	if (ret_entries)
		*ret_entries = count;
	return pages;
}

static void a_changed_vote_is_one_changed_page(void **state)
{
	struct verdict_pages *p = verdict_pages_new();
	struct page_draft draft;
	size_t votes;
	__u16 index;

	(void)state;
	for (__u64 target = 0; target < TARGETS; target++)
		assert_int_equal(put(p, target, VERDICT_UP, 1 + target, 0), 0);
	assert_int_equal(drain(p, &votes), (TARGETS + VERDICT_PAGE_VOTES - 1) / VERDICT_PAGE_VOTES);
	assert_int_equal(votes, TARGETS);
	assert_int_equal(drain(p, NULL), 0);
	assert_int_equal(put(p, VERDICT_PAGE_VOTES, VERDICT_DOWN, 50, 0), 0);
	assert_true(verdict_pages_next(p, &index, &draft));
	assert_int_equal(index, 1);
	assert_int_equal(entries(&draft), VERDICT_PAGE_VOTES);
	assert_int_equal(drain(p, NULL), 0);
	verdict_pages_free(p);
}

static void the_place_of_a_dropped_target_is_used_again(void **state)
{
	struct verdict_pages *p = verdict_pages_new();
	size_t votes;

	(void)state;
	for (__u64 target = 0; target < TARGETS; target++)
		put(p, target, VERDICT_UP, 1 + target, 0);
	drain(p, NULL);
	verdict_pages_drop(p, 3);
	assert_int_equal(drain(p, &votes), 1);
	assert_int_equal(votes, VERDICT_PAGE_VOTES - 1);
	put(p, TARGETS, VERDICT_UP, 60, 0);
	assert_int_equal(drain(p, &votes), 1);
	assert_int_equal(votes, VERDICT_PAGE_VOTES);
	verdict_pages_free(p);
}

static void a_node_has_room_for_so_many_votes(void **state)
{
	struct verdict_pages *p = verdict_pages_new();
	__u64 target = 0;

	(void)state;
	while (target < VERDICT_PAGES * VERDICT_PAGE_VOTES)
		assert_int_equal(put(p, target++, VERDICT_UP, 1, 0), 0);
	assert_int_equal(put(p, target, VERDICT_UP, 1, 0), -ENOSPC);
	assert_int_equal(put(p, 5, VERDICT_DOWN, 2, 0), 0);
	verdict_pages_free(p);
}

static void of_a_witness_few_votes_are_kept(void **state)
{
	struct verdict_pages *p = verdict_pages_new();
	size_t votes;

	(void)state;
	put(p, 1, VERDICT_UP, 1, 0);
	for (__u64 i = 1; i < 100; i++)
		put(p, 1, VERDICT_DOWN, 1 + i, i << 32 | 1);
	drain(p, &votes);
	assert_int_equal(votes, 1 + 8);
	assert_int_equal(verdict_pages_put(p, "no vote", 7), -EBADMSG);
	verdict_pages_free(p);
}

static void proofs_stand_in_pages_behind_those_of_votes(void **state)
{
	static const __u8 proof[VERDICT_PROOF_BYTES] = {1};
	struct verdict_pages *p = verdict_pages_new();
	struct page_draft draft;
	size_t count;
	__u16 index;

	(void)state;
	assert_int_equal(verdict_pages_proof(p, proof, 0), -EBADMSG);
	assert_int_equal(verdict_pages_proof(p, proof, sizeof(proof) + 1), -EBADMSG);
	assert_int_equal(verdict_pages_proof(p, proof, sizeof(proof)), 0);
	assert_true(verdict_pages_next(p, &index, &draft));
	assert_int_equal(index, VERDICT_PAGES);
	assert_int_equal(entries(&draft), 1);
	for (size_t i = 1; i < VERDICT_PROOFS; i++)
		assert_int_equal(verdict_pages_proof(p, proof, sizeof(proof)), 0);
	assert_int_equal(verdict_pages_proof(p, proof, sizeof(proof)), -ENOSPC);
	drain(p, &count);
	assert_int_equal(count, VERDICT_PROOFS);
	verdict_pages_free(p);
}

static void another_life_says_all_again_and_another_node_proofs_alone(void **state)
{
	static const __u8 proof[1];
	struct verdict_pages *p = verdict_pages_new();
	size_t pages, count;

	(void)state;
	for (__u64 target = 0; target < TARGETS; target++)
		put(p, target, VERDICT_UP, 1 + target, 0);
	verdict_pages_proof(p, proof, sizeof(proof));
	pages = drain(p, NULL);
	verdict_pages_again(p);
	assert_int_equal(drain(p, &count), pages);
	assert_int_equal(count, TARGETS + 1);
	verdict_pages_clear(p);
	assert_int_equal(drain(p, &count), pages); /* those of votes become empty */
	assert_int_equal(count, 1);
	put(p, 1, VERDICT_UP, 1, 0);
	assert_int_equal(drain(p, &count), 1);
	assert_int_equal(count, 1);
	verdict_pages_free(p);
}

/* Each is in one entry of a page that has the room; what changes is the page of it, and nothing else. */
static void certificates_stand_behind_proofs_and_go_when_they_are_not_needed(void **state)
{
	static const __u8 half[PAGE_ENTRIES_BYTES / 2 - sizeof(struct page_entry_header)], whole[PAGE_VALUE_BYTES + 1];
	struct verdict_pages *p = verdict_pages_new();
	struct page_draft draft;
	__u16 first, index;
	size_t count;

	(void)state;
	assert_int_equal(verdict_pages_certificate(p, 1, half, sizeof(half)), 0);
	assert_int_equal(verdict_pages_certificate(p, 2, half, sizeof(half)), 0);
	assert_int_equal(verdict_pages_certificate(p, 3, half, sizeof(half)), 0);
	assert_true(verdict_pages_next(p, &first, &draft));
	assert_true(first > VERDICT_PAGES);
	assert_int_equal(entries(&draft), 2);
	assert_int_equal(drain(p, NULL), 1);
	verdict_pages_drop(p, 1);
	assert_true(verdict_pages_next(p, &index, &draft));
	assert_int_equal(index, first);
	assert_int_equal(entries(&draft), 1);
	assert_int_equal(verdict_pages_certificate(p, 2, whole, PAGE_VALUE_BYTES), 0);
	assert_int_equal(verdict_pages_certificate(p, 3, NULL, 0), 0);
	assert_int_equal(drain(p, &count), 2);
	assert_int_equal(count, 1);
	assert_int_equal(verdict_pages_certificate(p, 2, whole, sizeof(whole)), -EMSGSIZE);
	assert_int_equal(drain(p, &count), 1);
	assert_int_equal(count, 0);
	verdict_pages_free(p);
}

static void a_node_shows_so_many_certificates(void **state)
{
	static const __u8 whole[PAGE_VALUE_BYTES];
	struct verdict_pages *p = verdict_pages_new();
	size_t pages, count;

	(void)state;
	for (__u64 target = 0; target < VERDICT_CERTIFICATES; target++)
		assert_int_equal(verdict_pages_certificate(p, target, whole, sizeof(whole)), 0);
	assert_int_equal(verdict_pages_certificate(p, VERDICT_CERTIFICATES, whole, 1), -ENOSPC);
	assert_int_equal(verdict_pages_certificate(p, 5, whole, sizeof(whole)), 0);
	pages = drain(p, &count);
	assert_int_equal(count, VERDICT_CERTIFICATES);
	verdict_pages_clear(p);
	assert_int_equal(drain(p, &count), pages);
	assert_int_equal(count, 0);
	verdict_pages_free(p);
}

/* By two nodes of a site of two, with real signatures: what one says in a page the other hears. */
static void what_a_page_says_is_heard(void **state)
{
	static const struct verdict_target target = {
		.id = 1, .pace = {1000, 500, 2, 3, false}, .rule = {VERDICT_MODE_MAJORITY, 1, ""}};
	static struct signer signer[2];
	struct verdict_config config = {
		.self = {.incarnation = 1, .boot = 9}, .seed = 1, .signing = &signer[0].signing};
	struct verdict_pages *p = verdict_pages_new();
	struct page_draft draft;
	struct page page = {.entries = draft.entries};
	struct mono now = {1};
	struct verdict_vote vote = {.target = 1, .number = {1, 2, 3}, .state = VERDICT_UP};
	__u8 bytes[VERDICT_VOTE_BYTES];
	struct verdict_view view;
	struct roster roster;
	struct verdict *v;
	__u16 index;

	(void)state;
	signer_real(&signer[0], 1);
	signer_real(&signer[1], 2);
	roster = signers_roster(signer, 2);
	config.self.id = signer[0].id;
	v = verdict_new(&config);
	assert_int_equal(verdict_roster(v, now, &roster), 0);
	assert_int_equal(verdict_targets(v, now, &target, 1), 0);
	vote.voter = signer[1].id;
	assert_int_equal(roster_digest(&roster, &vote.epoch), 0);
	assert_int_equal(verdict_vote_sign(&vote, &signer[1].signing), 0);
	assert_int_equal(verdict_pages_put(p, bytes, (size_t)verdict_vote_encode(&vote, bytes, sizeof(bytes))), 0);
	assert_true(verdict_pages_next(p, &index, &draft));
	page_entry_add(&draft, 77, "of a later version", 18);
	page_entry_add(&draft, VERDICT_ENTRY_PROOF, "no proof", 8);
	page_entry_add(&draft, VERDICT_ENTRY_CERTIFICATE, "", 0);
	page.len = draft.len;
	assert_int_equal(verdict_page_hear(v, now, &page), 1);
	assert_int_equal(verdict_page_hear(v, now, &page), 0);
	assert_int_equal(verdict_view(v, 1, &view), 0);
	assert_int_equal(view.up, 1);
	assert_int_equal(verdict_count(v, VERDICT_OUTCOME_MALFORMED), 4);
	verdict_free(v);
	roster_free(&roster);
	verdict_pages_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_vote_is_one_changed_page),
		cmocka_unit_test(the_place_of_a_dropped_target_is_used_again),
		cmocka_unit_test(a_node_has_room_for_so_many_votes),
		cmocka_unit_test(of_a_witness_few_votes_are_kept),
		cmocka_unit_test(proofs_stand_in_pages_behind_those_of_votes),
		cmocka_unit_test(another_life_says_all_again_and_another_node_proofs_alone),
		cmocka_unit_test(certificates_stand_behind_proofs_and_go_when_they_are_not_needed),
		cmocka_unit_test(a_node_shows_so_many_certificates),
		cmocka_unit_test(what_a_page_says_is_heard),
	};

	return cmocka_run_group_tests_name("verdict_page", tests, NULL, NULL);
}
