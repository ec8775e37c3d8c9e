// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Nodes, their disks and the links between them, see register_world.h. Not here: what befalls them
 * (register_faults.c), who uses the register (register_clients.c).
 */
#include "register_private.h"

#define REGISTER_ID   7
#define FAULTS_END_MS 5000
#define HEAL_MS	      3000
#define CHANGE_MS     4000
#define TRIES	      5 /* of a change, when all is well again */

__u32 world_draw(struct world *w, __u32 bound)
{
	return mix_below(mix64(w->random++), bound);
}

void world_trace(const struct world *w, size_t node, const char *format, ...)
{
	va_list args;

	if (!w->options.trace)
		return;
	va_start(args, format);
	event_trace(w->now_ns, node, format, args);
	va_end(args);
}

void world_seen(struct world *w, enum register_violation violation)
{
	if (!w->result.violation)
		w->result.violation = violation;
}

size_t world_node(__u64 id)
{
	return (size_t)(id - NODE_FIRST);
}

struct job *world_job(struct world *w, __u64 ms, size_t node, enum job_what what)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->what = what;
	job->life = w->node[node].life;
	event_add(&w->events, w->now_ns + ms * MS, node, job);
	return job;
}

/* --- links --- */

static const char *kind_name(__u32 kind)
{
	static const char *const name[REGISTER_KINDS] = {
#define REGISTER_NAME(id, number, help) [number] = #id,
		STARLING_CASPAXOS_MESSAGES(REGISTER_NAME)
#undef REGISTER_NAME
	};

	return kind < REGISTER_KINDS && name[kind] ? name[kind] : "?";
}

static bool link_takes(struct world *w, const struct node *from, const struct node *to)
{
	bool lossy = from->lossy_ns > w->now_ns || to->lossy_ns > w->now_ns;

	return !(from->cut >> (to - w->node) & 1) && world_draw(w, 100) >= (lossy ? 80 : w->loss);
}

static void link_send(struct world *w, size_t from, size_t to, enum job_what what, const struct caspaxos_message *m)
{
	size_t copies = 1 + (world_draw(w, 100) < w->twice);

	while (copies--) {
		struct job *job;
		__u64 us;

		if (!link_takes(w, &w->node[from], &w->node[to]))
			continue;
		us = w->delay_us + world_draw(w, w->jitter_us + 1);
		job = malloc(sizeof(*job) + sizeof(*m));
		assert_non_null(job);
		*job = (struct job){.what = what, .from = from};
		*job->message = *m;
		if (world_draw(w, 100) < w->late) {
			us += world_draw(w, world_draw(w, 3) ? 100000 : 1500000);
			if (w->node[to].parked_count < PARKED && world_draw(w, 2)) {
				w->node[to].parked[w->node[to].parked_count++] = job;
				continue;
			}
		}
		event_add(&w->events, w->now_ns + us * 1000, to, job);
	}
}

/* --- hooks --- */

/* Return: whether this is where it stops. */
static bool fuse_burns(struct node *n)
{
	if (n->fuse && !--n->fuse) {
		n->dead = true;
		return true;
	}
	return false;
}

static void on_send(void *arg, __u64 to, const struct caspaxos_message *m)
{
	struct node *n = arg;
	struct world *w = n->world;
	size_t i = (size_t)(n - w->node);

	assert_true(m->kind < REGISTER_KINDS && world_node(to) < w->nodes);
	if (n->dead || fuse_burns(n))
		return;
	w->result.messages++;
	w->sent[m->kind]++;
	world_trace(w, i, "-> %zu %s v%llu ballot %llu.%llx", world_node(to), kind_name(m->kind), m->version,
		    m->ballot.round, m->ballot.proposer >> 48);
	link_send(w, i, world_node(to), JOB_MESSAGE, m);
	if (n->fuse_voted && (m->kind == CASPAXOS_PROMISE || m->kind == CASPAXOS_ACCEPTED))
		n->dead = true;
}

static void disk_write(struct node *n, const struct caspaxos_state *state)
{
	n->saved[n->saves++ % SAVES] = n->disk;
	n->disk = *state;
}

static int on_save(void *arg, const struct caspaxos_state *state)
{
	struct node *n = arg;
	struct world *w = n->world;
	size_t i = (size_t)(n - w->node);

	if (n->dead)
		return -EIO;
	if (n->bare || n->readonly_ns > w->now_ns)
		return -EROFS;
	if (!fuse_burns(n)) {
		disk_write(n, state);
		return 0;
	}
	switch (world_draw(w, 4)) {
	case 0: /* all of it is there, but nothing is sent any more */
		disk_write(n, state);
		break;
	case 1: /* torn, and what was before is gone too */
		if (faults_may_harm(w, i))
			node_wipe(w, i);
		break;
	default: /* as before */
		break;
	}
	return -EIO;
}

static __u64 value_hash(const struct caspaxos_value *value)
{
	__u64 hash = 0, word;

	_Static_assert(sizeof(*value) % sizeof(word) == 0, "words, and no padding");
	for (size_t at = 0; at < sizeof(*value); at += sizeof(word)) {
		memcpy(&word, (const __u8 *)value + at, sizeof(word));
		hash = mix64(hash ^ word);
	}
	return hash | 1;
}

static void on_decided(void *arg, const struct caspaxos_value *value)
{
	struct node *n = arg;
	struct world *w = n->world;
	__u64 hash = value_hash(value);

	if (n->dead)
		return;
	assert_true(value->version < VERSIONS_MAX);
	world_trace(w, (size_t)(n - w->node), "holds v%llu %llx, by %u voters", value->version, hash >> 48,
		    value->voters);
	if (w->decided[value->version] && w->decided[value->version] != hash)
		world_seen(w, REGISTER_SEEN_SPLIT);
	w->decided[value->version] = hash;
	if (value->version <= w->latest.version)
		return;
	w->before = w->latest;
	w->latest = *value;
}

/* --- nodes --- */

struct mono node_now(struct node *n)
{
	__u64 now = n->world->now_ns + n->skew_ns + 1;

	if (n->frozen_ns <= n->world->now_ns && now > n->shown.ns)
		n->shown.ns = now;
	return n->shown;
}

static void node_timer(struct world *w, size_t i)
{
	struct node *n = &w->node[i];
	struct mono due = caspaxos_due(n->c);
	__u64 at;

	if (due.ns == UINT64_MAX)
		return;
	at = due.ns > n->skew_ns ? due.ns - n->skew_ns : 0;
	if (at < n->frozen_ns)
		at = n->frozen_ns;
	if (at <= w->now_ns)
		at = w->now_ns + 1000;
	if (n->timer_ns && n->timer_ns <= at)
		return;
	n->timer_ns = at;
	event_add(&w->events, at, i, NULL);
}

void node_after(struct world *w, size_t i)
{
	struct node *n = &w->node[i];

	if (n->dead) {
		node_crash(w, i);
		w->result.fault[REGISTER_FUSE]++;
		if (w->enabled >> REGISTER_OLDER & 1 && world_draw(w, 2) && faults_may_be_older(w, i))
			node_older(w, i);
		return;
	}
	if (n->unsure && caspaxos_votes(n->c) && n->disk.sure == CASPAXOS_SURE) {
		n->unsure = n->older = false;
		world_trace(w, i, "votes again");
	}
	node_timer(w, i);
}

void node_start(struct world *w, size_t i, bool sure)
{
	struct node *n = &w->node[i];
	struct caspaxos_config config = {
		.id = NODE_FIRST + i,
		.seed = mix64(w->random++),
		.hooks = {.arg = n, .send = on_send, .save = on_save, .decided = on_decided},
	};

	if (w->options.broken == REGISTER_FORGETFUL)
		n->disk.promised = (struct ballot){0};
	if (n->bare) {
		n->bare = false;
		n->disk.store = mix64(w->random++) | 1;
	}
	n->life++;
	n->dead = n->busy = false;
	n->fuse = 0;
	n->fuse_voted = false;
	n->timer_ns = n->stalled_ns = 0;
	n->unsure = !sure;
	world_trace(w, i, "starts, %s, v%llu promised %llu accepted v%llu", sure ? "sure" : "unsure",
		    n->disk.decided.version, n->disk.promised.round, n->disk.accepted.version);
	n->c = caspaxos_new(&config, &n->disk, sure);
	assert_non_null(n->c);
	world_job(w, world_draw(w, w->think_ms), i, JOB_THINK);
	while (n->parked_count)
		event_add(&w->events, w->now_ns + world_draw(w, 50000) * 1000ull, i, n->parked[--n->parked_count]);
	node_after(w, i);
}

static void node_restart(struct world *w, size_t i)
{
	struct node *n = &w->node[i];
	bool bold = w->options.broken == REGISTER_FORGETFUL || w->options.broken == REGISTER_RECKLESS,
	     reboot = w->enabled >> REGISTER_REBOOT & 1 && world_draw(w, 2) && !bold;

	w->result.fault[REGISTER_REBOOT] += reboot;
	node_start(w, i, bold || !(reboot || n->unsure || n->older));
}

void node_crash(struct world *w, size_t i)
{
	static const __u32 down_ms[] = {5, 20, 200, 2000};
	struct node *n = &w->node[i];

	world_trace(w, i, "crashes");
	caspaxos_free(n->c);
	n->c = NULL;
	n->life++;
	world_job(w, world_draw(w, down_ms[world_draw(w, 4)]), i, JOB_START);
}

void node_wipe(struct world *w, size_t i)
{
	struct node *n = &w->node[i];
	__u64 store = n->disk.store;

	world_trace(w, i, "loses its store");
	w->result.fault[REGISTER_WIPE]++;
	memset(&n->disk, 0, sizeof(n->disk));
	n->disk.store = w->options.broken == REGISTER_AMNESIA ? store : mix64(w->random++) | 1;
	n->saves = 0;
	n->unsure = n->older = false;
	n->bare = w->options.broken != REGISTER_AMNESIA && !world_draw(w, 4); /* and can make no other one */
	if (n->bare)
		n->disk.store = 0;
}

void node_older(struct world *w, size_t i)
{
	struct node *n = &w->node[i];
	size_t most = n->saves < SAVES ? n->saves : SAVES,
	       back = 1 + (world_draw(w, 2) ? world_draw(w, (__u32)most) : 0);

	w->result.fault[REGISTER_OLDER]++;
	n->older = true;
	n->saves -= back;
	n->disk = n->saved[n->saves % SAVES];
	world_trace(w, i, "has the file of %zu writes ago", back);
}

/* --- events --- */

/* A voter of such a kind starts anew before each question, and remembers no promise. */
static void node_forgets(struct world *w, size_t i, const struct caspaxos_message *m)
{
	struct node *n = &w->node[i];

	if (w->options.broken != REGISTER_FORGETFUL || !n->c || n->busy)
		return;
	if (m->kind != CASPAXOS_PREPARE && m->kind != CASPAXOS_ACCEPT)
		return;
	caspaxos_free(n->c);
	node_start(w, i, true);
}

static void event_do(struct world *w, const struct event *e)
{
	struct node *n = &w->node[e->node];
	struct job *job = e->datagram;

	switch (job->what) {
	case JOB_MESSAGE:
		node_forgets(w, e->node, job->message);
		if (n->c)
			caspaxos_receive(n->c, node_now(n), NODE_FIRST + job->from, job->message);
		break;
	case JOB_GOSSIP:
		if (n->c)
			caspaxos_learn(n->c, node_now(n), &job->message->value);
		break;
	case JOB_FAULT:
		faults_tick(w);
		return;
	case JOB_START:
		if (!n->c && job->life == n->life)
			node_restart(w, e->node);
		return;
	case JOB_THINK:
		if (n->c && job->life == n->life)
			clients_think(w, e->node);
		break;
	}
	if (n->c)
		node_after(w, e->node);
}

static void event_take_one(struct world *w)
{
	struct event e = event_take(&w->events);
	struct job *job = e.datagram;
	struct node *n = &w->node[e.node];

	w->now_ns = e.ns;
	if ((!job && (n->timer_ns != e.ns || !n->c)) || (job && job->what == JOB_MESSAGE && !n->c)) {
		free(job);
		return;
	}
	if (n->c && n->stalled_ns > w->now_ns && (!job || job->what != JOB_FAULT)) {
		if (!job)
			n->timer_ns = n->stalled_ns;
		event_add(&w->events, n->stalled_ns, e.node, job);
		return;
	}
	if (job) {
		event_do(w, &e);
		free(job);
		return;
	}
	n->timer_ns = 0;
	caspaxos_step(n->c, node_now(n));
	node_after(w, e.node);
}

void world_until(struct world *w, __u64 ns)
{
	while (event_next_ns(&w->events) < ns && !w->result.violation)
		event_take_one(w);
	w->now_ns = ns;
}

/* --- the world --- */

static void world_begin(struct world *w, size_t voters)
{
	struct caspaxos_value first = {.id = REGISTER_ID, .version = 1, .voters = (__u32)voters};
	size_t i;

	first.len = sizeof(struct content);
	for (i = 0; i < w->nodes; i++) {
		w->node[i].world = w;
		w->node[i].disk.store = mix64(w->random++) | 1;
		node_start(w, i, true);
	}
	for (i = 0; i < voters; i++)
		first.voter[i] = (struct voter){NODE_FIRST + i, w->node[i].disk.store};
	for (i = 0; i < w->nodes; i++)
		assert_int_equal(caspaxos_begin(w->node[i].c, &first), 0);
}

struct world *register_world_new(__u64 seed, size_t nodes, size_t voters)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_true(nodes <= REGISTER_NODES_MAX && voters <= nodes);
	w->options.seed = seed;
	w->random = mix64(seed);
	w->nodes = nodes;
	w->delay_us = 200;
	w->jitter_us = 300;
	w->think_ms = 400;
	w->quiet = true;
	world_begin(w, voters);
	return w;
}

void register_world_free(struct world *w)
{
	for (size_t i = 0; i < w->nodes; i++) {
		caspaxos_free(w->node[i].c);
		while (w->node[i].parked_count)
			free(w->node[i].parked[--w->node[i].parked_count]);
	}
	events_free(&w->events);
	free(w);
}

void register_world_run(struct world *w, __u64 ms)
{
	world_until(w, w->now_ns + ms * MS);
}

size_t register_world_sent(struct world *w, __u32 kind)
{
	size_t count = w->sent[kind];

	w->sent[kind] = 0;
	return count;
}

static const struct op *world_op(struct world *w, size_t node, enum linear_kind kind)
{
	struct op *op = clients_begin(w, node, kind, CHANGE_MS);

	node_after(w, node);
	for (__u64 end_ns = w->now_ns + (CHANGE_MS + 1000) * MS; op && !op->ended && w->now_ns < end_ns;)
		world_until(w, w->now_ns + MS);
	return op;
}

bool register_world_write(struct world *w, size_t node)
{
	const struct op *op = world_op(w, node, LINEAR_WRITE);

	return op && op->ended && op->outcome == CASPAXOS_DONE;
}

/* All is well again: somebody's change has to come about, and then everybody is asked what there is. */
static void world_progress(struct world *w)
{
	size_t i;
	bool done = false;

	w->quiet = true;
	faults_heal(w);
	register_world_run(w, HEAL_MS);
	for (i = 0; i < TRIES && !done; i++)
		done = register_world_write(w, i % w->nodes);
	w->result.quorum = faults_quorum(w);
	if (!done && w->result.quorum)
		world_seen(w, REGISTER_SEEN_STUCK);
	for (i = 0; i < w->nodes && done; i++)
		world_op(w, i, LINEAR_READ);
}

static void world_draw_links(struct world *w)
{
	static const __u32 jitter_us[] = {300, 5000, 40000}, think_ms[] = {15, 50, 200, 400},
			   fault_ms[] = {60, 400, 1500};

	w->jitter_us = jitter_us[world_draw(w, 3)];
	w->loss = world_draw(w, 2) ? world_draw(w, 20) : 0;
	w->twice = world_draw(w, 2) ? world_draw(w, 20) : 0;
	w->late = world_draw(w, 3) ? 0 : world_draw(w, 50);
	w->think_ms = think_ms[world_draw(w, 4)];
	w->wait_ms = world_draw(w, 2) ? 500 : 4000;
	w->fault_ms = 2 + world_draw(w, fault_ms[world_draw(w, 3)]);
	w->enabled = world_draw(w, 1u << REGISTER_FAULT_COUNT) & ~w->options.without;
	/* Who are fewer at another time stand fewer. */
	if (w->options.older > 1 && (w->enabled >> REGISTER_MEMBERS & 1 || w->latest.voters < 5))
		w->options.older = 1;
}

void register_simulate(const struct register_options *options, struct register_result *ret)
{
	__u64 hash = mix64(options->seed);
	size_t voters = mix_below(hash, 2) ? 3 : 5;
	struct world *w = register_world_new(options->seed, voters + 1 + mix_below(mix64(hash), 2), voters);

	w->options = *options;
	world_draw_links(w);
	w->quiet = false;
	world_job(w, 100, 0, JOB_FAULT);
	while (w->now_ns < FAULTS_END_MS * MS && w->ops < OPS_OF_CLIENTS && !w->result.violation)
		world_until(w, w->now_ns + 10 * MS);
	if (!w->result.violation)
		world_progress(w);
	if (!w->result.violation)
		clients_verdict(w);
	w->result.versions = w->latest.version;
	*ret = w->result;
	register_world_free(w);
}

const char *register_violation_text(enum register_violation violation)
{
	static const char *const text[] = {
#define REGISTER_TEXT(id, help) [REGISTER_SEEN_##id] = (help),
		REGISTER_VIOLATIONS(REGISTER_TEXT)
#undef REGISTER_TEXT
	};

	return text[violation];
}

const char *register_fault_text(enum register_fault fault)
{
	static const char *const text[] = {
#define REGISTER_TEXT(id, help) [REGISTER_##id] = (help),
		REGISTER_FAULTS(REGISTER_TEXT)
#undef REGISTER_TEXT
	};

	return text[fault];
}
