/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The steer program in a test: loads the built object, fills its maps as the publishing rule
 * wants, runs packets through BPF_PROG_TEST_RUN, reads counters. Not here: what the right
 * answer is (oracle.h), and the daemon's own way to the maps (io/dataplane).
 */
#ifndef STARLING_TESTS_BPF_HARNESS_H
#define STARLING_TESTS_BPF_HARNESS_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "packet.h"
#include "starling/dataplane.h"
#include "starling/slot.h"

struct bpf_object;

struct harness_options {
	const char *object; /* NULL: $STEER_OBJECT, else $O/bpf/steer.bpf.o, else build/bpf/steer.bpf.o */
	__u32 vips, backends, slots, flow_sets_log2; /* 0: 64, 1024, 1 << 18, 12 */
	const struct steer_config *config;	     /* NULL: harness_config(); flow_sets_log2 is overwritten */
	bool no_poison;				     /* leave the headroom as the kernel gives it */
	bool verbose;				     /* libbpf and verifier log on stderr */
};

struct harness {
	struct bpf_object *object;
	int steer_fd;
	int overflows_fd, devmap_fd, events_fd, fragments_fd;
	int count_vips_fd, count_refused_fd, count_backends_fd, count_devices_fd;
	int clock_fd; /* a program that returns the tick */
	__u32 cpus;
	__u32 vips_max, backends_max, slots_max, sets_max;
	struct vip_filter *filter; /* mapped, as all below */
	struct key_entry *keys;	   /* 1 << config.keys_log2 */
	struct vip_entry *vips;
	struct backend_entry *backends;
	__u64 *slots;
	struct flow_set *flows;
	struct backend_load *loads;
	struct backend_signs *signs;
	struct backend_limit *limits;
	struct steer_config config;
	__u32 poison_bytes;
	__u32 verifier_insns; /* processed by the verifier for steer */
	size_t mapped[9];
};

struct harness_result {
	__u32 action; /* enum xdp_action */
	size_t len;
	__u8 byte[PACKET_BYTES + 256];
};

/**
 * harness_config() - the rodata that a default daemon would set
 * @seed:		makes the 16 words of key
 * @tick_shift:		jiffies >> this is a tick; 6 with HZ 250
 * @flow_sets_log2:	number of sets
 *
 * Times are those of limits.h for a tick of 256 ms; fragments and ICMP on, trace off.
 */
struct steer_config harness_config(__u32 seed, __u32 tick_shift, __u32 flow_sets_log2);

/**
 * harness_open() - load steer and map its maps
 * @o:		sizes; NULL: all defaults
 * @ret:	the harness; owned by the caller, harness_close()
 *
 * Return: 0, or -errno with a line on stderr. -EPERM and -ENOENT are what a test skips on.
 */
int harness_open(const struct harness_options *o, struct harness **ret);
void harness_close(struct harness *h);

/* Zeroes flows, loads, signs, limits, slots, vips, backends and filter, deletes all keys and fragment notes. Counters
 * stay. */
void harness_reset(struct harness *h);

/* Writes the idle copy, then the word (release). Copies may be rewritten only after harness_grace(). */
void harness_vip_set(struct harness *h, __u32 id, const struct vip_record *r, __u32 state);
void harness_backend_set(struct harness *h, __u32 id, const struct backend_record *r, __u32 state, __u32 weight,
			 __u32 vip);
void harness_backend_state(struct harness *h, __u32 id, __u32 state); /* the word only */
void harness_slot_set(struct harness *h, __u32 index, __u64 slot);
void harness_grace(void);

/* A key, its address-only twin and their filter bits; port in host order. Return: 0 or -errno. */
int harness_key_add(struct harness *h, const struct addr *a, __u16 port, __u8 proto, __u32 vip);
int harness_key_delete(struct harness *h, const struct addr *a, __u16 port, __u8 proto); /* leaves twin and bits */

/**
 * harness_backend_record() - a resolved backend
 * @addr:	its address; the outer source is of the same version
 * @forward:	enum forward_mode
 * @ifindex:	1 is the device that test packets come from (so XDP_TX); another one is added to the devmap by
 *		harness_devmap_add()
 */
struct backend_record harness_backend_record(const struct addr *addr, __u32 forward, __u32 ifindex);
int harness_devmap_add(struct harness *h, __u32 ifindex); /* any number: all lead to lo, nothing is sent */

/**
 * harness_vip_make() - a whole VIP in one call
 * @id:	VIP id
 * @first, @backends:	backend ids @first .. @first + @backends - 1, addresses 10.0.x.y, all up, weight 1
 * @base, @count:	its slots: home 0 and 1 by turns, plain
 * @steer_by:		enum steer_by
 */
void harness_vip_make(struct harness *h, __u32 id, __u32 first, __u32 backends, __u32 base, __u32 count, __u32 steer_by,
		      __u32 forward);

/* One packet, one run. Return: 0, or -errno. harness_run_fd() is for other programs (deliver). */
int harness_run(struct harness *h, const struct packet *p, struct harness_result *ret);
int harness_run_fd(int prog_fd, __u32 poison_bytes, const __u8 *byte, size_t len, struct harness_result *ret);

__u32 harness_tick(const struct harness *h);	  /* what the program reads as now, of TICK_MASK */
void harness_age(struct harness *h, __u32 ticks); /* as if time had passed: every used cell's last seen moves back */

/* Sums over CPUs. */
struct vip_count harness_vip_count(struct harness *h, __u32 id);
__u64 harness_refused(struct harness *h, __u32 id); /* of a VIP */
struct backend_count harness_backend_count(struct harness *h, __u32 id);
struct device_count harness_device_count(struct harness *h, __u32 ifindex);
__u64 harness_overflows(struct harness *h);

/**
 * harness_verdict() - run a packet and name its verdict from the counters of device 1
 * Return: enum packet_verdict, or -1 if not exactly one counter rose by one. PASS_OTHER may be uncounted: then it is
 * VERDICT_PASS_OTHER with XDP_PASS and no counter moved.
 */
int harness_verdict(struct harness *h, const struct packet *p, struct harness_result *ret);

extern const char *const harness_verdict_name[VERDICT_COUNT];

#endif
