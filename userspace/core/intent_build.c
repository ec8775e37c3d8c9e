// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A configuration to the objects of its tree. Not here: reading them (intent.c).
 */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "core/aside.h"
#include "core/config_file.h"
#include "core/config_lines.h"
#include "core/intent_private.h"
#include "core/lex.h"
#include "core/mix.h"

struct builder {
	const struct signing *signing;
	struct objects *objects; /* NULL: names alone are wanted */
	struct buf text;	 /* of the object that is being made */
	struct buf bucket[INTENT_BUCKETS];
	struct err *err;

	/* What is like most of it, and where its objects are; NULL: nothing is. */
	const struct config *known;
	const struct objects *known_objects;
	struct root_text known_tree;
};

__u32 intent_bucket(const char *vip)
{
	__u64 hash = 0;

	while (*vip)
		hash = mix64(hash ^ (__u8)*vip++);
	return mix_below(hash, INTENT_BUCKETS);
}

/* A text is whole; "kind name" is for errors. The text is empty afterwards. */
static int object_make(struct builder *b, struct buf *text, const char *kind, const char *name, struct object_name *ret)
{
	int rc = 0;

	if (buf_error(text))
		return -ENOMEM;
	if (text->len > INTENT_OBJECT_BYTES)
		return err_set(b->err, EMSGSIZE,
			       "%s%s%s is %zu bytes of configuration, more than the %u that it may be", kind,
			       *name ? " " : "", name, text->len, INTENT_OBJECT_BYTES);
	b->signing->hash(b->signing->arg, text->text, text->len, ret->byte);
	if (b->objects)
		rc = objects_append(b->objects, ret, text->text, text->len);
	buf_clear(text);
	return rc;
}

/* Whether the VIP's object is there already. */
static bool vip_known(const struct builder *b, const struct vip_config *vip, struct object_name *ret)
{
	const struct vip_config *was = b->known ? config_vip(b->known, vip->name) : NULL;
	const struct object *bucket;
	struct bucket_vip line;
	size_t at = 0;

	if (!was || !config_vip_same(was, vip))
		return false;
	bucket = objects_find(b->known_objects, &b->known_tree.bucket[intent_bucket(vip->name)]);
	while (bucket && bucket_next(bucket, &at, &line) > 0) {
		if (strcmp(line.name, vip->name) != 0)
			continue;
		*ret = line.object;
		return objects_find(b->known_objects, &line.object);
	}
	return false;
}

/* VIPs come by name, so a bucket's lines are sorted. */
static int vip_make(struct builder *b, const struct vip_config *vip)
{
	struct buf *bucket = &b->bucket[intent_bucket(vip->name)];
	char hex[2 * HASH_BYTES + 1];
	struct object_name name;
	int rc = 0;

	if (!vip_known(b, vip, &name)) {
		config_export_vip(vip, &b->text);
		config_export_health(vip, &b->text);
		config_export_backends(vip, &b->text);
		rc = object_make(b, &b->text, "VIP", vip->name, &name);
	}
	if (!rc)
		buf_printf(bucket, "vip %s %s\n", vip->name, object_name_format(&name, hex));
	return rc;
}

/* All but the root; of @ret rest and buckets are set. */
static int tree_make(struct builder *b, const struct config *c, struct root_text *ret)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < c->vip_count && !rc; i++)
		rc = vip_make(b, &c->vip[i]);
	for (i = 0; i < INTENT_BUCKETS && !rc; i++)
		if (b->bucket[i].len || b->bucket[i].failed)
			rc = object_make(b, &b->bucket[i], "a bucket of VIPs", "", &ret->bucket[i]);
	if (!rc && c->roster.count) {
		config_export_seats(&c->roster, &b->text);
		rc = object_make(b, &b->text, "the roster", "", &ret->rest);
	}
	if (!rc && c->asides) {
		asides_write(c, &b->text);
		rc = object_make(b, &b->text, "what is put aside", "", &ret->aside);
	}
	return rc;
}

static void builder_free(struct builder *b)
{
	size_t i;

	buf_free(&b->text);
	for (i = 0; i < INTENT_BUCKETS; i++)
		buf_free(&b->bucket[i]);
}

/* Any bytes as a text that lex_next() reads again: who cuts one off may cut a character. */
static void text_clean(char *ret, const char *text, size_t room)
{
	size_t len = strnlen(text, room - 1), at = 0, step, i;

	while (at < len) {
		step = utf8_next(text + at, len - at);
		for (i = 0; i < step; i++)
			ret[at + i] = text[at + i];
		if (!step)
			ret[at] = '?';
		at += step ? step : 1;
	}
	memset(ret + len, 0, room - len);
}

static void name_line(const char *word, const struct object_name *name, struct buf *out)
{
	char hex[2 * HASH_BYTES + 1];

	if (!object_name_none(name))
		buf_printf(out, "%s %s\n", word, object_name_format(name, hex));
}

static void quoted_line(const char *word, const char *text, struct buf *out)
{
	buf_printf(out, "%s ", word);
	lex_quote(text, out);
	buf_putc(out, '\n');
}

/* Nothing else that is signed begins with "star", as signing.h wants. */
void root_text_format(const struct root_text *r, struct buf *out)
{
	const struct intent_root *s = &r->says;
	char hex[2 * HASH_BYTES + 1];
	size_t i;

	buf_printf(out, "starling intent 1\nlevel %u\ntable %u\ngeneration %u\n", s->level, s->table, s->generation);
	name_line("previous", &s->previous, out);
	buf_printf(out, "node %016llx\n", (unsigned long long)s->node);
	quoted_line("by", s->by, out);
	buf_printf(out, "time %llu\n", (unsigned long long)s->time_ms);
	quoted_line("command", s->command, out);
	name_line("rest", &r->rest, out);
	name_line("aside", &r->aside, out);
	for (i = 0; i < INTENT_BUCKETS; i++)
		if (!object_name_none(&r->bucket[i]))
			buf_printf(out, "bucket %zu %s\n", i, object_name_format(&r->bucket[i], hex));
}

void root_signature_format(const struct root_text *r, struct buf *out)
{
	size_t i;

	buf_puts(out, "signature ");
	for (i = 0; i < SIGNATURE_BYTES; i++)
		buf_printf(out, "%02x", r->signature[i]);
	buf_putc(out, '\n');
}

static int root_make(struct builder *b, struct root_text *r, struct object_name *ret)
{
	struct buf *text = &b->text;
	int rc;

	root_text_format(r, text);
	if (buf_error(text))
		return -ENOMEM;
	rc = b->signing->sign(b->signing->arg, text->text, text->len, r->signature);
	if (rc)
		return rc;
	root_signature_format(r, text);
	return object_make(b, text, "the root", "", ret);
}

int intent_build(const struct config *c, const struct intent_root *root, const struct signing *signing,
		 struct objects *into, struct object_name *ret_root, struct err *err)
{
	return intent_rebuild(c, NULL, NULL, root, signing, into, ret_root, err);
}

int intent_rebuild(const struct config *c, const struct config *known, const struct object_name *known_root,
		   const struct intent_root *root, const struct signing *signing, struct objects *into,
		   struct object_name *ret_root, struct err *err)
{
	const struct object *tree = known ? objects_find(into, known_root) : NULL;
	struct root_text r = {.says = *root};
	struct objects made = {0};
	struct builder b = {.signing = signing, .objects = &made, .err = err, .known_objects = into};
	struct object_name name;
	int rc;

	if (tree && !root_text_parse(tree, &b.known_tree, NULL))
		b.known = known;
	text_clean(r.says.by, root->by, sizeof(root->by));
	text_clean(r.says.command, root->command, sizeof(root->command));
	rc = tree_make(&b, c, &r);
	if (!rc)
		rc = root_make(&b, &r, &name);
	if (!rc)
		rc = objects_merge(into, &made);
	if (!rc)
		*ret_root = name;
	objects_free(&made);
	builder_free(&b);
	return rc;
}

int intent_same(const struct objects *o, const struct object_name *root, const struct config *c,
		const struct signing *hash)
{
	const struct object *text = objects_find(o, root);
	struct root_text theirs, ours = {0};
	struct builder b = {.signing = hash};
	int rc;

	rc = text ? root_text_parse(text, &theirs, NULL) : -EBADMSG;
	if (!rc)
		rc = tree_make(&b, c, &ours);
	builder_free(&b);
	if (!rc && (!object_name_is(&theirs.rest, &ours.rest) || !object_name_is(&theirs.aside, &ours.aside) ||
		    memcmp(theirs.bucket, ours.bucket, sizeof(ours.bucket)) != 0))
		rc = -EBADMSG;
	return rc == -ENOMEM ? rc : rc ? -EBADMSG : 0;
}
