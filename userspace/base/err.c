// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An error in words. Not here: logging.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		memset(err, 0, sizeof(*err));
		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char rest[ERR_TEXT_BYTES];
	size_t used;
	va_list ap;

	if (!err)
		return -EINVAL;
	memcpy(rest, err->text, sizeof(rest));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	if (used < sizeof(err->text))
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", rest);
	return err->code ? -err->code : -EINVAL;
}
