// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the sweep frees, keeps, promotes, finds and sums, cell by cell.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "core/sweep.h"
#include "starling/cell.h"
#include "starling/hash.h"
#include "starling/slot.h"

#define LOG2	 8
#define BACKENDS 8
#define SLOTS	 16
#define NOW	 50000u

enum { MH = 1, WLC = 2, IDLE = 1000 };

struct fixture {
	struct flow_set flows[1 << LOG2];
	struct vip_entry vips[4];
	struct backend_entry backends[BACKENDS];
	struct backend_load loads[BACKENDS];
	__u64 slots[2 * SLOTS], promote[1], exceptions[1];
	struct sweep_sum sum[BACKENDS];
	struct sweep_drift drift[BACKENDS];
	struct steer_config cfg;
	struct sweep sweep;
	struct sweep_result result;
	bool stop;
};

/* Backends 1 to 3 belong to the mh VIP, 5 to 7 to the wlc VIP; slot homes are 1 and 5. */
static int setup(void **state)
{
	static struct fixture f;
	__u32 i;

	memset(&f, 0, sizeof(f));
	f.cfg = (struct steer_config){
		.flow_sets_log2 = LOG2,
		.half_ticks = 20,
		.half_evict_ticks = 10,
		.closing_ticks = 240,
		.closing_evict_ticks = 60,
		.reset_ticks = 8,
		.probation_ticks = 4,
	};
	for (i = MH; i <= WLC; i++) {
		f.vips[i].word = VIP_WORD(1, 1, 1);
		f.vips[i].copy[1].slots_base = i == MH ? 0 : SLOTS;
		f.vips[i].copy[1].slots_count = SLOTS;
		f.vips[i].copy[1].idle_ticks = IDLE;
		f.vips[i].copy[1].steer_by = i == MH ? STEER_HOME : STEER_OPEN;
	}
	for (i = 0; i < BACKENDS; i++)
		f.backends[i].word = BACKEND_WORD(0, BACKEND_UP, 1, i < 4 ? MH : WLC, 0);
	for (i = 0; i < 2 * SLOTS; i++)
		f.slots[i] = slot_make(SLOT_PINNED, i < SLOTS ? 1 : 5, 2, ID_NONE);
	f.sweep = (struct sweep){f.flows, f.vips,    4,	     f.backends, BACKENDS, f.loads,
				 f.slots, 2 * SLOTS, &f.cfg, NOW,	 false,	   NULL};
	f.result = (struct sweep_result){.sum = f.sum, .exceptions = f.exceptions};
	*state = &f;
	return 0;
}

/* Put a cell into set 3 and its share into the loads. */
static void put(struct fixture *f, __u32 way, __u32 backend, __u32 cell_state_wanted, __u32 flags, __u32 age)
{
	__u64 c = cell_make(0xabcdef, backend, cell_state_wanted, flags, NOW - age), load = cell_load(c);

	f->flows[3].cell[way] = c;
	f->loads[backend].open += (__u32)load;
	f->loads[backend].half += (__u32)(load >> 32);
}

static __u32 state_of(const struct fixture *f, __u32 way)
{
	return cell_state(f->flows[3].cell[way]);
}

static void run(struct fixture *f)
{
	__u32 i;

	memset(f->sum, 0, sizeof(f->sum));
	memset(f->exceptions, 0, sizeof(f->exceptions));
	f->result = (struct sweep_result){.sum = f->sum, .exceptions = f->exceptions};
	sweep_range(&f->sweep, 0, 100, &f->result);
	sweep_range(&f->sweep, 100, 10000, &f->result);
	for (i = 0; i < BACKENDS; i++) {
		assert_int_equal(f->sum[i].open, f->loads[i].open);
		assert_int_equal(f->sum[i].half, f->loads[i].half);
	}
}

/* Index of the slot of a cell in set 3 or, if away, of set 2. */
static __u32 slot_of(bool away)
{
	return hash_slot(hash_of_cell(away ? 2 : 3, 0xabcdef, LOG2), SLOTS);
}

static void a_life_ends_when_its_time_is_up_and_not_before(void **state)
{
	static const struct {
		__u32 kind, flags, last;
	} lives[] = {
		{CELL_HALF, 0, 20},
		{CELL_CLOSING, 0, 240},
		{CELL_RESET, 0, 8},
		{CELL_OPEN, 0, IDLE},
		{CELL_OPEN, CELL_UDP, IDLE},
		{CELL_PROBATION, 0, 240},
		{CELL_PROBATION, CELL_UDP, IDLE},
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		put(f, 0, 6, lives[i].kind, lives[i].flags, lives[i].last);
		put(f, 1, 6, lives[i].kind, lives[i].flags, lives[i].last + 1);
		run(f);
		assert_int_equal(state_of(f, 0), lives[i].kind);
		assert_int_equal(state_of(f, 1), CELL_FREE);
		assert_int_equal(f->result.expired, 1);
		memset(f->flows, 0, sizeof(f->flows));
		memset(f->loads, 0, sizeof(f->loads));
	}
}

static void one_datagram_does_not_hold_one_of_so_many_places_for_long(void **state)
{
	struct fixture *f = *state;

	f->vips[WLC].copy[1].flags = VIP_LIMITS;
	put(f, 0, 6, CELL_PROBATION, CELL_UDP, 240);
	put(f, 1, 6, CELL_PROBATION, CELL_UDP, 241);
	put(f, 2, 6, CELL_OPEN, CELL_UDP, IDLE);
	run(f);
	assert_int_equal(state_of(f, 0), CELL_PROBATION);
	assert_int_equal(state_of(f, 1), CELL_FREE);
	assert_int_equal(state_of(f, 2), CELL_OPEN);
}

static void probation_lasts_as_long_as_the_split_that_needs_it(void **state)
{
	struct fixture *f = *state;

	f->slots[slot_of(false)] = slot_make(SLOT_SPLIT, 1, 2, 3);
	put(f, 0, 3, CELL_PROBATION, CELL_SPLIT, 900);
	run(f);
	assert_int_equal(state_of(f, 0), CELL_PROBATION);
	assert_int_equal(cell_flags(f->flows[3].cell[0]), CELL_SPLIT);
}

static void a_cell_ahead_of_the_clock_is_young(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 6, CELL_HALF, 0, (__u32)-2);
	run(f);
	assert_int_equal(state_of(f, 0), CELL_HALF);
}

static void cells_of_dead_backends_are_freed_and_of_draining_ones_kept(void **state)
{
	struct fixture *f = *state;

	f->backends[5].word = BACKEND_WORD(0, BACKEND_DOWN, 1, WLC, 0);
	f->backends[6].word = BACKEND_WORD(0, BACKEND_DRAINING, 1, WLC, 0);
	f->backends[7].word = 0;
	put(f, 0, 5, CELL_OPEN, 0, 0);
	put(f, 1, 6, CELL_OPEN, 0, 0);
	put(f, 2, 7, CELL_OPEN, 0, 0);
	f->vips[MH].word = 0;
	put(f, 3, 1, CELL_HALF, 0, 0);
	run(f);
	assert_int_equal(f->result.dead, 3);
	assert_int_equal(state_of(f, 1), CELL_OPEN);
	assert_int_equal(f->result.cells[CELL_OPEN], 1);
	assert_int_equal(f->result.cells[CELL_FREE], (4 << LOG2) - 1);
}

static void where_the_dead_are_reset_their_cells_close(void **state)
{
	struct fixture *f = *state;

	f->backends[5].word = BACKEND_WORD(0, BACKEND_DOWN, 1, WLC, 0);
	f->vips[WLC].copy[1].flags = VIP_DEAD_RESET;
	put(f, 0, 5, CELL_OPEN, 0, 500);
	put(f, 1, 5, CELL_HALF, 0, 5);
	put(f, 2, 5, CELL_OPEN, CELL_UDP, 0);
	run(f);
	assert_int_equal(state_of(f, 0), CELL_CLOSING);
	assert_int_equal(cell_seen(f->flows[3].cell[0]), NOW);
	assert_int_equal(state_of(f, 1), CELL_CLOSING);
	assert_int_equal(state_of(f, 2), CELL_FREE);
	assert_int_equal(f->result.dead, 1);
	assert_int_equal(f->loads[5].open, 0);
	assert_int_equal(f->loads[5].half, 0);
	f->sweep.now = NOW + 240;
	run(f);
	assert_int_equal(cell_seen(f->flows[3].cell[0]), NOW); /* once */
	f->sweep.now = NOW + 241;
	run(f);
	assert_int_equal(state_of(f, 0), CELL_FREE);
}

static void a_pinned_mh_slot_has_exceptions_while_a_cell_names_another_backend(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 1, CELL_OPEN, 0, 0);
	run(f);
	assert_int_equal(f->exceptions[0], 0);
	put(f, 1, 2, CELL_CLOSING, 0, 0);
	run(f);
	assert_int_equal(f->exceptions[0], 1 << slot_of(false));
	put(f, 1, 2, CELL_CLOSING, CELL_AWAY, 0);
	run(f);
	assert_int_equal(f->exceptions[0], 1 << slot_of(true));
	/* A stateful VIP has cells everywhere: none is an exception. */
	put(f, 1, 7, CELL_OPEN, 0, 0);
	run(f);
	assert_int_equal(f->exceptions[0], 0);
}

static void mh_cells_are_needless_once_the_slot_is_plain(void **state)
{
	struct fixture *f = *state;

	f->slots[slot_of(false)] = slot_make(SLOT_PLAIN, 1, 2, ID_NONE);
	f->slots[SLOTS + slot_of(false)] = slot_make(SLOT_PLAIN, 5, 6, ID_NONE);
	put(f, 0, 2, CELL_OPEN, 0, 0);
	put(f, 1, 6, CELL_OPEN, 0, 0);
	run(f);
	assert_int_equal(f->result.needless, 1);
	assert_int_equal(state_of(f, 0), CELL_FREE);
	assert_int_equal(state_of(f, 1), CELL_OPEN);
}

static void probation_is_promoted_where_losing_it_would_move_a_flow(void **state)
{
	struct fixture *f = *state;

	/* Pinned, not at home: at once. */
	put(f, 0, 2, CELL_PROBATION, CELL_SPLIT, 30);
	/* Pinned, at home: no need. */
	put(f, 1, 1, CELL_PROBATION, CELL_UDP | CELL_SPLIT, 30);
	run(f);
	assert_int_equal(f->result.promoted, 1);
	assert_int_equal(state_of(f, 0), CELL_OPEN);
	assert_int_equal(cell_seen(f->flows[3].cell[0]), NOW - 30);
	assert_int_equal(state_of(f, 1), CELL_PROBATION);
	assert_int_equal(cell_flags(f->flows[3].cell[1]), CELL_UDP);
	/* Split: only if the slot is about to be pinned. */
	f->slots[slot_of(false)] = slot_make(SLOT_SPLIT, 1, 2, 3);
	put(f, 2, 3, CELL_PROBATION, CELL_SPLIT, 30);
	f->sweep.promote = f->promote;
	run(f);
	assert_int_equal(state_of(f, 2), CELL_PROBATION);
	sweep_bit_set(f->promote, slot_of(false));
	run(f);
	assert_int_equal(state_of(f, 2), CELL_OPEN);
}

static void marks_age_in_two_steps_and_survive_what_happens_to_their_cell(void **state)
{
	struct fixture *f = *state;

	f->flows[9].cell[0] = cell_make(0, 0, CELL_FREE, CELL_MARK_NEW, 0);
	put(f, 0, 6, CELL_HALF, CELL_MARK_NEW, 30);
	run(f);
	assert_int_equal(f->result.marks, 2);
	assert_int_equal(state_of(f, 0), CELL_FREE);
	assert_int_equal(cell_flags(f->flows[3].cell[0]), CELL_MARK_NEW);
	f->sweep.age_marks = true;
	run(f);
	assert_int_equal(cell_flags(f->flows[3].cell[0]), CELL_MARK_OLD);
	assert_int_equal(cell_flags(f->flows[9].cell[0]), CELL_MARK_OLD);
	run(f);
	assert_int_equal(f->result.marks, 0);
	assert_true(!f->flows[3].cell[0] && !f->flows[9].cell[0]);
}

static void a_wrong_load_is_corrected_when_two_quiet_rounds_agree(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 6, CELL_OPEN, 0, 0);
	run(f);
	assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 0);
	f->loads[6].open += 2;
	f->loads[7].half--;
	/* Quiet only from the second round on: the first one has seen the loads change. */
	assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 0);
	assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 2);
	assert_int_equal(f->loads[6].open, 1);
	assert_int_equal(f->loads[7].half, 0);
	run(f);
	assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 0);
}

static void a_busy_load_is_corrected_by_what_many_rounds_agree_on(void **state)
{
	struct fixture *f = *state;
	__u32 i, corrected = 0;

	/* Three too many for ever; what comes and goes meanwhile hides it. */
	for (i = 0; i < 31; i++) {
		f->sum[6].open = 100 + i;
		f->loads[6].open = 103 + i + i % 3;
		assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 0);
	}
	for (; i < 34; i++) {
		f->sum[6].open = 100 + i;
		f->loads[6].open = 103 + i;
		corrected += sweep_correct(&f->sweep, &f->result, f->drift);
		if (corrected)
			break;
	}
	assert_int_equal(corrected, 1);
	assert_int_equal(f->loads[6].open, f->sum[6].open);
	/* Noise around the truth is left alone. */
	for (i = 0; i < 100; i++) {
		f->loads[6].open = f->sum[6].open + (i % 2 ? 5 : (__u32)-5);
		assert_int_equal(sweep_correct(&f->sweep, &f->result, f->drift), 0);
	}
}

/* Packets of one flow, as XDP writes them: the cell is as young as can be, and old again at once. */
static void *flow_touches(void *arg)
{
	struct fixture *f = arg;
	__u16 *seen = (__u16 *)(void *)&f->flows[3].cell[0];

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(seen, (__u16)NOW, __ATOMIC_RELAXED);
		__atomic_store_n(seen, (__u16)(NOW - IDLE - 1), __ATOMIC_RELAXED);
	}
	return NULL;
}

static void an_exception_that_a_packet_saves_from_expiry_is_found(void **state)
{
	struct fixture *f = *state;
	pthread_t flow;
	__u32 i;

	put(f, 0, 2, CELL_OPEN, 0, 0);
	assert_int_equal(pthread_create(&flow, NULL, flow_touches, f), 0);
	for (i = 0; i < 3000000; i++) {
		memset(f->exceptions, 0, sizeof(f->exceptions));
		sweep_range(&f->sweep, 3, 1, &f->result);
		if (state_of(f, 0) == CELL_FREE)
			f->flows[3].cell[0] = cell_make(0xabcdef, 2, CELL_OPEN, 0, NOW);
		else if (!sweep_bit(f->exceptions, slot_of(false)))
			break;
	}
	__atomic_store_n(&f->stop, true, __ATOMIC_RELAXED);
	pthread_join(flow, NULL);
	assert_int_equal(i, 3000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_life_ends_when_its_time_is_up_and_not_before, setup),
		cmocka_unit_test_setup(one_datagram_does_not_hold_one_of_so_many_places_for_long, setup),
		cmocka_unit_test_setup(probation_lasts_as_long_as_the_split_that_needs_it, setup),
		cmocka_unit_test_setup(a_cell_ahead_of_the_clock_is_young, setup),
		cmocka_unit_test_setup(cells_of_dead_backends_are_freed_and_of_draining_ones_kept, setup),
		cmocka_unit_test_setup(where_the_dead_are_reset_their_cells_close, setup),
		cmocka_unit_test_setup(a_pinned_mh_slot_has_exceptions_while_a_cell_names_another_backend, setup),
		cmocka_unit_test_setup(mh_cells_are_needless_once_the_slot_is_plain, setup),
		cmocka_unit_test_setup(probation_is_promoted_where_losing_it_would_move_a_flow, setup),
		cmocka_unit_test_setup(marks_age_in_two_steps_and_survive_what_happens_to_their_cell, setup),
		cmocka_unit_test_setup(a_wrong_load_is_corrected_when_two_quiet_rounds_agree, setup),
		cmocka_unit_test_setup(a_busy_load_is_corrected_by_what_many_rounds_agree_on, setup),
		cmocka_unit_test_setup(an_exception_that_a_packet_saves_from_expiry_is_found, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
