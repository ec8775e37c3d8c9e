/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of commands as command*.c see it. Not here: what others may call (command.h).
 */
#ifndef STARLING_CORE_COMMAND_TABLE_H
#define STARLING_CORE_COMMAND_TABLE_H

#include "core/argument.h"

#define ARGUMENTS_MAX	  24   /* of one command */
#define ARGUMENT_OPTIONAL 0x80 /* bit beside the id of an argument known by position */
#define ARGUMENT_ID	  0x7f
#define ARGUMENT_END	  0x7f /* after the last one */
_Static_assert(ARGUMENT_COUNT < ARGUMENT_END, "ids fit");

struct command_row {
	struct command_info info;
	__u8 argument[ARGUMENTS_MAX + 1];
};

const struct command_row *command_row(enum command_id id);
const char *command_alias(const char *word); /* the word it stands for, or itself */
bool command_object_known(const char *object);
void command_name(enum command_id id, struct buf *out); /* "vip add" */

#endif
