/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Directories for the files of a test. They go when its program ends, also where the test has failed. Not here: what a
 * test loses on purpose.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stddef.h>

#define SCRATCH_BYTES 32

/* One that everybody may enter; its path, of less than SCRATCH_BYTES, in @room bytes. */
void scratch_make(char *path, size_t room);

/* Whatever is there, with all that is below it. */
void scratch_remove(const char *path);

#endif
