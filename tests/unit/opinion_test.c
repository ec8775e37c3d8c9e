// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Suspicion: who is held to be what, after which words and how long. Not here: probes, gossip and stalls
 * (opinion_probe_test.c), flocks (the simulator).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "opinion_desk.h"

#define MIN_MS(n_decades) (4 * 200 * (n_decades)) /* alpha periods */

static void nobody_is_alive_before_he_was_heard(void **state)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG};
	struct desk d;

	(void)state;
	desk_open_alone(&d, 3, &config);
	assert_int_equal(desk_state(&d, 0), MEMBER_ALIVE);
	assert_int_equal(desk_state(&d, 1), MEMBER_DEAD);
	assert_int_equal(opinion_live(d.o), 1);
	desk_live(&d, 1);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	assert_int_equal(opinion_live(d.o), 2);
	desk_close(&d);
}

static void who_answers_is_never_suspected(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	desk_run(&d, 20000);
	assert_int_equal(opinion_live(d.o), 8);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 0);
	assert_int_equal(opinion_health(d.o), 0);
	desk_close(&d);
}

static void alone_a_suspicion_lasts_beta_times_the_minimum(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 10);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	assert_int_equal(desk_state(&d, 1), MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), 6 * MIN_MS(1), 6 * MIN_MS(1) + 1);
	desk_close(&d);
}

/* Lifeguard's formula with K = 3: C of 1, 2, 3 confirmations take 1/2, 0.79 and all of what is over the minimum. */
static void each_confirmation_makes_it_shorter_and_three_make_it_the_minimum(void **state)
{
	static const __u64 wanted_ms[] = {4800, 2800, 1630, 800};
	struct desk d;
	size_t c, i;

	(void)state;
	for (c = 0; c <= 3; c++) {
		desk_open(&d, 10);
		for (i = 0; i <= c; i++)
			desk_accuse(&d, 2 + i, 1, MEMBER_SUSPECT);
		assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), wanted_ms[c] - 2, wanted_ms[c] + 2);
		desk_close(&d);
	}
}

static void the_same_accuser_twice_is_no_confirmation(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 10);
	for (i = 0; i < 4; i++)
		desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), 4800, 4801);
	desk_close(&d);
}

static void below_six_no_confirmation_is_expected(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 5);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), 800, 801);
	desk_close(&d);
}

static void the_minimum_grows_with_the_decades_of_the_flock(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 100);
	for (i = 2; i < 6; i++)
		desk_accuse(&d, i, 1, MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), MIN_MS(2), MIN_MS(2) + 1);
	desk_close(&d);
}

static void a_suspect_is_refuted_by_a_later_life_and_by_no_other(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 10);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	desk_live(&d, 1);
	assert_int_equal(desk_state(&d, 1), MEMBER_SUSPECT);
	d.life[1]++;
	desk_live(&d, 1);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	/* what is said of its former life is void */
	d.life[1]--;
	desk_accuse(&d, 3, 1, MEMBER_SUSPECT);
	desk_accuse(&d, 3, 1, MEMBER_DEAD);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	desk_close(&d);
}

static void who_hears_that_it_is_accused_refutes_and_doubts_itself(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 10);
	desk_accuse(&d, 2, 0, MEMBER_SUSPECT);
	assert_int_equal(opinion_life(d.o), DESK_LIFE + 1);
	assert_int_equal(opinion_health(d.o), 1);
	assert_int_equal(opinion_count(d.o, OPINION_REFUTED), 1);
	/* heard again, it is an old story */
	desk_accuse(&d, 3, 0, MEMBER_SUSPECT);
	assert_int_equal(opinion_life(d.o), DESK_LIFE + 1);
	desk_run(&d, 1000);
	assert_true(desk_told(&d, 0, MEMBER_ALIVE) >= 5);
	desk_close(&d);
}

static void a_later_incarnation_begins_a_later_life(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	opinion_incarnation(d.o, 7);
	assert_int_equal(opinion_life(d.o), 7ULL << 32);
	opinion_incarnation(d.o, 6);
	assert_int_equal(opinion_life(d.o), 7ULL << 32);
	desk_close(&d);
}

static void another_word_of_death_is_no_more_than_an_accusation(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, 10);
	desk_accuse(&d, 2, 1, MEMBER_DEAD);
	assert_int_equal(desk_state(&d, 1), MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), 4800, 4801);
	desk_close(&d);
}

static void three_words_of_death_leave_two_periods_to_refute(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 10);
	for (i = 2; i < 5; i++)
		desk_accuse(&d, i, 1, MEMBER_DEAD);
	assert_int_equal(desk_state(&d, 1), MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 10000), 400, 401);
	desk_close(&d);
}

static void an_accuser_that_is_dead_is_not_heard(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 10);
	d.answers[9] = false;
	for (i = 2; i < 6; i++)
		desk_accuse(&d, i, 9, MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 9, MEMBER_DEAD, 2000), 0, 2000);
	desk_accuse(&d, 9, 1, MEMBER_SUSPECT);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	desk_close(&d);
}

/* --- published changes --- */

static size_t changes(struct desk *d, struct opinion_change *ret, size_t room)
{
	size_t count = 0;

	while (count < room && opinion_changed(d->o, &ret[count]))
		count++;
	return count;
}

static void those_who_die_together_are_one_event(void **state)
{
	struct opinion_change change[8];
	struct desk d;
	size_t i, k;

	(void)state;
	desk_open(&d, 12);
	for (i = 1; i <= 3; i++) {
		d.answers[i] = false;
		for (k = 5; k < (i < 3 ? 9 : 7); k++)
			desk_accuse(&d, k, i, MEMBER_SUSPECT);
		desk_run(&d, 100);
	}
	/* of the third it is open as long as few accuse it */
	assert_in_range(desk_until(&d, 2, MEMBER_DEAD, 2000), 0, 2000);
	assert_int_equal(desk_state(&d, 1), MEMBER_DEAD);
	desk_run(&d, 10);
	assert_int_equal(changes(&d, change, 8), 0);
	desk_accuse(&d, 7, 3, MEMBER_SUSPECT);
	desk_accuse(&d, 8, 3, MEMBER_SUSPECT);
	desk_run(&d, 2);
	assert_int_equal(changes(&d, change, 8), 2 + (desk_state(&d, 3) == MEMBER_DEAD));
	for (i = 0; i < 2; i++) {
		assert_int_equal(change[i].to, MEMBER_DEAD);
		assert_int_equal(change[i].from, MEMBER_ALIVE);
		assert_int_equal(change[i].event, change[0].event);
	}
	desk_close(&d);
}

static void a_change_waits_for_others_a_second_at_most(void **state)
{
	struct opinion_change change[8];
	struct desk d;
	size_t i;
	__u64 ms;

	(void)state;
	desk_open(&d, 12);
	d.answers[1] = d.answers[2] = false;
	for (i = 5; i < 9; i++)
		desk_accuse(&d, i, 1, MEMBER_SUSPECT);
	desk_run(&d, 700);
	desk_accuse(&d, 5, 2, MEMBER_SUSPECT);
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 200), 162, 165); /* of 863: log10(12) decades */
	for (ms = 0; ms < 1500 && !changes(&d, change, 8); ms++)
		desk_run(&d, 1);
	assert_in_range(ms, 998, 1001);
	assert_int_equal(change[0].id, desk_id(&d, 1));
	desk_close(&d);
}

static void a_suspicion_that_is_refuted_is_no_event(void **state)
{
	struct opinion_change change[8];
	struct desk d;

	(void)state;
	desk_open(&d, 12);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	desk_run(&d, 100);
	d.life[1]++;
	desk_live(&d, 1);
	desk_run(&d, 3000);
	assert_int_equal(changes(&d, change, 8), 0);
	desk_close(&d);
}

/* --- unfit --- */

static void catch (struct desk *d, size_t whom)
{
	size_t i;

	for (i = 5; i < 8; i++)
		desk_accuse(d, i, whom, MEMBER_SUSPECT);
	d->life[whom]++;
	desk_live(d, whom);
}

static void who_is_caught_three_times_in_ten_seconds_is_unfit_until_clean(void **state)
{
	struct opinion_change change[8];
	struct opinion_view view;
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 12);
	for (i = 0; i < 3; i++) {
		assert_true(opinion_fit(d.o, desk_id(&d, 1)));
		catch (&d, 1);
		desk_run(&d, 2000);
	}
	assert_int_equal(desk_state(&d, 1), MEMBER_UNFIT);
	assert_false(opinion_fit(d.o, desk_id(&d, 1)));
	assert_int_equal(opinion_live(d.o), 12);
	assert_int_equal(changes(&d, change, 8), 1);
	assert_int_equal(change[0].to, MEMBER_UNFIT);
	assert_int_equal(opinion_state(d.o, desk_id(&d, 1), &view), 0);
	assert_in_range(view.clean.ns - d.now.ns, 27900000000ULL, 28000000000ULL);
	assert_in_range(desk_until(&d, 1, MEMBER_ALIVE, 30000), 27800, 28400);
	desk_run(&d, 1);
	assert_int_equal(changes(&d, change, 8), 1);
	assert_int_equal(change[0].to, MEMBER_ALIVE);
	desk_close(&d);
}

static void two_accusers_or_slower_catches_make_nobody_unfit(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 12);
	for (i = 0; i < 5; i++) {
		desk_accuse(&d, 5, 2, MEMBER_SUSPECT);
		desk_accuse(&d, 6, 2, MEMBER_SUSPECT);
		d.life[2]++;
		desk_live(&d, 2);
		catch (&d, 1);
		desk_run(&d, 5100);
	}
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	assert_int_equal(desk_state(&d, 2), MEMBER_ALIVE);
	desk_close(&d);
}

/* --- brakes --- */

static void an_accuser_is_heard_on_ten_new_members_a_second(void **state)
{
	struct desk d;
	size_t i, suspects = 0;

	(void)state;
	desk_open(&d, 60);
	for (i = 2; i < 40; i++)
		desk_accuse(&d, 1, i, MEMBER_SUSPECT);
	for (i = 2; i < 40; i++)
		suspects += desk_state(&d, i) == MEMBER_SUSPECT;
	assert_int_equal(suspects, OPINION_BRAKE_SUBJECTS);
	assert_int_equal(opinion_count(d.o, OPINION_BRAKED), 38 - OPINION_BRAKE_SUBJECTS);
	desk_run(&d, 1001);
	for (i = 40; i < 60; i++)
		desk_accuse(&d, 1, i, MEMBER_SUSPECT);
	for (i = 40, suspects = 0; i < 60; i++)
		suspects += desk_state(&d, i) == MEMBER_SUSPECT;
	assert_int_equal(suspects, OPINION_BRAKE_SUBJECTS);
	desk_close(&d);
}

/* As long as half of the roster seems to go within a period, nobody is pronounced dead. */
static void while_over_half_changes_at_once_nobody_dies(void **state)
{
	struct desk d;
	size_t round, i;

	(void)state;
	desk_open(&d, 10);
	for (i = 1; i < 10; i++)
		d.answers[i] = false;
	for (round = 0; round < 40; round++) {
		for (i = 1; i < 7; i++) {
			d.life[i]++;
			desk_live(&d, i);
			desk_accuse(&d, 1 + i % 9, i, MEMBER_SUSPECT);
			desk_accuse(&d, 1 + (i + 1) % 9, i, MEMBER_SUSPECT);
		}
		for (i = 7; i < 10; i++)
			desk_accuse(&d, 1, i, MEMBER_SUSPECT);
		desk_run(&d, 150);
		assert_int_equal(opinion_live(d.o), 10);
	}
	assert_true(opinion_count(d.o, OPINION_FROZEN) >= 1);
	assert_in_range(desk_until(&d, 9, MEMBER_DEAD, 1000), 0, 1000);
	desk_close(&d);
}

/* --- left, strangers, nonsense --- */

static void who_leaves_says_so_and_is_gone_when_it_is_told(void **state)
{
	struct desk d;
	__u64 ms;

	(void)state;
	desk_open(&d, 8);
	desk_run(&d, 1000);
	desk_forget(&d);
	opinion_leave(d.o);
	assert_false(opinion_gone(d.o));
	for (ms = 0; ms < 5000 && !opinion_gone(d.o); ms++)
		desk_run(&d, 1);
	assert_in_range(ms, 1, 1000);
	assert_true(desk_told(&d, 0, MEMBER_LEFT) >= page_spread_limit(4, 8));
	desk_run(&d, 400);
	desk_forget(&d);
	desk_run(&d, 3000);
	assert_int_equal(d.sents, 0);
	desk_close(&d);
}

static void who_has_left_is_neither_dead_nor_tried_and_may_return(void **state)
{
	struct opinion_change change[4];
	struct member_update left;
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	left = (struct member_update){.id = desk_id(&d, 1), .life = d.life[1], .state = MEMBER_LEFT};
	desk_say(&d, 1, &left, 1);
	d.answers[1] = false;
	assert_int_equal(desk_state(&d, 1), MEMBER_LEFT);
	desk_accuse(&d, 2, 1, MEMBER_DEAD);
	desk_run(&d, 400);
	desk_forget(&d);
	desk_run(&d, 10000);
	assert_int_equal(desk_sent(&d, MESSAGE_PROBE, 1), 0);
	assert_int_equal(desk_state(&d, 1), MEMBER_LEFT);
	assert_int_equal(changes(&d, change, 4), 1);
	assert_int_equal(change[0].to, MEMBER_LEFT);
	d.life[1] += DESK_LIFE;
	desk_live(&d, 1);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	desk_close(&d);
}

static void who_lives_and_hears_that_it_left_refutes(void **state)
{
	struct member_update left;
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	left = (struct member_update){.id = desk_id(&d, 0), .life = DESK_LIFE, .state = MEMBER_LEFT};
	desk_say(&d, 1, &left, 1);
	assert_int_equal(opinion_life(d.o), DESK_LIFE + 1);
	assert_int_equal(desk_state(&d, 0), MEMBER_ALIVE);
	desk_close(&d);
}

static void strangers_are_ignored_and_counted(void **state)
{
	struct endpoint at = desk_at(99);
	struct message m = {.kind = MESSAGE_PROBE};
	struct member_update u = {.id = 77, .life = DESK_LIFE, .state = MEMBER_ALIVE};
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	desk_forget(&d);
	assert_false(opinion_receive(d.o, d.now, &at, 77, &m));
	desk_say(&d, 1, &u, 1);
	u = (struct member_update){.id = desk_id(&d, 1), .life = DESK_LIFE, .accuser = 77, .state = MEMBER_SUSPECT};
	desk_say(&d, 2, &u, 1);
	assert_int_equal(opinion_count(d.o, OPINION_STRANGER), 3);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	assert_int_equal(opinion_state(d.o, 77, &(struct opinion_view){0}), -ENOENT);
	desk_close(&d);
}

static void what_makes_no_sense_is_ignored(void **state)
{
	struct member_update u;
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	u = (struct member_update){.id = desk_id(&d, 1), .life = ~0ULL, .state = MEMBER_ALIVE, .at = desk_at(1)};
	desk_say(&d, 2, &u, 1);
	u.state = MEMBER_LEFT;
	desk_say(&d, 2, &u, 1);
	u = (struct member_update){.id = desk_id(&d, 0), .life = ~0ULL, .state = MEMBER_DEAD};
	desk_say(&d, 2, &u, 1);
	u = (struct member_update){
		.id = desk_id(&d, 1), .accuser = desk_id(&d, 1), .life = DESK_LIFE, .state = MEMBER_SUSPECT};
	desk_say(&d, 2, &u, 1);
	u = (struct member_update){.id = desk_id(&d, 1), .state = 99, .life = DESK_LIFE};
	desk_say(&d, 2, &u, 1);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	assert_int_equal(opinion_life(d.o), DESK_LIFE);
	assert_int_equal(opinion_count(d.o, OPINION_MALFORMED), 4);
	desk_close(&d);
}

static void an_address_comes_from_the_member_itself_before_anybody_else(void **state)
{
	struct member_update u;
	struct opinion_view view;
	struct endpoint moved = desk_at(50), none = {0};
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	/* hearsay without an address takes none away */
	u = (struct member_update){.id = desk_id(&d, 1), .life = ++d.life[1], .state = MEMBER_ALIVE, .at = none};
	desk_say(&d, 2, &u, 1);
	assert_int_equal(opinion_state(d.o, desk_id(&d, 1), &view), 0);
	assert_int_equal(view.at.port, desk_at(1).port);
	/* a member that says none is where it is heard */
	u = (struct member_update){.id = desk_id(&d, 1), .life = d.life[1], .state = MEMBER_ALIVE, .at = moved};
	desk_say(&d, 1, &u, 1);
	assert_int_equal(opinion_state(d.o, desk_id(&d, 1), &view), 0);
	assert_int_equal(view.at.port, moved.port);
	desk_close(&d);
}

static void a_new_roster_keeps_what_is_held_of_those_who_stay(void **state)
{
	struct roster fewer;
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	assert_int_equal(roster_copy(&fewer, &d.roster), 0);
	assert_int_equal(roster_delete(&fewer, "n7"), 0);
	assert_int_equal(opinion_roster(d.o, &fewer), 0);
	assert_int_equal(opinion_live(d.o), 7);
	assert_int_equal(opinion_state(d.o, desk_id(&d, 7), &(struct opinion_view){0}), -ENOENT);
	assert_int_equal(desk_state(&d, 1), MEMBER_ALIVE);
	desk_run(&d, 2000);
	assert_int_equal(opinion_live(d.o), 7);
	/* who is not in it is silent */
	assert_int_equal(roster_delete(&fewer, "n0"), 0);
	assert_int_equal(opinion_roster(d.o, &fewer), 0);
	desk_forget(&d);
	desk_run(&d, 2000);
	assert_int_equal(d.sents, 0);
	assert_int_equal(opinion_due(d.o).ns, UINT64_MAX);
	roster_free(&fewer);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_alive_before_he_was_heard),
		cmocka_unit_test(who_answers_is_never_suspected),
		cmocka_unit_test(alone_a_suspicion_lasts_beta_times_the_minimum),
		cmocka_unit_test(each_confirmation_makes_it_shorter_and_three_make_it_the_minimum),
		cmocka_unit_test(the_same_accuser_twice_is_no_confirmation),
		cmocka_unit_test(below_six_no_confirmation_is_expected),
		cmocka_unit_test(the_minimum_grows_with_the_decades_of_the_flock),
		cmocka_unit_test(a_suspect_is_refuted_by_a_later_life_and_by_no_other),
		cmocka_unit_test(who_hears_that_it_is_accused_refutes_and_doubts_itself),
		cmocka_unit_test(a_later_incarnation_begins_a_later_life),
		cmocka_unit_test(another_word_of_death_is_no_more_than_an_accusation),
		cmocka_unit_test(three_words_of_death_leave_two_periods_to_refute),
		cmocka_unit_test(an_accuser_that_is_dead_is_not_heard),
		cmocka_unit_test(those_who_die_together_are_one_event),
		cmocka_unit_test(a_change_waits_for_others_a_second_at_most),
		cmocka_unit_test(a_suspicion_that_is_refuted_is_no_event),
		cmocka_unit_test(who_is_caught_three_times_in_ten_seconds_is_unfit_until_clean),
		cmocka_unit_test(two_accusers_or_slower_catches_make_nobody_unfit),
		cmocka_unit_test(an_accuser_is_heard_on_ten_new_members_a_second),
		cmocka_unit_test(while_over_half_changes_at_once_nobody_dies),
		cmocka_unit_test(who_leaves_says_so_and_is_gone_when_it_is_told),
		cmocka_unit_test(who_has_left_is_neither_dead_nor_tried_and_may_return),
		cmocka_unit_test(who_lives_and_hears_that_it_left_refutes),
		cmocka_unit_test(strangers_are_ignored_and_counted),
		cmocka_unit_test(what_makes_no_sense_is_ignored),
		cmocka_unit_test(an_address_comes_from_the_member_itself_before_anybody_else),
		cmocka_unit_test(a_new_roster_keeps_what_is_held_of_those_who_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
