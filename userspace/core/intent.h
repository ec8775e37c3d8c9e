/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a flock has agreed to want: the register's value, and the tree of objects that it names. Pure. Not here: the
 * register (caspaxos.h), how objects travel and are kept, applying them.
 *
 * A configuration's shared part is a tree of objects, each a text that is named by its BLAKE2b-256:
 *
 *	root	what it is, who made it, the names of the others; signed (Ed25519) by the node it was made on
 *	bucket	the VIPs whose names fall in it, by mix64: a line "vip NAME HASH" each, sorted
 *	vip	one VIP, its check and its backends, as `config export` writes them
 *	rest	the roster's lines, likewise, and with what no file has: reputations
 *	aside	the backends that are put aside by hand: aside.h
 *
 * Names are of canonical texts, so whoever builds the same configuration names the same objects, and a changed weight
 * changes one VIP, its bucket and the root. The root's text:
 *
 *	starling intent 1
 *	level 1
 *	table 1
 *	generation 43
 *	previous HASH			of the former root; left out of the first
 *	node 16 hexadecimal digits	on which it was made
 *	by root@lb1			quoted where the grammar needs it
 *	time 1790000000000		Unix time, milliseconds
 *	command "vip add web ..."
 *	rest HASH			left out if the roster is empty
 *	aside HASH			left out if nothing is put aside
 *	bucket 3 HASH			those that are not empty, by number
 *	signature 128 hexadecimal digits, of all before this line
 */
#ifndef STARLING_CORE_INTENT_H
#define STARLING_CORE_INTENT_H

#include "base/buf.h"
#include "core/model.h"
#include "core/signing.h"

#define INTENT_LEVEL	     1	/* of grammar and wire: what this code understands */
#define INTENT_TABLE	     1	/* how homes follow from names: hash, permutation, walk */
#define INTENT_BUCKETS	     64 /* of VIPs, so that no object grows with all of them */
#define INTENT_OBJECT_BYTES  (1u << 20)
#define INTENT_VALUE_BYTES   256 /* of struct intent, encoded */
#define INTENT_LEASES	     4
#define INTENT_BY_BYTES	     64
#define INTENT_COMMAND_BYTES 160

struct object_name {
	__u8 byte[HASH_BYTES];
};

struct object {
	struct object_name name;
	char *text; /* owned; a NUL follows */
	size_t len;
};

/* A set, sorted by name. All zero: empty. */
struct objects {
	struct object *object; /* owned */
	size_t count, room;
};

void objects_free(struct objects *o);							    /* empties it */
const struct object *objects_find(const struct objects *o, const struct object_name *name); /* NULL: none */

/**
 * objects_add() - a text more
 * @text:	copied
 * @len:	1 .. INTENT_OBJECT_BYTES
 * @ret_name:	may be NULL
 *
 * Return: 0, also if it is there already; -EMSGSIZE, -ENOMEM.
 */
int objects_add(struct objects *o, const struct signing *hash, const char *text, size_t len,
		struct object_name *ret_name);

char *object_name_format(const struct object_name *name, char text[2 * HASH_BYTES + 1]);
bool object_name_is(const struct object_name *a, const struct object_name *b);
bool object_name_none(const struct object_name *name); /* all zero */

/* What a root says of itself. */
struct intent_root {
	__u32 level, table;
	__u32 generation;
	struct object_name previous; /* all zero: none */
	__u64 node;
	char by[INTENT_BY_BYTES];
	__u64 time_ms;
	char command[INTENT_COMMAND_BYTES]; /* any text; cut off to its room, quoted in the root */
};

/**
 * intent_build() - the objects of a configuration
 * @c:		its VIPs, their backends and its roster count; borrowed
 * @root:	what the root is to say; level and table as given
 * @signing:	of this node
 * @into:	the objects are added
 * @ret_root:	the root's name
 *
 * What of root's by and command is no UTF-8 becomes '?'. On failure nothing was added.
 * Return: 0; -EMSGSIZE with @err: a VIP, or what else is one object, is too large; -ENOMEM; what sign() gave.
 */
int intent_build(const struct config *c, const struct intent_root *root, const struct signing *signing,
		 struct objects *into, struct object_name *ret_root, struct err *err);

/**
 * intent_rebuild() - the same of a configuration that is like another one
 * @known:	the other one; NULL: there is none
 * @known_root:	of its tree, in @into: what a VIP is like there is not written again
 */
int intent_rebuild(const struct config *c, const struct config *known, const struct object_name *known_root,
		   const struct intent_root *root, const struct signing *signing, struct objects *into,
		   struct object_name *ret_root, struct err *err);

/**
 * intent_lacking() - what is not there of a tree
 * @ret:	names, each once, in no order; overwritten up to @room
 * @room:	1 or more
 *
 * Objects that are there and make no sense are no error here, see intent_read(); nor is a root of a level that is not
 * understood: what it names is not known.
 * Return: how many were found, @room at most: 0: the tree is whole.
 */
size_t intent_lacking(const struct objects *o, const struct object_name *root, struct object_name *ret, size_t room);

/**
 * intent_root_read() - what a root says, and whether it may say it
 * @roster:	who counts; a root of a node that is not in it, or without the role admin where somebody has it, is
 *		refused with -EACCES. NULL: the signature is not looked at
 *
 * Return: 0; -ENOENT: not there; -EBADMSG: no root of a level and a table that are understood, with @err; -EACCES with
 * @err; -ENOMEM.
 */
int intent_root_read(const struct objects *o, const struct object_name *name, const struct roster *roster,
		     const struct signing *signing, struct intent_root *ret, struct err *err);

/**
 * intent_read() - the text of a tree's configuration
 * @out:	lines of the grammar: roster, then VIPs by name, as config_export_agreed() writes them, then what is put
 *		aside (aside.h); nothing is appended on failure
 *
 * The tree has to be whole and canonical: parsing the text, building it again has to give the same names, which the
 * caller checks by intent_same(). Return: 0; -ENOENT: something lacks; -EBADMSG with @err: an object makes no sense;
 * -EFBIG: beyond STARLING_CONFIG_BYTES; -ENOMEM.
 */
int intent_read(const struct objects *o, const struct object_name *root, struct buf *out, struct err *err);

/**
 * intent_changed() - what a tree says otherwise than another one
 * @known:	the other one's root; both are whole
 * @out:	appended: lines of the VIPs that are others or new, and of the roster if it is another, and all that is
 * put aside, as intent_read()
 * @gone:	called for each VIP that is only in @known, and with "" if the roster is another
 *
 * Return: as intent_read().
 */
typedef void intent_gone_fn(void *arg, const char *vip);
int intent_changed(const struct objects *o, const struct object_name *root, const struct object_name *known,
		   struct buf *out, intent_gone_fn *gone, void *arg, struct err *err);

/* Whether a configuration's objects are those of a tree, whatever its root says besides. Return: 0, -EBADMSG, -ENOMEM.
 */
int intent_same(const struct objects *o, const struct object_name *root, const struct config *c,
		const struct signing *hash);

/* Drop what is in no tree of these roots. Without memory nothing is dropped. */
void intent_keep(struct objects *o, const struct object_name *root, size_t count);

/* A right that one node has at a time, for as long as it renews it (lease.h). All zero: a place for one. */
struct intent_lease {
	char name[STARLING_LEASE_BYTES];
	__u64 holder;  /* node that took it last */
	__u64 fence;   /* another one each time that it is had anew: higher */
	__u32 renewed; /* counts */
	__u32 ttl_ms;
};

/* The register's value. */
struct intent {
	__u32 generation;
	struct object_name root;
	__u32 previous_generation; /* 0: none */
	struct object_name previous;
	bool proposed;	   /* until it is confirmed; else it is */
	bool waved;	   /* of a proposal: a node runs it when it is told to */
	__u64 deadline_ms; /* of a proposal: Unix time; when it has passed, the previous one is what is wanted */
	__u32 window_ms;   /* of a proposal: from its making to its deadline */
	__u64 by;	   /* node */
	struct intent_lease lease[INTENT_LEASES];
};

/* Little-endian, fixed layout, first byte 1. Return: bytes, up to INTENT_VALUE_BYTES. */
size_t intent_encode(const struct intent *i, __u8 out[INTENT_VALUE_BYTES]);
/* Any bytes. Return: 0, or -EBADMSG: wrong length, another layout, or what cannot be (a name that is not terminated).
 */
int intent_decode(const __u8 *bytes, size_t len, struct intent *ret);

/**
 * intent_wanted() - what is to run now
 * @now_ms:	Unix time
 * @told:	whether this node was told to run a proposal that goes in waves
 *
 * Return: whether it is @i's own root; false: the previous one, since the deadline has passed, or this node's turn has
 * not come.
 */
bool intent_wanted(const struct intent *i, __u64 now_ms, bool told, struct object_name *ret_root,
		   __u32 *ret_generation);

/* Of one register: whether no proposal came between, nor was one decided or taken back. */
bool intent_same_proposal(const struct intent *a, const struct intent *b);

#define INTENT_CONFIRM_LAST_MS 1500 /* before the deadline: a second, and half a second that clocks may differ by */

/**
 * intent_confirm_check() - whether a proposal may be confirmed
 * @is:		what the register has now
 * @seen:	what is to be confirmed: what came between was seen by nobody who confirms
 * @left_ms:	until @is is taken back
 *
 * Return: 0; -ESTALE: it is another; -EINPROGRESS: it goes through its waves; -ETIME: it is too late.
 */
int intent_confirm_check(const struct intent *is, const struct intent *seen, __u64 left_ms);

#endif
