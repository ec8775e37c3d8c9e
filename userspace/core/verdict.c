// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Nodes, targets, time and what is shown. Not here: probing and voting (verdict_cast.c), hearing votes
 * (verdict_take.c), what follows from them (verdict_hold.c).
 */
#include "core/verdict_private.h"

#include "base/array.h"

/* --- nodes --- */

static int peer_order(const void *id, const void *peer)
{
	__u64 a = *(const __u64 *)id, b = ((const struct peer *)peer)->id;

	return a < b ? -1 : a > b;
}

struct peer *verdict_peer(const struct verdict *v, __u64 id)
{
	size_t at;

	return array_find(v->peer, v->peers, sizeof(*v->peer), &id, peer_order, &at) ? &v->peer[at] : NULL;
}

static void target_seats(struct verdict *v, struct mono now, struct target *t)
{
	__u64 grace_ms = (__u64)(t->is.pace.fall + VERDICT_GRACE) * t->is.pace.interval_ms;

	v->observed -= t->self >= 0;
	verdict_seats_draw(&v->roster, &t->is.rule, t->is.id, &t->seats);
	t->self = verdict_seat_of(&t->seats, v->config.self.id);
	v->observed += t->self >= 0;
	t->grace.ns = now.ns + grace_ms * 1000000;
	verdict_time(v, t);
}

/* Of another epoch no vote counts. */
static void target_again(struct verdict *v, struct mono now, struct target *t)
{
	target_seats(v, now, t);
	memset(t->standing, 0, sizeof(t->standing));
	verdict_judge_again(t);
	free(t->seen);
	t->seen = NULL;
	t->asked_count = 0;
	t->held.former = true;
	v->contradicted -= t->contradicted;
	t->contradicted = false;
}

static int peers_build(const struct verdict *v, const struct roster *roster, struct peer **ret, size_t *ret_count)
{
	size_t at;

	for (size_t i = 0; i < roster->count; i++) {
		const struct peer *former = verdict_peer(v, roster->node[i].id);
		struct peer peer = {.id = roster->node[i].id,
				    .key = roster->node[i].key,
				    .live = !former || former->live,
				    .caught = former && former->caught,
				    .with = former ? former->with : 0,
				    .against = former ? former->against : 0};

		array_find(*ret, *ret_count, sizeof(peer), &peer.id, peer_order, &at);
		if (array_insert(ret, ret_count, sizeof(peer), at, &peer))
			return -ENOMEM;
	}
	return 0;
}

int verdict_roster(struct verdict *v, struct mono now, const struct roster *roster)
{
	struct roster_epoch epoch;
	struct roster copy = {0};
	struct peer *peer = NULL;
	size_t peers = 0, i;

	if (roster_digest(roster, &epoch))
		return -ENOMEM;
	if (!memcmp(&epoch, &v->epoch, sizeof(epoch)))
		return 0;
	if (roster_copy(&copy, roster) || peers_build(v, roster, &peer, &peers)) {
		roster_free(&copy);
		free(peer);
		return -ENOMEM;
	}
	roster_free(&v->roster);
	free(v->peer);
	v->roster = copy;
	v->peer = peer;
	v->peers = peers;
	v->epoch = epoch;
	for (i = 0; i < v->targets; i++)
		target_again(v, now, v->target[i]);
	for (i = 0; i < v->targets; i++)
		verdict_settle(v, now, v->target[i]);
	verdict_doubt_all(v);
	v->recast = 0;
	return 0;
}

void verdict_self(struct verdict *v, struct mono now, const struct verdict_self *self)
{
	bool other = self->id != v->config.self.id;

	v->config.self = *self;
	for (size_t i = 0; i < v->targets && other; i++) {
		target_again(v, now, v->target[i]);
		verdict_settle(v, now, v->target[i]);
	}
	if (other)
		verdict_doubt_all(v);
	v->recast = 0;
}

void verdict_live(struct verdict *v, struct mono now, __u64 id, bool live)
{
	struct peer *peer = verdict_peer(v, id);

	if (!peer || peer->live == live || id == v->config.self.id)
		return;
	peer->live = live;
	for (size_t i = 0; i < v->targets; i++)
		if (verdict_seat_of(&v->target[i]->seats, id) >= 0)
			verdict_settle(v, now, v->target[i]);
}

/* --- targets --- */

struct target *verdict_target(const struct verdict *v, __u64 id)
{
	size_t low = 0, high = v->targets;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (v->target[mid]->is.id == id)
			return v->target[mid];
		if (v->target[mid]->is.id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void target_free(struct target *t)
{
	if (!t)
		return;
	free(t->held.vote);
	free(t->seen);
	free(t);
}

static bool rule_same(const struct verdict_rule *a, const struct verdict_rule *b)
{
	return a->mode == b->mode && a->liars == b->liars && !strcmp(a->site, b->site);
}

/* Votes are kept by who cast them. */
static void target_change(struct verdict *v, struct mono now, struct target *t, const struct verdict_target *is)
{
	struct verdict_vote standing[VERDICT_SEATS];
	struct verdict_seats seats = t->seats;
	bool same = rule_same(&t->is.rule, &is->rule), blind = t->is.blind;

	memcpy(standing, t->standing, sizeof(standing));
	t->is = *is;
	if (same && blind != is->blind) {
		verdict_settle(v, now, t);
		verdict_doubt(v, t);
	}
	if (same)
		return;
	target_again(v, now, t);
	for (size_t i = 0; i < seats.count; i++) {
		int seat = verdict_seat_of(&t->seats, seats.seat[i].id);

		if (seat < 0)
			continue;
		verdict_stands(t, now, (size_t)seat, &standing[i]);
		t->hash[seat] = verdict_vote_hash(&standing[i], v->config.signing);
	}
	verdict_settle(v, now, t);
}

static void target_forget(struct verdict *v, struct target *t)
{
	v->observed -= t->self >= 0;
	v->contradicted -= t->contradicted;
	v->undecided -= t->undecided;
	v->failing -= t->fails;
	v->changed -= t->changed;
	target_free(t);
}

/* The ones to come: those that stay, and new ones in the others' places. */
static struct target **targets_build(const struct verdict *v, const struct verdict_target *target, size_t count)
{
	struct target **ret = calloc(count + 1, sizeof(struct target *));

	for (size_t i = 0; ret && i < count; i++) {
		struct target *t = verdict_target(v, target[i].id);

		if (t) {
			ret[i] = t;
			continue;
		}
		ret[i] = t = calloc(1, sizeof(*t));
		if (!t)
			return ret;
		t->is = target[i];
		t->self = -1;
		t->due.ns = UINT64_MAX;
	}
	return ret;
}

static bool stays(const struct verdict *v, const struct target *t)
{
	return verdict_target(v, t->is.id) == t;
}

static void targets_swap(struct verdict *v, struct mono now, const struct verdict_target *is, struct target **target,
			 struct target **by_time, size_t count)
{
	struct target **former = v->target;
	size_t i, formers = v->targets;

	/* Whoever stays is found in the new array, so that one is looked at for those who go. */
	v->target = target;
	v->targets = count;
	for (i = 0; i < formers; i++)
		if (!stays(v, former[i]))
			target_forget(v, former[i]);
	free(former);
	free(v->by_time);
	v->by_time = by_time;
	for (v->targets = 0; v->targets < count;) {
		target[v->targets]->place = v->targets;
		v->targets++;
		verdict_time(v, target[v->targets - 1]);
	}
	for (i = 0; i < count; i++) {
		if (target[i]->since.ns) {
			target_change(v, now, target[i], &is[i]);
			continue;
		}
		target_seats(v, now, target[i]);
		verdict_settle(v, now, target[i]);
	}
	verdict_doubt_all(v);
	v->recast = 0;
}

int verdict_targets(struct verdict *v, struct mono now, const struct verdict_target *target, size_t count)
{
	struct target **fresh = targets_build(v, target, count), **by_time = calloc(count + 1, sizeof(struct target *));
	size_t i;

	if (fresh && by_time && (!count || fresh[count - 1])) {
		targets_swap(v, now, target, fresh, by_time, count);
		return 0;
	}
	for (i = 0; fresh && i < count && fresh[i]; i++)
		if (!stays(v, fresh[i]))
			target_free(fresh[i]);
	free(fresh);
	free(by_time);
	return -ENOMEM;
}

/* --- time --- */

static void heap_set(struct verdict *v, size_t at, struct target *t)
{
	v->by_time[at] = t;
	t->place = at;
}

void verdict_time(struct verdict *v, struct target *t)
{
	size_t at = t->place, other;

	verdict_fails(v, t);
	t->due.ns = t->watched ? t->watch.due.ns : UINT64_MAX;
	if (t->grace.ns && t->grace.ns < t->due.ns)
		t->due = t->grace;
	if (!t->own_down && verdict_own_down_due(t).ns < t->due.ns)
		t->due = verdict_own_down_due(t);
	if (verdict_show_due(t).ns < t->due.ns)
		t->due = verdict_show_due(t);
	if (t->judge.ns && t->judge.ns < t->due.ns)
		t->due = t->judge;
	for (; at && v->by_time[(at - 1) / 2]->due.ns > t->due.ns; at = (at - 1) / 2)
		heap_set(v, at, v->by_time[(at - 1) / 2]);
	for (; (other = 2 * at + 1) < v->targets; at = other) {
		other += other + 1 < v->targets && v->by_time[other + 1]->due.ns < v->by_time[other]->due.ns;
		if (v->by_time[other]->due.ns >= t->due.ns)
			break;
		heap_set(v, at, v->by_time[other]);
	}
	heap_set(v, at, t);
}

struct mono verdict_due(const struct verdict *v)
{
	struct mono due = verdict_tell_due(v);

	if (v->targets && v->by_time[0]->due.ns < due.ns)
		due = v->by_time[0]->due;
	if (v->recast < v->targets)
		due.ns = 0;
	return due;
}

static void target_due(struct verdict *v, struct mono now, struct target *t)
{
	if (t->watched && t->watch.due.ns <= now.ns)
		verdict_watch_due(v, now, t);
	if (t->grace.ns <= now.ns)
		t->grace.ns = 0;
	verdict_settle(v, now, t);
	verdict_judge(v, now, t);
	verdict_time(v, t);
}

void verdict_step(struct verdict *v, struct mono now)
{
	verdict_recast(v, now);
	while (v->targets && v->by_time[0]->due.ns <= now.ns)
		target_due(v, now, v->by_time[0]);
	verdict_tell(v, now);
}

/* --- actions --- */

struct verdict_action *verdict_act(struct verdict *v, enum verdict_act act)
{
	struct verdict_action *ret;

	if (v->actions == v->action_room) {
		size_t room = v->action_room ? 2 * v->action_room : 16, i;
		struct verdict_action *wider = calloc(room, sizeof(*wider));

		if (!wider) {
			v->count[VERDICT_OUTCOME_MEMORY]++;
			return NULL;
		}
		for (i = 0; i < v->actions; i++)
			wider[i] = v->action[(v->action_first + i) % v->action_room];
		free(v->action);
		v->action = wider;
		v->action_room = room;
		v->action_first = 0;
	}
	ret = &v->action[(v->action_first + v->actions++) % v->action_room];
	memset(ret, 0, sizeof(*ret));
	ret->act = act;
	return ret;
}

bool verdict_take(struct verdict *v, struct verdict_action *ret)
{
	if (!v->actions)
		return false;
	*ret = v->action[v->action_first];
	v->action_first = (v->action_first + 1) % v->action_room;
	v->actions--;
	return true;
}

/* --- the whole --- */

struct verdict *verdict_new(const struct verdict_config *config)
{
	struct verdict *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->config = *config;
	v->random = mix64(config->seed);
	return v;
}

void verdict_free(struct verdict *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->targets; i++)
		target_free(v->target[i]);
	roster_free(&v->roster);
	free(v->peer);
	free(v->target);
	free(v->by_time);
	free(v->action);
	free(v);
}

void verdict_date(struct verdict *v, __u64 date_ms)
{
	v->date_ms = date_ms;
}

static struct verdict_view_vote view_vote(const struct verdict *v, const struct target *t, size_t seat)
{
	const struct peer *peer = verdict_peer(v, t->seats.seat[seat].id);
	const struct verdict_vote *vote = &t->standing[seat];

	return (struct verdict_view_vote){
		.voted = vote->state != VERDICT_NONE,
		.caught = peer && peer->caught,
		.live = peer && peer->live,
		.able = verdict_able(v, t, seat),
		.witnessed = t->is.rule.mode == VERDICT_MODE_PROOF && verdict_witnessed(v, t, seat),
		.state = vote->state,
		.evidence = vote->evidence,
		.date_ms = vote->date_ms,
	};
}

int verdict_view(const struct verdict *v, __u64 target, struct verdict_view *ret)
{
	const struct target *t = verdict_target(v, target);

	if (!t)
		return -ENOENT;
	*ret = (struct verdict_view){
		.state = t->state,
		.source = t->source,
		.since = t->since,
		.own_down = t->own_down,
		.told = {t->told_state, t->told_source, t->told_own_down},
		.seats = t->seats,
		.watched = t->watched,
		.awaited = t->grace.ns,
		.watch = t->watch,
	};
	for (size_t i = 0; i < t->seats.count; i++) {
		ret->vote[i] = view_vote(v, t, i);
		ret->down += verdict_counting(v, t, i) == VERDICT_DOWN;
		ret->up += verdict_counting(v, t, i) == VERDICT_UP;
	}
	return 0;
}

/* What holds. Return: 0, -ENOENT, -ENODATA. */
static int certificate_of(const struct verdict *v, __u64 target, struct verdict_certificate *ret)
{
	const struct target *t = verdict_target(v, target);

	if (!t)
		return -ENOENT;
	if (!t->held.votes)
		return -ENODATA;
	ret->target = target;
	ret->epoch = t->held.epoch;
	ret->state = t->held.state;
	ret->rule = t->held.rule;
	ret->votes = t->held.votes;
	memcpy(ret->vote, t->held.vote, ret->votes * sizeof(*ret->vote));
	return 0;
}

int verdict_export(const struct verdict *v, __u64 target, __u8 ret[VERDICT_CERTIFICATE_BYTES])
{
	struct verdict_certificate c;
	int rc = certificate_of(v, target, &c);

	return rc ? rc : verdict_certificate_encode(&c, ret, VERDICT_CERTIFICATE_BYTES);
}

int verdict_shown(const struct verdict *v, __u64 target, __u8 ret[VERDICT_SHOWN_BYTES])
{
	const struct target *t = verdict_target(v, target);
	struct verdict_certificate c;
	int rc = certificate_of(v, target, &c);

	if (rc)
		return rc;
	if (!t->shown)
		return -ENODATA;
	verdict_certificate_cut(&c, &t->seats);
	return verdict_certificate_encode(&c, ret, VERDICT_SHOWN_BYTES);
}

bool verdict_doubts(const struct verdict *v)
{
	return v->doubts;
}

__u64 verdict_count(const struct verdict *v, enum verdict_outcome outcome)
{
	return v->count[outcome];
}

const char *verdict_outcome_label(enum verdict_outcome outcome)
{
	static const char *const label[] = {
#define VERDICT_LABEL(id, text, help) [VERDICT_OUTCOME_##id] = (text),
		STARLING_VERDICT_OUTCOMES(VERDICT_LABEL)
#undef VERDICT_LABEL
	};

	return label[outcome];
}
