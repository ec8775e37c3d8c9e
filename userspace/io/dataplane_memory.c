// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A data plane that no packet meets: the same tables in this process's memory, nothing in the kernel. A witness counts
 * homes over them like everybody, and needs no privilege. Memory that is not written costs nothing. Not here: what the
 * other files do where dp->memory_only is set, which is little.
 */
#include <errno.h>
#include <sys/mman.h>

#include "io/dataplane_private.h"

#define CLOCK_HZ 250 /* of which ticks are made, as on most hosts */

/* What counters would be like: they are all zero. */
static void counters_describe(struct dataplane *dp)
{
	dp->map[DATAPLANE_MAP_COUNT_VIPS].value_bytes = sizeof(struct vip_count);
	dp->map[DATAPLANE_MAP_COUNT_BACKENDS].value_bytes = sizeof(struct backend_count);
	dp->map[DATAPLANE_MAP_COUNT_DEVICES].value_bytes = sizeof(struct device_count);
	dp->map[DATAPLANE_MAP_COUNT_DEVICES].entries = STARLING_DEVICES;
	dp->map[DATAPLANE_MAP_OVERFLOWS].value_bytes = sizeof(__u64);
	dp->map[DATAPLANE_MAP_OVERFLOWS].entries = 1;
}

int dataplane_memory_open(struct dataplane *dp, struct err *err)
{
	counters_describe(dp);
	dp->map[DATAPLANE_MAP_FILTER].entries = 1;
	for (int i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		struct dataplane_map *m = &dp->map[i];

		m->memory_bytes = (size_t)m->entries * dataplane_map_entry_bytes((enum dataplane_map_id)i);
		if (!m->memory_bytes)
			continue;
		m->memory = mmap(NULL, m->memory_bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (m->memory == MAP_FAILED) {
			m->memory = NULL;
			return err_set(err, ENOMEM, "no memory for the tables");
		}
	}
	return 0;
}

void dataplane_memory_clock(struct dataplane_clock *clock)
{
	clock->hz = CLOCK_HZ;
	dataplane_clock_scale(clock);
}
