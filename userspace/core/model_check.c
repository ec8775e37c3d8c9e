// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What no single line of a configuration can know: limits, keys used twice, slots.
 * Not here: building configurations (model.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/model.h"

/* Primes, after Maglev section 3.4; vip_slots_words() says the same. */
static const __u32 slot_counts[] = {1021, 2039, 4093, 8191, 16381, 32749, 65537, 131071, 1048573};
#define SLOT_COUNTS_COUNT (sizeof(slot_counts) / sizeof(slot_counts[0]))

struct key_owner {
	struct endpoint key;
	const struct vip_config *vip;
};

__u32 vip_slots_default(size_t backends)
{
	size_t i;

	for (i = 0; i < SLOT_COUNTS_COUNT - 1; i++)
		if (slot_counts[i] / STARLING_SLOTS_PER_BACKEND >= backends)
			break;
	return slot_counts[i];
}

__u32 vip_slots(const struct vip_config *vip)
{
	size_t of_tier[STARLING_TIER_SORRY + 1] = {0}, most = 0, i;

	for (i = 0; i < vip->backend_count; i++) {
		size_t *count = &of_tier[vip->backend[i].tier];

		++*count;
		most = *count > most ? *count : most;
	}
	return vip->slots ? vip->slots : vip_slots_default(most);
}

bool vip_slots_allowed(__u32 slots)
{
	size_t i;

	for (i = 0; i < SLOT_COUNTS_COUNT; i++)
		if (slot_counts[i] == slots)
			return true;
	return false;
}

const char *vip_slots_words(void)
{
	return "1021, 2039, 4093, 8191, 16381, 32749, 65537, 131071 or 1048573";
}

static int owner_compare(const void *left, const void *right)
{
	const struct key_owner *a = left, *b = right;
	int order = endpoint_compare(&a->key, &b->key);

	/* Equal keys in the order in which they were asked for: the later one is refused. */
	return order ? order : a->vip->turn < b->vip->turn ? -1 : a->vip->turn > b->vip->turn;
}

static int owner_find(const void *address, const void *member)
{
	const struct key_owner *owner = member;

	return addr_compare(address, &owner->key.addr);
}

/* All keys of all VIPs, sorted; *ret_owner is owned by the caller. */
static int keys_collect(const struct config *c, struct key_owner **ret_owner, size_t *ret_count)
{
	struct key_owner *owner;
	size_t count = 0, i, k;

	for (i = 0; i < c->vip_count; i++)
		count += c->vip[i].key_count;
	owner = calloc(count + 1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	count = 0;
	for (i = 0; i < c->vip_count; i++)
		for (k = 0; k < c->vip[i].key_count; k++)
			owner[count++] = (struct key_owner){c->vip[i].key[k], &c->vip[i]};
	qsort(owner, count, sizeof(*owner), owner_compare);
	*ret_owner = owner;
	*ret_count = count;
	return 0;
}

static int keys_check(const struct key_owner *owner, size_t count, const struct vip_config **ret_vip, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t i;

	for (i = 1; i < count; i++) {
		if (endpoint_compare(&owner[i - 1].key, &owner[i].key))
			continue;
		*ret_vip = owner[i].vip;
		return err_set(err, EINVAL, "VIP %s: %s belongs to VIP %s already", owner[i].vip->name,
			       endpoint_format(&owner[i].key, text), owner[i - 1].vip->name);
	}
	return 0;
}

/* A packet sent to a VIP's own address would come back to the balancer. */
static int backends_check(const struct vip_config *vip, const struct key_owner *owner, size_t count, struct err *err)
{
	const struct key_owner *found;
	char text[ENDPOINT_TEXT_BYTES];
	size_t i, weighted = 0;

	for (i = 0; i < vip->backend_count; i++) {
		const struct backend_config *b = &vip->backend[i];

		weighted += !!b->weight;
		if (!b->at.port)
			return err_set(err, EINVAL, "VIP %s: backend %s has no port", vip->name,
				       endpoint_format(&b->at, text));
		found = bsearch(&b->at.addr, owner, count, sizeof(*owner), owner_find);
		if (found)
			return err_set(err, EINVAL,
				       "VIP %s: backend %s has the address of VIP %s: packets would come back",
				       vip->name, endpoint_format(&b->at, text), found->vip->name);
	}
	if (weighted > vip_slots(vip))
		return err_set(err, EINVAL, "VIP %s: %zu backends need more slots than %u: each takes one at least",
			       vip->name, weighted, vip_slots(vip));
	return 0;
}

const char *vip_uncounted(enum scheduler scheduler, bool hash_source)
{
	if (scheduler == SCHEDULER_MH)
		return "scheduler mh keeps no count of connections: wlc, lc, wrr and rr do";
	return hash_source ? "hash source counts clients, not connections: hash 5tuple does" : NULL;
}

static int limits_check(const struct vip_config *vip, struct err *err)
{
	const char *why = vip_uncounted(vip->scheduler, vip->hash_source);
	char text[ENDPOINT_TEXT_BYTES];

	for (size_t i = 0; why && i < vip->backend_count; i++)
		if (vip->backend[i].maxconn)
			return err_set(err, EINVAL, "VIP %s: backend %s has maxconn %u, but %s", vip->name,
				       endpoint_format(&vip->backend[i].at, text), vip->backend[i].maxconn, why);
	return 0;
}

static int vip_check(const struct vip_config *vip, struct err *err)
{
	size_t i;

	if (!vip->key_count)
		return err_set(err, EINVAL, "VIP %s: it has no address", vip->name);
	for (i = 0; i < vip->key_count && !vip->idle_ms; i++)
		if (vip->key[i].proto == IPPROTO_TCP)
			return err_set(err, EINVAL,
				       "VIP %s: idle 0 is for VIPs of UDP alone: TCP connections need their cells",
				       vip->name);
	if (!vip->idle_ms && vip->scheduler != SCHEDULER_MH)
		return err_set(err, EINVAL, "VIP %s: idle 0 keeps no count of flows, which scheduler %s needs",
			       vip->name, scheduler_word((int)vip->scheduler));
	return limits_check(vip, err);
}

static int room_check(const struct config *c, const struct config_limits *limits, struct err *err)
{
	unsigned long long backends = 0, slots = 0;
	size_t i;

	for (i = 0; i < c->vip_count; i++) {
		backends += c->vip[i].backend_count;
		slots += vip_slots(&c->vip[i]);
	}
	if (c->vip_count > limits->vips)
		return err_set(err, ENOSPC, "%zu VIPs, but room for %u: start starlingd with --vips %zu", c->vip_count,
			       limits->vips, c->vip_count);
	if (backends > limits->backends)
		return err_set(err, ENOSPC, "%llu backends, but room for %u: start starlingd with --backends %llu",
			       backends, limits->backends, backends);
	if (slots > limits->slots)
		return err_set(err, ENOSPC, "%llu slots, but room for %u: start starlingd with --slots %llu", slots,
			       limits->slots, slots);
	if (c->iface_count > STARLING_DEVICES)
		return err_set(err, ENOSPC, "%zu devices, but room for %u", c->iface_count, STARLING_DEVICES);
	return 0;
}

static int target_compare(const void *left, const void *right)
{
	const struct config_target *a = left, *b = right;
	int order = endpoint_compare(&a->at, &b->at);

	return order ? order : memcmp(a->vip->check, b->vip->check, sizeof(*a->vip->check));
}

int config_targets(const struct config *c, struct config_target **ret, size_t *ret_count)
{
	struct config_target *all;
	size_t count = 0, kept = 0, i, k;

	for (i = 0; i < c->vip_count; i++)
		count += c->vip[i].check ? c->vip[i].backend_count : 0;
	all = calloc(count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (i = 0; i < c->vip_count; i++)
		for (k = 0; c->vip[i].check && k < c->vip[i].backend_count; k++)
			if (c->vip[i].backend[k].tier != STARLING_TIER_SORRY)
				all[kept++] = (struct config_target){&c->vip[i], c->vip[i].backend[k].at};
	count = kept;
	qsort(all, count, sizeof(*all), target_compare);
	for (i = kept = 0; i < count; i++)
		if (!i || target_compare(&all[i - 1], &all[i]))
			all[kept++] = all[i];
	*ret = all;
	*ret_count = kept;
	return 0;
}

bool config_target_find(const struct config_target *all, size_t count, const struct config_target *what, size_t *ret_at)
{
	return array_find(all, count, sizeof(*all), what, target_compare, ret_at);
}

double config_probes(const struct config *c)
{
	struct config_target *all;
	size_t count, i;
	double rate = 0;

	if (config_targets(c, &all, &count))
		return -1;
	for (i = 0; i < count; i++)
		rate += 1000.0 / all[i].vip->check->interval_ms;
	free(all);
	return rate;
}

#define LARGEST_VIPS 3 /* that are named */

/* The VIPs that take most of the budget, and how much. @cost: by VIP; spoiled. */
static void largest_words(const struct config *c, double *cost, char *text, size_t room)
{
	size_t named, i, most;

	text[0] = '\0';
	for (named = 0; named < LARGEST_VIPS; named++) {
		for (i = most = 0; i < c->vip_count; i++)
			if (cost[i] > cost[most])
				most = i;
		if (cost[most] <= 0)
			break;
		snprintf(text + strlen(text), room - strlen(text), "%s %s (%.0f %%)", named ? "," : "",
			 c->vip[most].name, cost[most] / 1e4);
		cost[most] = 0;
	}
}

static int budget_check(const struct config *c, struct err *err)
{
	char words[LARGEST_VIPS * (STARLING_NAME_BYTES + 24)];
	double *cost = calloc(c->vip_count + 1, sizeof(*cost)), sum = 0, rate = 0;
	struct config_target *all = NULL;
	size_t count = 0, i;
	int r = 0;

	if (!cost || config_targets(c, &all, &count)) {
		free(cost);
		return err_set(err, ENOMEM, "no memory to check a configuration");
	}
	for (i = 0; i < count; i++) {
		double one = check_cost(all[i].vip->check);

		cost[all[i].vip - c->vip] += one;
		sum += one;
		rate += 1000.0 / all[i].vip->check->interval_ms;
	}
	if (sum > STARLING_PROBE_LOAD_US) {
		largest_words(c, cost, words, sizeof(words));
		r = err_set(err, ENOSPC,
			    "%.0f probes a second would take %.0f %% of a core, more than the %u %% that they may: "
			    "give longer intervals to%s",
			    rate, sum / 1e4, STARLING_PROBE_LOAD_US / 10000, words);
	}
	free(all);
	free(cost);
	return r;
}

/* Beacons leave through one device and no other. */
static int node_check(const struct config *c, struct err *err)
{
	if (c->node_beacons && !c->node_device[0])
		return err_set(err, EINVAL, "node: beacons need a device, `node set device DEV`");
	if (c->node_urgent && !c->node_device[0])
		return err_set(err, EINVAL, "node: multicast needs a device, `node set device DEV`");
	if ((c->node_beacons == BEACONS_BROADCAST || c->node_beacons == BEACONS_BOTH) &&
	    !addr_is_v4(&c->node_address.addr) && addr_is_unicast(&c->node_address.addr))
		return err_set(err, EINVAL, "node: beacons by broadcast need an IPv4 address; IPv6 has multicast");
	return 0;
}

int config_check_vip(const struct config *c, const struct config_limits *limits, const struct vip_config **ret_vip,
		     struct err *err)
{
	static const struct config_limits largest = {STARLING_VIPS_MAX, STARLING_BACKENDS_MAX, 0xffffffff};
	struct key_owner *owner;
	size_t count, i;
	int r;

	*ret_vip = NULL;
	r = room_check(c, limits ? limits : &largest, err);
	if (!r)
		r = node_check(c, err);
	if (!r)
		r = budget_check(c, err);
	if (r)
		return r;
	if (keys_collect(c, &owner, &count))
		return err_set(err, ENOMEM, "no memory to check a configuration");
	r = keys_check(owner, count, ret_vip, err);
	for (i = 0; i < c->vip_count && !r; i++) {
		r = vip_check(&c->vip[i], err);
		if (!r)
			r = backends_check(&c->vip[i], owner, count, err);
		if (r)
			*ret_vip = &c->vip[i];
	}
	free(owner);
	return r;
}

int config_check(const struct config *c, const struct config_limits *limits, struct err *err)
{
	const struct vip_config *vip;

	return config_check_vip(c, limits, &vip, err);
}
