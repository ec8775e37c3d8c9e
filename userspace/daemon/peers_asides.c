// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What each balancer has put aside by itself, told to the others: for people, nobody else acts on it. Not here: what
 * the flock has agreed to put aside (core/aside.h), how the own ones become that (agree_fold.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/aside_page.h"
#include "daemon/peers_state.h"

#define ASIDE_PROBLEMS 5   /* are told one by one, others counted */
#define ASIDE_TEXT     256 /* bytes of what is shown of one */

/* --- the own ones --- */

void peers_asides_publish(struct peers *p)
{
	struct page_draft draft = {0};
	__u16 index = 0;

	for (size_t i = 0; i < p->asides && index < ASIDE_PAGES; i++) {
		struct buf line = BUF_INIT;

		override_write(&p->aside[i], &line);
		if (page_entry_add(&draft, FACT_ASIDE, buf_text(&line), line.len) == -ENOSPC) {
			peers_page_publish(p, PAGE_KIND_ASIDES, index++, &draft);
			draft.len = 0;
			page_entry_add(&draft, FACT_ASIDE, buf_text(&line), line.len);
		}
		buf_free(&line);
	}
	if (draft.len && index < ASIDE_PAGES)
		peers_page_publish(p, PAGE_KIND_ASIDES, index++, &draft);
	page_author_trim(&p->author, PAGE_KIND_ASIDES, index);
}

static void on_asides(void *arg)
{
	struct peers *p = arg;

	pthread_mutex_lock(&p->lock);
	if (p->flock && p->d->peers) {
		peers_asides_publish(p);
		peers_step(p);
	}
	pthread_mutex_unlock(&p->lock);
}

void peers_asides(struct peers *p, const struct override *all, size_t count)
{
	struct override *copy;

	pthread_mutex_lock(&p->lock);
	if (!array_copy(&copy, all, count, sizeof(*copy))) {
		if (count)
			qsort(copy, count, sizeof(*copy), override_order); /* a file may have any order */
		free(p->aside);
		p->aside = copy;
		p->asides = count;
		loop_post(p->d->loop, on_asides, p);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- others' --- */

struct told {
	struct override o;
	const struct roster_node *node;
};

static int told_order(const void *a, const void *b)
{
	return override_order(&((const struct told *)a)->o, &((const struct told *)b)->o);
}

static int node_read(struct peers *p, const struct roster_node *node, struct told **told, size_t *count)
{
	struct override *list = NULL;
	size_t length = 0, next = 0;
	struct page page;
	int rc = 0;

	while (!rc && page_store_next(flock_pages(p->flock), node->id, &next, &page))
		rc = aside_page_read(&page, &list, &length);
	for (size_t i = 0; !rc && i < length; i++)
		rc = array_insert(told, count, sizeof(**told), *count, &(struct told){list[i], node});
	free(list);
	return rc;
}

/* By VIP and backend, of those that answer; owned by the caller, good while the lock is held. */
static size_t told_collect(struct peers *p, struct told **ret)
{
	struct endpoint at;
	size_t count = 0;

	*ret = NULL;
	for (size_t i = 0; p->flock && i < p->roster.count; i++) {
		if (peers_live(p, &p->roster.node[i], &at))
			node_read(p, &p->roster.node[i], ret, &count);
	}
	if (count)
		qsort(*ret, count, sizeof(**ret), told_order);
	return count;
}

/* "lb2 has drained WHAT for itself: disk". */
static void told_words(const struct told *t, const char *what, char text[ASIDE_TEXT])
{
	static const char *const done[] = {
		[OVERRIDE_NONE] = "enabled", [OVERRIDE_DRAIN] = "drained", [OVERRIDE_DISABLE] = "disabled"};

	snprintf(text, ASIDE_TEXT, "%s has %s %s for itself%s%s", t->node->name, done[t->o.state], what,
		 t->o.reason[0] ? ": " : "", t->o.reason);
}

/* Several may have put aside the same. */
static void row_show(const struct told *told, size_t count, struct table *t, size_t row)
{
	const char *vip = table_get_text(t, row, FIELD_BACKEND_vip),
		   *at = table_get_text(t, row, FIELD_BACKEND_backend);
	struct told key = {0};
	char text[ASIDE_TEXT];
	size_t i;

	if (!vip || !at || endpoint_parse(at, &key.o.at))
		return;
	snprintf(key.o.vip, sizeof(key.o.vip), "%s", vip);
	array_find(told, count, sizeof(*told), &key, told_order, &i);
	while (i && !told_order(&told[i - 1], &key))
		i--;
	for (; i < count && !told_order(&told[i], &key); i++) {
		told_words(&told[i], "it", text);
		table_add_list(t, row, FIELD_BACKEND_elsewhere, text);
	}
}

void peers_asides_show(struct peers *p, struct table *t)
{
	struct told *told;
	size_t count;

	pthread_mutex_lock(&p->lock);
	count = told_collect(p, &told);
	for (size_t row = 0; count && row < table_rows(t); row++)
		row_show(told, count, t, row);
	pthread_mutex_unlock(&p->lock);
	free(told);
}

/* Whether this balancer has done the same by itself. */
static bool is_own(const struct peers *p, const struct override *o)
{
	size_t at;

	return array_find(p->aside, p->asides, sizeof(*p->aside), o, override_order, &at) &&
	       p->aside[at].state == o->state;
}

void peers_asides_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg)
{
	char at[ENDPOINT_TEXT_BYTES], what[ENDPOINT_TEXT_BYTES + STARLING_NAME_BYTES + 8], text[ASIDE_TEXT];
	struct told *told;
	size_t count = told_collect(p, &told), others = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_own(p, &told[i].o) || ++others > ASIDE_PROBLEMS)
			continue;
		snprintf(what, sizeof(what), "%s of %s", endpoint_format(&told[i].o.at, at), told[i].o.vip);
		told_words(&told[i], what, text);
		tell(arg, text);
	}
	if (others > ASIDE_PROBLEMS) {
		snprintf(text, sizeof(text), "%zu more backends are put aside by one balancer alone",
			 others - ASIDE_PROBLEMS);
		tell(arg, text);
	}
	free(told);
}
