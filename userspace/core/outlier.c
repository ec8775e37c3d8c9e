// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See outlier.h.
 */
#include "core/outlier.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

const char *outlier_signal_word(enum outlier_signal signal)
{
	return signal == OUTLIER_REPEATS ? "SYNs come again" : "connections are reset";
}

void outlier_add(struct outlier *o, const struct outlier_count *count, double seconds, struct mono now)
{
	struct outlier_window *w = &o->window;
	double keep = pow(OUTLIER_KEEP, seconds);

	w->seconds = w->seconds * keep + seconds;
	w->connections = w->connections * keep + (double)count->connections;
	w->sign[OUTLIER_REPEATS] = w->sign[OUTLIER_REPEATS] * keep + (double)count->repeats;
	w->sign[OUTLIER_RESETS] = w->sign[OUTLIER_RESETS] * keep + (double)count->resets;
	if (!w->turn.ns || mono_ms(w->turn, now) >= OUTLIER_SOURCES_MS) {
		w->sources_before = w->sources;
		w->sources = 0;
		w->turn = now;
	}
	w->sources |= count->sources;
}

/* --- rates --- */

/* SYNs, or connections, of which so many are signs. */
static double samples(const struct outlier_window *w, enum outlier_signal signal, double signs)
{
	return w->connections + (signal == OUTLIER_REPEATS ? signs : 0);
}

/* Resets may be of connections that began before the window. */
static double rate(const struct outlier_window *w, enum outlier_signal signal, double signs)
{
	double of = samples(w, signal, signs);

	return of < OUTLIER_LEAST ? -1 : fmin(signs / of, 1);
}

static double wilson_low(double p, double n)
{
	const double z = OUTLIER_DEVIATIONS;

	return (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n);
}

static double bound(double peers)
{
	return fmax(OUTLIER_TIMES * peers, peers + OUTLIER_OVER);
}

static bool sticks_out(const struct outlier *o, enum outlier_signal signal, double signs)
{
	double p = rate(&o->window, signal, signs);

	return p >= 0 && o->peers[signal] >= 0 &&
	       wilson_low(p, samples(&o->window, signal, signs)) > bound(o->peers[signal]);
}

/* Clients by the bits that they have set, all of them by no means all clients. */
static double sources(const struct outlier_window *w)
{
	int set = __builtin_popcountll(w->sources | w->sources_before);

	return set == 64 ? INFINITY : -64 * log(1 - set / 64.0);
}

/* Also if no client counts for many. */
static bool weighs(const struct outlier *o, enum outlier_signal signal)
{
	double each = OUTLIER_EACH * fmin(o->window.seconds / OUTLIER_SECONDS, 1);

	return sticks_out(o, signal, fmin(o->window.sign[signal], each * sources(&o->window)));
}

/* --- peers --- */

static int rate_order(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Of the others: @sorted without one of value @own. With an even number the higher one: most have to be better. */
static double median_without(const double *sorted, size_t count, double own)
{
	size_t at = 0, middle;

	if (own >= 0) {
		while (sorted[at] < own)
			at++;
		count--;
	} else {
		at = count;
	}
	if (!count)
		return -1;
	middle = count / 2;
	return sorted[middle < at ? middle : middle + 1];
}

static void compare(struct outlier *const *o, size_t count, enum outlier_signal signal, double *sorted)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		o[i]->rate[signal] = rate(&o[i]->window, signal, o[i]->window.sign[signal]);
		if (o[i]->rate[signal] >= 0)
			sorted[known++] = o[i]->rate[signal];
	}
	qsort(sorted, known, sizeof(*sorted), rate_order);
	for (size_t i = 0; i < count; i++)
		o[i]->peers[signal] = median_without(sorted, known, o[i]->rate[signal]);
}

/* --- states --- */

/* Half as far as a suspect has to, it still sticks out. */
static bool calm(const struct outlier *o)
{
	double peers = o->peers[o->signal];

	if (peers < 0)
		return true; /* there is nobody left to compare it with */
	return o->rate[o->signal] <= fmax((OUTLIER_TIMES + 1) / 2 * peers, peers + OUTLIER_OVER / 2);
}

static void forgive(struct outlier *o, struct mono now)
{
	if (!o->times || o->ejected || mono_ms(o->forgiven, now) < o->eject_ms)
		return;
	o->times--;
	o->eject_ms /= 2;
	o->forgiven = now;
}

static bool end(struct outlier *o, struct mono now)
{
	bool was = o->suspect || o->ejected;

	if (o->ejected)
		o->window = (struct outlier_window){0};
	o->suspect = o->ejected = false;
	o->bad = o->good = 0;
	o->forgiven = now;
	return was;
}

static void eject(struct outlier *o, struct mono now)
{
	o->eject_ms = OUTLIER_EJECT_MS;
	for (__u8 i = 0; i < o->times && o->eject_ms < OUTLIER_EJECT_MAX_MS; i++)
		o->eject_ms *= 2;
	if (o->eject_ms >= OUTLIER_EJECT_MAX_MS)
		o->eject_ms = OUTLIER_EJECT_MAX_MS;
	else
		o->times++;
	o->ejected = true;
	o->since = now;
}

/* Return: whether it became a suspect. */
static bool suspect(struct outlier *o, struct mono now)
{
	o->bad = o->sticks ? (__u8)(o->bad + (o->bad < OUTLIER_RISE)) : 0;
	if (o->suspect || o->bad < OUTLIER_RISE)
		return false;
	o->suspect = true;
	o->good = 0;
	o->since = now;
	o->was = o->rate[o->signal];
	o->was_peers = o->peers[o->signal];
	return true;
}

static int step(struct outlier *o, bool ejects, struct mono now)
{
	int changed = 0;

	forgive(o, now);
	if (o->ejected) {
		if (ejects && mono_ms(o->since, now) < o->eject_ms)
			return 0;
		return end(o, now);
	}
	changed += suspect(o, now);
	if (o->suspect && ejects && o->sticks && weighs(o, o->signal)) {
		eject(o, now);
		return changed + 1;
	}
	o->good = o->suspect && calm(o) ? (__u8)(o->good + 1) : 0;
	if (o->good >= OUTLIER_FALL)
		changed += end(o, now);
	return changed;
}

static void stick(struct outlier *o)
{
	o->sticks = false;
	for (int s = 0; s < OUTLIER_SIGNALS && !o->sticks; s++) {
		o->sticks = sticks_out(o, (enum outlier_signal)s, o->window.sign[s]);
		if (o->sticks && !o->suspect)
			o->signal = (enum outlier_signal)s;
	}
}

int outlier_step(struct outlier *const *o, size_t count, bool ejects, struct mono now)
{
	double *sorted = calloc(count + 1, sizeof(*sorted));
	size_t sticking = 0, most = count / OUTLIER_PART ? count / OUTLIER_PART : 1;
	int changed = 0;

	if (!sorted)
		return -ENOMEM;
	for (int s = 0; s < OUTLIER_SIGNALS; s++)
		compare(o, count, (enum outlier_signal)s, sorted);
	free(sorted);
	for (size_t i = 0; i < count; i++) {
		if (!o[i]->ejected)
			stick(o[i]);
		sticking += o[i]->sticks || o[i]->ejected;
	}
	for (size_t i = 0; i < count; i++) {
		o[i]->sticks &= sticking <= most;
		changed += step(o[i], ejects, now);
	}
	return changed;
}
