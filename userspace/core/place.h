/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a node may be found: an address, or a name to be looked up. A value. Not here: looking up (daemon).
 */
#ifndef STARLING_CORE_PLACE_H
#define STARLING_CORE_PLACE_H

#include "base/addr.h"

#define PLACE_HOST_BYTES 254 /* RFC 1035 section 2.3.4 */
#define PLACE_TEXT_BYTES (PLACE_HOST_BYTES + 6)

struct place {
	char host[PLACE_HOST_BYTES]; /* "": an address */
	struct endpoint at;	     /* of a name the port alone; port 0: none was given */
};

/* ADDR, [ADDR6], ADDR:PORT or [ADDR6]:PORT. Return: 0, or -EINVAL with @ret untouched. */
int place_address(const char *word, struct endpoint *ret);

/**
 * place_parse() - the same, or a name: HOST or HOST:PORT
 * @word:	labels of letters, digits and '-' (RFC 1123 section 2.1), of which the last is no number
 * @ret:	untouched on failure
 *
 * Return: 0, or -EINVAL, also for an address that is not unicast.
 */
int place_parse(const char *word, struct place *ret);
const char *place_format(const struct place *place, char text[PLACE_TEXT_BYTES]);

#endif
