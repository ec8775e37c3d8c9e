// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What nodes hold of each other's audit logs, and the file that keeps it. Not here: the own log (audit.c), how pages
 * travel (peers_audit.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/audit_state.h"
#include "daemon/stream.h"
#include "io/state_file.h"

#define HELD_FILE "audit.held"

/* --- on disk --- */

void audit_others_load(struct audit *a)
{
	char path[PATH_MAX], *text = NULL;
	struct err err = {0};
	size_t len = 0;
	int rc = daemon_path(path, a->d->state_dir, HELD_FILE, &err);

	if (!rc)
		rc = state_file_read(path, &text, &len, &err);
	if (!rc && audit_memory_read(&a->memory, text))
		rc = err_set(&err, EBADMSG, "some lines of %s are not read", path);
	free(text);
	if (rc && rc != -ENOENT)
		log_warning("audit: what is held of others' logs is not known: %s", err.text);
}

/* What did not go to the disk is tried again, and said once. */
static void kept(struct audit *a, int rc, const struct err *err)
{
	bool before;

	pthread_mutex_lock(&a->lock);
	before = a->memory_unkept;
	a->memory_unkept = rc != 0;
	a->memory_changed |= rc != 0;
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		return;
	a->d->store_errors++;
	if (!before)
		log_error("audit: what is held of others' logs is not kept: %s", err->text);
}

int audit_keep(struct audit *a, struct err *err)
{
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	int rc = daemon_path(path, a->d->state_dir, HELD_FILE, err);

	pthread_mutex_lock(&a->files); /* one at a time: the later one has the later memory */
	pthread_mutex_lock(&a->lock);
	a->memory_changed = false;
	audit_memory_write(&a->memory, &out);
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		rc = buf_error(&out) ? err_set(err, ENOMEM, "no memory for %s", path)
				     : state_file_write_secret(path, buf_text(&out), out.len, err);
	kept(a, rc, err);
	pthread_mutex_unlock(&a->files);
	buf_free(&out);
	return rc;
}

static void on_keep(void *arg)
{
	struct err err = {0};

	audit_keep(arg, &err);
}

void audit_tick(struct audit *a)
{
	struct mono now = mono_now();

	pthread_mutex_lock(&a->lock);
	if (a->memory_changed && (a->memory_noticed || mono_ms(a->memory_posted, now) >= AUDIT_KEEP_MS) &&
	    !workers_post(a->worker, on_keep, a)) {
		a->memory_posted = now;
		a->memory_noticed = false;
	}
	pthread_mutex_unlock(&a->lock);
}

/* --- the own log --- */

void audit_heard_own(struct audit *a, const struct page *page)
{
	struct audit_told told;

	if (audit_told_decode(page, &told))
		return;
	pthread_mutex_lock(&a->lock);
	if (!a->settled && !a->settling &&
	    (!a->heard.tail.sequence || page_version_compare(&page->version, &a->heard_version) > 0)) {
		a->heard = told;
		a->heard_version = page->version;
	}
	pthread_mutex_unlock(&a->lock);
}

bool audit_tell(struct audit *a, struct audit_told *ret)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->settled && a->own.tail.sequence;
	if (is)
		*ret = a->own;
	pthread_mutex_unlock(&a->lock);
	return is;
}

/* --- others' logs --- */

static void noticed_tell(struct audit *a, const char *name, enum audit_state before, const struct audit_held *held)
{
	const char *is = audit_state_word(held->state), *was = audit_state_word(before);
	char store[AUDIT_STORE_BYTES], why[96];

	snprintf(why, sizeof(why), "entry %llu of chain %s was held", (unsigned long long)held->lost.sequence,
		 audit_store_format(held->lost.store, store));
	log_warning("audit: the log of node %s is %s: %s kind=audit object=%s before=%s after=%s", name, is, why, name,
		    was, is);
	stream_event(a->d, &(struct plane_event){"member", name, was, is, "its audit log"});
	audit_note(a, NULL, "the audit log of %s is %s: %s", name, is, why);
}

void audit_hear(struct audit *a, const struct page *page, const char *name, const struct roster *roster)
{
	enum audit_state before = AUDIT_WHOLE, noticed;
	struct audit_held *held, copy = {0};
	int rc;

	pthread_mutex_lock(&a->lock);
	held = audit_memory_find(&a->memory, page->origin);
	if (held)
		before = held->state;
	rc = audit_memory_hear(&a->memory, page, wall_ms(), &noticed);
	if (rc == -ENOSPC) {
		audit_memory_trim(&a->memory, roster);
		rc = audit_memory_hear(&a->memory, page, wall_ms(), &noticed);
	}
	a->memory_changed |= rc > 0;
	a->memory_noticed |= rc > 0 && noticed != AUDIT_WHOLE;
	held = audit_memory_find(&a->memory, page->origin);
	if (held)
		copy = *held;
	pthread_mutex_unlock(&a->lock);
	if (rc > 0 && noticed != AUDIT_WHOLE)
		noticed_tell(a, name, before, &copy);
}

__u64 audit_pages(struct audit *a, __u64 from, size_t most, void (*fn)(void *arg, const void *page, size_t len),
		  void *arg)
{
	__u64 next = AUDIT_PAGES_ALL;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->memory.count && next == AUDIT_PAGES_ALL; i++) {
		const struct audit_held *held = &a->memory.held[i];

		if (held->node < from)
			continue;
		if (!most--)
			next = held->node;
		else
			fn(arg, held->page, held->len);
	}
	pthread_mutex_unlock(&a->lock);
	return next;
}

int audit_look(struct audit *a, __u64 node, bool self, struct audit_held *ret)
{
	const struct audit_held *held;
	int rc = -ENOENT;

	pthread_mutex_lock(&a->lock);
	held = self ? NULL : audit_memory_find(&a->memory, node);
	if (self && a->own.tail.sequence) {
		*ret = a->memory.own;
		ret->node = node;
		ret->told = a->own;
		rc = 0;
	} else if (held) {
		*ret = *held;
		ret->page = NULL;
		rc = 0;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int audit_accept(struct audit *a, __u64 node, bool self, const char *name, bool dry_run, struct err *err)
{
	struct audit_held *held;
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	held = self ? &a->memory.own : audit_memory_find(&a->memory, node);
	if (!held)
		rc = err_set(err, ENOENT, "nothing is held of the audit log of node %s", name);
	else if (held->state == AUDIT_WHOLE)
		rc = err_set(err, EALREADY, "nothing is wrong with the audit log of node %s", name);
	else if (!dry_run)
		audit_memory_accept(held);
	pthread_mutex_unlock(&a->lock);
	return rc || dry_run ? rc : audit_keep(a, err);
}
