/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of intent trees: for intent*.c alone.
 */
#ifndef STARLING_CORE_INTENT_PRIVATE_H
#define STARLING_CORE_INTENT_PRIVATE_H

#include "core/intent.h"

/* A root's text, read. */
struct root_text {
	struct intent_root says;
	struct object_name rest, aside; /* all zero: none; likewise the buckets */
	struct object_name bucket[INTENT_BUCKETS];
	__u8 signature[SIGNATURE_BYTES];
	size_t signed_len; /* bytes before the signature's line */
};

/* A line of a bucket. */
struct bucket_vip {
	char name[STARLING_NAME_BYTES];
	struct object_name object;
};

/* Append a text that no object has yet, whatever the order; objects_merge() puts it right. -ENOMEM. */
int objects_append(struct objects *o, const struct object_name *name, const char *text, size_t len);

/* Move all of @from, which may be out of order, into @into. Return: 0, or -ENOMEM with both unchanged. */
int objects_merge(struct objects *into, struct objects *from);

/* Lower case only. Return: whether the text begins with so many bytes. */
bool hex_read(const char *text, size_t bytes, __u8 *ret);

__u32 intent_bucket(const char *vip);

/* What is signed of a root. */
void root_text_format(const struct root_text *r, struct buf *out);
void root_signature_format(const struct root_text *r, struct buf *out);

/* Return: 0; -EBADMSG with @err; -ENOMEM. */
int root_text_parse(const struct object *root, struct root_text *ret, struct err *err);

/**
 * bucket_next() - the next line of a bucket
 * @at:		0 at first
 *
 * Return: 1; 0 at the end; -EBADMSG: this is none.
 */
int bucket_next(const struct object *bucket, size_t *at, struct bucket_vip *ret);

#endif
