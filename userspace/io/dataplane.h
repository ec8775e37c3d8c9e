/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The data plane in the kernel: maps made or adopted, programs loaded, attached and replaced,
 * counters read. The only door to libbpf. Not here: what is written into the tables.
 *
 * Threads: everything here belongs to one thread at a time (the plane thread) and may block,
 * except dataplane_events_fd() and dataplane_events_poll(), which another thread may call,
 * and dataplane_tick(), which any may. dataplane_probe() stands alone.
 *
 * Everything is pinned under one directory: each map by its MAP_ name, each attachment as
 * "link-IFINDEX". So a stop, a crash or an upgrade of the daemon leaves packets flowing.
 */
#ifndef STARLING_IO_DATAPLANE_H
#define STARLING_IO_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "core/model.h"
#include "starling/dataplane.h"

struct dataplane;

struct dataplane_options {
	const char *pin_dir;	     /* on a mounted bpffs; made if missing, with its parents; borrowed during open */
	struct config_limits limits; /* entries of vips, backends and slots if the maps are made anew; 0: default */
	__u32 flow_sets_log2;	     /* the same for flows; 0: default */
	const __u32 *seed;	     /* 16 words, for maps made anew; NULL: from the kernel's random source; borrowed */
	bool fragments;		     /* place fragments */
	bool icmp;		     /* forward ICMP errors, answer echo, generate too-big */
	bool memory_only;	     /* tables of a witness: nothing in the kernel, no device can be attached */
};

struct dataplane_device {
	__u32 ifindex;
	enum xdp_mode mode; /* XDP_MODE_NATIVE or XDP_MODE_GENERIC */
	bool frags;	    /* takes frames of several buffers (jumbo) */
	char name[16];	    /* as it is called now */
};

/**
 * dataplane_open() - make the maps or adopt pinned ones, load the programs, take over pinned attachments
 * @options:	sizes and features; borrowed
 * @ret:	the data plane; the caller closes it; untouched on failure
 * @err:	a sentence that says what is missing and what to do
 *
 * Pinned maps are adopted if their ABI is DATAPLANE_ABI: they keep their sizes, seed and contents, and where
 * options differ from the sizes a note says so. Devices attached by an earlier process get the new program under
 * traffic. Remains of an open that was interrupted before it finished are removed.
 *
 * Return: 0; -EPERM (capabilities); -EPROTO (pinned maps of another ABI); -ENODEV (no bpffs there); -ENOMEM;
 * -EINVAL (sizes out of range, the verifier's refusal); another -errno of the kernel.
 */
int dataplane_open(const struct dataplane_options *options, struct dataplane **ret, struct err *err);

/* Frees what this process holds; maps and links stay pinned, traffic goes on. NULL is fine. */
void dataplane_close(struct dataplane *dp);

/* Whether this process has the capabilities that all of this takes. Return: 0, or -EPERM with @err naming them. */
int dataplane_permitted(struct err *err);

/**
 * dataplane_remove() - detach from every device, unpin everything, remove the directory, close
 * @dp:		moves in; NULL is fine
 *
 * Return: 0, or the first -errno met (the rest is still done).
 */
int dataplane_remove(struct dataplane *dp);

/**
 * dataplane_note() - the next thing worth a line in the log, that was no failure
 * @dp:		the data plane
 *
 * Sizes kept, native mode refused and generic taken, a device gone. To be drained after open, attach and reload.
 *
 * Return: a sentence, valid until the next call on @dp; NULL: none left.
 */
const char *dataplane_note(struct dataplane *dp);

bool dataplane_memory_only(const struct dataplane *dp);
bool dataplane_adopted(const struct dataplane *dp); /* maps existed before */
const struct dataplane_info *dataplane_info(const struct dataplane *dp);
const struct steer_config *dataplane_config(const struct dataplane *dp); /* of the loaded program */
void dataplane_limits(const struct dataplane *dp, struct config_limits *ret);
__u64 dataplane_memory(const struct dataplane *dp);  /* bytes of all maps, as the kernel counts them */
__u32 dataplane_load_ms(const struct dataplane *dp); /* what the last load took, verifier included */

/* The mapped tables: shared with the program, live until close. Written as DESIGN section 2, "Publishing". */
struct vip_entry *dataplane_vips(struct dataplane *dp, __u32 *ret_count);
struct backend_entry *dataplane_backends(struct dataplane *dp, __u32 *ret_count);
__u64 *dataplane_slots(struct dataplane *dp, __u32 *ret_count);
struct flow_set *dataplane_flows(struct dataplane *dp, __u32 *ret_count);
struct backend_load *dataplane_loads(struct dataplane *dp, __u32 *ret_count);
struct backend_signs *dataplane_signs(struct dataplane *dp, __u32 *ret_count);
struct backend_limit *dataplane_backend_limits(struct dataplane *dp, __u32 *ret_count);
struct vip_filter *dataplane_filter(struct dataplane *dp);

struct key_entry *dataplane_keys(struct dataplane *dp, __u32 *ret_count);

/* Of the table of keys: core/key_table.h. */
int dataplane_key_set(struct dataplane *dp, const struct vip_key *key, __u32 vip);
int dataplane_key_delete(struct dataplane *dp, const struct vip_key *key);

__u32 dataplane_tick(const struct dataplane *dp); /* the clock of cells, now, of TICK_MASK; any thread */

/**
 * dataplane_grace() - wait until every packet that was under way when this was called is done
 * @dp:		the data plane
 *
 * membarrier(MEMBARRIER_CMD_GLOBAL), some 8 to 30 ms; where the kernel does not offer it (nohz_full), an update of a
 * map of maps, which waits for the same.
 * Return: 0, or -errno.
 */
int dataplane_grace(struct dataplane *dp);

/**
 * dataplane_attach() - steer packets that arrive on a device
 * @dp:		the data plane
 * @ifindex:	of the device
 * @wanted:	auto: native, else generic with a note
 * @ret_got:	what it became; untouched on failure
 * @err:	a sentence
 *
 * Attached already in a fitting mode: nothing is done. In another mode: refused, packets would be lost.
 *
 * Return: 0; -ENODEV; -EBUSY (another XDP program is there, named in @err); -EEXIST (attached in another mode);
 * -EOPNOTSUPP (the driver has no native XDP and @wanted is native); -ENOSPC (more than STARLING_DEVICES, or
 * two whose counters would be the same); another -errno of the driver.
 */
int dataplane_attach(struct dataplane *dp, __u32 ifindex, enum xdp_mode wanted, enum xdp_mode *ret_got,
		     struct err *err);
int dataplane_detach(struct dataplane *dp, __u32 ifindex, struct err *err); /* -ENOENT: not attached */

/**
 * dataplane_tunnel() - carry marked packets of this host's own to backends, on every device that is or will be attached
 * @on:		false: no more
 *
 * starling/tunnel.h has the marks. A device that is detached carries none.
 * Return: 0; -EOPNOTSUPP (tables in memory only, or no device attached); or -errno of the kernel with @err, and no
 * promise of any device.
 */
int dataplane_tunnel(struct dataplane *dp, bool on, struct err *err);

/* To be called now and then: where somebody has taken that away, with a qdisc say, it is put back if it can be. */
void dataplane_tunnel_keep(struct dataplane *dp);

/* Devices attached, by ifindex; writes up to @max to @ret and returns how many there are. Devices gone are left out. */
size_t dataplane_attached(struct dataplane *dp, struct dataplane_device *ret, size_t max);

/**
 * dataplane_reload() - replace the program on every device, under traffic
 * @dp:		the data plane
 * @trace:	packets that the new one reports; borrowed
 * @err:	a sentence; on failure every device keeps what it had
 *
 * Return: 0, or as dataplane_open().
 */
int dataplane_reload(struct dataplane *dp, const struct trace_filter *trace, struct err *err);

/* The same with another seed of the flow hash, kept with the maps: flows that have no cell meet other homes. */
int dataplane_reseed(struct dataplane *dp, const __u32 seed[16], struct err *err);

int dataplane_redirect_add(struct dataplane *dp, __u32 ifindex); /* the program may send through it; idempotent */

/* Whether a driver sends what XDP redirects to its device: 1, 0, or -errno if the kernel does not tell (before 6.3). */
int dataplane_takes_redirects(__u32 ifindex);

/**
 * dataplane_count_vips() - counters of VIPs, summed over CPUs
 * @dp:		the data plane
 * @first:	id of the first
 * @n:		how many; may be 0
 * @ret:	@n counters; undefined on failure
 *
 * Return: 0, -ERANGE beyond the map, -ENOMEM, or -errno of the map.
 */
int dataplane_count_vips(struct dataplane *dp, __u32 first, __u32 n, struct vip_count *ret);
int dataplane_count_refused(struct dataplane *dp, __u32 first, __u32 n, __u64 *ret); /* of VIPs */
int dataplane_count_backends(struct dataplane *dp, __u32 first, __u32 n, struct backend_count *ret);
int dataplane_count_device(struct dataplane *dp, __u32 ifindex, struct device_count *ret);
__u64 dataplane_overflows(struct dataplane *dp); /* never goes back */
int dataplane_count_vip_reset(struct dataplane *dp, __u32 id);
int dataplane_count_backend_reset(struct dataplane *dp, __u32 id);

/**
 * dataplane_events_poll() - hand over what the ring buffer holds; never blocks
 * @dp:		the data plane
 * @fn:		called once an event, which is borrowed for the call
 * @arg:	for @fn
 *
 * Return: how many, or -errno.
 */
int dataplane_events_poll(struct dataplane *dp, void (*fn)(void *arg, const struct trace_event *event), void *arg);
int dataplane_events_fd(const struct dataplane *dp); /* readable when there are events; borrowed */

/* What a host offers, for `feature probe`: one line each. */
enum feature_state {
	FEATURE_OK,
	FEATURE_NOTE,	 /* works, but the operator should know */
	FEATURE_MISSING, /* starling cannot work without it */
};

struct dataplane_feature {
	const char *name; /* static: "capabilities", "bpffs", "xdp-native", ... */
	enum feature_state state;
	char text[200]; /* what was found; unless OK also what to do */
};

#define DATAPLANE_FEATURES_MAX 20
struct dataplane_probe {
	struct dataplane_feature feature[DATAPLANE_FEATURES_MAX];
	size_t count;
};

/**
 * dataplane_probe() - what this host, and one device of it, offers; changes nothing
 * @device:	name; NULL: only the host
 * @ret:	the findings
 * @err:	a sentence
 *
 * Return: 0, or -ENODEV if there is no such device.
 */
int dataplane_probe(const char *device, struct dataplane_probe *ret, struct err *err);

#endif
