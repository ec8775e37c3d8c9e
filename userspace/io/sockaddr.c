// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "io/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

struct endpoint sockaddr_endpoint(const struct sockaddr *sa)
{
	const struct sockaddr_in6 *v6 = (const void *)sa;
	const struct sockaddr_in *v4 = (const void *)sa;
	struct endpoint ret = {0};

	if (sa->sa_family == AF_INET) {
		ret.addr = (struct addr){{[10] = 0xff, [11] = 0xff}};
		memcpy(ret.addr.byte + 12, &v4->sin_addr, 4);
		ret.port = v4->sin_port;
	} else if (sa->sa_family == AF_INET6) {
		memcpy(ret.addr.byte, &v6->sin6_addr, 16);
		ret.port = v6->sin6_port;
	}
	return ret;
}

socklen_t sockaddr_make(const struct endpoint *at, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (void *)ret;
	struct sockaddr_in *v4 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (addr_is_v4(&at->addr)) {
		v4->sin_family = AF_INET;
		v4->sin_port = at->port;
		memcpy(&v4->sin_addr, at->addr.byte + 12, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = at->port;
	memcpy(&v6->sin6_addr, at->addr.byte, 16);
	return sizeof(*v6);
}
