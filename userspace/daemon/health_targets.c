// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Targets: what is checked, by the configuration, and what is known of each. Not here: verdicts (health.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "core/config_file.h"
#include "core/model.h"
#include "daemon/health_state.h"

/* --- ids: all nodes with one configuration have them in common --- */

/* Of a check, by its line as that of a VIP without a name. */
static int check_hash(const struct check_config *check, const struct signing *signing, __u8 ret[HASH_BYTES])
{
	struct buf line = {0};
	int rc;

	config_export_check("", check, &line);
	rc = buf_error(&line);
	if (!rc)
		signing->hash(signing->arg, buf_text(&line), line.len, ret);
	buf_free(&line);
	return rc;
}

/* @check_hash: of @check. Through the tunnel to another address of VIPs is another target. */
static __u64 target_id(const struct check_config *check, const __u8 check_hash[HASH_BYTES], const struct endpoint *at,
		       const struct signing *signing)
{
	struct {
		char purpose[16];
		__u8 check[HASH_BYTES];
		char at[ENDPOINT_TEXT_BYTES];
		char to[ENDPOINT_TEXT_BYTES]; /* only via tunnel */
	} all = {.purpose = "starling target"};
	bool tunnel = check->via == CHECK_VIA_TUNNEL;
	__u8 hash[HASH_BYTES];
	__u64 ret;

	memcpy(all.check, check_hash, sizeof(all.check));
	endpoint_format(at, all.at);
	if (tunnel)
		endpoint_format(&check->to, all.to);
	signing->hash(signing->arg, &all, tunnel ? sizeof(all) : offsetof(typeof(all), to), hash);
	memcpy(&ret, hash, sizeof(ret));
	return ret;
}

__u64 health_target_id(const struct check_config *check, const struct endpoint *at, const struct signing *signing,
		       int *ret_rc)
{
	__u8 hash[HASH_BYTES];

	*ret_rc = check_hash(check, signing, hash);
	return *ret_rc ? 0 : target_id(check, hash, at, signing);
}

/* --- sets --- */

static int target_order(const void *key, const void *member)
{
	const struct health_target *a = key, *b = member;
	int order = endpoint_compare(&a->at, &b->at);

	if (order || a->check == b->check)
		return order;
	return memcmp(a->check, b->check, sizeof(*a->check));
}

static int id_order(const void *left, const void *right, void *arg)
{
	const struct health_target *target = arg;
	__u64 a = target[*(const size_t *)left].id, b = target[*(const size_t *)right].id;

	return a < b ? -1 : a > b;
}

void health_set_free(struct health_set *set)
{
	free(set->target);
	free(set->by_id);
	free(set->check);
	free(set->agent);
	*set = (struct health_set){0};
}

static void set_fill(struct health_set *set, const struct config *c, const struct config_target *all, const bool *down,
		     size_t count, bool exec)
{
	size_t agents = 0;

	for (size_t i = 0; i < c->vip_count; i++)
		if (c->vip[i].check)
			set->check[i] = *c->vip[i].check;
	for (size_t i = 0; i < count; i++) {
		const struct check_config *check = &set->check[all[i].vip - c->vip];

		set->target[i] = (struct health_target){
			.at = all[i].at,
			.check = check,
			.agent = check->kind == CHECK_AGENT ? &set->agent[agents++] : NULL,
			.down = down[i],
			.barred = check->kind == CHECK_EXEC && !exec,
		};
		set->by_id[i] = i;
	}
	set->count = count;
}

static int set_ids(struct health_set *set, size_t checks, const struct signing *signing)
{
	__u8(*hash)[HASH_BYTES] = calloc(checks + 1, sizeof(*hash));
	int rc = hash ? 0 : -ENOMEM;

	for (size_t i = 0; i < checks && !rc; i++)
		rc = check_hash(&set->check[i], signing, hash[i]);
	for (size_t i = 0; i < set->count && !rc; i++) {
		struct health_target *t = &set->target[i];

		t->id = target_id(t->check, hash[t->check - set->check], &t->at, signing);
	}
	free(hash);
	if (!rc && set->count)
		qsort_r(set->by_id, set->count, sizeof(*set->by_id), id_order, set->target);
	return rc;
}

static size_t agents_count(const struct config_target *all, size_t count)
{
	size_t agents = 0;

	for (size_t i = 0; i < count; i++)
		agents += all[i].vip->check->kind == CHECK_AGENT;
	return agents;
}

int health_set_make(struct health_set *ret, const struct config *c, const struct config_target *all, const bool *down,
		    size_t count, bool exec, const struct signing *signing)
{
	int rc = -ENOMEM;

	*ret = (struct health_set){
		.target = calloc(count + 1, sizeof(*ret->target)),
		.by_id = calloc(count + 1, sizeof(*ret->by_id)),
		.check = calloc(c->vip_count + 1, sizeof(*ret->check)),
		.agent = calloc(agents_count(all, count) + 1, sizeof(*ret->agent)),
	};
	if (ret->target && ret->by_id && ret->check && ret->agent) {
		set_fill(ret, c, all, down, count, exec);
		rc = set_ids(ret, c->vip_count, signing);
	}
	if (rc)
		health_set_free(ret);
	return rc;
}

struct health_target *health_set_find(const struct health_set *set, const struct endpoint *at,
				      const struct check_config *check)
{
	const struct health_target key = {.at = *at, .check = check};
	size_t place;

	return array_find(set->target, set->count, sizeof(key), &key, target_order, &place) ? &set->target[place]
											    : NULL;
}

struct health_target *health_set_id(const struct health_set *set, __u64 id)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		struct health_target *t = &set->target[set->by_id[mid]];

		if (t->id == id)
			return t;
		if (t->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void health_set_keep(struct health_set *set, const struct health_set *former)
{
	for (size_t i = 0; i < set->count; i++) {
		struct health_target *t = &set->target[i];
		const struct health_target *was = health_set_find(former, &t->at, t->check);

		if (!was)
			continue;
		t->probed = was->probed;
		t->last = was->last;
		t->report = was->report;
		t->heard = was->heard;
		if (t->agent && was->agent)
			*t->agent = *was->agent;
		t->certified = was->certified;
		t->checks = was->checks;
		t->failures = was->failures;
	}
}

/* --- rules --- */

void health_set_rules(const struct health_set *set, const struct roster *roster, __u64 self, struct verdict_target *ret)
{
	const struct roster_node *own = roster_find_id(roster, self);

	for (size_t i = 0; i < set->count; i++) {
		const struct health_target *t = &set->target[set->by_id[i]];
		const struct check_config *c = t->check;

		ret[i] = (struct verdict_target){
			.id = t->id,
			.pace = {.interval_ms = c->interval_ms,
				 .timeout_ms = c->timeout_ms,
				 .rise = c->rise,
				 .fall = c->fall},
			.rule = {.mode = (enum verdict_mode)(c->mode - 1), .liars = c->observers > 4 ? 2 : 1},
			.down = t->down,
			.blind = t->barred,
		};
		if (own && c->scope == CHECK_SCOPE_SITE)
			memcpy(ret[i].rule.site, own->site, sizeof(ret[i].rule.site));
	}
}
