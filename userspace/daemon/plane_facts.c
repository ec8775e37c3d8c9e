// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See plane_facts.h. Not here: the sums of the sweep, which the counts are (plane_sweep.c).
 */
#include "daemon/plane_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/maglev.h"
#include "core/mix.h"
#include "daemon/plane_state.h"

struct counted {
	struct fact_load load;
	__u32 id;
};

static int counted_order(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return x->load.key < y->load.key ? -1 : x->load.key > y->load.key;
}

static size_t counted_fill(const struct plane *p, struct counted *all)
{
	size_t count = 0, i, kept = 0;
	__u32 j;

	for (i = 0; i < p->vip_count; i++) {
		const struct plane_vip *v = p->vip[i];

		for (j = 0; v->scheduler != SCHEDULER_MH && j < v->backend_count; j++) {
			struct plane_backend *b = v->backend[j];

			if (!b->told)
				b->told = fact_backend_key(v->name, &b->at);
			all[count++] = (struct counted){
				{b->told, __atomic_load_n(&p->loads[b->id].open, __ATOMIC_RELAXED)}, b->id};
		}
	}
	qsort(all, count, sizeof(*all), counted_order);
	for (i = 0; i < count; i++) /* two of one key would be one: 64 bits, and yet */
		if (!kept || all[kept - 1].load.key != all[i].load.key)
			all[kept++] = all[i];
	return kept;
}

int plane_loads(struct plane *p, struct fact_load **ret, __u32 **ret_id)
{
	size_t room = 1, count, i;
	struct counted *all;

	for (i = 0; i < p->vip_count; i++)
		room += p->vip[i]->backend_count;
	all = calloc(room, sizeof(*all));
	*ret = calloc(room, sizeof(**ret));
	*ret_id = calloc(room, sizeof(**ret_id));
	if (!all || !*ret || !*ret_id) {
		free(all);
		free(*ret);
		free(*ret_id);
		return -ENOMEM;
	}
	count = counted_fill(p, all);
	for (i = 0; i < count; i++) {
		(*ret)[i] = all[i].load;
		(*ret_id)[i] = all[i].id;
	}
	free(all);
	return (int)count;
}

/* The program adds own connections in 32 bits: these leave them room, whatever one who lies makes of them. */
#define PEERS_MAX (1u << 30)

/* What others had before a restart counts until all have told again, or for so long all would be let in. */
#define PEERS_KEPT_MS (FACT_LOADS_ALL_MS + 2000)

void plane_peers_open(struct plane *p, __u32 id, __u64 open)
{
	__u32 value = open > PEERS_MAX ? PEERS_MAX : (__u32)open;
	__u32 old = __atomic_load_n(&p->loads[id].peers, __ATOMIC_RELAXED);

	if (value == old || (value < old && p->restarted.ns && mono_ms(p->restarted, mono_now()) < PEERS_KEPT_MS))
		return;
	__atomic_store_n(&p->loads[id].peers, value, __ATOMIC_RELAXED);
}

/*
 * All that T is made of, and no more: equal where the configuration is, also while one node's table still has the size
 * of before (plane_plan.h), which is seen in the homes.
 */
static __u64 intent_digest(const struct plane_vip *v)
{
	__u64 ret = mix64(v->slots_wanted ? v->slots_wanted : vip_slots_default(v->backend_count));

	for (__u32 i = 0; i < v->backend_count; i++)
		ret = mix64(ret ^ mix64(v->keys[i] ^ mix64(v->weights[i] | (__u64)(v->tiers[i] - TIER_DEFAULT) << 32)));
	return ret;
}

/* Of one VIP. */
static struct fact_digest vip_digest(const struct plane_vip *v)
{
	struct fact_digest ret = {0};
	__u64 name = 0;

	for (const char *s = v->name; *s; s++)
		name = mix64(name ^ (__u8)*s);
	ret.config = mix64(name ^ intent_digest(v) ^ MAGLEV_VERSION);
	ret.effective = mix64(name ^ mix64(v->effective + v->region.count) ^ MAGLEV_VERSION);
	memcpy(ret.vip, v->name, sizeof(ret.vip));
	return ret;
}

struct fact_digest plane_digest(const struct plane *p)
{
	struct fact_digest ret = {.config = mix64(MAGLEV_VERSION), .effective = mix64(MAGLEV_VERSION)};

	for (size_t i = 0; i < p->vip_count; i++) {
		struct fact_digest one = vip_digest(p->vip[i]);

		ret.config = mix64(ret.config ^ one.config);
		ret.effective = mix64(ret.effective ^ one.effective);
	}
	return ret;
}

int plane_digest_facts(const struct plane *p, struct fact_digest **ret)
{
	struct fact_digest *all = calloc(p->vip_count + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all[0] = plane_digest(p);
	for (size_t i = 0; i < p->vip_count; i++)
		all[i + 1] = vip_digest(p->vip[i]);
	*ret = all;
	return (int)p->vip_count + 1;
}
