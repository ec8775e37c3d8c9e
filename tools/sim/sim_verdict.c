// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make sim`: healthy backends that are called down by mistake, and the time until dead ones are, with a tenth of all
 * packets lost each way, and observers that lie. Exit status 1 if a figure of COORDINATION.md is missed. Usage:
 * sim_verdict [PROBES [SEED]], PROBES of each line. Not here: the world (tests/sim/verdict_world).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/sim/verdict_measure.h"

#define PROBES	   1000000
#define TARGETS	   100
#define TIMES	   6 /* worlds, of TARGETS / 3 deaths each */
#define LOSS	   10
#define PLAIN_MIN  50	/* in 10^6 with one liar and no burst, or nothing is shown; some 135 are to be expected */
#define LONE_MIN   3000 /* likewise of a lone checker; some 5,500 */
#define FLAT_MS	   600000
#define SPREAD_PCT 10 /* by which probes at one backend may differ with the size of the flock */
#define ITEMS(a)   (sizeof(a) / sizeof(*(a)))

static int missed;

/* Observers, and of them so many that lie. */
struct line {
	size_t seats, liars;
	enum verdict_lie lie;
};

static struct verdict_world_options options(const struct line *l, bool plain, __u64 seed)
{
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .nodes = l->seats, .liars = l->liars, .lie = l->lie};

	o.seed = seed;
	o.loss = LOSS;
	o.targets = TARGETS;
	o.rule.mode = l->seats < 4 ? VERDICT_MODE_MAJORITY : VERDICT_MODE_VOTE;
	o.rule.liars = l->seats == 7 ? 2 : 1;
	o.pace.plain = plain;
	return o;
}

static size_t liars_borne(size_t seats)
{
	return (seats - 1) / 3;
}

static void line_name(const struct line *l)
{
	if (l->liars)
		printf("%zu observers, %zu %-30s", l->seats, l->liars, verdict_lie_text(l->lie));
	else
		printf("%zu observer%-34s ", l->seats, l->seats > 1 ? "s" : "");
}

static void missed_if(bool is)
{
	printf("%s", is ? " MISSED" : "");
	missed |= is;
}

/* --- false ejections --- */

static void false_one(const struct line *l, __u64 probes, __u64 seed)
{
	struct verdict_world_options o = options(l, true, seed);
	struct verdict_false plain = verdict_measure_false(&o, probes), burst;
	double of = 1e6 / (double)plain.probes;

	o.pace.plain = false;
	burst = verdict_measure_false(&o, probes);
	line_name(l);
	printf("%12.1f %12.1f %9zu of %llu", of * (double)plain.certified,
	       1e6 / (double)burst.probes * (double)burst.certified, burst.certified, burst.probes);
	missed_if(l->seats > 1 && l->liars <= liars_borne(l->seats) && burst.certified);
	missed_if(probes >= PROBES && l->seats == 1 && of * (double)plain.certified < LONE_MIN);
	missed_if(probes >= PROBES && l->seats == 4 && l->liars == 1 && l->lie == VERDICT_LIE_DOWN &&
		  of * (double)plain.certified < PLAIN_MIN);
	printf("\n");
}

/* --- times --- */

static struct verdict_times times_of(const struct line *l, __u32 loss, enum verdict_fault_what death, __u64 seed)
{
	struct verdict_world_options o = options(l, false, seed);
	static struct verdict_times t;

	memset(&t, 0, sizeof(t));
	o.loss = loss;
	for (size_t i = 0; i < TIMES; i++, o.seed++)
		verdict_measure_times(&o, death, &t);
	return t;
}

static void times_print(const struct line *l, enum verdict_fault_what death, __u64 seed)
{
	struct verdict_times t = times_of(l, 0, death, seed);
	const struct verdict_pace pace = options(l, false, seed).pace;
	double bound = verdict_bound_s(&pace, death);
	bool borne = l->liars <= liars_borne(l->seats);

	printf(" %6.2f %6.2f %6.2f", verdict_quantile(t.first_s, t.count, 0.5), verdict_quantile(t.all_s, t.count, 0.5),
	       verdict_quantile(t.all_s, t.count, 1));
	missed_if(borne && (t.missed || verdict_quantile(t.all_s, t.count, 1) > bound));
	t = times_of(l, LOSS, death, seed);
	printf(" %6.2f %6.2f", verdict_quantile(t.all_s, t.count, 0.5), verdict_quantile(t.all_s, t.count, 0.99));
	missed_if(borne && t.missed);
	if (t.missed)
		printf(" (%zu never)", t.missed);
}

static void times_one(const struct line *l, __u64 seed)
{
	line_name(l);
	times_print(l, VERDICT_FAULT_MUTE, seed);
	printf("  |");
	times_print(l, VERDICT_FAULT_REFUSE, seed);
	printf("\n");
}

/* --- load on a backend --- */

static void load_run(__u64 seed)
{
	static const size_t nodes[] = {4, 8, 16, 32, 64, 128};
	struct verdict_world_options o = {VERDICT_WORLD_OPTIONS, .seed = seed};
	double first = 0, now;

	printf("probes a second at one backend, by the size of the flock:\n");
	for (size_t i = 0; i < ITEMS(nodes); i++) {
		struct verdict_world *w;

		o.nodes = nodes[i];
		w = verdict_world_new(&o);
		verdict_world_run(w, FLAT_MS, NULL, 0);
		now = (double)verdict_world_probes(w, 0) / (FLAT_MS / 1000.0);
		verdict_world_free(w);
		printf("    %3zu balancers %38.3f", nodes[i], now);
		first = i ? first : now;
		missed_if(100 * now > (100 + SPREAD_PCT) * first || 100 * now < (100 - SPREAD_PCT) * first);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	static const struct line lone[] = {{1, 0, 0}, {2, 0, 0}, {3, 0, 0}, {4, 0, 0}, {7, 0, 0}};
	static const struct line more[] = {{4, 2, VERDICT_LIE_DOWN},   {4, 2, VERDICT_LIE_UP},
					   {4, 2, VERDICT_LIE_FLAP},   {4, 2, VERDICT_LIE_EQUIVOCATE},
					   {4, 2, VERDICT_LIE_SILENT}, {7, 3, VERDICT_LIE_DOWN}};
	__u64 probes = argc > 1 ? strtoull(argv[1], NULL, 10) : PROBES,
	      seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const struct verdict_pace pace = options(lone, false, 1).pace;
	struct line line[ITEMS(lone) + 2 * VERDICT_LIES + ITEMS(more)];
	size_t count = 0, i;

	if (!probes || probes > 100ull * PROBES)
		probes = PROBES;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ITEMS(lone); i++)
		line[count++] = lone[i];
	for (i = 0; i < 2 * VERDICT_LIES; i++)
		line[count++] = (struct line){i < VERDICT_LIES ? 4 : 7, i < VERDICT_LIES ? 1 : 2, i % VERDICT_LIES};
	for (i = 0; i < ITEMS(more); i++)
		line[count++] = more[i];
	printf("healthy backends called down, in 10^6 probes; %d %% of packets lost each way, seed %llu; the first "
	       "line is "
	       "a lone checker.\nWhere more lie than are borne what is called down may stay so: there are %d "
	       "backends.\n%-45s%12s %12s\n",
	       LOSS, seed, TARGETS, "", "no burst", "burst");
	for (i = 0; i < count; i++)
		false_one(&line[i], probes, seed);
	printf("seconds to a verdict: first node and all nodes, medians, and the slowest; with %d %% lost: all nodes, "
	       "median and 99 %%\n%-45s a black hole, at most %.1f           | refuses, at most %.1f\n",
	       LOSS, "", verdict_bound_s(&pace, VERDICT_FAULT_MUTE), verdict_bound_s(&pace, VERDICT_FAULT_REFUSE));
	for (i = 0; i < count; i++)
		times_one(&line[i], seed);
	load_run(seed);
	printf(missed ? "some figures are missed\n" : "every figure is reached\n");
	return missed;
}
