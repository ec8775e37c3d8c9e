// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Roots and buckets as texts, read. Not here: making them (intent_build.c), what they name (intent.c).
 *
 * Objects come from anywhere, so nothing takes a text for what its name is said to stand for. A root is read leniently
 * and written again: it is one only if that gives the same bytes, so what it says has one text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/intent_private.h"
#include "core/lex.h"

/* --- texts --- */

static bool number_read(const char *text, __u32 *ret)
{
	__u64 n = strtoull(text, NULL, 10);

	*ret = (__u32)n;
	return n == *ret;
}

static bool text_read(const char *text, char *ret, size_t room)
{
	size_t len = strlen(text);

	if (len >= room)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

/* "word value": whether it is a line of a root, whatever its place. */
static bool root_pair_read(struct root_text *r, const char *word, const char *value)
{
	struct intent_root *s = &r->says;

	if (!strcmp(word, "level"))
		return number_read(value, &s->level);
	if (!strcmp(word, "table"))
		return number_read(value, &s->table);
	if (!strcmp(word, "generation"))
		return number_read(value, &s->generation);
	if (!strcmp(word, "previous"))
		return hex_read(value, HASH_BYTES, s->previous.byte);
	if (!strcmp(word, "by"))
		return text_read(value, s->by, sizeof(s->by));
	if (!strcmp(word, "command"))
		return text_read(value, s->command, sizeof(s->command));
	if (!strcmp(word, "rest"))
		return hex_read(value, HASH_BYTES, r->rest.byte);
	if (!strcmp(word, "aside"))
		return hex_read(value, HASH_BYTES, r->aside.byte);
	if (!strcmp(word, "signature"))
		return hex_read(value, SIGNATURE_BYTES, r->signature);
	if (!strcmp(word, "node"))
		s->node = strtoull(value, NULL, 16);
	else if (!strcmp(word, "time"))
		s->time_ms = strtoull(value, NULL, 10);
	else
		return false;
	return true;
}

static bool root_line_read(struct root_text *r, const struct lex_line *line)
{
	const char *const *word = line->word;
	__u32 number;

	if (line->count == 2)
		return root_pair_read(r, word[0], word[1]);
	if (line->count != 3)
		return false;
	if (!strcmp(word[0], "bucket"))
		return number_read(word[1], &number) && number < INTENT_BUCKETS &&
		       hex_read(word[2], HASH_BYTES, r->bucket[number].byte);
	return !strcmp(word[0], "starling") && !strcmp(word[1], "intent") && !strcmp(word[2], "1");
}

/* The level comes before what other levels may have: nothing behind it is looked at. */
static int root_lines_read(const struct object *root, struct root_text *r, struct err *err)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct lex lex;
	int got, rc = 0;

	if (!line)
		return -ENOMEM;
	lex_begin(&lex, root->text, root->len, "");
	while (!rc && (got = lex_next(&lex, line, err))) {
		if (got < 0 || !root_line_read(r, line))
			rc = got < 0 ? -EBADMSG
				     : err_set(err, EBADMSG, "line %d says nothing of a root", line->place[0].line);
		else if (r->says.level > INTENT_LEVEL)
			rc = err_set(err, EBADMSG, "it is of level %u, and this version understands level %u at most",
				     r->says.level, INTENT_LEVEL);
	}
	if (!rc && (!r->says.level || !r->says.table))
		rc = err_set(err, EBADMSG, "it says no level, or no table");
	if (!rc && r->says.table > INTENT_TABLE)
		rc = err_set(err, EBADMSG, "its homes are of table %u, and this version knows table %u at most",
			     r->says.table, INTENT_TABLE);
	free(line);
	return rc;
}

/* Whether a root's text is the one that its content has. */
static int root_text_check(const struct object *root, struct root_text *r, struct err *err)
{
	struct buf text = BUF_INIT;
	int line = 1, rc = 0;
	size_t at = 0;

	root_text_format(r, &text);
	r->signed_len = text.len;
	root_signature_format(r, &text);
	rc = buf_error(&text);
	while (!rc && at < text.len && at < root->len && text.text[at] == root->text[at])
		line += text.text[at++] == '\n';
	if (!rc && (at < text.len || at < root->len))
		rc = err_set(err, EBADMSG, "it differs in line %d from what it should be", line);
	buf_free(&text);
	return rc;
}

int root_text_parse(const struct object *root, struct root_text *ret, struct err *err)
{
	char hex[2 * HASH_BYTES + 1];
	struct root_text r;
	int rc;

	memset(&r, 0, sizeof(r));
	rc = root_lines_read(root, &r, err);
	if (!rc)
		rc = root_text_check(root, &r, err);
	if (!rc)
		*ret = r;
	if (rc != -EBADMSG || !err)
		return rc;
	err->code = EBADMSG; /* of lex_next() it has another */
	err_prefix(err, "root %s", object_name_format(&root->name, hex));
	return -EBADMSG;
}

int bucket_next(const struct object *bucket, size_t *at, struct bucket_vip *ret)
{
	const char *text = bucket->text + *at;
	struct bucket_vip vip;
	size_t len;

	if (*at == bucket->len)
		return 0;
	if (strncmp(text, "vip ", 4) != 0)
		return -EBADMSG;
	text += 4;
	len = strcspn(text, " ");
	if (len >= sizeof(vip.name))
		return -EBADMSG;
	memset(&vip, 0, sizeof(vip));
	memcpy(vip.name, text, len);
	text += len;
	/* The NUL behind a text ends all of these. */
	if (!lex_is_name(vip.name) || *text != ' ' || !hex_read(text + 1, HASH_BYTES, vip.object.byte) ||
	    text[1 + 2 * HASH_BYTES] != '\n' || object_name_none(&vip.object))
		return -EBADMSG;
	*at = (size_t)(text + 2 + 2 * HASH_BYTES - bucket->text);
	*ret = vip;
	return 1;
}

/* --- roots --- */

static int root_allow(const struct object *root, const struct root_text *r, const struct roster *roster,
		      const struct signing *signing, struct err *err)
{
	const struct roster_node *node = roster_find_id(roster, r->says.node);
	char id[ROSTER_ID_TEXT_BYTES];
	bool admins = false;
	size_t i;

	roster_id_format(r->says.node, id);
	if (!node)
		return err_set(err, EACCES, "generation %u was made on node %s, which is not in the roster",
			       r->says.generation, id);
	for (i = 0; i < roster->count; i++)
		admins |= (roster->node[i].roles & ROLE_ADMIN) != 0;
	if (admins && !(node->roles & ROLE_ADMIN))
		return err_set(err, EACCES, "generation %u was made on node %s (%s), which has not the role admin",
			       r->says.generation, node->name, id);
	if (!signing->verify(signing->arg, &node->key, root->text, r->signed_len, r->signature))
		return err_set(err, EACCES,
			       "generation %u is said to be made on node %s (%s), but has not its signature",
			       r->says.generation, node->name, id);
	return 0;
}

int intent_root_read(const struct objects *o, const struct object_name *name, const struct roster *roster,
		     const struct signing *signing, struct intent_root *ret, struct err *err)
{
	const struct object *root = objects_find(o, name);
	struct root_text r;
	int rc;

	if (!root)
		return -ENOENT;
	rc = root_text_parse(root, &r, err);
	if (!rc && roster)
		rc = root_allow(root, &r, roster, signing, err);
	if (!rc)
		*ret = r.says;
	return rc;
}
