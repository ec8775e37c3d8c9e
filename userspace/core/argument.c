// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arguments of commands: one row a kind, with its parser and its writer. Not here: which
 * command takes which (command_list.h), the order of words (command.c).
 */
#include "core/argument.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/argument_kind.h"
#include "core/duration.h"
#include "core/lex.h"
#include "core/model.h"

int argument_refuse(const char *noun, const char *wanted, const char *word, struct err *err)
{
	char text[ARGUMENT_QUOTE_BYTES];

	return err_set(err, EINVAL, "%s must be %s, not %s", noun, wanted, argument_quote(word, text));
}

const char *argument_quote(const char *word, char text[ARGUMENT_QUOTE_BYTES])
{
	size_t i, room = ARGUMENT_QUOTE_BYTES - 6; /* quotes, dots, NUL */
	char *at = text;

	*at++ = '"';
	for (i = 0; i < room && word[i]; i++)
		*at++ = (unsigned char)word[i] < 0x20 || word[i] == 0x7f ? '?' : word[i];
	if (word[i]) {
		/* not in the middle of a character */
		while (i && ((unsigned char)word[i] & 0xc0) == 0x80) {
			i--;
			at--;
		}
		memcpy(at, "...", 3);
		at += 3;
	}
	*at++ = '"';
	*at = '\0';
	return text;
}

static int number_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	char wanted[64];
	__u64 value;

	if (number_parse(word, &value) || value < a->min || value > a->max) {
		snprintf(wanted, sizeof(wanted), "%llu to %llu", (unsigned long long)a->min,
			 (unsigned long long)a->max);
		return argument_refuse(noun, wanted, word, err);
	}
	*(__u32 *)member(a, c) = (__u32)value;
	return 0;
}

static void number_write(const struct argument *a, const struct command *c, struct buf *out)
{
	buf_printf(out, "%u", *(const __u32 *)member_const(a, c));
}

static int fingerprint_read(const struct argument *a, const char *noun, const char *word, struct command *c,
			    struct err *err)
{
	if (strlen(word) != 8 || strspn(word, "0123456789abcdef") != 8 || !strtoul(word, NULL, 16))
		return argument_refuse(noun, "8 hexadecimal digits, as `node key show` has them", word, err);
	*(__u32 *)member(a, c) = (__u32)strtoul(word, NULL, 16);
	return 0;
}

static void fingerprint_write(const struct argument *a, const struct command *c, struct buf *out)
{
	buf_printf(out, "%08x", *(const __u32 *)member_const(a, c));
}

static int slots_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	__u64 value;

	if (number_parse(word, &value) || value > 0xffffffff || !vip_slots_allowed((__u32)value))
		return argument_refuse(noun, vip_slots_words(), word, err);
	*(__u32 *)member(a, c) = (__u32)value;
	return 0;
}

static int duration_read(const struct argument *a, const char *noun, const char *word, struct command *c,
			 struct err *err)
{
	char wanted[96], max[DURATION_TEXT_BYTES];
	__u64 value;

	if (duration_parse(word, &value)) {
		return argument_refuse(noun, "a number with ms, s, m, h or d", word, err);
	} else if (value < a->min || value > a->max) {
		snprintf(wanted, sizeof(wanted), "%llu to %s", (unsigned long long)a->min,
			 duration_format(a->max, max));
		return argument_refuse(noun, wanted, word, err);
	}
	*(__u32 *)member(a, c) = (__u32)value;
	return 0;
}

static void duration_write(const struct argument *a, const struct command *c, struct buf *out)
{
	char text[DURATION_TEXT_BYTES];

	buf_puts(out, duration_format(*(const __u32 *)member_const(a, c), text));
}

static int name_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (!lex_is_name(word))
		return argument_refuse(noun, "1 to 31 letters, digits, \"-\", \"_\" or \".\", a letter first", word,
				       err);
	memcpy(member(a, c), word, strlen(word) + 1);
	return 0;
}

/* As other names are, but short. */
static int lease_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (!lex_is_name(word) || strlen(word) >= sizeof(c->lease))
		return argument_refuse(noun, "1 to 15 letters, digits, \"-\", \"_\" or \".\", a letter first", word,
				       err);
	memcpy(member(a, c), word, strlen(word) + 1);
	return 0;
}

/* A file's: no path, nor one that is hidden. */
static int hook_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (!lex_is_name(word))
		return argument_refuse(noun, "the name of a file in the directory of hooks, or none", word, err);
	snprintf(member(a, c), STARLING_NAME_BYTES, "%s", strcmp(word, "none") ? word : "");
	return 0;
}

static void hook_write(const struct argument *a, const struct command *c, struct buf *out)
{
	const char *name = member_const(a, c);

	buf_puts(out, *name ? name : "none");
}

/* What the kernel takes as a device's name: dev_valid_name(), net/core/dev.c. */
static int device_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	size_t len = strlen(word), i;

	for (i = 0; i < len; i++)
		if ((unsigned char)word[i] <= ' ' || word[i] == '/' || word[i] == ':' || (unsigned char)word[i] > '~')
			break;
	if (!len || i < len || len >= sizeof(c->device) || !strcmp(word, ".") || !strcmp(word, ".."))
		return argument_refuse(noun, "the name of a network device, 1 to 15 characters", word, err);
	memcpy(member(a, c), word, len + 1);
	return 0;
}

void string_write(const struct argument *a, const struct command *c, struct buf *out)
{
	lex_quote(member_const(a, c), out);
}

static int text_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	char wanted[64];

	if (strlen(word) < a->min || strlen(word) > a->max) {
		snprintf(wanted, sizeof(wanted), "%llu to %llu bytes long", (unsigned long long)a->min,
			 (unsigned long long)a->max);
		return argument_refuse(noun, wanted, word, err);
	}
	*(const char **)member(a, c) = word;
	return 0;
}

static void text_write(const struct argument *a, const struct command *c, struct buf *out)
{
	lex_quote(*(const char *const *)member_const(a, c), out);
}

static int public_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	return roster_key_parse(word, member(a, c))
		       ? argument_refuse(noun, "\"ed25519:\" and 44 digits of Base64, a public key", word, err)
		       : 0;
}

static void public_write(const struct argument *a, const struct command *c, struct buf *out)
{
	char text[ROSTER_KEY_TEXT_BYTES];

	buf_puts(out, roster_key_format(member_const(a, c), text));
}

/* The number of a word in a list, or -1. */
static int word_find(const char *const *words, const char *word)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int choice_refuse(const char *noun, const char *const *words, const char *word, struct err *err)
{
	char wanted[128] = "";
	size_t i;

	for (i = 0; words[i]; i++)
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
			 !i		? ""
			 : words[i + 1] ? ", "
					: " or ",
			 words[i]);
	return argument_refuse(noun, wanted, word, err);
}

int choice_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	const char *const *words = a->kind->words();
	int i = word_find(words, word);

	if (i < 0)
		return choice_refuse(noun, words, word, err);
	*(__u32 *)member(a, c) = a->kind->values ? a->kind->values[i] : (__u32)i;
	return 0;
}

void choice_write(const struct argument *a, const struct command *c, struct buf *out)
{
	const char *const *words = a->kind->words();
	__u32 value = *(const __u32 *)member_const(a, c);
	size_t i;

	for (i = 0; words[i]; i++)
		if (value == (a->kind->values ? a->kind->values[i] : (__u32)i))
			buf_puts(out, words[i]);
}

static int roles_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	const char *const *words = roster_role_words();
	const char *at = word;
	__u32 roles = 0;
	char piece[16], text[ARGUMENT_QUOTE_BYTES];
	size_t len;
	int i;

	do {
		len = strcspn(at, ",");
		snprintf(piece, sizeof(piece), "%.*s", (int)(len < sizeof(piece) ? len : sizeof(piece)), at);
		i = word_find(words, piece);
		if (i < 0)
			return choice_refuse(noun, words, piece, err);
		if (roles >> i & 1)
			return err_set(err, EINVAL, "%s is given twice", argument_quote(piece, text));
		roles |= 1U << i;
		at += len;
	} while (*at++);
	*(__u32 *)member(a, c) = roles;
	return 0;
}

static void roles_write(const struct argument *a, const struct command *c, struct buf *out)
{
	roster_roles_format(*(const __u32 *)member_const(a, c), out);
}

static int events_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	const char *const *words = a->kind->words();
	int i = word_find(words, word);

	if (i < 0)
		return choice_refuse(noun, words, word, err);
	/* Until one is named all of them are wanted. */
	if (!command_has(c, ARG_EVENTS))
		c->events = 0;
	c->events |= 1U << i;
	return 0;
}

static void events_write(const struct argument *a, const struct command *c, struct buf *out)
{
	const char *const *words = a->kind->words(), *blank = "";
	size_t i;

	for (i = 0; words[i]; i++) {
		if (!(c->events >> i & 1))
			continue;
		buf_printf(out, "%s%s", blank, words[i]);
		blank = " ";
	}
}

static int nodes_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	size_t i;

	(void)a;
	if (!lex_is_name(word))
		return argument_refuse(noun, "1 to 31 letters, digits, \"-\", \"_\" or \".\", a letter first", word,
				       err);
	for (i = 0; i < c->voters; i++)
		if (!strcmp(c->voter[i], word))
			return err_set(err, EINVAL, "%s is given twice", word);
	if (c->voters == STARLING_VOTERS)
		return err_set(err, EINVAL, "at most %d voters", STARLING_VOTERS);
	strcpy(c->voter[c->voters++], word);
	return 0;
}

static void nodes_write(const struct argument *a, const struct command *c, struct buf *out)
{
	(void)a;
	for (size_t i = 0; i < c->voters; i++)
		buf_printf(out, "%s%s", i ? " " : "", c->voter[i]);
}

#define CHOICE(name, ...)                                                                                              \
	static const char *const *name(void)                                                                           \
	{                                                                                                              \
		static const char *const words[] = {__VA_ARGS__, NULL};                                                \
		return words;                                                                                          \
	}
CHOICE(hash_words, "5tuple", "source")
CHOICE(proto_words, "tcp", "udp")
CHOICE(change_words, "add", "delete")
CHOICE(key_change_words, "show", "add", "use", "remove")
CHOICE(lease_change_words, "show", "take", "drop")
CHOICE(audit_change_words, "show", "verify", "accept", "held")
CHOICE(level_words, "error", "warning", "info", "debug")
CHOICE(switch_words, "off", "on")
CHOICE(event_words, "backend", "vip", "iface", "config", "drop", "member", "restart")
#undef CHOICE

static const __u32 protos[] = {IPPROTO_TCP, IPPROTO_UDP};
static const __u32 levels[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

static const struct argument_kind kind_NAME = {name_read, string_write, NULL, NULL};
static const struct argument_kind kind_DEVICE = {device_read, string_write, NULL, NULL};
static const struct argument_kind kind_NUMBER = {number_read, number_write, NULL, NULL};
static const struct argument_kind kind_FINGERPRINT = {fingerprint_read, fingerprint_write, NULL, NULL};
static const struct argument_kind kind_SLOTS = {slots_read, number_write, NULL, NULL};
static const struct argument_kind kind_DURATION = {duration_read, duration_write, NULL, NULL};
static const struct argument_kind kind_TEXT = {text_read, text_write, NULL, NULL};
static const struct argument_kind kind_PUBLIC = {public_read, public_write, NULL, NULL};
static const struct argument_kind kind_ROLES = {roles_read, roles_write, NULL, NULL};
static const struct argument_kind kind_FLAG = {NULL, NULL, NULL, NULL};
static const struct argument_kind kind_PROTO = {choice_read, choice_write, proto_words, protos};
static const struct argument_kind kind_CHANGE = {choice_read, choice_write, change_words, NULL};
static const struct argument_kind kind_KEY_CHANGE = {choice_read, choice_write, key_change_words, NULL};
static const struct argument_kind kind_HOOK = {hook_read, hook_write, NULL, NULL};
static const struct argument_kind kind_LEASE = {lease_read, string_write, NULL, NULL};
static const struct argument_kind kind_LEASE_CHANGE = {choice_read, choice_write, lease_change_words, NULL};
static const struct argument_kind kind_AUDIT_CHANGE = {choice_read, choice_write, audit_change_words, NULL};
static const struct argument_kind kind_LEVEL = {choice_read, choice_write, level_words, levels};
static const struct argument_kind kind_HASH = {choice_read, choice_write, hash_words, NULL};
static const struct argument_kind kind_SCHEDULER = {choice_read, choice_write, scheduler_words, NULL};
static const struct argument_kind kind_FORWARD = {choice_read, choice_write, forward_words, NULL};
static const struct argument_kind kind_MODE = {choice_read, choice_write, xdp_mode_words, NULL};
static const struct argument_kind kind_DEAD = {choice_read, choice_write, dead_words, NULL};
static const struct argument_kind kind_RECOVERY = {choice_read, choice_write, recovery_words, NULL};
static const struct argument_kind kind_PASSIVE = {choice_read, choice_write, passive_words, NULL};
static const struct argument_kind kind_BEACONS = {choice_read, choice_write, beacons_words, NULL};
static const struct argument_kind kind_TOPOLOGY = {choice_read, choice_write, topology_words, NULL};
static const struct argument_kind kind_URGENT = {choice_read, choice_write, urgent_words, NULL};
static const struct argument_kind kind_WAVE = {choice_read, choice_write, wave_words, NULL};
static const struct argument_kind kind_ADMISSION = {choice_read, choice_write, admission_words, NULL};
static const struct argument_kind kind_NODES = {nodes_read, nodes_write, NULL, NULL};
static const struct argument_kind kind_SWITCH = {choice_read, choice_write, switch_words, NULL};
static const struct argument_kind kind_EVENTS = {events_read, events_write, event_words, NULL};

static const struct argument arguments[ARGUMENT_COUNT] = {
#define ARGUMENT_ROW(id, by_, word_, metavar_, type, member_, min_, max_, help_)                                       \
	[ARG_##id] = {.by = BY_##by_,                                                                                  \
		      .word = word_,                                                                                   \
		      .metavar = metavar_,                                                                             \
		      .kind = &kind_##type,                                                                            \
		      .offset = offsetof(struct command, member_),                                                     \
		      .min = min_,                                                                                     \
		      .max = max_,                                                                                     \
		      .help = help_},
	STARLING_ARGUMENTS(ARGUMENT_ROW)
#undef ARGUMENT_ROW
};

const struct argument *argument_info(enum argument_id id)
{
	return &arguments[id];
}

int argument_parse(enum argument_id id, const char *word, struct command *c, struct err *err)
{
	const struct argument *a = &arguments[id];

	return a->kind->parse(a, a->word, word, c, err);
}

void argument_format(enum argument_id id, const struct command *c, struct buf *out)
{
	if (arguments[id].kind->format)
		arguments[id].kind->format(&arguments[id], c, out);
}

bool argument_is_flag(enum argument_id id)
{
	return !arguments[id].kind->parse;
}

bool argument_repeats(enum argument_id id)
{
	return arguments[id].kind == &kind_EVENTS || arguments[id].kind == &kind_NODES;
}

const char *const *argument_words(enum argument_id id)
{
	return arguments[id].kind->words ? arguments[id].kind->words() : NULL;
}
