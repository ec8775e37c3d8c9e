/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests and answers of the control socket, as text: one JSON object a line each way.
 * Pure, so that it can be fuzzed. Not here: sockets (io/control), what a command does (daemon).
 *
 *	request	{"words":["vip","show","web"],"dry_run":false,"text":"...","file":"starling.conf"}
 *	answer	{"kind":"vip","rows":[...]}  or  {"message":"..."}  or  {"error":{...}}
 */
#ifndef STARLING_CORE_REQUEST_H
#define STARLING_CORE_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* What kind of failure an error is: the "code" in JSON and the exit status of the command. */
#define REQUEST_FAULTS(FAULT)                                                                                          \
	FAULT(NONE, "none", 0)                                                                                         \
	FAULT(REFUSED, "refused", 1)                                                                                   \
	FAULT(NOT_FOUND, "not-found", 1)                                                                               \
	FAULT(READ_ONLY, "read-only", 1)                                                                               \
	FAULT(FAILED, "failed", 1)                                                                                     \
	FAULT(USAGE, "usage", 2)                                                                                       \
	FAULT(UNREACHABLE, "unreachable", 3)                                                                           \
	FAULT(CONFIGURATION, "configuration", 4)

enum request_fault {
#define REQUEST_FAULT_ENUM(id, name, status) FAULT_##id,
	REQUEST_FAULTS(REQUEST_FAULT_ENUM)
#undef REQUEST_FAULT_ENUM
		FAULT_COUNT
};

struct request {
	json_t *json;	    /* owned: what the other members point into */
	const char **words; /* owned array of borrowed texts */
	size_t word_count;  /* 1..STARLING_WORDS */
	bool dry_run;
	bool force;	  /* in spite of a warning */
	const char *text; /* a configuration, NULL if none */
	size_t text_len;
	const char *file; /* where @text is from, for errors; NULL if unknown */
};

/**
 * request_parse() - one line of the control socket
 * @line:	@len bytes, without the newline; borrowed; may hold anything
 * @len:	bytes
 * @ret:	owned by the caller: request_free(); untouched on failure
 * @err:	says what is wrong with it
 *
 * Refuses what is no JSON object, unknown members, words that are no texts or hold control
 * characters, more than STARLING_WORDS of them, NULs in texts, nesting deeper than JSON of ours has.
 * Return: 0, -EINVAL, or -ENOMEM.
 */
int request_parse(const char *line, size_t len, struct request *ret, struct err *err);
void request_free(struct request *request); /* NULL and a zeroed one are fine */

#define REQUEST_DRY_RUN 0x01
#define REQUEST_FORCE	0x02

/**
 * request_format() - the line that request_parse() reads; for the command
 * @flags:	REQUEST_*
 * @out:	appended to, with the newline
 *
 * Return: 0, -ENOMEM, or -EINVAL (a word that is no UTF-8).
 */
int request_format(const char *const *words, size_t word_count, unsigned int flags, const char *text, const char *file,
		   struct buf *out);

/* {"code":...,"message":...,"file":...,"line":...,"column":...,"source":...}; a new reference or NULL. */
json_t *request_error_json(enum request_fault fault, const struct err *err);

/* Append {"error":{...}} and a newline. */
void request_error_answer(enum request_fault fault, const struct err *err, struct buf *out);

/* Append {"message":"..."} and a newline. */
void request_message_answer(const char *message, struct buf *out);

const char *request_fault_name(enum request_fault fault);
int request_fault_status(enum request_fault fault);
enum request_fault request_fault_find(const char *name); /* FAULT_FAILED for an unknown one */

#endif
