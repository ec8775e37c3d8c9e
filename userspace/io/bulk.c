// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See bulk.h.
 */
#include "io/bulk.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BULK_MAGIC   0x31545353u /* "SST1" */
#define HEADER_BYTES crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define SEALED_BYTES crypto_secretstream_xchacha20poly1305_ABYTES
#define PLAIN_MAX    (2 + BULK_FRAME_BYTES + 128) /* what deflating may add is not sent */
#define BODY_MAX     (PLAIN_MAX + SEALED_BYTES)

struct bulk_hello {
	__le32 magic;
	__le32 ring;
	__le64 sender;
	__le64 receiver;
	__le64 pad; /* zero */
	__u8 random[32];
};
_Static_assert(sizeof(struct bulk_hello) == BULK_HELLO_BYTES && HEADER_BYTES == 24, "on the wire");

enum state { STATE_HELLO, STATE_HEADER, STATE_LENGTH, STATE_BODY, STATE_ENDED };

struct bulk {
	struct bulk_hooks hooks;
	__u64 self, peer;
	bool caller, ready;
	struct bulk_hello hello; /* as sent */
	__u8 key_in[SEAL_KEY_BYTES], key_out[SEAL_KEY_BYTES];
	crypto_secretstream_xchacha20poly1305_state in, out;
	enum state state;
	size_t want, have;
	__u8 body[BODY_MAX], plain[PLAIN_MAX], inflated[BULK_FRAME_BYTES];
	__u8 deflated[PLAIN_MAX], sealed[4 + BODY_MAX];
};

static void expect(struct bulk *b, enum state state, size_t bytes)
{
	b->state = state;
	b->want = bytes;
	b->have = 0;
}

static void hello_send(struct bulk *b, __u32 ring)
{
	b->hello = (struct bulk_hello){.magic = htole32(BULK_MAGIC),
				       .ring = htole32(ring),
				       .sender = htole64(b->self),
				       .receiver = htole64(b->peer)};
	randombytes_buf(b->hello.random, sizeof(b->hello.random));
	b->hooks.write(b->hooks.arg, &b->hello, sizeof(b->hello));
}

struct bulk *bulk_new(__u64 self, __u64 peer, __u32 ring, const struct bulk_hooks *hooks)
{
	struct bulk *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->hooks = *hooks;
	b->self = self;
	b->peer = peer;
	b->caller = peer != 0;
	expect(b, STATE_HELLO, BULK_HELLO_BYTES);
	if (b->caller)
		hello_send(b, ring);
	return b;
}

void bulk_free(struct bulk *b)
{
	if (b)
		sodium_memzero(b, sizeof(*b));
	free(b);
}

__u64 bulk_peer(const struct bulk *b)
{
	return b->peer;
}

/* --- out --- */

/* Return: bytes of @b->plain. */
static size_t plain_make(struct bulk *b, __u8 type, const void *bytes, size_t len)
{
	uLongf deflated = sizeof(b->deflated);

	b->plain[0] = type;
	b->plain[1] = compress2(b->deflated, &deflated, bytes, len, Z_BEST_SPEED) == Z_OK && deflated < len;
	if (b->plain[1])
		len = deflated;
	if (len)
		memcpy(b->plain + 2, b->plain[1] ? b->deflated : (const __u8 *)bytes, len);
	return 2 + len;
}

int bulk_send(struct bulk *b, __u8 type, const void *bytes, size_t len)
{
	size_t plain;
	__le32 sealed;

	if (!b->ready || len > BULK_FRAME_BYTES)
		return -EINVAL;
	plain = plain_make(b, type, bytes, len);
	sealed = htole32((__u32)(plain + SEALED_BYTES));
	memcpy(b->sealed, &sealed, sizeof(sealed));
	crypto_secretstream_xchacha20poly1305_push(&b->out, b->sealed + sizeof(sealed), NULL, b->plain, plain, NULL, 0,
						   0);
	b->hooks.write(b->hooks.arg, b->sealed, sizeof(sealed) + plain + SEALED_BYTES);
	return 0;
}

/* --- in --- */

/* @pair becomes the key of this stream in its direction. */
static void key_derive(const struct bulk *b, const struct bulk_hello *theirs, __u8 pair[SEAL_KEY_BYTES])
{
	const __u8 *first = b->caller ? b->hello.random : theirs->random,
		   *second = b->caller ? theirs->random : b->hello.random;
	crypto_generichash_state state;

	crypto_generichash_init(&state, pair, SEAL_KEY_BYTES, SEAL_KEY_BYTES);
	crypto_generichash_update(&state, (const __u8 *)"SST1", 4);
	crypto_generichash_update(&state, first, sizeof(b->hello.random));
	crypto_generichash_update(&state, second, sizeof(b->hello.random));
	crypto_generichash_final(&state, pair, SEAL_KEY_BYTES);
	sodium_memzero(&state, sizeof(state));
}

static int hello_take(struct bulk *b)
{
	__u8 header[HEADER_BYTES];
	struct bulk_hello theirs;
	int rc;

	memcpy(&theirs, b->body, sizeof(theirs));
	if (le32toh(theirs.magic) != BULK_MAGIC || theirs.pad || !theirs.sender)
		return BULK_MALFORMED;
	if (le64toh(theirs.receiver) != b->self || (b->caller && le64toh(theirs.sender) != b->peer))
		return BULK_STRANGER;
	if (b->caller && theirs.ring != b->hello.ring)
		return BULK_MALFORMED;
	b->peer = le64toh(theirs.sender);
	rc = b->hooks.keys(b->hooks.arg, b->peer, le32toh(theirs.ring), b->key_out, b->key_in);
	if (rc)
		return rc == -ENOENT ? BULK_STRANGER : BULK_KEY;
	if (!b->caller)
		hello_send(b, le32toh(theirs.ring));
	key_derive(b, &theirs, b->key_out);
	key_derive(b, &theirs, b->key_in);
	crypto_secretstream_xchacha20poly1305_init_push(&b->out, header, b->key_out);
	b->hooks.write(b->hooks.arg, header, sizeof(header));
	b->ready = true;
	expect(b, STATE_HEADER, HEADER_BYTES);
	if (b->caller)
		b->hooks.ready(b->hooks.arg);
	return -1;
}

/* Never more than the bound, whatever the bytes say. Return: how many, or -1. */
static long inflate_bounded(struct bulk *b, const __u8 *bytes, size_t len)
{
	uLongf room = sizeof(b->inflated);

	return uncompress(b->inflated, &room, bytes, len) == Z_OK ? (long)room : -1;
}

static int body_take(struct bulk *b)
{
	unsigned long long plain;
	unsigned char tag;
	const __u8 *bytes = b->plain + 2;
	long len;

	if (crypto_secretstream_xchacha20poly1305_pull(&b->in, b->plain, &plain, &tag, b->body, b->want, NULL, 0) ||
	    plain < 2 || b->plain[1] > 1)
		return BULK_FORGED;
	len = (long)plain - 2;
	if (b->plain[1]) {
		len = inflate_bounded(b, bytes, (size_t)len);
		bytes = b->inflated;
		if (len < 0)
			return BULK_BOMB;
	}
	expect(b, STATE_LENGTH, 4);
	return len > BULK_FRAME_BYTES || b->hooks.frame(b->hooks.arg, b->plain[0], bytes, (size_t)len) ? BULK_MALFORMED
												       : -1;
}

static int length_take(struct bulk *b)
{
	__le32 len;

	memcpy(&len, b->body, sizeof(len));
	if (le32toh(len) < SEALED_BYTES + 2 || le32toh(len) > BODY_MAX)
		return BULK_FORGED;
	expect(b, STATE_BODY, le32toh(len));
	return -1;
}

static int piece_take(struct bulk *b)
{
	switch (b->state) {
	case STATE_HELLO:
		return hello_take(b);
	case STATE_HEADER:
		if (crypto_secretstream_xchacha20poly1305_init_pull(&b->in, b->body, b->key_in))
			return BULK_FORGED;
		expect(b, STATE_LENGTH, 4);
		return -1;
	case STATE_LENGTH:
		return length_take(b);
	case STATE_BODY:
		return body_take(b);
	case STATE_ENDED:
		break;
	}
	return BULK_MALFORMED;
}

int bulk_receive(struct bulk *b, const void *bytes, size_t len)
{
	const __u8 *at = bytes;
	int why = -1;

	while (len && why < 0 && b->state != STATE_ENDED) {
		size_t take = b->want - b->have < len ? b->want - b->have : len;

		memcpy(b->body + b->have, at, take);
		b->have += take;
		at += take;
		len -= take;
		if (b->have == b->want)
			why = piece_take(b);
	}
	if (why >= 0)
		expect(b, STATE_ENDED, 1);
	return why;
}

const char *bulk_count_label(enum bulk_count which)
{
	static const char *const labels[BULK_COUNTS] = {
#define BULK_LABEL(id, label, help) [BULK_##id] = (label),
		STARLING_BULK_COUNTS(BULK_LABEL)
#undef BULK_LABEL
	};

	return labels[which];
}
