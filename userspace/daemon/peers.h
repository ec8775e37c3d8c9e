/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * This node among the others: the flock of core/ with real secrets, sockets and clocks. It runs where the
 * configuration has an address (`node set address`) and a roster with this node in it. The flock's keys are made once
 * (`node init`); the other nodes of the roster ask for them. A balancer alone has none of it and lacks nothing.
 *
 * The loop's thread has its socket and timer. What it knows is behind one lock, which nobody holds for longer than it
 * takes to work through a batch of datagrams or to fill some rows: so all of these may be called on any thread, but
 * for peers_open(), peers_start() and peers_close(). Not here: detection, pages, repair (core/flock.h), seals
 * (io/channel.h).
 */
#ifndef STARLING_DAEMON_PEERS_H
#define STARLING_DAEMON_PEERS_H

#include "core/command.h"
#include "core/signing.h"
#include "core/table.h"
#include "daemon/daemon.h"

#define PEERS_PORT	   9428 /* UDP; where `node set address` names none */
#define PEERS_REASON_BYTES 96

/* Reads the secrets, makes the identity at the first start. On the loop's thread, before others run. */
int peers_open(struct daemon *d, struct peers **ret, struct err *err);
void peers_close(struct peers *p);

/* What a configuration says of this node and of the others. */
void peers_configure(struct peers *p, const struct config *config);

/* What the plane counts goes out, and what others count comes in: about once a second, on the plane's thread. */
void peers_exchange(struct peers *p, struct plane *plane);

/* `node init`: the first of the flock makes its keys, and keeps the seed of the flow hash that it has. */
int peers_init(struct peers *p, char message[256], struct err *err);

/* `node join`: ask the node at @at, soon and again while nobody answers, for keys and for others. */
int peers_join(struct peers *p, const struct endpoint *at, struct err *err);

/* `node invite`: @message is the invitation. Return: 0; -ENOENT, -EPERM (the mode is `listed`), -ENOSPC. */
int peers_invite(struct peers *p, __u32 ttl_ms, char message[256], struct err *err);

/* `node join -`: take an invitation. Return: 0; -EINVAL, -ENOENT, -EEXIST, -ETIMEDOUT, or -errno of the file. */
int peers_accept(struct peers *p, const char *text, bool dry, struct err *err);

/* `node forget`: expel, and change the keys. Return: 0; -ENOENT, -EINVAL, -EPERM, -ENOSPC, or -errno of a file. */
int peers_forget(struct peers *p, const char *name, bool dry, char message[256], struct err *err);

/* `backend readmit`: whether this node may, and to tell the others. Return: 0, or -EACCES with @err. */
struct fact_readmit;
int peers_readmit_check(struct peers *p, struct err *err);
void peers_readmit(struct peers *p, const struct fact_readmit *all, size_t count);

/* The roster that is used. Return: 0, or -ENOMEM. */
int peers_roster_copy(struct peers *p, struct roster *ret);

/**
 * peers_key() - `node key add|use|remove`: change the flock's keys, everywhere
 * @id:		a key's fingerprint; not used by KEY_ADD
 * @dry:	only say whether it would do
 *
 * Return: 0 with a sentence in @message; -ENOENT, -EBUSY, -ENOSPC; -EPERM, it is not for this node to do.
 */
int peers_key(struct peers *p, enum key_change change, __u32 id, bool dry, char message[256], struct err *err);
int peers_keys_show(struct peers *p, struct table *t); /* KIND_KEY; fingerprints alone */

/* `node rekey`: another identity from now on; @message has its public key, for the rosters. */
int peers_rekey(struct peers *p, char message[256], struct err *err);

/* `node drain`, and `node enable` with NULL: kept over restarts. Return: 0, or -errno of the file. */
int peers_drain(struct peers *p, const char *reason, struct err *err);
bool peers_draining(struct peers *p, char reason[PEERS_REASON_BYTES]);

/* `node audit`: whom a name is of, and the key. Return: 0, or -ENOENT with @err. */
int peers_audit_find(struct peers *p, const char *name, __u64 *ret_id, struct roster_key *ret_key, bool *ret_self,
		     struct err *err);

/* `node leave`: tell the others that this node goes. */
int peers_leave(struct peers *p, struct err *err);

/* What this balancer has put aside by itself: told to the others, who show it, and do nothing. Any thread. */
void peers_asides(struct peers *p, const struct override *all, size_t count);
void peers_asides_show(struct peers *p, struct table *t); /* KIND_BACKEND: what others have told, with each row */

int peers_show(struct peers *p, struct table *t);      /* KIND_NODE: every node of the roster, else this one alone */
int peers_gossip(struct peers *p, struct table *t);    /* KIND_GOSSIP: one row */
void peers_problems(struct peers *p, struct table *t); /* KIND_STATUS, row 0: what is wrong with the flock */

/* Which configurations a node understands: the highest level and table. Of one that has told nothing: 1. */
struct peers_level {
	char name[STARLING_NAME_BYTES];
	__u32 level, table;
};
size_t peers_levels(struct peers *p, struct peers_level *ret, size_t room); /* all of the roster; any thread */

/* The register, from any thread. */
struct caspaxos_value;
struct caspaxos_change;
struct caspaxos_message;
struct object_name;
void peers_register_value(struct peers *p, struct caspaxos_value *ret);
/* done() is called on the loop's thread, under the peers' lock. Return: 0, or -ENOMEM. */
int peers_register_propose(struct peers *p, const struct caspaxos_change *change, __u32 wait_ms);
int peers_register_begin(struct peers *p, const struct caspaxos_value *value); /* as caspaxos_begin() */
/* Whether a voter answers, as far as is known here: with its store, and in this register. */
struct voter;
bool peers_register_answers(struct peers *p, __u64 id, const struct voter *voter);
/* Another register that a live node tells of. Return: 0, or -ENOENT. */
int peers_register_other(struct peers *p, struct caspaxos_value *ret);
bool peers_register_none(struct peers *p); /* a live node has told that it knows of none */
void peers_register_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg);
/* Return: 0; -ENOENT: no such node; -EAGAIN: it has not told yet. */
int peers_register_store(struct peers *p, const char *name, __u64 *ret_node, __u64 *ret_store);

/* Fetch what lacks of a tree from a node; done() is called on the loop's thread, under the peers' lock: 0; -ENOENT: it
 * has not all; -EHOSTUNREACH, -EBUSY, -EIO. */
int peers_fetch(struct peers *p, __u64 node, const struct object_name *root, void (*done)(void *arg, int rc),
		void *arg);

/**
 * peers_log() - fetch the newest lines of another node's audit log: a copy, of any content (core/audit_copy.h)
 * @done:	called on the loop's thread, under the peers' lock: 0 with @text, which may be taken; -EIO: the stream
 *		was not there, or broke off, or took too long; -ENODATA: the node has none to give
 *
 * On the loop's thread. Return: 0; -EHOSTUNREACH, -EBUSY (one at a time), -EIO, -ENOMEM: @done is not called.
 */
int peers_log(struct peers *p, __u64 node, void (*done)(void *arg, int rc, struct buf *text), void *arg);

/* A message with a body to a node; whether it comes is not told. */
int peers_tell(struct peers *p, __u64 to, __u32 kind, __u32 number, const void *body, size_t len);

/* There are own votes to be told, or others' to be shown again. Any thread. Return: 0, or -ENOMEM. */
int peers_votes(struct peers *p);

/* Nodes of the roster that live, and say that hooks may run there, this one among them; with @site those of its site.
 * Any thread. Return: how many; 0 also if this node has no part in a flock. */
size_t peers_hooks(struct peers *p, bool site, __u64 *ret_id, size_t room);

/* Other nodes of the roster that answer, and whether one still does: it is alive, and not suspected. */
size_t peers_others(struct peers *p, __u64 *ret_id, size_t room);
bool peers_answers(struct peers *p, __u64 node);
bool peers_gone(struct peers *p, __u64 node); /* it has left, or is held dead */
const char *peers_name(struct peers *p, __u64 node, char text[STARLING_NAME_BYTES]);
const char *peers_site(struct peers *p, __u64 node, char text[STARLING_NAME_BYTES]); /* of the roster; "" if not said */
__s64 peers_clock_offset_ms(struct peers *p, __u64 node); /* of its wall clock to this node's; under the lock */
__u64 peers_self(struct peers *p);
struct signing peers_signing(struct peers *p);

#endif
