// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What operators put aside by hand: drain, disable, enable, and the file that keeps it; readmit. Not here: their
 * effect (the plane).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/aside.h"
#include "core/change_rows.h"
#include "daemon/agree.h"
#include "daemon/apply.h"
#include "daemon/handlers.h"
#include "daemon/peers.h"
#include "io/state_file.h"

static enum override_state command_state(enum command_id id)
{
	if (id == COMMAND_BACKEND_DRAIN)
		return OVERRIDE_DRAIN;
	return id == COMMAND_BACKEND_DISABLE ? OVERRIDE_DISABLE : OVERRIDE_NONE;
}

struct overriding {
	struct plane *p;
	const struct task *t;
	struct table *table;
	struct err *err;
};

static void override_make(const struct task *t, const struct vip_config *vip, const struct endpoint *at,
			  struct override *ret)
{
	const struct command *c = &t->command;

	*ret = (struct override){.at = *at, .state = command_state(c->id), .since_ms = wall_ms()};
	snprintf(ret->vip, sizeof(ret->vip), "%s", vip->name);
	snprintf(ret->by, sizeof(ret->by), "%s", t->by);
	snprintf(ret->reason, sizeof(ret->reason), "%s", c->reason ? c->reason : "");
	if (ret->state == OVERRIDE_DRAIN)
		ret->timeout_ms = command_has(c, ARG_TIMEOUT) ? c->timeout_ms : vip->drain_timeout_ms;
}

static int backend_override(void *arg, const struct vip_config *vip, const struct endpoint *at)
{
	const struct overriding *how = arg;
	const struct override *agreed = aside_find(plane_config(how->p), vip->name, at);
	struct override o;

	override_make(how->t, vip, at, &o);
	o.over_ms = agreed ? agreed->since_ms : 0;
	if (how->table)
		change_row_aside(how->table, &o);
	return how->t->request.dry_run ? 0 : plane_override(how->p, &o, how->err);
}

struct sharing {
	const struct task *t;
	struct config *to;
};

static int backend_share(void *arg, const struct vip_config *vip, const struct endpoint *at)
{
	const struct sharing *how = arg;
	struct override o;

	override_make(how->t, vip, at, &o);
	return aside_set(how->to, &o);
}

int override_shared(struct config *c, const struct task *t, struct err *err)
{
	struct sharing how = {t, c};

	return config_named(c, &t->command, backend_share, &how, err);
}

/* Is anybody left to take connections? An enable leaves no fewer. */
static int unserved_check(struct plane *p, const struct task *t, struct err *err)
{
	bool ask = t->command.id != COMMAND_BACKEND_ENABLE && !t->request.force && !t->request.dry_run;
	struct config *wanted = ask ? config_copy(plane_config(p)) : NULL;
	int rc = !ask ? 0 : wanted ? override_shared(wanted, t, err) : -ENOMEM;

	if (!rc && ask)
		rc = plane_unserved_check(p, wanted, err);
	config_free(wanted);
	return rc;
}

int handle_override(struct plane *p, struct task *t, struct err *err)
{
	struct table *table;
	struct overriding how = {.p = p, .t = t, .err = err};
	int rc;

	if (command_has(&t->command, ARG_LOCAL) && agree_ready(t->d->agree))
		return err_set(err, EINVAL, "the flock can agree on it: leave \"local\" out");
	rc = unserved_check(p, t, err);
	if (rc)
		return rc;
	table = t->request.dry_run ? table_new(KIND_CHANGE) : NULL;
	how.table = table;
	rc = config_named(plane_config(p), &t->command, backend_override, &how, err);
	if (rc || t->request.dry_run) {
		if (rc)
			table_free(table);
		else
			task_answer(t, table);
		return rc;
	}
	if (t->d->overrides_unkept)
		return err_set(err, EIO, "it is done, but would not outlive a restart: %s/overrides cannot be written",
			       t->d->state_dir);
	request_message_answer("", &t->answer);
	return 0;
}

int handle_readmit(struct plane *p, struct task *t, struct err *err)
{
	bool here = command_has(&t->command, ARG_HERE);
	int rc = here ? 0 : peers_readmit_check(t->d->peers, err);
	struct fact_readmit *all = NULL;
	size_t count = 0;

	if (!rc)
		rc = plane_readmit(p, t->command.vip, &t->command.at, t->request.dry_run, &all, &count, err);
	if (!rc && !here && !t->request.dry_run)
		peers_readmit(t->d->peers, all, count);
	free(all);
	if (!rc)
		request_message_answer("", &t->answer);
	return rc;
}

static json_t *override_json(const struct override *o)
{
	char at[ENDPOINT_TEXT_BYTES];

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "vip", o->vip, "backend", endpoint_format(&o->at, at),
			 "state", override_word(o->state), "by", o->by, "reason", o->reason, "since_ms",
			 (json_int_t)o->since_ms, "timeout_ms", (json_int_t)o->timeout_ms, "over_ms",
			 (json_int_t)o->over_ms);
}

void overrides_store(struct daemon *d, const struct override *all, size_t count)
{
	json_t *list = json_array();
	char path[PATH_MAX], *text;
	struct err err = {0};
	size_t i;
	int rc;

	for (i = 0; i < count; i++)
		json_array_append_new(list, override_json(&all[i]));
	text = json_dumps(list, JSON_INDENT(1));
	json_decref(list);
	rc = daemon_path(path, d->state_dir, "overrides", &err);
	if (!rc)
		rc = text ? state_file_write(path, text, strlen(text), &err)
			  : err_set(&err, ENOMEM, "no memory for the overrides");
	free(text);
	d->overrides_unkept = rc;
	d->overrides = count;
	if (rc) {
		d->store_errors++;
		log_error("overrides are not kept: %s", err.text);
	}
}

static int override_parse(json_t *json, struct override *ret)
{
	const char *vip, *at, *state, *by, *reason;
	json_int_t since_ms, timeout_ms, over_ms = 0;
	struct override o = {0};

	if (json_unpack(json, "{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s?I}", "vip", &vip, "backend", &at, "state", &state, "by",
			&by, "reason", &reason, "since_ms", &since_ms, "timeout_ms", &timeout_ms, "over_ms",
			&over_ms) ||
	    endpoint_parse(at, &o.at) || !override_find(state, &o.state))
		return -EBADMSG;
	o.since_ms = (__u64)since_ms;
	o.timeout_ms = (__u32)timeout_ms;
	o.over_ms = (__u64)over_ms;
	snprintf(o.vip, sizeof(o.vip), "%s", vip);
	snprintf(o.by, sizeof(o.by), "%s", by);
	snprintf(o.reason, sizeof(o.reason), "%s", reason);
	*ret = o;
	return 0;
}

static int overrides_parse(const char *text, size_t len, struct override **ret, size_t *ret_count)
{
	json_t *list = json_loadb(text, len, 0, NULL);
	size_t i, count = json_array_size(list);
	struct override *all = count ? calloc(count, sizeof(*all)) : NULL;
	int rc = json_is_array(list) ? 0 : -EBADMSG;

	if (count && !all)
		rc = -ENOMEM;
	for (i = 0; i < count && !rc; i++)
		rc = override_parse(json_array_get(list, i), &all[i]);
	json_decref(list);
	if (rc) {
		free(all);
		return rc;
	}
	*ret = all;
	*ret_count = count;
	return 0;
}

int overrides_read(const struct daemon *d, struct override **ret, size_t *ret_count, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len = 0;
	int rc = daemon_path(path, d->state_dir, "overrides", err);

	*ret = NULL;
	*ret_count = 0;
	if (!rc)
		rc = state_file_read(path, &text, &len, err);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = overrides_parse(text, len, ret, ret_count);
	free(text);
	return rc ? err_set(err, -rc, "%s holds no overrides: %s", path, strerror(-rc)) : 0;
}
