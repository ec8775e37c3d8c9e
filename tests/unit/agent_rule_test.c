// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What observers' reports of agents decide, and that those who lie decide nothing. Not here: an agent's line
 * (check_answer_test), real agents (net/verdict.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/agent_rule.h"

/* Seats of equal weight. */
static struct verdict_seats seats_of(size_t count)
{
	struct verdict_seats s = {.count = count, .liars = count < 4 ? 0 : count == 7 ? 2 : 1};

	s.quorum = s.liars ? 2 * s.liars + 1 : count / 2 + 1;
	for (size_t i = 0; i < count; i++)
		s.seat[i] = (struct verdict_seat){.id = i + 1, .weight = 1};
	return s;
}

static struct agent_report admin(enum agent_admin admin)
{
	return (struct agent_report){.admin = admin};
}

static struct agent_report percent(__u32 percent)
{
	return (struct agent_report){.has_percent = true, .percent = percent};
}

static const bool all[VERDICT_SEATS] = {true, true, true, true, true, true, true};

static void what_a_line_does_not_mention_stays(void **state)
{
	struct agent_report r = {0};

	(void)state;
	assert_true(agent_report_take(&r, &(struct agent_say){.has_percent = true, .percent = 75}));
	assert_true(agent_report_take(&r, &(struct agent_say){.admin = AGENT_DRAIN}));
	assert_false(
		agent_report_take(&r, &(struct agent_say){.health = AGENT_UP, .has_percent = true, .percent = 75}));
	assert_true(agent_report_take(&r, &(struct agent_say){.has_maxconn = true, .maxconn = 9}));
	assert_true(r.admin == AGENT_DRAIN && r.percent == 75 && r.maxconn == 9);
}

static void a_quorum_drains_and_fewer_leave_all_as_it_was(void **state)
{
	struct verdict_seats s = seats_of(4);
	struct agent_report report[VERDICT_SEATS] = {admin(AGENT_DRAIN), admin(AGENT_DRAIN), admin(AGENT_READY)};
	bool counts[VERDICT_SEATS] = {true, true, true, true};
	struct agent_report r;

	(void)state;
	agent_decide(&s, VERDICT_MODE_VOTE, report, counts, &r);
	assert_int_equal(r.admin, AGENT_UNSAID);
	report[3] = admin(AGENT_DRAIN);
	agent_decide(&s, VERDICT_MODE_VOTE, report, counts, &r);
	assert_int_equal(r.admin, AGENT_DRAIN);
	counts[0] = false; /* it died */
	agent_decide(&s, VERDICT_MODE_VOTE, report, counts, &r);
	assert_int_equal(r.admin, AGENT_UNSAID);
}

/* Whatever f of 3f + 1 say while the others say @honest. */
static void liars_decide_nothing(size_t count, enum agent_admin honest)
{
	struct verdict_seats s = seats_of(count);

	for (__u32 liars = 0; liars < 1u << count; liars++) {
		if ((size_t)__builtin_popcount(liars) > s.liars)
			continue;
		for (enum agent_admin lie = AGENT_UNSAID; lie <= AGENT_MAINT; lie++) {
			struct agent_report report[VERDICT_SEATS], r;

			for (size_t i = 0; i < count; i++)
				report[i] = admin(liars >> i & 1 ? lie : honest);
			agent_decide(&s, VERDICT_MODE_VOTE, report, all, &r);
			assert_int_equal(r.admin, honest);
		}
	}
}

static void no_f_that_lie_drain_a_backend_or_undo_that(void **state)
{
	(void)state;
	for (enum agent_admin honest = AGENT_READY; honest <= AGENT_MAINT; honest++) {
		liars_decide_nothing(4, honest);
		liars_decide_nothing(7, honest);
	}
	liars_decide_nothing(4, AGENT_UNSAID);
	liars_decide_nothing(7, AGENT_UNSAID);
}

static void the_median_lies_between_two_that_do_not_lie(void **state)
{
	static const __u32 lies[] = {0, 1, 49, 50, 51, 100};
	struct verdict_seats s = seats_of(4);

	(void)state;
	for (size_t liar = 0; liar < 4; liar++)
		for (size_t lie = 0; lie < sizeof(lies) / sizeof(lies[0]); lie++)
			for (int silent = 0; silent < 2; silent++) {
				struct agent_report report[VERDICT_SEATS] = {percent(40), percent(45), percent(50),
									     percent(60)},
						    r;
				bool counts[VERDICT_SEATS] = {true, true, true, true};

				report[liar] = percent(lies[lie]);
				counts[(liar + 1) % 4] = !silent;
				agent_decide(&s, VERDICT_MODE_VOTE, report, counts, &r);
				assert_true(r.has_percent && r.percent >= 40 && r.percent <= 60);
			}
}

static void a_percentage_of_fewer_than_a_quorum_is_none(void **state)
{
	struct verdict_seats s = seats_of(4);
	struct agent_report report[VERDICT_SEATS] = {percent(10), percent(10)}, r;

	(void)state;
	agent_decide(&s, VERDICT_MODE_VOTE, report, all, &r);
	assert_false(r.has_percent);
	report[2] = percent(90);
	agent_decide(&s, VERDICT_MODE_VOTE, report, all, &r);
	assert_true(r.has_percent && r.percent == 10);
	s = seats_of(0);
	agent_decide(&s, VERDICT_MODE_VOTE, report, all, &r);
	assert_false(r.has_percent);
}

static void a_page_says_what_was_written_and_nothing_that_cannot_be(void **state)
{
	struct agent_report r = {.admin = AGENT_MAINT,
				 .has_percent = true,
				 .percent = 100,
				 .maxconn = 0xffffffff,
				 .has_maxconn = true},
			    back;
	struct page_draft draft = {0};
	struct page page = {.entries = draft.entries};
	size_t count = 0, at = 0;
	__u64 target;

	(void)state;
	while (!agent_report_encode(count + 7, &r, &draft))
		count++;
	assert_int_equal(count, AGENT_REPORTS_PER_PAGE);
	page.len = draft.len;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(agent_report_next(&page, &at, &target, &back), 1);
		assert_int_equal(target, i + 7);
		assert_true(back.admin == r.admin && back.percent == 100 && back.maxconn == r.maxconn);
	}
	assert_int_equal(agent_report_next(&page, &at, &target, &back), 0);
	for (size_t byte = 12; byte < 15; byte += 2) { /* state, percentage */
		__u8 was = draft.entries[sizeof(struct page_entry_header) + byte];

		draft.entries[sizeof(struct page_entry_header) + byte] = 101;
		at = 0;
		assert_int_equal(agent_report_next(&page, &at, &target, &back), -EBADMSG);
		draft.entries[sizeof(struct page_entry_header) + byte] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_line_does_not_mention_stays),
		cmocka_unit_test(a_quorum_drains_and_fewer_leave_all_as_it_was),
		cmocka_unit_test(no_f_that_lie_drain_a_backend_or_undo_that),
		cmocka_unit_test(the_median_lies_between_two_that_do_not_lie),
		cmocka_unit_test(a_percentage_of_fewer_than_a_quorum_is_none),
		cmocka_unit_test(a_page_says_what_was_written_and_nothing_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
