// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Leases for jobs that one balancer at a time is to do: taken, dropped, shown. Not here: what a lease is
 * (core/lease.h), the proposal (agree_propose.c).
 *
 * A lease is had by a command, not by a job, so nobody renews it but by the same command: the job that has ended, or
 * hangs, has it no longer. What the daemon itself has to do alone takes it likewise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/duration.h"
#include "daemon/agree_state.h"
#include "daemon/task.h"

#define LEASE_TTL_MS 60000u /* unless said */

/* Who has it, as far as is known here. */
static int other_has(struct agree *a, const char *name, struct err *err)
{
	char holder[STARLING_NAME_BYTES], left[DURATION_TEXT_BYTES];
	struct intent_lease is = {0};
	__u64 left_ms = 0;
	size_t k;

	pthread_mutex_lock(&a->lock);
	k = lease_find(&a->intent, name);
	if (k < INTENT_LEASES) {
		is = a->leases.place[k].is;
		left_ms = lease_left_ms(&a->leases, k, mono_now());
	}
	pthread_mutex_unlock(&a->lock);
	return err_set(err, EEXIST, "%s has the lease %s, with number %llu; it ends in %s unless that renews it",
		       peers_name(a->d->peers, is.holder, holder), name, (unsigned long long)is.fence,
		       duration_format((left_ms + 999) / 1000 * 1000, left));
}

static int refused(struct agree *a, int why, const struct command *c, struct err *err)
{
	if (err->text[0] && why != -ETIMEDOUT)
		return why;
	if (why == -ETIMEDOUT)
		return err_set(err, ETIMEDOUT,
			       "most voters did not answer in time: it may have been decided; try again");
	if (why == -EPERM)
		return err_set(err, EPERM, "a lease needs %d voters at least: `starling config voters`", LEASE_VOTERS);
	if (why == -EEXIST)
		return other_has(a, c->lease, err);
	if (why == -ENOENT)
		return err_set(err, ENOENT, "there is no lease %s", c->lease);
	if (why == -ENOSPC)
		return err_set(err, ENOSPC,
			       "there are %d other leases, which is as many as fit: `starling node lease show`",
			       LEASE_OTHERS);
	if (why == -ESTALE)
		return err_set(err, ESTALE, "the lease %s was over before it was known to be had", c->lease);
	return why;
}

/* The number that this node has of a lease, held or over; 0: another one has it, or nobody. */
static __u64 fence_had(struct agree *a, const char *name)
{
	__u64 self = peers_self(a->d->peers), fence = 0;
	size_t k;

	pthread_mutex_lock(&a->lock);
	k = lease_find(&a->intent, name);
	if (k < INTENT_LEASES && a->intent.lease[k].holder == self)
		fence = a->intent.lease[k].fence;
	pthread_mutex_unlock(&a->lock);
	return fence;
}

static int take(struct agree *a, struct task *t, __u32 ttl_ms, struct err *err)
{
	char number[24];
	__u64 fence = 0, had = fence_had(a, t->command.lease);
	int rc = agree_put_lease(a, t->command.lease, ttl_ms, &fence, err);

	if (rc)
		return refused(a, rc, &t->command, err);
	t->renewed = fence == had;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)fence);
	request_message_answer(number, &t->answer);
	log_info("lease: %s is had number=%s by=%s", t->command.lease, number, t->by);
	return 0;
}

static int drop(struct agree *a, struct task *t, struct err *err)
{
	int rc = agree_put_lease(a, t->command.lease, 0, NULL, err);

	if (rc)
		return refused(a, rc, &t->command, err);
	request_message_answer("", &t->answer);
	log_info("lease: %s is given back by=%s", t->command.lease, t->by);
	return 0;
}

int agree_lease(struct agree *a, struct task *t, struct err *err)
{
	const struct command *c = &t->command;
	bool takes = c->lease_change == LEASE_TAKE;
	int rc;

	if (!command_has(c, ARG_LEASE))
		return err_set(err, EINVAL, "which lease? `starling node lease %s LEASE`", takes ? "take" : "drop");
	if (!strcmp(c->lease, LEASE_RESTART))
		return err_set(err, EPERM, "the lease %s is the balancers' own: who runs hooks takes it", c->lease);
	if (!takes && command_has(c, ARG_TTL))
		return err_set(err, EINVAL, "what is given back has no ttl");
	if (!agree_on(a))
		return refused(a, -EPERM, c, err);
	if (t->request.dry_run) {
		request_message_answer(takes ? "it would be asked for" : "it would be given back", &t->answer);
		return 0;
	}
	rc = agree_quorum_check(a, "", err);
	if (rc)
		return rc;
	return takes ? take(a, t, command_has(c, ARG_TTL) ? c->ttl_ms : LEASE_TTL_MS, err) : drop(a, t, err);
}

/* --- for the daemon itself --- */

struct taking {
	struct agree *a;
	struct command command; /* its lease and ttl */
	agree_lease_fn *done;
	void *arg;
};

static void taking_run(void *arg)
{
	struct taking *t = arg;
	struct agree *a = t->a;
	struct mono until = {0};
	struct err err = {0};
	__u64 fence;
	size_t k;
	int rc = agree_quorum_check(a, "", &err);

	if (!rc)
		rc = agree_put_lease(a, t->command.lease, t->command.ttl_ms, &fence, &err);
	if (rc)
		refused(a, rc, &t->command, &err);
	pthread_mutex_lock(&a->lock);
	k = lease_find(&a->intent, t->command.lease);
	if (!rc && k < INTENT_LEASES)
		until = a->leases.place[k].until;
	pthread_mutex_unlock(&a->lock);
	t->done(t->arg, until, err.text);
	free(t);
}

bool agree_leases_are(struct agree *a, const char *name, __u64 *ret_holder)
{
	bool are;
	size_t k;

	pthread_mutex_lock(&a->lock);
	are = a->value.version && !a->apart && a->value.voters >= LEASE_VOTERS;
	k = lease_find(&a->intent, name);
	*ret_holder =
		are && k < INTENT_LEASES && lease_left_ms(&a->leases, k, mono_now()) ? a->intent.lease[k].holder : 0;
	pthread_mutex_unlock(&a->lock);
	return are;
}

int agree_lease_take(struct agree *a, const char *name, __u32 ttl_ms, agree_lease_fn *done, void *arg)
{
	struct taking *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->a = a;
	t->done = done;
	t->arg = arg;
	snprintf(t->command.lease, sizeof(t->command.lease), "%s", name);
	t->command.ttl_ms = ttl_ms;
	pthread_mutex_lock(&a->lock);
	rc = a->stopping ? -ESHUTDOWN : workers_post(a->quick, taking_run, t);
	pthread_mutex_unlock(&a->lock);
	if (rc)
		free(t);
	return rc;
}

/* --- what is shown --- */

static void lease_row(struct agree *a, const struct leases *l, size_t k, struct table *t)
{
	const struct intent_lease *is = &l->place[k].is;
	char holder[STARLING_NAME_BYTES];
	struct mono now = mono_now();
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_LEASE_name, is->name);
	table_set_text(t, row, FIELD_LEASE_holder, peers_name(a->d->peers, is->holder, holder));
	table_set_bool(t, row, FIELD_LEASE_held, lease_held(l, k, now));
	table_set_u64(t, row, FIELD_LEASE_fence, is->fence);
	table_set_f64(t, row, FIELD_LEASE_remaining, (double)lease_left_ms(l, k, now) / 1e3);
	table_set_f64(t, row, FIELD_LEASE_ttl, is->ttl_ms / 1e3);
	table_set_u64(t, row, FIELD_LEASE_renewed, is->renewed);
}

int agree_leases(struct agree *a, struct table *t)
{
	struct leases now;

	pthread_mutex_lock(&a->lock);
	now = a->leases;
	pthread_mutex_unlock(&a->lock);
	for (size_t k = 0; k < INTENT_LEASES; k++)
		if (now.place[k].is.name[0])
			lease_row(a, &now, k, t);
	return table_error(t);
}
