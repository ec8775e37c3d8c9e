/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the channel*.c share. Not here: what others see (channel.h).
 */
#ifndef STARLING_IO_CHANNEL_STATE_H
#define STARLING_IO_CHANNEL_STATE_H

#include <sodium.h>

#include "io/channel.h"

struct waiting {
	__u8 *bytes; /* owned; NULL: nothing waits */
	size_t len;
};

struct peer {
	__u64 id;
	struct roster_key key;
	bool has_shared;
	__u8 shared[SEAL_KEY_BYTES];
	__u64 boot; /* proven; 0: none */
	struct window {
		__u64 top; /* highest number that came */
		__u64 seen[CHANNEL_WINDOW / 64];
	} window;
	struct mono hello, welcome, admitted, second;
	__u32 messages; /* in the second since @second */
	struct twin_watch twins;
	struct waiting waiting;
};

struct channel {
	const struct identity *identity;
	struct channel_hooks hooks;
	__u64 boot, sequence;
	bool open;
	__u8 secret[crypto_shorthash_KEYBYTES]; /* draws the numbers that prove */
	struct ring ring;
	struct peer *peer; /* owned; sorted by id; without this node */
	size_t peers;
	struct attempt {
		struct endpoint at;
		struct mono hello;
		struct waiting waiting;
	} attempt[CHANNEL_ADDRESSES];
	size_t attempt_next;
	struct twin_watch self;
	struct mono second;
	__u32 verified; /* signatures in the second since @second */
	struct mono cast_second;
	__u32 casts; /* likewise */
	__u32 seed[SEED_WORDS];
	struct knocking {
		struct mono since; /* the pair of keys that answers are sealed to; 0: there is none */
		__u8 fresh[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];
		struct mono back, solved;		/* the last knock of each reason */
		__u8 draw[crypto_generichash_KEYBYTES]; /* draws the puzzles for others */
		struct mono second;
		__u32 count, verified; /* knocks of others in the second since @second; of them, looked at */
		struct mono quiet;     /* until then none is answered */
		bool invited;
		__u8 invitation[INVITATION_BYTES];
		char name[STARLING_NAME_BYTES], site[STARLING_NAME_BYTES];
	} knocking;
	struct channel_status status;
	__u8 plain[SEAL_DATAGRAM_MAX], datagram[SEAL_DATAGRAM_MAX];
};

void channel_reject(struct channel *c, enum channel_count why);
bool channel_may_verify(struct channel *c, struct mono now);	/* one signature more in this second */
bool channel_due(struct mono *last, struct mono now, __u64 ms); /* if so, it is done now */

struct peer *channel_peer(const struct channel *c, __u64 id); /* NULL: not in the roster */
bool channel_peer_may(struct peer *p, struct mono now); /* one datagram more of it is listened to in this second */

/* Sealed with @key, which goes with @ring; @plain: up to SEAL_DATAGRAM_MAX - SEAL_BYTES. */
void channel_datagram(struct channel *c, enum seal_kind kind, __u64 tag, const struct ring_key *ring,
		      const __u8 key[SEAL_KEY_BYTES], const struct endpoint *at, const void *plain, size_t len);

/* channel_cast.c: a CAST of a node of the roster. */
void channel_cast_receive(struct channel *c, struct mono now, const struct seal_header *h, const void *bytes,
			  size_t len);

/*
 * channel_admit.c: KNOCK, PUZZLE and ADMIT of a node of the roster, and with @p NULL a KNOCK of another one; a knock at
 * who uses an unknown key.
 */
void channel_admission(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
		       struct peer *p, const void *bytes, size_t len);
void channel_knock_back(struct channel *c, struct mono now, const struct endpoint *at);

#endif
