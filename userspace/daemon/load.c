// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configuration files from the disk. Not here: their grammar.
 */
#include "daemon/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "starling/limits.h"

#define LOAD_CHUNK_BYTES (256u << 10)

/* Pipes are files too (`-f <(generate)`), so the size is not known beforehand. */
static int fd_read(int fd, struct buf *out)
{
	ssize_t n;

	while (out->len <= STARLING_CONFIG_BYTES) {
		if (buf_reserve(out, LOAD_CHUNK_BYTES))
			return -ENOMEM;
		n = read(fd, out->text + out->len, LOAD_CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		out->len += (size_t)n;
		out->text[out->len] = '\0';
		if (!n)
			return 0;
	}
	return -EFBIG;
}

int load_text(const char *path, char **ret_text, size_t *ret_len, struct err *err)
{
	struct buf b = BUF_INIT;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else
		rc = fd_read(fd, &b);
	close(fd);
	if (!rc && !b.text)
		rc = -ENOMEM;
	if (rc) {
		buf_free(&b);
		if (rc == -EFBIG)
			return err_set(err, EFBIG, "%s is longer than the %u MiB that a configuration may have", path,
				       STARLING_CONFIG_BYTES >> 20);
		return err_set(err, -rc, "cannot read %s: %s", path, strerror(-rc));
	}
	*ret_text = buf_take(&b, ret_len);
	return 0;
}

int load_parse(const char *text, size_t len, const char *file, const struct config_limits *limits, struct config **ret,
	       struct err_list *errors)
{
	return config_read(text, len, file, limits, ret, errors);
}

int load_parse_agreed(const char *text, size_t len, const char *file, const struct config_limits *limits,
		      struct config **ret, struct err_list *errors)
{
	return config_read_agreed(text, len, file, limits, ret, errors);
}

int load_config(const char *path, const struct config_limits *limits, struct config **ret, struct err_list *errors)
{
	struct err err = {0};
	char *text = NULL;
	size_t len = 0;
	int rc = load_text(path, &text, &len, &err);

	if (rc) {
		err_list_add(errors, &err);
		return rc;
	}
	rc = load_parse(text, len, path, limits, ret, errors);
	free(text);
	return rc;
}
