// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * IP addresses, endpoints and their text. Not here: name lookup, sockets.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const __u8 mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is_v4(const struct addr *a)
{
	return !memcmp(a->byte, mapped_prefix, sizeof(mapped_prefix));
}

bool addr_is_unicast(const struct addr *a)
{
	static const struct addr unspecified;

	if (addr_is_v4(a))
		return a->byte[12] && a->byte[12] < 224;
	return !addr_equal(a, &unspecified) && a->byte[0] != 0xff;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return !addr_compare(a, b);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte));
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	if (order)
		return order;
	if (a->port != b->port)
		return ntohs(a->port) < ntohs(b->port) ? -1 : 1;
	return (int)a->proto - b->proto;
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.byte + 12) == 1)
		memcpy(a.byte, mapped_prefix, sizeof(mapped_prefix));
	else if (inet_pton(AF_INET6, text, a.byte) != 1 || addr_is_v4(&a))
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

static int port_parse(const char *text, __be16 *ret_port)
{
	unsigned int port = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		port = port * 10 + (unsigned int)(text[i] - '0');
	if (!i || text[i] || !port || port > 65535 || text[0] == '0')
		return -EINVAL;
	*ret_port = htons((__u16)port);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret)
{
	struct endpoint e = {.proto = 0};
	char host[ADDR_TEXT_BYTES];
	const char *end, *port;
	size_t len;

	if (!strncmp(text, "tcp/", 4))
		e.proto = IPPROTO_TCP;
	else if (!strncmp(text, "udp/", 4))
		e.proto = IPPROTO_UDP;
	text += e.proto ? 4 : 0;
	if (*text == '[') {
		end = strchr(++text, ']');
		port = end && end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(text, ':');
		port = end ? end + 1 : NULL;
	}
	if (!port)
		return -EINVAL;
	len = (size_t)(end - text);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, &e.addr) || port_parse(port, &e.port))
		return -EINVAL;
	/* Brackets belong to IPv6, and to it alone. */
	if (addr_is_v4(&e.addr) != (*end != ']'))
		return -EINVAL;
	*ret = e;
	return 0;
}

const char *addr_format(const struct addr *a, char text[ADDR_TEXT_BYTES])
{
	if (addr_is_v4(a))
		inet_ntop(AF_INET, a->byte + 12, text, ADDR_TEXT_BYTES);
	else
		inet_ntop(AF_INET6, a->byte, text, ADDR_TEXT_BYTES);
	return text;
}

const char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_BYTES])
{
	const char *proto = e->proto == IPPROTO_TCP ? "tcp/" : e->proto == IPPROTO_UDP ? "udp/" : "";
	char host[ADDR_TEXT_BYTES];

	snprintf(text, ENDPOINT_TEXT_BYTES, addr_is_v4(&e->addr) ? "%s%s:%u" : "%s[%s]:%u", proto,
		 addr_format(&e->addr, host), ntohs(e->port));
	return text;
}
