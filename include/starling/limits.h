/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every bound of starling, with its unit and its reason. Not here: sizes of wire
 * structures, which stand beside their layouts in dataplane.h.
 */
#ifndef STARLING_LIMITS_H
#define STARLING_LIMITS_H

/* Data plane: default sizes of the maps; starlingd's options change them before the first load. */
#define STARLING_VIPS_DEFAULT	   512	      /* VIPs; 128 B each, plus 40 B a CPU; and 2 KB of keys */
#define STARLING_BACKENDS_DEFAULT  32768      /* backends of all VIPs; 184 B each, plus 32 B a CPU */
#define STARLING_SLOTS_DEFAULT	   (1u << 22) /* slots of all VIPs, 8 B each: 512 VIPs of 8,191 slots */
#define STARLING_SLOTS_MAX	   (1u << 26) /* 512 MiB: what the verifier takes as an offset */
#define STARLING_FLOW_SETS_DEFAULT (1u << 19) /* sets of 4 cells, 32 B each; a power of two */
#define STARLING_FLOW_SETS_MIN	   (1u << 8)  /* below it a set's number and tag leave too few hash bits for slots */
#define STARLING_FLOW_SETS_MAX	   (1u << 24) /* 512 MiB, likewise */
#define STARLING_BACKENDS_MAX	   65000u     /* ids are 16 bits, the highest ones are reserved */
#define STARLING_VIPS_MAX	   65000u     /* ids are 16 bits in a backend's word */
#define STARLING_KEYS_PER_VIP	   16	      /* addresses x protocols of one VIP */
#define STARLING_NODE_PEERS	   16	      /* places that `node set peers` names */
#define STARLING_INVITE_MAX_MS	   86400000u  /* a day: an invitation lies in a chat or a mailbox */
#define STARLING_DEVICES	   64	      /* devices a node attaches to; index is ifindex modulo this */
#define STARLING_FRAGMENTS	   16384      /* notes about first fragments, LRU */
#define STARLING_TRACE_BYTES	   (1u << 18) /* ring buffer for trace and hints */

/* Slot tables: primes, after Maglev section 3.4; the smallest with 100 slots a backend is taken. */
#define STARLING_SLOTS_PER_BACKEND 100

/* Priority tiers of a VIP's backends: with the sorry backend's they fit 4 bits of a backend's record. */
#define STARLING_TIERS	    15
#define STARLING_TIER_SORRY 16 /* after all others; no line says it */

/* Flow cells: times in milliseconds. */
#define STARLING_HALF_MS 5000 /* SYN seen, nothing after it */
#define STARLING_HALF_EVICT_MS                                                                                         \
	2500 /* a half-open cell older than this may be reused when a set is full: over the 2 s between a second and a \
		third SYN */
#define STARLING_CLOSING_MS	  60000 /* FIN seen: life after the last packet */
#define STARLING_CLOSING_EVICT_MS 15000 /* a closing cell older than this may be reused when a set is full */
#define STARLING_RESET_MS	  2000	/* RST seen */
#define STARLING_PROBATION_MS	  1000	/* a second packet this much later confirms a cell on probation */
#define STARLING_MARK_MS	  5000	/* least time of one ageing step of an overflow mark; it lives two */
#define STARLING_TENDED_MS                                                                                             \
	10000 /* no controller has come for so long: counts are not what is open, so no limit holds */
#define STARLING_IDLE_DEFAULT_MS 900000	 /* open cell without a packet */
#define STARLING_IDLE_MAX_MS	 7200000 /* half of what the 16-bit tick counts, rounded down */

/* Operating state. */
#define STARLING_DRAIN_MAX_MS	   2592000000u /* 30 days, which fit 32 bits; 0 asks for a drain without an end */
#define STARLING_SLOW_START_MAX_MS 86400000u   /* a day */
#define STARLING_DAMP_MAX_MS	   86400000u   /* a day: it holds for three at most */

/* Health checks. */
#define STARLING_EJECT_DEFAULT 100     /* percent of a VIP's backends: all */
#define STARLING_PROBE_LOAD_US 500000u /* of a core that probes may take a second: half of one */

/* Packets. */
#define STARLING_VLAN_TAGS	   2	 /* tags parsed */
#define STARLING_IPV6_EXTENSIONS   6	 /* extension headers walked */
#define STARLING_ICMP_PER_SECOND   1000	 /* packet-too-big generated, per CPU */
#define STARLING_RESETS_PER_SECOND 10000 /* TCP resets generated, per CPU: 2 ms of it */

/* The flock. */
#define STARLING_PAGES_PER_ORIGIN 1024	       /* 1.1 MiB: node facts, digests of 8,000 VIPs, and what is to come */
#define STARLING_PAGE_STORE_BYTES (128u << 20) /* pages of all origins; parted evenly among the roster */
#define STARLING_VOTERS		  7	       /* of the register: more would only make it slower */
#define STARLING_LEASE_BYTES	  16	       /* name of a lease, with its NUL: it is in a small value */
#define STARLING_CONFIRM_MAX_MS	  86400000     /* a day, to look whether a change does harm */
#define STARLING_ROSTER_NODES	  1024	       /* nodes that count: a thousand are simulated */

/* Text. */
#define STARLING_NAME_BYTES    32	   /* VIP and node names, with the final NUL */
#define STARLING_LINE_BYTES    4096	   /* one configuration line after joining */
#define STARLING_WORDS	       128	   /* words of one command */
#define STARLING_CONFIG_BYTES  (64u << 20) /* a configuration file */
#define STARLING_REQUEST_BYTES (80u << 20) /* a control request: a configuration and its envelope */

#endif
