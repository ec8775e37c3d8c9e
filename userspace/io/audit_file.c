// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments of an audit log. Not here: chains of lines (core/audit.c).
 */
#include "io/audit_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/state_file.h"

#define SEGMENT_NAME_BYTES 16			/* "0000000001.log" and NUL */
#define SEGMENTS_MAX	   (4 * AUDIT_SEGMENTS) /* that are looked at in a directory */

struct segments {
	__u32 number[SEGMENTS_MAX]; /* ascending */
	size_t count;
};

struct audit_file {
	char dir[PATH_MAX];
	struct segments segments;
	size_t len;   /* of the last one: whole lines, all on the disk; 0: there is none */
	char *head;   /* owned; "" if none */
	char *last;   /* owned; likewise */
	bool damaged; /* what could not be written could not be cut off either, or it is gone */
};

static int path_format(const char *dir, __u32 number, char path[PATH_MAX])
{
	return (size_t)snprintf(path, PATH_MAX, "%.4000s/%010u.log", dir, number) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int number_compare(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int segments_list(const char *dir, struct segments *ret, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char name[SEGMENT_NAME_BYTES];
	__u32 number;
	int rc = 0;

	ret->count = 0;
	if (!d)
		return err_set(err, errno, "cannot read %s: %s", dir, strerror(errno));
	while (!rc && (errno = 0, entry = readdir(d))) {
		number = (__u32)strtoul(entry->d_name, NULL, 10);
		snprintf(name, sizeof(name), "%010u.log", number);
		if (!number || strcmp(name, entry->d_name))
			continue;
		if (ret->count == SEGMENTS_MAX)
			rc = err_set(err, EFBIG, "%s has more than %d segments", dir, SEGMENTS_MAX);
		else
			ret->number[ret->count++] = number;
	}
	if (!rc && errno)
		rc = err_set(err, errno, "cannot read %s: %s", dir, strerror(errno));
	closedir(d);
	qsort(ret->number, ret->count, sizeof(ret->number[0]), number_compare);
	return rc;
}

/* Owned by the caller, with a NUL behind it; NULL with @err: it cannot be read. */
static char *segment_read(int fd, const char *path, size_t *ret_len, struct err *err)
{
	struct stat st;
	char *text;
	ssize_t n;

	*ret_len = 0;
	if (fstat(fd, &st)) {
		err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)AUDIT_SEGMENT_MAX) {
		err_set(err, EFBIG, "%s is no segment of an audit log", path);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	n = text ? pread(fd, text, (size_t)st.st_size, 0) : -1;
	if (n < 0) {
		err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*ret_len = (size_t)n;
	return text;
}

/* --- to be continued --- */

static int line_keep(char **line, const char *from, size_t len)
{
	char *copy = strndup(from, len);

	if (!copy)
		return -ENOMEM;
	free(*line);
	*line = copy;
	return 0;
}

/* What ends a text of whole lines. */
static int last_keep(struct audit_file *f, const char *text, size_t len)
{
	size_t begin = len - 1;

	while (begin && text[begin - 1] != '\n')
		begin--;
	return line_keep(&f->last, text + begin, len - 1 - begin);
}

/* And what begins it, in a segment. */
static int segment_keep(struct audit_file *f, const char *text, size_t len)
{
	int rc = line_keep(&f->head, text, (size_t)((const char *)memchr(text, '\n', len) - text));

	return rc ? rc : last_keep(f, text, len);
}

/* Return: 1 if it has nothing whole, and is gone; 0; or -errno with @err. */
static int last_open(struct audit_file *f, struct err *err)
{
	__u32 number = f->segments.number[f->segments.count - 1];
	char path[PATH_MAX], *text, *end;
	size_t len;
	int rc = path_format(f->dir, number, path), fd;

	if (rc)
		return err_set(err, -rc, "%s is too long for a path", f->dir);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	text = segment_read(fd, path, &len, err);
	if (!text) {
		rc = -EIO;
		goto out;
	}
	end = memrchr(text, '\n', len);
	f->len = end ? (size_t)(end - text) + 1 : 0;
	if (f->len < len && f->len && ftruncate(fd, (off_t)f->len))
		rc = err_set(err, errno, "cannot cut the unfinished line off %s: %s", path, strerror(errno));
	else if (!f->len && unlink(path))
		rc = err_set(err, errno, "cannot remove %s, which has nothing: %s", path, strerror(errno));
	else if (!f->len)
		rc = 1;
	else if (segment_keep(f, text, f->len))
		rc = err_set(err, ENOMEM, "no memory for the audit log");
out:
	free(text);
	close(fd);
	if (rc)
		f->len = 0;
	return rc;
}

int audit_file_open(const char *dir, struct audit_file **ret, struct err *err)
{
	struct audit_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_set(err, ENOMEM, "no memory for the audit log");
	f->head = strdup("");
	f->last = strdup("");
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	rc = f->head && f->last ? state_dir_make(dir, err) : err_set(err, ENOMEM, "no memory for the audit log");
	if (!rc && chmod(dir, 0700))
		rc = err_set(err, errno, "cannot make %s private: %s", dir, strerror(errno));
	if (!rc)
		rc = segments_list(dir, &f->segments, err);
	while (!rc && !f->len && f->segments.count) {
		rc = last_open(f, err);
		if (rc == 1) {
			f->segments.count--;
			rc = 0;
		}
	}
	if (rc)
		audit_file_close(f);
	else
		*ret = f;
	return rc;
}

void audit_file_close(struct audit_file *f)
{
	if (!f)
		return;
	free(f->head);
	free(f->last);
	free(f);
}

const char *audit_file_head(const struct audit_file *f)
{
	return f->head;
}

const char *audit_file_last(const struct audit_file *f)
{
	return f->last;
}

bool audit_file_full(const struct audit_file *f)
{
	return !f->len || f->damaged || f->len >= AUDIT_SEGMENT_BYTES;
}

/* All of it and on the disk, or nothing. */
static int write_synced(int fd, const char *text, size_t len, size_t at)
{
	ssize_t n = pwrite(fd, text, len, (off_t)at);

	if (n < 0)
		return -errno;
	if ((size_t)n < len)
		return -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

static void oldest_drop(struct audit_file *f)
{
	char path[PATH_MAX];

	if (!path_format(f->dir, f->segments.number[0], path))
		unlink(path); /* what stays only takes room */
	memmove(f->segments.number, f->segments.number + 1, --f->segments.count * sizeof(f->segments.number[0]));
}

int audit_file_begin(struct audit_file *f, const char *head, struct err *err)
{
	struct segments *s = &f->segments;
	__u32 number = s->count ? s->number[s->count - 1] + 1 : 1;
	char path[PATH_MAX], *line = NULL;
	int fd = -1, rc = path_format(f->dir, number, path), len = asprintf(&line, "%s\n", head);

	if (len < 0 || !line)
		return err_set(err, ENOMEM, "no memory for the audit log");
	if (!rc) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		rc = fd < 0 ? -errno : 0;
	}
	if (!rc)
		rc = write_synced(fd, line, (size_t)len, 0);
	if (!rc)
		rc = state_file_sync_dir(path);
	if (!rc)
		rc = segment_keep(f, line, (size_t)len);
	free(line);
	if (fd >= 0)
		close(fd);
	if (rc) {
		if (fd >= 0)
			unlink(path);
		return err_set(err, -rc, "cannot begin %s: %s", path, strerror(-rc));
	}
	f->len = (size_t)len;
	f->damaged = false;
	while (s->count >= AUDIT_SEGMENTS)
		oldest_drop(f);
	s->number[s->count++] = number;
	return 0;
}

/* Its own opening each time: a log that waits keeps no file system from being made read-only. */
static int last_append(struct audit_file *f, const char *lines, size_t len)
{
	char path[PATH_MAX];
	int rc = path_format(f->dir, f->segments.number[f->segments.count - 1], path), fd;

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		rc = -errno;
		f->damaged = rc == -ENOENT;
		return rc;
	}
	rc = write_synced(fd, lines, len, f->len);
	if (!rc)
		rc = last_keep(f, lines, len);
	if (rc && ftruncate(fd, (off_t)f->len))
		f->damaged = true;
	close(fd);
	return rc;
}

int audit_file_append(struct audit_file *f, const char *lines, size_t len, struct err *err)
{
	int rc = f->len ? last_append(f, lines, len) : -EBADF;

	if (rc)
		return err_set(err, -rc, "cannot append to the audit log in %s: %s", f->dir, strerror(-rc));
	f->len += len;
	return 0;
}

/* --- to be read --- */

static int lines_walk(const char *file, const char *text, size_t len, audit_line_fn *fn, void *arg)
{
	const char *end;
	unsigned int number = 0;
	int rc = 0;

	for (; !rc && (end = memchr(text, '\n', len)); text = end + 1) {
		rc = fn(arg, file, ++number, text, (size_t)(end - text));
		len -= (size_t)(end - text) + 1;
	}
	return rc;
}

int audit_file_walk(const char *dir, audit_line_fn *fn, void *arg, struct err *err)
{
	struct segments segments;
	char path[PATH_MAX], *text;
	size_t len;
	int fd, rc = segments_list(dir, &segments, err);

	for (size_t i = 0; !rc && i < segments.count; i++) {
		rc = path_format(dir, segments.number[i], path);
		fd = rc ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return err_set(err, rc ? -rc : errno, "cannot open %s: %s", path, strerror(rc ? -rc : errno));
		text = segment_read(fd, path, &len, err);
		close(fd);
		rc = !text ? -EIO : lines_walk(strrchr(path, '/') + 1, text, len, fn, arg);
		free(text);
	}
	return rc;
}
