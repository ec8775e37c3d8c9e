// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends that operators have let in again, here and elsewhere in the flock. Own ones stand in pages, the last some
 * thousands of them, and others' are handed to the plane once a second. A page says what the roster and the clocks make
 * of it: when those are others, all that are held are read again. Not here: which outage one ends (the plane).
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "daemon/peers_state.h"

#define SKEW_MOST_MS 2000 /* a date of so much later than now is not believed */
#define READ_PAGES   1024 /* of the store, of any kind, that a second looks through: below 1 ms */

int peers_readmit_check(struct peers *p, struct err *err)
{
	bool may;

	pthread_mutex_lock(&p->lock);
	may = !p->flock || admission_allowed(&p->roster, p->identity.id);
	pthread_mutex_unlock(&p->lock);
	return may ? 0
		   : err_set(err, EACCES,
			     "the roster gives the role admin to others: do it there, or with \"local\" for this "
			     "balancer alone");
}

/* Of so many, which are kept in a ring, one page. */
static void page_write(struct peers *p, size_t page)
{
	size_t first = page * FACT_READMITS_PER_PAGE, rounds = p->readmits / PEERS_READMITS;
	struct page_draft draft = {0};

	for (size_t i = first; i < first + FACT_READMITS_PER_PAGE; i++)
		if (rounds || i < p->readmits)
			fact_readmit_encode(&p->readmit[i], &draft);
	if (draft.len)
		peers_page_publish(p, PAGE_KIND_READMITS, (__u16)page, &draft);
}

void peers_readmits_publish(struct peers *p)
{
	for (size_t i = 0; i < PEERS_READMIT_PAGES; i++)
		page_write(p, i);
}

void peers_readmit(struct peers *p, const struct fact_readmit *all, size_t count)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < count; i++)
		p->readmit[p->readmits++ % PEERS_READMITS] = all[i];
	if (p->flock)
		peers_readmits_publish(p);
	pthread_mutex_unlock(&p->lock);
}

/* --- others' --- */

static int readmit_order(const void *key, const void *member)
{
	__u64 a = ((const struct fact_readmit *)key)->key, b = ((const struct fact_readmit *)member)->key;

	return a < b ? -1 : a > b;
}

/* Return: whether there is room for one of @date_ms. */
static bool room_make(struct fact_readmit *all, size_t *count, __u64 date_ms)
{
	size_t first = 0;

	if (*count < PEERS_READMITS)
		return true;
	for (size_t i = 1; i < *count; i++)
		if (all[i].date_ms < all[first].date_ms)
			first = i;
	if (all[first].date_ms >= date_ms)
		return false;
	memmove(&all[first], &all[first + 1], (--*count - first) * sizeof(*all));
	return true;
}

void peers_readmit_keep(struct fact_readmit *all, size_t *count, const struct fact_readmit *readmit)
{
	size_t at;

	if (array_find(all, *count, sizeof(*all), readmit, readmit_order, &at)) {
		if (all[at].date_ms < readmit->date_ms)
			all[at].date_ms = readmit->date_ms;
		return;
	}
	if (!room_make(all, count, readmit->date_ms))
		return;
	array_find(all, *count, sizeof(*all), readmit, readmit_order, &at);
	memmove(&all[at + 1], &all[at], ((*count)++ - at) * sizeof(*all));
	all[at] = *readmit;
}

void peers_readmits_page(struct peers *p, const struct page *page)
{
	__s64 offset_ms = peers_clock_offset_ms(p, page->origin);
	struct fact_readmit readmit;
	const struct roster_node *node = roster_find_id(&p->roster, page->origin);
	size_t at = 0, early = 0;

	if (!admission_allowed(&p->roster, page->origin))
		return;
	while (fact_readmit_next(page, &at, &readmit) > 0) {
		readmit.date_ms -= (__u64)offset_ms;
		if (readmit.date_ms > wall_ms() + SKEW_MOST_MS)
			early++;
		else
			peers_readmit_keep(p->readmit_heard, &p->readmits_heard, &readmit);
	}
	if (early)
		log_warning("flock: node %s lets backends in at a time that has not come: its clock is not believed",
			    node->name);
}

/* Return: how many pages were looked at. */
static size_t origin_read(struct peers *p, __u64 origin)
{
	struct page page;
	size_t next = 0, looked = 0;

	while (origin != p->identity.id && page_store_next(flock_pages(p->flock), origin, &next, &page)) {
		looked++;
		if (page.kind == PAGE_KIND_READMITS)
			peers_readmits_page(p, &page);
	}
	return looked;
}

static size_t clocks_known(const struct peers *p)
{
	struct opinion_view view;
	size_t known = 0;

	for (size_t i = 0; i < p->roster.count; i++)
		known += !opinion_state(flock_opinion(p->flock), p->roster.node[i].id, &view) && view.round_us;
	return known;
}

void peers_readmits_step(struct peers *p)
{
	size_t clocks = clocks_known(p), looked = 0;

	if (clocks != p->clocks)
		p->readmits_read = 0;
	p->clocks = clocks;
	while (p->readmits_read < p->roster.count && looked < READ_PAGES)
		looked += origin_read(p, p->roster.node[p->readmits_read++].id);
}

void peers_readmits_tell(struct peers *p, struct plane *plane)
{
	struct fact_readmit *all;
	size_t count;

	pthread_mutex_lock(&p->lock);
	count = array_copy(&all, p->readmit_heard, p->readmits_heard, sizeof(*all)) ? 0 : p->readmits_heard;
	pthread_mutex_unlock(&p->lock);
	plane_readmitted(plane, all, count); /* without memory in a second again */
	free(all);
}
