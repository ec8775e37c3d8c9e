// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What tells two stores apart, and what one of them lacks. Not here: messages, budgets.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/page_store_private.h"

/* A page that the peer lacks. */
struct lack {
	const struct kept *kept;
	size_t depth; /* pages of its origin that the peer lacks */
};

__u64 page_store_digest(const struct page_store *s)
{
	return s->digest;
}

void page_store_buckets(const struct page_store *s, __u64 ret[PAGE_BUCKETS])
{
	memcpy(ret, s->bucket, sizeof(s->bucket));
}

size_t page_store_differ(const struct page_store *s, const __u64 theirs[PAGE_BUCKETS], struct page_mask *ret)
{
	size_t count = 0, i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < PAGE_BUCKETS; i++) {
		if (s->bucket[i] == theirs[i])
			continue;
		ret->bit[i / 8] |= (__u8)(1 << i % 8);
		count++;
	}
	return count;
}

/* --- listing --- */

static void summary_set(struct page_summary *summary, const struct kept *kept)
{
	*summary = (struct page_summary){
		.origin = htole64(kept->origin),
		.boot = htole64(kept->version.boot),
		.counter = htole64(kept->version.counter),
		.hash = htole64(kept->hash),
		.incarnation = htole32(kept->version.incarnation),
		.kind = htole16(kept->kind),
		.index = htole16(kept->index),
	};
}

/* Takes those out of @mask that do not fit. */
static void mask_fit(const struct page_store *s, struct page_mask *mask, size_t room)
{
	size_t in[PAGE_BUCKETS] = {0}, i, k;

	for (i = 0; i < s->origins; i++)
		for (k = 0; k < s->origin[i].count; k++)
			in[s->origin[i].page[k]->bucket]++;
	for (i = 0; i < PAGE_BUCKETS; i++) {
		if (!page_mask_has(mask, (__u32)i))
			continue;
		if (in[i] <= room)
			room -= in[i];
		else
			mask->bit[i / 8] &= (__u8) ~(1 << i % 8);
	}
}

size_t page_store_pages(const struct page_store *s)
{
	return s->pages;
}

size_t page_store_list(const struct page_store *s, struct page_mask *mask, struct page_summary *ret, size_t room)
{
	size_t count = 0, i, k;

	mask_fit(s, mask, room);
	for (i = 0; i < s->origins; i++)
		for (k = 0; k < s->origin[i].count; k++)
			if (page_mask_has(mask, s->origin[i].page[k]->bucket))
				summary_set(&ret[count++], s->origin[i].page[k]);
	return count;
}

/* --- what a peer lacks --- */

static int summary_order(const void *left, const void *right)
{
	const struct page_summary *a = left, *b = right;

	if (a->origin != b->origin)
		return le64toh(a->origin) < le64toh(b->origin) ? -1 : 1;
	if (a->kind != b->kind)
		return le16toh(a->kind) - le16toh(b->kind);
	return le16toh(a->index) - le16toh(b->index);
}

static bool peer_lacks(const struct kept *kept, const struct page_summary *theirs, size_t count)
{
	const struct page_summary *found;
	struct page_summary own;
	struct page_version version;
	int order;

	summary_set(&own, kept);
	found = bsearch(&own, theirs, count, sizeof(own), summary_order);
	if (!found)
		return true;
	version = (struct page_version){le32toh(found->incarnation), le64toh(found->boot), le64toh(found->counter)};
	order = page_version_compare(&kept->version, &version);
	/* Of two with one version both sides send theirs: each shall have the proof. */
	return order > 0 || (!order && own.hash != found->hash);
}

static int lack_order(const void *left, const void *right)
{
	const struct lack *a = left, *b = right;

	if (a->depth != b->depth)
		return a->depth > b->depth ? -1 : 1;
	if (a->kept->origin != b->kept->origin)
		return a->kept->origin < b->kept->origin ? -1 : 1;
	return page_version_compare(&a->kept->version, &b->kept->version);
}

/* What of one origin the peer lacks, behind the @count that are there. */
static size_t origin_lacks(const struct origin *o, const struct page_mask *mask, const struct page_summary *theirs,
			   size_t their_count, struct lack *lacks, size_t count)
{
	size_t first = count, i;

	for (i = 0; i < o->count; i++)
		if (page_mask_has(mask, o->page[i]->bucket) && peer_lacks(o->page[i], theirs, their_count))
			lacks[count++].kept = o->page[i];
	for (i = first; i < count; i++)
		lacks[i].depth = count - first;
	return count;
}

static size_t lacks_take(const struct lack *lacks, size_t count, size_t budget, struct page_bytes *ret, size_t room)
{
	size_t taken;

	for (taken = 0; taken < count && taken < room && lacks[taken].kept->len <= budget; taken++) {
		ret[taken] = (struct page_bytes){lacks[taken].kept->bytes, lacks[taken].kept->len};
		budget -= ret[taken].len;
	}
	return taken;
}

int page_store_delta(const struct page_store *s, const struct page_mask *mask, const struct page_summary *theirs,
		     size_t count, size_t budget, struct page_bytes *ret, size_t room, size_t *ret_count)
{
	struct page_summary *sorted = calloc(count + 1, sizeof(*sorted));
	struct lack *lacks = calloc(s->pages + 1, sizeof(*lacks));
	size_t lack_count = 0, i;
	int rc = -ENOMEM;

	if (!sorted || !lacks)
		goto out;
	if (count)
		memcpy(sorted, theirs, count * sizeof(*theirs));
	qsort(sorted, count, sizeof(*sorted), summary_order);
	for (i = 0; i < s->origins; i++)
		lack_count = origin_lacks(&s->origin[i], mask, sorted, count, lacks, lack_count);
	qsort(lacks, lack_count, sizeof(*lacks), lack_order);
	*ret_count = lacks_take(lacks, lack_count, budget, ret, room);
	rc = (int)lack_count;
out:
	free(sorted);
	free(lacks);
	return rc;
}
