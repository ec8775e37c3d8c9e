// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose word of an agent a balancer goes by: the observers', its own, or nobody's. Not here: what reports decide
 * together (agent_rule_test), real agents (net/verdict.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/health_state.h"

#define SELF	    1
#define INTERVAL_MS 2000

static const struct mono began = {1000000000};
static const struct agent_say drain = {.admin = AGENT_DRAIN}, ready = {.admin = AGENT_READY}, silent;

/* A target of four observers that live and vote, this node first. */
struct desk {
	struct health h;
	struct check_config check;
	struct health_agent agent;
	struct health_target t;
	struct verdict_view view;
};

static void desk_open(struct desk *d)
{
	*d = (struct desk){
		.h.self.id = SELF,
		.check = {.kind = CHECK_AGENT, .interval_ms = INTERVAL_MS, .mode = 1 + VERDICT_MODE_VOTE},
		.view.seats = {.count = 4, .liars = 1, .quorum = 3},
	};
	d->t = (struct health_target){.check = &d->check, .agent = &d->agent};
	for (size_t i = 0; i < 4; i++) {
		d->view.seats.seat[i] = (struct verdict_seat){.id = SELF + i, .weight = 1};
		d->view.vote[i] =
			(struct verdict_view_vote){.live = true, .able = true, .voted = true, .state = VERDICT_UP};
	}
}

static void tell(struct desk *d, size_t seat, enum agent_admin admin)
{
	d->agent.told[seat].by = SELF + seat;
	d->agent.told[seat].report.admin = admin;
}

static enum agent_admin decided(const struct desk *d, __u64 later_ms)
{
	struct agent_report r;

	health_agent_decide(&d->h, &d->t, &d->view, mono_after(began, later_ms), &r);
	return r.admin;
}

static void a_word_of_long_ago_is_no_word(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	for (size_t i = 1; i < 4; i++)
		d.view.vote[i].able = false;
	assert_true(health_agent_take(&d.t, began, &drain));
	assert_false(health_agent_take(&d.t, began, &silent)); /* what a line does not mention stays */
	assert_int_equal(decided(&d, INTERVAL_MS), AGENT_DRAIN);
	assert_int_equal(decided(&d, 10 * INTERVAL_MS), AGENT_UNSAID); /* others watched it since */
	assert_true(health_agent_take(&d.t, mono_after(began, 10 * INTERVAL_MS), &silent));
	assert_int_equal(decided(&d, 10 * INTERVAL_MS), AGENT_UNSAID);
	assert_false(health_agent_take(&d.t, mono_after(began, 12 * INTERVAL_MS), &silent));
}

static void with_fewer_than_a_quorum_that_report_it_goes_by_its_own_agent(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	health_agent_take(&d.t, began, &drain);
	tell(&d, 1, AGENT_READY); /* the other two run what knows no reports, though they vote */
	assert_int_equal(decided(&d, 0), AGENT_DRAIN);
	tell(&d, 2, AGENT_READY);
	assert_int_equal(decided(&d, 0), AGENT_UNSAID);
	tell(&d, 3, AGENT_READY);
	assert_int_equal(decided(&d, 0), AGENT_READY);
}

static void those_that_do_not_judge_make_no_quorum(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	health_agent_take(&d.t, began, &ready);
	for (size_t i = 1; i < 4; i++)
		tell(&d, i, AGENT_DRAIN);
	assert_int_equal(decided(&d, 0), AGENT_DRAIN);
	d.view.vote[2].able = d.view.vote[3].able = false;
	assert_int_equal(decided(&d, 0), AGENT_READY);
}

static void at_a_start_the_others_are_waited_for(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	d.view.awaited = true;
	health_agent_take(&d.t, began, &drain);
	assert_int_equal(decided(&d, 0), AGENT_UNSAID);
	d.view.awaited = false;
	assert_int_equal(decided(&d, 0), AGENT_DRAIN);
}

static bool writes(struct desk *d, __u64 later_ms, __u64 *ret_due_ms)
{
	struct mono due;
	bool ret = health_agents_step(&d->h, mono_after(began, later_ms), &due);

	*ret_due_ms = due.ns == UINT64_MAX ? 0 : mono_ms(began, due);
	return ret;
}

static void what_changes_all_the_time_is_told_once_a_second(void **state)
{
	struct page_draft *draft;
	struct desk d;
	size_t pages;
	__u64 due_ms;

	(void)state;
	desk_open(&d);
	pthread_mutex_init(&d.h.inbox, NULL);
	assert_false(writes(&d, 0, &due_ms));
	assert_int_equal(due_ms, 0);
	for (int i = 0; i < 3; i++) {
		d.h.agents_changed = true;
		assert_true(writes(&d, 1000 * i, &due_ms)); /* the first at once */
		assert_int_equal(due_ms, 0);
		d.h.agents_changed = true;
		assert_false(writes(&d, 1000 * i + 999, &due_ms));
		assert_int_equal(due_ms, 1000 * (i + 1));
	}
	assert_true(health_agents(&d.h, &draft, &pages));
	free(draft);
	assert_false(health_agents(&d.h, &draft, &pages));
	pthread_mutex_destroy(&d.h.inbox);
}

static bool heard(struct desk *d, enum agent_admin admin)
{
	struct agent_report report = {.admin = admin};

	return health_agent_told(&d->agent, &d->view.seats, SELF + 1, &report);
}

static void what_others_say_again_is_nothing_new(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	assert_true(heard(&d, AGENT_UNSAID)); /* that it reports is */
	assert_false(heard(&d, AGENT_UNSAID));
	assert_true(heard(&d, AGENT_DRAIN));
	assert_false(heard(&d, AGENT_DRAIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_of_long_ago_is_no_word),
		cmocka_unit_test(with_fewer_than_a_quorum_that_report_it_goes_by_its_own_agent),
		cmocka_unit_test(those_that_do_not_judge_make_no_quorum),
		cmocka_unit_test(at_a_start_the_others_are_waited_for),
		cmocka_unit_test(what_changes_all_the_time_is_told_once_a_second),
		cmocka_unit_test(what_others_say_again_is_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
