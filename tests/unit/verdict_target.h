/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The target that tests of verdicts are about. Not here: the nodes.
 */
#ifndef TESTS_UNIT_VERDICT_TARGET_H
#define TESTS_UNIT_VERDICT_TARGET_H

#include "core/verdict.h"

#define TARGET 77
#define MS     1000000ull

static const struct verdict_target target = {
	.id = TARGET,
	.pace = {.interval_ms = 2000, .timeout_ms = 500, .rise = 2, .fall = 3},
	.rule = {.mode = VERDICT_MODE_VOTE, .liars = 1},
};

#endif
