// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is called active is true: 100,000 live flows of a least-connections VIP with all that clients do to a count,
 * through the XDP program and with the real plane's sweeps, alone and with a flood of SYNs. Not here: the model over
 * hours and other schedulers (tests/sim/cells_test.c).
 *
 * A connection: SYN; 1 % repeat it, half of those after the handshake; ACK; packets; then FIN and a last ACK (2 %
 * repeat the FIN), or RST (5 %), or FIN and packets for some seconds more (5 %, half-closed), or nothing (1 %,
 * vanished: open until the idle time is over).
 */
#include "plane_flows.h"

#define LIVE	   100000u
#define CONNS	   (4 * LIVE) /* in some step: also those that end, and those that have vanished */
#define BACKENDS   10
#define SETS_LOG2  18
#define IDLE_MS	   3000
#define LIFE_TICKS 80 /* mean */
#define TICKS	   48 /* after all are open; SOAK=1: ten times as long */
#define WHEEL	   64
#define SECOND	   4  /* ticks between two sweeps */
#define FLOOD	   10 /* SYNs for each connection that begins */

enum step { STEP_SYN_AGAIN, STEP_ACK, STEP_DATA, STEP_FIN_AGAIN, STEP_HALF_CLOSED, STEP_LAST, STEP_FORGET };

struct conn {
	__u32 number;
	__u32 next; /* in its tick of the wheel; 0: the last */
	__u32 end;  /* tick after which it closes */
	__u8 home, step, syn_again, moved;
};

struct traffic {
	struct flows f;
	struct conn conn[CONNS + 1]; /* 0 is nobody */
	__u32 idle[CONNS], idle_count;
	__u32 wheel[WHEEL];
	__u32 tick, number, forged, idle_ticks;
	__u32 truth; /* acknowledged and neither closed nor forgotten */
	__u32 began, live;
	__u32 moved, unserved;
	bool flood, ending;
	double error;
};

static bool chance(struct traffic *t, __u32 per_mille)
{
	return flows_random(&t->f) % 1000 < per_mille;
}

static void later(struct traffic *t, __u32 id, enum step step, __u32 ticks)
{
	struct conn *c = &t->conn[id];

	assert_in_range(ticks, 1, WHEEL - 1);
	c->step = (__u8)step;
	c->next = t->wheel[(t->tick + ticks) % WHEEL];
	t->wheel[(t->tick + ticks) % WHEEL] = id;
}

static void conn_send(struct traffic *t, struct conn *c, __u8 tcp_flags)
{
	__u32 to = flows_send(&t->f, c->number, tcp_flags);

	t->unserved += to == NOBODY;
	if (c->home != to && !c->moved) {
		c->moved = 1;
		t->moved++;
	}
}

static void begin(struct traffic *t, __u32 id)
{
	struct conn *c = &t->conn[id];

	c->number = ++t->number;
	c->moved = 0;
	c->end = t->tick + 1 + flows_random(&t->f) % (2 * LIFE_TICKS);
	c->syn_again = chance(t, 10) ? 1 + chance(t, 500) : 0;
	c->home = (__u8)flows_send(&t->f, c->number, TCP_SYN);
	t->unserved += c->home == (__u8)NOBODY;
	t->began++;
	t->live++;
	later(t, id, c->syn_again == 1 ? STEP_SYN_AGAIN : STEP_ACK, c->syn_again == 1 ? SECOND : 1);
	for (__u32 i = 0; t->flood && i < FLOOD; i++)
		flows_send(&t->f, FLOWS_FORGED | (t->forged++ & ~FLOWS_FORGED), TCP_SYN);
}

/* The client is done with it, one way or another. */
static void finish(struct traffic *t, __u32 id)
{
	struct conn *c = &t->conn[id];
	__u32 how = flows_random(&t->f) % 1000;

	t->live--;
	if (how < 10) { /* nothing: its last packet was one of this tick */
		conn_send(t, c, TCP_ACK);
		later(t, id, STEP_FORGET, t->idle_ticks + 1);
		return;
	}
	t->truth--;
	conn_send(t, c, how < 60 ? TCP_RST : TCP_FIN | TCP_ACK);
	if (how < 60) {
		t->idle[t->idle_count++] = id;
	} else if (how < 110) {
		c->end = t->tick + 4 + flows_random(&t->f) % 32;
		later(t, id, STEP_HALF_CLOSED, 4);
	} else {
		later(t, id, chance(t, 20) ? STEP_FIN_AGAIN : STEP_LAST, 1);
	}
}

static void step(struct traffic *t, __u32 id)
{
	struct conn *c = &t->conn[id];

	switch ((enum step)c->step) {
	case STEP_SYN_AGAIN:
		conn_send(t, c, TCP_SYN);
		later(t, id, STEP_ACK, 1);
		break;
	case STEP_ACK:
		conn_send(t, c, TCP_ACK);
		t->truth++;
		later(t, id, STEP_DATA, 3);
		break;
	case STEP_DATA:
		if (t->tick >= c->end || t->ending) {
			finish(t, id);
			break;
		}
		conn_send(t, c, c->syn_again == 2 ? TCP_SYN : TCP_ACK);
		c->syn_again = 0;
		later(t, id, STEP_DATA, 5 + flows_random(&t->f) % 5);
		break;
	case STEP_FIN_AGAIN:
		conn_send(t, c, TCP_FIN | TCP_ACK);
		later(t, id, STEP_LAST, 1);
		break;
	case STEP_HALF_CLOSED:
		conn_send(t, c, TCP_ACK);
		later(t, id, t->tick >= c->end ? STEP_LAST : STEP_HALF_CLOSED, 4);
		break;
	case STEP_LAST:
		conn_send(t, c, TCP_ACK);
		t->idle[t->idle_count++] = id;
		break;
	case STEP_FORGET:
		t->truth--;
		t->idle[t->idle_count++] = id;
		break;
	}
}

static __u32 load_sum(const struct traffic *t, bool half)
{
	const struct harness *h = t->f.w->dp.h;
	__u32 sum = 0;

	for (__u32 id = 0; id < h->backends_max; id++)
		sum += half ? h->loads[id].half : h->loads[id].open;
	return sum;
}

/* A tick of the clock: what is due, what begins, what an onlooker sees, and every second what the daemon does. */
static void tick(struct traffic *t, __u32 begins)
{
	__u32 id, next;

	flows_pass(&t->f, 1);
	t->tick++;
	id = t->wheel[t->tick % WHEEL];
	t->wheel[t->tick % WHEEL] = 0;
	for (; id; id = next) {
		next = t->conn[id].next;
		step(t, id);
	}
	for (; begins && t->live < LIVE && t->idle_count; begins--)
		begin(t, t->idle[--t->idle_count]);
	if (t->tick % SECOND == 0)
		plane_tick(t->f.w->p);
}

static void look(struct traffic *t)
{
	double error = ((double)load_sum(t, false) - t->truth) / t->truth;

	error = error < 0 ? -error : error;
	t->error = error > t->error ? error : t->error;
}

static struct traffic *traffic_new(void)
{
	struct traffic *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	flows_open_world(&t->f, SCHEDULER_WLC, BACKENDS, IDLE_MS, SETS_LOG2);
	t->idle_ticks = plane_ticks(t->f.w->p, IDLE_MS);
	for (__u32 id = 1; id <= CONNS; id++)
		t->idle[t->idle_count++] = id;
	return t;
}

static void active_is_true(bool flood)
{
	struct traffic *t = traffic_new();
	__u32 ticks = getenv("SOAK") ? TICKS * 10 : TICKS, largest = 0, i;

	while (t->live < LIVE)
		tick(t, LIVE / 16);
	t->flood = flood;
	for (i = 0; i < 4; i++)
		tick(t, LIVE);
	for (i = 0; i < ticks; i++) {
		tick(t, LIVE);
		look(t);
		largest = t->truth > largest ? t->truth : largest;
	}
	print_message("%u connections, %u open at most, %u forged; active off by %.4f %% at most; %u moved\n", t->began,
		      largest, t->forged, t->error * 100, t->moved);
	assert_true(largest > LIVE - LIVE / 20);
	assert_int_equal(t->moved, 0);
	assert_int_equal(t->unserved, 0);
	assert_true(t->error <= 0.001);

	t->ending = true;
	for (i = 0; i < WHEEL; i++)
		tick(t, 0);
	assert_int_equal(t->truth, 0);
	assert_int_equal(t->live, 0);
	for (i = 0; i < SECOND; i++)
		tick(t, 0);
	assert_int_equal(load_sum(t, false), 0);
	assert_int_equal(load_sum(t, true), 0);
	assert_int_equal(t->moved, 0);
	world_free(t->f.w);
	free(t);
}

static void active_is_within_a_thousandth_and_ends_at_zero(void **state)
{
	(void)state;
	active_is_true(false);
}

static void the_same_beside_ten_times_as_many_forged_syns(void **state)
{
	(void)state;
	active_is_true(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(active_is_within_a_thousandth_and_ends_at_zero),
		cmocka_unit_test(the_same_beside_ten_times_as_many_forged_syns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
