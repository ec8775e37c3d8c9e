/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One change of what is agreed, on its way from a command to a proposal: for agree_change.c,
 * agree_command.c and agree_edit.c alone.
 */
#ifndef STARLING_DAEMON_AGREE_EDIT_H
#define STARLING_DAEMON_AGREE_EDIT_H

#include "daemon/agree_state.h"
#include "daemon/task.h"

struct edit {
	struct agree *a;
	struct task *t;
	struct intent base_intent;
	struct config *base, *wanted; /* owned */
	struct object_name base_root;
	__u32 base_generation;
	struct agree_level base_level, level; /* of what is, and of what is wanted */
	char command[INTENT_COMMAND_BYTES];
	struct agree_nodes silent;
	unsigned int waves; /* that it went through */
};

void edit_free(struct edit *e);

/* What is agreed now; owned by the caller. Return: NULL with @err. */
struct config *edit_base(struct edit *e, struct err *err);

/* What the command makes of it, in @e->wanted. Return: 0, or -errno with @err. */
int edit_wanted(struct edit *e, struct err *err);

/* agree_change.c. Return: 0, or -errno with @err. */
typedef int agree_edit_fn(struct edit *e, struct err *err);
int agree_edit_run(struct edit *e, struct err *err); /* from the command to all running it, with its answer */
int agree_edit(struct agree *a, struct task *t, agree_edit_fn *fn, struct err *err); /* by @fn */

/* What this node wants by itself: @fn makes @e->wanted. @t: of its command, borrowed. Nothing is answered. */
typedef int agree_own_fn(struct edit *e, void *arg, struct err *err);
int agree_edit_own(struct agree *a, struct task *t, const char *command, agree_own_fn *fn, void *arg, struct err *err);

#endif
