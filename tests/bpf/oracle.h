/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What steer must do with a packet, as plain C over the same tables: written from the design and the
 * contracts in include/starling, with bounds checked byte by byte. Shares settle() with the program, and
 * nothing else. Not here: running packets (harness.h), making them up (fuzz_test.c).
 *
 * The contract in short. A packet is left to the host, untouched, unless its destination address, readable
 * behind at most two VLAN tags, is a VIP's. For such a packet a drop is allowed, and its reason is that of the first
 * thing wrong, in the order: IP header, extension headers, lengths, transport header, VIP, slot, backend, MTU, TTL.
 */
#ifndef STARLING_TESTS_BPF_ORACLE_H
#define STARLING_TESTS_BPF_ORACLE_H

#include "harness.h"

#define ORACLE_KEYS 128

struct oracle_key {
	struct addr addr;
	__u16 port;
	__u8 proto; /* 0: the address alone */
	__u32 vip;
};

struct oracle {
	struct harness *h; /* borrowed: its mapped tables are read, never written */
	struct oracle_key key[ORACLE_KEYS];
	size_t keys;
	__u64 note[NOTES];
	__u32 devmap[4]; /* devices that a redirect may name, beside 0 */
};

struct oracle_result {
	int verdict;   /* enum packet_verdict */
	__u32 vip;     /* ID_NONE: none counted */
	__u32 backend; /* ID_NONE: none */
	bool cell;     /* @set is what the flow's cells are afterwards */
	bool overflow, fresh;
	__u8 kind; /* enum packet_kind, once its VIP is known */
	__u8 sign; /* enum sign_kind: counted for the backend if the packet is sent */
	__u32 set_index;
	struct flow_set set;
	bool noted; /* a first fragment leaves @note under @note_key */
	struct fragment_key note_key;
	struct fragment_note note;
	bool exact; /* @byte is the whole output; else only its verdict and shape are known */
	size_t len;
	__u8 byte[PACKET_BYTES + 256];
};

/* Adds a key to the oracle and the program alike. Return: 0 or -errno. */
int oracle_key_add(struct oracle *o, const struct addr *a, __u16 port, __u8 proto, __u32 vip);

/**
 * oracle_steer() - what becomes of a frame that comes in through device 1
 * @o:		the tables, as they are before the program runs
 * @byte:	the frame; borrowed
 * @len:	bytes
 * @now:	tick
 * @ret:	the answer
 */
void oracle_steer(struct oracle *o, const __u8 *byte, size_t len, __u32 now, struct oracle_result *ret);

#endif
