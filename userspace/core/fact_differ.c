// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose digests differ, and of which VIPs: two walks over pages, side by side. Not here: making digests.
 */
#include <string.h>

#include "core/fact.h"

/* A walk over the VIPs of one node, through all its pages. */
struct walk {
	const struct page_store *store;
	__u64 origin;
	size_t page_at;
	struct page page;
	bool in_page;
	size_t entry_at;
	struct fact_digest now; /* the VIP it stands at */
	bool ended;
	struct fact_digest all;
};

static bool page_next(struct walk *w)
{
	do {
		if (!page_store_next(w->store, w->origin, &w->page_at, &w->page))
			return false;
	} while (w->page.kind != PAGE_KIND_DIGESTS);
	w->in_page = true;
	w->entry_at = 0;
	return true;
}

/* A page that is malformed says no more, and the next one is read. */
static void walk_next(struct walk *w)
{
	struct fact_digest next;

	while (w->in_page || page_next(w)) {
		w->in_page = fact_digest_next(&w->page, &w->entry_at, &next) > 0;
		if (!w->in_page)
			continue;
		if (!*next.vip) {
			w->all = next;
			continue;
		}
		w->now = next;
		return;
	}
	w->ended = true;
}

static struct walk walk_begin(const struct page_store *store, __u64 origin)
{
	struct walk w = {.store = store, .origin = origin};

	walk_next(&w);
	return w;
}

static bool walk_has_nothing(const struct walk *w)
{
	static const struct fact_digest none;

	return w->ended && !memcmp(&w->all, &none, sizeof(none));
}

size_t fact_digests_differ(const struct page_store *store, __u64 self, __u64 peer, fact_differ_fn *fn, void *arg,
			   struct fact_digest ret_all[2])
{
	struct walk a = walk_begin(store, self), b = walk_begin(store, peer);
	bool told = !walk_has_nothing(&a) && !walk_has_nothing(&b);
	enum fact_difference difference;
	size_t count = 0;
	int order;

	while (told && (!a.ended || !b.ended)) {
		order = a.ended ? 1 : b.ended ? -1 : strcmp(a.now.vip, b.now.vip);
		difference = order > 0			    ? FACT_NOT_HERE
			     : order < 0		    ? FACT_NOT_THERE
			     : a.now.config != b.now.config ? FACT_CONFIG
							    : FACT_EFFECTIVE;
		if (order || a.now.config != b.now.config || a.now.effective != b.now.effective) {
			count++;
			if (fn)
				fn(arg, order > 0 ? b.now.vip : a.now.vip, difference);
		}
		if (order <= 0)
			walk_next(&a);
		if (order >= 0)
			walk_next(&b);
	}
	ret_all[0] = a.all;
	ret_all[1] = b.all;
	return count;
}
