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

#include "table.h"

/* What a reload changes; frozen before load, so that the verifier prunes what is off. */
const volatile struct steer_config config;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dataplane_info);
} abi SEC(".maps");

TABLE(filter, struct vip_filter);

TABLE(keys, struct key_entry);

TABLE(vips, struct vip_entry);

TABLE(backends, struct backend_entry);

TABLE(slots, __u64);

TABLE(flows, struct flow_set);

TABLE(loads, struct backend_load);

TABLE(signs, struct backend_signs);

TABLE(limits, struct backend_limit);

TABLE(notes, __u64);

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
	__uint(max_entries, STARLING_VIPS_DEFAULT);
	__type(key, __u32);
	__type(value, __u64);
} count_refused SEC(".maps");

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
