// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Facts to entries and back. Not here: what two nodes do not agree on (fact_differ.c).
 */
#include "core/fact.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

__u64 fact_backend_key(const char *vip, const struct endpoint *backend)
{
	__u8 bytes[STARLING_NAME_BYTES + sizeof(backend->addr) + sizeof(backend->port)] = {0};
	__u8 hash[crypto_generichash_BYTES_MIN];
	__le64 key;

	memcpy(bytes, vip, strnlen(vip, STARLING_NAME_BYTES - 1));
	memcpy(bytes + STARLING_NAME_BYTES, &backend->addr, sizeof(backend->addr));
	memcpy(bytes + STARLING_NAME_BYTES + sizeof(backend->addr), &backend->port, sizeof(backend->port));
	crypto_generichash(hash, sizeof(hash), bytes, sizeof(bytes), NULL, 0);
	memcpy(&key, hash, sizeof(key));
	return le64toh(key);
}

/* --- texts --- */

static int text_encode(__u16 type, const char *text, struct page_draft *draft)
{
	return *text ? page_entry_add(draft, type, text, strlen(text)) : 0;
}

/* It will be shown: no control characters, nothing that is not ASCII. */
static int text_decode(const __u8 *value, size_t len, char ret[STARLING_NAME_BYTES])
{
	size_t i;

	if (!len || len >= STARLING_NAME_BYTES)
		return -EBADMSG;
	for (i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return -EBADMSG;
	memset(ret, 0, STARLING_NAME_BYTES);
	memcpy(ret, value, len);
	return 0;
}

/* --- nodes --- */

int fact_node_encode(const struct fact_node *node, struct page_draft *draft)
{
	struct fact_ring_wire ring = {htole64(node->ring.number), htole64(node->ring.author), htole64(node->ring.seed)};
	struct fact_level_wire level = {htole32(node->level), htole32(node->table)};
	__le32 flags = htole32(node->flags);
	size_t before = draft->len;

	if (text_encode(FACT_NODE_NAME, node->name, draft) || text_encode(FACT_NODE_SITE, node->site, draft) ||
	    text_encode(FACT_NODE_REGION, node->region, draft) ||
	    text_encode(FACT_NODE_VERSION, node->version, draft) ||
	    page_entry_add(draft, FACT_NODE_FLAGS, &flags, sizeof(flags)) ||
	    page_entry_add(draft, FACT_NODE_LEVEL, &level, sizeof(level)) ||
	    (node->ring.told && page_entry_add(draft, FACT_NODE_RING, &ring, sizeof(ring)))) {
		draft->len = before;
		return -ENOSPC;
	}
	return 0;
}

static int node_entry(const struct page_entry *entry, struct fact_node *node)
{
	struct fact_level_wire level;
	struct fact_ring_wire ring;
	__le32 flags;

	switch (entry->type) {
	case FACT_NODE_NAME:
		return text_decode(entry->value, entry->len, node->name);
	case FACT_NODE_SITE:
		return text_decode(entry->value, entry->len, node->site);
	case FACT_NODE_REGION:
		return text_decode(entry->value, entry->len, node->region);
	case FACT_NODE_VERSION:
		return text_decode(entry->value, entry->len, node->version);
	case FACT_NODE_FLAGS:
		if (entry->len < sizeof(flags))
			return -EBADMSG;
		memcpy(&flags, entry->value, sizeof(flags));
		node->flags = le32toh(flags);
		return 0;
	case FACT_NODE_RING:
		if (entry->len < sizeof(ring))
			return -EBADMSG;
		memcpy(&ring, entry->value, sizeof(ring));
		node->ring = (struct fact_ring){true, le64toh(ring.number), le64toh(ring.author), le64toh(ring.seed)};
		return 0;
	case FACT_NODE_LEVEL:
		if (entry->len < sizeof(level))
			return -EBADMSG;
		memcpy(&level, entry->value, sizeof(level));
		node->level = le32toh(level.level);
		node->table = le32toh(level.table);
		return node->level && node->table ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

int fact_node_decode(const struct page *page, struct fact_node *ret)
{
	struct fact_node node = {.level = 1, .table = 1};
	struct page_entry entry;
	size_t at = 0;

	if (page->kind != PAGE_KIND_NODE)
		return -EBADMSG;
	while (page_entry_next(page, &at, &entry))
		if (node_entry(&entry, &node))
			return -EBADMSG;
	*ret = node;
	return 0;
}

/* --- admission --- */

int fact_vouch_encode(const struct roster_node *node, enum fact_admission_entry how, struct page_draft *draft)
{
	struct fact_vouch_wire wire = {.roles = htole32(node->roles), .stake = htole32(node->stake)};
	__u8 value[sizeof(wire) + 1 + 2 * STARLING_NAME_BYTES], *p;
	size_t name = strlen(node->name), site = strlen(node->site);

	memcpy(wire.key, node->key.byte, sizeof(wire.key));
	p = mempcpy(value, &wire, sizeof(wire));
	*p++ = (__u8)name;
	p = mempcpy(p, node->name, name);
	p = mempcpy(p, node->site, site);
	return page_entry_add(draft, (__u16)how, value, (size_t)(p - value));
}

int fact_forget_encode(const struct fact_forgotten *f, struct page_draft *draft)
{
	struct fact_forget_wire wire = {htole64(f->id), htole64(f->date_ms)};
	__u8 value[sizeof(wire) + STARLING_NAME_BYTES];
	size_t name = strlen(f->name);

	memcpy(mempcpy(value, &wire, sizeof(wire)), f->name, name);
	return page_entry_add(draft, FACT_ADMISSION_FORGET, value, sizeof(wire) + name);
}

static int vouch_decode(const struct page_entry *entry, struct roster_node *ret)
{
	struct roster_node node = {0};
	struct fact_vouch_wire wire;
	size_t name, site;

	if (entry->len < sizeof(wire) + 1)
		return -EBADMSG;
	memcpy(&wire, entry->value, sizeof(wire));
	name = entry->value[sizeof(wire)];
	if (name > entry->len - sizeof(wire) - 1)
		return -EBADMSG;
	site = entry->len - sizeof(wire) - 1 - name;
	if (text_decode(entry->value + sizeof(wire) + 1, name, node.name) ||
	    (site && text_decode(entry->value + sizeof(wire) + 1 + name, site, node.site)))
		return -EBADMSG;
	memcpy(node.key.byte, wire.key, sizeof(node.key.byte));
	node.id = roster_id(&node.key);
	node.roles = le32toh(wire.roles) & ((1u << ROLE_COUNT) - 1); /* others are of later versions */
	node.stake = le32toh(wire.stake);
	if (!node.roles || !node.stake || node.stake > 65535)
		return -EBADMSG;
	*ret = node;
	return entry->type;
}

static int forget_decode(const struct page_entry *entry, struct fact_forgotten *ret)
{
	struct fact_forgotten f = {0};
	struct fact_forget_wire wire;

	if (entry->len < sizeof(wire) || text_decode(entry->value + sizeof(wire), entry->len - sizeof(wire), f.name))
		return -EBADMSG;
	memcpy(&wire, entry->value, sizeof(wire));
	f.id = le64toh(wire.id);
	f.date_ms = le64toh(wire.date_ms);
	*ret = f;
	return FACT_ADMISSION_FORGET;
}

int fact_admission_next(const struct page *page, size_t *at, struct roster_node *ret_vouch,
			struct fact_forgotten *ret_forget)
{
	struct page_entry entry;

	if (page->kind != PAGE_KIND_ADMISSION)
		return -EBADMSG;
	while (page_entry_next(page, at, &entry)) {
		if (entry.type == FACT_ADMISSION_VOUCH || entry.type == FACT_ADMISSION_LISTED)
			return vouch_decode(&entry, ret_vouch);
		if (entry.type == FACT_ADMISSION_FORGET)
			return forget_decode(&entry, ret_forget);
	}
	return 0;
}

/* --- digests --- */

int fact_digest_encode(const struct fact_digest *digest, struct page_draft *draft)
{
	struct fact_digest_wire wire = {htole64(digest->config), htole64(digest->effective)};
	__u8 value[sizeof(wire) + STARLING_NAME_BYTES];
	size_t name = strlen(digest->vip);

	memcpy(value, &wire, sizeof(wire));
	memcpy(value + sizeof(wire), digest->vip, name);
	return page_entry_add(draft, name ? FACT_DIGEST_VIP : FACT_DIGEST_ALL, value, sizeof(wire) + name);
}

int fact_digest_next(const struct page *page, size_t *at, struct fact_digest *ret)
{
	struct fact_digest digest = {0};
	struct fact_digest_wire wire;
	struct page_entry entry;

	if (page->kind != PAGE_KIND_DIGESTS)
		return -EBADMSG;
	do {
		if (!page_entry_next(page, at, &entry))
			return 0;
	} while (entry.type != FACT_DIGEST_ALL && entry.type != FACT_DIGEST_VIP);
	if (entry.len < sizeof(wire) || (entry.type == FACT_DIGEST_VIP &&
					 text_decode(entry.value + sizeof(wire), entry.len - sizeof(wire), digest.vip)))
		return -EBADMSG;
	memcpy(&wire, entry.value, sizeof(wire));
	digest.config = le64toh(wire.config);
	digest.effective = le64toh(wire.effective);
	*ret = digest;
	return 1;
}

/* --- readmissions --- */

int fact_readmit_encode(const struct fact_readmit *readmit, struct page_draft *draft)
{
	struct fact_readmit_wire wire = {htole64(readmit->key), htole64(readmit->date_ms)};

	return page_entry_add(draft, FACT_READMIT_BACKEND, &wire, sizeof(wire));
}

int fact_readmit_next(const struct page *page, size_t *at, struct fact_readmit *ret)
{
	struct fact_readmit_wire wire;
	int rc;

	if (page->kind != PAGE_KIND_READMITS)
		return -EBADMSG;
	rc = page_record_next(page, at, FACT_READMIT_BACKEND, &wire, sizeof(wire));
	if (rc <= 0)
		return rc;
	*ret = (struct fact_readmit){le64toh(wire.key), le64toh(wire.date_ms)};
	return 1;
}

/* --- loads --- */

int fact_load_encode(const struct fact_load *load, struct page_draft *draft)
{
	struct fact_load_wire wire = {.key = htole64(load->key), .open = htole32(load->open)};

	return page_entry_add(draft, FACT_LOAD_BACKEND, &wire, FACT_LOAD_BYTES);
}

int fact_node_load_encode(const struct fact_node_load *load, struct page_draft *draft)
{
	struct fact_node_load_wire wire = {
		.open = htole64(load->open),
		.packets_per_second = htole64(load->packets_per_second),
		.bytes_per_second = htole64(load->bytes_per_second),
		.cpu_permille = htole32(load->cpu_permille),
	};

	return page_entry_add(draft, FACT_LOAD_NODE, &wire, FACT_NODE_LOAD_BYTES);
}

int fact_load_next(const struct page *page, size_t *at, struct fact_load *ret)
{
	struct fact_load_wire wire;
	int rc;

	if (page->kind != PAGE_KIND_LOADS)
		return -EBADMSG;
	rc = page_record_next(page, at, FACT_LOAD_BACKEND, &wire, FACT_LOAD_BYTES);
	if (rc <= 0)
		return rc;
	*ret = (struct fact_load){le64toh(wire.key), le32toh(wire.open)};
	return 1;
}

int fact_node_load_decode(const struct page *page, struct fact_node_load *ret)
{
	struct fact_node_load_wire wire;
	size_t at = 0;
	int rc;

	if (page->kind != PAGE_KIND_LOADS)
		return -EBADMSG;
	rc = page_record_next(page, &at, FACT_LOAD_NODE, &wire, FACT_NODE_LOAD_BYTES);
	if (rc <= 0)
		return rc;
	*ret = (struct fact_node_load){
		.open = le64toh(wire.open),
		.packets_per_second = le64toh(wire.packets_per_second),
		.bytes_per_second = le64toh(wire.bytes_per_second),
		.cpu_permille = le32toh(wire.cpu_permille),
	};
	return 1;
}
