// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which function does which command. Not here: the functions.
 */
#include "daemon/handlers.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/health.h"
#include "io/secrets.h"

static handler_fn *const handlers[COMMAND_COUNT] = {
	[COMMAND_VIP_ADD] = handle_config_command,
	[COMMAND_VIP_SET] = handle_config_command,
	[COMMAND_VIP_DELETE] = handle_config_command,
	[COMMAND_VIP_ADDRESS] = handle_config_command,
	[COMMAND_VIP_SHOW] = handle_vip_show,
	[COMMAND_VIP_TABLE] = handle_vip_table,
	[COMMAND_BACKEND_ADD] = handle_config_command,
	[COMMAND_BACKEND_SET] = handle_config_command,
	[COMMAND_BACKEND_DELETE] = handle_config_command,
	[COMMAND_BACKEND_SHOW] = handle_backend_show,
	[COMMAND_BACKEND_DRAIN] = handle_override,
	[COMMAND_BACKEND_DISABLE] = handle_override,
	[COMMAND_BACKEND_ENABLE] = handle_override,
	[COMMAND_BACKEND_READMIT] = handle_readmit,
	[COMMAND_HEALTH_SET] = handle_config_command,
	[COMMAND_HEALTH_DELETE] = handle_config_command,
	[COMMAND_HEALTH_SHOW] = handle_health_show,
	[COMMAND_HEALTH_PROBE] = handle_health_probe,
	[COMMAND_HEALTH_EXPORT] = handle_health_export,
	[COMMAND_FLOW_LOOKUP] = handle_flow_lookup,
	[COMMAND_FLOW_SHOW] = handle_flow_show,
	[COMMAND_IFACE_ATTACH] = handle_config_command,
	[COMMAND_IFACE_DETACH] = handle_config_command,
	[COMMAND_IFACE_SHOW] = handle_iface_show,
	[COMMAND_NODE_SET] = handle_config_command,
	[COMMAND_NODE_INIT] = handle_node_init,
	[COMMAND_NODE_INVITE] = handle_node_invite,
	[COMMAND_NODE_FORGET] = handle_node_forget,
	[COMMAND_NODE_KEY] = handle_node_key,
	[COMMAND_NODE_LEASE] = handle_node_lease,
	[COMMAND_NODE_REKEY] = handle_node_rekey,
	[COMMAND_NODE_DRAIN] = handle_node_drain,
	[COMMAND_NODE_ENABLE] = handle_node_drain,
	[COMMAND_NODE_LEAVE] = handle_node_leave,
	[COMMAND_NODE_SHOW] = handle_node_show,
	[COMMAND_ROSTER_ADD] = handle_config_command,
	[COMMAND_ROSTER_DELETE] = handle_config_command,
	[COMMAND_ROSTER_SHOW] = handle_roster_show,
	[COMMAND_ROSTER_WEIGH] = handle_roster_weigh,
	[COMMAND_ROSTER_HISTORY] = handle_roster_weigh,
	[COMMAND_LISTEN_HTTP] = handle_config_command,
	[COMMAND_LOG_LEVEL] = handle_config_command,
	[COMMAND_CONFIG_SHOW] = handle_config_show,
	[COMMAND_CONFIG_EXPORT] = handle_config_show,
	[COMMAND_CONFIG_DIFF] = handle_config_diff,
	[COMMAND_CONFIG_APPLY] = handle_config_apply,
	[COMMAND_CONFIG_ROLLBACK] = handle_config_rollback,
	[COMMAND_CONFIG_LEVEL] = handle_config_level,
	[COMMAND_CONFIG_HISTORY] = handle_config_history,
	[COMMAND_METRIC_SHOW] = handle_metric_show,
	[COMMAND_DROP_SHOW] = handle_drop_show,
	[COMMAND_STATUS] = handle_status,
	[COMMAND_TOP] = handle_backend_show,
	[COMMAND_VERSION] = handle_version,
};

handler_fn *handler_find(enum command_id id)
{
	return id < COMMAND_COUNT ? handlers[id] : NULL;
}

static const char *feature_state(enum feature_state state)
{
	switch (state) {
	case FEATURE_OK:
		return "ok";
	case FEATURE_NOTE:
		return "warning";
	case FEATURE_MISSING:
		return "missing";
	}
	return NULL;
}

static void feature_probe(struct task *t)
{
	struct dataplane_probe probe = {0};
	struct err err = {0};
	struct table *table;
	size_t i, row;

	if (dataplane_probe(command_has(&t->command, ARG_DEVICE) ? t->command.device : NULL, &probe, &err)) {
		task_fail(t, FAULT_NOT_FOUND, &err);
		return;
	}
	table = table_new(KIND_FEATURE);
	for (i = 0; table && i < probe.count; i++) {
		row = table_row(table);
		table_set_text(table, row, FIELD_FEATURE_feature, probe.feature[i].name);
		table_set_text(table, row, FIELD_FEATURE_state, feature_state(probe.feature[i].state));
		table_set_text(table, row, FIELD_FEATURE_value, probe.feature[i].text);
	}
	task_answer(t, table);
}

int handler_text(struct task *t, const struct buf *text)
{
	json_t *json = buf_error(text) ? NULL : json_pack("{s:s}", "text", buf_text(text));
	char *line = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!line)
		return -ENOMEM;
	buf_printf(&t->answer, "%s\n", line);
	free(line);
	return 0;
}

static void certificate_verify(struct task *t)
{
	struct buf says = BUF_INIT;
	struct err err = {0};
	struct identity nobody = {0}; /* the peers may be gone */
	struct signing signing = identity_signing(&nobody);
	int rc = health_verify(t->wanted, t->text, t->text_len, &signing, &says, &err);

	if (!rc)
		rc = buf_error(&says);
	if (rc)
		task_fail(t, rc == -ENOENT ? FAULT_NOT_FOUND : FAULT_REFUSED, &err);
	else
		request_message_answer(buf_text(&says), &t->answer);
	buf_free(&says);
}

bool handler_prepare(struct task *t)
{
	char message[ERR_FILE_BYTES + 64];

	if (t->command.id == COMMAND_HEALTH_VERIFY) {
		certificate_verify(t);
		return true;
	}
	if (t->command.id == COMMAND_FEATURE_PROBE) {
		feature_probe(t);
		return true;
	}
	if (t->command.id == COMMAND_CONFIG_CHECK) {
		snprintf(message, sizeof(message), "the configuration is right: %zu VIPs, %.4g probes a second",
			 t->wanted->vip_count, config_probes(t->wanted));
		request_message_answer(message, &t->answer);
		return true;
	}
	return false;
}
