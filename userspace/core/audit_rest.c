// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See audit_rest.h.
 */
#include "core/audit_rest.h"

#include <stdlib.h>
#include <string.h>

#include "core/audit.h"

static int hash_order(const void *a, const void *b)
{
	return memcmp(a, b, HASH_BYTES);
}

bool audit_rest_add(struct audit_rest *rest, bool up, const __u8 hash[HASH_BYTES])
{
	memcpy(rest->hash[rest->down + rest->up], hash, HASH_BYTES);
	rest->up += up;
	rest->down += !up;
	return rest->down + rest->up == AUDIT_REST_MAX;
}

bool audit_rest_take(struct audit_rest *rest, const struct signing *signing, struct buf *out)
{
	size_t count = rest->down + rest->up;
	__u8 all[HASH_BYTES];

	if (!count)
		return false;
	qsort(rest->hash, count, HASH_BYTES, hash_order);
	signing->hash(signing->arg, rest->hash, count * HASH_BYTES, all);
	buf_printf(out, "and by votes %u more are down, %u up: certificates ", rest->down, rest->up);
	audit_hash_format(all, out);
	rest->down = rest->up = 0;
	return true;
}
