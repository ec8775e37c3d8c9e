/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of the register's messages, and of what a voter keeps. Not here: their schema (starling/wire.proto), seals.
 */
#ifndef STARLING_CORE_CASPAXOS_WIRE_H
#define STARLING_CORE_CASPAXOS_WIRE_H

#include "core/caspaxos.h"

#define CASPAXOS_WIRE_BYTES 1128 /* of the longest message: caspaxos_wire_test */

/* Return: bytes written, or -EMSGSIZE. */
int caspaxos_encode(const struct caspaxos_message *m, void *bytes, size_t room);
/* Any bytes. Return: 0, or -EBADMSG. */
int caspaxos_decode(const void *bytes, size_t len, struct caspaxos_message *ret);

int caspaxos_state_encode(const struct caspaxos_state *s, void *bytes, size_t room);
int caspaxos_state_decode(const void *bytes, size_t len, struct caspaxos_state *ret);

/* A value alone, for pages. */
int caspaxos_value_encode(const struct caspaxos_value *v, void *bytes, size_t room);
int caspaxos_value_decode(const void *bytes, size_t len, struct caspaxos_value *ret);

#endif
