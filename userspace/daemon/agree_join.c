// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node comes to a flock, and may bring VIPs of its own to one that agrees on others: nobody overwrites those unasked.
 * It keeps them and stays apart, a member that does not run what is agreed on, until it is told to give them up. Not
 * here: how it is let in (peers_keys.c, peers_admission.c), following (agree_follow.c).
 *
 * Who has run a generation of the flock's once has joined: from then on its VIPs are the flock's, over restarts too.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/agree_state.h"
#include "daemon/task.h"

#define JOIN_MS	     5000 /* the answer says by then what came of it */
#define JOIN_LOOK_MS 200

static void name_add(struct buf *names, const char *name)
{
	buf_printf(names, "%s%s", names->len ? ", " : "", name);
}

/* VIPs that either has, and the other has not, or not so. */
static void differing(const struct config *own, const struct config *shared, struct buf *names)
{
	for (size_t i = 0; i < own->vip_count; i++)
		if (config_part_differs(own, shared, own->vip[i].name))
			name_add(names, own->vip[i].name);
	for (size_t i = 0; i < shared->vip_count; i++)
		if (!config_vip(own, shared->vip[i].name))
			name_add(names, shared->vip[i].name);
}

int agree_join_check(struct agree *a, const struct config *own, const struct config *shared, struct err *err)
{
	struct buf names = BUF_INIT;
	bool joined, apart;

	pthread_mutex_lock(&a->lock);
	joined = a->joined;
	pthread_mutex_unlock(&a->lock);
	if (!joined && own->vip_count)
		differing(own, shared, &names);
	apart = names.len != 0;
	pthread_mutex_lock(&a->lock);
	a->apart = apart;
	pthread_mutex_unlock(&a->lock);
	if (apart)
		err_set(err, EEXIST,
			"its own VIPs are not those that the flock has agreed on (%.120s): `starling node join ADDR "
			"replace` gives them up",
			buf_text(&names));
	buf_free(&names);
	return apart ? -EEXIST : 0;
}

bool agree_apart(struct agree *a)
{
	bool apart;

	pthread_mutex_lock(&a->lock);
	apart = a->value.version && a->apart;
	pthread_mutex_unlock(&a->lock);
	return apart;
}

/* What is agreed on is looked at now, not when its time has come. */
static void follow_now(struct agree *a, bool replace)
{
	pthread_mutex_lock(&a->lock);
	a->joined |= replace;
	a->apart &= !replace;
	a->trouble[0] = '\0';
	a->retry.ns = 0;
	pthread_mutex_unlock(&a->lock);
	agree_tick(a);
}

/* Return: whether there is more to wait for; else @rc is what came of it. */
static bool looked(struct agree *a, struct buf *message, int *rc, struct err *err)
{
	struct object_name root;
	__u32 generation = 0;
	bool known, runs = false, apart;

	pthread_mutex_lock(&a->lock);
	known = a->value.version;
	if (known) {
		agree_wanted(a, &a->intent, &root, &generation);
		runs = object_name_is(&root, &a->running);
	}
	apart = known && a->apart && a->trouble[0];
	if (apart)
		*rc = err_set(err, EEXIST, "%s", a->trouble);
	pthread_mutex_unlock(&a->lock);
	if (runs)
		buf_printf(message, "it is in the flock, and runs generation %u", generation);
	else if (!known && peers_register_none(a->d->peers))
		buf_puts(message, "it is in the flock, which has not agreed on a configuration");
	return !message->len && !apart;
}

int agree_join(struct agree *a, struct task *t, struct err *err)
{
	struct mono until = mono_after(mono_now(), JOIN_MS);
	struct buf message = BUF_INIT;
	bool more = true;
	int rc = 0;

	if (t->command.file)
		rc = peers_accept(a->d->peers, t->request.text ? t->request.text : "", t->request.dry_run, err);
	else if (!t->request.dry_run)
		rc = peers_join(a->d->peers, &t->command.at, err);
	if (!rc && !t->request.dry_run)
		follow_now(a, command_has(&t->command, ARG_REPLACE));
	while (!rc && !t->request.dry_run && more && looked(a, &message, &rc, err)) {
		pthread_mutex_lock(&a->lock);
		agree_wait(a, mono_after(mono_now(), JOIN_LOOK_MS));
		more = !a->stopping && mono_now().ns < until.ns;
		pthread_mutex_unlock(&a->lock);
	}
	if (!message.len)
		buf_puts(&message, "it is asked; `node key show` tells what came");
	if (!rc)
		request_message_answer(buf_text(&message), &t->answer);
	buf_free(&message);
	return rc;
}
