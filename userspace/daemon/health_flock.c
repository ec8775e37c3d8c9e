// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Between verdicts and the other nodes: who votes, what they say, what this node says. Not here: pages on the wire
 * (peers_votes.c), what votes decide (core/verdict.h).
 *
 * Votes are verified on the prober's thread, as the loop's must not wait: pages stand in a list until then. What finds
 * no room there is shown again later, as is what came before its roster or its target was known.
 */
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/fact.h"
#include "daemon/health_state.h"

#define HEARD_MAX  4096				       /* pages that wait to be looked at */
#define HEARD_HALF (HEARD_MAX / 2)		       /* of them, that were shown again */
#define HEARD_TURN (VERDICT_TURN / VERDICT_PAGE_VOTES) /* pages of one turn */

/* --- from others, on the loop's thread --- */

static bool self_same(const struct verdict_self *a, const struct verdict_self *b)
{
	return a->id == b->id && a->incarnation == b->incarnation && a->boot == b->boot;
}

static bool flock_same(const struct health *h, const struct health_flock *f)
{
	return h->fit_told && h->unfit_told == f->unfit && self_same(&h->self_told, f->self) &&
	       roster_same(&h->roster_told, f->roster) &&
	       !memcmp(h->fit_told, f->fit, f->roster->count * sizeof(*f->fit));
}

/* Return: 0, or -ENOMEM: the next call tells. */
static int flock_tell(struct health *h, const struct health_flock *f)
{
	bool *fit = calloc(f->roster->count + 1, sizeof(*fit));
	struct roster roster;

	if (!fit || roster_copy(&roster, f->roster)) {
		free(fit);
		return -ENOMEM;
	}
	memcpy(fit, f->fit, f->roster->count * sizeof(*fit));
	free(h->fit_told);
	roster_free(&h->roster_told);
	h->roster_told = roster;
	h->fit_told = fit;
	h->self_told = *f->self;
	if (f->identity)
		h->identity_told = *f->identity;
	h->unfit_told = f->unfit;
	h->flock_told = true;
	return 0;
}

void health_flock(struct health *h, const struct health_flock *flock)
{
	bool told;

	if (!h)
		return;
	pthread_mutex_lock(&h->inbox);
	told = !h->stopped && !flock_same(h, flock) && !flock_tell(h, flock);
	if (told)
		health_reputation_load(h);
	pthread_mutex_unlock(&h->inbox);
	if (told)
		prober_wake(h->prober);
}

void health_hear(struct health *h, const struct page *page)
{
	struct health_heard *heard;
	bool first = false;

	if (!h)
		return;
	heard = malloc(sizeof(*heard) + page->len);
	pthread_mutex_lock(&h->inbox);
	if (!heard || h->stopped || h->heard_count == HEARD_MAX) {
		h->again = true;
		free(heard);
	} else {
		heard->next = NULL;
		heard->origin = page->origin;
		heard->kind = page->kind;
		heard->len = page->len;
		memcpy(heard->entries, page->entries, page->len);
		first = !h->heard;
		*h->heard_end = heard;
		h->heard_end = &heard->next;
		h->heard_count++;
	}
	pthread_mutex_unlock(&h->inbox);
	if (first)
		prober_wake(h->prober);
}

bool health_hear_again(struct health *h)
{
	if (!h)
		return false;
	h->votes_posted = false;
	return atomic_exchange(&h->again, false);
}

bool health_hear_room(struct health *h, size_t pages)
{
	bool room;

	if (!h)
		return false;
	pthread_mutex_lock(&h->inbox);
	room = h->heard_count + pages <= HEARD_HALF;
	h->room_wanted = !room;
	pthread_mutex_unlock(&h->inbox);
	return room;
}

bool health_votes(struct health *h, __u16 *ret_index, struct page_draft *ret)
{
	bool any;

	if (!h)
		return false;
	pthread_mutex_lock(&h->inbox);
	any = verdict_pages_next(h->pages, ret_index, ret);
	pthread_mutex_unlock(&h->inbox);
	return any;
}

/* --- to verdicts, on the prober's thread, under the lock --- */

/* What was told, taken out of the inbox; the identity moves at once. Return: whether there was anything. */
static bool told_take(struct health *h, struct roster *ret_roster, bool **ret_fit, struct verdict_self *ret_self)
{
	if (!h->flock_told || roster_copy(ret_roster, &h->roster_told))
		return false;
	*ret_fit = calloc(ret_roster->count + 1, sizeof(**ret_fit));
	if (!*ret_fit) {
		roster_free(ret_roster);
		return false;
	}
	memcpy(*ret_fit, h->fit_told, ret_roster->count * sizeof(**ret_fit));
	*ret_self = h->self_told;
	h->identity = h->identity_told;
	h->flock_told = false;
	return true;
}

/* As another node it has said nothing yet; in another life it says all anew. */
static void self_use(struct health *h, struct mono now, const struct verdict_self *self)
{
	if (self_same(&h->self, self))
		return;
	pthread_mutex_lock(&h->inbox);
	if (h->self.id != self->id)
		verdict_pages_clear(h->pages);
	verdict_pages_again(h->pages);
	pthread_mutex_unlock(&h->inbox);
	verdict_self(h->verdict, now, self);
	h->self = *self;
	health_agents_write(h);
	h->again = true;
}

/* @roster moves in. Return: whether it is used. */
static bool roster_use(struct health *h, struct mono now, struct roster *roster)
{
	if (roster_same(&h->roster, roster)) {
		roster_free(roster);
		return true;
	}
	if (verdict_roster(h->verdict, now, roster)) {
		log_error("health: no memory for another roster yet: votes count by the one before");
		roster_free(roster);
		return false;
	}
	roster_free(&h->roster);
	h->roster = *roster;
	pthread_mutex_lock(&h->inbox);
	verdict_pages_clear(h->pages); /* they are of another epoch */
	pthread_mutex_unlock(&h->inbox);
	h->again = true;
	return !health_targets_use(h, now); /* the site may be another one */
}

/* Return: whether all of it is used. */
static bool flock_use(struct health *h, struct mono now, struct roster *roster, const bool *fit,
		      const struct verdict_self *self, bool unfit)
{
	size_t live = 0;

	self_use(h, now, self);
	if (!roster_use(h, now, roster))
		return false;
	for (size_t i = 0; i < h->roster.count; i++) {
		verdict_live(h->verdict, now, h->roster.node[i].id, fit[i]);
		live += fit[i] || h->roster.node[i].id == self->id;
	}
	h->cut_off = 2 * live < h->roster.count;
	verdict_unfit(h->verdict, unfit);
	return true;
}

/* Those that are looked at in this turn. @ret_more: there are others. */
static struct health_heard *heard_take(struct health *h, bool *ret_more)
{
	struct health_heard *first, **end;
	size_t count = 0;

	pthread_mutex_lock(&h->inbox);
	first = h->heard;
	for (end = &h->heard; *end && count < HEARD_TURN; count++)
		end = &(*end)->next;
	h->heard_count -= count;
	h->heard = *end;
	*end = NULL;
	if (!h->heard)
		h->heard_end = &h->heard;
	*ret_more = h->heard;
	if (h->room_wanted && !h->heard) {
		h->room_wanted = false;
		h->room_ready = true;
	}
	pthread_mutex_unlock(&h->inbox);
	return count ? first : NULL;
}

bool health_flock_use(struct health *h, struct mono now)
{
	struct health_heard *heard, *next;
	struct verdict_self self;
	struct roster roster;
	bool *fit = NULL, more, told, unfit;

	pthread_mutex_lock(&h->inbox);
	told = told_take(h, &roster, &fit, &self);
	unfit = h->unfit_told;
	pthread_mutex_unlock(&h->inbox);
	if (told && !flock_use(h, now, &roster, fit, &self, unfit)) {
		pthread_mutex_lock(&h->inbox);
		h->flock_told = true; /* with the next turn again */
		pthread_mutex_unlock(&h->inbox);
	}
	free(fit);
	for (heard = heard_take(h, &more); heard; heard = next) {
		struct page page = {.kind = heard->kind, .len = heard->len, .entries = heard->entries};

		next = heard->next;
		if (page.kind == PAGE_KIND_AGENTS)
			health_agents_hear(h, heard->origin, &page);
		else
			verdict_page_hear(h->verdict, now, &page);
		free(heard);
	}
	return more;
}

void health_flock_close(struct health *h)
{
	struct health_heard *next;

	for (; h->heard; h->heard = next) {
		next = h->heard->next;
		free(h->heard);
	}
	roster_free(&h->roster_told);
	free(h->fit_told);
	reputation_free(&h->reputation);
	sodium_memzero(&h->identity_told, sizeof(h->identity_told));
	sodium_memzero(&h->identity, sizeof(h->identity));
}
