// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a backend's state should be: configuration, next hop and the operator's overrides
 * together. Not here: the stores that make it so (plane_slots.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plane_state.h"

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

enum backend_state plane_backend_wanted(const struct plane_backend *b)
{
	if (b->leaving || b->override == OVERRIDE_DISABLE || !plane_backend_reached(b))
		return BACKEND_DOWN;
	if (b->override == OVERRIDE_DRAIN || !b->weight || b->lost)
		return BACKEND_DRAINING;
	return BACKEND_UP;
}

/* Numbers stand in the backends' entries: an upgrade reads them. */
enum shown { SHOWN_NOTHING, SHOWN_UP, SHOWN_DRAINING, SHOWN_DISABLED, SHOWN_UNRESOLVED, SHOWN_COUNT };

static const char *const shown_word[SHOWN_COUNT] = {NULL, "up", "draining", "disabled", "unresolved"};

static enum shown backend_shown(const struct plane_backend *b)
{
	if (b->override == OVERRIDE_DISABLE)
		return SHOWN_DISABLED;
	if (!plane_backend_reached(b) || b->lost)
		return SHOWN_UNRESOLVED;
	if (b->override == OVERRIDE_DRAIN || !b->weight)
		return SHOWN_DRAINING;
	return SHOWN_UP;
}

const char *plane_backend_shown(const struct plane_backend *b)
{
	return shown_word[backend_shown(b)];
}

bool plane_backend_was_lost(const struct plane *p, const struct plane_backend *b)
{
	return BACKEND_SHOWN_STATE(p->backends[b->id].shown) == SHOWN_UNRESOLVED;
}

static void backend_why(const struct plane *p, const struct plane_backend *b, char *why, size_t len)
{
	const struct override *o = plane_override_of(p, b);
	const char *trouble = plane_backend_trouble(b);

	why[0] = '\0';
	if (o && o->state != OVERRIDE_NONE)
		snprintf(why, len, "%s by %s%s%s", o->state == OVERRIDE_DRAIN ? "drained" : "disabled", o->by,
			 o->reason[0] ? ": " : "", o->reason);
	else if (trouble && (b->lost || !plane_backend_reached(b)))
		snprintf(why, len, "%s", trouble);
	else if (!b->weight)
		snprintf(why, len, "weight 0");
}

void plane_backend_note(struct plane *p, struct plane_backend *b)
{
	__u64 *kept = &p->backends[b->id].shown, before = BACKEND_SHOWN_STATE(*kept);
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES], why[256];
	enum shown shown = b->leaving ? SHOWN_NOTHING : backend_shown(b);

	if (shown == before)
		return;
	*kept = BACKEND_SHOWN(shown, wall_ms());
	snprintf(name, sizeof(name), "%s %s", b->vip->name, endpoint_format(&b->at, at));
	backend_why(p, b, why, sizeof(why));
	plane_event(p, "backend", name, before < SHOWN_COUNT ? shown_word[before] : NULL, shown_word[shown], why);
}

static int override_compare(const void *a, const void *b)
{
	const struct override *x = a, *y = b;
	int order = strcmp(x->vip, y->vip);

	return order ? order : endpoint_compare(&x->at, &y->at);
}

const struct override *plane_override_of(const struct plane *p, const struct plane_backend *b)
{
	struct override key = {.at = b->at};

	if (!p->override_count)
		return NULL;
	memcpy(key.vip, b->vip->name, sizeof(key.vip));
	return bsearch(&key, p->override, p->override_count, sizeof(key), override_compare);
}

static void overrides_changed(struct plane *p)
{
	if (p->hooks.overridden)
		p->hooks.overridden(p->hooks.arg, p->override, p->override_count);
}

/* Whoever is overridden, or was, gets its new state. */
static void backend_override(struct plane *p, struct plane_backend *b)
{
	const struct override *o = plane_override_of(p, b);
	enum override_state state = o ? o->state : OVERRIDE_NONE;

	if (b->override == state)
		return;
	b->override = state;
	b->vip->dirty = p->dirty = true;
}

int plane_overrides_load(struct plane *p, const struct override *all, size_t count)
{
	struct override *copy = malloc((count + 1) * sizeof(*copy));
	size_t kept = 0;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (all[i].state != OVERRIDE_NONE)
			copy[kept++] = all[i];
	qsort(copy, kept, sizeof(*copy), override_compare);
	free(p->override);
	p->override = copy;
	p->override_count = kept;
	for (size_t i = 0; i < p->vip_count; i++)
		for (__u32 b = 0; b < p->vip[i]->backend_count; b++)
			backend_override(p, p->vip[i]->backend[b]);
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
	plane_event(p, "config", name, o->state == OVERRIDE_DRAIN ? "drain" : "disable", NULL, why);
}

void plane_overrides_prune(struct plane *p)
{
	size_t kept = 0, count = p->override_count;

	for (size_t i = 0; i < count; i++) {
		const struct override *o = &p->override[i];
		const struct plane_vip *v = plane_vip_find(p, o->vip);

		if (v && plane_backend_find(v, &o->at))
			p->override[kept++] = *o;
		else
			override_gone(p, o);
	}
	p->override_count = kept;
	if (kept != count)
		overrides_changed(p);
}

const struct override *plane_overrides(const struct plane *p, size_t *ret_count)
{
	*ret_count = p->override_count;
	return p->override;
}

static int override_put(struct plane *p, const struct override *o)
{
	struct override *more;
	size_t at = 0;

	while (at < p->override_count && override_compare(&p->override[at], o) < 0)
		at++;
	if (at < p->override_count && !override_compare(&p->override[at], o)) {
		p->override[at] = *o;
	} else if (o->state != OVERRIDE_NONE) {
		more = realloc(p->override, (p->override_count + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->override = more;
		memmove(more + at + 1, more + at, (p->override_count - at) * sizeof(*more));
		more[at] = *o;
		p->override_count++;
		return 0;
	}
	if (o->state != OVERRIDE_NONE || at == p->override_count)
		return 0;
	memmove(p->override + at, p->override + at + 1, (p->override_count - at - 1) * sizeof(*o));
	p->override_count--;
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

void plane_overrides_tick(struct plane *p)
{
	__u64 now = wall_ms();
	bool changed = false;

	for (size_t i = 0; i < p->override_count; i++) {
		struct override *o = &p->override[i];
		const struct plane_vip *v;
		struct plane_backend *b;

		if (o->state != OVERRIDE_DRAIN || !o->timeout_ms || now < o->since_ms + o->timeout_ms)
			continue;
		o->state = OVERRIDE_DISABLE;
		o->since_ms = now;
		o->timeout_ms = 0;
		changed = true;
		v = plane_vip_find(p, o->vip);
		b = v ? plane_backend_find(v, &o->at) : NULL;
		if (b)
			backend_override(p, b);
	}
	if (changed)
		overrides_changed(p);
}
