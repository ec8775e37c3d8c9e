/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What fuzz targets share. Not here: targets.
 */
#ifndef STARLING_TESTS_FUZZ_H
#define STARLING_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What does not hold is a finding. */
#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
