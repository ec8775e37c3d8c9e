/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The roster: the nodes that count, in observer sets and quorums, whether they answer or not.
 * A value, part of the configuration. Not here: who answers (opinion), secrets, grammar.
 */
#ifndef STARLING_CORE_ROSTER_H
#define STARLING_CORE_ROSTER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "starling/limits.h"

/* ROLE(name, "word"): a bit each of roster_node's roles, in this order in every text. */
#define STARLING_ROLES(ROLE)                                                                                           \
	ROLE(OBSERVER, "observer") /* checks backends, votes on their state */                                         \
	ROLE(VOTER, "voter")	   /* keeps the register */                                                            \
	ROLE(ADMIN, "admin")	   /* changes of intent are taken from it */                                           \
	ROLE(WITNESS, "witness")   /* has no data plane */

enum {
#define ROLE_NUMBER(name, word) ROLE_NUMBER_##name,
	STARLING_ROLES(ROLE_NUMBER) ROLE_COUNT
#undef ROLE_NUMBER
};
enum roster_role {
#define ROLE_ENUM(name, word) ROLE_##name = 1 << ROLE_NUMBER_##name,
	STARLING_ROLES(ROLE_ENUM)
#undef ROLE_ENUM
};

#define ROSTER_KEY_BYTES	32
#define ROSTER_KEY_TEXT_BYTES	53 /* "ed25519:", 44 digits of Base64, NUL */
#define ROSTER_ID_TEXT_BYTES	17
#define ROSTER_EPOCH_TEXT_BYTES 65
#define ROSTER_ROLES_DEFAULT	ROLE_OBSERVER
#define ROSTER_STAKE_DEFAULT	1

/* Of a node's votes, per mille: what the flock has seen of them (reputation.h). */
#define ROSTER_REPUTATION_FULL	1000
#define ROSTER_REPUTATION_FLOOR 250
#define ROSTER_REPUTATION_STEP	50 /* they are multiples of it */

/* Ed25519 public key: RFC 8032. */
struct roster_key {
	__u8 byte[ROSTER_KEY_BYTES];
};

struct roster_node {
	char name[STARLING_NAME_BYTES];
	char site[STARLING_NAME_BYTES]; /* "" if not said */
	struct roster_key key;
	__u64 id;	  /* roster_id() of the key */
	__u32 roles;	  /* ROLE_*, one at least */
	__u32 stake;	  /* 1..65535; its weight in votes by stake */
	__u32 reputation; /* what the flock has agreed on; 0: full. No line of a file says it */
};

struct roster {
	struct roster_node *node; /* owned; sorted by name */
	size_t count;		  /* up to STARLING_ROSTER_NODES */
};

/* BLAKE2b-256 of roster_encode(): stands in every vote. */
struct roster_epoch {
	__u8 byte[32];
};

/* What everything but text calls a node; derived from the key, so a new key is a new node. */
__u64 roster_id(const struct roster_key *key);
const char *roster_id_format(__u64 id, char text[ROSTER_ID_TEXT_BYTES]); /* 16 hexadecimal digits */

/**
 * roster_key_parse() - "ed25519:BASE64"
 * @text:	RFC 4648 section 4, padded; a key has one text only
 * @ret:	untouched on failure
 *
 * Return: 0, or -EINVAL.
 */
int roster_key_parse(const char *text, struct roster_key *ret);
const char *roster_key_format(const struct roster_key *key, char text[ROSTER_KEY_TEXT_BYTES]);

const char *const *roster_role_words(void);		/* by number, then NULL */
void roster_roles_format(__u32 roles, struct buf *out); /* "observer,voter" */

void roster_free(struct roster *r); /* empties it */

/* @ret is empty on failure. Return: 0, or -ENOMEM. */
int roster_copy(struct roster *ret, const struct roster *from);

/**
 * roster_add() - a node more
 * @node:	copied, but for its id, which follows from the key
 * @err:	may be NULL
 *
 * Return: 0, -EEXIST (a node of this name), -EINVAL (a node with this key or id), -ENOSPC, -ENOMEM.
 */
int roster_add(struct roster *r, const struct roster_node *node, struct err *err);
int roster_delete(struct roster *r, const char *name); /* -ENOENT */

/* NULL if there is none; borrowed until the roster changes. */
const struct roster_node *roster_find(const struct roster *r, const char *name);
const struct roster_node *roster_find_id(const struct roster *r, __u64 id);

__u32 roster_reputation(const struct roster_node *node); /* FLOOR..FULL */
void roster_reputation_set(struct roster_node *node, __u32 reputation);
bool roster_reputation_is(__u32 reputation); /* whether a node can have it: any number may come */

/* Whether the nodes that are in both have the same; and make them so, in @to: who is in no other has the full one. */
bool roster_reputations_same(const struct roster *a, const struct roster *b);
void roster_reputations_take(struct roster *to, const struct roster *from);

/**
 * roster_encode() - the same bytes for the same roster, on every node and in every version
 * @out:	"starling roster 1", NUL; then by name each node: name and site, each behind a byte with its
 *		length; the key; roles and stake, 32 bits each, little-endian; where not all are full, a zero byte and
 *		all reputations, likewise
 */
void roster_encode(const struct roster *r, struct buf *out);

/* Return: 0, or -ENOMEM. */
int roster_digest(const struct roster *r, struct roster_epoch *ret);
bool roster_same(const struct roster *a, const struct roster *b); /* false as well without memory to tell */
const char *roster_epoch_format(const struct roster_epoch *epoch, char text[ROSTER_EPOCH_TEXT_BYTES]);

#endif
