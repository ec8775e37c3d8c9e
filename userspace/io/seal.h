/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sealed datagrams: their header and their encryption. Not here: who may send what when (channel.h), keys at rest
 * (secrets.h).
 *
 *	header 40, authenticated | sealed bytes | tag 16
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). The nonce is boot, sequence and sender, all of the header: a boot
 * is 64 random bits and its sequence only grows, so none comes twice, under the flock's key neither.
 */
#ifndef STARLING_IO_SEAL_H
#define STARLING_IO_SEAL_H

#include <linux/types.h>
#include <stddef.h>

#include "io/secrets.h"

#define SEAL_VERSION	  1
#define SEAL_HEADER_BYTES 40
#define SEAL_TAG_BYTES	  16
#define SEAL_BYTES	  (SEAL_HEADER_BYTES + SEAL_TAG_BYTES) /* around each message */
#define SEAL_KEY_BYTES	  32
#define SEAL_DATAGRAM_MAX 8900 /* a jumbo frame less IPv6 and UDP, rounded down */

/* SEALED(ID, number on the wire, "what it is"). Numbers are never used again. */
#define STARLING_SEALED(SEALED)                                                                                        \
	SEALED(HELLO, 1, "by the flock's key, signed: who I am; answer me")                                            \
	SEALED(WELCOME, 2, "by the pair's key: the answer, which proves its sender to be there now")                   \
	SEALED(CONFIRM, 3, "by the pair's key: the answer to that, which proves the same of who said hello")           \
	SEALED(DATA, 4, "by the pair's key: a message")                                                                \
	SEALED(KNOCK, 5, "signed: a node of the roster asks for the flock's keys")                                     \
	SEALED(PUZZLE, 6, "plain: work to be done before the next knock is heard")                                     \
	SEALED(ADMIT, 7, "signed, sealed to who knocked: the flock's keys and the seed")                               \
	SEALED(CAST, 8, "by the flock's key, to a group: a page, which its origin has signed")

enum seal_kind {
#define SEAL_ENUM(id, number, help) SEAL_##id = (number),
	STARLING_SEALED(SEAL_ENUM)
#undef SEAL_ENUM
};

struct seal_header {
	__u8 version; /* SEAL_VERSION */
	__u8 kind;    /* enum seal_kind */
	__le16 pad;   /* zero */
	__le32 key;   /* id of the flock's key; 0 where none is needed */
	__le64 sender;
	__le64 tag; /* boot of the receiver, as SCTP's verification tag (RFC 9260 section 5.3.1); HELLO, KNOCK: 0 */
	__le64 boot;
	__le64 sequence; /* 1.. within the boot */
};
_Static_assert(sizeof(struct seal_header) == SEAL_HEADER_BYTES, "on the wire");
_Static_assert(offsetof(struct seal_header, key) == 4 && offsetof(struct seal_header, sender) == 8 &&
		       offsetof(struct seal_header, tag) == 16 && offsetof(struct seal_header, boot) == 24 &&
		       offsetof(struct seal_header, sequence) == 32,
	       "on the wire");

/* What only two nodes can compute: X25519 (RFC 7748) of their identities. Return: 0, or -EINVAL: no usable key. */
int seal_shared(const struct identity *identity, const struct roster_key *peer, __u8 ret[SEAL_KEY_BYTES]);

/* The key for what @from sends to @to: keyed BLAKE2b, so that what is reflected does not open. */
void seal_pair_key(const struct ring_key *ring, const __u8 shared[SEAL_KEY_BYTES], __u64 from, __u64 to,
		   __u8 ret[SEAL_KEY_BYTES]);

/**
 * seal_close() - make a datagram
 * @plain:	@len bytes, up to SEAL_DATAGRAM_MAX - SEAL_BYTES
 * @ret:	@len + SEAL_BYTES
 *
 * Return: bytes of the datagram.
 */
size_t seal_close(const struct seal_header *header, const __u8 key[SEAL_KEY_BYTES], const void *plain, size_t len,
		  __u8 *ret);

/**
 * seal_open() - what is in a datagram
 * @datagram:	@len bytes, SEAL_BYTES at least
 * @ret:	@len - SEAL_BYTES; its content is undefined on failure
 *
 * Return: 0, or -EBADMSG: not sealed with this key.
 */
int seal_open(const void *datagram, size_t len, const __u8 key[SEAL_KEY_BYTES], __u8 *ret);

/**
 * seal_sign() - what proves the sender of a datagram that is not sealed for the pair
 * @context:	four characters, another one for each kind
 * @body:	@len bytes up to SEAL_SIGNED_MAX; of the signature's text, behind context and header
 *
 * Return: 0 or -EINVAL.
 */
#define SEAL_SIGNED_MAX 640
int seal_sign(const struct identity *identity, const char *context, const struct seal_header *header, const void *body,
	      size_t len, __u8 ret_signature[SIGNATURE_BYTES]);
bool seal_signed(const struct roster_key *key, const char *context, const struct seal_header *header, const void *body,
		 size_t len, const __u8 signature[SIGNATURE_BYTES]);

#endif
