// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See admission.h. Not here: texts (admission_text.c).
 */
#include "core/admission.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define VOUCHERS_FROM 4 /* listed nodes: two vouchers are asked */

/* Somebody whom others vouch for, and how many do. */
struct candidate {
	struct roster_node node;
	size_t vouchers;
	__u64 last; /* who was counted last */
};

struct tally {
	struct candidate *candidate; /* owned */
	size_t count;
	size_t enough;
	bool listed; /* who is in others' files counts here, too: the own one has nobody */
};

void admission_free(struct admission *a)
{
	roster_free(&a->own);
	roster_free(&a->admitted);
	sodium_memzero(a, sizeof(*a));
}

bool admission_allowed(const struct roster *roster, __u64 id)
{
	const struct roster_node *node = roster_find_id(roster, id);
	bool admins = false;

	for (size_t i = 0; i < roster->count; i++)
		admins |= (roster->node[i].roles & ROLE_ADMIN) != 0;
	return node && (!admins || node->roles & ROLE_ADMIN);
}

bool admission_is_forgotten(const struct admission *a, __u64 id)
{
	for (size_t i = 0; i < a->forgotten_count; i++)
		if (a->forgotten[i].id == id)
			return true;
	return false;
}

static void drop(struct roster *r, __u64 id)
{
	const struct roster_node *node = roster_find_id(r, id);

	if (node)
		roster_delete(r, node->name);
}

int admission_forget(struct admission *a, const struct fact_forgotten *f)
{
	if (admission_is_forgotten(a, f->id))
		return -EEXIST;
	if (a->forgotten_count == ADMISSION_FORGOTTEN)
		return -ENOSPC;
	a->forgotten[a->forgotten_count++] = *f;
	drop(&a->own, f->id);
	drop(&a->admitted, f->id);
	return 0;
}

/* --- rosters --- */

/* A node more, unless it is there or forgotten; if its name is another's, its id is its name. Return: 0, or -ENOMEM. */
static int include(const struct admission *a, struct roster *r, const struct roster_node *node)
{
	struct roster_node copy = *node;
	int rc;

	if (admission_is_forgotten(a, node->id) || roster_find_id(r, node->id))
		return 0;
	if (!copy.name[0] || roster_find(r, copy.name))
		roster_id_format(copy.id, copy.name);
	rc = roster_add(r, &copy, NULL);
	return rc == -ENOMEM ? rc : 0;
}

static int include_all(const struct admission *a, struct roster *r, const struct roster *from)
{
	int rc = 0;

	for (size_t i = 0; i < from->count && !rc; i++)
		rc = include(a, r, &from->node[i]);
	return rc;
}

static int include_sponsor(const struct admission *a, struct roster *r)
{
	struct roster_node node = {.key = a->sponsor.key, .roles = ROSTER_ROLES_DEFAULT, .stake = ROSTER_STAKE_DEFAULT};

	if (!a->sponsor.known)
		return 0;
	node.id = roster_id(&node.key);
	return include(a, r, &node);
}

/* --- what pages say --- */

typedef int entry_fn(struct admission *a, void *arg, __u64 origin, int type, const struct roster_node *vouch,
		     const struct fact_forgotten *forget);

/* All entries of one origin. A page that makes no sense ends there. */
static int entries(struct admission *a, const struct page_store *pages, __u64 origin, entry_fn *fn, void *arg)
{
	struct fact_forgotten forget;
	struct roster_node vouch;
	struct page page;
	size_t next = 0, at;
	int type, rc = 0;

	while (pages && !rc && page_store_next(pages, origin, &next, &page)) {
		if (page.kind != PAGE_KIND_ADMISSION)
			continue;
		at = 0;
		while (!rc && (type = fact_admission_next(&page, &at, &vouch, &forget)) > 0)
			rc = fn(a, arg, origin, type, &vouch, &forget);
	}
	return rc;
}

static int on_listed(struct admission *a, void *arg, __u64 origin, int type, const struct roster_node *vouch,
		     const struct fact_forgotten *forget)
{
	(void)origin;
	(void)forget;
	return type == FACT_ADMISSION_LISTED ? include(a, arg, vouch) : 0;
}

/* Whose word counts: the listed nodes; where there are none, who invited this one, and whom that one lists. */
static int trusted(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		   struct roster *ret)
{
	int rc = include_all(a, ret, rules->listed);

	if (rc || ret->count || !a->sponsor.known)
		return rc;
	rc = entries(a, pages, roster_id(&a->sponsor.key), on_listed, ret); /* first: they bring its name */
	if (!rc)
		rc = include_sponsor(a, ret);
	/* It may be gone, or forgotten itself: then all that were let in by its word and others'. */
	return rc || ret->count > 1 ? rc : include_all(a, ret, &a->admitted);
}

/* In mode `open` that of whoever is in, too. */
static int word_of(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		   struct roster *ret)
{
	int rc = trusted(a, rules, pages, ret);

	if (!rc && rules->mode == ADMISSION_OPEN)
		rc = include_all(a, ret, &a->admitted);
	if (!rc && rules->mode == ADMISSION_OPEN)
		rc = include(a, ret, rules->self);
	return rc;
}

bool admission_counts(struct admission *a, const struct admission_rules *rules, const struct page_store *pages)
{
	struct roster word = {0};
	bool counts = !word_of(a, rules, pages, &word) && admission_allowed(&word, rules->self->id);

	roster_free(&word);
	return counts;
}

static int on_forget(struct admission *a, void *arg, __u64 origin, int type, const struct roster_node *vouch,
		     const struct fact_forgotten *forget)
{
	const struct admission_rules *rules = arg;

	(void)origin;
	(void)vouch;
	/* Only who would count: so nobody fills the list with those whom nobody knows. Others' pages are read again. */
	if (type == FACT_ADMISSION_FORGET &&
	    (roster_find_id(rules->listed, forget->id) || roster_find_id(&a->own, forget->id) ||
	     roster_find_id(&a->admitted, forget->id) || forget->id == rules->self->id ||
	     (a->sponsor.known && roster_id(&a->sponsor.key) == forget->id)))
		admission_forget(a, forget);
	return 0;
}

static struct candidate *candidate_of(struct tally *t, const struct roster_node *node)
{
	struct candidate *more;

	for (size_t i = 0; i < t->count; i++)
		if (t->candidate[i].node.id == node->id)
			return &t->candidate[i];
	if (t->count == STARLING_ROSTER_NODES)
		return NULL;
	more = realloc(t->candidate, (t->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	t->candidate = more;
	more[t->count] = (struct candidate){.node = *node};
	return &more[t->count++];
}

static int on_vouch(struct admission *a, void *arg, __u64 origin, int type, const struct roster_node *vouch,
		    const struct fact_forgotten *forget)
{
	struct tally *t = arg;
	bool heeded = type == FACT_ADMISSION_VOUCH || (type == FACT_ADMISSION_LISTED && t->listed);
	struct candidate *c;

	(void)forget;
	if (!heeded || roster_find_id(&a->admitted, vouch->id))
		return 0;
	c = candidate_of(t, vouch);
	if (!c)
		return 0; /* no memory, or more than could ever be let in */
	/* Another's word makes nobody an admin, nor heavy. */
	c->node.roles = vouch->roles & ROLE_WITNESS ? ROLE_WITNESS : ROSTER_ROLES_DEFAULT;
	c->node.stake = ROSTER_STAKE_DEFAULT;
	c->vouchers += c->last != origin;
	c->last = origin;
	return 0;
}

/* One round: whoever has enough vouchers among @word is admitted. */
static int admit(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		 const struct roster *word)
{
	struct tally t = {.enough = rules->mode == ADMISSION_OPEN || word->count < VOUCHERS_FROM ? 1 : 2,
			  .listed = !rules->listed->count};
	int rc = 0;
	size_t i;

	for (i = 0; i < word->count && !rc; i++)
		if (word->node[i].id != rules->self->id)
			rc = entries(a, pages, word->node[i].id, on_vouch, &t);
	for (i = 0; i < a->own.count && !rc; i++)
		rc = on_vouch(a, &t, rules->self->id, FACT_ADMISSION_VOUCH, &a->own.node[i], NULL);
	for (i = 0; i < t.count && !rc; i++)
		if (t.candidate[i].vouchers >= t.enough && !roster_find_id(rules->listed, t.candidate[i].node.id) &&
		    t.candidate[i].node.id != rules->self->id)
			rc = include(a, &a->admitted, &t.candidate[i].node);
	free(t.candidate);
	return rc;
}

/* In mode `open` who is admitted may vouch, too. */
static int admit_all(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		     struct roster *word)
{
	size_t before;
	int rc = 0;

	do {
		before = a->admitted.count;
		if (rules->mode == ADMISSION_OPEN)
			rc = include_all(a, word, &a->admitted);
		if (!rc)
			rc = admit(a, rules, pages, word);
	} while (!rc && rules->mode == ADMISSION_OPEN && a->admitted.count > before);
	return rc;
}

int admission_roster(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		     struct roster *ret)
{
	size_t forgotten = a->forgotten_count;
	struct roster word = {0};
	int rc;

	*ret = (struct roster){0};
	rc = word_of(a, rules, pages, &word);
	for (size_t i = 0; i < word.count && !rc; i++)
		if (admission_allowed(&word, word.node[i].id))
			rc = entries(a, pages, word.node[i].id, on_forget, (void *)(uintptr_t)rules);
	if (!rc && a->forgotten_count > forgotten) { /* their word does not count either */
		roster_free(&word);
		rc = word_of(a, rules, pages, &word);
	}
	if (!rc && (rules->mode != ADMISSION_LISTED || a->sponsor.known))
		rc = admit_all(a, rules, pages, &word);
	roster_free(&word);
	if (!rc)
		rc = include_all(a, ret, rules->listed);
	if (!rc && (rules->mode != ADMISSION_LISTED || a->sponsor.known))
		rc = include_all(a, ret, &a->admitted);
	if (!rc)
		rc = include_sponsor(a, ret);
	if (!rc && (rules->mode == ADMISSION_OPEN || a->sponsor.known))
		rc = include(a, ret, rules->self);
	if (rc)
		roster_free(ret);
	return rc;
}

/* --- what a node tells --- */

/* Whether what had no room is to be put in the next page. */
static bool page_turn(struct page_draft *draft, size_t room, size_t *at, int rc)
{
	if (rc != -ENOSPC || ++*at == room)
		return false;
	draft[*at].len = 0;
	return true;
}

static void vouch_add(const struct roster *r, enum fact_admission_entry how, struct page_draft *draft, size_t room,
		      size_t *at)
{
	for (size_t i = 0; i < r->count && *at < room; i++)
		if (page_turn(draft, room, at, fact_vouch_encode(&r->node[i], how, &draft[*at])))
			fact_vouch_encode(&r->node[i], how, &draft[*at]);
}

size_t admission_pages(const struct admission *a, const struct admission_rules *rules, struct page_draft *draft,
		       size_t room)
{
	size_t at = 0, i;

	for (i = 0; i < a->forgotten_count && at < room; i++)
		if (page_turn(draft, room, &at, fact_forget_encode(&a->forgotten[i], &draft[at])))
			fact_forget_encode(&a->forgotten[i], &draft[at]);
	/* Who comes by an invitation learns of the others by the one who gave it. */
	if (a->own.count) {
		vouch_add(rules->listed, FACT_ADMISSION_LISTED, draft, room, &at);
		vouch_add(&a->own, FACT_ADMISSION_VOUCH, draft, room, &at);
	}
	return at < room && draft[at].len ? at + 1 : at;
}
