// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `health probe`: one probe, which counts for nothing. Not here: those that count (health.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "daemon/health_state.h"

struct asked {
	struct task *t;
	struct endpoint at;
	char vip[STARLING_NAME_BYTES];
	struct check_config check;
};

/* On the prober's thread. */
static void on_probed(void *arg, const struct probe_result *r)
{
	struct asked *asked = arg;
	struct table *table = table_new(KIND_HEALTH);
	struct err err = {0};
	int rc = table ? 0 : -ENOMEM;

	if (table) {
		health_row(table, asked->vip, &asked->at, &asked->check, r);
		asked->t->table = table;
		rc = table_error(table);
	}
	task_end(asked->t, rc, &err);
	free(asked);
}

int health_probe(struct health *h, struct plane *p, struct task *t, struct err *err)
{
	const struct vip_config *vip = config_vip(plane_config(p), t->command.vip);
	char text[ENDPOINT_TEXT_BYTES];
	struct asked *asked;
	__u32 mark = 0;

	if (!vip)
		return config_vip_none(plane_config(p), t->command.vip, err);
	if (!vip_backend(vip, &t->command.at))
		return err_set(err, ENOENT, "VIP %s has no backend %s", vip->name,
			       endpoint_format(&t->command.at, text));
	if (!vip->check)
		return err_set(err, EINVAL, "VIP %s is not checked: `health set %s KIND`", vip->name, vip->name);
	if (vip->check->via == CHECK_VIA_TUNNEL) {
		mark = h->tunnel_failed ? 0 : plane_tunnel_mark(p, vip->name, &t->command.at);
		if (!mark)
			return err_set(err, EOPNOTSUPP,
				       "there is no tunnel to it from here: a witness has none, and a "
				       "device has to be attached");
	}
	if (t->request.dry_run) {
		request_message_answer("it would be probed", &t->answer);
		return 0;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked)
		return -ENOMEM;
	asked->t = t;
	asked->at = t->command.at;
	asked->check = *vip->check;
	memcpy(asked->vip, vip->name, sizeof(asked->vip));
	if (!prober_probe(h->prober, &asked->at, &asked->check, mark, on_probed, asked))
		return -EINPROGRESS;
	free(asked);
	return -ENOMEM;
}
