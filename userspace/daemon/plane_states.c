// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a backend's state should be: configuration, next hop, checks, agents and what operators put aside
 * together. Not here: what of it a VIP can afford (plane_serve.c), the stores that make it so (plane_slots.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/aside.h"
#include "core/config_file.h"
#include "core/fill.h"
#include "daemon/plane_state.h"
#include "starling/tunnel.h"

/* To a router MAC rewrite would only give its own packets back, until their TTL ends. */
static bool backend_behind_router(const struct plane_backend *b)
{
	return b->path && b->path->ever && b->path->hop.routed && b->vip->forward == FORWARD_DR;
}

bool plane_backend_reached(const struct plane_backend *b)
{
	return b->path && b->path->ever && !backend_behind_router(b);
}

const char *plane_backend_trouble(const struct plane_backend *b)
{
	if (!b->path)
		return "no memory to follow it";
	if (backend_behind_router(b))
		return "forward dr takes a neighbour on the link, and this one is behind a router: use ipip or gue";
	return b->path->resolved ? NULL : b->path->hop.why;
}

enum override_state plane_backend_aside(const struct plane_backend *b)
{
	if (b->override != OVERRIDE_NONE)
		return b->override;
	return b->agent == OVERRIDE_NONE && b->less >= 100 ? OVERRIDE_DRAIN : b->agent;
}

static bool backend_out(const struct plane_backend *b)
{
	return b->leaving || plane_backend_aside(b) == OVERRIDE_DISABLE || !plane_backend_reached(b);
}

bool plane_backend_able(const struct plane_backend *b)
{
	if (!plane_backend_reached(b) || b->lost)
		return false;
	return b->serve.service == VERDICT_SERVE || b->serve.service == VERDICT_STANDBY ||
	       (b->agent == OVERRIDE_NONE && b->less < 100 && !plane_backend_held(b) && !b->outlier.ejected &&
		(plane_backend_failing(b) || (b->found.state != VERDICT_DOWN && !b->found.own_down)));
}

enum backend_state plane_backend_wanted(const struct plane_backend *b)
{
	if (backend_out(b))
		return BACKEND_DOWN;
	switch (b->serve.service) {
	case VERDICT_SERVE:
		return b->weight && !b->lost ? BACKEND_UP : BACKEND_DRAINING;
	case VERDICT_AVOID:
	case VERDICT_STANDBY:
	case VERDICT_DRAIN:
		return BACKEND_DRAINING;
	case VERDICT_OUT:
		break;
	}
	return BACKEND_DOWN;
}

#define BESIDE_MASK	  0xff80000000000000ULL /* of what is kept beside the state and its time */
#define SHOWN_DAMPED_STEP 250			/* of a penalty, which a restart knows rounded up */

/* Numbers stand in the backends' entries: an upgrade reads them. */
enum shown {
	SHOWN_NOTHING,
	SHOWN_UP,
	SHOWN_DRAINING,
	SHOWN_DISABLED,
	SHOWN_UNRESOLVED,
	SHOWN_DOWN,
	SHOWN_AGENT_DRAINING, /* by its agent's word, which a restart does not forget */
	SHOWN_AGENT_DISABLED,
	SHOWN_CERTIFIED, /* down by the observers' votes: no bound keeps it */
	SHOWN_AVOIDED,
	SHOWN_FILLING, /* by amounts, and one step is left; with the next number two, and so on */
	SHOWN_FILLING_EXPONENTIAL = SHOWN_FILLING + FILL_STEPS,
	SHOWN_HELD = SHOWN_FILLING_EXPONENTIAL + FILL_STEPS,
	SHOWN_STANDBY,
	SHOWN_SORRY,
	SHOWN_FAILING,
	SHOWN_DAMPED, /* held, with so much of a penalty; with the next number SHOWN_DAMPED_STEP more, and so on */
	SHOWN_PASSIVE = SHOWN_DAMPED + DAMP_MOST / SHOWN_DAMPED_STEP + 1, /* avoided; a restart forgets it */
	SHOWN_FULL,
	SHOWN_COUNT,
};

/* NULL: none. */
static const char *shown_word(__u64 shown)
{
	static const char *const word[] = {NULL,   "up",       "draining", "disabled", "unresolved",
					   "down", "draining", "disabled", "down",     "avoided"};

	_Static_assert(sizeof(word) / sizeof(word[0]) == SHOWN_FILLING, "a word for each");
	if (shown >= SHOWN_COUNT)
		return NULL;
	if (shown == SHOWN_STANDBY)
		return "standby";
	if (shown == SHOWN_SORRY)
		return "sorry";
	if (shown == SHOWN_FAILING)
		return "failing";
	if (shown == SHOWN_PASSIVE)
		return "avoided";
	if (shown == SHOWN_FULL)
		return "full";
	if (shown >= SHOWN_HELD)
		return "held";
	return shown < SHOWN_FILLING ? word[shown] : "filling";
}

static bool is_damped(__u64 shown)
{
	return shown >= SHOWN_DAMPED && shown < SHOWN_PASSIVE;
}

/* Until an operator says so, unless recovery is auto. */
static bool is_awaiting(__u64 shown)
{
	return shown == SHOWN_DOWN || shown == SHOWN_CERTIFIED || shown == SHOWN_HELD;
}

/* Earlier versions took the bit for one of the time, so it is set where the state does not say it. */
static __u64 shown_beside(const struct plane_backend *b, enum shown shown)
{
	return (__u64)plane_backend_less(b) << 56 | (__u64)(!b->leaving && b->awaits && !is_awaiting(shown)) << 55;
}

/* By what is left of its penalty: a restart knows since when it has been held, and not when it fell. */
static enum shown damped_shown(const struct plane_backend *b)
{
	__u32 left = damp_decayed(b->damp.penalty, mono_ms(b->damp.at, mono_now()), b->vip->damp_ms);

	return (enum shown)(SHOWN_DAMPED + (left + SHOWN_DAMPED_STEP - 1) / SHOWN_DAMPED_STEP);
}

static enum shown backend_shown(const struct plane_backend *b)
{
	enum override_state aside = plane_backend_aside(b);
	bool down = b->found.state == VERDICT_DOWN;

	if (aside == OVERRIDE_DISABLE)
		return b->override == OVERRIDE_DISABLE ? SHOWN_DISABLED : SHOWN_AGENT_DISABLED;
	if (!plane_backend_reached(b) || (b->lost && !down))
		return SHOWN_UNRESOLVED;
	if (aside == OVERRIDE_DRAIN)
		return b->override == OVERRIDE_DRAIN ? SHOWN_DRAINING : SHOWN_AGENT_DRAINING;
	if (plane_backend_failing(b))
		return SHOWN_FAILING;
	if (down)
		return b->found.source == VERDICT_BY_LOCAL ? SHOWN_DOWN : SHOWN_CERTIFIED;
	if (plane_backend_held(b))
		return b->awaits ? SHOWN_HELD : damped_shown(b);
	if (b->serve.service == VERDICT_AVOID)
		return SHOWN_AVOIDED;
	if (b->serve.why == VERDICT_WHY_PASSIVE)
		return SHOWN_PASSIVE;
	if (b->weight && b->serve.service == VERDICT_STANDBY && b->serve.why != VERDICT_WHY_FULL)
		return SHOWN_STANDBY;
	if (b->tier == STARLING_TIER_SORRY)
		return SHOWN_SORRY;
	if (b->weight && b->filling) /* before full: a restart has to know by how much its weights are less */
		return (enum shown)((b->vip->slow_exponential ? SHOWN_FILLING_EXPONENTIAL : SHOWN_FILLING) +
				    b->filling - 1);
	if (b->weight && b->full)
		return SHOWN_FULL;
	return b->weight ? SHOWN_UP : SHOWN_DRAINING;
}

const char *plane_backend_shown(const struct plane_backend *b)
{
	return shown_word(backend_shown(b));
}

static void filling_remember(struct plane_backend *b, __u32 steps)
{
	b->vip->slow_exponential = steps >= FILL_STEPS;
	b->filling = (__u8)(steps % FILL_STEPS + 1);
	b->filled = mono_now();
}

/* Scores see a part of its weight (plane_backend_weight()). */
static void weight_remember(struct plane_backend *b)
{
	if (plane_steer_by(b->vip->scheduler) == STEER_HOME)
		return;
	b->weight = b->weight * 1000 / plane_backend_part(b);
	if (b->weight > 0xffff)
		b->weight = 0xffff;
	b->configured = b->weight;
}

void plane_backend_remember(const struct plane *p, struct plane_backend *b)
{
	__u64 shown = BACKEND_SHOWN_STATE(p->backends[b->id].shown);

	if (shown >= SHOWN_FILLING && shown < SHOWN_HELD)
		filling_remember(b, (__u32)(shown - SHOWN_FILLING));
	b->less = BACKEND_SHOWN_LESS(p->backends[b->id].shown);
	if (b->less > 100)
		b->less = 100;
	if (b->filling || b->less)
		weight_remember(b);
	if (is_awaiting(shown) || BACKEND_SHOWN_AWAITS(p->backends[b->id].shown)) {
		b->awaits = true;
		b->out_ms = BACKEND_SHOWN_MS(p->backends[b->id].shown);
	}
	if (is_damped(shown)) {
		b->found = (struct plane_found){.state = VERDICT_UP};
		b->damp.penalty = (__u32)(shown - SHOWN_DAMPED) * SHOWN_DAMPED_STEP;
		b->out_ms = BACKEND_SHOWN_MS(p->backends[b->id].shown);
	}
	switch (shown) {
	case SHOWN_FULL:
		b->full = true;
		b->full_at = b->topped_at = mono_now();
		break;
	case SHOWN_DOWN:
		b->found = (struct plane_found){.state = VERDICT_DOWN, .source = VERDICT_BY_LOCAL};
		break;
	case SHOWN_CERTIFIED:
		b->found = (struct plane_found){.state = VERDICT_DOWN, .source = VERDICT_BY_CERTIFIED};
		break;
	case SHOWN_AVOIDED:
		b->found = (struct plane_found){VERDICT_UP, VERDICT_BY_CERTIFIED, .own_down = true};
		break;
	case SHOWN_FAILING: /* in which way is not known */
	case SHOWN_HELD:
		b->found = (struct plane_found){.state = VERDICT_UP};
		break;
	case SHOWN_AGENT_DRAINING:
		b->agent = b->less < 100 ? OVERRIDE_DRAIN : OVERRIDE_NONE;
		break;
	case SHOWN_AGENT_DISABLED:
		b->agent = OVERRIDE_DISABLE;
		break;
	default:
		break;
	}
	if (b->found.state != VERDICT_NONE)
		b->why = strdup("as before the restart");
}

bool plane_backend_was_lost(const struct plane *p, const struct plane_backend *b)
{
	return BACKEND_SHOWN_STATE(p->backends[b->id].shown) == SHOWN_UNRESOLVED;
}

static void backend_why(const struct plane *p, const struct plane_backend *b, char *why, size_t len)
{
	const struct override *o = plane_override_of(p, b);
	const char *trouble = plane_backend_trouble(b);
	char held[PLANE_RECOVERY_BYTES];

	why[0] = '\0';
	if (o && o->state != OVERRIDE_NONE)
		snprintf(why, len, "%s by %s%s%s", plane_override_state(o) == OVERRIDE_DRAIN ? "drained" : "disabled",
			 o->by, o->reason[0] ? ": " : "", o->reason);
	else if (plane_backend_aside(b) != OVERRIDE_NONE)
		snprintf(why, len, "asked for by its agent");
	else if (plane_backend_held_by(b, held))
		snprintf(why, len, "%s%s%s", held, b->why ? ": " : "", b->why ? b->why : "");
	else if (b->serve.why == VERDICT_WHY_PASSIVE)
		plane_passive_words(b, why);
	else if (b->found.state == VERDICT_DOWN || b->serve.service == VERDICT_AVOID)
		snprintf(why, len, "%s", b->why ? b->why : "");
	else if (trouble && (b->lost || !plane_backend_reached(b)))
		snprintf(why, len, "%s", trouble);
	else if (!b->weight)
		snprintf(why, len, "weight 0");
	else if (b->full)
		snprintf(why, len, "%llu connections of %u that it may have", plane_backend_counted(p, b),
			 plane_backend_limit(b));
	else if (b->serve.service == VERDICT_STANDBY)
		snprintf(why, len, "%s", verdict_why_help(b->serve.why));
}

void plane_backend_note(struct plane *p, struct plane_backend *b)
{
	__u64 *kept = &p->backends[b->id].shown, before = BACKEND_SHOWN_STATE(*kept), since = wall_ms();
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES], why[256];
	enum shown shown = b->leaving ? SHOWN_NOTHING : backend_shown(b);
	bool same; /* by another's word */

	if (is_damped(before) && is_damped(shown) && b->out_ms <= BACKEND_SHOWN_MS(*kept))
		shown = (enum shown)before; /* as it was when it began to be held */
	*kept = (*kept & ~BESIDE_MASK) | shown_beside(b, shown);
	if (shown == before)
		return;
	same = shown_word(before) && shown_word(shown) && !strcmp(shown_word(before), shown_word(shown));
	if (same && !is_damped(shown))
		since = BACKEND_SHOWN_MS(*kept);
	*kept = BACKEND_SHOWN(shown, since) | (*kept & BESIDE_MASK);
	if (same)
		return;
	snprintf(name, sizeof(name), "%s %s", b->vip->name, endpoint_format(&b->at, at));
	backend_why(p, b, why, sizeof(why));
	plane_event(p, "backend", name, shown_word(before), shown_word(shown), why);
}

/* What is found of it now; where that is nothing, what was known stays. Return: whether anything differs. */
static bool backend_found(struct plane_backend *b, const struct plane_verdict *verdict)
{
	struct plane_found found = {verdict->state, verdict->source, verdict->own_down,
				    verdict->since.ns ? verdict->since : mono_now()};

	if (found.state == VERDICT_NONE) {
		found.state = b->found.state;
		found.source = b->found.source;
	}
	found.own_down &= found.state != VERDICT_DOWN;
	plane_recover_found(b, found.state == VERDICT_DOWN);
	if (found.state == b->found.state && found.source == b->found.source && found.own_down == b->found.own_down)
		return false;
	b->found = found;
	free(b->why);
	b->why = found.state == VERDICT_DOWN || found.own_down ? strdup(verdict->why) : NULL;
	return true;
}

static void vip_checked(struct plane *p, struct plane_vip *v)
{
	const struct vip_config *configured = config_vip(p->config, v->name);
	const struct check_config *check = configured ? configured->check : NULL;

	if (!configured)
		return; /* a first configuration that could not be applied takes nothing back */
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];
		struct plane_verdict verdict = {.state = VERDICT_UP};

		if (check && b->tier != STARLING_TIER_SORRY) {
			verdict = (struct plane_verdict){.own_down = b->found.own_down,
							 .agent = b->agent,
							 .less = b->less,
							 .maxconn = b->maxconn};
			p->hooks.checked(p->hooks.arg, check, &b->at, &verdict);
		}
		if (backend_found(b, &verdict) || b->agent != verdict.agent || b->less != verdict.less ||
		    b->maxconn != verdict.maxconn)
			v->dirty = p->dirty = true;
		b->awaits &= check && v->recovery != RECOVERY_AUTO;
		if (!check && plane_recover_forget(b))
			v->dirty = p->dirty = true;
		b->agent = verdict.agent;
		b->less = verdict.less;
		b->maxconn = verdict.maxconn;
	}
}

void plane_checks(struct plane *p)
{
	if (p->held || !p->hooks.checked)
		return;
	for (size_t i = 0; i < p->vip_count; i++)
		vip_checked(p, p->vip[i]);
}

int plane_tunnel(struct plane *p, bool on, struct err *err)
{
	return dataplane_tunnel(p->dp, on, err);
}

__u32 plane_tunnel_mark(const struct plane *p, const char *vip, const struct endpoint *at)
{
	const struct plane_vip *v = plane_vip_find(p, vip);
	const struct plane_backend *b = v ? plane_backend_find(v, at) : NULL;

	return b ? TUNNEL_MARK | b->id : 0;
}

bool plane_held_down(const struct plane *p, const char *vip, const struct endpoint *at)
{
	const struct plane_vip *v = plane_vip_find(p, vip);
	const struct plane_backend *b = v ? plane_backend_find(v, at) : NULL;

	return b && (b->found.state == VERDICT_DOWN || b->found.own_down);
}

bool plane_put_aside(const struct plane *p, const char *vip, const struct endpoint *at)
{
	const struct plane_vip *v = plane_vip_find(p, vip);
	const struct plane_backend *b = v ? plane_backend_find(v, at) : NULL;

	return b && plane_backend_aside(b) != OVERRIDE_NONE;
}

/* Own word comes before the flock's; none of its own may say that what the flock says does not hold here. */
const struct override *plane_override_of(const struct plane *p, const struct plane_backend *b)
{
	const struct override *agreed = b->tier == STARLING_TIER_SORRY
						? NULL
						: aside_find(p->coming ? p->coming : p->config, b->vip->name, &b->at);
	struct override key = {.at = b->at};
	const struct override *own = NULL;

	memcpy(key.vip, b->vip->name, sizeof(key.vip));
	if (p->override_count && b->tier != STARLING_TIER_SORRY)
		own = bsearch(&key, p->override, p->override_count, sizeof(key), override_order);
	return own ? own : agreed;
}

static void overrides_changed(struct plane *p)
{
	if (p->hooks.overridden)
		p->hooks.overridden(p->hooks.arg, p->override, p->override_count);
}

/* A drain that ends by its timeout is a disable from then on. */
enum override_state plane_override_state(const struct override *o)
{
	if (!o)
		return OVERRIDE_NONE;
	if (o->state == OVERRIDE_DRAIN && o->timeout_ms && wall_ms() >= o->since_ms + o->timeout_ms)
		return OVERRIDE_DISABLE;
	return o->state;
}

/* Whoever is overridden, or was, gets its new state. */
static void backend_override(struct plane *p, struct plane_backend *b)
{
	enum override_state state = plane_override_state(plane_override_of(p, b));

	if (b->override == state)
		return;
	b->override = state;
	b->vip->dirty = p->dirty = true;
}

static void backends_override(struct plane *p)
{
	for (size_t i = 0; i < p->vip_count; i++)
		for (__u32 b = 0; b < p->vip[i]->backend_count; b++)
			backend_override(p, p->vip[i]->backend[b]);
}

int plane_overrides_load(struct plane *p, const struct override *all, size_t count)
{
	struct override *copy;

	if (array_copy(&copy, all, count, sizeof(*copy)))
		return -ENOMEM;
	if (count)
		qsort(copy, count, sizeof(*copy), override_order);
	free(p->override);
	p->override = copy;
	p->override_count = count;
	backends_override(p);
	plane_settle(p);
	return 0;
}

int plane_overrides_reset(struct plane *p)
{
	int ret;

	if (!p->override_count)
		return 0;
	ret = plane_overrides_load(p, NULL, 0);
	if (!ret)
		overrides_changed(p);
	return ret;
}

static void override_gone(struct plane *p, const struct override *o)
{
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES + 16], at[ENDPOINT_TEXT_BYTES], why[256];

	snprintf(name, sizeof(name), "override %s %s", o->vip, endpoint_format(&o->at, at));
	snprintf(why, sizeof(why), "its backend is gone; it was by %s%s%s", o->by, o->reason[0] ? ": " : "", o->reason);
	plane_event(p, "config", name, override_word(o->state), NULL, why);
}

void plane_overrides_prune(struct plane *p)
{
	size_t kept = 0, count = p->override_count;

	for (size_t i = 0; i < count; i++) {
		const struct override *o = &p->override[i];
		const struct plane_vip *v = plane_vip_find(p, o->vip);
		const struct plane_backend *b = v ? plane_backend_find(v, &o->at) : NULL;

		if (!b || b->tier == STARLING_TIER_SORRY)
			override_gone(p, o);
		else if (o->state != OVERRIDE_NONE || aside_find(p->config, o->vip, &o->at))
			p->override[kept++] = *o;
	}
	p->override_count = kept;
	if (kept != count)
		overrides_changed(p);
	backends_override(p); /* the flock may have another word of them */
}

const struct override *plane_overrides(const struct plane *p, size_t *ret_count)
{
	*ret_count = p->override_count;
	return p->override;
}

static void override_drop(struct plane *p, const struct override *o)
{
	size_t at;

	if (array_find(p->override, p->override_count, sizeof(*o), o, override_order, &at))
		array_delete(p->override, &p->override_count, sizeof(*o), at);
}

/* "Not put aside" is kept only against the flock's word. */
static int override_put(struct plane *p, const struct override *o)
{
	size_t at;

	if (o->state == OVERRIDE_NONE && !aside_find(p->config, o->vip, &o->at)) {
		override_drop(p, o);
		return 0;
	}
	if (!array_find(p->override, p->override_count, sizeof(*o), o, override_order, &at))
		return array_insert(&p->override, &p->override_count, sizeof(*o), at, o);
	p->override[at] = *o;
	return 0;
}

int plane_override(struct plane *p, const struct override *o, struct err *err)
{
	const struct plane_vip *v = plane_vip_find(p, o->vip);
	struct plane_backend *b = v ? plane_backend_find(v, &o->at) : NULL;
	struct override copy = *o;
	char at[ENDPOINT_TEXT_BYTES];

	if (!v)
		return err_set(err, ENOENT, "there is no VIP \"%s\"", o->vip);
	if (!b)
		return err_set(err, ENOENT, "VIP %s has no backend %s", o->vip, endpoint_format(&o->at, at));
	if (!copy.since_ms)
		copy.since_ms = wall_ms();
	if (override_put(p, &copy))
		return err_set(err, ENOMEM, "no memory for an override");
	backend_override(p, b);
	overrides_changed(p);
	plane_settle(p);
	return 0;
}

/* The flock's word has taken it up, or goes before it. */
void plane_override_forget(struct plane *p, const struct override *o)
{
	size_t at;

	if (!array_find(p->override, p->override_count, sizeof(*o), o, override_order, &at) ||
	    p->override[at].since_ms != o->since_ms)
		return;
	override_drop(p, o);
	overrides_changed(p);
	backends_override(p);
	plane_settle(p);
}

void plane_overrides_tick(struct plane *p)
{
	bool changed = false, agreed = false;

	for (size_t i = 0; i < p->config->asides && !agreed; i++)
		agreed = p->config->aside[i].state == OVERRIDE_DRAIN && p->config->aside[i].timeout_ms;
	for (size_t i = 0; i < p->override_count; i++) {
		struct override *o = &p->override[i];

		if (o->state != OVERRIDE_DRAIN || plane_override_state(o) != OVERRIDE_DISABLE)
			continue;
		o->state = OVERRIDE_DISABLE;
		o->since_ms = wall_ms();
		o->timeout_ms = 0;
		changed = true;
	}
	if (changed || agreed)
		backends_override(p);
	if (changed)
		overrides_changed(p);
}
