// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Times of the control plane: see builds.h.
 */
#include "builds.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/config_file.h"
#include "core/maglev.h"
#include "daemon/plane_state.h"
#include "io/dataplane.h"

#define BUILDS		9 /* of a table; the median is told */
#define MAGLEV_BACKENDS 1000
#define CONTROL_VIPS	512
#define CONTROL_HOSTS	64 /* backends of every VIP */
#define CONTROL_TICKS	3

static double since_ms(struct mono from)
{
	return mono_seconds(from, mono_now()) * 1000;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct endpoint host(__u32 n)
{
	struct endpoint e = {.port = htons(80)};

	e.addr.byte[10] = e.addr.byte[11] = 0xff;
	e.addr.byte[12] = 10;
	e.addr.byte[14] = (__u8)(n >> 8);
	e.addr.byte[15] = (__u8)n;
	return e;
}

static int maglev_median(__u32 slots, double *ret_ms)
{
	struct maglev_backend backend[MAGLEV_BACKENDS];
	__u16 *table = malloc(slots * sizeof(*table));
	double ms[BUILDS];
	int i, r = table ? 0 : -ENOMEM;

	for (i = 0; i < MAGLEV_BACKENDS; i++) {
		struct endpoint at = host((__u32)i);

		backend[i] = (struct maglev_backend){.key = maglev_key(&at), .weight = 1, .id = (__u16)i};
	}
	for (i = 0; !r && i < BUILDS; i++) {
		struct mono start = mono_now();

		r = maglev_build(backend, MAGLEV_BACKENDS, table, slots);
		ms[i] = since_ms(start);
	}
	free(table);
	if (r) {
		fprintf(stderr, "bench: cannot build a table of %u slots: %s\n", slots, strerror(-r));
		return r;
	}
	qsort(ms, BUILDS, sizeof(*ms), double_compare);
	*ret_ms = ms[BUILDS / 2];
	return 0;
}

int builds_maglev(struct report *to)
{
	double few = 0, million = 0;
	int r = maglev_median(65537, &few);

	if (!r)
		r = maglev_median(1048573, &million);
	if (r)
		return r;
	report_figure(to, "Maglev table, 65,537 slots, 1,000 backends", "ms", few, 0);
	report_figure(to, "Maglev table, 1,048,573 slots, 1,000 backends", "ms", million, 0);
	return 0;
}

struct control {
	struct dataplane_options options;
	struct dataplane *dp;
	struct plane *p;
	char mount[64], pins[80];
	struct buf text;
};

static void text_write(struct buf *b)
{
	for (__u32 v = 0; v < CONTROL_VIPS; v++) {
		buf_printf(b, "vip add v%u tcp/203.0.%u.%u:80 scheduler %s\n", v, 112 + v / 256, v % 256,
			   v % 2 ? "wlc" : "mh");
		for (__u32 i = 0; i < CONTROL_HOSTS; i++)
			buf_printf(b, "backend add v%u 10.0.0.%u:80\n", v, i);
	}
}

static int control_open(struct control *c, struct err *err)
{
	int r = dataplane_open(&c->options, &c->dp, err);

	return r ? r : plane_open(c->dp, &(struct plane_hooks){0}, &c->p, err);
}

static void control_close(struct control *c)
{
	plane_close(c->p);
	dataplane_close(c->dp);
	c->p = NULL;
	c->dp = NULL;
}

static int control_apply(struct control *c, double *ret_ms, struct plane_change *ret, struct err *err)
{
	struct mono start = mono_now();
	struct err_list errors = {0};
	struct config_limits limits;
	struct config *wanted;
	int r;

	dataplane_limits(c->dp, &limits);
	r = config_read(c->text.text, c->text.len, "bench", &limits, &wanted, &errors);
	err_list_free(&errors);
	if (r)
		return err_set(err, -r, "the benchmark's own configuration is refused");
	r = plane_apply(c->p, wanted, false, ret, err);
	if (r)
		config_free(wanted);
	*ret_ms = since_ms(start);
	return r;
}

/* The loop's answers: every host is next door. */
static double control_resolve(struct control *c)
{
	struct nexthop hop = {.resolved = true,
			      .ifindex = 1,
			      .dmac = {2, 0, 0, 0, 0, 1},
			      .smac = {2, 0, 0, 0, 0, 2},
			      .mtu = 1500,
			      .src = host(9999).addr};
	struct mono start = mono_now();

	for (__u32 i = 0; i < CONTROL_HOSTS; i++) {
		struct endpoint at = host(i);

		plane_nexthop(c->p, &at.addr, &hop);
	}
	plane_settle(c->p);
	return since_ms(start);
}

static double tick_time(struct control *c)
{
	struct mono start = mono_now();

	plane_tick(c->p);
	return since_ms(start);
}

/* Memory of this process's own: neither files nor the tables it shares with the kernel. */
static double own_mb(void)
{
	unsigned long resident = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	malloc_trim(0);
	if (f && fscanf(f, "%*u %lu %lu", &resident, &shared) != 2)
		resident = shared = 0;
	if (f)
		fclose(f);
	return (double)(resident - shared) * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static int control_measure(struct control *c, struct report *to, struct err *err)
{
	double ms = 0, tick = 0, tables_mb, before_mb = own_mb();
	struct plane_change change = {0};
	struct mono start;
	int r = control_open(c, err);

	if (r)
		return r;
	report_figure(to, "load of the programs", "ms", dataplane_load_ms(c->dp), 300);
	r = control_apply(c, &ms, &change, err);
	if (r)
		return r;
	report_figure(to, "first apply of 512 VIPs x 64 backends from text", "ms", ms, 2000);
	report_figure(to, "their next hops, all at once", "ms", control_resolve(c), 0);
	for (int i = 0; i < CONTROL_TICKS; i++)
		tick = tick_time(c);
	report_figure(to, "a second's work on them, no flows", "ms", tick, 0);
	r = control_apply(c, &ms, &change, err);
	if (r)
		return r;
	if (change.vips_unchanged != CONTROL_VIPS)
		return err_set(err, EPROTO, "the same again has changed VIPs");
	report_figure(to, "the same again, unchanged", "ms", ms, 200);
	tables_mb = (double)dataplane_memory(c->dp) / 1e6;
	report_figure(to, "tables of default sizes", "MB", tables_mb, 0);
	report_figure(to, "tables, and what the daemon keeps of 512 x 64", "MB", tables_mb + own_mb() - before_mb, 128);

	control_close(c);
	start = mono_now();
	r = control_open(c, err);
	if (r)
		return r;
	report_figure(to, "adoption of it after a restart, load included", "ms", since_ms(start), 0);
	return 0;
}

static int control_mount(struct control *c)
{
	snprintf(c->mount, sizeof(c->mount), "/tmp/starling-bench-XXXXXX");
	if (!mkdtemp(c->mount))
		return -errno;
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", c->mount, "bpf", 0, NULL))
		return -errno;
	snprintf(c->pins, sizeof(c->pins), "%s/pins", c->mount);
	c->options = (struct dataplane_options){.pin_dir = c->pins, .fragments = true, .icmp = true};
	return 0;
}

int builds_control(struct report *to)
{
	struct control c = {0};
	struct err err = {0};
	int r = control_mount(&c);

	if (r) {
		fprintf(stderr, "bench: no bpffs of its own: %s\n", strerror(-r));
	} else {
		text_write(&c.text);
		r = control_measure(&c, to, &err);
		if (r)
			fprintf(stderr, "bench: %s\n", err.text);
		plane_close(c.p);
		dataplane_remove(c.dp);
		umount(c.mount);
	}
	rmdir(c.mount);
	buf_free(&c.text);
	return r;
}
