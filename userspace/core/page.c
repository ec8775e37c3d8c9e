// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pages to bytes and back. Not here: keeping them, reading their entries.
 */
#include "core/page.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define FRAME_BYTES (sizeof(struct page_header) + SIGNATURE_BYTES)

static int compare(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

int page_boot_compare(const struct page_version *a, const struct page_version *b)
{
	int order = compare(a->incarnation, b->incarnation);

	return order ? order : compare(a->boot, b->boot);
}

int page_version_compare(const struct page_version *a, const struct page_version *b)
{
	int order = page_boot_compare(a, b);

	return order ? order : compare(a->counter, b->counter);
}

int page_encode(const struct page *page, const struct signing *signing, __u8 bytes[PAGE_BYTES])
{
	struct page_header header = {
		.magic = htole32(PAGE_MAGIC),
		.kind = htole16(page->kind),
		.index = htole16(page->index),
		.origin = htole64(page->origin),
		.boot = htole64(page->version.boot),
		.counter = htole64(page->version.counter),
		.incarnation = htole32(page->version.incarnation),
		.len = htole16((__u16)page->len),
	};
	size_t signed_len = sizeof(header) + page->len;
	int rc;

	if (page->len > PAGE_ENTRIES_BYTES)
		return -EMSGSIZE;
	memcpy(bytes, &header, sizeof(header));
	if (page->len)
		memcpy(bytes + sizeof(header), page->entries, page->len);
	rc = signing->sign(signing->arg, bytes, signed_len, bytes + signed_len);
	return rc ? rc : (int)(signed_len + SIGNATURE_BYTES);
}

/* Whether entries fill @len bytes exactly. */
static bool entries_tile(const __u8 *entries, size_t len)
{
	struct page_entry_header entry;
	size_t at = 0;

	while (len - at >= sizeof(entry)) {
		memcpy(&entry, entries + at, sizeof(entry));
		at += sizeof(entry);
		if (le16toh(entry.len) > len - at)
			return false;
		at += le16toh(entry.len);
	}
	return at == len;
}

int page_decode(const void *bytes, size_t len, struct page *ret)
{
	struct page_header header;
	struct page page;

	if (len < FRAME_BYTES || len > PAGE_BYTES)
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	page = (struct page){
		.origin = le64toh(header.origin),
		.kind = le16toh(header.kind),
		.index = le16toh(header.index),
		.version = {le32toh(header.incarnation), le64toh(header.boot), le64toh(header.counter)},
		.len = le16toh(header.len),
		.entries = (const __u8 *)bytes + sizeof(header),
	};
	if (le32toh(header.magic) != PAGE_MAGIC || header.pad || page.len != len - FRAME_BYTES || !page.origin ||
	    !page.version.incarnation || !page.version.boot || !page.version.counter ||
	    !entries_tile(page.entries, page.len))
		return -EBADMSG;
	*ret = page;
	return 0;
}

bool page_verify(const void *bytes, size_t len, const struct roster_key *key, const struct signing *signing)
{
	return signing->verify(signing->arg, key, bytes, len - SIGNATURE_BYTES,
			       (const __u8 *)bytes + len - SIGNATURE_BYTES);
}

int page_entry_add(struct page_draft *draft, __u16 type, const void *value, size_t len)
{
	struct page_entry_header header = {htole16(type), htole16((__u16)len)};

	if (len > PAGE_VALUE_BYTES || sizeof(header) + len > sizeof(draft->entries) - draft->len)
		return -ENOSPC;
	memcpy(draft->entries + draft->len, &header, sizeof(header));
	if (len)
		memcpy(draft->entries + draft->len + sizeof(header), value, len);
	draft->len += sizeof(header) + len;
	return 0;
}

bool page_entry_next(const struct page *page, size_t *at, struct page_entry *ret)
{
	struct page_entry_header header;

	if (page->len - *at < sizeof(header))
		return false;
	memcpy(&header, page->entries + *at, sizeof(header));
	*at += sizeof(header);
	*ret = (struct page_entry){le16toh(header.type), le16toh(header.len), page->entries + *at};
	*at += ret->len;
	return true;
}

int page_record_next(const struct page *page, size_t *at, __u16 type, void *ret, size_t len)
{
	struct page_entry entry;

	do {
		if (!page_entry_next(page, at, &entry))
			return 0;
	} while (entry.type != type);
	if (entry.len < len)
		return -EBADMSG;
	memcpy(ret, entry.value, len);
	return 1;
}
