// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Timing through BPF_PROG_TEST_RUN: see clock.h.
 */
#include "clock.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int clock_open(struct clock *c, const struct world *w)
{
	static const char *const name[CLOCK_PROGRAMS] = {NULL, "nothing", "floor_v4", "floor_v6"};
	const char *dir = getenv("O");
	char path[256];
	int i, r, fd;

	memset(c, 0, sizeof(*c));
	snprintf(path, sizeof(path), "%s/tools/bench/bench.bpf.o", dir ? dir : "build");
	c->object = bpf_object__open_file(path, NULL);
	r = c->object ? bpf_map__reuse_fd(bpf_object__find_map_by_name(c->object, MAP_FLOWS),
					  bpf_object__find_map_fd_by_name(w->h->object, MAP_FLOWS))
		      : -errno;
	if (!r)
		r = bpf_object__load(c->object);
	if (r) {
		fprintf(stderr, "bench: cannot load %s: %s\n", path, strerror(-r));
		clock_close(c);
		return r;
	}
	c->bench_fd = bpf_program__fd(bpf_object__find_program_by_name(c->object, "bench"));
	c->measured_fd = bpf_object__find_map_fd_by_name(c->object, "measured");
	for (i = CLOCK_NOTHING; i < CLOCK_PROGRAMS; i++)
		c->program_fd[i] = bpf_program__fd(bpf_object__find_program_by_name(c->object, name[i]));
	fd = bpf_object__find_map_fd_by_name(c->object, ".bss");
	c->state = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->state == MAP_FAILED) {
		r = -errno;
		c->state = NULL;
		clock_close(c);
		return r;
	}
	return 0;
}

void clock_close(struct clock *c)
{
	if (c->state)
		munmap(c->state, (size_t)sysconf(_SC_PAGESIZE));
	c->state = NULL;
	bpf_object__close(c->object);
	c->object = NULL;
}

/* What the counters must say: packets that were passed on, or left. */
static __u64 counted(const struct world *w, bool left)
{
	struct device_count d = harness_device_count(w->h, 1);

	return left ? d.verdict[VERDICT_PASS_OTHER] : d.verdict[VERDICT_TX];
}

int clock_run(struct clock *c, enum clock_program program, const struct world *w, const struct bench_state *s,
	      __u32 packets, double *ret_ns)
{
	__u8 in[BENCH_V6_BYTES] = {0}, out[512];
	__u32 zero = 0, len = s->v6 ? BENCH_V6_BYTES : BENCH_V4_BYTES, grown = s->v6 ? 40 : 20, want = XDP_TX;
	int fd = program == CLOCK_STEER ? w->h->steer_fd : c->program_fd[program];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in, .data_size_in = len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = (int)packets);
	struct bench_state none = world_state(w, WORLD_NOBODY, 1, 0);
	bool left = program == CLOCK_NOTHING || s->vip_base == none.vip_base;
	__u64 before = 0;

	if (bpf_map_update_elem(c->measured_fd, &zero, &fd, BPF_ANY)) {
		fprintf(stderr, "bench: cannot tail-call the program: %s\n", strerror(errno));
		return -errno;
	}
	*c->state = *s;
	if (left) {
		want = XDP_PASS;
		grown = 0;
	}
	if (program == CLOCK_STEER)
		before = counted(w, left);
	if (bpf_prog_test_run_opts(c->bench_fd, &o))
		return -errno;
	if (o.retval != want || o.data_size_out != len + grown ||
	    (program == CLOCK_STEER && counted(w, left) - before != packets)) {
		fprintf(stderr, "bench: action %u, %u bytes, %llu counted; wanted %u, %u, %u\n", o.retval,
			o.data_size_out, program == CLOCK_STEER ? counted(w, left) - before : packets, want,
			len + grown, packets);
		return -EPROTO;
	}
	if (ret_ns)
		*ret_ns = o.duration;
	return 0;
}
