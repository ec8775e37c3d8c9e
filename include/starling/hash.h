/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow hash: one keyed 64-bit number from which the slot, the set of cells, the tag and
 * the entropy of outer headers are all cut. And the place of a VIP's key.
 * Compiles as BPF and as user space; not here: what is done with the number (where.h).
 *
 *	hash  63 ............... 64-log2 | next 24 bits | rest
 *	      set of cells               | tag          | (tie breaks, outer source port)
 *	      63 ........... 32: slot = high32 * count / 2^32
 *
 * Set and tag together hold at least the 32 bits that choose the slot, so a cell's place and
 * tag name its slot exactly: the sweeper needs no other record of whose cell it is.
 */
#ifndef STARLING_HASH_H
#define STARLING_HASH_H

#include "dataplane.h"

typedef __u64 __attribute__((may_alias)) hash_word; /* half an address */

/* Addresses and ports as on the wire; IPv4 is mapped. For affinity by source: daddr 0, sport 0, dport the VIP's id. */
struct flow_tuple {
	__u32 saddr[4];
	__u32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u32 proto;
};

static inline __u64 hash_mix(__u64 h)
{
	/* MurmurHash3's 64-bit finaliser: every input bit flips every output bit with p close to 1/2. */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 33;
	return h;
}

static inline __u64 hash_pair(__u32 a, __u32 ka, __u32 b, __u32 kb)
{
	return (__u64)(__u32)(a + ka) * (__u32)(b + kb);
}

/* The rest of flow_hash(): what differs between flows of IPv4 too. */
static inline __u64 hash_last(const struct flow_tuple *t, __u64 h, const volatile __u32 seed[16])
{
	h += hash_pair(t->saddr[3], seed[0], t->daddr[3], seed[1]);
	h += hash_pair((__u32)t->sport << 16 | t->dport, seed[2], t->proto, seed[3]);
	return hash_mix(h ^ ((__u64)seed[10] << 32 | seed[11]));
}

/**
 * flow_hash() - keyed hash of a flow
 * @t:		the tuple
 * @seed:	16 words of key, secret, equal on every balancer of a flock
 *
 * NH (UMAC, RFC 4418 section 5.2) over 32-bit words, then a finaliser. Whole function, medians interleaved: 11 ns,
 * against 19 for SipHash-1-3 and 32 for HalfSipHash-1-3 of the same 40 bytes, with equal uniformity and avalanche
 * (tests/unit/hash_test.c). For two tuples chosen without knowing the key, NH collides with probability 2^-32, not
 * 2^-64: among a million flows that an attacker picks blindly, about a hundred pairs. A collision makes two flows share
 * a cell and a backend, and lets nobody choose which; who learns the key by watching backends gains uneven load, no
 * more. The v4-mapped prefix is hashed like any other word; as it is always the same, its part is known beforehand.
 */
static inline __u64 flow_hash(const struct flow_tuple *t, const volatile __u32 seed[16])
{
	__u64 h = hash_pair(t->saddr[0], seed[4], t->daddr[0], seed[5]);

	h += hash_pair(t->saddr[1], seed[6], t->daddr[1], seed[7]);
	h += hash_pair(t->saddr[2], seed[8], t->daddr[2], seed[9]);
	return hash_last(t, h, seed);
}

/* What the prefixes of two v4-mapped addresses add; @prefix: ::ffff's last word as on the wire. */
static inline __u64 flow_hash_mapped_part(__u32 prefix, const volatile __u32 seed[16])
{
	return hash_pair(0, seed[4], 0, seed[5]) + hash_pair(0, seed[6], 0, seed[7]) +
	       hash_pair(prefix, seed[8], prefix, seed[9]);
}

/* flow_hash() of a tuple of v4-mapped addresses; @part: flow_hash_mapped_part(). */
static inline __u64 flow_hash_mapped(const struct flow_tuple *t, __u64 part, const volatile __u32 seed[16])
{
	return hash_last(t, part, seed);
}

/* Affinity: all that a source sends to VIP @vip is one flow. */
static inline __u64 flow_hash_source(const struct flow_tuple *t, __u32 vip, const volatile __u32 seed[16])
{
	struct flow_tuple source = {.saddr = {t->saddr[0], t->saddr[1], t->saddr[2], t->saddr[3]},
				    .dport = (__be16)vip};

	return flow_hash(&source, seed);
}

static inline __u32 hash_slot(__u64 hash, __u32 count)
{
	return (__u32)(((hash >> 32) * count) >> 32);
}

static inline __u32 hash_set(__u64 hash, __u32 sets_log2)
{
	return (__u32)(hash >> (64 - sets_log2));
}

/* Never 0, which is what free cells have. */
static inline __u32 hash_tag(__u64 hash, __u32 sets_log2)
{
	__u32 tag = (__u32)(hash << sets_log2 >> 40);

	return tag + ((tag - 1) >> 31);
}

/* The 64-bit hash of the flow in cell (set, tag), as far as they know it: enough for hash_slot(). */
static inline __u64 hash_of_cell(__u32 set, __u32 tag, __u32 sets_log2)
{
	return (__u64)set << (64 - sets_log2) | (__u64)tag << (40 - sets_log2);
}

/* Who gave a sign, of 64: by an IPv4 address, or the 64 bits of an IPv6 one that name a network. */
static inline __u32 sign_source(const struct flow_tuple *t, int v4, const volatile __u32 seed[16])
{
	__u64 x = v4 ? t->saddr[3] : (__u64)t->saddr[1] << 32 | t->saddr[0];

	return hash_mix(x ^ ((__u64)seed[12] << 32 | seed[13])) >> 58;
}

/* Of a flow's note: its place above, NOTES_LOG2 bits, and what tells it from others below. @number: a SYN's. */
static inline __u64 note_hash(__u64 hash, __u32 ports, __u32 number)
{
	return hash_mix(hash ^ ((__u64)ports << 32 | number));
}

/* Of a VIP's key, unkeyed: who chooses VIPs is the operator. The words of the address, port and protocol as in memory.
 */
static inline __u64 key_hash(__u64 addr0, __u64 addr1, __u32 port_proto)
{
	__u64 x = (addr0 ^ port_proto) * 0x9e3779b97f4a7c15ULL ^ addr1;

	return (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
}

/* Where the search for a key begins in a table of 1 << @log2 entries. */
static inline __u32 key_place(__u64 hash, __u32 log2)
{
	return (__u32)(hash >> (64 - log2));
}

/* @hash: of an address-only key. */
static inline __u32 filter_bit(__u64 hash)
{
	return hash >> 48;
}

/* Binds a note to its key: what is read from a hash map's element may be another key's by the time it is read. */
static inline __u16 fragment_seal(const struct fragment_key *k, __u32 backend, __u32 vip, __u32 tick)
{
	const __u32 *a = (const __u32 *)(const void *)k;
	__u32 x = (a[3] ^ a[7] * 0x9e3779b1u ^ k->id * 0x27d4eb2fu ^ k->proto) * 0x85ebca6bu;

	x = (x ^ x >> 15 ^ (backend << 16 | vip)) * 0xc2b2ae35u;
	return (__u16)((x ^ x >> 13 ^ tick) * 0x27d4eb2fu >> 16);
}

#endif
