// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Proposals to the register, and the commands about the register itself: its voters, confirming, taking it over. Not
 * here: changes of the configuration (agree_change.c), the protocol (core/caspaxos.h).
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/agree_state.h"
#include "daemon/task.h"

#define PROPOSE_MS     3000
#define VOTERS_MS      3000 /* in which all of them have to have told that they can vote */
#define VOTERS_LOOK_MS 50

/* Of a register that is taken over: more than may have been decided without it, so that numbers of leases rise on. */
#define TAKEOVER_VERSIONS (1ull << 32)

/* --- proposals: one at a time --- */

enum proposal_kind {
	PROPOSE_PUT,
	PROPOSE_CONFIRM,
	PROPOSE_RELEASE, /* @want has gone through its waves */
	PROPOSE_TAKE_BACK,
	PROPOSE_VOTERS,
	PROPOSE_TAKE, /* a lease */
	PROPOSE_DROP,
	PROPOSE_NOTHING,
};

struct proposal {
	struct agree *a;
	__u32 number;
	enum proposal_kind kind;
	struct intent base, want;	  /* PUT: instead of @base; CONFIRM: what was seen */
	__u32 confirm_ms;		  /* RELEASE */
	struct caspaxos_value voters;	  /* VOTERS: its voters */
	char lease[STARLING_LEASE_BYTES]; /* TAKE, DROP */
	__u32 ttl_ms;
	struct mono asked;
};

static int next_put(const struct proposal *p, const struct intent *is, struct intent *next)
{
	if (!intent_same_proposal(is, &p->base))
		return -ESTALE;
	if (agree_left(p->a, is))
		return -EBUSY;
	if (!object_name_is(is->proposed ? &is->previous : &is->root, &p->want.previous))
		return -ESTALE; /* it was made of a proposal that is taken back */
	*next = p->want;
	next->deadline_ms = next->proposed ? wall_ms() + next->window_ms : 0;
	memcpy(next->lease, is->lease, sizeof(next->lease));
	return 0;
}

static int next_confirm(const struct proposal *p, const struct intent *is, struct intent *next)
{
	int rc = intent_confirm_check(is, &p->want, agree_left(p->a, is));

	if (!rc)
		next->proposed = false;
	return rc;
}

static int next_release(const struct proposal *p, const struct intent *is, struct intent *next)
{
	if (!intent_same_proposal(is, &p->want))
		return -ESTALE;
	if (agree_left(p->a, is) < INTENT_CONFIRM_LAST_MS)
		return -ETIME;
	next->waved = false;
	next->proposed = p->confirm_ms != 0;
	next->window_ms = p->confirm_ms;
	next->deadline_ms = p->confirm_ms ? wall_ms() + p->confirm_ms : 0;
	return 0;
}

/* A date that has passed by every clock. */
static int next_take_back(const struct proposal *p, const struct intent *is, struct intent *next)
{
	if (!intent_same_proposal(is, &p->want))
		return -ESTALE;
	next->waved = false;
	next->window_ms = 0;
	next->deadline_ms = 1;
	return 0;
}

static int next_lease(const struct proposal *p, const struct caspaxos_value *now, const struct intent *is,
		      struct intent *next)
{
	struct agree *a = p->a;
	struct mono at = mono_now();
	int rc = -EPERM;

	pthread_mutex_lock(&a->lock);
	lease_follow(&a->leases, is, at);
	if (p->kind == PROPOSE_DROP)
		rc = lease_drop(&a->leases, p->lease, next);
	else if (now->voters >= LEASE_VOTERS)
		rc = lease_take(&a->leases, p->lease, p->ttl_ms, now->version + 1, at, next);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

static int on_next(void *arg, const struct caspaxos_value *now, struct caspaxos_value *next)
{
	const struct proposal *p = arg;
	struct intent is, wanted;
	int rc = intent_decode(now->bytes, now->len, &is);

	if (rc)
		return rc;
	wanted = is;
	switch (p->kind) {
	case PROPOSE_PUT:
		rc = next_put(p, &is, &wanted);
		break;
	case PROPOSE_CONFIRM:
		rc = next_confirm(p, &is, &wanted);
		break;
	case PROPOSE_RELEASE:
		rc = next_release(p, &is, &wanted);
		break;
	case PROPOSE_TAKE_BACK:
		rc = next_take_back(p, &is, &wanted);
		break;
	case PROPOSE_TAKE:
	case PROPOSE_DROP:
		rc = next_lease(p, now, &is, &wanted);
		break;
	case PROPOSE_NOTHING:
		rc = -EALREADY;
		break;
	case PROPOSE_VOTERS:
		next->voters = p->voters.voters;
		memcpy(next->voter, p->voters.voter, sizeof(next->voter));
		break;
	}
	next->len = (__u32)intent_encode(&wanted, next->bytes);
	return rc;
}

static void on_done(void *arg, enum caspaxos_outcome outcome, int why, const struct caspaxos_value *value)
{
	struct proposal *p = arg;
	struct agree *a = p->a;
	struct intent is;
	__u64 fence = 0;

	pthread_mutex_lock(&a->lock);
	if (outcome == CASPAXOS_DONE && p->kind == PROPOSE_TAKE && !intent_decode(value->bytes, value->len, &is))
		fence = lease_granted(&a->leases, &is, p->lease, p->asked, mono_now());
	if (p->number == a->proposal) {
		a->proposal_done = true;
		a->outcome = outcome;
		a->why = why;
		a->fence = fence;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	free(p);
}

/* Why a proposal came to nothing, for people. */
static int outcome_err(enum caspaxos_outcome outcome, int why, struct err *err)
{
	switch (outcome) {
	case CASPAXOS_DONE:
		return 0;
	case CASPAXOS_UNKNOWN:
		return err_set(err, ETIMEDOUT,
			       "most voters did not answer in time: it may have been decided, see `config history`");
	case CASPAXOS_FAILED:
		return err_set(err, EHOSTUNREACH,
			       why == -EBUSY ? "another change is being made here"
					     : "too few voters answer to change anything; nothing was changed");
	case CASPAXOS_REFUSED:
		break;
	}
	return why;
}

int agree_refused(struct agree *a, int why, struct err *err)
{
	__u32 generation;

	if (err->text[0])
		return why;
	pthread_mutex_lock(&a->lock);
	generation = a->intent.generation;
	pthread_mutex_unlock(&a->lock);
	if (why == -EBUSY)
		return err_set(err, EBUSY,
			       "generation %u waits to be confirmed: `config confirm`, or wait until it is taken back",
			       generation);
	if (why == -EINPROGRESS)
		return err_set(err, EINPROGRESS, "generation %u has not gone through its waves yet", generation);
	if (why == -ETIME)
		return err_set(err, ETIME, "it is too late: it is taken back");
	if (why == -ENOENT)
		return err_set(err, ENOENT, "nothing waits to be confirmed");
	return why;
}

/* @p moves in. Return: 0: decided; -ESTALE: another one was; -errno with @err. */
static int propose_one(struct agree *a, struct proposal *p, struct err *err)
{
	const struct caspaxos_change change = {p, on_next, on_done};
	enum caspaxos_outcome outcome;
	struct mono until;
	int rc, why;

	pthread_mutex_lock(&a->lock);
	p->a = a;
	p->number = ++a->proposal;
	a->proposal_done = false;
	pthread_mutex_unlock(&a->lock);
	rc = peers_register_propose(a->d->peers, &change, PROPOSE_MS);
	if (rc) {
		free(p);
		return rc;
	}
	until = mono_after(mono_now(), PROPOSE_MS + 1000);
	pthread_mutex_lock(&a->lock);
	while (!a->proposal_done && agree_wait(a, until))
		;
	a->proposal++;
	outcome = a->proposal_done ? a->outcome : CASPAXOS_UNKNOWN;
	why = a->why;
	rc = outcome_err(outcome, why, err);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

static int propose(struct agree *a, const struct proposal *what, struct err *err)
{
	struct proposal *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	*p = *what;
	pthread_mutex_lock(&a->proposing);
	rc = propose_one(a, p, err);
	pthread_mutex_unlock(&a->proposing);
	return rc;
}

static int propose_change(struct agree *a, const struct proposal *what, struct err *err)
{
	return agree_refused(a, propose(a, what, err), err);
}

int agree_put(struct agree *a, const struct intent *base, const struct intent *want, struct err *err)
{
	return propose_change(a, &(struct proposal){.kind = PROPOSE_PUT, .base = *base, .want = *want}, err);
}

int agree_put_lease(struct agree *a, const char *name, __u32 ttl_ms, __u64 *ret_fence, struct err *err)
{
	struct proposal p = {.kind = ttl_ms ? PROPOSE_TAKE : PROPOSE_DROP, .ttl_ms = ttl_ms, .asked = mono_now()};
	__u64 self = peers_self(a->d->peers);
	size_t place;
	int rc;

	snprintf(p.lease, sizeof(p.lease), "%s", name);
	pthread_mutex_lock(&a->lock);
	a->leases.node = self; /* it may be another one since */
	lease_ask(&a->leases, name, ttl_ms, p.asked);
	pthread_mutex_unlock(&a->lock);
	rc = propose(a, &p, err);
	if (rc || !ttl_ms)
		return rc;
	pthread_mutex_lock(&a->lock);
	place = lease_find(&a->intent, name);
	if (a->fence && place < INTENT_LEASES && lease_held(&a->leases, place, mono_now()))
		*ret_fence = a->fence;
	else
		rc = -ESTALE;
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int agree_release(struct agree *a, const struct intent *want, __u32 confirm_ms, struct err *err)
{
	return propose_change(a, &(struct proposal){.kind = PROPOSE_RELEASE, .want = *want, .confirm_ms = confirm_ms},
			      err);
}

int agree_take_back(struct agree *a, const struct intent *want, struct err *err)
{
	return propose_change(a, &(struct proposal){.kind = PROPOSE_TAKE_BACK, .want = *want}, err);
}

/* --- voters --- */

/* Who has only just come may not have told its store yet. */
static int voter_find(struct agree *a, const char *name, struct mono until, struct voter *ret)
{
	bool more = true;
	int rc;

	while ((rc = peers_register_store(a->d->peers, name, &ret->node, &ret->store)) == -EAGAIN && more) {
		pthread_mutex_lock(&a->lock);
		agree_wait(a, mono_after(mono_now(), VOTERS_LOOK_MS));
		more = !a->stopping && mono_now().ns < until.ns;
		pthread_mutex_unlock(&a->lock);
	}
	return rc;
}

static int voters_find(struct agree *a, const struct command *c, struct caspaxos_value *ret, struct err *err)
{
	struct mono until = mono_after(mono_now(), VOTERS_MS);

	if (c->voters % 2 == 0)
		return err_set(err, EINVAL,
			       "1, 3, 5 or 7 voters: of an even number one more has to answer, and no more may fail");
	ret->voters = (__u32)c->voters;
	for (size_t i = 0; i < c->voters; i++)
		if (voter_find(a, c->voter[i], until, &ret->voter[i]))
			return err_set(err, ENOENT, "%s is not in the roster, or has not told yet that it can vote",
				       c->voter[i]);
	return 0;
}

/* The first value: what this node runs, if the others can. */
static int register_make(struct agree *a, struct task *t, struct caspaxos_value *value, struct err *err)
{
	struct intent first;
	int rc = agree_first(a, t, &first, err);

	if (rc)
		return rc;
	randombytes_buf(&value->id, sizeof(value->id));
	value->id |= 1;
	value->version = 1;
	value->len = (__u32)intent_encode(&first, value->bytes);
	return peers_register_begin(a->d->peers, value);
}

/* The new voters have it on their disks before the former ones may go: most of them are asked for nothing. */
static int voters_change(struct agree *a, const struct caspaxos_value *voters, struct err *err)
{
	int rc = propose(a, &(struct proposal){.kind = PROPOSE_VOTERS, .voters = *voters}, err);

	if (rc)
		return rc;
	rc = propose(a, &(struct proposal){.kind = PROPOSE_NOTHING}, err);
	if (rc && rc != -EALREADY)
		return err_set(err, -rc,
			       "they are the voters now, but most of them do not answer yet: leave the former ones as "
			       "they are");
	return 0;
}

int agree_voters(struct agree *a, struct task *t, struct err *err)
{
	struct caspaxos_value value = {0};
	int rc = voters_find(a, &t->command, &value, err);

	if (!rc && agree_apart(a))
		rc = err_set(err, EEXIST, "the flock has agreed on another configuration than this node runs");
	if (rc)
		return rc;
	if (agree_answering(a, &value) < caspaxos_quorum(&value))
		return err_set(err, EHOSTUNREACH, "most of these do not answer: they could not agree on anything");
	if (t->request.dry_run) {
		request_message_answer("these would be the voters", &t->answer);
		return 0;
	}
	if (!agree_on(a)) {
		rc = register_make(a, t, &value, err);
		if (!rc)
			rc = agree_follow(a, err);
	} else {
		rc = voters_change(a, &value, err);
	}
	if (!rc)
		request_message_answer("the flock agrees on one configuration; its voters are as asked", &t->answer);
	return rc;
}

/* Whether what is known here waits, and is the one that is meant; @generation: 0: whichever. */
static bool waits_here(struct agree *a, __u32 generation, struct intent *ret)
{
	pthread_mutex_lock(&a->lock);
	*ret = a->intent;
	pthread_mutex_unlock(&a->lock);
	return agree_left(a, ret) && (!generation || ret->generation == generation);
}

/* The proposal that is to be confirmed: of one that this node has not heard of the voters are asked. */
static int confirm_find(struct agree *a, __u32 generation, struct intent *ret, struct err *err)
{
	int rc;

	if (waits_here(a, generation, ret))
		return 0;
	rc = propose(a, &(struct proposal){.kind = PROPOSE_NOTHING}, err);
	if (rc && rc != -EALREADY)
		return rc;
	if (waits_here(a, generation, ret))
		return 0;
	if (agree_left(a, ret))
		return err_set(err, ESTALE, "generation %u waits to be confirmed, not %u", ret->generation, generation);
	if (ret->proposed && (!generation || ret->generation == generation))
		return agree_refused(a, -ETIME, err);
	if (generation)
		return err_set(err, ENOENT, "generation %u does not wait to be confirmed", generation);
	return agree_refused(a, -ENOENT, err);
}

/* What would become of it, as far as is known here. */
static int confirm_try(struct agree *a, const struct intent *want, struct err *err)
{
	int rc = agree_quorum_check(a, "", err);

	return rc ? rc : agree_refused(a, intent_confirm_check(want, want, agree_left(a, want)), err);
}

int agree_confirm(struct agree *a, struct task *t, struct err *err)
{
	struct proposal p = {.kind = PROPOSE_CONFIRM};
	char message[64];
	int rc;

	if (!agree_on(a))
		return err_set(err, ENOENT, "nothing waits to be confirmed: the flock has no voters");
	rc = confirm_find(a, command_has(&t->command, ARG_GENERATION) ? t->command.generation : 0, &p.want, err);
	if (!rc)
		rc = t->request.dry_run ? confirm_try(a, &p.want, err) : propose_change(a, &p, err);
	if (rc == -ESTALE && !err->text[0])
		rc = err_set(err, ESTALE, "generation %u does not wait to be confirmed any more: see `config history`",
			     p.want.generation);
	if (rc)
		return rc;
	snprintf(message, sizeof(message), "generation %u %s confirmed", p.want.generation,
		 t->request.dry_run ? "would be" : "is");
	request_message_answer(message, &t->answer);
	return 0;
}

/* --- takeover --- */

/* Those that do not answer, by name. */
static void lost_list(struct agree *a, const struct caspaxos_value *v, struct buf *out)
{
	char name[STARLING_NAME_BYTES];

	for (__u32 i = 0; i < v->voters; i++)
		if (v->voter[i].node != peers_self(a->d->peers) && !peers_answers(a->d->peers, v->voter[i].node))
			buf_printf(out, "%s%s", out->len ? ", " : "", peers_name(a->d->peers, v->voter[i].node, name));
}

/* A register of which this node is the only voter, with what the former one has said last here. */
static int register_own(struct agree *a, struct caspaxos_value *value)
{
	randombytes_buf(&value->id, sizeof(value->id));
	value->id |= 1;
	value->version += TAKEOVER_VERSIONS;
	value->voters = 1;
	memset(value->voter, 0, sizeof(value->voter));
	value->voter[0].node = peers_self(a->d->peers);
	return peers_register_begin(a->d->peers, value);
}

int agree_takeover(struct agree *a, struct task *t, struct err *err)
{
	struct buf lost = BUF_INIT, message = BUF_INIT;
	struct caspaxos_value value, other;
	struct intent i;
	bool follow;
	int rc;

	if (!agree_on(a))
		return err_set(err, ENOENT, "there is nothing to take over: no register is known here");
	peers_register_value(a->d->peers, &value);
	rc = intent_decode(value.bytes, value.len, &i);
	if (rc)
		return rc;
	follow = !peers_register_other(a->d->peers, &other);
	if (!follow && agree_answering(a, &value) >= caspaxos_quorum(&value))
		return err_set(err, EEXIST, "most voters answer: there is no need");
	if (follow) {
		buf_printf(
			&message,
			"the register that another node tells of is followed; to vote there this node is to be named "
			"by `starling config voters`");
	} else {
		lost_list(a, &value, &lost);
		buf_printf(
			&message,
			"generation %u goes on, with this node as the only voter; what was decided without it is lost. "
			"Those who do not answer (%s) follow by the same command; then `starling config voters`",
			i.generation, buf_text(&lost));
		buf_free(&lost);
	}
	if (!t->request.dry_run) {
		rc = follow ? peers_register_begin(a->d->peers, &other) : register_own(a, &value);
		log_notice("register: taken over, as %016llx by=%s", (unsigned long long)(follow ? other.id : value.id),
			   t->by);
	}
	if (!rc)
		request_message_answer(buf_text(&message), &t->answer);
	buf_free(&message);
	return rc;
}
