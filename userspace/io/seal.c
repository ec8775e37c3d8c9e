// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Datagrams sealed and opened. Not here: whether a datagram is to be believed (channel.c).
 */
#include "io/seal.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define PAIR_CONTEXT	   "starling pair 1"
#define SEAL_CONTEXT_BYTES 4 /* as signing.h wants */

_Static_assert(SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "Poly1305");
_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20");
_Static_assert(SEAL_KEY_BYTES == crypto_scalarmult_BYTES, "X25519");

int seal_shared(const struct identity *identity, const struct roster_key *peer, __u8 ret[SEAL_KEY_BYTES])
{
	__u8 secret[crypto_scalarmult_SCALARBYTES], public[crypto_scalarmult_BYTES];
	int rc = -EINVAL;

	if (!crypto_sign_ed25519_pk_to_curve25519(public, peer->byte) &&
	    !crypto_sign_ed25519_sk_to_curve25519(secret, identity->secret) && !crypto_scalarmult(ret, secret, public))
		rc = 0;
	sodium_memzero(secret, sizeof(secret));
	return rc;
}

void seal_pair_key(const struct ring_key *ring, const __u8 shared[SEAL_KEY_BYTES], __u64 from, __u64 to,
		   __u8 ret[SEAL_KEY_BYTES])
{
	__le64 ids[2] = {htole64(from), htole64(to)};
	crypto_generichash_state state;

	crypto_generichash_init(&state, ring->byte, RING_KEY_BYTES, SEAL_KEY_BYTES);
	crypto_generichash_update(&state, (const __u8 *)PAIR_CONTEXT, sizeof(PAIR_CONTEXT));
	crypto_generichash_update(&state, shared, SEAL_KEY_BYTES);
	crypto_generichash_update(&state, (const __u8 *)ids, sizeof(ids));
	crypto_generichash_final(&state, ret, SEAL_KEY_BYTES);
	sodium_memzero(&state, sizeof(state));
}

static void nonce_of(const struct seal_header *h, __u8 ret[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES])
{
	memcpy(ret, &h->boot, 8);
	memcpy(ret + 8, &h->sequence, 8);
	memcpy(ret + 16, &h->sender, 8);
}

size_t seal_close(const struct seal_header *header, const __u8 key[SEAL_KEY_BYTES], const void *plain, size_t len,
		  __u8 *ret)
{
	__u8 nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

	memcpy(ret, header, SEAL_HEADER_BYTES);
	nonce_of(header, nonce);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret + SEAL_HEADER_BYTES, NULL, plain, len, ret, SEAL_HEADER_BYTES,
						   NULL, nonce, key);
	return len + SEAL_BYTES;
}

int seal_open(const void *datagram, size_t len, const __u8 key[SEAL_KEY_BYTES], __u8 *ret)
{
	__u8 nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
	struct seal_header header;

	memcpy(&header, datagram, sizeof(header));
	nonce_of(&header, nonce);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, (const __u8 *)datagram + SEAL_HEADER_BYTES,
							  len - SEAL_HEADER_BYTES, datagram, SEAL_HEADER_BYTES, nonce,
							  key)
		       ? -EBADMSG
		       : 0;
}

/* Return: length of what is signed. */
static size_t signed_text(const char *context, const struct seal_header *header, const void *body, size_t len,
			  __u8 text[SEAL_CONTEXT_BYTES + SEAL_HEADER_BYTES + SEAL_SIGNED_MAX])
{
	__u8 *p = text;

	if (len > SEAL_SIGNED_MAX)
		return 0;
	p = mempcpy(p, context, SEAL_CONTEXT_BYTES);
	p = mempcpy(p, header, SEAL_HEADER_BYTES);
	p = mempcpy(p, body, len);
	return (size_t)(p - text);
}

int seal_sign(const struct identity *identity, const char *context, const struct seal_header *header, const void *body,
	      size_t len, __u8 ret_signature[SIGNATURE_BYTES])
{
	__u8 text[SEAL_CONTEXT_BYTES + SEAL_HEADER_BYTES + SEAL_SIGNED_MAX];
	size_t bytes = signed_text(context, header, body, len, text);

	return bytes && !crypto_sign_detached(ret_signature, NULL, text, bytes, identity->secret) ? 0 : -EINVAL;
}

bool seal_signed(const struct roster_key *key, const char *context, const struct seal_header *header, const void *body,
		 size_t len, const __u8 signature[SIGNATURE_BYTES])
{
	__u8 text[SEAL_CONTEXT_BYTES + SEAL_HEADER_BYTES + SEAL_SIGNED_MAX];
	size_t bytes = signed_text(context, header, body, len, text);

	return bytes && !crypto_sign_verify_detached(signature, text, bytes, key->byte);
}
