// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See events.h.
 */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static bool sooner(const struct event *a, const struct event *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

void event_add(struct events *q, __u64 ns, size_t node, void *d)
{
	struct event e = {.ns = ns, .order = q->order++, .node = node, .datagram = d};
	size_t i, up;

	if (q->count == q->room) {
		q->room = q->room ? 2 * q->room : 1024;
		q->heap = realloc(q->heap, q->room * sizeof(*q->heap));
		assert_non_null(q->heap);
	}
	for (i = q->count++; i; i = up) {
		up = (i - 1) / 2;
		if (!sooner(&e, &q->heap[up]))
			break;
		q->heap[i] = q->heap[up];
	}
	q->heap[i] = e;
}

struct event event_take(struct events *q)
{
	struct event first = q->heap[0], last = q->heap[--q->count];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < q->count) {
		down += down + 1 < q->count && sooner(&q->heap[down + 1], &q->heap[down]);
		if (!sooner(&q->heap[down], &last))
			break;
		q->heap[i] = q->heap[down];
		i = down;
	}
	if (q->count)
		q->heap[i] = last;
	return first;
}

__u64 event_next_ns(const struct events *q)
{
	return q->count ? q->heap[0].ns : UINT64_MAX;
}

void events_free(struct events *q)
{
	while (q->count)
		free(q->heap[--q->count].datagram);
	free(q->heap);
}

void event_trace(__u64 ns, size_t node, const char *format, va_list args)
{
	fprintf(stderr, "%9.3f %zu ", (double)ns / 1e6, node);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}
