// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * io/dataplane's attachments in the running kernel: they outlive their process, take another program
 * under traffic, and refuse a stranger's place. Not here: maps (dataplane_test.c). Needs root; works in
 * a network namespace of its own.
 */
#include "dataplane_world.h"

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

static bool filter_stands(void)
{
	return !system("tc filter show dev x0 egress | grep -q tunnel");
}

static void what_carries_probes_is_put_back(void **state)
{
	struct dataplane *dp = open_small();
	__u32 ifindex = veth_make();
	struct err err = {0};
	enum xdp_mode got;

	(void)state;
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_AUTO, &got, &err), 0);
	dataplane_tunnel_keep(dp);
	assert_false(filter_stands());
	if (dataplane_tunnel(dp, true, &err))
		fail_msg("%s", err.text);
	assert_true(filter_stands());
	assert_int_equal(system("tc qdisc delete dev x0 clsact"), 0);
	assert_false(filter_stands());
	dataplane_tunnel_keep(dp);
	assert_true(filter_stands());
	dataplane_tunnel_keep(dp);
	assert_int_equal(dataplane_tunnel(dp, false, &err), 0);
	dataplane_tunnel_keep(dp);
	assert_false(filter_stands());
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
	dp = open_small();
	assert_true(dataplane_adopted(dp));
	seen = frames_await(dp, ifindex, 40);
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
	int stop, count, sent, status;
	struct err err = {0};
	enum xdp_mode got;
	pid_t pid;

	(void)state;
	assert_int_equal(dataplane_attach(dp, ifindex, XDP_MODE_NATIVE, &got, &err), 0);
	pid = sender_start(&stop, &count);
	for (int round = 0; round < 10; round++)
		if (dataplane_reload(dp, &(struct trace_filter){.sample = round % 2 ? 1000 : 0}, &err))
			fail_msg("%s", err.text);
	close(stop);
	assert_int_equal(read(count, &sent, sizeof(sent)), sizeof(sent));
	close(count);
	waitpid(pid, &status, 0);
	assert_true(sent > 0);
	assert_int_equal(frames_await(dp, ifindex, (__u64)sent), sent);
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

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, test_clean)
	const struct CMUnitTest tests[] = {
		T(attachments_count_packets_until_detached),
		T(what_carries_probes_is_put_back),
		T(another_program_on_the_device_is_refused_by_name),
		T(a_killed_process_leaves_forwarding_and_counters),
		T(replacing_the_program_under_traffic_loses_no_packet),
		T(a_device_that_went_away_is_forgotten_and_said),
		T(the_probe_knows_host_and_device),
	};

	if (geteuid()) {
		puts("skip dataplane_links_test: needs root");
		return 77;
	}
	return cmocka_run_group_tests_name("dataplane_links", tests, group_setup, NULL);
}
