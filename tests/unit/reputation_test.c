// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reputations: from evidence to what the flock agrees on. Not here: what is evidence (verdict_judge_test.c).
 */
#include "core/reputation.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW_MS	1790000000000ull
#define HOUR_MS 3600000ull

/* lb0, lb1, ...; ids follow from keys. */
static struct roster roster_of(size_t nodes)
{
	struct roster roster = {0};

	for (size_t i = 0; i < nodes; i++) {
		struct roster_node node = {.key.byte = {(__u8)(i + 1)}, .roles = ROLE_OBSERVER, .stake = 1};

		snprintf(node.name, sizeof(node.name), "lb%zu", i);
		assert_int_equal(roster_add(&roster, &node, NULL), 0);
	}
	return roster;
}

static void see(struct reputation *r, __u64 now_ms, __u64 id, __u32 with, __u32 against)
{
	assert_int_equal(reputation_see(r, now_ms, &(struct reputation_seen){id, with, against}), 0);
}

static void who_was_never_seen_has_the_full_one(void **state)
{
	struct reputation r = {0};

	(void)state;
	assert_int_equal(reputation_of(&r, NOW_MS, 1), ROSTER_REPUTATION_FULL);
}

static void little_evidence_moves_little(void **state)
{
	struct reputation r = {0};

	(void)state;
	see(&r, NOW_MS, 1, 0, 1);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), 952); /* 20 / 21 */
	see(&r, NOW_MS, 1, 10, 0);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), 968); /* 30 / 31 */
	reputation_free(&r);
}

static void what_fails_together_says_one_thing(void **state)
{
	struct reputation r = {0};

	(void)state;
	see(&r, NOW_MS, 1, 0, 1000);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), 667); /* 20 / 30 */
	see(&r, NOW_MS, 2, 900, 100);
	assert_int_equal(reputation_of(&r, NOW_MS, 2), 967); /* 29 / 30 */
	reputation_free(&r);
}

static void no_lie_goes_below_the_floor(void **state)
{
	struct reputation r = {0};

	(void)state;
	for (size_t i = 0; i < 100; i++)
		see(&r, NOW_MS, 1, 0, 10);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), ROSTER_REPUTATION_FLOOR);
	reputation_free(&r);
}

static void half_is_forgotten_in_an_hour(void **state)
{
	struct reputation r = {0};

	(void)state;
	see(&r, NOW_MS, 1, 0, 10);
	see(&r, NOW_MS, 1, 0, 10);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), 500);	       /* 20 / 40 */
	assert_int_equal(reputation_of(&r, NOW_MS + HOUR_MS, 1), 667); /* 20 / 30 */
	see(&r, NOW_MS + HOUR_MS, 1, 0, 10);
	assert_int_equal(reputation_of(&r, NOW_MS + HOUR_MS, 1), 500);
	assert_int_equal(reputation_of(&r, NOW_MS + 20 * HOUR_MS, 1), ROSTER_REPUTATION_FULL);
	reputation_free(&r);
}

static void a_clock_that_goes_back_changes_nothing(void **state)
{
	struct reputation r = {0};

	(void)state;
	see(&r, NOW_MS, 1, 0, 10);
	see(&r, NOW_MS - HOUR_MS, 1, 0, 10);
	assert_int_equal(reputation_of(&r, NOW_MS - HOUR_MS, 1), 500);
	assert_int_equal(reputation_of(&r, NOW_MS, 1), 500);
	reputation_free(&r);
}

static void the_agreed_one_moves_by_whole_steps(void **state)
{
	(void)state;
	assert_int_equal(reputation_next(1000, 951), 1000);
	assert_int_equal(reputation_next(1000, 950), 950);
	assert_int_equal(reputation_next(950, 999), 950);
	assert_int_equal(reputation_next(950, 1000), 1000);
	assert_int_equal(reputation_next(1000, 250), 250);
	for (__u32 is = ROSTER_REPUTATION_FLOOR; is <= ROSTER_REPUTATION_FULL; is += ROSTER_REPUTATION_STEP)
		for (__u32 estimate = ROSTER_REPUTATION_FLOOR; estimate <= ROSTER_REPUTATION_FULL; estimate++)
			assert_true(roster_reputation_is(reputation_next(is, estimate)));
}

static void a_vote_changes_whom_it_has_seen_lie_alone(void **state)
{
	struct roster roster = roster_of(3);
	struct reputation r = {0};

	(void)state;
	assert_false(reputation_vote(&r, NOW_MS, &roster));
	for (size_t i = 0; i < 6; i++)
		see(&r, NOW_MS, roster.node[1].id, 0, 10);
	assert_true(reputation_vote(&r, NOW_MS, &roster));
	assert_int_equal(roster_reputation(&roster.node[0]), 1000);
	assert_int_equal(roster_reputation(&roster.node[1]), 250);
	assert_int_equal(roster_reputation(&roster.node[2]), 1000);
	assert_false(reputation_vote(&r, NOW_MS, &roster));
	roster_free(&roster);
	reputation_free(&r);
}

static void check_is(const struct reputation *r, const struct roster *is, size_t node, __u32 reputation,
		     const char *why)
{
	struct roster wanted;
	struct err err = {0};
	int rc;

	assert_int_equal(roster_copy(&wanted, is), 0);
	roster_reputation_set(&wanted.node[node], reputation);
	rc = reputation_check(r, NOW_MS, is, &wanted, &err);
	assert_int_equal(rc, why ? -EINVAL : 0);
	if (why && !strstr(err.text, why))
		fail_msg("%s: no word of %s", err.text, why);
	roster_free(&wanted);
}

static void nobody_is_called_what_was_not_seen_of_him(void **state)
{
	struct reputation r = {.since_ms = NOW_MS - HOUR_MS};
	struct roster is = roster_of(3);

	(void)state;
	for (size_t i = 0; i < 2; i++)
		see(&r, NOW_MS, is.node[1].id, 0, 10);
	check_is(&r, &is, 0, 800, NULL);
	check_is(&r, &is, 0, 750, "lb0 is to be 750, and by what was seen here it is 1000");
	check_is(&r, &is, 1, 300, NULL);
	check_is(&r, &is, 1, 700, NULL);
	check_is(&r, &is, 1, 250, "lb1 is to be 250, and by what was seen here it is 500");
	roster_reputation_set(&is.node[2], 250);
	check_is(&r, &is, 2, 250, NULL); /* as it is */
	check_is(&r, &is, 2, 1000, NULL);
	check_is(&r, &is, 2, 500, "lb2");
	roster_free(&is);
	reputation_free(&r);
}

static void who_has_not_looked_on_does_not_object(void **state)
{
	struct reputation r = {.since_ms = NOW_MS - HOUR_MS + 1};
	struct roster is = roster_of(3);

	(void)state;
	check_is(&r, &is, 1, 250, NULL);
	r.since_ms = 0;
	check_is(&r, &is, 1, 250, NULL);
	roster_free(&is);
}

static void who_has_not_looked_on_raises_nobody(void **state)
{
	struct reputation r = {.since_ms = NOW_MS - HOUR_MS + 1};
	struct roster roster = roster_of(2);

	(void)state;
	roster_reputation_set(&roster.node[0], 250);
	assert_false(reputation_vote(&r, NOW_MS, &roster));
	for (size_t i = 0; i < 2; i++)
		see(&r, NOW_MS, roster.node[1].id, 0, 10);
	check_is(&r, &roster, 1, 750, "lb1 is to be 750, and by what was seen here it is 500");
	assert_true(reputation_vote(&r, NOW_MS, &roster));
	assert_int_equal(roster_reputation(&roster.node[0]), 250);
	assert_int_equal(roster_reputation(&roster.node[1]), 500);
	assert_true(reputation_vote(&r, NOW_MS + HOUR_MS, &roster));
	assert_int_equal(roster_reputation(&roster.node[0]), 1000);
	roster_free(&roster);
	reputation_free(&r);
}

/* Of two sites each probes its own backends. */
static void of_another_sites_observers_nobody_says_anything(void **state)
{
	struct reputation here = {.since_ms = NOW_MS - HOUR_MS, .site = "here"},
			  there = {.since_ms = NOW_MS - HOUR_MS, .site = "there"};
	struct roster is = roster_of(6);

	(void)state;
	for (size_t i = 0; i < is.count; i++)
		snprintf(is.node[i].site, sizeof(is.node[i].site), "%s", i < 4 ? "here" : "there");
	assert_int_equal(reputation_judges(&here, &is), 4);
	assert_int_equal(reputation_judges(&there, &is), 2);
	for (size_t i = 0; i < 6; i++)
		see(&here, NOW_MS, is.node[1].id, 0, 10);
	check_is(&here, &is, 1, 250, NULL);
	check_is(&there, &is, 1, 250, NULL);
	check_is(&there, &is, 5, 250, "lb5 is to be 250");
	assert_true(reputation_vote(&here, NOW_MS, &is));
	assert_int_equal(roster_reputation(&is.node[1]), 250);
	assert_false(reputation_vote(&there, NOW_MS, &is));
	roster_free(&is);
	reputation_free(&here);
}

static void who_takes_over_a_name_takes_over_no_lies(void **state)
{
	struct roster roster = roster_of(2);
	struct reputation_seen seen = {roster.node[0].id, 0, 10};
	struct reputation r = {0};
	struct buf line = BUF_INIT;
	size_t at = 0;

	(void)state;
	assert_true(reputation_write(&seen, 1, &roster, &at, &line));
	memcpy(roster.node[0].name, "old", 4);
	memcpy(roster.node[1].name, "lb0", 4);
	reputation_read(&r, NOW_MS, buf_text(&line), &roster);
	assert_int_equal(reputation_of(&r, NOW_MS, roster.node[0].id), 667);
	assert_int_equal(reputation_of(&r, NOW_MS, roster.node[1].id), 1000);
	buf_free(&line);
	roster_free(&roster);
	reputation_free(&r);
}

static void a_newcomer_has_earned_nothing(void **state)
{
	struct reputation r = {0};
	struct roster is = roster_of(2), wanted = roster_of(3);
	struct err err = {0};

	(void)state;
	assert_int_equal(reputation_check(&r, NOW_MS, &is, &wanted, &err), 0);
	roster_reputation_set(&wanted.node[2], 900);
	assert_int_equal(reputation_check(&r, NOW_MS, &is, &wanted, &err), -EINVAL);
	assert_string_equal(err.text, "lb2 is new, and has no reputation of 900 yet");
	roster_free(&is);
	roster_free(&wanted);
}

static void evidence_is_read_as_it_was_written(void **state)
{
	struct roster roster = roster_of(200);
	struct reputation_seen seen[200];
	struct reputation a = {0}, b = {0};
	size_t at = 0, lines = 0;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		seen[i] = (struct reputation_seen){roster.node[i].id, (__u32)i % 7, (__u32)i % 5};
		assert_int_equal(reputation_see(&a, NOW_MS, &seen[i]), 0);
	}
	for (struct buf line = BUF_INIT; reputation_write(seen, 200, &roster, &at, &line); buf_clear(&line), lines++) {
		assert_true(line.len < 512 && !memchr(buf_text(&line), '\n', line.len));
		reputation_read(&b, NOW_MS, buf_text(&line), &roster);
		if (at == 200)
			buf_free(&line);
	}
	assert_true(lines > 1);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(reputation_of(&a, NOW_MS, seen[i].id), reputation_of(&b, NOW_MS, seen[i].id));
	roster_free(&roster);
	reputation_free(&a);
	reputation_free(&b);
}

static void what_is_no_evidence_counts_nothing(void **state)
{
	static const char *const lines[] = {
		"",
		"votes judged: ",
		"votes judged: lb0",
		"votes judged: lb0 1 1",
		"votes judged: lb0 1 x/y",
		"votes judged: lb0 0/10",
		"votes judged: stranger ff 0/10",
		"votes are judged: lb0 1 0/10",
		"votes judged: lb0 1  0/",
		"stopped",
		"votes judged: a-name-that-is-longer-than-any-node-of-a-roster-may-have 1 0/9"};
	struct roster roster = roster_of(2);
	unsigned long long id = roster.node[0].id;
	struct reputation r = {0};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		reputation_read(&r, NOW_MS, lines[i], &roster);
	assert_int_equal(r.count, 0);
	snprintf(line, sizeof(line), "votes judged: lb0 %llx 0/10;lb1 %llx 0/10", id, id + 1);
	reputation_read(&r, NOW_MS, line, &roster);
	assert_int_equal(r.count, 1);
	snprintf(line, sizeof(line), "votes judged: lb0 %llx 0/4000000000000", id);
	reputation_read(&r, NOW_MS, line, &roster);
	assert_in_range(reputation_of(&r, NOW_MS, roster.node[0].id), ROSTER_REPUTATION_FLOOR, 500);
	roster_free(&roster);
	reputation_free(&r);
}

static void who_counts_no_more_is_forgotten(void **state)
{
	struct roster roster = roster_of(2);
	struct reputation r = {0};

	(void)state;
	see(&r, NOW_MS, roster.node[0].id, 0, 10);
	see(&r, NOW_MS, 99, 0, 10);
	reputation_keep(&r, &roster);
	assert_int_equal(r.count, 1);
	assert_int_equal(reputation_of(&r, NOW_MS, roster.node[0].id), 667);
	assert_int_equal(reputation_of(&r, NOW_MS, 99), 1000);
	roster_free(&roster);
	reputation_free(&r);
}

static bool all_but(void *arg, __u64 id)
{
	return id != *(const __u64 *)arg;
}

static void every_hour_it_is_the_turn_of_another_one_that_answers(void **state)
{
	struct roster roster = roster_of(4);
	size_t turns[4] = {0}, i;
	__u64 silent = 0;

	(void)state;
	for (__u64 hour = 0; hour < 400; hour++) {
		__u64 id = reputation_turn(&roster, hour, all_but, &silent), next;

		for (i = 0; i < 4; i++)
			turns[i] += roster.node[i].id == id;
		next = reputation_turn(&roster, hour, all_but, &id);
		assert_true(next && next != id);
	}
	for (i = 0; i < 4; i++)
		assert_in_range(turns[i], 70, 130);
	roster.node[2].roles |= ROLE_ADMIN;
	for (__u64 hour = 0; hour < 100; hour++)
		assert_int_equal(reputation_turn(&roster, hour, all_but, &silent), roster.node[2].id);
	assert_int_equal(reputation_turn(&roster, 1, all_but, &roster.node[2].id), 0);
	roster_free(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_never_seen_has_the_full_one),
		cmocka_unit_test(little_evidence_moves_little),
		cmocka_unit_test(what_fails_together_says_one_thing),
		cmocka_unit_test(no_lie_goes_below_the_floor),
		cmocka_unit_test(half_is_forgotten_in_an_hour),
		cmocka_unit_test(a_clock_that_goes_back_changes_nothing),
		cmocka_unit_test(the_agreed_one_moves_by_whole_steps),
		cmocka_unit_test(a_vote_changes_whom_it_has_seen_lie_alone),
		cmocka_unit_test(nobody_is_called_what_was_not_seen_of_him),
		cmocka_unit_test(who_has_not_looked_on_does_not_object),
		cmocka_unit_test(who_has_not_looked_on_raises_nobody),
		cmocka_unit_test(of_another_sites_observers_nobody_says_anything),
		cmocka_unit_test(who_takes_over_a_name_takes_over_no_lies),
		cmocka_unit_test(a_newcomer_has_earned_nothing),
		cmocka_unit_test(evidence_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_evidence_counts_nothing),
		cmocka_unit_test(who_counts_no_more_is_forgotten),
		cmocka_unit_test(every_hour_it_is_the_turn_of_another_one_that_answers),
	};

	return cmocka_run_group_tests_name("reputation", tests, NULL, NULL);
}
