/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables that a program reaches by address. Not here: which there are (maps.h).
 */
#ifndef STARLING_BPF_TABLE_H
#define STARLING_BPF_TABLE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/*
 * A table: an array map of one element, which is the whole table, so that its address stands in the program and an
 * entry is reached by arithmetic: no call, no key on the stack. The loader (io/dataplane_tables.c) makes every mention
 * of such a map one of its memory, and sizes it.
 */
#define TABLE(name, type_)                                                                                             \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(map_flags, BPF_F_MMAPABLE);                                                                     \
		__uint(max_entries, 1);                                                                                \
		__uint(key_size, sizeof(__u32));                                                                       \
		__uint(value_size, sizeof(type_));                                                                     \
	} name SEC(".maps")

/*
 * Entry @index of a table of @mask + 1, a power of two: what is past the end is some other entry, never memory of
 * others. The barrier keeps the mask where the verifier looks for it.
 */
#define table_entry(name, type_, index, mask)                                                                          \
	({                                                                                                             \
		type_ *table_first = (type_ *)(void *)&name;                                                           \
		__u64 table_index = (__u32)(index) & (mask);                                                           \
                                                                                                                       \
		__asm__("" : "+r"(table_first), "+r"(table_index));                                                    \
		table_first + table_index;                                                                             \
	})

/* A pointer that is used often: kept as it is, not computed anew each time. */
#define table_keep(pointer) __asm__("" : "+r"(pointer))

#endif
