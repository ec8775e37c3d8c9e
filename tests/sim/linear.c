// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See linear.h.
 */
#include "linear.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/mix.h"

#define WORDS ((LINEAR_OPS + 63) / 64)

/* An invocation or a return that has not been passed yet: a ring of them, in order of time. */
struct entry {
	__u64 time;
	size_t op;
	bool call;
	struct entry *before, *after, *other; /* @other: of the same operation */
};

/* What has taken effect, and what it has come to. */
struct point {
	__u64 taken[WORDS];
	__u64 value;
};

struct search {
	const struct linear_op *op;
	struct entry head, entry[2 * LINEAR_OPS];
	struct point now;
	struct point *seen; /* owned: a hash table; of value and taken all zero: free */
	size_t count, room;
	struct {
		struct entry *call;
		__u64 value;
	} stack[LINEAR_OPS];
	size_t depth;
};

static __u64 point_hash(const struct point *p)
{
	__u64 hash = mix64(p->value);

	for (size_t i = 0; i < WORDS; i++)
		hash = mix64(hash ^ p->taken[i]);
	return hash;
}

/* Return: whether it is new. A point in the table has something taken, so it is not all zero. */
static bool seen_put(struct search *s, const struct point *p)
{
	static const struct point none;
	size_t at = point_hash(p) & (s->room - 1);

	for (; memcmp(&s->seen[at], &none, sizeof(none)); at = (at + 1) & (s->room - 1))
		if (!memcmp(&s->seen[at], p, sizeof(*p)))
			return false;
	s->seen[at] = *p;
	s->count++;
	return true;
}

static void seen_grow(struct search *s)
{
	static const struct point none;
	struct point *old = s->seen;
	size_t room = s->room;

	if (2 * s->count < room)
		return;
	s->room = 2 * room;
	s->seen = calloc(s->room, sizeof(*s->seen));
	assert_non_null(s->seen);
	s->count = 0;
	for (size_t i = 0; i < room; i++)
		if (memcmp(&old[i], &none, sizeof(none)))
			seen_put(s, &old[i]);
	free(old);
}

/* Return: whether it may happen now; then with what it leaves. */
static bool op_apply(const struct linear_op *op, __u64 now, __u64 *ret_value)
{
	bool known = op->returned != LINEAR_NEVER;

	*ret_value = op->kind == LINEAR_READ ? now : op->value;
	if (op->kind == LINEAR_READ)
		return op->value == now;
	if (op->kind == LINEAR_WRITE)
		return true;
	if (op->ok || !known)
		return op->expected == now;
	*ret_value = now;
	return op->found == now && now != op->expected;
}

static int entry_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->op < y->op ? -1 : x->op > y->op;
}

/* A value that nobody has seen may as well not have been written, if it is not known to have been. */
static bool is_seen(const struct linear_op *op, size_t ops, const struct linear_op *writer)
{
	for (size_t i = 0; i < ops; i++) {
		if (&op[i] == writer)
			continue;
		if (op[i].kind == LINEAR_CAS && op[i].expected == writer->value)
			return true;
		if (op[i].returned != LINEAR_NEVER &&
		    (op[i].kind == LINEAR_READ ? op[i].value : op[i].found) == writer->value)
			return true;
	}
	return false;
}

static void search_fill(struct search *s, const struct linear_op *op, size_t ops)
{
	size_t n = 0, i, k;

	for (i = 0; i < ops; i++) {
		if (op[i].returned == LINEAR_NEVER && (op[i].kind == LINEAR_READ || !is_seen(op, ops, &op[i])))
			continue;
		s->entry[n++] = (struct entry){.time = op[i].invoked, .op = i, .call = true};
		s->entry[n++] = (struct entry){.time = op[i].returned, .op = i};
	}
	qsort(s->entry, n, sizeof(s->entry[0]), entry_order);
	s->head.before = s->head.after = &s->head;
	for (i = 0; i < n; i++) {
		struct entry *e = &s->entry[i];

		e->before = s->head.before;
		e->after = &s->head;
		e->before->after = s->head.before = e;
		for (k = 0; k < i && !e->call; k++)
			if (s->entry[k].op == e->op) {
				e->other = &s->entry[k];
				s->entry[k].other = e;
			}
	}
}

static void entry_out(struct entry *e)
{
	e->before->after = e->after;
	e->after->before = e->before;
}

static void entry_in(struct entry *e)
{
	e->before->after = e->after->before = e;
}

static void search_take(struct search *s, struct entry *call, const struct point *next)
{
	s->stack[s->depth].call = call;
	s->stack[s->depth++].value = s->now.value;
	s->now = *next;
	entry_out(call);
	entry_out(call->other);
}

static struct entry *search_back(struct search *s)
{
	struct entry *call = s->stack[--s->depth].call;

	s->now.value = s->stack[s->depth].value;
	s->now.taken[call->op / 64] &= ~(1ull << call->op % 64);
	entry_in(call->other);
	entry_in(call);
	return call->after;
}

static int search_run(struct search *s)
{
	struct entry *e = s->head.after;

	/* Returns that never came stand last: who gets there has passed all others. */
	while (e != &s->head && (e->call || e->time != LINEAR_NEVER)) {
		struct point next = s->now;

		if (e->call) {
			next.taken[e->op / 64] |= 1ull << e->op % 64;
			if (op_apply(&s->op[e->op], s->now.value, &next.value) && seen_put(s, &next)) {
				search_take(s, e, &next);
				e = s->head.after;
			} else {
				e = e->after;
			}
			seen_grow(s);
		} else {
			if (!s->depth)
				return -EINVAL;
			e = search_back(s);
		}
		if (s->count > LINEAR_SEEN)
			return -E2BIG;
	}
	return 0;
}

int linear_check(const struct linear_op *op, size_t ops, __u64 initial)
{
	struct search *s = calloc(1, sizeof(*s));
	int rc;

	assert_non_null(s);
	assert_true(ops <= LINEAR_OPS);
	s->op = op;
	s->now.value = initial;
	s->room = 1024;
	s->seen = calloc(s->room, sizeof(*s->seen));
	assert_non_null(s->seen);
	search_fill(s, op, ops);
	rc = search_run(s);
	free(s->seen);
	free(s);
	return rc;
}
