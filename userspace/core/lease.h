/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Leases: a right that one node has at a time, for as long as it asks for it again. They stand in the register's value
 * (intent.h), so who has one is decided like any other change; until when is a matter of clocks. Pure: time comes in.
 * Not here: the register (caspaxos.h), who asks (the daemon's agree_lease.c).
 *
 * No clock is compared with another one, only how fast they go (Gray and Cheriton: "Leases", SOSP 1989). The holder
 * counts its time from before it asked, and a twentieth less than it is. Others count all of it, from when they first
 * knew of that renewal, which was later; each asking changes a count in the register, so a lease that stands unchanged
 * for its whole time has not been renewed. So there are never two holders as long as a slow clock and a fast one differ
 * by less than 5 %; clocks that are disciplined differ by 0.1 % at most.
 *
 * A holder may still be late: its process stands still, or what it has sent is under way when its time ends. So each
 * time that a lease is had anew it has a number, the fence, which is higher than all before; who is asked to do
 * something in the lease's name refuses lower ones than he has seen (Burrows: "The Chubby lock service", OSDI 2006,
 * section 2.4). It is the number of the register's value, so nothing has to be kept of a lease that is given back.
 *
 * A single voter that is cut off would go on renewing to itself, while others take the register over; of three, one
 * that is cut off cannot. What an operator takes over although it goes on elsewhere may have two holders; the numbers
 * tell them apart, since those after a takeover are higher.
 */
#ifndef STARLING_CORE_LEASE_H
#define STARLING_CORE_LEASE_H

#include "base/clock.h"
#include "core/intent.h"

#define LEASE_VOTERS	  3  /* at least */
#define LEASE_OWN_PERCENT 95 /* of its time that its holder counts */
#define LEASE_NAME_MAX	  (STARLING_LEASE_BYTES - 1)
#define LEASE_RESTART	  "restart"	      /* the daemons' own, for hooks: the last place is kept for it */
#define LEASE_OTHERS	  (INTENT_LEASES - 1) /* that commands may have */

/* A lease's place in the register, as this node has followed it. */
struct lease_place {
	struct intent_lease is; /* as it was known last */
	struct mono since;	/* when that was first known */
	struct mono until;	/* this node has it; 0: it has not */
};

/* All zero but for @node: nothing is known. */
struct leases {
	__u64 node; /* this one */
	struct lease_place place[INTENT_LEASES];
};

/* The place of a lease; INTENT_LEASES: there is none of that name. */
size_t lease_find(const struct intent *i, const char *name);

/* To be called with each value that is known to be decided, in their order. */
void lease_follow(struct leases *l, const struct intent *i, struct mono now);

/**
 * lease_ask() - this node is about to ask for a lease, or to give it back
 * @ttl_ms:	that it will ask for; 0: it is given back
 *
 * Before anything is sent: if that is decided and no answer comes, this node has it for no longer.
 */
void lease_ask(struct leases *l, const char *name, __u32 ttl_ms, struct mono now);

/**
 * lease_take() - what a value has to become for this node to have a lease, or to go on having it
 * @l:		has followed @i
 * @name:	1 .. LEASE_NAME_MAX bytes
 * @ttl_ms:	more than 0
 * @version:	of the value that @i is to become: it is the fence, unless this node goes on
 * @i:		changed on success only
 *
 * Return: 0; -EEXIST: another node may have it; -ENOSPC: there are LEASE_OTHERS others, of which each may be had.
 */
int lease_take(const struct leases *l, const char *name, __u32 ttl_ms, __u64 version, struct mono now,
	       struct intent *i);

/* Likewise to give it back. Return: 0; -ENOENT: there is none; -EEXIST: another node has it. */
int lease_drop(const struct leases *l, const char *name, struct intent *i);

/**
 * lease_granted() - what lease_take() made was decided
 * @i:		the latest value that is known
 * @asked:	the time of lease_ask()
 *
 * Return: the fence; 0: it is this node's no more.
 */
__u64 lease_granted(struct leases *l, const struct intent *i, const char *name, struct mono asked, struct mono now);

bool lease_held(const struct leases *l, size_t place, struct mono now); /* by this node */

/* How long this node still has it; of another's, until this node may take it. 0: it is over. */
__u64 lease_left_ms(const struct leases *l, size_t place, struct mono now);

#endif
