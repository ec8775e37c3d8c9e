/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of VIP keys that the XDP program searches: who writes it, and how, so that a reader sees a whole key or
 * none. Not here: which keys there are (daemon/plane_keys), the program's own search (bpf/vip.h).
 */
#ifndef STARLING_CORE_KEY_TABLE_H
#define STARLING_CORE_KEY_TABLE_H

#include <linux/types.h>

#include "starling/dataplane.h"

/**
 * key_table_set() - a key and its VIP
 * @table:	1 << @log2 entries, shared with readers; one writer
 * @log2:	3 to 31
 * @key:	padding zero
 * @vip:	id
 *
 * An entry whose key has gone is used again: the caller lets a grace period pass after key_table_delete().
 *
 * Return: 0, or -E2BIG: KEY_PROBES entries from the key's place are in use.
 */
int key_table_set(struct key_entry *table, __u32 log2, const struct vip_key *key, __u32 vip);

/* Return: 0, or -ENOENT. */
int key_table_delete(struct key_entry *table, __u32 log2, const struct vip_key *key);

/* Return: 0 with the VIP's id in @ret_vip, or -ENOENT. */
int key_table_find(struct key_entry *table, __u32 log2, const struct vip_key *key, __u32 *ret_vip);

/* The bit of an address in the filter, below FILTER_BITS. */
__u32 key_table_filter_bit(const __u8 addr[16]);

/* The least log2 that holds @keys of them at most half full. */
__u32 key_table_log2(__u32 keys);

#endif
