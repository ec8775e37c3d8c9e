// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make sim`: what a flock does about crashes, stalls and partitions, over many seeds, beside the figures it is to
 * reach. Exit status 1 if one is missed. Usage: sim [SEEDS [FIRST]]. Not here: the flock in virtual time
 * (tests/sim/flock_world).
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tests/sim/flock_world.h"
#include "lines.h"

#define SUBJECTS_MAX	128
#define SEEDS_MAX	1000
#define WARM_MS		5000
#define LARGE		128    /* more nodes than these still pass on pages of their start after WARM_MS */
#define SETTLE_MS	100000 /* and for them no longer; as that takes a minute to compute, */
#define SETTLED_CRASHES 10     /* so many crashes begin from one such flock */
#define CRASH_MS	10000
#define STALLS		64
#define STALL_FIRST_MS	15000
#define STALL_END_MS	135000
#define STALL_RUN_MS	4
#define ITEMS(a)	(sizeof(a) / sizeof(*(a)))

/* What nodes 0 to @subjects - 1 did not survive for the others. */
struct log {
	size_t nodes, subjects, wrong, wrong_healthy; /* held dead that were not; by those that are well themselves */
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
		log->wrong_healthy += who >= log->subjects;
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

static void give_up(const char *lacking)
{
	fprintf(stderr, "sim: lacks %s: %s\n", lacking, strerror(errno));
	exit(1);
}

static void row(const char *what, double value, double target, const char *unit)
{
	bool bad = target > 0 && value >= target + 0.05; /* targets are said to a tenth */

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
	size_t sites;		      /* in a hierarchy; 0: a mesh */
};

static __u64 warm_ms(size_t nodes)
{
	return nodes > LARGE ? SETTLE_MS : WARM_MS;
}

static struct sim *warm(struct log *log, size_t nodes, size_t sites, size_t subjects, __u32 loss, __u64 seed)
{
	struct sim_options o = {SIM_OPTIONS,  .nodes = nodes,	   .seed = seed,
				.loss = loss, .change = on_change, .arg = log};
	struct sim *w;

	o.sites = sites;
	o.opinion.hierarchy = sites > 1;
	*log = (struct log){.nodes = nodes, .subjects = subjects};
	w = sim_new(&o);
	sim_run(w, warm_ms(nodes), NULL, 0);
	return w;
}

/* What came of one crash. */
struct found {
	struct log log;
	struct sim_traffic traffic;
};

/* In a process of its own, so that @w stays as it was. */
static bool crash_one(struct sim *w, struct log *log, const struct crash *c, __u64 seed, struct found *found)
{
	const __u64 from_ms = warm_ms(c->nodes);
	const struct sim_fault fault = {.at_ms = from_ms, .count = c->crashed, .what = SIM_CRASH};
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		sim_reseed(w, seed);
		sim_traffic(w);
		sim_run(w, from_ms + CRASH_MS, &fault, 1);
		found->traffic = sim_traffic(w);
		found->log = *log;
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void crash_run(const struct crash *c, __u64 first, size_t seeds)
{
	const double from_s = (double)warm_ms(c->nodes) / 1000;
	const size_t share = c->nodes > LARGE ? SETTLED_CRASHES : 1;
	struct found *found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct samples some, all;
	size_t i, k, wrong = 0, lost = 0;
	struct sim *w = NULL;
	double messages = 0;
	struct log log;
	char text[96];

	if (found == MAP_FAILED)
		give_up("memory to share with a child");
	some.count = all.count = 0;
	for (i = 0; i < seeds; i++) {
		if (i % share == 0) {
			if (w)
				sim_free(w);
			w = warm(&log, c->nodes, c->sites, c->crashed, c->loss, first + i);
		}
		if (!crash_one(w, &log, c, first + i, found))
			give_up("a child that ends well");
		messages += (double)found->traffic.messages * 1000 / CRASH_MS / (double)c->nodes;
		wrong += found->log.wrong;
		for (k = 0; k < c->crashed; k++) {
			const struct told *told = &found->log.told[k];

			lost += !told->all_ms;
			if (!told->all_ms)
				continue;
			some.value[some.count++] = (double)told->first_ms / 1000 - from_s;
			all.value[all.count++] = (double)told->all_ms / 1000 - from_s;
		}
	}
	if (w)
		sim_free(w);
	munmap(found, sizeof(*found));
	snprintf(text, sizeof(text), "%zu of %zu%s crash, %u %% loss: first knows", c->crashed, c->nodes,
		 c->sites ? " in 4 sites, a hierarchy," : "", c->loss);
	row(text, quantile(&some, 0.5), c->first_s, "s");
	row("    all know", quantile(&all, 0.5), c->all_s, "s");
	row("    all know, 99th percentile", quantile(&all, 0.99), c->p99_s, "s");
	row("    messages a node and second, over 10 s", messages / (double)seeds, 0, "");
	row("    crashed that not all knew of after 10 s", (double)lost, 0, "");
	row("    members held dead that were not", (double)wrong, 0, "");
	missed |= lost || (wrong && !c->loss);
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
		struct sim *w = warm(&log, nodes, 0, 0, 0, first + i);

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
		struct sim *w = warm(&log, nodes, 0, nodes, 0, first + i);

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

/* A flock at rest, once the news of its start have gone round: what each sends does not grow with it. */
static void idle_run(size_t nodes, size_t sites, __u64 first)
{
	struct sim_options o = {SIM_OPTIONS, .nodes = nodes, .sites = sites, .seed = first};
	__u64 settled_ms = nodes > LARGE ? SETTLE_MS : 30000;
	struct sim *w;
	struct sim_traffic t;
	char text[96];

	o.opinion.hierarchy = sites > 1;
	w = sim_new(&o);
	sim_run(w, settled_ms, NULL, 0);
	sim_traffic(w);
	sim_run(w, settled_ms + 10000, NULL, 0);
	t = sim_traffic(w);
	sim_free(w);
	snprintf(text, sizeof(text), "%zu at rest: messages a node and second", nodes);
	row(text, (double)t.messages / 10 / (double)nodes, nodes > 1 ? 11 : 0, "");
	missed |= nodes == 1 && t.messages;
	row("    kB", (double)t.bytes / 10000 / (double)nodes, 0, "kB");
	if (sites)
		row("    in 4 sites, a hierarchy: of all messages, between sites",
		    100.0 * (double)t.far_messages / (double)t.messages, 0, "%");
}

/* What comes of members that stand still by turns. */
struct stalls {
	size_t wrong, wrong_healthy;
	struct samples first_s; /* from the first standstill to the first who knows */
};

/*
 * Lifeguard, table IV, in its own beta and period, and over some of its pairs of anomalies: of 128 nodes some stand
 * still for long and run for 4 ms by turns, which is less than it takes to hear an answer. What counts as wrong are
 * members that run all the time and are held dead.
 */
static const struct anomaly {
	size_t nodes;
	__u32 stall_ms;
} anomaly[] = {{8, 2048},   {16, 2048}, {32, 2048},  {8, 16384}, {16, 16384},
	       {32, 16384}, {8, 32768}, {16, 32768}, {32, 32768}};

static void stall_one(const struct anomaly *a, struct sim_options o, struct stalls *ret)
{
	struct log log = {.nodes = o.nodes, .subjects = a->nodes};
	struct sim_fault fault[STALLS];
	size_t count = 0, k;
	struct sim *w;

	for (__u64 at = STALL_FIRST_MS; at < STALL_END_MS && count < STALLS; at += a->stall_ms + STALL_RUN_MS) {
		fault[count] = (struct sim_fault){.at_ms = at, .what = SIM_STALL, .value = a->stall_ms};
		fault[count++].count = a->nodes;
	}
	o.arg = &log;
	w = sim_new(&o);
	sim_run(w, STALL_END_MS + STALL_FIRST_MS, fault, count);
	sim_free(w);
	ret->wrong += log.wrong;
	ret->wrong_healthy += log.wrong_healthy;
	for (k = 0; k < log.subjects; k++)
		if (log.told[k].count && ret->first_s.count < ITEMS(ret->first_s.value))
			ret->first_s.value[ret->first_s.count++] =
				((double)log.told[k].first_ms - STALL_FIRST_MS) / 1000;
}

static void stall_run(struct stalls *ret, bool plain, __u32 alpha, __u64 first, size_t seeds)
{
	struct sim_options o = {SIM_OPTIONS, .nodes = 128, .change = on_change};
	size_t i;

	o.delay_us = 2000;
	o.jitter_us = 2000;
	o.opinion.alpha = alpha;
	o.opinion.period_ms = 1000;
	o.opinion.gossip_ms = 200;
	o.opinion.plain = plain;
	memset(ret, 0, sizeof(*ret));
	for (o.seed = first; o.seed < first + seeds; o.seed++)
		for (i = 0; i < ITEMS(anomaly); i++)
			stall_one(&anomaly[i], o, ret);
}

static void lifeguard_run(__u32 alpha, double target, double target_healthy, __u64 first, size_t seeds)
{
	static struct stalls swim, lifeguard;

	stall_run(&swim, true, alpha, first, seeds);
	stall_run(&lifeguard, false, alpha, first, seeds);
	printf("8, 16 or 32 of 128 stand still by turns (Lifeguard, table IV: beta 6, period 1 s), alpha %u:\n", alpha);
	row("    healthy members held dead, by SWIM", (double)swim.wrong, 0, "");
	row("    by Lifeguard", (double)lifeguard.wrong, 0, "");
	row("    the same at healthy members, by SWIM", (double)swim.wrong_healthy, 0, "");
	row("    by Lifeguard", (double)lifeguard.wrong_healthy, 0, "");
	missed |= !swim.wrong; /* then nothing is shown */
	if (swim.wrong)
		row("    of SWIM's, beside the published figure", 100.0 * (double)lifeguard.wrong / (double)swim.wrong,
		    target, "%");
	if (swim.wrong_healthy)
		row("    at healthy members", 100.0 * (double)lifeguard.wrong_healthy / (double)swim.wrong_healthy,
		    target_healthy, "%");
	row("    one that stands still is first held dead, by SWIM, median", quantile(&swim.first_s, 0.5), 0, "s");
	row("    by Lifeguard, of SWIM's", quantile(&lifeguard.first_s, 0.5) / quantile(&swim.first_s, 0.5), 1.3, "");
}

/* --- lines, each in a process of its own, so @missed is its own as well; what takes longest comes first --- */

struct ask {
	__u64 first;
	size_t seeds;
};

static const struct {
	size_t nodes, sites;
} idle[] = {{1000, 0}, {128, 4}, {128, 0}, {32, 0}, {5, 0}, {3, 0}, {2, 0}, {1, 0}};

static bool idle_line(size_t i, const void *arg)
{
	const struct ask *ask = arg;

	idle_run(idle[i].nodes, idle[i].sites, ask->first);
	return missed;
}

static const struct crash crash[] = {
	{1000, 1, 0, 2.8, 3.1, 0, 0}, {128, 16, 10, 2.1, 2.4, 0, 0}, {128, 1, 0, 0, 0, 0, 4},
	{128, 1, 0, 2.0, 2.3, 0, 0},  {32, 1, 0, 1.6, 1.8, 0, 0},    {5, 1, 0, 0, 0, 0, 0},
	{3, 1, 0, 1.1, 1.2, 1.6, 0},  {2, 1, 0, 0, 0, 0, 0},
};

static bool crash_line(size_t i, const void *arg)
{
	const struct ask *ask = arg;

	crash_run(&crash[i], ask->first, crash[i].nodes > LARGE ? (ask->seeds * 3 + 99) / 100 : ask->seeds);
	return missed;
}

static bool lifeguard_line(size_t i, const void *arg)
{
	const struct ask *ask = arg;

	if (i)
		lifeguard_run(4, 4, 6, ask->first, (ask->seeds + 99) / 100);
	else
		lifeguard_run(5, 2, 2.5, ask->first, (ask->seeds + 99) / 100);
	return missed;
}

static bool heal_line(size_t i, const void *arg)
{
	const struct ask *ask = arg;

	if (i)
		heal_run(128, ask->first, (ask->seeds + 19) / 20);
	else
		heal_run(4, ask->first, ask->seeds);
	return missed;
}

static bool restart_line(size_t i, const void *arg)
{
	const struct ask *ask = arg;

	if (i)
		restart_run(128, ask->first, (ask->seeds + 19) / 20);
	else
		restart_run(3, ask->first, ask->seeds);
	return missed;
}

int main(int argc, char **argv)
{
	struct ask ask = {argc > 2 ? strtoul(argv[2], NULL, 10) : 1, argc > 1 ? strtoul(argv[1], NULL, 10) : SEEDS_MAX};

	if (!ask.seeds || ask.seeds > SEEDS_MAX)
		ask.seeds = SEEDS_MAX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%zu seeds from %llu on (three in a hundred of them where there are 1000 nodes, one where many stand "
	       "still, five where 128 restart or are cut in halves)\n",
	       ask.seeds, ask.first);
	missed |= lines_run(ITEMS(idle), idle_line, &ask);
	missed |= lines_run(ITEMS(crash), crash_line, &ask);
	missed |= lines_run(2, lifeguard_line, &ask);
	missed |= lines_run(2, heal_line, &ask);
	missed |= lines_run(2, restart_line, &ask);
	printf(missed ? "some figures are missed\n" : "every figure is reached\n");
	return missed;
}
