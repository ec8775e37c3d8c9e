// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * io/dataplane's maps in the running kernel: they outlive their process, are adopted, refused or
 * removed, and what an operator is told. Not here: devices (dataplane_links_test.c), what steer does
 * with a packet (steer_test.c). Needs root; works in a network namespace of its own.
 */
#include "core/key_table.h"
#include "dataplane_world.h"

static void maps_made_anew_have_the_sizes_asked_for(void **state)
{
	struct dataplane *dp = open_small();
	struct config_limits limits;
	__u32 count;

	(void)state;
	assert_false(dataplane_adopted(dp));
	dataplane_limits(dp, &limits);
	assert_int_equal(limits.vips, 16);
	assert_int_equal(limits.backends, 2048);
	assert_int_equal(limits.slots, 8192);
	assert_non_null(dataplane_flows(dp, &count));
	assert_int_equal(count, 256);
	assert_non_null(dataplane_filter(dp));
	assert_int_equal(dataplane_info(dp)->abi, DATAPLANE_ABI);
	assert_memory_equal(dataplane_info(dp)->seed, dataplane_config(dp)->seed, 64);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void default_maps_take_less_than_128_mib(void **state)
{
	struct dataplane_options options = {.pin_dir = pins};
	struct dataplane *dp = open_or_fail(&options);

	(void)state;
	print_message("default tables: %.1f MiB, loaded in %u ms\n", (double)dataplane_memory(dp) / 1048576,
		      dataplane_load_ms(dp));
	assert_in_range(dataplane_memory(dp), 16 << 20, 128 << 20);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void maps_are_adopted_with_contents_and_seed(void **state)
{
	struct vip_key key = {.addr = {1}, .port = 80, .proto = 6};
	struct dataplane *dp = open_small();
	__u32 seed[16], count, vip;

	(void)state;
	memcpy(seed, dataplane_info(dp)->seed, sizeof(seed));
	dataplane_slots(dp, &count)[8191] = 0x1234;
	assert_int_equal(dataplane_key_set(dp, &key, 7), 0);
	dataplane_close(dp);
	dp = open_small();
	assert_true(dataplane_adopted(dp));
	assert_memory_equal(dataplane_info(dp)->seed, seed, sizeof(seed));
	assert_memory_equal(dataplane_config(dp)->seed, seed, sizeof(seed));
	assert_int_equal(dataplane_slots(dp, &count)[8191], 0x1234);
	assert_int_equal(key_table_find(dataplane_keys(dp, &count), dataplane_config(dp)->keys_log2, &key, &vip), 0);
	assert_int_equal(vip, 7);
	assert_int_equal(dataplane_key_delete(dp, &key), 0);
	assert_int_equal(dataplane_key_delete(dp, &key), -ENOENT);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void other_sizes_are_kept_and_said(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp = open_small();
	struct config_limits limits;

	(void)state;
	dataplane_close(dp);
	options.limits.backends = 4096;
	dp = open_or_fail(&options);
	dataplane_limits(dp, &limits);
	assert_int_equal(limits.backends, 2048);
	assert_true(noted(dp, "backends: the pinned tables hold 2048, not the 4096 asked for"));
	assert_int_equal(dataplane_remove(dp), 0);
}

static void abi_write(__u32 abi)
{
	struct dataplane_info info;
	char path[160];
	__u32 zero = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/abi", pins);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &info), 0);
	info.abi = abi;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &info, BPF_ANY), 0);
	close(fd);
}

static void maps_of_another_abi_are_refused_and_left_alone(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp = open_small();
	struct err err = {0};
	__u32 count;

	(void)state;
	dataplane_slots(dp, &count)[1] = 5;
	dataplane_close(dp);
	abi_write(DATAPLANE_ABI + 1);
	dp = NULL;
	assert_int_equal(dataplane_open(&options, &dp, &err), -EPROTO);
	assert_null(dp);
	assert_non_null(strstr(err.text, "rm -r"));
	abi_write(DATAPLANE_ABI);
	dp = open_small();
	assert_int_equal(dataplane_slots(dp, &count)[1], 5);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void remains_of_an_interrupted_start_are_replaced(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp = open_small();
	struct config_limits limits;

	(void)state;
	dataplane_close(dp);
	abi_write(0);
	options.limits.vips = 32;
	dp = open_or_fail(&options);
	assert_false(dataplane_adopted(dp));
	dataplane_limits(dp, &limits);
	assert_int_equal(limits.vips, 32);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void a_missing_map_is_named(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp = open_small();
	struct err err = {0};

	(void)state;
	dataplane_close(dp);
	run("rm %s/flows", pins);
	assert_int_equal(dataplane_open(&options, &dp, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/flows"));
	run("test -e %s/abi -a -e %s/vips", pins, pins); /* the others were left alone */
	run("rm -r %s", pins);
}

static void tables_that_an_older_version_did_not_have_are_made(void **state)
{
	struct dataplane *dp = open_small();
	static __u64 refused[STARLING_VIPS_MAX];
	__u32 count;

	(void)state;
	dataplane_slots(dp, &count)[1] = 5;
	dataplane_close(dp);
	run("rm %s/" MAP_SIGNS " %s/" MAP_NOTES " %s/" MAP_LIMITS " %s/" MAP_COUNT_REFUSED, pins, pins, pins, pins);
	dp = open_small();
	assert_true(dataplane_adopted(dp));
	assert_int_equal(dataplane_slots(dp, &count)[1], 5);
	assert_int_equal(dataplane_signs(dp, &count)[2047].repeats, 0);
	assert_int_equal(dataplane_backend_limits(dp, &count)[2047].most, 0);
	assert_int_equal(count, 2048);
	assert_int_equal(dataplane_count_refused(dp, 0, dp->map[DATAPLANE_MAP_COUNT_VIPS].entries, refused), 0);
	dataplane_signs(dp, &count)[2047].repeats = 7;
	dataplane_close(dp);
	dp = open_small();
	assert_int_equal(dataplane_signs(dp, &count)[2047].repeats, 7);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void remove_leaves_nothing(void **state)
{
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	enum xdp_mode mode;
	struct dataplane_other other;

	(void)state;
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_NATIVE, &mode, NULL), 0);
	assert_int_equal(dataplane_remove(dp), 0);
	assert_int_equal(access(pins, F_OK), -1);
	assert_int_equal(dataplane_other_program(ifindex, &other), 0);
	veth_delete();
}

static void counters_are_summed_over_cpus_in_any_range(void **state)
{
	struct dataplane *dp = open_small();
	struct backend_count *got = calloc(2048, sizeof(*got));
	size_t cpus = (size_t)dp->cpus;
	struct backend_count *cpu = calloc(cpus, sizeof(*cpu));
	__u32 id, first, n;
	size_t c;

	(void)state;
	for (id = 0; id < 2048; id++) {
		for (c = 0; c < cpus; c++)
			cpu[c] = (struct backend_count){.packets = id, .bytes = c, .connections = 1};
		assert_int_equal(bpf_map_update_elem(dp->map[DATAPLANE_MAP_COUNT_BACKENDS].fd, &id, cpu, 0), 0);
	}
	for (first = 0; first < 2048; first += 511) {
		n = 2048 - first;
		assert_int_equal(dataplane_count_backends(dp, first, n, got), 0);
		for (id = 0; id < n; id++) {
			assert_int_equal(got[id].packets, (first + id) * cpus);
			assert_int_equal(got[id].bytes, cpus * (cpus - 1) / 2);
			assert_int_equal(got[id].connections, cpus);
		}
	}
	assert_int_equal(dataplane_count_backends(dp, 2048, 0, got), 0);
	assert_int_equal(dataplane_count_backends(dp, 2048, 1, got), -ERANGE);
	assert_int_equal(dataplane_count_backends(dp, 1, 2048, got), -ERANGE);
	assert_int_equal(dataplane_count_backend_reset(dp, 2047), 0);
	assert_int_equal(dataplane_count_backends(dp, 2046, 2, got), 0);
	assert_int_equal(got[0].packets, 2046 * cpus);
	assert_int_equal(got[1].packets, 0);
	free(got);
	free(cpu);
	assert_int_equal(dataplane_remove(dp), 0);
}

/* A verdict more than in the version that made the map. */
static void counters_of_devices_go_on_where_there_are_more_of_them(void **state)
{
	struct dataplane *dp = open_small();
	size_t cpus = (size_t)dp->cpus, words = VERDICT_COUNT - 1;
	__u64 *values = calloc(cpus, words * sizeof(*values));
	struct device_count got;
	char path[sizeof(pins) + 32];
	__u32 key = 3;
	int fd;

	(void)state;
	dataplane_close(dp);
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, MAP_COUNT_DEVICES, 4, (__u32)(words * sizeof(*values)),
			    STARLING_DEVICES, NULL);
	assert_true(fd >= 0);
	for (size_t c = 0; c < cpus; c++)
		for (size_t i = 0; i < words; i++)
			values[c * words + i] = i + 1;
	assert_int_equal(bpf_map_update_elem(fd, &key, values, 0), 0);
	snprintf(path, sizeof(path), "%s/" MAP_COUNT_DEVICES, pins);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	snprintf(path, sizeof(path), "%s/" MAP_COUNT_DEVICES "_new", pins);
	assert_int_equal(bpf_obj_pin(fd, path), 0); /* as a start that was cut short leaves one */
	close(fd);
	for (int again = 0; again < 2; again++) { /* it is pinned in its place */
		dp = open_small();
		assert_int_equal(dataplane_count_device(dp, key, &got), 0);
		for (size_t i = 0; i < words; i++)
			assert_int_equal(got.verdict[i], cpus * (i + 1));
		assert_int_equal(got.verdict[words], 0);
		if (!again)
			dataplane_close(dp);
	}
	free(values);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void without_a_device_nothing_is_carried(void **state)
{
	struct dataplane *dp = open_small();
	struct err err = {0};

	(void)state;
	assert_int_equal(dataplane_tunnel(dp, true, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "no device is attached");
	assert_int_equal(dataplane_tunnel(dp, false, &err), 0);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void the_timer_frequency_is_the_measured_one(void **state)
{
	struct dataplane_clock clock = {.fd = -1};
	struct err err = {0};

	(void)state;
	if (dataplane_clock_open(&clock, &err))
		fail_msg("%s", err.text);
	assert_int_equal(dataplane_clock_hz_measured(&clock), clock.hz);
	assert_true((1000ULL << clock.shift << 15) / clock.hz >= STARLING_IDLE_MAX_MS);
	assert_in_range((1000ULL << clock.shift) / clock.hz, 210, 500);
	dataplane_clock_close(&clock);
}

static void grace_periods_can_be_waited_for(void **state)
{
	struct dataplane *dp = open_small();

	(void)state;
	assert_int_equal(dataplane_grace(dp), 0);
	assert_int_equal(dataplane_grace_by_map(dp), 0);
	assert_int_equal(dataplane_grace_by_map(dp), 0);
	assert_int_equal(dataplane_remove(dp), 0);
}

static void a_directory_not_on_bpffs_is_refused(void **state)
{
	struct dataplane_options options = {.pin_dir = "/tmp/starling/pins"};
	struct dataplane *dp;
	struct err err = {0};

	(void)state;
	assert_int_equal(dataplane_open(&options, &dp, &err), -ENODEV);
	assert_non_null(strstr(err.text, "mount -t bpf"));
}

static void missing_capabilities_are_named(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp;
	struct err err = {0};
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(!(dataplane_open(&options, &dp, &err) == -EPERM && strstr(err.text, "CAP_BPF, CAP_PERFMON")));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void sizes_out_of_range_are_refused(void **state)
{
	struct dataplane_options options = small_options();
	struct dataplane *dp;
	struct err err = {0};

	(void)state;
	options.limits.backends = 65536;
	assert_int_equal(dataplane_open(&options, &dp, &err), -EINVAL);
	assert_non_null(strstr(err.text, "65536 backends"));
	options = small_options();
	options.flow_sets_log2 = 25;
	assert_int_equal(dataplane_open(&options, &dp, &err), -EINVAL);
	assert_int_equal(access(pins, F_OK), 0); /* empty */
	assert_int_equal(rmdir(pins), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, test_clean)
	const struct CMUnitTest tests[] = {
		T(maps_made_anew_have_the_sizes_asked_for),
		T(default_maps_take_less_than_128_mib),
		T(maps_are_adopted_with_contents_and_seed),
		T(other_sizes_are_kept_and_said),
		T(maps_of_another_abi_are_refused_and_left_alone),
		T(remains_of_an_interrupted_start_are_replaced),
		T(a_missing_map_is_named),
		T(tables_that_an_older_version_did_not_have_are_made),
		T(remove_leaves_nothing),
		T(counters_are_summed_over_cpus_in_any_range),
		T(counters_of_devices_go_on_where_there_are_more_of_them),
		T(without_a_device_nothing_is_carried),
		T(the_timer_frequency_is_the_measured_one),
		T(grace_periods_can_be_waited_for),
		T(a_directory_not_on_bpffs_is_refused),
		T(missing_capabilities_are_named),
		T(sizes_out_of_range_are_refused),
	};

	if (geteuid()) {
		puts("skip dataplane_test: needs root");
		return 77;
	}
	return cmocka_run_group_tests_name("dataplane", tests, group_setup, NULL);
}
