// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The clock of cells, and the wait for packets under way. Not here: what ages.
 *
 * XDP reads jiffies, the cheapest clock there is (bpf_jiffies64 is inlined). User space has no
 * view of it, so a program of two instructions returns it (about 1 us a call). A tick is
 * 2^shift jiffies: the shortest of which 2^15 cover the longest idle time, 256 ms at 250 Hz.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/dataplane_private.h"

#define HZ_MIN	   24
#define HZ_MAX	   1200
#define MEASURE_MS 200
#define SECOND_NS  1000000000LL

static int clock_jiffies(const struct dataplane_clock *clock, __u32 *ret_jiffies)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int err = bpf_prog_test_run_opts(clock->fd, &run);

	if (!err)
		*ret_jiffies = run.retval; /* the low 32 bits: a tick of TICK_MASK needs 24 + shift */
	return err;
}

static long long clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

__u32 dataplane_clock_hz_measured(const struct dataplane_clock *clock)
{
	static const __u32 usual[] = {100, 250, 300, 1000};
	struct timespec pause = {.tv_nsec = MEASURE_MS * 1000000L};
	__u32 first, last, best = 0, rate, off, best_off = ~0u;
	long long begin = clock_ns(), took;
	size_t i;

	if (clock_jiffies(clock, &first))
		return 0;
	nanosleep(&pause, NULL);
	took = clock_ns() - begin;
	if (clock_jiffies(clock, &last) || took <= 0)
		return 0;
	rate = (__u32)((last - first) * SECOND_NS / took);
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		off = rate > usual[i] ? rate - usual[i] : usual[i] - rate;
		if (off < best_off) {
			best_off = off;
			best = usual[i];
		}
	}
	return best;
}

/* The coarse clocks advance once a jiffy and clock_getres() gives the step. */
static __u32 clock_hz(const struct dataplane_clock *clock)
{
	struct timespec step;
	long long hz;

	if (!clock_getres(CLOCK_MONOTONIC_COARSE, &step) && !step.tv_sec && step.tv_nsec > 0) {
		hz = (SECOND_NS + step.tv_nsec / 2) / step.tv_nsec;
		if (hz >= HZ_MIN && hz <= HZ_MAX)
			return (__u32)hz;
	}
	return dataplane_clock_hz_measured(clock);
}

int dataplane_clock_open(struct dataplane_clock *clock, struct err *err)
{
	struct bpf_insn insns[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);

	clock->fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "starling_clock", "GPL", insns,
				  sizeof(insns) / sizeof(insns[0]), &opts);
	if (clock->fd < 0)
		return err_set(err, errno,
			       "the kernel refuses the smallest of programs, one that reads its clock (%s): "
			       "Linux 6.1 or later is needed, with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
			       strerror(errno));
	clock->hz = clock_hz(clock);
	if (!clock->hz) {
		dataplane_clock_close(clock);
		return err_set(err, EIO, "the kernel's timer frequency could not be found");
	}
	dataplane_clock_scale(clock);
	return 0;
}

void dataplane_clock_scale(struct dataplane_clock *clock)
{
	while (((1000ULL << clock->shift) << 15) / clock->hz < STARLING_IDLE_MAX_MS)
		clock->shift++;
}

void dataplane_clock_close(struct dataplane_clock *clock)
{
	if (clock->fd >= 0)
		close(clock->fd);
	clock->fd = -1;
}

__u16 dataplane_clock_ticks(const struct dataplane_clock *clock, __u32 ms)
{
	__u64 tick = 1000ULL << clock->shift; /* in 1/hz milliseconds */

	return (__u16)(((__u64)ms * clock->hz + tick - 1) / tick);
}

__u32 dataplane_tick(const struct dataplane *dp)
{
	__u32 jiffies = 0;

	if (dp->memory_only)
		jiffies = (__u32)((unsigned long long)clock_ns() / (SECOND_NS / dp->clock.hz));
	else
		clock_jiffies(&dp->clock, &jiffies);
	return jiffies >> dp->clock.shift & TICK_MASK;
}

/* An update of a map of maps returns after synchronize_rcu() (kernel/bpf/syscall.c, maybe_wait_bpf_programs()). */
int dataplane_grace_by_map(struct dataplane *dp)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	__u32 zero = 0;

	if (dp->grace_inner_fd < 0)
		dp->grace_inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "starling_inner", 4, 4, 1, NULL);
	if (dp->grace_inner_fd < 0)
		return -errno;
	opts.inner_map_fd = (__u32)dp->grace_inner_fd;
	if (dp->grace_fd < 0)
		dp->grace_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "starling_grace", 4, 4, 1, &opts);
	if (dp->grace_fd < 0)
		return -errno;
	return bpf_map_update_elem(dp->grace_fd, &zero, &dp->grace_inner_fd, BPF_ANY) ? -errno : 0;
}

int dataplane_grace(struct dataplane *dp)
{
	if (dp->memory_only || !syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	return dataplane_grace_by_map(dp);
}
