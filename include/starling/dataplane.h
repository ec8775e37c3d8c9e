/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one contract between the XDP programs and user space: names, layouts and meanings
 * of the maps. Not here: how a packet is steered (where.h) and what becomes of it (verdict.h).
 *
 * Publishing. A vip or backend entry holds two copies of its record and one 8-byte word.
 * The writer fills the copy that the word does not select, then stores the word (release).
 * A reader loads the word once a packet and uses the copy it names. No copy is rewritten,
 * and no id or slot region is reused, before a grace period (membarrier) after the store
 * that retired it; a backend id in addition waits until no cell and no slot names it.
 */
#ifndef STARLING_DATAPLANE_H
#define STARLING_DATAPLANE_H

#include <linux/types.h>

#include "limits.h"
#include "verdict.h"

/* Raise on any change of a layout or meaning below; a table that is added alone is made by who misses it. */
#define DATAPLANE_ABI 2

/*
 * Names of maps, as in the BPF object and as pins under the node's directory. A table is an array map of one mmapable
 * element, the whole table: a power of two of entries, of which steer_config tells the program.
 */
#define MAP_ABI		   "abi"	    /* array[1] of struct dataplane_info */
#define MAP_FILTER	   "filter"	    /* table: one struct vip_filter */
#define MAP_KEYS	   "keys"	    /* table of struct key_entry */
#define MAP_VIPS	   "vips"	    /* table of struct vip_entry by vip id */
#define MAP_BACKENDS	   "backends"	    /* table of struct backend_entry by backend id */
#define MAP_SLOTS	   "slots"	    /* table of __u64 (slot.h): the arena of all VIPs' regions */
#define MAP_FLOWS	   "flows"	    /* table of struct flow_set */
#define MAP_LOADS	   "loads"	    /* table of struct backend_load by backend id */
#define MAP_SIGNS	   "signs"	    /* table of struct backend_signs by backend id */
#define MAP_LIMITS	   "limits"	    /* table of struct backend_limit by backend id */
#define MAP_NOTES	   "notes"	    /* table of __u64: SYNs and resets seen of late, NOTES of them */
#define MAP_OVERFLOWS	   "overflows"	    /* per-CPU array[1] of __u64: its rise restarts the clocks of split slots */
#define MAP_FRAGMENTS	   "fragments"	    /* LRU hash: struct fragment_key -> struct fragment_note */
#define MAP_DEVMAP	   "devmap"	    /* devmap_hash: ifindex -> ifindex */
#define MAP_COUNT_VIPS	   "count_vips"	    /* per-CPU array of struct vip_count by vip id */
#define MAP_COUNT_REFUSED  "count_refused"  /* per-CPU array of __u64 by vip id: new connections, DROP_FULL */
#define MAP_COUNT_BACKENDS "count_backends" /* per-CPU array of struct backend_count by backend id */
#define MAP_COUNT_DEVICES  "count_devices"  /* per-CPU array of struct device_count by ifindex % STARLING_DEVICES */
#define MAP_EVENTS	   "events"	    /* ring buffer of struct trace_event */

/*
 * Bits of a tick: those of a cell come round in hours, those that the 32 bits of jiffies that user space gets have for
 * all HZ in weeks.
 */
#define TICK_MASK 0xffffffu

#define ID_NONE 0xffffu /* no backend, no VIP */

/* Constants of one loaded program (rodata "config"), and of the pinned maps (abi map). */
struct dataplane_info {
	__u32 abi;
	__u32 flow_sets_log2; /* number of sets = 1 << this */
	__u32 tick_shift;     /* tick = jiffies >> this */
	__u32 tick_us;	      /* length of a tick, microseconds */
	__u32 seed[16];	      /* key of the flow hash; secret */
};

/* Which packets are reported. */
struct trace_filter {
	__u32 sample;	 /* one packet of this many; 0: tracing is compiled out */
	__u32 client[4]; /* of this source, v4-mapped, */
	__u8 of_client;	 /* if this is set */
	__u8 drops;	 /* dropped ones alone */
	__u8 pad[2];
};

/* Rodata of steer: what a reload changes. */
struct steer_config {
	__u32 seed[16];
	__u32 flow_sets_log2;
	__u32 tick_shift;
	__u16 half_ticks; /* STARLING_*_MS in ticks, rounded up */
	__u16 half_evict_ticks;
	__u16 closing_ticks;
	__u16 closing_evict_ticks;
	__u16 reset_ticks;
	__u16 probation_ticks;
	struct trace_filter trace;
	__u8 fragments; /* place fragments */
	__u8 icmp;	/* forward ICMP errors, answer echo, generate too-big */
	__u8 keys_log2;
	__u8 pad;
	__u64 mapped;	 /* flow_hash_mapped_part() of the seed */
	__u32 vips_mask; /* entries of the tables, powers of two, less 1 */
	__u32 backends_mask;
	__u32 slots_mask;
	__u32 keys_mask;
	__u32 flow_sets_mask;
	__u16 tended_ticks;
	__u16 pad2;
};

/* v4 addresses are mapped (::ffff:a.b.c.d); {address, 0, 0} serves ICMP, later fragments, short headers. */
struct vip_key {
	__u8 addr[16];
	__be16 port;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP or 0 */
	__u8 pad;
};
_Static_assert(sizeof(struct vip_key) == 20, "vip_key");

/*
 * keys: open addressing with linear probing from key_place() (hash.h); an empty entry ends a search, and none is longer
 * than KEY_PROBES. The writer stores the key, then the word (release); a key leaves by a store of KEY_GONE, and its
 * entry is not written again before a grace period. A lookup in a kernel hash map, four nested calls, cost 31 to 40 ns
 * of a packet's time on a CPU whose returns are guarded (AMD Zen 4, safe returns), this costs 8.
 */
#define KEY_PROBES  128
#define KEY_EMPTY   0u		/* never used, or nothing behind it is looked for across it */
#define KEY_GONE    1u		/* was used: a search goes on */
#define KEY_VIP(id) ((id) + 2u) /* word of a VIP's key */
struct key_entry {
	struct vip_key key;
	__u32 word;
	__u64 pad; /* so that none lies in two cache lines */
};
_Static_assert(sizeof(struct key_entry) == 32, "key_entry: half a cache line");

/* filter: bit filter_bit(key) (hash.h) is set for every address of a VIP. Cleared only after a grace period. */
#define FILTER_BITS 65536
struct vip_filter {
	__u64 bits[FILTER_BITS / 64];
};

/* How a backend is chosen among the two homes. */
enum steer_by {
	STEER_HOME,  /* home 0: mh */
	STEER_GIVEN, /* fewer connections given / weight: rr, wrr */
	STEER_OPEN,  /* fewer connections open / weight: lc, wlc */
};

enum forward_mode {
	FORWARD_DR,   /* rewrite MAC addresses */
	FORWARD_IPIP, /* IP in IP, either version in either */
	FORWARD_GUE,  /* UDP, entropy in the source port */
};

#define VIP_HASH_SOURCE 0x01 /* a flow is {source address, vip}: affinity, cells count clients */
#define VIP_NO_CELLS	0x02 /* UDP only: no cells and no split (idle 0) */
#define VIP_DEAD_RESET	0x04 /* connections whose backend is down are reset: where_resets() */
#define VIP_NOTES	0x08 /* SYNs and resets leave notes, as no cell of a connection's own tells of them */
#define VIP_LIMITS	0x10 /* a backend may have so many connections and no more: where_full() */

struct vip_record {
	__u32 slots_base;		/* index of the first slot in the arena */
	__u32 slots_count;		/* 0: no slots yet */
	__u32 prev_base;		/* region that SLOT_PREV_TABLE refers to, while the table is being resized */
	__u32 prev_count;		/* 0: none */
	__u16 idle_ticks;		/* life of an open cell without packets */
	__u8 steer_by;			/* enum steer_by */
	__u8 flags;			/* VIP_* */
	char name[STARLING_NAME_BYTES]; /* so that a restarted daemon knows its own tables */
};
_Static_assert(sizeof(struct vip_record) == 52, "vip_record");

/* vip word: bit 0 selects the copy; bits 8..15 state (0 unused, 1 in service); bits 32..63 generation. */
#define VIP_WORD_SELECT(w)	     ((w)&1)
#define VIP_WORD_STATE(w)	     (((w) >> 8) & 0xff)
#define VIP_WORD(select, state, gen) ((__u64)(select) | (__u64)(state) << 8 | (__u64)(gen) << 32)

struct vip_entry {
	__u64 word;
	struct vip_record copy[2];
	/* For user space only, so that it knows after a restart: */
	__u64 moved;	  /* slots that changed their home so far */
	__u32 generation; /* of the configuration that last changed the VIP */
	/* For the program: */
	__u32 tended; /* tick, of TICK_MASK, at which the controller last saw to the VIP; only with VIP_LIMITS */
};
_Static_assert(sizeof(struct vip_entry) == 128, "vip_entry: two cache lines");

enum backend_state {
	BACKEND_UNUSED,	  /* id is free, or waits to become so: nothing may be sent */
	BACKEND_UP,	  /* takes new and old flows */
	BACKEND_DRAINING, /* keeps the flows it has */
	BACKEND_DOWN,	  /* takes nothing: its slots' other home serves, its cells are ignored */
};

#define BACKEND_RESOLVED   0x01 /* MACs, device and source are valid */
#define BACKEND_V4	   0x02 /* addr and src are v4-mapped */
#define BACKEND_GUE_CSUM   0x04 /* outer UDP checksum wanted (IPv6 receivers without zero-checksum tolerance) */
#define BACKEND_ROUTED	   0x08 /* the next hop is a router; for user space only */
#define BACKEND_TIER_SHIFT 4	/* bits 4..7: its tier, less 1; for user space only */

struct backend_record {
	__u8 addr[16]; /* of the backend: outer destination; v4-mapped */
	__u8 src[16];  /* outer source; v4-mapped */
	__u8 dmac[6];
	__u8 smac[6];
	__u32 ifindex; /* towards it */
	__u16 mtu;     /* bytes of IP packet that the path takes, outer header included */
	__u8 forward;  /* enum forward_mode */
	__u8 flags;    /* BACKEND_* */
	__be16 gue_port;
	__be16 port; /* of the backend, for its name; not used in steering */
};
_Static_assert(sizeof(struct backend_record) == 56, "backend_record");
_Static_assert(__builtin_offsetof(struct backend_record, smac) == __builtin_offsetof(struct backend_record, dmac) + 6,
	       "MAC addresses as in a frame");

/* backend word: bit 0 selects the copy; 8..15 enum backend_state; 16..31 weight for scores; 32..47 vip id; 48..63
 * generation. */
#define BACKEND_WORD_SELECT(w) ((w)&1)
#define BACKEND_WORD_STATE(w)  (((w) >> 8) & 0xff)
#define BACKEND_WORD_WEIGHT(w) (((w) >> 16) & 0xffff)
#define BACKEND_WORD_VIP(w)    (((w) >> 32) & 0xffff)
#define BACKEND_WORD(select, state, weight, vip, gen)                                                                  \
	((__u64)(select) | (__u64)(state) << 8 | (__u64)(weight) << 16 | (__u64)(vip) << 32 | (__u64)(gen) << 48)

/* shown: bits 0..7 the daemon's number of the state, 0 none; 8..54 Unix time of the change to it, ms; 55 it
 * waits for an operator, whatever is shown; 56..63 percent of its weight that its agent wants it not to have. */
#define BACKEND_SHOWN_STATE(s)	    ((s)&0xff)
#define BACKEND_SHOWN_MS(s)	    ((s) >> 8 & 0x7fffffffffffULL)
#define BACKEND_SHOWN_AWAITS(s)	    ((s) >> 55 & 1)
#define BACKEND_SHOWN_LESS(s)	    ((s) >> 56)
#define BACKEND_SHOWN(state, at_ms) ((__u64)(state) | (__u64)(at_ms) << 8)

struct backend_entry {
	__u64 word;
	struct backend_record copy[2];
	__u64 shown; /* for user space only: its state as last shown, and since when */
};
_Static_assert(sizeof(struct backend_entry) == 128, "backend_entry: two cache lines");

#define FLOW_WAYS 4
struct flow_set {
	__u64 cell[FLOW_WAYS]; /* cell.h */
};
_Static_assert(sizeof(struct flow_set) == 32, "flow_set: half a cache line");

/* Written with atomic adds by whoever wins a cell's compare-and-swap; peers and rebasing of given by user space. */
struct backend_load {
	__u32 open;  /* cells in CELL_OPEN */
	__u32 half;  /* cells in CELL_HALF, and of UDP in CELL_PROBATION */
	__u32 given; /* new flows that got a cell, since the last rebase */
	__u32 peers; /* open at other balancers */
};
_Static_assert(sizeof(struct backend_load) == 16, "backend_load");

/* Written by user space alone. Read with VIP_LIMITS, of VIPs whose flows have a cell each: else nobody counts them. */
struct backend_limit {
	__u32 most;  /* connections that it may have, half-open ones and those at other balancers included; 0: any */
	__u32 agent; /* for user space only: as its agent wants it; 0: it does not say */
};
_Static_assert(sizeof(struct backend_limit) == 8, "backend_limit");

/*
 * Signs that clients' connections to a backend fail. Written with atomic operations, as there are few; packets that
 * give no sign touch none of it. User space takes @sources away now and then, by an atomic exchange.
 */
struct backend_signs {
	__u64 repeats; /* SYNs that came again */
	__u64 resets;  /* by clients, of connections that nobody had closed; of VIPs with notes, of any */
	__u64 sources; /* a bit for each client that gave one: sign_source() (hash.h) */
	__u64 pad;     /* so that none lies in two cache lines */
};
_Static_assert(sizeof(struct backend_signs) == 32, "backend_signs: half a cache line");

/*
 * notes: at a place that a hash of the flow and of its SYN's number gives, the rest of the hash << 16 | tick. Whoever
 * comes later overwrites: under a flood signs are lost, of all backends alike.
 */
#define NOTES_LOG2 16
#define NOTES	   (1u << NOTES_LOG2)

struct vip_count {
	__u64 packets;
	__u64 bytes;
	__u64 connections; /* new flows seen; for mh without a cell every SYN */
	__u64 overflows;   /* new or old flows for which no cell could be had */
};

struct backend_count {
	__u64 packets;
	__u64 bytes;
	__u64 connections;
	__u64 pad; /* so that none lies in two cache lines */
};

struct device_count {
	__u64 verdict[VERDICT_COUNT];
};

struct fragment_key {
	__u8 saddr[16];
	__u8 daddr[16];
	__u32 id;
	__u8 proto; /* IPv6: 0, its fragments may name different ones (RFC 8200 section 4.5) */
	__u8 pad[3];
};

struct fragment_note {
	__u16 backend; /* id, or ID_NONE: the first fragment was left to the host */
	__u16 vip;
	__u16 tick; /* when the first fragment came */
	__u16 seal; /* fragment_seal() (hash.h): a reader may see the note of another key, or half of it */
};
_Static_assert(sizeof(struct fragment_note) == 8, "fragment_note");

struct trace_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u8 saddr[16];
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 verdict; /* enum packet_verdict */
	__u8 tcp_flags;
	__u8 cell_state; /* enum cell_state before the packet; CELL_FREE: none */
	__u16 vip;	 /* ID_NONE: none */
	__u16 backend;	 /* ID_NONE: none */
	__u32 len_bytes;
	__u32 ifindex;
	__u32 sample; /* it stands for so many packets */
};
_Static_assert(sizeof(struct trace_event) == 64, "trace_event");

#endif
