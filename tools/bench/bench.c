// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make bench`: what a packet costs, by DESIGN section 7's method, against the budget there. Not here: how one
 * number is taken (clock.h), what it is taken in (world.h), table builds (builds.h), live frames (live.h).
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "builds.h"
#include "clock.h"
#include "live.h"
#include "report.h"
#include "starling/cell.h"

#define BENCH_SAMPLES	   9 /* at least this many; BENCH_SAMPLES= asks for more */
#define BENCH_SAMPLES_MAX  101
#define BENCH_PACKETS	   (1u << 18) /* of a sample, unless there are more flows */
#define BENCH_FORGET_FLOWS 8192	      /* of so many the harness makes new ones again, within a run */
#define BENCH_WORLDS	   13
#define BENCH_CASES	   160

enum bench_what {
	BENCH_NOTHING, /* the harness itself */
	BENCH_TWICE,   /* and growing and shrinking once more */
	BENCH_FORGET,  /* and emptying sets of cells, for SYN with few flows */
	BENCH_FLOOR,
	BENCH_MAGLEV,
	BENCH_ESTABLISHED,
	BENCH_SYN,
	BENCH_NOBODY,
};

static const char *const bench_label[] = {
	"harness", "harness, grown twice", "harness, forgetting", "floor", "maglev", "established, wlc", "syn, wlc",
	"nobody's"};

struct bench_case {
	enum bench_what what;
	struct world *w;
	__u32 flows;
	double budget; /* ns over the floor; 0: none */
	double sample[BENCH_SAMPLES_MAX];
	double median, least;
};

struct bench {
	struct clock clock[BENCH_WORLDS]; /* of the world of the same number */
	struct world world[BENCH_WORLDS];
	size_t worlds;
	struct bench_case cases[BENCH_CASES];
	size_t count;
	__u32 samples;
};

static const __u32 bench_flows[] = {1, 8192, 131072, WORLD_FLOWS};

static struct clock *clock_of(struct bench *b, const struct world *w)
{
	return &b->clock[w - b->world];
}

static void case_add(struct bench *b, enum bench_what what, struct world *w, __u32 flows, double budget)
{
	struct bench_case *c = &b->cases[b->count++];

	if (b->count > BENCH_CASES)
		abort();
	*c = (struct bench_case){.what = what, .w = w, .flows = flows, .budget = budget};
}

/* DESIGN section 7, for IPv4 TCP; other versions and protocols have these with a tenth more. */
static double budget_of(enum bench_what what, const struct world *w, __u32 flows)
{
	double ns = 0;

	if (flows == WORLD_FLOWS && w->vips <= 64 && (w->vips == 1 || w->backends >= 1000))
		ns = what == BENCH_MAGLEV		 ? (w->vips == 1 ? 50 : 75)
		     : what == BENCH_ESTABLISHED	 ? (w->vips == 1 ? 165 : 190)
		     : what == BENCH_SYN && w->vips == 1 ? 220
							 : 0;
	else if (flows == 8192 && w->vips == 1)
		ns = what == BENCH_MAGLEV ? 50 : what == BENCH_ESTABLISHED ? 60 : what == BENCH_SYN ? 90 : 0;
	return w->v6 || w->proto == IPPROTO_UDP ? ns * 1.1 : ns;
}

static void cases_add(struct bench *b, enum bench_what what, struct world *w)
{
	size_t i;

	for (i = 0; i < sizeof(bench_flows) / sizeof(*bench_flows); i++)
		case_add(b, what, w, bench_flows[i], budget_of(what, w, bench_flows[i]));
}

static struct world *world_add(struct bench *b, __u32 vips, __u32 backends, bool v6, __u8 proto)
{
	struct world *w = &b->world[b->worlds++];

	*w = (struct world){.vips = vips, .backends = backends, .v6 = v6, .proto = proto};
	return w;
}

/* The sweep: flows x backends at one VIP, flows x VIPs at 1,000 backends; both versions, both protocols. */
static void sweep_plan(struct bench *b)
{
	static const struct {
		__u32 vips, backends;
		bool v6, syn;
		__u8 proto;
	} plan[BENCH_WORLDS] = {
		{1, 10, false, false, IPPROTO_TCP},	{1, 100, false, false, IPPROTO_TCP},
		{1, 1000, false, false, IPPROTO_TCP},	{64, 1024, false, false, IPPROTO_TCP},
		{512, 1024, false, false, IPPROTO_TCP}, {1, 1000, true, false, IPPROTO_TCP},
		{64, 1024, true, false, IPPROTO_TCP},	{1, 1000, false, false, IPPROTO_UDP},
		{64, 1024, false, false, IPPROTO_UDP},	{1, 10, false, true, IPPROTO_TCP},
		{1, 1000, false, true, IPPROTO_TCP},	{64, 1024, false, true, IPPROTO_TCP},
		{1, 1000, true, true, IPPROTO_TCP},
	};
	size_t i;

	for (i = 0; i < BENCH_WORLDS; i++) {
		struct world *w;

		/* BENCH_QUICK=1: one VIP, 1,000 backends and IPv4 TCP only, for work on the program. */
		if (getenv("BENCH_QUICK") && i != 2 && i != 10)
			continue;
		w = world_add(b, plan[i].vips, plan[i].backends, plan[i].v6, plan[i].proto);
		w->fresh = plan[i].syn;
		if (plan[i].vips == 1 && plan[i].backends == 1000 && plan[i].proto == IPPROTO_TCP && !plan[i].syn) {
			case_add(b, BENCH_NOTHING, w, WORLD_FLOWS, 0);
			case_add(b, BENCH_TWICE, w, WORLD_FLOWS, 0);
			case_add(b, BENCH_FLOOR, w, WORLD_FLOWS, 0);
			case_add(b, BENCH_NOBODY, w, WORLD_FLOWS, 10);
		}
		if (plan[i].syn) {
			case_add(b, BENCH_FORGET, w, 1, 0);
			case_add(b, BENCH_FORGET, w, BENCH_FORGET_FLOWS, 0);
			cases_add(b, BENCH_SYN, w);
			continue;
		}
		cases_add(b, BENCH_MAGLEV, w);
		cases_add(b, BENCH_ESTABLISHED, w);
	}
}

/* One connection for every flow; UDP is confirmed by a second packet after the probation. */
static int world_establish(struct bench *b, struct world *w)
{
	struct bench_state s = world_state(w, WORLD_WLC, WORLD_FLOWS, TCP_SYN);
	int r = clock_run(clock_of(b, w), CLOCK_STEER, w, &s, WORLD_FLOWS, NULL);
	size_t i, n = 0;

	if (w->proto == IPPROTO_UDP)
		harness_age(w->h, w->h->config.probation_ticks + 1u);
	s.tcp_flags = TCP_ACK;
	if (!r)
		r = clock_run(clock_of(b, w), CLOCK_STEER, w, &s, WORLD_FLOWS, NULL);
	for (i = 0; i < (size_t)w->h->sets_max * FLOW_WAYS; i++)
		n += cell_state(w->h->flows[i / FLOW_WAYS].cell[i % FLOW_WAYS]) == CELL_OPEN;
	w->established = true;
	if (!r && n < WORLD_FLOWS / 4) {
		fprintf(stderr, "bench: only %zu of %u flows have an open cell\n", n, WORLD_FLOWS);
		r = -EPROTO;
	}
	return r;
}

/*
 * SYNs of many flows that have no cell: the table is emptied before the flows are seen again. Each run begins with cold
 * caches, as the kernel empties them between two; so many flows find them cold anyway.
 */
static int syn_sample(struct bench *b, const struct bench_case *c, double *ret_ns)
{
	struct bench_state s = world_state(c->w, WORLD_WLC, c->flows, TCP_SYN);
	struct harness *h = c->w->h;
	__u32 run, runs = c->flows > BENCH_PACKETS ? 1 : BENCH_PACKETS / c->flows;
	double sum = 0, ns = 0;
	int r = 0;

	for (run = 0; !r && run < runs; run++) {
		memset(h->flows, 0, sizeof(struct flow_set) * h->sets_max);
		memset(h->loads, 0, sizeof(struct backend_load) * 2 * c->w->backends);
		r = clock_run(clock_of(b, c->w), CLOCK_STEER, c->w, &s, c->flows, &ns);
		sum += ns;
	}
	if (!r)
		*ret_ns = sum / runs;
	return r;
}

static int case_sample(struct bench *b, struct bench_case *c, double *ret_ns)
{
	__u32 packets = c->flows > BENCH_PACKETS ? c->flows : BENCH_PACKETS;
	enum world_kind kind = c->what == BENCH_ESTABLISHED ? WORLD_WLC
			       : c->what == BENCH_NOBODY    ? WORLD_NOBODY
							    : WORLD_MH;
	struct bench_state s = world_state(c->w, kind, c->flows, TCP_ACK);
	enum clock_program program = CLOCK_STEER;
	int r;

	if (c->what == BENCH_SYN && c->flows > BENCH_FORGET_FLOWS)
		return syn_sample(b, c, ret_ns);
	if (c->what == BENCH_SYN || c->what == BENCH_FORGET) {
		s = world_state(c->w, WORLD_WLC, c->flows, TCP_SYN);
		s.forget = 1;
		memset(c->w->h->flows, 0, sizeof(struct flow_set) * c->w->h->sets_max);
		memset(c->w->h->loads, 0, sizeof(struct backend_load) * 2 * c->w->backends);
	}
	if (c->what < BENCH_FLOOR)
		program = CLOCK_NOTHING;
	else if (c->what == BENCH_FLOOR)
		program = c->w->v6 ? CLOCK_FLOOR_V6 : CLOCK_FLOOR_V4;
	s.twice = c->what == BENCH_TWICE;
	/* What the last case left in the caches goes before the clock starts. */
	r = clock_run(clock_of(b, c->w), program, c->w, &s, packets / 4, NULL);
	return r ? r : clock_run(clock_of(b, c->w), program, c->w, &s, packets, ret_ns);
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void case_sum_up(struct bench_case *c, __u32 samples)
{
	qsort(c->sample, samples, sizeof(double), double_compare);
	c->median = c->sample[samples / 2];
	c->least = c->sample[0];
}

static int samples_take(struct bench *b)
{
	__u32 round;
	size_t i;
	int r;

	for (round = 0; round < b->samples; round++) {
		for (i = 0; i < b->count; i++) {
			r = case_sample(b, &b->cases[i], &b->cases[i].sample[round]);
			if (r) {
				fprintf(stderr, "bench: %s, %u flows, %u VIPs: %s\n", bench_label[b->cases[i].what],
					b->cases[i].flows, b->cases[i].w->vips, strerror(-r));
				return r;
			}
		}
		fprintf(stderr, "\rround %u of %u", round + 1, b->samples);
	}
	fprintf(stderr, "\r%30s\r", "");
	for (i = 0; i < b->count; i++)
		case_sum_up(&b->cases[i], b->samples);
	return 0;
}

static const struct bench_case *case_find(const struct bench *b, enum bench_what what, bool v6)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (b->cases[i].what == what && b->cases[i].w->v6 == v6)
			return &b->cases[i];
	abort();
}

/* What the harness did for a case beside nothing at all: it emptied sets. */
static double forgetting(const struct bench *b, const struct bench_case *c)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (c->what == BENCH_SYN && b->cases[i].what == BENCH_FORGET && b->cases[i].w == c->w &&
		    b->cases[i].flows == c->flows)
			return b->cases[i].median - case_find(b, BENCH_NOTHING, c->w->v6)->median;
	return 0;
}

/* Harness: nothing, and for a grown packet the shrinking. Over the floor: both have grown, so it cancels out. */
static void sweep_report(const struct bench *b, struct report *to)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		const struct bench_case *c = &b->cases[i];
		double nothing = case_find(b, BENCH_NOTHING, c->w->v6)->median;
		double shrink = (case_find(b, BENCH_TWICE, c->w->v6)->median - nothing) / 2;
		double floor = case_find(b, BENCH_FLOOR, c->w->v6)->median;
		double median = c->median - forgetting(b, c);
		bool grown = c->what >= BENCH_FLOOR && c->what != BENCH_NOBODY;
		struct report_row row = {
			.what = bench_label[c->what],
			.version = c->w->v6 ? 6 : 4,
			.proto = c->w->proto == IPPROTO_UDP ? "udp" : "tcp",
			.vips = c->w->vips,
			.backends = c->w->backends,
			.flows = c->flows,
			.raw_ns = c->median,
			.least_ns = c->least,
			.net_ns = median - nothing - (grown ? shrink : 0),
			.budget_ns = c->budget,
		};

		/* What leaves untouched never pays for the growing: it is held against nothing at all. */
		row.over_floor_ns = c->what >= BENCH_FLOOR ? (grown ? median - floor : row.net_ns) : 0;
		report_add(to, &row);
	}
}

/* Before there are worlds: a daemon that starts has none of their programs and tables in memory. */
static int builds_measure(struct report *to)
{
	int r = builds_maglev(to);

	return r ? r : builds_control(to);
}

/* The cross-check with live frames: the same flows, backends, VIPs, versions and protocols as were swept. */
static int live_check(struct bench *b, struct report *to)
{
	int r = 0;

	for (size_t i = 0; !r && i < b->worlds; i++) {
		struct world *w = &b->world[i];

		if (!w->fresh)
			r = live_measure(&b->clock[i], w, to);
	}
	return r;
}

int main(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	const char *asked = getenv("BENCH_SAMPLES");
	bool quick = getenv("BENCH_QUICK");
	struct bench *b = calloc(1, sizeof(*b));
	struct report report = {0};
	cpu_set_t one;
	size_t i;
	int r;

	if (!b)
		return 1;
	b->samples = asked ? (__u32)strtoul(asked, NULL, 10) : BENCH_SAMPLES;
	if (b->samples < 1 || b->samples > BENCH_SAMPLES_MAX)
		b->samples = BENCH_SAMPLES;
	setrlimit(RLIMIT_MEMLOCK, &all);
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	sched_setaffinity(0, sizeof(one), &one);
	srandom(1);
	sweep_plan(b);
	r = quick ? 0 : builds_measure(&report);
	for (i = 0; !r && i < b->worlds; i++) {
		r = world_open(&b->world[i]);
		if (!r)
			r = clock_open(&b->clock[i], &b->world[i]);
		if (!r && !b->world[i].fresh)
			r = world_establish(b, &b->world[i]);
	}
	if (!r)
		r = samples_take(b);
	if (!r) {
		sweep_report(b, &report);
		if (!quick)
			r = live_check(b, &report);
	}
	if (!r)
		r = report_print(&report, getenv("BENCH_JSON"));
	for (i = 0; i < b->worlds; i++) {
		clock_close(&b->clock[i]);
		world_close(&b->world[i]);
	}
	free(b);
	return r ? 1 : 0;
}
