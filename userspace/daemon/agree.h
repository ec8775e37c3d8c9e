/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One configuration for the flock: what the register names is fetched, checked and run, and commands that change shared
 * lines become proposals. Three threads of its own, since all wait for others: one for operators' changes, one for
 * commands that need the voters alone, one that follows what is decided and answers questions. Not here: the register
 * (peers_register.c), objects (core/intent.h), this node's own lines (apply.h).
 */
#ifndef STARLING_DAEMON_AGREE_H
#define STARLING_DAEMON_AGREE_H

#include "core/caspaxos.h"
#include "core/intent.h"
#include "core/table.h"
#include "daemon/daemon.h"

struct agree;
struct message;
struct task;

int agree_open(struct daemon *d, struct agree **ret, struct err *err);
void agree_stop(struct agree *a);  /* on the loop's thread, while the plane runs; NULL is fine */
void agree_close(struct agree *a); /* after the loop; NULL is fine */

/* Whether there is a register, and this node has not stayed apart: shared lines are the flock's. Any thread. */
bool agree_on(const struct agree *a);

/* And it can be changed: most voters answer, and nothing waits to be confirmed. Any thread. */
bool agree_ready(struct agree *a);

/* A command that is the flock's to agree on moves in, and is answered later. On the loop's thread. */
bool agree_takes(struct agree *a, struct task *t);

/**
 * agree_own() - of a configuration that a file says, the own lines with the shared ones that are agreed
 * @wanted:	replaced, if there is a register and its configuration is here
 *
 * Shared lines that differ from the agreed ones are told in the log, and by status until they do not. A job of the
 * plane. Return: 0, or -ENOMEM.
 */
int agree_own(struct agree *a, struct plane *p, struct config **wanted);

/* Of the peers, under their lock. */
void agree_learned(struct agree *a, const struct caspaxos_value *value);
void agree_tick(struct agree *a); /* once a second: what is wanted may be another, or could not be run */
void agree_message(struct agree *a, __u64 sender, const struct message *m);

/* Of the streams; any thread. agree_object(): owned by the caller, NULL: there is none. */
size_t agree_lacking(struct agree *a, const struct object_name *root, struct object_name *ret, size_t room);
char *agree_object(struct agree *a, const struct object_name *name, size_t *ret_len);
int agree_object_add(struct agree *a, const struct object_name *name, const char *text, size_t len);

/* KIND_HISTORY: what the flock has agreed on, as far as it is kept here. */
int agree_history(struct agree *a, struct table *t);

/* KIND_LEVEL: what each node of the roster understands, and what is agreed. */
int agree_levels(struct agree *a, struct table *t);

/* Whether the flock has leases: there is a register, of voters enough. @ret_holder: who may have this one, as far as is
 * known here; 0: nobody. Any thread. */
bool agree_leases_are(struct agree *a, const char *name, __u64 *ret_holder);

/**
 * agree_lease_take() - have a lease taken, or taken again, for the daemon itself; in the background
 * @name:	1 .. LEASE_NAME_MAX bytes
 * @done:	called once, on another thread: until when this node has it; 0 ns: it has not, and @why says why
 *
 * Any thread. Return: 0; -ENOMEM, -ESHUTDOWN: then @done is never called.
 */
typedef void agree_lease_fn(void *arg, struct mono until, const char *why);
int agree_lease_take(struct agree *a, const char *name, __u32 ttl_ms, agree_lease_fn *done, void *arg);

/* KIND_LEASE: those that stand in the register. */
int agree_leases(struct agree *a, struct table *t);

/* Of KIND_STATUS, row 0: what is agreed, where there is a register. */
void agree_status(struct agree *a, struct table *t);

/* What is wrong with it, one sentence each. Any thread. */
void agree_problems(struct agree *a, void (*tell)(void *arg, const char *text), void *arg);

#endif
