// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make sim`: healthy backends that are called down by mistake, and the time until dead ones are, with a tenth of all
 * packets lost each way, and observers that lie; many deaths at once, observers with a bad way of their own, and what a
 * backend has to bear. Exit status 1 if a figure of COORDINATION.md is missed. Usage: sim_verdict [PROBES [SEED]],
 * PROBES of each line. Not here: the world (tests/sim/verdict_world).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/sim/verdict_measure.h"
#include "lines.h"

#define PROBES		1000000
#define TARGETS		100
#define TIMES		6    /* worlds, of TARGETS / 3 deaths each */
#define LOSS		10   /* as verdict_flock() has it */
#define PLAIN_MIN	50   /* in 10^6 with one liar and no burst, or nothing is shown; some 135 are to be expected */
#define LONE_MIN	3000 /* likewise of a lone checker; some 5,500 */
#define MANY		250  /* targets, where many die */
#define MANY_SEEDS	20
#define FEW		5 /* changes of homes that are called a few */
#define FLAT_MS		600000
#define REPUTED		8 /* balancers */
#define REPUTED_TARGETS 20
#define REPUTED_HOURS	6
#define SPREAD_PCT	10 /* by which probes at one backend may differ with the size of the flock */
#define ITEMS(a)	(sizeof(a) / sizeof(*(a)))

/* Observers, and of them so many that lie. */
struct line {
	size_t seats, liars;
	enum verdict_lie lie;
	bool plain; /* a lone checker without a burst */
};

#define LIES(seats, liars)                                                                                             \
	{(seats), (liars), VERDICT_LIE_DOWN, false}, {(seats), (liars), VERDICT_LIE_UP, false},                        \
		{(seats), (liars), VERDICT_LIE_FLAP, false}, {(seats), (liars), VERDICT_LIE_EQUIVOCATE, false},        \
		{(seats), (liars), VERDICT_LIE_REPLAY, false},                                                         \
	{                                                                                                              \
		(seats), (liars), VERDICT_LIE_SILENT, false                                                            \
	}

/* First those whose figures are to be reached, then f + 1 that lie. */
static const struct line lines[] = {
	{1, 0, 0, true}, {1, 0, 0, false}, {2, 0, 0, false}, {3, 0, 0, false}, {4, 0, 0, false}, {7, 0, 0, false},
	LIES(4, 1),	 LIES(7, 2),	   LIES(2, 1),	     LIES(3, 1),       LIES(4, 2),	 LIES(7, 3),
};

struct ask {
	__u64 probes, seed;
};

static struct verdict_world_options options(const struct line *l, __u64 seed)
{
	struct verdict_world_options o = verdict_flock(l->seats, l->liars, l->lie);

	o.seed = seed;
	o.targets = TARGETS;
	o.pace.plain = l->plain;
	return o;
}

static bool borne(const struct line *l)
{
	return l->liars <= (l->seats - 1) / 3;
}

static void line_name(const struct line *l)
{
	if (l->plain)
		printf("%-46s", "a lone checker, no burst");
	else if (l->liars)
		printf("%zu observers, %zu %-31s", l->seats, l->liars, verdict_lie_text(l->lie));
	else
		printf("%zu observer%-35s", l->seats, l->seats > 1 ? "s" : "");
}

static bool missed_if(bool is)
{
	printf("%s", is ? " MISSED" : "");
	return is;
}

static bool line_end(bool missed)
{
	printf("\n");
	return missed;
}

/* --- false ejections --- */

static double in_million(const struct verdict_false *f)
{
	return 1e6 / (double)f->probes * (double)f->ejected;
}

static void false_print(const struct verdict_false *f)
{
	printf(" %9.1f %8.3f", in_million(f), 100 * f->share);
}

static bool false_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	const struct line *l = &lines[1 + i];
	struct verdict_world_options o = options(l, ask->seed);
	struct verdict_false burst = verdict_measure_false(&o, ask->probes), plain;
	bool missed, many = ask->probes >= PROBES;

	o.pace.plain = true;
	plain = verdict_measure_false(&o, ask->probes);
	line_name(l);
	false_print(&plain);
	printf("  |");
	false_print(&burst);
	missed = missed_if(l->seats > 1 && borne(l) && burst.ejected);
	missed |= missed_if(many && l->seats == 1 && in_million(&plain) < LONE_MIN);
	missed |= missed_if(many && l->seats == 4 && l->liars == 1 && l->lie == VERDICT_LIE_DOWN &&
			    in_million(&plain) < PLAIN_MIN);
	return line_end(missed);
}

static bool false_run(const struct ask *ask)
{
	printf("healthy backends of %d held down, in 10^6 probes, and %% of the time; %d %% of packets lost each way\n",
	       TARGETS, LOSS);
	printf("%-46s %18s  | %18s\n", "", "no burst", "burst");
	return lines_run(ITEMS(lines) - 1, false_one, ask);
}

/* --- times --- */

static struct verdict_times times_of(const struct line *l, __u32 loss, enum verdict_fault_what death, __u64 seed)
{
	struct verdict_world_options o = options(l, seed);
	static struct verdict_times t;

	memset(&t, 0, sizeof(t));
	o.loss = loss;
	for (size_t i = 0; i < TIMES; i++, o.seed++)
		verdict_measure_times(&o, death, &t);
	return t;
}

static void never_print(const struct verdict_times *t)
{
	if (t->missed)
		printf(" (never %zu of %zu; all avoid %zu)", t->missed, t->missed + t->count, t->avoided);
}

static bool times_print(const struct line *l, enum verdict_fault_what death, __u64 seed)
{
	const struct verdict_pace pace = options(l, seed).pace;
	bool held = borne(l) && !l->plain, missed;
	struct verdict_times t = times_of(l, 0, death, seed);
	double slowest = verdict_quantile(t.all_s, t.count, 1), vote = verdict_quantile(t.vote_s, t.count, 1);

	printf(" %5.2f %5.2f %5.2f %5.2f", verdict_quantile(t.first_s, t.count, 0.5),
	       verdict_quantile(t.all_s, t.count, 0.5), slowest, vote);
	never_print(&t);
	missed = missed_if(held && (t.missed || slowest > verdict_bound_s(&pace, death) ||
				    vote > verdict_bound_s(&pace, VERDICT_FAULT_REFUSE)));
	t = times_of(l, LOSS, death, seed);
	printf(" %6.2f %5.2f", verdict_quantile(t.all_s, t.count, 0.5), verdict_quantile(t.all_s, t.count, 0.99));
	never_print(&t);
	return missed_if(held && t.missed) || missed;
}

static bool times_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	bool missed;

	line_name(&lines[i]);
	missed = times_print(&lines[i], VERDICT_FAULT_MUTE, ask->seed);
	printf("  |");
	missed |= times_print(&lines[i], VERDICT_FAULT_REFUSE, ask->seed);
	return line_end(missed);
}

static bool times_run(const struct ask *ask)
{
	const struct verdict_pace pace = options(lines, 1).pace;

	printf("seconds from a death to a verdict: medians of the first node and of all, slowest, and slowest from the "
	       "first honest vote on,\nat most %.1f; then with %d %% lost: all nodes, median and 99 %%\n",
	       verdict_bound_s(&pace, VERDICT_FAULT_REFUSE), LOSS);
	printf("%-46s a black hole, at most %.1f               | refuses, at most %.1f\n", "",
	       verdict_bound_s(&pace, VERDICT_FAULT_MUTE), verdict_bound_s(&pace, VERDICT_FAULT_REFUSE));
	return lines_run(ITEMS(lines), times_one, ask);
}

/* --- many at once --- */

struct die {
	struct line of;
	size_t nodes, dying;
	enum verdict_fault_what death;
	__u32 loss;
};

static const struct die dies[] = {
	{{4, 0, 0, false}, 4, 2, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 4, 100, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 4, 100, VERDICT_FAULT_MUTE, LOSS},
	{{4, 0, 0, false}, 4, 100, VERDICT_FAULT_REFUSE, 0},
	{{4, 1, VERDICT_LIE_UP, false}, 4, 100, VERDICT_FAULT_MUTE, 0},
	{{7, 2, VERDICT_LIE_UP, false}, 7, 100, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 32, 100, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 4, 200, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 4, 200, VERDICT_FAULT_MUTE, LOSS},
	{{4, 0, 0, false}, 4, 200, VERDICT_FAULT_REFUSE, 0},
	{{4, 1, VERDICT_LIE_UP, false}, 4, 200, VERDICT_FAULT_MUTE, 0},
	{{4, 1, VERDICT_LIE_SILENT, false}, 4, 200, VERDICT_FAULT_MUTE, 0},
	{{7, 2, VERDICT_LIE_UP, false}, 7, 200, VERDICT_FAULT_MUTE, 0},
	{{4, 0, 0, false}, 32, 200, VERDICT_FAULT_MUTE, 0},
};

static bool many_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	const struct die *d = &dies[i];
	struct verdict_world_options o = options(&d->of, ask->seed);
	struct verdict_many worst = {0};
	double moments = 0;

	o.nodes = d->nodes;
	o.targets = MANY;
	o.loss = d->loss;
	for (size_t seed = 0; seed < MANY_SEEDS; seed++, o.seed++) {
		struct verdict_many m = verdict_measure_many(&o, d->death, d->dying);

		moments += (double)m.moments / MANY_SEEDS;
		worst.moments = m.moments > worst.moments ? m.moments : worst.moments;
		worst.all_s = m.all_s > worst.all_s ? m.all_s : worst.all_s;
		worst.told_s = m.told_s > worst.told_s ? m.told_s : worst.told_s;
		worst.alive += m.alive;
		worst.ejected += m.ejected;
	}
	printf("%3zu %s, %2u %% lost, %2zu nodes, %zu %-15s %8.1f %5zu %8.2f %6.2f %8zu %6zu", d->dying,
	       d->death == VERDICT_FAULT_MUTE ? "black holes" : "that refuse", d->loss, d->nodes, d->of.liars,
	       d->of.liars ? verdict_lie_text(d->of.lie) : "lie", moments, worst.moments, worst.all_s, worst.told_s,
	       worst.alive, worst.ejected);
	return line_end(missed_if(worst.alive || worst.ejected || worst.moments > FEW));
}

static bool many_run(const struct ask *ask)
{
	printf("many of %d die at once, in %d runs: changes of homes, mean and most of a run; seconds until all nodes "
	       "hold the last one down,\nand until it has come out; the dead that are not held down at the end, and "
	       "times that a healthy one was\n",
	       MANY, MANY_SEEDS);
	return lines_run(ITEMS(dies), many_one, ask);
}

/* --- a bad way of one's own --- */

static const struct bad_way {
	size_t nodes;
	__u32 percent;
} bad_ways[] = {{4, 50}, {4, 80}, {4, 100}, {8, 100}, {32, 50}, {32, 80}, {32, 100}};

static bool uplink_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	const struct bad_way *b = &bad_ways[i];
	const struct line of = {4, 0, 0, false};
	struct verdict_world_options o = options(&of, ask->seed);
	struct verdict_uplink u;

	o.nodes = b->nodes;
	u = verdict_measure_uplink(&o, b->percent);
	printf("%2zu balancers, %3u %% of one's probes %15s", b->nodes, b->percent, "");
	if (u.doubts_s < 0)
		printf("    never");
	else
		printf(" %8.2f", u.doubts_s);
	printf(" %8zu %8zu", u.called, u.ejected);
	return line_end(missed_if(u.ejected || (b->percent == 100 && u.doubts_s < 0)));
}

static bool uplink_run(const struct ask *ask)
{
	printf("one balancer's own way is bad, for 300 s: seconds until it abstains, times that it called one of %d "
	       "healthy backends down,\nand times that another balancer held one down; %d %% of packets lost each way "
	       "besides\n",
	       TARGETS, LOSS);
	return lines_run(ITEMS(bad_ways), uplink_one, ask);
}

/* --- reputations --- */

static const struct reputed {
	enum verdict_mode mode;
	size_t liars;
	enum verdict_lie lie;
} reputed[] = {
	{VERDICT_MODE_REPUTATION, 0, 0},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_DOWN},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_UP},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_FLAP},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_EQUIVOCATE},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_REPLAY},
	{VERDICT_MODE_REPUTATION, 1, VERDICT_LIE_SILENT},
	{VERDICT_MODE_HYBRID, 1, VERDICT_LIE_DOWN},
	{VERDICT_MODE_VOTE, 1, VERDICT_LIE_DOWN},
};

static bool repute_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	const struct reputed *p = &reputed[i];
	const struct line of = {4, p->liars, p->lie, false};
	struct verdict_world_options o = options(&of, ask->seed);
	struct verdict_repute r;
	bool lies = p->liars && p->lie != VERDICT_LIE_SILENT && p->lie != VERDICT_LIE_UP;

	o.nodes = REPUTED;
	o.targets = REPUTED_TARGETS;
	o.rule.mode = p->mode;
	r = verdict_measure_repute(&o, REPUTED_HOURS);
	printf("%-11s %-34s %6u %5u %5u %7u %6u %5zu %5zu %8zu",
	       p->mode == VERDICT_MODE_VOTE	? "vote"
	       : p->mode == VERDICT_MODE_HYBRID ? "hybrid"
						: "reputation",
	       p->liars ? verdict_lie_text(p->lie) : "nobody lies", r.liar[0], r.liar[1], r.liar[REPUTED_HOURS - 1],
	       r.honest[REPUTED_HOURS - 1], r.apart, r.before, r.after, r.ejected);
	return line_end(missed_if(r.ejected || r.honest[REPUTED_HOURS - 1] <= 900 || r.apart > REPUTATION_APART ||
				  (lies && r.liar[REPUTED_HOURS - 1] != ROSTER_REPUTATION_FLOOR)));
}

static bool repute_run(const struct ask *ask)
{
	printf("%d balancers, %d backends of which one dies every 7 minutes, for %d hours, %d %% of packets lost each "
	       "way: the last\nbalancer's reputation after 1, 2 and %d hours, the least of an honest one, by how much "
	       "two accounts differ; backends that\nthe last one observes at first and at the end, and times that a "
	       "healthy one was held down\n",
	       REPUTED, REPUTED_TARGETS, REPUTED_HOURS, LOSS, REPUTED_HOURS);
	return lines_run(ITEMS(reputed), repute_one, ask);
}

/* --- load on a backend --- */

static const size_t flat[] = {4, 8, 16, 32, 64, 128};

static double load_of(size_t nodes, __u64 seed)
{
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = nodes, .seed = seed};
	struct verdict_world *w = verdict_world_new(&o);
	double ret;

	verdict_world_run(w, FLAT_MS, NULL, 0);
	ret = (double)verdict_world_probes(w, 0) / (FLAT_MS / 1000.0);
	verdict_world_free(w);
	return ret;
}

static bool load_one(size_t i, const void *arg)
{
	const struct ask *ask = arg;
	double first = load_of(flat[0], ask->seed), now = load_of(flat[i], ask->seed);

	printf("%3zu balancers %39.3f", flat[i], now);
	return line_end(missed_if(100 * now > (100 + SPREAD_PCT) * first || 100 * now < (100 - SPREAD_PCT) * first));
}

static bool load_run(const struct ask *ask)
{
	printf("probes a second at one backend, by the size of the flock:\n");
	return lines_run(ITEMS(flat), load_one, ask);
}

int main(int argc, char **argv)
{
	struct ask ask = {argc > 1 ? strtoull(argv[1], NULL, 10) : PROBES, argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
	bool missed;

	if (!ask.probes || ask.probes > 100ull * PROBES)
		ask.probes = PROBES;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("verdicts; seed %llu, %llu probes of each line about healthy backends\n", ask.seed, ask.probes);
	missed = false_run(&ask);
	missed |= times_run(&ask);
	missed |= many_run(&ask);
	missed |= uplink_run(&ask);
	missed |= repute_run(&ask);
	missed |= load_run(&ask);
	printf(missed ? "some figures are missed\n" : "every figure is reached\n");
	return missed;
}
