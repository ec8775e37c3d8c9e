// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_world.h. A vote goes to the target's other observers at once, to all by gossip, and where both got lost
 * by a repair that compares what two nodes keep. Not here: liars (verdict_liars.c).
 */
#include "verdict_private.h"

#include <stdio.h>

#define DELAY_US  200
#define JITTER_US 300
#define ANSWER_US 400 /* a probe and its answer */
#define START_US  1000000

__u32 verdict_world_draw(struct verdict_world *w, __u32 bound)
{
	return mix_below(mix64(w->random++), bound);
}

__u64 verdict_world_target(size_t target)
{
	return 1000 + target;
}

struct job *verdict_job(struct verdict_world *w, __u64 us, size_t node, enum job_what what)
{
	struct job *job = calloc(1, sizeof(*job) + (what == JOB_ITEM ? sizeof(struct item) : 0));

	assert_non_null(job);
	job->what = what;
	job->life = w->node[node].life;
	event_add(&w->events, w->now_ns + us * 1000, node, job);
	return job;
}

static struct mono world_now(const struct verdict_world *w)
{
	return (struct mono){w->now_ns + 1};
}

static bool lost(struct verdict_world *w)
{
	return w->options.loss && verdict_world_draw(w, 100) < w->options.loss;
}

/* --- gossip --- */

void verdict_send(struct verdict_world *w, size_t from, size_t to, const struct item *item)
{
	w->messages++;
	if (from == to || !w->node[to].up || w->node[from].part != w->node[to].part || lost(w))
		return;
	verdict_job(w, DELAY_US + verdict_world_draw(w, JITTER_US), to, JOB_ITEM)->item[0] = *item;
}

/* What an item says instead of another one: of a vote who votes on what; else nothing. */
static __u64 item_key(const struct item *item)
{
	struct verdict_vote vote;

	if (item->what != ITEM_VOTE || verdict_vote_decode(item->bytes, item->len, &vote))
		return 0;
	return mix64(vote.target ^ mix64(vote.voter ^ mix64(vote.about))) | 1;
}

void verdict_spread(struct verdict_world *w, size_t from, const struct item *item)
{
	struct node *n = &w->node[from];
	__u64 key = item_key(item);
	struct fresh *f;
	size_t i, left = 0;

	for (i = 0; i < n->fresh_count; i++)
		if (!key || n->fresh[i].key != key)
			n->fresh[left++] = n->fresh[i];
	n->fresh_count = left;
	if (n->fresh_count == FRESH)
		memmove(n->fresh, n->fresh + 1, --n->fresh_count * sizeof(*n->fresh)); /* a repair will do it */
	f = &n->fresh[n->fresh_count++];
	*f = (struct fresh){*item, key, SENDS(w->options.nodes)};
	if (n->gossips)
		return;
	n->gossips = true;
	verdict_job(w, verdict_world_draw(w, VERDICT_GOSSIP_MS * 1000), from, JOB_GOSSIP);
}

static void gossip(struct verdict_world *w, size_t from)
{
	struct node *n = &w->node[from];
	size_t i, k, left = 0;

	n->gossips = false;
	for (k = 0; k < VERDICT_GOSSIP_FANOUT && w->options.nodes > 1; k++) {
		size_t to = (from + 1 + verdict_world_draw(w, (__u32)w->options.nodes - 1)) % w->options.nodes;

		for (i = 0; i < DATAGRAM && i < n->fresh_count; i++)
			verdict_send(w, from, to, &n->fresh[n->fresh_count - 1 - i].item);
	}
	for (i = 0; i < DATAGRAM && i < n->fresh_count; i++)
		n->fresh[n->fresh_count - 1 - i].left--;
	for (i = 0; i < n->fresh_count; i++)
		if (n->fresh[i].left)
			n->fresh[left++] = n->fresh[i];
	n->fresh_count = left;
	if (!left)
		return;
	n->gossips = true;
	verdict_job(w, VERDICT_GOSSIP_MS * 1000, from, JOB_GOSSIP);
}

/* --- what nodes keep for others: as pages do, the latest of each voter --- */

static struct kept *kept_of(const struct node *n, const struct verdict_vote *vote)
{
	struct kept *kept = &n->kept[(vote->target - verdict_world_target(0)) * KEPT];
	size_t i = 0;

	while (i < KEPT - 1 && kept[i].vote.voter &&
	       (kept[i].vote.voter != vote->voter || kept[i].vote.about != vote->about))
		i++;
	return &kept[i];
}

static void keep(struct node *n, const struct item *item)
{
	struct verdict_vote vote;
	struct kept *kept;

	if (item->what != ITEM_VOTE || verdict_vote_decode(item->bytes, item->len, &vote))
		return;
	kept = kept_of(n, &vote);
	if (kept->vote.voter == vote.voter && page_version_compare(&kept->vote.number, &vote.number) >= 0)
		return;
	*kept = (struct kept){vote, *item};
}

static void repair_certificate(struct verdict_world *w, size_t from, size_t to, size_t target)
{
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	int len;

	if (!w->node[from].verdict || !w->node[to].verdict ||
	    verdict_world_state(w, from, target, NULL) == verdict_world_state(w, to, target, NULL))
		return;
	len = verdict_export(w->node[from].verdict, verdict_world_target(target), bytes);
	if (len <= 0)
		return;
	w->messages++;
	verdict_certificate(w->node[to].verdict, world_now(w), bytes, (size_t)len);
}

static void node_after(struct verdict_world *w, size_t node);

/* One node and another: each sends what the other lacks; over a stream, so nothing of it is lost. */
static void repair_towards(struct verdict_world *w, size_t from, size_t to)
{
	struct node *a = &w->node[from];
	size_t i;

	for (i = 0; i < w->options.targets * KEPT; i++) {
		struct kept *other;

		if (!a->kept[i].vote.voter)
			continue;
		other = kept_of(&w->node[to], &a->kept[i].vote);
		if (other->vote.voter == a->kept[i].vote.voter &&
		    page_version_compare(&other->vote.number, &a->kept[i].vote.number) >= 0)
			continue;
		w->messages++;
		verdict_job(w, DELAY_US, to, JOB_ITEM)->item[0] = a->kept[i].item;
	}
	for (i = 0; i < w->options.targets; i++)
		repair_certificate(w, from, to, i);
	node_after(w, to);
}

static void repair(struct verdict_world *w, size_t node)
{
	size_t to = verdict_world_draw(w, (__u32)w->options.nodes);
	struct node *n = &w->node[node], *m = &w->node[to];

	verdict_job(w, VERDICT_REPAIR_MS * 1000, node, JOB_REPAIR);
	if (to == node || !n->up || !m->up || n->part != m->part || n->lies || m->lies)
		return;
	repair_towards(w, node, to);
	repair_towards(w, to, node);
}

/* --- actions --- */

static void probe_send(struct verdict_world *w, size_t node, const struct verdict_action *a)
{
	size_t target = a->target - verdict_world_target(0);
	struct backend *b = &w->backend[target];
	enum verdict_evidence evidence = b->refuses ? VERDICT_REFUSED : VERDICT_GOOD;
	struct job *job;

	b->probes++;
	if (b->mute || w->node[node].blind || lost(w) || lost(w))
		evidence = VERDICT_TIMEOUT;
	job = verdict_job(w,
			  evidence == VERDICT_TIMEOUT ? w->options.pace.timeout_ms * 1000
						      : ANSWER_US + verdict_world_draw(w, ANSWER_US),
			  node, JOB_RESULT);
	job->target = target;
	job->number = a->number;
	job->evidence = evidence;
}

static void vote_send(struct verdict_world *w, size_t node, const struct verdict_action *a, enum item_what what)
{
	struct item item = {.what = what, .len = a->len};
	struct verdict_view view;

	memcpy(item.bytes, a->bytes, a->len);
	keep(&w->node[node], &item);
	verdict_spread(w, node, &item);
	if (what != ITEM_VOTE || verdict_view(w->node[node].verdict, a->target, &view))
		return;
	for (size_t to = 0; to < w->options.nodes; to++)
		if (verdict_seat_of(&view.seats, w->node[to].signer.id) >= 0)
			verdict_send(w, node, to, &item);
}

static void change_tell(struct verdict_world *w, size_t node, const struct verdict_action *a)
{
	struct verdict_view view;

	if (!w->options.changed || verdict_view(w->node[node].verdict, a->target, &view))
		return;
	w->options.changed(w->options.arg, w->now_ns / VERDICT_MS, node, a->target - verdict_world_target(0), a->state,
			   a->source, view.since.ns / VERDICT_MS);
}

static void node_after(struct verdict_world *w, size_t node)
{
	struct node *n = &w->node[node];
	struct verdict_action a;
	struct mono due;

	if (!n->verdict)
		return;
	while (verdict_take(n->verdict, &a)) {
		switch (a.act) {
		case VERDICT_PROBE:
			probe_send(w, node, &a);
			break;
		case VERDICT_VOTE:
			vote_send(w, node, &a, ITEM_VOTE);
			break;
		case VERDICT_PROOF:
			vote_send(w, node, &a, ITEM_PROOF);
			break;
		case VERDICT_CHANGE:
			change_tell(w, node, &a);
			break;
		}
	}
	due = verdict_due(n->verdict);
	if (due.ns == UINT64_MAX || (n->timer_ns && n->timer_ns <= due.ns))
		return;
	n->timer_ns = due.ns > w->now_ns ? due.ns : w->now_ns;
	event_add(&w->events, n->timer_ns, node, NULL);
}

/* --- nodes --- */

static struct roster roster_of(const struct verdict_world *w, size_t nodes)
{
	struct roster roster = {0};

	for (size_t i = 0; i < nodes; i++) {
		struct roster_node node = {.key = w->node[i].signer.key,
					   .roles = ROSTER_ROLES_DEFAULT,
					   .stake = w->options.stake ? w->options.stake[i] : ROSTER_STAKE_DEFAULT};

		snprintf(node.name, sizeof(node.name), "n%zu", i);
		assert_int_equal(roster_add(&roster, &node, NULL), 0);
	}
	return roster;
}

static void node_start(struct verdict_world *w, size_t node)
{
	struct verdict_target target[VERDICT_TARGETS_MAX];
	struct node *n = &w->node[node];
	struct verdict_config config = {
		.self = {n->signer.id, ++n->life, mix64(w->random++)},
		.seed = mix64(w->random++),
		.signing = &n->signer.signing,
	};

	n->up = true;
	if (n->lies)
		return;
	n->timer_ns = 0;
	n->gossips = false;
	n->fresh_count = 0;
	memset(n->kept, 0, w->options.targets * KEPT * sizeof(*n->kept));
	for (size_t i = 0; i < w->options.targets; i++)
		target[i] = (struct verdict_target){
			.id = verdict_world_target(i), .pace = w->options.pace, .rule = w->options.rule};
	n->verdict = verdict_new(&config);
	assert_non_null(n->verdict);
	assert_int_equal(verdict_roster(n->verdict, world_now(w), &w->roster), 0);
	assert_int_equal(verdict_targets(n->verdict, world_now(w), target, w->options.targets), 0);
	verdict_job(w, verdict_world_draw(w, VERDICT_REPAIR_MS * 1000), node, JOB_REPAIR);
	node_after(w, node);
}

static void node_crash(struct verdict_world *w, size_t node)
{
	struct node *n = &w->node[node];

	verdict_free(n->verdict);
	n->verdict = NULL;
	n->up = false;
	n->life++;
}

/* What nodes hold of each other follows what is so, later. */
static void opinions(struct verdict_world *w, size_t node)
{
	for (size_t i = 0; i < w->options.nodes; i++) {
		bool hears = w->node[i].up && w->node[node].up && w->node[i].part == w->node[node].part;
		__u64 us = hears ? VERDICT_GOSSIP_MS * 1000 : VERDICT_OPINION_MS * 1000;
		struct job *job;

		job = verdict_job(w, us, i, JOB_LIVE);
		job->about = node;
		job->live = hears;
		job = verdict_job(w, us, node, JOB_LIVE);
		job->about = i;
		job->live = hears;
	}
}

static void roster_change(struct verdict_world *w, size_t nodes)
{
	roster_free(&w->roster);
	w->nodes = nodes;
	w->roster = roster_of(w, nodes);
	for (size_t i = 0; i < w->options.nodes; i++) {
		struct node *n = &w->node[i];

		n->told = false;
		if (!n->verdict)
			continue;
		assert_int_equal(verdict_roster(n->verdict, world_now(w), &w->roster), 0);
		node_after(w, i);
		for (size_t k = 0; k < w->options.targets * KEPT; k++)
			if (n->kept[k].vote.voter)
				verdict_vote(n->verdict, world_now(w), n->kept[k].item.bytes, n->kept[k].item.len);
		node_after(w, i);
	}
}

/* --- what befalls them --- */

static void fault_one(struct verdict_world *w, const struct verdict_fault *f, size_t i)
{
	switch (f->what) {
	case VERDICT_FAULT_MUTE:
		w->backend[i].mute = true;
		break;
	case VERDICT_FAULT_REFUSE:
		w->backend[i].refuses = true;
		break;
	case VERDICT_FAULT_HEAL:
		w->backend[i].mute = w->backend[i].refuses = false;
		break;
	case VERDICT_FAULT_BLIND:
		w->node[i].blind = f->value;
		break;
	case VERDICT_FAULT_PART:
		w->node[i].part = f->value;
		break;
	case VERDICT_FAULT_CRASH:
		node_crash(w, i);
		break;
	case VERDICT_FAULT_START:
		node_start(w, i);
		break;
	case VERDICT_FAULT_ROSTER:
		roster_change(w, f->value);
		break;
	}
}

static void fault_do(struct verdict_world *w, const struct verdict_fault *f)
{
	size_t i;

	for (i = f->first; i < f->first + f->count; i++)
		fault_one(w, f, i);
	if (f->what == VERDICT_FAULT_PART || f->what == VERDICT_FAULT_CRASH || f->what == VERDICT_FAULT_START)
		for (i = f->first; i < f->first + f->count; i++)
			opinions(w, i);
}

/* --- events --- */

static void item_hear(struct verdict_world *w, size_t node, const struct item *item)
{
	struct node *n = &w->node[node];
	enum verdict_outcome outcome;

	if (n->lies) {
		verdict_liar_hears(w, node, item);
		return;
	}
	if (!n->verdict)
		return;
	if (item->what == ITEM_VOTE)
		outcome = verdict_vote(n->verdict, world_now(w), item->bytes, item->len);
	else
		outcome = verdict_proof(n->verdict, world_now(w), item->bytes, item->len);
	if (outcome == VERDICT_OUTCOME_NEW)
		verdict_spread(w, node, item);
	if (outcome == VERDICT_OUTCOME_NEW || outcome == VERDICT_OUTCOME_EPOCH)
		keep(n, item);
}

static void live_hear(struct verdict_world *w, size_t node, const struct job *job)
{
	struct node *n = &w->node[node], *other = &w->node[job->about];
	bool hears = other->up && n->up && other->part == n->part;

	if (n->verdict && hears == job->live)
		verdict_live(n->verdict, world_now(w), other->signer.id, job->live);
}

static void job_do(struct verdict_world *w, size_t node, const struct job *job)
{
	struct node *n = &w->node[node];

	switch (job->what) {
	case JOB_RESULT:
		if (n->verdict && job->life == n->life)
			verdict_probed(n->verdict, world_now(w), verdict_world_target(job->target), job->number,
				       job->evidence);
		break;
	case JOB_ITEM:
		item_hear(w, node, job->item);
		break;
	case JOB_GOSSIP:
		if (n->up && job->life == n->life)
			gossip(w, node);
		break;
	case JOB_REPAIR:
		if (n->up && job->life == n->life)
			repair(w, node);
		break;
	case JOB_LIE:
		verdict_liar_ticks(w, node);
		break;
	case JOB_LIVE:
		live_hear(w, node, job);
		break;
	}
}

static void event_take_one(struct verdict_world *w)
{
	struct event e = event_take(&w->events);
	struct node *n = &w->node[e.node];

	w->now_ns = e.ns;
	if (e.datagram) {
		job_do(w, e.node, e.datagram);
		free(e.datagram);
	} else if (n->verdict && n->timer_ns == e.ns) {
		n->timer_ns = 0;
		verdict_step(n->verdict, world_now(w));
	}
	node_after(w, e.node);
}

void verdict_world_run(struct verdict_world *w, __u64 ms, const struct verdict_fault *fault, size_t faults)
{
	__u64 end_ns = ms * VERDICT_MS;

	for (;;) {
		__u64 at_ns = w->faults_done < faults ? fault[w->faults_done].at_ms * VERDICT_MS : UINT64_MAX,
		      next_ns = event_next_ns(&w->events);

		if (at_ns > end_ns && next_ns > end_ns)
			break;
		if (at_ns > next_ns) {
			event_take_one(w);
			continue;
		}
		w->now_ns = at_ns;
		fault_do(w, &fault[w->faults_done++]);
		for (size_t i = 0; i < w->options.nodes; i++)
			node_after(w, i);
	}
	w->now_ns = end_ns;
}

/* --- the world --- */

static void node_new(struct verdict_world *w, size_t node)
{
	struct node *n = &w->node[node];

	signer_ideal(&n->signer, (__u32)node + 1);
	n->fresh = calloc(FRESH, sizeof(*n->fresh));
	n->kept = calloc(w->options.targets * KEPT, sizeof(*n->kept));
	n->lies = node >= w->options.nodes - w->options.liars;
	n->recorded = n->lies ? calloc(RECORDED, sizeof(*n->recorded)) : NULL;
	assert_true(n->fresh && n->kept && (n->recorded || !n->lies));
}

struct verdict_world *verdict_world_new(const struct verdict_world_options *options)
{
	struct verdict_world *w = calloc(1, sizeof(*w));
	size_t i;

	assert_non_null(w);
	assert_true(options->nodes <= VERDICT_NODES_MAX && options->targets <= VERDICT_TARGETS_MAX);
	w->options = *options;
	w->random = mix64(options->seed);
	w->node = calloc(options->nodes, sizeof(*w->node));
	w->backend = calloc(options->targets, sizeof(*w->backend));
	assert_true(w->node && w->backend);
	for (i = 0; i < options->nodes; i++)
		node_new(w, i);
	w->nodes = options->nodes;
	w->roster = roster_of(w, w->nodes);
	for (i = 0; i < options->nodes; i++) {
		node_start(w, i);
		if (w->node[i].lies)
			verdict_job(w, verdict_world_draw(w, START_US), i, JOB_LIE);
	}
	return w;
}

void verdict_world_free(struct verdict_world *w)
{
	for (size_t i = 0; i < w->options.nodes; i++) {
		verdict_free(w->node[i].verdict);
		free(w->node[i].fresh);
		free(w->node[i].kept);
		free(w->node[i].recorded);
	}
	roster_free(&w->roster);
	events_free(&w->events);
	free(w->node);
	free(w->backend);
	free(w);
}

struct verdict *verdict_world_node(struct verdict_world *w, size_t node)
{
	return w->node[node].verdict;
}

const struct roster *verdict_world_roster(const struct verdict_world *w)
{
	return &w->roster;
}

struct signing verdict_world_signing(struct verdict_world *w)
{
	return w->node[0].signer.signing;
}

enum verdict_state verdict_world_state(struct verdict_world *w, size_t node, size_t target,
				       enum verdict_source *ret_source)
{
	struct verdict_view view;

	assert_int_equal(verdict_view(w->node[node].verdict, verdict_world_target(target), &view), 0);
	if (ret_source)
		*ret_source = view.source;
	return view.state;
}

__u64 verdict_world_probes(const struct verdict_world *w, size_t target)
{
	return w->backend[target].probes;
}

__u64 verdict_world_messages(const struct verdict_world *w)
{
	return w->messages;
}

size_t verdict_world_agreeing(struct verdict_world *w, size_t target, enum verdict_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < w->options.nodes; i++)
		count += w->node[i].verdict && verdict_world_state(w, i, target, NULL) == state;
	return count;
}
