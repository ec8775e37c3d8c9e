// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Probes, helpers, the own health, stalls, first contact, and what rides on messages. Not here: what follows from
 * silence (opinion_test.c), flocks (the simulator).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "opinion_desk.h"

/* The first message of a kind since desk_forget(); NULL: none. */
static const struct envelope *first(const struct desk *d, enum message_kind kind)
{
	size_t i;

	for (i = 0; i < d->sents; i++)
		if (d->sent[i].message.kind == kind)
			return &d->sent[i];
	return NULL;
}

static size_t sent(const struct desk *d, enum message_kind kind)
{
	size_t i, count = 0;

	for (i = 0; i < d->sents; i++)
		count += d->sent[i].message.kind == kind;
	return count;
}

/* Until a probe to a node is out. */
static void until_probed(struct desk *d, size_t node)
{
	__u64 ms;

	desk_forget(d);
	for (ms = 0; ms < 60000 && !desk_sent(d, MESSAGE_PROBE, node); ms++) {
		desk_forget(d);
		desk_run(d, 1);
	}
	assert_int_equal(desk_sent(d, MESSAGE_PROBE, node), 1);
}

/* --- probes --- */

static void each_is_probed_once_before_any_is_probed_again(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 8);
	desk_run(&d, 20 * 7 * 200);
	for (i = 1; i < 8; i++)
		assert_in_range(desk_sent(&d, MESSAGE_PROBE, i), 18, 22);
	desk_close(&d);
}

static void who_is_silent_is_asked_for_by_three_helpers_then_suspected(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 8);
	d.answers[3] = false;
	until_probed(&d, 3);
	desk_run(&d, 98);
	assert_int_equal(sent(&d, MESSAGE_PROBE_FOR), 0);
	desk_run(&d, 4);
	assert_int_equal(sent(&d, MESSAGE_PROBE_FOR), 3);
	for (i = 0; i < d.sents; i++)
		if (d.sent[i].message.kind == MESSAGE_PROBE_FOR) {
			assert_int_equal(d.sent[i].message.subject, desk_id(&d, 3));
			assert_int_not_equal(d.sent[i].to, desk_id(&d, 3));
		}
	assert_int_equal(desk_state(&d, 3), MEMBER_ALIVE);
	assert_in_range(desk_until(&d, 3, MEMBER_SUSPECT, 400), 70, 125);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 1);
	desk_close(&d);
}

static void an_answer_through_a_helper_is_an_answer(void **state)
{
	const struct envelope *asked;
	struct message ack = {.kind = MESSAGE_ACK};
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	d.answers[3] = false;
	until_probed(&d, 3);
	desk_run(&d, 105);
	asked = first(&d, MESSAGE_PROBE_FOR);
	assert_non_null(asked);
	ack.number = asked->message.number;
	ack.subject = desk_id(&d, 3);
	assert_true(desk_receive(&d, 5, &ack));
	desk_run(&d, 130);
	assert_int_equal(desk_state(&d, 3), MEMBER_ALIVE);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 0);
	desk_close(&d);
}

static void an_answer_to_another_probe_is_none(void **state)
{
	struct message ack = {.kind = MESSAGE_ACK};
	struct desk d;

	(void)state;
	desk_open(&d, 8);
	d.answers[3] = false;
	until_probed(&d, 3);
	ack.number = first(&d, MESSAGE_PROBE)->message.number + 1;
	ack.subject = desk_id(&d, 3);
	desk_receive(&d, 3, &ack);
	assert_in_range(desk_until(&d, 3, MEMBER_SUSPECT, 400), 150, 240);
	desk_close(&d);
}

static void a_probe_is_answered_unless_it_is_for_another(void **state)
{
	struct message probe = {.kind = MESSAGE_PROBE, .number = 77};
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	probe.subject = desk_id(&d, 2);
	desk_receive(&d, 1, &probe);
	desk_run(&d, 1);
	assert_int_equal(sent(&d, MESSAGE_ACK), 0);
	probe.subject = desk_id(&d, 0);
	desk_receive(&d, 1, &probe);
	desk_run(&d, 1);
	assert_int_equal(desk_sent(&d, MESSAGE_ACK, 1), 1);
	assert_int_equal(first(&d, MESSAGE_ACK)->message.number, 77);
	assert_int_equal(first(&d, MESSAGE_ACK)->message.subject, desk_id(&d, 0));
	desk_close(&d);
}

/* --- helping --- */

static void a_helper_probes_says_nack_in_time_and_passes_the_answer_on(void **state)
{
	struct message ask = {.kind = MESSAGE_PROBE_FOR, .number = 77}, ack = {.kind = MESSAGE_ACK};
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 20);
	d.answers[3] = false;
	until_probed(&d, 5); /* the next own probe is a period away */
	desk_forget(&d);
	ask.subject = ack.subject = desk_id(&d, 3);
	desk_receive(&d, 1, &ask);
	desk_run(&d, 1);
	for (i = 0; i < d.sents; i++)
		if (d.sent[i].message.kind == MESSAGE_PROBE && d.sent[i].to == desk_id(&d, 3))
			ack.number = d.sent[i].message.number;
	assert_int_not_equal(ack.number, 0);
	desk_run(&d, 57);
	assert_int_equal(sent(&d, MESSAGE_NACK), 0);
	desk_run(&d, 4);
	assert_int_equal(desk_sent(&d, MESSAGE_NACK, 1), 1);
	assert_int_equal(first(&d, MESSAGE_NACK)->message.number, 77);
	/* late, it is still an answer */
	desk_receive(&d, 3, &ack);
	desk_run(&d, 1);
	assert_int_equal(desk_sent(&d, MESSAGE_ACK, 1), 1);
	assert_int_equal(first(&d, MESSAGE_ACK)->message.number, 77);
	assert_int_equal(first(&d, MESSAGE_ACK)->message.subject, desk_id(&d, 3));
	desk_close(&d);
}

static void who_is_unfit_or_suspect_is_not_asked_to_help(void **state)
{
	struct desk d;
	size_t i, k;

	(void)state;
	desk_open(&d, 8);
	for (i = 0; i < 3; i++) {
		for (k = 5; k < 8; k++)
			desk_accuse(&d, k, 1, MEMBER_SUSPECT);
		d.life[1]++;
		desk_live(&d, 1);
	}
	assert_int_equal(desk_state(&d, 1), MEMBER_UNFIT);
	d.answers[3] = false;
	for (i = 0; i < 10; i++) {
		d.life[2]++;
		desk_live(&d, 2);
		desk_accuse(&d, 7, 2, MEMBER_SUSPECT);
		d.life[3]++;
		desk_live(&d, 3);
		desk_run(&d, 1400);
	}
	assert_true(sent(&d, MESSAGE_PROBE_FOR) > 10);
	assert_int_equal(desk_sent(&d, MESSAGE_PROBE_FOR, 1), 0);
	assert_int_equal(desk_sent(&d, MESSAGE_PROBE_FOR, 2), 0);
	desk_close(&d);
}

/* --- health --- */

static void missing_nacks_ail_and_answers_heal(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 8);
	/* three helpers are well: it is the subject's fault */
	d.answers[3] = false;
	until_probed(&d, 3);
	desk_run(&d, 230);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 1);
	assert_int_equal(opinion_health(d.o), 0);
	d.life[3]++;
	desk_live(&d, 3);
	/* none of them says a word: it may be this node's */
	for (i = 1; i < 8; i++)
		d.nacks[i] = false;
	until_probed(&d, 3);
	desk_run(&d, 230);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 2);
	assert_int_equal(opinion_health(d.o), 3);
	/* it takes its time now: the next periods last 800, 800, 600, 400 ms */
	d.answers[3] = true;
	d.life[3]++;
	desk_live(&d, 3);
	desk_forget(&d);
	desk_run(&d, 2000);
	assert_in_range(sent(&d, MESSAGE_PROBE), 2, 4);
	desk_run(&d, 2000);
	assert_int_equal(opinion_health(d.o), 0);
	desk_close(&d);
}

static void health_has_an_end(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 8);
	for (i = 1; i < 8; i++)
		d.answers[i] = d.nacks[i] = false;
	desk_run(&d, 3000);
	assert_int_equal(opinion_health(d.o), OPINION_HEALTH_MAX);
	desk_close(&d);
}

/* --- stalls --- */

/* Nothing runs for a second: a probe is open, a suspicion goes on, and answers wait in the socket. */
static void who_stood_still_accuses_nobody_and_gives_suspects_the_time(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 10);
	d.answers[3] = false;
	desk_accuse(&d, 5, 2, MEMBER_SUSPECT);
	desk_run(&d, 100);
	until_probed(&d, 3);
	desk_run(&d, 50);
	d.now.ns += 10000000000;
	/* messages come first or timers do: it stood still once */
	for (i = 4; i < 8; i++)
		desk_live(&d, i);
	opinion_step(d.o, d.now);
	assert_int_equal(opinion_count(d.o, OPINION_LATE), 1);
	assert_int_equal(opinion_health(d.o), 1);
	assert_int_equal(opinion_count(d.o, OPINION_FAILED), 0);
	assert_int_equal(desk_state(&d, 3), MEMBER_ALIVE);
	assert_int_equal(desk_state(&d, 2), MEMBER_SUSPECT);
	desk_close(&d);
}

static void plain_swim_knows_no_stalls(void **state)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG, .plain = true};
	struct desk d;
	size_t i;

	(void)state;
	desk_open_alone(&d, 10, &config);
	opinion_step(d.o, d.now);
	for (i = 1; i < 10; i++) {
		d.answers[i] = true;
		desk_live(&d, i);
	}
	desk_accuse(&d, 5, 2, MEMBER_SUSPECT);
	desk_accuse(&d, 5, 3, MEMBER_DEAD);
	assert_int_equal(desk_state(&d, 3), MEMBER_DEAD);
	d.now.ns += 10000000000;
	opinion_step(d.o, d.now);
	assert_int_equal(desk_state(&d, 2), MEMBER_DEAD);
	assert_int_equal(opinion_count(d.o, OPINION_LATE), 0);
	assert_int_equal(opinion_health(d.o), 0);
	desk_close(&d);
}

/* --- first contact, the dead --- */

static void a_seed_is_tried_until_it_answers(void **state)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG};
	struct endpoint seed = desk_at(2);
	struct message ack = {.kind = MESSAGE_ACK};
	struct desk d;
	size_t i;

	(void)state;
	desk_open_alone(&d, 4, &config);
	for (i = 0; i < 2; i++)
		assert_int_equal(opinion_seed(d.o, &seed), 0); /* once is enough */
	desk_run(&d, 3000);
	assert_in_range(sent(&d, MESSAGE_PROBE), 12, 18);
	assert_int_equal(d.sent[0].to, 0);
	assert_int_equal(d.sent[0].at.port, seed.port);
	assert_int_equal(d.sent[0].message.subject, 0);
	/* it says who it is, or it could not be known */
	assert_int_equal(d.sent[0].message.update[0].id, desk_id(&d, 0));
	ack.number = d.sent[0].message.number;
	ack.subject = desk_id(&d, 2);
	ack.updates = 1;
	ack.update[0] = (struct member_update){.id = desk_id(&d, 2), .life = DESK_LIFE, .state = MEMBER_ALIVE};
	desk_receive(&d, 2, &ack);
	assert_int_equal(desk_state(&d, 2), MEMBER_ALIVE);
	desk_forget(&d);
	desk_run(&d, 1000);
	for (i = 0; i < d.sents; i++)
		assert_int_equal(d.sent[i].to, desk_id(&d, 2));
	for (i = 0; i < OPINION_SEEDS; i++) {
		seed = desk_at((__u32)i + 10);
		assert_int_equal(opinion_seed(d.o, &seed), 0);
	}
	seed = desk_at(9);
	assert_int_equal(opinion_seed(d.o, &seed), -ENOSPC);
	desk_close(&d);
}

static void who_was_known_is_tried_where_it_was(void **state)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG};
	struct endpoint at = desk_at(2);
	struct desk d;

	(void)state;
	desk_open_alone(&d, 4, &config);
	assert_int_equal(opinion_known(d.o, desk_id(&d, 2), &at), 0);
	assert_int_not_equal(opinion_known(d.o, 77, &at), 0);
	d.answers[2] = true;
	assert_in_range(desk_until(&d, 2, MEMBER_ALIVE, 400), 1, 210);
	desk_close(&d);
}

static void one_dead_member_a_second_is_tried_and_told(void **state)
{
	const struct envelope *probe;
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, 10);
	for (i = 2; i < 6; i++)
		desk_accuse(&d, i, 1, MEMBER_SUSPECT);
	d.answers[1] = false;
	assert_in_range(desk_until(&d, 1, MEMBER_DEAD, 1000), 0, 900);
	desk_run(&d, 1000);
	desk_forget(&d);
	desk_run(&d, 10000);
	assert_in_range(desk_sent(&d, MESSAGE_PROBE, 1), 9, 11);
	for (i = 0; i < d.sents && d.sent[i].to != desk_id(&d, 1); i++)
		;
	probe = &d.sent[i];
	assert_int_equal(probe->message.update[1].id, desk_id(&d, 1));
	assert_int_equal(probe->message.update[1].state, MEMBER_DEAD);
	/* its answer alone does not make it live: that it refutes does */
	d.answers[1] = true;
	desk_run(&d, 2000);
	assert_int_equal(desk_state(&d, 1), MEMBER_DEAD);
	d.life[1]++;
	assert_in_range(desk_until(&d, 1, MEMBER_ALIVE, 2000), 1, 1200);
	desk_close(&d);
}

static void who_returns_is_told_of_all(void **state)
{
	struct desk d;
	size_t i, k, told = 0;

	(void)state;
	desk_open(&d, 60);
	d.answers[1] = false;
	for (i = 2; i < 6; i++)
		desk_accuse(&d, i, 1, MEMBER_SUSPECT);
	desk_until(&d, 1, MEMBER_DEAD, 2000);
	desk_run(&d, 2000);
	d.life[1]++;
	desk_forget(&d);
	desk_live(&d, 1);
	desk_run(&d, 2);
	for (i = 0; i < d.sents; i++)
		for (k = 0; d.sent[i].to == desk_id(&d, 1) && k < d.sent[i].message.updates; k++)
			told += d.sent[i].message.update[k].state == MEMBER_ALIVE;
	assert_in_range(told, 59, 61);
	desk_close(&d);
}

/* --- gossip --- */

static void each_update_is_sent_so_often_and_then_there_is_silence(void **state)
{
	struct desk d;
	size_t limit = page_spread_limit(4, 20);

	(void)state;
	limit += limit / 2; /* what refutes is sent more often */
	desk_open(&d, 20);
	desk_run(&d, 2000);
	desk_forget(&d);
	d.life[1]++;
	desk_live(&d, 1);
	desk_run(&d, 2000);
	/* it itself is not told, but for a probe that it hears of itself by */
	assert_in_range(desk_told(&d, 1, MEMBER_ALIVE), limit, limit);
	assert_true(sent(&d, MESSAGE_GOSSIP) > 0);
	desk_forget(&d);
	desk_run(&d, 5000);
	assert_int_equal(sent(&d, MESSAGE_GOSSIP), 0);
	desk_close(&d);
}

static void each_accuser_of_a_suspect_is_a_broadcast_of_its_own(void **state)
{
	size_t i, k, by[8] = {0}, limit = page_spread_limit(4, 20);
	struct desk d;

	(void)state;
	desk_open(&d, 20);
	desk_run(&d, 2000);
	desk_forget(&d);
	for (i = 2; i < 8; i++)
		desk_accuse(&d, i, 1, MEMBER_SUSPECT);
	desk_run(&d, 600);
	for (i = 0; i < d.sents; i++)
		for (k = 0; d.sent[i].to != desk_id(&d, 1) && k < d.sent[i].message.updates; k++) {
			size_t a;

			for (a = 2; a < 8; a++)
				by[a] += d.sent[i].message.update[k].accuser == desk_id(&d, a);
		}
	for (i = 2; i < 6; i++)
		assert_in_range(by[i], limit - 2, limit);
	/* more than four are not needed */
	assert_int_equal(by[6] + by[7], 0);
	desk_close(&d);
}

static void a_suspect_is_told_first_of_all(void **state)
{
	struct message probe = {.kind = MESSAGE_PROBE, .number = 1};
	const struct envelope *ack;
	struct desk d;
	size_t i;
	bool told = false;

	(void)state;
	desk_open(&d, 20);
	desk_accuse(&d, 2, 1, MEMBER_SUSPECT);
	desk_run(&d, 2000); /* the broadcast has ended */
	desk_forget(&d);
	probe.subject = desk_id(&d, 0);
	desk_receive(&d, 1, &probe);
	desk_run(&d, 1);
	ack = first(&d, MESSAGE_ACK);
	assert_non_null(ack);
	for (i = 0; i < ack->message.updates; i++)
		told |= ack->message.update[i].id == desk_id(&d, 1) && ack->message.update[i].state == MEMBER_SUSPECT &&
			ack->message.update[i].life == d.life[1];
	assert_true(told);
	desk_close(&d);
}

static void messages_keep_to_their_size_and_gossip_to_its_budget(void **state)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG};
	struct desk d;
	size_t i, bytes = 0;

	(void)state;
	config.message_bytes = 64 + 10 * OPINION_UPDATE_BYTES;
	config.bytes_per_second = 2000;
	desk_open_alone(&d, 100, &config);
	opinion_step(d.o, d.now);
	for (i = 1; i < 100; i++)
		desk_live(&d, i);
	desk_run(&d, 1000);
	for (i = 0; i < d.sents; i++) {
		assert_in_range(d.sent[i].message.updates, 0, 10);
		if (d.sent[i].message.kind == MESSAGE_GOSSIP)
			bytes += OPINION_HEADER_BYTES + d.sent[i].message.updates * OPINION_UPDATE_BYTES;
	}
	assert_in_range(bytes, 2000, 2 * 2000 + config.message_bytes);
	assert_true(opinion_count(d.o, OPINION_OVER) > 0);
	desk_close(&d);
}

/* --- clocks, determinism --- */

static void the_offset_of_a_clock_comes_from_four_moments(void **state)
{
	struct message ack = {.kind = MESSAGE_ACK};
	const struct envelope *probe;
	struct opinion_view view;
	struct desk d;

	(void)state;
	desk_open(&d, 4);
	d.answers[1] = false;
	opinion_clock(d.o, d.now, 5000000);
	until_probed(&d, 1);
	probe = first(&d, MESSAGE_PROBE);
	assert_int_not_equal(probe->message.sent_us, 0);
	desk_run(&d, 10);
	/* 4 ms there, 1 ms in its hands, 5 ms back; its clock is 70 ms ahead */
	ack.number = probe->message.number;
	ack.subject = desk_id(&d, 1);
	ack.asked_us = probe->message.sent_us;
	ack.heard_us = ack.asked_us + 4000 + 70000;
	ack.sent_us = ack.heard_us + 1000;
	desk_receive(&d, 1, &ack);
	assert_int_equal(opinion_state(d.o, desk_id(&d, 1), &view), 0);
	assert_int_equal(view.round_us, 9000);
	assert_int_equal(view.offset_us, 69500);
	desk_close(&d);
}

static void the_same_seed_does_the_same(void **state)
{
	struct desk d[2];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		desk_open(&d[i], 16);
		d[i].answers[3] = false;
		desk_run(&d[i], 5000);
	}
	assert_int_equal(d[0].sents, d[1].sents);
	for (i = 0; i < d[0].sents; i++)
		assert_int_equal(d[0].sent[i].to, d[1].sent[i].to);
	assert_int_equal(opinion_digest(d[0].o), opinion_digest(d[1].o));
	desk_close(&d[0]);
	desk_close(&d[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_probed_once_before_any_is_probed_again),
		cmocka_unit_test(who_is_silent_is_asked_for_by_three_helpers_then_suspected),
		cmocka_unit_test(an_answer_through_a_helper_is_an_answer),
		cmocka_unit_test(an_answer_to_another_probe_is_none),
		cmocka_unit_test(a_probe_is_answered_unless_it_is_for_another),
		cmocka_unit_test(a_helper_probes_says_nack_in_time_and_passes_the_answer_on),
		cmocka_unit_test(who_is_unfit_or_suspect_is_not_asked_to_help),
		cmocka_unit_test(missing_nacks_ail_and_answers_heal),
		cmocka_unit_test(health_has_an_end),
		cmocka_unit_test(who_stood_still_accuses_nobody_and_gives_suspects_the_time),
		cmocka_unit_test(plain_swim_knows_no_stalls),
		cmocka_unit_test(a_seed_is_tried_until_it_answers),
		cmocka_unit_test(who_was_known_is_tried_where_it_was),
		cmocka_unit_test(one_dead_member_a_second_is_tried_and_told),
		cmocka_unit_test(who_returns_is_told_of_all),
		cmocka_unit_test(each_update_is_sent_so_often_and_then_there_is_silence),
		cmocka_unit_test(each_accuser_of_a_suspect_is_a_broadcast_of_its_own),
		cmocka_unit_test(a_suspect_is_told_first_of_all),
		cmocka_unit_test(messages_keep_to_their_size_and_gossip_to_its_budget),
		cmocka_unit_test(the_offset_of_a_clock_comes_from_four_moments),
		cmocka_unit_test(the_same_seed_does_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
