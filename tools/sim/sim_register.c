// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make sim`, second part: what the register stands, over many seeds. Exit status 1 if anything is violated, or if a
 * voter that breaks the rules is not caught. Usage: sim_register [SEEDS [FIRST]]; SEEDS as of sim, a hundred times as
 * many runs. Not here: the register in virtual time (tests/sim/register_world).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "../../tests/sim/register_world.h"

#define SEEDS_MAX    1000
#define RUNS	     100 /* of each seed that was asked for */
#define OLDER_MOST   1
#define BROKEN_SEEDS 1000
#define SHOWN_MAX    20 /* seeds that failed */

struct sums {
	size_t bad, quorum;
	struct register_result all;
};

static void row(const char *what, double value)
{
	printf("    %-70s %12.0f\n", what, value);
}

static void sums_add(struct sums *sums, const struct register_result *r)
{
	sums->bad += r->violation != REGISTER_SEEN_NONE;
	sums->quorum += r->quorum;
	sums->all.ops += r->ops;
	sums->all.confirmed += r->confirmed;
	sums->all.unknown += r->unknown;
	sums->all.failed += r->failed;
	sums->all.versions += r->versions;
	sums->all.messages += r->messages;
	sums->all.changes += r->changes;
	for (size_t i = 0; i < REGISTER_FAULT_COUNT; i++)
		sums->all.fault[i] += r->fault[i];
}

static void sums_print(const struct sums *sums)
{
	row("reads, writes, and what compares and sets", (double)sums->all.ops);
	row("    changes that were confirmed", (double)sums->all.confirmed);
	row("    of which it was not told whether they happened", (double)sums->all.unknown);
	row("    that failed, it was told", (double)sums->all.failed);
	row("values decided", (double)sums->all.versions);
	row("changes of voters done", (double)sums->all.changes);
	row("messages", (double)sums->all.messages);
	for (enum register_fault i = 0; i < REGISTER_FAULT_COUNT; i++)
		row(register_fault_text(i), (double)sums->all.fault[i]);
	row("runs whose quorum had its stores at the end, and so had to go on", (double)sums->quorum);
	row("violations", (double)sums->bad);
}

static bool sound_run(__u64 first, size_t runs)
{
	struct register_options o = {.older = OLDER_MOST};
	struct mono began = mono_now();
	struct register_result r;
	struct sums sums;

	memset(&sums, 0, sizeof(sums));
	printf("a register of 3 or 5 voters, %zu seeds from %llu on:\n", runs, first);
	for (o.seed = first; o.seed < first + runs; o.seed++) {
		register_simulate(&o, &r);
		sums_add(&sums, &r);
		if (r.violation && sums.bad <= SHOWN_MAX)
			printf("    seed %llu: %s\n", o.seed, register_violation_text(r.violation));
	}
	sums_print(&sums);
	row("seconds", mono_seconds(began, mono_now()));
	return !sums.bad;
}

static bool broken_run(enum register_broken broken, const char *what)
{
	struct register_options o = {.broken = broken, .older = OLDER_MOST};
	struct register_result r;
	char text[96];

	for (o.seed = 1; o.seed <= BROKEN_SEEDS; o.seed++) {
		register_simulate(&o, &r);
		if (r.violation == REGISTER_SEEN_SPLIT || r.violation == REGISTER_SEEN_NOT_LINEAR)
			break;
	}
	snprintf(text, sizeof(text), "%s: caught by seed", what);
	row(text, (double)o.seed);
	if (o.seed > BROKEN_SEEDS)
		printf("    NOT CAUGHT\n");
	return o.seed <= BROKEN_SEEDS;
}

int main(int argc, char **argv)
{
	size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : SEEDS_MAX;
	__u64 first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool good;

	if (!seeds || seeds > SEEDS_MAX)
		seeds = SEEDS_MAX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	good = sound_run(first, seeds * RUNS);
	good &= broken_run(REGISTER_FORGETFUL, "voters that keep no promise");
	good &= broken_run(REGISTER_AMNESIA, "voters that lost their file and keep its name");
	printf(good ? "the register stands it\n" : "the register does not stand it\n");
	return !good;
}
