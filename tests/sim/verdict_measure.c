// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_measure.h.
 */
#include "verdict_measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define APART_MS  97 /* from one death to the next: against an interval of a round number, another moment each time */
#define DYING	  3  /* one target of so many: if more died their observers would doubt themselves first */
#define AFTER_MS  15000
#define STEP_MS	  60000
#define MANY_MS	  30000 /* from the death of many to the end */
#define UPLINK_MS 300000
#define LOSS	  10

struct verdict_world_options verdict_flock(size_t nodes, size_t liars, enum verdict_lie lie)
{
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = nodes, .liars = liars, .lie = lie, .seed = 1,
					  .loss = LOSS};

	o.rule.mode = nodes < 4 ? VERDICT_MODE_MAJORITY : VERDICT_MODE_VOTE;
	o.rule.liars = nodes == 7 ? 2 : 1;
	return o;
}

static __u64 probes_all(const struct verdict_world *w, size_t targets)
{
	__u64 sum = 0;

	for (size_t i = 0; i < targets; i++)
		sum += verdict_world_probes(w, i);
	return sum;
}

/* --- healthy targets --- */

struct held_down {
	size_t times;
	__u64 down_ms, since_ms[VERDICT_TARGETS_MAX]; /* UINT64_MAX: it is not */
};

static void on_false(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		     enum verdict_source source, __u64 since_ms)
{
	struct held_down *held = arg;
	__u64 *since = &held->since_ms[target];

	(void)source;
	(void)since_ms;
	if (node || (state == VERDICT_DOWN) == (*since != UINT64_MAX))
		return;
	if (state == VERDICT_DOWN) {
		held->times++;
		*since = now_ms;
		return;
	}
	held->down_ms += now_ms - *since;
	*since = UINT64_MAX;
}

struct verdict_false verdict_measure_false(const struct verdict_world_options *options, __u64 probes)
{
	struct verdict_world_options o = *options;
	struct held_down held = {0};
	struct verdict_false ret = {0};
	struct verdict_world *w;
	__u64 ms = 0;
	size_t i;

	memset(held.since_ms, 0xff, sizeof(held.since_ms));
	o.changed = on_false;
	o.arg = &held;
	w = verdict_world_new(&o);
	while (ret.probes < probes) {
		verdict_world_run(w, ms += STEP_MS, NULL, 0);
		ret.probes = probes_all(w, o.targets);
	}
	verdict_world_free(w);
	for (i = 0; i < o.targets; i++)
		held.down_ms += held.since_ms[i] == UINT64_MAX ? 0 : ms - held.since_ms[i];
	ret.ejected = held.times;
	ret.share = (double)held.down_ms / (double)ms / (double)o.targets;
	return ret;
}

/* --- deaths, one by one --- */

struct deaths {
	struct death {
		__u64 at_ms, first_ms, all_ms; /* 0: at once, it was held down before */
		__u64 vote_ms;		       /* likewise */
	} death[VERDICT_TARGETS_MAX];
};

static void on_death(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		     enum verdict_source source, __u64 since_ms)
{
	struct death *death = &((struct deaths *)arg)->death[target];

	(void)now_ms;
	(void)node;
	(void)source;
	if (state != VERDICT_DOWN || since_ms < death->at_ms)
		return;
	if (!death->first_ms || since_ms < death->first_ms)
		death->first_ms = since_ms;
	if (since_ms > death->all_ms)
		death->all_ms = since_ms;
}

static void on_death_vote(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state)
{
	struct death *death = &((struct deaths *)arg)->death[target];

	(void)node;
	if (state == VERDICT_DOWN && now_ms >= death->at_ms && !death->vote_ms)
		death->vote_ms = now_ms;
}

static double between_s(__u64 from_ms, __u64 to_ms)
{
	return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

static int double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static bool avoided(struct verdict_world *w, size_t nodes, size_t target)
{
	struct verdict_view view;

	for (size_t i = 0; i < nodes; i++)
		if (verdict_view(verdict_world_node(w, i), verdict_world_target(target), &view) || !view.own_down)
			return false;
	return true;
}

void verdict_measure_times(const struct verdict_world_options *options, enum verdict_fault_what death,
			   struct verdict_times *ret)
{
	struct verdict_world_options o = *options;
	static struct verdict_fault fault[VERDICT_TARGETS_MAX];
	static struct deaths d;
	struct verdict_world *w;
	size_t i, dying = o.targets / DYING, honest = o.nodes - o.liars;

	memset(&d, 0, sizeof(d));
	for (i = 0; i < dying; i++) {
		fault[i] = (struct verdict_fault){VERDICT_WARM_MS + i * APART_MS, death, i, 1, 0};
		d.death[i].at_ms = fault[i].at_ms;
	}
	o.changed = on_death;
	o.voted = on_death_vote;
	o.arg = &d;
	w = verdict_world_new(&o);
	verdict_world_run(w, VERDICT_WARM_MS + dying * APART_MS + AFTER_MS, fault, dying);
	for (i = 0; i < dying && ret->count < VERDICT_TIMES_MAX; i++) {
		const struct death *it = &d.death[i];

		if (verdict_world_agreeing(w, i, VERDICT_DOWN) < honest) {
			ret->missed++;
			ret->avoided += avoided(w, honest, i);
			continue;
		}
		ret->first_s[ret->count] = between_s(it->at_ms, it->first_ms);
		ret->vote_s[ret->count] = it->vote_ms ? between_s(it->vote_ms, it->all_ms) : 0;
		ret->all_s[ret->count++] = between_s(it->at_ms, it->all_ms);
	}
	verdict_world_free(w);
	qsort(ret->first_s, ret->count, sizeof(*ret->first_s), double_order);
	qsort(ret->all_s, ret->count, sizeof(*ret->all_s), double_order);
	qsort(ret->vote_s, ret->count, sizeof(*ret->vote_s), double_order);
}

/* --- many at once --- */

struct many {
	size_t dying, ejected;
	__u64 all_ms, told_ms;
	struct {
		size_t moments;
		__u64 last_ms;
		bool down[VERDICT_TARGETS_MAX];
	} node[VERDICT_NODES_MAX];
};

static void on_many(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		    enum verdict_source source, __u64 since_ms)
{
	struct many *m = arg;
	bool was = m->node[node].down[target];

	(void)source;
	m->node[node].down[target] = state == VERDICT_DOWN;
	if (state != VERDICT_DOWN || was)
		return; /* by whose word is no change of homes */
	if (target >= m->dying) {
		m->ejected++;
		return;
	}
	m->all_ms = since_ms > m->all_ms ? since_ms : m->all_ms;
	m->told_ms = now_ms;
	m->node[node].moments += now_ms != m->node[node].last_ms;
	m->node[node].last_ms = now_ms;
}

struct verdict_many verdict_measure_many(const struct verdict_world_options *options, enum verdict_fault_what death,
					 size_t dying)
{
	const struct verdict_fault fault = {VERDICT_WARM_MS, death, 0, dying, 0};
	struct verdict_world_options o = *options;
	static struct many m;
	struct verdict_many ret = {0};
	struct verdict_world *w;
	size_t i;

	m = (struct many){.dying = dying};
	o.changed = on_many;
	o.arg = &m;
	w = verdict_world_new(&o);
	verdict_world_run(w, VERDICT_WARM_MS + MANY_MS, &fault, 1);
	for (i = 0; i < dying; i++)
		ret.alive += verdict_world_agreeing(w, i, VERDICT_DOWN) < o.nodes - o.liars;
	verdict_world_free(w);
	for (i = 0; i < o.nodes; i++)
		ret.moments = m.node[i].moments > ret.moments ? m.node[i].moments : ret.moments;
	ret.ejected = m.ejected;
	ret.all_s = between_s(VERDICT_WARM_MS, m.all_ms);
	ret.told_s = between_s(VERDICT_WARM_MS, m.told_ms);
	return ret;
}

/* --- a bad way of one's own --- */

struct uplink {
	size_t node;
	struct verdict_uplink sum;
};

static void on_uplink(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		      enum verdict_source source, __u64 since_ms)
{
	struct uplink *u = arg;

	(void)now_ms;
	(void)target;
	(void)source;
	(void)since_ms;
	u->sum.ejected += state == VERDICT_DOWN && node != u->node;
}

static void on_uplink_vote(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state)
{
	struct uplink *u = arg;

	(void)now_ms;
	(void)target;
	u->sum.called += state == VERDICT_DOWN && node == u->node;
}

struct verdict_uplink verdict_measure_uplink(const struct verdict_world_options *options, __u32 percent)
{
	struct uplink u = {options->nodes - options->liars - 1, {.doubts_s = -1}};
	const struct verdict_fault fault = {VERDICT_WARM_MS, VERDICT_FAULT_BLIND, u.node, 1, percent};
	struct verdict_world_options o = *options;
	struct verdict_world *w;

	o.changed = on_uplink;
	o.voted = on_uplink_vote;
	o.arg = &u;
	w = verdict_world_new(&o);
	for (__u64 ms = VERDICT_WARM_MS; ms <= VERDICT_WARM_MS + UPLINK_MS; ms += 10) {
		verdict_world_run(w, ms, &fault, 1);
		if (u.sum.doubts_s < 0 && verdict_doubts(verdict_world_node(w, u.node)))
			u.sum.doubts_s = between_s(VERDICT_WARM_MS, ms);
	}
	verdict_world_free(w);
	return u.sum;
}

/* --- reputations --- */

#define MINUTE_MS     60000
#define HOUR_MS	      3600000
#define DEATH_EACH_MS (7 * MINUTE_MS)
#define DEAD_MS	      (2 * MINUTE_MS)
#define DYING_MS      MINUTE_MS /* before which, and after which, all may hold something else */

struct repute {
	size_t targets, ejected;
};

/* Of the deaths one after the other: when the last one that is over or has begun did, and whose it was. */
static __u64 death_before(__u64 now_ms, size_t targets, size_t *ret_target)
{
	__u64 number = now_ms / DEATH_EACH_MS;

	*ret_target = number % targets;
	return number * DEATH_EACH_MS;
}

static void on_repute(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		      enum verdict_source source, __u64 since_ms)
{
	struct repute *r = arg;
	size_t dying;
	__u64 at_ms = death_before(now_ms, r->targets, &dying);

	(void)node;
	(void)source;
	(void)since_ms;
	r->ejected += state == VERDICT_DOWN && (target != dying || !at_ms || now_ms > at_ms + DEAD_MS + DYING_MS);
}

static size_t faults_make(__u64 end_ms, size_t targets, struct verdict_fault *ret)
{
	size_t count = 0, target;

	for (__u64 at_ms = DEATH_EACH_MS; at_ms + DEAD_MS < end_ms; at_ms += DEATH_EACH_MS) {
		death_before(at_ms, targets, &target);
		ret[count++] = (struct verdict_fault){at_ms, VERDICT_FAULT_MUTE, target, 1, 0};
		ret[count++] = (struct verdict_fault){at_ms + DEAD_MS, VERDICT_FAULT_HEAL, target, 1, 0};
	}
	return count;
}

/* What a node says of votes goes to its account. */
static void account(struct verdict_world *w, size_t node, __u64 now_ms, struct reputation *r)
{
	struct reputation_seen seen[VERDICT_NODES_MAX];
	size_t count = verdict_judged(verdict_world_node(w, node), seen, VERDICT_NODES_MAX);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(reputation_see(r, now_ms, &seen[i]), 0);
}

static size_t observed(const struct verdict_world *w, const struct verdict_world_options *o, __u64 id)
{
	struct verdict_seats seats;
	size_t count = 0;

	for (size_t i = 0; i < o->targets; i++) {
		verdict_seats_draw(verdict_world_roster(w), &o->rule, verdict_world_target(i), &seats);
		count += verdict_seat_of(&seats, id) >= 0;
	}
	return count;
}

static void hour(struct verdict_world *w, const struct verdict_world_options *o, size_t at, __u64 now_ms,
		 const struct reputation account[2], struct verdict_repute *ret)
{
	struct roster roster;

	assert_int_equal(roster_copy(&roster, verdict_world_roster(w)), 0);
	reputation_vote(&account[0], now_ms, &roster);
	verdict_world_weigh(w, &roster);
	ret->honest[at] = ROSTER_REPUTATION_FULL;
	for (size_t i = 0; i < o->nodes; i++) {
		const struct roster_node *node = roster_find_id(&roster, verdict_world_id(w, i));
		__u32 is = roster_reputation(node), a = reputation_of(&account[0], now_ms, node->id),
		      b = reputation_of(&account[1], now_ms, node->id), apart = a > b ? a - b : b - a;

		ret->apart = apart > ret->apart ? apart : ret->apart;
		if (i + 1 == o->nodes)
			ret->liar[at] = is;
		if (i < o->nodes - o->liars && is < ret->honest[at])
			ret->honest[at] = is;
	}
	roster_free(&roster);
}

struct verdict_repute verdict_measure_repute(const struct verdict_world_options *options, size_t hours)
{
	struct verdict_fault fault[2 * VERDICT_HOURS_MAX * HOUR_MS / DEATH_EACH_MS + 2];
	struct verdict_world_options o = *options;
	struct repute r = {.targets = o.targets};
	struct reputation counted[2] = {{.since_ms = 1}, {.since_ms = 1}};
	struct verdict_repute ret = {0};
	struct verdict_world *w;
	size_t faults = faults_make(hours * HOUR_MS, o.targets, fault);

	o.changed = on_repute;
	o.arg = &r;
	w = verdict_world_new(&o);
	ret.before = observed(w, &o, verdict_world_id(w, o.nodes - 1));
	for (__u64 ms = MINUTE_MS; ms <= hours * HOUR_MS; ms += MINUTE_MS) {
		verdict_world_run(w, ms, fault, faults);
		for (size_t i = 0; i < 2; i++)
			account(w, i, ms, &counted[i]);
		if (ms % HOUR_MS == 0)
			hour(w, &o, ms / HOUR_MS - 1, ms, counted, &ret);
	}
	ret.after = observed(w, &o, verdict_world_id(w, o.nodes - 1));
	ret.ejected = r.ejected;
	verdict_world_free(w);
	reputation_free(&counted[0]);
	reputation_free(&counted[1]);
	return ret;
}

double verdict_quantile(const double *sorted, size_t count, double q)
{
	return count ? sorted[(size_t)(q * (double)(count - 1) + 0.5)] : 0;
}

double verdict_bound_s(const struct verdict_pace *pace, enum verdict_fault_what death)
{
	__u32 ms = death == VERDICT_FAULT_REFUSE ? 2 * pace->interval_ms
						 : pace->fall * pace->interval_ms + 2 * pace->timeout_ms;

	return (ms + 300) / 1000.0;
}
