// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the program reports and what it is told in maps that are not mapped: counters, events,
 * devices to send through. Not here: the mapped tables (dataplane.c).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/dataplane_private.h"

#define COUNT_BATCH 1024 /* counters read by one system call */

/* Sums @words 64-bit counters over the CPUs; per-CPU values stand 8-byte aligned one after the other. */
static void count_sum(const __u64 *values, int cpus, size_t words, __u64 *ret)
{
	size_t w;
	int cpu;

	memset(ret, 0, words * sizeof(*ret));
	for (cpu = 0; cpu < cpus; cpu++)
		for (w = 0; w < words; w++)
			ret[w] += values[(size_t)cpu * words + w];
}

static int count_read(struct dataplane *dp, enum dataplane_map_id id, __u32 first, __u32 n, __u64 *ret)
{
	const struct dataplane_map *m = &dp->map[id];
	size_t words = m->value_bytes / sizeof(__u64), stride = words * (size_t)dp->cpus;
	__u32 *keys, got, next, last, i;
	__u64 *values;
	int err = 0;

	if (first > m->entries || n > m->entries - first)
		return -ERANGE;
	if (dp->memory_only) {
		memset(ret, 0, n * words * sizeof(*ret));
		return 0;
	}
	values = malloc(COUNT_BATCH * (stride * sizeof(*values) + sizeof(*keys)));
	if (!values)
		return -ENOMEM;
	keys = (__u32 *)(values + COUNT_BATCH * stride);
	while (n) {
		/* A batch starts after the key it is given. */
		last = first - 1;
		got = n < COUNT_BATCH ? n : COUNT_BATCH;
		if (bpf_map_lookup_batch(m->fd, first ? &last : NULL, &next, keys, values, &got, NULL) &&
		    (errno != ENOENT || !got)) {
			err = -errno;
			break;
		}
		for (i = 0; i < got; i++)
			count_sum(values + i * stride, dp->cpus, words, ret + i * words);
		ret += got * words;
		first += got;
		n -= got;
	}
	free(values);
	return err;
}

static int count_reset(struct dataplane *dp, enum dataplane_map_id id, __u32 key)
{
	const struct dataplane_map *m = &dp->map[id];
	void *zero = dp->memory_only ? NULL : calloc((size_t)dp->cpus, m->value_bytes);
	int err;

	if (dp->memory_only)
		return 0;
	if (!zero)
		return -ENOMEM;
	err = bpf_map_update_elem(m->fd, &key, zero, BPF_EXIST) ? -errno : 0;
	free(zero);
	return err;
}

int dataplane_count_vips(struct dataplane *dp, __u32 first, __u32 n, struct vip_count *ret)
{
	return count_read(dp, DATAPLANE_MAP_COUNT_VIPS, first, n, (__u64 *)ret);
}

int dataplane_count_refused(struct dataplane *dp, __u32 first, __u32 n, __u64 *ret)
{
	return count_read(dp, DATAPLANE_MAP_COUNT_REFUSED, first, n, ret);
}

int dataplane_count_backends(struct dataplane *dp, __u32 first, __u32 n, struct backend_count *ret)
{
	return count_read(dp, DATAPLANE_MAP_COUNT_BACKENDS, first, n, (__u64 *)ret);
}

int dataplane_count_device(struct dataplane *dp, __u32 ifindex, struct device_count *ret)
{
	return count_read(dp, DATAPLANE_MAP_COUNT_DEVICES, ifindex % STARLING_DEVICES, 1, ret->verdict);
}

__u64 dataplane_overflows(struct dataplane *dp)
{
	__u64 sum = 0;

	count_read(dp, DATAPLANE_MAP_OVERFLOWS, 0, 1, &sum);
	return sum;
}

int dataplane_count_vip_reset(struct dataplane *dp, __u32 id)
{
	int ret = count_reset(dp, DATAPLANE_MAP_COUNT_REFUSED, id);

	return ret ? ret : count_reset(dp, DATAPLANE_MAP_COUNT_VIPS, id);
}

int dataplane_count_backend_reset(struct dataplane *dp, __u32 id)
{
	return count_reset(dp, DATAPLANE_MAP_COUNT_BACKENDS, id);
}

/* The kernel's own figure stands in fdinfo. */
__u64 dataplane_memory(const struct dataplane *dp)
{
	unsigned long long bytes;
	char line[128];
	__u64 sum = 0;
	FILE *file;
	int i;

	for (i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", dp->map[i].fd);
		file = fopen(line, "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "memlock: %llu", &bytes) == 1)
				sum += bytes;
		if (file)
			fclose(file);
	}
	return sum;
}

int dataplane_redirect_add(struct dataplane *dp, __u32 ifindex)
{
	struct bpf_devmap_val value = {.ifindex = ifindex};

	if (dp->memory_only)
		return 0;
	return bpf_map_update_elem(dp->map[DATAPLANE_MAP_DEVMAP].fd, &ifindex, &value, BPF_ANY) ? -errno : 0;
}

static int events_take(void *arg, void *data, size_t bytes)
{
	struct dataplane *dp = arg;

	if (dp->event_fn && bytes >= sizeof(struct trace_event))
		dp->event_fn(dp->event_arg, data);
	return 0;
}

int dataplane_events_open(struct dataplane *dp, struct err *err)
{
	dp->ring = ring_buffer__new(dp->map[DATAPLANE_MAP_EVENTS].fd, events_take, dp, NULL);
	return dp->ring ? 0 : err_set(err, errno, "cannot open the ring buffer of events: %s", strerror(errno));
}

void dataplane_events_close(struct dataplane *dp)
{
	ring_buffer__free(dp->ring);
	dp->ring = NULL;
}

int dataplane_events_poll(struct dataplane *dp, void (*fn)(void *arg, const struct trace_event *event), void *arg)
{
	int got;

	if (!dp->ring)
		return 0;
	dp->event_fn = fn;
	dp->event_arg = arg;
	got = ring_buffer__consume(dp->ring);
	dp->event_fn = NULL;
	return got;
}

int dataplane_events_fd(const struct dataplane *dp)
{
	return dp->ring ? ring_buffer__epoll_fd(dp->ring) : -1;
}
