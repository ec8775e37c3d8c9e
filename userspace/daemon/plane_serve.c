// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a VIP makes of all that is known of its backends, and how it says so. Not here: the rule
 * (core/verdict_serve.h), what is known and the states that follow (plane_states.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plane_state.h"

static enum verdict_hand hand_of(enum override_state aside)
{
	switch (aside) {
	case OVERRIDE_NONE:
		return VERDICT_HAND_NONE;
	case OVERRIDE_DRAIN:
		return VERDICT_HAND_DRAIN;
	case OVERRIDE_DISABLE:
		return VERDICT_HAND_DISABLE;
	}
	return VERDICT_HAND_NONE;
}

/* Of what keeps it from serving, if that is its clients' word or its checks'. */
static struct mono ejected_since(const struct plane_backend *b)
{
	return b->outlier.ejected && b->found.state != VERDICT_DOWN ? b->outlier.since : b->found.since;
}

/*
 * Whoever cannot be reached takes nothing, as if it had no weight. Whoever is held is down, and no bound of own checks
 * keeps it; with @not_held it is what its checks say. Whoever fails with recovery manual is taken for up.
 */
static struct verdict_serve_in known_of(const struct plane_backend *b, bool not_held)
{
	bool held = !not_held && plane_backend_held(b), failing = plane_backend_failing(b);

	return (struct verdict_serve_in){.weight = plane_backend_reached(b) && !b->lost ? b->weight : 0,
					 .tier = b->tier,
					 .hand = hand_of(plane_backend_aside(b)),
					 .state = held	    ? VERDICT_DOWN
						  : failing ? VERDICT_UP
							    : b->found.state,
					 .source = held ? VERDICT_BY_CERTIFIED : b->found.source,
					 .own_down = b->found.own_down && !failing,
					 .passive = b->outlier.ejected,
					 .full = b->full,
					 .since = ejected_since(b)};
}

/* The probes' network may have been cut, and is whole again: one by one they are found up. */
static bool panic_goes_on(const struct plane_vip *v)
{
	return v->serve.panic == VERDICT_PANIC_KEPT && v->policy.panic_percent &&
	       (!v->serve.held || mono_ms(v->panicked, mono_now()) < v->hold_ms);
}

const struct plane_backend *plane_vip_sorry(const struct plane_vip *v)
{
	for (__u32 i = 0; i < v->backend_count; i++)
		if (v->backend[i]->tier == STARLING_TIER_SORRY)
			return v->backend[i];
	return NULL;
}

/* It is none of those that the rule is about: what becomes of it follows. */
static struct verdict_serve_out sorry_out(const struct plane_vip *v)
{
	return v->serve.panic == VERDICT_PANIC_SORRY ? (struct verdict_serve_out){VERDICT_SERVE, VERDICT_WHY_UP}
						     : (struct verdict_serve_out){VERDICT_STANDBY, VERDICT_WHY_STANDBY};
}

/*
 * By the rule, of those that are not the sorry backend. Those that are held serve if nobody else does: before those
 * that fail are taken for up, but after a sorry backend, which is there for when the operator's word is waited for.
 */
static int rule_serve(struct plane_vip *v, const struct verdict_serve_policy *policy, struct verdict_serve_in *in,
		      struct verdict_serve_out *out)
{
	bool not_held = false, any_held;
	int rc;

	for (;;) {
		size_t count = 0;

		any_held = false;
		for (__u32 i = 0; i < v->backend_count; i++) {
			if (v->backend[i]->tier == STARLING_TIER_SORRY)
				continue;
			in[count++] = known_of(v->backend[i], not_held);
			any_held |= plane_backend_held(v->backend[i]);
		}
		rc = verdict_serve(policy, in, count, out, &v->serve);
		if (rc || not_held || !any_held || v->serve.panic != VERDICT_PANIC_ALL)
			return rc;
		not_held = true;
	}
}

int plane_vip_serve(struct plane_vip *v)
{
	const struct plane_backend *sorry = plane_vip_sorry(v);
	struct verdict_serve_policy policy = v->policy;
	bool held = v->serve.held;
	struct verdict_serve_in *in = calloc(v->backend_count + 1, sizeof(*in));
	struct verdict_serve_out *out = calloc(v->backend_count + 1, sizeof(*out));
	int rc = in && out ? 0 : -ENOMEM;
	size_t count = 0;
	__u32 i;

	policy.panics = panic_goes_on(v);
	policy.sorry = sorry && plane_backend_reached(sorry) && !sorry->lost;
	if (!rc)
		rc = rule_serve(v, &policy, in, out);
	if (!rc && v->serve.panic == VERDICT_PANIC_KEPT && !(held && v->serve.held))
		v->panicked = mono_now();
	for (i = 0; !rc && i < v->backend_count; i++)
		v->backend[i]->serve = v->backend[i]->tier == STARLING_TIER_SORRY ? sorry_out(v) : out[count++];
	free(in);
	free(out);
	return rc;
}

void plane_serve_tick(struct plane *p)
{
	for (size_t i = 0; i < p->vip_count; i++)
		if (p->vip[i]->serve.held && !panic_goes_on(p->vip[i]))
			p->vip[i]->dirty = p->dirty = true;
}

bool plane_backend_fails(const struct plane_backend *b)
{
	return b->lost || b->serve.service == VERDICT_AVOID || b->serve.why == VERDICT_WHY_PASSIVE;
}

const char *plane_backend_kept(const struct plane_backend *b)
{
	switch (b->serve.why) {
	case VERDICT_WHY_UP:
	case VERDICT_WHY_UNKNOWN:
	case VERDICT_WHY_HAND:
	case VERDICT_WHY_CERTIFIED:
	case VERDICT_WHY_LOCAL:
	case VERDICT_WHY_PASSIVE:
	case VERDICT_WHY_STANDBY:
	case VERDICT_WHY_FULL:
		return NULL;
	case VERDICT_WHY_AVOID:
	case VERDICT_WHY_LIMIT:
	case VERDICT_WHY_SUSPECT:
	case VERDICT_WHY_PANIC:
		return verdict_why_help(b->serve.why);
	}
	return NULL;
}

/* --- bounds that hold --- */

/* In service: others of a reason may stand by for it. */
static __u32 kept(const struct plane_vip *v, enum verdict_why why)
{
	__u32 count = 0;

	for (__u32 i = 0; i < v->backend_count; i++)
		count += v->backend[i]->serve.why == why && v->backend[i]->serve.service == VERDICT_SERVE;
	return count;
}

bool plane_vip_panics(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	switch (v->serve.panic) {
	case VERDICT_PANIC_NONE:
		return false;
	case VERDICT_PANIC_SORRY:
		snprintf(words, PLANE_BOUND_BYTES, "is served by its sorry backend: %s",
			 v->serve.full ? "all others are full (maxconn)" : "no other one is usable");
		return true;
	case VERDICT_PANIC_KEPT:
		snprintf(words, PLANE_BOUND_BYTES,
			 "keeps %u of %u backends in service that fail by checks of this balancer alone: else less "
			 "than %u %% would be left (panic)%s",
			 kept(v, VERDICT_WHY_PANIC), v->backend_count, v->policy.panic_percent,
			 v->serve.held ? ", or were a moment ago" : "");
		return kept(v, VERDICT_WHY_PANIC);
	case VERDICT_PANIC_ALL:
		snprintf(words, PLANE_BOUND_BYTES, "has no backend that is up by its checks: they are not heeded");
		return true;
	}
	return false;
}

bool plane_vip_suspects(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	snprintf(words, PLANE_BOUND_BYTES,
		 "avoids none of %u backends of %u that fail by checks of this balancer, but not by the observers': it "
		 "suspects itself",
		 kept(v, VERDICT_WHY_SUSPECT), v->backend_count);
	return v->serve.suspects_itself;
}

bool plane_vip_limits(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	snprintf(words, PLANE_BOUND_BYTES,
		 "keeps %zu of %u backends in service that fail by checks of this balancer alone: no more than %u %% "
		 "may be out (eject)",
		 v->serve.limited, v->backend_count, v->policy.eject_percent);
	return v->serve.limited;
}

bool plane_vip_backup(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	__u32 first = v->serve.tier;

	for (__u32 i = 0; i < v->backend_count; i++)
		if (v->weights[i] && v->tiers[i] < first)
			first = v->tiers[i];
	snprintf(words, PLANE_BOUND_BYTES, "is served by tier %u: %s", v->serve.tier,
		 v->serve.full ? "those of a lower one that are usable are full (maxconn)"
			       : "none of a lower one is usable");
	return first < v->serve.tier;
}

void plane_vip_note(struct plane *p, struct plane_vip *v)
{
	const char *state = "in service";
	char words[PLANE_BOUND_BYTES];

	if (plane_vip_panics(v, words))
		state = v->serve.panic == VERDICT_PANIC_SORRY ? "sorry" : "panic";
	else if (plane_vip_suspects(v, words))
		state = "suspects itself";
	else if (plane_vip_limits(v, words))
		state = "limited";
	else if (plane_vip_backup(v, words))
		state = "backup";
	else if (plane_vip_full(v, words))
		state = "full";
	else
		words[0] = '\0';
	if (!strcmp(state, v->state_told))
		return;
	plane_event(p, "vip", v->name, v->state_told, state, words);
	v->state_told = state;
}
