// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sums of others' loads. Not here: what goes out (load_out.c).
 */
#include "core/load_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* What one node said of one backend. */
struct heard {
	__u64 counter; /* of the last page that said anything; 0: none did */
	struct mono at;
	__u32 open;
};

struct teller {
	__u64 origin;
	struct page_version boot;
	struct heard *heard; /* owned; one a key */
	struct fact_node_load node;
	struct mono node_at; /* 0: not said */
	__u64 node_counter;
};

struct load_in {
	__u64 *key;  /* owned; sorted */
	__u64 *open; /* owned; sum over tellers, one a key */
	size_t count;
	struct teller *teller; /* owned; sorted by origin */
	size_t tellers;
};

static int key_order(const void *key, const void *member)
{
	__u64 a = *(const __u64 *)key, b = *(const __u64 *)member;

	return a < b ? -1 : a > b;
}

static int teller_order(const void *key, const void *member)
{
	return key_order(key, &((const struct teller *)member)->origin);
}

struct load_in *load_in_new(void)
{
	return calloc(1, sizeof(struct load_in));
}

void load_in_free(struct load_in *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->tellers; i++)
		free(l->teller[i].heard);
	free(l->teller);
	free(l->key);
	free(l->open);
	free(l);
}

/* Its counter stays, so that what was said once is not said again by who kept the page. */
static void heard_drop(struct load_in *l, struct heard *heard, size_t at)
{
	l->open[at] -= heard[at].open;
	heard[at].open = 0;
}

/* What a teller said, at the places of other keys; dropped where there is none. */
static void heard_move(const struct load_in *l, const struct heard *from, const __u64 *key, size_t count,
		       struct heard *to, __u64 *open)
{
	size_t old = 0, i;

	for (i = 0; i < count; i++) {
		while (old < l->count && l->key[old] < key[i])
			old++;
		if (old == l->count || l->key[old] != key[i])
			continue;
		to[i] = from[old];
		open[i] += to[i].open;
	}
}

int load_in_keys(struct load_in *l, const __u64 *key, size_t count)
{
	struct heard **next = calloc(l->tellers + 1, sizeof(struct heard *));
	__u64 *keys = calloc(count + 1, sizeof(*keys)), *open = calloc(count + 1, sizeof(*open));
	size_t i, made = 0;

	for (; next && made < l->tellers; made++) {
		next[made] = calloc(count + 1, sizeof(struct heard));
		if (!next[made])
			break;
	}
	if (!next || !keys || !open || made < l->tellers) {
		while (made--)
			free(next[made]);
		free(next);
		free(keys);
		free(open);
		return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		keys[i] = key[i];
	for (i = 0; i < l->tellers; i++) {
		heard_move(l, l->teller[i].heard, keys, count, next[i], open);
		free(l->teller[i].heard);
		l->teller[i].heard = next[i];
	}
	free(next);
	free(l->key);
	free(l->open);
	l->key = keys;
	l->open = open;
	l->count = count;
	return 0;
}

static void teller_silence(struct load_in *l, struct teller *t)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		heard_drop(l, t->heard, i);
	t->node_at = (struct mono){0};
}

/* Of a later boot counters begin anew. */
static void teller_boots(struct load_in *l, struct teller *t, const struct page_version *boot)
{
	teller_silence(l, t);
	memset(t->heard, 0, l->count * sizeof(*t->heard));
	t->node_counter = 0;
	t->boot = *boot;
}

/* The teller of a page, made at its first one and emptied at the first of a later boot. */
static int teller_of(struct load_in *l, const struct page *page, struct teller **ret)
{
	struct teller new = {.origin = page->origin, .boot = page->version};
	size_t at;

	if (!array_find(l->teller, l->tellers, sizeof(*l->teller), &page->origin, teller_order, &at)) {
		new.heard = calloc(l->count + 1, sizeof(*new.heard));
		if (!new.heard || array_insert(&l->teller, &l->tellers, sizeof(new), at, &new)) {
			free(new.heard);
			return -ENOMEM;
		}
	}
	*ret = &l->teller[at];
	if (page_boot_compare(&page->version, &(*ret)->boot) < 0)
		return -ESTALE;
	if (page_boot_compare(&page->version, &(*ret)->boot) > 0)
		teller_boots(l, *ret, &page->version);
	return 0;
}

/* Pages may come in any order: the later word on a backend counts. */
static void load_take(struct load_in *l, struct teller *t, const struct fact_load *load, __u64 counter, struct mono now)
{
	size_t at;

	if (!array_find(l->key, l->count, sizeof(*l->key), &load->key, key_order, &at) ||
	    t->heard[at].counter >= counter)
		return;
	heard_drop(l, t->heard, at);
	t->heard[at] = (struct heard){counter, now, load->open};
	l->open[at] += load->open;
}

int load_in_page(struct load_in *l, const struct page *page, struct mono now)
{
	struct fact_node_load node;
	struct fact_load load;
	struct teller *t;
	size_t at = 0;
	int r, has_node = fact_node_load_decode(page, &node);

	/* First all of it: of a page that is wrong nothing counts. */
	if (has_node < 0)
		return has_node;
	while ((r = fact_load_next(page, &at, &load)) > 0)
		;
	if (!r)
		r = teller_of(l, page, &t);
	if (r)
		return r;
	for (at = 0; fact_load_next(page, &at, &load) > 0;)
		load_take(l, t, &load, page->version.counter, now);
	if (has_node && page->version.counter > t->node_counter) {
		t->node = node;
		t->node_at = now;
		t->node_counter = page->version.counter;
	}
	return 0;
}

void load_in_silence(struct load_in *l, __u64 origin)
{
	size_t at;

	if (array_find(l->teller, l->tellers, sizeof(*l->teller), &origin, teller_order, &at))
		teller_silence(l, &l->teller[at]);
}

void load_in_forget(struct load_in *l, __u64 origin)
{
	size_t at;

	if (!array_find(l->teller, l->tellers, sizeof(*l->teller), &origin, teller_order, &at))
		return;
	teller_silence(l, &l->teller[at]);
	free(l->teller[at].heard);
	array_delete(l->teller, &l->tellers, sizeof(*l->teller), at);
}

void load_in_age(struct load_in *l, struct mono now)
{
	size_t i, k;

	for (i = 0; i < l->tellers; i++)
		for (k = 0; k < l->count; k++)
			if (mono_ms(l->teller[i].heard[k].at, now) >= LOAD_OLD_MS)
				heard_drop(l, l->teller[i].heard, k);
}

__u64 load_in_open(const struct load_in *l, size_t at)
{
	return l->open[at];
}

int load_in_node(const struct load_in *l, __u64 origin, struct fact_node_load *ret, struct mono *ret_at)
{
	size_t at;

	if (!array_find(l->teller, l->tellers, sizeof(*l->teller), &origin, teller_order, &at) ||
	    !l->teller[at].node_at.ns)
		return -ENOENT;
	*ret = l->teller[at].node;
	*ret_at = l->teller[at].node_at;
	return 0;
}
