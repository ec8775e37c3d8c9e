// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files that operators name; "-" is standard input. Not here: what is in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "starling.h"
#include "starling/limits.h"

#define FILE_CHUNK_BYTES (256u << 10)

int file_read(const char *path, char **ret_text, size_t *ret_len, struct err *err)
{
	bool input = !strcmp(path, "-");
	struct buf b = BUF_INIT;
	ssize_t n = 1;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;

	while (!rc && n) {
		rc = buf_reserve(&b, FILE_CHUNK_BYTES);
		n = rc ? 0 : read(fd, b.text + b.len, FILE_CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = -errno;
			break;
		}
		b.len += (size_t)n;
		if (b.len > STARLING_CONFIG_BYTES)
			rc = -EFBIG;
	}
	if (fd >= 0 && !input)
		close(fd);
	if (rc) {
		buf_free(&b);
		return err_set(err, -rc, "cannot read %s: %s", input ? "standard input" : path, strerror(-rc));
	}
	b.text[b.len] = '\0';
	*ret_text = buf_take(&b, ret_len);
	return 0;
}
