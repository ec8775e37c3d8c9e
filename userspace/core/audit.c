// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines of an audit log: written, read, and followed. Not here: files.
 */
#include "core/audit.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "core/hlc.h"

#define MAGIC_ENTRY	"SAL1 " /* purpose of the signature; see signing.h */
#define MAGIC_HEAD	"SAH1 "
#define HASH_TEXT_BYTES (2 * HASH_BYTES + 1)
#define BASE64		sodium_base64_VARIANT_ORIGINAL
#define SIGNATURE_TEXT	(sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, BASE64) - 1)
#define DATE_COUNT_MASK 0xffffu /* of struct hlc */

/* --- writing --- */

const char *audit_store_format(__u64 store, char text[AUDIT_STORE_BYTES])
{
	snprintf(text, AUDIT_STORE_BYTES, "%016llx", (unsigned long long)store);
	return text;
}

void audit_hash_format(const __u8 hash[HASH_BYTES], struct buf *out)
{
	char text[HASH_TEXT_BYTES];

	buf_puts(out, sodium_bin2hex(text, sizeof(text), hash, HASH_BYTES));
}

/* Whoever prints the file meets no control characters. */
static void text_format(const char *text, struct buf *out)
{
	buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else if (*text < ' ' || *text > '~')
			buf_printf(out, "\\x%02x", (unsigned char)*text);
		else
			buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

static void tail_format(const struct audit_tail *tail, struct buf *out)
{
	char store[AUDIT_STORE_BYTES];

	buf_printf(out, "%s %llu ", audit_store_format(tail->store, store), (unsigned long long)tail->sequence);
	audit_hash_format(tail->hash, out);
}

void audit_head_format(const struct audit_head *head, struct buf *out)
{
	struct audit_tail before = {head->store, head->first, {0}};
	char key[ROSTER_KEY_TEXT_BYTES];

	memcpy(before.hash, head->previous, HASH_BYTES);
	buf_puts(out, MAGIC_HEAD);
	tail_format(&before, out);
	buf_printf(out, " %s", roster_key_format(&head->key, key));
	if (!head->quote.held.sequence)
		return;
	buf_puts(out, " quotes ");
	tail_format(&head->quote.held, out);
	buf_printf(out, " %llu", (unsigned long long)head->quote.ended);
}

/* What is signed. */
static void entry_body(const struct audit_entry *entry, struct buf *out)
{
	char store[AUDIT_STORE_BYTES], date[RFC3339_TEXT_BYTES];

	buf_printf(out, MAGIC_ENTRY "%s %llu %s/%u ", audit_store_format(entry->store, store),
		   (unsigned long long)entry->sequence, rfc3339_format(hlc_ms(entry->date), date),
		   (unsigned int)(entry->date & DATE_COUNT_MASK));
	text_format(entry->by, out);
	buf_putc(out, ' ');
	text_format(entry->what, out);
	buf_putc(out, ' ');
	audit_hash_format(entry->previous, out);
}

int audit_entry_format(const struct audit_entry *entry, const struct signing *signing, struct buf *out,
		       struct audit_tail *ret_tail)
{
	__u8 signature[SIGNATURE_BYTES];
	char text[SIGNATURE_TEXT + 1];
	size_t begin = out->len;
	int rc;

	entry_body(entry, out);
	if (buf_error(out))
		return -ENOMEM;
	rc = signing->sign(signing->arg, out->text + begin, out->len - begin, signature);
	if (rc)
		return rc;
	buf_printf(out, " %s", sodium_bin2base64(text, sizeof(text), signature, sizeof(signature), BASE64));
	if (buf_error(out))
		return -ENOMEM;
	audit_entry_tail(entry, out->text + begin, out->len - begin, signing, ret_tail);
	return 0;
}

/* --- reading --- */

/* A line being read; after a failure nothing more is. */
struct cursor {
	const char *at, *end;
	bool failed;
};

static void word_take(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if (c->failed || (size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		c->failed = true;
	else
		c->at += len;
}

static __u64 number_take(struct cursor *c)
{
	const char *begin = c->at;
	__u64 n = 0;

	while (!c->failed && c->at < c->end && *c->at >= '0' && *c->at <= '9')
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (__u64)(*c->at++ - '0'), &n))
			c->failed = true;
	c->failed |= c->at == begin;
	return c->failed ? 0 : n;
}

/* That many bytes as hexadecimal digits. */
static void hex_take(struct cursor *c, __u8 *ret, size_t len)
{
	size_t got = 0;

	if (c->failed || (size_t)(c->end - c->at) < 2 * len ||
	    sodium_hex2bin(ret, len, c->at, 2 * len, NULL, &got, NULL) || got != len)
		c->failed = true;
	else
		c->at += 2 * len;
}

static __u64 store_take(struct cursor *c)
{
	__u8 byte[sizeof(__u64)] = {0};
	__u64 store = 0;

	hex_take(c, byte, sizeof(byte));
	for (size_t i = 0; i < sizeof(byte); i++)
		store = store << 8 | byte[i];
	c->failed |= !store;
	return store;
}

static void tail_take(struct cursor *c, struct audit_tail *ret)
{
	ret->store = store_take(c);
	word_take(c, " ");
	ret->sequence = number_take(c);
	c->failed |= !ret->sequence;
	word_take(c, " ");
	hex_take(c, ret->hash, sizeof(ret->hash));
}

/* All up to a blank, or to the end. */
static void token_take(struct cursor *c, char *ret, size_t room)
{
	const char *blank = c->failed ? NULL : memchr(c->at, ' ', (size_t)(c->end - c->at));
	size_t len = (size_t)((blank ? blank : c->end) - c->at);

	if (c->failed || len >= room) {
		c->failed = true;
		return;
	}
	memcpy(ret, c->at, len);
	ret[len] = '\0';
	c->at += len;
}

static char escape_take(struct cursor *c)
{
	__u8 byte = 0;

	c->at++;
	if (c->at < c->end && (*c->at == '"' || *c->at == '\\'))
		return *c->at++;
	word_take(c, "x");
	hex_take(c, &byte, 1);
	c->failed |= !byte;
	return (char)byte;
}

static void text_take(struct cursor *c, char *ret, size_t room)
{
	size_t len = 0;

	word_take(c, "\"");
	while (!c->failed && c->at < c->end && *c->at != '"') {
		char byte = *c->at == '\\' ? escape_take(c) : *c->at++;

		if (len + 1 >= room)
			c->failed = true;
		else
			ret[len++] = byte;
	}
	ret[len] = '\0';
	word_take(c, "\"");
}

static __u64 date_take(struct cursor *c)
{
	char text[RFC3339_TEXT_BYTES + 8] = "", *slash;
	struct cursor count;
	__u64 ms = 0, n;

	token_take(c, text, sizeof(text));
	slash = strchr(text, '/');
	if (c->failed || !slash)
		goto bad;
	count = (struct cursor){slash + 1, slash + strlen(slash), false};
	n = number_take(&count);
	*slash = '\0';
	if (count.failed || count.at != count.end || n > DATE_COUNT_MASK || rfc3339_parse(text, &ms))
		goto bad;
	return ms << 16 | n;
bad:
	c->failed = true;
	return 0;
}

/* Read and written again it has to be the same. */
static bool is_canonical(struct buf *again, const char *line, size_t len)
{
	bool same = !buf_error(again) && again->len == len && !memcmp(again->text, line, len);

	buf_free(again);
	return same;
}

int audit_head_parse(const char *line, size_t len, struct audit_head *ret)
{
	struct cursor c = {line, line + len, len > AUDIT_LINE_BYTES};
	char key[ROSTER_KEY_TEXT_BYTES] = "";
	struct audit_head head = {0};
	struct buf again = BUF_INIT;
	struct audit_tail before = {0};

	word_take(&c, MAGIC_HEAD);
	tail_take(&c, &before);
	word_take(&c, " ");
	token_take(&c, key, sizeof(key));
	if (c.failed || roster_key_parse(key, &head.key))
		return -EBADMSG;
	head.store = before.store;
	head.first = before.sequence;
	memcpy(head.previous, before.hash, HASH_BYTES);
	if (c.at < c.end) {
		word_take(&c, " quotes ");
		tail_take(&c, &head.quote.held);
		word_take(&c, " ");
		head.quote.ended = number_take(&c);
	}
	audit_head_format(&head, &again);
	if (!is_canonical(&again, line, len) || c.failed)
		return -EBADMSG;
	*ret = head;
	return 0;
}

/* Where the signature begins; 0: there is no room for one. */
static size_t body_len(size_t len)
{
	return len > SIGNATURE_TEXT + 1 && len <= AUDIT_LINE_BYTES ? len - SIGNATURE_TEXT - 1 : 0;
}

int audit_entry_parse(const char *line, size_t len, struct audit_entry *ret)
{
	size_t body = body_len(len);
	struct cursor c = {line, line + body, !body || line[body] != ' '};
	struct audit_entry e = {0};
	struct buf again = BUF_INIT;

	word_take(&c, MAGIC_ENTRY);
	e.store = store_take(&c);
	word_take(&c, " ");
	e.sequence = number_take(&c);
	word_take(&c, " ");
	e.date = date_take(&c);
	word_take(&c, " ");
	text_take(&c, e.by, sizeof(e.by));
	word_take(&c, " ");
	text_take(&c, e.what, sizeof(e.what));
	word_take(&c, " ");
	hex_take(&c, e.previous, sizeof(e.previous));
	if (c.failed || !e.sequence)
		return -EBADMSG;
	entry_body(&e, &again);
	if (!is_canonical(&again, line, body))
		return -EBADMSG;
	*ret = e;
	return 0;
}

bool audit_entry_verify(const char *line, size_t len, const struct roster_key *key, const struct signing *signing)
{
	__u8 signature[SIGNATURE_BYTES];
	size_t body = body_len(len), got = 0;

	return body &&
	       !sodium_base642bin(signature, sizeof(signature), line + body + 1, SIGNATURE_TEXT, NULL, &got, NULL,
				  BASE64) &&
	       got == sizeof(signature) && signing->verify(signing->arg, key, line, body, signature);
}

void audit_entry_tail(const struct audit_entry *entry, const char *line, size_t len, const struct signing *signing,
		      struct audit_tail *ret)
{
	ret->store = entry->store;
	ret->sequence = entry->sequence;
	signing->hash(signing->arg, line, len, ret->hash);
}

bool audit_tail_same(const struct audit_tail *a, const struct audit_tail *b)
{
	return a->store == b->store && a->sequence == b->sequence && !memcmp(a->hash, b->hash, HASH_BYTES);
}

/* --- following --- */

/* A chain goes on, or another one begins. */
static int head_follow(struct audit_walk *w, const char *line, size_t len, struct err *err)
{
	static const __u8 none[HASH_BYTES];
	struct audit_head head;
	bool same;

	if (audit_head_parse(line, len, &head))
		return err_set(err, EBADMSG, "the head behind entry %llu is none", (unsigned long long)w->at.sequence);
	same = w->headed && w->head.store == head.store;
	if (same && (head.first != w->at.sequence + 1 || memcmp(head.previous, w->at.hash, HASH_BYTES) != 0))
		return err_set(err, EBADMSG, "entry %llu: the segment that it begins does not follow entry %llu",
			       (unsigned long long)head.first, (unsigned long long)w->at.sequence);
	if (w->headed && !same && (head.first != 1 || memcmp(head.previous, none, HASH_BYTES) != 0))
		return err_set(err, EBADMSG, "entry %llu: the beginning of its chain is missing",
			       (unsigned long long)head.first);
	if (!same) {
		w->at = (struct audit_tail){.store = head.store, .sequence = head.first - 1};
		memcpy(w->at.hash, head.previous, HASH_BYTES);
		w->chains++;
	}
	if (!w->headed)
		w->begin = head;
	w->head = head;
	w->headed = true;
	w->segments++;
	return 0;
}

int audit_walk_line(struct audit_walk *w, const char *line, size_t len, struct audit_entry *ret, struct err *err)
{
	unsigned long long next = w->at.sequence + 1;
	struct audit_entry e;

	if (len >= strlen(MAGIC_HEAD) && !memcmp(line, MAGIC_HEAD, strlen(MAGIC_HEAD))) {
		ret->sequence = 0;
		return head_follow(w, line, len, err);
	}
	if (!w->headed)
		return err_set(err, EBADMSG, "the log does not begin with a head");
	if (audit_entry_parse(line, len, &e))
		return err_set(err, EBADMSG, "entry %llu: the line is none", next);
	if (e.store != w->at.store || e.sequence != next)
		return err_set(err, EBADMSG, "entry %llu does not follow entry %llu", (unsigned long long)e.sequence,
			       next - 1);
	if (!audit_entry_verify(line, len, &w->head.key, w->signing))
		return err_set(err, EBADMSG, "entry %llu: its signature is not of the key in its segment's head", next);
	if (memcmp(e.previous, w->at.hash, HASH_BYTES) != 0)
		return err_set(err, EBADMSG, "entry %llu: the entry before it was another one", next);
	audit_entry_tail(&e, line, len, w->signing, &w->at);
	w->entries++;
	*ret = e;
	return 0;
}

bool audit_walk_lacks(const struct audit_walk *w)
{
	return w->headed && (w->begin.first > 1 || w->begin.quote.ended);
}
