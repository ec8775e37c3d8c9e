// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See flock.h. Not here: opinions (opinion.h), what pages a peer lacks (page_store.h).
 */
#include "core/flock.h"

#include <stdlib.h>
#include <string.h>

#define GOSSIP_HEADER_BYTES 16 /* of a message with nothing but pages and updates */
#define PAGE_FRAME_BYTES    4  /* around each page */
#define SUMS_BYTES	    (MESSAGE_SUMS_MAX * 8 + OPINION_HEADER_BYTES)
#define LIST_BYTES	    (MESSAGE_LIST_MAX * sizeof(struct page_summary) + OPINION_HEADER_BYTES)

struct flock {
	struct flock_config config;
	struct opinion *opinion;
	struct page_store *pages;
	struct hlc hlc;
	struct mono repair_at; /* when the next one may begin */
	__u64 digest;	       /* of the pages, when it was last looked at */
	struct mono news;      /* when it was last seen to be another */
	struct mono quiet;     /* and after how long a time without news: the first since */
	struct mono now;
	__u64 wall_us;
	__u64 skewed;
	__u64 counts[PAGE_OUTCOMES];
};

struct flock *flock_new(const struct flock_config *config)
{
	struct flock *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->config = *config;
	f->opinion = opinion_new(&config->opinion);
	f->pages = page_store_new(config->signing);
	if (!f->opinion || !f->pages) {
		flock_free(f);
		return NULL;
	}
	return f;
}

void flock_free(struct flock *f)
{
	if (!f)
		return;
	opinion_free(f->opinion);
	page_store_free(f->pages);
	free(f);
}

int flock_roster(struct flock *f, const struct roster *roster)
{
	int rc = page_store_roster(f->pages, roster);

	return rc ? rc : opinion_roster(f->opinion, roster);
}

struct opinion *flock_opinion(struct flock *f)
{
	return f->opinion;
}

struct page_store *flock_pages(struct flock *f)
{
	return f->pages;
}

__u64 flock_count(const struct flock *f, enum page_outcome outcome)
{
	return f->counts[outcome];
}

__u64 flock_date(const struct flock *f)
{
	return f->hlc.last;
}

__u64 flock_skewed(const struct flock *f)
{
	return f->skewed;
}

/* --- sending --- */

static size_t fresh_pages(const struct flock *f)
{
	struct page_store_status status;

	page_store_status(f->pages, &status);
	return status.fresh;
}

/* Pages that ride on a message. Return: whether there are any. */
static bool pages_add(struct flock *f, struct envelope *e)
{
	struct message *m = &e->message;
	/* Few where nothing else is, so that their frames leave room for a page of the largest size. */
	size_t room = m->updates ? MESSAGE_PAGES_MAX : MESSAGE_PAGES_MAX / 4,
	       header = m->kind == MESSAGE_GOSSIP ? GOSSIP_HEADER_BYTES : OPINION_HEADER_BYTES,
	       used = header + m->updates * OPINION_UPDATE_BYTES + room * PAGE_FRAME_BYTES,
	       all = f->config.opinion.message_bytes;
	unsigned int limit = page_spread_limit(f->config.opinion.lambda, opinion_live(f->opinion));

	m->pages = used < all ? page_store_spread(f->pages, e->to, limit, all - used, m->page, room) : 0;
	return m->pages;
}

static size_t pages_bytes(const struct message *m)
{
	size_t bytes = 0, i;

	for (i = 0; i < m->pages; i++)
		bytes += m->page[i].len + PAGE_FRAME_BYTES;
	return bytes;
}

static void send(struct flock *f, const struct envelope *e)
{
	f->config.hooks.send(f->config.hooks.arg, e);
}

/* What a message with updates had no room for goes to the same one in a second message. */
static void pages_alone(struct flock *f, const struct envelope *first)
{
	struct envelope e = {.to = first->to, .at = first->at, .message = {.kind = MESSAGE_GOSSIP}};

	if (!fresh_pages(f) || !opinion_spend(f->opinion, f->now, e.to, 0) || !pages_add(f, &e))
		return;
	opinion_spend(f->opinion, f->now, e.to, pages_bytes(&e.message) + GOSSIP_HEADER_BYTES);
	send(f, &e);
}

/*
 * Whether a little news is on its way, so that others hold other pages and need no repair. Of much, as where all begin
 * at once, repair brings the most for its bytes; and where there is always news that is said of the first of it alone.
 */
static bool is_spreading(struct flock *f)
{
	__u64 digest = page_store_digest(f->pages);

	if (digest != f->digest) {
		if (mono_ms(f->news, f->now) >= FLOCK_NEWS_MS)
			f->quiet = f->now;
		f->digest = digest;
		f->news = f->now;
	}
	return f->quiet.ns && fresh_pages(f) <= FLOCK_NEWS_PAGES && mono_ms(f->news, f->now) < FLOCK_NEWS_MS &&
	       mono_ms(f->quiet, f->now) < FLOCK_BUSY_MS;
}

static void flush(struct flock *f)
{
	bool spreading = is_spreading(f);
	struct envelope e;
	struct message *m = &e.message;

	opinion_gossip(f->opinion, fresh_pages(f));
	while (opinion_take(f->opinion, f->now, &e)) {
		if (m->kind == MESSAGE_PROBE || m->kind == MESSAGE_ACK) {
			m->digest = spreading ? 0 : f->digest;
			m->date = f->wall_us ? hlc_now(&f->hlc, f->wall_us / 1000) : 0;
		}
		if (e.to)
			pages_add(f, &e);
		if (m->kind == MESSAGE_GOSSIP && !m->updates && !m->pages)
			continue;
		if (m->kind == MESSAGE_GOSSIP && m->pages)
			opinion_spend(f->opinion, f->now, e.to, pages_bytes(m));
		send(f, &e);
		if (m->kind == MESSAGE_GOSSIP && m->updates)
			pages_alone(f, &e);
	}
	opinion_gossip(f->opinion, fresh_pages(f));
}

/* --- repair --- */

static void sums_send(struct flock *f, __u64 to, const struct endpoint *at)
{
	struct envelope e = {.to = to, .at = *at, .message = {.kind = MESSAGE_SUMS, .sums = MESSAGE_SUMS_MAX}};
	__u64 sums[PAGE_BUCKETS];
	__u32 first;

	page_store_buckets(f->pages, sums);
	for (first = 0; first < PAGE_BUCKETS; first += MESSAGE_SUMS_MAX) {
		if (!opinion_spend(f->opinion, f->now, to, SUMS_BYTES))
			return;
		e.message.sums_first = first;
		memcpy(e.message.sum, sums + first, sizeof(e.message.sum));
		send(f, &e);
	}
}

static void digest_compare(struct flock *f, __u64 sender, const struct endpoint *from, const struct message *m)
{
	if (!m->digest || m->digest == page_store_digest(f->pages) || f->now.ns < f->repair_at.ns || is_spreading(f))
		return;
	f->repair_at.ns = f->now.ns + PAGE_REPAIR_MS * 1000000ull;
	sums_send(f, sender, from);
}

/* The own pages in some buckets. What is listed is taken out of @mask. Return: whether anything was. */
static bool list_send(struct flock *f, __u64 to, const struct endpoint *at, struct page_mask *mask, bool ask)
{
	struct envelope e = {.to = to, .at = *at, .message = {.kind = MESSAGE_LIST, .mask = *mask, .ask = ask}};
	bool listed = false;
	size_t i;

	if (!opinion_spend(f->opinion, f->now, to, LIST_BYTES))
		return false;
	e.message.list = (__u32)page_store_list(f->pages, &e.message.mask, e.message.summary, MESSAGE_LIST_MAX);
	for (i = 0; i < sizeof(mask->bit); i++) {
		listed |= e.message.mask.bit[i];
		mask->bit[i] &= (__u8)~e.message.mask.bit[i];
	}
	if (listed)
		send(f, &e);
	return listed;
}

static bool mask_empty(const struct page_mask *mask)
{
	static const struct page_mask none;

	return !memcmp(mask, &none, sizeof(none));
}

static void sums_answer(struct flock *f, __u64 sender, const struct endpoint *from, const struct message *m)
{
	__u64 theirs[PAGE_BUCKETS];
	struct page_mask mask;
	size_t i;

	if (m->sums != MESSAGE_SUMS_MAX || m->sums_first > PAGE_BUCKETS - MESSAGE_SUMS_MAX)
		return;
	page_store_buckets(f->pages, theirs);
	memcpy(theirs + m->sums_first, m->sum, sizeof(m->sum));
	if (page_store_differ(f->pages, theirs, &mask) >= FLOCK_BULK_BUCKETS && f->config.hooks.bulk &&
	    f->config.hooks.bulk(f->config.hooks.arg, sender, from))
		return;
	for (i = 0; i < FLOCK_LISTS && !mask_empty(&mask); i++)
		if (!list_send(f, sender, from, &mask, true))
			return;
}

static void pages_send(struct flock *f, __u64 to, const struct endpoint *at, const struct page_bytes *page,
		       size_t count)
{
	struct envelope e = {.to = to, .at = *at, .message = {.kind = MESSAGE_GOSSIP}};
	size_t all = f->config.opinion.message_bytes, bytes = GOSSIP_HEADER_BYTES, i;

	for (i = 0; i <= count; i++) {
		size_t more = i < count ? page[i].len + PAGE_FRAME_BYTES : 0;

		if (e.message.pages && (i == count || bytes + more > all || e.message.pages == MESSAGE_PAGES_MAX)) {
			if (!opinion_spend(f->opinion, f->now, to, bytes))
				return;
			send(f, &e);
			e.message.pages = 0;
			bytes = GOSSIP_HEADER_BYTES;
		}
		if (i < count)
			e.message.page[e.message.pages++] = page[i];
		bytes += more;
	}
}

static void list_answer(struct flock *f, __u64 sender, const struct endpoint *from, const struct message *m)
{
	struct page_bytes lacking[FLOCK_REPAIR_BYTES / 256];
	struct page_mask mask = m->mask;
	size_t count;

	if (m->list > MESSAGE_LIST_MAX || page_store_delta(f->pages, &mask, m->summary, m->list, FLOCK_REPAIR_BYTES,
							   lacking, sizeof(lacking) / sizeof(*lacking), &count) < 0)
		return;
	pages_send(f, sender, from, lacking, count);
	if (m->ask)
		list_send(f, sender, from, &mask, false);
}

/* Pages for somebody whom the sender does not reach. */
static void relay(struct flock *f, const struct message *m)
{
	struct envelope e = {.to = m->subject, .message = {.kind = MESSAGE_GOSSIP, .pages = m->pages}};
	struct opinion_view view;

	if (!m->pages || m->pages > MESSAGE_PAGES_MAX || m->subject == f->config.opinion.id ||
	    opinion_state(f->opinion, m->subject, &view) || view.state == MEMBER_DEAD || !view.at.port ||
	    !opinion_spend(f->opinion, f->now, e.to, pages_bytes(m) + GOSSIP_HEADER_BYTES))
		return;
	e.at = view.at;
	memcpy(e.message.page, m->page, m->pages * sizeof(m->page[0]));
	send(f, &e);
}

/* --- events --- */

/* Where a round of gossip reaches all, an origin tells everybody by itself. Whom it does not reach repair does. */
static bool round_is_whole(const struct flock *f)
{
	return opinion_live(f->opinion) <= f->config.opinion.fanout + 1 && !f->config.opinion.hierarchy;
}

static void pages_take(struct flock *f, const struct message *m, __u64 sender)
{
	struct page page;
	size_t i;

	for (i = 0; i < m->pages && i < MESSAGE_PAGES_MAX; i++) {
		enum page_outcome outcome = page_store_put(f->pages, m->page[i].bytes, m->page[i].len, &page);

		f->counts[outcome]++;
		if (outcome == PAGE_NEW && page.origin == sender && round_is_whole(f))
			page_store_rest(f->pages, &page);
		if (outcome == PAGE_NEW || outcome == PAGE_KNOWN)
			page_store_met(f->pages, m->page[i].bytes, m->page[i].len, sender);
		if (outcome == PAGE_NEW || outcome == PAGE_PASSING || outcome == PAGE_EQUIVOCATION)
			f->config.hooks.page(f->config.hooks.arg, outcome, &page);
	}
}

void flock_page(struct flock *f, struct mono now, const void *bytes, size_t len)
{
	struct message m = {.kind = MESSAGE_GOSSIP, .pages = 1, .page = {{bytes, len}}};

	f->now = now;
	opinion_step(f->opinion, now); /* it is not late because a page has come */
	pages_take(f, &m, 0);
	flush(f);
}

void flock_receive(struct flock *f, struct mono now, const struct endpoint *from, __u64 sender, const struct message *m)
{
	f->now = now;
	if (!opinion_receive(f->opinion, now, from, sender, m))
		return;
	if (m->kind != MESSAGE_RELAY) /* those are not for this node: loads of another site, perhaps */
		pages_take(f, m, sender);
	if (m->date && f->wall_us)
		f->skewed += hlc_heard(&f->hlc, f->wall_us / 1000, m->date) != 0;
	switch (m->kind) {
	case MESSAGE_PROBE:
	case MESSAGE_ACK:
		digest_compare(f, sender, from, m);
		break;
	case MESSAGE_SUMS:
		sums_answer(f, sender, from, m);
		break;
	case MESSAGE_RELAY:
		relay(f, m);
		break;
	case MESSAGE_LIST:
		list_answer(f, sender, from, m);
		break;
	default:
		break;
	}
	flush(f);
}

void flock_step(struct flock *f, struct mono now, __u64 wall_us)
{
	f->now = now;
	f->wall_us = wall_us;
	if (wall_us)
		opinion_clock(f->opinion, now, wall_us);
	opinion_step(f->opinion, now);
	flush(f);
}

struct mono flock_due(const struct flock *f)
{
	return opinion_due(f->opinion);
}
