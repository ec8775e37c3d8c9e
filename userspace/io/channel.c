// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See channel.h. Not here: bytes of a seal (seal.c), knocks (channel_admit.c), groups (channel_cast.c), twins
 * (core/incarnation.h).
 */
#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "io/channel_state.h"

#define PLAIN_MAX     (SEAL_DATAGRAM_MAX - SEAL_BYTES)
#define HELLO_CONTEXT "SHL1"

/* What is sealed in a HELLO. The signature is over HELLO_CONTEXT, the header, and all before it here. */
struct hello {
	__u8 key[ROSTER_KEY_BYTES];
	__le64 number;
	__u8 signature[SIGNATURE_BYTES];
};
_Static_assert(sizeof(struct hello) == 104, "on the wire");

/* In a WELCOME; a CONFIRM has only the first. */
struct proof {
	__le64 echo;
	__le64 number;
};
_Static_assert(sizeof(struct proof) == 16, "on the wire");
#define CONFIRM_BYTES 8

/* --- numbers that came --- */

/* Whether @number is new; then it is noted. */
static bool window_take(struct window *w, __u64 number)
{
	__u64 ahead, i;

	if (number > w->top) {
		ahead = number - w->top;
		if (ahead >= CHANNEL_WINDOW)
			memset(w->seen, 0, sizeof(w->seen));
		else
			for (i = w->top + 1; i <= number; i++)
				w->seen[i / 64 % (CHANNEL_WINDOW / 64)] &= ~(1ull << i % 64);
		w->top = number;
	} else if (w->top - number >= CHANNEL_WINDOW ||
		   w->seen[number / 64 % (CHANNEL_WINDOW / 64)] >> number % 64 & 1) {
		return false;
	}
	w->seen[number / 64 % (CHANNEL_WINDOW / 64)] |= 1ull << number % 64;
	return true;
}

/* --- peers --- */

static void waiting_free(struct waiting *w)
{
	if (w->bytes)
		sodium_memzero(w->bytes, w->len);
	free(w->bytes);
	*w = (struct waiting){0};
}

static void waiting_set(struct waiting *w, const void *bytes, size_t len)
{
	waiting_free(w);
	w->bytes = malloc(len ? len : 1);
	if (!w->bytes)
		return;
	memcpy(w->bytes, bytes, len);
	w->len = len;
}

struct channel *channel_new(const struct identity *identity, __u64 boot, const struct channel_hooks *hooks)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->identity = identity;
	c->hooks = *hooks;
	c->boot = boot;
	randombytes_buf(c->secret, sizeof(c->secret));
	randombytes_buf(c->knocking.draw, sizeof(c->knocking.draw));
	return c;
}

static void peers_free(struct peer *peer, size_t count)
{
	for (size_t i = 0; i < count; i++)
		waiting_free(&peer[i].waiting);
	if (peer)
		sodium_memzero(peer, count * sizeof(*peer));
	free(peer);
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	peers_free(c->peer, c->peers);
	for (size_t i = 0; i < CHANNEL_ADDRESSES; i++)
		waiting_free(&c->attempt[i].waiting);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

void channel_ring(struct channel *c, const struct ring *ring)
{
	c->ring = *ring;
}

void channel_seed(struct channel *c, const __u32 seed[SEED_WORDS])
{
	memcpy(c->seed, seed, sizeof(c->seed));
}

void channel_open(struct channel *c, bool open)
{
	c->open = open;
}

static int peer_order(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct peer *channel_peer(const struct channel *c, __u64 id)
{
	struct peer key = {.id = id};

	return c->peers ? bsearch(&key, c->peer, c->peers, sizeof(key), peer_order) : NULL;
}

int channel_roster(struct channel *c, const struct roster *roster)
{
	struct peer *peer = calloc(roster->count + 1, sizeof(*peer)), *old;
	size_t count = 0, i;

	if (!peer)
		return -ENOMEM;
	for (i = 0; i < roster->count; i++) {
		if (roster->node[i].id == c->identity->id)
			continue;
		old = channel_peer(c, roster->node[i].id);
		peer[count] = old ? *old : (struct peer){.id = roster->node[i].id, .key = roster->node[i].key};
		if (old)
			old->waiting = (struct waiting){0}; /* moved */
		count++;
	}
	qsort(peer, count, sizeof(*peer), peer_order);
	peers_free(c->peer, c->peers);
	c->peer = peer;
	c->peers = count;
	return 0;
}

/* Return: 0, or -EINVAL: with such a key nothing can be sealed. */
static int peer_key(const struct channel *c, struct peer *p, const struct ring_key *ring, bool to,
		    __u8 ret[SEAL_KEY_BYTES])
{
	__u64 self = c->identity->id;

	if (!p->has_shared && seal_shared(c->identity, &p->key, p->shared))
		return -EINVAL;
	p->has_shared = true;
	seal_pair_key(ring, p->shared, to ? self : p->id, to ? p->id : self, ret);
	return 0;
}

/* --- sending --- */

void channel_datagram(struct channel *c, enum seal_kind kind, __u64 tag, const struct ring_key *ring,
		      const __u8 key[SEAL_KEY_BYTES], const struct endpoint *at, const void *plain, size_t len)
{
	struct seal_header h = {.version = SEAL_VERSION,
				.kind = (__u8)kind,
				.key = htole32(ring->id),
				.sender = htole64(c->identity->id),
				.tag = htole64(tag),
				.boot = htole64(c->boot),
				.sequence = htole64(++c->sequence)};
	size_t bytes = seal_close(&h, key, plain, len, c->datagram);

	c->status.sent++;
	c->status.sent_bytes += bytes;
	c->hooks.send(c->hooks.arg, at, c->datagram, bytes);
}

static void pair_send(struct channel *c, struct peer *p, enum seal_kind kind, __u64 tag, const struct endpoint *at,
		      const void *plain, size_t len)
{
	const struct ring_key *ring = ring_find(&c->ring, c->ring.used);
	__u8 key[SEAL_KEY_BYTES];

	if (ring && !peer_key(c, p, ring, true, key))
		channel_datagram(c, kind, tag, ring, key, at, plain, len);
	sodium_memzero(key, sizeof(key));
}

/* The number that an answer has to echo now, or had to a second ago. */
static __u64 proof_number(const struct channel *c, struct mono now, unsigned int ago)
{
	__u64 slot = now.ns / (CHANNEL_PROOF_MS * 1000000ull) - ago, number;

	crypto_shorthash((__u8 *)&number, (const __u8 *)&slot, sizeof(slot), c->secret);
	return number;
}

static bool proof_right(const struct channel *c, struct mono now, __le64 echo)
{
	return le64toh(echo) == proof_number(c, now, 0) || le64toh(echo) == proof_number(c, now, 1);
}

void channel_hello(struct channel *c, struct mono now, const struct endpoint *at)
{
	const struct ring_key *ring = ring_find(&c->ring, c->ring.used);
	struct hello hello = {.number = htole64(proof_number(c, now, 0))};
	struct seal_header h;

	if (!ring)
		return;
	/* the header as channel_datagram() will write it */
	h = (struct seal_header){.version = SEAL_VERSION,
				 .kind = SEAL_HELLO,
				 .key = htole32(ring->id),
				 .sender = htole64(c->identity->id),
				 .boot = htole64(c->boot),
				 .sequence = htole64(c->sequence + 1)};
	memcpy(hello.key, c->identity->key.byte, sizeof(hello.key));
	if (!seal_sign(c->identity, HELLO_CONTEXT, &h, &hello, offsetof(struct hello, signature), hello.signature))
		channel_datagram(c, SEAL_HELLO, 0, ring, ring->byte, at, &hello, sizeof(hello));
}

bool channel_due(struct mono *last, struct mono now, __u64 ms)
{
	if (last->ns && mono_ms(*last, now) < ms)
		return false;
	*last = now;
	return true;
}

static void peer_hello(struct channel *c, struct mono now, struct peer *p, const struct endpoint *at)
{
	if (channel_due(&p->hello, now, CHANNEL_HELLO_MS))
		channel_hello(c, now, at);
}

/* To whoever is at an address: the oldest attempt is given up for a new one. */
static void address_send(struct channel *c, struct mono now, const struct endpoint *at, const void *bytes, size_t len)
{
	struct attempt *a = NULL;
	size_t i;

	for (i = 0; i < CHANNEL_ADDRESSES && !a; i++)
		if (!endpoint_compare(&c->attempt[i].at, at))
			a = &c->attempt[i];
	if (!a) {
		a = &c->attempt[c->attempt_next++ % CHANNEL_ADDRESSES];
		a->at = *at;
		a->hello.ns = 0;
	}
	waiting_set(&a->waiting, bytes, len);
	if (channel_due(&a->hello, now, CHANNEL_HELLO_MS))
		channel_hello(c, now, at);
}

void channel_send(struct channel *c, struct mono now, __u64 to, const struct endpoint *at, const void *bytes,
		  size_t len)
{
	struct peer *p = to ? channel_peer(c, to) : NULL;

	if (len > PLAIN_MAX || (to && !p))
		return;
	if (!to)
		address_send(c, now, at, bytes, len);
	else if (p->boot)
		pair_send(c, p, SEAL_DATA, p->boot, at, bytes, len);
	else {
		waiting_set(&p->waiting, bytes, len);
		peer_hello(c, now, p, at);
	}
}

/* --- receiving --- */

void channel_reject(struct channel *c, enum channel_count why)
{
	c->status.rejected[why]++;
}

bool channel_may_verify(struct channel *c, struct mono now)
{
	if (channel_due(&c->second, now, 1000))
		c->verified = 0;
	return c->verified++ < CHANNEL_SIGNATURES;
}

/* @boot is the one that @p is in. What waited for it leaves. */
static void peer_prove(struct channel *c, struct mono now, struct peer *p, __u64 boot, const struct endpoint *from)
{
	size_t i;

	if (p->boot != boot) {
		p->boot = boot;
		p->window = (struct window){0};
	}
	twin_heard(&p->twins, boot, from, now);
	if (c->hooks.proven)
		c->hooks.proven(c->hooks.arg, p->id, from);
	if (p->waiting.bytes)
		pair_send(c, p, SEAL_DATA, boot, from, p->waiting.bytes, p->waiting.len);
	waiting_free(&p->waiting);
	for (i = 0; i < CHANNEL_ADDRESSES; i++) {
		struct attempt *a = &c->attempt[i];

		if (endpoint_compare(&a->at, from) || !a->waiting.bytes)
			continue;
		pair_send(c, p, SEAL_DATA, boot, from, a->waiting.bytes, a->waiting.len);
		waiting_free(&a->waiting);
		a->at = (struct endpoint){0};
	}
}

/* What is sealed in a HELLO, into c->plain. Return: why it cannot be @key's, or CHANNEL_COUNTS. */
static enum channel_count hello_open(struct channel *c, struct mono now, const struct seal_header *h,
				     const struct roster_key *key, const void *bytes, size_t len)
{
	const struct ring_key *ring = ring_find(&c->ring, le32toh(h->key));
	const struct hello *hello = (const struct hello *)c->plain;

	if (len != SEAL_BYTES + sizeof(*hello))
		return CHANNEL_MALFORMED;
	if (!ring)
		return CHANNEL_KEY;
	if (seal_open(bytes, len, ring->byte, c->plain) || memcmp(hello->key, key->byte, ROSTER_KEY_BYTES) != 0)
		return CHANNEL_FORGED;
	if (!channel_may_verify(c, now))
		return CHANNEL_FLOOD;
	return seal_signed(key, HELLO_CONTEXT, h, hello, offsetof(struct hello, signature), hello->signature)
		       ? CHANNEL_COUNTS
		       : CHANNEL_FORGED;
}

/* The own identity elsewhere, or what this node sent itself. */
static void self_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			 const void *bytes, size_t len)
{
	const struct hello *hello = (const struct hello *)c->plain;
	enum channel_count why = CHANNEL_REFLECTED;

	if (le64toh(h->boot) != c->boot) {
		why = h->kind == SEAL_HELLO ? hello_open(c, now, h, &c->identity->key, bytes, len) : CHANNEL_FORGED;
		if (why == CHANNEL_COUNTS)
			why = proof_right(c, now, hello->number) ? CHANNEL_REFLECTED : CHANNEL_TWIN;
	}
	if (why == CHANNEL_TWIN) {
		twin_heard(&c->self, le64toh(h->boot), from, now);
		twin_heard(&c->self, c->boot, &(struct endpoint){0}, now);
	}
	channel_reject(c, why);
}

/* Who has the flock's keys and is not listed. Return: NULL, or what it is now. */
static struct peer *stranger_receive(struct channel *c, struct mono now, const struct seal_header *h, const void *bytes,
				     size_t len)
{
	const struct hello *hello = (const struct hello *)c->plain;
	const struct ring_key *ring = ring_find(&c->ring, le32toh(h->key));
	struct claim claim = {.name = "", .site = ""};
	struct roster_key key;

	if (!c->hooks.stranger || !ring || len != SEAL_BYTES + sizeof(*hello) ||
	    seal_open(bytes, len, ring->byte, c->plain))
		return NULL;
	memcpy(key.byte, hello->key, sizeof(key.byte));
	if (roster_id(&key) != le64toh(h->sender) || hello_open(c, now, h, &key, bytes, len) != CHANNEL_COUNTS)
		return NULL;
	claim.key = &key;
	return c->hooks.stranger(c->hooks.arg, &claim) ? NULL : channel_peer(c, le64toh(h->sender));
}

static void hello_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			  struct peer *p, const void *bytes, size_t len)
{
	const struct hello *hello = (const struct hello *)c->plain;
	enum channel_count why;
	struct proof proof;

	why = hello_open(c, now, h, &p->key, bytes, len);
	if (why == CHANNEL_COUNTS && !channel_due(&p->welcome, now, CHANNEL_WELCOME_MS))
		why = CHANNEL_FLOOD;
	if (why != CHANNEL_COUNTS) {
		channel_reject(c, why);
		if (why == CHANNEL_KEY)
			channel_knock_back(c, now, from);
		return;
	}
	c->status.received++;
	c->status.received_bytes += len;
	proof = (struct proof){hello->number, htole64(proof_number(c, now, 0))};
	pair_send(c, p, SEAL_WELCOME, le64toh(h->boot), from, &proof, sizeof(proof));
	if (c->open && p->boot != le64toh(h->boot))
		peer_hello(c, now, p, from);
}

static void proof_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			  struct peer *p, size_t len)
{
	const struct proof *proof = (const struct proof *)c->plain;
	bool welcome = h->kind == SEAL_WELCOME;

	if (len != (welcome ? sizeof(*proof) : CONFIRM_BYTES)) {
		channel_reject(c, CHANNEL_MALFORMED);
	} else if (!proof_right(c, now, proof->echo)) {
		channel_reject(c, CHANNEL_UNASKED);
	} else {
		if (welcome)
			pair_send(c, p, SEAL_CONFIRM, le64toh(h->boot), from, &proof->number, CONFIRM_BYTES);
		peer_prove(c, now, p, le64toh(h->boot), from);
		window_take(&p->window, le64toh(h->sequence));
	}
}

bool channel_peer_may(struct peer *p, struct mono now)
{
	if (channel_due(&p->second, now, 1000))
		p->messages = 0;
	return p->messages++ < CHANNEL_PEER_MESSAGES;
}

static void data_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			 struct peer *p, size_t len)
{
	if (le64toh(h->boot) != p->boot) {
		channel_reject(c, CHANNEL_STALE);
		peer_hello(c, now, p, from);
		return;
	}
	if (!window_take(&p->window, le64toh(h->sequence))) {
		channel_reject(c, CHANNEL_REPLAYED);
		return;
	}
	if (!channel_peer_may(p, now)) {
		channel_reject(c, CHANNEL_FLOOD);
		return;
	}
	twin_heard(&p->twins, p->boot, from, now);
	if (c->hooks.message(c->hooks.arg, from, p->id, c->plain, len))
		channel_reject(c, CHANNEL_UNREADABLE);
}

static void pair_receive(struct channel *c, struct mono now, const struct endpoint *from, const struct seal_header *h,
			 struct peer *p, const void *bytes, size_t len)
{
	const struct ring_key *ring = ring_find(&c->ring, le32toh(h->key));
	__u8 key[SEAL_KEY_BYTES];

	if (!ring) {
		channel_reject(c, CHANNEL_KEY);
		channel_knock_back(c, now, from);
		return;
	}
	if (peer_key(c, p, ring, false, key) || seal_open(bytes, len, key, c->plain)) {
		channel_reject(c, CHANNEL_FORGED);
		return;
	}
	if (le64toh(h->tag) != c->boot) { /* it does not know of this life of ours, or it is a replay */
		channel_reject(c, CHANNEL_STALE);
		peer_hello(c, now, p, from);
		return;
	}
	c->status.received++;
	c->status.received_bytes += len;
	if (h->kind == SEAL_DATA)
		data_receive(c, now, from, h, p, len - SEAL_BYTES);
	else
		proof_receive(c, now, from, h, p, len - SEAL_BYTES);
}

void channel_receive(struct channel *c, struct mono now, const struct endpoint *from, const void *bytes, size_t len)
{
	struct seal_header h;
	struct peer *p;

	if (len < SEAL_BYTES || len > SEAL_DATAGRAM_MAX) {
		channel_reject(c, CHANNEL_MALFORMED);
		return;
	}
	memcpy(&h, bytes, sizeof(h));
	if (h.version != SEAL_VERSION) {
		channel_reject(c, CHANNEL_VERSION);
		return;
	}
	if (h.pad || !h.boot || !h.sequence || h.kind < SEAL_HELLO || h.kind > SEAL_CAST) {
		channel_reject(c, CHANNEL_MALFORMED);
		return;
	}
	if (le64toh(h.sender) == c->identity->id) {
		self_receive(c, now, from, &h, bytes, len);
		return;
	}
	p = channel_peer(c, le64toh(h.sender));
	if (!p && h.kind == SEAL_HELLO)
		p = stranger_receive(c, now, &h, bytes, len);
	if (h.kind == SEAL_KNOCK && !p && c->hooks.stranger)
		channel_admission(c, now, from, &h, NULL, bytes, len);
	else if (!p)
		channel_reject(c, CHANNEL_STRANGER);
	else if (h.kind == SEAL_HELLO)
		hello_receive(c, now, from, &h, p, bytes, len);
	else if (h.kind == SEAL_CAST)
		channel_cast_receive(c, now, &h, bytes, len);
	else if (h.kind >= SEAL_KNOCK)
		channel_admission(c, now, from, &h, p, bytes, len);
	else
		pair_receive(c, now, from, &h, p, bytes, len);
}

/* --- looking --- */

int channel_pair_keys(struct channel *c, __u64 peer, __u32 ring, __u8 ret_to[SEAL_KEY_BYTES],
		      __u8 ret_from[SEAL_KEY_BYTES])
{
	const struct ring_key *key = ring_find(&c->ring, ring);
	struct peer *p = channel_peer(c, peer);

	if (!p)
		return -ENOENT;
	if (!key)
		return -ENOKEY;
	return peer_key(c, p, key, true, ret_to) || peer_key(c, p, key, false, ret_from) ? -EINVAL : 0;
}

bool channel_conflict(const struct channel *c, __u64 id, struct mono now)
{
	const struct peer *p = channel_peer(c, id);

	return twin_conflict(p ? &p->twins : &c->self, now) && (p || id == c->identity->id);
}

size_t channel_conflicts(const struct channel *c, struct mono now)
{
	size_t count = twin_conflict(&c->self, now), i;

	for (i = 0; i < c->peers; i++)
		count += twin_conflict(&c->peer[i].twins, now);
	return count;
}

bool channel_proven(const struct channel *c, __u64 id)
{
	const struct peer *p = channel_peer(c, id);

	return p && p->boot;
}

void channel_status(const struct channel *c, struct channel_status *ret)
{
	*ret = c->status;
}

const char *channel_count_label(enum channel_count which)
{
	static const char *const labels[CHANNEL_COUNTS] = {
#define CHANNEL_LABEL(id, label, help) [CHANNEL_##id] = (label),
		STARLING_CHANNEL_COUNTS(CHANNEL_LABEL)
#undef CHANNEL_LABEL
	};

	return labels[which];
}
