/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a history of one register is linearizable (Herlihy, Wing: 1990): the search of Wing and Gong (1993), which
 * forgets no configuration that it has seen (Lowe: 2017). Not here: who made the history.
 */
#ifndef TESTS_SIM_LINEAR_H
#define TESTS_SIM_LINEAR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEAR_OPS   256
#define LINEAR_SEEN  (1u << 20) /* configurations; more are given up */
#define LINEAR_NEVER UINT64_MAX

enum linear_kind {
	LINEAR_READ,  /* @value came */
	LINEAR_WRITE, /* @value was written */
	LINEAR_CAS,   /* @value was written over @expected; or, if not @ok, @found was there and stayed */
};

struct linear_op {
	enum linear_kind kind;
	bool ok;
	__u64 invoked, returned; /* no two the same; LINEAR_NEVER: it may take effect at any time, or not at all */
	__u64 value, expected, found;
};

/* @initial: the value before them. Return: 0, it is; -EINVAL: it is not; -E2BIG: not found out. */
int linear_check(const struct linear_op *op, size_t ops, __u64 initial);

#endif
