/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The world of tests that send steer single packets: one VIP on both versions, four backends.
 * Not here: packets (packet.h), the program and its maps (harness.h).
 */
#ifndef STARLING_TESTS_BPF_STEER_WORLD_H
#define STARLING_TESTS_BPF_STEER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "harness.h"

#define BACKENDS 4

static inline int world_open(void **state)
{
	return harness_open(NULL, (struct harness **)state);
}

static inline int world_close(void **state)
{
	harness_close(*state);
	return 0;
}

/* VIP 1 on both versions, TCP 80 and UDP 53, with backends 1 to 4. */
static inline void world_make(struct harness *h, __u32 forward, bool v4)
{
	struct addr vip[] = {packet_addr("203.0.113.10"), packet_addr("2001:db8:113::10")};
	__u32 i;

	harness_reset(h);
	harness_vip_make(h, 1, 1, BACKENDS, 0, 101, STEER_HOME, forward);
	for (i = 1; i <= BACKENDS; i++) {
		struct addr a = packet_addr(v4 ? "10.0.0.0" : "2001:db8:2::");
		struct backend_record be;

		a.byte[15] = (__u8)i;
		be = harness_backend_record(&a, forward, 1);
		harness_backend_set(h, i, &be, BACKEND_UP, 1, 1);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(harness_key_add(h, &vip[i], 80, IPPROTO_TCP, 1), 0);
		assert_int_equal(harness_key_add(h, &vip[i], 53, IPPROTO_UDP, 1), 0);
	}
}

static inline struct packet_spec to_vip(bool v4, __u16 sport, __u8 flags)
{
	return v4 ? packet_tcp("198.51.100.10", sport, "203.0.113.10", 80, flags)
		  : packet_tcp("2001:db8:100::10", sport, "2001:db8:113::10", 80, flags);
}

static inline int verdict_of(struct harness *h, const struct packet_spec *s, struct packet *p, struct harness_result *r)
{
	packet_build(s, p);
	return harness_verdict(h, p, r);
}

/* The backend's number, by the MAC address that the frame is sent to. */
static inline int backend_of(const struct harness_result *r)
{
	return r->byte[5];
}

#endif
