// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The list of what is put aside. Not here: its object's name (intent_build.c).
 */
#include "core/aside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/lex.h"

static const char *const words[] = {
	[OVERRIDE_NONE] = "enable", [OVERRIDE_DRAIN] = "drain", [OVERRIDE_DISABLE] = "disable"};
#define WORDS (sizeof(words) / sizeof(words[0]))

const char *override_word(enum override_state state)
{
	return words[state];
}

bool override_find(const char *word, enum override_state *ret)
{
	for (size_t i = 0; i < WORDS; i++)
		if (!strcmp(words[i], word)) {
			*ret = (enum override_state)i;
			return true;
		}
	return false;
}

int override_order(const void *a, const void *b)
{
	const struct override *x = a, *y = b;
	int order = strcmp(x->vip, y->vip);

	return order ? order : endpoint_compare(&x->at, &y->at);
}

static bool find(const struct config *c, const struct override *key, size_t *ret_at)
{
	return array_find(c->aside, c->asides, sizeof(*c->aside), key, override_order, ret_at);
}

const struct override *aside_find(const struct config *c, const char *vip, const struct endpoint *at)
{
	struct override key = {.at = *at};
	size_t place;

	snprintf(key.vip, sizeof(key.vip), "%s", vip);
	return find(c, &key, &place) ? &c->aside[place] : NULL;
}

int aside_set(struct config *c, const struct override *o)
{
	size_t at;
	bool is = find(c, o, &at);

	if (o->state == OVERRIDE_NONE && is)
		array_delete(c->aside, &c->asides, sizeof(*c->aside), at);
	else if (o->state != OVERRIDE_NONE && is)
		c->aside[at] = *o;
	else if (o->state != OVERRIDE_NONE)
		return array_insert(&c->aside, &c->asides, sizeof(*c->aside), at, o);
	return 0;
}

int asides_take(struct config *to, const struct config *from)
{
	struct override *copy = NULL;

	if (array_copy(&copy, from->aside, from->asides, sizeof(*copy)))
		return -ENOMEM;
	asides_clear(to);
	to->aside = copy;
	to->asides = from->asides;
	return 0;
}

void asides_clear(struct config *c)
{
	free(c->aside);
	c->aside = NULL;
	c->asides = 0;
}

static bool is_of_backend(const struct config *c, const struct override *o)
{
	const struct vip_config *vip = config_vip(c, o->vip);

	const struct backend_config *b = vip ? vip_backend(vip, &o->at) : NULL;

	return b && b->tier != STARLING_TIER_SORRY;
}

void asides_prune(struct config *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->asides; i++)
		if (is_of_backend(c, &c->aside[i]))
			c->aside[kept++] = c->aside[i];
	c->asides = kept;
}

static bool same(const struct override *a, const struct override *b)
{
	if (!a || !b)
		return a == b;
	return !override_order(a, b) && a->state == b->state && a->since_ms == b->since_ms &&
	       a->timeout_ms == b->timeout_ms && !strcmp(a->by, b->by) && !strcmp(a->reason, b->reason);
}

bool asides_same(const struct config *a, const struct config *b)
{
	size_t i = 0;

	while (i < a->asides && i < b->asides && same(&a->aside[i], &b->aside[i]))
		i++;
	return i == a->asides && i == b->asides;
}

static int merge_one(const struct config *base, const struct config *mine, const struct config *theirs,
		     struct config *to, const struct override *key, char ret_conflict[STARLING_NAME_BYTES])
{
	const struct override *was = aside_find(base, key->vip, &key->at), *m = aside_find(mine, key->vip, &key->at),
			      *t = aside_find(theirs, key->vip, &key->at);
	struct override none = *key;

	if (same(was, m) || same(m, t))
		return 0;
	if (!same(was, t)) {
		memcpy(ret_conflict, key->vip, STARLING_NAME_BYTES);
		return -ESTALE;
	}
	none.state = OVERRIDE_NONE;
	return aside_set(to, m ? m : &none);
}

int asides_merge(const struct config *base, const struct config *mine, const struct config *theirs, struct config *to,
		 char ret_conflict[STARLING_NAME_BYTES])
{
	int rc = asides_take(to, theirs);

	for (size_t i = 0; i < mine->asides && !rc; i++)
		rc = merge_one(base, mine, theirs, to, &mine->aside[i], ret_conflict);
	for (size_t i = 0; i < base->asides && !rc; i++)
		rc = merge_one(base, mine, theirs, to, &base->aside[i], ret_conflict);
	return rc;
}

void asides_changes(const struct config *from, const struct config *to, aside_change_fn *fn, void *arg)
{
	struct override gone;

	for (size_t i = 0; i < to->asides; i++)
		if (!same(&to->aside[i], aside_find(from, to->aside[i].vip, &to->aside[i].at)))
			fn(arg, &to->aside[i]);
	for (size_t i = 0; i < from->asides; i++) {
		gone = from->aside[i];
		gone.state = OVERRIDE_NONE;
		if (!aside_find(to, gone.vip, &gone.at))
			fn(arg, &gone);
	}
}

/* --- as a text --- */

void override_write(const struct override *o, struct buf *out)
{
	char at[ENDPOINT_TEXT_BYTES];

	buf_printf(out, ASIDE_WORD "%s %s %s %llu %u ", o->vip, endpoint_format(&o->at, at), words[o->state],
		   (unsigned long long)o->since_ms, o->timeout_ms);
	lex_quote(o->by, out);
	buf_putc(out, ' ');
	lex_quote(o->reason, out);
	buf_putc(out, '\n');
}

void asides_write(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->asides; i++)
		override_write(&c->aside[i], out);
}

size_t asides_begin(const char *text, size_t len)
{
	const char *at = strncmp(text, ASIDE_WORD, strlen(ASIDE_WORD)) ? strstr(text, "\n" ASIDE_WORD) : text;

	return !at ? len : at == text ? 0 : (size_t)(at + 1 - text);
}

/* Return: whether the words are a line; whatever else they may be, asides_write() writes them otherwise. */
static bool line_read(const struct lex_line *line, struct override *ret)
{
	const char *const *w = line->word;
	struct override o = {0};

	if (line->count != 8 || strcmp(w[0], "aside") != 0 || strlen(w[1]) >= sizeof(o.vip) ||
	    endpoint_parse(w[2], &o.at) || strlen(w[6]) >= sizeof(o.by) || strlen(w[7]) >= sizeof(o.reason))
		return false;
	if (!override_find(w[3], &o.state))
		return false;
	o.since_ms = strtoull(w[4], NULL, 10);
	o.timeout_ms = (__u32)strtoul(w[5], NULL, 10);
	strcpy(o.vip, w[1]);
	strcpy(o.by, w[6]);
	strcpy(o.reason, w[7]);
	*ret = o;
	return true;
}

static int line_take(struct config *c, const struct lex_line *line, struct err *err)
{
	struct override o;

	if (!line_read(line, &o) || o.state == OVERRIDE_NONE)
		return err_set(err, EBADMSG, "this is nothing that is put aside");
	if (!is_of_backend(c, &o))
		return err_set(err, EBADMSG, "what is put aside is no backend of %s", o.vip);
	if (c->asides && override_order(&c->aside[c->asides - 1], &o) >= 0)
		return err_set(err, EBADMSG, "what is put aside is out of order");
	return array_insert(&c->aside, &c->asides, sizeof(o), c->asides, &o);
}

int override_read(const char *text, size_t len, struct override *ret)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct buf again = BUF_INIT;
	struct override o;
	struct lex lex;
	bool is = false;

	lex_begin(&lex, text, len, "");
	if (line && lex_next(&lex, line, NULL) > 0 && line_read(line, &o)) {
		override_write(&o, &again);
		is = !buf_error(&again) && again.len == len && !memcmp(buf_text(&again), text, len);
	}
	buf_free(&again);
	free(line);
	if (!is)
		return -EBADMSG;
	*ret = o;
	return 0;
}

static int is_canonical(const struct config *c, const char *text, size_t len, struct err *err)
{
	struct buf again = BUF_INIT;
	int rc;

	asides_write(c, &again);
	rc = buf_error(&again);
	if (!rc && (again.len != len || memcmp(buf_text(&again), text, len) != 0))
		rc = err_set(err, EBADMSG, "what is put aside is not written as it should be");
	buf_free(&again);
	return rc;
}

int asides_read(struct config *c, const char *text, size_t len, struct err *err)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct lex lex;
	int got = 0, rc = line ? 0 : -ENOMEM;

	asides_clear(c);
	lex_begin(&lex, text, len, "");
	while (!rc && (got = lex_next(&lex, line, err)) > 0)
		rc = line_take(c, line, err);
	free(line);
	if (!rc && got < 0)
		rc = err_set(err, EBADMSG, "what is put aside is no text of words");
	if (!rc)
		rc = is_canonical(c, text, len, err);
	if (rc)
		asides_clear(c);
	return rc;
}
