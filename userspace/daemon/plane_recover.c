// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who was found down comes back: by itself, after a wait, or when an operator says so. Not here: what is found
 * (plane_states.c), what a VIP can afford (plane_serve.c), with which weight it begins (plane_fill.c).
 *
 *	recovery  its checks say down		and up again
 *	auto	  out				in; with damp, who flaps is held for a while
 *	hybrid	  out				held, until it is readmitted
 *	manual	  in, and shown as failing;	in
 *		  who is out already stays out	held, until it is readmitted
 *
 * A readmission has a date, and counts for the outage that began before it: balancers hear of it late, and one that has
 * it before its own checks say up lets the backend in when they do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "daemon/plane_facts.h"
#include "daemon/plane_state.h"

bool plane_backend_held(const struct plane_backend *b)
{
	bool damped = b->damp.until.ns && b->vip->recovery != RECOVERY_MANUAL;

	return b->found.state != VERDICT_DOWN && (b->awaits || damped);
}

bool plane_backend_failing(const struct plane_backend *b)
{
	return b->vip->recovery == RECOVERY_MANUAL && !b->awaits &&
	       (b->found.state == VERDICT_DOWN || b->found.own_down);
}

static bool is_out(const struct plane_backend *b)
{
	return b->found.state == VERDICT_DOWN && b->serve.service == VERDICT_OUT && b->serve.why != VERDICT_WHY_HAND;
}

/* A clock that was set back makes no readmission one of the next outage. */
static void backend_falls(struct plane_backend *b)
{
	b->out_ms = wall_ms();
	if (b->out_ms <= b->readmitted_ms)
		b->out_ms = b->readmitted_ms + 1;
	if (b->vip->damp_ms)
		damp_fall(&b->damp, mono_now(), b->vip->damp_ms);
}

void plane_recover_found(struct plane_backend *b, bool down)
{
	b->awaits |= is_out(b);
	if (down && b->found.state != VERDICT_DOWN)
		backend_falls(b);
	if (b->readmitted_ms > b->out_ms)
		b->awaits = false;
}

/* It was held by this penalty before a restart, since it came up at @b->out_ms. */
static void damp_again(struct plane_backend *b, __u32 half_ms)
{
	__u64 now = wall_ms();

	b->damp.penalty = damp_decayed(b->damp.penalty, now > b->out_ms ? now - b->out_ms : 0, half_ms);
	b->damp.at = mono_now();
	b->damp.until = mono_after(b->damp.at, damp_wait_ms(b->damp.penalty, half_ms));
}

bool plane_recover_forget(struct plane_backend *b)
{
	bool held = b->damp.until.ns;

	b->damp = (struct damp){0};
	return held;
}

void plane_recover_describe(struct plane_vip *v, const struct vip_config *want)
{
	v->dirty |= v->recovery != want->recovery || v->damp_ms != want->damp_ms;
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];

		if (!want->damp_ms)
			b->damp = (struct damp){0};
		else if (b->damp.penalty && !b->damp.at.ns)
			damp_again(b, want->damp_ms);
		b->awaits |= is_out(b); /* and stays so */
		b->awaits &= want->recovery != RECOVERY_AUTO;
	}
	v->recovery = want->recovery;
	v->damp_ms = want->damp_ms;
}

void plane_recover_tick(struct plane *p, struct mono now)
{
	for (size_t i = 0; i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		for (__u32 k = 0; v->damp_ms && k < v->backend_count; k++) {
			struct damp *damp = &v->backend[k]->damp;

			if (!damp->until.ns || damp->until.ns > now.ns)
				continue;
			damp->until.ns = 0;
			v->dirty = p->dirty = true;
		}
	}
}

/* --- readmission --- */

static void backend_readmit(struct plane *p, struct plane_backend *b, __u64 date_ms)
{
	if (date_ms <= b->out_ms || date_ms <= b->readmitted_ms)
		return;
	b->readmitted_ms = date_ms;
	b->awaits = false;
	b->damp = (struct damp){0};
	b->vip->dirty = p->dirty = true;
}

static __u64 backend_key(struct plane_backend *b)
{
	if (!b->told)
		b->told = fact_backend_key(b->vip->name, &b->at);
	return b->told;
}

int plane_readmit(struct plane *p, const char *vip, const struct endpoint *at, bool dry_run, struct fact_readmit **ret,
		  size_t *ret_count, struct err *err)
{
	struct plane_vip *v = plane_vip_find(p, vip);
	struct fact_readmit *all = v ? calloc(v->backend_count + 1, sizeof(*all)) : NULL;
	char text[ENDPOINT_TEXT_BYTES];
	size_t count = 0;

	if (!v)
		return config_vip_none(p->config, vip, err);
	if (!all)
		return -ENOMEM;
	for (__u32 i = 0; i < v->backend_count; i++) {
		struct plane_backend *b = v->backend[i];
		__u64 now = wall_ms();

		if (!plane_backend_held(b) || !addr_equal(&b->at.addr, &at->addr) ||
		    (at->port && at->port != b->at.port))
			continue;
		all[count] = (struct fact_readmit){backend_key(b), now > b->out_ms ? now : b->out_ms + 1};
		if (!dry_run)
			backend_readmit(p, b, all[count].date_ms);
		count++;
	}
	if (!count) {
		free(all);
		return err_set(err, ENOENT, "VIP %s holds no backend %s", vip, endpoint_format(at, text));
	}
	plane_settle(p);
	*ret = all;
	*ret_count = count;
	return 0;
}

static int key_order(const void *key, const void *member)
{
	__u64 a = *(const __u64 *)key, b = ((const struct fact_readmit *)member)->key;

	return a < b ? -1 : a > b;
}

static void backend_readmitted(struct plane *p, struct plane_backend *b, const struct fact_readmit *all, size_t count)
{
	__u64 key = b->out_ms ? backend_key(b) : 0;
	const struct fact_readmit *found = b->out_ms ? bsearch(&key, all, count, sizeof(*all), key_order) : NULL;

	if (found)
		backend_readmit(p, b, found->date_ms);
}

void plane_readmitted(struct plane *p, const struct fact_readmit *all, size_t count)
{
	for (size_t i = 0; count && i < p->vip_count; i++) {
		struct plane_vip *v = p->vip[i];

		for (__u32 k = 0; (v->recovery != RECOVERY_AUTO || v->damp_ms) && k < v->backend_count; k++)
			backend_readmitted(p, v->backend[k], all, count);
	}
	plane_settle(p);
}

/* --- words --- */

bool plane_backend_held_by(const struct plane_backend *b, char words[PLANE_RECOVERY_BYTES])
{
	if (plane_backend_failing(b))
		snprintf(words, PLANE_RECOVERY_BYTES,
			 "it fails by its checks, and serves: backend disable takes it out");
	else if (!plane_backend_held(b))
		return false;
	else if (b->awaits)
		snprintf(words, PLANE_RECOVERY_BYTES, "up again by its checks: it waits for backend readmit");
	else
		snprintf(words, PLANE_RECOVERY_BYTES,
			 "up again by its checks, but it flaps: it waits %.0f s more, or for backend readmit",
			 mono_ms(mono_now(), b->damp.until) / 1000.0);
	return true;
}

bool plane_recovery(const struct plane *p, const char *vip, const struct endpoint *at, char words[PLANE_RECOVERY_BYTES])
{
	const struct plane_vip *v = plane_vip_find(p, vip);
	const struct plane_backend *b = v ? plane_backend_find(v, at) : NULL;

	return b && plane_backend_held_by(b, words);
}

static __u32 backends_of(const struct plane_vip *v, bool (*is)(const struct plane_backend *b))
{
	__u32 count = 0;

	for (__u32 i = 0; i < v->backend_count; i++)
		count += plane_backend_aside(v->backend[i]) == OVERRIDE_NONE && is(v->backend[i]);
	return count;
}

static bool is_awaiting(const struct plane_backend *b)
{
	return b->awaits && plane_backend_held(b);
}

bool plane_vip_waits(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	__u32 count = backends_of(v, is_awaiting);

	snprintf(words, PLANE_BOUND_BYTES, "holds %u of %u backends that are up again: they wait for backend readmit",
		 count, v->backend_count);
	return count;
}

bool plane_vip_failing(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	__u32 count = backends_of(v, plane_backend_failing);

	snprintf(
		words, PLANE_BOUND_BYTES,
		"keeps %u of %u backends in service that fail by their checks (recovery manual): backend disable takes "
		"them out",
		count, v->backend_count);
	return count;
}
