// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands that only look. Not here: where the values come from (the plane).
 */
#include <errno.h>
#include <string.h>

#include "daemon/handlers.h"
#include "daemon/health_reputation.h"
#include "daemon/pages.h"
#include "daemon/peers.h"
#include "daemon/process.h"

static const char *name_or_null(const char *name)
{
	return name[0] ? name : NULL;
}

int handle_vip_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_VIP);

	return table ? task_show(t, table, plane_show_vips(p, name_or_null(t->command.vip), table, err), err) : -ENOMEM;
}

int handle_vip_table(struct plane *p, struct task *t, struct err *err)
{
	bool slots = command_has(&t->command, ARG_EVERY_SLOT);
	struct table *table = table_new(slots ? KIND_SLOT : KIND_SHARE);
	int rc;

	if (!table)
		return -ENOMEM;
	rc = slots ? plane_show_slots(p, t->command.vip, table, err) : plane_show_shares(p, t->command.vip, table, err);
	return task_show(t, table, rc, err);
}

int handle_backend_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_BACKEND);
	int rc;

	if (!table)
		return -ENOMEM;
	rc = plane_show_backends(p, name_or_null(t->command.vip), table, err);
	if (!rc)
		peers_asides_show(t->d->peers, table);
	return task_show(t, table, rc, err);
}

int handle_health_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_HEALTH);

	return table ? task_show(t, table, health_show(t->d->health, p, name_or_null(t->command.vip), table, err), err)
		     : -ENOMEM;
}

int handle_health_probe(struct plane *p, struct task *t, struct err *err)
{
	return health_probe(t->d->health, p, t, err);
}

int handle_health_export(struct plane *p, struct task *t, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = health_export(t->d->health, p, t->command.vip, &t->command.at, &text, err);

	if (!rc)
		rc = handler_text(t, &text);
	buf_free(&text);
	return rc;
}

int handle_flow_lookup(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_LOOKUP);
	struct endpoint src = t->command.at, dst = t->command.to;

	src.proto = dst.proto = (__u8)t->command.proto;
	return table ? task_show(t, table, plane_lookup(p, &src, &dst, table, err), err) : -ENOMEM;
}

int handle_flow_show(struct plane *p, struct task *t, struct err *err)
{
	const struct command *c = &t->command;
	struct plane_flow_filter filter = {.vip = name_or_null(c->vip),
					   .backend = command_has(c, ARG_OF_BACKEND) ? &c->at : NULL,
					   .client = command_has(c, ARG_CLIENT) ? &c->client : NULL,
					   .limit = command_has(c, ARG_LIMIT) ? c->limit : 0};
	struct table *table = table_new(KIND_FLOW);

	return table ? task_show(t, table, plane_show_flows(p, &filter, table, err), err) : -ENOMEM;
}

int handle_iface_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_IFACE);

	return table ? task_show(t, table, plane_show_ifaces(p, table, err), err) : -ENOMEM;
}

static void roster_row(struct health *h, const struct roster_node *node, const char *epoch, struct table *table)
{
	char key[ROSTER_KEY_TEXT_BYTES], id[ROSTER_ID_TEXT_BYTES];
	size_t row = table_row(table), i;

	table_set_text(table, row, FIELD_ROSTER_name, node->name);
	table_set_text(table, row, FIELD_ROSTER_id, roster_id_format(node->id, id));
	table_set_text(table, row, FIELD_ROSTER_site, name_or_null(node->site));
	for (i = 0; i < ROLE_COUNT; i++)
		if (node->roles >> i & 1)
			table_add_list(table, row, FIELD_ROSTER_roles, roster_role_words()[i]);
	table_set_u64(table, row, FIELD_ROSTER_stake, node->stake);
	table_set_u64(table, row, FIELD_ROSTER_reputation, roster_reputation(node));
	table_set_u64(table, row, FIELD_ROSTER_counted, health_reputation_of(h, node->id));
	table_set_text(table, row, FIELD_ROSTER_key, roster_key_format(&node->key, key));
	table_set_text(table, row, FIELD_ROSTER_epoch, epoch);
}

int handle_roster_show(struct plane *p, struct task *t, struct err *err)
{
	struct roster roster = {0};
	char epoch[ROSTER_EPOCH_TEXT_BYTES];
	struct table *table = table_new(KIND_ROSTER);
	struct roster_epoch digest;
	size_t i;

	(void)p;
	if (!table || peers_roster_copy(t->d->peers, &roster) || roster_digest(&roster, &digest)) {
		table_free(table);
		roster_free(&roster);
		return err_set(err, ENOMEM, "no memory for the answer");
	}
	roster_epoch_format(&digest, epoch);
	for (i = 0; i < roster.count; i++)
		roster_row(t->d->health, &roster.node[i], epoch, table);
	roster_free(&roster);
	return task_show(t, table, 0, err);
}

/* Where there are voters these are answered elsewhere: agree_takes(). */
int handle_roster_weigh(struct plane *p, struct task *t, struct err *err)
{
	(void)p;
	(void)t;
	return err_set(err, EINVAL,
		       "the flock has no voters, so it agrees on no reputations: all have the full one; see `starling "
		       "config voters`");
}

int handle_node_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_NODE);

	(void)p;
	return table ? task_show(t, table, peers_show(t->d->peers, table), err) : -ENOMEM;
}

int handle_drop_show(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_DROP);

	return table ? task_show(t, table, plane_show_drops(p, table, err), err) : -ENOMEM;
}

int handle_status(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_STATUS);

	return table ? task_show(t, table, status_fill(t->d, p, table, err), err) : -ENOMEM;
}

int handle_version(struct plane *p, struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_VERSION);

	(void)p;
	if (!table)
		return -ENOMEM;
	version_fill(t->d, table);
	return task_show(t, table, 0, err);
}

int handle_metric_show(struct plane *p, struct task *t, struct err *err)
{
	struct page_tables tables;
	int rc = pages_tables(t->d, p, &tables, err);

	if (!rc)
		task_answer_metrics(t, &tables);
	return rc;
}
