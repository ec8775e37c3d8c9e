/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sealed stream between two nodes of a roster: frames in order, for what is too much for datagrams. No socket and
 * no clock: bytes come in and go out. Not here: connections, what frames say (daemon/peers_bulk.c), who has which keys
 * (channel.h).
 *
 *	caller -> called	hello 64: who I am, whom I call, a random number
 *	called -> caller	the same back, with its own number
 *	both ways		header 24 of libsodium's secretstream (XChaCha20-Poly1305), then frames
 *	frame			length 4, then sealed: type 1, deflated 1, bytes (RFC 1950 if deflated)
 *
 * Each direction has a key: BLAKE2b of the key of the pair for that direction and both random numbers. So a first frame
 * that opens proves that the other node is there now; a frame that is left out, repeated or moved does not open.
 * Nothing is inflated beyond BULK_FRAME_BYTES.
 */
#ifndef STARLING_IO_BULK_H
#define STARLING_IO_BULK_H

#include <stdbool.h>

#include "io/seal.h"

#define BULK_FRAME_BYTES 65536 /* of one frame, inflated */
#define BULK_HELLO_BYTES 64

/* COUNT(ID, "label", "what it counts"): streams that were ended, by reason. */
#define STARLING_BULK_COUNTS(COUNT)                                                                                    \
	COUNT(MALFORMED, "stream-malformed", "no stream of a flock")                                                   \
	COUNT(STRANGER, "stream-stranger", "its caller is not in the roster, or calls another node")                   \
	COUNT(KEY, "stream-key", "by a key of the flock that is not known here")                                       \
	COUNT(FORGED, "stream-forged", "a frame that is not the sender's, or not the next one")                        \
	COUNT(BOMB, "stream-bomb", "a frame that inflates beyond all bounds")

enum bulk_count {
#define BULK_COUNT_ENUM(id, label, help) BULK_##id,
	STARLING_BULK_COUNTS(BULK_COUNT_ENUM)
#undef BULK_COUNT_ENUM
		BULK_COUNTS
};

struct bulk_hooks {
	void *arg;
	/* @bytes: borrowed. */
	void (*write)(void *arg, const void *bytes, size_t len);
	/* The keys of the pair with @peer by the flock's key @ring. Return: 0; -ENOENT: not in the roster; -ENOKEY. */
	int (*keys)(void *arg, __u64 peer, __u32 ring, __u8 ret_to[SEAL_KEY_BYTES], __u8 ret_from[SEAL_KEY_BYTES]);
	/* The caller may send from now on: the other one has answered. The called one waits for a frame. */
	void (*ready)(void *arg);
	/* A frame of the peer. @bytes: borrowed. Return: 0, or -EBADMSG: it makes no sense, which ends the stream. */
	int (*frame)(void *arg, __u8 type, const void *bytes, size_t len);
};

struct bulk;

/**
 * bulk_new() - one end of a stream
 * @self:	this node
 * @peer:	whom it calls: a hello leaves at once; 0: it is called
 * @ring:	id of the flock's key; of a called one: not used
 *
 * Return: NULL without memory.
 */
struct bulk *bulk_new(__u64 self, __u64 peer, __u32 ring, const struct bulk_hooks *hooks);
void bulk_free(struct bulk *b);

__u64 bulk_peer(const struct bulk *b); /* 0: not said yet */

/* Frame out. @len: up to BULK_FRAME_BYTES. Return: 0, or -ENOMEM, -EINVAL: too long, or nobody has answered yet. */
int bulk_send(struct bulk *b, __u8 type, const void *bytes, size_t len);

/**
 * bulk_receive() - bytes came, of any kind and in any pieces
 *
 * Return: -1: all is well; else an enum bulk_count: the stream has to end, and takes nothing more.
 */
int bulk_receive(struct bulk *b, const void *bytes, size_t len);
const char *bulk_count_label(enum bulk_count which);

#endif
