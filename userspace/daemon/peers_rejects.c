// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What was not heard, as a line of the log now and then. Not here: the counters, which are metrics (peers_show.c).
 */
#include "base/log.h"
#include "daemon/peers_state.h"

#define REJECTS_MS 10000

/* Restarts and lost datagrams make some of the others' every day. */
static bool is_odd(enum channel_count why)
{
	return why != CHANNEL_STALE && why != CHANNEL_UNASKED && why != CHANNEL_REPLAYED && why != CHANNEL_REFLECTED &&
	       why != CHANNEL_KEY;
}

static void add(struct buf *out, const char *label, __u64 count, __u64 *told)
{
	if (count > *told)
		buf_printf(out, " %s=%llu", label, (unsigned long long)(count - *told));
	*told = count;
}

void peers_rejects_step(struct peers *p, struct mono now)
{
	struct buf out = BUF_INIT;
	struct channel_status status;
	size_t i;

	if (p->rejects_at.ns && mono_ms(p->rejects_at, now) < REJECTS_MS)
		return;
	p->rejects_at = now;
	channel_status(p->channel, &status);
	for (i = 0; i < CHANNEL_COUNTS; i++)
		if (is_odd((enum channel_count)i))
			add(&out, channel_count_label((enum channel_count)i), status.rejected[i], &p->rejects_told[i]);
	for (i = 0; i <= BULK_COUNTS; i++)
		add(&out, i < BULK_COUNTS ? bulk_count_label((enum bulk_count)i) : "stream-flood",
		    p->stream_rejected[i], &p->rejects_told[CHANNEL_COUNTS + i]);
	if (out.len && !buf_error(&out))
		log_warning("flock: not heard in the last %d s:%s", REJECTS_MS / 1000, buf_text(&out));
	buf_free(&out);
}
