// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Targets from the configuration, verdicts to the plane. Not here: rows (health_show.c).
 *
 * The prober says only that something has changed, and the plane then asks of all its backends: what changes
 * together makes one change of homes, and nothing can be lost on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/table.h"
#include "daemon/health_state.h"

static void on_verdicts(struct plane *p, void *arg)
{
	struct health *h = arg;

	h->posted = false;
	if (p)
		plane_checks(p);
}

/* On the prober's thread. */
static void on_changed(void *arg)
{
	struct health *h = arg;

	pthread_mutex_lock(&h->lock);
	if (!h->stopped && !h->posted) {
		h->posted = true;
		if (plane_post(h->d->plane, PLANE_URGENT, on_verdicts, h))
			h->posted = false; /* the next change, or the tick, tells */
	}
	pthread_mutex_unlock(&h->lock);
}

int health_open(struct daemon *d, struct health **ret, struct err *err)
{
	struct health *h = calloc(1, sizeof(*h));
	struct prober_hooks hooks = {.arg = h, .changed = on_changed};
	int rc;

	if (!h)
		return err_set(err, ENOMEM, "no memory for health checks");
	h->d = d;
	pthread_mutex_init(&h->lock, NULL);
	rc = prober_open(d->options.checks_dir, &hooks, &h->prober, err);
	if (rc) {
		pthread_mutex_destroy(&h->lock);
		free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void health_stop(struct health *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopped = true;
	pthread_mutex_unlock(&h->lock);
}

void health_close(struct health *h)
{
	if (!h)
		return;
	prober_close(h->prober);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* --- targets --- */

/* Targets that the plane holds down by any of the VIPs that share them. */
static void targets_down(const struct plane *p, const struct config_target *all, size_t count, bool *down)
{
	const struct config *c = plane_config(p);
	size_t i, k, at;

	for (i = 0; i < c->vip_count; i++) {
		const struct vip_config *v = &c->vip[i];

		for (k = 0; v->check && k < v->backend_count; k++)
			if (plane_held_down(p, v->name, &v->backend[k].at) &&
			    config_target_find(all, count, &(struct config_target){v, v->backend[k].at}, &at))
				down[at] = true;
	}
}

static int targets_tell(struct health *h, struct plane *p, const struct config_target *all, size_t count)
{
	struct probe_target *target = calloc(count + 1, sizeof(*target));
	bool *down = calloc(count + 1, sizeof(*down));
	int rc = target && down ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !rc; i++)
		target[i] = (struct probe_target){all[i].at, all[i].vip->check};
	if (!rc)
		targets_down(p, all, count, down);
	if (!rc)
		rc = prober_targets(h->prober, target, down, count, plane_config(p)->node_exec);
	free(target);
	free(down);
	return rc;
}

void health_configure(struct health *h, struct plane *p)
{
	struct config_target *all = NULL;
	size_t count = 0;
	int rc = config_targets(plane_config(p), &all, &count);

	if (!rc && (count || h->targets))
		rc = targets_tell(h, p, all, count);
	if (rc)
		log_error("health: no memory to check backends anew: they are checked as before");
	else
		h->targets = count;
	free(all);
	plane_checks(p);
}

/* --- hooks --- */

static enum override_state agent_override(enum agent_admin admin)
{
	switch (admin) {
	case AGENT_UNSAID:
	case AGENT_READY:
		return OVERRIDE_NONE;
	case AGENT_DRAIN:
		return OVERRIDE_DRAIN;
	case AGENT_MAINT:
		return OVERRIDE_DISABLE;
	}
	return OVERRIDE_NONE;
}

void health_checked(void *arg, const struct check_config *check, const struct endpoint *at, struct plane_verdict *ret)
{
	const struct daemon *d = arg;
	struct probe_status s;

	if (!d->health || !prober_look(d->health->prober, at, check, &s))
		return;
	if (s.verdict != CHECK_UNKNOWN)
		ret->down = s.verdict == CHECK_DOWN;
	if (s.barred) /* nobody checks it */
		ret->down = false;
	if (check->kind != CHECK_AGENT || s.admin != AGENT_UNSAID) /* else it is as it was said last */
		ret->agent = agent_override(s.admin);
	if (s.probed)
		snprintf(ret->why, sizeof(ret->why), "%s %s: %s", check_kind_words()[check->kind],
			 check_reason_label(s.last.reason), s.last.say);
	else
		snprintf(ret->why, sizeof(ret->why), "it was down before, and is not probed yet");
}

/* --- one probe --- */

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

	if (!vip)
		return config_vip_none(plane_config(p), t->command.vip, err);
	if (!vip_backend(vip, &t->command.at))
		return err_set(err, ENOENT, "VIP %s has no backend %s", vip->name,
			       endpoint_format(&t->command.at, text));
	if (!vip->check)
		return err_set(err, EINVAL, "VIP %s is not checked: `health set %s KIND`", vip->name, vip->name);
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
	if (!prober_once(h->prober, &asked->at, &asked->check, on_probed, asked))
		return -EINPROGRESS;
	free(asked);
	return -ENOMEM;
}
