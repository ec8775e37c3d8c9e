/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One observer's signed word on one target, and the certificate that some of them make. Values. Not here: when a vote
 * is cast (verdict.h), which votes make a certificate (verdict_rule.h).
 *
 * A vote is signed by itself, over the fixed bytes of struct verdict_vote_signed, and not as a part of the page that
 * brings it: a page goes when its origin writes the next one, while a certificate has to outlive what its voters said
 * since. So an entry of a page carries a vote's bytes (verdict_page.h), and nothing of the page is needed afterwards. A
 * certificate names target, epoch and rule once and fits one entry as well (but for mode proof, whose witnesses make it
 * up to 3 kB).
 *
 * It is numbered as pages are, by incarnation, boot and counter, each number used once: of two votes the later number
 * stands, and two different votes of one number prove to anybody that their voter equivocates.
 */
#ifndef STARLING_CORE_VERDICT_VOTE_H
#define STARLING_CORE_VERDICT_VOTE_H

#include "core/page.h"
#include "core/verdict_words.h"

#define VERDICT_SEATS		  7 /* observers of one target, at most: 3f + 1 with f = 2 */
#define VERDICT_WITNESSES	  2 /* of one vote, in mode proof */
#define VERDICT_VOTES		  (VERDICT_SEATS * (1 + VERDICT_WITNESSES)) /* of one certificate */
#define VERDICT_VOTE_BYTES	  151 /* on the wire, at most; so the next two: asserted in verdict_wire.c */
#define VERDICT_CERTIFICATE_BYTES 3328
#define VERDICT_PROOF_BYTES	  (2 * VERDICT_VOTE_BYTES + 40)
#define VERDICT_VOTE_MAGIC	  0x31545653u /* "SVT1": purpose of the signature */

struct verdict_vote {
	__u64 target; /* what is checked, and how: a hash that all nodes with one configuration have in common */
	__u64 voter;  /* roster_id() */
	struct roster_epoch epoch;
	struct page_version number;
	__u64 about;   /* of a witness: verdict_vote_hash() of the vote that it was asked about; else 0 */
	__u64 date_ms; /* Unix time; for people */
	enum verdict_state state;
	enum verdict_evidence evidence;
	__u8 signature[SIGNATURE_BYTES];
};

/* What is signed. */
struct verdict_vote_signed {
	__le32 magic;
	__u8 state;
	__u8 evidence;
	__u8 pad[2]; /* zero */
	__le64 target;
	__le64 voter;
	__u8 epoch[32];
	__le64 boot;
	__le64 counter;
	__le64 about;
	__le64 date_ms;
	__le32 incarnation;
	__u8 pad2[4]; /* zero */
};
_Static_assert(sizeof(struct verdict_vote_signed) == 96 && offsetof(struct verdict_vote_signed, epoch) == 24 &&
		       offsetof(struct verdict_vote_signed, incarnation) == 88,
	       "signed");

/* Sign what @vote says. Return: 0, or what signing failed with. */
int verdict_vote_sign(struct verdict_vote *vote, const struct signing *signing);
bool verdict_vote_verify(const struct verdict_vote *vote, const struct roster_key *key, const struct signing *signing);

/* What witnesses name a vote by, and are drawn from. */
__u64 verdict_vote_hash(const struct verdict_vote *vote, const struct signing *signing);

/* Whether they say the same; signatures are not compared. */
bool verdict_vote_same(const struct verdict_vote *a, const struct verdict_vote *b);

/* Return: bytes written, or -EMSGSIZE. */
int verdict_vote_encode(const struct verdict_vote *vote, void *bytes, size_t room);

/**
 * verdict_vote_decode() - a vote from bytes that somebody sent
 * @ret:	of its epoch the first 8 bytes are set, the others zero; the signature is not looked at; untouched on
 *		failure
 *
 * Return: 0, or -EBADMSG.
 */
int verdict_vote_decode(const void *bytes, size_t len, struct verdict_vote *ret);

/* How votes on a target are counted. */
struct verdict_rule {
	enum verdict_mode mode;
	__u32 liars;			/* 1 or 2: f where the roster has the seats for it */
	char site[STARLING_NAME_BYTES]; /* whose nodes observe; "": all of the roster */
};

/* Votes that make a verdict by a rule; of mode proof witnesses' as well, in any order. */
struct verdict_certificate {
	__u64 target;
	struct roster_epoch epoch;
	enum verdict_state state; /* UP or DOWN */
	struct verdict_rule rule;
	size_t votes;
	struct verdict_vote vote[VERDICT_VOTES];
};

/* Return: bytes written, or -EMSGSIZE. */
int verdict_certificate_encode(const struct verdict_certificate *c, void *bytes, size_t room);

/* Any bytes; what it claims is not looked at. Return: 0, or -EBADMSG with @ret untouched. */
int verdict_certificate_decode(const void *bytes, size_t len, struct verdict_certificate *ret);

/* Two votes, as proof of equivocation. */
int verdict_proof_encode(const struct verdict_vote vote[2], void *bytes, size_t room);

/**
 * verdict_proof_verify() - whether a node has equivocated: two votes of one number that do not say the same
 * @roster:	for the keys; the votes may be of another one's epoch
 * @ret_voter:	who
 *
 * Return: 0; -EBADMSG (no proof), -ENOENT (by nobody of the roster), -EACCES (a signature is not the voter's).
 */
int verdict_proof_verify(const void *bytes, size_t len, const struct roster *roster, const struct signing *signing,
			 struct verdict_vote ret_vote[2], __u64 *ret_voter);

#endif
