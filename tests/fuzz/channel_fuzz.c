// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes at the gossip socket: as they are, as a change of every kind of datagram that a member or a stranger
 * sends, and sealed by a member. Nothing that was changed is heard, whatever is sealed arrives as it was, and every
 * datagram is counted. Not here: what messages say (message_fuzz), pages (page_fuzz).
 */
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/channel.h"
#include "fuzz.h"

#define KEPT 16

struct party {
	struct identity identity;
	struct endpoint at;
	struct channel *channel;
	struct datagram {
		size_t len;
		__u8 bytes[SEAL_DATAGRAM_MAX];
	} sent[KEPT];
	size_t count;
	size_t heard, len;
	__u8 text[SEAL_DATAGRAM_MAX];
};

static struct party party[3]; /* who hears, a member, a stranger */
static const __u8 secret[INVITATION_BYTES] = {1};
static struct mono now = {5000000000000ull};
static size_t strangers;

static void on_send(void *arg, const struct endpoint *at, const void *bytes, size_t len)
{
	struct party *p = arg;

	(void)at;
	REQUIRE(len <= SEAL_DATAGRAM_MAX);
	if (p->count == KEPT)
		return;
	memcpy(p->sent[p->count].bytes, bytes, len);
	p->sent[p->count++].len = len;
}

static int on_message(void *arg, const struct endpoint *from, __u64 sender, const void *bytes, size_t len)
{
	struct party *p = arg;

	(void)from;
	REQUIRE(sender == party[p == &party[0]].identity.id);
	p->heard++;
	p->len = len;
	memcpy(p->text, bytes, len);
	return 0;
}

static int on_admit(void *arg, __u64 sender, const struct ring *ring, const __u32 seed[SEED_WORDS])
{
	(void)arg;
	(void)sender;
	REQUIRE(ring->count <= RING_KEYS && seed[0] == 7);
	return 0;
}

static int on_stranger(void *arg, const struct claim *claim)
{
	(void)arg;
	REQUIRE(strlen(claim->name) < STARLING_NAME_BYTES && strlen(claim->site) < STARLING_NAME_BYTES);
	strangers += claim_right(claim, secret);
	return -EPERM;
}

static void on_cast(void *arg, const void *page, size_t len)
{
	struct party *p = arg;

	REQUIRE(len <= SEAL_DATAGRAM_MAX - SEAL_BYTES);
	p->heard++;
	p->len = len;
	memcpy(p->text, page, len);
}

static void party_begin(size_t i, const struct ring *ring, const struct roster *roster)
{
	struct channel_hooks hooks = {&party[i], on_send, on_message, on_admit, NULL, on_stranger, on_cast};
	struct party *p = &party[i];
	__u8 seed[crypto_sign_SEEDBYTES] = {(__u8)(i + 1)};

	crypto_sign_seed_keypair(p->identity.key.byte, p->identity.secret, seed);
	p->identity.id = roster_id(&p->identity.key);
	p->at = (struct endpoint){.addr.byte[15] = (__u8)(i + 1), .port = 1};
	p->channel = channel_new(&p->identity, 10 + i, &hooks);
	p->count = p->heard = 0;
	if (!p->channel || channel_roster(p->channel, roster))
		abort();
	channel_ring(p->channel, ring);
	channel_seed(p->channel, (const __u32[SEED_WORDS]){7});
}

static void begin(void)
{
	struct ring ring = {.count = 0}, none = {.count = 0};
	struct roster_node node[2] = {{.name = "a"}, {.name = "b"}};
	struct roster roster = {node, 2};

	ring_make(&ring); /* another one in each run, or the fuzzer learns what is sealed with it */
	for (size_t i = 0; i < 2; i++) {
		__u8 seed[crypto_sign_SEEDBYTES] = {(__u8)(i + 1)}, unused[crypto_sign_SECRETKEYBYTES];

		crypto_sign_seed_keypair(node[i].key.byte, unused, seed);
		node[i].id = roster_id(&node[i].key);
	}
	for (size_t i = 0; i < 3; i++)
		party_begin(i, i == 2 ? &none : &ring, &roster);
	strangers = 0;
}

static void deliver(size_t to, size_t from, const void *bytes, size_t len)
{
	channel_receive(party[to].channel, now, &party[from].at, bytes, len);
}

static void last_deliver(size_t to, size_t from)
{
	REQUIRE(party[from].count);
	deliver(to, from, party[from].sent[party[from].count - 1].bytes, party[from].sent[party[from].count - 1].len);
}

/* A member and who hears know each other's boots. */
static void meet(void)
{
	channel_hello(party[1].channel, now, &party[0].at);
	last_deliver(0, 1);
	last_deliver(1, 0);
	last_deliver(0, 1);
}

static __u64 counted(const struct channel *c)
{
	struct channel_status s;
	__u64 sum;

	channel_status(c, &s);
	sum = s.received;
	for (size_t i = 0; i < CHANNEL_COUNTS; i++)
		sum += s.rejected[i];
	return sum;
}

/* The last datagram of one of the kinds, changed from @at on as the input says. */
static void change(size_t kind, size_t at, const uint8_t *data, size_t len)
{
	size_t from = kind < 4 ? 1 : 2, i;
	struct datagram d;
	bool same = true;

	if (kind == 0)
		channel_hello(party[1].channel, now, &party[0].at);
	else if (kind == 1)
		channel_send(party[1].channel, now, party[0].identity.id, &party[0].at, "text", 4);
	else if (kind == 2)
		channel_knock(party[1].channel, now, &party[0].at);
	else if (kind == 4) {
		channel_invitation(party[2].channel, secret, "new", "fra");
		channel_knock(party[2].channel, now, &party[0].at);
	} else { /* an answer to a knock of who hears */
		channel_knock(party[0].channel, now, &party[1].at);
		last_deliver(1, 0);
	}
	if (!party[from].count)
		return;
	d = party[from].sent[party[from].count - 1];
	for (i = 0; i < len; i++) {
		same &= !data[i];
		d.bytes[(at + i) % d.len] ^= data[i];
	}
	deliver(0, from, d.bytes, d.len);
	if (kind != 4 || memcmp(d.bytes, party[2].sent[party[2].count - 1].bytes, d.len) != 0)
		REQUIRE(!strangers);
	if (kind == 1 && memcmp(d.bytes, party[1].sent[party[1].count - 1].bytes, d.len) != 0)
		REQUIRE(!party[0].heard);
	if (same)
		REQUIRE(kind != 1 || party[0].heard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool ready;
	__u64 before;

	if (len < 4)
		return 0;
	if (!ready && sodium_init() < 0)
		abort();
	ready = true;
	begin();
	meet();
	before = counted(party[0].channel);
	switch (data[0] % 3) {
	case 0:
		deliver(0, data[1] % 3, data + 4, len - 4 < SEAL_DATAGRAM_MAX + 9 ? len - 4 : SEAL_DATAGRAM_MAX + 9);
		REQUIRE(counted(party[0].channel) >= before + 1);
		REQUIRE(!party[0].heard);
		break;
	case 1:
		change(data[1] % 5, (size_t)data[2] << 8 | data[3], data + 4, len - 4);
		break;
	default:
		if (len - 4 > SEAL_DATAGRAM_MAX - SEAL_BYTES)
			break;
		channel_send(party[1].channel, now, party[0].identity.id, &party[0].at, data + 4, len - 4);
		last_deliver(0, 1);
		REQUIRE(party[0].heard == 1 && party[0].len == len - 4 && !memcmp(party[0].text, data + 4, len - 4));
		last_deliver(0, 1);
		REQUIRE(party[0].heard == 1);
	}
	for (size_t i = 0; i < 3; i++)
		channel_free(party[i].channel);
	return 0;
}
