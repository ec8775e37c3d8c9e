/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What came about at once beyond the lines that it may have in an audit log: counted in one line, which binds the log
 * to each proof all the same. Pure. Not here: lines (audit.h), which have one of their own (daemon/health.c).
 *
 *	and by votes 230 more are down, 4 up: certificates 9f2c41d0...
 *
 * The hash is BLAKE2b-256 of the certificates' own hashes (BLAKE2b-256 each, 32 bytes), in ascending order, one behind
 * the other: who has the certificates can make it again, in whatever order they came, and nobody can exchange one.
 */
#ifndef STARLING_CORE_AUDIT_REST_H
#define STARLING_CORE_AUDIT_REST_H

#include "base/buf.h"
#include "core/signing.h"

#define AUDIT_REST_MAX 1024 /* of one line: 32 KiB of hashes */

struct audit_rest {
	unsigned int down, up;
	__u8 hash[AUDIT_REST_MAX][HASH_BYTES]; /* @down + @up of them */
};

/* One more: a certificate's hash. Return: whether that was the last that has room; then it has to be written. */
bool audit_rest_add(struct audit_rest *rest, bool up, const __u8 hash[HASH_BYTES]);

/* What the line says, appended to @out. Return: whether there is anything to be said. It is empty again. */
bool audit_rest_take(struct audit_rest *rest, const struct signing *signing, struct buf *out);

#endif
