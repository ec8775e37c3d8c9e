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

#define APART_MS 97 /* from one death to the next: against an interval of a round number, another moment each time */
#define DYING	 3  /* one target of so many: if more died their observers would doubt themselves first */
#define AFTER_MS 15000
#define STEP_MS	 60000

static __u64 probes_all(const struct verdict_world *w, size_t targets)
{
	__u64 sum = 0;

	for (size_t i = 0; i < targets; i++)
		sum += verdict_world_probes(w, i);
	return sum;
}

static void on_false(void *arg, __u64 now_ms, size_t node, size_t target, enum verdict_state state,
		     enum verdict_source source, __u64 since_ms)
{
	struct verdict_false *f = arg;

	(void)now_ms;
	(void)target;
	(void)since_ms;
	if (state != VERDICT_DOWN)
		return;
	f->anywhere++;
	f->certified += !node && source == VERDICT_BY_CERTIFIED;
}

struct verdict_false verdict_measure_false(const struct verdict_world_options *options, __u64 probes)
{
	struct verdict_world_options o = *options;
	struct verdict_false ret = {0};
	struct verdict_world *w;

	o.changed = on_false;
	o.arg = &ret;
	w = verdict_world_new(&o);
	for (__u64 ms = STEP_MS; ret.probes < probes; ms += STEP_MS) {
		verdict_world_run(w, ms, NULL, 0);
		ret.probes = probes_all(w, o.targets);
	}
	verdict_world_free(w);
	return ret;
}

struct deaths {
	struct death {
		__u64 at_ms, first_ms, all_ms; /* 0: at once, it was held down before */
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

static double after_s(const struct death *death, __u64 ms)
{
	return ms ? (double)(ms - death->at_ms) / 1000 : 0;
}

static int double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void verdict_measure_times(const struct verdict_world_options *options, enum verdict_fault_what death,
			   struct verdict_times *ret)
{
	struct verdict_world_options o = *options;
	static struct verdict_fault fault[VERDICT_TARGETS_MAX];
	static struct deaths d;
	struct verdict_world *w;
	size_t i, dying = o.targets / DYING;

	memset(&d, 0, sizeof(d));
	for (i = 0; i < dying; i++) {
		fault[i] = (struct verdict_fault){VERDICT_WARM_MS + i * APART_MS, death, i, 1, 0};
		d.death[i].at_ms = fault[i].at_ms;
	}
	o.changed = on_death;
	o.arg = &d;
	w = verdict_world_new(&o);
	verdict_world_run(w, VERDICT_WARM_MS + dying * APART_MS + AFTER_MS, fault, dying);
	for (i = 0; i < dying && ret->count < VERDICT_TIMES_MAX; i++) {
		const struct death *it = &d.death[i];

		if (verdict_world_agreeing(w, i, VERDICT_DOWN) < o.nodes - o.liars) {
			ret->missed++;
			continue;
		}
		ret->first_s[ret->count] = after_s(it, it->first_ms);
		ret->all_s[ret->count++] = after_s(it, it->all_ms);
	}
	verdict_world_free(w);
	qsort(ret->first_s, ret->count, sizeof(*ret->first_s), double_order);
	qsort(ret->all_s, ret->count, sizeof(*ret->all_s), double_order);
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
