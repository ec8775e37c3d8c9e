// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments of an audit log on a real disk: what a crash leaves, what is dropped, what cannot be written. Not here: what
 * lines say (audit_test).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/audit_file.h"
#include "scratch.h"

struct dir {
	char path[64];
	char log[96];
};

static int dir_make(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	scratch_make(d->path, sizeof(d->path));
	snprintf(d->log, sizeof(d->log), "%s/audit", d->path);
	*state = d;
	return 0;
}

static int dir_remove(void **state)
{
	free(*state);
	return 0;
}

static struct audit_file *opened(const struct dir *d)
{
	struct audit_file *f = NULL;

	assert_int_equal(audit_file_open(d->log, &f, NULL), 0);
	return f;
}

static void appended(struct audit_file *f, const char *lines)
{
	assert_int_equal(audit_file_append(f, lines, strlen(lines), NULL), 0);
}

/* All lines of a log, with a bar between them. */
struct all {
	char text[256];
	size_t lines;
};

static int line_add(void *arg, const char *file, unsigned int number, const char *line, size_t len)
{
	struct all *all = arg;
	size_t at = strlen(all->text);

	(void)file;
	(void)number;
	all->lines++;
	snprintf(all->text + at, sizeof(all->text) - at, "%.*s|", (int)len, line);
	return 0;
}

static void has(const struct dir *d, const char *wanted)
{
	struct all all = {"", 0};

	assert_int_equal(audit_file_walk(d->log, line_add, &all, NULL), 0);
	assert_string_equal(all.text, wanted);
}

/* Bytes more at the end of a segment, as a crash may leave them. */
static void torn(const struct dir *d, const char *segment, const char *bytes)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", d->log, segment);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	close(fd);
}

static void what_is_appended_is_read(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);
	struct stat st;

	assert_true(audit_file_full(f));
	assert_string_equal(audit_file_head(f), "");
	assert_int_equal(audit_file_append(f, "early\n", 6, NULL), -EBADF);
	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	assert_string_equal(audit_file_last(f), "head");
	appended(f, "one\ntwo\n");
	assert_string_equal(audit_file_head(f), "head");
	assert_string_equal(audit_file_last(f), "two");
	assert_int_equal(audit_file_begin(f, "second", NULL), 0);
	appended(f, "three\n");
	has(d, "head|one|two|second|three|");
	audit_file_close(f);
	f = opened(d);
	assert_string_equal(audit_file_head(f), "second");
	assert_string_equal(audit_file_last(f), "three");
	appended(f, "four\n");
	has(d, "head|one|two|second|three|four|");
	audit_file_close(f);
	assert_int_equal(stat(d->log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void an_unfinished_line_is_cut_off(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);

	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	appended(f, "one\n");
	audit_file_close(f);
	torn(d, "0000000001.log", "tw");
	has(d, "head|one|");
	f = opened(d);
	assert_string_equal(audit_file_last(f), "one");
	appended(f, "three\n");
	has(d, "head|one|three|");
	audit_file_close(f);
}

static void an_unfinished_segment_is_removed(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);

	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	appended(f, "one\n");
	audit_file_close(f);
	torn(d, "0000000002.log", "hea");
	f = opened(d);
	assert_string_equal(audit_file_last(f), "one");
	assert_int_equal(audit_file_begin(f, "second", NULL), 0);
	has(d, "head|one|second|");
	audit_file_close(f);
}

static void the_oldest_segments_are_dropped(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);
	struct all all = {"", 0};
	char head[16];

	for (int i = 1; i <= AUDIT_SEGMENTS + 3; i++) {
		snprintf(head, sizeof(head), "head%d", i);
		assert_int_equal(audit_file_begin(f, head, NULL), 0);
	}
	assert_int_equal(audit_file_walk(d->log, line_add, &all, NULL), 0);
	assert_int_equal(all.lines, AUDIT_SEGMENTS);
	assert_memory_equal(all.text, "head4|", 6);
	audit_file_close(f);
}

static void a_segment_is_full_at_some_length(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);
	char line[1024];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	for (size_t i = 0; i < AUDIT_SEGMENT_BYTES / sizeof(line); i++) {
		assert_false(audit_file_full(f));
		assert_int_equal(audit_file_append(f, line, sizeof(line), NULL), 0);
	}
	assert_true(audit_file_full(f));
	audit_file_close(f);
}

/* The disk has no room: a limit of this process stands for it, and ends a write in the same way. */
static void what_does_not_fit_leaves_nothing(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);
	struct rlimit was, low;
	struct err err = {0};

	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	appended(f, "one\n");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	low = (struct rlimit){12, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(audit_file_append(f, "two and more\n", 13, &err), -ENOSPC);
	assert_int_not_equal(audit_file_begin(f, "a head of another segment", &err), 0);
	setrlimit(RLIMIT_FSIZE, &was);
	has(d, "head|one|");
	assert_string_equal(audit_file_last(f), "one");
	appended(f, "three\n");
	has(d, "head|one|three|");
	audit_file_close(f);
}

static void what_is_too_long_is_no_segment(void **state)
{
	struct dir *d = *state;
	struct audit_file *f = opened(d);
	struct err err = {0};
	char path[128];

	assert_int_equal(audit_file_begin(f, "head", NULL), 0);
	audit_file_close(f);
	snprintf(path, sizeof(path), "%s/0000000001.log", d->log);
	assert_int_equal(truncate(path, AUDIT_SEGMENT_MAX + 1), 0);
	assert_int_equal(audit_file_open(d->log, &f, &err), -EIO);
	assert_non_null(strstr(err.text, "no segment"));
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(audit_file_open(d->log, &f, &err), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_appended_is_read, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(an_unfinished_line_is_cut_off, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(an_unfinished_segment_is_removed, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(the_oldest_segments_are_dropped, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(a_segment_is_full_at_some_length, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(what_does_not_fit_leaves_nothing, dir_make, dir_remove),
		cmocka_unit_test_setup_teardown(what_is_too_long_is_no_segment, dir_make, dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
