/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A VIP whose backends are checked, and what the checks find. To be included by one file of a program only. Not here:
 * how it is found (net/health.sh).
 */
#ifndef STARLING_TESTS_BPF_PLANE_CHECKED_H
#define STARLING_TESTS_BPF_PLANE_CHECKED_H

#include "plane_change.h"

#define BACKENDS 6

static struct plane_verdict found[BACKENDS]; /* of each backend, what the next plane_checks() hears; since 0: nothing */
static char told[1024];			     /* events of backends and VIPs since told_begin() */

static inline void hook_checked(void *arg, const struct check_config *check, const struct endpoint *at,
				struct plane_verdict *ret)
{
	(void)arg;
	assert_non_null(check);
	if (found[at->addr.byte[15] - 1].since.ns)
		*ret = found[at->addr.byte[15] - 1];
}

static inline void hook_event(void *arg, const struct plane_event *e)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s: %s -> %s: %s\n", e->object, e->before ? e->before : "none",
		 e->after ? e->after : "none", e->why);
}

static inline void hooks_set(struct world *w)
{
	w->p->hooks.checked = hook_checked;
	w->p->hooks.event = hook_event;
}

/* "v1" with BACKENDS backends that are checked, all of them up. */
static inline struct world *checked_world(enum scheduler s, __u32 panic, __u32 eject)
{
	struct harness_options o = {.flow_sets_log2 = 16};
	struct check_config check = {.kind = CHECK_TCP};
	struct world *w = world_new(&o);
	struct vip_config *v;
	struct err err;

	memset(found, 0, sizeof(found));
	hooks_set(w);
	v = world_vip(w, 1, s, BACKENDS);
	v->panic_percent = panic;
	v->eject_percent = eject;
	assert_int_equal(check_config_complete(&check, &err), 0);
	assert_int_equal(vip_check_set(v, &check), 0);
	world_apply(w);
	told[0] = '\0';
	return w;
}

/*
 * What is found of each: u(p), l(ocal) down, c(ertified) down, a: up, but not from here; n, y: no state, own probes say
 * no, yes; ?: nothing.
 */
static inline void find(struct world *w, const char *letters)
{
	for (__u32 i = 0; i < BACKENDS; i++) {
		found[i] = (struct plane_verdict){VERDICT_UP, VERDICT_BY_CERTIFIED, .why = "tcp timeout"};
		if (letters[i] == 'l' || letters[i] == 'c')
			found[i].state = VERDICT_DOWN;
		if (letters[i] == 'l')
			found[i].source = VERDICT_BY_LOCAL;
		if (letters[i] == 'n' || letters[i] == 'y')
			found[i].state = VERDICT_NONE;
		found[i].own_down = letters[i] == 'a' || letters[i] == 'n';
		found[i].since.ns = letters[i] == '?' ? 0 : i + 1;
	}
	plane_checks(w->p);
	plane_settle(w->p);
}

static inline struct plane_vip *vip(struct world *w)
{
	return plane_vip_find(w->p, "v1");
}

/* Words of all: U(p), d(raining), - down. And no slot names anybody but those who are up. */
static inline void words_are(struct world *w, const char *wanted)
{
	char words[BACKENDS + 1] = {0};
	struct plane_vip *v = vip(w);

	for (__u32 i = 0; i < BACKENDS; i++) {
		__u32 state = BACKEND_WORD_STATE(w->dp.h->backends[v->backend[i]->id].word);

		words[i] = state == BACKEND_UP ? 'U' : state == BACKEND_DRAINING ? 'd' : '-';
		assert_int_equal(v->backend[i]->held > 0, state == BACKEND_UP);
	}
	assert_string_equal(words, wanted);
}

static inline const char *shown(struct world *w, __u32 n)
{
	return plane_backend_shown(vip(w)->backend[n]);
}

#endif
