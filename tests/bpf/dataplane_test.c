// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * io/dataplane against the running kernel: maps and attachments outlive their process, are
 * adopted, refused or removed, and what an operator is told. Not here: what steer does with a
 * packet (steer_test.c). Needs root; works in a network namespace of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/dataplane.h"
#include "io/dataplane_private.h"

static char pins[128]; /* where this process pins */

static void run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command);
}

static struct dataplane_options small_options(void)
{
	struct dataplane_options options = {
		.pin_dir = pins,
		.limits = {.vips = 16, .backends = 2048, .slots = 8192},
		.flow_sets_log2 = 8,
	};

	return options;
}

static struct dataplane *open_or_fail(const struct dataplane_options *options)
{
	struct dataplane *dp = NULL;
	struct err err = {0};

	if (dataplane_open(options, &dp, &err))
		fail_msg("%s", err.text);
	return dp;
}

static struct dataplane *open_small(void)
{
	struct dataplane_options options = small_options();

	return open_or_fail(&options);
}

/* Whether some note contains these words; drains them. */
static bool noted(struct dataplane *dp, const char *words)
{
	const char *note;
	bool found = false;

	while ((note = dataplane_note(dp)))
		found |= strstr(note, words) != NULL;
	return found;
}

/* A veth pair x0 - x1 of this namespace. */
static __u32 veth_make(void)
{
	run("ip link add x0 type veth peer name x1 && ip link set x0 up && ip link set x1 up");
	return if_nametoindex("x0");
}

static void veth_delete(void)
{
	run("ip link del x0");
}

/* Puts frames of an unused Ethernet type into x1, so that they arrive at x0. */
static void frames_send(int count)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("x1"), .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	__u8 frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};

	/* Children call this too, where an assertion would start a second run of all tests. */
	while (fd >= 0 && count--)
		if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(frame))
			print_error("a frame was not sent: %s\n", strerror(errno));
	close(fd);
}

static __u64 frames_seen(struct dataplane *dp, __u32 ifindex)
{
	struct device_count count;
	__u64 sum = 0;
	int i;

	if (dataplane_count_device(dp, ifindex, &count))
		return ~0ULL;
	for (i = 0; i < VERDICT_COUNT; i++)
		sum += count.verdict[i];
	return sum;
}

/* Waits until at least @at_least frames were counted; returns how many are. */
static __u64 frames_await(struct dataplane *dp, __u32 ifindex, __u64 at_least)
{
	int i;

	for (i = 0; i < 500 && frames_seen(dp, ifindex) < at_least; i++)
		usleep(10000);
	return frames_seen(dp, ifindex);
}

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
	struct vip_key key = {.addr = {1}, .port = 80, .proto = 6}, *keys;
	struct dataplane *dp = open_small();
	__u32 seed[16], *ids, count;
	size_t n;

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
	assert_int_equal(dataplane_keys(dp, &keys, &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(keys, &key, sizeof(key));
	assert_int_equal(ids[0], 7);
	free(keys);
	free(ids);
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

static void attachments_count_packets_until_detached(void **state)
{
	static const enum xdp_mode modes[] = {XDP_MODE_NATIVE, XDP_MODE_GENERIC};
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	struct dataplane_device device;
	struct err err = {0};
	enum xdp_mode got;
	__u64 seen = 0;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		if (dataplane_attach(dp, ifindex, modes[i], &got, &err))
			fail_msg("%s", err.text);
		assert_int_equal(got, modes[i]);
		assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, &err), 0);
		assert_int_equal(got, modes[i]);
		assert_int_equal(dataplane_attach(dp, ifindex, modes[1 - i], &got, &err), -EEXIST);
		assert_int_equal(dataplane_attached(dp, &device, 1), 1);
		assert_int_equal(device.ifindex, ifindex);
		assert_int_equal(device.mode, modes[i]);
		assert_string_equal(device.name, "x0");
		frames_send(10);
		assert_true(frames_await(dp, ifindex, seen + 10) >= seen + 10);
		assert_int_equal(dataplane_detach(dp, ifindex, &err), 0);
		assert_int_equal(dataplane_detach(dp, ifindex, &err), -ENOENT);
		seen = frames_seen(dp, ifindex);
		frames_send(10);
		usleep(50000);
		assert_int_equal(frames_seen(dp, ifindex), seen);
	}
	veth_delete();
	assert_int_equal(dataplane_remove(dp), 0);
}

static void another_program_on_the_device_is_refused_by_name(void **state)
{
	struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	struct dataplane_probe probe;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);
	struct err err = {0};
	enum xdp_mode got;
	int fd, link;

	(void)state;
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, NULL);
	assert_true(fd >= 0);
	link = bpf_link_create(fd, (int)ifindex, BPF_XDP, &opts);
	assert_true(link >= 0);
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, &err), -EBUSY);
	assert_non_null(strstr(err.text, "\"stranger\""));
	assert_non_null(strstr(err.text, "bpftool link detach id"));
	assert_int_equal(dataplane_probe("x0", &probe, &err), 0);
	close(link);
	close(fd);
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, &err), 0);
	veth_delete();
	assert_int_equal(dataplane_remove(dp), 0);
}

static void a_killed_process_leaves_forwarding_and_counters(void **state)
{
	__u32 ifindex = veth_make();
	struct dataplane_device device;
	struct dataplane *dp;
	enum xdp_mode got;
	__u64 seen;
	int pair[2], status;
	char ready;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (!pid) {
		struct dataplane_options options = small_options();

		if (dataplane_open(&options, &dp, NULL) || dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, NULL))
			_exit(1);
		frames_send(20);
		frames_await(dp, ifindex, 20);
		if (write(pair[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(pair[1]);
	assert_int_equal(read(pair[0], &ready, 1), 1);
	close(pair[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	frames_send(20); /* nobody is there */
	usleep(50000);
	dp = open_small();
	assert_true(dataplane_adopted(dp));
	seen = frames_seen(dp, ifindex);
	assert_true(seen >= 40);
	assert_int_equal(dataplane_attached(dp, &device, 1), 1);
	assert_int_equal(device.ifindex, ifindex);
	assert_int_equal(device.mode, XDP_MODE_NATIVE);
	frames_send(20);
	assert_true(frames_await(dp, ifindex, seen + 20) >= seen + 20);
	veth_delete();
	assert_int_equal(dataplane_remove(dp), 0);
}

/* Sends until told to stop, then says how many. */
static pid_t sender_start(int *ret_stop, int *ret_count)
{
	int stop[2], count[2], sent = 0;
	struct pollfd poll_stop;
	pid_t pid;

	assert_int_equal(pipe(stop), 0);
	assert_int_equal(pipe(count), 0);
	pid = fork();
	if (!pid) {
		poll_stop = (struct pollfd){.fd = stop[0], .events = POLLIN};
		close(stop[1]);
		while (!poll(&poll_stop, 1, 0)) {
			frames_send(10);
			sent += 10;
			usleep(200);
		}
		_exit(write(count[1], &sent, sizeof(sent)) != sizeof(sent));
	}
	close(stop[0]);
	close(count[1]);
	*ret_stop = stop[1];
	*ret_count = count[0];
	return pid;
}

static void replacing_the_program_under_traffic_loses_no_packet(void **state)
{
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	int stop, count, sent, status, i;
	struct err err = {0};
	enum xdp_mode got;
	pid_t pid;

	(void)state;
	run("sysctl -qw net.ipv6.conf.x0.disable_ipv6=1 net.ipv6.conf.x1.disable_ipv6=1");
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_NATIVE, &got, &err), 0);
	usleep(20000);
	i = (int)frames_seen(dp, ifindex); /* what was queued before IPv6 went */
	pid = sender_start(&stop, &count);
	for (int round = 0; round < 10; round++)
		if (dataplane_reload(dp, round % 2 ? 1000 : 0, &err))
			fail_msg("%s", err.text);
	close(stop);
	assert_int_equal(read(count, &sent, sizeof(sent)), sizeof(sent));
	close(count);
	waitpid(pid, &status, 0);
	assert_true(sent > 0);
	assert_int_equal(frames_await(dp, ifindex, (__u64)(sent + i)), sent + i);
	print_message("10 replacements, %d frames, last load %u ms\n", sent, dataplane_load_ms(dp));
	veth_delete();
	assert_int_equal(dataplane_remove(dp), 0);
}

static void a_device_that_went_away_is_forgotten_and_said(void **state)
{
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	enum xdp_mode got;

	(void)state;
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, NULL), 0);
	veth_delete();
	assert_int_equal(dataplane_attached(dp, NULL, 0), 0);
	assert_true(noted(dp, "is gone"));
	ifindex = veth_make();
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, NULL), 0);
	dataplane_close(dp);
	veth_delete();
	dp = open_small();
	assert_true(noted(dp, "is gone"));
	assert_int_equal(dataplane_attached(dp, NULL, 0), 0);
	assert_int_equal(dataplane_attach(dp, 0x7ffffff0, XDP_MODE_AUTO, &got, NULL), -ENODEV);
	assert_int_equal(dataplane_remove(dp), 0);
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

static void the_probe_knows_host_and_device(void **state)
{
	struct dataplane_probe probe;
	struct err err = {0};
	size_t i;

	(void)state;
	veth_make();
	assert_int_equal(dataplane_probe("x0", &probe, &err), 0);
	for (i = 0; i < probe.count; i++) {
		print_message("  %-14s %d  %s\n", probe.feature[i].name, (int)probe.feature[i].state,
			      probe.feature[i].text);
		assert_int_not_equal(probe.feature[i].state, FEATURE_MISSING);
	}
	assert_true(probe.count > 8);
	assert_int_equal(dataplane_probe("nosuch0", &probe, &err), -ENODEV);
	veth_delete();
}

static int group_setup(void **state)
{
	(void)state;
	if (geteuid())
		return 0;
	if (unshare(CLONE_NEWNET))
		return -1;
	if (access("/sys/fs/bpf", F_OK) && mkdir("/sys/fs/bpf", 0755))
		return -1;
	snprintf(pins, sizeof(pins), "/sys/fs/bpf/starling-test-%d", (int)getpid());
	return system("mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf; ip link set lo up");
}

/* What a failed test has left must not fail the next. */
static int test_clean(void **state)
{
	char command[320];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s; ip link del x0 2>/dev/null; true", pins);
	return system(command);
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
		T(remove_leaves_nothing),
		T(attachments_count_packets_until_detached),
		T(another_program_on_the_device_is_refused_by_name),
		T(a_killed_process_leaves_forwarding_and_counters),
		T(replacing_the_program_under_traffic_loses_no_packet),
		T(a_device_that_went_away_is_forgotten_and_said),
		T(counters_are_summed_over_cpus_in_any_range),
		T(the_timer_frequency_is_the_measured_one),
		T(grace_periods_can_be_waited_for),
		T(a_directory_not_on_bpffs_is_refused),
		T(missing_capabilities_are_named),
		T(sizes_out_of_range_are_refused),
		T(the_probe_knows_host_and_device),
	};

	if (geteuid()) {
		puts("skip dataplane_test: needs root");
		return 77;
	}
	return cmocka_run_group_tests_name("dataplane", tests, group_setup, NULL);
}
