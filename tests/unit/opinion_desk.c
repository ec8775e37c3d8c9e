// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The other nodes, played. Not here: tests.
 */
#include "opinion_desk.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STEP_MS	   1
#define SENT_MAX   8192
#define SETTLED_MS 3000

__u64 desk_id(const struct desk *d, size_t node)
{
	return d->signer[node].id;
}

struct endpoint desk_at(size_t node)
{
	struct endpoint at = {.port = htons((__u16)(1000 + node))};

	at.addr.byte[10] = at.addr.byte[11] = 0xff;
	at.addr.byte[12] = 10;
	at.addr.byte[15] = (__u8)node;
	return at;
}

static size_t node_of(const struct desk *d, __u64 id)
{
	size_t i;

	for (i = 0; i < d->count && d->signer[i].id != id; i++)
		;
	return i;
}

static struct member_update alive(const struct desk *d, size_t node)
{
	return (struct member_update){
		.id = desk_id(d, node), .life = d->life[node], .at = desk_at(node), .state = MEMBER_ALIVE};
}

bool desk_receive(struct desk *d, size_t from, const struct message *m)
{
	struct endpoint at = desk_at(from);

	return opinion_receive(d->o, d->now, &at, desk_id(d, from), m);
}

void desk_say(struct desk *d, size_t from, const struct member_update *u, size_t count)
{
	struct message m = {.kind = MESSAGE_GOSSIP, .updates = count};

	memcpy(m.update, u, count * sizeof(*u));
	assert_true(desk_receive(d, from, &m));
}

void desk_live(struct desk *d, size_t node)
{
	struct member_update u = alive(d, node);

	desk_say(d, node, &u, 1);
}

void desk_accuse(struct desk *d, size_t from, size_t whom, enum member_state state)
{
	struct member_update u = {
		.id = desk_id(d, whom), .life = d->life[whom], .accuser = desk_id(d, from), .state = state};

	desk_say(d, from, &u, 1);
}

static void answer(struct desk *d, const struct envelope *e)
{
	struct message m = {.number = e->message.number, .subject = e->message.subject};
	size_t to = node_of(d, e->to);

	if (to == d->count)
		return;
	if (e->message.kind == MESSAGE_PROBE && d->answers[to]) {
		m.kind = MESSAGE_ACK;
		m.subject = desk_id(d, to);
		m.updates = 1;
		m.update[0] = alive(d, to);
	} else if (e->message.kind == MESSAGE_PROBE_FOR && d->nacks[to]) {
		m.kind = MESSAGE_NACK;
	} else {
		return;
	}
	desk_receive(d, to, &m);
}

static void take(struct desk *d)
{
	struct envelope *e;

	for (;;) {
		assert_true(d->sents < SENT_MAX);
		e = &d->sent[d->sents];
		if (!opinion_take(d->o, d->now, e))
			return;
		d->sents++;
		answer(d, e);
	}
}

void desk_run(struct desk *d, __u64 ms)
{
	for (; ms; ms -= STEP_MS) {
		d->now.ns += STEP_MS * 1000000;
		if (opinion_due(d->o).ns <= d->now.ns)
			opinion_step(d->o, d->now);
		take(d);
	}
}

void desk_forget(struct desk *d)
{
	d->sents = 0;
}

void desk_open_alone(struct desk *d, size_t count, const struct opinion_config *config)
{
	struct opinion_config c = *config;
	size_t i;

	memset(d, 0, sizeof(*d));
	d->count = count;
	d->now.ns = 1000000000000;
	for (i = 0; i < count; i++) {
		signer_ideal(&d->signer[i], (__u32)i + 1);
		d->life[i] = DESK_LIFE;
		d->nacks[i] = true;
	}
	d->roster = signers_roster(d->signer, count);
	d->sent = calloc(SENT_MAX, sizeof(*d->sent));
	assert_non_null(d->sent);
	c.id = d->signer[0].id;
	c.incarnation = 1;
	c.at = desk_at(0);
	d->o = opinion_new(&c);
	assert_non_null(d->o);
	assert_int_equal(opinion_roster(d->o, &d->roster), 0);
}

void desk_open(struct desk *d, size_t count)
{
	struct opinion_config config = {.seed = 1, OPINION_CONFIG};
	struct opinion_change change;
	size_t i;

	desk_open_alone(d, count, &config);
	opinion_step(d->o, d->now);
	for (i = 1; i < count; i++) {
		d->answers[i] = true;
		desk_live(d, i);
	}
	desk_run(d, SETTLED_MS);
	while (opinion_changed(d->o, &change))
		;
	desk_forget(d);
}

void desk_close(struct desk *d)
{
	opinion_free(d->o);
	roster_free(&d->roster);
	free(d->sent);
}

enum member_state desk_state(const struct desk *d, size_t node)
{
	struct opinion_view view;

	assert_int_equal(opinion_state(d->o, desk_id(d, node), &view), 0);
	return view.state;
}

size_t desk_sent(const struct desk *d, enum message_kind kind, size_t to)
{
	size_t i, count = 0;

	for (i = 0; i < d->sents; i++)
		count += d->sent[i].message.kind == kind && d->sent[i].to == desk_id(d, to);
	return count;
}

size_t desk_told(const struct desk *d, size_t whom, enum member_state state)
{
	size_t i, k, count = 0;

	for (i = 0; i < d->sents; i++)
		for (k = 0; k < d->sent[i].message.updates; k++)
			count += d->sent[i].message.update[k].id == desk_id(d, whom) &&
				 d->sent[i].message.update[k].state == state;
	return count;
}

__u64 desk_until(struct desk *d, size_t node, enum member_state state, __u64 most)
{
	__u64 ms;

	for (ms = 0; ms <= most && desk_state(d, node) != state; ms++)
		desk_run(d, 1);
	return ms;
}
