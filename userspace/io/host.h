/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The host's own addresses. Not here: routes and neighbours (routes.h).
 */
#ifndef STARLING_IO_HOST_H
#define STARLING_IO_HOST_H

#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

struct host_address {
	struct addr addr;
	char device[16]; /* IFNAMSIZ */
};

/**
 * host_addresses() - addresses that others reach this host by
 * @ret:	array, sorted by addr_compare(); owned by the caller
 * @ret_count:	its length
 * @err:	a sentence
 *
 * Those of devices that ask and answer for them on a link: not of lo, nor of dummies and tunnels (no ARP), where VIPs
 * are put so that nobody else is disturbed.
 * Return: 0, -ENOMEM, or -errno of the kernel.
 */
int host_addresses(struct host_address **ret, size_t *ret_count, struct err *err);

/* The one of @list that is @addr; NULL: none. */
const struct host_address *host_address_find(const struct host_address *list, size_t count, const struct addr *addr);

#endif
