// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as pages, lists and facts. The input is cut at each 2-byte length; every piece goes into a store whose
 * signatures are always right, so that nothing behind the signature is spared. Not here: seals, messages.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fact.h"
#include "core/load_in.h"
#include "core/page_author.h"
#include "any_signing.h"
#include "fuzz.h"

#define ROOM 64

/* Nodes 1 and 2: the first 8 bytes of an origin decide. */
static struct page_store *store_new(void)
{
	struct roster_node node[2] = {{.id = 1}, {.id = 2}};
	struct roster roster = {node, 2};
	struct page_store *s = page_store_new(&any);

	if (s && page_store_roster(s, &roster)) {
		page_store_free(s);
		return NULL;
	}
	return s;
}

/* What is decoded is encoded to what decodes to the same. */
static void node_again(const struct fact_node *node)
{
	struct page_draft draft = {0};
	struct fact_node again;
	struct page page = {.kind = PAGE_KIND_NODE};

	REQUIRE(!fact_node_encode(node, &draft));
	page.entries = draft.entries;
	page.len = draft.len;
	REQUIRE(!fact_node_decode(&page, &again) && !memcmp(node, &again, sizeof(again)));
}

static void vouch_again(const struct roster_node *vouch, enum fact_admission_entry how)
{
	struct page_draft draft = {0};
	struct roster_node again;
	struct fact_forgotten f;
	struct page page = {.kind = PAGE_KIND_ADMISSION, .entries = draft.entries};
	size_t at = 0;

	REQUIRE(!fact_vouch_encode(vouch, how, &draft));
	page.len = draft.len;
	REQUIRE(fact_admission_next(&page, &at, &again, &f) == (int)how && !memcmp(vouch, &again, sizeof(again)));
}

static void facts_read(const struct page *page, struct load_in *loads)
{
	struct fact_digest digest;
	struct fact_forgotten forget;
	struct roster_node vouch;
	int type;
	struct fact_node node;
	size_t at = 0;

	if (!fact_node_decode(page, &node))
		node_again(&node);
	while (fact_digest_next(page, &at, &digest) > 0)
		REQUIRE(strlen(digest.vip) < sizeof(digest.vip) && at <= page->len);
	at = 0;
	while ((type = fact_admission_next(page, &at, &vouch, &forget)) > 0)
		if (type != FACT_ADMISSION_FORGET)
			vouch_again(&vouch, (enum fact_admission_entry)type);
	load_in_page(loads, page, (struct mono){page->version.counter});
}

static void page_again(const struct page *page, const uint8_t *data, size_t len)
{
	__u8 bytes[PAGE_BYTES];

	REQUIRE(page_encode(page, &any, bytes) == (int)len);
	REQUIRE(!memcmp(bytes, data, len - SIGNATURE_BYTES));
}

/* Two stores that hear the same in either order, and then what the other lacks, are one. */
static void stores_agree(struct page_store *a, struct page_store *b)
{
	struct page_summary list[ROOM];
	struct page_bytes out[ROOM];
	struct page_mask mask;
	size_t count;

	memset(&mask, 0xff, sizeof(mask));
	count = page_store_list(b, &mask, list, ROOM);
	REQUIRE(page_store_delta(a, &mask, list, count, 1 << 20, out, ROOM, &count) == 0);
	REQUIRE(page_store_digest(a) == page_store_digest(b));
}

static size_t piece(const uint8_t *data, size_t len, size_t at)
{
	size_t want = len - at < 2 ? 0 : data[at] | (size_t)data[at + 1] << 8;

	return want < len - at - 2 ? want : len - at - 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const __u64 keys[] = {0, 1, 0x0101010101010101ULL, ~0ULL};
	struct page_store *a = store_new(), *b = store_new();
	struct load_in *loads = load_in_new();
	size_t start[ROOM], size[ROOM], count = 0, at, i;
	struct fact_digest all[2];
	struct page_bytes out[8];
	struct page page;

	if (!a || !b || !loads || load_in_keys(loads, keys, 4))
		goto out;
	for (at = 0; len - at >= 2 && count < ROOM; at += 2 + size[count++]) {
		start[count] = at + 2;
		size[count] = piece(data, len, at);
	}
	for (i = 0; i < count; i++) {
		if (!page_decode(data + start[i], size[i], &page)) {
			page_again(&page, data + start[i], size[i]);
			facts_read(&page, loads);
		}
		page_store_put(a, data + start[i], size[i], NULL);
	}
	for (i = count; i--;)
		page_store_put(b, data + start[i], size[i], NULL);
	stores_agree(a, b);
	fact_digests_differ(a, 1, 2, NULL, NULL, all);
	page_store_spread(a, 1, 3, 2000, out, 8);
	if (len >= sizeof(struct page_summary)) {
		struct page_mask mask;

		memset(&mask, 0xff, sizeof(mask));
		page_store_delta(a, &mask, (const struct page_summary *)(const void *)data,
				 len / sizeof(struct page_summary), 5000, out, 8, &i);
	}
	load_in_age(loads, (struct mono){~0ULL});
	for (i = 0; i < 4; i++)
		REQUIRE(load_in_open(loads, i) <= 2 * 0xffffffffULL);
out:
	page_store_free(a);
	page_store_free(b);
	load_in_free(loads);
	return 0;
}
