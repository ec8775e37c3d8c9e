/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a node keeps to itself: its identity, the flock's keys, the seed of the flow hash. Each is a file of the
 * state directory that only the daemon's user may read, or a systemd credential of the name "starling.FILE", which
 * comes first and is never written. Nothing of it is ever shown but public keys and fingerprints.
 * Not here: what is sealed with them (seal.h), how they reach other nodes.
 */
#ifndef STARLING_IO_SECRETS_H
#define STARLING_IO_SECRETS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "core/roster.h"
#include "core/signing.h"

#define RING_KEYS      8 /* of a flock at one time: two while keys are changed, and room for those who forget */
#define RING_KEY_BYTES 32
#define SEED_WORDS     16

/* Ed25519; never leaves its node. */
struct identity {
	struct roster_key key;
	__u64 id;	 /* roster_id() of it */
	__u8 secret[64]; /* libsodium's form: RFC 8032 seed, then the public key */
};

/* The keys that make a flock. What is sent is sealed with the one in use; what comes may be sealed with any. */
struct ring {
	struct ring_key {
		__u32 id; /* ring_key_id(): its fingerprint, not 0 */
		__u8 byte[RING_KEY_BYTES];
	} key[RING_KEYS];
	size_t count;
	__u32 used; /* id of the one in use; 0: there is none */
	/* Which of several rings is the last: the higher number, then the higher author. */
	__u64 number; /* grows with each change; 0: its keys came as a file, nobody signed them */
	__u64 author; /* who changed it */
	__u8 signature[SIGNATURE_BYTES];
};

/* On the wire: number, author, used, count, keys (unused ones zero), signature. */
#define RING_BYTES (8 + 8 + 4 + 4 + RING_KEYS * RING_KEY_BYTES + SIGNATURE_BYTES)

/**
 * identity_open() - the identity of this node; made at the first start
 * @dir:	the node's state directory
 * @ret_made:	whether it is new
 * @err:	a sentence
 *
 * One that is torn is set aside, and none is made while that one is there: a new identity is a new node, so somebody
 * has to say that the old one is lost by removing it.
 * Return: 0 or -errno.
 */
int identity_open(const char *dir, struct identity *ret, bool *ret_made, struct err *err);

/* Another one in its place, from now on (`node rekey`). Return: 0 or -errno with @err. */
int identity_renew(const char *dir, struct identity *ret, struct err *err);

/* Real signatures with an identity, borrowed. */
struct signing identity_signing(struct identity *identity);

__u32 ring_key_id(const __u8 byte[RING_KEY_BYTES]);
const struct ring_key *ring_find(const struct ring *ring, __u32 id); /* NULL: none */

/* A key more; the first one is used. Return: its id, or 0 (there are RING_KEYS already). */
__u32 ring_add(struct ring *ring, const __u8 byte[RING_KEY_BYTES]);
__u32 ring_make(struct ring *ring); /* the same of a new one */

/* Return: 0; -ENOENT; ring_remove(): -EBUSY, it is in use. */
int ring_use(struct ring *ring, __u32 id);
int ring_remove(struct ring *ring, __u32 id);

/* What follows ring_add(), ring_use() or ring_remove(): the next number, signed. Return: 0, or -EOVERFLOW. */
int ring_sign(struct ring *ring, const struct identity *author);
bool ring_signed(const struct ring *ring, const struct roster_key *author);
int ring_compare(const struct ring *a, const struct ring *b); /* <0, 0, >0: @a is older, the same, newer */

void ring_encode(const struct ring *ring, __u8 ret[RING_BYTES]);
int ring_decode(const __u8 bytes[RING_BYTES], struct ring *ret); /* -EBADMSG: no ring; @ret untouched */

/**
 * ring_load() - the flock's keys
 * @ret:	empty if there are none
 *
 * Return: 0, -EBADMSG (torn: set aside) or -errno, with @err.
 */
int ring_load(const char *dir, struct ring *ret, struct err *err);
int ring_save(const char *dir, const struct ring *ring, struct err *err);

/* Seed of the flow hash, the same on all nodes of a flock. Return: 0, -ENOENT (none, no words), or -errno. */
int seed_load(const char *dir, __u32 ret[SEED_WORDS], struct err *err);
int seed_save(const char *dir, const __u32 seed[SEED_WORDS], struct err *err);
__u64 seed_fingerprint(const __u32 seed[SEED_WORDS]); /* tells two apart, and says nothing else of them */

#endif
