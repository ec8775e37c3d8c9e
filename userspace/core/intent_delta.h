/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A small change of a tree in so few bytes that it rides on the question whether others could run it. Not here: what
 * does not fit, which is fetched (daemon/peers_objects.c), what trees say (intent.h).
 *
 * One item for each object that the new tree has and the known one has not: struct intent_delta_item, then the text,
 * deflated (RFC 1950) with the text of the object that was in its place as the dictionary (section 2.2, FDICT). Who
 * reads it adds texts by the names that they have, so a false one is an object that no tree names, and goes again.
 */
#ifndef STARLING_CORE_INTENT_DELTA_H
#define STARLING_CORE_INTENT_DELTA_H

#include "core/intent.h"

#define INTENT_DELTA_BYTES (64u << 10) /* of all texts of one, inflated: a VIP of 64 backends has 3 kB, a root 5 */

/* Before each text, on the wire. */
struct intent_delta_item {
	__le64 like;  /* how the name of the object that was there begins; 0: there was none */
	__le32 len;   /* of the text */
	__le16 bytes; /* that follow */
	__le16 pad;   /* zero */
};
_Static_assert(sizeof(struct intent_delta_item) == 16, "on the wire");

/**
 * intent_delta_write() - what makes one tree of another
 * @o:		has both
 * @root:	of the new tree
 * @known:	of the other one
 * @ret:	at most @room bytes
 *
 * Return: number of bytes; 0: it does not fit, is more than INTENT_DELTA_BYTES, or @o has not all of it.
 */
size_t intent_delta_write(const struct objects *o, const struct object_name *root, const struct object_name *known,
			  __u8 *ret, size_t room);

/**
 * intent_delta_read() - add the objects of one
 * @hash:	its hash() alone is used
 * @bytes:	of any content
 *
 * Objects that came before what makes no sense are added all the same.
 * Return: 0; -EBADMSG; -ENOENT: an object that was there is not here; -EMSGSIZE: too much; -ENOMEM.
 */
int intent_delta_read(struct objects *o, const struct signing *hash, const void *bytes, size_t len);

#endif
