/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signatures that are always right, and a hash that costs little: what lies behind them is to be fuzzed. Not here: the
 * real ones (io/secrets.h).
 */
#ifndef TESTS_FUZZ_ANY_SIGNING_H
#define TESTS_FUZZ_ANY_SIGNING_H

#include <string.h>

#include "core/signing.h"

static int any_sign(void *arg, const void *bytes, size_t len, __u8 ret_signature[SIGNATURE_BYTES])
{
	(void)arg;
	(void)bytes;
	(void)len;
	memset(ret_signature, 0, SIGNATURE_BYTES);
	return 0;
}

static bool any_verify(void *arg, const struct roster_key *key, const void *bytes, size_t len,
		       const __u8 signature[SIGNATURE_BYTES])
{
	(void)arg;
	(void)key;
	(void)bytes;
	(void)len;
	(void)signature;
	return true;
}

/* FNV-1a; the rest is not zero, which would name nothing. */
static void any_hash(void *arg, const void *bytes, size_t len, __u8 ret_hash[HASH_BYTES])
{
	const __u8 *byte = bytes;
	__u64 hash = 0xcbf29ce484222325ULL;

	(void)arg;
	while (len--)
		hash = (hash ^ *byte++) * 0x100000001b3ULL;
	memset(ret_hash, 0x11, HASH_BYTES);
	memcpy(ret_hash, &hash, sizeof(hash));
}

static const struct signing any = {NULL, any_sign, any_verify, any_hash};

#endif
