// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of VIP keys: see key_table.h, and dataplane.h for the layout.
 */
#include "core/key_table.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "starling/hash.h"

_Static_assert(offsetof(struct vip_key, port) == 16 && sizeof(struct vip_key) == 20, "hashed in three words");

static __u64 hash_of(const struct vip_key *key)
{
	__u64 addr[2];
	__u32 port_proto;

	memcpy(addr, key->addr, sizeof(addr));
	memcpy(&port_proto, &key->port, sizeof(port_proto));
	return key_hash(addr[0], addr[1], port_proto);
}

/* The key's entry; else NULL, and in @ret_free the first one that may become it, or NULL. */
static struct key_entry *entry_find(struct key_entry *table, __u32 log2, const struct vip_key *key,
				    struct key_entry **ret_free)
{
	__u32 at = key_place(hash_of(key), log2), mask = (1u << log2) - 1, i;

	*ret_free = NULL;
	for (i = 0; i < KEY_PROBES && i <= mask; i++) {
		struct key_entry *e = &table[(at + i) & mask];

		if (e->word > KEY_GONE && !memcmp(&e->key, key, sizeof(*key)))
			return e;
		if (e->word <= KEY_GONE && !*ret_free)
			*ret_free = e;
		if (e->word == KEY_EMPTY)
			break;
	}
	return NULL;
}

int key_table_set(struct key_entry *table, __u32 log2, const struct vip_key *key, __u32 vip)
{
	struct key_entry *free_one, *e = entry_find(table, log2, key, &free_one);

	if (!e && !free_one)
		return -E2BIG;
	if (!e) {
		e = free_one;
		e->key = *key;
	}
	__atomic_store_n(&e->word, KEY_VIP(vip), __ATOMIC_RELEASE);
	return 0;
}

int key_table_delete(struct key_entry *table, __u32 log2, const struct vip_key *key)
{
	__u32 mask = (1u << log2) - 1, at;
	struct key_entry *free_one, *e = entry_find(table, log2, key, &free_one);

	if (!e)
		return -ENOENT;
	__atomic_store_n(&e->word, KEY_GONE, __ATOMIC_RELEASE);
	/* What stands before an empty entry need not be searched across: so that no table fills up with graves. */
	at = (__u32)(e - table);
	if (table[(at + 1) & mask].word != KEY_EMPTY)
		return 0;
	for (; table[at].word == KEY_GONE; at = (at - 1) & mask)
		__atomic_store_n(&table[at].word, KEY_EMPTY, __ATOMIC_RELEASE);
	return 0;
}

int key_table_find(struct key_entry *table, __u32 log2, const struct vip_key *key, __u32 *ret_vip)
{
	struct key_entry *free_one, *e = entry_find(table, log2, key, &free_one);

	if (!e)
		return -ENOENT;
	*ret_vip = e->word - KEY_VIP(0);
	return 0;
}

__u32 key_table_filter_bit(const __u8 addr[16])
{
	struct vip_key key = {0};

	memcpy(key.addr, addr, sizeof(key.addr));
	return filter_bit(hash_of(&key)) % FILTER_BITS;
}

__u32 key_table_log2(__u32 keys)
{
	__u32 log2 = 3;

	while (log2 < 31 && 1u << log2 < 2 * keys)
		log2++;
	return log2;
}
