/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configuration files from the disk. Not here: their grammar (core/config_file).
 */
#ifndef STARLING_DAEMON_LOAD_H
#define STARLING_DAEMON_LOAD_H

#include <stddef.h>

#include "core/config_file.h"
#include "core/model.h"

/**
 * load_text() - read a file, bounded
 * @path:	a file of up to STARLING_CONFIG_BYTES
 * @ret_text:	owned by the caller; NUL-terminated
 *
 * Return: 0, -EFBIG, -ENOMEM, or -errno, with @err.
 */
int load_text(const char *path, char **ret_text, size_t *ret_len, struct err *err);

/**
 * load_config() - read, parse and check a file
 * @limits:	of the maps
 * @ret:	owned by the caller
 * @errors:	zeroed by the caller, freed by it; at least one after a failure, unless memory is short
 *
 * Return: 0 or -errno.
 */
int load_config(const char *path, const struct config_limits *limits, struct config **ret, struct err_list *errors);

/* The same of a text that came from elsewhere; of one that ran, that a flock has agreed on, or of a certificate's. */
int load_parse(const char *text, size_t len, const char *file, const struct config_limits *limits, struct config **ret,
	       struct err_list *errors);
int load_parse_agreed(const char *text, size_t len, const char *file, const struct config_limits *limits,
		      struct config **ret, struct err_list *errors);

#endif
