/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is to happen in virtual time: a heap, so that each takes its turn. Not here: what happens.
 */
#ifndef TESTS_SIM_EVENTS_H
#define TESTS_SIM_EVENTS_H

#include <linux/types.h>
#include <stdarg.h>
#include <stddef.h>

struct event {
	__u64 ns, order; /* of equal times the first one that was added comes first */
	size_t node;
	void *datagram; /* owned: free() */
};

struct events {
	struct event *heap; /* owned */
	size_t count, room;
	__u64 order;
};

void event_add(struct events *q, __u64 ns, size_t node, void *datagram);
struct event event_take(struct events *q);   /* the next one; there must be one */
__u64 event_next_ns(const struct events *q); /* UINT64_MAX: none */
void events_free(struct events *q);

/* A line on stderr of what happens now, at a node. */
void event_trace(__u64 ns, size_t node, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#endif
