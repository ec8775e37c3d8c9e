// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Own pages. Not here: others'.
 */
#include "core/page_author.h"

#include <errno.h>
#include <string.h>

int page_author_sign(struct page_author *a, __u16 kind, __u16 index, const struct page_draft *draft,
		     __u8 bytes[PAGE_BYTES])
{
	struct page page = {.origin = a->id,
			    .kind = kind,
			    .index = index,
			    .version = a->last,
			    .len = draft->len,
			    .entries = draft->entries};
	int len;

	page.version.counter++;
	len = page_encode(&page, a->signing, bytes);
	if (len > 0)
		a->last = page.version;
	return len;
}

/* Whether the store has this page, with these entries, of this incarnation. */
static bool is_said(const struct page_author *a, __u16 kind, __u16 index, const struct page_draft *draft)
{
	struct page page;
	size_t at = 0;

	while (page_store_next(a->store, a->id, &at, &page))
		if (page.kind == kind && page.index == index)
			return !page_boot_compare(&page.version, &a->last) && page.len == draft->len &&
			       !memcmp(page.entries, draft->entries, draft->len);
	return false;
}

int page_author_publish(struct page_author *a, __u16 kind, __u16 index, const struct page_draft *draft)
{
	__u8 bytes[PAGE_BYTES];
	int len;

	if (is_said(a, kind, index, draft))
		return 0;
	len = page_author_sign(a, kind, index, draft, bytes);
	if (len < 0)
		return len;
	switch (page_store_put(a->store, bytes, (size_t)len, NULL)) {
	case PAGE_NEW:
		return 1;
	case PAGE_FULL:
		return -ENOSPC;
	case PAGE_STRANGER:
		return -ENOENT;
	case PAGE_MEMORY:
		return -ENOMEM;
	default:
		/* Another life of this node is ahead, or the key is not that of the roster. */
		return -ESTALE;
	}
}

int page_author_trim(struct page_author *a, __u16 kind, size_t count)
{
	static const struct page_draft empty;
	struct page page;
	size_t at = 0;
	int rc;

	while (page_store_next(a->store, a->id, &at, &page)) {
		if (page.kind != kind || page.index < count)
			continue;
		/* The walk stands: a page is replaced in its place. */
		rc = page_author_publish(a, kind, page.index, &empty);
		if (rc < 0)
			return rc;
	}
	return 0;
}
