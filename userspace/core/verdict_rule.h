/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who observes a target, and what follows from their votes. Pure functions of roster and rule, so that every node finds
 * the same. Not here: votes as they come (verdict.h).
 *
 * Observers are seats of the roster, drawn by rendezvous (Thaler, Ravishankar: ToN 1998) over target and node: who
 * fails keeps the seat, so nothing that fails makes a quorum smaller; and a backend meets as many observers in a large
 * flock as in a small one.
 *
 *	seats	    1  2  3  4	7    5 and 6 nodes have 4 seats; 7 are drawn only where f = 2 is asked for
 *	f	    0  0  0  1	2    seats that may lie
 *	quorum	    1  2  2  3	5    2f + 1 of 3f + 1, below that a majority
 *
 * Two quorums of 2f + 1 have f + 1 seats in common, so one that does not lie: both verdicts cannot stand at one time.
 * Weights have to say the same: from 4 seats on a verdict also wants over two thirds of the weight, of which no f seats
 * have a third, as weights are cut to the largest bound for which that is so; below, over half of it. Weights are the
 * stakes in mode stake, the reputations in mode reputation, their product in mode hybrid, and else equal; all of it
 * stands in the roster, so the epoch of a vote says by which weights it counts. Where the seats are 3f + 1, those who
 * are not in a quorum are f, and so the quorum always has its two thirds: what a weight does is to draw. Seats go to
 * nodes in proportion to it (weighted rendezvous, Schindelhauer, Schomaker: SPAA 2005); of four nodes all have one.
 * `any` and `majority` count heads alone.
 */
#ifndef STARLING_CORE_VERDICT_RULE_H
#define STARLING_CORE_VERDICT_RULE_H

#include "core/verdict_vote.h"

struct verdict_seat {
	__u64 id;
	struct roster_key key;
	__u32 weight; /* cut */
};

struct verdict_seats {
	size_t count, liars;
	size_t quorum; /* of heads, by the rule's mode; of 0 seats there is none */
	struct verdict_seat seat[VERDICT_SEATS];
};

/**
 * verdict_seats_draw() - who observes a target
 * @roster:	of it those with ROLE_OBSERVER and at the rule's site
 * @ret:	in the order of the draw
 */
void verdict_seats_draw(const struct roster *roster, const struct verdict_rule *rule, __u64 target,
			struct verdict_seats *ret);

/* The seat of a node; -1: none. */
int verdict_seat_of(const struct verdict_seats *s, __u64 id);

/**
 * verdict_witnesses_draw() - who is asked about a vote: nodes of the site that do not observe its target
 * @hash:	verdict_vote_hash()
 *
 * Return: how many there are, VERDICT_WITNESSES at most.
 */
size_t verdict_witnesses_draw(const struct roster *roster, const struct verdict_rule *rule,
			      const struct verdict_seats *seats, __u64 hash, __u64 ret[VERDICT_WITNESSES]);

/**
 * verdict_decide() - what votes say together
 * @state:	of each seat's vote, NONE where there is none that counts
 *
 * Return: UP, DOWN, or NONE: whatever stood before stands on.
 */
enum verdict_state verdict_decide(const struct verdict_seats *s, enum verdict_mode mode,
				  const enum verdict_state state[VERDICT_SEATS]);

/* Why a certificate is none: REASON(ID, errno, "sentence") */
#define STARLING_VERDICT_REASONS(REASON)                                                                               \
	REASON(MALFORMED, EBADMSG, "these bytes are no certificate")                                                   \
	REASON(EPOCH, ESTALE, "it is of another roster than this one")                                                 \
	REASON(STRANGER, ENOENT, "somebody voted who does not observe the target, or was not asked as a witness")      \
	REASON(TWICE, EEXIST, "somebody's vote is in it twice")                                                        \
	REASON(OTHER, EINVAL, "there are votes in it that do not say what it says")                                    \
	REASON(FORGED, EACCES, "a signature is not the voter's")                                                       \
	REASON(FEW, ENODATA, "its votes are too few, or weigh too little")                                             \
	REASON(MEMORY, ENOMEM, "no memory to look at it")

/**
 * verdict_certificate_verify() - whether votes are signed, and make the verdict that a certificate says
 * @c:		decoded
 * @roster:	of the epoch in which the votes were cast; the certificate's epoch is compared with its digest
 * @rule:	the one that holds for the target; NULL: the one that the certificate names, so look at that
 * @err:	which vote, and what is wrong with it; may be NULL
 *
 * Needs nothing but its arguments: for `health verify` as for a node that is handed one. That its votes once stood
 * together is not in it; who has heard later ones holds to those.
 * Return: 0, or -errno of STARLING_VERDICT_REASONS.
 */
int verdict_certificate_verify(const struct verdict_certificate *c, const struct roster *roster,
			       const struct verdict_rule *rule, const struct signing *signing, struct err *err);

/* The same from bytes. @ret: what was verified; may be NULL. */
int verdict_verify(const void *bytes, size_t len, const struct roster *roster, const struct signing *signing,
		   struct verdict_certificate *ret, struct err *err);

/* Without votes that it does not need; those that have witnesses are all kept. @seats: its rule's, of its epoch. */
void verdict_certificate_cut(struct verdict_certificate *c, const struct verdict_seats *seats);

#endif
