// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpf's object: opened from the skeleton, sized, configured, loaded, its maps mapped. Not
 * here: what was pinned before (dataplane_pins.c), devices (dataplane_links.c).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "io/dataplane_private.h"
#include "io/dataplane_tables.h"

/* bpftool writes it; its own warnings are not ours. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "steer.skel.h"
#pragma GCC diagnostic pop

static struct bpf_map *load_map(const struct steer_bpf *skel, enum dataplane_map_id id)
{
	switch (id) {
#define DATAPLANE_MAP_CASE(upper, member, bytes)                                                                       \
	case DATAPLANE_MAP_##upper:                                                                                    \
		return skel->maps.member;
		DATAPLANE_MAPS(DATAPLANE_MAP_CASE)
#undef DATAPLANE_MAP_CASE
	case DATAPLANE_MAP_COUNT:
		break;
	}
	return NULL;
}

/* The sentence for a load that failed. */
static int load_error(const struct dataplane *dp, int failed, const struct dataplane_log *log, struct err *err)
{
	char reason[200];

	dataplane_log_reason(log, reason, sizeof(reason));
	switch (failed) {
	case EPERM:
		return err_set(err, EPERM,
			       "the kernel refuses to load the programs (%s): starlingd needs CAP_BPF, CAP_PERFMON and "
			       "CAP_NET_ADMIN in the host's own user namespace, and no lockdown",
			       reason[0] ? reason : "permission denied");
	case ENOMEM:
		return err_set(
			err, ENOMEM,
			"not enough memory for the tables (%u VIPs, %u backends, %u slots, %u sets of flows): ask for "
			"smaller ones, or raise the memory limit of the service",
			dp->map[DATAPLANE_MAP_VIPS].entries, dp->map[DATAPLANE_MAP_BACKENDS].entries,
			dp->map[DATAPLANE_MAP_SLOTS].entries, dp->map[DATAPLANE_MAP_FLOWS].entries);
	default:
		return err_set(err, failed, "the kernel refuses the program (%s)%s%s: Linux 6.1 or later is needed",
			       strerror(failed), reason[0] ? ": " : "", reason);
	}
}

/*
 * Maps that exist are taken; others get their size and their pin. libbpf could find the pinned ones itself, but
 * takes a devmap for another, whose flags the kernel adds to.
 */
static int load_maps(const struct dataplane *dp, const struct steer_bpf *skel, struct err *err)
{
	char path[DATAPLANE_PATH_BYTES];
	struct bpf_map *map;
	int i, failed = 0;

	for (i = 0; !failed && i < DATAPLANE_MAP_COUNT; i++) {
		const struct dataplane_map *have = &dp->map[i];
		const char *name = dataplane_map_name((enum dataplane_map_id)i);

		map = load_map(skel, (enum dataplane_map_id)i);
		if (have->fd >= 0 &&
		    (have->type != (__u32)bpf_map__type(map) || have->key_bytes != bpf_map__key_size(map) ||
		     have->value_bytes != bpf_map__value_size(map)))
			return err_set(err, EPROTO,
				       "the pinned table %s/%s has another layout than this starlingd's: start the "
				       "version that "
				       "made it, or remove all with `rm -r %s` (that stops forwarding and forgets "
				       "connections)",
				       dp->pin_dir, name, dp->pin_dir);
		if (have->fd >= 0) {
			failed = bpf_map__reuse_fd(map, have->fd);
			continue;
		}
		if (have->entries && have->value_bytes)
			failed = bpf_map__set_value_size(map, have->value_bytes * have->entries);
		else if (have->entries)
			failed = bpf_map__set_max_entries(map, have->entries);
		if (!failed)
			failed = dataplane_pin_path(dp, name, path);
		if (!failed)
			failed = bpf_map__set_pin_path(map, path);
	}
	return failed ? err_set(err, -failed, "cannot prepare the tables: %s", strerror(-failed)) : 0;
}

int dataplane_object_load(struct dataplane *dp, const struct steer_config *config, bool frags,
			  struct dataplane_object *ret, struct err *err)
{
	struct dataplane_log *log = calloc(1, sizeof(*log));
	struct steer_bpf *skel = NULL;
	struct timespec begin, end;
	int failed;

	if (!log)
		return err_set(err, ENOMEM, "out of memory");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	dataplane_log_begin(log);
	failed = dataplane_tables_register();
	if (failed) {
		errno = -failed;
	} else {
		skel = steer_bpf__open();
	}
	if (!skel) {
		failed = load_error(dp, errno, log, err);
	} else {
		skel->rodata->config = *config;
		if (!frags)
			bpf_program__set_flags(skel->progs.steer,
					       bpf_program__flags(skel->progs.steer) & ~(__u32)BPF_F_XDP_HAS_FRAGS);
		failed = load_maps(dp, skel, err);
		if (!failed) {
			failed = steer_bpf__load(skel);
			if (failed)
				load_error(dp, -failed, log, err);
		}
	}
	dataplane_log_end();
	if (failed || !skel) {
		steer_bpf__destroy(skel);
	} else {
		clock_gettime(CLOCK_MONOTONIC, &end);
		dp->load_ms = (__u32)((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000);
		ret->skel = skel;
		ret->steer_fd = bpf_program__fd(skel->progs.steer);
	}
	free(log);
	return failed;
}

void dataplane_object_free(struct dataplane_object *object)
{
	steer_bpf__destroy(object->skel);
	object->skel = NULL;
	object->steer_fd = -1;
}

int dataplane_maps_bind(struct dataplane *dp, struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct dataplane_map *m;
	int i;

	for (i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		m = &dp->map[i];
		/* Own: reloads replace the object, the map stays. */
		if (m->fd < 0)
			m->fd = fcntl(bpf_map__fd(load_map(dp->frags.skel, (enum dataplane_map_id)i)), F_DUPFD_CLOEXEC,
				      3);
		if (m->fd < 0 || dataplane_map_describe(m, (enum dataplane_map_id)i))
			return err_set(err, errno, "cannot look at the map %s: %s",
				       dataplane_map_name((enum dataplane_map_id)i), strerror(errno));
		if (!m->mapable)
			continue;
		m->memory_bytes = ((size_t)((m->value_bytes + 7) & ~7u) * m->entries + page - 1) & ~(page - 1);
		m->memory = mmap(NULL, m->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
		if (m->memory == MAP_FAILED) {
			m->memory = NULL;
			return err_set(err, errno, "cannot map the %zu bytes of the table %s: %s", m->memory_bytes,
				       dataplane_map_name((enum dataplane_map_id)i), strerror(errno));
		}
	}
	return 0;
}

void dataplane_maps_unbind(struct dataplane *dp)
{
	int i;

	for (i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		if (dp->map[i].memory)
			munmap(dp->map[i].memory, dp->map[i].memory_bytes);
		dp->map[i].memory = NULL;
		if (dp->map[i].fd >= 0)
			close(dp->map[i].fd);
		dp->map[i].fd = -1;
	}
}
