// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What tells two configurations apart, object by object. Not here: what a difference costs
 * the data plane (the daemon's plane).
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "core/config_file.h"
#include "core/config_lines.h"

/* One walk over both configurations. */
struct walk {
	config_change_fn *fn;
	void *arg;
	size_t count;
	struct buf line;
};

/* Report what stands in w->line. */
static void change(struct walk *w, char sign, const char *object, const char *name)
{
	if (w->line.len && w->line.text[w->line.len - 1] == '\n')
		w->line.text[--w->line.len] = '\0';
	w->fn(w->arg, sign, object, name, buf_text(&w->line));
	w->count++;
	buf_clear(&w->line);
}

/* '+', '-' or '~' for an object of which there is one at most; 0 if nothing changed. */
static char sign_of(bool before, bool after, bool same)
{
	if (before != after)
		return after ? '+' : '-';
	return after && !same ? '~' : '\0';
}

static void singles(struct walk *w, const struct config *from, const struct config *to)
{
	bool same = !strcmp(from->node_name, to->node_name) && !strcmp(from->node_device, to->node_device) &&
		    !endpoint_compare(&from->node_address, &to->node_address);
	char sign = sign_of(config_has_node(from), config_has_node(to), same);

	if (sign) {
		config_export_node(sign == '-' ? from : to, &w->line);
		change(w, sign, "node", "");
	}
	sign = sign_of(from->listen_http.port, to->listen_http.port,
		       !endpoint_compare(&from->listen_http, &to->listen_http));
	if (sign) {
		config_export_listen(sign == '-' ? from : to, &w->line);
		change(w, sign, "listen", "http");
	}
	sign = sign_of(from->log_level != LOG_INFO, to->log_level != LOG_INFO, from->log_level == to->log_level);
	if (sign) {
		config_export_log(sign == '-' ? from : to, &w->line);
		change(w, sign, "log", "level");
	}
}

static void iface_change(struct walk *w, char sign, const struct iface_config *iface)
{
	config_export_iface(iface, &w->line);
	change(w, sign, "iface", iface->name);
}

static void ifaces(struct walk *w, const struct config *from, const struct config *to)
{
	size_t a = 0, b = 0;
	int order;

	while (a < from->iface_count || b < to->iface_count) {
		order = a == from->iface_count ? 1
			: b == to->iface_count ? -1
					       : strcmp(from->iface[a].name, to->iface[b].name);
		if (order < 0)
			iface_change(w, '-', &from->iface[a]);
		else if (order > 0)
			iface_change(w, '+', &to->iface[b]);
		else if (from->iface[a].mode != to->iface[b].mode)
			iface_change(w, '~', &to->iface[b]);
		a += order <= 0;
		b += order >= 0;
	}
}

static void backend_change(struct walk *w, char sign, const struct vip_config *vip, const struct backend_config *b)
{
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES];

	snprintf(name, sizeof(name), "%s %s", vip->name, endpoint_format(&b->at, at));
	config_export_backend(vip, b, &w->line);
	change(w, sign, "backend", name);
}

/* @from or @to may be NULL: all of the other's backends come or go. */
static void backends(struct walk *w, const struct vip_config *from, const struct vip_config *to)
{
	size_t from_count = from ? from->backend_count : 0, to_count = to ? to->backend_count : 0, a = 0, b = 0;
	int order;

	while (a < from_count || b < to_count) {
		order = a == from_count ? 1
			: b == to_count ? -1
					: endpoint_compare(&from->backend[a].at, &to->backend[b].at);
		if (order < 0)
			backend_change(w, '-', from, &from->backend[a]);
		else if (order > 0)
			backend_change(w, '+', to, &to->backend[b]);
		else if (from->backend[a].weight != to->backend[b].weight)
			backend_change(w, '~', to, &to->backend[b]);
		a += order <= 0;
		b += order >= 0;
	}
}

static bool vip_same(const struct vip_config *a, const struct vip_config *b)
{
	size_t i;

	if (a->key_count != b->key_count || a->scheduler != b->scheduler || a->forward != b->forward ||
	    a->slots != b->slots || a->hash_source != b->hash_source || a->idle_ms != b->idle_ms ||
	    a->drain_timeout_ms != b->drain_timeout_ms)
		return false;
	for (i = 0; i < a->key_count; i++)
		if (endpoint_compare(&a->key[i], &b->key[i]))
			return false;
	return true;
}

static void vip_change(struct walk *w, char sign, const struct vip_config *vip)
{
	config_export_vip(vip, &w->line);
	change(w, sign, "vip", vip->name);
}

static void vips(struct walk *w, const struct config *from, const struct config *to)
{
	size_t a = 0, b = 0;
	int order;

	while (a < from->vip_count || b < to->vip_count) {
		order = a == from->vip_count ? 1 : b == to->vip_count ? -1 : strcmp(from->vip[a].name, to->vip[b].name);
		if (order < 0)
			vip_change(w, '-', &from->vip[a]);
		else if (order > 0)
			vip_change(w, '+', &to->vip[b]);
		else if (!vip_same(&from->vip[a], &to->vip[b]))
			vip_change(w, '~', &to->vip[b]);
		backends(w, order <= 0 ? &from->vip[a] : NULL, order >= 0 ? &to->vip[b] : NULL);
		a += order <= 0;
		b += order >= 0;
	}
}

size_t config_changes(const struct config *from, const struct config *to, config_change_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};

	singles(&w, from, to);
	ifaces(&w, from, to);
	vips(&w, from, to);
	buf_free(&w.line);
	return w.count;
}

static void change_print(void *arg, char sign, const char *object, const char *name, const char *line)
{
	(void)object;
	(void)name;
	buf_printf(arg, "%c %s\n", sign, line);
}

size_t config_diff(const struct config *from, const struct config *to, struct buf *out)
{
	return config_changes(from, to, change_print, out);
}
