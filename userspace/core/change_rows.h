/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows of KIND_CHANGE: what a command would change. Not here: finding it (config_file.h).
 */
#ifndef STARLING_CORE_CHANGE_ROWS_H
#define STARLING_CORE_CHANGE_ROWS_H

#include "base/addr.h"
#include "core/table.h"

/* A line of the configuration: a config_change_fn, whose argument is the struct table. */
void change_row(void *table, char change, const char *object, const char *name, const char *line);

/* A backend of a VIP is put aside, or no longer: @verb is drain, disable or enable. */
void change_row_override(struct table *t, const char *verb, const char *vip, const struct endpoint *at);

/* The same of one that is known, as an aside_change_fn. */
struct override;
void change_row_aside(void *table, const struct override *o);

/* Reputations that are to be others. */
struct roster;
void change_rows_reputation(const struct roster *from, const struct roster *to, struct table *t);

#endif
