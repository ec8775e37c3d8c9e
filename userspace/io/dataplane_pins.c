// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The directory of pins: made, judged, adopted, removed. Not here: programs and links.
 *
 * The abi map's record is written last when maps are made, so an abi record of 0 (or no abi
 * map) beside other maps is what an interrupted start left: nothing can be attached yet.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/dataplane_private.h"

#define ABI_BYTES_MAX 4096 /* of another version's abi record */

const char *dataplane_map_name(enum dataplane_map_id id)
{
	static const char *const name[] = {
#define DATAPLANE_MAP_NAME(upper, member, bytes) [DATAPLANE_MAP_##upper] = MAP_##upper,
		DATAPLANE_MAPS(DATAPLANE_MAP_NAME)
#undef DATAPLANE_MAP_NAME
	};

	return name[id];
}

__u32 dataplane_map_entry_bytes(enum dataplane_map_id id)
{
	static const __u32 entry_bytes[] = {
#define DATAPLANE_MAP_BYTES(upper, member, bytes) [DATAPLANE_MAP_##upper] = bytes,
		DATAPLANE_MAPS(DATAPLANE_MAP_BYTES)
#undef DATAPLANE_MAP_BYTES
	};

	return entry_bytes[id];
}

int dataplane_pin_path(const struct dataplane *dp, const char *name, char path[DATAPLANE_PATH_BYTES])
{
	int n = snprintf(path, DATAPLANE_PATH_BYTES, "%s/%s", dp->pin_dir, name);

	return n < 0 || n >= DATAPLANE_PATH_BYTES ? -ENAMETOOLONG : 0;
}

/* The deepest part of the path that exists must lie on a bpffs; the rest is made. */
int dataplane_pins_prepare(struct dataplane *dp, struct err *err)
{
	char path[DATAPLANE_PATH_BYTES];
	struct statfs fs;
	char *at;

	snprintf(path, sizeof(path), "%s", dp->pin_dir);
	while (statfs(path, &fs)) {
		if (errno != ENOENT)
			return err_set(err, errno, "cannot use %s for pins: %s", dp->pin_dir, strerror(errno));
		at = strrchr(path, '/');
		if (!at || at == path)
			return err_set(err, ENODEV, "%s is no absolute path on a bpffs", dp->pin_dir);
		*at = '\0';
	}
	if (fs.f_type != BPF_FS_MAGIC)
		return err_set(err, ENODEV,
			       "%s is not on a bpffs, where maps and programs can be pinned: "
			       "`mount -t bpf bpf /sys/fs/bpf` makes one",
			       dp->pin_dir);
	for (at = path + strlen(path); strcmp(path, dp->pin_dir); at += strlen(at)) {
		*at = dp->pin_dir[at - path];
		snprintf(at, sizeof(path) - (size_t)(at - path), "/%.*s",
			 (int)strcspn(dp->pin_dir + (at - path) + 1, "/"), dp->pin_dir + (at - path) + 1);
		if (mkdir(path, 0700) && errno != EEXIST)
			return err_set(err, errno, "cannot make the directory %s: %s", path, strerror(errno));
	}
	return 0;
}

int dataplane_map_describe(struct dataplane_map *map, enum dataplane_map_id id)
{
	__u32 bytes = sizeof(struct bpf_map_info), entry_bytes = dataplane_map_entry_bytes(id);
	struct bpf_map_info info = {0};

	if (bpf_obj_get_info_by_fd(map->fd, &info, &bytes))
		return -errno;
	map->type = info.type;
	map->key_bytes = info.key_size;
	map->value_bytes = info.value_size;
	map->entries = info.max_entries;
	map->mapable = info.map_flags & BPF_F_MMAPABLE;
	if (entry_bytes && info.max_entries == 1 && !(info.value_size % entry_bytes)) {
		map->value_bytes = entry_bytes;
		map->entries = info.value_size / entry_bytes;
	}
	return 0;
}

static int pins_get(const struct dataplane *dp, enum dataplane_map_id id, struct dataplane_map *ret)
{
	char path[DATAPLANE_PATH_BYTES];
	int err = dataplane_pin_path(dp, dataplane_map_name(id), path);

	if (err)
		return err;
	ret->fd = bpf_obj_get(path);
	if (ret->fd < 0)
		return -errno;
	err = dataplane_map_describe(ret, id);
	if (err) {
		close(ret->fd);
		ret->fd = -1;
	}
	return err;
}

/* What pins_grow() makes before it takes the other's place. */
#define MAP_COUNT_DEVICES_NEW MAP_COUNT_DEVICES "_new"

/* Unpins whatever map stands there; a map is freed with its last user. */
static int pins_unlink(struct dataplane *dp)
{
	char path[DATAPLANE_PATH_BYTES];
	int i, err = 0;

	if (dataplane_pin_path(dp, MAP_COUNT_DEVICES_NEW, path) || (unlink(path) && errno != ENOENT))
		err = -errno;
	for (i = 0; i < DATAPLANE_MAP_COUNT; i++)
		if (dataplane_pin_path(dp, dataplane_map_name((enum dataplane_map_id)i), path) ||
		    (unlink(path) && errno != ENOENT))
			err = err ? err : -errno;
	return err;
}

/* Reads the abi record. 0: none or an empty one; 1: read; -errno. */
static int pins_abi(struct dataplane *dp, struct dataplane_info *ret, struct err *err)
{
	struct dataplane_map map = {.fd = -1};
	int failed = pins_get(dp, DATAPLANE_MAP_ABI, &map);
	__u8 value[ABI_BYTES_MAX] = {0};
	__u32 zero = 0;

	if (failed == -ENOENT)
		return 0;
	if (failed)
		return err_set(err, -failed, "cannot open the pinned map %s/" MAP_ABI ": %s", dp->pin_dir,
			       strerror(-failed));
	if (map.type != BPF_MAP_TYPE_ARRAY || map.value_bytes < sizeof(ret->abi) || map.value_bytes > sizeof(value)) {
		close(map.fd);
		return err_set(err, EPROTO,
			       "%s/" MAP_ABI " is no map of starling's; remove it or name another directory",
			       dp->pin_dir);
	}
	failed = bpf_map_lookup_elem(map.fd, &zero, value) ? errno : 0;
	close(map.fd);
	if (failed)
		return err_set(err, failed, "cannot read the pinned map %s/" MAP_ABI ": %s", dp->pin_dir,
			       strerror(failed));
	memcpy(ret, value, sizeof(*ret));
	if (ret->abi && (ret->abi != DATAPLANE_ABI || map.value_bytes != sizeof(*ret)))
		return err_set(
			err, EPROTO,
			"the tables in %s are of layout %u and this starlingd knows layout %u: start the version that "
			"made them, or remove them with `rm -r %s` (that stops forwarding and forgets connections)",
			dp->pin_dir, ret->abi, DATAPLANE_ABI, dp->pin_dir);
	return ret->abi != 0;
}

/* Of each key and CPU what there was, and zeroes for what is new. */
static int values_copy(int from_fd, size_t was, int to_fd, size_t is, __u32 keys, size_t cpus)
{
	char *from = calloc(cpus, was), *to = calloc(cpus, is);
	int err = from && to ? 0 : -ENOMEM;

	for (__u32 key = 0; key < keys && !err; key++) {
		if (bpf_map_lookup_elem(from_fd, &key, from)) {
			err = -errno;
			break;
		}
		for (size_t cpu = 0; cpu < cpus; cpu++)
			memcpy(to + cpu * is, from + cpu * was, was);
		if (bpf_map_update_elem(to_fd, &key, to, BPF_ANY))
			err = -errno;
	}
	free(from);
	free(to);
	return err;
}

/*
 * Verdicts are only ever appended: what an earlier version has counted goes on in a larger map. Its program counts in
 * its own until it is replaced, in a moment. Whenever this is cut short, one of the two has the name.
 */
static int pins_grow(struct dataplane *dp)
{
	struct dataplane_map *map = &dp->map[DATAPLANE_MAP_COUNT_DEVICES];
	size_t was = map->value_bytes, is = sizeof(struct device_count);
	char path[DATAPLANE_PATH_BYTES], new[DATAPLANE_PATH_BYTES];
	int fd, err;

	if (map->type != BPF_MAP_TYPE_PERCPU_ARRAY || was >= is || was % sizeof(__u64))
		return 0;
	err = dataplane_pin_path(dp, MAP_COUNT_DEVICES, path);
	if (!err)
		err = dataplane_pin_path(dp, MAP_COUNT_DEVICES_NEW, new);
	if (err)
		return err;
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, MAP_COUNT_DEVICES, sizeof(__u32), (__u32)is, map->entries, NULL);
	if (fd < 0)
		return fd;
	err = values_copy(map->fd, was, fd, is, map->entries, (size_t)dp->cpus);
	if (!err && ((unlink(new) && errno != ENOENT) || bpf_obj_pin(fd, new) || rename(new, path)))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	close(map->fd);
	map->fd = fd;
	return dataplane_map_describe(map, DATAPLANE_MAP_COUNT_DEVICES);
}

/* One line for each size that the options would have made otherwise. */
static void pins_compare(struct dataplane *dp, const char *what, __u32 wanted, __u32 have)
{
	if (wanted && wanted != have)
		dataplane_note_add(
			dp,
			"%s: the pinned tables hold %u, not the %u asked for; they are kept: to change it, stop "
			"starlingd and remove %s",
			what, have, wanted, dp->pin_dir);
}

/* Whether a version of the same layout may not have had it, and then it is made now, like the others in size. */
static bool pins_added(struct dataplane *dp, enum dataplane_map_id id)
{
	if (id == DATAPLANE_MAP_SIGNS || id == DATAPLANE_MAP_LIMITS)
		dp->map[id].entries = dp->map[DATAPLANE_MAP_BACKENDS].entries;
	else if (id == DATAPLANE_MAP_NOTES)
		dp->map[id].entries = NOTES;
	else if (id == DATAPLANE_MAP_COUNT_REFUSED)
		dp->map[id].entries = dp->map[DATAPLANE_MAP_COUNT_VIPS].entries;
	else
		return false;
	return true;
}

int dataplane_pins_adopt(struct dataplane *dp, struct err *err)
{
	int i, failed, found = pins_abi(dp, &dp->info, err);

	if (found < 0)
		return found;
	if (!found) {
		memset(&dp->info, 0, sizeof(dp->info));
		i = pins_unlink(dp);
		return i ? err_set(err, -i, "cannot remove what an interrupted start left in %s: %s", dp->pin_dir,
				   strerror(-i))
			 : 0;
	}
	for (i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		failed = pins_get(dp, (enum dataplane_map_id)i, &dp->map[i]);
		if (failed == -ENOENT && pins_added(dp, (enum dataplane_map_id)i))
			continue;
		if (failed)
			return err_set(
				err, -failed,
				"the pinned map %s/%s cannot be opened (%s), so the others cannot be adopted: remove "
				"them with `rm -r %s` (that stops forwarding and forgets connections)",
				dp->pin_dir, dataplane_map_name((enum dataplane_map_id)i), strerror(-failed),
				dp->pin_dir);
	}
	failed = pins_grow(dp);
	if (failed)
		return err_set(err, -failed, "cannot make room for more counters beside those in %s: %s", dp->pin_dir,
			       strerror(-failed));
	pins_compare(dp, "VIPs", dp->limits.vips, dp->map[DATAPLANE_MAP_COUNT_VIPS].entries);
	pins_compare(dp, "backends", dp->limits.backends, dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries);
	pins_compare(dp, "slots", dp->limits.slots, dp->map[DATAPLANE_MAP_SLOTS].entries);
	pins_compare(dp, "sets of flows", dp->flow_sets_log2 ? 1u << dp->flow_sets_log2 : 0,
		     dp->map[DATAPLANE_MAP_FLOWS].entries);
	dp->adopted = true;
	return 0;
}

int dataplane_pins_remove(struct dataplane *dp)
{
	int err = pins_unlink(dp);

	if (rmdir(dp->pin_dir) && errno != ENOENT && !err)
		err = -errno;
	return err;
}
