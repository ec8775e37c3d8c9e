// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See aside_page.h.
 */
#include "core/aside_page.h"

#include "base/array.h"
#include "core/fact.h"

int aside_page_read(const struct page *page, struct override **list, size_t *count)
{
	struct page_entry entry;
	struct override o;
	size_t at = 0;
	int rc = 0;

	if (page->kind != PAGE_KIND_ASIDES || page->index >= ASIDE_PAGES)
		return 0;
	while (!rc && page_entry_next(page, &at, &entry)) {
		if (entry.type != FACT_ASIDE || override_read((const char *)entry.value, entry.len, &o))
			continue;
		if (!*count || override_order(&(*list)[*count - 1], &o) < 0)
			rc = array_insert(list, count, sizeof(o), *count, &o);
	}
	return rc;
}
