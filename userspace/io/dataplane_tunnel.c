// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The program that carries probes to backends as clients' packets go (bpf/tunnel.bpf.c): on the way out of every device
 * that is attached, while anybody wants it. Not here: probes (io/probe.c).
 *
 * It is a filter of the device's clsact qdisc, which has no pin: what an earlier life left is found by its place and
 * its name. The qdisc stays, as it may have others' filters.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/dataplane_private.h"

/* bpftool writes it; its own warnings are not ours. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "tunnel.skel.h"
#pragma GCC diagnostic pop

#define TUNNEL_HANDLE	1
#define TUNNEL_PRIORITY 0x5354

static bool is_ours(__u32 program)
{
	struct bpf_prog_info info = {0};
	__u32 bytes = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(program);
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &bytes) && !strcmp(info.name, "tunnel");
	close(fd);
	return ours;
}

void dataplane_tunnel_detach(__u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = TUNNEL_HANDLE, .priority = TUNNEL_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TUNNEL_HANDLE, .priority = TUNNEL_PRIORITY);

	if (!bpf_tc_query(&hook, &query) && is_ours(query.prog_id))
		bpf_tc_detach(&hook, &opts);
}

int dataplane_tunnel_attach(const struct dataplane *dp, __u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TUNNEL_HANDLE, .priority = TUNNEL_PRIORITY, .flags = BPF_TC_F_REPLACE,
		    .prog_fd = bpf_program__fd(dp->tunnel->progs.tunnel));
	int rc = bpf_tc_hook_create(&hook);

	return rc && rc != -EEXIST ? rc : bpf_tc_attach(&hook, &opts);
}

void dataplane_tunnel_free(struct dataplane *dp)
{
	tunnel_bpf__destroy(dp->tunnel);
	dp->tunnel = NULL;
}

static int tunnel_load(struct dataplane *dp, const struct dataplane_log *log, struct err *err)
{
	char reason[200];
	int rc;

	dp->tunnel = tunnel_bpf__open();
	if (!dp->tunnel)
		return err_set(err, ENOMEM, "no memory for the program of probes");
	dp->tunnel->rodata->backends_mask = dp->config.backends_mask;
	rc = bpf_map__reuse_fd(dp->tunnel->maps.backends, dp->map[DATAPLANE_MAP_BACKENDS].fd);
	if (!rc)
		rc = tunnel_bpf__load(dp->tunnel);
	if (!rc)
		return 0;
	dataplane_log_reason(log, reason, sizeof(reason));
	dataplane_tunnel_free(dp);
	return err_set(err, -rc, "the kernel refuses the program of probes (%s)%s%s", strerror(-rc),
		       reason[0] ? ": " : "", reason);
}

static int tunnel_begin(struct dataplane *dp, const struct dataplane_log *log, struct err *err)
{
	int rc;

	if (!dp->link_count) /* probes would get nowhere, and all backends would seem to be down */
		return err_set(err, EOPNOTSUPP, "no device is attached");
	rc = dp->tunnel ? 0 : tunnel_load(dp, log, err);
	for (size_t i = 0; !rc && dp->tunnel && i < dp->link_count; i++) {
		rc = dataplane_tunnel_attach(dp, dp->link[i].ifindex);
		if (rc)
			err_set(err, -rc, "the kernel takes no filter on the way out of device %u (%s)",
				dp->link[i].ifindex, strerror(-rc));
	}
	return rc;
}

static bool tunnel_stands(__u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = TUNNEL_HANDLE, .priority = TUNNEL_PRIORITY);

	return !bpf_tc_query(&hook, &query) && is_ours(query.prog_id);
}

void dataplane_tunnel_keep(struct dataplane *dp)
{
	struct dataplane_log *log = dp->tunnel ? calloc(1, sizeof(*log)) : NULL;

	if (!log)
		return;
	dataplane_log_begin(log); /* libbpf has words for what is not there */
	for (size_t i = 0; i < dp->link_count; i++)
		if (!tunnel_stands(dp->link[i].ifindex))
			dataplane_tunnel_attach(dp, dp->link[i].ifindex);
	dataplane_log_end();
	free(log);
}

int dataplane_tunnel(struct dataplane *dp, bool on, struct err *err)
{
	struct dataplane_log *log;
	int rc = 0;

	if (dp->memory_only)
		return on ? err_set(err, EOPNOTSUPP, "a witness (--no-dataplane) has no tunnels") : 0;
	log = calloc(1, sizeof(*log));
	if (!log)
		return err_set(err, ENOMEM, "out of memory");
	dataplane_log_begin(log); /* libbpf has words for what is there already, too */
	if (on) {
		rc = tunnel_begin(dp, log, err);
	} else {
		for (size_t i = 0; i < dp->link_count; i++)
			dataplane_tunnel_detach(dp->link[i].ifindex);
		dataplane_tunnel_free(dp);
	}
	dataplane_log_end();
	free(log);
	return rc;
}
