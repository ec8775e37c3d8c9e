// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any text as an audit log, as a copy of another node's, and as the file of what is held of others'. Signatures are
 * always right, so that nothing behind them is spared. Not here: pages, which carry ends of logs (page_fuzz).
 *
 * The first byte says which it is.
 */
#include <errno.h>
#include <string.h>

#include "core/audit_copy.h"
#include "core/audit_tail.h"
#include "any_signing.h"
#include "fuzz.h"

/* What was read is written as it was. */
static void line_try(const char *line, size_t len)
{
	struct buf again = BUF_INIT;
	struct audit_entry entry;
	struct audit_head head;
	struct audit_tail tail;

	if (!audit_head_parse(line, len, &head)) {
		audit_head_format(&head, &again);
		REQUIRE(again.len == len && !memcmp(again.text, line, len));
	} else if (!audit_entry_parse(line, len, &entry)) {
		size_t body = len - 89; /* a blank and the signature */

		REQUIRE(!audit_entry_format(&entry, &any, &again, &tail));
		REQUIRE(again.len == len && !memcmp(again.text, line, body));
		REQUIRE(tail.sequence == entry.sequence && strlen(entry.what) < AUDIT_WHAT_BYTES);
		audit_entry_verify(line, len, &(struct roster_key){{0}}, &any);
	}
	buf_free(&again);
}

static void log_try(const char *text, size_t len)
{
	struct audit_walk walk = {.signing = &any};
	struct audit_entry entry;
	struct err err = {0};
	const char *end;
	int rc = 0;

	for (; (end = memchr(text, '\n', len)); text = end + 1) {
		line_try(text, (size_t)(end - text));
		rc = rc ? rc : audit_walk_line(&walk, text, (size_t)(end - text), &entry, &err);
		REQUIRE(!rc || err.text[0]);
		len -= (size_t)(end - text) + 1;
	}
	REQUIRE(walk.entries <= walk.at.sequence || walk.chains > 1);
}

/* A copy of any log is bounded; one of a whole log that follows is valid. */
static void copy_make_try(const char *text, size_t len)
{
	struct audit_walk walk = {.signing = &any}, again;
	struct audit_copy copy = {0};
	struct buf out = BUF_INIT;
	struct audit_entry entry;
	struct err err = {0};
	size_t lines = 0;
	const char *end;
	bool met;
	int rc = 0;

	for (; (end = memchr(text, '\n', len)); text = end + 1, lines++) {
		rc = rc ? rc : audit_walk_line(&walk, text, (size_t)(end - text), &entry, &err);
		audit_copy_add(&copy, text, (size_t)(end - text));
		len -= (size_t)(end - text) + 1;
	}
	REQUIRE(!audit_copy_take(&copy, &out));
	REQUIRE(out.len <= AUDIT_COPY_BYTES_MAX);
	if (!rc && walk.entries && walk.at.sequence && lines <= AUDIT_COPY_LINES) {
		rc = audit_copy_check(buf_text(&out), out.len, &walk.head.key, &walk.at, &any, &again, &met, &err);
		REQUIRE(!rc && met && audit_tail_same(&again.at, &walk.at));
	}
	audit_copy_free(&copy);
	buf_free(&out);
}

/* As it came from a node. */
static void copy_try(const char *text, size_t len)
{
	struct audit_walk walk;
	struct audit_tail held = {.store = 0xa, .sequence = 3};
	struct err err = {0};
	bool met;
	int rc = audit_copy_check(text, len, &(struct roster_key){{0}}, &held, &any, &walk, &met, &err);

	REQUIRE(rc ? rc == -EBADMSG && err.text[0] : walk.entries > 0);
	copy_make_try(text, len);
}

static void held_try(const char *text)
{
	struct audit_memory m = {0}, again = {0};
	struct buf one = BUF_INIT, two = BUF_INIT;
	enum audit_state state;
	struct page page;

	audit_memory_read(&m, text);
	audit_memory_write(&m, &one);
	REQUIRE(!audit_memory_read(&again, buf_text(&one)));
	audit_memory_write(&again, &two);
	REQUIRE(!strcmp(buf_text(&one), buf_text(&two)));
	for (size_t i = 0; i < m.count; i++) {
		REQUIRE(!page_decode(m.held[i].page, m.held[i].len, &page));
		REQUIRE(!audit_memory_hear(&again, &page, 1, &state) && state == AUDIT_WHOLE);
		REQUIRE(audit_judge(&m.held[0].told.tail, &m.held[i].told) < AUDIT_STATES);
	}
	buf_free(&one);
	buf_free(&two);
	audit_memory_free(&m);
	audit_memory_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (!text || !len)
		goto out;
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	if (data[0] & 1)
		held_try(text);
	else if (data[0] & 2)
		copy_try(text, len - 1);
	else
		log_try(text, len - 1);
out:
	free(text);
	return 0;
}
