// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trees of objects: what lacks, what is kept, the configuration. Not here: making them (intent_build.c), roots and
 * buckets as texts (intent_root.c), sets of objects (intent_objects.c), the register's value (intent_value.c).
 */
#include "core/intent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/aside.h"
#include "core/intent_private.h"

/* Names that were found lacking, as a hash table without further memory: all zero is free. */
struct lack {
	struct object_name *name;
	size_t count, room;
};

static void lack_add(struct lack *l, const struct object_name *name)
{
	__u64 hash;
	size_t at;

	if (l->count == l->room)
		return;
	memcpy(&hash, name->byte, sizeof(hash));
	for (at = hash % l->room; !object_name_none(&l->name[at]); at = (at + 1) % l->room)
		if (object_name_is(&l->name[at], name))
			return;
	l->name[at] = *name;
	l->count++;
}

/* An object, or a note that it lacks. */
static const struct object *want(const struct objects *o, const struct object_name *name, struct lack *l)
{
	const struct object *object = object_name_none(name) ? NULL : objects_find(o, name);

	if (!object && !object_name_none(name))
		lack_add(l, name);
	return object;
}

static void tree_walk(const struct objects *o, const struct object_name *name, struct lack *l)
{
	const struct object *root = want(o, name, l), *bucket[INTENT_BUCKETS];
	struct bucket_vip vip;
	struct root_text r;
	size_t i, at;

	if (!root || root_text_parse(root, &r, NULL))
		return;
	want(o, &r.rest, l);
	want(o, &r.aside, l);
	for (i = 0; i < INTENT_BUCKETS; i++)
		bucket[i] = want(o, &r.bucket[i], l);
	for (i = 0; i < INTENT_BUCKETS; i++)
		for (at = 0; bucket[i] && l->count < l->room && bucket_next(bucket[i], &at, &vip) > 0;)
			want(o, &vip.object, l);
}

size_t intent_lacking(const struct objects *o, const struct object_name *root, struct object_name *ret, size_t room)
{
	struct lack l = {ret, 0, room};
	size_t i, count = 0;

	memset(ret, 0, room * sizeof(*ret));
	tree_walk(o, root, &l);
	for (i = 0; i < room; i++)
		if (!object_name_none(&ret[i]))
			ret[count++] = ret[i];
	return count;
}

#define KEEP_IT	    1 /* it is in a tree */
#define KEEP_WALKED 2 /* as a bucket: what it names is kept */

/* The object that is kept, or NULL. */
static const struct object *keep_mark(const struct objects *o, const struct object_name *name, char *mark)
{
	const struct object *object = object_name_none(name) ? NULL : objects_find(o, name);

	if (object)
		mark[object - o->object] |= KEEP_IT;
	return object;
}

static void keep_tree(const struct objects *o, const struct object_name *name, char *mark)
{
	const struct object *root = keep_mark(o, name, mark), *bucket;
	struct bucket_vip vip;
	struct root_text r;
	size_t i, at;

	if (!root || root_text_parse(root, &r, NULL))
		return;
	keep_mark(o, &r.rest, mark);
	keep_mark(o, &r.aside, mark);
	for (i = 0; i < INTENT_BUCKETS; i++) {
		bucket = keep_mark(o, &r.bucket[i], mark);
		if (!bucket || mark[bucket - o->object] & KEEP_WALKED)
			continue;
		mark[bucket - o->object] |= KEEP_WALKED;
		for (at = 0; bucket_next(bucket, &at, &vip) > 0;)
			keep_mark(o, &vip.object, mark);
	}
}

void intent_keep(struct objects *o, const struct object_name *root, size_t count)
{
	char *mark = calloc(o->count + 1, 1);
	size_t i, kept = 0;

	if (!mark)
		return;
	for (i = 0; i < count; i++)
		keep_tree(o, &root[i], mark);
	for (i = 0; i < o->count; i++) {
		if (mark[i])
			o->object[kept++] = o->object[i];
		else
			free(o->object[i].text);
	}
	o->count = kept;
	free(mark);
}

/* --- the configuration --- */

/* The texts that make a configuration, in its order. */
struct reading {
	const struct objects *objects;
	const struct object *rest;  /* NULL: no roster */
	const struct object *aside; /* NULL: nothing is put aside */
	struct bucket_vip *vip;	    /* owned; by name */
	size_t count;
	size_t len; /* of all texts, and of the empty lines between them */
	struct err *err;
};

static int bad(const struct reading *r, const struct object *object, const char *what)
{
	char hex[2 * HASH_BYTES + 1];

	return err_set(r->err, EBADMSG, "object %s %s", object_name_format(&object->name, hex), what);
}

static int bucket_read(struct reading *r, const struct object_name *name, __u32 number)
{
	const struct object *bucket = objects_find(r->objects, name);
	char last[STARLING_NAME_BYTES] = "";
	struct bucket_vip vip;
	size_t at = 0;
	int got;

	if (!bucket)
		return -ENOENT;
	while ((got = bucket_next(bucket, &at, &vip)) > 0) {
		if (strcmp(last, vip.name) >= 0 || intent_bucket(vip.name) != number)
			return bad(r, bucket, "names VIPs out of order, or of another bucket");
		if (r->count == STARLING_VIPS_MAX)
			return err_set(r->err, EBADMSG, "there are more than %u VIPs", STARLING_VIPS_MAX);
		if (array_insert(&r->vip, &r->count, sizeof(vip), r->count, &vip))
			return -ENOMEM;
		memcpy(last, vip.name, sizeof(last));
	}
	return got ? bad(r, bucket, "is no bucket of VIPs") : 0;
}

static int vip_order(const void *a, const void *b)
{
	return strcmp(((const struct bucket_vip *)a)->name, ((const struct bucket_vip *)b)->name);
}

static bool begins(const char *line, const char *begin)
{
	return !strncmp(line, begin, strlen(begin));
}

/* Whether a text has only whole lines, the first and the further ones with these beginnings. */
static bool lines_begin(const struct object *o, const char *first, const char *further, const char *or_further)
{
	const char *at = o->text, *end = o->text + o->len, *newline;

	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline || !(at == o->text ? begins(at, first) : begins(at, further) || begins(at, or_further)))
			return false;
	}
	return true;
}

static bool reading_add(struct reading *r, size_t len)
{
	return !__builtin_add_overflow(r->len, len, &r->len) && r->len <= STARLING_CONFIG_BYTES;
}

/* A VIP's object speaks of this VIP alone, and the rest of the roster: nothing that is a node's own comes in. */
static int texts_check(struct reading *r)
{
	char first[STARLING_NAME_BYTES + 16], check[STARLING_NAME_BYTES + 16], backend[STARLING_NAME_BYTES + 16];
	size_t i;

	if (r->rest && !lines_begin(r->rest, "roster add ", "roster add ", "roster add "))
		return bad(r, r->rest, "is no roster");
	if (r->aside && !lines_begin(r->aside, ASIDE_WORD, ASIDE_WORD, ASIDE_WORD))
		return bad(r, r->aside, "is nothing that is put aside");
	if ((r->rest && !reading_add(r, r->rest->len)) || (r->aside && !reading_add(r, r->aside->len)))
		return -EFBIG;
	for (i = 0; i < r->count; i++) {
		const struct object *vip = objects_find(r->objects, &r->vip[i].object);

		if (!vip)
			return -ENOENT;
		snprintf(first, sizeof(first), "vip add %s ", r->vip[i].name);
		snprintf(check, sizeof(check), "health set %s ", r->vip[i].name);
		snprintf(backend, sizeof(backend), "backend add %s ", r->vip[i].name);
		if (!lines_begin(vip, first, check, backend)) {
			bad(r, vip, "speaks of something else");
			err_prefix(r->err, "VIP %s", r->vip[i].name);
			return -EBADMSG;
		}
		if (!reading_add(r, vip->len + (r->len ? 1 : 0)))
			return -EFBIG;
	}
	return 0;
}

static int reading_make(struct reading *r, const struct object_name *name)
{
	const struct object *root = objects_find(r->objects, name);
	struct root_text text;
	__u32 i;
	int rc;

	if (!root)
		return -ENOENT;
	rc = root_text_parse(root, &text, r->err);
	if (!rc && !object_name_none(&text.rest)) {
		r->rest = objects_find(r->objects, &text.rest);
		rc = r->rest ? 0 : -ENOENT;
	}
	if (!rc && !object_name_none(&text.aside)) {
		r->aside = objects_find(r->objects, &text.aside);
		rc = r->aside ? 0 : -ENOENT;
	}
	for (i = 0; i < INTENT_BUCKETS && !rc; i++)
		if (!object_name_none(&text.bucket[i]))
			rc = bucket_read(r, &text.bucket[i], i);
	if (rc)
		return rc;
	if (r->count)
		qsort(r->vip, r->count, sizeof(*r->vip), vip_order);
	return texts_check(r);
}

/* As config_export_agreed() does it, so that the text is its text. */
static void reading_write(const struct reading *r, struct buf *out)
{
	const struct object *vip;
	size_t i, begin = out->len;

	if (r->rest)
		buf_add(out, r->rest->text, r->rest->len);
	for (i = 0; i < r->count; i++) {
		vip = objects_find(r->objects, &r->vip[i].object);
		if (out->len > begin)
			buf_putc(out, '\n');
		buf_add(out, vip->text, vip->len);
	}
	if (r->aside)
		buf_add(out, r->aside->text, r->aside->len);
}

int intent_read(const struct objects *o, const struct object_name *root, struct buf *out, struct err *err)
{
	struct reading r = {.objects = o, .err = err};
	int rc = reading_make(&r, root);

	if (!rc && r.len && buf_reserve(out, r.len))
		rc = -ENOMEM;
	if (!rc)
		reading_write(&r, out);
	free(r.vip);
	return rc;
}

/* Leave in @r what @known does not say the same way. */
static void reading_subtract(struct reading *r, const struct reading *known, intent_gone_fn *gone, void *arg)
{
	size_t i, k = 0, left = 0;
	int order;

	if (r->rest == known->rest)
		r->rest = NULL;
	else
		gone(arg, "");
	for (i = 0; i < r->count || k < known->count;) {
		order = i == r->count ? 1 : k == known->count ? -1 : vip_order(&r->vip[i], &known->vip[k]);
		if (order > 0)
			gone(arg, known->vip[k].name);
		else if (order < 0 || !object_name_is(&r->vip[i].object, &known->vip[k].object))
			r->vip[left++] = r->vip[i];
		i += order <= 0;
		k += order >= 0;
	}
	r->count = left;
}

int intent_changed(const struct objects *o, const struct object_name *root, const struct object_name *known,
		   struct buf *out, intent_gone_fn *gone, void *arg, struct err *err)
{
	struct reading r = {.objects = o, .err = err}, k = {.objects = o, .err = err};
	int rc = reading_make(&r, root);

	if (!rc)
		rc = reading_make(&k, known);
	if (!rc) {
		reading_subtract(&r, &k, gone, arg);
		reading_write(&r, out);
		rc = buf_error(out);
	}
	free(r.vip);
	free(k.vip);
	return rc;
}
