// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Knocks and their answers. Not here: who may give which keys (hook of channel.h), keys at rest (secrets.c).
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "io/channel_state.h"

#define KNOCK_CONTEXT "SKN1"
#define ADMIT_CONTEXT "SAD1"
#define FRESH_MS      60000 /* a pair of keys is asked with for so long */
#define NONCE_BYTES   crypto_generichash_BYTES_MIN
#define PUZZLE_MS     10000    /* a nonce is drawn so often; the last one counts too */
#define PUZZLE_ZEROS  12       /* leading bits of the solution's hash */
#define PUZZLE_TRIES  1u << 16 /* 16 times the mean */

#define INVITED_CONTEXT "SIN1"

#define GIFT_BYTES   (RING_BYTES + SEED_WORDS * 4)
#define SEALED_BYTES (GIFT_BYTES + crypto_box_SEALBYTES)

/* Behind the header of an ADMIT. The signature is over the fresh key, too. */
struct admit {
	__u8 sealed[SEALED_BYTES];
	__u8 signature[SIGNATURE_BYTES];
};

/* Of a KNOCK, which is as long as its answer. The signature is over all before it. */
struct knock {
	__u8 key[ROSTER_KEY_BYTES];
	__u8 fresh[crypto_box_PUBLICKEYBYTES];
	__u8 nonce[NONCE_BYTES]; /* of the puzzle; zero: none was asked */
	__le64 work;		 /* its solution */
	struct invited {
		__u8 mac[crypto_generichash_BYTES]; /* with the secret of an invitation; zero: there is none */
		char name[STARLING_NAME_BYTES];	    /* how the sender wants to be called */
		char site[STARLING_NAME_BYTES];
	} invited;
	__u8 pad[sizeof(struct admit) - ROSTER_KEY_BYTES - crypto_box_PUBLICKEYBYTES - NONCE_BYTES - 8 -
		 sizeof(struct invited) - SIGNATURE_BYTES];
	__u8 signature[SIGNATURE_BYTES];
};

/* Of a PUZZLE: only who saw the knock knows its fresh key. */
struct puzzle {
	__u8 fresh[crypto_box_PUBLICKEYBYTES];
	__u8 nonce[NONCE_BYTES];
};
_Static_assert(sizeof(struct knock) == sizeof(struct admit) && sizeof(struct admit) == 520, "on the wire");
_Static_assert(sizeof(struct puzzle) == 48 && SEAL_HEADER_BYTES + sizeof(struct puzzle) >= SEAL_BYTES, "on the wire");
_Static_assert(offsetof(struct knock, work) == 80 && offsetof(struct knock, invited) == 88 &&
		       sizeof(struct invited) == 32 + 2 * STARLING_NAME_BYTES && STARLING_NAME_BYTES == 32 &&
		       offsetof(struct knock, signature) == 456,
	       "on the wire");

struct admit_signed {
	__u8 fresh[crypto_box_PUBLICKEYBYTES];
	__u8 sealed[SEALED_BYTES];
};
_Static_assert(sizeof(struct admit_signed) <= SEAL_SIGNED_MAX && sizeof(struct knock) <= SEAL_SIGNED_MAX, "fits");

static struct seal_header header_next(struct channel *c, enum seal_kind kind, __u32 key, __u64 tag)
{
	return (struct seal_header){.version = SEAL_VERSION,
				    .kind = (__u8)kind,
				    .key = htole32(key),
				    .sender = htole64(c->identity->id),
				    .tag = htole64(tag),
				    .boot = htole64(c->boot),
				    .sequence = htole64(++c->sequence)};
}

static void plain_send(struct channel *c, const struct endpoint *at, const struct seal_header *h, const void *body,
		       size_t len)
{
	memcpy(mempcpy(c->datagram, h, sizeof(*h)), body, len);
	c->status.sent++;
	c->status.sent_bytes += sizeof(*h) + len;
	c->hooks.send(c->hooks.arg, at, c->datagram, sizeof(*h) + len);
}

/* --- puzzles --- */

static void nonce_draw(struct channel *c, struct mono now, unsigned int ago, __u64 id, const struct endpoint *from,
		       __u8 ret[NONCE_BYTES])
{
	struct {
		__u64 slot, id;
		struct endpoint from;
	} text;

	memset(&text, 0, sizeof(text));
	text.slot = now.ns / (PUZZLE_MS * 1000000ull) - ago;
	text.id = id;
	text.from = *from;
	crypto_generichash(ret, NONCE_BYTES, (const __u8 *)&text, sizeof(text), c->knocking.draw,
			   sizeof(c->knocking.draw));
}

static bool work_right(const __u8 nonce[NONCE_BYTES], const __u8 fresh[crypto_box_PUBLICKEYBYTES], __le64 work)
{
	__u8 text[NONCE_BYTES + crypto_box_PUBLICKEYBYTES + sizeof(work)], hash[crypto_generichash_BYTES_MIN],
		*p = text;

	_Static_assert(PUZZLE_ZEROS == 12, "looked for below");
	p = mempcpy(p, nonce, NONCE_BYTES);
	p = mempcpy(p, fresh, crypto_box_PUBLICKEYBYTES);
	memcpy(p, &work, sizeof(work));
	crypto_generichash(hash, sizeof(hash), text, sizeof(text), NULL, 0);
	return !hash[0] && hash[1] < 16;
}

static bool puzzle_solved(struct channel *c, struct mono now, const struct endpoint *from, __u64 id,
			  const struct knock *knock)
{
	__u8 nonce[NONCE_BYTES];

	for (unsigned int ago = 0; ago < 2; ago++) {
		nonce_draw(c, now, ago, id, from, nonce);
		if (!memcmp(nonce, knock->nonce, sizeof(nonce)))
			return work_right(nonce, knock->fresh, knock->work);
	}
	return false;
}

static void puzzle_send(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			const struct knock *knock)
{
	struct seal_header answer = header_next(c, SEAL_PUZZLE, 0, le64toh(h->boot));
	struct puzzle puzzle;

	memcpy(puzzle.fresh, knock->fresh, sizeof(puzzle.fresh));
	nonce_draw(c, now, 0, le64toh(h->sender), from, puzzle.nonce);
	plain_send(c, from, &answer, &puzzle, sizeof(puzzle));
}

/* --- invitations --- */

static void invited_mac(const struct knock *knock, const __u8 secret[INVITATION_BYTES],
			__u8 ret[crypto_generichash_BYTES])
{
	__u8 text[sizeof(INVITED_CONTEXT) - 1 + ROSTER_KEY_BYTES + crypto_box_PUBLICKEYBYTES + 2 * STARLING_NAME_BYTES],
		*p = text;

	p = mempcpy(p, INVITED_CONTEXT, sizeof(INVITED_CONTEXT) - 1);
	p = mempcpy(p, knock->key, sizeof(knock->key));
	p = mempcpy(p, knock->fresh, sizeof(knock->fresh));
	p = mempcpy(p, knock->invited.name, sizeof(knock->invited.name));
	memcpy(p, knock->invited.site, sizeof(knock->invited.site));
	crypto_generichash(ret, crypto_generichash_BYTES, text, sizeof(text), secret, INVITATION_BYTES);
}

bool claim_right(const struct claim *claim, const __u8 secret[INVITATION_BYTES])
{
	__u8 mac[crypto_generichash_BYTES];

	if (!claim->knock)
		return false;
	invited_mac(claim->knock, secret, mac);
	return !sodium_memcmp(mac, claim->knock->invited.mac, sizeof(mac));
}

void channel_invitation(struct channel *c, const __u8 *secret, const char *name, const char *site)
{
	struct knocking *k = &c->knocking;

	k->invited = secret != NULL;
	if (!secret) {
		sodium_memzero(k->invitation, sizeof(k->invitation));
		return;
	}
	memcpy(k->invitation, secret, sizeof(k->invitation));
	strncpy(k->name, name, sizeof(k->name) - 1);
	strncpy(k->site, site, sizeof(k->site) - 1);
}

void channel_quiet(struct channel *c, struct mono until)
{
	c->knocking.quiet = until;
}

/* --- to knock --- */

static void knock_send(struct channel *c, const struct endpoint *at, const __u8 nonce[NONCE_BYTES], __le64 work)
{
	struct seal_header h = header_next(c, SEAL_KNOCK, 0, 0);
	struct knock knock = {.work = work};

	memcpy(knock.key, c->identity->key.byte, sizeof(knock.key));
	memcpy(knock.fresh, c->knocking.fresh, sizeof(knock.fresh));
	memcpy(knock.nonce, nonce, sizeof(knock.nonce));
	if (c->knocking.invited) {
		memcpy(knock.invited.name, c->knocking.name, sizeof(knock.invited.name));
		memcpy(knock.invited.site, c->knocking.site, sizeof(knock.invited.site));
		invited_mac(&knock, c->knocking.invitation, knock.invited.mac);
	}
	if (!seal_sign(c->identity, KNOCK_CONTEXT, &h, &knock, offsetof(struct knock, signature), knock.signature))
		plain_send(c, at, &h, &knock, sizeof(knock));
}

void channel_knock(struct channel *c, struct mono now, const struct endpoint *at)
{
	static const __u8 none[NONCE_BYTES];
	struct knocking *k = &c->knocking;

	if (!k->since.ns || mono_ms(k->since, now) >= FRESH_MS) {
		crypto_box_keypair(k->fresh, k->secret);
		k->since = now;
	}
	knock_send(c, at, none, 0);
}

void channel_knock_back(struct channel *c, struct mono now, const struct endpoint *at)
{
	if (channel_due(&c->knocking.back, now, CHANNEL_ADMIT_MS))
		channel_knock(c, now, at);
}

static bool asked(const struct channel *c, const struct seal_header *h)
{
	return c->knocking.since.ns && le64toh(h->tag) == c->boot;
}

static void puzzle_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			   const struct puzzle *puzzle, size_t len)
{
	__u64 work = 0;

	if (len != sizeof(*puzzle)) {
		channel_reject(c, CHANNEL_MALFORMED);
		return;
	}
	if (!asked(c, h) || memcmp(puzzle->fresh, c->knocking.fresh, sizeof(puzzle->fresh)) != 0 ||
	    !channel_due(&c->knocking.solved, now, CHANNEL_ADMIT_MS)) {
		channel_reject(c, CHANNEL_UNASKED);
		return;
	}
	c->status.received++;
	c->status.received_bytes += SEAL_HEADER_BYTES + len;
	while (work < (PUZZLE_TRIES) && !work_right(puzzle->nonce, puzzle->fresh, htole64(work)))
		work++;
	knock_send(c, from, puzzle->nonce, htole64(work));
}

static enum channel_count admit_judge(struct channel *c, struct mono now, const struct seal_header *h,
				      const struct peer *p, const struct admit *admit, size_t len)
{
	struct admit_signed text;
	__u8 gift[GIFT_BYTES];
	__u32 seed[SEED_WORDS];
	struct ring ring;
	enum channel_count why = CHANNEL_COUNTS;

	if (len != sizeof(*admit))
		return CHANNEL_MALFORMED;
	if (!asked(c, h))
		return CHANNEL_UNASKED;
	if (!channel_may_verify(c, now))
		return CHANNEL_FLOOD;
	memcpy(text.fresh, c->knocking.fresh, sizeof(text.fresh));
	memcpy(text.sealed, admit->sealed, sizeof(text.sealed));
	if (!seal_signed(&p->key, ADMIT_CONTEXT, h, &text, sizeof(text), admit->signature) ||
	    crypto_box_seal_open(gift, admit->sealed, sizeof(admit->sealed), c->knocking.fresh, c->knocking.secret))
		return CHANNEL_FORGED;
	memcpy(seed, gift + RING_BYTES, sizeof(seed));
	if (ring_decode(gift, &ring))
		why = CHANNEL_UNREADABLE;
	else if (c->hooks.admit(c->hooks.arg, p->id, &ring, seed))
		why = CHANNEL_FORGED;
	sodium_memzero(gift, sizeof(gift));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(&ring, sizeof(ring));
	return why;
}

static void admit_receive(struct channel *c, struct mono now, const struct seal_header *h, const struct peer *p,
			  const struct admit *admit, size_t len)
{
	enum channel_count why = admit_judge(c, now, h, p, admit, len);

	if (why != CHANNEL_COUNTS) {
		channel_reject(c, why);
		return;
	}
	c->status.received++;
	c->status.received_bytes += SEAL_HEADER_BYTES + len;
}

/* --- to answer --- */

static void admit_send(struct channel *c, const struct endpoint *from, const struct seal_header *h,
		       const struct knock *knock)
{
	struct seal_header answer = header_next(c, SEAL_ADMIT, c->ring.used, le64toh(h->boot));
	struct admit_signed text;
	struct admit admit;
	__u8 gift[GIFT_BYTES];

	ring_encode(&c->ring, gift);
	memcpy(gift + RING_BYTES, c->seed, sizeof(c->seed));
	memcpy(text.fresh, knock->fresh, sizeof(text.fresh));
	if (!crypto_box_seal(text.sealed, gift, sizeof(gift), knock->fresh) &&
	    !seal_sign(c->identity, ADMIT_CONTEXT, &answer, &text, sizeof(text), admit.signature)) {
		memcpy(admit.sealed, text.sealed, sizeof(admit.sealed));
		plain_send(c, from, &answer, &admit, sizeof(admit));
	}
	sodium_memzero(gift, sizeof(gift));
}

/* Return: why it is not answered, or CHANNEL_COUNTS. */
static enum channel_count knock_judge(struct channel *c, struct mono now, const struct endpoint *from,
				      const struct seal_header *h, const struct peer *p, const struct knock *knock,
				      size_t len)
{
	struct roster_key key;

	if (len != sizeof(*knock))
		return CHANNEL_MALFORMED;
	memcpy(key.byte, knock->key, sizeof(key.byte));
	if (roster_id(&key) != le64toh(h->sender) || (p && memcmp(key.byte, p->key.byte, sizeof(key.byte)) != 0))
		return CHANNEL_FORGED;
	if (!p && sodium_is_zero(knock->invited.mac, sizeof(knock->invited.mac)))
		return CHANNEL_STRANGER;
	if (channel_due(&c->knocking.second, now, 1000))
		c->knocking.count = c->knocking.verified = 0;
	if (c->knocking.count++ >= CHANNEL_KNOCKS && !puzzle_solved(c, now, from, le64toh(h->sender), knock)) {
		puzzle_send(c, now, from, h, knock);
		return CHANNEL_FLOOD;
	}
	if (c->knocking.verified++ >= CHANNEL_KNOCK_SIGNATURES || !channel_may_verify(c, now))
		return CHANNEL_FLOOD;
	if (!seal_signed(&key, KNOCK_CONTEXT, h, knock, offsetof(struct knock, signature), knock->signature))
		return CHANNEL_FORGED;
	if (!c->ring.count || c->knocking.quiet.ns > now.ns)
		return CHANNEL_KEY; /* this node waits for one itself, or for news */
	return CHANNEL_COUNTS;
}

/* Of somebody who is not in the roster. Return: NULL, or what it is now. */
static struct peer *stranger_let_in(struct channel *c, const struct seal_header *h, const struct knock *knock)
{
	char name[STARLING_NAME_BYTES], site[STARLING_NAME_BYTES];
	struct claim claim = {.name = name, .site = site, .knock = knock};
	struct roster_key key;

	memcpy(key.byte, knock->key, sizeof(key.byte));
	snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, knock->invited.name);
	snprintf(site, sizeof(site), "%.*s", (int)sizeof(site) - 1, knock->invited.site);
	claim.key = &key;
	return c->hooks.stranger(c->hooks.arg, &claim) ? NULL : channel_peer(c, le64toh(h->sender));
}

static void knock_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			  struct peer *p, const struct knock *knock, size_t len)
{
	enum channel_count why = knock_judge(c, now, from, h, p, knock, len);

	if (why == CHANNEL_COUNTS && !p) {
		p = stranger_let_in(c, h, knock);
		why = p ? CHANNEL_COUNTS : CHANNEL_STRANGER;
	}
	if (why == CHANNEL_COUNTS && !channel_due(&p->admitted, now, CHANNEL_ADMIT_MS))
		why = CHANNEL_FLOOD;
	if (why != CHANNEL_COUNTS) {
		channel_reject(c, why);
		return;
	}
	c->status.received++;
	c->status.received_bytes += SEAL_HEADER_BYTES + len;
	admit_send(c, from, h, knock);
}

void channel_admission(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
		       struct peer *p, const void *bytes, size_t len)
{
	const void *body = c->plain; /* aligned, as @bytes need not be */

	len -= SEAL_HEADER_BYTES;
	memcpy(c->plain, (const __u8 *)bytes + SEAL_HEADER_BYTES, len);
	if (h->kind == SEAL_KNOCK)
		knock_receive(c, now, from, h, p, body, len);
	else if (h->kind == SEAL_PUZZLE)
		puzzle_receive(c, now, from, h, body, len);
	else
		admit_receive(c, now, h, p, body, len);
}
