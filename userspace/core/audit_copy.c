// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See audit_copy.h.
 */
#include "core/audit_copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/audit_tail.h"

/* --- made --- */

/* Without its first line. */
static void first_drop(struct audit_copy *c, size_t *at)
{
	const char *line = c->text.text + *at, *end = memchr(line, '\n', c->text.len - *at);
	struct audit_head head;

	if (!audit_head_parse(line, (size_t)(end - line), &head))
		c->head = head;
	*at += (size_t)(end - line) + 1;
	c->lines--;
}

/* To no more than a copy may have. */
static void trim(struct audit_copy *c)
{
	size_t at = 0;

	while (c->lines > AUDIT_COPY_LINES || c->text.len - at > AUDIT_COPY_BYTES)
		first_drop(c, &at);
	if (at)
		memmove(c->text.text, c->text.text + at, c->text.len - at);
	c->text.len -= at;
}

void audit_copy_add(struct audit_copy *c, const char *line, size_t len)
{
	buf_add(&c->text, line, len);
	buf_putc(&c->text, '\n');
	c->lines++;
	if (!buf_error(&c->text) && c->text.len > 2 * AUDIT_COPY_BYTES)
		trim(c);
}

/* A head for the first line, unless it is one. Return: 0; -EBADMSG: the line is none. */
static int head_make(const struct audit_copy *c, struct buf *out)
{
	size_t len = (size_t)((const char *)memchr(c->text.text, '\n', c->text.len) - c->text.text);
	struct audit_head head = c->head;
	struct audit_entry entry;

	if (!audit_head_parse(c->text.text, len, &head))
		return 0;
	if (audit_entry_parse(c->text.text, len, &entry))
		return -EBADMSG;
	head.first = entry.sequence;
	memcpy(head.previous, entry.previous, HASH_BYTES);
	audit_head_format(&head, out);
	buf_putc(out, '\n');
	return 0;
}

int audit_copy_take(struct audit_copy *c, struct buf *out)
{
	size_t at;

	if (buf_error(&c->text))
		return -ENOMEM;
	trim(c);
	while (c->lines && c->head.store && head_make(c, out)) { /* nobody could follow from there */
		at = 0;
		first_drop(c, &at);
		memmove(c->text.text, c->text.text + at, c->text.len -= at);
	}
	if (c->lines)
		buf_add(out, c->text.text, c->text.len);
	return buf_error(out) ? -ENOMEM : 0;
}

void audit_copy_free(struct audit_copy *c)
{
	buf_free(&c->text);
}

/* --- judged --- */

/* Up to which entry it is valid, behind why it is not from there on. Return: -EBADMSG. */
static int refuse(const struct audit_walk *w, const char *is, struct err *err)
{
	char store[AUDIT_STORE_BYTES];

	if (w->entries)
		return err_set(err, EBADMSG, "%s; it is valid up to entry %llu of chain %s", is,
			       (unsigned long long)w->at.sequence, audit_store_format(w->at.store, store));
	return err_set(err, EBADMSG, "%s; none of it is valid", is);
}

static int forged(const struct audit_walk *w, const char *why, struct err *err)
{
	char is[ERR_TEXT_BYTES];

	snprintf(is, sizeof(is), "forged: %.160s", why);
	return refuse(w, is, err);
}

/* The held one has to be where it was, and nothing shorter or another chain in its place. */
static int held_check(const struct audit_walk *w, const struct audit_tail *held, bool met, bool same, struct err *err)
{
	const struct audit_told told = {w->at, w->head.quote};
	enum audit_state state = met && !same ? AUDIT_FORKED : audit_judge(held, &told);
	char is[ERR_TEXT_BYTES], store[AUDIT_STORE_BYTES];

	if (state == AUDIT_WHOLE)
		return 0;
	snprintf(is, sizeof(is), "%s: entry %llu of chain %s is held of it", audit_state_word(state),
		 (unsigned long long)held->sequence, audit_store_format(held->store, store));
	return refuse(w, is, err);
}

int audit_copy_check(const char *text, size_t len, const struct roster_key *key, const struct audit_tail *held,
		     const struct signing *signing, struct audit_walk *ret, bool *ret_met, struct err *err)
{
	const char *end, *all = text + len;
	struct audit_entry entry;
	struct err why = {0};
	bool same = false;

	*ret = (struct audit_walk){.signing = signing};
	*ret_met = false;
	if (len > AUDIT_COPY_BYTES_MAX)
		return forged(ret, "it is longer than what was asked for", err);
	for (; text < all; text = end + 1) {
		end = memchr(text, '\n', (size_t)(all - text));
		if (!end)
			return forged(ret, "its last line has no end", err);
		if (audit_walk_line(ret, text, (size_t)(end - text), &entry, &why))
			return forged(ret, why.text, err);
		if (entry.sequence && ret->at.store == held->store && ret->at.sequence == held->sequence) {
			*ret_met = true;
			same = audit_tail_same(&ret->at, held);
		}
	}
	if (!ret->entries)
		return forged(ret, "it has no lines", err);
	if (memcmp(&ret->head.key, key, sizeof(*key)) != 0)
		return err_set(err, EBADMSG, "forged: entry %llu is not signed by the node's key",
			       (unsigned long long)ret->at.sequence);
	return held_check(ret, held, *ret_met, same, err);
}
