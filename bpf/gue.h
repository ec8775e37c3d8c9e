/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The header of GUE (draft-ietf-intarea-gue-09), variant 0 without options, as `ip fou add port N gue` takes it. Not
 * here: writing it (encap.h, tunnel.bpf.c).
 */
#ifndef STARLING_BPF_GUE_H
#define STARLING_BPF_GUE_H

#include <linux/types.h>

#define GUE_PORT_FIRST 0xc000 /* the source port's 14 low bits are the flow's */

struct gue_header {
	__u8 hlen;  /* variant 0, data, no options: 0 */
	__u8 proto; /* of what follows */
	__be16 flags;
};

#endif
