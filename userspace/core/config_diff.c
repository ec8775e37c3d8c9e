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
	const struct vip_config *vip; /* whose backends are walked */
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

/* '+', '-' or '~' for one object; 0 if nothing changed. */
static char sign_of(bool before, bool after, bool same)
{
	if (before != after)
		return after ? '+' : '-';
	return after && !same ? '~' : '\0';
}

static void singles(struct walk *w, const struct config *from, const struct config *to)
{
	bool same = !strcmp(from->node_name, to->node_name) && !strcmp(from->node_device, to->node_device) &&
		    !strcmp(from->node_site, to->node_site) && !strcmp(from->node_region, to->node_region) &&
		    !endpoint_compare(&from->node_address, &to->node_address) &&
		    from->node_beacons == to->node_beacons && from->node_admission == to->node_admission &&
		    from->node_topology == to->node_topology && from->node_urgent == to->node_urgent &&
		    from->node_exec == to->node_exec && from->node_hooks == to->node_hooks &&
		    from->node_peer_count == to->node_peer_count &&
		    !memcmp(from->node_peers, to->node_peers, sizeof(from->node_peers));
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

/* Sorted objects of one kind. */
struct side {
	const void *object;
	size_t count;
};

/* Every object that is on one side or on both, in order; @each gets NULL for the one that is missing. */
static void merge(struct walk *w, struct side from, struct side to, size_t size,
		  int (*order)(const void *left, const void *right),
		  void (*each)(struct walk *w, const void *from, const void *to))
{
	size_t i = 0, j = 0;

	while (i < from.count || j < to.count) {
		const void *a = i < from.count ? (const char *)from.object + i * size : NULL;
		const void *b = j < to.count ? (const char *)to.object + j * size : NULL;
		int is = !a ? 1 : !b ? -1 : order(a, b);

		each(w, is <= 0 ? a : NULL, is >= 0 ? b : NULL);
		i += is <= 0;
		j += is >= 0;
	}
}

static int iface_order(const void *left, const void *right)
{
	const struct iface_config *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void iface_each(struct walk *w, const void *from, const void *to)
{
	const struct iface_config *a = from, *b = to;
	char sign = sign_of(a, b, a && b && a->mode == b->mode);

	if (!sign)
		return;
	config_export_iface(b ? b : a, &w->line);
	change(w, sign, "iface", (b ? b : a)->name);
}

static int roster_order(const void *left, const void *right)
{
	const struct roster_node *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void roster_each(struct walk *w, const void *from, const void *to)
{
	const struct roster_node *a = from, *b = to;
	char sign = sign_of(a, b,
			    a && b && !memcmp(&a->key, &b->key, sizeof(a->key)) && !strcmp(a->site, b->site) &&
				    a->roles == b->roles && a->stake == b->stake);

	if (!sign)
		return;
	config_export_roster(b ? b : a, &w->line);
	change(w, sign, "roster", (b ? b : a)->name);
}

static int backend_order(const void *left, const void *right)
{
	const struct backend_config *a = left, *b = right;

	return endpoint_compare(&a->at, &b->at);
}

static bool backend_same(const struct backend_config *a, const struct backend_config *b)
{
	return a->weight == b->weight && a->tier == b->tier && a->maxconn == b->maxconn;
}

/* The sorry backend has no line. */
static const struct backend_config *lined(const struct backend_config *b)
{
	return b && b->tier != STARLING_TIER_SORRY ? b : NULL;
}

static bool sorry_same(const struct vip_config *a, const struct vip_config *b)
{
	const struct backend_config *x = vip_sorry(a), *y = vip_sorry(b);

	return x && y ? !endpoint_compare(&x->at, &y->at) : x == y;
}

static void backend_each(struct walk *w, const void *from, const void *to)
{
	char name[STARLING_NAME_BYTES + ENDPOINT_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES];
	const struct backend_config *a = lined(from), *b = lined(to);
	char sign = sign_of(a, b, a && b && backend_same(a, b));

	if (!sign)
		return;
	snprintf(name, sizeof(name), "%s %s", w->vip->name, endpoint_format(&(b ? b : a)->at, at));
	config_export_backend(w->vip, b ? b : a, &w->line);
	change(w, sign, "backend", name);
}

static bool vip_same(const struct vip_config *a, const struct vip_config *b)
{
	size_t i;

	if (a->key_count != b->key_count || a->scheduler != b->scheduler || a->forward != b->forward ||
	    a->slots != b->slots || a->hash_source != b->hash_source || a->idle_ms != b->idle_ms ||
	    a->slow_start_ms != b->slow_start_ms || a->slow_start_exponential != b->slow_start_exponential ||
	    a->recovery != b->recovery || a->passive != b->passive || a->dead != b->dead || a->damp_ms != b->damp_ms ||
	    a->panic_percent != b->panic_percent || a->eject_percent != b->eject_percent ||
	    a->drain_timeout_ms != b->drain_timeout_ms || strcmp(a->restart, b->restart) || !sorry_same(a, b))
		return false;
	for (i = 0; i < a->key_count; i++)
		if (endpoint_compare(&a->key[i], &b->key[i]))
			return false;
	return true;
}

bool config_vip_same(const struct vip_config *a, const struct vip_config *b)
{
	if (!vip_same(a, b) || a->backend_count != b->backend_count || !check_config_same(a->check, b->check))
		return false;
	for (size_t i = 0; i < a->backend_count; i++)
		if (endpoint_compare(&a->backend[i].at, &b->backend[i].at) ||
		    !backend_same(&a->backend[i], &b->backend[i]))
			return false;
	return true;
}

/* @a, @b: the VIP on either side; NULL if it is not there. */
static void health_each(struct walk *w, const struct vip_config *a, const struct vip_config *b)
{
	const struct check_config *from = a ? a->check : NULL, *to = b ? b->check : NULL;
	char sign = sign_of(from, to, check_config_same(from, to));

	if (!sign)
		return;
	config_export_health(to ? b : a, &w->line);
	change(w, sign, "health", w->vip->name);
}

static int vip_order(const void *left, const void *right)
{
	const struct vip_config *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void vip_each(struct walk *w, const void *from, const void *to)
{
	const struct vip_config *a = from, *b = to;
	char sign = sign_of(a, b, a && b && vip_same(a, b));

	w->vip = b ? b : a;
	if (sign) {
		config_export_vip(w->vip, &w->line);
		change(w, sign, "vip", w->vip->name);
	}
	health_each(w, a, b);
	merge(w, (struct side){a ? a->backend : NULL, a ? a->backend_count : 0},
	      (struct side){b ? b->backend : NULL, b ? b->backend_count : 0}, sizeof(struct backend_config),
	      backend_order, backend_each);
}

size_t config_changes(const struct config *from, const struct config *to, config_change_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};

	singles(&w, from, to);
	merge(&w, (struct side){from->iface, from->iface_count}, (struct side){to->iface, to->iface_count},
	      sizeof(*from->iface), iface_order, iface_each);
	merge(&w, (struct side){from->roster.node, from->roster.count},
	      (struct side){to->roster.node, to->roster.count}, sizeof(*from->roster.node), roster_order, roster_each);
	merge(&w, (struct side){from->vip, from->vip_count}, (struct side){to->vip, to->vip_count}, sizeof(*from->vip),
	      vip_order, vip_each);
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
