/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tests of io/dataplane share: a directory of pins, a veth pair and frames over it.
 * To be included by one file of a program only. Not here: the tests.
 */
#ifndef STARLING_TESTS_BPF_DATAPLANE_WORLD_H
#define STARLING_TESTS_BPF_DATAPLANE_WORLD_H

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

static inline void run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command);
}

static inline struct dataplane_options small_options(void)
{
	struct dataplane_options options = {
		.pin_dir = pins,
		.limits = {.vips = 16, .backends = 2048, .slots = 8192},
		.flow_sets_log2 = 8,
	};

	return options;
}

static inline struct dataplane *open_or_fail(const struct dataplane_options *options)
{
	struct dataplane *dp = NULL;
	struct err err = {0};

	if (dataplane_open(options, &dp, &err))
		fail_msg("%s", err.text);
	return dp;
}

static inline struct dataplane *open_small(void)
{
	struct dataplane_options options = small_options();

	return open_or_fail(&options);
}

/* Whether some note contains these words; drains them. */
static inline bool noted(struct dataplane *dp, const char *words)
{
	const char *note;
	bool found = false;

	while ((note = dataplane_note(dp)))
		found |= strstr(note, words) != NULL;
	return found;
}

/* A veth pair x0 - x1 of this namespace. */
static inline __u32 veth_make(void)
{
	run("ip link add x0 type veth peer name x1 && ip link set x0 up && ip link set x1 up");
	return if_nametoindex("x0");
}

static inline void veth_delete(void)
{
	run("ip link del x0");
}

/* Puts frames of an unused Ethernet type into x1, so that they arrive at x0. */
static inline void frames_send(int count)
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

static inline __u64 frames_seen(struct dataplane *dp, __u32 ifindex)
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
static inline __u64 frames_await(struct dataplane *dp, __u32 ifindex, __u64 at_least)
{
	int i;

	for (i = 0; i < 500 && frames_seen(dp, ifindex) < at_least; i++)
		usleep(10000);
	return frames_seen(dp, ifindex);
}

/* A network of its own, in which nothing sends a frame unasked. */
static inline int group_setup(void **state)
{
	(void)state;
	if (geteuid())
		return 0;
	if (unshare(CLONE_NEWNET))
		return -1;
	if (access("/sys/fs/bpf", F_OK) && mkdir("/sys/fs/bpf", 0755))
		return -1;
	snprintf(pins, sizeof(pins), "/sys/fs/bpf/starling-test-%d", (int)getpid());
	return system("mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf; ip link set lo up; "
		      "sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
}

/* What a failed test has left must not fail the next. */
static inline int test_clean(void **state)
{
	char command[320];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s; ip link del x0 2>/dev/null; true", pins);
	return system(command);
}

#endif
