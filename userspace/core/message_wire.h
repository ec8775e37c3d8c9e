/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of messages: Protocol Buffers by the schema starling/wire.proto. Not here: seals (io/seal.h), what
 * messages are for (message.h).
 */
#ifndef STARLING_CORE_MESSAGE_WIRE_H
#define STARLING_CORE_MESSAGE_WIRE_H

#include "core/message.h"

/* The bytes of a message. @room: of @bytes. Return: how many, or -EMSGSIZE. */
int message_encode(const struct message *m, void *bytes, size_t room);

/**
 * message_decode() - what bytes say
 * @bytes:	of any kind; borrowed by the pages in @ret
 * @ret:	undefined on failure
 *
 * Fields that are not known are passed over; a field that is known and has more than it may makes all of it none.
 * Return: 0, or -EBADMSG.
 */
int message_decode(const void *bytes, size_t len, struct message *ret);

#endif
