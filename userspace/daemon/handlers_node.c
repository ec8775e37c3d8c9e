// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands about this node's part in a flock. Not here: its lines of the configuration (handlers_config.c).
 */
#include "daemon/handlers.h"
#include "daemon/peers.h"

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
