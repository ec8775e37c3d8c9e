// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signers for tests. Not here: tests.
 */
#include "signer.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"

static void ideal_mix(__u64 hash, const void *bytes, size_t len, __u8 *ret, size_t size)
{
	const __u8 *byte = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	for (i = 0; i < size; i += sizeof(hash)) {
		hash = mix64(hash + i);
		memcpy(ret + i, &hash, sizeof(hash));
	}
}

static __u64 ideal_start(const struct roster_key *key)
{
	__u64 start;

	memcpy(&start, key->byte, sizeof(start));
	return start;
}

static int ideal_sign(void *arg, const void *bytes, size_t len, __u8 ret_signature[SIGNATURE_BYTES])
{
	const struct signer *s = arg;

	ideal_mix(ideal_start(&s->key), bytes, len, ret_signature, SIGNATURE_BYTES);
	return 0;
}

static bool ideal_verify(void *arg, const struct roster_key *key, const void *bytes, size_t len,
			 const __u8 signature[SIGNATURE_BYTES])
{
	__u8 wanted[SIGNATURE_BYTES];

	(void)arg;
	ideal_mix(ideal_start(key), bytes, len, wanted, sizeof(wanted));
	return !memcmp(wanted, signature, sizeof(wanted));
}

static void ideal_hash(void *arg, const void *bytes, size_t len, __u8 ret_hash[HASH_BYTES])
{
	(void)arg;
	ideal_mix(1, bytes, len, ret_hash, HASH_BYTES);
}

void signer_real(struct signer *s, __u32 number)
{
	__u8 seed[crypto_sign_SEEDBYTES] = {0};

	memcpy(seed, &number, sizeof(number));
	crypto_sign_seed_keypair(s->key.byte, s->identity.secret, seed);
	s->id = roster_id(&s->key);
	s->identity.key = s->key;
	s->identity.id = s->id;
	s->signing = identity_signing(&s->identity);
}

void signer_ideal(struct signer *s, __u32 number)
{
	ideal_mix(number, "", 0, s->key.byte, sizeof(s->key.byte));
	s->id = roster_id(&s->key);
	s->signing = (struct signing){s, ideal_sign, ideal_verify, ideal_hash};
}

size_t signer_page(struct signer *s, __u16 kind, __u16 index, struct page_version version, const char *text,
		   __u8 bytes[PAGE_BYTES])
{
	struct page_draft draft = {0};
	struct page page = {.origin = s->id, .kind = kind, .index = index, .version = version};
	int len;

	assert_int_equal(page_entry_add(&draft, 1, text, strlen(text)), 0);
	page.entries = draft.entries;
	page.len = draft.len;
	len = page_encode(&page, &s->signing, bytes);
	assert_true(len > 0);
	return (size_t)len;
}

struct roster signers_roster(const struct signer *s, size_t count)
{
	struct roster roster = {0};
	size_t i;

	for (i = 0; i < count; i++) {
		struct roster_node node = {
			.key = s[i].key, .roles = ROSTER_ROLES_DEFAULT, .stake = ROSTER_STAKE_DEFAULT};

		snprintf(node.name, sizeof(node.name), "n%zu", i);
		assert_int_equal(roster_add(&roster, &node, NULL), 0);
	}
	return roster;
}
