/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of steer, with default sizes: user space changes max_entries before the first load.
 * Not here: what stands in them (include/starling/dataplane.h).
 */
#ifndef STARLING_BPF_MAPS_H
#define STARLING_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stddef.h>
#include <starling/dataplane.h>

/*
 * A table: an array map of one element, which is the whole table, so that its address stands in the program and an
 * entry is reached by arithmetic: no call, no key on the stack. The loader (io/dataplane_load.c) makes every mention of
 * such a map one of its memory, and sizes it.
 */
#define MAPS_TABLE(name, type_)                                                                                        \
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
#define maps_entry(name, type_, index, mask)                                                                           \
	({                                                                                                             \
		type_ *maps_first = (type_ *)(void *)&name;                                                            \
		__u64 maps_index = (__u32)(index) & (mask);                                                            \
                                                                                                                       \
		__asm__("" : "+r"(maps_first), "+r"(maps_index));                                                      \
		maps_first + maps_index;                                                                               \
	})

/* A pointer that is used often: kept as it is, not computed anew each time. */
#define maps_keep(pointer) __asm__("" : "+r"(pointer))

/* What a reload changes; frozen before load, so that the verifier prunes what is off. */
const volatile struct steer_config config;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dataplane_info);
} abi SEC(".maps");

MAPS_TABLE(filter, struct vip_filter);

MAPS_TABLE(keys, struct key_entry);

MAPS_TABLE(vips, struct vip_entry);

MAPS_TABLE(backends, struct backend_entry);

MAPS_TABLE(slots, __u64);

MAPS_TABLE(flows, struct flow_set);

MAPS_TABLE(loads, struct backend_load);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} overflows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STARLING_FRAGMENTS);
	__type(key, struct fragment_key);
	__type(value, struct fragment_note);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, STARLING_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} devmap SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STARLING_VIPS_DEFAULT);
	__type(key, __u32);
	__type(value, struct vip_count);
} count_vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STARLING_BACKENDS_DEFAULT);
	__type(key, __u32);
	__type(value, struct backend_count);
} count_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STARLING_DEVICES);
	__type(key, __u32);
	__type(value, struct device_count);
} count_devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, STARLING_TRACE_BYTES);
} events SEC(".maps");

#endif
