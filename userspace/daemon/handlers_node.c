// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands about this node's part in a flock. Not here: its lines of the configuration (handlers_config.c), joining
 * (agree_join.c).
 */
#include "daemon/agree.h"
#include "daemon/handlers.h"
#include "daemon/peers.h"

#define INVITE_MS 3600000u /* how long an invitation may be used, unless said */

int handle_node_init(struct plane *p, struct task *t, struct err *err)
{
	char message[256] = "a key would be made";
	int rc = 0;

	(void)p;
	if (!t->request.dry_run)
		rc = peers_init(t->d->peers, message, err);
	if (!rc)
		request_message_answer(message, &t->answer);
	return rc;
}

int handle_node_invite(struct plane *p, struct task *t, struct err *err)
{
	char message[256] = "an invitation would be printed";
	__u32 ttl_ms = command_has(&t->command, ARG_TTL) ? t->command.ttl_ms : INVITE_MS;
	int rc = 0;

	(void)p;
	if (!t->request.dry_run)
		rc = peers_invite(t->d->peers, ttl_ms, message, err);
	if (!rc)
		request_message_answer(message, &t->answer);
	return rc;
}

int handle_node_forget(struct plane *p, struct task *t, struct err *err)
{
	char message[256];
	int rc = peers_forget(t->d->peers, t->command.node, t->request.dry_run, message, err);

	(void)p;
	if (!rc)
		request_message_answer(message, &t->answer);
	return rc;
}

static int keys_show(struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_KEY);

	return table ? task_show(t, table, peers_keys_show(t->d->peers, table), err) : -ENOMEM;
}

int handle_node_key(struct plane *p, struct task *t, struct err *err)
{
	enum key_change change = (enum key_change)t->command.key_change;
	bool named = command_has(&t->command, ARG_KEY_ID);
	char message[256];
	int rc;

	(void)p;
	if (named != (change == KEY_USE || change == KEY_REMOVE))
		return err_set(err, EINVAL, named ? "node key show and add name no key" : "which key? `node key show`");
	if (change == KEY_SHOW)
		return keys_show(t, err);
	rc = peers_key(t->d->peers, change, t->command.key_id, t->request.dry_run, message, err);
	if (!rc)
		request_message_answer(message, &t->answer);
	return rc;
}

/* But for `take` and `drop`, which wait for others: agree_takes(). */
int handle_node_lease(struct plane *p, struct task *t, struct err *err)
{
	struct table *table;

	(void)p;
	if (command_has(&t->command, ARG_LEASE) || command_has(&t->command, ARG_TTL))
		return err_set(err, EINVAL, "node lease show names none: it shows all");
	table = table_new(KIND_LEASE);
	return table ? task_show(t, table, agree_leases(t->d->agree, table), err) : -ENOMEM;
}

int handle_node_rekey(struct plane *p, struct task *t, struct err *err)
{
	char message[256] = "another identity would be made";
	int rc = 0;

	(void)p;
	if (!t->request.dry_run)
		rc = peers_rekey(t->d->peers, message, err);
	if (!rc)
		request_message_answer(message, &t->answer);
	return rc;
}

/* And `node enable`. */
int handle_node_drain(struct plane *p, struct task *t, struct err *err)
{
	const char *reason = t->command.reason ? t->command.reason : "by hand";
	int rc = 0;

	(void)p;
	if (!t->request.dry_run)
		rc = peers_drain(t->d->peers, t->command.id == COMMAND_NODE_DRAIN ? reason : NULL, err);
	if (!rc)
		request_message_answer("", &t->answer);
	return rc;
}

int handle_node_leave(struct plane *p, struct task *t, struct err *err)
{
	int rc = 0;

	(void)p;
	if (!t->request.dry_run)
		rc = peers_leave(t->d->peers, err);
	if (!rc)
		request_message_answer("the others are told", &t->answer);
	return rc;
}
