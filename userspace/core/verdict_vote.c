// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is signed of a vote, and words. Not here: bytes on the wire (verdict_wire.c).
 */
#include "core/verdict_vote.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static struct verdict_vote_signed signed_bytes(const struct verdict_vote *v)
{
	struct verdict_vote_signed s = {
		.magic = htole32(VERDICT_VOTE_MAGIC),
		.state = (__u8)v->state,
		.evidence = (__u8)v->evidence,
		.target = htole64(v->target),
		.voter = htole64(v->voter),
		.boot = htole64(v->number.boot),
		.counter = htole64(v->number.counter),
		.about = htole64(v->about),
		.date_ms = htole64(v->date_ms),
		.incarnation = htole32(v->number.incarnation),
	};

	memcpy(s.epoch, v->epoch.byte, sizeof(s.epoch));
	return s;
}

int verdict_vote_sign(struct verdict_vote *vote, const struct signing *signing)
{
	struct verdict_vote_signed s = signed_bytes(vote);

	return signing->sign(signing->arg, &s, sizeof(s), vote->signature);
}

bool verdict_vote_verify(const struct verdict_vote *vote, const struct roster_key *key, const struct signing *signing)
{
	struct verdict_vote_signed s = signed_bytes(vote);

	return signing->verify(signing->arg, key, &s, sizeof(s), vote->signature);
}

__u64 verdict_vote_hash(const struct verdict_vote *vote, const struct signing *signing)
{
	struct verdict_vote_signed s = signed_bytes(vote);
	__u8 hash[HASH_BYTES];
	__le64 first;

	signing->hash(signing->arg, &s, sizeof(s), hash);
	memcpy(&first, hash, sizeof(first));
	return le64toh(first) | 1; /* 0 is none */
}

bool verdict_vote_same(const struct verdict_vote *a, const struct verdict_vote *b)
{
	struct verdict_vote_signed x = signed_bytes(a), y = signed_bytes(b);

	return !memcmp(&x, &y, sizeof(x));
}

const char *verdict_state_word(enum verdict_state state)
{
	static const char *const word[] = {
#define VERDICT_WORD(id, text, help) [VERDICT_##id] = (text),
		STARLING_VERDICT_STATES(VERDICT_WORD)
#undef VERDICT_WORD
	};

	return word[state];
}
