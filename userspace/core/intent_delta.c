// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See intent_delta.h.
 */
#define ZLIB_CONST /* it does not write to what it reads */
#include "core/intent_delta.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/array.h"
#include "core/intent_private.h"

/* --- writing --- */

struct writing {
	const struct objects *objects;
	__u8 *bytes;
	size_t len, room;
	size_t inflated;
	bool failed; /* something does not fit, or is not here */
};

static __u64 name_begin(const struct object_name *name)
{
	__le64 begin;

	memcpy(&begin, name->byte, sizeof(begin));
	return le64toh(begin);
}

/* Return: number of bytes; 0: more than @room, or no memory. */
static size_t text_deflate(const struct object *text, const struct object *like, __u8 *ret, size_t room)
{
	z_stream z = {.next_in = (const Bytef *)text->text,
		      .avail_in = (uInt)text->len,
		      .next_out = ret,
		      .avail_out = (uInt)room};
	size_t bytes = 0;

	if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK)
		return 0;
	if ((!like || deflateSetDictionary(&z, (const Bytef *)like->text, (uInt)like->len) == Z_OK) &&
	    deflate(&z, Z_FINISH) == Z_STREAM_END)
		bytes = room - z.avail_out;
	deflateEnd(&z);
	return bytes;
}

static void item_write(struct writing *w, const struct object_name *name, const struct object_name *was)
{
	const struct object *text, *like = was && !object_name_none(was) ? objects_find(w->objects, was) : NULL;
	struct intent_delta_item item = {0};
	size_t bytes;

	if (w->failed || object_name_none(name) || (was && object_name_is(name, was)))
		return;
	text = objects_find(w->objects, name);
	w->failed = !text || text->len > INTENT_DELTA_BYTES - w->inflated || w->room - w->len <= sizeof(item);
	if (w->failed)
		return;
	w->inflated += text->len;
	bytes = text_deflate(text, like, w->bytes + w->len + sizeof(item), w->room - w->len - sizeof(item));
	w->failed = !bytes || bytes > UINT16_MAX;
	item.like = htole64(like ? name_begin(was) : 0);
	item.len = htole32((__u32)text->len);
	item.bytes = htole16((__u16)bytes);
	memcpy(w->bytes + w->len, &item, sizeof(item));
	w->len += sizeof(item) + bytes;
}

/* VIPs stand in order of their names, in both. */
static void bucket_write(struct writing *w, const struct object_name *name, const struct object_name *was)
{
	const struct object *bucket = objects_find(w->objects, name), *old = objects_find(w->objects, was);
	size_t at = 0, old_at = 0;
	struct bucket_vip vip, former = {0};
	bool more = old && bucket_next(old, &old_at, &former) > 0;

	while (bucket && bucket_next(bucket, &at, &vip) > 0) {
		while (more && strcmp(former.name, vip.name) < 0)
			more = bucket_next(old, &old_at, &former) > 0;
		item_write(w, &vip.object, more && !strcmp(former.name, vip.name) ? &former.object : NULL);
	}
}

size_t intent_delta_write(const struct objects *o, const struct object_name *root, const struct object_name *known,
			  __u8 *ret, size_t room)
{
	const struct object *text = objects_find(o, root), *known_text = objects_find(o, known);
	struct writing w = {.objects = o, .bytes = ret, .room = room};
	struct root_text is, was;
	size_t i;

	if (!text || !known_text || root_text_parse(text, &is, NULL) || root_text_parse(known_text, &was, NULL))
		return 0;
	item_write(&w, root, known);
	item_write(&w, &is.rest, &was.rest);
	item_write(&w, &is.aside, &was.aside);
	for (i = 0; i < INTENT_BUCKETS; i++) {
		if (object_name_is(&is.bucket[i], &was.bucket[i]))
			continue;
		item_write(&w, &is.bucket[i], &was.bucket[i]);
		bucket_write(&w, &is.bucket[i], &was.bucket[i]);
	}
	return w.failed ? 0 : w.len;
}

/* --- reading --- */

static int begin_order(const void *begin, const void *object)
{
	__le64 wanted = htole64(*(const __u64 *)begin);

	return memcmp(&wanted, ((const struct object *)object)->name.byte, sizeof(wanted));
}

/* Return: 0, or -EBADMSG. */
static int text_inflate(const __u8 *bytes, size_t len, const struct object *like, char *ret, size_t ret_len)
{
	z_stream z = {.next_in = bytes, .avail_in = (uInt)len, .next_out = (Bytef *)ret, .avail_out = (uInt)ret_len};
	int rc;

	if (inflateInit(&z) != Z_OK)
		return -EBADMSG;
	rc = inflate(&z, Z_FINISH);
	if (rc == Z_NEED_DICT && like && inflateSetDictionary(&z, (const Bytef *)like->text, (uInt)like->len) == Z_OK)
		rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return rc == Z_STREAM_END && !z.avail_in && !z.avail_out ? 0 : -EBADMSG;
}

/* Return: 0; -EBADMSG; -ENOENT; -ENOMEM. */
static int item_read(struct objects *o, const struct signing *hash, const struct intent_delta_item *item,
		     const __u8 *bytes)
{
	__u64 begin = le64toh(item->like);
	size_t len = le32toh(item->len), at;
	char *text;
	int rc;

	if (begin && !array_find(o->object, o->count, sizeof(*o->object), &begin, begin_order, &at))
		return -ENOENT;
	text = malloc(len);
	if (!text)
		return -ENOMEM;
	rc = text_inflate(bytes, le16toh(item->bytes), begin ? &o->object[at] : NULL, text, len);
	if (!rc)
		rc = objects_add(o, hash, text, len, NULL);
	free(text);
	return rc;
}

int intent_delta_read(struct objects *o, const struct signing *hash, const void *bytes, size_t len)
{
	const __u8 *at = bytes, *end = at + len;
	struct intent_delta_item item;
	size_t all = 0;
	int rc = 0;

	while (!rc && at < end) {
		if ((size_t)(end - at) < sizeof(item))
			return -EBADMSG;
		memcpy(&item, at, sizeof(item));
		at += sizeof(item);
		if (item.pad || !item.len || le16toh(item.bytes) > end - at)
			return -EBADMSG;
		if (le32toh(item.len) > INTENT_DELTA_BYTES - all)
			return -EMSGSIZE;
		all += le32toh(item.len);
		rc = item_read(o, hash, &item, at);
		at += le16toh(item.bytes);
	}
	return rc;
}
