// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The traffic of the model and the oracle: an exact record of every flow's first backend, and of
 * how many are open. Not here: the balancer (cells_world.c).
 *
 * A connection: SYN; 1 % repeat it a second later, a tenth of those once more; an ACK after a round
 * trip, sometimes longer than the client waited; packets until its life ends; then FIN and a last
 * ACK (2 % repeat the FIN), or RST (5 %), or FIN and packets for a while longer (5 %, half-closed),
 * or nothing at all (1 %, vanished). 2 % reuse the ports of one that ended a moment ago.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"

#define WHEEL_MS   (1u << 17)
#define REUSE_RING 4096
#define REUSE_MS   1300

enum step { STEP_SYN, STEP_ACK, STEP_DATA, STEP_FIN_AGAIN, STEP_LAST, STEP_HALF_CLOSED, STEP_FORGET };

struct conn {
	__u64 hash;
	__u64 end_ms;
	__u64 last_ms; /* of its last packet */
	__u32 pending; /* events that name it */
	__u16 first;   /* backend of its first packet */
	bool broken, unserved, lost, done;
};

struct event {
	__u32 conn, next;
	__u8 step;
};

struct traffic {
	const struct cells_scenario *sc;
	struct cells_outcome *o;
	struct world *w;
	__u64 now, rng;
	struct conn *conns;
	__u32 *idle, idle_count; /* free connections */
	struct event *events;
	__u32 free_event, wheel[WHEEL_MS];
	__u32 truth; /* open: acknowledged, not ended */
	__u64 reuse_hash[REUSE_RING], reuse_ms[REUSE_RING];
	__u32 reuse_head, reuse_tail;
	double imbalance_sum;
	__u32 imbalance_count;
};

static __u32 draw(struct traffic *t, __u32 below)
{
	return (__u32)((sim_random(&t->rng) >> 32) * below >> 32);
}

static bool chance(struct traffic *t, __u32 per_mille)
{
	return draw(t, 1000) < per_mille;
}

static void later(struct traffic *t, __u32 conn, enum step step, __u64 delay_ms)
{
	__u32 at = (__u32)((t->now + (delay_ms ? delay_ms : 1)) % WHEEL_MS), e = t->free_event;

	if (!e || delay_ms >= WHEEL_MS)
		abort();
	t->free_event = t->events[e].next;
	t->events[e] = (struct event){.conn = conn, .next = t->wheel[at], .step = (__u8)step};
	t->wheel[at] = e;
	t->conns[conn].pending++;
}

static void send(struct traffic *t, __u32 conn, enum packet_kind kind)
{
	struct conn *c = &t->conns[conn];
	__u32 backend = world_packet(t->w, c->hash, t->sc->udp ? PACKET_UDP : kind, t->now);

	t->o->packets++;
	c->last_ms = t->now;
	if (c->first == ID_NONE)
		c->first = (__u16)backend;
	t->o->resets += c->lost && backend == ID_NONE;
	if (c->lost)
		return;
	if (backend == ID_NONE && !c->unserved) {
		c->unserved = true;
		t->o->unserved++;
	} else if (backend != c->first && !c->broken) {
		c->broken = true;
		t->o->broken++;
	}
}

static __u32 gap_ms(struct traffic *t)
{
	return t->sc->idle_ms / 16 + draw(t, t->sc->idle_ms * 3 / 16);
}

static void start(struct traffic *t)
{
	__u32 conn = t->idle[--t->idle_count], rtt = 20 + draw(t, 180), syns = 0;
	struct conn *c = &t->conns[conn];
	double life = (double)t->sc->flows / t->sc->rate * 1000;

	memset(c, 0, sizeof(*c));
	c->first = ID_NONE;
	c->hash = sim_random(&t->rng);
	if (t->reuse_head != t->reuse_tail && t->reuse_ms[t->reuse_tail % REUSE_RING] + REUSE_MS < t->now) {
		if (chance(t, 20))
			c->hash = t->reuse_hash[t->reuse_tail % REUSE_RING];
		t->reuse_tail++;
	}
	t->o->connections++;
	send(t, conn, PACKET_SYN);
	if (t->sc->udp) {
		c->end_ms = t->now + (__u64)(-log(1 - draw(t, 1u << 24) / (double)(1u << 24)) * life);
		later(t, conn, STEP_DATA, gap_ms(t));
		return;
	}
	if (chance(t, 10))
		syns = chance(t, 100) ? 2 : 1;
	if (syns)
		later(t, conn, STEP_SYN, 1000);
	if (syns == 2)
		later(t, conn, STEP_SYN, 3000);
	rtt += syns == 2 ? 3000 : syns ? 1000 : 0;
	c->end_ms = t->now + rtt + (__u64)(-log(1 - draw(t, 1u << 24) / (double)(1u << 24)) * life);
	later(t, conn, STEP_ACK, rtt);
}

/* The client is done with the connection, one way or another. */
static void finish(struct traffic *t, __u32 conn)
{
	struct conn *c = &t->conns[conn];
	__u32 how = draw(t, 1000);

	if (t->sc->udp) {
		c->done = true;
		return;
	}
	if (how < 10) { /* has vanished after its last packet: open until the idle time is over */
		later(t, conn, STEP_FORGET, c->last_ms + t->sc->idle_ms - t->now);
		return;
	}
	t->truth -= !c->lost;
	if (how < 60) {
		send(t, conn, PACKET_RST);
		c->done = true;
		return;
	}
	send(t, conn, PACKET_FIN);
	if (chance(t, 20))
		later(t, conn, STEP_FIN_AGAIN, 200 + draw(t, 800));
	if (how < 110) {
		c->end_ms = t->now + draw(t, t->sc->idle_ms);
		later(t, conn, STEP_HALF_CLOSED, 1 + draw(t, 10000));
	} else {
		later(t, conn, STEP_LAST, 20 + draw(t, 180));
	}
}

static void step(struct traffic *t, __u32 conn, enum step what)
{
	struct conn *c = &t->conns[conn];

	switch (what) {
	case STEP_SYN:
		send(t, conn, PACKET_SYN);
		break;
	case STEP_ACK:
		send(t, conn, PACKET_OTHER);
		t->truth += !c->lost;
		later(t, conn, STEP_DATA, c->end_ms - t->now < gap_ms(t) ? c->end_ms - t->now : gap_ms(t));
		break;
	case STEP_DATA:
		if (t->now >= c->end_ms) {
			finish(t, conn);
			break;
		}
		send(t, conn, PACKET_OTHER);
		later(t, conn, STEP_DATA, gap_ms(t));
		break;
	case STEP_FIN_AGAIN:
		send(t, conn, PACKET_FIN);
		break;
	case STEP_HALF_CLOSED:
		send(t, conn, PACKET_OTHER);
		if (t->now < c->end_ms)
			later(t, conn, STEP_HALF_CLOSED, 1 + draw(t, 10000));
		else
			c->done = true;
		break;
	case STEP_LAST:
		send(t, conn, PACKET_OTHER);
		c->done = true;
		break;
	case STEP_FORGET:
		t->truth -= !c->lost;
		c->lost = true;
		break;
	}
	if (!--c->pending) {
		if (c->done && t->reuse_head - t->reuse_tail < REUSE_RING) {
			t->reuse_hash[t->reuse_head % REUSE_RING] = c->hash;
			t->reuse_ms[t->reuse_head++ % REUSE_RING] = t->now;
		}
		t->idle[t->idle_count++] = conn;
	}
}

/* A dead backend's connections are lost, and no concern of the oracle any more. */
static void lose(struct traffic *t, __u32 backend)
{
	__u32 i;

	world_state(t->w, backend, BACKEND_DOWN);
	for (i = 0; i < t->sc->flows * 2; i++) {
		struct conn *c = &t->conns[i];

		if (!c->pending || c->lost || c->first != backend)
			continue;
		c->lost = true;
	}
}

static void change(struct traffic *t, __u64 duration_ms)
{
	__u64 each = duration_ms / 1000, at = t->now / each, soon = (t->now + STARLING_MARK_MS) / each;

	if ((t->now + STARLING_MARK_MS) % each == 0 &&
	    (soon == 150 || soon == 155 || soon == 160 || soon == 330 || soon == 450 || soon == 455 || soon == 606 ||
	     soon == 620 || soon == 750 || soon == 755))
		world_warm(t->w);
	if (t->now % each)
		return;
	switch (at) {
	case 150:
		world_state(t->w, 0, BACKEND_DRAINING);
		break;
	case 155: /* back in the middle of the split */
		world_state(t->w, 0, BACKEND_UP);
		break;
	case 160:
		world_state(t->w, 1, BACKEND_DRAINING);
		break;
	case 330: /* back when it is pinned */
		world_state(t->w, 1, BACKEND_UP);
		break;
	case 450:
		world_state(t->w, t->sc->backends, BACKEND_UP);
		break;
	case 455: /* a second change upon the first */
		world_state(t->w, 2, BACKEND_DRAINING);
		break;
	case 600: /* a flap: back for a second only */
	case 607:
		lose(t, 3);
		break;
	case 606:
	case 620:
		world_state(t->w, 3, BACKEND_UP);
		break;
	case 750:
		world_resize(t->w, 4093);
		break;
	case 755: /* in the middle of it */
		world_state(t->w, 4, BACKEND_DRAINING);
		break;
	default:
		break;
	}
}

static void flood(struct traffic *t)
{
	static const enum packet_kind kinds[] = {PACKET_SYN, PACKET_SYN, PACKET_OTHER, PACKET_UDP};
	__u32 i, n = t->sc->flood_rate / 1000 + (draw(t, 1000) < t->sc->flood_rate % 1000);

	for (i = 0; i < n && t->sc->flood != FLOOD_NONE; i++)
		world_packet(t->w, sim_random(&t->rng), kinds[t->sc->flood], t->now);
}

/* Once a second: the controller, then what an onlooker sees. */
static void second(struct traffic *t, bool steady)
{
	__u64 open = 0, weights = 0;
	double fullest = 0, error;
	__u32 id;

	world_second(t->w, t->now);
	for (id = 0; id < CELLS_BACKENDS; id++) {
		open += world_open(t->w, id);
		weights += world_weight(t->w, id);
	}
	if (!steady || !t->truth)
		return;
	error = fabs((double)open - t->truth) / t->truth;
	if (error > t->o->active_error)
		t->o->active_error = error;
	for (id = 0; id < CELLS_BACKENDS; id++)
		if (world_weight(t->w, id))
			fullest = fmax(fullest, (double)world_open(t->w, id) / world_weight(t->w, id));
	t->imbalance_sum += fullest / ((double)open / weights) - 1;
	t->imbalance_count++;
}

static void deviation(struct traffic *t)
{
	__u32 id, weights = 0, given = 0;

	for (id = 0; id < CELLS_BACKENDS; id++) {
		weights += world_weight(t->w, id);
		given += world_given(t->w, id);
	}
	for (id = 0; id < CELLS_BACKENDS; id++)
		t->o->deviation = fmax(t->o->deviation,
				       fabs(world_given(t->w, id) - (double)given * world_weight(t->w, id) / weights));
}

static struct traffic *traffic_new(const struct cells_scenario *sc, __u64 seed, struct cells_outcome *o)
{
	struct traffic *t = calloc(1, sizeof(*t));
	__u32 i, max = sc->flows * 2, events = max * 4;

	if (!t)
		abort();
	t->sc = sc;
	t->o = o;
	t->rng = seed;
	t->w = world_new(sc);
	t->conns = calloc(max, sizeof(*t->conns));
	t->idle = calloc(max, sizeof(*t->idle));
	t->events = calloc(events, sizeof(*t->events));
	if (!t->conns || !t->idle || !t->events)
		abort();
	for (i = 0; i < max; i++)
		t->idle[t->idle_count++] = i;
	for (i = 1; i < events - 1; i++)
		t->events[i].next = i + 1;
	t->free_event = 1;
	return t;
}

static void run_events(struct traffic *t)
{
	__u32 e = t->wheel[t->now % WHEEL_MS], next;

	t->wheel[t->now % WHEEL_MS] = 0;
	for (; e; e = next) {
		struct event ev = t->events[e];

		next = ev.next;
		t->events[e].next = t->free_event;
		t->free_event = e;
		step(t, ev.conn, ev.step);
	}
}

void cells_run(const struct cells_scenario *sc, __u64 seed, struct cells_outcome *o)
{
	__u64 duration_ms = (__u64)sc->total * 1000 / sc->rate, life_ms = (__u64)sc->flows * 1000 / sc->rate, end_ms;
	struct traffic *t = traffic_new(sc, seed, o);
	bool stateful = sc->by != STEER_HOME, measured = false;
	double owed = 0;

	/* The longest life is 17 times the mean (24-bit draw), then idle time, sweeps and the clocks of slots. */
	end_ms = duration_ms + life_ms * 17 + 4ULL * sc->idle_ms + 130000;
	for (t->now = 1; t->now < end_ms; t->now++) {
		run_events(t);
		owed += t->now < duration_ms ? sc->rate / 1000.0 : 0;
		while (owed >= 1) {
			start(t);
			owed--;
		}
		if (t->now < duration_ms)
			flood(t);
		if (sc->change && t->now < duration_ms)
			change(t, duration_ms);
		if (!measured && o->connections >= 10000) {
			deviation(t);
			measured = true;
		}
		if (t->now % 1000 == 0)
			second(t, stateful && !sc->change && !sc->udp && t->now > life_ms * 4 && t->now < duration_ms);
	}
	o->imbalance = t->imbalance_count ? t->imbalance_sum / t->imbalance_count : 0;
	world_report(t->w, o);
	world_free(t->w);
	free(t->conns);
	free(t->idle);
	free(t->events);
	free(t);
}
