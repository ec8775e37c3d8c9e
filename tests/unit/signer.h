/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signers for tests: real ones by libsodium, and ideal ones, whose signatures are only a hash of key
 * and bytes. Not here: what is signed.
 */
#ifndef TESTS_UNIT_SIGNER_H
#define TESTS_UNIT_SIGNER_H

#include "core/page.h"
#include "core/signing.h"
#include "io/secrets.h"

struct signer {
	struct roster_key key;
	__u64 id;
	struct identity identity; /* of a real one */
	struct signing signing;	  /* its arg is the signer: do not move it */
};

/* The signer of a number: the same one in every run. */
void signer_real(struct signer *s, __u32 number);
void signer_ideal(struct signer *s, __u32 number);

/* A page with one entry, a text; returns its length. */
size_t signer_page(struct signer *s, __u16 kind, __u16 index, struct page_version version, const char *text,
		   __u8 bytes[PAGE_BYTES]);

/* A roster of these signers, n0, n1, ...; freed by the caller. */
struct roster signers_roster(const struct signer *s, size_t count);

#endif
