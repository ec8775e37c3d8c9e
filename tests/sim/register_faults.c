// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What befalls the nodes of a register's world, drawn from its seed. Not here: nodes (register_world.c).
 */
#include "register_private.h"

/* Its file is lost or older: it cannot vote now. */
static bool is_harmed(const struct world *w, const struct voter *voter)
{
	const struct node *n = &w->node[world_node(voter->node)];

	return n->disk.store != voter->store || n->older;
}

/* Whether of @v's voters a quorum is left when this one is harmed, too. */
static bool stands(const struct world *w, const struct caspaxos_value *v, size_t i)
{
	size_t harmed = 0;
	bool one_more = false;

	for (__u32 k = 0; k < v->voters; k++) {
		bool is = is_harmed(w, &v->voter[k]);

		harmed += is;
		one_more |= world_node(v->voter[k].node) == i && !is;
	}
	return !one_more || harmed + 1 <= v->voters - caspaxos_quorum(v);
}

/* So many of its voters know the latest value that those of the one before are not needed any more. */
static bool is_handed_over(const struct world *w)
{
	const struct caspaxos_value *v = &w->latest;
	size_t know = 0;

	for (__u32 k = 0; k < v->voters; k++)
		know += w->node[world_node(v->voter[k].node)].disk.decided.version >= v->version &&
			!is_harmed(w, &v->voter[k]);
	return know >= caspaxos_quorum(v);
}

/* As many as a quorum can do without; who breaks the rules is not spared. */
bool faults_may_harm(const struct world *w, size_t i)
{
	if (w->options.broken == REGISTER_AMNESIA)
		return true;
	return stands(w, &w->latest, i) && (is_handed_over(w) || stands(w, &w->before, i));
}

bool faults_may_be_older(const struct world *w, size_t i)
{
	size_t older = 0;

	for (size_t k = 0; k < w->nodes; k++)
		older += k != i && w->node[k].older;
	return w->node[i].saves && older + 1 <= w->options.older && faults_may_harm(w, i);
}

bool faults_quorum(const struct world *w)
{
	const struct caspaxos_value *v = &w->latest;
	size_t sure = 0, unsure = 0;

	for (__u32 i = 0; i < v->voters; i++) {
		const struct node *n = &w->node[world_node(v->voter[i].node)];

		if (n->disk.store != v->voter[i].store)
			continue;
		sure += !n->unsure;
		unsure += n->unsure;
	}
	if (sure >= caspaxos_quorum(v))
		return true;
	/* Who is unsure needs of the others so many that each quorum has one. */
	return sure + unsure > v->voters - caspaxos_quorum(v) + 1;
}

static void part(struct world *w)
{
	__u32 how = world_draw(w, 8), half = world_draw(w, 1u << w->nodes), from = world_draw(w, (__u32)w->nodes),
	      to = world_draw(w, (__u32)w->nodes);

	if (how > 2) { /* one link, or one way of it */
		w->node[from].cut ^= 1u << to;
		w->node[to].cut ^= (how & 1) << from;
		return;
	}
	for (size_t i = 0; i < w->nodes; i++) {
		if (how == 0) { /* healed */
			w->node[i].cut = 0;
		} else if (how == 1) { /* two parts */
			w->node[i].cut = half >> i & 1 ? ~half : half;
		} else { /* any links, a quarter of them, and one way */
			w->node[i].cut = world_draw(w, 1u << w->nodes);
			w->node[i].cut &= world_draw(w, 1u << w->nodes);
		}
	}
}

static void crash(struct world *w, size_t i, enum register_fault fault)
{
	struct node *n = &w->node[i];

	if (!n->c)
		return;
	if (fault == REGISTER_FUSE) {
		n->fuse_voted = world_draw(w, 2);
		n->fuse = n->fuse_voted ? 0 : 1 + world_draw(w, 12);
		return;
	}
	if ((fault == REGISTER_WIPE && !faults_may_harm(w, i)) ||
	    (fault == REGISTER_OLDER && !faults_may_be_older(w, i)))
		return;
	node_crash(w, i);
	if (fault == REGISTER_WIPE)
		node_wipe(w, i);
	else if (fault == REGISTER_OLDER)
		node_older(w, i);
	else
		w->result.fault[fault]++;
}

static void everybody_crash(struct world *w)
{
	for (size_t i = 0; i < w->nodes; i++)
		crash(w, i, REGISTER_CRASH);
}

static void clock_fault(struct world *w, size_t i)
{
	struct node *n = &w->node[i];

	if (world_draw(w, 2))
		n->frozen_ns = w->now_ns + world_draw(w, 1000) * MS;
	else
		n->skew_ns += world_draw(w, 1000) * MS;
	if (n->c)
		node_after(w, i);
}

static void fault_do(struct world *w, size_t i, enum register_fault fault)
{
	struct node *n = &w->node[i];

	if (fault != REGISTER_CRASH && fault != REGISTER_WIPE && fault != REGISTER_OLDER && fault != REGISTER_FUSE &&
	    fault != REGISTER_REBOOT)
		w->result.fault[fault]++;
	switch (fault) {
	case REGISTER_PART:
		part(w);
		break;
	case REGISTER_LOSS:
		n->lossy_ns = w->now_ns + world_draw(w, 500) * MS;
		break;
	case REGISTER_CRASH:
		if (!world_draw(w, 12))
			everybody_crash(w);
		crash(w, i, fault);
		break;
	case REGISTER_FUSE:
	case REGISTER_WIPE:
	case REGISTER_OLDER:
		crash(w, i, fault);
		break;
	case REGISTER_READONLY:
		n->readonly_ns = w->now_ns + world_draw(w, 1000) * MS;
		break;
	case REGISTER_STALL:
		n->stalled_ns = w->now_ns + world_draw(w, world_draw(w, 3) ? 100 : 1000) * MS;
		break;
	case REGISTER_CLOCK:
		clock_fault(w, i);
		break;
	case REGISTER_MEMBERS:
		clients_members(w, i, 500 + world_draw(w, 2000));
		break;
	case REGISTER_REBOOT: /* with each start that it fits */
	case REGISTER_FAULT_COUNT:
		break;
	}
}

void faults_tick(struct world *w)
{
	enum register_fault fault = world_draw(w, REGISTER_FAULT_COUNT);

	if (w->quiet)
		return;
	while (w->enabled && !(w->enabled >> fault & 1) && world_draw(w, 4))
		fault = world_draw(w, REGISTER_FAULT_COUNT);
	if (w->enabled >> fault & 1)
		fault_do(w, world_draw(w, (__u32)w->nodes), fault);
	else if (!world_draw(w, 8)) /* somebody looks after it now and then */
		clients_members(w, world_draw(w, (__u32)w->nodes), 2000);
	world_job(w, 1 + world_draw(w, w->fault_ms), 0, JOB_FAULT);
}

void faults_heal(struct world *w)
{
	w->loss = w->twice = w->late = 0;
	w->jitter_us = 300;
	w->enabled = 0;
	for (size_t i = 0; i < w->nodes; i++) {
		struct node *n = &w->node[i];

		n->cut = 0;
		n->fuse = 0;
		n->fuse_voted = false;
		n->lossy_ns = n->readonly_ns = n->stalled_ns = n->frozen_ns = 0;
		if (!n->c)
			node_start(w, i, !(n->unsure || n->older));
		else if (n->bare)
			node_crash(w, i);
		else
			node_after(w, i);
	}
}
