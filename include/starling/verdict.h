/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What can become of a packet, as one list: the XDP action, the label that operators and
 * Prometheus see, and a sentence. Not here: counters of VIPs and backends (dataplane.h).
 *
 * VERDICT(NAME, ACTION, "label", "help"): ACTION is PASS, TX, REDIRECT or DROP. The order
 * is part of the ABI of the devices map: append only.
 */
#ifndef STARLING_VERDICT_H
#define STARLING_VERDICT_H

#define STARLING_VERDICTS(VERDICT)                                                                                     \
	VERDICT(PASS_OTHER, PASS, "other", "for no VIP: left to the host")                                             \
	VERDICT(PASS_VIP_OTHER, PASS, "vip-other", "for a VIP's address, but neither its port nor an error")           \
	VERDICT(TX, TX, "tx", "sent back through the device it came from")                                             \
	VERDICT(REDIRECT, REDIRECT, "redirect", "sent through another device")                                         \
	VERDICT(TX_ECHO, TX, "echo", "echo request to a VIP answered")                                                 \
	VERDICT(TX_TOO_BIG, TX, "too-big", "fragmentation needed or packet too big answered")                          \
	VERDICT(DROP_TRUNCATED, DROP, "truncated", "headers for a VIP end before they are complete")                   \
	VERDICT(DROP_HEADER, DROP, "bad-header", "lengths or fields of a header for a VIP contradict another")         \
	VERDICT(DROP_EXTENSIONS, DROP, "extensions", "more IPv6 extension headers than are walked")                    \
	VERDICT(DROP_FRAGMENT, DROP, "fragment", "a later fragment whose first one was not seen")                      \
	VERDICT(DROP_TTL, DROP, "ttl", "TTL or hop limit at its end")                                                  \
	VERDICT(DROP_NO_BACKEND, DROP, "no-backend", "no usable backend for this slot")                                \
	VERDICT(DROP_NO_SLOT, DROP, "no-slot", "the VIP has no slots yet")                                             \
	VERDICT(DROP_UNRESOLVED, DROP, "unresolved", "the backend's next hop is not known")                            \
	VERDICT(DROP_TOO_BIG, DROP, "over-mtu", "over the path's MTU, and no error may be sent or is left")            \
	VERDICT(DROP_HEADROOM, DROP, "headroom", "the driver left no room for the outer header")                       \
	VERDICT(DROP_REDIRECT, DROP, "redirect-failed", "the device towards the backend takes no redirect")            \
	VERDICT(DROP_ICMP, DROP, "icmp", "an ICMP error whose inner packet names no flow of ours")                     \
	VERDICT(DROP_INTERNAL, DROP, "internal", "a map lookup that cannot fail did: report it")                       \
	VERDICT(TX_RESET, TX, "reset", "of a connection whose backend is down: answered with a reset")                 \
	VERDICT(DROP_DEAD, DROP, "dead", "of a connection whose backend is down, and no reset may be sent or is left") \
	VERDICT(DROP_FULL, DROP, "full", "a new connection, and the slot's homes have as many as they may")

enum packet_verdict {
#define STARLING_VERDICT_ENUM(name, action, label, help) VERDICT_##name,
	STARLING_VERDICTS(STARLING_VERDICT_ENUM)
#undef STARLING_VERDICT_ENUM
		VERDICT_COUNT
};

#endif
