/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One node of a flock: its opinion on the others, the pages that it holds, and the repair of what it lacks, as one
 * machine that messages and time drive. Pure: the daemon and the simulator run the same. Not here: bytes and seals of
 * messages, sockets, what pages say (fact.h).
 *
 * Repair: probes and their answers carry a digest of all pages. Who hears another's that is not his own sends the sums
 * of his buckets, a quarter a message. The other lists his pages in the buckets that differ; the first one sends what
 * that list lacks, and lists his own pages in the same buckets, for the other to do the same. Whatever of it is lost is
 * begun again by the next digest. No digest is said or heard in the moment that news takes to go round by itself.
 */
#ifndef STARLING_CORE_FLOCK_H
#define STARLING_CORE_FLOCK_H

#include "core/hlc.h"
#include "core/opinion.h"
#include "core/page_store.h"

#define FLOCK_LISTS	   4	       /* answers to a quarter of the sums */
#define FLOCK_BULK_BUCKETS 8	       /* of a quarter's 64 that differ: much does */
#define FLOCK_REPAIR_BYTES (64u << 10) /* of pages, in answer to one list */
#define FLOCK_NEWS_MS	   200	       /* two rounds: what is new is with the others, or was lost */
#define FLOCK_NEWS_PAGES   16	       /* that are new at one time: a little */
#define FLOCK_BUSY_MS	   600	       /* of news all the time: then differences are looked into all the same */

struct flock_hooks {
	void *arg;
	/* A message leaves now; it is the callee's until it returns. */
	void (*send)(void *arg, const struct envelope *e);
	/* A page came that is new here, or news (PAGE_NEW, PAGE_PASSING), or proves that its origin lies. */
	void (*page)(void *arg, enum page_outcome outcome, const struct page *page);
	/* Much differs between @peer's pages and the own ones. Return: whether they are exchanged by other means than
	 * messages; if not, or if NULL, messages do. */
	bool (*bulk)(void *arg, __u64 peer, const struct endpoint *at);
};

struct flock_config {
	struct opinion_config opinion;
	const struct signing *signing; /* borrowed */
	struct flock_hooks hooks;
};

struct flock;

/* Return: NULL without memory. The roster is empty at first. */
struct flock *flock_new(const struct flock_config *config);
void flock_free(struct flock *f);

/* Who counts. Return: 0, or -ENOMEM; what was held of those who stay is kept either way. */
int flock_roster(struct flock *f, const struct roster *roster);

struct opinion *flock_opinion(struct flock *f);
struct page_store *flock_pages(struct flock *f);

/**
 * flock_receive() - a message came
 * @from:	whence
 * @sender:	whose seal it has
 * @m:		borrowed; of any content
 *
 * Answers leave by the hook before it returns, as do the pages that it brought.
 */
void flock_receive(struct flock *f, struct mono now, const struct endpoint *from, __u64 sender,
		   const struct message *m);

/* A page came by other means than a message. */
void flock_page(struct flock *f, struct mono now, const void *bytes, size_t len);

/**
 * flock_step() - do what is due, and send what waits
 * @wall_us:	the wall clock now; 0: not known, then no clocks are compared
 *
 * To be called at flock_due(), and after anything was said by others than flock_receive(): a page published, a seed.
 */
void flock_step(struct flock *f, struct mono now, __u64 wall_us);
struct mono flock_due(const struct flock *f);

/* The last date of its clock (struct hlc), heard or given; 0: none yet. */
__u64 flock_date(const struct flock *f);
/* Messages whose date was too far ahead to be believed. */
__u64 flock_skewed(const struct flock *f);
__u64 flock_count(const struct flock *f, enum page_outcome outcome); /* pages that came, by what became of them */

#endif
