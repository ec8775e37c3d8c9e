// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Applying a configuration and keeping it. Not here: the plan and its steps (the plane).
 */
#include "daemon/apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/change_rows.h"
#include "core/config_file.h"
#include "daemon/health.h"
#include "daemon/load.h"
#include "daemon/pages.h"
#include "daemon/peers.h"
#include "daemon/stream.h"

#define APPLY_LOGGED_LINES 10 /* of those that a whole configuration changes; further ones are counted */

/* Lines that differ, for the one who asked and for the log. */
struct changes {
	struct table *table; /* NULL: not wanted */
	char *line[APPLY_LOGGED_LINES];
	size_t kept, count;
};

static void change_note(void *arg, char change, const char *object, const char *name, const char *line)
{
	struct changes *changes = arg;

	changes->count++;
	if (changes->kept < APPLY_LOGGED_LINES && asprintf(&changes->line[changes->kept], "%c %s", change, line) >= 0)
		changes->kept++;
	if (changes->table)
		change_row(changes->table, change, object, name, line);
}

/* A whole configuration undoes what commands did since the last one: not without a word. */
static void changes_log(const struct changes *changes, __u32 before)
{
	for (size_t i = 0; i < changes->kept; i++)
		log_notice("config: %s", changes->line[i]);
	if (changes->count > changes->kept)
		log_notice("config: and %zu lines more", changes->count - changes->kept);
	log_notice("config: `starling config rollback %u` takes this back", before);
}

static void changes_free(struct changes *changes)
{
	while (changes->kept)
		free(changes->line[--changes->kept]);
}

/* What the last generation says; NULL if it cannot be had. */
static struct config *last_parse(const struct daemon *d, const struct generation *last)
{
	struct err_list errors = {0};
	struct config *config = NULL;
	struct err err = {0};
	char *text = NULL;
	size_t len = 0;

	if (!history_text(d->history, last->number, &text, &len, &err))
		load_parse_agreed(text, len, "", &d->limits, &config, &errors);
	err_list_free(&errors);
	free(text);
	return config;
}

/* The node's name is in paths, so it cannot change under a running daemon. */
static int node_check(const struct daemon *d, const struct config *wanted, struct err *err)
{
	if (!wanted->node_name[0] || !strcmp(wanted->node_name, d->node))
		return 0;
	return err_set(err, EINVAL,
		       "this daemon runs as node %s, and the configuration names %s: restart it to rename it", d->node,
		       wanted->node_name);
}

/* Whether @text is what the last generation holds. */
static bool generation_same(const struct daemon *d, const struct buf *text)
{
	const struct generation *last = history_last(d->history);
	char digest[HISTORY_DIGEST_BYTES];

	history_digest(buf_text(text), text->len, digest);
	return last && !strcmp(last->digest, digest);
}

/* It runs already: what is left is to remember and to tell. What cannot be kept now is tried again with the next. */
static void generation_keep(struct daemon *d, const struct apply_how *how, const struct buf *text, size_t changes,
			    struct err *ret_unkept)
{
	const struct generation *last = history_last(d->history);
	__u32 before = last ? last->number : 0;
	char was[16], is[16];
	struct err err = {0};

	/* What is agreed is on the disk already (agree_stage()), and own lines are those of an earlier generation. */
	d->unkept =
		history_add(d->history, how->by, how->command, changes, buf_text(text), text->len, !how->agreed, &err);
	if (d->unkept) {
		d->store_errors++;
		log_error("config: \"%s\" by %s runs, but a start without -f would not know it: %s", how->command,
			  how->by, err.text);
		err_set(ret_unkept, EIO, "it runs, but is not kept for a start without -f: %s", err.text);
		return;
	}
	last = history_last(d->history);
	log_notice("config: generation %u -> %u: %s by=\"%s\" changes=%zu", before, last->number, last->command,
		   how->by, changes);
	snprintf(was, sizeof(was), "%u", before);
	snprintf(is, sizeof(is), "%u", last->number);
	stream_event(
		d, &(struct plane_event){
			   .kind = "config", .object = "generation", .before = was, .after = is, .why = last->command});
}

static void exchange_run(struct plane *p, void *arg)
{
	if (p)
		peers_exchange(arg, p);
}

static void settings_apply(struct daemon *d, struct plane *p, const struct config *c, int http_fd)
{
	log_level_set(d->options.debug ? LOG_DEBUG : c->log_level);
	pages_listen(d, &c->listen_http, http_fd);
	health_configure(d->health, p);
	peers_configure(d->peers, c);
	/* Ten thousands of loads take their time: whoever waits for this change is answered first. */
	if (plane_post(p, PLANE_NORMAL, exchange_run, d->peers))
		peers_exchange(d->peers, p);
}

/* Everything that can fail, and the change itself: all or nothing. */
static int change_run(struct daemon *d, struct plane *p, struct config *wanted, const struct apply_how *how,
		      struct table *ret_table, struct plane_change *ret, struct err *err)
{
	/* At a start traffic counts more than metrics: there a failure is told, and tried again. */
	int fd = -1, rc = d->applied_ms ? pages_reserve(d, plane_config(p), wanted, &fd, err) : 0;

	if (!rc)
		rc = plane_apply(p, wanted, how->dry_run, ret, err);
	if (!rc && how->dry_run && ret_table)
		rc = plane_show_effects(p, wanted, ret_table, err);
	if (!rc && !how->dry_run)
		settings_apply(d, p, plane_config(p), fd);
	else if (fd >= 0)
		close(fd);
	return rc;
}

void apply_refused(struct daemon *d)
{
	d->reload_ok = false;
	d->reload_failures++;
}

/*
 * Finds what differs from what runs, or at a start from what ran last. @text: of @wanted; empty if that is the same, or
 * is not to be kept.
 */
static int changes_find(const struct daemon *d, const struct plane *p, const struct config *wanted,
			const struct apply_how *how, struct changes *changes, struct buf *text, bool *ret_same)
{
	const struct generation *last = history_last(d->history);
	struct config *before = NULL;

	if (d->applied_ms) {
		config_changes(plane_config(p), wanted, change_note, changes);
		*ret_same = !changes->count && last && !d->unkept; /* it runs: no need to write it out to know */
		if (*ret_same || how->dry_run)
			return 0;
	}
	if (how->shared) {
		config_export_own(wanted, text);
		buf_add(text, how->shared->text, how->shared->len);
	} else {
		config_export(wanted, text);
	}
	*ret_same = !buf_error(text) && generation_same(d, text);
	if (!d->applied_ms && !*ret_same) {
		before = last ? last_parse(d, last) : NULL;
		config_changes(before ? before : plane_config(p), wanted, change_note, changes);
		config_free(before);
	}
	return buf_error(text);
}

static int config_run(struct daemon *d, struct plane *p, struct config *wanted, const struct apply_how *how,
		      struct table *ret_table, struct apply_result *ret, struct err *err)
{
	const struct generation *last = history_last(d->history);
	__u32 before = last ? last->number : 0;
	struct changes changes = {.table = ret_table};
	struct buf text = BUF_INIT;
	bool same;
	int rc = changes_find(d, p, wanted, how, &changes, &text, &same);

	if (rc)
		err_set(err, ENOMEM, "no memory for the configuration");
	ret->changes = changes.count;
	if (!how->dry_run)
		plane_generation(p, before + !same);
	if (!rc)
		rc = change_run(d, p, wanted, how, ret_table, &ret->change, err);
	daemon_notes(d);
	if (!rc && !how->dry_run) {
		if (!same)
			generation_keep(d, how, &text, ret->changes, &ret->unkept);
		if (how->whole && !how->agreed && before && changes.count)
			changes_log(&changes, before);
		d->reload_ok |= how->whole;
		d->reloads += how->whole;
		d->applied_ms = wall_ms();
	}
	changes_free(&changes);
	buf_free(&text);
	return rc;
}

int apply_config(struct daemon *d, struct plane *p, struct config *wanted, const struct apply_how *how,
		 struct table *ret_table, struct apply_result *ret, struct err *err)
{
	struct apply_result result = {0};
	const struct generation *last;
	int rc;

	rc = node_check(d, wanted, err);
	if (!rc && !how->whole) /* a whole one was checked when it was read, off this thread */
		rc = config_check(wanted, &d->limits, err);
	if (!rc && how->careful)
		rc = plane_unserved_check(p, wanted, err);
	if (!rc)
		rc = config_run(d, p, wanted, how, ret_table, &result, err);
	if (rc || how->dry_run)
		config_free(wanted);
	last = history_last(d->history);
	result.generation = last ? last->number : 0;
	if (!rc && ret)
		*ret = result;
	return rc;
}
