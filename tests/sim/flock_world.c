// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See flock_world.h. Events are a heap by time; a datagram is a copy of its message and its pages.
 */
#include "flock_world.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../unit/signer.h"
#include "core/mix.h"

struct datagram {
	size_t from;
	size_t bytes;
	struct message message; /* its pages point behind it */
	__u8 pages[];
};

struct event {
	__u64 ns, order;
	size_t node;
	struct datagram *datagram; /* NULL: its timer */
};

struct node {
	struct signer signer;
	struct flock *flock; /* NULL: down */
	__u32 incarnation;
	__u64 counter, boot;
	__u64 timer_ns;		      /* of its next event; 0: none */
	__u64 stalled_ns;	      /* until then */
	__u64 accuse_ns, accusing_ns; /* until, and next */
	struct datagram *socket[SIM_SOCKET];
	size_t waiting;
	__u32 loss, part;
	bool deaf, mute;
	struct sim *world; /* for hooks */
};

struct sim {
	struct sim_options options;
	struct node *node;
	struct roster roster;
	struct event *heap;
	size_t events, room;
	__u64 now_ns, order, random;
	struct sim_traffic traffic;
};

static __u32 draw(struct sim *w, __u32 bound)
{
	return mix_below(mix64(w->random++), bound);
}

/* --- events --- */

static bool sooner(const struct event *a, const struct event *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static void event_add(struct sim *w, __u64 ns, size_t node, struct datagram *d)
{
	struct event e = {.ns = ns, .order = w->order++, .node = node, .datagram = d};
	size_t i, up;

	if (w->events == w->room) {
		w->room = w->room ? 2 * w->room : 1024;
		w->heap = realloc(w->heap, w->room * sizeof(*w->heap));
		assert_non_null(w->heap);
	}
	for (i = w->events++; i; i = up) {
		up = (i - 1) / 2;
		if (!sooner(&e, &w->heap[up]))
			break;
		w->heap[i] = w->heap[up];
	}
	w->heap[i] = e;
}

static struct event event_take(struct sim *w)
{
	struct event first = w->heap[0], last = w->heap[--w->events];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < w->events) {
		down += down + 1 < w->events && sooner(&w->heap[down + 1], &w->heap[down]);
		if (!sooner(&w->heap[down], &last))
			break;
		w->heap[i] = w->heap[down];
		i = down;
	}
	if (w->events)
		w->heap[i] = last;
	return first;
}

/* --- addresses: 10.x.y.1 --- */

static struct endpoint endpoint_of(size_t node)
{
	struct endpoint e = {.port = htons(4000)};

	e.addr.byte[10] = e.addr.byte[11] = 0xff;
	e.addr.byte[12] = 10;
	e.addr.byte[13] = (__u8)(node >> 8);
	e.addr.byte[14] = (__u8)node;
	return e;
}

static size_t node_at(const struct endpoint *e)
{
	return (size_t)e->addr.byte[13] << 8 | e->addr.byte[14];
}

static size_t node_of(const struct sim *w, __u64 id)
{
	size_t i;

	for (i = 0; i < w->options.nodes && w->node[i].signer.id != id; i++)
		;
	return i;
}

/* --- links --- */

static struct datagram *datagram_new(size_t from, const struct message *m)
{
	size_t bytes = 0, i, at = 0;
	struct datagram *d;

	for (i = 0; i < m->pages; i++)
		bytes += m->page[i].len;
	d = malloc(sizeof(*d) + bytes);
	assert_non_null(d);
	d->from = from;
	d->message = *m;
	for (i = 0; i < m->pages; i++) {
		memcpy(d->pages + at, m->page[i].bytes, m->page[i].len);
		d->message.page[i].bytes = d->pages + at;
		at += m->page[i].len;
	}
	d->bytes = SIM_SEAL_BYTES + 16 + (m->kind == MESSAGE_PROBE || m->kind == MESSAGE_ACK ? 48 : 0) +
		   m->updates * OPINION_UPDATE_BYTES + bytes + m->pages * 4 + m->sums * 8 +
		   m->list * sizeof(struct page_summary) + (m->kind == MESSAGE_LIST ? sizeof(m->mask) : 0);
	return d;
}

static bool link_takes(struct sim *w, const struct node *from, const struct node *to)
{
	return !from->mute && !to->deaf && from->part == to->part && draw(w, 100) >= w->options.loss &&
	       draw(w, 100) >= from->loss && draw(w, 100) >= to->loss;
}

static void on_send(void *arg, const struct envelope *e)
{
	struct node *n = arg;
	struct sim *w = n->world;
	size_t from = (size_t)(n - w->node), to = node_at(&e->at), copies = 1 + (draw(w, 100) < w->options.twice);
	struct datagram *d;

	assert_true(e->message.pages <= MESSAGE_PAGES_MAX && e->message.updates <= MESSAGE_UPDATES_MAX);
	while (copies--) {
		d = datagram_new(from, &e->message);
		if (d->bytes > 1200)
			fail_msg("a message of %zu bytes: kind %u, %zu updates, %zu pages", d->bytes, e->message.kind,
				 e->message.updates, e->message.pages);
		w->traffic.messages++;
		w->traffic.bytes += d->bytes;
		if (to < w->options.nodes && link_takes(w, n, &w->node[to]))
			event_add(w, w->now_ns + (w->options.delay_us + draw(w, w->options.jitter_us + 1)) * 1000ull,
				  to, d);
		else
			free(d);
	}
}

static void on_page(void *arg, enum page_outcome outcome, const struct page *page)
{
	(void)arg;
	(void)page;
	assert_int_not_equal(outcome, PAGE_FORGED);
}

/* --- nodes --- */

static struct mono now_of(const struct sim *w)
{
	return (struct mono){w->now_ns + 1}; /* 0 is no time */
}

static void node_after(struct sim *w, size_t i)
{
	struct node *n = &w->node[i];
	struct opinion_change c;
	struct mono due;

	while (opinion_changed(flock_opinion(n->flock), &c))
		if (w->options.change)
			w->options.change(w->options.arg, w->now_ns / SIM_MS, i, node_of(w, c.id), c.to);
	due = flock_due(n->flock);
	if (due.ns == UINT64_MAX || (n->timer_ns && n->timer_ns <= due.ns))
		return;
	n->timer_ns = due.ns < w->now_ns + 1 ? w->now_ns + 1 : due.ns;
	event_add(w, n->timer_ns, i, NULL);
}

static void node_step(struct sim *w, size_t i)
{
	flock_step(w->node[i].flock, now_of(w), 0);
	node_after(w, i);
}

static void node_publish(struct sim *w, size_t i, __u16 index, const char *text)
{
	struct node *n = &w->node[i];
	struct page_version v = {n->incarnation, n->boot, ++n->counter};
	__u8 bytes[PAGE_BYTES];
	size_t len = signer_page(&n->signer, 1, index, v, text, bytes);

	assert_int_equal(page_store_put(flock_pages(n->flock), bytes, len, NULL), PAGE_NEW);
}

static void node_start(struct sim *w, size_t i)
{
	struct node *n = &w->node[i];
	struct flock_config config = {.opinion = w->options.opinion,
				      .signing = &n->signer.signing,
				      .hooks = {.arg = n, .send = on_send, .page = on_page}};
	size_t k;

	n->boot = mix64(w->random++) | 1;
	n->counter = 0;
	config.opinion.id = n->signer.id;
	config.opinion.seed = mix64(w->random++);
	config.opinion.incarnation = ++n->incarnation;
	config.opinion.at = endpoint_of(i);
	n->flock = flock_new(&config);
	assert_non_null(n->flock);
	assert_int_equal(flock_roster(n->flock, &w->roster), 0);
	for (k = 0; k < w->options.nodes; k++) {
		struct endpoint at = endpoint_of(k);

		if (w->options.strangers && !k && i)
			assert_int_equal(opinion_seed(flock_opinion(n->flock), &at), 0);
		if (w->options.strangers)
			continue;
		assert_int_equal(opinion_known(flock_opinion(n->flock), w->node[k].signer.id, &at), 0);
	}
	node_publish(w, i, 0, "here");
	node_step(w, i);
}

static void node_crash(struct sim *w, size_t i)
{
	struct node *n = &w->node[i];

	flock_free(n->flock);
	n->flock = NULL;
	while (n->waiting)
		free(n->socket[--n->waiting]);
	n->stalled_ns = n->timer_ns = 0;
}

static void node_receive(struct sim *w, size_t i, const struct datagram *d)
{
	struct endpoint from = endpoint_of(d->from);

	flock_receive(w->node[i].flock, now_of(w), &from, w->node[d->from].signer.id, &d->message);
	node_after(w, i);
}

/* It runs again: its timers come first, as in an event loop, then what waits in its socket, in one burst. */
static void node_wake(struct sim *w, size_t i)
{
	struct node *n = &w->node[i];
	size_t k, count = n->waiting;

	n->stalled_ns = 0;
	n->waiting = 0;
	node_step(w, i);
	for (k = 0; k < count; k++) {
		node_receive(w, i, n->socket[k]);
		free(n->socket[k]);
	}
}

/* A liar: all others are dead, it says, at the lives that it knows of. */
static void node_accuse(struct sim *w, size_t i)
{
	struct opinion *o = flock_opinion(w->node[i].flock);
	struct envelope e = {.message = {.kind = MESSAGE_GOSSIP}};
	struct opinion_view view;
	size_t k, to;

	for (k = 0; k < w->options.nodes && e.message.updates < 20; k++) {
		if (k == i || opinion_state(o, w->node[k].signer.id, &view) || !view.life)
			continue;
		e.message.update[e.message.updates++] = (struct member_update){.id = w->node[k].signer.id,
									       .life = view.life,
									       .accuser = w->node[i].signer.id,
									       .state = MEMBER_DEAD};
	}
	for (to = 0; to < w->options.nodes; to++) {
		e.at = endpoint_of(to);
		if (to != i)
			on_send(&w->node[i], &e);
	}
}

static void event_do(struct sim *w, struct event *e)
{
	struct node *n = &w->node[e->node];

	if (!e->datagram && n->timer_ns != e->ns)
		return; /* of an earlier life, or moved */
	if (!e->datagram)
		n->timer_ns = 0;
	if (!n->flock) {
		free(e->datagram);
		return;
	}
	if (n->stalled_ns > w->now_ns) {
		if (e->datagram && n->waiting < SIM_SOCKET)
			n->socket[n->waiting++] = e->datagram;
		else
			free(e->datagram);
		return;
	}
	if (n->stalled_ns)
		node_wake(w, e->node);
	if (e->datagram)
		node_receive(w, e->node, e->datagram);
	else
		node_step(w, e->node);
	free(e->datagram);
	if (n->accuse_ns > w->now_ns && n->accusing_ns <= w->now_ns) {
		n->accusing_ns = w->now_ns + 500 * SIM_MS;
		node_accuse(w, e->node);
	}
}

static void fault_do(struct sim *w, const struct sim_fault *f, size_t i)
{
	struct node *n = &w->node[i];

	switch (f->what) {
	case SIM_CRASH:
		if (n->flock)
			node_crash(w, i);
		break;
	case SIM_START:
		if (!n->flock)
			node_start(w, i);
		break;
	case SIM_STALL:
		if (!n->flock)
			break;
		n->stalled_ns = w->now_ns + f->value * SIM_MS;
		n->timer_ns = n->stalled_ns;
		event_add(w, n->timer_ns, i, NULL);
		break;
	case SIM_LOSS:
		n->loss = f->value;
		break;
	case SIM_DEAF:
		n->deaf = f->value;
		break;
	case SIM_MUTE:
		n->mute = f->value;
		break;
	case SIM_PART:
		n->part = f->value;
		break;
	case SIM_ACCUSE:
		n->accuse_ns = w->now_ns + f->value * SIM_MS;
		break;
	case SIM_LEAVE:
		opinion_leave(flock_opinion(n->flock));
		node_step(w, i);
		break;
	}
}

/* --- the world --- */

struct sim *sim_new(const struct sim_options *options)
{
	struct sim *w = calloc(1, sizeof(*w));
	struct signer *signer = calloc(options->nodes, sizeof(*signer));
	size_t i;

	assert_non_null(w);
	assert_non_null(signer);
	w->options = *options;
	w->random = mix64(options->seed);
	w->node = calloc(options->nodes, sizeof(*w->node));
	assert_non_null(w->node);
	for (i = 0; i < options->nodes; i++) {
		signer_ideal(&w->node[i].signer, (__u32)i + 1);
		signer[i] = w->node[i].signer;
		w->node[i].world = w;
	}
	w->roster = signers_roster(signer, options->nodes);
	free(signer);
	for (i = 0; i < options->nodes; i++)
		node_start(w, i);
	return w;
}

void sim_free(struct sim *w)
{
	size_t i;

	for (i = 0; i < w->options.nodes; i++)
		node_crash(w, i);
	while (w->events)
		free(w->heap[--w->events].datagram);
	free(w->heap);
	free(w->node);
	roster_free(&w->roster);
	free(w);
}

static void fault_apply(struct sim *w, const struct sim_fault *f)
{
	size_t first = f->node == SIM_ALL ? 0 : f->node,
	       end = f->node == SIM_ALL ? w->options.nodes : f->node + (f->count ? f->count : 1), i;

	for (i = first; i < end && i < w->options.nodes; i++)
		fault_do(w, f, i);
}

void sim_run(struct sim *w, __u64 ms, const struct sim_fault *fault, size_t faults)
{
	__u64 end_ns = ms * SIM_MS, start_ns = w->now_ns;
	size_t next = 0;
	struct event e;

	while (next < faults && fault[next].at_ms * SIM_MS < start_ns)
		next++;
	for (;;) {
		__u64 fault_ns = next < faults ? fault[next].at_ms * SIM_MS : UINT64_MAX,
		      event_ns = w->events ? w->heap[0].ns : UINT64_MAX;

		if (fault_ns >= end_ns && event_ns >= end_ns)
			break;
		if (fault_ns <= event_ns) {
			w->now_ns = fault_ns;
			fault_apply(w, &fault[next++]);
			continue;
		}
		e = event_take(w);
		w->now_ns = e.ns;
		event_do(w, &e);
	}
	w->now_ns = end_ns;
}

void sim_publish(struct sim *w, size_t node, __u16 index, const char *text)
{
	node_publish(w, node, index, text);
	node_step(w, node);
}

bool sim_up(const struct sim *w, size_t node)
{
	return w->node[node].flock;
}

enum member_state sim_state(const struct sim *w, size_t viewer, size_t subject)
{
	struct opinion_view view;

	assert_int_equal(opinion_state(flock_opinion(w->node[viewer].flock), w->node[subject].signer.id, &view), 0);
	return view.state;
}

__u64 sim_pages_digest(const struct sim *w, size_t node)
{
	return page_store_digest(flock_pages(w->node[node].flock));
}

size_t sim_agreeing(const struct sim *w)
{
	size_t count = 0, i, k, first;

	for (first = 0; !sim_up(w, first); first++)
		;
	for (i = 0; i < w->options.nodes; i++) {
		if (!sim_up(w, i) || sim_pages_digest(w, i) != sim_pages_digest(w, first))
			continue;
		for (k = 0; k < w->options.nodes; k++)
			if (sim_up(w, k) != (sim_state(w, i, k) == MEMBER_ALIVE))
				break;
		count += k == w->options.nodes;
	}
	return count;
}

struct sim_traffic sim_traffic(struct sim *w)
{
	struct sim_traffic t = w->traffic;

	w->traffic = (struct sim_traffic){0};
	return t;
}
