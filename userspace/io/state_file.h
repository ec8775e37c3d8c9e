/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that survive crashes: written whole or not at all, and known to be whole when read. A
 * first line "starling-state 1 LENGTH CHECKSUM" (BLAKE2b, 32 bytes, hex) comes before the text.
 * Not here: what the text means.
 */
#ifndef STARLING_IO_STATE_FILE_H
#define STARLING_IO_STATE_FILE_H

#include <stddef.h>

#include "base/err.h"

/**
 * state_file_write() - replace a file atomically and durably
 * @path:	the file; PATH.new beside it is used in between
 * @text:	@len bytes; borrowed
 * @len:	at most STARLING_REQUEST_BYTES
 * @err:	says which step failed
 *
 * Temporary file, fsync, rename, fsync of the directory. Return: 0 or -errno; then the old file stands.
 */
int state_file_write(const char *path, const char *text, size_t len, struct err *err);

/* The same of what only the daemon's user may read: 0600. */
int state_file_write_secret(const char *path, const char *text, size_t len, struct err *err);

/* The same without waiting for the disk: it outlives the daemon, whatever ends that, but not the host's own end. */
int state_file_write_quick(const char *path, const char *text, size_t len, struct err *err);

/**
 * state_file_read() - read a file and check that it is whole
 * @path:	the file
 * @ret_text:	its text with a NUL after it; owned by the caller: free()
 * @ret_len:	bytes without that NUL
 * @err:	says what is wrong
 *
 * A file that is torn, corrupt or of another version is set aside as PATH.corrupt, and said so.
 * Return: 0, -ENOENT if there is none (and no words), -EBADMSG if it was set aside, or -errno.
 */
int state_file_read(const char *path, char **ret_text, size_t *ret_len, struct err *err);

/* The directory of a file has reached the disk: that there is one of that name, or is none. Return: 0 or -errno. */
int state_file_sync_dir(const char *path);

/* Makes a directory and its parents, each 0750. Return: 0 or -errno with @err. */
int state_dir_make(const char *path, struct err *err);

#endif
