// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What of the own loads goes out. Not here: what becomes of it there.
 */
#include "core/load_out.h"

#include <errno.h>
#include <stdlib.h>

#define LOAD_ENTRY_BYTES (sizeof(struct page_entry_header) + FACT_LOAD_BYTES)

/* An entry that is due. */
struct due {
	struct load_told *entry;
	__u32 change;
};

void load_out_free(struct load_out *o)
{
	free(o->entry);
	*o = (struct load_out){0};
}

int load_out_set(struct load_out *o, const struct fact_load *load, size_t count)
{
	struct load_told *next = calloc(count + 1, sizeof(*next));
	size_t i, old = 0;

	if (!next)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		while (old < o->count && o->entry[old].key < load[i].key)
			old++;
		if (old < o->count && o->entry[old].key == load[i].key)
			next[i] = o->entry[old];
		next[i].key = load[i].key;
		next[i].open = load[i].open;
	}
	free(o->entry);
	o->entry = next;
	o->count = count;
	return 0;
}

static __u32 change_of(const struct load_told *e)
{
	return e->open > e->told ? e->open - e->told : e->told - e->open;
}

static bool has_changed(const struct load_told *e)
{
	__u64 change = change_of(e);

	return change >= LOAD_CHANGE_CONNECTIONS || change * 100 > (__u64)e->told * LOAD_CHANGE_PERCENT;
}

static bool is_due(const struct load_told *e, struct mono now)
{
	return !e->at.ns || has_changed(e) || mono_ms(e->at, now) >= FACT_LOADS_ALL_MS;
}

/* The largest change first; then who was told longest ago. */
static int due_order(const void *left, const void *right)
{
	const struct due *a = left, *b = right;

	if (a->change != b->change)
		return a->change > b->change ? -1 : 1;
	if (a->entry->at.ns != b->entry->at.ns)
		return a->entry->at.ns < b->entry->at.ns ? -1 : 1;
	return a->entry->key < b->entry->key ? -1 : a->entry->key > b->entry->key;
}

/* A second's worth is the most that gathers, or a full page for everybody. */
static void credit_fill(struct load_out *o, struct mono now, size_t receivers)
{
	__u64 ms = o->filled.ns ? mono_ms(o->filled, now) : 1000;
	__u64 most = receivers * (LOAD_MESSAGE_BYTES + PAGE_ENTRIES_BYTES);

	if (!ms)
		return;
	if (most < LOAD_BYTES_PER_SECOND)
		most = LOAD_BYTES_PER_SECOND;
	o->credit_bytes += (ms < 60000 ? ms : 60000) * LOAD_BYTES_PER_SECOND / 1000;
	if (o->credit_bytes > most)
		o->credit_bytes = most;
	o->filled = now;
}

/* How many entries may go in one page to each of the receivers. */
static size_t affordable(const struct load_out *o, size_t receivers)
{
	__u64 each = o->credit_bytes / receivers;

	return each < LOAD_MESSAGE_BYTES ? 0 : (each - LOAD_MESSAGE_BYTES) / LOAD_ENTRY_BYTES;
}

/* Everything that is due, in the order in which it goes; owned by the caller. */
static int due_collect(const struct load_out *o, struct mono now, struct due **ret, size_t *ret_count)
{
	struct due *due = calloc(o->count + 1, sizeof(*due));
	size_t count = 0, i;

	if (!due)
		return -ENOMEM;
	for (i = 0; i < o->count; i++)
		if (is_due(&o->entry[i], now))
			due[count++] = (struct due){&o->entry[i], change_of(&o->entry[i])};
	qsort(due, count, sizeof(*due), due_order);
	*ret = due;
	*ret_count = count;
	return 0;
}

/* One page of what is due; how many entries it took. */
static size_t page_fill(struct load_out *o, const struct due *due, size_t count, struct mono now, size_t receivers,
			struct page_draft *draft)
{
	size_t wanted = count < FACT_LOADS_PER_PAGE ? count : FACT_LOADS_PER_PAGE, i;

	/* Half a page costs nearly what a whole one does: wait for it. */
	if (wanted > affordable(o, receivers))
		return 0;
	draft->len = 0;
	for (i = 0; i < wanted; i++) {
		struct fact_load load = {due[i].entry->key, due[i].entry->open};

		if (fact_load_encode(&load, draft))
			break;
		due[i].entry->told = load.open;
		due[i].entry->at = now;
	}
	o->credit_bytes -= receivers * (LOAD_MESSAGE_BYTES + draft->len);
	return i;
}

int load_out_take(struct load_out *o, struct mono now, size_t receivers, struct page_draft *draft, size_t room)
{
	size_t count, taken = 0, pages = 0, got;
	struct due *due;

	if (!receivers)
		return 0;
	if (due_collect(o, now, &due, &count))
		return -ENOMEM;
	credit_fill(o, now, receivers);
	for (; pages < room && taken < count; pages++, taken += got) {
		got = page_fill(o, due + taken, count - taken, now, receivers, &draft[pages]);
		if (!got)
			break;
	}
	free(due);
	return (int)pages;
}

__u64 load_out_open(const struct load_out *o)
{
	__u64 open = 0;

	for (size_t i = 0; i < o->count; i++)
		open += o->entry[i].open;
	return open;
}

__u64 load_out_late_ms(const struct load_out *o, struct mono now)
{
	__u64 late = 0, age;
	size_t i;

	for (i = 0; i < o->count; i++) {
		age = o->entry[i].at.ns ? mono_ms(o->entry[i].at, now) : 0;
		if (age > FACT_LOADS_ALL_MS && age - FACT_LOADS_ALL_MS > late)
			late = age - FACT_LOADS_ALL_MS;
	}
	return late;
}
