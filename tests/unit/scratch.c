// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See scratch.h.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "scratch.h"

#define SCRATCH_MOST 64

static char made[SCRATCH_MOST][SCRATCH_BYTES];
static size_t count;
static pid_t owner; /* a child that ends leaves them */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_all(void)
{
	for (size_t i = 0; i < count && getpid() == owner; i++)
		scratch_remove(made[i]);
}

void scratch_make(char *path, size_t room)
{
	char *dir = made[count];

	assert_true(count < SCRATCH_MOST);
	strcpy(dir, "/tmp/starling-test.XXXXXX");
	assert_true(strlen(dir) < room);
	assert_non_null(mkdtemp(dir));
	if (!count++) {
		owner = getpid();
		assert_int_equal(atexit(remove_all), 0);
	}
	assert_int_equal(chmod(dir, 0755), 0);
	strcpy(path, dir);
}
