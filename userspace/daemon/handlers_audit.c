// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `node audit`: whom it is about is found on the loop's thread, the rest is done by the log's reader, one command at a
 * time, as files are read and signatures verified. Not here: the log (audit.h).
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/audit.h"
#include "daemon/handlers.h"
#include "daemon/peers.h"

#define LINES_DEFAULT 1000

/* Whose log a command is about. */
struct subject {
	const char *name; /* borrowed of the task, or the daemon's */
	__u64 id;
	bool self;
};

static int own_show(struct task *t, struct err *err)
{
	struct table *table = table_new(KIND_AUDIT);
	size_t limit = command_has(&t->command, ARG_LIMIT) ? t->command.limit : LINES_DEFAULT;

	return table ? task_show(t, table, audit_show(t->d->audit, limit, table, err), err) : -ENOMEM;
}

static void hash_set(struct table *table, size_t row, enum field_id field, const __u8 hash[HASH_BYTES])
{
	struct buf text = BUF_INIT;

	audit_hash_format(hash, &text);
	table_set_text(table, row, field, buf_text(&text));
	buf_free(&text);
}

static int held_show(struct task *t, const struct subject *s, const struct audit_held *held, struct err *err)
{
	struct table *table = table_new(KIND_TAIL);
	char chain[AUDIT_STORE_BYTES];
	size_t row = table ? table_row(table) : 0;

	if (!table)
		return -ENOMEM;
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

static int held_verify(const struct subject *s, const struct audit_held *held, struct buf *says, struct err *err)
{
	const struct audit_tail *tail = &held->told.tail, *lost = &held->lost;
	char is[AUDIT_STORE_BYTES], was[AUDIT_STORE_BYTES];

	audit_store_format(tail->store, is);
	if (held->state != AUDIT_WHOLE)
		return err_set(err, EBADMSG,
			       "the audit log of node %s is %s: entry %llu of chain %s was held, and now it tells of "
			       "entry %llu of chain %s",
			       s->name, audit_state_word(held->state), (unsigned long long)lost->sequence,
			       audit_store_format(lost->store, was), (unsigned long long)tail->sequence, is);
	buf_printf(says,
		   "the audit log of node %s has only grown since it was first held, or last accepted, to entry %llu "
		   "of chain %s, hash ",
		   s->name, (unsigned long long)tail->sequence, is);
	audit_hash_format(tail->hash, says);
	return buf_error(says);
}

static int other_say(struct task *t, const struct subject *s, struct buf *says, struct err *err)
{
	struct audit_held held;

	if (audit_look(t->d->audit, s->id, false, &held))
		return err_set(err, ENOENT, "node %s has told nothing of its audit log yet", s->name);
	return t->command.audit_change == AUDIT_SHOW ? held_show(t, s, &held, err) : held_verify(s, &held, says, err);
}

static int subject_find(struct task *t, struct subject *ret, struct err *err)
{
	const struct command *c = &t->command;

	*ret = (struct subject){.name = t->d->node, .self = true};
	if (c->audit_change != AUDIT_SHOW && command_has(c, ARG_LIMIT))
		return err_set(err, EINVAL, "only what is shown has a limit");
	if (!command_has(c, ARG_NODE))
		return c->audit_change == AUDIT_ACCEPT ? err_set(err, EINVAL, "of which node? `node show`") : 0;
	ret->name = c->node;
	if (!t->d->peers)
		return err_set(err, ESHUTDOWN, "the daemon is stopping");
	return peers_audit_find(t->d->peers, c->node, &ret->id, &ret->self, err);
}

struct audit_job {
	struct task *t;
	struct subject of;
};

static void on_read(void *arg)
{
	struct audit_job *job = arg;
	struct task *t = job->t;
	const struct subject *s = &job->of;
	struct buf says = BUF_INIT;
	struct err err = {0};
	int rc;

	if (t->command.audit_change == AUDIT_ACCEPT)
		rc = audit_accept(t->d->audit, s->id, s->self, s->name, t->request.dry_run, &err);
	else if (!s->self)
		rc = other_say(t, s, &says, &err);
	else if (t->command.audit_change == AUDIT_SHOW)
		rc = own_show(t, &err);
	else
		rc = audit_verify(t->d->audit, &says, &err);
	if (!rc && t->command.audit_change != AUDIT_SHOW)
		request_message_answer(buf_text(&says), &t->answer);
	buf_free(&says);
	free(job);
	task_end(t, rc, &err);
}

void handle_node_audit(struct task *t)
{
	struct audit_job *job = malloc(sizeof(*job));
	struct err err = {0};
	int rc = job ? 0 : -ENOMEM;

	if (job) {
		job->t = t;
		rc = subject_find(t, &job->of, &err);
	}
	if (!rc)
		rc = audit_read(t->d->audit, on_read, job, &err);
	if (!rc)
		return;
	free(job);
	task_end(t, rc, &err);
}
