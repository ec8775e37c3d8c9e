// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The host's own addresses, asked of the kernel at once. Not here: following changes of them.
 */
#include "io/host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sockaddr.h"

/* Return: whether it is an address that is told. */
static bool address_take(const struct ifaddrs *from, struct host_address *ret)
{
	if (!from->ifa_addr || from->ifa_flags & (IFF_LOOPBACK | IFF_NOARP))
		return false;
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->device, sizeof(ret->device), "%.15s", from->ifa_name);
	ret->addr = sockaddr_endpoint(from->ifa_addr).addr;
	return from->ifa_addr->sa_family == AF_INET || from->ifa_addr->sa_family == AF_INET6;
}

static int by_address(const void *a, const void *b)
{
	const struct host_address *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

int host_addresses(struct host_address **ret, size_t *ret_count, struct err *err)
{
	struct ifaddrs *all = NULL, *at;
	struct host_address *list;
	size_t count = 0;

	if (getifaddrs(&all))
		return err_set(err, errno, "cannot ask for the host's addresses: %s", strerror(errno));
	for (at = all; at; at = at->ifa_next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list) {
		freeifaddrs(all);
		return err_set(err, ENOMEM, "no memory for the host's addresses");
	}
	count = 0;
	for (at = all; at; at = at->ifa_next)
		count += address_take(at, &list[count]);
	freeifaddrs(all);
	qsort(list, count, sizeof(*list), by_address);
	*ret = list;
	*ret_count = count;
	return 0;
}

static int find_address(const void *addr, const void *member)
{
	const struct host_address *h = member;

	return addr_compare(addr, &h->addr);
}

const struct host_address *host_address_find(const struct host_address *list, size_t count, const struct addr *addr)
{
	return bsearch(addr, list, count, sizeof(*list), find_address);
}
