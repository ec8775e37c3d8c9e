/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configuration as text: reading a file, changing a configuration by a command, writing it,
 * and telling two apart. Pure. Not here: the grammar (command.h), files, what runs.
 */
#ifndef STARLING_CORE_CONFIG_FILE_H
#define STARLING_CORE_CONFIG_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/command.h"
#include "core/model.h"

/**
 * config_parse() - read a configuration file
 * @text:	its bytes, of any kind; need not be NUL-terminated; borrowed
 * @len:	up to STARLING_CONFIG_BYTES
 * @file:	its name, for errors
 * @ret:	owned by the caller; untouched on failure
 * @errors:	every error of the text; to be freed by the caller, also on success. Zeroed by the
 *		caller.
 *
 * Lines may stand in any order, so a backend before its VIP is fine. Two lines for one object
 * are an error that names the first. config_check() is left to the caller, who knows the
 * limits (or see config_read()).
 * Return: 0, -EINVAL with @errors, -ENOMEM.
 */
int config_parse(const char *text, size_t len, const char *file, struct config **ret, struct err_list *errors);

/**
 * config_read() - config_parse() and config_check() in one
 * @limits:	sizes of the maps; NULL: as large as numbers allow
 *
 * What config_check() finds is placed at the line of the VIP that it is about.
 * Return: 0, -EINVAL with @errors, -ENOMEM.
 */
int config_read(const char *text, size_t len, const char *file, const struct config_limits *limits, struct config **ret,
		struct err_list *errors);

/* The same of what a flock has agreed on, or of a certificate's file: its roster has reputations, which no file has. */
int config_parse_agreed(const char *text, size_t len, const char *file, struct config **ret, struct err_list *errors);
int config_read_agreed(const char *text, size_t len, const char *file, const struct config_limits *limits,
		       struct config **ret, struct err_list *errors);

/**
 * config_command() - apply one command to a configuration
 * @c:		changed on success only
 * @command:	one with COMMAND_CONFIG
 * @err:	what is in the way
 *
 * Return: 0, -EINVAL (no such command here, contradiction), -EEXIST, -ENOENT, -ENOSPC, -ENOMEM.
 */
int config_command(struct config *c, const struct command *command, struct err *err);

/* "there is no VIP ...", and which one may have been meant. Return: -ENOENT */
int config_vip_none(const struct config *c, const char *name, struct err *err);

/**
 * config_named() - the backends that `backend drain [VIP] ADDR[:PORT]` and its like mean
 * @command:	one with COMMAND_OVERRIDE
 * @fn:		called for each; not 0 ends it
 * @err:	says that there is none
 *
 * Return: 0, -ENOENT, or what @fn returned.
 */
typedef int config_named_fn(void *arg, const struct vip_config *vip, const struct endpoint *at);
int config_named(const struct config *c, const struct command *command, config_named_fn *fn, void *arg,
		 struct err *err);

/**
 * config_export() - a file that rebuilds a configuration
 *
 * Canonical: fixed order, defaults left out; parsing it and exporting again gives the same
 * bytes.
 */
void config_export(const struct config *c, struct buf *out);
void config_export_agreed(const struct config *c, struct buf *out); /* with reputations: for config_read_agreed() */
void config_export_own(const struct config *c, struct buf *out);    /* its first lines: all but the roster and VIPs */

/* The same for one object; each is one line with its newline. */
void config_export_vip(const struct vip_config *vip, struct buf *out);
void config_export_health(const struct vip_config *vip, struct buf *out); /* nothing if there is no check */
void config_export_check(const char *vip, const struct check_config *check, struct buf *out);
void config_export_backend(const struct vip_config *vip, const struct backend_config *b, struct buf *out);

/**
 * config_diff() - lines that tell two configurations apart
 * @from:	what is
 * @to:		what is wanted
 * @out:	"+ LINE" added, "- LINE" removed, "~ LINE" changed, as it is to be; nothing if equal
 *
 * Return: number of lines.
 */
size_t config_diff(const struct config *from, const struct config *to, struct buf *out);

/**
 * config_changes() - the same, object by object
 * @fn:		called with '+', '-' or '~'; "vip", "health", "backend", "iface", "roster", "node", "listen"
 *		or "log"; the object's name; its line without newline
 */
typedef void config_change_fn(void *arg, char change, const char *object, const char *name, const char *line);
size_t config_changes(const struct config *from, const struct config *to, config_change_fn *fn, void *arg);

/**
 * config_level() - the level that a flock needs to agree on a change
 * @ret_word:	appended, if it is above 1: what needs it, with its object: "scheduler x of vip web"
 *
 * Lines that are each node's own, and those that stay as they are, need none. Return: the level, or -ENOMEM.
 */
int config_level(const struct config *from, const struct config *to, struct buf *ret_word);

#endif
