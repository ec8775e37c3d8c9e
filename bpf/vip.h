/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose packet it is: the filter, the keys, the VIP's record. Not here: which backend (homes.h).
 */
#ifndef STARLING_BPF_VIP_H
#define STARLING_BPF_VIP_H

#include "maps.h"
#include "parse.h"

/* Written in the words in which the lookup reads it: a load that spans two stores waits for both to leave the CPU. */
static inline struct vip_key *vip_key(const struct packet *p, __be16 port, __u8 proto)
{
	__u64 *word = (__u64 *)(void *)p->key;
	const __u32 *daddr = p->t->daddr;

	word[0] = (__u64)daddr[1] << 32 | daddr[0];
	word[1] = (__u64)daddr[3] << 32 | daddr[2];
	*(__u32 *)(void *)&p->key->port = bpf_htonl((__u32)bpf_ntohs(port) << 16 | (__u32)proto << 8);
	return p->key;
}

/* One bit: a packet for an address of nobody's VIP leaves here. Every VIP address has a key {address, 0, 0}. */
static inline int vip_filter(const struct packet *p)
{
	struct vip_filter *f;
	__u32 zero = 0, bit = filter_bit(vip_key(p, 0, 0)) & (FILTER_BITS - 1);

	f = bpf_map_lookup_elem(&filter, &zero);
	if (!f)
		return VERDICT_DROP_INTERNAL;
	return f->bits[bit / 64] >> (bit % 64) & 1 ? ON : VERDICT_PASS_OTHER;
}

/* A drop is only for packets to an address that is a VIP's beyond doubt: anything else is the host's. */
static inline int vip_owned(const struct packet *p, int verdict)
{
	return bpf_map_lookup_elem(&keys, vip_key(p, 0, 0)) ? verdict : VERDICT_PASS_OTHER;
}

static inline const struct vip_record *vip_record_of(__u32 id)
{
	struct vip_entry *entry = bpf_map_lookup_elem(&vips, &id);
	__u64 word;

	if (!entry)
		return NULL;
	word = *(volatile __u64 *)&entry->word;
	return VIP_WORD_STATE(word) ? &entry->copy[VIP_WORD_SELECT(word)] : NULL;
}

/* The VIP of the packet's flow: p->vip and its record, or NULL: none, or one out of service, that nothing counts for.
 */
static inline const struct vip_record *vip_lookup(struct packet *p)
{
	__u32 *id = bpf_map_lookup_elem(&keys, vip_key(p, p->t->dport, p->t->proto));
	const struct vip_record *vip = id ? vip_record_of(*id) : NULL;

	if (vip)
		p->vip = *id;
	return vip;
}

#endif
