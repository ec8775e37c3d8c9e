// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Cells under two CPUs and a sweeper at once: loads equal cells whenever all stand still, and two
 * packets of one flow that arrive at the same moment go to the same backend.
 * alone: they have to meet, on both CPUs
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "cells.h"
#include "unlimited.h"

#define LOG2	 8
#define VIP	 1
#define BACKENDS 8
#define SLOTS	 64
#define FLOWS	 2000 /* over 1,024 cells: full sets are common */

struct view {
	struct flow_set flows[1 << LOG2];
	struct backend_entry backends[BACKENDS];
	struct backend_load loads[BACKENDS];
	struct vip_entry vips[VIP + 1];
	__u64 slots[SLOTS];
	struct steer_config cfg;
	__u32 now, stop, turn[2];
	void (*before)(__u64 *cell); /* each swap; NULL: nothing */
};

static inline __u64 view_slot(const struct view *v, __u32 index)
{
	return index < SLOTS ? __atomic_load_n(&v->slots[index], __ATOMIC_RELAXED) : 0;
}

static inline __u64 view_backend(const struct view *v, __u32 id)
{
	return id < BACKENDS ? __atomic_load_n(&v->backends[id].word, __ATOMIC_RELAXED) : 0;
}

static inline __u32 view_score(const struct view *v, __u32 id, __u32 by)
{
	const struct backend_load *l = &v->loads[id];

	if (by == STEER_GIVEN)
		return __atomic_load_n(&l->given, __ATOMIC_RELAXED);
	return __atomic_load_n(&l->open, __ATOMIC_RELAXED) + __atomic_load_n(&l->half, __ATOMIC_RELAXED);
}

/* The accessors that write take the view as the rules have it, const. */
static struct view *writable(const struct view *v)
{
	return (struct view *)(uintptr_t)v;
}

static inline __u64 *view_set(const struct view *v, __u32 set)
{
	return writable(v)->flows[set].cell;
}

static inline const volatile struct steer_config *view_config(const struct view *v)
{
	return &v->cfg;
}

static inline int view_swap(const struct view *v, __u32 set, __u32 way, __u64 old, __u64 new)
{
	if (v->before)
		v->before(&view_set(v, set)[way]);
	return __atomic_compare_exchange_n(&view_set(v, set)[way], &old, new, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline void view_touch(const struct view *v, __u32 set, __u32 way, __u16 seen)
{
	__atomic_store_n((__u16 *)(void *)&view_set(v, set)[way], seen, __ATOMIC_RELAXED);
}

static inline void view_account(const struct view *v, __u32 id, __u64 delta)
{
	__atomic_fetch_add((__u64 *)(void *)&writable(v)->loads[id].open, delta, __ATOMIC_RELAXED);
}

static inline void view_given(const struct view *v, __u32 id)
{
	__atomic_fetch_add(&writable(v)->loads[id].given, 1, __ATOMIC_RELAXED);
}

#include "starling/settle.h"

static void view_init(struct view *v)
{
	__u32 i;

	memset(v, 0, sizeof(*v));
	v->cfg = (struct steer_config){
		.flow_sets_log2 = LOG2,
		.half_ticks = 20,
		.half_evict_ticks = 10,
		.closing_ticks = 235,
		.closing_evict_ticks = 59,
		.reset_ticks = 8,
		.probation_ticks = 4,
	};
	v->vips[VIP].word = VIP_WORD(0, 1, 1);
	v->vips[VIP].copy[0].slots_count = SLOTS;
	v->vips[VIP].copy[0].idle_ticks = 300;
	v->vips[VIP].copy[0].steer_by = STEER_OPEN;
	for (i = 0; i < BACKENDS; i++)
		v->backends[i].word = BACKEND_WORD(0, BACKEND_UP, 1, VIP, 1);
	for (i = 0; i < SLOTS; i++)
		v->slots[i] = slot_make(SLOT_PLAIN, i % BACKENDS, (i + 1 + i / BACKENDS % 6) % BACKENDS, ID_NONE);
}

static __u64 flow_number(__u32 n)
{
	return hash_mix(n + 1);
}

struct sender {
	struct view *v;
	__u64 rng;
	__u32 packets;
};

static void *sender_run(void *arg)
{
	struct sender *s = arg;
	struct where w;

	for (__u32 i = 0; i < s->packets; i++) {
		__u64 r = sim_random(&s->rng);
		struct flow f = {
			.hash = flow_number((__u32)(r % FLOWS)),
			.vip = VIP,
			.kind = r >> 40 & 1 ? PACKET_OTHER : (__u32)(r >> 41) % 5,
			.now = __atomic_load_n(&s->v->now, __ATOMIC_RELAXED),
		};

		settle(s->v, &s->v->vips[VIP].copy[0], &f, &w);
		if (i % 512 == 0)
			__atomic_fetch_add(&s->v->now, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void sweep_once(struct view *v, struct sweep_sum *sum)
{
	struct sweep_result res = {.sum = sum};
	struct sweep s = {
		.flows = v->flows,
		.vips = v->vips,
		.vip_count = VIP + 1,
		.backends = v->backends,
		.backend_count = BACKENDS,
		.loads = v->loads,
		.slots = v->slots,
		.slots_count = SLOTS,
		.cfg = &v->cfg,
		.now = (__u16)__atomic_load_n(&v->now, __ATOMIC_RELAXED),
	};

	sweep_range(&s, 0, 1 << LOG2, &res);
}

static void *sweeper_run(void *arg)
{
	struct sweep_sum sum[BACKENDS];
	struct view *v = arg;
	__u32 round = 0;

	while (!__atomic_load_n(&v->stop, __ATOMIC_RELAXED)) {
		/* Backends come and go, homes split and join. */
		__u32 id = round % BACKENDS, slot = round % SLOTS, home = slot_home0(v->slots[slot]);

		__atomic_store_n(&v->backends[id].word,
				 BACKEND_WORD(0, round / BACKENDS % 3 ? BACKEND_UP : BACKEND_DOWN, 1, VIP, 1),
				 __ATOMIC_RELEASE);
		__atomic_store_n(
			&v->slots[slot],
			transition_home(v->slots[slot], home, (home + 1) % BACKENDS, home, TRANSITION_BY_CELLS),
			__ATOMIC_RELEASE);
		memset(sum, 0, sizeof(sum));
		sweep_once(v, sum);
		round++;
	}
	return NULL;
}

static void loads_equal_cells_when_all_stand_still(void **state)
{
	static struct view v;

	(void)state;
	for (__u32 round = 0; round < 10; round++) {
		struct sender a = {&v, round, 200000}, b = {&v, round + 1000, 200000};
		struct sweep_sum sum[BACKENDS] = {0};
		pthread_t threads[3];

		view_init(&v);
		assert_int_equal(pthread_create(&threads[0], NULL, sender_run, &a), 0);
		assert_int_equal(pthread_create(&threads[1], NULL, sender_run, &b), 0);
		assert_int_equal(pthread_create(&threads[2], NULL, sweeper_run, &v), 0);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		__atomic_store_n(&v.stop, 1, __ATOMIC_RELAXED);
		pthread_join(threads[2], NULL);
		sweep_once(&v, sum);
		for (__u32 i = 0; i < BACKENDS; i++) {
			assert_int_equal(v.loads[i].open, sum[i].open);
			assert_int_equal(v.loads[i].half, sum[i].half);
		}
		v.now += 2000;
		memset(sum, 0, sizeof(sum));
		sweep_once(&v, sum);
		for (__u32 i = 0; i < BACKENDS; i++)
			assert_int_equal(v.loads[i].open + v.loads[i].half, 0);
	}
}

#define TWINS 100000

struct twin {
	struct view *v;
	__u32 me;
	__u16 backend[TWINS];
	bool none[TWINS];
};

static void meet(struct twin *t, __u32 turn)
{
	__atomic_store_n(&t->v->turn[t->me], turn, __ATOMIC_RELEASE);
	for (__u32 spin = 0; __atomic_load_n(&t->v->turn[!t->me], __ATOMIC_ACQUIRE) < turn; spin++)
		if (spin > 1000)
			sched_yield();
}

/*
 * Both meet before every packet. Half of the time cells are free, and of two backends without load the second packet
 * would choose the other one; half of the time a cell has to be taken from another flow.
 */
static void *twin_run(void *arg)
{
	struct twin *t = arg;
	struct where w;

	for (__u32 i = 0; i < TWINS; i++) {
		struct flow f = {.hash = flow_number(i), .vip = VIP, .kind = PACKET_SYN, .now = (i / 200 * 8) & 0xffff};

		meet(t, 2 * i + 1);
		if (t->me == 0 && i % 4096 < 2048) {
			memset(t->v->loads, 0, sizeof(t->v->loads));
			if (i % 256 == 0)
				memset(t->v->flows, 0, sizeof(t->v->flows));
		}
		meet(t, 2 * i + 2);
		settle(t->v, &t->v->vips[VIP].copy[0], &f, &w);
		t->backend[i] = (__u16)w.backend;
		t->none[i] = w.overflow;
	}
	return NULL;
}

/* Holds up whoever runs, between any two instructions, until the other twin is through with the packet. */
static void hold_up(int signal)
{
	(void)signal;
	for (__u32 spin = 0; spin < 2000; spin++)
		__asm__ volatile("");
}

static void two_packets_of_one_new_flow_agree(void **state)
{
	const struct itimerval often = {{0, 50}, {0, 50}}, never = {0};
	static struct twin twins[2];
	static struct view v;
	pthread_t thread;

	(void)state;
	view_init(&v);
	assert_true(signal(SIGALRM, hold_up) != SIG_ERR);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	twins[0] = (struct twin){.v = &v, .me = 0};
	twins[1] = (struct twin){.v = &v, .me = 1};
	assert_int_equal(pthread_create(&thread, NULL, twin_run, &twins[1]), 0);
	twin_run(&twins[0]);
	pthread_join(thread, NULL);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	for (__u32 i = 0; i < TWINS; i++)
		if (!twins[0].none[i] && !twins[1].none[i])
			assert_int_equal(twins[0].backend[i], twins[1].backend[i]);
}

/* --- what comes before a swap, at will --- */

static __u32 befores;

/* The sweep, as core/sweep.c has it for dead reset. */
static void closes_once(__u64 *cell)
{
	if (befores++ == 0)
		*cell = cell_make(cell_tag(*cell), cell_backend(*cell), CELL_CLOSING, cell_flags(*cell),
				  cell_seen(*cell));
}

static void is_seen_twice(__u64 *cell)
{
	if (befores++ < 2)
		*cell = cell_make(cell_tag(*cell), cell_backend(*cell), cell_state(*cell), cell_flags(*cell),
				  (__u16)(cell_seen(*cell) + 1));
}

static struct where sends(struct view *v, __u32 n, __u32 kind)
{
	struct flow f = {.hash = flow_number(n), .vip = VIP, .kind = kind, .now = v->now};
	struct where w;

	settle(v, &v->vips[VIP].copy[0], &f, &w);
	return w;
}

static void a_syn_that_loses_to_the_sweep_of_its_dead_cell_is_not_reset_later(void **state)
{
	static struct view v;
	struct where w;
	__u32 dead, to;

	(void)state;
	view_init(&v);
	v.vips[VIP].copy[0].flags = VIP_DEAD_RESET;
	dead = sends(&v, 1, PACKET_SYN).backend;
	assert_int_equal(sends(&v, 1, PACKET_OTHER).backend, dead);
	v.backends[dead].word = BACKEND_WORD(0, BACKEND_DOWN, 1, VIP, 1);
	assert_true(sends(&v, 1, PACKET_OTHER).dead);
	befores = 0;
	v.before = closes_once;
	w = sends(&v, 1, PACKET_SYN);
	assert_true(befores > 0);
	assert_int_equal(w.backend, ID_NONE);
	assert_int_equal(w.fresh | w.overflow | w.sign, 0);
	to = sends(&v, 1, PACKET_SYN).backend; /* it comes again */
	assert_int_not_equal(to, ID_NONE);
	assert_int_equal(sends(&v, 1, PACKET_OTHER).backend, to);
}

static void a_set_is_marked_though_its_cells_change(void **state)
{
	static struct view v;
	struct where w;
	__u32 set = hash_set(flow_number(1), LOG2);

	(void)state;
	view_init(&v);
	v.vips[VIP].copy[0].flags = VIP_DEAD_RESET;
	for (__u32 i = 0; i < FLOW_WAYS; i++) {
		v.flows[set].cell[i] = cell_make(i + 1, 0, CELL_OPEN, 0, 0);
		v.flows[set ^ 1].cell[i] = cell_make(i + 1, 0, CELL_OPEN, 0, 0);
	}
	befores = 0;
	v.before = is_seen_twice;
	w = sends(&v, 1, PACKET_SYN);
	assert_true(w.overflow && w.delay);
	assert_true(befores > 2);
	assert_true(cell_flags(v.flows[set].cell[0]) & CELL_MARK_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_that_loses_to_the_sweep_of_its_dead_cell_is_not_reset_later),
		cmocka_unit_test(a_set_is_marked_though_its_cells_change),
		cmocka_unit_test(loads_equal_cells_when_all_stand_still),
		cmocka_unit_test(two_packets_of_one_new_flow_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
