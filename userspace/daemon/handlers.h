/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each command does: one function a command, by a table. Not here: parsing and sending
 * (task), streams (stream).
 */
#ifndef STARLING_DAEMON_HANDLERS_H
#define STARLING_DAEMON_HANDLERS_H

#include "daemon/task.h"

/**
 * handler_fn - do one command
 * @p:		the plane: this is a job of it
 * @t:		the request; the handler fills its answer, or returns an error
 * @err:	a sentence
 *
 * Return: 0; -EINPROGRESS: the task is kept, and will be ended by task_end(); or -errno: -ENOENT becomes "not-found",
 * -EINVAL and others "refused".
 */
typedef int handler_fn(struct plane *p, struct task *t, struct err *err);

handler_fn *handler_find(enum command_id id); /* NULL: not for the plane */

/* Commands that need no plane, on a worker thread. Return: whether the task is done. */
bool handler_prepare(struct task *t);

void handle_node_audit(struct task *t); /* on the loop's thread; the task is kept, and ended by task_end() */

int handler_text(struct task *t, const struct buf *text); /* a text as answer: {"text":"..."}. 0, or -ENOMEM */

handler_fn handle_vip_show, handle_vip_table, handle_backend_show, handle_flow_lookup, handle_flow_show,
	handle_iface_show, handle_roster_show, handle_node_show, handle_node_init, handle_node_invite,
	handle_node_forget, handle_node_key, handle_node_lease, handle_node_leave, handle_node_rekey, handle_node_drain,
	handle_drop_show, handle_status, handle_metric_show, handle_version, handle_health_show, handle_health_probe,
	handle_health_export, handle_roster_weigh;
handler_fn handle_config_command, handle_config_show, handle_config_diff, handle_config_apply, handle_config_rollback,
	handle_config_history, handle_config_level, handle_override, handle_readmit;

#endif
