// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make sim`: what a flock does about crashes, stalls and partitions, over many seeds, beside the figures it is to
 * reach. Exit status 1 if one is missed. Usage: sim [SEEDS [FIRST]]. Not here: the flock in virtual time
 * (tests/sim/flock_world).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/sim/flock_world.h"

#define SUBJECTS_MAX 128
#define SEEDS_MAX    1000
#define WARM_MS	     5000
#define STALLS	     7
#define STALL_MS     16384
#define STALL_RUN_MS 4
#define ITEMS(a)     (sizeof(a) / sizeof(*(a)))

/* What nodes 0 to @subjects - 1 did not survive for the others. */
struct log {
	size_t nodes, subjects, wrong;
	struct told {
		size_t count;
		__u64 first_ms, all_ms; /* 0: not yet */
	} told[SUBJECTS_MAX];
};

static void on_change(void *arg, __u64 now_ms, size_t who, size_t subject, enum member_state to)
{
	struct log *log = arg;

	if (to != MEMBER_DEAD)
		return;
	if (subject >= log->subjects) {
		log->wrong++;
		return;
	}
	if (who < log->subjects)
		return;
	if (!log->told[subject].count++)
		log->told[subject].first_ms = now_ms;
	if (log->told[subject].count == log->nodes - log->subjects)
		log->told[subject].all_ms = now_ms;
}

/* --- tables --- */

struct samples {
	double value[SEEDS_MAX * 16];
	size_t count;
};

static int double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double quantile(struct samples *s, double q)
{
	if (!s->count)
		return 0;
	qsort(s->value, s->count, sizeof(*s->value), double_order);
	return s->value[(size_t)(q * (double)(s->count - 1) + 0.5)];
}

static int missed;

static void row(const char *what, double value, double target, const char *unit)
{
	bool bad = target > 0 && value > target;

	missed |= bad;
	printf("%-62s %9.2f %-8s", what, value, unit);
	if (target > 0)
		printf(" (at most %.2f)%s", target, bad ? " MISSED" : "");
	printf("\n");
}

/* --- scenarios --- */

struct crash {
	size_t nodes, crashed;
	__u32 loss;
	double first_s, all_s, p99_s; /* to be reached; 0: not said */
};

static struct sim *warm(struct log *log, size_t nodes, size_t subjects, __u32 loss, __u64 seed)
{
	struct sim_options o = {SIM_OPTIONS,  .nodes = nodes,	   .seed = seed,
				.loss = loss, .change = on_change, .arg = log};
	struct sim *w;

	*log = (struct log){.nodes = nodes, .subjects = subjects};
	w = sim_new(&o);
	sim_run(w, WARM_MS, NULL, 0);
	return w;
}

static void crash_run(const struct crash *c, __u64 first, size_t seeds)
{
	const struct sim_fault fault = {.at_ms = WARM_MS, .count = c->crashed, .what = SIM_CRASH};
	static struct samples some, all;
	struct sim_traffic t;
	size_t i, k, wrong = 0, lost = 0;
	double messages = 0;
	struct log log;
	char text[96];

	some.count = all.count = 0;
	for (i = 0; i < seeds; i++) {
		struct sim *w = warm(&log, c->nodes, c->crashed, c->loss, first + i);

		sim_traffic(w);
		sim_run(w, WARM_MS + 10000, &fault, 1);
		t = sim_traffic(w);
		messages += (double)t.messages / 10 / (double)c->nodes;
		wrong += log.wrong;
		for (k = 0; k < c->crashed; k++) {
			lost += !log.told[k].all_ms;
			if (!log.told[k].all_ms)
				continue;
			some.value[some.count++] = (double)(log.told[k].first_ms - WARM_MS) / 1000;
			all.value[all.count++] = (double)(log.told[k].all_ms - WARM_MS) / 1000;
		}
		sim_free(w);
	}
	snprintf(text, sizeof(text), "%zu of %zu crash, %u %% loss: first knows", c->crashed, c->nodes, c->loss);
	row(text, quantile(&some, 0.5), c->first_s, "s");
	row("    all know", quantile(&all, 0.5), c->all_s, "s");
	row("    all know, 99th percentile", quantile(&all, 0.99), c->p99_s, "s");
	row("    messages a node and second, over 10 s", messages / (double)seeds, 0, "");
	row("    crashed that not all knew of after 10 s", (double)lost, 0, "");
	row("    members held dead that were not", (double)wrong, 0, "");
	missed |= lost || wrong;
}

static void heal_run(size_t nodes, __u64 first, size_t seeds)
{
	const struct sim_fault fault[] = {{.at_ms = WARM_MS, .count = nodes / 2, .what = SIM_PART, .value = 1},
					  {.at_ms = WARM_MS + 60000, .node = SIM_ALL, .what = SIM_PART, .value = 0}};
	static struct samples took;
	struct log log;
	size_t i, k;
	__u64 ms;

	took.count = 0;
	for (i = 0; i < seeds; i++) {
		struct sim *w = warm(&log, nodes, 0, 0, first + i);

		sim_run(w, WARM_MS + 30000, fault, ITEMS(fault));
		for (k = 0; k < nodes; k++)
			sim_publish(w, k, 1, "written in a half");
		for (ms = WARM_MS + 60100; ms < WARM_MS + 90000; ms += 100) {
			sim_run(w, ms, fault, ITEMS(fault));
			if (sim_agreeing(w) == nodes)
				break;
		}
		took.value[took.count++] = (double)(ms - WARM_MS - 60000) / 1000;
		sim_free(w);
	}
	printf("halves of %zu for 60 s:\n", nodes);
	row("    one state after the heal, median", quantile(&took, 0.5), 0, "s");
	row("    slowest", quantile(&took, 1), nodes > 4 ? 5 : 2, "s");
}

static void restart_run(size_t nodes, __u64 first, size_t seeds)
{
	const struct sim_fault fault[] = {{.at_ms = WARM_MS, .node = SIM_ALL, .what = SIM_CRASH},
					  {.at_ms = WARM_MS + 1000, .node = SIM_ALL, .what = SIM_START}};
	static struct samples took;
	struct log log;
	size_t i;
	__u64 ms;

	took.count = 0;
	for (i = 0; i < seeds; i++) {
		struct sim *w = warm(&log, nodes, nodes, 0, first + i);

		for (ms = WARM_MS + 1100; ms < WARM_MS + 30000; ms += 100) {
			sim_run(w, ms, fault, ITEMS(fault));
			if (sim_agreeing(w) == nodes)
				break;
		}
		took.value[took.count++] = (double)(ms - WARM_MS - 1000) / 1000;
		sim_free(w);
	}
	printf("all %zu restarted at once:\n", nodes);
	row("    all are members again, slowest", quantile(&took, 1), 5, "s");
}

/*
 * Lifeguard, table IV, in its own alpha, beta and period, and one of its pairs of anomalies: of 128 nodes 16 stand
 * still for 16.4 s and run for 4 ms by turns, which is less than it takes to hear an answer. What counts are members
 * that run all the time and are held dead by anybody.
 */
static size_t stall_run(bool plain, __u64 first, size_t seeds)
{
	struct sim_options o = {SIM_OPTIONS, .nodes = 128, .change = on_change};
	struct sim_fault fault[STALLS];
	size_t i, wrong = 0;
	struct log log;

	o.delay_us = 2000;
	o.jitter_us = 2000;
	o.opinion.alpha = 5;
	o.opinion.period_ms = 1000;
	o.opinion.gossip_ms = 200;
	o.opinion.plain = plain;
	for (i = 0; i < STALLS; i++)
		fault[i] = (struct sim_fault){.at_ms = 15000 + i * (STALL_MS + STALL_RUN_MS),
					      .count = 16,
					      .what = SIM_STALL,
					      .value = STALL_MS};
	for (i = 0; i < seeds; i++) {
		struct sim *w;

		log = (struct log){.nodes = 128, .subjects = 16};
		o.seed = first + i;
		o.arg = &log;
		w = sim_new(&o);
		sim_run(w, 30000 + STALLS * (STALL_MS + STALL_RUN_MS), fault, STALLS);
		wrong += log.wrong;
		sim_free(w);
	}
	return wrong;
}

static void lifeguard_run(__u64 first, size_t seeds)
{
	size_t swim = stall_run(true, first, seeds), lifeguard = stall_run(false, first, seeds);

	printf("16 of 128 stand still by turns (Lifeguard, table IV: alpha 5, beta 6, period 1 s):\n");
	row("    healthy members held dead, by SWIM", (double)swim, 0, "");
	row("    by Lifeguard", (double)lifeguard, 0, "");
	if (swim)
		row("    of SWIM's", 100.0 * (double)lifeguard / (double)swim, 2, "%");
	else
		printf("    SWIM has none: nothing is shown. MISSED\n");
	missed |= !swim;
}

int main(int argc, char **argv)
{
	static const struct crash crash[] = {
		{2, 1, 0, 0, 0, 0},	   {3, 1, 0, 1.1, 1.2, 1.6}, {5, 1, 0, 0, 0, 0},
		{32, 1, 0, 1.6, 1.8, 0},   {128, 1, 0, 2.0, 2.3, 0}, {128, 16, 10, 2.1, 2.4, 0},
		{1000, 1, 0, 2.8, 3.1, 0},
	};
	size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100, i;
	__u64 first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

	if (!seeds || seeds > SEEDS_MAX)
		seeds = SEEDS_MAX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%zu seeds from %llu on (of the larger flocks fewer)\n", seeds, first);
	for (i = 0; i < ITEMS(crash); i++)
		crash_run(&crash[i], first,
			  crash[i].nodes > 128	? (seeds + 33) / 34
			  : crash[i].nodes > 32 ? (seeds + 3) / 4
						: seeds);
	lifeguard_run(first, (seeds + 19) / 20);
	heal_run(4, first, seeds);
	heal_run(128, first, (seeds + 19) / 20);
	restart_run(3, first, seeds);
	restart_run(128, first, (seeds + 19) / 20);
	return missed;
}
