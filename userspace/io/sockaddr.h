/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between endpoints and the kernel's socket addresses: AF_INET or AF_INET6, as the address is. Not here: text.
 */
#ifndef STARLING_IO_SOCKADDR_H
#define STARLING_IO_SOCKADDR_H

#include <sys/socket.h>

#include "base/addr.h"

/* Of any other family: all zero. */
struct endpoint sockaddr_endpoint(const struct sockaddr *sa);

/* Return: its length. */
socklen_t sockaddr_make(const struct endpoint *at, struct sockaddr_storage *ret);

#endif
