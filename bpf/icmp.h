/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP and ICMPv6 as a VIP speaks them. Not here: forwarding (encap.h).
 */
#ifndef STARLING_BPF_ICMP_H
#define STARLING_BPF_ICMP_H

#include "csum.h"
#include "vip.h"

static inline int icmp_too_big(struct packet *p, __u32 mtu)
{
	(void)p;
	(void)mtu;
	return VERDICT_DROP_TOO_BIG;
}

#endif
