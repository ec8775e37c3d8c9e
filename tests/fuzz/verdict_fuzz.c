// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as votes, certificates and proofs. Signatures are always right, so that nothing behind them is spared. Not
 * here: pages, which carry them.
 *
 * The input is pieces, each of a kind, a length and so many bytes. No fuzzer guesses a digest, so where an epoch's
 * first byte is 0 the right one is put in.
 */
#include <errno.h>
#include <string.h>

#include "core/verdict_page.h"
#include "any_signing.h"
#include "fuzz.h"

#define NODES	5
#define TARGETS 4
#define PIECES	64
#define TURNS	64 /* that one moment may take */

struct bench {
	struct roster_node node[NODES];
	struct roster roster;
	struct roster_epoch epoch;
	struct verdict *verdict;
	struct mono now;
};

/* Nodes 1 to 5, this one is 1; targets 1 to 4, each by another mode. */
static int bench_begin(struct bench *b)
{
	static const enum verdict_mode mode[TARGETS] = {VERDICT_MODE_VOTE, VERDICT_MODE_PROOF, VERDICT_MODE_ANY,
							VERDICT_MODE_STAKE};
	struct verdict_config config = {.self = {1, 1, 1}, .seed = 1, .signing = &any};
	struct verdict_target target[TARGETS];

	for (__u32 i = 0; i < NODES; i++)
		b->node[i] = (struct roster_node){.id = i + 1, .roles = ROLE_OBSERVER, .stake = i + 1};
	for (__u32 i = 0; i < TARGETS; i++)
		target[i] = (struct verdict_target){
			.id = i + 1, .pace = {1000, 500, 2, 3, false}, .rule = {mode[i], 1, ""}};
	b->roster = (struct roster){b->node, NODES};
	b->now.ns = 1;
	b->verdict = verdict_new(&config);
	if (!b->verdict || roster_digest(&b->roster, &b->epoch))
		return -ENOMEM;
	if (verdict_roster(b->verdict, b->now, &b->roster))
		return -ENOMEM;
	return verdict_targets(b->verdict, b->now, target, TARGETS);
}

/* What is decoded is encoded to what decodes to the same. */
static void vote_try(struct bench *b, const uint8_t *data, size_t len)
{
	__u8 bytes[VERDICT_VOTE_BYTES];
	struct verdict_vote vote, again;
	int size;

	if (verdict_vote_decode(data, len, &vote)) {
		REQUIRE(verdict_vote(b->verdict, b->now, data, len) == VERDICT_OUTCOME_MALFORMED);
		return;
	}
	if (!vote.epoch.byte[0])
		vote.epoch = b->epoch;
	size = verdict_vote_encode(&vote, bytes, sizeof(bytes));
	REQUIRE(size > 0 && !verdict_vote_decode(bytes, (size_t)size, &again));
	again.epoch = vote.epoch;
	REQUIRE(verdict_vote_same(&vote, &again));
	REQUIRE(verdict_vote(b->verdict, b->now, bytes, (size_t)size) < VERDICT_OUTCOMES);
}

static void certificate_try(struct bench *b, const uint8_t *data, size_t len)
{
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	struct verdict_certificate c, again;
	struct err err = {0};
	int size, rc;

	if (verdict_certificate_decode(data, len, &c)) {
		REQUIRE(verdict_verify(data, len, &b->roster, &any, NULL, &err) == -EBADMSG && err.text[0]);
		REQUIRE(verdict_certificate(b->verdict, b->now, data, len) == VERDICT_OUTCOME_MALFORMED);
		return;
	}
	if (!c.epoch.byte[0]) {
		c.epoch = b->epoch;
		for (size_t i = 0; i < c.votes; i++)
			c.vote[i].epoch = b->epoch;
	}
	size = verdict_certificate_encode(&c, bytes, sizeof(bytes));
	REQUIRE(size > 0 && !verdict_certificate_decode(bytes, (size_t)size, &again));
	REQUIRE(again.votes == c.votes && again.state == c.state && !strcmp(again.rule.site, c.rule.site));
	rc = verdict_verify(bytes, (size_t)size, &b->roster, &any, &again, &err);
	REQUIRE(!rc || err.code == -rc);
	verdict_certificate(b->verdict, b->now, bytes, (size_t)size);
}

/* As page_decode() has them. */
static bool are_entries(const uint8_t *data, size_t len)
{
	size_t at = 0, size;

	for (; len - at >= sizeof(struct page_entry_header); at += sizeof(struct page_entry_header) + size) {
		size = data[at + 2] | (size_t)data[at + 3] << 8;
		if (size > len - at - sizeof(struct page_entry_header))
			return false;
	}
	return at == len;
}

static void proof_or_page_try(struct bench *b, const uint8_t *data, size_t len)
{
	struct page page = {.len = len, .entries = data};
	enum verdict_outcome outcome = verdict_proof(b->verdict, b->now, data, len);

	REQUIRE(outcome < VERDICT_OUTCOMES && outcome != VERDICT_OUTCOME_NEW);
	if (len && are_entries(data, len))
		REQUIRE(verdict_page_hear(b->verdict, b->now, &page) <= len / sizeof(struct page_entry_header));
}

static void take(struct bench *b)
{
	struct verdict_action a;

	while (verdict_take(b->verdict, &a)) {
		REQUIRE(a.len <= sizeof(a.bytes));
		if (a.act == VERDICT_PROBE)
			verdict_probed(b->verdict, b->now, a.target, a.number, (enum verdict_evidence)(a.number % 3));
		if (a.act == VERDICT_VOTE || a.act == VERDICT_PROOF)
			REQUIRE(a.len);
	}
}

/* Results may make something else due, but not for ever. */
static void act(struct bench *b)
{
	for (size_t turns = 0; verdict_due(b->verdict).ns <= b->now.ns; turns++) {
		REQUIRE(turns < TURNS);
		verdict_step(b->verdict, b->now);
		take(b);
	}
	take(b);
}

/* What is held is what the votes say that are held with it. */
static void views_try(const struct bench *b)
{
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	struct verdict_view view;

	for (__u64 id = 1; id <= TARGETS; id++) {
		int len = verdict_export(b->verdict, id, bytes);

		REQUIRE(!verdict_view(b->verdict, id, &view));
		REQUIRE(view.down + view.up <= view.seats.count);
		REQUIRE(len > 0 || len == -ENODATA);
		REQUIRE(len < 0 || !verdict_verify(bytes, (size_t)len, &b->roster, &any, NULL, NULL));
		len = verdict_shown(b->verdict, id, bytes);
		REQUIRE(len > 0 || len == -ENODATA || len == -EMSGSIZE);
		REQUIRE(len < 0 || !verdict_verify(bytes, (size_t)len, &b->roster, &any, NULL, NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bench b = {0};
	size_t at = 0, size;

	if (bench_begin(&b))
		goto out;
	for (size_t pieces = 0; len - at > 2 && pieces < PIECES; pieces++, at += size) {
		uint8_t kind = data[at] % 4;

		size = data[at + 1] | (size_t)(data[at] >> 2) << 8;
		at += 2;
		size = size < len - at ? size : len - at;
		if (kind == 0)
			vote_try(&b, data + at, size);
		else if (kind == 1)
			certificate_try(&b, data + at, size);
		else if (kind == 2)
			proof_or_page_try(&b, data + at, size);
		else
			b.now.ns += (__u64)size * 10000000;
		act(&b);
	}
	views_try(&b);
out:
	verdict_free(b.verdict);
	return 0;
}
