// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which pages ride on the next message. Not here: whom it goes to, its other content.
 */
#include <math.h>

#include "core/page_store_private.h"

#define SPREAD_TRIES 128 /* pages looked at for one message: with thousands waiting, not all of them */

unsigned int page_spread_limit(unsigned int lambda, size_t nodes)
{
	double limit = ceil(lambda * log10((double)nodes + 1));

	return limit < PAGE_SENT_MAX ? (unsigned int)limit : PAGE_SENT_MAX;
}

bool page_kept_met(const struct kept *kept, __u64 peer)
{
	for (unsigned int i = 0; i < kept->peers; i++)
		if (kept->peer[i] == peer)
			return true;
	return false;
}

void page_kept_meets(struct kept *kept, __u64 peer)
{
	if (kept->peers < PAGE_PEERS && !page_kept_met(kept, peer))
		kept->peer[kept->peers++] = peer;
}

/* The flock has become smaller: these were sent often enough. */
static void queues_trim(struct page_store *s, unsigned int limit)
{
	struct kept *kept;
	size_t i;

	for (i = limit; i < PAGE_SENT_MAX; i++)
		while ((kept = TAILQ_FIRST(&s->queue[i])))
			page_kept_rest(s, &s->queue[i], kept);
}

static void picked_requeue(struct page_store *s, struct kept_queue *picked, unsigned int limit)
{
	struct kept *kept;

	while ((kept = TAILQ_FIRST(picked))) {
		if (++kept->sent >= limit) {
			page_kept_rest(s, picked, kept);
			continue;
		}
		TAILQ_REMOVE(picked, kept, queue);
		TAILQ_INSERT_TAIL(&s->queue[kept->sent], kept, queue);
	}
}

size_t page_store_spread(struct page_store *s, __u64 to, unsigned int limit, size_t budget, struct page_bytes *ret,
			 size_t room)
{
	struct kept_queue picked = TAILQ_HEAD_INITIALIZER(picked);
	size_t count = 0, tries = 0, i;
	struct kept *kept, *next;

	queues_trim(s, limit);
	for (i = 0; i < limit && i < PAGE_SENT_MAX; i++) {
		for (kept = TAILQ_FIRST(&s->queue[i]); kept && count < room && tries < SPREAD_TRIES; kept = next) {
			next = TAILQ_NEXT(kept, queue);
			tries++;
			if (kept->len > budget || kept->origin == to)
				continue;
			if (!page_kept_met(kept, to)) {
				budget -= kept->len;
				ret[count++] = (struct page_bytes){kept->bytes, kept->len};
				page_kept_meets(kept, to);
			}
			TAILQ_REMOVE(&s->queue[i], kept, queue);
			TAILQ_INSERT_TAIL(&picked, kept, queue);
		}
	}
	picked_requeue(s, &picked, limit < PAGE_SENT_MAX ? limit : PAGE_SENT_MAX);
	return count;
}
