// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ends of audit logs, own and others'. Not here: their lines (audit.c).
 */
#include "core/audit_tail.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fact.h"

#define BASE64	  sodium_base64_VARIANT_ORIGINAL
#define PAGE_TEXT sodium_base64_ENCODED_LEN(PAGE_BYTES, BASE64)

/* Entries of PAGE_KIND_AUDIT. */
enum { ENTRY_TAIL = 1, ENTRY_QUOTE = 2 };

struct tail_wire {
	__le64 store;
	__le64 sequence;
	__u8 hash[HASH_BYTES];
};
struct quote_wire {
	struct tail_wire held;
	__le64 ended;
};
_Static_assert(sizeof(struct tail_wire) == 48 && sizeof(struct quote_wire) == 56, "on the wire");

const char *audit_state_word(enum audit_state state)
{
	static const char *const word[] = {
#define STATE_WORD(id, word, help) word,
		STARLING_AUDIT_STATES(STATE_WORD)
#undef STATE_WORD
	};

	return word[state];
}

/* --- pages --- */

static struct tail_wire tail_to_wire(const struct audit_tail *tail)
{
	struct tail_wire w = {htole64(tail->store), htole64(tail->sequence), {0}};

	memcpy(w.hash, tail->hash, sizeof(w.hash));
	return w;
}

static int tail_from_wire(const struct tail_wire *w, struct audit_tail *ret)
{
	*ret = (struct audit_tail){le64toh(w->store), le64toh(w->sequence), {0}};
	memcpy(ret->hash, w->hash, sizeof(ret->hash));
	return ret->store && ret->sequence ? 0 : -EBADMSG;
}

int audit_told_encode(const struct audit_told *told, struct page_draft *draft)
{
	struct tail_wire tail = tail_to_wire(&told->tail);
	struct quote_wire quote = {tail_to_wire(&told->quote.held), htole64(told->quote.ended)};
	int rc = page_entry_add(draft, ENTRY_TAIL, &tail, sizeof(tail));

	if (!rc && told->quote.held.sequence)
		rc = page_entry_add(draft, ENTRY_QUOTE, &quote, sizeof(quote));
	return rc;
}

int audit_told_decode(const struct page *page, struct audit_told *ret)
{
	struct audit_told told = {0};
	struct page_entry entry;
	struct quote_wire quote;
	struct tail_wire tail;
	size_t at = 0;

	if (page->kind != PAGE_KIND_AUDIT)
		return -EBADMSG;
	while (page_entry_next(page, &at, &entry)) {
		if (entry.type == ENTRY_TAIL) {
			if (entry.len < sizeof(tail))
				return -EBADMSG;
			memcpy(&tail, entry.value, sizeof(tail));
			if (tail_from_wire(&tail, &told.tail))
				return -EBADMSG;
		} else if (entry.type == ENTRY_QUOTE) {
			if (entry.len < sizeof(quote))
				return -EBADMSG;
			memcpy(&quote, entry.value, sizeof(quote));
			if (tail_from_wire(&quote.held, &told.quote.held))
				return -EBADMSG;
			told.quote.ended = le64toh(quote.ended);
		}
	}
	if (!told.tail.sequence)
		return -EBADMSG;
	*ret = told;
	return 0;
}

/* --- judging --- */

static enum audit_state chain_judge(const struct audit_tail *held, const struct audit_tail *tail)
{
	if (tail->sequence < held->sequence)
		return AUDIT_CUT;
	return tail->sequence == held->sequence && !audit_tail_same(tail, held) ? AUDIT_FORKED : AUDIT_WHOLE;
}

enum audit_state audit_judge(const struct audit_tail *held, const struct audit_told *told)
{
	const struct audit_quote *quote = &told->quote;

	if (!held->sequence)
		return AUDIT_WHOLE;
	if (told->tail.store == held->store)
		return chain_judge(held, &told->tail);
	if (quote->held.store != held->store)
		return AUDIT_UNQUOTED;
	if (chain_judge(held, &quote->held) == AUDIT_FORKED)
		return AUDIT_FORKED;
	/* What it quotes came from others, who need not have held as much as is held here. */
	if (!quote->ended)
		return AUDIT_RESET;
	return quote->ended < quote->held.sequence || quote->ended < held->sequence ? AUDIT_CUT : AUDIT_FORKED;
}

/* --- what is held --- */

/* Where a node is, or would be. */
static size_t place(const struct audit_memory *m, __u64 node)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->held[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct audit_held *audit_memory_find(const struct audit_memory *m, __u64 node)
{
	size_t at = place(m, node);

	return at < m->count && m->held[at].node == node ? &m->held[at] : NULL;
}

static struct audit_held *held_add(struct audit_memory *m, __u64 node)
{
	size_t at = place(m, node);
	struct audit_held *more = reallocarray(m->held, m->count + 1, sizeof(*more));

	if (!more)
		return NULL;
	m->held = more;
	memmove(more + at + 1, more + at, (m->count - at) * sizeof(*more));
	more[at] = (struct audit_held){.node = node};
	m->count++;
	return &more[at];
}

static void held_drop(struct audit_memory *m, size_t at)
{
	free(m->held[at].page);
	memmove(m->held + at, m->held + at + 1, (--m->count - at) * sizeof(m->held[0]));
}

/* The page is what is held now. Return: 0, or -ENOMEM with nothing changed. */
static int page_hold(struct audit_held *held, const struct page *page, const struct audit_told *told)
{
	struct page_bytes whole = page_whole(page);
	__u8 *copy = malloc(whole.len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, whole.bytes, whole.len);
	free(held->page);
	held->page = copy;
	held->len = whole.len;
	held->version = page->version;
	held->told = *told;
	return 0;
}

bool audit_memory_notice(struct audit_held *held, enum audit_state state, const struct audit_tail *lost, __u64 wall_ms)
{
	if (state <= held->state)
		return false;
	held->state = state;
	held->lost = *lost;
	held->since_ms = wall_ms;
	return true;
}

int audit_memory_hear(struct audit_memory *m, const struct page *page, __u64 wall_ms, enum audit_state *ret_state)
{
	struct audit_held *held = audit_memory_find(m, page->origin);
	struct audit_tail before = held ? held->told.tail : (struct audit_tail){0};
	struct audit_told told;
	enum audit_state state;

	*ret_state = AUDIT_WHOLE;
	if (audit_told_decode(page, &told))
		return -EBADMSG;
	if (held && page_version_compare(&page->version, &held->version) <= 0)
		return 0;
	if (!held && m->count >= AUDIT_HELD_MAX)
		return -ENOSPC;
	state = audit_judge(&before, &told);
	if (!held)
		held = held_add(m, page->origin);
	if (!held)
		return -ENOMEM;
	if (page_hold(held, page, &told)) {
		if (!held->page)
			held_drop(m, place(m, page->origin));
		return -ENOMEM;
	}
	if (audit_memory_notice(held, state, &before, wall_ms))
		*ret_state = state;
	return 1;
}

void audit_memory_trim(struct audit_memory *m, const struct roster *roster)
{
	for (size_t i = m->count; i--;)
		if (!roster_find_id(roster, m->held[i].node))
			held_drop(m, i);
}

void audit_memory_accept(struct audit_held *held)
{
	held->state = AUDIT_WHOLE;
	held->lost = (struct audit_tail){0};
	held->since_ms = 0;
}

/* --- on disk --- */

#define OWN "own " /* begins the line of the own log */

static void noticed_write(const struct audit_held *h, struct buf *out)
{
	buf_printf(out, "%s %llu %016llx %llu ", audit_state_word(h->state), (unsigned long long)h->since_ms,
		   (unsigned long long)h->lost.store, (unsigned long long)h->lost.sequence);
	audit_hash_format(h->lost.hash, out);
}

void audit_memory_write(const struct audit_memory *m, struct buf *out)
{
	char page[PAGE_TEXT];

	if (m->own.state != AUDIT_WHOLE) {
		buf_puts(out, OWN);
		noticed_write(&m->own, out);
		buf_putc(out, '\n');
	}
	for (size_t i = 0; i < m->count; i++) {
		const struct audit_held *h = &m->held[i];

		buf_printf(out, "%016llx ", (unsigned long long)h->node);
		noticed_write(h, out);
		buf_printf(out, " %s\n", sodium_bin2base64(page, sizeof(page), h->page, h->len, BASE64));
	}
}

static int state_find(const char *word, enum audit_state *ret)
{
	for (unsigned int i = 0; i < AUDIT_STATES; i++)
		if (!strcmp(word, audit_state_word((enum audit_state)i))) {
			*ret = (enum audit_state)i;
			return 0;
		}
	return -EBADMSG;
}

/* Return: how long it is, or -EBADMSG. */
static int noticed_read(const char *line, struct audit_held *ret)
{
	unsigned long long since, store, sequence;
	char word[16] = "", hash[2 * HASH_BYTES + 1] = "";
	size_t got = 0;
	int at = 0;

	if (sscanf(line, "%15s %llu %16llx %llu %64s%n", word, &since, &store, &sequence, hash, &at) != 5 || !at ||
	    state_find(word, &ret->state) ||
	    sodium_hex2bin(ret->lost.hash, HASH_BYTES, hash, strlen(hash), NULL, &got, NULL) || got != HASH_BYTES)
		return -EBADMSG;
	ret->since_ms = since;
	ret->lost.store = store;
	ret->lost.sequence = sequence;
	return at;
}

static int own_read(struct audit_memory *m, const char *line)
{
	struct audit_held read = {0};
	int at = noticed_read(line, &read);

	if (at < 0 || line[at] || read.state == AUDIT_WHOLE || m->own.state != AUDIT_WHOLE)
		return -EBADMSG;
	m->own = read;
	return 0;
}

static int line_read(struct audit_memory *m, const char *from, size_t len)
{
	char line[PAGE_TEXT + 256];
	unsigned long long node;
	struct audit_held read = {0}, *held;
	__u8 bytes[PAGE_BYTES];
	struct audit_told told;
	struct page page;
	size_t got = 0;
	int at = 0, noticed;

	if (len >= sizeof(line))
		return -EBADMSG;
	memcpy(line, from, len);
	line[len] = '\0';
	if (!strncmp(line, OWN, strlen(OWN)))
		return own_read(m, line + strlen(OWN));
	if (sscanf(line, "%16llx %n", &node, &at) != 1 || !at)
		return -EBADMSG;
	noticed = noticed_read(line + at, &read);
	if (noticed < 0 || line[at + noticed] != ' ')
		return -EBADMSG;
	at += noticed + 1;
	if (sodium_base642bin(bytes, sizeof(bytes), line + at, len - (size_t)at, NULL, &got, NULL, BASE64) ||
	    page_decode(bytes, got, &page) || page.origin != node || audit_told_decode(&page, &told) ||
	    audit_memory_find(m, node) || m->count >= AUDIT_HELD_MAX)
		return -EBADMSG;
	held = held_add(m, node);
	if (!held)
		return -ENOMEM;
	if (page_hold(held, &page, &told)) {
		held_drop(m, place(m, node));
		return -ENOMEM;
	}
	held->state = read.state;
	held->since_ms = read.since_ms;
	held->lost = read.lost;
	return 0;
}

int audit_memory_read(struct audit_memory *m, const char *text)
{
	const char *end;
	int rc = 0, one;

	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		one = line_read(m, text, (size_t)(end - text));
		rc = rc ? rc : one;
	}
	return rc;
}

void audit_memory_free(struct audit_memory *m)
{
	while (m->count)
		held_drop(m, m->count - 1);
	free(m->held);
	*m = (struct audit_memory){0};
}
