// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pages to a group of nodes at once. Not here: groups (beacons.c), what is urgent (daemon).
 */
#include <endian.h>

#include "io/channel_state.h"

void channel_cast(struct channel *c, const struct endpoint *at, const void *page, size_t len)
{
	const struct ring_key *ring = ring_find(&c->ring, c->ring.used);

	if (ring && len <= PAGE_BYTES)
		channel_datagram(c, SEAL_CAST, 0, ring, ring->byte, at, page, len);
}

/* What comes again by this way takes nothing from what its sender says otherwise. */
static bool cast_may(struct channel *c, struct mono now)
{
	if (channel_due(&c->cast_second, now, 1000))
		c->casts = 0;
	return c->casts++ < CHANNEL_CASTS;
}

/* Who has a key of the flock may have sent it; it may come again: the page is judged by itself. */
void channel_cast_receive(struct channel *c, struct mono now, const struct seal_header *h, const void *bytes,
			  size_t len)
{
	const struct ring_key *ring = ring_find(&c->ring, le32toh(h->key));

	if (!ring)
		channel_reject(c, CHANNEL_KEY);
	else if (!cast_may(c, now))
		channel_reject(c, CHANNEL_FLOOD);
	else if (seal_open(bytes, len, ring->byte, c->plain))
		channel_reject(c, CHANNEL_FORGED);
	else {
		c->status.received++;
		c->status.received_bytes += len;
		if (c->hooks.cast)
			c->hooks.cast(c->hooks.arg, c->plain, len - SEAL_BYTES);
	}
}
