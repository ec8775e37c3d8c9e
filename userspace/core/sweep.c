// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One cell at a time: judge it, swap it, count it. Not here: rounds, and what follows from them.
 */
#include "core/sweep.h"

#include "starling/cell.h"
#include "starling/hash.h"
#include "starling/slot.h"

#define SWEEP_RUN_QUIET 2  /* rounds that must agree on a difference while the load stands still */
#define SWEEP_RUN_BUSY	32 /* rounds that must agree on its sign otherwise */

enum sweep_why { SWEEP_KEEP, SWEEP_EXPIRED, SWEEP_DEAD, SWEEP_NEEDLESS, SWEEP_PROMOTED };

/* The marks of a cell, one step older if it is time. */
static __u32 sweep_marks(const struct sweep *s, __u64 c)
{
	__u32 marks = cell_flags(c) & CELL_MARKS;

	if (!s->age_marks)
		return marks;
	return marks & CELL_MARK_NEW ? CELL_MARK_OLD : 0;
}

/* The slot of the flow in a cell, by index in the arena. */
static __u32 sweep_slot(const struct sweep *s, const struct vip_record *vip, __u32 set, __u64 c)
{
	__u32 home = cell_flags(c) & CELL_AWAY ? set ^ 1 : set;

	return vip->slots_base + hash_slot(hash_of_cell(home, cell_tag(c), s->cfg->flow_sets_log2), vip->slots_count);
}

/*
 * A cell on probation outside a split is soon forgotten, unless it is all that UDP has to show; and of that too where
 * it takes one of so many places, as one forged datagram makes it.
 */
static bool sweep_idle(const struct sweep *s, const struct vip_record *vip, __u32 slot_state_now, __u64 c)
{
	__u32 life = vip->idle_ticks, state = cell_state(c);

	if (state == CELL_PROBATION && slot_state_now != SLOT_SPLIT &&
	    (!(cell_flags(c) & CELL_UDP) || vip->flags & VIP_LIMITS) && life > s->cfg->closing_ticks)
		life = s->cfg->closing_ticks;
	return (state == CELL_OPEN || state == CELL_PROBATION) && cell_age(c, s->now) > life;
}

/* What is to become of a cell in use whose VIP is in service; @ret_new is left alone if it is freed. */
static enum sweep_why sweep_judge(const struct sweep *s, const struct vip_record *vip, __u32 set, __u64 c,
				  struct sweep_result *res, __u64 *ret_new)
{
	__u32 index = vip->slots_count ? sweep_slot(s, vip, set, c) : s->slots_count;
	__u64 slot = index < s->slots_count ? s->slots[index] : 0;
	__u32 state = slot_state(slot), flags = (cell_flags(c) & ~CELL_MARKS) | sweep_marks(s, c);
	bool mh = vip->steer_by == STEER_HOME;
	bool exception = mh && state == SLOT_PINNED && cell_backend(c) != slot_home0(slot);
	bool confirm = exception || (state == SLOT_SPLIT && s->promote && sweep_bit(s->promote, index));

	if (sweep_idle(s, vip, state, c))
		return SWEEP_EXPIRED;
	if (mh && state == SLOT_PLAIN)
		return SWEEP_NEEDLESS;
	if (state != SLOT_SPLIT)
		flags &= ~CELL_SPLIT;
	if (exception && res->exceptions)
		sweep_bit_set(res->exceptions, index);
	if (confirm && cell_state(c) == CELL_PROBATION) {
		*ret_new = cell_make(cell_tag(c), cell_backend(c), CELL_OPEN, flags, cell_seen(c));
		return SWEEP_PROMOTED;
	}
	*ret_new = cell_make(cell_tag(c), cell_backend(c), cell_state(c), flags, cell_seen(c));
	return SWEEP_KEEP;
}

/*
 * Where clients are told that their backend is down, the cell is what says so. It closes, so that it is no load when
 * the backend is back, and tells for as long as a closing cell lives.
 */
static __u64 sweep_closed(const struct sweep *s, __u64 c)
{
	if (cell_state(c) >= CELL_CLOSING)
		return c;
	return cell_make(cell_tag(c), cell_backend(c), CELL_CLOSING, cell_flags(c), s->now);
}

/* @ret_new: the cell as it is to be, freed or not. */
static enum sweep_why sweep_look(const struct sweep *s, __u32 set, __u64 c, struct sweep_result *res, __u64 *ret_new)
{
	__u32 id = cell_backend(c), vip;
	const struct vip_record *record;
	bool down;
	__u64 word;

	*ret_new = cell_make(0, 0, CELL_FREE, sweep_marks(s, c), 0);
	if (cell_state(c) == CELL_FREE)
		return SWEEP_KEEP;
	if (cell_expired(c, s->now, s->cfg))
		return SWEEP_EXPIRED;
	if (id >= s->backend_count)
		return SWEEP_DEAD;
	word = __atomic_load_n(&s->backends[id].word, __ATOMIC_ACQUIRE);
	vip = BACKEND_WORD_VIP(word);
	down = BACKEND_WORD_STATE(word) == BACKEND_DOWN;
	if (BACKEND_WORD_STATE(word) == BACKEND_UNUSED || vip >= s->vip_count)
		return SWEEP_DEAD;
	word = __atomic_load_n(&s->vips[vip].word, __ATOMIC_ACQUIRE);
	if (!VIP_WORD_STATE(word))
		return SWEEP_DEAD;
	record = &s->vips[vip].copy[VIP_WORD_SELECT(word)];
	if (down && !(record->flags & VIP_DEAD_RESET && !(cell_flags(c) & CELL_UDP)))
		return SWEEP_DEAD;
	return sweep_judge(s, record, set, down ? sweep_closed(s, c) : c, res, ret_new);
}

/* Apply a difference of cell_load() to a backend. */
static void sweep_account(const struct sweep *s, __u32 id, __u64 delta)
{
	if (delta && id < s->backend_count)
		__atomic_fetch_add((__u64 *)(void *)&s->loads[id].open, delta, __ATOMIC_RELAXED);
}

static void sweep_count(const struct sweep *s, __u64 c, struct sweep_result *res)
{
	__u64 load = cell_load(c);

	res->cells[cell_state(c)]++;
	res->marks += (cell_flags(c) & CELL_MARKS) != 0;
	if (load && cell_backend(c) < s->backend_count) {
		res->sum[cell_backend(c)].open += (__u32)load;
		res->sum[cell_backend(c)].half += (__u32)(load >> 32);
	}
}

static void sweep_cell(const struct sweep *s, __u32 set, __u64 *cell, struct sweep_result *res)
{
	__u64 old = __atomic_load_n(cell, __ATOMIC_RELAXED), new;
	enum sweep_why why;

	/* Lost: a packet has come meanwhile. What the cell is now must be looked at too, it may be an exception. */
	do {
		why = sweep_look(s, set, old, res, &new);
	} while (new != old &&
		 !__atomic_compare_exchange_n(cell, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (new != old) {
		if (why == SWEEP_PROMOTED || why == SWEEP_KEEP) {
			sweep_account(s, cell_backend(new), cell_load(new) - cell_load(old));
		} else {
			sweep_account(s, cell_backend(old), 0 - cell_load(old));
		}
		res->expired += why == SWEEP_EXPIRED;
		res->dead += why == SWEEP_DEAD;
		res->needless += why == SWEEP_NEEDLESS;
		res->promoted += why == SWEEP_PROMOTED;
	}
	sweep_count(s, new, res);
}

void sweep_range(const struct sweep *s, __u32 first, __u32 count, struct sweep_result *ret_result)
{
	__u32 sets = 1u << s->cfg->flow_sets_log2, set, way;

	for (set = first; set < sets && set - first < count; set++)
		for (way = 0; way < FLOW_WAYS; way++) {
			if (s->flows[set].cell[way])
				sweep_cell(s, set, &s->flows[set].cell[way], ret_result);
			else
				ret_result->cells[CELL_FREE]++;
		}
}

/* Follow one difference; return what to add to the load now. */
static __s32 sweep_follow(__s32 diff, bool quiet, __s32 *least, __u32 *run)
{
	__s32 add = 0;

	if (!diff || (*run && (diff > 0) != (*least > 0))) {
		*run = diff != 0;
		*least = diff;
		return 0;
	}
	if (*run && quiet && diff != *least)
		*run = 0;
	if (!*run || (diff > 0 ? diff < *least : diff > *least))
		*least = diff;
	++*run;
	if (*run >= SWEEP_RUN_BUSY || (quiet && *run >= SWEEP_RUN_QUIET)) {
		add = *least;
		*run = 0;
		*least = 0;
	}
	return add;
}

__u32 sweep_correct(const struct sweep *s, const struct sweep_result *result, struct sweep_drift *drift)
{
	__u32 id, corrected = 0;

	for (id = 0; id < s->backend_count; id++) {
		struct backend_load *load = &s->loads[id];
		struct sweep_drift *d = &drift[id];
		__u64 now = __atomic_load_n((__u64 *)(void *)&load->open, __ATOMIC_RELAXED);
		bool quiet = now == d->load;
		__s32 open, half;

		d->load = now;
		open = sweep_follow((__s32)(result->sum[id].open - (__u32)now), quiet, &d->open, &d->open_run);
		half = sweep_follow((__s32)(result->sum[id].half - (__u32)(now >> 32)), quiet, &d->half, &d->half_run);
		if (!open && !half)
			continue;
		__atomic_fetch_add(&load->open, (__u32)open, __ATOMIC_RELAXED);
		__atomic_fetch_add(&load->half, (__u32)half, __ATOMIC_RELAXED);
		d->load = __atomic_load_n((__u64 *)(void *)&load->open, __ATOMIC_RELAXED);
		corrected++;
	}
	return corrected;
}
