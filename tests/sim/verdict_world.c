// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_world.h. Not here: how votes travel (verdict_gossip.c), liars (verdict_liars.c).
 */
#include "verdict_private.h"

#include <stdio.h>

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
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->what = what;
	job->life = w->node[node].life;
	event_add(&w->events, w->now_ns + us * 1000, node, job);
	return job;
}

struct mono verdict_world_now(const struct verdict_world *w)
{
	return (struct mono){w->now_ns + 1};
}

bool verdict_lost(struct verdict_world *w)
{
	return w->options.loss && verdict_world_draw(w, 100) < w->options.loss;
}

/* --- actions --- */

static bool blind(struct verdict_world *w, size_t node)
{
	return w->node[node].blind && verdict_world_draw(w, 100) < w->node[node].blind;
}

static void probe_send(struct verdict_world *w, size_t node, const struct verdict_action *a)
{
	size_t target = a->target - verdict_world_target(0);
	struct backend *b = &w->backend[target];
	enum verdict_evidence evidence = b->refuses ? VERDICT_REFUSED : VERDICT_GOOD;
	struct job *job;

	b->probes++;
	if (b->mute || blind(w, node) || verdict_lost(w) || verdict_lost(w))
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
	struct item *item = verdict_item(what, a->bytes, a->len);
	struct verdict_view view;
	size_t to;

	verdict_keep(&w->node[node], item);
	verdict_spread(w, node, node, item);
	if (what == ITEM_VOTE && w->options.voted)
		w->options.voted(w->options.arg, w->now_ns / VERDICT_MS, node, a->target - verdict_world_target(0),
				 a->state);
	if (what == ITEM_VOTE && !verdict_view(w->node[node].verdict, a->target, &view))
		for (to = 0; to < w->options.nodes; to++)
			if (verdict_seat_of(&view.seats, w->node[to].signer.id) >= 0)
				verdict_send(w, node, to, item);
	verdict_item_drop(item);
}

static void certificate_send(struct verdict_world *w, size_t node, const struct verdict_action *a)
{
	struct node *n = &w->node[node];
	__u8 bytes[VERDICT_SHOWN_BYTES];
	int len = verdict_shown(n->verdict, a->target, bytes);
	struct item *item = verdict_item_certificate(n, a->target, bytes, len > 0 ? (size_t)len : 0);

	verdict_keep(n, item);
	verdict_spread(w, node, node, item);
	verdict_item_drop(item);
}

static void change_tell(struct verdict_world *w, size_t node, const struct verdict_action *a)
{
	struct verdict_view view;

	if (!w->options.changed || verdict_view(w->node[node].verdict, a->target, &view))
		return;
	w->options.changed(w->options.arg, w->now_ns / VERDICT_MS, node, a->target - verdict_world_target(0), a->state,
			   a->source, view.since.ns / VERDICT_MS);
}

void verdict_node_after(struct verdict_world *w, size_t node)
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
		case VERDICT_SHOW:
			certificate_send(w, node, &a);
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
					   .stake = w->options.stake ? w->options.stake[i] : ROSTER_STAKE_DEFAULT,
					   .reputation = w->options.reputation ? w->options.reputation[i] : 0};

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
	verdict_node_forget(w, n);
	for (size_t i = 0; i < w->options.targets; i++)
		target[i] = (struct verdict_target){
			.id = verdict_world_target(i), .pace = w->options.pace, .rule = w->options.rule};
	n->verdict = verdict_new(&config);
	assert_non_null(n->verdict);
	assert_int_equal(verdict_roster(n->verdict, verdict_world_now(w), &w->roster), 0);
	assert_int_equal(verdict_targets(n->verdict, verdict_world_now(w), target, w->options.targets), 0);
	verdict_job(w, verdict_world_draw(w, VERDICT_REPAIR_MS * 1000), node, JOB_REPAIR);
	verdict_node_after(w, node);
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

/* @roster moves in. */
static void roster_change(struct verdict_world *w, size_t nodes, struct roster roster)
{
	roster_free(&w->roster);
	w->nodes = nodes;
	w->roster = roster;
	for (size_t i = 0; i < w->options.nodes; i++) {
		struct node *n = &w->node[i];

		n->told = false;
		if (!n->verdict)
			continue;
		assert_int_equal(verdict_roster(n->verdict, verdict_world_now(w), &w->roster), 0);
		verdict_node_after(w, i);
		for (size_t k = 0; k < w->options.targets * KEPT; k++)
			if (n->kept[k] && n->kept[k]->what == ITEM_VOTE)
				verdict_vote(n->verdict, verdict_world_now(w), n->kept[k]->bytes, n->kept[k]->len);
		verdict_node_after(w, i);
	}
}

void verdict_world_weigh(struct verdict_world *w, const struct roster *reputations)
{
	struct roster roster;

	assert_int_equal(roster_copy(&roster, &w->roster), 0);
	roster_reputations_take(&roster, reputations);
	roster_change(w, w->nodes, roster);
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
		roster_change(w, f->value, roster_of(w, f->value));
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

/* All pages of an epoch are kept and passed on, whatever they say. */
static void certificate_hear(struct verdict_world *w, size_t node, size_t from, struct item *item)
{
	struct node *n = &w->node[node];

	if (!verdict_keep(n, item))
		return;
	verdict_spread(w, node, from, item);
	if (item->len)
		verdict_certificate(n->verdict, verdict_world_now(w), item->bytes, item->len);
}

static void item_hear(struct verdict_world *w, size_t node, size_t from, struct item *item)
{
	struct node *n = &w->node[node];
	enum verdict_outcome outcome;

	if (n->lies) {
		verdict_liar_hears(w, node, item);
		return;
	}
	if (!n->verdict)
		return;
	if (item->what == ITEM_CERTIFICATE) {
		certificate_hear(w, node, from, item);
		return;
	}
	if (item->what == ITEM_VOTE)
		outcome = verdict_vote(n->verdict, verdict_world_now(w), item->bytes, item->len);
	else
		outcome = verdict_proof(n->verdict, verdict_world_now(w), item->bytes, item->len);
	if (outcome == VERDICT_OUTCOME_NEW)
		verdict_spread(w, node, from, item);
	if (outcome == VERDICT_OUTCOME_NEW || outcome == VERDICT_OUTCOME_EPOCH)
		verdict_keep(n, item);
}

static void live_hear(struct verdict_world *w, size_t node, const struct job *job)
{
	struct node *n = &w->node[node], *other = &w->node[job->about];
	bool hears = other->up && n->up && other->part == n->part;

	if (n->verdict && hears == job->live)
		verdict_live(n->verdict, verdict_world_now(w), other->signer.id, job->live);
}

static void job_do(struct verdict_world *w, size_t node, const struct job *job)
{
	struct node *n = &w->node[node];

	switch (job->what) {
	case JOB_RESULT:
		if (n->verdict && job->life == n->life)
			verdict_probed(n->verdict, verdict_world_now(w), verdict_world_target(job->target), job->number,
				       job->evidence);
		break;
	case JOB_ITEM:
		item_hear(w, node, job->about, job->item);
		break;
	case JOB_GOSSIP:
		if (n->up && job->life == n->life)
			verdict_gossip(w, node);
		break;
	case JOB_REPAIR:
		if (n->up && job->life == n->life)
			verdict_repair(w, node);
		break;
	case JOB_LIE:
		verdict_liar_ticks(w, node);
		break;
	case JOB_LIVE:
		live_hear(w, node, job);
		break;
	}
}

static void job_free(struct job *job)
{
	verdict_item_drop(job->item);
	free(job);
}

static void event_take_one(struct verdict_world *w)
{
	struct event e = event_take(&w->events);
	struct node *n = &w->node[e.node];

	w->now_ns = e.ns;
	if (e.datagram) {
		job_do(w, e.node, e.datagram);
		job_free(e.datagram);
	} else if (n->verdict && n->timer_ns == e.ns) {
		n->timer_ns = 0;
		verdict_step(n->verdict, verdict_world_now(w));
	}
	verdict_node_after(w, e.node);
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
			verdict_node_after(w, i);
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

static void node_free(const struct verdict_world *w, struct node *n)
{
	verdict_free(n->verdict);
	verdict_node_forget(w, n);
	for (size_t i = 0; i < n->recorded_count; i++)
		verdict_item_drop(n->recorded[i]);
	free(n->fresh);
	free(n->kept);
	free(n->recorded);
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
	while (w->events.count) {
		struct event e = event_take(&w->events);

		if (e.datagram)
			job_free(e.datagram);
	}
	for (size_t i = 0; i < w->options.nodes; i++)
		node_free(w, &w->node[i]);
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

__u64 verdict_world_id(const struct verdict_world *w, size_t node)
{
	return w->node[node].signer.id;
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
