// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who reads and writes the register of a world, who changes its voters, and what has come of it. Not here: the search
 * (linear.c).
 */
#include "register_private.h"

static struct content content_of(const struct caspaxos_value *value)
{
	struct content content;

	assert_true(value->len == sizeof(content));
	memcpy(&content, value->bytes, sizeof(content));
	return content;
}

/* --- reads and writes --- */

static int op_next(void *arg, const struct caspaxos_value *now, struct caspaxos_value *next)
{
	const struct op *op = arg;
	struct content content = content_of(now);

	if (op->linear.kind == LINEAR_READ)
		return -EALREADY;
	if (op->linear.kind == LINEAR_CAS && content.value != op->linear.expected)
		return -ESTALE;
	content.count++;
	content.value = op->linear.value;
	memcpy(next->bytes, &content, sizeof(content));
	return 0;
}

static void op_done(void *arg, enum caspaxos_outcome outcome, int why, const struct caspaxos_value *value)
{
	struct op *op = arg;
	struct world *w = op->world;
	struct node *n = &w->node[op->node];

	(void)why;
	if (n->dead)
		return; /* nobody was told */
	n->busy = false;
	op->ended = true;
	op->outcome = outcome;
	n->seen = content_of(value).value;
	world_trace(w, op->node, "op %zu ends: %s, now %llx", (size_t)(op - w->op),
		    outcome == CASPAXOS_DONE	  ? "done"
		    : outcome == CASPAXOS_REFUSED ? "refused"
		    : outcome == CASPAXOS_FAILED  ? "failed"
						  : "unknown",
		    n->seen);
	if (outcome == CASPAXOS_DONE || outcome == CASPAXOS_REFUSED)
		op->linear.returned = ++w->order;
	op->linear.ok = outcome == CASPAXOS_DONE;
	if (outcome == CASPAXOS_REFUSED && op->linear.kind == LINEAR_READ)
		op->linear.value = n->seen;
	if (outcome == CASPAXOS_REFUSED && op->linear.kind == LINEAR_CAS)
		op->linear.found = n->seen;
	if (!w->quiet && !world_draw(w, 4))
		clients_think(w, op->node); /* and at once the next one */
}

struct op *clients_begin(struct world *w, size_t i, enum linear_kind kind, __u32 wait_ms)
{
	struct node *n = &w->node[i];
	struct op *op = &w->op[w->ops];
	struct caspaxos_change change = {.arg = op, .next = op_next, .done = op_done};

	if (n->busy || !n->c || w->ops == LINEAR_OPS || !caspaxos_value(n->c)->version)
		return NULL;
	w->ops++;
	*op = (struct op){.world = w, .node = i, .linear = {.kind = kind, .returned = LINEAR_NEVER}};
	op->linear.invoked = ++w->order;
	op->linear.value = kind == LINEAR_READ ? 0 : w->ops << 8 | i;
	op->linear.expected = kind == LINEAR_CAS ? n->seen : 0;
	n->busy = true;
	world_trace(w, i, "op %zu begins: %s %llx", w->ops - 1,
		    kind == LINEAR_READ	   ? "read"
		    : kind == LINEAR_WRITE ? "write"
					   : "cas",
		    op->linear.value);
	assert_int_equal(caspaxos_propose(n->c, node_now(n), &change, wait_ms), 0);
	return op;
}

static void gossip(struct world *w, size_t i)
{
	struct caspaxos_message m = {.value = *caspaxos_value(w->node[i].c)};
	size_t to = world_draw(w, (__u32)w->nodes);
	struct job *job;

	if (to == i || !m.value.version || w->node[i].cut >> to & 1)
		return;
	job = malloc(sizeof(*job) + sizeof(m));
	assert_non_null(job);
	*job = (struct job){.what = JOB_GOSSIP, .from = i};
	*job->message = m;
	event_add(&w->events, w->now_ns + MS, to, job);
}

void clients_think(struct world *w, size_t i)
{
	static const enum linear_kind kind[] = {LINEAR_READ, LINEAR_READ, LINEAR_WRITE, LINEAR_CAS};

	if (!world_draw(w, 3) || w->quiet)
		gossip(w, i);
	if (!w->quiet && w->ops < OPS_OF_CLIENTS)
		clients_begin(w, i, kind[world_draw(w, 4)], 200 + world_draw(w, w->wait_ms));
	if (!w->node[i].dead)
		world_job(w, 1 + world_draw(w, w->think_ms), i, JOB_THINK);
}

/* --- voters --- */

static __u64 store_of(const struct world *w, size_t i)
{
	return w->node[i].disk.store;
}

static bool names_node(const struct caspaxos_value *value, size_t i)
{
	for (__u32 k = 0; k < value->voters; k++)
		if (world_node(value->voter[k].node) == i)
			return true;
	return false;
}

/* One that is no voter, from @pick on. */
static size_t outsider(const struct world *w, const struct caspaxos_value *value, __u32 pick)
{
	for (size_t k = 0; k < w->nodes; k++) {
		size_t i = (pick + k) % w->nodes;

		if (!names_node(value, i) && store_of(w, i))
			return i;
	}
	return NOBODY;
}

static int name_stores(const struct world *w, struct caspaxos_value *next)
{
	bool changed = false;

	for (__u32 i = 0; i < next->voters; i++) {
		__u64 store = store_of(w, world_node(next->voter[i].node));

		changed |= store && store != next->voter[i].store;
		if (store)
			next->voter[i].store = store;
	}
	return changed ? 0 : -EALREADY;
}

static int members_next(void *arg, const struct caspaxos_value *now, struct caspaxos_value *next)
{
	struct node *n = arg;
	struct world *w = n->world;
	size_t other = outsider(w, now, n->members.pick[0]);
	__u32 place = n->members.pick[1] % now->voters;

	switch (n->members.what) {
	case MEMBERS_NAME:
		return name_stores(w, next);
	case MEMBERS_REPLACE:
		if (other == NOBODY)
			return -EALREADY;
		next->voter[place] = (struct voter){NODE_FIRST + other, store_of(w, other)};
		return 0;
	case MEMBERS_GROW:
		if (other == NOBODY || now->voters >= 5)
			return -EALREADY;
		next->voter[next->voters++] = (struct voter){NODE_FIRST + other, store_of(w, other)};
		other = outsider(w, next, n->members.pick[1]);
		if (other != NOBODY && next->voters < 5)
			next->voter[next->voters++] = (struct voter){NODE_FIRST + other, store_of(w, other)};
		return 0;
	case MEMBERS_SHRINK:
		if (now->voters <= 3)
			return -EALREADY;
		for (; next->voters > 3; place %= next->voters) {
			next->voter[place] = next->voter[--next->voters];
			next->voter[next->voters] = (struct voter){0};
		}
		return 0;
	}
	return -EINVAL;
}

static void members_done(void *arg, enum caspaxos_outcome outcome, int why, const struct caspaxos_value *value)
{
	struct node *n = arg;

	(void)why;
	(void)value;
	if (n->dead)
		return;
	n->busy = false;
	n->world->result.changes += outcome == CASPAXOS_DONE;
	world_trace(n->world, (size_t)(n - n->world->node), "change of voters ends: %d", outcome);
}

void clients_members(struct world *w, size_t i, __u32 wait_ms)
{
	struct node *n = &w->node[i];
	struct caspaxos_change change = {.arg = n, .next = members_next, .done = members_done};
	bool lost = false;

	if (n->busy || !n->c || n->stalled_ns > w->now_ns || !caspaxos_value(n->c)->version)
		return;
	for (__u32 k = 0; k < w->latest.voters; k++)
		lost |= store_of(w, world_node(w->latest.voter[k].node)) != w->latest.voter[k].store;
	n->members.what = lost && world_draw(w, 4) ? MEMBERS_NAME : world_draw(w, MEMBERS_SHRINK + 1);
	n->members.pick[0] = world_draw(w, 1000);
	n->members.pick[1] = world_draw(w, 1000);
	n->busy = true;
	world_trace(w, i, "change of voters begins: %d", n->members.what);
	assert_int_equal(caspaxos_propose(n->c, node_now(n), &change, wait_ms), 0);
	node_after(w, i);
}

/* --- what has come of it --- */

/* For people: the first return up to which there is no register of such a history. */
static void verdict_trace(const struct world *w, const struct linear_op *history, size_t ops)
{
	struct linear_op part[LINEAR_OPS];
	size_t i, n;
	__u64 end;

	for (end = 1; w->options.trace && end <= w->order; end++) {
		for (i = n = 0; i < ops; i++) {
			if (history[i].invoked > end)
				continue;
			part[n] = history[i];
			if (part[n].returned > end)
				part[n].returned = LINEAR_NEVER;
			n++;
		}
		if (linear_check(part, n, 0))
			break;
	}
	for (i = 0; w->options.trace && i < w->ops; i++)
		if (w->op[i].linear.returned == end)
			world_trace(w, w->op[i].node, "op %zu: the first that cannot be", i);
}

void clients_verdict(struct world *w)
{
	struct linear_op history[LINEAR_OPS];
	struct register_result *r = &w->result;
	size_t ops = 0, i;
	__u64 count = content_of(&w->latest).count;
	int rc;

	for (i = 0; i < w->ops; i++) {
		const struct op *op = &w->op[i];
		bool change = op->linear.kind != LINEAR_READ;

		r->ops++;
		r->failed += op->ended && op->outcome == CASPAXOS_FAILED;
		r->confirmed += change && op->linear.ok;
		r->unknown += change && (!op->ended || op->outcome == CASPAXOS_UNKNOWN);
		if (!op->ended || op->outcome != CASPAXOS_FAILED) /* that has not happened, it said */
			history[ops++] = op->linear;
	}
	if (count < r->confirmed || count > r->confirmed + r->unknown)
		world_seen(w, REGISTER_SEEN_MISCOUNTED);
	rc = linear_check(history, ops, 0);
	if (rc)
		verdict_trace(w, history, ops);
	if (rc)
		world_seen(w, rc == -E2BIG ? REGISTER_SEEN_NOT_CHECKED : REGISTER_SEEN_NOT_LINEAR);
}
