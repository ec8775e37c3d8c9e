// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which pages are kept, and what became of the others. Not here: spreading (page_spread.c),
 * repair (page_repair.c).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/mix.h"
#include "core/page_store_private.h"

static const char *const outcome_labels[] = {
#define OUTCOME_LABEL(id, label, help) [PAGE_##id] = (label),
	STARLING_PAGE_OUTCOMES(OUTCOME_LABEL)
#undef OUTCOME_LABEL
};

const char *page_outcome_label(enum page_outcome outcome)
{
	return outcome_labels[outcome];
}

static int origin_order(const void *key, const void *member)
{
	__u64 id = *(const __u64 *)key, other = ((const struct origin *)member)->id;

	return id < other ? -1 : id > other;
}

struct origin *page_store_origin(const struct page_store *s, __u64 id)
{
	size_t at;

	return array_find(s->origin, s->origins, sizeof(*s->origin), &id, origin_order, &at) ? &s->origin[at] : NULL;
}

__u32 page_bucket(__u64 origin, __u16 kind, __u16 index)
{
	return mix64(origin ^ mix64((__u32)kind << 16 | index)) % PAGE_BUCKETS;
}

/* Its place among an origin's pages. */
struct place {
	__u16 kind, index;
};

static int place_order(const void *key, const void *member)
{
	const struct place *place = key;
	const struct kept *kept = *(const struct kept *const *)member;

	return place->kind != kept->kind ? place->kind - kept->kind : place->index - kept->index;
}

static bool place_find(const struct origin *o, const struct page *page, size_t *ret_at)
{
	struct place place = {page->kind, page->index};

	return array_find(o->page, o->count, sizeof(struct kept *), &place, place_order, ret_at);
}

/* --- a page comes, a page goes --- */

static struct kept *kept_new(const struct page_store *s, const struct page *page, const void *bytes, size_t len)
{
	struct kept *kept = malloc(sizeof(*kept) + len);
	__u8 hash[HASH_BYTES];
	__le64 first;

	if (!kept)
		return NULL;
	s->signing->hash(s->signing->arg, bytes, len, hash);
	memcpy(&first, hash, sizeof(first));
	*kept = (struct kept){
		.origin = page->origin,
		.kind = page->kind,
		.index = page->index,
		.version = page->version,
		.hash = le64toh(first),
		.bucket = page_bucket(page->origin, page->kind, page->index),
		.len = len,
	};
	memcpy(kept->bytes, bytes, len);
	return kept;
}

static void kept_count(struct page_store *s, const struct kept *kept)
{
	s->digest ^= kept->hash;
	s->bucket[kept->bucket] ^= kept->hash;
}

static void kept_enter(struct page_store *s, struct kept *kept)
{
	kept_count(s, kept);
	s->pages++;
	s->bytes += kept->len;
	s->fresh++;
	kept->fresh = true;
	TAILQ_INSERT_HEAD(&s->queue[0], kept, queue);
}

void page_kept_rest(struct page_store *s, struct kept_queue *queue, struct kept *kept)
{
	kept->fresh = false;
	s->fresh--;
	TAILQ_REMOVE(queue, kept, queue);
}

static void kept_leave(struct page_store *s, struct kept *kept)
{
	kept_count(s, kept);
	s->pages--;
	s->bytes -= kept->len;
	if (kept->fresh)
		page_kept_rest(s, &s->queue[kept->sent], kept);
	free(kept);
}

static void origin_drop(struct page_store *s, struct origin *o, size_t at)
{
	kept_leave(s, o->page[at]);
	array_delete(o->page, &o->count, sizeof(struct kept *), at);
}

static void origin_free(struct page_store *s, struct origin *o)
{
	while (o->count)
		origin_drop(s, o, o->count - 1);
	free(o->page);
	free(o->proof[0]);
	free(o->proof[1]);
}

/* A boot that was not known: what held for earlier ones is void. */
static void origin_boots(struct page_store *s, struct origin *o, const struct page_version *version)
{
	size_t i;

	if (page_boot_compare(version, &o->latest) <= 0)
		return;
	o->latest = *version;
	for (i = o->count; i--;)
		if (o->page[i]->kind & PAGE_KIND_OF_BOOT && page_boot_compare(&o->page[i]->version, version) < 0)
			origin_drop(s, o, i);
}

/* --- the store --- */

struct page_store *page_store_new(const struct signing *signing)
{
	struct page_store *s = calloc(1, sizeof(*s));
	size_t i;

	if (!s)
		return NULL;
	s->signing = signing;
	for (i = 0; i < PAGE_SENT_MAX; i++)
		TAILQ_INIT(&s->queue[i]);
	return s;
}

static void origins_free(struct page_store *s)
{
	size_t i;

	if (!s->origin)
		return;
	for (i = 0; i < s->origins; i++)
		origin_free(s, &s->origin[i]);
	free(s->origin);
}

void page_store_free(struct page_store *s)
{
	if (!s)
		return;
	origins_free(s);
	free(s);
}

static int origin_compare(const void *left, const void *right)
{
	return origin_order(&((const struct origin *)left)->id, right);
}

int page_store_roster(struct page_store *s, const struct roster *roster)
{
	struct origin *next = calloc(roster->count + 1, sizeof(*next)), *old;
	size_t i;

	if (!next)
		return -ENOMEM;
	for (i = 0; i < roster->count; i++) {
		next[i] = (struct origin){.id = roster->node[i].id, .key = roster->node[i].key};
		old = page_store_origin(s, next[i].id);
		if (!old)
			continue;
		next[i] = *old;
		*old = (struct origin){.id = old->id}; /* its pages have moved */
	}
	origins_free(s);
	qsort(next, roster->count, sizeof(*next), origin_compare);
	s->origin = next;
	s->origins = roster->count;
	s->share = STARLING_PAGE_STORE_BYTES / PAGE_BYTES / (roster->count ? roster->count : 1);
	if (s->share > STARLING_PAGES_PER_ORIGIN)
		s->share = STARLING_PAGES_PER_ORIGIN;
	for (i = 0; i < s->origins; i++)
		while (next[i].count > s->share)
			origin_drop(s, &next[i], next[i].count - 1);
	return 0;
}

/* --- taking pages --- */

/* The first proof is enough; without memory for it there will be another. */
static void proof_keep(struct origin *o, const struct kept *have, const void *bytes, size_t len)
{
	if (o->proof[0])
		return;
	o->proof[0] = malloc(have->len);
	o->proof[1] = malloc(len);
	if (!o->proof[0] || !o->proof[1]) {
		free(o->proof[0]);
		free(o->proof[1]);
		o->proof[0] = o->proof[1] = NULL;
		return;
	}
	memcpy(o->proof[0], have->bytes, have->len);
	memcpy(o->proof[1], bytes, len);
	o->proof_len[0] = have->len;
	o->proof_len[1] = len;
}

/* One order of pages with one version. */
static int bytes_compare(const struct kept *have, const void *bytes, size_t len)
{
	int order = memcmp(bytes, have->bytes, len < have->len ? len : have->len);

	return order ? order : len < have->len ? -1 : len > have->len;
}

/* What can be said before the signature is looked at; PAGE_NEW and PAGE_EQUIVOCATION need it. */
static enum page_outcome judge(const struct origin *o, const struct kept *have, const struct page *page,
			       const void *bytes, size_t len)
{
	int order;

	if (page->kind & (PAGE_KIND_OF_BOOT | PAGE_KIND_PASSING) && page_boot_compare(&page->version, &o->latest) < 0)
		return PAGE_VOID;
	if (page->kind & PAGE_KIND_PASSING)
		return PAGE_PASSING;
	if (!have)
		return PAGE_NEW;
	order = page_version_compare(&page->version, &have->version);
	if (order)
		return order < 0 ? PAGE_OLDER : PAGE_NEW;
	return bytes_compare(have, bytes, len) ? PAGE_EQUIVOCATION : PAGE_KNOWN;
}

/* The page at @at is @kept from now on; @replace: instead of the one that is there. */
static int origin_enter(struct page_store *s, struct origin *o, size_t at, bool replace, struct kept *kept)
{
	if (replace) {
		kept_leave(s, o->page[at]);
		o->page[at] = kept;
	} else if (array_insert(&o->page, &o->count, sizeof(struct kept *), at, &kept)) {
		return -ENOMEM;
	}
	kept_enter(s, kept);
	if (o->count > s->share)
		origin_drop(s, o, o->count - 1);
	origin_boots(s, o, &kept->version);
	return 0;
}

static enum page_outcome take(struct page_store *s, const void *bytes, size_t len, struct page *ret)
{
	struct page page;
	struct origin *o;
	struct kept *kept, *have = NULL;
	enum page_outcome outcome;
	size_t at;

	if (page_decode(bytes, len, &page))
		return PAGE_MALFORMED;
	o = page_store_origin(s, page.origin);
	if (!o)
		return PAGE_STRANGER;
	if (place_find(o, &page, &at))
		have = o->page[at];
	outcome = judge(o, have, &page, bytes, len);
	if (outcome != PAGE_NEW && outcome != PAGE_EQUIVOCATION && outcome != PAGE_PASSING)
		return outcome;
	if (!page_verify(bytes, len, &o->key, s->signing))
		return PAGE_FORGED;
	*ret = page;
	if (outcome == PAGE_PASSING)
		return outcome;
	if (outcome == PAGE_EQUIVOCATION) {
		proof_keep(o, have, bytes, len);
		if (bytes_compare(have, bytes, len) < 0)
			return outcome;
	}
	if (!have && at == s->share)
		return PAGE_FULL;
	kept = kept_new(s, &page, bytes, len);
	if (!kept || origin_enter(s, o, at, have, kept)) {
		free(kept);
		return PAGE_MEMORY;
	}
	return outcome;
}

enum page_outcome page_store_put(struct page_store *s, const void *bytes, size_t len, struct page *ret)
{
	struct page page;
	enum page_outcome outcome = take(s, bytes, len, ret ? ret : &page);

	s->outcome[outcome]++;
	return outcome;
}

/* NULL if another version is here, or none. */
static struct kept *kept_find(const struct page_store *s, const struct page *page)
{
	struct origin *o = page_store_origin(s, page->origin);
	size_t at;

	if (!o || !place_find(o, page, &at) || page_version_compare(&page->version, &o->page[at]->version))
		return NULL;
	return o->page[at];
}

void page_store_met(struct page_store *s, const void *bytes, size_t len, __u64 peer)
{
	struct page page;
	struct kept *kept;

	if (page_decode(bytes, len, &page))
		return;
	kept = kept_find(s, &page);
	if (kept)
		page_kept_meets(kept, peer);
}

void page_store_rest(struct page_store *s, const struct page *page)
{
	struct kept *kept = kept_find(s, page);

	if (kept && kept->fresh)
		page_kept_rest(s, &s->queue[kept->sent], kept);
}

/* --- looking --- */

bool page_store_next(const struct page_store *s, __u64 origin, size_t *at, struct page *ret)
{
	const struct origin *o = page_store_origin(s, origin);

	if (!o || *at >= o->count || page_decode(o->page[*at]->bytes, o->page[*at]->len, ret))
		return false;
	(*at)++;
	return true;
}

int page_store_latest(const struct page_store *s, __u64 origin, struct page_version *ret)
{
	const struct origin *o = page_store_origin(s, origin);

	if (!o || !o->latest.incarnation)
		return -ENOENT;
	*ret = o->latest;
	return 0;
}

bool page_store_proof(const struct page_store *s, __u64 origin, struct page_bytes ret[2])
{
	const struct origin *o = page_store_origin(s, origin);

	if (!o || !o->proof[0])
		return false;
	ret[0] = (struct page_bytes){o->proof[0], o->proof_len[0]};
	ret[1] = (struct page_bytes){o->proof[1], o->proof_len[1]};
	return true;
}

void page_store_status(const struct page_store *s, struct page_store_status *ret)
{
	*ret = (struct page_store_status){
		.pages = s->pages, .bytes = s->bytes, .origins = s->origins, .share = s->share, .fresh = s->fresh};
	memcpy(ret->outcome, s->outcome, sizeof(ret->outcome));
}
