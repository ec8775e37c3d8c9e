/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signatures as three functions, so that a simulated flock can have ideal ones: the real ones
 * would take nearly all of its time. Not here: libsodium's (io), keys at rest, seals of packets.
 *
 * Whatever is signed begins with four bytes that nothing else begins with, so that a signature for
 * one purpose is none for another.
 */
#ifndef STARLING_CORE_SIGNING_H
#define STARLING_CORE_SIGNING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/roster.h"

#define SIGNATURE_BYTES 64 /* Ed25519 */
#define HASH_BYTES	32 /* BLAKE2b-256 */

struct signing {
	void *arg; /* first argument of each; has the secret key */
	/* With the own key. Return: 0, or -errno where there is no key. */
	int (*sign)(void *arg, const void *bytes, size_t len, __u8 ret_signature[SIGNATURE_BYTES]);
	bool (*verify)(void *arg, const struct roster_key *key, const void *bytes, size_t len,
		       const __u8 signature[SIGNATURE_BYTES]);
	void (*hash)(void *arg, const void *bytes, size_t len, __u8 ret_hash[HASH_BYTES]);
};

#endif
