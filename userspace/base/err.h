/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An error in words: what was tried, what is missing, what to do; and where in a text.
 * Not here: logging.
 */
#ifndef STARLING_BASE_ERR_H
#define STARLING_BASE_ERR_H

#define ERR_TEXT_BYTES 512
#define ERR_FILE_BYTES 256

struct err {
	int code;		     /* positive errno; 0: no error */
	int line, column;	     /* 1-based; 0: not about a text */
	char file[ERR_FILE_BYTES];   /* "" if none */
	char text[ERR_TEXT_BYTES];   /* one sentence, no newline */
	char source[ERR_TEXT_BYTES]; /* the line of the text at fault, for the caret; "" if none */
};

/**
 * err_set() - fill an error and return its code
 * @err:	may be NULL; an earlier error in it is replaced
 * @code:	positive errno
 * @fmt:	the sentence
 *
 * Return: -@code, so that callers write `return err_set(err, EINVAL, ...)`.
 */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_prefix() - put words before the sentence of an error ("VIP web: ...")
 * @err:	may be NULL
 * @fmt:	the words; ": " follows them
 *
 * Return: minus the code of @err, or -EINVAL without one.
 */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
