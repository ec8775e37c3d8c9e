// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See flock_world.h. A datagram is a copy of its message and its pages.
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
#include "core/incarnation.h"
#include "core/mix.h"
#include "events.h"

struct datagram {
	size_t from;
	size_t bytes;
	struct message message; /* its pages point behind it */
	__u8 pages[];
};

struct node {
	struct signer signer;
	struct flock *flock;	 /* NULL: down */
	__u32 disk, disk_old[2]; /* the incarnation, now and at the last starts */
	struct incarnation life;
	__u64 counter;
	__s64 skew_ms;
	__u64 timer_ns;	  /* of its next event; 0: none */
	__u64 stalled_ns; /* until then */
	enum sim_what crime;
	__u64 crime_ns, next_ns; /* until, and next */
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
	struct events events; /* datagrams that arrive, and timers (of no datagram) */
	__u64 now_ns, random;
	struct sim_traffic traffic;
};

static __u32 draw(struct sim *w, __u32 bound)
{
	return mix_below(mix64(w->random++), bound);
}

static size_t site_of(const struct sim *w, size_t node)
{
	return w->options.sites ? node * w->options.sites / w->options.nodes : 0;
}

static void traffic_count(struct sim *w, size_t from, size_t to, size_t bytes)
{
	bool far = site_of(w, from) != site_of(w, to);

	w->traffic.messages++;
	w->traffic.bytes += bytes;
	w->traffic.far_messages += far;
	w->traffic.far_bytes += far ? bytes : 0;
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
		traffic_count(w, (size_t)(n - w->node), to, d->bytes);
		if (to < w->options.nodes && link_takes(w, n, &w->node[to]))
			event_add(&w->events,
				  w->now_ns + (w->options.delay_us + draw(w, w->options.jitter_us + 1)) * 1000ull, to,
				  d);
		else
			free(d);
	}
}

static void on_page(void *arg, enum page_outcome outcome, const struct page *page)
{
	struct node *n = arg;

	(void)outcome;
	if (page->origin == n->signer.id)
		incarnation_heard(&n->life, &page->version);
}

/* --- nodes --- */

static struct mono now_of(const struct sim *w)
{
	return (struct mono){w->now_ns + 1}; /* 0 is no time */
}

static __u64 wall_us(const struct sim *w, const struct node *n)
{
	return (__u64)(1700000000000000 + (__s64)(w->now_ns / 1000) + n->skew_ms * 1000);
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
	event_add(&w->events, n->timer_ns, i, NULL);
}

static void node_publish(struct sim *w, size_t i, __u16 index, const char *text)
{
	struct node *n = &w->node[i];
	struct page_version v = {n->life.number, n->life.boot, ++n->counter};
	__u8 bytes[PAGE_BYTES];
	size_t len = signer_page(&n->signer, 1, index, v, text, bytes);

	assert_int_equal(page_store_put(flock_pages(n->flock), bytes, len, NULL), PAGE_NEW);
}

#define PAGE_MINE 0

static void node_step(struct sim *w, size_t i)
{
	struct node *n = &w->node[i];

	if (incarnation_step(&n->life, now_of(w), false)) { /* as starlingd does */
		n->disk = n->life.number;
		opinion_incarnation(flock_opinion(n->flock), n->life.number);
		node_publish(w, i, PAGE_MINE, "here, in a later life");
	}
	flock_step(n->flock, now_of(w), wall_us(w, n));
	node_after(w, i);
}

static void node_start(struct sim *w, size_t i, enum sim_disk disk)
{
	struct node *n = &w->node[i];
	struct flock_config config = {.opinion = w->options.opinion,
				      .signing = &n->signer.signing,
				      .hooks = {.arg = n, .send = on_send, .page = on_page}};
	size_t k;

	memmove(n->disk_old + 1, n->disk_old, sizeof(n->disk_old[0]));
	n->disk_old[0] = n->disk;
	incarnation_begin(&n->life,
			  disk == SIM_LOST  ? 0
			  : disk == SIM_OLD ? n->disk_old[1]
					    : n->disk,
			  mix64(w->random++) | 1);
	n->disk = n->life.number;
	n->counter = 0;
	config.opinion.id = n->signer.id;
	config.opinion.seed = mix64(w->random++);
	config.opinion.incarnation = n->life.number;
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
	node_publish(w, i, PAGE_MINE, "here");
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

/* It is busy with what it has heard; like one that stands still, but for a moment. */
static void node_busy(struct sim *w, size_t i, size_t heard)
{
	struct node *n = &w->node[i];

	if (!w->options.cost_us || !heard)
		return;
	n->stalled_ns = w->now_ns + heard * w->options.cost_us * 1000;
	n->timer_ns = n->stalled_ns;
	event_add(&w->events, n->timer_ns, i, NULL);
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
	node_busy(w, i, count);
}

static void everybody_tell(struct sim *w, size_t i, struct envelope *e)
{
	for (size_t to = 0; to < w->options.nodes; to++) {
		e->at = endpoint_of(to);
		if (to != i)
			on_send(&w->node[i], e);
	}
}

/* All others are dead, it says, at the lives that it knows of. */
static void node_accuse(struct sim *w, size_t i)
{
	struct opinion *o = flock_opinion(w->node[i].flock);
	struct envelope e = {.message = {.kind = MESSAGE_GOSSIP}};
	struct opinion_view view;
	size_t k;

	for (k = 0; k < w->options.nodes && e.message.updates < 20; k++) {
		if (k == i || opinion_state(o, w->node[k].signer.id, &view) || !view.life)
			continue;
		e.message.update[e.message.updates++] = (struct member_update){.id = w->node[k].signer.id,
									       .life = view.life,
									       .accuser = w->node[i].signer.id,
									       .state = MEMBER_DEAD};
	}
	everybody_tell(w, i, &e);
}

/* Others have later lives, or have left, it says; and it signs a page with a name that is not its own. */
static void node_forge(struct sim *w, size_t i)
{
	struct opinion *o = flock_opinion(w->node[i].flock);
	struct envelope e = {.message = {.kind = MESSAGE_GOSSIP, .pages = 1}};
	struct signer liar = w->node[i].signer;
	__u8 bytes[PAGE_BYTES];
	struct opinion_view view;
	size_t k;

	for (k = 0; k < 10; k++) {
		size_t who = draw(w, (__u32)w->options.nodes);

		if (who == i || opinion_state(o, w->node[who].signer.id, &view))
			continue;
		e.message.update[e.message.updates++] =
			(struct member_update){.id = w->node[who].signer.id,
					       .life = view.life + ((__u64)draw(w, 2000) << 32),
					       .at = endpoint_of(draw(w, (__u32)w->options.nodes)),
					       .state = MEMBER_ALIVE};
		liar.id = w->node[who].signer.id;
	}
	liar.signing.arg = &liar;
	e.message.page[0].len =
		signer_page(&liar, 1, 0, (struct page_version){draw(w, 2000), draw(w, 2000), 1}, "a lie", bytes);
	e.message.page[0].bytes = bytes;
	everybody_tell(w, i, &e);
}

static void node_flood(struct sim *w, size_t i)
{
	struct envelope e = {.at = endpoint_of(0), .message = {.kind = MESSAGE_PROBE}};

	for (e.message.number = 0; e.message.number < SIM_FLOOD_MESSAGES && i; e.message.number++)
		on_send(&w->node[i], &e);
}

static void node_crime(struct sim *w, size_t i)
{
	if (w->node[i].crime == SIM_ACCUSE)
		node_accuse(w, i);
	else if (w->node[i].crime == SIM_FORGE)
		node_forge(w, i);
	else
		node_flood(w, i);
}

static void event_do(struct sim *w, struct event *e)
{
	struct node *n = &w->node[e->node];
	struct datagram *d = e->datagram;

	if (!d && n->timer_ns != e->ns)
		return; /* of an earlier life, or moved */
	if (!d)
		n->timer_ns = 0;
	if (!n->flock) {
		free(d);
		return;
	}
	if (n->stalled_ns && n->stalled_ns <= w->now_ns)
		node_wake(w, e->node);
	if (n->stalled_ns) {
		if (d && n->waiting < SIM_SOCKET)
			n->socket[n->waiting++] = d;
		else
			free(d);
		return;
	}
	if (d)
		node_receive(w, e->node, d);
	else
		node_step(w, e->node);
	node_busy(w, e->node, d != NULL);
	free(d);
	if (n->crime_ns > w->now_ns && n->next_ns <= w->now_ns) {
		n->next_ns = w->now_ns + 500 * SIM_MS;
		node_crime(w, e->node);
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
			node_start(w, i, (enum sim_disk)f->value);
		break;
	case SIM_STALL:
		if (!n->flock)
			break;
		n->stalled_ns = w->now_ns + f->value * SIM_MS;
		n->timer_ns = n->stalled_ns;
		event_add(&w->events, n->timer_ns, i, NULL);
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
	case SIM_FORGE:
	case SIM_FLOOD:
		n->crime = f->what;
		n->crime_ns = w->now_ns + f->value * SIM_MS;
		break;
	case SIM_CLOCK:
		n->skew_ms += (__s32)f->value;
		break;
	case SIM_LEAVE:
		opinion_leave(flock_opinion(n->flock));
		node_step(w, i);
		break;
	}
}

/* --- the world --- */

void sim_reseed(struct sim *w, __u64 seed)
{
	w->random = mix64(seed);
}

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
	for (i = 0; i < w->roster.count; i++)
		snprintf(w->roster.node[i].site, sizeof(w->roster.node[i].site), "s%zu",
			 site_of(w, strtoul(w->roster.node[i].name + 1, NULL, 10)));
	free(signer);
	for (i = 0; i < options->nodes; i++)
		node_start(w, i, SIM_KEPT);
	return w;
}

void sim_free(struct sim *w)
{
	size_t i;

	for (i = 0; i < w->options.nodes; i++)
		node_crash(w, i);
	events_free(&w->events);
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
		      event_ns = event_next_ns(&w->events);

		if (fault_ns >= end_ns && event_ns >= end_ns)
			break;
		if (fault_ns <= event_ns) {
			w->now_ns = fault_ns;
			fault_apply(w, &fault[next++]);
			continue;
		}
		e = event_take(&w->events);
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

__s64 sim_offset_us(const struct sim *w, size_t viewer, size_t subject)
{
	struct opinion_view view;

	assert_int_equal(opinion_state(flock_opinion(w->node[viewer].flock), w->node[subject].signer.id, &view), 0);
	return view.offset_us;
}

struct flock *sim_flock(const struct sim *w, size_t node)
{
	return w->node[node].flock;
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
