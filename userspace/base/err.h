/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An error in words: what was tried, what is missing, what to do; and where in a text.
 * Not here: logging.
 */
#ifndef STARLING_BASE_ERR_H
#define STARLING_BASE_ERR_H

#include <stddef.h>

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
#ifdef __clang_analyzer__ /* it sees one file at a time: what this one returns is known here */
#define err_set(err, code, ...) ((err_set)(err, code, __VA_ARGS__), (code) > 0 ? -(code) : -1)
#endif

/**
 * err_prefix() - put words before the sentence of an error ("VIP web: ...")
 * @err:	may be NULL
 * @fmt:	the words; ": " follows them
 *
 * Return: minus the code of @err, or -EINVAL without one.
 */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct buf;

/**
 * err_print() - an error as compilers print it
 * @out:	"FILE:LINE:COLUMN: TEXT", and if the source is known that line and a caret under the
 *		column; what is not known is left out; every line with its newline
 */
void err_print(const struct err *err, struct buf *out);

#define ERR_LIST_MAX 100 /* errors kept of one text; further ones are counted */

/* Errors of one text, in its order. Zeroed: empty. */
struct err_list {
	struct err *err; /* owned; count of them */
	size_t count;
	size_t more; /* found, but not kept */
};

/* Keep a copy of @err, or count it. */
void err_list_add(struct err_list *list, const struct err *err);
void err_list_sort(struct err_list *list); /* by line and column */
void err_list_print(const struct err_list *list, struct buf *out);
void err_list_free(struct err_list *list); /* empties it */

#endif
