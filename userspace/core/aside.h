/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Backends that a flock has put aside by its operators' word: a sorted list beside the configuration's lines, which an
 * apply, a rollback and a restart leave as it is. Pure. Not here: what one balancer alone puts aside (the plane's
 * overrides), what becomes of a backend.
 *
 * As a text, one line each, in the order of VIPs and backends; dates in Unix milliseconds:
 *
 *	aside web 192.0.2.101:80 drain 1790000000000 30000 root@lb1 "disk"
 */
#ifndef STARLING_CORE_ASIDE_H
#define STARLING_CORE_ASIDE_H

#include "base/buf.h"
#include "base/err.h"
#include "core/model.h"

#define ASIDE_WORD "aside " /* its lines begin with this, and no other line of a configuration does */

const char *override_word(enum override_state state); /* enable, drain, disable: as it is commanded */
bool override_find(const char *word, enum override_state *ret);
int override_order(const void *a, const void *b); /* of struct override: by VIP, then backend */

/* What is put aside of a backend; NULL: nothing. */
const struct override *aside_find(const struct config *c, const char *vip, const struct endpoint *at);

/* Put it aside as @o says; OVERRIDE_NONE: no more. Return: 0, or -ENOMEM. */
int aside_set(struct config *c, const struct override *o);

int asides_take(struct config *to, const struct config *from); /* in the place of its own. -ENOMEM */
void asides_clear(struct config *c);
void asides_prune(struct config *c); /* what is of no backend */
bool asides_same(const struct config *a, const struct config *b);

/**
 * asides_merge() - two changes of one list, made at the same time
 * @base:	what both began with
 * @mine, @theirs: what each made of it
 * @to:		@theirs becomes both changes
 * @ret_conflict: the VIP of which both changed the same backend
 *
 * Return: 0; -ESTALE; -ENOMEM.
 */
int asides_merge(const struct config *base, const struct config *mine, const struct config *theirs, struct config *to,
		 char ret_conflict[STARLING_NAME_BYTES]);

/* Call @fn for each backend of which @to says otherwise than @from; OVERRIDE_NONE: not put aside any more. */
typedef void aside_change_fn(void *arg, const struct override *o);
void asides_changes(const struct config *from, const struct config *to, aside_change_fn *fn, void *arg);

void asides_write(const struct config *c, struct buf *out);

/* One line, and any bytes as one: of OVERRIDE_NONE too, which says that the flock's word does not hold on a balancer.
 * Return: 0, or -EBADMSG. */
void override_write(const struct override *o, struct buf *out);
int override_read(const char *text, size_t len, struct override *ret);

/* Of a configuration's lines with those of what is put aside behind them, and a NUL: where the latter begin; @len:
 * nowhere.
 */
size_t asides_begin(const char *text, size_t len);

/* Any bytes. Return: 0; -EBADMSG with @err: no such lines, out of order, or of no backend of @c; -ENOMEM. */
int asides_read(struct config *c, const char *text, size_t len, struct err *err);

#endif
