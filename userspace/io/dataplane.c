// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The data plane as one object: opening, reloading, closing, and its mapped tables. Not here:
 * the steps (dataplane_pins, _load, _links, _clock), counters (_count), the probe (_probe).
 */
#include "io/dataplane.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/key_table.h"
#include "io/dataplane_private.h"
#include "starling/hash.h"

void dataplane_note_add(struct dataplane *dp, const char *fmt, ...)
{
	va_list ap;

	if (dp->note_count == DATAPLANE_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(dp->note[(dp->note_first + dp->note_count++) % DATAPLANE_NOTES], DATAPLANE_NOTE_BYTES, fmt, ap);
	va_end(ap);
}

const char *dataplane_note(struct dataplane *dp)
{
	const char *note = NULL;

	if (dp->note_count) {
		note = dp->note[dp->note_first];
		dp->note_first = (dp->note_first + 1) % DATAPLANE_NOTES;
		dp->note_count--;
	}
	return note;
}

/* Rounded up: what tables hold (TABLE in bpf/table.h). */
static __u32 power_of_two(__u32 n)
{
	return n > 1 ? 1u << (32 - __builtin_clz(n - 1)) : 1;
}

/* Sizes of maps that are made anew. */
static int open_sizes(struct dataplane *dp, struct err *err)
{
	__u32 vips = dp->limits.vips ? dp->limits.vips : STARLING_VIPS_DEFAULT;
	__u32 backends = dp->limits.backends ? dp->limits.backends : STARLING_BACKENDS_DEFAULT;
	__u32 slots = dp->limits.slots ? dp->limits.slots : STARLING_SLOTS_DEFAULT;
	__u32 sets = dp->flow_sets_log2 ? 1u << (dp->flow_sets_log2 & 31) : STARLING_FLOW_SETS_DEFAULT;

	if (vips > STARLING_VIPS_MAX)
		return err_set(err, EINVAL, "%u VIPs are more than the %u that ids can name", vips, STARLING_VIPS_MAX);
	if (backends > STARLING_BACKENDS_MAX)
		return err_set(err, EINVAL, "%u backends are more than the %u that ids can name", backends,
			       STARLING_BACKENDS_MAX);
	if (slots > STARLING_SLOTS_MAX)
		return err_set(err, EINVAL, "%u slots are more than %u", slots, STARLING_SLOTS_MAX);
	if (dp->flow_sets_log2 > 31 || sets < STARLING_FLOW_SETS_MIN || sets > STARLING_FLOW_SETS_MAX)
		return err_set(err, EINVAL, "sets of flows must be %u to %u, a power of two", STARLING_FLOW_SETS_MIN,
			       STARLING_FLOW_SETS_MAX);
	dp->map[DATAPLANE_MAP_COUNT_VIPS].entries = dp->map[DATAPLANE_MAP_COUNT_REFUSED].entries = vips;
	dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries = backends;
	dp->map[DATAPLANE_MAP_VIPS].entries = power_of_two(vips);
	dp->map[DATAPLANE_MAP_BACKENDS].entries = dp->map[DATAPLANE_MAP_LOADS].entries = power_of_two(backends);
	dp->map[DATAPLANE_MAP_SIGNS].entries = dp->map[DATAPLANE_MAP_BACKENDS].entries;
	dp->map[DATAPLANE_MAP_LIMITS].entries = dp->map[DATAPLANE_MAP_BACKENDS].entries;
	dp->map[DATAPLANE_MAP_NOTES].entries = NOTES;
	dp->map[DATAPLANE_MAP_SLOTS].entries = power_of_two(slots);
	dp->map[DATAPLANE_MAP_FLOWS].entries = sets;
	/* Each key of a VIP may bring an address-only entry with it. */
	dp->map[DATAPLANE_MAP_KEYS].entries = 1u << key_table_log2(vips * STARLING_KEYS_PER_VIP * 2);
	return 0;
}

/* The record of maps made anew. */
static int open_info(struct dataplane *dp, const __u32 *seed, struct err *err)
{
	dp->info.abi = DATAPLANE_ABI;
	dp->info.flow_sets_log2 = (__u32)__builtin_ctz(dp->map[DATAPLANE_MAP_FLOWS].entries);
	dp->info.tick_shift = dp->clock.shift;
	dp->info.tick_us = (__u32)((1000000ULL << dp->clock.shift) / dp->clock.hz);
	if (seed)
		memcpy(dp->info.seed, seed, sizeof(dp->info.seed));
	else if (getrandom(dp->info.seed, sizeof(dp->info.seed), 0) != sizeof(dp->info.seed))
		return err_set(err, EIO, "the kernel gives no random numbers for the seed");
	return 0;
}

/* The seed of a configuration, and what follows from it. */
static void config_seed(struct steer_config *config, const __u32 seed[16])
{
	memcpy(config->seed, seed, sizeof(config->seed));
	config->mapped = flow_hash_mapped_part(htonl(0xffff), config->seed);
}

static void open_config(const struct dataplane *dp, const struct dataplane_options *options, struct steer_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	config_seed(ret, dp->info.seed);
	ret->flow_sets_log2 = dp->info.flow_sets_log2;
	ret->tick_shift = dp->info.tick_shift;
	ret->half_ticks = dataplane_clock_ticks(&dp->clock, STARLING_HALF_MS);
	ret->half_evict_ticks = dataplane_clock_ticks(&dp->clock, STARLING_HALF_EVICT_MS);
	ret->closing_ticks = dataplane_clock_ticks(&dp->clock, STARLING_CLOSING_MS);
	ret->closing_evict_ticks = dataplane_clock_ticks(&dp->clock, STARLING_CLOSING_EVICT_MS);
	ret->reset_ticks = dataplane_clock_ticks(&dp->clock, STARLING_RESET_MS);
	ret->probation_ticks = dataplane_clock_ticks(&dp->clock, STARLING_PROBATION_MS);
	ret->tended_ticks = dataplane_clock_ticks(&dp->clock, STARLING_TENDED_MS);
	ret->fragments = options->fragments;
	ret->icmp = options->icmp;
	ret->keys_log2 = (__u8)__builtin_ctz(dp->map[DATAPLANE_MAP_KEYS].entries);
	ret->vips_mask = dp->map[DATAPLANE_MAP_VIPS].entries - 1;
	ret->backends_mask = dp->map[DATAPLANE_MAP_BACKENDS].entries - 1;
	ret->slots_mask = dp->map[DATAPLANE_MAP_SLOTS].entries - 1;
	ret->keys_mask = dp->map[DATAPLANE_MAP_KEYS].entries - 1;
	ret->flow_sets_mask = dp->map[DATAPLANE_MAP_FLOWS].entries - 1;
}

static struct dataplane *open_new(const struct dataplane_options *options)
{
	struct dataplane *dp = calloc(1, sizeof(*dp));
	int i;

	if (!dp)
		return NULL;
	for (i = 0; i < DATAPLANE_MAP_COUNT; i++) {
		dp->map[i].fd = -1;
		dp->map[i].value_bytes = dataplane_map_entry_bytes((enum dataplane_map_id)i);
	}
	dp->clock.fd = dp->grace_fd = dp->grace_inner_fd = -1;
	dp->limits = options->limits;
	dp->flow_sets_log2 = options->flow_sets_log2;
	dp->memory_only = options->memory_only;
	dp->cpus = libbpf_num_possible_cpus();
	return dp;
}

static int open_memory(struct dataplane *dp, const struct dataplane_options *options, struct err *err)
{
	int failed;

	dataplane_memory_clock(&dp->clock);
	dp->flow_sets_log2 = (__u32)__builtin_ctz(STARLING_FLOW_SETS_MIN); /* there are no flows */
	failed = open_sizes(dp, err);
	if (!failed)
		failed = open_info(dp, options->seed, err);
	if (failed)
		return failed;
	open_config(dp, options, &dp->config);
	return dataplane_memory_open(dp, err);
}

/* Pins, ABI, clock; then the program with what they say; then links. */
static int open_steps(struct dataplane *dp, const struct dataplane_options *options, struct err *err)
{
	__u32 zero = 0;
	int failed;

	if (dp->cpus <= 0)
		return err_set(err, EIO, "the number of CPUs could not be found");
	failed = dataplane_pins_prepare(dp, err);
	if (!failed)
		failed = dataplane_clock_open(&dp->clock, err);
	if (!failed)
		failed = dataplane_pins_adopt(dp, err);
	if (!failed && !dp->adopted)
		failed = open_sizes(dp, err);
	if (!failed && !dp->adopted)
		failed = open_info(dp, options->seed, err);
	if (failed)
		return failed;
	dp->made = !dp->adopted;
	open_config(dp, options, &dp->config);
	failed = dataplane_object_load(dp, &dp->config, true, &dp->frags, err);
	if (!failed)
		failed = dataplane_maps_bind(dp, err);
	if (!failed && !dp->adopted && bpf_map_update_elem(dp->map[DATAPLANE_MAP_ABI].fd, &zero, &dp->info, BPF_ANY))
		failed = err_set(err, errno, "cannot write the abi map: %s", strerror(errno));
	if (!failed)
		failed = dataplane_events_open(dp, err);
	if (!failed)
		failed = dataplane_links_adopt(dp, err);
	return failed;
}

int dataplane_permitted(struct err *err)
{
	char missing[64];

	dataplane_capabilities(missing);
	if (!missing[0])
		return 0;
	return err_set(err, EPERM, "missing capabilities: %s; run as root, or as a service that has them", missing);
}

int dataplane_open(const struct dataplane_options *options, struct dataplane **ret, struct err *err)
{
	struct dataplane *dp;
	int failed = options->memory_only ? 0 : dataplane_permitted(err);

	if (failed)
		return failed;
	if (strlen(options->pin_dir) >= sizeof(dp->pin_dir))
		return err_set(err, ENAMETOOLONG, "the directory of pins %.64s... has too long a name",
			       options->pin_dir);
	dp = open_new(options);
	if (!dp)
		return err_set(err, ENOMEM, "out of memory");
	strcpy(dp->pin_dir, options->pin_dir);
	while (strlen(dp->pin_dir) > 1 && dp->pin_dir[strlen(dp->pin_dir) - 1] == '/')
		dp->pin_dir[strlen(dp->pin_dir) - 1] = '\0';
	failed = options->memory_only ? open_memory(dp, options, err) : open_steps(dp, options, err);
	if (failed) {
		/* Tables that this very call has begun are of no use to anybody. */
		if (dp->made)
			dataplane_pins_remove(dp);
		dataplane_close(dp);
		return failed;
	}
	*ret = dp;
	return 0;
}

void dataplane_close(struct dataplane *dp)
{
	if (!dp)
		return;
	dataplane_links_close(dp);
	dataplane_events_close(dp);
	dataplane_maps_unbind(dp);
	dataplane_object_free(&dp->frags);
	dataplane_object_free(&dp->flat);
	dataplane_tunnel_free(dp);
	dataplane_clock_close(&dp->clock);
	if (dp->grace_fd >= 0)
		close(dp->grace_fd);
	if (dp->grace_inner_fd >= 0)
		close(dp->grace_inner_fd);
	explicit_bzero(&dp->info, sizeof(dp->info));
	explicit_bzero(&dp->config, sizeof(dp->config));
	free(dp);
}

int dataplane_remove(struct dataplane *dp)
{
	int err, first;

	if (!dp)
		return 0;
	first = dataplane_links_remove(dp);
	err = dataplane_pins_remove(dp);
	dataplane_close(dp);
	return first ? first : err;
}

static int reload(struct dataplane *dp, const struct steer_config *config, struct err *err)
{
	struct dataplane_object next = {NULL, -1}, next_flat = {NULL, -1};
	int failed = dp->memory_only ? 0 : dataplane_object_load(dp, config, true, &next, err);

	if (!failed && dp->flat.skel)
		failed = dataplane_object_load(dp, config, false, &next_flat, err);
	if (!failed)
		failed = dataplane_links_replace(dp, &next, &next_flat, err);
	if (failed) {
		dataplane_object_free(&next);
		dataplane_object_free(&next_flat);
		return failed;
	}
	dataplane_object_free(&dp->frags);
	dataplane_object_free(&dp->flat);
	dp->frags = next;
	dp->flat = next_flat;
	dp->config = *config;
	return 0;
}

int dataplane_reload(struct dataplane *dp, const struct trace_filter *trace, struct err *err)
{
	struct steer_config config = dp->config;

	config.trace = *trace;
	return reload(dp, &config, err);
}

int dataplane_reseed(struct dataplane *dp, const __u32 seed[16], struct err *err)
{
	struct dataplane_info info = dp->info;
	struct steer_config config = dp->config;
	__u32 zero = 0;
	int failed;

	config_seed(&config, seed);
	memcpy(info.seed, seed, sizeof(info.seed));
	failed = reload(dp, &config, err);
	if (failed)
		return failed;
	dp->info = info;
	if (!dp->memory_only && bpf_map_update_elem(dp->map[DATAPLANE_MAP_ABI].fd, &zero, &info, BPF_ANY))
		return err_set(err, errno, "cannot write the abi map: %s", strerror(errno));
	return 0;
}

bool dataplane_memory_only(const struct dataplane *dp)
{
	return dp->memory_only;
}

bool dataplane_adopted(const struct dataplane *dp)
{
	return dp->adopted;
}

const struct dataplane_info *dataplane_info(const struct dataplane *dp)
{
	return &dp->info;
}

const struct steer_config *dataplane_config(const struct dataplane *dp)
{
	return &dp->config;
}

void dataplane_limits(const struct dataplane *dp, struct config_limits *ret)
{
	ret->vips = dp->map[DATAPLANE_MAP_COUNT_VIPS].entries;
	ret->backends = dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries;
	ret->slots = dp->map[DATAPLANE_MAP_SLOTS].entries;
}

__u32 dataplane_load_ms(const struct dataplane *dp)
{
	return dp->load_ms;
}

struct vip_entry *dataplane_vips(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_COUNT_VIPS].entries;
	return dp->map[DATAPLANE_MAP_VIPS].memory;
}

struct backend_entry *dataplane_backends(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries;
	return dp->map[DATAPLANE_MAP_BACKENDS].memory;
}

__u64 *dataplane_slots(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_SLOTS].entries;
	return dp->map[DATAPLANE_MAP_SLOTS].memory;
}

struct flow_set *dataplane_flows(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_FLOWS].entries;
	return dp->map[DATAPLANE_MAP_FLOWS].memory;
}

struct backend_load *dataplane_loads(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries;
	return dp->map[DATAPLANE_MAP_LOADS].memory;
}

struct backend_signs *dataplane_signs(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries;
	return dp->map[DATAPLANE_MAP_SIGNS].memory;
}

struct backend_limit *dataplane_backend_limits(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_COUNT_BACKENDS].entries;
	return dp->map[DATAPLANE_MAP_LIMITS].memory;
}

struct vip_filter *dataplane_filter(struct dataplane *dp)
{
	return dp->map[DATAPLANE_MAP_FILTER].memory;
}

struct key_entry *dataplane_keys(struct dataplane *dp, __u32 *ret_count)
{
	*ret_count = dp->map[DATAPLANE_MAP_KEYS].entries;
	return dp->map[DATAPLANE_MAP_KEYS].memory;
}

int dataplane_key_set(struct dataplane *dp, const struct vip_key *key, __u32 vip)
{
	return key_table_set(dp->map[DATAPLANE_MAP_KEYS].memory, dp->config.keys_log2, key, vip);
}

int dataplane_key_delete(struct dataplane *dp, const struct vip_key *key)
{
	return key_table_delete(dp->map[DATAPLANE_MAP_KEYS].memory, dp->config.keys_log2, key);
}
