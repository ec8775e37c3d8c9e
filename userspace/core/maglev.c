/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weighted Maglev tables. Not here: usability of backends, slots of the data plane.
 *
 * Each backend walks a permutation of the slots (offset + k * skip) and takes the next free one
 * when it is its turn. Turn k of a backend of weight w comes at time (k + 1/2) / w, so that after
 * any time each has had its exact share of turns, rounded; equal weights take turns one by one,
 * as in the paper. Time is counted in rounds of the heaviest backend, one queue a round.
 */
#include "maglev.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mix.h"

#define OFFSET_SALT 0x6f66667365740006ULL /* arbitrary; of eight pairs tried the one whose removals moved least */
#define SKIP_SALT   0x736b697000000006ULL
#define NOBODY	    0xffffffffu

struct walker {
	__u32 at, skip; /* next place of the permutation, and the step */
	__u32 turn;	/* turns had */
	__u32 weight;
	__u32 next; /* in the queue of a round */
	__u16 id;
};

struct queue {
	__u32 first, last;
};

struct build {
	struct walker *walker;
	size_t count;
	struct queue *round;
	__u64 rounds;
	__u32 heaviest;
	__u64 total; /* weight of all */
	__u64 *taken;
	__u16 *table;
	__u32 slots, left;
};

__u64 maglev_key(const struct endpoint *at)
{
	__u64 high, low;

	memcpy(&high, at->addr.byte, sizeof(high));
	memcpy(&low, at->addr.byte + 8, sizeof(low));
	return mix64(mix64(be64toh(high)) ^ mix64(be64toh(low) + ntohs(at->port)));
}

static __u32 gcd(__u32 a, __u32 b)
{
	while (b) {
		__u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int by_key(const void *a, const void *b)
{
	const struct maglev_backend *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void walker_init(struct walker *w, const struct maglev_backend *b, __u32 slots)
{
	w->at = mix_below(mix64(b->key ^ OFFSET_SALT), slots);
	w->skip = slots > 1 ? 1 + mix_below(mix64(b->key ^ SKIP_SALT), slots - 1) : 1;
	while (gcd(slots, w->skip) != 1) /* never for a prime; 1 always ends it */
		w->skip--;
	w->weight = b->weight;
	w->id = b->id;
}

/* The walker's next turn, into its round's queue: past the last round it has no more. */
static void turn_queue(struct build *b, __u32 i)
{
	struct walker *w = &b->walker[i];
	/* The first turn comes at once, so that everyone gets a slot; it changes no share that rounds to 1 or more. */
	__u64 round = w->turn ? (2 * (__u64)w->turn + 1) * b->heaviest / (2 * (__u64)w->weight) : 0;
	struct queue *q;

	if (round >= b->rounds)
		return;
	q = &b->round[round];
	w->next = NOBODY;
	if (q->first == NOBODY)
		q->first = i;
	else
		b->walker[q->last].next = i;
	q->last = i;
}

static void turn_take(struct build *b, struct walker *w)
{
	__u32 at = w->at, skip = w->skip, slots = b->slots;

	while (b->taken[at / 64] >> at % 64 & 1) {
		at += skip;
		if (at >= slots)
			at -= slots;
	}
	b->taken[at / 64] |= 1ULL << at % 64;
	b->table[at] = w->id;
	w->at = at;
	w->turn++;
	b->left--;
}

static void table_fill(struct build *b)
{
	for (__u32 i = 0; i < b->count; i++)
		turn_queue(b, i);
	for (__u64 r = 0; r < b->rounds && b->left; r++) {
		for (__u32 i = b->round[r].first, next; i != NOBODY && b->left; i = next) {
			next = b->walker[i].next;
			turn_take(b, &b->walker[i]);
			turn_queue(b, i); /* into a later round: no backend has two turns in one */
		}
	}
}

static int build_init(struct build *b, const struct maglev_backend *sorted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i && sorted[i].key == sorted[i - 1].key)
			return -EEXIST;
		if (!sorted[i].weight)
			continue;
		if (sorted[i].weight > b->heaviest)
			b->heaviest = sorted[i].weight;
		b->total += sorted[i].weight;
		b->count++;
	}
	if (b->count > b->slots)
		return -ERANGE;
	if (!b->count)
		return 0;
	/* After r rounds each has had r * weight / heaviest turns, or half a turn less: enough to fill the table. */
	b->rounds = (b->slots + b->count) * b->heaviest / b->total + 2;
	b->walker = calloc(b->count, sizeof(*b->walker));
	b->round = malloc(b->rounds * sizeof(*b->round));
	b->taken = calloc(b->slots / 64 + 1, sizeof(*b->taken));
	if (!b->walker || !b->round || !b->taken)
		return -ENOMEM;
	memset(b->round, 0xff, b->rounds * sizeof(*b->round));
	for (size_t i = 0, n = 0; i < count; i++)
		if (sorted[i].weight)
			walker_init(&b->walker[n++], &sorted[i], b->slots);
	return 0;
}

int maglev_build(const struct maglev_backend *backend, size_t count, __u16 *table, __u32 slots)
{
	struct build b = {.table = table, .slots = slots, .left = slots};
	struct maglev_backend *sorted = malloc((count ? count : 1) * sizeof(*sorted));
	int ret = -ENOMEM;

	if (!sorted)
		goto out;
	if (count)
		memcpy(sorted, backend, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_key);
	ret = build_init(&b, sorted, count);
	if (ret)
		goto out;
	if (b.count)
		table_fill(&b);
	else
		memset(table, 0xff, slots * sizeof(*table));
out:
	free(b.taken);
	free(b.round);
	free(b.walker);
	free(sorted);
	return ret;
}
