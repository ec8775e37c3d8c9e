/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * IP addresses, endpoints and their text. IPv4 is kept mapped (::ffff:a.b.c.d), so that
 * one type serves both versions. Not here: name lookup, sockets.
 */
#ifndef STARLING_BASE_ADDR_H
#define STARLING_BASE_ADDR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct addr {
	__u8 byte[16]; /* network order; v4-mapped for IPv4 */
};

struct endpoint {
	struct addr addr;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP, or 0 where the text has none */
	__u8 pad;   /* zero */
};

#define ADDR_TEXT_BYTES	    46 /* INET6_ADDRSTRLEN */
#define ENDPOINT_TEXT_BYTES 64 /* "tcp [...]:65535" with room */

bool addr_is_v4(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_unicast(const struct addr *a); /* nor unspecified */
int addr_compare(const struct addr *a, const struct addr *b);
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);

/**
 * addr_parse() - IPv4 or IPv6 address, without brackets, zone or prefix length
 * @text:	NUL-terminated; borrowed
 * @ret_addr:	the address; untouched on failure
 *
 * Return: 0, or -EINVAL. A v4-mapped IPv6 text is refused: it would have two names.
 */
int addr_parse(const char *text, struct addr *ret_addr);

/**
 * endpoint_parse() - "ADDR:PORT" or "[ADDR6]:PORT", with "tcp/" or "udp/" before it or without
 * @text:	NUL-terminated; borrowed
 * @ret:	the endpoint; untouched on failure; proto 0 where none is given
 *
 * Return: 0, or -EINVAL (also for port 0).
 */
int endpoint_parse(const char *text, struct endpoint *ret);

/* Both write a NUL-terminated canonical text (RFC 5952 for IPv6) and return @text. */
const char *addr_format(const struct addr *a, char text[ADDR_TEXT_BYTES]);
const char *endpoint_format(const struct endpoint *e,
			    char text[ENDPOINT_TEXT_BYTES]); /* "tcp/" prefix if proto is set */

#endif
