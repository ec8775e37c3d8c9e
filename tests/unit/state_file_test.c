// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * State files: whole or not at all, and a torn one is set aside. Not here: power cuts.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/state_file.h"
#include "scratch.h"

struct dir {
	char path[64];
	char file[96];
	char aside[128];
};

static int dir_make(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	scratch_make(d->path, sizeof(d->path));
	snprintf(d->file, sizeof(d->file), "%s/kept", d->path);
	snprintf(d->aside, sizeof(d->aside), "%s.corrupt", d->file);
	*state = d;
	return 0;
}

static int dir_remove(void **state)
{
	free(*state);
	return 0;
}

static void what_is_written_is_read(void **state)
{
	struct dir *d = *state;
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(state_file_write(d->file, "one\0two\n", 8, NULL), 0);
	assert_int_equal(state_file_write(d->file, "three\n", 6, NULL), 0);
	assert_int_equal(state_file_read(d->file, &text, &len, NULL), 0);
	assert_int_equal(len, 6);
	assert_string_equal(text, "three\n");
	free(text);
	assert_int_equal(state_file_write(d->file, "", 0, NULL), 0);
	assert_int_equal(state_file_read(d->file, &text, &len, NULL), 0);
	assert_int_equal(len, 0);
	free(text);
}

static void a_file_that_is_not_there_is_no_error_in_words(void **state)
{
	struct dir *d = *state;
	struct err err = {0};
	char *text = NULL;
	size_t len;

	assert_int_equal(state_file_read(d->file, &text, &len, &err), -ENOENT);
	assert_string_equal(err.text, "");
	assert_null(text);
}

/* Every prefix of a file, and every flipped byte. */
static void damage(struct dir *d, off_t cut, off_t flip)
{
	struct err err = {0};
	struct stat st;
	char *text = NULL, byte;
	size_t len;
	int fd;

	assert_int_equal(state_file_write(d->file, "backend drain\n", 14, NULL), 0);
	fd = open(d->file, O_RDWR);
	assert_true(fd >= 0);
	if (cut >= 0)
		assert_int_equal(ftruncate(fd, cut), 0);
	if (flip >= 0) {
		assert_int_equal(pread(fd, &byte, 1, flip), 1);
		byte ^= 0x20;
		assert_int_equal(pwrite(fd, &byte, 1, flip), 1);
	}
	close(fd);
	assert_int_equal(state_file_read(d->file, &text, &len, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "set aside"));
	assert_null(text);
	assert_int_equal(stat(d->file, &st), -1);
	assert_int_equal(stat(d->aside, &st), 0);
}

static void a_torn_or_corrupt_file_is_set_aside(void **state)
{
	struct dir *d = *state;
	struct stat st;
	off_t i, size;

	assert_int_equal(state_file_write(d->file, "backend drain\n", 14, NULL), 0);
	assert_int_equal(stat(d->file, &st), 0);
	size = st.st_size;
	for (i = 0; i < size; i++) {
		damage(d, i, -1);
		damage(d, -1, i);
	}
}

static void a_failed_write_leaves_the_old_file(void **state)
{
	struct dir *d = *state;
	char deep[160], *text = NULL;
	struct err err = {0};
	size_t len;

	assert_int_equal(state_file_write(d->file, "old\n", 4, NULL), 0);
	snprintf(deep, sizeof(deep), "%s.new", d->file);
	assert_int_equal(mkdir(deep, 0700), 0); /* the temporary file cannot be made */
	assert_true(state_file_write(d->file, "new\n", 4, &err) < 0);
	assert_true(err.text[0]);
	rmdir(deep);
	assert_int_equal(state_file_read(d->file, &text, &len, NULL), 0);
	assert_string_equal(text, "old\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_no_error_in_words, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(a_torn_or_corrupt_file_is_set_aside, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, dir_make, dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
