// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `node audit`: whom it is about is found on the loop's thread, and another node's lines are fetched there; the rest is
 * done by the log's reader, one command at a time, as files are read and signatures verified. Not here: the log
 * (audit.h), how lines travel (peers_logs.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/audit_copy.h"
#include "daemon/audit.h"
#include "daemon/handlers.h"
#include "daemon/peers.h"

#define LINES_DEFAULT 1000

/* Whose log a command is about. */
struct subject {
	const char *name; /* borrowed of the task, or the daemon's */
	__u64 id;
	struct roster_key key;
	bool self;
};

static size_t lines_wanted(const struct task *t)
{
	return command_has(&t->command, ARG_LIMIT) ? t->command.limit : LINES_DEFAULT;
}

static int own_show(struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_AUDIT);

	return table ? task_show(t, table, audit_show(t->d->audit, lines_wanted(t), table, err), err) : -ENOMEM;
}

static void hash_set(struct table *table, size_t row, enum field_id field, const __u8 hash[HASH_BYTES])
{
	struct buf text = BUF_INIT;

	audit_hash_format(hash, &text);
	table_set_text(table, row, field, buf_text(&text));
	buf_free(&text);
}

static int held_show(struct task *t, const struct subject *s, struct err *err)
{
	struct audit_held look, *held = &look;
	char chain[AUDIT_STORE_BYTES];
	struct table *table;
	size_t row;

	if (audit_look(t->d->audit, s->id, s->self, held))
		return err_set(err, ENOENT, "nothing is held of the audit log of node %s", s->name);
	table = table_new(KIND_TAIL);
	if (!table)
		return -ENOMEM;
	row = table_row(table);
	table_set_text(table, row, FIELD_TAIL_node, s->name);
	table_set_text(table, row, FIELD_TAIL_state, audit_state_word(held->state));
	table_set_text(table, row, FIELD_TAIL_chain, audit_store_format(held->told.tail.store, chain));
	table_set_u64(table, row, FIELD_TAIL_entry, held->told.tail.sequence);
	hash_set(table, row, FIELD_TAIL_hash, held->told.tail.hash);
	if (held->since_ms)
		table_set_time(table, row, FIELD_TAIL_since, held->since_ms);
	if (held->state != AUDIT_WHOLE) {
		table_set_u64(table, row, FIELD_TAIL_lost_entry, held->lost.sequence);
		table_set_text(table, row, FIELD_TAIL_lost_chain, audit_store_format(held->lost.store, chain));
		hash_set(table, row, FIELD_TAIL_lost_hash, held->lost.hash);
	}
	return task_show(t, table, 0, err);
}

/* What was noticed of it. Return: 0, or -EBADMSG with @err. */
static int held_check(const struct subject *s, const struct audit_held *held, struct err *err)
{
	const struct audit_tail *tail = &held->told.tail, *lost = &held->lost;
	char is[AUDIT_STORE_BYTES], was[AUDIT_STORE_BYTES];

	if (held->state == AUDIT_WHOLE)
		return 0;
	return err_set(
		err, EBADMSG,
		"the audit log of node %s is %s: entry %llu of chain %s was held, and now it tells of entry %llu of "
		"chain %s",
		s->name, audit_state_word(held->state), (unsigned long long)lost->sequence,
		audit_store_format(lost->store, was), (unsigned long long)tail->sequence,
		audit_store_format(tail->store, is));
}

static int subject_find(struct task *t, struct subject *ret, struct err *err)
{
	const struct command *c = &t->command;
	bool named = c->audit_change == AUDIT_ACCEPT || c->audit_change == AUDIT_HELD;

	*ret = (struct subject){.name = t->d->node, .self = true};
	if (c->audit_change != AUDIT_SHOW && command_has(c, ARG_LIMIT))
		return err_set(err, EINVAL, "only lines that are shown have a limit");
	if (!command_has(c, ARG_NODE))
		return named ? err_set(err, EINVAL, "of which node? `node show`") : 0;
	ret->name = c->node;
	if (!t->d->peers)
		return err_set(err, ESHUTDOWN, "the daemon is stopping");
	return peers_audit_find(t->d->peers, c->node, &ret->id, &ret->key, &ret->self, err);
}

struct audit_job {
	struct task *t;
	struct subject of;
	struct audit_held held; /* of another node, before its lines were asked for */
	char *text;		/* owned: these */
	size_t len;
};

/* The answer, with @says if it is a sentence. Frees the job and what it says. */
static void job_end(struct audit_job *job, int rc, struct buf *says, struct err *err)
{
	struct task *t = job->t;

	if (!rc && says->len)
		request_message_answer(buf_text(says), &t->answer);
	buf_free(says);
	free(job->text);
	free(job);
	task_end(t, rc, err);
}

/* --- the own log, and what is held of others' --- */

static void on_read(void *arg)
{
	struct audit_job *job = arg;
	struct task *t = job->t;
	const struct subject *s = &job->of;
	struct buf says = BUF_INIT;
	struct err err = {0};
	int rc = 0;

	switch ((enum audit_change)t->command.audit_change) {
	case AUDIT_SHOW:
		rc = own_show(t, &err);
		break;
	case AUDIT_VERIFY:
		rc = audit_verify(t->d->audit, &says, &err);
		break;
	case AUDIT_ACCEPT:
		rc = audit_accept(t->d->audit, s->id, s->self, s->name, t->request.dry_run, &err);
		if (!rc)
			request_message_answer("", &t->answer);
		break;
	case AUDIT_HELD:
		rc = held_show(t, s, &err);
		break;
	}
	job_end(job, rc, &says, &err);
}

/* --- another one's log --- */

static int copy_show(struct audit_job *job, struct err *err)
{
	struct task *t = job->t;
	struct table *table = table_new(KIND_AUDIT);

	if (!table)
		return -ENOMEM;
	audit_copy_show(job->text, job->len, lines_wanted(t), table);
	return task_show(t, table, 0, err);
}

static int copy_say(const struct subject *s, const struct audit_walk *w, const struct audit_tail *held, bool met,
		    struct buf *says)
{
	char chain[AUDIT_STORE_BYTES];

	buf_printf(says,
		   "the newest %llu entries of the audit log of node %s follow each other, up to entry %llu of chain "
		   "%s, hash ",
		   (unsigned long long)w->entries, s->name, (unsigned long long)w->at.sequence,
		   audit_store_format(w->at.store, chain));
	audit_hash_format(w->at.hash, says);
	buf_printf(says,
		   met ? "; entry %llu, which was held here, is one of them"
		       : "; they do not reach back to entry %llu, which was held here",
		   (unsigned long long)held->sequence);
	return buf_error(says);
}

/* On the log's reader, as signatures take their time. */
static void on_copy(void *arg)
{
	struct audit_job *job = arg;
	struct identity nobody = {0};
	struct signing signing = identity_signing(&nobody);
	const struct audit_tail *held = &job->held.told.tail;
	struct buf says = BUF_INIT;
	struct audit_walk walk;
	struct err err = {0};
	bool met;
	int rc = audit_copy_check(job->text, job->len, &job->of.key, held, &signing, &walk, &met, &err);

	if (rc)
		err_prefix(&err, "the audit log of node %s", job->of.name);
	else if (job->t->command.audit_change == AUDIT_SHOW)
		rc = copy_show(job, &err);
	else
		rc = copy_say(&job->of, &walk, held, met, &says);
	job_end(job, rc, &says, &err);
}

static int fetch_error(const struct subject *s, int rc, struct err *err)
{
	const char *why = rc == -EBUSY	   ? "another one's log is being fetched: try it again"
			  : rc == -ENODATA ? "it has none that can be read, or none yet"
			  : rc == -ENOMEM  ? "no memory"
					   : "it does not answer";

	return err_set(err, -rc,
		       "the audit log of node %s is not known here: %s; `starling node audit held %s`: its end",
		       s->name, why, s->name);
}

static void on_fetched(void *arg, int rc, struct buf *text)
{
	struct audit_job *job = arg;
	struct buf nothing = BUF_INIT;
	struct err err = {0};

	if (rc) {
		fetch_error(&job->of, rc, &err);
	} else {
		job->text = buf_take(text, &job->len);
		rc = audit_read(job->t->d->audit, on_copy, job, &err);
	}
	if (rc)
		job_end(job, rc, &nothing, &err);
}

/* Return: 0, and the job goes on; or -errno with @err. */
static int other_begin(struct audit_job *job, struct err *err)
{
	struct daemon *d = job->t->d;
	int rc = 0;

	if (audit_look(d->audit, job->of.id, false, &job->held))
		return err_set(err, ENOENT, "node %s has told nothing of its audit log yet", job->of.name);
	if (job->t->command.audit_change == AUDIT_VERIFY)
		rc = held_check(&job->of, &job->held, err);
	if (rc)
		return rc;
	rc = peers_log(d->peers, job->of.id, on_fetched, job);
	return rc ? fetch_error(&job->of, rc, err) : 0;
}

void handle_node_audit(struct task *t)
{
	struct audit_job *job = calloc(1, sizeof(*job));
	struct err err = {0};
	int rc = job ? 0 : -ENOMEM;

	if (job) {
		job->t = t;
		rc = subject_find(t, &job->of, &err);
	}
	if (!rc && !job->of.self && (t->command.audit_change == AUDIT_SHOW || t->command.audit_change == AUDIT_VERIFY))
		rc = other_begin(job, &err);
	else if (!rc)
		rc = audit_read(t->d->audit, on_read, job, &err);
	if (!rc)
		return;
	free(job);
	task_end(t, rc, &err);
}
