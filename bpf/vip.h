/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose packet it is: the filter, the keys, the VIP's record. Not here: which backend (homes.h).
 */
#ifndef STARLING_BPF_VIP_H
#define STARLING_BPF_VIP_H

#include "maps.h"
#include "parse.h"

/* Hashed and compared in words: port and protocol as they stand in a key of a little-endian host. */
static inline __u32 vip_port_proto(__be16 port, __u8 proto)
{
	return (__u32)proto << 16 | port;
}

static inline __u64 vip_hash(const struct flow_tuple *t, __u32 port_proto)
{
	const hash_word *addr = (const hash_word *)t->daddr;

	return key_hash(addr[0], addr[1], port_proto);
}

/* One bit: a packet for an address of nobody's VIP leaves here. Every VIP address has a key {address, 0, 0}. */
static inline int vip_filter(const struct packet *p)
{
	__u32 bit = filter_bit(vip_hash(p->t, 0));
	const __u64 *word = table_entry(filter, __u64, bit / 64, FILTER_BITS / 64 - 1);

	return *word >> (bit % 64) & 1 ? ON : VERDICT_PASS_OTHER;
}

/* The word of entry @at, if that is the key's; KEY_GONE: it is another's, the search goes on. */
static inline __u32 vip_entry_word(__u32 at, const struct flow_tuple *t, __u32 port_proto)
{
	const struct key_entry *e = table_entry(keys, struct key_entry, at, config.keys_mask);
	const hash_word *want = (const hash_word *)t->daddr;
	const volatile __u64 *addr;
	__u32 word;

	word = *(const volatile __u32 *)&e->word;
	addr = (const volatile __u64 *)(const void *)e->key.addr;
	if ((addr[0] ^ want[0]) | (addr[1] ^ want[1]) |
	    (*(const volatile __u32 *)(const void *)&e->key.port ^ port_proto))
		return word == KEY_EMPTY ? KEY_EMPTY : KEY_GONE;
	return word;
}

/**
 * vip_probe() - go on with the search for a key
 * @t:		its address
 * @port_proto:	the rest of it
 * @at:		its place, where something else was
 *
 * A global function, verified once.
 *
 * Return: the word of the key's entry, or KEY_EMPTY.
 */
__attribute__((noinline)) __u32 vip_probe(const struct flow_tuple *t, __u32 port_proto, __u32 at)
{
	__u32 i, word;

	if (!t)
		return KEY_EMPTY;
	for (i = 1; i < KEY_PROBES; i++) {
		word = vip_entry_word(at + i, t, port_proto);
		if (word != KEY_GONE)
			return word;
	}
	return KEY_EMPTY;
}

/* The VIP that has the key: its id, or ID_NONE. */
static inline __u32 vip_find(const struct packet *p, __be16 port, __u8 proto)
{
	__u32 port_proto = vip_port_proto(port, proto), at, word;

	at = key_place(vip_hash(p->t, port_proto), config.keys_log2);
	word = vip_entry_word(at, p->t, port_proto);
	if (word == KEY_GONE)
		word = vip_probe(p->t, port_proto, at);
	return word == KEY_EMPTY ? ID_NONE : word - KEY_VIP(0);
}

/* A drop is only for packets to an address that is a VIP's beyond doubt: anything else is the host's. */
static inline int vip_owned(const struct packet *p, int verdict)
{
	return vip_find(p, 0, 0) != ID_NONE ? verdict : VERDICT_PASS_OTHER;
}

static inline const struct vip_record *vip_record_of(__u32 id)
{
	struct vip_entry *entry = table_entry(vips, struct vip_entry, id, config.vips_mask);
	const struct vip_record *record;
	__u64 word;

	word = *(volatile __u64 *)&entry->word;
	if (!VIP_WORD_STATE(word))
		return NULL;
	record = &entry->copy[VIP_WORD_SELECT(word)];
	table_keep(record);
	return record;
}

/* The VIP of the packet's flow: p->vip and its record, or NULL: none, or one out of service, that nothing counts for.
 */
static inline const struct vip_record *vip_lookup(struct packet *p)
{
	__u32 id = vip_find(p, (__be16)(p->ports >> 16), (__u8)p->t->proto);
	const struct vip_record *vip = id == ID_NONE ? NULL : vip_record_of(id);

	if (vip)
		p->vip = id;
	return vip;
}

#endif
