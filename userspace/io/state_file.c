// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Atomic, durable, checked files. Not here: what is in them.
 */
#include "io/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "starling/limits.h"

#define STATE_MAGIC	   "starling-state 1 "
#define STATE_SUM_BYTES	   32
#define STATE_HEADER_BYTES 128

static size_t header_format(const char *text, size_t len, char header[STATE_HEADER_BYTES])
{
	unsigned char sum[STATE_SUM_BYTES];
	char hex[2 * STATE_SUM_BYTES + 1];

	crypto_generichash(sum, sizeof(sum), (const unsigned char *)text, len, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
	return (size_t)snprintf(header, STATE_HEADER_BYTES, "%s%zu %s\n", STATE_MAGIC, len, hex);
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int state_file_sync_dir(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd, rc;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir ? 1 : 0] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) ? -errno : 0;
	close(fd);
	return rc;
}

static int file_write(const char *path, const char *text, size_t len, mode_t mode, bool synced)
{
	char header[STATE_HEADER_BYTES];
	size_t header_len = header_format(text, len, header);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode), rc;

	if (fd < 0)
		return -errno;
	rc = fchmod(fd, mode) ? -errno : 0; /* one that a crash left may have another */
	if (!rc)
		rc = write_all(fd, header, header_len);
	if (!rc)
		rc = write_all(fd, text, len);
	if (!rc && synced && fsync(fd))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

static int file_replace(const char *path, const char *text, size_t len, mode_t mode, bool synced, struct err *err)
{
	char temp[PATH_MAX];
	int rc;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >= sizeof(temp))
		return err_set(err, ENAMETOOLONG, "%s: the path is too long", path);
	if (len > STARLING_REQUEST_BYTES)
		return err_set(err, EFBIG, "%s: %zu bytes are too many for a state file", path, len);
	rc = file_write(temp, text, len, mode, synced);
	if (rc) {
		unlink(temp);
		return err_set(err, -rc, "cannot write %s: %s", temp, strerror(-rc));
	}
	if (rename(temp, path)) {
		rc = -errno;
		unlink(temp);
		return err_set(err, -rc, "cannot rename %s to %s: %s", temp, path, strerror(-rc));
	}
	rc = synced ? state_file_sync_dir(path) : 0;
	return rc ? err_set(err, -rc, "cannot sync the directory of %s: %s", path, strerror(-rc)) : 0;
}

int state_file_write(const char *path, const char *text, size_t len, struct err *err)
{
	return file_replace(path, text, len, 0640, true, err);
}

int state_file_write_secret(const char *path, const char *text, size_t len, struct err *err)
{
	return file_replace(path, text, len, 0600, true, err);
}

int state_file_write_quick(const char *path, const char *text, size_t len, struct err *err)
{
	return file_replace(path, text, len, 0640, false, err);
}

static int file_read(const char *path, char **ret_text, size_t *ret_len)
{
	size_t len, done = 0;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	char *text = NULL;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > (off_t)(STARLING_REQUEST_BYTES + STATE_HEADER_BYTES))
		rc = -EFBIG;
	if (rc)
		goto out;
	len = (size_t)st.st_size;
	text = malloc(len + 1);
	if (!text) {
		rc = -ENOMEM;
		goto out;
	}
	while (done < len) {
		n = read(fd, text + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = -errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	text[done] = '\0';
	*ret_len = done;
	if (!rc) {
		*ret_text = text;
		text = NULL;
	}
out:
	free(text);
	close(fd);
	return rc;
}

/* Takes the header off @text, in place. Return: 0, or -EBADMSG. */
static int header_take(char *text, size_t *len)
{
	char wanted[STATE_HEADER_BYTES];
	char *newline = memchr(text, '\n', *len < STATE_HEADER_BYTES ? *len : STATE_HEADER_BYTES);
	size_t header_len, body_len;

	if (!newline || strncmp(text, STATE_MAGIC, strlen(STATE_MAGIC)))
		return -EBADMSG;
	header_len = (size_t)(newline - text) + 1;
	body_len = *len - header_len;
	if (header_format(newline + 1, body_len, wanted) != header_len || memcmp(wanted, text, header_len))
		return -EBADMSG;
	memmove(text, newline + 1, body_len + 1);
	*len = body_len;
	return 0;
}

int state_file_read(const char *path, char **ret_text, size_t *ret_len, struct err *err)
{
	char aside[PATH_MAX];
	char *text = NULL;
	size_t len = 0;
	int rc;

	rc = file_read(path, &text, &len);
	if (rc == -ENOENT)
		return rc;
	if (rc)
		return err_set(err, -rc, "cannot read %s: %s", path, strerror(-rc));
	rc = text ? header_take(text, &len) : -EBADMSG;
	if (!rc) {
		*ret_text = text;
		*ret_len = len;
		return 0;
	}
	free(text);
	if ((size_t)snprintf(aside, sizeof(aside), "%s.corrupt", path) >= sizeof(aside) || rename(path, aside))
		return err_set(err, EBADMSG, "%s is torn or corrupt and cannot be set aside", path);
	return err_set(err, EBADMSG, "%s is torn or corrupt: set aside as %s", path, aside);
}

int state_dir_make(const char *path, struct err *err)
{
	char part[PATH_MAX];
	char *slash;

	if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
		return err_set(err, ENAMETOOLONG, "%s: the path is too long", path);
	for (slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0750) && errno != EEXIST)
			return err_set(err, errno, "cannot make the directory %s: %s", part, strerror(errno));
		if (!slash)
			return 0;
		*slash = '/';
	}
}
