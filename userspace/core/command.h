/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The grammar: words to a struct command, by one table (command_list.h) from which help,
 * synopsis and completion come too. Pure. Not here: what a command does.
 */
#ifndef STARLING_CORE_COMMAND_H
#define STARLING_CORE_COMMAND_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/check_config.h"
#include "core/command_list.h"
#include "core/place.h"
#include "core/roster.h"
#include "starling/limits.h"

enum command_id {
#define COMMAND_ENUM(id, object, verb, place, flags, help, ...) COMMAND_##id,
	STARLING_COMMANDS(COMMAND_ENUM)
#undef COMMAND_ENUM
		COMMAND_COUNT
};

#define COMMAND_LOCAL	 0x01 /* about this balancer alone */
#define COMMAND_SHARED	 0x02 /* intent: the same on every balancer of a flock */
#define COMMAND_MUTATES	 0x04 /* changes something: refused on the read-only socket */
#define COMMAND_CONFIG	 0x08 /* changes the configuration: config_command() does it */
#define COMMAND_OVERRIDE 0x10 /* changes operating state */
#define COMMAND_STREAMS	 0x20 /* answers with many rows, until somebody hangs up */
#define COMMAND_CLIENT	 0x40 /* done by the command line tool alone, without a daemon */
#define COMMAND_FILE	 0x80 /* takes a configuration text; without FILE the one the daemon was started with */

/* Where in a configuration file a command stands. */
enum command_place {
	IN_FILE,      /* it may stand there */
	IN_ABSENCE,   /* what it deletes is left out of the file */
	IN_OWN_LINE,  /* it changes what another line declares */
	IN_OPERATION, /* operating state is not configuration */
	IN_NO_FILE,   /* it declares nothing */
};

enum argument_id {
#define ARGUMENT_ENUM(id, by, word, metavar, kind, member, min, max, help) ARG_##id,
	STARLING_ARGUMENTS(ARGUMENT_ENUM)
#undef ARGUMENT_ENUM
		ARGUMENT_COUNT
};
/* Arguments, a bit each. */
typedef unsigned __int128 argument_set;
#define ARGUMENT_BIT(id) ((argument_set)1 << (id))
_Static_assert(ARGUMENT_COUNT <= 8 * sizeof(argument_set), "a bit each");

/* node key */
enum key_change { KEY_SHOW, KEY_ADD, KEY_USE, KEY_REMOVE };

/* node lease */
enum lease_change { LEASE_SHOW, LEASE_TAKE, LEASE_DROP };

/* node audit */
enum audit_change { AUDIT_SHOW, AUDIT_VERIFY, AUDIT_ACCEPT, AUDIT_HELD };

#define HASH_5TUPLE 0
#define HASH_SOURCE 1

/* Kinds of events, bits of struct command's events. */
#define EVENT_BACKEND 0x01
#define EVENT_VIP     0x02
#define EVENT_IFACE   0x04
#define EVENT_CONFIG  0x08
#define EVENT_DROP    0x10
#define EVENT_MEMBER  0x20
#define EVENT_RESTART 0x40
#define EVENT_ALL     0x7f

/* One command, parsed and checked as far as words alone can be. Texts are borrowed from the words. */
struct command {
	enum command_id id;
	argument_set given; /* those that were there; see command_has() */
	char vip[STARLING_NAME_BYTES];
	char node[STARLING_NAME_BYTES];
	char device[16];
	char site[STARLING_NAME_BYTES];
	char region[STARLING_NAME_BYTES];
	struct roster_key public_key;
	struct endpoint key[STARLING_KEYS_PER_VIP]; /* proto set, no duplicates */
	size_t key_count;
	struct place place[STARLING_NODE_PEERS]; /* no duplicates */
	size_t place_count;
	__u32 beacons;	 /* enum beacon_kinds */
	__u32 admission; /* enum admission_mode */
	__u32 urgent;	 /* enum urgent */
	__u32 topology;	 /* enum topology */
	__u32 ttl_ms;	 /* of an invitation, of a lease */
	char lease[STARLING_LEASE_BYTES];
	__u32 lease_change; /* enum lease_change */
	__u32 audit_change; /* enum audit_change */
	__u32 intent_level;
	__u32 confirm_ms;
	__u32 wave;		   /* enum wave */
	__u32 exec;		   /* node set: checks may run files */
	__u32 hooks;		   /* node set: and so may what is to begin backends again */
	struct check_config check; /* of texts and numbers those that were given */
	char voter[STARLING_VOTERS][STARLING_NAME_BYTES];
	size_t voters;
	struct endpoint at; /* backend, or source of a lookup, or where to listen; port 0 where only ADDR was given */
	struct endpoint to; /* destination of a lookup */
	struct endpoint sorry;		   /* port 0: none */
	char restart[STARLING_NAME_BYTES]; /* "": none */
	struct addr client;
	__u32 proto;	  /* IPPROTO_TCP, IPPROTO_UDP */
	__u32 scheduler;  /* enum scheduler */
	__u32 forward;	  /* enum forward_mode */
	__u32 hash;	  /* HASH_* */
	__u32 mode;	  /* enum xdp_mode */
	__u32 level;	  /* LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG */
	__u32 change;	  /* vip address: 0 add, 1 delete */
	__u32 key_change; /* enum key_change */
	__u32 key_id;	  /* node key: a fingerprint, not 0 */
	__u32 roles;	  /* ROLE_* */
	__u32 events;	  /* EVENT_*; EVENT_ALL if none was named */
	__u32 slots;
	__u32 idle_ms;
	__u32 drain_timeout_ms;
	__u32 slow_start_ms;
	__u32 recovery; /* enum recovery */
	__u32 dead;	/* enum dead */
	__u32 damp_ms;
	__u32 passive; /* enum passive */
	__u32 panic_percent;
	__u32 eject_percent;
	__u32 timeout_ms;
	__u32 weight;
	__u32 tier;
	__u32 maxconn;
	__u32 stake;
	__u32 reputation; /* of what is agreed alone; per mille */
	__u32 limit;
	__u32 sample;
	__u32 count;
	__u32 generation;
	const char *reason; /* NULL if not given; so with the next ones */
	const char *file;   /* "-": standard input */
	const char *prefix; /* of metrics */
	const char *topic;  /* of help */
};

struct command_info {
	const char *object;
	const char *verb; /* "" for commands of one word */
	enum command_place place;
	unsigned int flags; /* COMMAND_* */
	const char *help;
};

/**
 * command_parse() - words to a command
 * @words:	the words after the options; borrowed, and so are texts in @ret
 * @count:	how many; 0 is an error
 * @ret:	the command; untouched on failure
 * @ret_fault:	index of the word at fault, @count if one is missing at the end; may be NULL;
 *		set only on failure
 * @err:	the sentence, with "did you mean" where a word is close to a known one
 *
 * `list` is `show`, `del` is `delete`; every other word must be exact.
 * Return: 0, or -EINVAL.
 */
int command_parse(const char *const *words, size_t count, struct command *ret, size_t *ret_fault, struct err *err);

/* The command that object and verb name, whatever follows; COMMAND_COUNT if there is none. */
enum command_id command_find(const char *const *words, size_t count);

/**
 * command_level() - from which level on a flock may agree on a command
 * @ret_word:	appended, if it is above 1: the keyword that needs it, or keyword and value
 */
__u32 command_level(const struct command *c, struct buf *ret_word);

bool command_mutates(const struct command *c); /* its flags, and its words, say so */
bool command_has(const struct command *c, enum argument_id argument);
const struct command_info *command_info(enum command_id id);

/* "vip add NAME PROTO/ADDR:PORT[,...] [scheduler S] ..." without a newline. */
void command_synopsis(enum command_id id, struct buf *out);

/**
 * command_help() - what can be said, of one object or of all
 * @object:	NULL: all
 *
 * Return: 0, or -ENOENT.
 */
int command_help(const char *object, struct buf *out);

/**
 * command_complete() - the words that may follow, one a line
 * @words:	complete words before the one to be completed
 */
void command_complete(const char *const *words, size_t count, struct buf *out);

/**
 * command_format() - a command as words that parse to it again, without a newline
 *
 * Canonical: options in the table's order, durations and addresses in their shortest form.
 */
void command_format(const struct command *c, struct buf *out);

/* The candidate nearest to a mistyped word, or NULL if none is near; candidates end with NULL. */
const char *command_nearest(const char *word, const char *const *candidates);

#endif
