// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines from all threads to the file, by one; chains that begin and go on. Not here: what others hold
 * (audit_others.c), rows (audit_show.c).
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "daemon/audit_state.h"
#include "version.h"

#define AUDIT_DIR    "audit"
#define APPEND_BYTES 65536 /* that are written at once: a segment is longer than it should be by no more */

/* --- what waits --- */

static void on_flush(void *arg)
{
	audit_flush(arg);
}

/* Under the lock. */
static void flush_post(struct audit *a)
{
	if (!a->posted)
		a->posted = !workers_post(a->worker, on_flush, a);
}

static void note_add(struct audit *a, struct audit_note *note)
{
	pthread_mutex_lock(&a->lock);
	if (note && a->notes < AUDIT_NOTES) {
		*a->last = note;
		a->last = &note->next;
		a->notes++;
		note = NULL;
	} else {
		a->missing++;
	}
	flush_post(a);
	pthread_mutex_unlock(&a->lock);
	free(note);
}

void audit_note(struct audit *a, const char *by, const char *fmt, ...)
{
	struct audit_note *note = calloc(1, sizeof(*note));
	struct buf text = BUF_INIT;
	char self[HISTORY_BY_BYTES];
	va_list ap;

	daemon_by(a->d, "starlingd", self);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (note) {
		utf8_cut(note->by, sizeof(note->by), by ? by : self);
		utf8_cut(note->what, sizeof(note->what), buf_text(&text));
	}
	buf_free(&text);
	note_add(a, note);
}

/* --- the file, under its lock --- */

/* Where a log that is found goes on. Return: 0, or -EBADMSG. */
static int end_find(struct audit *a, const struct signing *signing)
{
	const char *head = audit_file_head(a->file), *last = audit_file_last(a->file);
	struct audit_entry entry;

	if (!*head)
		return 0;
	if (audit_head_parse(head, strlen(head), &a->head))
		return -EBADMSG;
	if (!strcmp(head, last)) {
		a->end = (struct audit_tail){.store = a->head.store, .sequence = a->head.first - 1};
		memcpy(a->end.hash, a->head.previous, HASH_BYTES);
		return 0;
	}
	if (audit_entry_parse(last, strlen(last), &entry) || entry.store != a->head.store ||
	    !audit_entry_verify(last, strlen(last), &a->head.key, signing))
		return -EBADMSG;
	audit_entry_tail(&entry, last, strlen(last), signing, &a->end);
	a->hlc.last = entry.date;
	return 0;
}

/* What the disk has may be told. */
static void own_set(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	a->own = (struct audit_told){a->end, a->head.quote};
	pthread_mutex_unlock(&a->lock);
}

static int file_ready(struct audit *a, const struct signing *signing, struct err *err)
{
	int rc = a->file ? 0 : audit_file_open(a->dir, &a->file, err);

	if (rc || a->head.store)
		return rc;
	if (!a->damaged && end_find(a, signing)) {
		log_error("audit: the log in %s ends with a line that is none: another chain begins", a->dir);
		a->head = (struct audit_head){0};
		a->damaged = true;
	}
	own_set(a);
	return 0;
}

/* The chain goes on in another segment. */
static int segment_begin(struct audit *a, const struct audit_head *head, struct err *err)
{
	struct buf line = BUF_INIT;
	int rc;

	audit_head_format(head, &line);
	rc = buf_error(&line) ? err_set(err, ENOMEM, "no memory for the audit log")
			      : audit_file_begin(a->file, buf_text(&line), err);
	buf_free(&line);
	if (!rc)
		a->head = *head;
	return rc;
}

/* Another chain. @quote: what others hold of the last one. */
static int chain_begin(struct audit *a, const struct roster_key *key, const struct audit_quote *quote, struct err *err)
{
	struct audit_head head = {.first = 1, .key = *key, .quote = *quote};
	int rc;

	do
		randombytes_buf(&head.store, sizeof(head.store));
	while (!head.store);
	rc = segment_begin(a, &head, err);
	if (rc)
		return rc;
	a->end = (struct audit_tail){.store = head.store};
	return 0;
}

/* Room for another line in a segment that has this key. */
static int segment_ready(struct audit *a, const struct roster_key *key, struct err *err)
{
	struct audit_head head = a->head;

	if (!audit_file_full(a->file) && !memcmp(&head.key, key, sizeof(*key)))
		return 0;
	head.first = a->end.sequence + 1;
	head.key = *key;
	memcpy(head.previous, a->end.hash, HASH_BYTES);
	return segment_begin(a, &head, err);
}

static __u64 date_next(struct audit *a)
{
	__u64 heard = a->date;

	if (heard > a->hlc.last)
		a->hlc.last = heard;
	return hlc_now(&a->hlc, wall_ms());
}

/* One line more behind @end, which moves. Return: 0 or -errno. */
static int line_make(struct audit *a, const struct signing *signing, const char *by, const char *what, struct buf *out,
		     struct audit_tail *end)
{
	struct audit_entry entry = {.store = end->store, .sequence = end->sequence + 1, .date = date_next(a)};
	int rc;

	utf8_cut(entry.by, sizeof(entry.by), by);
	utf8_cut(entry.what, sizeof(entry.what), what);
	memcpy(entry.previous, end->hash, HASH_BYTES);
	rc = audit_entry_format(&entry, signing, out, end);
	buf_putc(out, '\n');
	return rc ? rc : buf_error(out);
}

/* --- writing --- */

static struct audit_note *notes_take(struct audit *a, __u64 *ret_missing)
{
	struct audit_note *notes;

	pthread_mutex_lock(&a->lock);
	notes = a->first;
	a->first = NULL;
	a->last = &a->first;
	a->notes = 0;
	*ret_missing = a->missing;
	a->missing = 0;
	pthread_mutex_unlock(&a->lock);
	return notes;
}

/* What a new chain, or one that lacks lines, says first. Return: how many lines. */
static int first_lines(struct audit *a, const struct signing *signing, __u64 missing, struct buf *out,
		       struct audit_tail *end)
{
	const struct audit_quote *quote = &a->head.quote;
	char by[HISTORY_BY_BYTES], what[AUDIT_WHAT_BYTES], store[AUDIT_STORE_BYTES];
	int rc = 0;

	daemon_by(a->d, "starlingd", by);
	if (!end->sequence && !quote->held.sequence) {
		rc = line_make(a, signing, by, "the log begins", out, end);
	} else if (!end->sequence) {
		snprintf(what, sizeof(what),
			 "the log begins anew: others hold entry %llu of chain %s, which ended here at %llu",
			 (unsigned long long)quote->held.sequence, audit_store_format(quote->held.store, store),
			 (unsigned long long)quote->ended);
		rc = line_make(a, signing, by, what, out, end);
	}
	if (!rc && missing) {
		snprintf(what, sizeof(what), "%llu lines are missing here: they could not be kept",
			 (unsigned long long)missing);
		rc = line_make(a, signing, by, what, out, end);
	}
	return rc;
}

/* As many as go at once, from *@notes on, which moves. Return: 0, or -errno with @err and nothing written. */
static int notes_append(struct audit *a, const struct signing *signing, const struct roster_key *key,
			struct audit_note **notes, __u64 missing, struct err *err)
{
	struct audit_note *n = *notes;
	struct buf lines = BUF_INIT;
	struct audit_tail end;
	int rc = segment_ready(a, key, err);

	if (rc)
		return rc;
	end = a->end;
	rc = first_lines(a, signing, missing, &lines, &end);
	for (; !rc && n && lines.len < APPEND_BYTES; n = n->next)
		rc = line_make(a, signing, n->by, n->what, &lines, &end);
	if (rc)
		err_set(err, -rc, "a line of the audit log cannot be made: %s", strerror(-rc));
	else if (lines.len)
		rc = audit_file_append(a->file, lines.text, lines.len, err);
	buf_free(&lines);
	if (rc)
		return rc;
	a->end = end;
	*notes = n;
	own_set(a);
	return 0;
}

static void trouble_set(struct audit *a, __u64 missing, const struct err *err)
{
	pthread_mutex_lock(&a->lock);
	a->missing += missing;
	if (!a->trouble[0])
		log_error("audit: %s", err->text);
	snprintf(a->trouble, sizeof(a->trouble), "%s", err->text);
	pthread_mutex_unlock(&a->lock);
	a->d->store_errors++;
}

static void notes_write(struct audit *a, const struct signing *signing, const struct roster_key *key)
{
	__u64 missing;
	struct audit_note *notes = notes_take(a, &missing), *all = notes;
	struct err err = {0};
	int rc;

	do {
		rc = notes_append(a, signing, key, &notes, missing, &err);
		missing = rc ? missing : 0;
	} while (!rc && notes);
	for (; notes; notes = notes->next)
		missing++;
	if (rc)
		trouble_set(a, missing, &err);
	while ((notes = all)) {
		all = notes->next;
		free(notes);
	}
	if (rc)
		return;
	pthread_mutex_lock(&a->lock);
	a->trouble[0] = '\0';
	pthread_mutex_unlock(&a->lock);
}

/* --- chains --- */

struct sought {
	const struct signing *signing;
	struct audit_tail tail;
	bool found, same;
};

static int line_seek(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	struct sought *s = arg;
	struct audit_entry entry;
	struct audit_tail tail;

	(void)file;
	(void)number;
	if (audit_entry_parse(line, len, &entry) || entry.store != s->tail.store || entry.sequence != s->tail.sequence)
		return 0;
	audit_entry_tail(&entry, line, len, s->signing, &tail);
	s->found = true;
	s->same = audit_tail_same(&tail, &s->tail);
	return 0;
}

/* Whether what others hold is in this chain, or was quoted when it began; what was dropped cannot be told. */
static bool chain_has(struct audit *a, const struct signing *signing, const struct audit_tail *held)
{
	struct sought s = {signing, *held, false, false};
	struct audit_told own = {a->end, a->head.quote};
	enum audit_state state = audit_judge(held, &own);

	if (held->store != a->end.store)
		return state != AUDIT_UNQUOTED;
	if (state != AUDIT_WHOLE || held->sequence == a->end.sequence)
		return state == AUDIT_WHOLE;
	return audit_file_walk(a->dir, line_seek, &s, NULL) || !s.found || s.same;
}

/* Others had time to say what they hold. */
static int settle(struct audit *a, const struct signing *signing, const struct roster_key *key,
		  const struct audit_tail *held, struct err *err)
{
	struct audit_quote quote = {.held = *held};
	struct audit_told own;
	int rc;

	if (!held->sequence || (a->head.store && chain_has(a, signing, held)))
		return 0;
	if (a->head.store && a->end.store == held->store)
		quote.ended = a->end.sequence;
	rc = chain_begin(a, key, &quote, err);
	if (rc)
		return rc;
	own = (struct audit_told){a->end, quote};
	pthread_mutex_lock(&a->lock);
	a->memory_noticed |= audit_memory_notice(&a->memory.own, audit_judge(held, &own), held, wall_ms());
	a->memory_changed |= a->memory_noticed;
	pthread_mutex_unlock(&a->lock);
	log_error("audit: others hold entry %llu of this node's log, which is not here: another chain begins",
		  (unsigned long long)held->sequence);
	return 0;
}

void audit_flush(struct audit *a)
{
	static const struct audit_quote nothing;
	struct identity identity;
	struct signing signing = identity_signing(&identity);
	struct audit_tail held;
	struct err err = {0};
	bool may_begin, settling;
	int rc;

	pthread_mutex_lock(&a->files);
	pthread_mutex_lock(&a->lock);
	a->posted = false;
	identity = a->identity;
	may_begin = a->may_begin;
	settling = a->settling;
	held = a->heard.tail;
	pthread_mutex_unlock(&a->lock);
	rc = identity.id ? file_ready(a, &signing, &err) : -EAGAIN;
	if (!rc && settling)
		rc = settle(a, &signing, &identity.key, &held, &err);
	if (!rc && !a->head.store)
		rc = may_begin ? chain_begin(a, &identity.key, &nothing, &err) : -EAGAIN;
	if (!rc)
		notes_write(a, &signing, &identity.key);
	else if (rc != -EAGAIN) /* what waits goes on waiting */
		trouble_set(a, 0, &err);
	if (!rc && settling) {
		pthread_mutex_lock(&a->lock);
		a->settling = false;
		a->settled = true;
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&a->files);
	sodium_memzero(&identity, sizeof(identity));
}

/* --- what others call --- */

void audit_identity(struct audit *a, const struct identity *identity)
{
	pthread_mutex_lock(&a->lock);
	a->identity = *identity;
	flush_post(a);
	pthread_mutex_unlock(&a->lock);
}

void audit_date(struct audit *a, __u64 date)
{
	a->date = date;
}

void audit_begin(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	if (!a->may_begin) {
		a->may_begin = true;
		flush_post(a);
	}
	pthread_mutex_unlock(&a->lock);
}

void audit_settle(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	if (!a->settled) {
		a->may_begin = a->settling = true;
		flush_post(a);
	}
	pthread_mutex_unlock(&a->lock);
}

bool audit_trouble(struct audit *a, char text[ERR_TEXT_BYTES])
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->trouble[0];
	memcpy(text, a->trouble, ERR_TEXT_BYTES);
	pthread_mutex_unlock(&a->lock);
	return is;
}

int audit_read(struct audit *a, void (*fn)(void *arg), void *arg, struct err *err)
{
	if (!a->reader)
		return err_set(err, ESHUTDOWN, "the daemon is stopping");
	return workers_post(a->reader, fn, arg) ? err_set(err, ENOMEM, "no memory to read the audit log") : 0;
}

void audit_stop(struct audit *a)
{
	struct workers *reader = a ? a->reader : NULL;

	if (a)
		a->reader = NULL;
	workers_close(reader);
}

static void audit_free(struct audit *a)
{
	struct audit_note *note;

	while ((note = a->first)) {
		a->first = note->next;
		free(note);
	}
	audit_file_close(a->file);
	audit_memory_free(&a->memory);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->files);
	sodium_memzero(&a->identity, sizeof(a->identity));
	free(a);
}

int audit_open(struct daemon *d, struct audit **ret, struct err *err)
{
	struct audit *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ENOMEM, "no memory for the audit log");
	a->d = d;
	a->last = &a->first;
	pthread_mutex_init(&a->files, NULL);
	pthread_mutex_init(&a->lock, NULL);
	rc = daemon_path(a->dir, d->state_dir, AUDIT_DIR, err);
	if (!rc)
		rc = workers_open("audit", 1, &a->worker, err);
	if (!rc)
		rc = workers_open("audit-reader", 1, &a->reader, err);
	if (rc) {
		workers_close(a->worker);
		audit_free(a);
		return rc;
	}
	audit_others_load(a);
	audit_note(a, NULL, "started version %s", STARLING_VERSION);
	*ret = a;
	return 0;
}

void audit_close(struct audit *a)
{
	struct err err = {0};

	if (!a)
		return;
	audit_stop(a);
	audit_note(a, NULL, "stopped");
	audit_begin(a);
	workers_close(a->worker);
	if (a->memory_changed)
		audit_keep(a, &err);
	audit_free(a);
}
