/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The channel between the nodes of a roster: datagrams in, the messages of proven senders out, and back. No socket
 * and no clock: both come in. Not here: sockets (gossip.h), what messages say (message_wire.h), encryption (seal.h).
 *
 * Two nodes seal what they send each other with keys that only they have, so a seal proves its sender. What it does
 * not prove is that the sender says it now. Hence each datagram names the boot of its receiver (as the verification
 * tag of SCTP does), the boot of its sender, and a number within that boot. A node takes it if the first is its own
 * boot, the second the one that its sender has proven to be in, and the number has not come yet: of the last 1,024 a
 * window is kept. So nothing is heard twice, whoever restarts.
 *
 * A boot is proven by an answer to a number that was drawn less than two seconds ago:
 *
 *	A -> B	HELLO	sealed with the flock's key, signed by A: its boot, a number a
 *	B -> A	WELCOME	sealed for the pair: a, and a number b	-> A knows that B is in this boot
 *	A -> B	CONFIRM	sealed for the pair: b			-> B knows the same of A
 *
 * Who has no key that the others use knocks: KNOCK, signed, with a fresh public key. Whoever hears it and has the
 * knocker in its roster answers with ADMIT: the flock's keys and the seed of its flow hash, sealed to the fresh key,
 * signed. Beyond CHANNEL_KNOCKS a second the answer is a PUZZLE, and a knock is heard that brings its solution. No
 * answer is longer than a knock. A knock may show that its sender has been given a secret, an invitation: then one that
 * is not in the roster is heard, too.
 *
 * A HELLO, which anybody may replay, changes nothing at its receiver. It goes to whom a message is to be sent whose
 * boot is not known, to addresses where somebody may be, and back to whoever names a boot that has ended; a message
 * waits for the answer, one for each peer and address.
 */
#ifndef STARLING_IO_CHANNEL_H
#define STARLING_IO_CHANNEL_H

#include "base/addr.h"
#include "base/clock.h"
#include "core/admission.h"
#include "core/incarnation.h"
#include "io/seal.h"

#define CHANNEL_WINDOW		 1024 /* numbers of a boot that may come late */
#define CHANNEL_HELLO_MS	 100  /* between two to the same peer or address */
#define CHANNEL_WELCOME_MS	 50   /* between two answers to one peer */
#define CHANNEL_PROOF_MS	 1000 /* a number that is to be answered is drawn so often; the last one counts too */
#define CHANNEL_SIGNATURES	 500  /* a second that are looked at */
#define CHANNEL_CASTS		 100  /* a second, of all peers */
#define CHANNEL_KNOCK_SIGNATURES 50   /* a second that knocks may cost of those */
#define CHANNEL_KNOCKS		 10   /* a second that are heard without a puzzle */
#define CHANNEL_ADMIT_MS	 1000 /* between two answers to knocks of one peer, and between two knocks back */
#define CHANNEL_PEER_MESSAGES	 2000 /* a second of one peer: 128 nodes in an incident send a twentieth of it */
#define CHANNEL_ADDRESSES	 16   /* of nobody known, that are being tried */

/* COUNT(ID, "label", "what it counts"): datagrams that were not heard, by reason. */
#define STARLING_CHANNEL_COUNTS(COUNT)                                                                                 \
	COUNT(MALFORMED, "malformed", "no datagram of a flock, or cut short")                                          \
	COUNT(VERSION, "version", "of another version")                                                                \
	COUNT(STRANGER, "stranger", "its sender is not in the roster")                                                 \
	COUNT(KEY, "key", "sealed with a key of the flock that is not known here")                                     \
	COUNT(FORGED, "forged", "its seal or signature is not its sender's")                                           \
	COUNT(REPLAYED, "replayed", "has come before, or is older than all that may come")                             \
	COUNT(STALE, "stale", "for or from a life that has ended")                                                     \
	COUNT(REFLECTED, "reflected", "this node sent it")                                                             \
	COUNT(TWIN, "twin", "sealed with the identity of this node by another one")                                    \
	COUNT(UNASKED, "unasked", "an answer to what was not asked, or too long ago")                                  \
	COUNT(FLOOD, "flood", "more of one kind or from one peer than is listened to")                                 \
	COUNT(UNREADABLE, "unreadable", "from a member, and yet no message")

enum channel_count {
#define CHANNEL_COUNT_ENUM(id, label, help) CHANNEL_##id,
	STARLING_CHANNEL_COUNTS(CHANNEL_COUNT_ENUM)
#undef CHANNEL_COUNT_ENUM
		CHANNEL_COUNTS
};

struct channel_status {
	__u64 sent, sent_bytes, received, received_bytes; /* datagrams; received: those that were heard */
	__u64 rejected[CHANNEL_COUNTS];
};

/* What the knock of a node that nobody listed brings: its key has signed it. Borrowed. */
struct claim {
	const struct roster_key *key;
	const char *name, *site; /* "" if not said */
	const struct knock *knock;
};

struct channel_hooks {
	void *arg;
	/* A datagram leaves. @bytes: borrowed. */
	void (*send)(void *arg, const struct endpoint *at, const void *bytes, size_t len);
	/* What @sender says now. @bytes: borrowed. Return: 0; -EBADMSG: no message, which is counted. */
	int (*message)(void *arg, const struct endpoint *from, __u64 sender, const void *bytes, size_t len);
	/* What @sender answers to a knock. Return: 0; -EPERM: it is not for it to give, which is counted. */
	int (*admit)(void *arg, __u64 sender, const struct ring *ring, const __u32 seed[SEED_WORDS]);
	/* @sender has proven to be at @from now. May be NULL. */
	void (*proven)(void *arg, __u64 sender, const struct endpoint *from);
	/* Somebody who is not in the roster knocks, or has the flock's keys and says hello: then @claim has a key
	 * alone. Return: 0: it is in the roster now. NULL: nobody is ever let in. */
	int (*stranger)(void *arg, const struct claim *claim);
	/* A page came by channel_cast(). NULL: nobody listens. */
	void (*cast)(void *arg, const void *page, size_t len);
};

struct channel;

/**
 * channel_new() - nobody is known yet, so nobody is heard
 * @identity:	borrowed
 * @boot:	of this node: 64 random bits, not 0
 *
 * Return: NULL without memory.
 */
struct channel *channel_new(const struct identity *identity, __u64 boot, const struct channel_hooks *hooks);
void channel_free(struct channel *c);

/* The flock's keys and its seed, for oneself and for who knocks; copied. */
void channel_ring(struct channel *c, const struct ring *ring);
void channel_seed(struct channel *c, const __u32 seed[SEED_WORDS]);

/* Whoever has the flock's keys is let in: a HELLO is answered by another one as well, since its sender may not have
 * this node in its roster. */
void channel_open(struct channel *c, bool open);

/* Who may be heard. What is proven of those who stay, stays. Return: 0, or -ENOMEM with nothing changed. */
int channel_roster(struct channel *c, const struct roster *roster);

/**
 * channel_send() - a message
 * @to:		a node of the roster; 0: whoever is at @at
 * @bytes:	@len up to SEAL_DATAGRAM_MAX - SEAL_BYTES
 *
 * Leaves by the hook at once, or when its receiver has answered a HELLO; or never, as datagrams do.
 */
void channel_send(struct channel *c, struct mono now, __u64 to, const struct endpoint *at, const void *bytes,
		  size_t len);

/* Say hello to whoever hears it: a beacon. */
void channel_hello(struct channel *c, struct mono now, const struct endpoint *at);

/* A page to a group, of up to PAGE_BYTES: who hears it believes its signature alone. */
void channel_cast(struct channel *c, const struct endpoint *at, const void *page, size_t len);

/* Ask whoever is at @at for the flock's keys. */
void channel_knock(struct channel *c, struct mono now, const struct endpoint *at);

/* What knocks bring from now on: a secret of INVITATION_BYTES, NULL: none; and how this node is to be called. */
void channel_invitation(struct channel *c, const __u8 *secret, const char *name, const char *site);

/* Whether who claims has the secret. */
bool claim_right(const struct claim *claim, const __u8 secret[INVITATION_BYTES]);

/* Knocks are not answered until @until: who has been expelled may not be known yet. */
void channel_quiet(struct channel *c, struct mono until);

/* A datagram came, of any bytes. */
void channel_receive(struct channel *c, struct mono now, const struct endpoint *from, const void *bytes, size_t len);

/* The keys of the pair with @peer by one of the flock's. Return: 0; -ENOENT: not in the roster; -ENOKEY; -EINVAL. */
int channel_pair_keys(struct channel *c, __u64 peer, __u32 ring, __u8 ret_to[SEAL_KEY_BYTES],
		      __u8 ret_from[SEAL_KEY_BYTES]);

/* Whether two hosts use one identity; @id may be the own one. */
bool channel_conflict(const struct channel *c, __u64 id, struct mono now);
size_t channel_conflicts(const struct channel *c, struct mono now);

/* Whether @id has proven its boot since the keys or the start. */
bool channel_proven(const struct channel *c, __u64 id);

void channel_status(const struct channel *c, struct channel_status *ret);
const char *channel_count_label(enum channel_count which);

#endif
