// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See channel_desk.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "channel_desk.h"

static void on_send(void *arg, const struct endpoint *at, const void *bytes, size_t len)
{
	struct node *n = arg;
	struct datagram *d = &n->world->wire[n->world->sent++];

	assert_true(n->world->sent <= WIRE && len <= sizeof(d->bytes));
	*d = (struct datagram){.from = (size_t)(n - n->world->node), .len = len, .to = *at};
	memcpy(d->bytes, bytes, len);
}

static int on_message(void *arg, const struct endpoint *from, __u64 sender, const void *bytes, size_t len)
{
	struct node *n = arg;

	(void)from;
	n->heard++;
	n->sender = sender;
	snprintf(n->text, sizeof(n->text), "%.*s", (int)len, (const char *)bytes);
	return strncmp(n->text, "nonsense", 8) ? 0 : -EBADMSG;
}

static int on_admit(void *arg, __u64 sender, const struct ring *ring, const __u32 seed[SEED_WORDS])
{
	struct node *n = arg;

	n->admitted++;
	n->sender = sender;
	n->given = *ring;
	memcpy(n->given_seed, seed, sizeof(n->given_seed));
	return n->refuse;
}

static void on_cast(void *arg, const void *page, size_t len)
{
	struct node *n = arg;

	n->casts++;
	snprintf(n->text, sizeof(n->text), "%.*s", (int)len, (const char *)page);
}

struct channel_hooks hooks_of(struct node *n)
{
	return (struct channel_hooks){
		.arg = n, .send = on_send, .message = on_message, .admit = on_admit, .cast = on_cast};
}

void node_boot(struct node *n, __u64 number)
{
	struct channel_hooks hooks = hooks_of(n);
	struct roster_node listed[NODES];
	struct roster roster = {listed, NODES};

	channel_free(n->channel);
	n->channel = channel_new(&n->identity, number, &hooks);
	assert_non_null(n->channel);
	for (size_t i = 0; i < NODES; i++)
		listed[i] = (struct roster_node){.key = n->world->node[i].identity.key,
						 .id = n->world->node[i].identity.id};
	channel_ring(n->channel, &n->world->ring);
	channel_seed(n->channel, (const __u32[SEED_WORDS]){7});
	assert_int_equal(channel_roster(n->channel, &roster), 0);
}

int channel_setup(void **state)
{
	struct world *w;
	size_t i;

	if (sodium_init() < 0)
		return -1;
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->now.ns = 1000 * SECOND;
	ring_make(&w->ring);
	for (i = 0; i < NODES; i++) {
		struct node *n = &w->node[i];

		n->world = w;
		crypto_sign_keypair(n->identity.key.byte, n->identity.secret);
		n->identity.id = roster_id(&n->identity.key);
		n->at.addr.byte[15] = (__u8)(i + 1);
		n->at.port = 1;
	}
	for (i = 0; i < NODES; i++)
		node_boot(&w->node[i], 100 + i);
	*state = w;
	return 0;
}

int channel_teardown(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < NODES; i++)
		channel_free(w->node[i].channel);
	free(w);
	return 0;
}

void deliver(struct world *w, size_t to, const struct datagram *d)
{
	struct datagram copy = *d; /* what it answers goes on the wire meanwhile */

	channel_receive(w->node[to].channel, w->now, &w->node[copy.from].at, copy.bytes, copy.len);
}

void flow(struct world *w)
{
	for (; w->delivered < w->sent; w->delivered++)
		for (size_t i = 0; i < NODES; i++)
			if (!endpoint_compare(&w->node[i].at, &w->wire[w->delivered].to))
				deliver(w, i, &w->wire[w->delivered]);
}

void say(struct world *w, size_t from, size_t to, const char *text)
{
	channel_send(w->node[from].channel, w->now, w->node[to].identity.id, &w->node[to].at, text, strlen(text));
}

__u64 rejected(const struct world *w, size_t node, enum channel_count why)
{
	struct channel_status status;

	channel_status(w->node[node].channel, &status);
	return status.rejected[why];
}

/* The last datagram from one to another. */
struct datagram *last(struct world *w, size_t from, size_t to)
{
	for (size_t i = w->sent; i--;)
		if (w->wire[i].from == from && !endpoint_compare(&w->wire[i].to, &w->node[to].at))
			return &w->wire[i];
	fail();
	return NULL;
}

void meet(struct world *w)
{
	say(w, 0, 1, "one");
	flow(w);
	assert_string_equal(w->node[1].text, "one");
}
