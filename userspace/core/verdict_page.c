// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See verdict_page.h.
 */
#include "core/verdict_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WITNESSED   8 /* votes of a witness on one target */
#define PAGE_PROOFS (PAGE_ENTRIES_BYTES / (sizeof(struct page_entry_header) + VERDICT_PROOF_BYTES))
#define PROOF_PAGES ((VERDICT_PROOFS + PAGE_PROOFS - 1) / PAGE_PROOFS) /* behind those of votes */
#define SHOWN_FIRST (VERDICT_PAGES + PROOF_PAGES)		       /* pages of certificates: behind both */
#define PAGES	    (SHOWN_FIRST + VERDICT_CERTIFICATES)

_Static_assert(PAGES < STARLING_PAGES_PER_ORIGIN, "a node has other pages, too");

struct place {
	__u64 target;
	__u32 which; /* 0: an observer's vote; else a witness's, 1 .. WITNESSED */
	__u16 len;   /* 0: free */
	__u8 bytes[VERDICT_VOTE_BYTES];
};

struct proof {
	size_t len;
	__u8 bytes[VERDICT_PROOF_BYTES];
};

struct shown {
	__u64 target;
	size_t page; /* of those of certificates */
	size_t len;
	__u8 bytes[];
};

struct verdict_pages {
	struct place *place; /* owned */
	size_t places, room;
	struct shown *shown[VERDICT_CERTIFICATES]; /* owned */
	size_t shown_count;
	size_t shown_len[VERDICT_CERTIFICATES]; /* by page: bytes of its entries */
	struct proof proof[VERDICT_PROOFS];
	size_t proofs;
	bool changed[PAGES];
};

struct verdict_pages *verdict_pages_new(void)
{
	return calloc(1, sizeof(struct verdict_pages));
}

static void shown_free(struct verdict_pages *p)
{
	for (size_t i = 0; i < p->shown_count; i++)
		free(p->shown[i]);
	p->shown_count = 0;
}

void verdict_pages_free(struct verdict_pages *p)
{
	if (!p)
		return;
	shown_free(p);
	free(p->place);
	free(p);
}

/* The vote's own place, else the first free one; @p->places: there is none yet. */
static size_t place_find(const struct verdict_pages *p, __u64 target, __u32 which)
{
	size_t free_one = p->places;

	for (size_t i = 0; i < p->places; i++) {
		const struct place *place = &p->place[i];

		if (place->len && place->target == target && place->which == which)
			return i;
		if (!place->len && free_one == p->places)
			free_one = i;
	}
	return free_one;
}

static int place_add(struct verdict_pages *p)
{
	size_t room = p->room ? 2 * p->room : 4 * VERDICT_PAGE_VOTES;
	struct place *wider;

	if (p->places == VERDICT_PAGES * VERDICT_PAGE_VOTES)
		return -ENOSPC;
	if (p->places == p->room) {
		wider = realloc(p->place, room * sizeof(*wider));
		if (!wider)
			return -ENOMEM;
		p->place = wider;
		p->room = room;
	}
	memset(&p->place[p->places++], 0, sizeof(*p->place));
	return 0;
}

int verdict_pages_put(struct verdict_pages *p, const void *bytes, size_t len)
{
	struct verdict_vote vote;
	struct place *place;
	__u32 which;
	size_t at;
	int rc;

	if (len > VERDICT_VOTE_BYTES || verdict_vote_decode(bytes, len, &vote))
		return -EBADMSG;
	which = vote.about ? 1 + (__u32)(vote.about >> 32) % WITNESSED : 0;
	at = place_find(p, vote.target, which);
	rc = at == p->places ? place_add(p) : 0;
	if (rc)
		return rc;
	place = &p->place[at];
	place->target = vote.target;
	place->which = which;
	place->len = (__u16)len;
	memcpy(place->bytes, bytes, len);
	p->changed[at / VERDICT_PAGE_VOTES] = true;
	return 0;
}

int verdict_pages_proof(struct verdict_pages *p, const void *bytes, size_t len)
{
	struct proof *proof = &p->proof[p->proofs];

	if (!len || len > sizeof(proof->bytes))
		return -EBADMSG;
	if (p->proofs == VERDICT_PROOFS)
		return -ENOSPC;
	proof->len = len;
	memcpy(proof->bytes, bytes, len);
	p->changed[VERDICT_PAGES + p->proofs++ / PAGE_PROOFS] = true;
	return 0;
}

/* --- certificates --- */

static size_t entry_bytes(size_t len)
{
	return sizeof(struct page_entry_header) + len;
}

static void shown_drop(struct verdict_pages *p, __u64 target)
{
	struct shown *shown;
	size_t i = 0;

	while (i < p->shown_count && p->shown[i]->target != target)
		i++;
	if (i == p->shown_count)
		return;
	shown = p->shown[i];
	p->shown[i] = p->shown[--p->shown_count];
	p->shown_len[shown->page] -= entry_bytes(shown->len);
	p->changed[SHOWN_FIRST + shown->page] = true;
	free(shown);
}

int verdict_pages_certificate(struct verdict_pages *p, __u64 target, const void *bytes, size_t len)
{
	struct shown *shown;
	size_t page = 0;

	shown_drop(p, target);
	if (!len)
		return 0;
	if (len > PAGE_VALUE_BYTES)
		return -EMSGSIZE;
	if (p->shown_count == VERDICT_CERTIFICATES)
		return -ENOSPC;
	shown = malloc(sizeof(*shown) + len);
	if (!shown)
		return -ENOMEM;
	while (p->shown_len[page] + entry_bytes(len) > PAGE_ENTRIES_BYTES)
		page++; /* there are as many pages as certificates */
	shown->target = target;
	shown->page = page;
	shown->len = len;
	memcpy(shown->bytes, bytes, len);
	p->shown[p->shown_count++] = shown;
	p->shown_len[page] += entry_bytes(len);
	p->changed[SHOWN_FIRST + page] = true;
	return 0;
}

/* --- all of them --- */

void verdict_pages_again(struct verdict_pages *p)
{
	for (size_t i = 0; i * VERDICT_PAGE_VOTES < p->places; i++)
		p->changed[i] = true;
	for (size_t i = 0; i * PAGE_PROOFS < p->proofs; i++)
		p->changed[VERDICT_PAGES + i] = true;
	for (size_t i = 0; i < p->shown_count; i++)
		p->changed[SHOWN_FIRST + p->shown[i]->page] = true;
}

void verdict_pages_clear(struct verdict_pages *p)
{
	verdict_pages_again(p);
	p->places = 0;
	shown_free(p);
	memset(p->shown_len, 0, sizeof(p->shown_len));
}

void verdict_pages_drop(struct verdict_pages *p, __u64 target)
{
	for (size_t i = 0; i < p->places; i++) {
		if (!p->place[i].len || p->place[i].target != target)
			continue;
		p->place[i].len = 0;
		p->changed[i / VERDICT_PAGE_VOTES] = true;
	}
	shown_drop(p, target);
}

static void votes_add(const struct verdict_pages *p, size_t first, struct page_draft *ret)
{
	for (size_t i = first; i < p->places && i < first + VERDICT_PAGE_VOTES; i++)
		if (p->place[i].len)
			page_entry_add(ret, VERDICT_ENTRY_VOTE, p->place[i].bytes, p->place[i].len);
}

static void proofs_add(const struct verdict_pages *p, size_t first, struct page_draft *ret)
{
	for (size_t i = first; i < p->proofs && i < first + PAGE_PROOFS; i++)
		page_entry_add(ret, VERDICT_ENTRY_PROOF, p->proof[i].bytes, p->proof[i].len);
}

static void shown_add(const struct verdict_pages *p, size_t page, struct page_draft *ret)
{
	for (size_t i = 0; i < p->shown_count; i++)
		if (p->shown[i]->page == page)
			page_entry_add(ret, VERDICT_ENTRY_CERTIFICATE, p->shown[i]->bytes, p->shown[i]->len);
}

bool verdict_pages_next(struct verdict_pages *p, __u16 *ret_index, struct page_draft *ret)
{
	size_t page = 0;

	while (page < PAGES && !p->changed[page])
		page++;
	if (page == PAGES)
		return false;
	ret->len = 0;
	if (page < VERDICT_PAGES)
		votes_add(p, page * VERDICT_PAGE_VOTES, ret);
	else if (page < SHOWN_FIRST)
		proofs_add(p, (page - VERDICT_PAGES) * PAGE_PROOFS, ret);
	else
		shown_add(p, page - SHOWN_FIRST, ret);
	p->changed[page] = false;
	*ret_index = (__u16)page;
	return true;
}

static enum verdict_outcome entry_hear(struct verdict *v, struct mono now, const struct page_entry *entry)
{
	switch (entry->type) {
	case VERDICT_ENTRY_VOTE:
		return verdict_vote(v, now, entry->value, entry->len);
	case VERDICT_ENTRY_PROOF:
		return verdict_proof(v, now, entry->value, entry->len);
	case VERDICT_ENTRY_CERTIFICATE:
		return verdict_certificate(v, now, entry->value, entry->len);
	default:
		return VERDICT_OUTCOME_KNOWN; /* of a later version */
	}
}

size_t verdict_page_hear(struct verdict *v, struct mono now, const struct page *page)
{
	struct page_entry entry;
	size_t at = 0, fresh = 0;

	while (page_entry_next(page, &at, &entry))
		fresh += entry_hear(v, now, &entry) == VERDICT_OUTCOME_NEW;
	return fresh;
}
