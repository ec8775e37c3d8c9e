// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How votes travel in the verdicts' world: to the target's other observers at once, to all by gossip, and where both
 * got lost by a repair that compares what two nodes keep. Not here: who casts them (verdict_world.c).
 */
#include "core/page_store.h"
#include "verdict_private.h"

#define DELAY_US  200
#define JITTER_US 300

/* --- items --- */

static __u64 item_key(const struct item *item)
{
	return mix64(item->vote.target ^ mix64(item->vote.voter ^ mix64(item->vote.about))) | 1;
}

struct item *verdict_item(enum item_what what, const void *bytes, size_t len)
{
	struct item *item = calloc(1, sizeof(*item) + len);

	assert_non_null(item);
	item->holders = 1;
	item->what = what;
	item->len = len;
	memcpy(item->bytes, bytes, len);
	if (what != ITEM_VOTE)
		return item;
	assert_int_equal(verdict_vote_decode(bytes, len, &item->vote), 0);
	item->key = item_key(item);
	return item;
}

struct item *verdict_item_certificate(struct node *n, __u64 target, const void *bytes, size_t len)
{
	struct item *item = verdict_item(ITEM_CERTIFICATE, bytes, len);

	item->vote.target = target;
	item->vote.voter = n->signer.id;
	item->vote.about = ABOUT_CERTIFICATE;
	item->vote.number = (struct page_version){n->life, 1, ++n->counter};
	item->key = item_key(item);
	return item;
}

struct item *verdict_item_hold(struct item *item)
{
	item->holders++;
	return item;
}

void verdict_item_drop(struct item *item)
{
	if (item && !--item->holders)
		free(item);
}

static void item_send(struct verdict_world *w, __u64 us, size_t from, size_t to, struct item *item)
{
	struct job *job = verdict_job(w, us, to, JOB_ITEM);

	job->item = verdict_item_hold(item);
	job->about = from;
}

/* --- gossip: as pages do --- */

void verdict_send(struct verdict_world *w, size_t from, size_t to, struct item *item)
{
	w->messages++;
	if (from == to || !w->node[to].up || w->node[from].part != w->node[to].part || verdict_lost(w))
		return;
	item_send(w, DELAY_US + verdict_world_draw(w, JITTER_US), from, to, item);
}

static void fresh_drop_first(struct node *n)
{
	verdict_item_drop(n->fresh->item);
	memmove(n->fresh, n->fresh + 1, --n->fresh_count * sizeof(*n->fresh));
}

static void fresh_meets(struct fresh *f, size_t node)
{
	f->met[node / 64] |= 1ull << node % 64;
}

static bool fresh_met(const struct fresh *f, size_t node)
{
	return f->met[node / 64] >> node % 64 & 1;
}

void verdict_spread(struct verdict_world *w, size_t node, size_t from, struct item *item)
{
	struct node *n = &w->node[node];
	struct fresh *f;
	size_t i, left = 0;

	for (i = 0; i < n->fresh_count; i++) {
		if (item->key && n->fresh[i].key == item->key)
			verdict_item_drop(n->fresh[i].item);
		else
			n->fresh[left++] = n->fresh[i];
	}
	n->fresh_count = left;
	if (n->fresh_count == FRESH)
		fresh_drop_first(n); /* a repair will do it */
	f = &n->fresh[n->fresh_count++];
	*f = (struct fresh){.item = verdict_item_hold(item), .key = item->key};
	fresh_meets(f, node);
	fresh_meets(f, from);
	if (n->gossips)
		return;
	n->gossips = true;
	verdict_job(w, verdict_world_draw(w, VERDICT_GOSSIP_MS * 1000), node, JOB_GOSSIP);
}

/* Those that were sent least, and that it has not met, as many as there is room for. */
static void gossip_to(struct verdict_world *w, size_t from, size_t to, unsigned int limit)
{
	struct node *n = &w->node[from];
	size_t i, count = 0;

	for (unsigned int sent = 0; sent < limit && count < DATAGRAM; sent++)
		for (i = 0; i < n->fresh_count && count < DATAGRAM; i++) {
			struct fresh *f = &n->fresh[i];

			if (f->sent != sent || fresh_met(f, to))
				continue;
			verdict_send(w, from, to, f->item);
			fresh_meets(f, to);
			f->sent++;
			count++;
		}
}

static bool fresh_rests(const struct verdict_world *w, const struct fresh *f, unsigned int limit)
{
	size_t met = 0;

	for (size_t i = 0; i < w->options.nodes; i++)
		met += fresh_met(f, i);
	return f->sent >= limit || met == w->options.nodes;
}

void verdict_gossip(struct verdict_world *w, size_t from)
{
	unsigned int limit = page_spread_limit(LAMBDA, w->options.nodes);
	struct node *n = &w->node[from];
	size_t i, left = 0;

	n->gossips = false;
	for (i = 0; i < VERDICT_GOSSIP_FANOUT && w->options.nodes > 1; i++)
		gossip_to(w, from, (from + 1 + verdict_world_draw(w, (__u32)w->options.nodes - 1)) % w->options.nodes,
			  limit);
	for (i = 0; i < n->fresh_count; i++) {
		if (!fresh_rests(w, &n->fresh[i], limit))
			n->fresh[left++] = n->fresh[i];
		else
			verdict_item_drop(n->fresh[i].item);
	}
	n->fresh_count = left;
	if (!left)
		return;
	n->gossips = true;
	verdict_job(w, VERDICT_GOSSIP_MS * 1000, from, JOB_GOSSIP);
}

/* --- what nodes keep for others: as pages do, the latest of each voter --- */

static struct item **kept_of(const struct node *n, const struct verdict_vote *vote)
{
	struct item **kept = &n->kept[(vote->target - verdict_world_target(0)) * KEPT];
	size_t i = 0;

	while (i < KEPT - 1 && kept[i] && (kept[i]->vote.voter != vote->voter || kept[i]->vote.about != vote->about))
		i++;
	return &kept[i];
}

/* Whether a node keeps it, or what the same voter said later. */
static bool keeps(const struct node *n, const struct item *item)
{
	const struct item *kept = *kept_of(n, &item->vote);

	return kept == item || (kept && kept->vote.voter == item->vote.voter &&
				page_version_compare(&kept->vote.number, &item->vote.number) >= 0);
}

bool verdict_keep(struct node *n, struct item *item)
{
	struct item **kept;

	if (item->what == ITEM_PROOF || keeps(n, item))
		return false;
	kept = kept_of(n, &item->vote);
	verdict_item_drop(*kept);
	*kept = verdict_item_hold(item);
	return true;
}

void verdict_node_forget(const struct verdict_world *w, struct node *n)
{
	size_t i;

	for (i = 0; i < n->fresh_count; i++)
		verdict_item_drop(n->fresh[i].item);
	n->fresh_count = 0;
	for (i = 0; i < w->options.targets * KEPT; i++)
		verdict_item_drop(n->kept[i]);
	memset(n->kept, 0, w->options.targets * KEPT * sizeof(*n->kept));
}

/* One node and another: each sends what the other lacks; over a stream, so nothing of it is lost. */
static void repair_towards(struct verdict_world *w, size_t from, size_t to)
{
	struct item **kept = w->node[from].kept;
	size_t i;

	for (i = 0; i < w->options.targets * KEPT; i++)
		if (kept[i] && !keeps(&w->node[to], kept[i])) {
			w->messages++;
			item_send(w, DELAY_US, from, to, kept[i]);
		}
}

void verdict_repair(struct verdict_world *w, size_t node)
{
	size_t to = verdict_world_draw(w, (__u32)w->options.nodes);
	struct node *n = &w->node[node], *m = &w->node[to];

	verdict_job(w, VERDICT_REPAIR_MS * 1000, node, JOB_REPAIR);
	if (to == node || !n->up || !m->up || n->part != m->part || n->lies || m->lies)
		return;
	repair_towards(w, node, to);
	repair_towards(w, to, node);
}
