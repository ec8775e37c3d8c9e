// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The wiring of starlingd.
 *
 * The loop's thread has the sockets, signals and next hops; the plane's thread has the tables;
 * the loop's workers parse what clients send; the scribe writes long answers; the HTTP server has
 * a thread of its own, and so have the prober and the audit log. They meet in loop_post(), plane_post() and
 * workers_post() only. Not here: what is done in each.
 */
#include "daemon/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/request.h"
#include "daemon/agree.h"
#include "daemon/apply.h"
#include "daemon/audit.h"
#include "daemon/health.h"
#include "daemon/load.h"
#include "daemon/pages.h"
#include "daemon/peers.h"
#include "daemon/stream.h"
#include "daemon/task.h"
#include "daemon/watchdog.h"
#include "io/notify.h"
#include "version.h"

struct wire {
	struct daemon *d;
	struct config *first; /* to be applied first; the plane's thread's */
	const char *source;   /* of it, for the history; static or argv's */
	uv_signal_t term, intr, hup;
	bool started;
};

int daemon_path(char path[PATH_MAX], const char *dir, const char *name, struct err *err)
{
	if (strlen(dir) + strlen(name) + 2 > PATH_MAX)
		return err_set(err, ENAMETOOLONG, "%s/%s is too long for a path", dir, name);
	stpcpy(stpcpy(stpcpy(path, dir), "/"), name);
	return 0;
}

void daemon_by(const struct daemon *d, const char *user, char by[HISTORY_BY_BYTES])
{
	snprintf(by, HISTORY_BY_BYTES, "%s@%s", user, d->node);
}

/* --- next hops: plane -> loop -> routes -> loop -> plane --- */

struct watch {
	struct daemon *d;
	struct addr addr;
	bool add;
};

static void on_route(void *arg, const struct addr *to, const struct nexthop *nexthop);

/* A witness sends nothing, so every backend can be reached: its homes are those of a balancer that reaches all. */
static const struct nexthop witness_nexthop = {.resolved = true, .ifindex = 1, .mtu = 1500};

static void on_watch(void *arg)
{
	struct watch *w = arg;

	if (w->d->options.no_dataplane && w->add)
		on_route(w->d, &w->addr, &witness_nexthop);
	else if (w->d->options.no_dataplane)
		;
	else if (w->d->routes && w->add && routes_add(w->d->routes, &w->addr))
		log_error("routes: no memory to follow another backend");
	else if (w->d->routes && !w->add)
		routes_delete(w->d->routes, &w->addr);
	free(w);
}

static void hook_watch(void *arg, const struct addr *addr, bool add)
{
	struct daemon *d = arg;
	struct watch *w = malloc(sizeof(*w));

	if (!w)
		return;
	*w = (struct watch){.d = d, .addr = *addr, .add = add};
	if (loop_post(d->loop, on_watch, w))
		free(w);
}

struct resolved {
	struct addr to;
	struct nexthop nexthop;
};

static void nexthop_set(struct plane *p, void *arg)
{
	struct resolved *r = arg;

	if (p)
		plane_nexthop(p, &r->to, &r->nexthop);
	free(r);
}

static void on_route(void *arg, const struct addr *to, const struct nexthop *nexthop)
{
	struct daemon *d = arg;
	struct resolved *r = malloc(sizeof(*r));

	if (!r)
		return;
	*r = (struct resolved){.to = *to, .nexthop = *nexthop};
	if (!d->plane || plane_post(d->plane, PLANE_URGENT, nexthop_set, r))
		free(r);
}

/* --- what the plane tells --- */

static void hook_event(void *arg, const struct plane_event *event)
{
	const char *before = event->before ? event->before : "none", *after = event->after ? event->after : "none";

	log_notice("%s %s: %s -> %s%s%s kind=%s object=\"%s\" before=%s after=%s", event->kind, event->object, before,
		   after, event->why && event->why[0] ? ": " : "", event->why ? event->why : "", event->kind,
		   event->object, before, after);
	stream_event(arg, event);
}

void daemon_notes(const struct daemon *d)
{
	const char *note;

	while ((note = dataplane_note(d->dp)))
		log_notice("dataplane: %s", note);
}

static void hook_ticked(void *arg, struct plane *p)
{
	struct daemon *d = arg;

	daemon_notes(d);
	plane_checks(p);
	health_restart_tick(d->health, p);
	peers_exchange(d->peers, p);
	agree_tick(d->agree); /* deadlines pass for who is alone, too */
}

static void hook_overridden(void *arg, const struct override *all, size_t count)
{
	struct daemon *d = arg;

	overrides_store(d, all, count);
	peers_asides(d->peers, all, count);
}

/* --- start: the first configuration --- */

static void note_history(const char *sentence)
{
	log_error("config: %s", sentence);
}

/* The last configuration that ran; none on a first start. */
static int last_load(struct wire *w, struct err *err)
{
	struct daemon *d = w->d;
	const struct generation *last = history_last(d->history);
	struct err_list errors = {0};
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!last && dataplane_adopted(d->dp)) {
		__u32 entries, i, count = 0;
		const struct key_entry *e = dataplane_keys(d->dp, &entries);

		for (i = 0; i < entries; i++)
			count += e[i].word > KEY_GONE && e[i].key.proto;
		if (count)
			return err_set(
				err, ENOENT,
				"the data plane serves %u addresses, but no configuration is known for it: start "
				"with -f FILE, or with --remove to give it up",
				count);
	}
	if (!last) {
		w->first = config_new();
		return w->first ? 0 : err_set(err, ENOMEM, "no memory for a configuration");
	}
	rc = history_text(d->history, last->number, &text, &len, err);
	if (rc)
		return rc;
	rc = load_parse_agreed(text, len, "the last configuration", &d->limits, &w->first, &errors);
	free(text);
	if (rc)
		*err = errors.count ? errors.err[0] : (struct err){.code = -rc};
	err_list_free(&errors);
	return rc;
}

static int history_start(struct wire *w, struct err *err)
{
	char path[PATH_MAX];
	int rc = daemon_path(path, w->d->state_dir, "history", err);

	if (!rc)
		rc = history_open(path, note_history, &w->d->history, err);
	if (!rc && !w->first)
		rc = last_load(w, err);
	return rc;
}

static void overrides_restore(struct daemon *d, struct plane *p)
{
	struct override *all = NULL;
	struct err err = {0};
	size_t count = 0;

	if (overrides_read(d, &all, &count, &err))
		log_error("overrides are lost: %s", err.text);
	else if (plane_overrides_load(p, all, count))
		log_error("overrides are lost: no memory");
	else
		d->overrides = count;
	peers_asides(d->peers, all, d->overrides);
	free(all);
}

static void on_started(void *arg);
static void on_start_failed(void *arg);

static void first_apply(struct plane *p, void *arg)
{
	struct wire *w = arg;
	struct daemon *d = w->d;
	struct apply_how how = {.command = w->source, .whole = true};
	struct config *first = w->first;
	char by[HISTORY_BY_BYTES];
	struct err err = {0};
	const struct generation *last;

	if (!p)
		return;
	w->first = NULL;
	daemon_by(d, "starlingd", by);
	how.by = by;
	overrides_restore(d, p);
	if (agree_own(d->agree, p, &first))
		log_error("config: no memory for what is agreed");
	if (apply_config(d, p, first, &how, NULL, NULL, &err)) {
		log_error("config: %s is not applied: %s", w->source, err.text);
		loop_post(d->loop, on_start_failed, w);
		return;
	}
	last = history_last(d->history);
	audit_note(d->audit, NULL, "runs %s, generation %u", w->source, last ? last->number : 0);
	loop_post(d->loop, on_started, w);
}

static int sockets_open(struct daemon *d, struct err *err)
{
	struct control_hooks hooks = {.arg = d, .request = task_request, .stream_end = stream_end};
	struct control_options options = {.mode = 0660, .request_bytes = STARLING_REQUEST_BYTES};
	char path[PATH_MAX];
	int rc;

	options.path = path;
	rc = daemon_path(path, d->run_dir, "control.sock", err);
	if (!rc)
		rc = control_open(d->loop, &options, &hooks, &d->control[SOCKET_CONTROL], err);
	options.read_only = true;
	options.request_bytes = DAEMON_READ_ONLY_REQUEST_BYTES;
	if (!rc)
		rc = daemon_path(path, d->run_dir, "read.sock", err);
	if (!rc)
		rc = control_open(d->loop, &options, &hooks, &d->control[SOCKET_READ], err);
	return rc;
}

static void on_start_failed(void *arg)
{
	struct wire *w = arg;

	w->d->status = 1;
	loop_stop(w->d->loop);
}

static void on_started(void *arg)
{
	struct wire *w = arg;
	struct err err = {0};

	if (w->d->stopping)
		return;
	if (sockets_open(w->d, &err)) {
		log_error("%s", err.text);
		on_start_failed(w);
		return;
	}
	w->started = true;
	notify_send("READY=1\nSTATUS=steering");
	log_notice("started: node=%s version=%s source=\"%s\" run_dir=%s", w->d->node, STARLING_VERSION, w->source,
		   w->d->run_dir);
}

/* --- signals --- */

static void on_stop(uv_signal_t *signal, int number)
{
	struct wire *w = signal->data;

	log_notice("stopping: signal %d; traffic goes on node=%s", number, w->d->node);
	loop_stop(w->d->loop);
}

static void on_reload(uv_signal_t *signal, int number)
{
	struct wire *w = signal->data;

	(void)number;
	if (!w->started)
		return;
	if (!w->d->options.file) {
		log_warning("SIGHUP: there is no file to read again: starlingd was started without -f");
		return;
	}
	task_reload(w->d);
}

static void signals_start(struct wire *w)
{
	uv_loop_t *uv = loop_uv(w->d->loop);

	uv_signal_init(uv, &w->term);
	uv_signal_init(uv, &w->intr);
	uv_signal_init(uv, &w->hup);
	w->term.data = w->intr.data = w->hup.data = w;
	uv_signal_start(&w->term, on_stop, SIGTERM);
	uv_signal_start(&w->intr, on_stop, SIGINT);
	uv_signal_start(&w->hup, on_reload, SIGHUP);
}

static void signals_stop(struct wire *w)
{
	uv_close((uv_handle_t *)&w->term, NULL);
	uv_close((uv_handle_t *)&w->intr, NULL);
	uv_close((uv_handle_t *)&w->hup, NULL);
}

/* --- together --- */

static int parts_open(struct wire *w, struct err *err)
{
	struct daemon *d = w->d;
	struct plane_hooks hooks = {.arg = d,
				    .watch = hook_watch,
				    .event = hook_event,
				    .overridden = hook_overridden,
				    .ticked = hook_ticked,
				    .checked = health_checked,
				    .suspected = health_suspected,
				    .check = health_words};
	int rc = routes_open(d->loop, on_route, d, &d->routes, err);

	if (!rc)
		rc = streams_open(d, &d->streams, err);
	if (!rc)
		rc = audit_open(d, &d->audit, err);
	if (!rc)
		rc = peers_open(d, &d->peers, err);
	if (!rc)
		rc = agree_open(d, &d->agree, err);
	if (!rc)
		rc = pages_open(d, &d->pages, err);
	if (!rc)
		rc = watchdog_open(d, &d->watchdog, err);
	if (!rc)
		rc = workers_open("scribe", 1, &d->scribe, err);
	if (!rc)
		rc = health_open(d, &d->health, err);
	if (!rc)
		rc = plane_start(d->dp, &hooks, &d->plane, err);
	if (!rc && plane_post(d->plane, PLANE_NORMAL, first_apply, w))
		rc = err_set(err, ENOMEM, "no memory for the first configuration");
	return rc;
}

/* In the order in which parts call each other; traffic flows on all the time. */
static void parts_close(struct wire *w)
{
	struct daemon *d = w->d;
	struct pages *pages = d->pages;
	struct peers *peers = d->peers;
	struct plane *p;
	size_t i;

	d->stopping = true;
	notify_send("STOPPING=1");
	d->pages = NULL;
	pages_close(pages);
	for (i = 0; i < SOCKET_COUNT; i++) {
		control_close(d->control[i]);
		d->control[i] = NULL;
	}
	agree_stop(d->agree);
	audit_stop(d->audit);
	health_stop(d->health);
	p = d->plane;
	d->plane = NULL;
	plane_stop(p);
	health_close(d->health);
	d->health = NULL;
	workers_close(d->scribe);
	d->scribe = NULL;
	d->peers = NULL;
	peers_close(peers);
	streams_stop(d->streams);
	watchdog_stop(d->watchdog);
	routes_close(d->routes);
	d->routes = NULL;
}

void wire_run(struct daemon *d, struct config *config)
{
	struct wire w = {.d = d, .first = config, .source = config ? d->options.file : "the last configuration"};
	struct err err = {0};
	int rc = loop_open(&d->loop, &err);

	if (!rc) {
		signals_start(&w);
		rc = history_start(&w, &err);
		if (!rc)
			rc = parts_open(&w, &err);
		if (!rc)
			loop_run(d->loop);
		parts_close(&w);
		signals_stop(&w);
		loop_close(d->loop);
	}
	if (rc) {
		log_error("%s", err.text);
		d->status = 1;
	}
	agree_close(d->agree);
	audit_close(d->audit);
	streams_close(d->streams);
	watchdog_close(d->watchdog);
	history_close(d->history);
	config_free(w.first);
}
