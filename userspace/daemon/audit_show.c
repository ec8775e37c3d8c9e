// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Audit logs, read again: the own one as rows, checked line by line, and cut out for others; copies of others' as rows.
 * Not here: how it is written (audit.c), what copies are worth (core/audit_copy.h).
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/audit_copy.h"
#include "daemon/audit_state.h"

struct showing {
	struct signing signing;
	struct table *table;
	size_t lines, skipped; /* in all; of them, left out */
};

static void line_row(struct showing *s, const char *line, size_t len)
{
	char chain[AUDIT_STORE_BYTES];
	struct buf hash = BUF_INIT;
	struct audit_entry entry;
	struct audit_tail tail;
	size_t row = table_row(s->table);

	if (audit_entry_parse(line, len, &entry)) {
		table_set_text(s->table, row, FIELD_AUDIT_what, "(no line of a log: node audit verify)");
		return;
	}
	audit_entry_tail(&entry, line, len, &s->signing, &tail);
	audit_hash_format(tail.hash, &hash);
	table_set_u64(s->table, row, FIELD_AUDIT_entry, entry.sequence);
	table_set_time(s->table, row, FIELD_AUDIT_time, hlc_ms(entry.date));
	table_set_text(s->table, row, FIELD_AUDIT_by, entry.by);
	table_set_text(s->table, row, FIELD_AUDIT_what, entry.what);
	table_set_text(s->table, row, FIELD_AUDIT_chain, audit_store_format(entry.store, chain));
	table_set_text(s->table, row, FIELD_AUDIT_hash, buf_text(&hash));
	buf_free(&hash);
}

/* Heads are no rows. First they are counted: @table is NULL. */
static int line_show(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	struct showing *s = arg;
	struct audit_head head;

	(void)file;
	if (number == 1 && !audit_head_parse(line, len, &head))
		return 0;
	if (!s->table)
		s->lines++;
	else if (s->skipped)
		s->skipped--;
	else
		line_row(s, line, len);
	return 0;
}

int audit_show(struct audit *a, size_t limit, struct table *t, struct err *err)
{
	struct identity nobody = {0};
	struct showing s = {.signing = identity_signing(&nobody)};
	int rc;

	audit_flush(a);
	pthread_mutex_lock(&a->files);
	rc = audit_file_walk(a->dir, line_show, &s, err);
	s.table = t;
	s.skipped = s.lines > limit ? s.lines - limit : 0;
	if (!rc)
		rc = audit_file_walk(a->dir, line_show, &s, err);
	pthread_mutex_unlock(&a->files);
	return rc;
}

static int line_copy(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	(void)file;
	(void)number;
	audit_copy_add(arg, line, len);
	return 0;
}

void audit_copy_make(struct audit *a, struct buf *ret)
{
	struct audit_copy copy = {0};

	audit_flush(a);
	pthread_mutex_lock(&a->files);
	if (!audit_file_walk(a->dir, line_copy, &copy, NULL))
		audit_copy_take(&copy, ret);
	pthread_mutex_unlock(&a->files);
	audit_copy_free(&copy);
}

static void copy_walk(struct showing *s, const char *text, size_t len)
{
	const char *end, *all = text + len;

	for (; text < all && (end = memchr(text, '\n', (size_t)(all - text))); text = end + 1)
		line_show(s, NULL, 1, text, (size_t)(end - text)); /* each may be a head */
}

void audit_copy_show(const char *text, size_t len, size_t limit, struct table *t)
{
	struct identity nobody = {0};
	struct showing s = {.signing = identity_signing(&nobody)};

	copy_walk(&s, text, len);
	s.table = t;
	s.skipped = s.lines > limit ? s.lines - limit : 0;
	copy_walk(&s, text, len);
}

struct each {
	audit_each_fn *fn;
	void *arg;
};

static int line_each(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	const struct each *e = arg;
	struct audit_entry entry;

	(void)file;
	(void)number;
	if (!audit_entry_parse(line, len, &entry))
		e->fn(e->arg, hlc_ms(entry.date), entry.by, entry.what);
	return 0;
}

int audit_each(struct audit *a, audit_each_fn *fn, void *arg, struct err *err)
{
	struct each e = {fn, arg};
	int rc;

	pthread_mutex_lock(&a->files);
	rc = audit_file_walk(a->dir, line_each, &e, err);
	pthread_mutex_unlock(&a->files);
	return rc;
}

struct verifying {
	struct audit_walk walk;
	struct err *err;
};

static int line_verify(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	struct verifying *v = arg;
	struct audit_entry unused;
	int rc = audit_walk_line(&v->walk, line, len, &unused, v->err);

	return rc ? err_prefix(v->err, "%s line %u", file, number) : 0;
}

/* It begins at a beginning, unless old segments had to go; it ends where this node has ended it, and the node's own key
 * has signed the end. Under the lock of the files. */
static int end_verify(struct audit *a, const struct audit_walk *w, struct err *err)
{
	char chain[AUDIT_STORE_BYTES];
	struct roster_key key;

	pthread_mutex_lock(&a->lock);
	key = a->identity.key;
	pthread_mutex_unlock(&a->lock);
	if (audit_walk_lacks(w) && w->segments < AUDIT_SEGMENTS - 1)
		return err_set(err, EBADMSG,
			       "the beginning is missing: the first entry is %llu of chain %s, though %zu segments are "
			       "fewer than are kept",
			       (unsigned long long)w->begin.first, audit_store_format(w->begin.store, chain),
			       w->segments);
	if (!audit_tail_same(&w->at, &a->end))
		return err_set(err, EBADMSG,
			       "entry %llu is the last one in the files, and entry %llu the last one that was written",
			       (unsigned long long)w->at.sequence, (unsigned long long)a->end.sequence);
	if (memcmp(&w->head.key, &key, sizeof(key)) != 0)
		return err_set(err, EBADMSG, "entry %llu is not signed by this node's key",
			       (unsigned long long)w->at.sequence);
	return 0;
}

int audit_verify(struct audit *a, struct buf *says, struct err *err)
{
	struct identity nobody = {0};
	struct signing signing = identity_signing(&nobody);
	struct verifying v = {.walk = {.signing = &signing}, .err = err};
	char first[AUDIT_STORE_BYTES], chain[AUDIT_STORE_BYTES];
	int rc;

	audit_flush(a);
	pthread_mutex_lock(&a->files);
	rc = a->head.store ? audit_file_walk(a->dir, line_verify, &v, err)
			   : err_set(err, ENOENT, "there is no audit log yet");
	if (!rc)
		rc = end_verify(a, &v.walk, err);
	pthread_mutex_unlock(&a->files);
	if (rc)
		return rc;
	buf_printf(
		says,
		"%llu entries in %zu chain%s follow each other, from entry %llu of chain %s to entry %llu of chain %s, "
		"hash ",
		(unsigned long long)v.walk.entries, v.walk.chains, v.walk.chains == 1 ? "" : "s",
		(unsigned long long)v.walk.begin.first, audit_store_format(v.walk.begin.store, first),
		(unsigned long long)v.walk.at.sequence, audit_store_format(v.walk.at.store, chain));
	audit_hash_format(v.walk.at.hash, says);
	return buf_error(says);
}
